"""Protocol A: rows, splits by dialogue, choices on validation rows, records, the real corpora."""

import math

import numpy as np
import pytest
from sklearn import metrics as sklearn
from uss_dialogues import ROWS

from satlib import record_cache
from satlib.data import labels
from satlib.evaluation import judging, metrics
from satlib.reproduction import protocols, uss, uss_faults
from satlib.reproduction.text_classifiers import Settings

JOB = {
    "model": "m",
    "dataset": "toy",
    "profile": "A0",
    "seed": 2,
    "data_sha256": "d",
    "split_sha256": "s",
}


def test_the_input_ends_before_the_user_speaks():
    assert ROWS.texts[0] == "" and ROWS.texts[1].startswith("user: turn 0 system: ")
    assert uss.text(ROWS.examples[2]).endswith(ROWS.examples[2].events[-1].text)
    assert ROWS.stars[0] == 2 and ROWS.means[0] == 3  # (2, 3, 4): the tie goes to the lowest


def groups_of(rows, at):
    return {rows.examples[i].group for i in at}


def test_the_published_folds_cut_dialogues():
    cut = uss.folds("A0", ROWS)
    assert [len(fold["validation"]) for fold in cut] == [0] * 10
    assert any(groups_of(ROWS, fold["train"]) & groups_of(ROWS, fold["test"]) for fold in cut)
    assert np.concatenate([fold["test"] for fold in cut]).tolist() == list(
        range(len(ROWS.examples))
    )


@pytest.mark.parametrize("seed", range(3))
def test_no_dialogue_is_on_two_sides_of_a_corrected_fold(seed):
    cut = uss.folds("A1", ROWS, seed)
    assert sorted(np.concatenate([fold["test"] for fold in cut])) == list(range(len(ROWS.examples)))
    for fold in cut:
        train, validation, test = (
            groups_of(ROWS, fold[part]) for part in ("train", "validation", "test")
        )
        assert validation and not train & test and not validation & test and not train & validation
        assert sum(map(len, fold.values())) == len(ROWS.examples)


def test_the_split_as_ids_is_the_split():
    cut = uss.folds("A1", ROWS)
    ids = uss.split_ids(ROWS, cut)
    assert ids["fold 2 test"] == [ROWS.examples[i].id for i in cut[2]["test"]] and len(ids) == 10


# Models under the protocols


def test_a_row_is_judged_by_the_model_that_did_not_see_it():
    """A classifier that remembers its training rows would know everything if it were not so."""
    for name in uss.FOLDS:
        p, classes, _ = uss.pooled("prior", name, ROWS, uss.folds(name, ROWS), Settings())
        assert p.shape == (1, len(ROWS.examples), 5) and np.allclose(p.sum(axis=2), 1)
        assert classes.shape == (1, len(ROWS.examples)) and set(classes.ravel()) <= {2.0, 3.0, 4.0}
        for fold in uss.folds(name, ROWS):
            train = uss_faults.upsample(fold["train"], ROWS.stars, 11 if name == "A0" else 1)
            share = np.bincount(ROWS.stars[train].astype(int), minlength=6)[1:] / len(train)
            assert np.allclose(p[0, fold["test"]], share)


def test_the_epoch_is_the_one_that_validates_best(monkeypatch):
    epochs = np.full((3, len(ROWS.stars), 5), 0.05)
    right = ROWS.stars.astype(int) - 1
    for e, sure in enumerate((0.3, 0.8, 0.4)):
        epochs[e, np.arange(len(right)), right] = sure
    monkeypatch.setattr(
        uss,
        "learn",
        lambda m, rows, fold, s, c: list(
            epochs[:, np.concatenate([fold["validation"], fold["test"]])]
        ),
    )
    p, classes, chosen = uss.pooled("gru", "A1", ROWS, uss.folds("A1", ROWS), Settings())
    assert chosen == [{"epoch": 1, "power": 0.0}] * 5 and np.allclose(p[0], epochs[1])
    assert (classes[0] == ROWS.stars).all()
    every, classes, none = uss.pooled("gru", "A0", ROWS, uss.folds("A0", ROWS), Settings())
    assert none == [] and np.allclose(every, epochs) and (classes == every.argmax(axis=2) + 1).all()


def test_the_power_is_the_one_that_validates_best():
    """The prior of 3 hides what a model knows: divided by the shares, its probabilities name the
    rare classes."""
    p, share = (
        np.array([[0.0, 0.2, 0.7, 0.1, 0.0], [0.0, 0.05, 0.9, 0.05, 0.0]]),
        np.array([0, 0.05, 0.9, 0.05, 0]),
    )
    assert uss.decide(p, share, 0.0).tolist() == [3, 3] and uss.decide(p, share, 1.0)[0] == 2
    assert uss.decide(np.stack([p, p]), share, 1.0).shape == (2, 2)
    _, classes, chosen = uss.pooled("tfidf-logistic", "A1", ROWS, uss.folds("A1", ROWS), Settings())
    for fold, choice in zip(uss.folds("A1", ROWS), chosen, strict=True):
        epochs = uss.learn("tfidf-logistic", ROWS, fold, Settings())
        n, truth = len(fold["validation"]), ROWS.stars[fold["validation"]]
        share = np.bincount(ROWS.stars[fold["train"]].astype(int), minlength=6)[1:] / len(
            fold["train"]
        )
        scored = [metrics.uar(truth, uss.decide(epochs[0][:n], share, x)) for x in uss.POWERS]
        assert choice == {"epoch": 0, "power": uss.POWERS[int(np.argmax(scored))]}
        assert (classes[0, fold["test"]] == uss.decide(epochs[0][n:], share, choice["power"])).all()


def test_log_loss_is_that_of_scikit_learn():
    p = np.random.default_rng(0).dirichlet(np.ones(5), len(ROWS.stars))
    assert math.isclose(
        uss.log_loss(p, ROWS.stars), sklearn.log_loss(ROWS.stars, p, labels=[1, 2, 3, 4, 5])
    )


def test_copies_are_made_as_published_only(monkeypatch):
    made = []
    monkeypatch.setattr(
        uss,
        "learn",
        lambda m, rows, fold, s, copies: (
            made.append(copies) or [np.full((len(fold["validation"]) + len(fold["test"]), 5), 0.2)]
        ),
    )
    for name in uss.FOLDS:
        uss.pooled("gru", name, ROWS, uss.folds(name, ROWS), Settings())
    assert made == [11] * 10 + [1] * 5


# Records


def test_a_published_record_has_the_best_epoch_of_each_metric():
    job, classes = (
        JOB | {"profile": "A0"},
        np.random.default_rng(0).integers(1, 6, (4, len(ROWS.stars))).astype(float),
    )
    last = judging.Judged(ROWS.examples, ROWS.stars, classes[-1], classes[-1])
    made = judging.record(job, {"test": last}, [], {})
    uss.add_published_rows(made, ROWS.stars, classes)
    assert [row["metric"] for row in made.rows] == list(uss.PUBLISHED_METRICS)
    for row in made.rows:
        seen = [curve[row["metric"]] for curve in made.curves]
        assert row["value"] == pytest.approx(max(seen), abs=1e-6) and row["low"] is None
        assert made.parameters["best_epochs"][row["metric"]] == seen.index(max(seen))
    assert made.predictions["test"]["predicted"] == classes[-1].tolist()


def test_a_run_is_read_the_second_time(tmp_path, monkeypatch):
    loaded = type("Loaded", (), {"sha256": "d"})
    monkeypatch.setattr(uss, "load", lambda dataset, overall, data_dir: (loaded, ROWS))
    first = {
        name: uss.run("uss-ccpe", name, "naive-bayes", Settings(), tmp_path)
        for name in ("A0", "A1")
    }
    monkeypatch.setattr(uss, "learn", lambda *_: 1 / 0)
    for name, one in first.items():
        assert uss.run("uss-ccpe", name, "naive-bayes", Settings(), tmp_path) == one
        split = record_cache.load_split(f"split-uss-ccpe-{name}", tmp_path)
        assert split == uss.split_ids(ROWS, uss.folds(name, ROWS))
        assert not list(tmp_path.glob("unfinished/*"))
    with pytest.raises(ZeroDivisionError):
        uss.run("uss-ccpe", "A1", "naive-bayes", Settings(words=7), tmp_path)
    with pytest.raises(ValueError, match="unknown protocol 'B'; choose one of A0, A1"):
        uss.run("uss-ccpe", "B", "prior", Settings(), tmp_path)


# The real corpora

# Rows, OVERALL, empty inputs, ties with and without OVERALL, share of the class 3, dialogues cut.
COUNTS = {
    "uss-redial": (11806, 1000, 375, 741, 661, 0.8126, 8),
    "uss-ccpe": (6860, 500, 10, 386, 354, 0.8816, 8),
    "uss-sgd": (13833, 1000, 1000, 775, 695, 0.8306, 9),
}


@pytest.mark.parametrize("name, rho", zip(protocols.USS, (0.398, 0.706, 0.439), strict=True))
def test_the_real_rows_are_those_that_were_published(real_data, name, rho):
    _, rows = uss.load(name, True, real_data)
    turn = np.array([example.target is not None for example in rows.examples])
    tied = labels.tied([example.ratings for example in rows.examples])
    group = [example.group for example in rows.examples]
    cut = sum(
        group[block[0]] == group[block[0] - 1] for block in uss_faults.row_blocks(len(turn))[1:]
    )
    n, whole, empty, ties, ties_of_turns, three, cuts = COUNTS[name]
    assert (len(turn), (~turn).sum(), sum(not text for text in rows.texts)) == (n, whole, empty)
    assert (tied.sum(), tied[turn].sum(), cut) == (ties, ties_of_turns, cuts)
    assert round((rows.stars == 3).mean(), 4) == three
    constant = np.full(n, 3.0)
    assert (
        uss_faults.rho(rows.stars, constant) == pytest.approx(rho, abs=5e-4)
        and uss_faults.f1(rows.stars, constant) == 0
    )
    assert metrics.kappa(rows.stars, constant) == pytest.approx(0, abs=1e-12)
    assert metrics.uar(rows.stars, constant) == 0.2
    assert len(uss.load(name, False, real_data)[1].texts) == n - whole


def test_the_committed_splits_are_those_of_the_real_rows(real_data, root):
    folder = root / "data" / "runs" / protocols.STUDY
    for corpus in protocols.USS:
        for name in uss.FOLDS:
            _, rows = uss.load(corpus, name == "A0", real_data)
            split = record_cache.load_split(f"split-{corpus}-{name}", folder)
            assert split == uss.split_ids(rows, uss.folds(name, rows))


def test_the_committed_records_can_be_judged_again(root):
    folder = root / "data" / "runs" / protocols.STUDY
    for corpus in protocols.USS:
        for name in uss.FOLDS:
            for one in record_cache.found(folder, corpus, name):
                columns, rows = (
                    one.predictions["test"],
                    {row["metric"]: row["value"] for row in one.rows},
                )
                kappa = metrics.kappa(columns["rating"], columns["predicted"])
                assert (
                    name == "A0"
                    and kappa <= rows["kappa"] + 1e-6
                    or kappa == pytest.approx(rows["kappa"], abs=1e-6)
                )
