"""The last layers of the heads with one score for a text and boundaries that all texts share.

Taught with lesson 41 beside ``heads``, whose "cumulative" and "coral" end in them; lesson 13 has
the idea.
"""

import torch
from torch import nn
from torch.nn import functional


class SharedScore(nn.Linear):
    """One score for a text and a bias for each boundary: logits [B, K-1]. The biases are free."""

    def __init__(self, size: int, boundaries: int):
        super().__init__(size, 1)
        self.bias = nn.Parameter(torch.zeros(boundaries))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Logits [B, K-1] of "above boundary k" for the head's input [B, H]."""
        return functional.linear(seen, self.weight) + self.biases()

    def biases(self) -> torch.Tensor:
        """Biases [K-1] as they are added to the score."""
        return self.bias

    @torch.no_grad()
    def start(self) -> None:
        """Biases of a fresh head: at a score of 0 all classes are equally probable."""
        boundaries = torch.arange(1, len(self.bias) + 1)
        above = 1 - boundaries / (len(self.bias) + 1)
        self.put(above.logit())

    def put(self, biases: torch.Tensor) -> None:
        """Take these biases."""
        self.bias.copy_(biases)


class FallingScore(SharedScore):
    """A SharedScore whose biases fall by construction, since cumulative logits must not cross: the
    first is free, and each next one is lower by a softplus of its parameter."""

    def biases(self) -> torch.Tensor:
        return falling(self.bias)

    def put(self, biases: torch.Tensor) -> None:
        super().put(raw(biases))


def falling(free: torch.Tensor) -> torch.Tensor:
    """Falling biases [K-1] from free parameters: the first, and then steps down of
    softplus(parameter)."""
    return torch.cat([free[:1], free[:1] - functional.softplus(free[1:]).cumsum(0)])


def raw(biases: torch.Tensor) -> torch.Tensor:
    """The inverse of ``falling``."""
    return torch.cat([biases[:1], (biases[:-1] - biases[1:]).expm1().log()])
