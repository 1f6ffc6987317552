"""Behaviour features know the past and nothing else: by property, and re-stated from scratch by
brute force."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satlib.baselines import behaviour
from satlib.data import corpora, splits
from satlib.data.interactions import Event, Example

COLUMN = {name: place for place, name in enumerate(behaviour.NAMES)}
GENRES = {"Alien": "Horror|Sci-Fi", "Brazil": "Sci-Fi", "Charade": "Comedy / Romance", "Duel": ""}
ratings = st.sampled_from([0.5 * step for step in range(1, 11)])
times = st.integers(0, 30).map(
    lambda tenth: 8640.0 * tenth
)  # three days, so that moments are often equal
dwells = st.lists(st.none() | st.floats(0, 500), max_size=2)
one_row = st.tuples(
    st.sampled_from("abc"), st.sampled_from([*GENRES, None]), ratings, times, dwells
)
several = st.lists(one_row, min_size=1, max_size=14)


def rated(number, user, film, rating, time, seconds=()):
    """A rated film, or (film None) a rated session of two events."""
    seen = tuple(
        Event("user", "watch", "a clip", category="Comedy", dwell=dwell, time=time)
        for dwell in seconds
    )
    target = film and Event("user", "rate", film, category=GENRES.get(film, ""), time=time)
    ends = () if film else (Event("user", "watch", "the end", category="Romance", time=time),)
    return Example(f"row-{number:02d}", user, "films", seen + ends, (rating,), target or None)


def examples(rows):
    return [rated(number, *row) for number, row in enumerate(rows)]


def of(rows, name):
    return behaviour.running(rows)[:, COLUMN[name]]


# Past only


@settings(max_examples=150, deadline=None)
@given(rows=several, data=st.data())
def test_no_later_row_changes_the_features_of_an_earlier_one(rows, data):
    rows = [rows[i] for i in splits.in_order(examples(rows))]
    before = behaviour.running(examples(rows))
    k = data.draw(st.integers(0, len(rows) - 1))
    user, film, rating, _, seconds = data.draw(one_row)
    moment = rows[k][3] + data.draw(
        times
    )  # later, or at the same moment behind it in the order of ids
    others = {
        "changed": [*rows[:k], (user, film, rating, moment, seconds), *data.draw(several)],
        "removed": [*rows[: k + 1]],
        "rated otherwise": [*rows[:k], (*rows[k][:2], rating, *rows[k][3:]), *rows[k + 1 :]],
    }
    for how, other in others.items():
        late = [
            (*row[:3], max(row[3], moment), row[4]) if i > k and how == "changed" else row
            for i, row in enumerate(other)
        ]
        assert np.array_equal(behaviour.running(examples(late))[:k], before[:k]), how
    assert np.array_equal(
        behaviour.running(examples(others["rated otherwise"]))[k], before[k]
    )  # nor does its own


@settings(max_examples=40, deadline=None)
@given(rows=several, data=st.data())
def test_the_order_of_the_rows_does_not_matter(rows, data):
    rows = examples(rows)
    order = data.draw(st.permutations(range(len(rows))))
    assert np.array_equal(
        behaviour.running([rows[i] for i in order]), behaviour.running(rows)[order]
    )


def test_rows_of_one_moment_can_be_hidden_from_each_other():
    """As if each row of a moment were alone in it; rows of other moments are seen as ever."""
    rows = examples(
        [
            ("a", "Alien", 4.0, 0.0, ()),
            ("a", "Brazil", 1.0, 5.0, ()),
            ("a", "Charade", 5.0, 5.0, ()),
            ("b", "Alien", 2.0, 5.0, ()),
            ("a", "Duel", 3.0, 9.0, ()),
        ]
    )
    apart = behaviour.running(rows, by_moment=True)
    for row in (1, 2, 3):
        alone = [rows[0], rows[row]]
        assert np.array_equal(apart[row], behaviour.running(alone)[1])
    assert np.array_equal(apart[[0, 4]], behaviour.running(rows)[[0, 4]])
    assert behaviour.in_company(rows).tolist() == [False, False, True, False, False]


def test_equal_moments_are_read_in_the_order_of_their_ids():
    rows = [rated(number, "a", "Alien", 5, 0.0) for number in (1, 0)]
    assert np.allclose(np.expm1(of(rows, "user_count")), [1, 0])


# Every feature from scratch


def damped(values, expected):
    return (sum(values) + behaviour.DAMPING * expected) / (len(values) + behaviour.DAMPING)


class Scratch:
    """The features of the last row of an ordered list, each computed anew from the rows before
    it."""

    def __init__(self, rows, middle=3.0):
        self.past, self.now, self.middle = rows[:-1], rows[-1], middle
        self.own = [row for row in self.past if row[0] == self.now[0]]
        self.level = damped([row[2] for row in self.past], middle)

    def surprises(self):
        """Of each past row: how far above the user's mean at its time."""
        users = [Scratch(self.past[: i + 1], self.middle) for i in range(len(self.past))]
        return [row[2] - then.user_mean() for row, then in zip(self.past, users, strict=True)]

    def user_mean(self):
        return damped([row[2] for row in self.own], self.level)

    def user_count(self):
        return math.log(1 + len(self.own))

    def user_spread(self):
        own = [
            s**2
            for row, s in zip(self.past, self.surprises(), strict=True)
            if row[0] == self.now[0]
        ]
        return math.sqrt(damped(own, 1.0))

    def user_trend(self):
        return (
            np.mean([row[2] for row in self.own[-behaviour.RECENT :]]) - self.user_mean()
            if self.own
            else 0.0
        )

    def user_recency(self):
        return math.log(1 + (self.now[3] - self.own[-1][3]) / 86400) if self.own else 0.0

    def user_dwell(self):
        mine, all_of_them = (
            [math.log(1 + s) for row in rows for s in row[4] if s is not None]
            for rows in (self.own, self.past)
        )
        return damped(mine, damped(all_of_them, 0.0))

    def of_item(self, values):
        return [
            v for row, v in zip(self.past, values, strict=True) if row[1] and row[1] == self.now[1]
        ]

    def item_mean(self):
        return damped(self.of_item([row[2] for row in self.past]), self.level)

    def item_count(self):
        return math.log(1 + len(self.of_item(self.past)))

    def item_offset(self):
        return damped(self.of_item(self.surprises()), 0.0)

    def genre_affinity(self):
        rests = [
            s - Scratch(self.past[: i + 1], self.middle).item_offset()
            for i, s in enumerate(self.surprises())
        ]
        liked = [
            damped(
                [
                    rest
                    for row, rest in zip(self.past, rests, strict=True)
                    if row[0] == self.now[0] and genre in genres(row)
                ],
                0.0,
            )
            for genre in genres(self.now)
        ]
        return np.mean(liked) if liked else 0.0


def genres(row):
    """Of the film; of a session, those of its events."""
    if row[1] is None:
        return {"Romance", "Comedy"} if row[4] else {"Romance"}
    return set(GENRES[row[1]].replace(" / ", "|").split("|")) - {""}


@settings(max_examples=80, deadline=None)
@given(rows=several, scale=st.sampled_from([(1.0, 5.0), (0.5, 5.0)]))
def test_every_feature_is_what_the_past_gives_from_scratch(rows, scale):
    rows = [rows[i] for i in splits.in_order(examples(rows))]
    found = behaviour.running(examples(rows), scale)
    for k, features in enumerate(found):
        scratch = Scratch(rows[: k + 1], sum(scale) / 2)
        expected = [getattr(scratch, name)() for name in behaviour.NAMES]
        assert np.allclose(features, expected, atol=1e-9), dict(
            zip(behaviour.NAMES, expected, strict=True)
        )


def test_the_damped_mean_counts_what_is_expected_as_five_ratings():
    mean = behaviour.Mean()
    assert mean.damped(3.5) == 3.5
    for rating in (5, 4):
        mean.add(rating)
    assert math.isclose(mean.damped(3.5), (5 + 4 + 5 * 3.5) / 7)
    for _ in range(10_000):
        mean.add(1)
    assert abs(mean.damped(3.5) - 1) < 0.01


def test_a_new_user_and_a_new_item_start_at_what_is_expected():
    rows = [rated(i, "a", "Alien", 5, 86400.0 * i, [40.0]) for i in range(3)]
    first, new = behaviour.running([*rows, rated(9, "b", "Brazil", 1, 9e5)])[[0, 3]]
    assert dict(zip(behaviour.NAMES, first, strict=True)) == dict.fromkeys(behaviour.NAMES, 0.0) | {
        "user_mean": 3.0,
        "user_spread": 1.0,
        "item_mean": 3.0,
    }
    level, dwell = (15 + 5 * 3) / 8, 3 * math.log(41) / 8
    assert np.allclose(new, [level, 0, 1, 0, 0, dwell, level, 0, 0, 0])


def test_a_known_user_in_small_numbers():
    rows = [
        rated(0, "a", "Alien", 5, 0.0),
        rated(1, "a", "Brazil", 4, 86400.0),
        rated(2, "a", "Alien", 3, 4 * 86400.0),
    ]
    level, mean = (9 + 15) / 7, (9 + 5 * (9 + 15) / 7) / 7
    last = dict(zip(behaviour.NAMES, behaviour.running(rows)[2], strict=True))
    assert np.isclose(last["user_mean"], mean) and np.isclose(last["user_trend"], 4.5 - mean)
    assert np.isclose(last["user_recency"], math.log(4)) and np.isclose(
        last["user_count"], math.log(3)
    )
    assert np.isclose(last["item_mean"], (5 + 5 * level) / 6) and np.isclose(
        last["item_count"], math.log(2)
    )
    assert np.isclose(last["item_offset"], (5 - 3) / 6)


def test_the_trend_looks_back_on_five_ratings():
    rows = [
        rated(i, "a", "Alien", rating, 86400.0 * i)
        for i, rating in enumerate([1, 5, 4, 5, 4, 5, 3])
    ]
    assert np.isclose((of(rows, "user_trend") + of(rows, "user_mean"))[-1], 4.6)


# Corpora


def test_sessions_with_a_date_and_no_target_have_features():
    loaded = corpora.load("satsim")
    rows = [e for e in loaded.examples if e.group in {"user-0000", "user-0001", "user-0002"}]
    found = behaviour.running(rows, loaded.scale)
    for user in {e.group for e in rows}:
        own = sorted(
            (i for i, e in enumerate(rows) if e.group == user),
            key=lambda i: (rows[i].date, rows[i].id),
        )
        assert np.allclose(np.expm1(found[own, COLUMN["user_count"]]), range(len(own)))
        days = [
            (np.datetime64(rows[b].date) - np.datetime64(rows[a].date)).astype(int)
            for a, b in zip(own, own[1:], strict=False)
        ]
        assert np.allclose(np.expm1(found[own, COLUMN["user_recency"]]), [0, *days])
    assert not found[:, [COLUMN["item_count"], COLUMN["item_offset"]]].any()  # no thing is judged
    assert found[:, COLUMN["genre_affinity"]].any() and (found[1:, COLUMN["user_dwell"]] > 0).all()


def test_a_row_without_time_and_date_is_refused():
    timeless = Example("x", "a", "films", (Event("user", "say", "hello"),), (3.0,))
    with pytest.raises(
        ValueError, match="example 'x' has neither a time nor a date; map a column to time"
    ):
        behaviour.running([timeless])


def test_by_part_looks_at_all_rows_and_keeps_the_order_of_the_parts():
    rows = [rated(i, "ab"[i % 2], "Alien", 1 + i % 5, 1000.0 * i) for i in range(20)]
    parts = splits.split(rows[::-1], rule="user-time") | {"none": []}
    found, whole = behaviour.by_part(rows, parts), behaviour.running(rows)
    assert list(found) == [*parts] and found["none"].shape == (0, len(behaviour.NAMES))
    for part, chosen in parts.items():
        assert np.array_equal(
            found[part], whole[[rows.index(e) for e in chosen]].reshape(-1, len(behaviour.NAMES))
        )
    few = behaviour.by_part(rows, {"test": rows[-1:]})["test"]
    assert np.array_equal(few, whole[-1:])  # the past is there although no part holds it
    with pytest.raises(
        ValueError, match="'row-19' is in a part but not among the examples; give all rows"
    ):
        behaviour.by_part(rows[:-1], {"test": rows})


def test_a_corpus_has_a_past_if_it_has_times_and_users_with_several_rows():
    rows = [rated(i, "ab"[i % 2], "Alien", 3, 1000.0 * i) for i in range(4)]
    timeless = Example("x", "a", "films", (Event("user", "say", "hello"),), (3.0,))
    assert (
        behaviour.has_past(rows)
        and not behaviour.has_past(rows[:3])
        and not behaviour.has_past([*rows, timeless])
    )


# Crossed


def test_crossed_is_fitted_on_the_training_rows_and_clips_what_is_far_out():
    rng = np.random.default_rng(0)
    train = rng.normal(3, 2, (500, len(behaviour.NAMES)))
    train[:, 3] = 7.0  # a feature that never changes must not become nan
    join = behaviour.crossed(train)
    made, columns = join.transform(train), len(behaviour.NAMES)
    assert made.shape == (500, columns + columns * (columns + 1) // 2) and np.allclose(
        made.mean(axis=0), 0
    )
    assert set(np.round(made.std(axis=0), 6)) == {0.0, 1.0}
    far, further = train[:1].copy(), train[:1].copy()
    far[0, 0], further[0, 0] = train[:, 0].mean() + 4 * train[:, 0].std() + 1e-9, 1e6
    assert np.allclose(join.transform(far), join.transform(further))
    near = far.copy()
    near[0, 0] -= 1
    assert not np.allclose(join.transform(near), join.transform(far))
    assert np.array_equal(
        join.transform(np.vstack([train[:3], further]))[:3], made[:3]
    )  # other rows have no say


def test_crossed_is_features_squares_and_products_in_steps():
    train = np.random.default_rng(1).normal(size=(300, 3))
    near = np.clip((train - train.mean(axis=0)) / train.std(axis=0), -behaviour.FAR, behaviour.FAR)
    products = [near[:, i] * near[:, j] for i in range(3) for j in range(i, 3)]
    steps = np.column_stack([near, *products])
    assert np.allclose(
        behaviour.crossed(train).transform(train), (steps - steps.mean(axis=0)) / steps.std(axis=0)
    )


def test_a_linear_head_on_products_expresses_what_bare_features_cannot():
    rng = np.random.default_rng(2)
    count, offset = rng.uniform(0, 3, 400), rng.normal(size=400).clip(-2, 2)
    rating, bare = 3 + offset * count / 3, np.column_stack([count, offset])
    left = {
        name: np.linalg.lstsq(np.column_stack([x, np.ones(400)]), rating, rcond=None)[1]
        for name, x in (("bare", bare), ("crossed", behaviour.crossed(bare).transform(bare)))
    }
    assert left["bare"] > 10 and (left["crossed"] < 1e-9).all()


def test_movielens_behaviour_alone_predicts_the_next_ratings(real_data):
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    loaded = corpora.load("movielens", real_data)
    parts = splits.split_corpus(loaded)
    known = behaviour.by_part(loaded.examples, parts, loaded.scale)
    rating = {part: np.array([e.rating for e in rows]) for part, rows in parts.items()}
    assert all(np.isfinite(features).all() for features in known.values())
    users = Counter(e.group for e in parts["train"])
    row = parts["validation"].index(
        next(e for e in parts["validation"] if e.group == "movielens-001")
    )
    assert np.isclose(
        np.expm1(known["validation"][row, COLUMN["user_count"]]), users["movielens-001"]
    )
    trees = HistGradientBoostingRegressor(max_iter=60, early_stopping=False, random_state=0)
    with threadpool_limits(
        1
    ):  # several threads wait for each other where other tests run beside this one
        predicted = (
            trees.fit(known["train"], rating["train"]).predict(known["test"]).clip(*loaded.scale)
        )
    rmse = np.sqrt(np.mean((predicted - rating["test"]) ** 2))
    assert 0.80 < rmse < 0.85 < np.sqrt(np.mean((rating["test"] - rating["train"].mean()) ** 2)), (
        rmse
    )
