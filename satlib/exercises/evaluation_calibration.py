"""The exercises of lesson 52: a reference answer and a checker each."""

import math

import numpy as np


def answer_1(outcome, chance, bins):
    number = np.ceil(chance * bins)
    return max(
        abs(chance[number == m].mean() - outcome[number == m].mean()) for m in np.unique(number)
    )


def check_1(answer):
    rng = np.random.default_rng(0)
    chance = rng.uniform(0.02, 0.69, 400)  # the bins near 1 stay empty
    outcome = (rng.random(400) < np.where(chance < 0.11, 0.6, chance / 2)).astype(float)
    for bins in (5, 10, 20):
        found, expected = float(answer(outcome, chance, bins)), answer_1(outcome, chance, bins)
        number = np.ceil(chance * bins)
        gaps = [(chance - outcome)[number == m] for m in np.unique(number)]
        right = np.isclose(found, expected)
        assert not math.isnan(found), "a bin without rows has no mean: leave it out"
        assert right or not np.isclose(found, sum(abs(gap.sum()) for gap in gaps) / 400), (
            "that is the ECE, the mean over the bins; asked is the largest distance"
        )
        assert right or not np.isclose(found, max(gap.mean() for gap in gaps)), (
            "a share above the chance is a distance as well: take the absolute value in each bin"
        )
        assert right, f"with {bins} bins the largest distance is {expected:.4f}, not {found:.4f}"


def answer_2(p, level):
    tail = (1 - level) / 2
    return 1 + int(np.sum(np.cumsum(p) <= tail)), 5 - int(np.sum(np.cumsum(p[::-1]) <= tail))


def check_2(answer):
    cases = (
        ([0.05, 0.2, 0.4, 0.2, 0.15], 0.8),
        ([0.02, 0.025, 0.055, 0.3, 0.6], 0.9),
        ([0.95, 0.02, 0.01, 0.01, 0.01], 0.8),
    )
    for p, level in cases:
        low, high = found = tuple(answer(np.array(p), level))
        right, whole = answer_2(np.array(p), level), answer_2(np.array(p), 2 * level - 1)
        assert (low + 1, high + 1) != right, "the first rating is 1, not 0"
        assert found == right or found != whole, (
            "on each side only half of 1 - level may be left out"
        )
        assert found == right, (
            f"{p} at the level {level} reaches from {right[0]} to {right[1]}, not {low} to {high}"
        )


def answer_3(loss, unsure, limit):
    risk = np.cumsum(loss[np.argsort(unsure)]) / np.arange(1, len(loss) + 1)
    return np.max(np.flatnonzero(risk <= limit) + 1, initial=0) / len(loss)


def check_3(answer):
    cases = (
        ([4, 0, 1, 3], [0.9, 0.1, 0.2, 0.5], 0.6),
        ([2, 0, 0, 4], [0.1, 0.2, 0.3, 0.9], 0.8),
        ([1, 0, 1, 0, 9], [0.3, 0.1, 0.2, 0.4, 0.6], 0.55),
        ([4, 0, 1, 3], [0.1, 0.3, 0.2, 0.5], 0.1),
    )
    for loss, unsure, limit in cases:
        loss, unsure = np.array(loss, float), np.array(unsure)
        found, right = float(answer(loss, unsure, limit)), answer_3(loss, unsure, limit)
        risk = np.cumsum(loss[np.argsort(unsure)]) / np.arange(1, len(loss) + 1)
        assert right == 0 or not np.isclose(found, right * len(loss)), (
            "give the share of the sessions, not the number"
        )
        first = np.argmax(np.append(risk, np.inf) > limit) / len(loss)
        assert np.isclose(found, right) or not np.isclose(found, first), (
            "the mean loss may fall below the limit again: look at all shares, and take the largest"
        )
        assert np.isclose(found, right) or not np.isclose(found, answer_3(loss, -unsure, limit)), (
            "the surest come first: sort by unsure, upwards"
        )
        assert np.isclose(found, right) or not np.isclose(found, np.mean(loss <= limit)), (
            "the limit holds for the mean loss of all that are answered, not for each of them"
        )
        assert np.isclose(found, right), (
            f"the 1, 2, ... surest have the mean losses {risk.round(2).tolist()}; with "
            f"the limit {limit} the share is {right:.2f}, not {found:.2f}"
        )
