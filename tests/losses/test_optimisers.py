"""The update rules against torch's; where decay matters; bad input."""

import numpy as np
import pytest
import torch

from satlib.losses import optimisers


def optimised(optimiser, gradients, start):
    weights = torch.nn.Parameter(torch.tensor(start))
    rule = optimiser([weights])
    for gradient in gradients:
        weights.grad = torch.tensor(gradient)
        rule.step()
    return weights.detach().numpy()


@pytest.mark.parametrize("decoupled", [True, False])
def test_sgd_with_the_articles_decay_is_torch_sgd(decoupled):
    gradients = np.random.default_rng(0).normal(size=(50, 4))
    start = np.array([1.0, -2.0, 0.5, 3.0])
    theta = start
    for gradient in gradients:
        theta = optimisers.sgd_step(theta, gradient, 0.05, 0.1, decoupled)
    torch_sgd = optimised(lambda w: torch.optim.SGD(w, lr=0.05, weight_decay=0.1), gradients, start)
    assert theta == pytest.approx(torch_sgd, abs=1e-12)
    assert (
        np.abs(theta - optimised(lambda w: torch.optim.SGD(w, lr=0.05), gradients, start)).max()
        > 0.1
    )


@pytest.mark.parametrize(("decoupled", "name"), [(True, "AdamW"), (False, "Adam")])
def test_adam_step_is_torch_adam_and_adamw(decoupled, name):
    gradients = np.random.default_rng(0).normal(size=(50, 4)) * [10, 1, 0.1, 0.01]
    start = np.array([1.0, -2.0, 0.5, 3.0])
    theta, state = start, (0, 0.0, 0.0)
    for gradient in gradients:
        theta, state = optimisers.adam_step(
            theta, gradient, state, 0.05, 0.1, decoupled, (0.8, 0.99), 1e-6
        )
    options = {"lr": 0.05, "weight_decay": 0.1, "betas": (0.8, 0.99), "eps": 1e-6}
    expected = optimised(lambda w: getattr(torch.optim, name)(w, **options), gradients, start)
    assert theta == pytest.approx(expected, abs=1e-12)
    assert state[0] == 50


def test_decay_matters_where_only_for_adam():
    theta, gradient = np.array([1.0, 1.0]), np.array([1.0, 0.01])
    same = [
        optimisers.sgd_step(theta, gradient, 0.1, 0.1, decoupled) for decoupled in (True, False)
    ]
    assert same[0] == pytest.approx(same[1], abs=1e-15)
    apart = [
        optimisers.adam_step(theta, gradient, (0, 0.0, 0.0), 0.1, 0.1, decoupled)[0]
        for decoupled in (True, False)
    ]
    assert apart[1] == pytest.approx(
        [0.9, 0.9], abs=1e-6
    )  # the first step of Adam is the sign of the gradient
    assert apart[0] == pytest.approx([0.89, 0.89], abs=1e-6)


def test_inputs_are_left_alone():
    theta, gradient = np.ones(2), np.ones(2)
    optimisers.adam_step(theta, gradient, (0, 0.0, 0.0), 0.1, 0.1, decoupled=False)
    optimisers.sgd_step(theta, gradient, 0.1, 0.1)
    assert theta.tolist() == gradient.tolist() == [1, 1]


NAN = float("nan")
BAD = [
    (lambda: optimisers.sgd_step([1, 2], [1], 0.1), r"gradient has shape \[1\]; theta needs \[2\]"),
    (lambda: optimisers.sgd_step([1], [1], 0), "learning_rate 0 must be above 0"),
    (lambda: optimisers.sgd_step([1], [1], 0.1, -1), "weight_decay -1 at least 0"),
    (lambda: optimisers.adam_step([1], [NAN], (0, 0.0, 0.0), 0.1), r"gradient\[0\] is nan"),
    (
        lambda: optimisers.adam_step([1], [1], (0, 0.0, 0.0), NAN),
        "learning_rate nan must be above 0",
    ),
]


@pytest.mark.parametrize(("call", "sentence"), BAD, ids=[sentence for _, sentence in BAD])
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
