"""Cross-entropy of a yes or no, and of several classes, with gradients by hand.

First the sigmoid and the loss of one logit, then the softmax and the loss of one logit a class.
Losses take logits, never probabilities, so that none of them overflows; they are means over the N
examples, in nats (natural logarithm), in NumPy and float64. Each gradient is with respect to the
logits, but for ``probability_gradient``. Source: the article, section 4.2.
"""

import numpy as np

from satlib.data.labels import numbers, refuse
from satlib.losses.checks import binary_labels, class_numbers, paired


def sigmoid(z) -> np.ndarray:
    """1 / (1 + exp(-z)), any shape; exp only ever sees numbers <= 0, so nothing overflows."""
    z = numbers("z", z)
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, small) / (1 + small)


def sigmoid_slope(z) -> np.ndarray:
    """Derivative of ``sigmoid``: p (1 - p), at most 1/4.

    It is computed as p(z) p(-z), which does not cancel where p is close to 1.
    """
    z = numbers("z", z)
    return sigmoid(z) * sigmoid(-z)


def softplus(z) -> np.ndarray:
    """log(1 + exp(z)) = -log(sigmoid(-z)), any shape, for logits of any size."""
    z = numbers("z", z)
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def binary_cross_entropy(y, z) -> float:
    """Mean of -[y log p + (1 - y) log(1 - p)] in nats, p = sigmoid(z).

    y: labels [N], each 0 or 1. z: logits [N].
    """
    y, z = binary_labels(y, "z", z)
    # -log p is softplus(-z), and -log(1 - p) is softplus(z): the same numbers, but finite for
    # every logit.
    signed = np.where(y == 1, -z, z)
    return float(np.mean(softplus(signed)))


def binary_cross_entropy_gradient(y, z) -> np.ndarray:
    """Gradient [N] of ``binary_cross_entropy`` with respect to the logits: (p - y) / N."""
    y, z = binary_labels(y, "z", z)
    return (sigmoid(z) - y) / len(y)


def probability_gradient(y, p) -> np.ndarray:
    """Gradient [N] of the binary cross-entropy with respect to p, 0 < p < 1, as in article 4.2.

    It is -(y / p - (1 - y) / (1 - p)) / N.
    """
    y, p = binary_labels(y, "p", p)
    remedy = "this form needs 0 < p < 1: use binary_cross_entropy_gradient on logits"
    refuse("p", p, (p <= 0) | (p >= 1), remedy)
    return -(y / p - (1 - y) / (1 - p)) / len(y)


def log_softmax(z) -> np.ndarray:
    """log of ``softmax`` over the classes of z [N, C], by log-sum-exp."""
    z = numbers("z", z, dims=2)
    # A constant added to a row changes nothing, and with the maximum at 0 no exp overflows.
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def softmax(z) -> np.ndarray:
    """exp(z) divided by its sum over the classes: probabilities [N, C], each row summing to 1."""
    return np.exp(log_softmax(z))


def cross_entropy(y, z) -> float:
    """Mean of -log softmax(z)[y] in nats.

    y: classes [N], whole numbers from 0 to C-1. z: logits [N, C].
    """
    y, z = _classes_and_logits(y, z)
    rows = np.arange(len(y))
    return float(-np.mean(log_softmax(z)[rows, y]))


def cross_entropy_gradient(y, z) -> np.ndarray:
    """Gradient [N, C] of ``cross_entropy`` by the logits: (softmax(z) - onehot(y)) / N."""
    y, z = _classes_and_logits(y, z)
    onehot = np.eye(z.shape[1])[y]
    return (softmax(z) - onehot) / len(y)


def _classes_and_logits(y, z) -> tuple[np.ndarray, np.ndarray]:
    """Classes y [N] as integers, and logits z [N, C]."""
    y, z = paired("y", y, "z", z, dims=2)
    return class_numbers(y, highest=z.shape[1] - 1), z
