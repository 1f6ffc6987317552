"""Who is updated while the test runs: biases that are, features that are not, and their records."""

from dataclasses import replace

import numpy as np
import pytest
from invented_ratings import example, many

from satlib import records
from satlib.baselines import behaviour, fitting
from satlib.data import corpora
from satlib.evaluation import metrics
from satlib.reproduction import rating_splits, rating_updates, ratings
from satlib.reproduction.regressors import Settings

SCALE = (0.5, 5.0)


def by_day(examples):
    """The examples in order of time, each on a day of its own."""
    rows = sorted(examples, key=lambda row: (row.target.time, row.id))
    dated = []
    for day, row in enumerate(rows):
        dated.append(replace(row, target=replace(row.target, time=float(day))))
    return dated


def turned(row):
    """The same row with another rating."""
    return replace(row, ratings=(5.5 - row.rating,))


# Biases that take each rating once it has passed


def test_online_biases_by_hand():
    rows = [
        example("ann", "x", 1, 4.0),
        example("bob", "x", 2, 2.0),
        example("ann", "y", 3, 5.0),
        example("ann", "x", 4, 1.0),
    ]
    found = rating_updates.online_biases(rows, damping=1.0, middle=2.75)
    # ann x: 4 is 1.25 above the middle. bob x: the mean is 4, x has 1.25 / (1 + 1).
    item = 1.25 / 2
    assert found[:2].tolist() == [2.75, 4 + item]
    # y is new; ann has 1.25 / 2. Then the mean is 11 / 3, and x has lost the 2 of bob's 2 stars.
    assert found[2] == pytest.approx(3 + 1.25 / 2)
    of_x = (1.25 - 2) / (2 + 1)
    of_ann = (1.25 + 2) / (2 + 1)
    assert found[3] == pytest.approx(11 / 3 + of_x + of_ann)


def test_online_biases_know_what_came_before_and_nothing_else():
    rows = by_day(many())
    before = rating_updates.online_biases(rows, 5.0, 2.75)
    middle = len(rows) // 2
    other = [*rows[:middle], turned(rows[middle]), *rows[middle + 1 :]]
    after = rating_updates.online_biases(other, 5.0, 2.75)
    assert np.array_equal(before[: middle + 1], after[: middle + 1])
    assert (before[middle + 1 :] != after[middle + 1 :]).all(), "the mean of all moves each"
    shuffled = np.random.default_rng(0).permutation(len(rows))
    again = rating_updates.online_biases([rows[i] for i in shuffled], 5.0, 2.75)
    assert np.allclose(again, before[shuffled])


def test_the_damping_is_chosen_on_the_validation_rows():
    rows = by_day(many())
    parts = ratings.cut(rows, "global-time")
    predicted, chosen = rating_updates.fit_online(rows, parts, SCALE)
    errors = {}
    place = {row.id: number for number, row in enumerate(rows)}
    for settings in fitting.BASELINES["biases"].tried:
        online = rating_updates.online_biases(rows, settings["damping"], 2.75).clip(*SCALE)
        judged = [online[place[row.id]] for row in parts["validation"]]
        errors[settings["damping"]] = metrics.rmse([r.rating for r in parts["validation"]], judged)
    assert chosen["damping"] == min(errors, key=errors.get)
    error = metrics.rmse([r.rating for r in parts["validation"]], predicted["validation"])
    assert error == pytest.approx(min(errors.values()))


# Features that take no rating after the training cut


def test_static_features_never_see_a_rating_that_does_not_train():
    rows = by_day(many())
    parts = ratings.cut(rows, "user-time")
    features = rating_updates.static_features(parts, SCALE)
    for part in ("validation", "test"):
        other = parts | {part: [turned(row) for row in parts[part]]}
        for name, again in rating_updates.static_features(other, SCALE).items():
            assert np.array_equal(again, features[name])
    trained = [turned(parts["train"][0]), *parts["train"][1:]]
    again = rating_updates.static_features(parts | {"train": trained}, SCALE)
    assert (again["test"] != features["test"]).any()


def test_static_features_are_the_running_ones_as_long_as_training_rows_come():
    rows = by_day(many())
    parts = ratings.cut(rows, "global-time")
    features = rating_updates.static_features(parts, SCALE)
    assert np.array_equal(features["train"], behaviour.running(parts["train"], SCALE))
    # The first row after the cut knows the same in both ways; the later ones know less.
    running = behaviour.by_part(rows, parts, SCALE)
    assert np.array_equal(features["validation"][0], running["validation"][0])
    counts = behaviour.NAMES.index("user_count")
    assert (features["test"][:, counts] <= running["test"][:, counts]).all()
    assert (features["test"][:, counts] < running["test"][:, counts]).any()


# Features without the ratings of their own moment


def test_trees_by_moment_say_how_many_test_rows_were_in_company():
    rows = many()
    parts = ratings.cut(rows, "user-time")
    _, chosen = rating_updates.fit_by_moment(rows, parts, SCALE)
    ahead = {}
    for row in parts["test"]:
        same = [r for r in rows if (r.group, r.target.time) == (row.group, row.target.time)]
        ahead[row.id] = any(r.id < row.id for r in same)
    assert chosen["in_company"] == pytest.approx(np.mean(list(ahead.values())), abs=1e-4)
    # Where no moment is shared nothing is hidden.
    apart = by_day(rows)
    features = behaviour.running(apart, SCALE)
    assert np.array_equal(features, behaviour.running(apart, SCALE, by_moment=True))


def test_the_committed_trees_by_moment_are_hardly_worse(root):
    rated = ratings.read(root / "data" / "runs" / "reproduction")
    (by_moment,) = rated["movielens-user-time", "trees-by-moment"]
    (trees,) = rated["movielens-user-time", "trees"]
    assert by_moment.parameters["in_company"] == pytest.approx(0.107, abs=5e-4)
    assert ratings.summary([by_moment])[0] == pytest.approx(0.834, abs=1e-3)
    assert 0 < ratings.summary([by_moment])[0] - ratings.summary([trees])[0] < 0.005


# Records


@pytest.mark.parametrize("model", rating_updates.MODELS)
def test_a_record_is_made_and_named(model, films, tmp_path):
    made = rating_splits.run("user-time", model, Settings(), tmp_path, films)
    assert made.name == f"movielens-user-time-D-{model}-seed0.json"
    columns = made.predictions["test"]
    row = next(r for r in made.rows if (r["part"], r["metric"]) == ("test", "rmse"))
    assert row["value"] == pytest.approx(metrics.rmse(columns["rating"], columns["predicted"]))
    assert made.parameters["encoder"] == "none"
    assert records.load(tmp_path / made.name) == made


def test_each_pair_has_one_that_is_updated_and_random_rows_have_no_static_features():
    shown = set(rating_updates.MODELS) - {rating_updates.BY_MOMENT}
    assert shown < set(rating_splits.FILM_MODELS)
    for static, updated in rating_updates.UPDATED.items():
        assert {static, updated} <= set(rating_splits.FILM_MODELS)
    assert rating_splits.splits_of("trees-static") == ["user-time", "leave-last-out", "global-time"]
    assert rating_splits.splits_of("trees") == list(ratings.SPLITS)


def test_a_setting_at_the_edge_of_its_grid_is_named(films, tmp_path):
    made = rating_splits.run("user-time", "biases-online", Settings(), tmp_path, films)
    dampings = [settings["damping"] for settings in fitting.BASELINES["biases"].tried]
    assert rating_splits.edges(made) == made.parameters.pop("edge"), "what a record says counts"
    for damping in dampings:
        made.parameters["damping"] = damping
        at_edge = damping in (min(dampings), max(dampings))
        assert rating_splits.edges(made) == (["damping"] if at_edge else [])
    ridge = replace(made, model="text-title", parameters={"penalty": 1.0})
    assert rating_splits.edges(ridge) == ["penalty"]
    ridge.parameters["penalty"] = 10.0
    assert rating_splits.edges(ridge) == []
    assert rating_splits.edges(replace(made, model="mean", parameters={})) == []


# Real data


@pytest.mark.parametrize(("split", "expected"), [("user-time", 0.880), ("global-time", 1.047)])
def test_trees_fall_behind_when_their_features_stop_at_the_training_cut(split, expected, root):
    folder = root / "data" / "runs" / "reproduction"
    rated = ratings.read(folder)
    static = ratings.summary(rated[f"movielens-{split}", "trees-static"])[0]
    running = ratings.summary(rated[f"movielens-{split}", "trees"])[0]
    assert static == pytest.approx(expected, abs=0.003) and static > running + 0.04


def test_the_committed_online_biases_are_those_of_the_real_ratings(real_data, root):
    folder = root / "data" / "runs" / "reproduction"
    examples = corpora.load("movielens", data_dir=real_data).examples
    place = {row.id: number for number, row in enumerate(examples)}
    rated = ratings.read(folder)
    for split in ratings.SPLITS:
        (record,) = rated[f"movielens-{split}", "biases-online"]
        found = rating_updates.online_biases(examples, record.parameters["damping"], 2.75)
        columns = record.predictions["test"]
        rows = [place[id] for id in columns["id"]]
        assert np.allclose(columns["predicted"], found[rows].clip(*SCALE), atol=1e-4)
