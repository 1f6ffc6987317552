"""The report's numbers follow from the records, and records of different protocols are refused."""

import re

import numpy as np
import pandas as pd
import pytest

from satlib import metrics, records, report, runtime
from satlib.interactions import check
from satlib.records import RunRecord

NOISE = {"mean": 1.2, "tfidf-ridge": 0.9, "bert-before": 0.95, "bert-after": 0.6, "oracle": 0.4}
DOMAINS = ("shop", "news", "video")


def make(model: str, seed: int = 0, **changed) -> RunRecord:
    """A record on 90 invented examples of 30 users, whose predictions err by NOISE[model]."""
    truth, rng = np.random.default_rng(1), np.random.default_rng([seed, *model.encode()])
    record = RunRecord(**{"model": model, "dataset": "satsim", "profile": "fast", "seed": seed, "data_sha256": "d",
                          "split_sha256": "s", "versions": {"python": "3"}, "machine": {"accelerator": "none"},
                          **changed})  # fmt: skip
    for part in ("validation", "test"):
        rating = truth.integers(1, 6, 90).astype(float)
        predicted = np.full(90, 3.1) if model == "mean" else np.clip(rating + rng.normal(0, NOISE[model], 90), 1, 5)
        record.predictions[part] = {
            "id": [f"{part}-{i}" for i in range(90)], "group": [f"user-{i // 3}" for i in range(90)],
            "domain": [DOMAINS[i % 3] for i in range(90)], "rating": rating.tolist(),
            "predicted": predicted.round(4).tolist()}  # fmt: skip
        columns = record.predictions[part]
        record.rows += metrics.evaluate(columns["rating"], columns["predicted"], columns["group"], model=model,
                                        dataset=record.dataset, profile=record.profile, part=part, seed=seed, draws=40)
    return record


@pytest.fixture(scope="module")
def found():
    made = [make("oracle"), make("bert-after", 1), make("mean"), make("tfidf-ridge"), make("bert-after", 0),
            make("bert-before")]  # fmt: skip
    for record in made:
        if record.model == "bert-after":
            record.parameters = {"train_rows": 500, "encoder": "embedded", "learning_rate": 5e-5,
                                 "best_epoch": 2 + record.seed}
    return report.comparable(made)


def test_the_models_come_in_course_order_and_seeds_after_each_other(found):
    assert [(r.model, r.seed) for r in found] == [
        ("mean", 0), ("tfidf-ridge", 0), ("bert-before", 0), ("bert-after", 0), ("bert-after", 1), ("oracle", 0)]
    extra = [make("mean", 0), RunRecord("a-new-model", "satsim", "fast", 0, "d", "s")]
    assert [r.model for r in report.comparable(extra[::-1])] == ["mean", "a-new-model"]


@pytest.mark.parametrize("name", ["dataset", "profile", "data_sha256", "split_sha256"])
def test_records_of_different_protocols_are_refused(found, name):
    with pytest.raises(ValueError) as caught:
        report.comparable([*found, make("oracle", 5, **{name: "other"})])
    sentence = str(caught.value)
    assert f"differ in {name}" in sentence and "never share a ranking" in sentence and "\n" not in sentence
    assert "oracle-seed5.json" in sentence


def test_different_rows_of_the_same_split_are_refused(found):
    odd = make("oracle")
    odd.predictions["test"]["id"][0] = "another"
    with pytest.raises(ValueError, match="bert-after and oracle were judged on different test examples"):
        report.difference([*found[:5], odd], "bert-after", "oracle", draws=3)


# Where the records come from


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """An empty cache and an empty folder of committed records: their paths."""
    monkeypatch.setattr(runtime, "data_folder", lambda: tmp_path / "data")
    return runtime.runs_folder(), tmp_path / "data" / "runs"


def save(folder, models, **changed):
    for model in models:
        records.save(make(model, **changed), folder)


def test_no_record_at_all_is_one_sentence(folders):
    with pytest.raises(FileNotFoundError, match="no run record of 'satsim' with the profile 'fast' in the cache; run"):
        report.find("satsim", "fast")


def test_committed_records_serve_until_the_own_ones_are_complete(folders):
    own, committed = folders
    save(committed, report.REQUIRED, split_sha256="committed")
    save(committed, ["mean"], split_sha256="other", profile="full")
    save(own, report.REQUIRED[:3], split_sha256="own")
    found, words = report.find("satsim", "fast")
    assert {r.split_sha256 for r in found} == {"committed"} and words == report.COMMITTED
    save(own, report.REQUIRED[3:], split_sha256="own")
    found, words = report.find("satsim", "fast")
    assert {r.split_sha256 for r in found} == {"own"} and words == report.OWN and len(found) == 4
    assert [r.profile for r in report.load_committed("satsim", "full")] == ["full"]


def test_own_incomplete_records_serve_where_none_are_committed(folders):
    save(folders[0], ["mean"])
    assert [r.model for r in report.find("satsim", "fast")[0]] == ["mean"]


def test_a_named_folder_is_the_only_source(folders, tmp_path):
    save(folders[1], report.REQUIRED)
    with pytest.raises(FileNotFoundError, match="in .*mine; run lessons 32 and 35"):
        report.find("satsim", "fast", str(tmp_path / "mine"))
    save(tmp_path / "mine", ["mean"])
    found, words = report.find("satsim", "fast", str(tmp_path / "mine"))
    assert [r.model for r in found] == ["mean"] and words == report.OWN and str(tmp_path) not in words


# Rows, tables, facts


def test_rows_are_the_records_rows_in_model_order(found):
    rows = report.rows(found)
    assert len(rows) == 6 * 2 * len(metrics.METRICS) and set(rows[0]) == set(records.ROW_KEYS)
    assert list(dict.fromkeys(row["model"] for row in rows)) == list(NOISE)
    rows[0]["value"] = 99
    assert report.rows(found)[0]["value"] != 99


def test_a_summary_is_the_mean_over_the_seeds(found):
    frame = report.summary(found).set_index(["model", "metric"])
    assert len(frame) == 5 * len(metrics.METRICS)
    after = [row for r in found if r.model == "bert-after" for row in r.rows if row["part"] == "test"]
    for name in ("rmse", "qwk"):
        own = [row for row in after if row["metric"] == name]
        line = frame.loc[("bert-after", name)]
        assert line["seeds"] == 2 and line["n"] == 90 and line["points"] == [row["value"] for row in own]
        for key in ("value", "low", "high"):
            assert line[key] == pytest.approx(sum(row[key] for row in own) / 2)
    assert frame.loc[("mean", "rmse"), "seeds"] == 1
    with pytest.raises(ValueError, match="no record was judged on the part 'train'"):
        report.summary(found, "train")


def test_a_table_shows_value_and_interval_and_a_dash_for_what_is_undefined(found):
    wide = report.table(found, ("rmse", "spearman"))
    assert list(wide.index) == list(NOISE) and list(wide.columns) == ["rmse", "spearman"]
    row = next(r for r in found[0].rows if (r["part"], r["metric"]) == ("test", "rmse"))
    assert wide.loc["mean", "rmse"] == f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    assert wide.loc["mean", "spearman"] == "-"
    assert all(re.fullmatch(r"-?\d\.\d{3} \[-?\d\.\d{3}, -?\d\.\d{3}\]", text) for text in wide["rmse"])
    assert list(report.table(found[:2]).index) == ["mean", "tfidf-ridge"]
    assert list(report.table(found, ("rmse",), "validation")["rmse"]) != list(wide["rmse"])


def test_a_value_is_the_mean_over_seeds_and_nan_where_there_is_none(found):
    expected = report.summary(found).set_index(["model", "metric"]).loc[("bert-after", "rmse"), "value"]
    assert report.value(found, "bert-after") == pytest.approx(expected)
    assert np.isnan(report.value(found, "majority")) and np.isnan(report.value(found, "mean", "spearman"))


def test_the_facts_name_rows_seeds_and_encoder(found):
    facts = report.facts(found)
    assert facts["training rows"] == 500 and facts["test rows"] == 90 and facts["seeds"] == "0, 1"
    assert facts["encoder"] == "embedded" and facts["best epoch"] == "2, 3" and facts["accelerator"] == "none"
    assert report.facts(found[:1])["training rows"] == "-"


def test_each_model_has_a_look_of_its_own():
    looks = [report.look(model) for model in (*report.MODELS, "a-new-model")]
    assert len({colour for colour, _ in looks}) == len({marker for _, marker in looks}) == len(looks)


def test_versus_speaks_of_what_two_decimals_show():
    assert report.versus(0.801, 0.9) == "below" and report.versus(0.9, 0.801) == "above"
    assert report.versus(0.8001, 0.7999) == "level with" and report.versus(0.804, 0.806) == "below"


# Predictions and their comparison


def test_the_rows_can_be_computed_again_from_the_predictions(found):
    for model in NOISE:
        for metric in ("rmse", "mae", "accuracy"):
            seeds = [metrics.METRICS[metric](one["rating"], one["predicted"])
                     for _, one in report.predictions(found, model).groupby("seed")]  # fmt: skip
            assert np.mean(seeds) == pytest.approx(report.value(found, model, metric), abs=1e-6)


def test_predictions_are_pooled_over_seeds_and_an_unknown_model_is_refused(found):
    frame = report.predictions(found, "bert-after", "validation")
    assert len(frame) == 180 and set(frame["seed"]) == {0, 1} and frame["id"].nunique() == 90
    with pytest.raises(ValueError, match="no record of 'gpt' with test predictions; choose one of bert-after, "):
        report.predictions(found, "gpt")


def test_a_difference_is_that_of_the_values_and_follows_a_plain_bootstrap(found):
    got = report.difference(found, "bert-before", "tfidf-ridge", draws=200, rng=3)
    assert got.value == pytest.approx(report.value(found, "bert-before") - report.value(found, "tfidf-ridge"), abs=1e-5)
    ours, theirs = (report.predictions(found, m) for m in ("bert-before", "tfidf-ridge"))
    rng, users, drawn = np.random.default_rng(3), np.arange(30), []
    for _ in range(200):
        picked = np.concatenate([3 * u + np.arange(3) for u in _sorted_users()[rng.integers(30, size=len(users))]])
        drawn.append(np.subtract(*[np.sqrt(((f["rating"] - f["predicted"]) ** 2).to_numpy()[picked].mean())
                                   for f in (ours, theirs)]))  # fmt: skip
    assert (got.low, got.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


def _sorted_users() -> np.ndarray:
    """User numbers in the order of their names, user-0, user-1, user-10, ..."""
    return np.array(sorted(range(30), key=lambda i: f"user-{i}"))


def test_pairing_narrows_the_interval():
    """Two models that share most of their error: the paired interval is narrower than either model's own."""
    one, two = make("tfidf-ridge"), make("bert-before")
    shared = np.array(one.predictions["test"]["predicted"]) + 0.02
    two.predictions["test"]["predicted"] = shared.tolist()
    got = report.difference([one, two], "bert-before", "tfidf-ridge", draws=200)
    row = next(r for r in one.rows if (r["part"], r["metric"]) == ("test", "rmse"))
    assert got.high - got.low < (row["high"] - row["low"]) / 3


def test_a_difference_between_groups_is_seen_only_when_whole_groups_are_drawn():
    """All examples of a user are copies: drawing single examples would feign certainty."""
    one, two = make("tfidf-ridge"), make("bert-before")
    for record in (one, two):
        columns = record.predictions["test"]
        for name in ("rating", "predicted"):
            columns[name] = np.repeat(np.array(columns[name])[::3], 3).tolist()
    grouped = report.difference([one, two], "bert-before", "tfidf-ridge", draws=300)
    for record in (one, two):
        record.predictions["test"]["group"] = record.predictions["test"]["id"]
    single = report.difference([one, two], "bert-before", "tfidf-ridge", draws=300)
    assert grouped.high - grouped.low > 1.4 * (single.high - single.low)


def test_a_difference_says_whether_zero_is_inside(found):
    clear = report.difference(found, "bert-after", "tfidf-ridge", draws=100)
    assert clear.clear and clear.value < 0 and "zero lies outside" in str(clear) and "rmse of bert-after" in str(clear)
    same = report.difference(found, "tfidf-ridge", "tfidf-ridge", draws=20)
    assert not same.clear and same.value == same.low == same.high == 0 and "zero lies inside" in str(same)
    flipped = report.difference(found, "tfidf-ridge", "bert-after", draws=100)
    assert flipped.value == pytest.approx(-clear.value) and flipped.low == pytest.approx(-clear.high)
    with pytest.raises(ValueError, match="unknown metric 'loss'"):
        report.difference(found, "bert-after", "mean", "loss")


def test_calibration_bins_are_equal_and_sorted_and_keep_the_means():
    rng = np.random.default_rng(0)
    predicted = rng.uniform(1, 5, 103)
    rating = predicted + 0.5
    bins = report.calibration(rating, predicted)
    assert bins["n"].tolist() == [11, 11, 11, 10, 10, 10, 10, 10, 10, 10] and bins["predicted"].is_monotonic_increasing
    assert np.average(bins["rating"], weights=bins["n"]) == pytest.approx(rating.mean())
    first = np.sort(predicted)[:11]
    assert bins["predicted"][0] == pytest.approx(first.mean())
    assert bins["error"][0] == pytest.approx(first.std() / np.sqrt(11))
    assert report.miscalibration(bins) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="bins = 0; choose 1 to 103"):
        report.calibration(rating, predicted, 0)


def test_calibration_sorts_by_prediction_and_weighs_bins_by_size():
    bins = report.calibration([5, 1, 1, 2, 4], [1.0, 4.0, 2.0, 3.0, 5.0], bins=2)
    assert bins["predicted"].tolist() == [2, 4.5] and bins["n"].tolist() == [3, 2]
    assert bins["rating"].tolist() == pytest.approx([8 / 3, 2.5])
    assert report.miscalibration(bins) == pytest.approx((3 * (8 / 3 - 2) + 2 * 2) / 5)


def test_calibration_survives_a_constant_prediction():
    bins = report.calibration([1, 2, 3, 4], [3, 3, 3, 3], bins=2)
    assert bins["predicted"].tolist() == [3, 3] and bins["n"].tolist() == [2, 2]
    assert report.miscalibration(bins) == pytest.approx(1)


def test_by_domain_adds_up_and_pools_the_rare_ones(found):
    frame = report.by_domain(found, ["mean", "oracle"], draws=20)
    assert set(frame["domain"]) == set(DOMAINS) and len(frame) == 6 and set(frame["n"]) == {30}
    assert (frame["low"] <= frame["value"]).all() and (frame["value"] <= frame["high"]).all()
    for model, own in frame.groupby("model"):
        assert np.sqrt((own["value"] ** 2).mean()) == pytest.approx(report.value(found, model), abs=1e-6)
    pooled = report.by_domain(found, ["bert-after"], most=1, draws=5)
    assert sorted(pooled["n"]) == [30, 60] and "other" in set(pooled["domain"])


def test_real_judged_records_fit_the_report():
    """``metrics.judge`` writes what the report reads."""
    from types import SimpleNamespace

    event = {"actor": "user", "action": "read", "text": "news"}
    examples = [check({"id": str(i), "group": str(i // 2), "domain": "news", "events": [event], "ratings": [1 + i % 5]})
                for i in range(10)]  # fmt: skip
    loaded = SimpleNamespace(name="satsim", sha256="d")
    made = [metrics.judge(name, {"test": np.full(10, level)}, {"test": examples}, loaded=loaded, split_sha256="s",
                          profile="fast", seed=0, parameters={}, draws=5)
            for name, level in (("mean", 3.0), ("bert-after", 3.5))]  # fmt: skip
    wide = report.table(made)
    assert isinstance(wide, pd.DataFrame) and list(wide.index) == ["mean", "bert-after"]
    assert report.difference(made, "bert-after", "mean", draws=5).value > 0
