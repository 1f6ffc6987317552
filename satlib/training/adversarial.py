"""Train on the worst small change of the words: adversarial training with one gradient step (FGM).

Of each batch the loss is computed twice: on the texts as they are, and on word vectors moved a
little way in the direction in which the loss grows fastest. The gradients of both are added, so
the model learns to give the same answer in a small ball around each text. Few rows are enough to
learn by heart single words; a ball around them is harder to learn by heart. Taught with lesson 43
beside ``finetune``.

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

    size: how far the words of a batch move, as the Euclidean length of all their moves together.
    per_text: every text's words move by themselves, each text by ``size``, as in the paper; else a
    word moves the same way wherever the batch has it, as if its row of the word table had moved.
    random: moves of the same size in a random direction, to compare with.
    """

    size: float
    per_text: bool = False
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
            vectors.change = self.change(vectors.seen.grad, inputs["input_ids"])
            loop.plain(run, inputs, weight, last)
        return loss

    def change(self, gradient: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """How the word vectors of token ids [B, L] move: [B, L, H], from their gradient [B, L, H].

        Where the gradient is 0, as for padding, nothing moves. A factor of the loss, as fp16 has
        one, cancels; where it was too large, so that the gradient is no number, nothing moves.
        """
        # The same overflow stands in the gradient of the word table: the scaler of the losses will
        # drop this update and take a smaller factor, and the second pass must only do no harm.
        gradient = gradient.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        if self.random:
            gradient = torch.randn_like(gradient) * (gradient != 0)
        if self.per_text:
            squares = gradient.square().sum(dim=(1, 2), keepdim=True)
            return self.size * gradient / root(squares)
        # Summed over all places of a word: the gradient of its row of the table.
        words, place = ids.unique(return_inverse=True)
        rows = gradient.new_zeros(len(words), gradient.shape[-1])
        rows.index_add_(0, place.flatten(), gradient.flatten(0, 1))
        moves = self.size * rows / root(rows.square().sum())
        return moves[place]


def root(squares: torch.Tensor) -> torch.Tensor:
    """The square root, and a tiny number in place of 0, so that one may divide by it."""
    return squares.sqrt().clamp(min=torch.finfo(squares.dtype).tiny)


class WordVectors:
    """What the word table gives for a batch [B, L, H].

    seen: the vectors of the last pass, which keep their gradient. change: what is added to them
    from now on; None: nothing.
    """

    def __init__(self):
        self.seen: torch.Tensor | None = None
        self.change: torch.Tensor | None = None

    def hook(self, module: torch.nn.Module, ids: tuple, vectors: torch.Tensor) -> torch.Tensor:
        """What the table gives in place of ``vectors``: the same, seen, or moved."""
        if self.change is not None:
            return vectors + self.change
        if not vectors.requires_grad:  # the table is frozen
            vectors = vectors.requires_grad_()
        vectors.retain_grad()
        self.seen = vectors
        return vectors


@contextmanager
def word_vectors(model: torch.nn.Module) -> Iterator[WordVectors]:
    """Within the block, the word vectors of the model's batches can be seen and changed."""
    vectors = WordVectors()
    handle = model.encoder.get_input_embeddings().register_forward_hook(vectors.hook)
    try:
        yield vectors
    finally:
        handle.remove()
