"""The exercises of lesson 44: a reference answer and a checker each."""

import math

import numpy as np


def answer_1(rates, decay):
    return np.prod([1 - rate * decay for rate in rates])


def check_1(answer):
    found = float(answer([0.1, 0.2, 0.1], 1.0))
    assert not math.isclose(found, 0), "AdamW multiplies the decay by the learning rate first"
    assert not math.isclose(found, 0.6), (
        "each update shrinks what the one before has left: multiply, do not add"
    )
    assert not math.isclose(found, 0.352), (
        "asked is the share that is left, not the share that is lost"
    )
    assert not math.isclose(found, 0.729), "the rates differ: take each update's own"
    assert math.isclose(found, 0.648), f"0.9 x 0.8 x 0.9 = 0.648 is left, not {found:.3f}"
    assert math.isclose(float(answer([0.1] * 4, 0.5)), 0.95**4), (
        "four updates at 0.1 with a decay of 0.5 leave 0.95^4"
    )


def answer_2(u, low, high):
    return low * (high / low) ** np.asarray(u)


def check_2(answer):
    u = np.linspace(0, 1, 7)
    found = np.asarray(answer(u, 1e-6, 1e-3), dtype=float)
    assert found.shape == (7,), "one value for every number of u"
    assert not np.allclose(found, 1e-6 + u * (1e-3 - 1e-6)), (
        "that is even: nine of ten values lie above 1e-4"
    )
    assert not np.allclose(found, -6 + 3 * u), "those are the exponents: raise 10 to them"
    assert found.min() > 0.99e-6 and found.max() < 1.01e-3, "the values lie between low and high"
    assert np.allclose(np.log10(found), -6 + 3 * u), (
        "u = 0 gives low, 1 gives high, 1/3 is one power of ten above low"
    )
    assert np.allclose(answer(u, 0.5, 2.0), 0.5 * 4**u), "low and high need not be powers of ten"


def answer_3(new, usual, deviation, t):
    half = t * deviation * math.sqrt(1 / len(new) + 1 / len(usual))
    change = np.mean(new) - np.mean(usual)
    return "better" if change < -half else "worse" if change > half else "no clear difference"


def check_3(answer):
    low, high = [0.90, 0.91, 0.89], [1.00, 1.01, 0.99]
    assert answer(high, low, 0.02, 2.0) != "better", "a higher RMSE is worse"
    assert answer(low, high, 0.1, 2.0) != "better", (
        "0.10 lies inside 2.0 x 0.1 x sqrt(2/3) = 0.16: chance explains it"
    )
    assert answer(low, high, 0.055, 2.0) != "no clear difference", (
        "means of three runs vary less than a run: the half width is t x deviation x sqrt(1/3 + 1/3) = 0.09"
    )
    assert answer(low, high, 0.07, 2.0) != "better", (
        "both means vary: 1/n of the new and 1/n of the usual runs add up"
    )
    for deviation, word in ((0.02, "better"), (0.055, "better"), (0.07, "no clear difference")):
        assert answer(low, high, deviation, 2.0) == word, (
            f"with a deviation of {deviation} it is {word!r}"
        )
    assert answer(high, low, 0.02, 2.0) == "worse", (
        "0.10 is more than chance explains, and it is a rise"
    )
    assert answer(low, [1.00], 0.04, 2.0) == "better", (
        "the settings may have different numbers of runs"
    )
