"""The exercises of lesson 12: a reference answer and a checker each."""

import numpy as np

from satlib.exercises.checking import expect


def answer_1(y, z, weight):
    from satlib.losses import cross_entropy

    p = cross_entropy.sigmoid(z)
    return ((1 - y) * p - weight * y * cross_entropy.sigmoid(-z)) / len(y)


def check_1(answer):
    from satlib.losses import cross_entropy

    y = np.array([1, 1, 0, 0, 1, 0])
    z = np.array([2.0, -1.0, 0.5, -3.0, -800.0, 800.0])
    weight = 0.25
    with np.errstate(all="ignore"):  # what overflows is told by the hint
        got = answer(y, z, weight)
    if got is not None:
        assert np.shape(got) == (6,), (
            f"the gradient has one entry per session, shape (6,), not {np.shape(got)}"
        )
        assert np.isfinite(got).all(), (
            "not finite at a logit of 800: use cross_entropy.sigmoid, and no division by p or 1 - p"
        )
    right = _weighted_gradient_of_torch(y, z, weight)
    both_weighted = weight * (cross_entropy.sigmoid(z) - y) / 6
    mistakes = {
        "the weight belongs to the satisfied sessions only": both_weighted,
        "the loss is a mean: divide by the number of sessions": 6 * right,
        "the sign is turned: the loss falls when a satisfied session's logit rises": -right,
    }
    case = f"y={y.tolist()}, z={z.tolist()}, {weight=}"
    expect(got, right, mistakes, f"{case} give {right.round(3).tolist()}")


def _weighted_gradient_of_torch(y, z, weight):
    """Torch calls the weight of the satisfied sessions ``pos_weight``."""
    import torch

    logits = torch.tensor(z, requires_grad=True)
    targets = torch.tensor(y, dtype=torch.float64)
    positive = torch.tensor(weight, dtype=torch.float64)
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    loss(logits, targets, pos_weight=positive).backward()
    return logits.grad.numpy()


def answer_2(z):
    return z[:, 1] - z[:, 0]


def check_2(answer):
    from satlib.losses import cross_entropy

    z = np.array([[0.0, 1.0], [2.0, -1.0], [-3.0, -3.0], [5.0, 5.5]])
    got = answer(z)
    if got is not None:
        assert np.shape(got) == (4,), f"one logit per row, shape (4,), not {np.shape(got)}"
    probability = cross_entropy.softmax(z)[:, 1]
    mistakes = {
        "the other logit counts too: adding a constant to both must change nothing": z[:, 1],
        "this is the probability; the logit comes before the sigmoid": probability,
        "this is the logit of class 0": z[:, 0] - z[:, 1],
    }
    otherwise = "its sigmoid differs from the softmax of class 1"
    expect(got, z[:, 1] - z[:, 0], mistakes, otherwise)
