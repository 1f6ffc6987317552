"""Two tools for every gradient by hand: carry it on to the parameters, and check it.

The ``*_gradient`` functions of this folder stop at the model's OUTPUT (a prediction, a probability
or a logit). ``chain`` carries such a gradient on to the parameters, which is all of
back-propagation for one layer. ``finite_differences`` finds a gradient without any algebra: too
slow to train with, and the best test that a derivation can have.
"""

from collections.abc import Callable

import numpy as np

from satlib.data.labels import numbers
from satlib.losses.checks import paired


def chain(gradient, jacobian) -> np.ndarray:
    """Chain rule, from a gradient by outputs [N] to the one by parameters [K].

    jacobian: d output i / d theta k, [N, K]. The result is the sum over i of
    gradient[i] * jacobian[i, k].
    """
    gradient, jacobian = paired("gradient", gradient, "jacobian", jacobian, dims=2)
    return jacobian.T @ gradient


def finite_differences(
    loss: Callable[[np.ndarray], float], theta, step: float = 1e-5
) -> np.ndarray:
    """Gradient of ``loss`` at theta (any shape) by central differences.

    Each entry is (L(theta + h) - L(theta - h)) / 2h, where h is ``step`` in one parameter alone.
    """
    theta = numbers("theta", theta)
    gradient = np.empty_like(theta)
    for k in np.ndindex(theta.shape):
        shift = np.zeros_like(theta)
        shift[k] = step
        rise = loss(theta + shift) - loss(theta - shift)
        gradient[k] = rise / (2 * step)
    return gradient
