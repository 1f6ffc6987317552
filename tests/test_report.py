"""The report's numbers follow from the records, and records of different protocols are refused."""

import re

import numpy as np
import pandas as pd
import pytest
from invented import DOMAINS, NOISE, make

from satlib import records, report
from satlib.data.interactions import to_example
from satlib.data.prepared import Prepared
from satlib.evaluation import comparison, judging, metrics
from satlib.evaluation.comparable_records import comparable, predictions
from satlib.evaluation.comparison import difference


@pytest.fixture(scope="module")
def found():
    made = [make("oracle"), make("bert-after", 1), make("mean"), make("tfidf-ridge")]
    made += [make("bert-after", 0), make("bert-before")]
    for record in made:
        if record.model == "bert-after":
            record.parameters = {
                "train_rows": 500,
                "encoder": "embedded",
                "learning_rate": 5e-5,
                "best_epoch": 2 + record.seed,
            }
    return comparable(made)


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
    after = [
        row for r in found if r.model == "bert-after" for row in r.rows if row["part"] == "test"
    ]
    for name in ("rmse", "qwk"):
        own = [row for row in after if row["metric"] == name]
        line = frame.loc[("bert-after", name)]
        assert (
            line["seeds"] == 2
            and line["n"] == 90
            and line["points"] == [row["value"] for row in own]
        )
        assert line["value"] == pytest.approx(sum(row["value"] for row in own) / 2, abs=1e-6)
        expected = comparison.estimate(found, "bert-after", name)
        assert tuple(line[["value", "low", "high"]]) == expected
    mean = next(r for r in found[0].rows if (r["part"], r["metric"]) == ("test", "rmse"))
    line = frame.loc[("mean", "rmse")]
    assert line["seeds"] == 1
    assert [line[key] for key in ("value", "low", "high")] == [
        mean[key] for key in ("value", "low", "high")
    ]
    with pytest.raises(ValueError, match="no record was judged on the part 'train'"):
        report.summary(found, "train")


def test_a_table_shows_value_and_interval_and_a_dash_for_what_is_undefined(found):
    wide = report.table(found, ("rmse", "spearman"))
    assert set(wide.index) == set(NOISE)
    row = next(r for r in found[0].rows if (r["part"], r["metric"]) == ("test", "rmse"))
    assert wide.loc["mean", "rmse"] == f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    assert wide.loc["mean", "spearman"] == "-"
    assert all(
        re.fullmatch(r"-?\d\.\d{3} \[-?\d\.\d{3}, -?\d\.\d{3}\]", text) for text in wide["rmse"]
    )
    assert list(report.table(found[:2]).index) == ["tfidf-ridge", "mean"]
    assert list(report.table(found, ("rmse",), "validation")["rmse"]) != list(wide["rmse"])


def test_a_table_is_sorted_by_the_main_metric_with_the_best_marked_and_the_oracle_apart(found):
    wide = report.table(found, ("mae", "qwk"))
    rmse = [report.value(found, model) for model in wide.index]
    assert list(wide.index)[-1] == "oracle" and rmse[-1] == min(rmse)
    assert rmse[:-1] == sorted(rmse[:-1])
    assert wide.loc["oracle", "note"] == "best possible" and wide.iloc[0]["note"] == "best"
    assert (wide["note"] != "").sum() == 2
    by_qwk = report.table(found, ("rmse",), by="qwk")
    qwk = [report.value(found, model, "qwk") for model in by_qwk.index][:-1]
    assert qwk == sorted(qwk, reverse=True) and by_qwk.iloc[0]["note"] == "best"


def test_an_undefined_main_metric_comes_last_and_alone_the_oracle_is_no_best(found):
    by_rho = report.standings(found, ("rmse",), by="spearman")
    assert [row.model for row in by_rho][-2:] == ["mean", "oracle"]
    (lone,) = report.standings(found[-1:], ("rmse",))
    assert lone.oracle and not lone.best


def test_every_model_that_was_run_is_in_the_table(found):
    extra = make("something-new")
    assert set(report.table([*found, extra]).index) == {*NOISE, "something-new"}


def learned(model, rows, seed=0, **parameters):
    return make(model, seed, parameters={"train_rows": rows} | parameters)


def test_a_row_says_how_many_rows_taught_its_model_where_they_differ():
    records = [learned("mean", 900), learned("tfidf-ridge", 900), learned("bert-after", 90)]
    wide = report.table(records, ("rmse",))
    assert wide["training rows"].to_dict() == {"mean": 900, "tfidf-ridge": 900, "bert-after": 90}
    assert "training rows" not in report.table(records[:2], ("rmse",))


def test_a_row_says_how_many_seeds_it_is_the_mean_of_where_there_are_several(found):
    seeds = report.table(found, ("rmse",))["seeds"].to_dict()
    assert seeds.pop("bert-after") == 2 and set(seeds.values()) == {"fitted"}
    assert "seeds" not in report.table(found[:3], ("rmse",))


def test_a_setting_at_the_edge_of_its_grid_is_marked_in_the_row():
    records = [learned("mean", 9), learned("tfidf-ridge", 9, edge=["alpha"])]
    wide = report.table(records, ("rmse",))
    assert wide.loc["tfidf-ridge", "note"] == "best; at the edge of the grid: alpha"
    assert wide.loc["mean", "note"] == ""


def see_through(record):
    """Let a model be the best on the validation rows."""
    columns = record.predictions["validation"]
    columns["predicted"] = columns["rating"]


def test_gains_are_drawn_against_the_best_baseline_and_the_frozen_twin_on_as_many_rows():
    records = [learned("mean", 90), learned("tfidf-ridge", 90), learned("bert-before", 90)]
    records += [learned("bert-after", 90), learned("bert-behaviour", 900), learned("oracle", 90)]
    see_through(records[1])
    pairs = [(gain.model, gain.other) for gain in report.gains(records, draws=20)]
    assert pairs == [("bert-after", "tfidf-ridge"), ("bert-after", "bert-before")]
    records.append(learned("frozen-behaviour", 900))
    pairs = [(gain.model, gain.other) for gain in report.gains(records, draws=20)]
    assert pairs[2:] == [("bert-behaviour", "frozen-behaviour")]
    assert all(gain.equal_rows for gain in report.gains(records, draws=20))
    assert report.gains(records[:3]) == []


def test_a_figure_shows_the_best_baseline_too():
    records = [learned("mean", 90), learned("gru", 90), learned("bert-after", 90)]
    records += [learned("naive-bayes", 90)]
    see_through(records[1])
    assert report.drawn(comparable(records)) == ["mean", "gru", "bert-after"]


def test_a_value_is_the_mean_over_seeds_and_nan_where_there_is_none(found):
    expected = (
        report.summary(found).set_index(["model", "metric"]).loc[("bert-after", "rmse"), "value"]
    )
    assert report.value(found, "bert-after") == pytest.approx(expected)
    assert np.isnan(report.value(found, "majority")) and np.isnan(
        report.value(found, "mean", "spearman")
    )


def test_the_facts_name_rows_seeds_and_encoder(found):
    facts = report.facts(found)
    assert facts["training rows"] == 500 and facts["test rows"] == 90 and facts["seeds"] == "0, 1"
    assert (
        facts["encoder"] == "embedded"
        and facts["best epoch"] == "2, 3"
        and facts["accelerator"] == "none"
    )
    assert report.facts(found[:1])["training rows"] == "-"


def test_versus_speaks_of_what_two_decimals_show():
    assert report.versus(0.801, 0.9) == "below" and report.versus(0.9, 0.801) == "above"
    assert report.versus(0.8001, 0.7999) == "level with" and report.versus(0.804, 0.806) == "below"


# Predictions and their comparison


def test_the_rows_can_be_computed_again_from_the_predictions(found):
    for model in NOISE:
        for metric in ("rmse", "mae", "accuracy"):
            seeds = [
                metrics.METRICS[metric](one["rating"], one["predicted"])
                for _, one in predictions(found, model).groupby("seed")
            ]
            assert np.mean(seeds) == pytest.approx(report.value(found, model, metric), abs=1e-6)


def test_by_domain_adds_up_and_pools_the_rare_ones(found):
    frame = report.by_domain(found, ["mean", "oracle"], draws=20)
    assert set(frame["domain"]) == set(DOMAINS) and len(frame) == 6 and set(frame["n"]) == {30}
    assert (frame["low"] <= frame["value"]).all() and (frame["value"] <= frame["high"]).all()
    for model, own in frame.groupby("model"):
        assert np.sqrt((own["value"] ** 2).mean()) == pytest.approx(
            report.value(found, model), abs=1e-6
        )
    pooled = report.by_domain(found, ["bert-after"], most=1, draws=5)
    assert sorted(pooled["n"]) == [30, 60] and "other" in set(pooled["domain"])


def test_real_judged_records_fit_the_report(tmp_path):
    """``judging.judge_and_save`` writes what the report reads."""
    from types import SimpleNamespace

    event = {"actor": "user", "action": "read", "text": "news"}
    examples = []
    for i in range(10):
        fields = {"id": str(i), "group": str(i // 2), "domain": "news"}
        examples.append(to_example(fields | {"events": [event], "ratings": [1 + i % 5]}))
    data = Prepared(SimpleNamespace(name="satsim", sha256="d"), {"test": examples})
    made = []
    for name, level in (("mean", 3.0), ("bert-after", 3.5)):
        predicted = {"test": np.full(10, level)}
        made.append(
            judging.judge_and_save(
                name,
                predicted,
                data,
                profile="fast",
                seed=0,
                runs=tmp_path,
                parameters={},
                draws=5,
            )
        )
    wide = report.table(made)
    assert isinstance(wide, pd.DataFrame) and list(wide.index) == ["mean", "bert-after"]
    assert wide.loc["mean", "note"] == "best"
    assert difference(made, "bert-after", "mean", draws=5).value > 0


def test_models_that_learned_from_fewer_rows_are_named():
    learned = [
        records.RunRecord(name, "d", "fast", 0, "x", "y", {"train_rows": n})
        for name, n in (("a", 9), ("b", 4), ("c", 9))
    ]
    assert report.training_rows(learned) == "9 (b 4)" and report.training_rows(learned[::2]) == 9
