"""The exercises of lesson 41: a reference answer and a checker each."""

import numpy as np

from satlib.exercises.checking import expect


def answer_1(hidden, mask):
    return hidden.masked_fill(mask[:, :, None] == 0, float("-inf")).amax(dim=1)


def check_1(answer):
    import torch

    # The third vector of the first text is padding's, and all its real values but one are negative.
    first = [[-3.0, 1.0], [-2.0, -5.0], [9.0, 9.0]]
    second = [[4.0, -1.0], [0.0, -2.0], [1.0, -3.0]]
    hidden = torch.tensor([first, second])
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    before = hidden.clone()
    got = answer(hidden, mask)
    assert torch.equal(hidden, before), "hidden was changed; the caller still needs it"
    if isinstance(got, tuple):
        raise AssertionError(
            "`.max(dim=1)` gives two things, the values and their places: return the values"
        )
    assert got is not None, "the result is None: end the function with `return`"
    shape = tuple(np.shape(got))
    expect(shape, (2, 2), otherwise="one vector per text: shape [B, H] = {right}, not {got}")
    mistakes = {
        "padding won: the third token of the first text is not there": hidden.amax(1),
        "padding is 0 now, and 0 is larger than -2: it must be smaller than anything": (
            hidden * mask[:, :, None]
        ).amax(1),
    }
    right = np.array([[-2.0, 1.0], [4.0, -1.0]])
    expect(got, right, mistakes, otherwise="expected {right}, got {got}")


def answer_2(p, threshold):
    ratings = np.arange(1, 6)
    return p @ ratings, p[:, ratings >= threshold].sum(axis=1)


def check_2(answer):
    p = np.array([[0.35, 0.05, 0.05, 0.15, 0.40], [0.0, 0.1, 0.2, 0.6, 0.1]])
    got = answer(p, 4)
    assert got is not None, "the result is None: end the function with `return`"
    two_arrays = "two arrays of shape [N], first the ratings, then the probabilities"
    assert isinstance(got, tuple | list), two_arrays
    assert [np.shape(part) for part in got] == [(2,), (2,)], two_arrays
    rating, satisfied = got
    mistakes = {
        "that is the most probable rating; expected is the mean under p": [5, 4],
        "the classes count from 1, not from 0": [2.2, 2.7],
    }
    right = [3.2, 3.7]
    expect(rating, right, mistakes, otherwise="the expected ratings are {right}, not {got}")
    mistakes = {"a rating equal to the threshold counts as satisfied": [0.40, 0.1]}
    right = [0.55, 0.7]
    expect(satisfied, right, mistakes, otherwise="P(rating >= 4) is {right}, not {got}")
    between = "a threshold may lie between two ratings"
    expect(answer(p, 3.5)[1], right, otherwise=between)
