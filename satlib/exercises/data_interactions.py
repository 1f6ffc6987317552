"""The exercises of lesson 01: a reference answer and a checker each."""

import numpy as np


def answer_1(example):
    known = [event.dwell for event in example.events if event.dwell is not None]
    return sum(known) / len(known) if known else None


def check_1(answer):
    for dwells in ([10.0, 30.0], [10.0, None, 30.0], [0.0, 4.0, None], [None]):
        example, known = _session(dwells=dwells), [d for d in dwells if d is not None]
        got, expected = answer(example), sum(known) / len(known) if known else None
        as_zero = sum(known) / len(dwells)
        assert expected is None or got != as_zero or as_zero == expected, (
            "an unknown dwell is not 0: leave it out"
        )
        assert 0.0 not in dwells or got != 4.0, (
            "0 seconds is known: ask `is not None`, not whether it is true"
        )
        assert got is None if expected is None else np.isclose(got, expected), (
            f"the dwells {dwells} should give {expected}, not {got}"
        )


def answer_2(examples):
    ratings = {}
    for example in examples:
        ratings.setdefault(example.group, []).append(example.rating)
    return sum(sum(r) / len(r) >= 4 for r in ratings.values()) / len(ratings)


def check_2(answer):
    rows = [
        ("a", [5.0]),
        ("a", [4.0]),
        ("a", [5.0]),
        ("b", [5.0, 3.0]),
        ("c", [1.0]),
        ("c", [5.0, 4.0, 5.0]),
    ]
    examples = [_session(group, ratings) for group, ratings in rows]
    got = float(answer(examples))
    assert not np.isclose(got, 5 / 6), (
        "that is the share of sessions: average each user's sessions first"
    )
    assert not np.isclose(got, 1 / 3), (
        "a mean of exactly 4 counts, and an example's rating is the mean of its ratings"
    )
    assert np.isclose(got, 2 / 3), (
        f"two of three users reach a mean of 4 here: 0.667, not {got:.3f}"
    )


def _session(group="u", ratings=(4.0,), dwells=(1.0,)):
    from satlib.data.interactions import check as door

    events = [
        {"actor": "user", "action": "view", "text": "item", "dwell": dwell} for dwell in dwells
    ]
    return door(
        {"id": "s", "group": group, "domain": "shop", "events": events, "ratings": list(ratings)}
    )
