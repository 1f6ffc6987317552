"""Losses, their gradients by hand, and the update rules that follow them downhill.

Everything is NumPy in float64. Each ``*_gradient`` is taken with respect to the model's OUTPUT (a
prediction, a probability or a logit); ``chain`` carries it on to the parameters, which is all of
back-propagation for one layer. Losses are means over the N examples; cross-entropies are in nats.
Source: the article, sections 3.1, 4.1 and 4.2.
"""

import numpy as np

from satlib.data.labels import from_unit as from_unit
from satlib.data.labels import numbers
from satlib.data.labels import refuse as _refuse
from satlib.data.labels import to_unit as to_unit


def _numbers(name: str, value, dims: int | None = 1) -> np.ndarray:
    return numbers(name, value, dims)  # most of what stands here has one dimension


def _paired(first: str, one, second: str, other, dims: int = 1) -> tuple[np.ndarray, np.ndarray]:
    one, other = _numbers(first, one), _numbers(second, other, dims)
    if len(one) == len(other):
        return one, other
    raise ValueError(
        f"{first} has {len(one)} rows and {second} has {len(other)}; they must be equally many"
    )


def _targets(y, output, name: str, binary: bool = False) -> tuple[np.ndarray, np.ndarray]:
    y, output = _paired("y", y, name, output)
    if binary:
        _refuse("y", y, (y != 0) & (y != 1), "a binary label is 0 (unsatisfied) or 1 (satisfied)")
    _refuse("y", y, (y < 0) | (y > 1), "a target lies in [0, 1]: scale ratings with to_unit first")
    return y, output


def squared_error(y, p) -> float:
    """Mean of (y - p)^2 for targets y [N] in [0, 1] and predictions p [N] (article 3.1, 4.1)."""
    y, p = _targets(y, p, "p")
    return float(np.mean((y - p) ** 2))


def squared_error_gradient(y, p) -> np.ndarray:
    """Gradient [N] of ``squared_error`` with respect to p: -2 (y - p) / N."""
    y, p = _targets(y, p, "p")
    return -2 * (y - p) / len(y)
