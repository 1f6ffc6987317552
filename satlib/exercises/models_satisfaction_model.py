"""The exercises of lesson 41: a reference answer and a checker each."""

import numpy as np


def answer_1(hidden, mask):
    return hidden.masked_fill(mask[:, :, None] == 0, float("-inf")).amax(dim=1)


def check_1(answer):
    import torch

    hidden = torch.tensor(
        [[[-3.0, 1.0], [-2.0, -5.0], [9.0, 9.0]], [[4.0, -1.0], [0.0, -2.0], [1.0, -3.0]]]
    )
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    before, expected = hidden.clone(), torch.tensor([[-2.0, 1.0], [4.0, -1.0]])
    found = torch.as_tensor(answer(hidden, mask))
    assert torch.equal(hidden, before), "hidden was changed; the caller still needs it"
    assert tuple(found.shape) == (2, 2), (
        f"one vector per text: shape [B, H] = (2, 2), not {tuple(found.shape)}"
    )
    assert not torch.equal(found, hidden.amax(1)), (
        "padding won: the third token of the first text is not there"
    )
    zeroed = (hidden * mask[:, :, None]).amax(1)
    assert not torch.equal(found, zeroed), (
        "padding is 0 now, and 0 is larger than -2: it must be smaller than anything"
    )
    assert torch.equal(found, expected), f"expected {expected.tolist()}, got {found.tolist()}"


def answer_2(p, threshold):
    ratings = np.arange(1, 6)
    return p @ ratings, p[:, ratings >= threshold].sum(axis=1)


def check_2(answer):
    p = np.array([[0.35, 0.05, 0.05, 0.15, 0.40], [0.0, 0.1, 0.2, 0.6, 0.1]])
    rating, satisfied = (np.asarray(part, dtype=float) for part in answer(p, 4))
    assert rating.shape == satisfied.shape == (2,), (
        "two arrays of shape [N], first the ratings, then the probabilities"
    )
    assert not np.allclose(rating, [5, 4]), (
        "that is the most probable rating; expected is the mean under p"
    )
    assert not np.allclose(rating, [2.2, 2.7]), "the classes count from 1, not from 0"
    assert np.allclose(rating, [3.2, 3.7]), f"the expected ratings are 3.2 and 3.7, not {rating}"
    assert not np.allclose(satisfied, [0.40, 0.1]), (
        "a rating equal to the threshold counts as satisfied"
    )
    assert np.allclose(satisfied, [0.55, 0.7]), f"P(rating >= 4) is 0.55 and 0.7, not {satisfied}"
    assert np.allclose(answer(p, 3.5)[1], [0.55, 0.7]), "a threshold may lie between two ratings"
