"""What the losses of this folder accept, checked at the door.

Each function returns its arrays as float64, or raises ValueError with one sentence: the offending
value and the remedy. N is the number of examples.
"""

import numpy as np

from satlib.data.labels import numbers, refuse


def paired(first: str, values, second: str, others, dims: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """``values`` [N] and ``others``, which has N rows and ``dims`` dimensions.

    first, second: what the two are called in an error.
    """
    values = numbers(first, values, dims=1)
    others = numbers(second, others, dims)
    if len(values) != len(others):
        raise ValueError(
            f"{first} has {len(values)} rows and {second} has {len(others)}; "
            "they must be equally many"
        )
    return values, others


def unit_targets(y, name: str, output) -> tuple[np.ndarray, np.ndarray]:
    """Targets y [N] in [0, 1], and the model's output [N], which an error calls ``name``."""
    y, output = paired("y", y, name, output)
    outside = (y < 0) | (y > 1)
    refuse("y", y, outside, "a target lies in [0, 1]: scale ratings with to_unit first")
    return y, output


def binary_labels(y, name: str, output) -> tuple[np.ndarray, np.ndarray]:
    """Labels y [N], each 0 or 1, and the model's output [N], which an error calls ``name``."""
    y, output = paired("y", y, name, output)
    other = (y != 0) & (y != 1)
    refuse("y", y, other, "a binary label is 0 (unsatisfied) or 1 (satisfied)")
    return y, output


def class_numbers(y: np.ndarray, highest: int, where: str = "") -> np.ndarray:
    """Classes y [N] as integers, each from 0 to ``highest``; ``where`` begins the remedy."""
    wrong = (y != np.floor(y)) | (y < 0) | (y > highest)
    remedy = f"{where}a class is a whole number from 0 to {highest} (rating 1 is class 0)"
    refuse("y", y, wrong, remedy)
    return y.astype(np.int64)
