"""The exercises of lesson 33: a reference answer and a checker each."""

import numpy as np

from satlib.exercises.checking import expect


def answer_1(ratings, expected, within, between):
    first = within / between
    return (sum(ratings) + first * expected) / (len(ratings) + first)


def check_1(answer):
    # hint -> how many ratings of the expected size come first by this mistake
    came_first = {
        "that is the plain mean: nothing came first": 0,
        "between over within is upside down: the noisier the ratings, the less they count": 0.25,
        "variances are given: take no root of them": 2,
        "five was a round number; here it is within over between": 5,
    }
    for ratings in ([5, 4], [5]):
        mistakes = {}
        for hint, first in came_first.items():
            mistakes[hint] = (sum(ratings) + first * 3.0) / (len(ratings) + first)
        otherwise = f"as if four ratings of 3 came first, {ratings} gives {{right}}, not {{got}}"
        right = answer_1(ratings, 3.0, 1.2, 0.3)
        expect(answer(ratings, 3.0, 1.2, 0.3), right, mistakes, otherwise)
    without = "without ratings it is what is expected, 3, not {got}"
    expect(answer([], 3.0, 1.2, 0.3), 3.0, otherwise=without)


def answer_2(rows):
    means = [None] * len(rows)
    seen = {}
    for i in sorted(range(len(rows)), key=lambda i: rows[i][1]):
        user, _, rating = rows[i]
        past = seen.setdefault(user, [])
        if past:
            means[i] = sum(past) / len(past)  # read first
        past.append(rating)  # then enter
    return means


def check_2(answer):
    rows = [("a", 4, 1.0), ("b", 2, 4.0), ("a", 1, 5.0), ("b", 3, 2.0), ("a", 9, 4.5)]
    right = [5.0, None, None, 4.0, 3.0]
    got = answer(list(rows))
    assert got is not None, "the result is None: end the function with `return`"
    got = list(got)
    assert len(got) == 5, f"one mean a row: 5, not {len(got)}"
    assert got != [None, None, 4.0, 5.0, 3.0], (
        "the means must stand in the order of the rows, not in that of time"
    )
    assert got[0] is not None, (
        "the rows are in any order: what is earlier is told by the time, not by the place"
    )
    assert got[0] != 3.0, "a row must not see itself: read its mean before you enter its rating"
    assert got[0] != 3.5, (
        "a user's mean over all rows knows what is rated later, and the row itself is among them"
    )
    assert got[3] != 4.5, "only the user's own earlier ratings are asked for, not everybody's"
    for place in (2, 1):
        assert got[place] is None, f"a user's first row has no past: None, not {got[place]}"
    assert got == right, f"{rows} should give {right}, not {got}"


def answer_3(features, rows):
    whole = np.asarray(features(rows))
    for k, (user, time, rating) in enumerate(rows):
        # Nothing after row k, and row k rated otherwise.
        other = [*rows[:k], (user, time, rating + 1)]
        if not np.allclose(features(other), whole[: k + 1]):
            return False
    return True


def check_3(answer):
    rows = [("a", 1, 5), ("b", 2, 2), ("a", 3, 1), ("b", 4, 3), ("a", 5, 4)]
    leaks = {
        so_far_mean: "a mean that holds the row's own rating leaks: that is False",
        user_mean: "a user's mean over all rows leaks: that is False",
        next_rating: "a feature that is the next row's rating leaks: that is False",
        later_rows: "how many rows come later is not known yet: leave later rows out and compare",
        own_of_the_first: (
            "look at every row: one whose own rating shows in the first row only is a leak too"
        ),
    }
    past_only = "a mean of earlier ratings knows only the past: that is True"
    expect(answer(earlier_mean, list(rows)), True, otherwise=past_only)
    for features, hint in leaks.items():
        expect(answer(features, list(rows)), False, otherwise=hint)


def earlier_mean(rows):
    """The mean of all earlier ratings; 3 where there is none."""
    means = []
    for _, now, _ in rows:
        earlier = [rating for _, time, rating in rows if time < now]
        means.append(np.mean(earlier) if earlier else 3)
    return means


def so_far_mean(rows):
    """The mean of all ratings up to now, the row's own among them."""
    means = []
    for _, now, _ in rows:
        means.append(np.mean([rating for _, time, rating in rows if time <= now]))
    return means


def user_mean(rows):
    """The user's mean over all rows."""
    means = []
    for user, _, _ in rows:
        means.append(np.mean([rating for other, _, rating in rows if other == user]))
    return means


def next_rating(rows):
    """The rating of the row behind; 0 for the last row."""
    return [*(rating for _, _, rating in rows[1:]), 0]


def later_rows(rows):
    """How many rows come later."""
    times = np.array([time for _, time, _ in rows])
    return [int(np.sum(times > now)) for now in times]


def own_of_the_first(rows):
    """The first row's own rating, and 0 for all others."""
    return [rows[0][2], *([0] * (len(rows) - 1))]
