"""Losses that know the order of the ratings, their gradients by hand, and the probabilities behind
their logits.

K ordered classes 0..K-1 (rating 1 is class 0) have K-1 boundaries between them; boundary k asks
whether the class lies above k. The three ordinal losses take logits z [N, K-1], one for each
boundary, and their gradients are with respect to them. A model with one score for each example
makes them by ``boundary_logits``, and ``by_score`` carries a gradient back. Everything is NumPy in
float64; losses are means over the N examples, in nats. With K = 2 the three are the binary
cross-entropy of lesson 12.
"""

from typing import NamedTuple

import numpy as np

from satlib.data.labels import numbers, refuse
from satlib.losses.checks import class_numbers, paired
from satlib.losses.cross_entropy import log_softmax, sigmoid, softmax, softplus

# One score and K-1 thresholds


def boundary_logits(score, thresholds) -> np.ndarray:
    """Logits [N, K-1] of "above boundary k": score [N] minus thresholds [K-1].

    Thresholds of cumulative logits ascend. Those of CORAL (it calls minus a threshold a bias) do so
    once it is trained.
    """
    score = numbers("score", score, dims=1)
    thresholds = numbers("thresholds", thresholds, dims=1)
    return score[:, None] - thresholds


def by_score(gradient) -> tuple[np.ndarray, np.ndarray]:
    """Chain rule of ``boundary_logits``: a gradient by z [N, K-1] becomes two.

    They are those by the score [N] and by the thresholds [K-1].
    """
    gradient = numbers("gradient", gradient, dims=2)
    return gradient.sum(axis=1), -gradient.sum(axis=0)


def levels(y, boundaries: int) -> np.ndarray:
    """The answers [N, K-1] of classes y [N] to the questions of all boundaries: 1 where y > k, else
    0."""
    z = np.zeros((np.size(y), boundaries))
    y, _ = _classes_and_logits(y, z)
    return (y[:, None] > np.arange(boundaries)).astype(float)


def _classes_and_logits(y, z) -> tuple[np.ndarray, np.ndarray]:
    """Classes y [N] as integers, and logits z [N, K-1] of the boundaries between them."""
    y, z = paired("y", y, "z", z, dims=2)
    boundaries = z.shape[1]
    return class_numbers(y, highest=boundaries, where=f"with {boundaries} boundaries "), z


# Cumulative logits


def cumulative_loss(y, z) -> float:
    """Mean of -log P(y) for classes y [N] under cumulative logits z [N, K-1], falling in each row.

    The logit of P(y > k) is z k, so P(y) = sigmoid(z[y-1]) - sigmoid(z[y]), and 1 or 0 stands in
    beyond the ends (McCullagh, Regression models for ordinal data, 1980: proportional odds). The
    difference of two sigmoids near 0 or 1 has no digits left; sigmoid(a) - sigmoid(b) = sigmoid(a)
    sigmoid(-b) (1 - exp(b - a)) keeps them all.
    """
    sides = _sides(y, z)
    below = np.where(sides.has_lower, softplus(-sides.lower_logit), 0)
    above = np.where(sides.has_upper, softplus(sides.upper_logit), 0)
    return float(np.mean(below + above - np.log(-np.expm1(-sides.gap))))


def cumulative_gradient(y, z) -> np.ndarray:
    """Gradient [N, K-1] of ``cumulative_loss`` by the logits: not 0 only at the two boundaries of
    the class.

    At the one below it is -(sigmoid(-z) + r) / N, at the one above (sigmoid(z) + r) / N, with r = 1
    / (exp(gap) - 1). By the score r cancels out, and sigmoid(z[y-1]) + sigmoid(z[y]) - 1 is left.
    """
    sides = _sides(y, z)
    r = np.exp(-sides.gap) / -np.expm1(-sides.gap)
    at_lower = np.where(sides.has_lower, sigmoid(-sides.lower_logit) + r, 0)
    at_upper = np.where(sides.has_upper, sigmoid(sides.upper_logit) + r, 0)

    gradient = np.zeros(np.shape(z))
    rows = np.arange(len(gradient))
    gradient[rows, sides.lower] -= at_lower
    gradient[rows, sides.upper] += at_upper
    return gradient / len(rows)


class _Sides(NamedTuple):
    """The two boundaries around each example's class: columns of z, their logits, and the gap.

    The lowest class has no lower boundary and the highest no upper one. There a column that exists
    stands in, ``has_lower`` or ``has_upper`` is false, and the gap is infinite.
    """

    lower: np.ndarray
    upper: np.ndarray
    lower_logit: np.ndarray
    upper_logit: np.ndarray
    has_lower: np.ndarray
    has_upper: np.ndarray
    gap: np.ndarray


def _sides(y, z) -> _Sides:
    """The boundaries around classes y [N]; cumulative logits z [N, K-1] that do not fall are
    refused."""
    y, z = _classes_and_logits(y, z)
    fall = z[:, :-1] - z[:, 1:]
    remedy = (
        "cumulative logits must fall from each boundary to the next: "
        "subtract ascending thresholds from one score"
    )
    refuse("the fall of z", fall, fall <= 0, remedy)

    boundaries = z.shape[1]
    has_lower = y > 0
    has_upper = y < boundaries
    lower = np.maximum(y - 1, 0)
    upper = np.minimum(y, boundaries - 1)
    rows = np.arange(len(y))
    lower_logit = z[rows, lower]
    upper_logit = z[rows, upper]
    gap = np.where(has_lower & has_upper, lower_logit - upper_logit, np.inf)
    return _Sides(lower, upper, lower_logit, upper_logit, has_lower, has_upper, gap)


def cumulative_probabilities(z) -> np.ndarray:
    """Probabilities [N, K] of the classes where z [N, K-1] are logits of P(y > k): cumulative
    logits and CORAL.

    Logits that rise from one boundary to the next contradict each other (more surely above 4 than
    above 3); they are read as the running minimum, so that no probability is negative.
    """
    z = np.minimum.accumulate(numbers("z", z, dims=2), axis=1)
    one = np.ones((len(z), 1))
    minus_infinity = np.full((len(z), 1), -np.inf)
    # The difference of two sigmoids as a product, as in ``cumulative_loss``. At the ends a sigmoid
    # is 1 and the step infinite.
    above_lower = np.hstack([one, sigmoid(z)])
    below_upper = np.hstack([sigmoid(-z), one])
    steps = np.hstack([minus_infinity, np.diff(z), minus_infinity])
    return above_lower * below_upper * -np.expm1(steps)


# CORAL and CORN


def coral_loss(y, z) -> float:
    """Mean over examples of the SUM over boundaries of binary cross-entropies, for y [N] and z [N,
    K-1].

    Cao, Mirjalili and Raschka, Rank consistent ordinal regression for neural networks, 2020, with
    all weights 1; it is ``coral_pytorch.losses.coral_loss`` with its default reduction. There z is
    one score plus K-1 biases; with K-1 free logits this is the older loss of Niu et al. (2016),
    whose probabilities may cross.
    """
    y, z = _classes_and_logits(y, z)
    return float(np.mean(_binary_losses(y, z).sum(axis=1)))


def coral_gradient(y, z) -> np.ndarray:
    """Gradient [N, K-1] of ``coral_loss`` by the logits: (sigmoid(z) - levels) / N, at every
    boundary."""
    y, z = _classes_and_logits(y, z)
    return (sigmoid(z) - levels(y, z.shape[1])) / len(y)


def corn_loss(y, z) -> float:
    """Mean over examples of the binary cross-entropies of the boundaries that an example reached; y
    [N], z [N, K-1].

    Shi, Cao and Raschka, Deep neural networks for rank-consistent ordinal regression based on
    conditional probabilities, 2021. z k is the logit of P(y > k given y >= k), so boundary k learns
    from the examples with y >= k only. The sum over an example's boundaries is exactly -log P(y).
    ``coral_pytorch.losses.corn_loss`` does not divide by N but by the number of questions asked,
    the sum over k of #(y >= k): a constant factor for a data set, but another one for each batch.
    Divided by N, the loss of a batch is the mean of its examples' losses.
    """
    y, z = _classes_and_logits(y, z)
    losses = _binary_losses(y, z) * _reached(y, z)
    return float(np.mean(losses.sum(axis=1)))


def corn_gradient(y, z) -> np.ndarray:
    """Gradient [N, K-1] of ``corn_loss`` by the logits: (sigmoid(z) - levels) / N where y >= k,
    else 0."""
    y, z = _classes_and_logits(y, z)
    return coral_gradient(y, z) * _reached(y, z)


def corn_probabilities(z) -> np.ndarray:
    """Probabilities [N, K] of the classes where z [N, K-1] are CORN's conditional logits, in
    whatever order.

    P(y > k) is the product of the conditional probabilities up to k, so it never rises with k.
    """
    z = numbers("z", z, dims=2)
    one = np.ones((len(z), 1))
    reached = np.cumprod(np.hstack([one, sigmoid(z)]), axis=1)
    stayed = np.hstack([sigmoid(-z), one])
    return reached * stayed


def _binary_losses(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Binary cross-entropy [N, K-1] of every boundary's question, in nats."""
    signed = np.where(levels(y, z.shape[1]) == 1, -z, z)
    return softplus(signed)


def _reached(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Whether CORN asks boundary k of an example [N, K-1]: only those that reached it, y >= k."""
    return y[:, None] >= np.arange(z.shape[1])


# Distributions over the classes: their mean, and soft labels


def expected_class(p) -> np.ndarray:
    """Mean class [N] under probabilities p [N, K], from 0 to K-1; add 1 for a rating. It is the sum
    of all P(y > k)."""
    p = numbers("p", p, dims=2)
    return p @ np.arange(p.shape[1])


def soft_labels(y, classes: int) -> np.ndarray:
    """Distributions [N, K] for y [N] between 0 and K-1: shared by the two neighbouring classes, so
    that the mean is y.

    A mean of three annotators of 3.67, which is y = 2.67, becomes 0.33 on rating 3 and 0.67 on
    rating 4; a whole number stays one class.
    """
    y = numbers("y", y, dims=1)
    outside = (y < 0) | (y > classes - 1)
    refuse("y", y, outside, f"y lies between 0 and {classes - 1} (rating 1 is class 0)")
    distance = np.abs(y[:, None] - np.arange(classes))
    return np.maximum(0, 1 - distance)


def soft_cross_entropy(q, z) -> float:
    """Mean of -sum over classes of q log softmax(z), in nats, for distributions q [N, K] and logits
    z [N, K].

    Its least value is the entropy of q, not 0.
    """
    q, z = _distributions_and_logits(q, z)
    return float(-np.mean((q * log_softmax(z)).sum(axis=1)))


def soft_cross_entropy_gradient(q, z) -> np.ndarray:
    """Gradient [N, K] of ``soft_cross_entropy`` by the logits: (softmax(z) - q) / N."""
    q, z = _distributions_and_logits(q, z)
    return (softmax(z) - q) / len(q)


def _distributions_and_logits(q, z) -> tuple[np.ndarray, np.ndarray]:
    """Distributions q and logits z, both [N, K]; each row of q sums to 1."""
    q = numbers("q", q, dims=2)
    z = numbers("z", z, dims=2)
    if q.shape != z.shape:
        raise ValueError(
            f"q has shape {list(q.shape)} and z {list(z.shape)}; they need the same, [N, K]"
        )
    refuse("q", q, q < 0, "a probability is at least 0")
    sums = q.sum(axis=1)
    refuse("the sum of q", sums, np.abs(sums - 1) > 1e-6, "each row of q sums to 1")
    return q, z
