"""Baselines against plain scikit-learn and brute force, what they may look at, and what they
refuse."""

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB

from satlib.baselines import behaviour, fitting, inputs, ridges
from satlib.baselines.event_steps import TOKEN
from satlib.data import corpora, splits
from satlib.data.corpora import Loaded
from satlib.data.interactions import Event, Example
from satlib.encoding import sequences
from satlib.evaluation import metrics

GOOD, BAD, SO = (
    "wonderful superb lovely".split(),
    "awful poor dull".split(),
    "lamp shoes novel film radio".split(),
)
TIMELESS = [name for name in fitting.NAMES if name != "trees"]
JUDGED = ("validation", "test")


def rated(texts, ratings, users=None, items=None, scale=(1.0, 5.0)):
    """A corpus of one rated thing a row: who, what, and a text that speaks of it."""
    rows = []
    for i, (text, rating) in enumerate(zip(texts, ratings, strict=True)):
        user, item = users[i] if users else f"u{i % 7}", items[i] if items else SO[i % 5]
        target = Event("user", "rate", item, comment=text, time=1e9 + 60.0 * i)
        rows.append(Example(f"r{i:04d}", user, "own", (), (rating,), target))
    return Loaded("toy", rows, "0" * 64, scale, [], "rows")


def corpus(n, seed, step=0.0):
    """Texts whose rating is 3 plus half a star per good word minus half per bad one, with a little
    noise."""
    rng = np.random.default_rng(seed)
    texts, ratings = [], []
    for _ in range(n):
        words = rng.choice(GOOD + BAD + SO, 5)
        texts.append(" ".join(words))
        score = sum(w in GOOD for w in words) - sum(w in BAD for w in words)
        rating = float(np.clip(3 + score / 2 + rng.normal(0, 0.1), 1, 5))
        ratings.append(round(rating / step) * step if step else rating)
    return rated(texts, ratings)


def in_parts(loaded, train=0.6, validation=0.8):
    first, second = (int(len(loaded.examples) * share) for share in (train, validation))
    return {
        "train": loaded.examples[:first],
        "validation": loaded.examples[first:second],
        "test": loaded.examples[second:],
    }


def ratings(examples):
    return np.array([e.rating for e in examples])


LOADED = corpus(320, 0)
PARTS = in_parts(LOADED)
WHOLE = corpus(320, 1, step=1.0)


def error(fitted, parts=PARTS):
    return metrics.rmse(ratings(parts["test"]), fitted.predictions["test"])


def texts_of(parts):
    return {part: sequences.texts(examples) for part, examples in parts.items()}


# The learners


def test_mean_and_majority():
    loaded = rated(list("abcdefg") + ["x", "y"], [1, 1, 4, 5, 5, 5, 4.6, 3, 3])
    parts = {"train": loaded.examples[:7], "test": loaded.examples[7:]}
    mean, majority = (fitting.fit_predict(name, loaded, parts) for name in ("mean", "majority"))
    assert mean.predictions["test"] == pytest.approx([ratings(parts["train"]).mean()] * 2)
    assert majority.predictions["test"].tolist() == [5, 5] and majority.distribution is None
    parts["train"] = [parts["train"][0], parts["train"][2]]
    assert fitting.fit_predict("majority", loaded, parts).predictions["test"].tolist() == [
        1,
        1,
    ]  # a tie goes lower


def biases_by_brute_force(train, asked, damping):
    average = sum(e.rating for e in train) / len(train)

    def of_item(item):
        found = [e.rating - average for e in train if e.target.text == item]
        return sum(found) / (len(found) + damping)

    def of_user(user):
        found = [e.rating - average - of_item(e.target.text) for e in train if e.group == user]
        return sum(found) / (len(found) + damping)

    return [average + of_item(e.target.text) + of_user(e.group) for e in asked]


def planted(n=400, seed=0, users=12, items=9):
    rng = np.random.default_rng(seed)
    user, item = rng.integers(users, size=n), rng.integers(items, size=n)
    level, fame = rng.normal(0, 0.8, users), rng.normal(0, 0.8, items)
    stars = np.clip(3 + level[user] + fame[item] + rng.normal(0, 0.2, n), 1, 5)
    return rated(["it"] * n, stars.tolist(), [f"u{u}" for u in user], [f"i{i}" for i in item])


def test_biases_equal_brute_force_and_find_what_was_planted():
    loaded = planted()
    parts = in_parts(loaded)
    fitted = fitting.fit_predict("biases", loaded, parts)
    for part in JUDGED:
        expected = biases_by_brute_force(parts["train"], parts[part], fitted.settings["damping"])
        assert np.allclose(fitted.predictions[part], np.clip(expected, 1, 5))
    tried = {
        s["damping"]: metrics.rmse(
            ratings(parts["validation"]),
            np.clip(biases_by_brute_force(parts["train"], parts["validation"], s["damping"]), 1, 5),
        )
        for s in fitting.BASELINES["biases"].tried
    }
    assert fitted.settings["damping"] == min(tried, key=tried.get)
    assert error(fitted, parts) < 0.5 * error(fitting.fit_predict("mean", loaded, parts), parts)


def test_a_user_and_an_item_that_are_new_have_no_bias():
    loaded = planted()
    stranger = rated(
        ["it"] * 3, [5.0] * 3, ["nobody", "nobody", "u1"], ["i1", "never seen", "never seen"]
    )
    stranger = [replace(e, id=f"new {e.id}") for e in stranger.examples]
    found = fitting.fit_predict(
        "biases", loaded, {"train": loaded.examples, "test": stranger}
    ).predictions["test"]
    assert np.allclose(found, biases_by_brute_force(loaded.examples, stranger, 5.0))
    assert found[1] == pytest.approx(ratings(loaded.examples).mean())


def test_items_judged_together_share_their_mean_bias():
    rows = inputs.Pairs(np.array([1, 1, 2, 0]), np.array([[1, 2], [1, 0], [2, 0], [2, 1]]))
    ((_, predict),) = fitting.biases(rows, np.array([4.0, 5.0, 2.0, 1.0]), damping=0.0)
    first, second = (
        (1 + 2 - 2) / 3,
        (1 - 1 - 2) / 3,
    )  # of the two items: mean of the residuals from 3
    own = ((1 - (first + second) / 2) + (2 - first)) / 2
    assert predict(rows)[:2] == pytest.approx([3 + (first + second) / 2 + own, 3 + first + own])
    assert predict(rows)[3] == pytest.approx(3 + (first + second) / 2)


def plain_ridge(alpha, train, train_ratings, texts):
    """Ridge by scikit-learn's dense Cholesky solver on the same TF-IDF."""
    vectoriser = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=TOKEN
    )
    rows = vectoriser.fit_transform(train).toarray()
    return (
        Ridge(alpha=alpha, solver="cholesky")
        .fit(rows, train_ratings)
        .predict(vectoriser.transform(texts).toarray())
    )


def test_ridge_equals_another_solver_and_chooses_its_penalty_on_validation():
    texts, train = texts_of(PARTS), ratings(PARTS["train"])
    found = {
        a: {
            part: np.clip(plain_ridge(a, texts["train"], train, texts[part]), 1, 5)
            for part in JUDGED
        }
        for a in fitting.ALPHAS
    }
    errors = {a: metrics.rmse(ratings(PARTS["validation"]), found[a]["validation"]) for a in found}
    best = min(errors, key=errors.get)
    fitted = fitting.fit_predict("tfidf-ridge", LOADED, PARTS)
    assert fitted.settings == {"alpha": best} and best not in (fitting.ALPHAS[-1], ridges.ALPHA)
    for part in JUDGED:
        assert np.allclose(fitted.predictions[part], found[best][part], atol=1e-3)
    fixed = fitting.fit_predict(
        "tfidf-ridge", LOADED, {part: PARTS[part] for part in ("train", "test")}
    )
    assert fixed.settings == {} and list(fixed.predictions) == ["test"]
    assert np.allclose(fixed.predictions["test"], found[ridges.ALPHA]["test"], atol=1e-3)


def test_characters_read_what_words_cannot():
    """Every word occurs once, so words have no column in common; their beginnings have."""
    rng = np.random.default_rng(0)
    stems = {"wunder": 5.0, "abscheu": 1.0}
    texts, stars = [], []
    for i in range(60):
        stem = list(stems)[i % 2]
        texts.append(stem + "".join(rng.choice(list("aeiou"), 9)))
        stars.append(stems[stem])
    loaded = rated(texts, stars, items=["it"] * 60)
    parts = in_parts(loaded)
    mean = error(fitting.fit_predict("mean", loaded, parts), parts)
    assert error(fitting.fit_predict("tfidf-ridge", loaded, parts), parts) > 0.99 * mean
    assert error(fitting.fit_predict("chars-ridge", loaded, parts), parts) < 0.2 * mean


def test_what_is_read_is_chosen_on_validation_rows():
    """The last event decides, and long talk stands before it: its share is high."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(160):
        talk = tuple(Event("user", "say", " ".join(rng.choice(GOOD + BAD + SO, 8))) for _ in "four")
        rating = 1.0 + 4 * (i % 2)
        last = Event("user", "say", (BAD, GOOD)[i % 2][i % 3])
        rows.append(Example(f"r{i:04d}", f"g{i}", "own", (*talk, last), (rating,)))
    loaded = Loaded("toy", rows, "0" * 64, (1.0, 5.0), [])
    fitted = fitting.fit_predict("chars-ridge", loaded, in_parts(loaded))
    assert fitted.settings["last"] > 0.5 and error(fitted, in_parts(loaded)) < 0.5


# The edge of what was tried


def test_a_best_value_at_the_end_of_its_grid_is_marked_and_an_inner_one_is_not():
    """More signal wants less penalty: with enough of it, the smallest tried is the best one."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 3))
    weights = np.array([1.0, -1.0, 0.5])
    clean = np.clip(3 + rows @ weights, -99, 99)
    wide = fitting.Baseline(("nothing",), ridges.ridge, fitting._grid(alpha=(1e3, 1.0, 1e-3)))
    noisy = clean + rng.normal(0, 3.0, 60)
    for stars, edge in ((clean, ("alpha",)), (noisy, ())):
        truth = {"train": stars[:30], "validation": stars[30:]}
        parts = {"train": rows[:30], "validation": rows[30:], "test": rows[:2]}
        found = fitting._best(wide, parts, truth, (-99, 99), 0)
        errors = {}
        for settings in wide.tried:
            model = Ridge(**settings).fit(rows[:30], stars[:30])
            errors[settings["alpha"]] = metrics.rmse(stars[30:], model.predict(rows[30:]))
        assert found.settings["alpha"] == min(errors, key=errors.get)
        assert found.edge == edge
        alone = fitting._best(
            fitting.Baseline(("nothing",), ridges.ridge), parts, truth, (-99, 99), 0
        )
        assert alone.edge == ()  # nothing else was tried


def test_each_setting_is_marked_by_itself():
    tried = [{"a": a, "b": b} for a in (1, 2, 3) for b in (10, 20)]
    assert fitting.at_edge({"a": 2, "b": 20}, tried) == ("b",)
    assert fitting.at_edge({"a": 1, "b": 10}, tried) == ("a", "b")
    assert fitting.at_edge({"a": 1}, [{"a": 1}]) == () and fitting.at_edge({}, [{}]) == ()
    for value, edge in ((0.0, ()), (0.9, ("last",)), (0.5, ())):
        assert fitting.at_edge({"last": value}, [{"last": v} for v in (0.0, 0.5, 0.9)]) == edge


def test_the_epochs_of_a_network_have_an_edge_too():
    fitted = fitting.fit_predict("gru", LOADED, PARTS)
    assert ("epochs" in fitted.edge) == (fitted.settings["epochs"] in (1, 5))


def test_strongest_penalty_wins_a_tie():
    loaded = rated(["a b", "a c", "b c", "a", "b"], [3, 3, 3, 2, 4])
    parts = {"train": loaded.examples[:3], "validation": loaded.examples[3:], "test": []}
    fitted = fitting.fit_predict("tfidf-ridge", loaded, parts)
    assert fitted.settings == {"alpha": max(fitting.ALPHAS)} and fitted.edge == ("alpha",)
    assert list(fitted.predictions) == ["validation"]


def test_classifiers_equal_plain_scikit_learn():
    parts = in_parts(WHOLE)
    texts, classes = texts_of(parts), metrics.classes(ratings(parts["train"]))
    tfidf = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=TOKEN)
    count = CountVectorizer(min_df=2, token_pattern=TOKEN)
    logistic = partial(LogisticRegression, tol=1e-6, max_iter=5000)
    for name, vectoriser, kind in (
        ("tfidf-logistic", tfidf, logistic),
        ("naive-bayes", count, MultinomialNB),
    ):
        fitted = fitting.fit_predict(name, WHOLE, parts)
        model = kind(**fitted.settings).fit(vectoriser.fit_transform(texts["train"]), classes)
        for part in JUDGED:
            expected = np.zeros((len(parts[part]), 5))
            expected[:, model.classes_ - 1] = model.predict_proba(vectoriser.transform(texts[part]))
            assert np.allclose(fitted.distribution[part], expected, atol=5e-3), name
            assert np.allclose(
                fitted.predictions[part], fitted.distribution[part] @ np.arange(1, 6)
            ), name


def test_a_class_stands_for_the_mean_of_its_ratings():
    rows, stars = np.eye(2)[[0, 0, 0, 1]], np.array([3.5, 4.0, 3.5, 1.0])
    predicted, chances = fitting.fit_classifier(MultinomialNB(), rows, stars)(rows[:1])
    assert predicted == pytest.approx(chances[:, 3] * 11 / 3 + chances[:, 0] * 1.0)
    only, certain = fitting.fit_classifier(LogisticRegression(), rows[:3], stars[:3])(rows)
    assert only == pytest.approx([11 / 3] * 4) and certain.tolist() == [[0, 0, 0, 1, 0]] * 4


def test_trees_equal_plain_scikit_learn_on_behaviour_features():
    loaded = planted()
    parts = in_parts(loaded)
    fitted = fitting.fit_predict("trees", loaded, parts)
    rows = behaviour.by_part(loaded.examples, parts, loaded.scale)
    model = HistGradientBoostingRegressor(
        learning_rate=0.05, early_stopping=False, random_state=0, **fitted.settings
    )
    expected = np.clip(
        model.fit(rows["train"], ratings(parts["train"])).predict(rows["test"]), 1, 5
    )
    assert np.allclose(fitted.predictions["test"], expected)
    assert error(fitted, parts) < 0.8 * error(fitting.fit_predict("mean", loaded, parts), parts)


@pytest.mark.parametrize("name", ["naive-bayes", "tfidf-logistic", "tfidf-ridge", "gru"])
def test_whoever_reads_learns_what_the_mean_cannot(name):
    fitted = fitting.fit_predict(name, LOADED, PARTS)
    assert error(fitted) < 0.8 * error(fitting.fit_predict("mean", LOADED, PARTS))


# Every baseline on any corpus


@pytest.fixture(scope="module")
def shop():
    loaded = corpora.load("satsim", limit=120)
    return loaded, splits.subset(splits.split_corpus(loaded), 40, 12, 12)


@pytest.fixture(scope="module")
def fitted_once(shop):
    views = inputs.Views(*shop)
    return {name: fitting.fit_on(views, name) for name in fitting.NAMES}


def test_every_name_gives_ratings_on_the_scale(shop, fitted_once):
    loaded, parts = shop
    assert fitting.possible(loaded) == list(fitting.NAMES)
    for name, fitted in fitted_once.items():
        assert list(fitted.predictions) == list(JUDGED), name
        for part, predicted in fitted.predictions.items():
            assert (
                predicted.shape == (len(parts[part]),)
                and ((predicted >= 1) & (predicted <= 5)).all()
            ), name
        assert (fitted.distribution is not None) == (name in ("naive-bayes", "tfidf-logistic"))
        assert 0 < fitted.seconds < 600 and set(fitted.edge) <= set(fitted.settings), name
        for chances in (fitted.distribution or {}).values():
            assert chances.shape[1] == 5 and np.allclose(chances.sum(axis=1), 1)


def test_neither_the_order_of_the_rows_nor_a_test_rating_changes_a_prediction(shop, fitted_once):
    loaded, parts = shop
    turned = {part: examples[::-1] for part, examples in parts.items()}
    turned["test"] = [replace(e, ratings=(6.0 - e.rating,)) for e in turned["test"]]
    for name, fitted in fitted_once.items():
        again = fitting.fit_predict(
            name, loaded, turned
        )  # trees read past ratings in loaded, which did not change
        assert again.settings == fitted.settings
        for part in JUDGED:
            assert np.array_equal(again.predictions[part][::-1], fitted.predictions[part]), name


def test_no_test_rating_changes_the_trees_on_that_row(shop, fitted_once):
    loaded, parts = shop
    last = max(parts["test"], key=splits.moment)
    others = [
        replace(e, ratings=(6.0 - e.rating,)) if e.id == last.id else e for e in loaded.examples
    ]
    again = fitting.fit_predict("trees", replace(loaded, examples=others), parts)
    earlier = [splits.moment(e) <= splits.moment(last) for e in parts["test"]]
    assert np.array_equal(
        again.predictions["test"][earlier], fitted_once["trees"].predictions["test"][earlier]
    )


def test_the_seed_decides():
    for name, loaded in (("matrix-factorisation", planted()), ("gru", LOADED)):
        first, again, other = (
            fitting.fit_predict(name, loaded, in_parts(loaded), seed) for seed in (0, 0, 1)
        )
        assert np.array_equal(first.predictions["test"], again.predictions["test"])
        assert not np.array_equal(first.predictions["test"], other.predictions["test"])


@pytest.mark.parametrize("timed", [True, False])
def test_a_table_of_ones_own(tmp_path, timed):
    rows = ["user,film,what,stars,day"]
    for u, f in itertools.product(range(12), range(6)):
        what, stars = (GOOD[f % 3], 5) if (u + f) % 2 else (BAD[f % 3], 1)
        rows.append(f"u{u},film {(u * f) % 5},{what},{stars},2024-01-{f + 1:02d}")
    if not timed:
        rows = [row.rpartition(",")[0] for row in rows]
    (tmp_path / "own.csv").write_text("\n".join(rows) + "\n")
    columns = {"group": "user", "item": "film", "text": "what", "rating": "stars"} | (
        {"time": "day"} if timed else {}
    )
    loaded = corpora.load("csv", tmp_path, columns=columns)
    parts = splits.split_corpus(loaded)
    assert fitting.possible(loaded) == (list(fitting.NAMES) if timed else TIMELESS)
    for name in fitting.possible(loaded):
        assert len(fitting.fit_predict(name, loaded, parts).predictions["test"]) == len(
            parts["test"]
        )


def test_half_stars_and_every_part_of_the_scale():
    stars = [0.5, 5.0, 2.5, 4.5, 0.5, 1.0] * 8
    loaded = rated([f"{'up' if s > 3 else 'down'} {s}" for s in stars], stars, scale=(0.5, 5.0))
    parts = in_parts(loaded)
    for name in fitting.NAMES:
        found = fitting.fit_predict(name, loaded, parts).predictions["test"]
        assert ((found >= 0.5) & (found <= 5)).all(), name
    narrow = fitting.fit_predict(
        "tfidf-ridge", replace(loaded, scale=(2.0, 3.0)), parts
    ).predictions["test"]
    assert narrow.min() == 2.0 and narrow.max() == 3.0


@pytest.mark.parametrize("name", fitting.NAMES)
def test_one_training_row_is_enough(name):
    parts = {
        "train": LOADED.examples[:1],
        "validation": LOADED.examples[1:2],
        "test": LOADED.examples[2:4],
    }
    assert np.isfinite(fitting.fit_predict(name, LOADED, parts).predictions["test"]).all()


@pytest.mark.parametrize(
    "name, parts, said",
    [
        ("median", PARTS, "unknown baseline 'median'; choose one of mean, majority, biases, "),
        (
            "mean",
            {"train": [], "test": PARTS["test"]},
            "the part train has no rows; give at least one",
        ),
    ],
)
def test_refuses(name, parts, said):
    with pytest.raises(ValueError, match=said):
        fitting.fit_predict(name, LOADED, parts)


def test_behaviour_without_times_is_refused():
    rows = [replace(e, target=replace(e.target, time=None)) for e in LOADED.examples]
    loaded = replace(LOADED, examples=rows)
    with pytest.raises(ValueError, match="toy has no times, .*; leave this baseline out"):
        fitting.fit_predict("trees", loaded, in_parts(loaded))
