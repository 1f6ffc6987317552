"""The exercises of lesson 12: a reference answer and a checker each."""

import numpy as np


def answer_1(y, z, weight):
    from satlib.losses import cross_entropy

    p = cross_entropy.sigmoid(z)
    return ((1 - y) * p - weight * y * cross_entropy.sigmoid(-z)) / len(y)


def check_1(answer):
    import torch

    from satlib.losses import cross_entropy

    y, z, weight = (
        np.array([1, 1, 0, 0, 1, 0]),
        np.array([2.0, -1.0, 0.5, -3.0, -800.0, 800.0]),
        0.25,
    )
    logits, targets = torch.tensor(z, requires_grad=True), torch.tensor(y, dtype=torch.float64)
    positive = torch.tensor(weight, dtype=torch.float64)
    torch.nn.functional.binary_cross_entropy_with_logits(
        logits, targets, pos_weight=positive
    ).backward()
    with np.errstate(all="ignore"):
        got, expected, p = (
            np.asarray(answer(y, z, weight), dtype=float),
            logits.grad.numpy(),
            cross_entropy.sigmoid(z),
        )
    assert got.shape == (6,), f"the gradient has one entry per session, shape (6,), not {got.shape}"
    assert np.isfinite(got).all(), (
        "not finite at a logit of 800: use losses.sigmoid, and no division by p or 1 - p"
    )
    assert not np.allclose(got, weight * (p - y) / 6), (
        "the weight belongs to the satisfied sessions only"
    )
    assert not np.allclose(got, 6 * expected), (
        "the loss is a mean: divide by the number of sessions"
    )
    assert not np.allclose(got, -expected), (
        "the sign is turned: the loss falls when a satisfied session's logit rises"
    )
    y, z = y.tolist(), z.tolist()
    assert np.allclose(got, expected, atol=1e-12), (
        f"{y=}, {z=}, {weight=} give {expected.round(3).tolist()}"
    )


def answer_2(z):
    return z[:, 1] - z[:, 0]


def check_2(answer):
    from satlib.losses import cross_entropy

    z = np.array([[0.0, 1.0], [2.0, -1.0], [-3.0, -3.0], [5.0, 5.5]])
    got = np.asarray(answer(z), dtype=float)
    assert got.shape == (4,), f"one logit per row, shape (4,), not {got.shape}"
    assert not np.allclose(got, z[:, 1]), (
        "the other logit counts too: adding a constant to both must change nothing"
    )
    assert not np.allclose(got, cross_entropy.softmax(z)[:, 1]), (
        "this is the probability; the logit comes before the sigmoid"
    )
    assert not np.allclose(got, z[:, 0] - z[:, 1]), "this is the logit of class 0"
    assert np.allclose(cross_entropy.sigmoid(got), cross_entropy.softmax(z)[:, 1]), (
        "its sigmoid differs from the softmax of class 1"
    )
