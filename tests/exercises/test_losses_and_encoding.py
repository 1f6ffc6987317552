"""Which hint the checkers of lessons 11 to 13, 21 and 22 give for which mistake."""

import numpy as np
import pytest

from satlib.exercises import checking, losses_ordinal, losses_squared_error

NAMES = ["11.1", "11.2", "12.1", "12.2", "13.1", "13.2", "13.3", "21.1", "21.2", "22.1", "22.2"]


def hint(checker, answer) -> str:
    """The hint for a wrong answer."""
    text = checking.hint_for(checker, answer)
    assert text is not None
    return text


@pytest.mark.parametrize("name", NAMES)
def test_a_forgotten_return_is_told(name, capsys):
    checking.check(name, lambda *args: None)
    assert "the result is None" in capsys.readouterr().out


def only_theta(theta, gradient, velocity, learning_rate, weight_decay, momentum):
    theta, _ = losses_squared_error.answer_2(
        theta, gradient, velocity, learning_rate, weight_decay, momentum
    )
    return theta


def turned(*args):
    theta, velocity = losses_squared_error.answer_2(*args)
    return velocity, theta


def decay_beside(theta, gradient, velocity, learning_rate, weight_decay, momentum):
    velocity = momentum * velocity + gradient
    return theta - learning_rate * (velocity + weight_decay * theta), velocity


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (only_theta, "return two things, (theta, velocity)"),
        (turned, "return theta first, then the velocity"),
        (lambda t, g, v, *rates: (t + g, v), "step 1 differs from torch.optim.SGD: check the sign"),
        (decay_beside, "step 2 differs from torch.optim.SGD: is the decay inside the velocity"),
    ],
)
def test_momentum(answer, sentence):
    assert hint(losses_squared_error.check_2, answer).startswith(sentence)


def test_a_list_of_theta_and_velocity_is_a_pair():
    text = checking.hint_for(
        losses_squared_error.check_2, lambda *args: list(losses_squared_error.answer_2(*args))
    )
    assert text is None


def test_the_median_where_exactly_one_half_lies_above():
    def more_than_half(above):
        return 1 + (np.asarray(above) > 0.5).sum(axis=1)

    assert "exactly one half" in hint(losses_ordinal.check_1, more_than_half)
    assert checking.hint_for(losses_ordinal.check_1, losses_ordinal.answer_1) is None
