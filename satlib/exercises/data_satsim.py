"""The exercises of lesson 03: a reference answer and a checker each."""

import math

import numpy as np

from satlib.exercises.checking import expect


def answer_1(utility, thresholds):
    rating = 1.0
    for threshold in thresholds:
        rating += 1.0 / (1.0 + math.exp(threshold - utility))
    return rating


def check_1(answer):
    from satlib.data.satsim.simulation import THRESHOLDS

    for utility in (-3.0, 0.0, 1.3):
        right = answer_1(utility, THRESHOLDS)
        hint = (
            "a higher utility must give a higher rating: "
            "you have taken P(rating <= k) for P(rating > k)"
        )
        otherwise = f"a utility of {utility:g} gives {{right}}, not {{got}}"
        expect(answer(utility, THRESHOLDS), right, {hint: 6.0 - right}, otherwise)
    single = answer(0.0, (0.0,))
    expect(single, 1.5, {}, "one threshold at the utility itself gives 1 or 2, so 1.5")


def answer_2(chances, annotators):
    stars = np.arange(1.0, 6.0)
    variance = chances @ stars**2 - (chances @ stars) ** 2
    return float(np.sqrt(np.mean(variance / annotators)))


def check_2(answer):
    # Their variances are 4, 0 and 2.
    chances = np.array(
        [[0.5, 0.0, 0.0, 0.0, 0.5], [0.0, 0.0, 1.0, 0.0, 0.0], [0.2, 0.2, 0.2, 0.2, 0.2]]
    )
    mean_of_roots = np.mean([2.0, 0.0, np.sqrt(2.0)])
    expect(
        answer(chances, np.ones(3)),
        np.sqrt(2.0),
        {"average the variances first, then take the root": mean_of_roots},
        "variances 4, 0 and 2 have the mean 2, so the RMSE is {right}, not {got}",
    )
    several = answer(chances, np.array([1, 3, 2]))
    hint = "a mean of m ratings has 1/m of the variance: divide first"
    expect(several, np.sqrt(5.0 / 3.0), {}, hint)
