"""What the losses accept comes back as float64, and what they refuse is told in one sentence."""

import numpy as np
import pytest

from satlib.losses import checks


def test_what_is_right_comes_back_as_numbers():
    y, output = checks.binary_labels([0, 1], "z", [3, -4])
    assert y.dtype == output.dtype == np.float64
    assert checks.unit_targets([0.25], "p", [2])[0].tolist() == [0.25]
    labels = checks.class_numbers(np.array([0.0, 2.0]), highest=2)
    assert labels.dtype == np.int64 and labels.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: checks.paired("a", [1], "b", [1, 2]), "a has 1 rows and b has 2; they must be"),
        (lambda: checks.paired("a", [1], "b", [1], dims=2), r"b has shape \[1\]"),
        (
            lambda: checks.unit_targets([1.5], "p", [0]),
            r"y\[0\] is 1\.5; a target lies in \[0, 1\]",
        ),
        (lambda: checks.binary_labels([0.5], "z", [0]), r"y\[0\] is 0\.5; a binary label is 0"),
        (
            lambda: checks.class_numbers(np.array([3.0]), 2, "with 2 boundaries "),
            r"y\[0\] is 3\.0; with 2 boundaries a class is a whole number from 0 to 2",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
