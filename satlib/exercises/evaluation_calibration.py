"""The exercises of lesson 52: a reference answer and a checker each."""

import math

import numpy as np

from satlib.exercises.checking import expect


def answer_1(outcome, chance, bins):
    number = np.ceil(chance * bins)
    distances = []
    for m in np.unique(number):
        inside = number == m
        distances.append(abs(chance[inside].mean() - outcome[inside].mean()))
    return max(distances)


def check_1(answer):
    rng = np.random.default_rng(0)
    chance = rng.uniform(0.02, 0.69, 400)  # the bins near 1 stay empty
    outcome = (rng.random(400) < np.where(chance < 0.11, 0.6, chance / 2)).astype(float)
    for bins in (5, 10, 20):
        number = np.ceil(chance * bins)
        gaps = [(chance - outcome)[number == m] for m in np.unique(number)]
        ece = sum(abs(gap.sum()) for gap in gaps) / 400
        signed = max(gap.mean() for gap in gaps)
        mistakes = {
            "a bin without rows has no mean: leave it out": math.nan,
            "that is the ECE, the mean over the bins; asked is the largest distance": ece,
            "a share above the chance is a distance as well: "
            "take the absolute value in each bin": signed,
        }
        otherwise = f"with {bins} bins the largest distance is {{right}}, not {{got}}"
        right = answer_1(outcome, chance, bins)
        expect(answer(outcome, chance, bins), right, mistakes, otherwise)


def answer_2(p, level):
    tail = (1 - level) / 2
    left_out_below = int(np.sum(np.cumsum(p) <= tail))
    left_out_above = int(np.sum(np.cumsum(p[::-1]) <= tail))
    return 1 + left_out_below, 5 - left_out_above


def check_2(answer):
    cases = (
        ([0.05, 0.2, 0.4, 0.2, 0.15], 0.8),
        ([0.02, 0.025, 0.055, 0.3, 0.6], 0.9),
        ([0.95, 0.02, 0.01, 0.01, 0.01], 0.8),
    )
    for probabilities, level in cases:
        p = np.array(probabilities)
        low, high = answer_2(p, level)
        mistakes = {
            "the first rating is 1, not 0": (low - 1, high - 1),
            "on each side only half of 1 - level may be left out": answer_2(p, 2 * level - 1),
        }
        otherwise = f"{probabilities} at the level {level}: the interval is {{right}}, not {{got}}"
        expect(answer(p, level), (low, high), mistakes, otherwise)


def answer_3(loss, unsure, limit):
    answered = np.arange(1, len(loss) + 1)
    risk = np.cumsum(loss[np.argsort(unsure)]) / answered
    return np.max(answered[risk <= limit], initial=0) / len(loss)


def check_3(answer):
    cases = (
        ([4, 0, 1, 3], [0.9, 0.1, 0.2, 0.5], 0.6),
        ([2, 0, 0, 4], [0.1, 0.2, 0.3, 0.9], 0.8),
        ([1, 0, 1, 0, 9], [0.3, 0.1, 0.2, 0.4, 0.6], 0.55),
        ([4, 0, 1, 3], [0.1, 0.3, 0.2, 0.5], 0.1),
    )
    for losses, doubts, limit in cases:
        loss = np.array(losses, float)
        unsure = np.array(doubts)
        right = answer_3(loss, unsure, limit)
        risk = np.cumsum(loss[np.argsort(unsure)]) / np.arange(1, len(loss) + 1)
        until_first_excess = np.argmax(np.append(risk, np.inf) > limit) / len(loss)
        mistakes = {
            "give the share of the sessions, not the number": right * len(loss),
            "the mean loss may fall below the limit again: look at all shares, "
            "and take the largest": until_first_excess,
            "the surest come first: sort by unsure, upwards": answer_3(loss, -unsure, limit),
            "the limit holds for the mean loss of all that are answered, "
            "not for each of them": np.mean(loss <= limit),
        }
        otherwise = (
            f"the 1, 2, ... surest have the mean losses {risk.round(2).tolist()}; "
            f"with the limit {limit} the share is {{right}}, not {{got}}"
        )
        expect(answer(loss, unsure, limit), right, mistakes, otherwise)
