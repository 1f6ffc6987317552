"""The exercises of lesson 51: a reference answer and a checker each."""

import numpy as np

from satlib.exercises.checking import expect


def answer_1(one, other):
    from itertools import product

    gap = np.asarray(one, float) - np.asarray(other, float)
    seen = abs(gap.sum())
    sums = [abs(np.dot(signs, gap)) for signs in product((-1, 1), repeat=len(gap))]
    return np.mean(np.array(sums) >= seen - 1e-9)


def check_1(answer):
    cases = (
        ([5.0, 4, 6, 3], [2.0, 3, 4, 3.5], 4 / 16),
        ([2.0, 1, 3], [4.0, 2, 6], 2 / 8),
        ([1.0, 2, 3, 4, 9], [2.0, 2, 2, 2, 2], 12 / 32),
    )
    for one, other, p in cases:
        ways = 2 ** len(one)
        mistakes = {
            "count the ways that are as far below zero as those above: two-sided": p / 2,
            "the way that was seen counts too, so p is never 0: compare with >=, "
            "and allow for rounding": 0,
            f"p is a share of the {ways} ways to swap, so at most 1": p * ways,
        }
        otherwise = f"{one} against {other}: p is {{right}}, not {{got}}"
        expect(answer(one, other), p, mistakes, otherwise)


def answer_2(p, level):
    different = [False] * len(p)
    for step, place in enumerate(np.argsort(p)):
        if p[place] * (len(p) - step) >= level:
            break
        different[place] = True
    return different


def check_2(answer):
    p = [0.30, 0.004, 0.011, 0.45, 0.0053, 0.60, 0.013, 0.90, 0.70, 0.0061]
    right = answer_2(p, 0.05)
    mistakes = {
        "each at .05 lets luck in: multiply the smallest p by 10, the next by 9": [
            x < 0.05 for x in p
        ],
        "that is Bonferroni: after the smallest, 9 models are left, not 10": [
            x * 10 < 0.05 for x in p
        ],
    }
    places = np.flatnonzero(right).tolist()
    otherwise = f"at .05 the models {places} are different, and no others: not {{got}}"
    expect(answer(p, 0.05), right, mistakes, otherwise)
    late = (
        "stop at the first p that is too large: .03 times 3 is, "
        "so the others are not asked any more"
    )
    expect(answer([0.03, 0.04, 0.045], 0.05), [False, False, False], otherwise=late)


def answer_3(one, other, users):
    of_one = np.var(one, ddof=1) / len(one)
    of_other = np.var(other, ddof=1) / len(other)
    return np.sqrt(users**2 + of_one + of_other)


def check_3(answer):
    one = np.array([1.00, 1.04, 0.98])
    other = np.array([0.95, 1.01, 0.99, 1.05, 0.97])
    users = 0.015
    single = np.var(one, ddof=1) + np.var(other, ddof=1)
    of_means = np.var(one, ddof=1) / 3 + np.var(other, ddof=1) / 5
    biased = np.var(one) / 3 + np.var(other) / 5
    mistakes = {
        "the users add to it: variances add up": np.sqrt(of_means),
        "variances add up, standard errors do not: square, add, take the root": (
            users + np.sqrt(of_means)
        ),
        "the variance of few seeds is the sum of squares over n - 1: ddof=1": (
            np.sqrt(users**2 + biased)
        ),
        "that is the spread of single seeds: the mean of n has 1/n of the variance": (
            np.sqrt(users**2 + single)
        ),
    }
    right = answer_3(one, other, users)
    expect(answer(one, other, users), right, mistakes, "expected {right}, not {got}")
