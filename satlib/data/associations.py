"""How strongly each column of numbers that comes with the rows goes with the rating (taught with
lesson 05).

``satlib.data.leaks`` asks it for columns that know the rating. A rank correlation finds any
monotone dependence and does not care for units. Source: Spearman, The proof and measurement of
association between two things, 1904.
"""

from collections import defaultdict

import numpy as np

from satlib.data.interactions import Example

LEAST, MOST = (
    30,
    20_000,
)  # rows that a correlation takes; of an attribute, LEAST for each of its values on average
MEASURED = ("value", "dwell", "price", "position")  # numbers of an event


def columns(examples: list[Example]) -> dict[str, tuple[list[float], list[float]]]:
    """Every column of numbers that comes with the rows: name -> its values and the ratings of the
    rows that have it.

    Features, means over the history and numbers of the target (but its value) are taken as they
    are; an attribute's value becomes the mean rating of its rows. At most MOST rows, evenly spaced;
    columns of less than LEAST rows, and attributes of too many values, are left out.
    """
    found, words = defaultdict(lambda: ([], [])), defaultdict(lambda: defaultdict(list))
    for e in examples[:: -(-len(examples) // MOST) or 1]:
        numbers = {f"feature {name}": value for name, value in e.features.items()}
        for name in MEASURED:
            values = [value for s in e.events if (value := getattr(s, name)) is not None]
            numbers |= {f"mean {name} of the history": sum(values) / len(values)} if values else {}
            if name != "value" and e.target is not None and getattr(e.target, name) is not None:
                numbers[f"{name} of the target"] = getattr(e.target, name)
        for name, value in numbers.items():
            found[name][0].append(value)
            found[name][1].append(e.rating)
        for name, value in e.attributes.items():
            words[name][value].append(e.rating)
    for name, by_value in words.items():
        if sum(map(len, by_value.values())) >= LEAST * len(by_value):
            pairs = [(sum(r) / len(r), one) for r in by_value.values() for one in r]
            found[f"attribute {name}"] = tuple(map(list, zip(*pairs, strict=True)))
    return {name: pair for name, pair in found.items() if len(pair[0]) >= LEAST}


def association(values: list[float], ratings: list[float]) -> float:
    """Spearman's rank correlation, ties at their mean rank; 0 where a side never changes."""
    from scipy.stats import rankdata

    ranks = rankdata(values), rankdata(ratings)
    return float(np.corrcoef(*ranks)[0, 1]) if all(np.ptp(side) > 0 for side in ranks) else 0.0
