"""Losses, their gradients by hand, and the update rules that follow them downhill.

Everything is NumPy in float64. Each ``*_gradient`` is taken with respect to the model's OUTPUT (a
prediction, a probability or a logit); ``chain`` carries it on to the parameters, which is all of
back-propagation for one layer. Losses are means over the N examples; cross-entropies are in nats.
Source: the article, sections 3.1, 4.1 and 4.2.
"""

from collections.abc import Callable

import numpy as np

from satlib.data.labels import from_unit as from_unit
from satlib.data.labels import refuse as _refuse
from satlib.data.labels import to_unit as to_unit
from satlib.losses.squared_error import _numbers, _paired, _targets


def sigmoid(z) -> np.ndarray:
    """1 / (1 + exp(-z)), any shape; exp only ever sees numbers <= 0, so nothing overflows."""
    z = _numbers("z", z, None)
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, small) / (1 + small)


def sigmoid_slope(z) -> np.ndarray:
    """Derivative of ``sigmoid``: p (1 - p), at most 1/4, and without cancellation where p is close
    to 1."""
    return sigmoid(z) * sigmoid(-np.asarray(z, dtype=np.float64))


def softplus(z) -> np.ndarray:
    """log(1 + exp(z)) = -log(sigmoid(-z)), any shape, for logits of any size."""
    z = _numbers("z", z, None)
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def binary_cross_entropy(y, z) -> float:
    """Mean of -[y log p + (1 - y) log(1 - p)] in nats, p = sigmoid(z), for labels y [N] in {0, 1}
    and logits z [N]."""
    y, z = _targets(y, z, "z", binary=True)
    # -log p is softplus(-z), -log(1 - p) is softplus(z): the same numbers, but finite for every
    # logit.
    return float(np.mean(softplus(np.where(y == 1, -z, z))))


def binary_cross_entropy_gradient(y, z) -> np.ndarray:
    """Gradient [N] of ``binary_cross_entropy`` with respect to the logits: (p - y) / N."""
    y, z = _targets(y, z, "z", binary=True)
    return (sigmoid(z) - y) / len(y)


def probability_gradient(y, p) -> np.ndarray:
    """Gradient [N] of the binary cross-entropy with respect to p, 0 < p < 1: -(y / p - (1 - y) / (1
    - p)) / N (4.2)."""
    y, p = _targets(y, p, "p", binary=True)
    _refuse(
        "p",
        p,
        (p <= 0) | (p >= 1),
        "this form needs 0 < p < 1: use binary_cross_entropy_gradient on logits",
    )
    return -(y / p - (1 - y) / (1 - p)) / len(y)


def log_softmax(z) -> np.ndarray:
    """log of ``softmax`` over the classes of z [N, C], by log-sum-exp: the row's maximum is
    subtracted first."""
    z = _numbers("z", z, 2)
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def softmax(z) -> np.ndarray:
    """exp(z) divided by its sum over the classes: probabilities [N, C], each row summing to 1."""
    return np.exp(log_softmax(z))


def _classes(y, z) -> tuple[np.ndarray, np.ndarray]:
    y, z = _paired("y", y, "z", z, 2)
    bad = (y != np.floor(y)) | (y < 0) | (y >= z.shape[1])
    _refuse(
        "y", y, bad, f"a class is a whole number from 0 to {z.shape[1] - 1} (rating 1 is class 0)"
    )
    return y.astype(np.int64), z


def cross_entropy(y, z) -> float:
    """Mean of -log softmax(z)[y] in nats, for classes y [N] (whole numbers from 0) and logits z [N,
    C]."""
    y, z = _classes(y, z)
    return float(-np.mean(log_softmax(z)[np.arange(len(y)), y]))


def cross_entropy_gradient(y, z) -> np.ndarray:
    """Gradient [N, C] of ``cross_entropy`` with respect to the logits: (softmax(z) - onehot(y)) /
    N."""
    y, z = _classes(y, z)
    return (softmax(z) - np.eye(z.shape[1])[y]) / len(y)


def chain(gradient, jacobian) -> np.ndarray:
    """Chain rule, outputs [N] to parameters [K]: sum over i of gradient[i] * jacobian[i, k], d
    output i / d theta k."""
    gradient, jacobian = _paired("gradient", gradient, "jacobian", jacobian, 2)
    return jacobian.T @ gradient


def finite_differences(
    loss: Callable[[np.ndarray], float], theta, step: float = 1e-5
) -> np.ndarray:
    """Gradient of ``loss`` at theta (any shape) by central differences: (L(theta + h) - L(theta -
    h)) / 2h."""
    theta = _numbers("theta", theta, None)
    gradient = np.empty_like(theta)
    for k in np.ndindex(theta.shape):
        shift = np.zeros_like(theta)
        shift[k] = step
        gradient[k] = (loss(theta + shift) - loss(theta - shift)) / (2 * step)
    return gradient
