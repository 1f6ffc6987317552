"""The exercises of lesson 51: a reference answer and a checker each."""

import math

import numpy as np


def answer_1(one, other):
    from itertools import product

    gap = np.asarray(one, float) - np.asarray(other, float)
    sums = [abs(np.dot(signs, gap)) for signs in product((-1, 1), repeat=len(gap))]
    return np.mean(np.array(sums) >= abs(gap.sum()) - 1e-9)


def check_1(answer):
    for one, other, p in (([5.0, 4, 6, 3], [2.0, 3, 4, 3.5], 4 / 16), ([2.0, 1, 3], [4.0, 2, 6], 2 / 8),
                          ([1.0, 2, 3, 4, 9], [2.0, 2, 2, 2, 2], 12 / 32)):  # fmt: skip
        found = float(answer(one, other))
        assert not math.isclose(found, p / 2), (
            "count the ways that are as far below zero as those above: two-sided"
        )
        assert found > 0, (
            "the way that was seen counts too, so p is never 0: compare with >=, and allow for rounding"
        )
        assert found <= 1, (
            f"p is a share of the 2**{len(one)} ways to swap, so at most 1, not {found}"
        )
        assert math.isclose(found, p), f"{one} against {other}: p is {p:.4f}, not {found:.4f}"


def answer_2(p, level):
    different = [False] * len(p)
    for step, place in enumerate(np.argsort(p)):
        if p[place] * (len(p) - step) >= level:
            break
        different[place] = True
    return different


def check_2(answer):
    p = [0.30, 0.004, 0.011, 0.45, 0.0053, 0.60, 0.013, 0.90, 0.70, 0.0061]
    found = list(map(bool, answer(p, 0.05)))
    assert found != [x < 0.05 for x in p], (
        "each at .05 lets luck in: multiply the smallest p by 10, the next by 9"
    )
    assert found != [x * 10 < 0.05 for x in p], (
        "that is Bonferroni: after the smallest, 9 models are left, not 10"
    )
    expected, named = answer_2(p, 0.05), np.flatnonzero(found).tolist()
    assert found == expected, (
        f"at .05 the models {np.flatnonzero(expected).tolist()} are different, not {named}"
    )
    late = list(map(bool, answer([0.03, 0.04, 0.045], 0.05)))
    assert not any(late), (
        "stop at the first p that is too large: .03 times 3 is, so the others are not asked any more"
    )


def answer_3(one, other, users):
    seeds = np.var(one, ddof=1) / len(one) + np.var(other, ddof=1) / len(other)
    return np.sqrt(users**2 + seeds)


def check_3(answer):
    one, other, users = (
        np.array([1.00, 1.04, 0.98]),
        np.array([0.95, 1.01, 0.99, 1.05, 0.97]),
        0.015,
    )
    found, each = (
        float(answer(one, other, users)),
        [np.var(x, ddof=1) / len(x) for x in (one, other)],
    )
    plain, biased = (
        np.sqrt(sum(each)),
        np.sqrt(users**2 + sum(np.var(x) / len(x) for x in (one, other))),
    )
    assert not np.isclose(found, plain), "the users add to it: variances add up"
    assert not np.isclose(found, users + plain), (
        "variances add up, standard errors do not: square, add, take the root"
    )
    assert not np.isclose(found, biased), (
        "the variance of few seeds is the sum of squares over n - 1: ddof=1"
    )
    single = np.sqrt(users**2 + sum(np.var(x, ddof=1) for x in (one, other)))
    assert not np.isclose(found, single), (
        "that is the spread of single seeds: the mean of n has 1/n of the variance"
    )
    expected = answer_3(one, other, users)
    assert np.isclose(found, expected), f"expected {expected:.4f}, not {found:.4f}"
