"""The exercises of lesson 63: a reference answer and a checker each."""

import math

import numpy as np

from satlib.exercises.checking import expect


def answer_1(items, values):
    means = []
    for i, item in enumerate(items):
        rest = [value for j, value in enumerate(values) if items[j] == item and j != i]
        means.append(sum(rest) / len(rest))
    return means


def check_1(answer):
    items = ["a", "b", "a", "b", "b", "c", "c"]
    values = [1.0, 4.0, 5.0, 4.0, 1.0, 3.0, 2.0]
    right = answer_1(items, values)
    got = answer(items, values)
    if got is not None:
        shape = np.shape(got)
        assert shape == (7,), f"one number for each of the 7 rows, not the shape {shape}"
    with_own, all_others, other_values = [], [], []
    for item, own in zip(items, values, strict=True):
        same_item = [v for v, other in zip(values, items, strict=True) if other == item]
        with_own.append(np.mean(same_item))
        all_others.append((sum(values) - own) / (len(values) - 1))
        other_values.append(np.mean([v for v in same_item if v != own]))
    mistakes = {
        "that mean holds the row's own value: leave it out": with_own,
        "the others of the same item only, not all other rows": all_others,
        "another row may hold the same value: leave out the row, not the value": other_values,
    }
    case = f"{values} of the items {items} give "
    expect(got, right, mistakes, case + "{right}, not {got}")


def answer_2(same, other):
    return other, same - other, 1 - same


def check_2(answer):
    for same, other in ((0.65, 0.42), (0.9, 0.3), (0.5, 0.5), (1.0, 0.0)):
        got = answer(same, other)
        if got is not None:
            assert len(got) == 3, "three shares: quality, annotator, noise"
        mistakes = {
            "r is the share itself here: both answers hold the same part once, so nothing is "
            "squared": (other**2, same**2 - other**2, 1 - same**2),
            "what two annotators have in common is the quality; what only the same annotator adds "
            "is hers": (same - other, other, 1 - same),
        }
        otherwise = f"same {same}, other {other}: {{right}}, not {{got}}"
        if got is not None and not np.isclose(sum(got), 1):
            otherwise = f"the three shares of a variance sum to 1, not to {sum(got):.2f}"
        expect(got, answer_2(same, other), mistakes, otherwise)


def answer_3(r, wanted):
    m = 1
    while math.sqrt(m * r / (1 + (m - 1) * r)) < wanted:
        m += 1
    return m


def check_3(answer):
    for r, wanted in ((0.35, 0.8), (0.35, 0.5), (0.47, 0.9), (0.2, 0.95), (0.6, 0.9)):
        got = answer(r, wanted)
        right = answer_3(r, wanted)
        without_root = max(1, math.ceil(wanted * (1 - r) / (r * (1 - wanted))))
        mistakes = {
            "m r / (1 + (m - 1) r) is the square of the ceiling: take its root": without_root,
            f"{right - 1} annotators stay below {wanted}: round up": right - 1,
        }
        otherwise = f"r = {r} and a ceiling of {wanted}: {{right}} annotators, not {{got}}"
        if got is not None and got != int(got):
            otherwise = "a whole number of annotators, not {got}"
        expect(got, right, mistakes, otherwise)
