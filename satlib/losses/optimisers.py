"""Update rules that follow a gradient downhill: SGD as the article has it, and Adam.

Each takes parameters and a gradient of one shape and returns new parameters; nothing is changed in
place. Weight decay enters either beside the step (decoupled) or through the gradient (coupled).
Source: the article, section 4.1.
"""

import numpy as np

from satlib.data.labels import numbers


def sgd_step(
    theta, gradient, learning_rate: float, weight_decay: float = 0.0, decoupled: bool = True
) -> np.ndarray:
    """One step of the article's rule: theta - eta * gradient - eta * lambda * theta (article 4.1).

    decoupled=False puts the decay into the gradient instead, as an L2 term of the loss would; here
    that is the same.
    """
    theta, gradient = _checked(theta, gradient, learning_rate, weight_decay)
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
    theta, gradient = _checked(theta, gradient, learning_rate, weight_decay)
    if not decoupled:
        gradient = gradient + weight_decay * theta

    steps, mean, square = state
    steps += 1
    mean_beta, square_beta = betas
    mean = mean_beta * mean + (1 - mean_beta) * gradient
    square = square_beta * square + (1 - square_beta) * gradient**2

    # Both running means start at 0 and are too small at first: divide by the weight they have seen.
    corrected_mean = mean / (1 - mean_beta**steps)
    corrected_square = square / (1 - square_beta**steps)
    move = corrected_mean / (np.sqrt(corrected_square) + eps)

    if decoupled:
        theta = theta * (1 - learning_rate * weight_decay)
    return theta - learning_rate * move, (steps, mean, square)


def _checked(
    theta, gradient, learning_rate: float, weight_decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and gradient as arrays of one shape; ValueError for them or for the two rates."""
    theta = numbers("theta", theta)
    gradient = numbers("gradient", gradient)
    if theta.shape != gradient.shape:
        raise ValueError(
            f"gradient has shape {list(gradient.shape)}; theta needs {list(theta.shape)}"
        )
    if not (0 < learning_rate < np.inf and 0 <= weight_decay < np.inf):
        raise ValueError(
            f"learning_rate {learning_rate!r} must be above 0, "
            f"weight_decay {weight_decay!r} at least 0"
        )
    return theta, gradient
