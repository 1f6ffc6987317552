"""The exercises of lesson 33: a reference answer and a checker each."""

import numpy as np


def answer_1(ratings, expected, within, between):
    first = within / between
    return (sum(ratings) + first * expected) / (len(ratings) + first)


def check_1(answer):
    for ratings in ([5, 4], [5], []):
        found = answer(ratings, 3.0, 1.2, 0.3)
        assert ratings or found == 3.0, f"without ratings it is what is expected, 3, not {found}"
        for first, hint in (
            (0, "that is the plain mean: nothing came first"),
            (
                0.25,
                "between over within is upside down: the noisier the ratings, the less they count",
            ),
            (2, "variances are given: take no root of them"),
            (5, "five was a round number; here it is within over between"),
        ):
            wrong = (sum(ratings) + first * 3.0) / (len(ratings) + first) if ratings else -1
            assert not np.isclose(found, wrong), hint
        right = answer_1(ratings, 3.0, 1.2, 0.3)
        assert np.isclose(found, right), (
            f"as if four ratings of 3 came first, {ratings} gives {right:.2f}, not {found}"
        )


def answer_2(rows):
    means, seen = [None] * len(rows), {}
    for i in sorted(range(len(rows)), key=lambda i: rows[i][1]):
        user, _, rating = rows[i]
        past = seen.setdefault(user, [])
        means[i] = sum(past) / len(past) if past else None  # read first
        past.append(rating)  # then enter
    return means


def check_2(answer):
    rows = [("a", 4, 1.0), ("b", 2, 4.0), ("a", 1, 5.0), ("b", 3, 2.0), ("a", 9, 4.5)]
    found, expected = list(answer(list(rows))), [5.0, None, None, 4.0, 3.0]
    assert len(found) == 5, f"one mean a row: 5, not {len(found)}"
    assert found != [None, None, 4.0, 5.0, 3.0], (
        "the means must stand in the order of the rows, not in that of time"
    )
    assert found[0] is not None, (
        "the rows are in any order: what is earlier is told by the time, not by the place"
    )
    assert found[0] != 3.0, "a row must not see itself: read its mean before you enter its rating"
    assert found[0] != 3.5, (
        "a user's mean over all rows knows what is rated later, and the row itself is among them"
    )
    assert found[3] != 4.5, "only the user's own earlier ratings are asked for, not everybody's"
    assert found[2] is None and found[1] is None, (
        f"a user's first row has no past: None, not {found[2]}"
    )
    assert found == expected, f"{rows} should give {expected}, not {found}"


def answer_3(features, rows):
    whole = np.asarray(features(rows))
    for k, (user, time, rating) in enumerate(rows):
        other = [
            *rows[:k],
            (user, time, rating + 1),
        ]  # nothing after row k, and row k rated otherwise
        if not np.allclose(features(other), whole[: k + 1]):
            return False
    return True


def check_3(answer):
    rows = [("a", 1, 5), ("b", 2, 2), ("a", 3, 1), ("b", 4, 3), ("a", 5, 4)]
    means = {
        "earlier": lambda of: [
            np.mean([r for _, t, r in of if t < now] or [3]) for _, now, _ in of
        ],
        "so far": lambda of: [np.mean([r for _, t, r in of if t <= now]) for _, now, _ in of],
        "all": lambda of: [np.mean([r for u, _, r in of if u == user]) for user, _, _ in of],
        "next": lambda of: [*(r for _, _, r in of[1:]), 0],
        "future": lambda of: [sum(t > now for _, t, _ in of) for _, now, _ in of],
        "first": lambda of: [of[0][2] if i == 0 else 0 for i in range(len(of))],
    }
    for name, hint in (
        ("earlier", "a mean of earlier ratings knows only the past: that is True"),
        ("so far", "a mean that holds the row's own rating leaks: that is False"),
        ("all", "a user's mean over all rows leaks: that is False"),
        ("next", "a feature that is the next row's rating leaks: that is False"),
        ("future", "how many rows come later is not known yet: leave later rows out and compare"),
        (
            "first",
            "look at every row: one whose own rating shows in the first row only is a leak too",
        ),
    ):
        assert bool(answer(means[name], list(rows))) == (name == "earlier"), hint
    assert answer(means["earlier"], list(rows)) is not None, "return True or False"
