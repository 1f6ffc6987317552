"""The exercises of lesson 11: a reference answer and a checker each."""

import math

import numpy as np

from satlib.exercises.checking import expect


def answer_1(loss, low, high):
    return (high - low) * math.sqrt(loss)


def check_1(answer):
    for loss, low, high in ((0.04, 1, 5), (0.0225, 1, 5), (0.01, 0.5, 5), (0.25, 0, 1)):
        right = answer_1(loss, low, high)
        mistakes = {
            "an error is a difference: stretch it by the length of the scale, do not shift it": low
            + right,
            "the length of the scale is high - low, not high": high * math.sqrt(loss),
            "the loss is a mean of squares: take its root first": (high - low) * loss,
        }
        case = f"a loss of {loss:g} on {low:g}..{high:g}"
        otherwise = f"{case} should give {right:.4f} points, not {{got}}"
        expect(answer(loss, low, high), right, mistakes, otherwise)


def answer_2(theta, gradient, velocity, learning_rate, weight_decay, momentum):
    velocity = momentum * velocity + gradient + weight_decay * theta
    return theta - learning_rate * velocity, velocity


def check_2(answer):
    import torch

    theta = np.array([1.0, -2.0])
    velocity = np.zeros(2)
    weights = torch.nn.Parameter(torch.tensor(theta))
    optimiser = torch.optim.SGD([weights], lr=0.1, weight_decay=0.2, momentum=0.9)
    for step, gradient in enumerate(np.random.default_rng(0).normal(size=(6, 2)), start=1):
        theta, velocity = _theta_and_velocity(answer(theta, gradient, velocity, 0.1, 0.2, 0.9))
        weights.grad = torch.tensor(gradient)
        optimiser.step()
        torchs_velocity = optimiser.state[weights]["momentum_buffer"].numpy()
        mistakes = {"return theta first, then the velocity": torchs_velocity}
        # A decay beside the velocity shows from the second step on only.
        if step == 1:
            hint = "check the sign and the decay"
        else:
            hint = "is the decay inside the velocity, and kept in it?"
        otherwise = f"step {step} differs from torch.optim.SGD: {hint}"
        expect(theta, weights.detach().numpy(), mistakes, otherwise)


def _theta_and_velocity(result):
    """The two things that an answer returned, or a hint that it did not."""
    if result is None:
        expect(result, "(theta, velocity)")
    # Two weights alone could be taken for a pair, and are the common mistake.
    assert isinstance(result, tuple | list) and len(result) == 2, (
        "return two things, (theta, velocity): the next step needs the new velocity"
    )
    return result
