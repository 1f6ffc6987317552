"""How strongly each column of numbers that comes with the rows goes with the rating (taught with
lesson 05).

``satlib.data.leaks`` asks it for columns that know the rating. A rank correlation finds any
monotone dependence and does not care for units. Source: Spearman, The proof and measurement of
association between two things, 1904.
"""

import math
from collections import defaultdict
from typing import NamedTuple

import numpy as np

from satlib.data.interactions import Example

# Rows that a correlation takes; of an attribute, LEAST for each of its values on average.
LEAST = 30
MOST = 20_000
MEASURED = ("value", "dwell", "price", "position")  # numbers of an event


class Column(NamedTuple):
    """Numbers that come with some of the rows, and the ratings of these rows, [n] each."""

    values: list[float]
    ratings: list[float]


def columns(examples: list[Example]) -> dict[str, Column]:
    """Every column of numbers that comes with the rows, by its name.

    Features, means over the history and numbers of the target (but its value) are taken as they
    are; an attribute's value becomes the mean rating of its rows. At most MOST rows, evenly spaced;
    columns of less than LEAST rows, and attributes of too many values, are left out.
    """
    step = max(1, math.ceil(len(examples) / MOST))
    rows = examples[::step]
    columns = defaultdict(lambda: Column([], []))
    for example in rows:
        for name, value in _numbers(example).items():
            columns[name].values.append(value)
            columns[name].ratings.append(example.rating)
    for name, by_value in _ratings_by_attribute(rows).items():
        total = sum(map(len, by_value.values()))
        if total >= LEAST * len(by_value):
            columns[f"attribute {name}"] = _mean_ratings(by_value)
    return {name: column for name, column in columns.items() if len(column.values) >= LEAST}


def _numbers(example: Example) -> dict[str, float]:
    """The numbers of a row: its features, and what was measured in its history and target."""
    numbers = {f"feature {name}": value for name, value in example.features.items()}
    for name in MEASURED:
        measured = [getattr(event, name) for event in example.events]
        known = [value for value in measured if value is not None]
        if known:
            numbers[f"mean {name} of the history"] = sum(known) / len(known)
        # A target's value is the answer itself, which the leak checker counts elsewhere.
        if example.target is not None and name != "value":
            of_target = getattr(example.target, name)
            if of_target is not None:
                numbers[f"{name} of the target"] = of_target
    return numbers


def _ratings_by_attribute(rows: list[Example]) -> dict[str, dict[str, list[float]]]:
    """Attribute -> its value -> the ratings of the rows that have it."""
    ratings = defaultdict(lambda: defaultdict(list))
    for example in rows:
        for name, value in example.attributes.items():
            ratings[name][value].append(example.rating)
    return ratings


def _mean_ratings(by_value: dict[str, list[float]]) -> Column:
    """An attribute as a column: each row has the mean rating of all rows of its value."""
    column = Column([], [])
    for ratings in by_value.values():
        mean = sum(ratings) / len(ratings)
        column.values.extend([mean] * len(ratings))
        column.ratings.extend(ratings)
    return column


def association(values: list[float], ratings: list[float]) -> float:
    """Spearman's rank correlation, ties at their mean rank; 0 where a side never changes."""
    from scipy.stats import rankdata

    value_ranks = rankdata(values)
    rating_ranks = rankdata(ratings)
    if np.ptp(value_ranks) == 0 or np.ptp(rating_ranks) == 0:
        return 0.0
    return float(np.corrcoef(value_ranks, rating_ranks)[0, 1])
