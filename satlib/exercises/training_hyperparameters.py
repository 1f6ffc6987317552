"""The exercises of lesson 44: a reference answer and a checker each."""

import math

import numpy as np

from satlib.exercises.checking import expect


def answer_1(rates, decay):
    return np.prod([1 - rate * decay for rate in rates])


def check_1(answer):
    mistakes = {
        "AdamW multiplies the decay by the learning rate first": 0.0,
        "each update shrinks what the one before has left: multiply, do not add": 0.6,
        "asked is the share that is left, not the share that is lost": 0.352,
        "the rates differ: take each update's own": 0.729,
    }
    otherwise = "0.9 x 0.8 x 0.9 = 0.648 is left, not {got}"
    expect(answer([0.1, 0.2, 0.1], 1.0), 0.648, mistakes, otherwise)
    otherwise = "four updates at 0.1 with a decay of 0.5 leave 0.95^4"
    expect(answer([0.1] * 4, 0.5), 0.95**4, otherwise=otherwise)


def answer_2(u, low, high):
    return low * (high / low) ** np.asarray(u)


def check_2(answer):
    u = np.linspace(0, 1, 7)
    got = answer(u, 1e-6, 1e-3)
    right = 10 ** (-6 + 3 * u)
    assert got is not None, "the result is None: end the function with `return`"
    expect(np.shape(got), (7,), otherwise="one value for every number of u")
    got = np.asarray(got, dtype=float)
    mistakes = {
        "that is even: nine of ten values lie above 1e-4": 1e-6 + u * (1e-3 - 1e-6),
        "those are the exponents: raise 10 to them": -6 + 3 * u,
    }
    for hint, wrong in mistakes.items():
        assert not np.allclose(got, wrong), hint
    inside = got.min() > 0.99e-6 and got.max() < 1.01e-3
    assert inside, "the values lie between low and high"
    # As logarithms, because the values themselves are small numbers.
    otherwise = "u = 0 gives low, 1 gives high, 1/3 is one power of ten above low"
    expect(np.log10(got), np.log10(right), otherwise=otherwise)
    otherwise = "low and high need not be powers of ten"
    expect(answer(u, 0.5, 2.0), 0.5 * 4**u, otherwise=otherwise)


def answer_3(new, usual, deviation, t):
    half = t * deviation * math.sqrt(1 / len(new) + 1 / len(usual))
    change = np.mean(new) - np.mean(usual)
    if abs(change) <= half:
        return "no clear difference"
    return "better" if change < 0 else "worse"


def check_3(answer):
    low = [0.90, 0.91, 0.89]
    high = [1.00, 1.01, 0.99]

    def ask(new, usual, deviation, right, mistakes, otherwise="with a deviation of {} it is {!r}"):
        got = answer(new, usual, deviation, 2.0)
        expect(got, right, mistakes, otherwise.format(deviation, right))

    ask(
        high,
        low,
        0.02,
        "worse",
        {"a higher RMSE is worse": "better"},
        "0.10 lies outside the interval, and it is a rise",
    )
    inside = "0.10 lies inside 2.0 x 0.1 x sqrt(2/3) = 0.16: these runs show no clear difference"
    ask(low, high, 0.1, "no clear difference", {inside: "better"})
    of_means = (
        "means of three runs vary less than a run: "
        "the half width is t x deviation x sqrt(1/3 + 1/3) = 0.09"
    )
    ask(low, high, 0.055, "better", {of_means: "no clear difference"})
    of_both = "both means vary: 1/n of the new and 1/n of the usual runs add up"
    ask(low, high, 0.07, "no clear difference", {of_both: "better"})
    ask(low, high, 0.02, "better", {})
    ask(low, [1.00], 0.04, "better", {}, "the settings may have different numbers of runs")
