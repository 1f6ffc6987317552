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
from satlib.data.labels import from_unit, numbers, to_unit
from satlib.losses import cross_entropy, ordinal, squared_error

CLASS_COUNT = 5  # ratings 1 to 5 are classes 0 to 4
BOUNDARIES = CLASS_COUNT - 1
# A step between two biases is an exp: beyond these exponents it is lost in rounding, or overflows.
MOST_EXPONENT = 20.0
LBFGS_OPTIONS = {"maxiter": 1000, "ftol": 1e-10, "gtol": 1e-6}


def classes(rating) -> np.ndarray:
    """Ratings [N] as classes 0..4: halves round up, and what lies beyond the scale counts as its
    end."""
    rounded = np.floor(numbers("rating", rating, dims=1) + 0.5)
    return np.clip(rounded, 1, CLASS_COUNT).astype(int) - 1


def _soft_labels(rating) -> np.ndarray:
    """Ratings [N] as distributions [N, 5] over the two nearest classes."""
    return ordinal.soft_labels(np.clip(rating, 1, CLASS_COUNT) - 1, CLASS_COUNT)


def _squared_error(y, z) -> float:
    """Mean squared error of the only logit of each row of z [N, 1]."""
    return squared_error.squared_error(y, z[:, 0])


def _squared_error_gradient(y, z) -> np.ndarray:
    """Gradient [N, 1] of ``_squared_error`` by the logit."""
    return squared_error.squared_error_gradient(y, z[:, 0])[:, None]


@dataclass(frozen=True)
class Loss:
    """What belongs to a loss, so that one function can fit a model with any of them.

    target: makes what is learnt of ratings [N]. loss, gradient: of targets and logits [N, outputs].
    probabilities: of the classes, of logits; None where the logit is the rating itself. outputs:
    number of logits. shared: whether they are one score plus a bias each. ordered: whether the
    biases must fall.
    """

    target: Callable
    loss: Callable
    gradient: Callable
    probabilities: Callable | None
    outputs: int
    shared: bool = False
    ordered: bool = False


LOSSES = {
    "regression": Loss(
        target=to_unit,
        loss=_squared_error,
        gradient=_squared_error_gradient,
        probabilities=None,
        outputs=1,
    ),
    "classes": Loss(
        target=classes,
        loss=cross_entropy.cross_entropy,
        gradient=cross_entropy.cross_entropy_gradient,
        probabilities=cross_entropy.softmax,
        outputs=CLASS_COUNT,
    ),
    "cumulative": Loss(
        target=classes,
        loss=ordinal.cumulative_loss,
        gradient=ordinal.cumulative_gradient,
        probabilities=ordinal.cumulative_probabilities,
        outputs=BOUNDARIES,
        shared=True,
        ordered=True,
    ),
    "coral": Loss(
        target=classes,
        loss=ordinal.coral_loss,
        gradient=ordinal.coral_gradient,
        probabilities=ordinal.cumulative_probabilities,
        outputs=BOUNDARIES,
        shared=True,
    ),
    "free": Loss(
        target=classes,
        loss=ordinal.coral_loss,
        gradient=ordinal.coral_gradient,
        probabilities=ordinal.cumulative_probabilities,
        outputs=BOUNDARIES,
    ),
    "corn": Loss(
        target=classes,
        loss=ordinal.corn_loss,
        gradient=ordinal.corn_gradient,
        probabilities=ordinal.corn_probabilities,
        outputs=BOUNDARIES,
    ),
    "soft": Loss(
        target=_soft_labels,
        loss=ordinal.soft_cross_entropy,
        gradient=ordinal.soft_cross_entropy_gradient,
        probabilities=cross_entropy.softmax,
        outputs=CLASS_COUNT,
    ),
}


@dataclass(frozen=True)
class LinearModel:
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
        return numbers("x", x, dims=2) @ self.weight + self.bias

    def predict(self, x) -> np.ndarray:
        """Expected ratings [N], from 1 to 5."""
        logits = self.logits(x)
        probabilities = LOSSES[self.name].probabilities
        if probabilities is None:
            return np.clip(from_unit(logits[:, 0]), 1, CLASS_COUNT)
        return 1 + ordinal.expected_class(probabilities(logits))


def fit(name: str, x, rating, penalty: float = 0.0) -> LinearModel:
    """The model with the least mean loss + penalty / 2 * ``|weight|^2``, for features x [N, D] and
    ratings [N], 1 to 5.

    The biases are not penalised. Deterministic: L-BFGS starts from zero weights.
    """
    runtime.one_of("loss", name, LOSSES)
    loss = LOSSES[name]
    x = numbers("x", x, dims=2)
    rating = numbers("rating", rating, dims=1)
    if len(x) != len(rating) or not 0 <= penalty < np.inf:
        raise ValueError(
            f"{len(x)} rows of features, {len(rating)} ratings and a penalty of {penalty!r}; "
            "give equally many rows, and a penalty of at least 0"
        )
    target = loss.target(rating)
    columns = x.shape[1]

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The penalised loss of flat parameters, and its gradient by them."""
        model = _model_of(name, theta, columns)
        logits = model.logits(x)
        value = loss.loss(target, logits) + penalty / 2 * float(np.sum(model.weight**2))
        by_logits = loss.gradient(target, logits)
        return value, _gradient_of(loss, theta, model, by_logits, x, penalty)

    scores = 1 if loss.shared else loss.outputs
    start = np.zeros(columns * scores + loss.outputs)
    minimum = minimize(objective, start, jac=True, method="L-BFGS-B", options=LBFGS_OPTIONS)
    return _model_of(name, minimum.x, columns)


def _model_of(name: str, theta: np.ndarray, columns: int) -> LinearModel:
    """The model of flat parameters: first the weights, then what the biases are made of.

    Ordered biases are a first one and steps down, each the exp of its parameter, so that they fall
    whatever the parameters are.
    """
    loss = LOSSES[name]
    weight, free = np.split(theta, [len(theta) - loss.outputs])
    bias = _falling_biases(free) if loss.ordered else free
    return LinearModel(name, weight.reshape(columns, -1), bias)


def _falling_biases(free: np.ndarray) -> np.ndarray:
    """Biases [K-1]: the first parameter, and from there steps down."""
    return np.cumsum(np.append(free[:1], _steps_down(free)))


def _steps_down(free: np.ndarray) -> np.ndarray:
    """Steps [K-2] from each bias to the next, all below 0."""
    return -np.exp(np.clip(free[1:], -MOST_EXPONENT, MOST_EXPONENT))


def _gradient_of(
    loss: Loss, theta: np.ndarray, model: LinearModel, by_logits: np.ndarray, x, penalty: float
) -> np.ndarray:
    """Chain rule: from the gradient by the logits [N, outputs] to the one by flat parameters."""
    by_bias = by_logits.sum(axis=0)
    if loss.ordered:
        by_bias = _by_steps(theta[-loss.outputs :], by_bias)
    if loss.shared:  # all logits of a row are its one score plus a bias
        by_logits = by_logits.sum(axis=1, keepdims=True)
    by_weight = x.T @ by_logits + penalty * model.weight
    return np.append(by_weight.ravel(), by_bias)


def _by_steps(free: np.ndarray, by_bias: np.ndarray) -> np.ndarray:
    """Chain rule through the steps: the first parameter moves all biases, each later one those from
    its own on."""
    moved_biases = np.cumsum(by_bias[::-1])[::-1]
    return moved_biases * np.append(1, _steps_down(free))
