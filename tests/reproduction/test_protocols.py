"""Protocol A: faults restated from their formulas, metrics from scikit-learn and scipy, splits by
dialogue, records."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn

from satlib import record_cache, records
from satlib.data import labels
from satlib.data.interactions import Event, Example
from satlib.evaluation import bootstrap, judging, metrics
from satlib.reproduction import protocols, published, uss, uss_ablations, uss_faults
from satlib.reproduction.text_classifiers import Settings

CORPORA = ("uss-redial", "uss-ccpe", "uss-sgd")
stars = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=40)
pairs = stars.map(lambda rows: np.array(rows, dtype=float).T)


def dialogues(n=24, turns=5):
    """Examples as the view "before" gives them, OVERALL last; the annotators of a turn are three,
    sometimes tied."""
    rng = np.random.default_rng(0)
    for d in range(n):
        said = []
        for t in range(turns):
            mood = int(rng.choice([2, 3, 3, 3, 4]))
            given = (mood, mood, 3) if (d + t) % 3 else (2, 3, 4)
            whole = t == turns - 1
            yield Example(
                f"d{d:02d}-{t}",
                f"d{d:02d}",
                "films",
                tuple(said),
                tuple(map(float, given)),
                None if whole else Event("user", "say", "[not yet spoken]"),
            )
            words = ("bad boring", "fine film", "lovely great")[mood - 2]
            said += [Event("user", "say", f"turn {t}"), Event("system", "say", words)]


ROWS = uss.turns(list(dialogues()))


# Faulty metrics, restated


def place_of_first(values):
    return [sorted(values).index(value) for value in values]


@settings(deadline=None)
@given(pairs)
def test_their_rho_is_the_formula_on_the_place_of_the_first(pair):
    rating, predicted = pair.tolist()
    squares = sum(
        (a - b) ** 2 for a, b in zip(place_of_first(rating), place_of_first(predicted), strict=True)
    )
    n = len(rating)
    assert math.isclose(uss_faults.rho(*pair), 1 - 6 * squares / (n * (n * n - 1)), abs_tol=1e-12)
    assert uss_faults.first_rank(rating).tolist() == stats.rankdata(rating, method="min").tolist()


@settings(deadline=None)
@given(st.permutations(range(9)))
def test_their_rho_is_right_where_no_values_are_equal(order):
    assert math.isclose(
        uss_faults.rho(range(9), order), stats.spearmanr(range(9), order)[0], abs_tol=1e-12
    )


@settings(deadline=None)
@given(pairs)
def test_their_f1_halves_what_is_below_one(pair):
    rating, predicted = pair.tolist()
    hit = sum(r < 3 and p < 3 for r, p in zip(rating, predicted, strict=True))
    precision, recall = (hit / max(sum(x < 3 for x in of), 1) for of in (predicted, rating))
    assert math.isclose(
        uss_faults.f1(*pair), 2 * precision * recall / max(precision + recall, 1), abs_tol=1e-12
    )
    true = sklearn.f1_score(pair[0] < 3, pair[1] < 3, zero_division=0)
    assert math.isclose(uss_faults.f1(*pair), true * min(precision + recall, 1), abs_tol=1e-12)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(1, 5), min_size=6, max_size=6), min_size=1, max_size=8))
def test_the_best_epoch_is_the_best_for_each_metric(epochs):
    rating = [1, 2, 3, 3, 4, 5]
    found = uss_faults.best_epochs(rating, epochs, uss.PUBLISHED_METRICS)
    for name, metric in uss.PUBLISHED_METRICS.items():
        values = [metric(rating, one) for one in epochs]
        assert found[name] == (max(values), values.index(max(values)))


def test_an_undefined_value_never_wins():
    found = uss_faults.best_epochs([3, 3], [[3, 3], [3, 4]], {"kappa": metrics.kappa})
    assert found["kappa"] == (0.0, 1)


# Correct metrics, against the libraries


@settings(deadline=None)
@given(pairs)
def test_the_metrics_are_those_of_the_libraries(pair):
    rating, predicted = pair
    five = [1, 2, 3, 4, 5]
    theirs = {
        "accuracy": sklearn.accuracy_score(rating, predicted),
        "uar": sklearn.recall_score(rating, predicted, labels=np.unique(rating), average="macro"),
        "macro_f1": sklearn.f1_score(rating, predicted, average="macro"),
    }
    if len(np.unique(pair)) > 1:
        theirs["kappa"] = sklearn.cohen_kappa_score(rating, predicted, labels=five)
        theirs["qwk"] = sklearn.cohen_kappa_score(
            rating, predicted, labels=five, weights="quadratic"
        )
    if min(len(np.unique(rating)), len(np.unique(predicted))) > 1:
        theirs["spearman"] = stats.spearmanr(rating, predicted)[0]
    if (pair < 3).any():
        theirs["f1_dissatisfied"] = sklearn.f1_score(rating < 3, predicted < 3, zero_division=0)
    for name, value in theirs.items():
        assert math.isclose(metrics.ALL_METRICS[name](rating, predicted), value, abs_tol=1e-9), name


def test_what_is_not_defined_is_nan():
    assert math.isnan(metrics.f1_dissatisfied([3, 4], [5, 3])) and math.isnan(
        metrics.kappa([3, 3], [3, 3])
    )
    assert math.isnan(metrics.spearman([1, 2, 3], [3, 3, 3]))


# Rows, splits, copies


def test_the_input_ends_before_the_user_speaks():
    assert ROWS.texts[0] == "" and ROWS.texts[1].startswith("user: turn 0 system: ")
    assert uss.text(ROWS.examples[2]).endswith(ROWS.examples[2].events[-1].text)
    assert ROWS.stars[0] == 2 and ROWS.means[0] == 3  # (2, 3, 4): the tie goes to the lowest


def test_row_blocks_are_contiguous_and_the_last_takes_the_rest():
    blocks = uss_faults.row_blocks(23, 10)
    assert [len(block) for block in blocks] == [2] * 9 + [5] and np.concatenate(
        blocks
    ).tolist() == list(range(23))


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


def test_copies_are_made_of_what_is_not_rated_three():
    star = np.array([3, 2, 3, 5])
    assert uss_faults.upsample([3, 0, 1], star, 3).tolist() == [3, 3, 3, 0, 1, 1, 1]
    assert uss_faults.upsample([3, 0, 1], star, 1).tolist() == [3, 0, 1]
    assert (uss_faults.upsample(range(4), star) == 1).sum() == uss_faults.COPIES == 11


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


def test_scores_are_values_with_intervals_by_dialogue():
    one = judged()
    found = judging.scores(one, ("kappa", "spearman", "accuracy"), draws=200)
    assert found["kappa"][0] == metrics.kappa(one.rating, one.predicted)
    assert found["spearman"][0] == metrics.spearman(
        one.rating, one.expected
    )  # of the expected rating
    group = [e.group for e in one.examples]
    for name in ("kappa", "accuracy"):
        bounds = bootstrap.bootstrap(
            metrics.ALL_METRICS[name], one.rating, one.predicted, group, 200
        )
        assert found[name][1:] == pytest.approx(bounds)
    assert judging.scores(one, [], draws=2) == {}


def judged(seed=0):
    p = np.random.default_rng(seed).dirichlet(np.ones(5), len(ROWS.stars))
    return judging.from_probabilities(ROWS.examples, ROWS.stars, p, keep=True)


def test_from_probabilities_takes_the_lowest_of_equals_and_the_expectation():
    one = judging.from_probabilities(ROWS.examples[:1], [3], np.array([[0.4, 0.1, 0.1, 0.4, 0]]))
    assert (
        one.predicted.tolist() == [1]
        and one.expected[0] == pytest.approx(2.5)
        and one.distribution is None
    )


JOB = {
    "model": "m",
    "dataset": "toy",
    "profile": "A1",
    "seed": 2,
    "data_sha256": "d",
    "split_sha256": "s",
}


def test_a_record_can_be_judged_again(tmp_path):
    path = records.save(
        judging.record(JOB, {"test": judged()}, ("uar", "kappa"), {"epochs": 2}), tmp_path
    )
    made = records.load(path)
    columns = made.predictions["test"]
    assert made.parameters == {"epochs": 2}
    assert made.rows[1]["metric"] == "kappa" and made.rows[1]["seed"] == 2
    assert made.rows[1]["value"] == pytest.approx(
        metrics.kappa(columns["rating"], columns["predicted"]), abs=1e-6
    )
    assert {len(columns[name]) for name in ("id", "group", "expected", "distribution")} == {
        len(ROWS.stars)
    }


def test_a_row_has_none_for_what_is_not_defined():
    row = judging.row(JOB, "test", "kappa", (0.12345678, math.nan, math.nan), 9)
    assert (row["value"], row["low"], row["high"]) == (0.123457, None, None) and set(row) == set(
        records.ROW_KEYS
    )


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
    monkeypatch.setattr(uss, "load", lambda *_: (loaded, ROWS))
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


def test_settings_are_kept_without_the_seed():
    assert protocols.settings_of(Settings(epochs=7, seed=3))["epochs"] == 7
    assert "seed" not in protocols.settings_of(Settings())


def test_every_protocol_says_what_it_does_and_names_metrics_that_are_known():
    for name, one in protocols.PROTOCOLS.items():
        assert name == one.name and one.corpora and all(one.__dict__.values())
    known = metrics.ALL_METRICS | uss.PUBLISHED_METRICS
    assert all(name in known for p in ("A0", "A1", "B") for name in protocols.PROTOCOLS[p].metrics)


# One fault at a time


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


# Published numbers


def test_published_numbers_say_whence_they_are():
    for one in published.NUMBERS:
        assert one.known in published.KNOWN and one.source and one.model
        assert not math.isnan(one.value) or one.low <= one.high
        assert (one.known == "index") == (one.source == published.SOURCES["leaderboard"])
    keys = [
        (one.protocol, one.corpus, one.model, one.metric, one.setting) for one in published.NUMBERS
    ]
    assert len(set(keys)) == len(keys)
    assert {one.protocol for one in published.NUMBERS} - {"A-T5"} <= set(protocols.PROTOCOLS)


def test_the_published_table_of_a_corpus():
    table = published.table("A0", "uss-ccpe")
    assert table.loc["BERT [published]"].dropna().tolist() == [0.232, 0.147, 0.891, 0.245]
    assert (
        list(table.columns) == [*uss.PUBLISHED_METRICS, "accuracy"]
        and table.loc["always 3 [measured]", "kappa"] == 0
    )
    assert set(published.numbers("B", "usda-sgd")["known"]) == {"measured", "index"}
    assert len(published.numbers("D")) > len(published.numbers("D", "movielens")) > 0


@pytest.mark.parametrize("asked", [("Z",), ("A0", "movielens")])
def test_what_nobody_published_is_refused(asked):
    with pytest.raises(ValueError, match="unknown (protocol|corpus of protocol A0) "):
        published.numbers(*asked)


# The real corpora

COUNTS = {  # rows, OVERALL, empty inputs, ties with and without OVERALL, share of the class 3, dialogues cut
    "uss-redial": (11806, 1000, 375, 741, 661, 0.8126, 8),
    "uss-ccpe": (6860, 500, 10, 386, 354, 0.8816, 8),
    "uss-sgd": (13833, 1000, 1000, 775, 695, 0.8306, 9),
}


@pytest.mark.parametrize("name, rho", zip(CORPORA, (0.398, 0.706, 0.439), strict=True))
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
    for corpus in CORPORA:
        for name in uss.FOLDS:
            _, rows = uss.load(corpus, name == "A0", real_data)
            split = record_cache.load_split(f"split-{corpus}-{name}", folder)
            assert split == uss.split_ids(rows, uss.folds(name, rows))


def test_the_committed_records_can_be_judged_again(root):
    folder = root / "data" / "runs" / protocols.STUDY
    for corpus in CORPORA:
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
