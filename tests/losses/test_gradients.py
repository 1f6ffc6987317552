"""Chain rule and central differences: values known in closed form; bad input; inputs stay as they
are."""

import numpy as np
import pytest

from satlib.losses import gradients


def test_finite_differences_of_a_cubic_are_off_by_the_step_squared():
    # The central difference of t^3 at 1 is exactly 3 + h^2.
    slope = gradients.finite_differences(lambda t: float(t[0] ** 3), [1.0], step=0.1)
    assert slope.item() == pytest.approx(3.01, abs=1e-12)


def test_chain_by_hand():
    jacobian = [[1.0, 1.0], [-1.0, 1.0]]  # of w x + b at x = 1 and x = -1
    assert gradients.chain([0.0, -0.25], jacobian).tolist() == [0.25, -0.25]


def test_inputs_are_left_alone():
    theta = np.ones(2)
    gradients.finite_differences(lambda t: float(t.sum()), theta)
    assert theta.tolist() == [1, 1]


NAN = float("nan")
BAD = [
    (lambda: gradients.chain([1, 2], [[1, 2]]), "gradient has 2 rows and jacobian has 1"),
    (lambda: gradients.finite_differences(lambda t: 0.0, [NAN]), r"theta\[0\] is nan"),
]


@pytest.mark.parametrize(("call", "sentence"), BAD, ids=[sentence for _, sentence in BAD])
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
