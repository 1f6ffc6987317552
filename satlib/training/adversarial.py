"""Train on the worst small change of the words: adversarial training with one gradient step (FGM).

Of each batch the loss is computed twice: on the texts as they are, and on word vectors moved a
little way in the direction in which the loss grows fastest. The gradients of both are added, so
the model learns to give the same answer in a small ball around each text. Few rows are enough to
learn by heart single words; a ball around them is harder to learn by heart. The recipe uses it
(lesson 43); lesson 72 explains and measures it.

Source: Miyato, Dai and Goodfellow, Adversarial Training Methods for Semi-Supervised Text
Classification, ICLR 2017, arXiv 1605.07725, equations 5 to 7.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from satlib.training import loop


@dataclass(frozen=True)
class Adversarial:
    """A batch pass for ``loop.train``: the plain pass, and one on moved word vectors.

    size: how far the word vectors of a text move, as the Euclidean length of the whole move.
    random: moves of the same size in a random direction, to compare with.
    """

    size: float
    random: bool = False

    def __post_init__(self):
        if not 0 < self.size < math.inf:
            raise ValueError(
                f"adversarial = {self.size}; give a length above 0, or 0 in the settings for none"
            )

    def __call__(self, run: "loop.Run", inputs: dict, weight: float, last: bool) -> torch.Tensor:
        """Add the gradients of both passes; give the loss of the plain one, see ``loop.plain``."""
        with word_vectors(run.model) as vectors:
            loss = loop.plain(run, inputs, weight, last=False)
            vectors.move(self.size, self.random)
            loop.plain(run, inputs, weight, last)
        return loss


class WordVectors:
    """What the word table gives for a batch [B, L, H]: seen in one pass, moved in the next."""

    def __init__(self):
        self.seen: torch.Tensor | None = None
        self.change: torch.Tensor | None = None

    def hook(self, module: torch.nn.Module, ids: tuple, vectors: torch.Tensor) -> torch.Tensor:
        """Keep the vectors and ask for their gradient; or give them moved."""
        if self.change is not None:
            return vectors + self.change
        if not vectors.requires_grad:  # the table is frozen
            vectors = vectors.requires_grad_()
        vectors.retain_grad()
        self.seen = vectors
        return vectors

    def move(self, size: float, random: bool = False) -> None:
        """From now on every text's vectors are moved by ``size`` along their gradient."""
        gradient = self.seen.grad
        direction = torch.randn_like(gradient) * (gradient != 0) if random else gradient
        self.change = size * direction / lengths(direction)
        self.seen = None


def lengths(direction: torch.Tensor) -> torch.Tensor:
    """Euclidean length of each text's part of a direction [B, L, H], as [B, 1, 1], above 0."""
    squares = direction.square().sum(dim=(1, 2), keepdim=True)
    return squares.sqrt().clamp(min=torch.finfo(direction.dtype).tiny)


@contextmanager
def word_vectors(model: torch.nn.Module) -> Iterator[WordVectors]:
    """Within the block, the word vectors of the model's batches can be seen and moved."""
    vectors = WordVectors()
    handle = model.encoder.get_input_embeddings().register_forward_hook(vectors.hook)
    try:
        yield vectors
    finally:
        handle.remove()
