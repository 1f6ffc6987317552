"""The heads that know the order of the ratings, in torch: their layer, their loss of a batch, their
fit, their reading.

Taught with lesson 41 beside ``heads``, which calls them by name; lesson 13 derives the losses.
"cumulative" and "coral" give one score to an example and share four boundaries among all; "corn"
gives four logits to an example; "soft" gives five and is trained on soft labels. Classes count from
0 (rating 1 is class 0), as in ``losses_ordinal``.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from satlib.losses import cross_entropy, ordinal

ORDINAL = {"cumulative": 4, "coral": 4, "corn": 4, "soft": 5}  # name -> number of logits
LEAST_GAP = 1e-2  # between two thresholds that were fitted without an example between them
ROUNDING = 1e-6  # a gap between float32 logits is known to about so much
READINGS = {
    "cumulative": ordinal.cumulative_probabilities,
    "coral": ordinal.cumulative_probabilities,
    "corn": ordinal.corn_probabilities,
    "soft": cross_entropy.softmax,
}  # logits [N, .] -> probabilities [N, 5]


class SharedScore(nn.Linear):
    """One score for an example and a bias for each boundary: logits [B, K-1].

    ordered: the biases fall by construction, the first one is free and each next one is lower by a
    softplus of its parameter (cumulative logits must not cross). Otherwise they are free (CORAL,
    whose loss puts them in order).
    """

    def __init__(self, size: int, boundaries: int, ordered: bool):
        super().__init__(size, 1)
        self.bias, self.ordered = nn.Parameter(torch.zeros(boundaries)), ordered

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Logits [B, K-1] of "above boundary k" for the head's input [B, H]."""
        return functional.linear(seen, self.weight) + self.biases()

    @torch.no_grad()
    def start(self) -> None:
        """Biases of a fresh head: at a score of 0 all classes are equally probable."""
        share = 1 - torch.arange(1, len(self.bias) + 1) / (len(self.bias) + 1)
        self.bias.copy_(raw(share.logit()) if self.ordered else share.logit())

    def biases(self) -> torch.Tensor:
        """Biases [K-1] as they are added to the score."""
        return falling(self.bias) if self.ordered else self.bias


def falling(raw: torch.Tensor) -> torch.Tensor:
    """Falling biases [K-1] from free parameters: the first, and then steps down of
    softplus(parameter)."""
    return torch.cat([raw[:1], raw[:1] - functional.softplus(raw[1:]).cumsum(0)])


def raw(biases: torch.Tensor) -> torch.Tensor:
    """The inverse of ``falling``."""
    return torch.cat([biases[:1], (biases[:-1] - biases[1:]).expm1().log()])


def layer(size: int, head: str) -> nn.Linear:
    """The last layer of one of the heads ORDINAL for an input of ``size`` numbers."""
    if head in ("cumulative", "coral"):
        return SharedScore(size, ORDINAL[head], ordered=head == "cumulative")
    return nn.Linear(size, ORDINAL[head])


def cumulative_loss(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean of -log(sigmoid(z[y-1]) - sigmoid(z[y])); z [B, K-1] falling, classes y [B].

    ``ordinal.cumulative_loss``, but for a gap too small for float32, which is taken as ROUNDING.
    """
    low, high = (
        z.gather(1, y.add(shift).clamp(0, z.shape[1] - 1)[:, None])[:, 0] for shift in (-1, 0)
    )
    has_low, has_high = (y > 0).to(z.dtype), (y < z.shape[1]).to(z.dtype)
    between = -torch.log(-torch.expm1(-(low - high).clamp_min(ROUNDING))) * has_low * has_high
    return (
        between - functional.logsigmoid(low) * has_low - functional.logsigmoid(-high) * has_high
    ).mean()


def binary_losses(z: torch.Tensor, y: torch.Tensor, conditional: bool) -> torch.Tensor:
    """Mean over examples of their summed binary cross-entropies: CORAL, or CORN (conditional: where
    y >= k only)."""
    boundary = torch.arange(z.shape[1], device=z.device)
    above, asked = (y[:, None] > boundary).to(z.dtype), (y[:, None] >= boundary).to(z.dtype)
    weight = asked if conditional else None
    return functional.binary_cross_entropy_with_logits(z, above, weight, reduction="sum") / len(z)


def soft_labels(ratings: torch.Tensor, classes: int) -> torch.Tensor:
    """Distributions [B, K] for ratings [B]: 3.67, a mean of annotators, is shared by the ratings 3
    and 4.

    A rating below 1 or above K, such as half a star, counts as the nearest one.
    """
    y = ratings.clamp(1, classes) - 1
    return (1 - (y[:, None] - torch.arange(classes, device=y.device)).abs()).clamp_min(0)


def loss_of(
    logits: torch.Tensor, ratings: torch.Tensor, y: torch.Tensor, head: str
) -> torch.Tensor:
    """Mean loss of a batch in nats: logits [B, ORDINAL[head]], ratings [B], and their classes y [B]
    from 0."""
    if head == "cumulative":
        return cumulative_loss(logits, y)
    if head == "soft":
        return functional.cross_entropy(logits, soft_labels(ratings, logits.shape[1]))
    return binary_losses(logits, y, conditional=head == "corn")


def solution(
    seen: np.ndarray, head: str, loss: Callable[[torch.Tensor], torch.Tensor], strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weight [., H] and biases of the head on embeddings [N, H] of least N loss + strength / 2
    ``|weight|^2``.

    By L-BFGS in float64, from zero. The problem is convex; the biases are not penalised, as in
    scikit-learn's logistic regression.
    """
    x = torch.from_numpy(seen)
    last = layer(x.shape[1], head).double()
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

    def closure():
        optimiser.zero_grad()
        value = loss(last(x)) + strength / (2 * len(x)) * last.weight.square().sum()
        value.backward()
        return value

    optimiser.step(closure)
    biases = last.biases() if isinstance(last, SharedScore) else last.bias
    return last.weight.detach().numpy(), _apart(biases.detach(), head).numpy()


def _apart(biases: torch.Tensor, head: str) -> torch.Tensor:
    """Biases of cumulative logits with at least LEAST_GAP between them; those of other heads as
    they are."""
    if head != "cumulative":
        return biases
    return torch.cat(
        [biases[:1], biases[:1] - (biases[:-1] - biases[1:]).clamp_min(LEAST_GAP).cumsum(0)]
    )


def write(last: nn.Linear, weight: np.ndarray, biases: np.ndarray) -> None:
    """Put a fitted weight and biases (as they are added to the score) into a head's last layer."""
    biases = torch.from_numpy(biases)
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy(weight))
        last.bias.copy_(raw(biases) if isinstance(last, SharedScore) and last.ordered else biases)
