"""The task heads: what the logits of the last layer mean, which loss trains them, and how the head
alone is fitted (article, 3.2 step 4, 4.1, 4.2).

Taught with lesson 41 beside ``satisfaction_model``; lesson 13 derives the ordinal losses. A head is
a class: its last layer, its loss of a batch, its reading of logits, and its fit on a frozen
encoder. HEADS maps names to the classes. "cumulative" and "coral" give one score to a text and
share four boundaries among all texts; "corn" gives four logits to a text; "soft" gives five and is
trained on soft labels.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from satlib.data.labels import from_unit, to_unit
from satlib.evaluation import metrics
from satlib.losses import cross_entropy, ordinal
from satlib.models.head_layers import FallingScore, SharedScore, raw

RATINGS = np.array([1.0, 2.0, 3.0, 4.0, 5.0])  # what the five classes stand for
ABSENT = -20.0  # logit of a class that has no training example: a probability of about 2e-9
LEAST_GAP = 1e-2  # between two thresholds that were fitted without an example between them
ROUNDING = 1e-6  # a gap between float32 logits is known to about so much

Fitted = tuple[np.ndarray, np.ndarray]  # weight [., H] and biases of a last layer


@dataclass(frozen=True)
class Prediction:
    """rating [N] on the scale; distribution [N, 5] over 1..5, or None; satisfied [N], boolean."""

    rating: np.ndarray
    distribution: np.ndarray | None
    satisfied: np.ndarray


class Head:
    """What all heads share. config: the model's (``satisfaction_model.SatisfactionConfig``); of it
    only head, low, high, threshold and group_means are used.

    logits: how many numbers the last layer gives for a text.
    """

    logits = 1

    def __init__(self, config):
        self.config = config

    def layer(self, size: int) -> nn.Linear:
        """The last layer, for an input of ``size`` numbers."""
        return nn.Linear(size, self.logits)

    def loss(self, logits: torch.Tensor, ratings: torch.Tensor) -> torch.Tensor:
        """Mean loss of a batch. ratings [B]: on the scale, of the logits' number format."""
        raise NotImplementedError

    def read(self, logits: np.ndarray) -> Prediction:
        """Turn logits [N] or [N, logits] into a Prediction."""
        raise NotImplementedError

    def fit(self, seen: np.ndarray, ratings: np.ndarray, strength: float) -> Fitted:
        """Weight [., H] and biases of the penalised linear model of this kind on embeddings [N, H].

        Logits are embeddings @ weight.T + biases. Raises ValueError where all ratings fall into
        one class, for a head with classes.
        """
        raise NotImplementedError

    def write(self, last: nn.Linear, weight: np.ndarray, biases: np.ndarray) -> None:
        """Put what ``fit`` found into the last layer."""
        with torch.no_grad():
            last.weight.copy_(torch.from_numpy(weight))
            last.bias.copy_(torch.from_numpy(biases))

    def remember(self, ratings: np.ndarray) -> None:
        """Keep in the config what a reading needs of the training ratings; most heads need
        nothing."""

    def refuse_one_class(self, labels: np.ndarray) -> None:
        """Raise ValueError where the training labels are all the same."""
        if len(np.unique(labels)) == 1:
            raise ValueError(
                f"all {len(labels)} ratings fall into one class; the head {self.config.head!r} "
                "needs at least two"
            )


class Regression(Head):
    """One number, the rating on [0, 1]: squared error (article, 4.1)."""

    def loss(self, logits: torch.Tensor, ratings: torch.Tensor) -> torch.Tensor:
        width = self.config.high - self.config.low
        return functional.mse_loss(logits, (ratings - self.config.low) / width)

    def read(self, logits: np.ndarray) -> Prediction:
        low = self.config.low
        high = self.config.high
        rating = np.clip(from_unit(logits, low, high), low, high)
        return Prediction(rating, None, rating >= self.config.threshold)

    def fit(self, seen: np.ndarray, ratings: np.ndarray, strength: float) -> Fitted:
        from sklearn.linear_model import Ridge

        targets = to_unit(ratings, self.config.low, self.config.high)
        fitted = Ridge(alpha=strength).fit(seen, targets)
        return fitted.coef_[None], np.array([fitted.intercept_])


class Binary(Head):
    """One logit, satisfied or not: binary cross-entropy (article, 4.2)."""

    def loss(self, logits: torch.Tensor, ratings: torch.Tensor) -> torch.Tensor:
        satisfied = (ratings >= self.config.threshold).to(logits.dtype)
        return functional.binary_cross_entropy_with_logits(logits, satisfied)

    def read(self, logits: np.ndarray) -> Prediction:
        satisfied = cross_entropy.sigmoid(logits)
        low_mean, high_mean = self.config.group_means
        rating = (1 - satisfied) * low_mean + satisfied * high_mean
        return Prediction(rating, None, satisfied >= 0.5)

    def fit(self, seen: np.ndarray, ratings: np.ndarray, strength: float) -> Fitted:
        satisfied = ratings >= self.config.threshold
        self.refuse_one_class(satisfied)
        fitted = logistic_regression(seen, satisfied, strength)
        return fitted.coef_, fitted.intercept_

    def remember(self, ratings: np.ndarray) -> None:
        """Keep the mean rating of each group, so that this head too can predict a rating."""
        self.config.group_means = group_means(ratings, self.config.threshold)


class Distribution(Head):
    """What heads with probabilities of the five ratings share: the expected rating is read, and
    whether the threshold is more probably reached than not."""

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities [N, 5] of the ratings 1 to 5, for logits [N, logits]."""
        return cross_entropy.softmax(logits)

    def read(self, logits: np.ndarray) -> Prediction:
        p = self.probabilities(logits)
        satisfied = p[:, RATINGS >= self.config.threshold].sum(1)
        return Prediction(p @ RATINGS, p, satisfied >= 0.5)


class Classes(Distribution):
    """Five logits, a class for each rating: cross-entropy of the softmax (article, 4.2)."""

    logits = 5

    def loss(self, logits: torch.Tensor, ratings: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits, classes_of(ratings))

    def fit(self, seen: np.ndarray, ratings: np.ndarray, strength: float) -> Fitted:
        labels = metrics.classes(ratings)
        self.refuse_one_class(labels)
        fitted = logistic_regression(seen, labels, strength)
        coefficients = fitted.coef_
        intercepts = fitted.intercept_
        present = fitted.classes_.astype(int) - 1
        if len(present) == 2:
            # scikit-learn gives one row of log-odds; half of it against minus half of it is the
            # same in a softmax.
            coefficients = np.vstack([-coefficients, coefficients]) / 2
            intercepts = np.array([-1, 1]) * intercepts[0] / 2
        weight = np.zeros((len(RATINGS), seen.shape[1]))
        biases = np.full(len(RATINGS), ABSENT)
        weight[present] = coefficients
        biases[present] = intercepts
        return weight, biases


class Ordinal(Distribution):
    """What the heads that know the order of the ratings share: they are fitted with their own
    loss."""

    def fit(self, seen: np.ndarray, ratings: np.ndarray, strength: float) -> Fitted:
        """The least N loss + strength / 2 ``|weight|^2``, by L-BFGS in float64, from zero.

        The problem is convex; the biases are not penalised, as in scikit-learn's logistic
        regression.
        """
        self.refuse_one_class(metrics.classes(ratings))
        x = torch.from_numpy(seen)
        known = torch.from_numpy(np.asarray(ratings, dtype=np.float64))
        last = self.layer(x.shape[1]).double()
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        optimiser = torch.optim.LBFGS(
            last.parameters(),
            max_iter=1000,
            history_size=20,
            tolerance_grad=1e-8,
            tolerance_change=1e-12,
            line_search_fn="strong_wolfe",
        )

        def closure() -> torch.Tensor:
            optimiser.zero_grad()
            penalty = strength / (2 * len(x)) * last.weight.square().sum()
            value = self.loss(last(x), known) + penalty
            value.backward()
            return value

        optimiser.step(closure)
        return last.weight.detach().numpy(), self.biases(last).detach().numpy()

    def biases(self, last: nn.Linear) -> torch.Tensor:
        """The biases of a fitted layer, as they are added to its score."""
        return last.bias


class Cumulative(Ordinal):
    """One score and four falling boundaries: the proportional odds model."""

    logits = 4

    def layer(self, size: int) -> nn.Linear:
        return FallingScore(size, self.logits)

    def loss(self, logits: torch.Tensor, ratings: torch.Tensor) -> torch.Tensor:
        return cumulative_loss(logits, classes_of(ratings))

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        return ordinal.cumulative_probabilities(logits)

    def biases(self, last: nn.Linear) -> torch.Tensor:
        """The boundaries, with at least LEAST_GAP between them."""
        fitted = last.biases()
        gaps = (fitted[:-1] - fitted[1:]).clamp_min(LEAST_GAP)
        return torch.cat([fitted[:1], fitted[:1] - gaps.cumsum(0)])

    def write(self, last: nn.Linear, weight: np.ndarray, biases: np.ndarray) -> None:
        super().write(last, weight, raw(torch.from_numpy(biases)).numpy())


class Coral(Ordinal):
    """One score and four free boundaries, whose loss puts them in order (Cao et al., 2020)."""

    logits = 4

    def layer(self, size: int) -> nn.Linear:
        return SharedScore(size, self.logits)

    def loss(self, logits: torch.Tensor, ratings: torch.Tensor) -> torch.Tensor:
        return binary_losses(logits, classes_of(ratings), conditional=False)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        return ordinal.cumulative_probabilities(logits)


class Corn(Ordinal):
    """Four logits, each asked only of the texts that passed the boundary before (Shi et al.,
    2023)."""

    logits = 4

    def loss(self, logits: torch.Tensor, ratings: torch.Tensor) -> torch.Tensor:
        return binary_losses(logits, classes_of(ratings), conditional=True)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        return ordinal.corn_probabilities(logits)


class Soft(Ordinal):
    """Five logits against the rating spread over its two neighbours: cross-entropy."""

    logits = 5

    def loss(self, logits: torch.Tensor, ratings: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits, soft_labels(ratings, self.logits))


HEADS: dict[str, type[Head]] = {
    "regression": Regression,
    "binary": Binary,
    "classes": Classes,
    "cumulative": Cumulative,
    "coral": Coral,
    "corn": Corn,
    "soft": Soft,
}


def head_of(config) -> Head:
    """The head that a model's config names."""
    return HEADS[config.head](config)


def loss_of(logits: torch.Tensor, ratings: torch.Tensor, config) -> torch.Tensor:
    """Mean loss of a batch: squared error on [0, 1], or nats.

    logits [B] where the head has one, else [B, logits]; ratings [B] on the scale.
    """
    return head_of(config).loss(logits, ratings.to(logits.dtype))


def read_logits(logits: np.ndarray, config) -> Prediction:
    """Turn logits into a Prediction: rescale, or take the expectation under the predicted
    probabilities."""
    return head_of(config).read(logits)


# --- labels and losses of a batch; classes y count from 0, as in ``losses.ordinal``


def classes_of(ratings: torch.Tensor) -> torch.Tensor:
    """Ratings [B] as classes 0 to 4, rounded half up, as ``metrics.classes`` does (from 1)."""
    return (ratings + 0.5).floor().clamp(1, 5).long() - 1


def soft_labels(ratings: torch.Tensor, classes: int) -> torch.Tensor:
    """Distributions [B, K] for ratings [B]: 3.67, a mean of annotators, is shared by the ratings 3
    and 4.

    A rating below 1 or above K, such as half a star, counts as the nearest one.
    """
    y = ratings.clamp(1, classes) - 1
    distance = (y[:, None] - torch.arange(classes, device=y.device)).abs()
    return (1 - distance).clamp_min(0)


def cumulative_loss(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean of -log(sigmoid(z[y-1]) - sigmoid(z[y])); z [B, K-1] falling, classes y [B].

    ``ordinal.cumulative_loss``, but for a gap too small for float32, which is taken as ROUNDING.
    """
    last = z.shape[1] - 1
    low = z.gather(1, (y - 1).clamp(0, last)[:, None])[:, 0]
    high = z.gather(1, y.clamp(0, last)[:, None])[:, 0]
    # The lowest class has no boundary below it, the highest none above it.
    has_low = (y > 0).to(z.dtype)
    has_high = (y < z.shape[1]).to(z.dtype)
    gap = (low - high).clamp_min(ROUNDING)
    between = -torch.log(-torch.expm1(-gap)) * has_low * has_high
    losses = (
        between - functional.logsigmoid(low) * has_low - functional.logsigmoid(-high) * has_high
    )
    return losses.mean()


def binary_losses(z: torch.Tensor, y: torch.Tensor, conditional: bool) -> torch.Tensor:
    """Mean over examples of their summed binary cross-entropies: CORAL, or CORN (conditional: where
    y >= k only)."""
    boundary = torch.arange(z.shape[1], device=z.device)
    above = (y[:, None] > boundary).to(z.dtype)
    weight = None
    if conditional:
        weight = (y[:, None] >= boundary).to(z.dtype)
    return functional.binary_cross_entropy_with_logits(z, above, weight, reduction="sum") / len(z)


# --- fits


def logistic_regression(seen: np.ndarray, labels: np.ndarray, strength: float):
    """scikit-learn's logistic regression on embeddings [N, H], with a penalty of this strength."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1 / strength, max_iter=1000).fit(seen, labels)


def group_means(ratings: np.ndarray, threshold: float) -> list[float]:
    """Mean rating of the unsatisfied and of the satisfied: what a binary head needs to predict a
    rating.

    Raises ValueError where one of the two groups is empty.
    """
    satisfied = np.asarray(ratings) >= threshold
    if satisfied.all() or not satisfied.any():
        raise ValueError(
            f"all ratings lie on one side of the threshold {threshold}; a binary head needs both "
            "sides"
        )
    return [float(np.mean(ratings[~satisfied])), float(np.mean(ratings[satisfied]))]
