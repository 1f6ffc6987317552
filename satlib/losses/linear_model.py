"""A linear model on fixed features, trained with any of the course's losses: the laboratory of
lesson 13.

The losses have the names that the heads of lesson 41 have, and "free", four logits without an order
between them. The gradient is the one by hand, by the logits; the chain rule carries it to weights
and biases, and SciPy's L-BFGS walks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from satlib import runtime
from satlib.data.labels import from_unit, to_unit
from satlib.losses import cross_entropy, ordinal, squared_error

K = 5  # ratings 1..K
FAR = 20.0  # beyond exp(-FAR) and exp(FAR) a step between two biases would be lost in rounding, or overflow
STOP = {"maxiter": 1000, "ftol": 1e-10, "gtol": 1e-6}  # of L-BFGS


def classes(rating) -> np.ndarray:
    """Ratings [N] as classes 0..4: halves round up, and what lies beyond the scale counts as its
    end."""
    return np.clip(np.floor(squared_error._numbers("rating", rating) + 0.5), 1, K).astype(int) - 1


@dataclass(frozen=True)
class Kind:
    """What belongs to a loss: targets of ratings, loss and gradient by the logits, class
    probabilities of logits.

    outputs: number of logits; shared: they are one score plus a bias each; ordered: whose biases
    must fall.
    """

    target: Callable
    loss: Callable
    gradient: Callable
    probabilities: Callable | None
    outputs: int
    shared: bool = False
    ordered: bool = False


KINDS = {
    "regression": Kind(to_unit, lambda y, z: squared_error.squared_error(y, z[:, 0]),
                       lambda y, z: squared_error.squared_error_gradient(y, z[:, 0])[:, None], None, 1),
    "classes": Kind(classes, cross_entropy.cross_entropy, cross_entropy.cross_entropy_gradient, cross_entropy.softmax, K),
    "cumulative": Kind(classes, ordinal.cumulative_loss, ordinal.cumulative_gradient,
                       ordinal.cumulative_probabilities, K - 1, shared=True, ordered=True),
    "coral": Kind(classes, ordinal.coral_loss, ordinal.coral_gradient, ordinal.cumulative_probabilities, K - 1, True),
    "free": Kind(classes, ordinal.coral_loss, ordinal.coral_gradient, ordinal.cumulative_probabilities, K - 1),
    "corn": Kind(classes, ordinal.corn_loss, ordinal.corn_gradient, ordinal.corn_probabilities, K - 1),
    "soft": Kind(lambda rating: ordinal.soft_labels(np.clip(rating, 1, K) - 1, K), ordinal.soft_cross_entropy,
                 ordinal.soft_cross_entropy_gradient, cross_entropy.softmax, K),
}  # fmt: skip


@dataclass(frozen=True)
class Linear:
    """A fitted model. weight [D, 1] where the logits share a score, else [D, outputs]; bias
    [outputs]."""

    name: str
    weight: np.ndarray
    bias: np.ndarray

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""
        return self.weight.size + self.bias.size

    def logits(self, x) -> np.ndarray:
        """Logits [N, outputs] for features x [N, D]."""
        return squared_error._numbers("x", x, 2) @ self.weight + self.bias

    def predict(self, x) -> np.ndarray:
        """Expected ratings [N], from 1 to 5."""
        probabilities = KINDS[self.name].probabilities
        if probabilities is None:
            return np.clip(from_unit(self.logits(x)[:, 0]), 1, K)
        return 1 + ordinal.expected_class(probabilities(self.logits(x)))


def fit(name: str, x, rating, penalty: float = 0.0) -> Linear:
    """The model with the least mean loss + penalty / 2 * ``|weight|^2``, for features x [N, D] and
    ratings [N], 1 to 5.

    The biases are not penalised. Deterministic: L-BFGS starts from zero weights.
    """
    runtime.one_of("loss", name, KINDS)
    kind, x, rating = (
        KINDS[name],
        squared_error._numbers("x", x, 2),
        squared_error._numbers("rating", rating),
    )
    if len(x) != len(rating) or not 0 <= penalty < np.inf:
        raise ValueError(
            f"{len(x)} rows of features, {len(rating)} ratings and a penalty of {penalty!r}; give equally "
            "many rows, and a penalty of at least 0"
        )
    target, size = kind.target(rating), x.shape[1] * (1 if kind.shared else kind.outputs)

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        model = _unpacked(name, theta, x.shape[1])
        gradient, z = kind.gradient(target, model.logits(x)), model.logits(x)
        by_weight = (
            x.T @ (gradient.sum(axis=1, keepdims=True) if kind.shared else gradient)
            + penalty * model.weight
        )
        by_bias = (
            _by_steps(theta[size:], gradient.sum(axis=0)) if kind.ordered else gradient.sum(axis=0)
        )
        return (
            kind.loss(target, z) + penalty / 2 * float(np.sum(model.weight**2)),
            np.append(by_weight.ravel(), by_bias),
        )

    found = minimize(
        objective, np.zeros(size + kind.outputs), jac=True, method="L-BFGS-B", options=STOP
    )
    return _unpacked(name, found.x, x.shape[1])


def _unpacked(name: str, theta: np.ndarray, columns: int) -> Linear:
    """A model of flat parameters; ordered biases are a first one and steps down, each the exp of
    its parameter."""
    kind = KINDS[name]
    weight, bias = np.split(theta, [len(theta) - kind.outputs])
    bias = (
        np.cumsum(np.append(bias[:1], -np.exp(np.clip(bias[1:], -FAR, FAR))))
        if kind.ordered
        else bias
    )
    return Linear(name, weight.reshape(columns, -1), bias)


def _by_steps(free: np.ndarray, by_bias: np.ndarray) -> np.ndarray:
    """Chain rule through the steps: the first parameter moves all biases, each later one those from
    its own on."""
    return np.cumsum(by_bias[::-1])[::-1] * np.append(1, -np.exp(np.clip(free[1:], -FAR, FAR)))
