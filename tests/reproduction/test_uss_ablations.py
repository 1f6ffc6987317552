"""One fault switched off at a time: the switches, copies as weights, counts as metrics, records."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sklearn
from uss_dialogues import ROWS

from satlib import record_cache
from satlib.data import labels
from satlib.evaluation import bootstrap, judging, metrics
from satlib.reproduction import uss, uss_ablations, uss_faults


def test_each_switch_changes_what_it_says():
    ways = {name: make(ROWS) for name, make in uss_ablations.SWITCHES.items()}
    base = ways["as-published"]
    assert [np.flatnonzero(base.fold == k).tolist() for k in range(10)] == [
        fold["test"].tolist() for fold in uss.folds("A0", ROWS)
    ]
    assert len(ways["turns-only"].rows.texts) == 24 * 4 and ways["no-copies"].copies == 1
    assert (ways["ties-highest"].rows.stars >= ROWS.stars).all() and ways[
        "ties-highest"
    ].rows.stars.max() == 4
    tied = labels.tied([e.ratings for e in ROWS.examples])
    assert len(ways["ties-dropped"].rows.texts) == (~tied).sum()
    assert sorted(ways["shuffled-rows"].fold) == sorted(base.fold)
    for name in ("whole-dialogues", "all-off"):
        fold = {
            (e.group, k) for e, k in zip(ways[name].rows.examples, ways[name].fold, strict=True)
        }
        assert len(fold) == 24
    moved = (ways["whole-dialogues"].fold != base.fold).sum()
    assert 0 < moved < 24 and (ways["all-off"].copies, len(ways["all-off"].rows.texts)) == (
        1,
        24 * 4,
    )


def test_a_weight_is_so_many_copies():
    base = uss_ablations.published(ROWS)
    found = uss_ablations.probabilities("naive-bayes-words", base)
    view, learner = uss_ablations.WORD_MODELS["naive-bayes-words"]()
    words = view.fit_transform(ROWS.texts)
    fold = uss.folds("A0", ROWS)[3]
    train = uss_faults.upsample(fold["train"], ROWS.stars)
    learner.fit(words[train], ROWS.stars[train].astype(int))
    assert np.allclose(
        found[fold["test"]][:, learner.classes_ - 1], learner.predict_proba(words[fold["test"]])
    )


def test_copies_made_before_the_cut_lie_on_both_sides_of_it():
    after = uss_ablations.SWITCHES["shuffled-rows"](ROWS)
    before = uss_ablations.SWITCHES["copied-then-shuffled"](ROWS)
    assert (after.copies, before.copies) == (uss_faults.COPIES, 1)
    ids = [example.id for example in before.rows.examples]
    for example, star in zip(ROWS.examples, ROWS.stars, strict=True):
        assert ids.count(example.id) == (1 if star == 3 else 11)
    ten_blocks = np.bincount(before.fold)
    assert len(ten_blocks) == 10 and ten_blocks[:9].max() == len(ids) // 10
    cut = {id for id in ids if len(set(before.fold[np.array(ids) == id])) > 1}
    assert cut == {ROWS.examples[i].id for i in np.flatnonzero(ROWS.stars != 3)}


def test_a_table_of_texts_knows_all_labels_once_copies_are_made_before_the_cut():
    # Each row gets a text of its own, as turns of real dialogues nearly always have.
    alone = replace(ROWS, texts=[example.id for example in ROWS.examples])
    kappa = {}
    for name in uss_ablations.LOOKED_UP:
        way = uss_ablations.SWITCHES[name](alone)
        predicted = uss_ablations.predict("look-up", way)
        kappa[name] = sklearn.cohen_kappa_score(way.rows.stars, predicted)
    assert kappa == {"whole-dialogues": 0, "shuffled-rows": 0, "copied-then-shuffled": 1}


def test_copies_weigh_in_a_look_up_as_they_do_in_the_word_models():
    n = len(ROWS.texts)
    stars = np.where(np.arange(n) % 5 == 0, 2.0, 3.0)
    way = uss_ablations.published(replace(ROWS, texts=["the same"] * n, stars=stars))
    once = uss_ablations.predict("look-up", replace(way, copies=1))
    assert set(once) == {3}, "four rows in five are 3"
    assert set(uss_ablations.predict("look-up", way)) == {2}, "with copies 11 in 15 are 2"


def judged(seed=0):
    p = np.random.default_rng(seed).dirichlet(np.ones(5), len(ROWS.stars))
    return judging.from_probabilities(ROWS.examples, ROWS.stars, p, keep=True)


def test_tables_give_the_metrics_and_their_intervals():
    one, groups = judged(), sorted({e.group for e in ROWS.examples})
    drawn = uss_ablations.tables(ROWS, one.predicted, groups, draws=4000)
    assert drawn[0].tolist() == metrics.confusion(ROWS.stars, one.predicted).tolist()
    for name, metric in (("kappa", uss_ablations.kappas), ("f1_dissatisfied", uss_ablations.f1s)):
        value, low, high = judging.scores(one, [name], draws=4000)[name]
        assert metric(drawn)[0] == pytest.approx(value)
        assert np.quantile(metric(drawn)[1:], bootstrap.BOUNDS) == pytest.approx(
            [low, high], abs=0.02
        )


def test_an_ablation_is_a_record_of_few_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(uss, "load", lambda *_: (type("Loaded", (), {"sha256": "d"}), ROWS))
    same, other = (
        uss_ablations.run("uss-ccpe", name, "naive-bayes-words", tmp_path)
        for name in ("as-published", "no-copies")
    )
    values = {row["metric"]: row for row in same.rows}
    assert (
        same.profile == "A0-as-published"
        and other.parameters["copies"] == 1
        and not same.predictions
    )
    assert {
        *uss.PUBLISHED_METRICS,
        "f1_dissatisfied",
        "kappa_change",
        "f1_dissatisfied_change",
    } == set(values)
    assert values["kappa_change"]["value"] == values["kappa_change"]["high"] == 0
    assert values["kappa"]["low"] < values["kappa"]["value"] < values["kappa"]["high"]
    before, after = (
        next(r["value"] for r in one.rows if r["metric"] == "kappa") for one in (same, other)
    )
    change = next(r for r in other.rows if r["metric"] == "kappa_change")
    assert change["value"] == pytest.approx(after - before, abs=2e-6)
    for wrong in ({"switch": "none"}, {"model": "bert"}):
        with pytest.raises(ValueError, match="unknown (switch|model) "):
            uss_ablations.run(
                **(
                    {"dataset": "uss-ccpe", "switch": "all-off", "model": "naive-bayes-words"}
                    | wrong
                ),
                folder=tmp_path,
            )


def test_a_look_up_keeps_what_it_said_of_each_row(tmp_path, monkeypatch):
    monkeypatch.setattr(uss, "load", lambda *_: (type("Loaded", (), {"sha256": "d"}), ROWS))
    for switch in uss_ablations.LOOKED_UP:
        record = uss_ablations.run("uss-ccpe", switch, "look-up", tmp_path)
        kept = record.predictions["test"]
        row = next(row for row in record.rows if row["metric"] == "kappa")
        theirs = sklearn.cohen_kappa_score(kept["rating"], kept["predicted"])
        assert theirs == pytest.approx(row["value"], abs=1e-6)
        assert row["n"] == len(kept["id"]) == len(kept["group"])


# Real data


@pytest.mark.parametrize(
    ("corpus", "nearly"), [("uss-ccpe", 0.995), ("uss-redial", 0.994), ("uss-sgd", 0.996)]
)
def test_the_committed_look_up_is_that_of_the_real_dialogues(corpus, nearly, real_data, root):
    _, rows = uss.load(corpus, True, real_data)
    folder = root / "data" / "runs" / "reproduction"
    for switch in uss_ablations.LOOKED_UP:
        way = uss_ablations.SWITCHES[switch](rows)
        predicted = uss_ablations.predict("look-up", way)
        kappa = sklearn.cohen_kappa_score(way.rows.stars, predicted)
        assert kappa == pytest.approx(nearly if "copied" in switch else 0, abs=0.01)
        records = record_cache.found(folder, corpus, f"A0-{switch}")
        (record,) = [record for record in records if record.model == "look-up"]
        row = next(row for row in record.rows if row["metric"] == "kappa")
        assert row["value"] == pytest.approx(kappa, abs=1e-6) and row["n"] == len(predicted)
        kept = record.predictions["test"]
        assert (kept["rating"], kept["predicted"]) == (way.rows.stars.tolist(), predicted.tolist())
