"""The exercises of lesson 11: a reference answer and a checker each."""

import math

import numpy as np


def answer_1(loss, low, high):
    return (high - low) * math.sqrt(loss)


def check_1(answer):
    for loss, low, high in ((0.04, 1, 5), (0.0225, 1, 5), (0.01, 0.5, 5), (0.25, 0, 1)):
        got, expected = float(answer(loss, low, high)), (high - low) * math.sqrt(loss)
        wrong = {
            low
            + expected: "an error is a difference: stretch it by the length of the scale, do not shift it",
            high * math.sqrt(loss): "the length of the scale is high - low, not high",
            (high - low) * loss: "the loss is a mean of squares: take its root first",
        }
        hints = [hint for mistake, hint in wrong.items() if math.isclose(got, mistake)]
        hints.append(
            f"a loss of {loss:g} on {low:g}..{high:g} should give {expected:.4f} points, not {got:.4f}"
        )
        assert math.isclose(got, expected), hints[0]


def answer_2(theta, gradient, velocity, learning_rate, weight_decay, momentum):
    velocity = momentum * velocity + gradient + weight_decay * theta
    return theta - learning_rate * velocity, velocity


def check_2(answer):
    import torch

    start, gradients = np.array([1.0, -2.0]), np.random.default_rng(0).normal(size=(6, 2))
    weights = torch.nn.Parameter(torch.tensor(start))
    optimiser = torch.optim.SGD([weights], lr=0.1, weight_decay=0.2, momentum=0.9)
    theta, velocity = start, np.zeros(2)
    for step, gradient in enumerate(gradients, start=1):
        theta, velocity = answer(theta, gradient, velocity, 0.1, 0.2, 0.9)
        weights.grad = torch.tensor(gradient)
        optimiser.step()
        hint = (
            "check the sign and the decay"
            if step == 1
            else "is the decay inside the velocity, and kept in it?"
        )
        close = np.allclose(theta, weights.detach().numpy(), atol=1e-10)
        assert close, f"step {step} differs from torch.optim.SGD: {hint}"
