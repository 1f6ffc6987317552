"""Losses, their gradients by hand, and the update rules that follow them downhill.

Everything is NumPy in float64. Each ``*_gradient`` is taken with respect to the model's OUTPUT (a
prediction, a probability or a logit); ``chain`` carries it on to the parameters, which is all of
back-propagation for one layer. Losses are means over the N examples; cross-entropies are in nats.
Source: the article, sections 3.1, 4.1 and 4.2.
"""

import numpy as np

from satlib.data.labels import from_unit as from_unit
from satlib.data.labels import to_unit as to_unit
from satlib.losses.squared_error import _numbers


def _step(
    theta, gradient, learning_rate: float, weight_decay: float
) -> tuple[np.ndarray, np.ndarray]:
    theta, gradient = _numbers("theta", theta, None), _numbers("gradient", gradient, None)
    if theta.shape != gradient.shape:
        raise ValueError(
            f"gradient has shape {list(gradient.shape)}; theta needs {list(theta.shape)}"
        )
    if not (0 < learning_rate < np.inf and 0 <= weight_decay < np.inf):
        raise ValueError(
            f"learning_rate {learning_rate!r} must be above 0, weight_decay {weight_decay!r} at least 0"
        )
    return theta, gradient


def sgd_step(
    theta, gradient, learning_rate: float, weight_decay: float = 0.0, decoupled: bool = True
) -> np.ndarray:
    """One step of the article's rule: theta - eta * gradient - eta * lambda * theta (article 4.1).

    decoupled=False puts the decay into the gradient instead, as an L2 term of the loss would; here
    that is the same.
    """
    theta, gradient = _step(theta, gradient, learning_rate, weight_decay)
    if not decoupled:
        return theta - learning_rate * (gradient + weight_decay * theta)
    return theta - learning_rate * gradient - learning_rate * weight_decay * theta


def adam_step(
    theta,
    gradient,
    state: tuple,
    learning_rate: float,
    weight_decay: float = 0.0,
    decoupled: bool = True,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> tuple[np.ndarray, tuple]:
    """One step of Adam (Kingma and Ba 2015) with bias correction; returns theta and the new state.

    state: steps taken, running means of the gradient and of its square; it starts as (0, 0.0, 0.0).
    decoupled=True is AdamW (Loshchilov and Hutter 2019); False adds the decay to the gradient, and
    Adam divides it by their size.
    """
    theta, gradient = _step(theta, gradient, learning_rate, weight_decay)
    if not decoupled:
        gradient = gradient + weight_decay * theta
    steps, mean, square = state
    steps += 1
    mean = betas[0] * mean + (1 - betas[0]) * gradient
    square = betas[1] * square + (1 - betas[1]) * gradient**2
    move = mean / (1 - betas[0] ** steps) / (np.sqrt(square / (1 - betas[1] ** steps)) + eps)
    kept = theta * (1 - learning_rate * weight_decay) if decoupled else theta
    return kept - learning_rate * move, (steps, mean, square)
