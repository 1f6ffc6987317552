"""The squared error, the first loss of the course, and its gradient by hand.

Predictions and targets lie on the unit interval; ``satlib.data.labels`` scales ratings to it. The
loss is a mean over the N examples, in NumPy and float64. Source: the article, sections 3.1 and 4.1.
"""

import numpy as np

from satlib.losses.checks import unit_targets


def squared_error(y, p) -> float:
    """Mean of (y - p)^2 for targets y [N] in [0, 1] and predictions p [N] (article 3.1, 4.1)."""
    y, p = unit_targets(y, "p", p)
    return float(np.mean((y - p) ** 2))


def squared_error_gradient(y, p) -> np.ndarray:
    """Gradient [N] of ``squared_error`` with respect to p: -2 (y - p) / N."""
    y, p = unit_targets(y, "p", p)
    return -2 * (y - p) / len(y)
