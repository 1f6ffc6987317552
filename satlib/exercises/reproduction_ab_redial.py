"""The exercises of lesson 63: a reference answer and a checker each."""

import math

import numpy as np


def answer_1(items, values):
    found = []
    for i, item in enumerate(items):
        rest = [value for j, value in enumerate(values) if items[j] == item and j != i]
        found.append(sum(rest) / len(rest))
    return found


def check_1(answer):
    items, values = ["a", "b", "a", "b", "b", "c", "c"], [1.0, 4.0, 5.0, 4.0, 1.0, 3.0, 2.0]
    found, right = np.asarray(answer(items, values), dtype=float), np.array(answer_1(items, values))
    assert found.shape == right.shape, (
        f"one number for each of the {len(items)} rows, not the shape {found.shape}"
    )
    own = [
        np.mean([v for v, other in zip(values, items, strict=True) if other == item])
        for item in items
    ]
    everyone = (sum(values) - np.array(values)) / (len(values) - 1)
    unequal = [
        np.mean([v for v, other in zip(values, items, strict=True) if other == item and v != mine])
        for item, mine in zip(items, values, strict=True)
    ]
    assert not np.allclose(found, own), "that mean holds the row's own value: leave it out"
    assert not np.allclose(found, everyone), "the others of the same item only, not all other rows"
    assert not np.allclose(found, unequal), (
        "another row may hold the same value: leave out the row, not the value"
    )
    assert np.allclose(found, right), (
        f"{values} of the items {items} give {right.tolist()}, not {found.tolist()}"
    )


def answer_2(same, other):
    return other, same - other, 1 - same


def check_2(answer):
    for same, other in ((0.65, 0.42), (0.9, 0.3), (0.5, 0.5), (1.0, 0.0)):
        found, right = tuple(map(float, answer(same, other))), (other, same - other, 1 - same)
        assert len(found) == 3, "three shares: quality, annotator, noise"
        assert same == 1 or not np.allclose(found, (other**2, same**2 - other**2, 1 - same**2)), (
            "r is the share itself here: both answers hold the same part once, so nothing is squared"
        )
        assert other in (0, same) or not np.allclose(found, (same - other, other, 1 - same)), (
            "what two annotators have in common is the quality; what only the same annotator adds is hers"
        )
        assert np.isclose(sum(found), 1), (
            f"the three shares of a variance sum to 1, not to {sum(found):.2f}"
        )
        assert np.allclose(found, right), f"same {same}, other {other}: {right}, not {found}"


def answer_3(r, wanted):
    m = 1
    while math.sqrt(m * r / (1 + (m - 1) * r)) < wanted:
        m += 1
    return m


def check_3(answer):
    for r, wanted in ((0.35, 0.8), (0.35, 0.5), (0.47, 0.9), (0.2, 0.95), (0.6, 0.9)):
        found, right = float(answer(r, wanted)), answer_3(r, wanted)
        reliable = wanted * (1 - r) / (r * (1 - wanted))
        assert not math.isclose(found, max(1, math.ceil(reliable))) or right == found, (
            "m r / (1 + (m - 1) r) is the square of the ceiling: take its root"
        )
        assert found == int(found), f"a whole number of annotators, not {found:.2f}"
        assert found != right - 1, f"{found:.0f} annotators stay below {wanted}: round up"
        assert found == right, (
            f"r = {r} and a ceiling of {wanted}: {right} annotators, not {found:.0f}"
        )
