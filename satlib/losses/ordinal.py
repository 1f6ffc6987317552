"""Losses that know the order of the ratings, their gradients by hand, and the probabilities behind
their logits.

K ordered classes 0..K-1 (rating 1 is class 0) have K-1 boundaries between them; boundary k asks
whether the class lies above k. The three ordinal losses take logits z [N, K-1], one for each
boundary, and their gradients are with respect to them. A model with one score for each example
makes them by ``boundary_logits``, and ``by_score`` carries a gradient back. Everything is NumPy in
float64; losses are means over the N examples, in nats. With K = 2 the three are the binary
cross-entropy of lesson 12.
"""

import numpy as np

from satlib.data.labels import refuse as _refuse
from satlib.losses import cross_entropy, squared_error


def _boundaries(y, z) -> tuple[np.ndarray, np.ndarray]:
    """Classes y [N] as whole numbers and logits z [N, K-1], refused where they do not belong
    together."""
    y, z = squared_error._paired("y", y, "z", z, 2)
    bad = (y != np.floor(y)) | (y < 0) | (y > z.shape[1])
    _refuse(
        "y",
        y,
        bad,
        f"with {z.shape[1]} boundaries a class is a whole number from 0 to {z.shape[1]} "
        "(rating 1 is class 0)",
    )
    return y.astype(np.int64), z


def boundary_logits(score, thresholds) -> np.ndarray:
    """Logits [N, K-1] of "above boundary k": score [N] minus thresholds [K-1].

    Thresholds of cumulative logits ascend. Those of CORAL (it calls minus a threshold a bias) do so
    once it is trained.
    """
    score, thresholds = (
        squared_error._numbers("score", score),
        squared_error._numbers("thresholds", thresholds),
    )
    return score[:, None] - thresholds


def by_score(gradient) -> tuple[np.ndarray, np.ndarray]:
    """Chain rule of ``boundary_logits``: from a gradient by z [N, K-1] to those by score [N] and
    thresholds [K-1]."""
    gradient = squared_error._numbers("gradient", gradient, 2)
    return gradient.sum(axis=1), -gradient.sum(axis=0)


def levels(y, boundaries: int) -> np.ndarray:
    """The answers [N, K-1] of classes y [N] to the questions of all boundaries: 1 where y > k, else
    0."""
    y, _ = _boundaries(y, np.zeros((np.size(y), boundaries)))
    return (y[:, None] > np.arange(boundaries)).astype(float)


def _around(y, z) -> tuple[np.ndarray, ...]:
    """y; the columns below and above each example's class; their logits; whether they exist; the
    gap of the logits."""
    y, z = _boundaries(y, z)
    fall = z[:, :-1] - z[:, 1:]
    _refuse(
        "the fall of z",
        fall,
        fall <= 0,
        "cumulative logits must fall from each boundary to the next: "
        "subtract ascending thresholds from one score",
    )
    below, above = np.maximum(y - 1, 0), np.minimum(y, z.shape[1] - 1)
    low, high = z[np.arange(len(y)), below], z[np.arange(len(y)), above]
    has_below, has_above = y > 0, y < z.shape[1]
    return (
        below,
        above,
        low,
        high,
        has_below,
        has_above,
        np.where(has_below & has_above, low - high, np.inf),
    )


def cumulative_loss(y, z) -> float:
    """Mean of -log P(y) for classes y [N] under cumulative logits z [N, K-1], falling in each row.

    The logit of P(y > k) is z k, so P(y) = sigmoid(z[y-1]) - sigmoid(z[y]), and 1 or 0 stands in
    beyond the ends (McCullagh, Regression models for ordinal data, 1980: proportional odds). The
    difference of two sigmoids near 0 or 1 has no digits left; sigmoid(a) - sigmoid(b) = sigmoid(a)
    sigmoid(-b) (1 - exp(b - a)) keeps them all.
    """
    _, _, low, high, has_below, has_above, gap = _around(y, z)
    sides = np.where(has_below, cross_entropy.softplus(-low), 0) + np.where(
        has_above, cross_entropy.softplus(high), 0
    )
    return float(np.mean(sides - np.log(-np.expm1(-gap))))


def cumulative_gradient(y, z) -> np.ndarray:
    """Gradient [N, K-1] of ``cumulative_loss`` by the logits: not 0 only at the two boundaries of
    the class.

    At the one below it is -(sigmoid(-z) + r) / N, at the one above (sigmoid(z) + r) / N, with r = 1
    / (exp(gap) - 1). By the score r cancels out, and sigmoid(z[y-1]) + sigmoid(z[y]) - 1 is left.
    """
    below, above, low, high, has_below, has_above, gap = _around(y, z)
    gradient, row, r = np.zeros(np.shape(z)), np.arange(len(low)), np.exp(-gap) / -np.expm1(-gap)
    gradient[row, below] -= np.where(has_below, cross_entropy.sigmoid(-low) + r, 0)
    gradient[row, above] += np.where(has_above, cross_entropy.sigmoid(high) + r, 0)
    return gradient / len(row)


def _binary_losses(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return cross_entropy.softplus(np.where(levels(y, z.shape[1]) == 1, -z, z))


def coral_loss(y, z) -> float:
    """Mean over examples of the SUM over boundaries of binary cross-entropies, for y [N] and z [N,
    K-1].

    Cao, Mirjalili and Raschka, Rank consistent ordinal regression for neural networks, 2020, with
    all weights 1; it is ``coral_pytorch.losses.coral_loss`` with its default reduction. There z is
    one score plus K-1 biases; with K-1 free logits this is the older loss of Niu et al. (2016),
    whose probabilities may cross.
    """
    y, z = _boundaries(y, z)
    return float(np.mean(_binary_losses(y, z).sum(axis=1)))


def coral_gradient(y, z) -> np.ndarray:
    """Gradient [N, K-1] of ``coral_loss`` by the logits: (sigmoid(z) - levels) / N, at every
    boundary."""
    y, z = _boundaries(y, z)
    return (cross_entropy.sigmoid(z) - levels(y, z.shape[1])) / len(y)


def _asked(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Whether CORN asks boundary k of an example [N, K-1]: only those that reached it, y >= k."""
    return y[:, None] >= np.arange(z.shape[1])


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
    y, z = _boundaries(y, z)
    return float(np.mean((_binary_losses(y, z) * _asked(y, z)).sum(axis=1)))


def corn_gradient(y, z) -> np.ndarray:
    """Gradient [N, K-1] of ``corn_loss`` by the logits: (sigmoid(z) - levels) / N where y >= k,
    else 0."""
    y, z = _boundaries(y, z)
    return coral_gradient(y, z) * _asked(y, z)


def cumulative_probabilities(z) -> np.ndarray:
    """Probabilities [N, K] of the classes where z [N, K-1] are logits of P(y > k): cumulative
    logits and CORAL.

    Logits that rise from one boundary to the next contradict each other (more surely above 4 than
    above 3); they are read as the running minimum, so that no probability is negative.
    """
    z = np.minimum.accumulate(squared_error._numbers("z", z, 2), axis=1)
    one, end = np.ones((len(z), 1)), np.full((len(z), 1), np.inf)
    above, below = (
        np.hstack([one, cross_entropy.sigmoid(z)]),
        np.hstack([cross_entropy.sigmoid(-z), one]),
    )
    return above * below * -np.expm1(np.hstack([-end, np.diff(z), -end]))


def corn_probabilities(z) -> np.ndarray:
    """Probabilities [N, K] of the classes where z [N, K-1] are CORN's conditional logits, in
    whatever order.

    P(y > k) is the product of the conditional probabilities up to k, so it never rises with k.
    """
    z = squared_error._numbers("z", z, 2)
    one = np.ones((len(z), 1))
    return np.cumprod(np.hstack([one, cross_entropy.sigmoid(z)]), axis=1) * np.hstack(
        [cross_entropy.sigmoid(-z), one]
    )


def expected_class(p) -> np.ndarray:
    """Mean class [N] under probabilities p [N, K], from 0 to K-1; add 1 for a rating. It is the sum
    of all P(y > k)."""
    p = squared_error._numbers("p", p, 2)
    return p @ np.arange(p.shape[1])


def soft_labels(y, classes: int) -> np.ndarray:
    """Distributions [N, K] for y [N] between 0 and K-1: shared by the two neighbouring classes, so
    that the mean is y.

    A mean of three annotators of 3.67, which is y = 2.67, becomes 0.33 on rating 3 and 0.67 on
    rating 4; a whole number stays one class.
    """
    y = squared_error._numbers("y", y)
    _refuse(
        "y",
        y,
        (y < 0) | (y > classes - 1),
        f"y lies between 0 and {classes - 1} (rating 1 is class 0)",
    )
    return np.maximum(0, 1 - np.abs(y[:, None] - np.arange(classes)))


def _distributions(q, z) -> tuple[np.ndarray, np.ndarray]:
    q, z = squared_error._numbers("q", q, 2), squared_error._numbers("z", z, 2)
    if q.shape != z.shape:
        raise ValueError(
            f"q has shape {list(q.shape)} and z {list(z.shape)}; they need the same, [N, K]"
        )
    _refuse("q", q, q < 0, "a probability is at least 0")
    _refuse(
        "the sum of q", q.sum(axis=1), np.abs(q.sum(axis=1) - 1) > 1e-6, "each row of q sums to 1"
    )
    return q, z


def soft_cross_entropy(q, z) -> float:
    """Mean of -sum over classes of q log softmax(z), in nats, for distributions q [N, K] and logits
    z [N, K].

    Its least value is the entropy of q, not 0.
    """
    q, z = _distributions(q, z)
    return float(-np.mean((q * cross_entropy.log_softmax(z)).sum(axis=1)))


def soft_cross_entropy_gradient(q, z) -> np.ndarray:
    """Gradient [N, K] of ``soft_cross_entropy`` by the logits: (softmax(z) - q) / N."""
    q, z = _distributions(q, z)
    return (cross_entropy.softmax(z) - q) / len(q)
