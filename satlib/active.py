"""Train only the rows of the token table that the training texts use; the others follow in one number.

Taught with lesson 34 beside ``training``, measured in lesson 37. A row that no text uses has no gradient, so AdamW and
SGD only shrink it, by the same factor as every such row: the product of 1 - learning rate * weight decay. One number
does the work of 30,522 rows, and the result is the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional

WORTH = 0.7  # above this share of rows in use, the detour over their places costs more than it saves


class ActiveRows(nn.Module):
    """A token table in two parts: ``active`` [A, H], which is trained, and ``resting`` [V - A, H], which only shrinks.

    used: the token ids that training will see, in rising order. ``shrunk`` is the factor of the resting rows so far.
    """

    def __init__(self, table: nn.Embedding, used: torch.Tensor):
        super().__init__()
        weight = table.weight.detach()
        rest = torch.ones(len(weight), dtype=torch.bool).index_fill(0, used, False).nonzero().squeeze(1)
        order = torch.cat([used, rest])
        place = torch.empty_like(order).index_copy(0, order, torch.arange(len(order)))
        padding = table.padding_idx
        self.padding = None if padding is None or place[padding] >= len(used) else int(place[padding])
        self.active = nn.Parameter(weight[used.to(weight.device)].clone())
        self.register_buffer("resting", weight[rest.to(weight.device)].clone())
        self.register_buffer("place", place.to(weight.device))
        self.register_buffer("shrunk", torch.ones((), dtype=torch.float64, device=weight.device))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Rows of the ids [B, L]: [B, L, H]. In training every id must be an active one."""
        at, size = self.place[ids], len(self.active)
        if self.training:
            return functional.embedding(at, self.active, self.padding)
        active = functional.embedding(at.clamp(max=size - 1), self.active)
        resting = functional.embedding((at - size).clamp(min=0), self.resting) * self.shrunk.to(active.dtype)
        return torch.where((at < size).unsqueeze(-1), active, resting)

    def shrink(self, learning_rate: float, weight_decay: float) -> None:
        """What one update does to the resting rows."""
        self.shrunk *= 1 - learning_rate * weight_decay

    @torch.no_grad()
    def write(self, table: nn.Embedding) -> None:
        """Put the rows back into a whole table [V, H]."""
        rows = torch.cat([self.active, self.resting * self.shrunk.to(self.resting.dtype)])
        table.weight.copy_(rows[self.place])


@contextmanager
def rows_in_use(encoder: nn.Module, sequences, pad_id: int) -> Iterator[ActiveRows | None]:
    """Within the block the encoder trains only the token rows that ``sequences`` (and padding) use; then it is whole.

    Gives the ActiveRows, or None where the table is no plain one or most of its rows are in use.
    """
    table = encoder.get_input_embeddings()
    used = torch.tensor(sorted({pad_id}.union(*map(set, sequences))))
    if type(table) is not nn.Embedding or len(used) > WORTH * len(table.weight):
        yield None
        return
    rows = ActiveRows(table, used)
    encoder.set_input_embeddings(rows)
    try:
        yield rows
    finally:
        rows.write(table.to(rows.active.device))
        encoder.set_input_embeddings(table)
