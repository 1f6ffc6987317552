"""The exercises of lesson 03: a reference answer and a checker each."""

import math

import numpy as np


def answer_1(utility, thresholds):
    return 1.0 + sum(1.0 / (1.0 + math.exp(threshold - utility)) for threshold in thresholds)


def check_1(answer):
    from satlib.data.satsim import simulation

    for utility in (-3.0, 0.0, 1.3):
        true = float(simulation.expected_rating(np.array(simulation.probabilities(utility))))
        found = float(answer(utility, simulation.THRESHOLDS))
        assert abs(found - (6.0 - true)) > 1e-3 or abs(true - 3.0) < 1e-3, (
            "a higher utility must give a higher rating: you have taken P(rating <= k) for P(rating > k)"
        )
        assert abs(found - true) < 1e-3, (
            f"a utility of {utility:g} gives {true:.3f}, not {found:.3f}"
        )
    assert abs(float(answer(0.0, (0.0,))) - 1.5) < 1e-9, (
        "one threshold at the utility itself gives 1 or 2, so 1.5"
    )


def answer_2(chances, annotators):
    stars = np.arange(1.0, 6.0)
    variance = chances @ stars**2 - (chances @ stars) ** 2
    return float(np.sqrt(np.mean(variance / annotators)))


def check_2(answer):
    chances = np.array(
        [[0.5, 0.0, 0.0, 0.0, 0.5], [0.0, 0.0, 1.0, 0.0, 0.0], [0.2, 0.2, 0.2, 0.2, 0.2]]
    )
    one = float(answer(chances, np.ones(3)))
    assert abs(one - np.mean([2.0, 0.0, np.sqrt(2.0)])) > 1e-6, (
        "average the variances first, then take the root"
    )
    assert abs(one - np.sqrt(2.0)) < 1e-6, (
        f"variances 4, 0 and 2 have the mean 2, so the RMSE is 1.414, not {one:.3f}"
    )
    mixed = float(answer(chances, np.array([1, 3, 2])))
    assert abs(mixed - np.sqrt(5.0 / 3.0)) < 1e-6, (
        "a mean of m ratings has 1/m of the variance: divide first"
    )
