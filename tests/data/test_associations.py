"""Columns of numbers that come with the rows, and how strongly they go with the rating."""

from dataclasses import replace

import numpy as np
from invented_rows import clean, event, sessions
from scipy.stats import spearmanr

from satlib.data import associations


def test_numbers_of_events_targets_and_attributes_are_columns():
    rows = [
        replace(
            e,
            events=(*e.events, event("x", dwell=10.0, price=e.rating, position=2)),
            target=replace(e.target, dwell=e.rating),
            attributes={"mood": f"m{e.rating}", "name": e.id},
        )
        for e in clean()
    ]
    table = associations.columns(rows)
    assert set(table) == {
        "feature noise",
        "feature more",
        "mean value of the history",
        "mean dwell of the history",
        "mean price of the history",
        "mean position of the history",
        "dwell of the target",
        "attribute mood",
    }
    strength = {name: round(associations.association(*pair), 6) for name, pair in table.items()}
    assert [name for name, rho in strength.items() if rho == 1] == [
        "dwell of the target",
        "mean price of the history",
        "attribute mood",
    ]
    assert strength["mean dwell of the history"] == 0  # it never changes
    assert associations.columns(rows[:29]) == {} == associations.columns([])


def test_the_rank_correlation_is_scipys_and_many_rows_are_thinned():
    rng = np.random.default_rng(4)
    values, stars = rng.integers(0, 9, 300).tolist(), rng.integers(1, 6, 300).tolist()
    assert np.isclose(associations.association(values, stars), spearmanr(values, stars)[0])
    many = [sessions(1)[0]] * (2 * associations.MOST + 1)
    (length,) = {
        len(pair[0])
        for pair in associations.columns(
            [replace(many[0], features={"x": 1.0})] * len(many)
        ).values()
    }
    assert associations.MOST / 2 < length <= associations.MOST
