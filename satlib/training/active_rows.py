"""Train only the rows of the token table that the training texts use; the others follow in one
number.

Taught with lesson 42 beside ``loop``, measured in lesson 45. A row that no text uses has no
gradient, so AdamW and SGD only shrink it, by the same factor as every such row: the product of 1 -
learning rate * weight decay. One number does the work of 30,522 rows, and the result is the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional

# Above this share of rows in use, the detour over their places costs more than it saves.
WORTH = 0.7


class ActiveRows(nn.Module):
    """A token table [V, H] of which only the rows ``used`` are trained, as ``active`` [A, H].

    used: the token ids that training will see. The other rows stay in ``whole`` as they were;
    ``shrunk`` is the factor that the updates so far would have given them.
    """

    def __init__(self, table: nn.Embedding, used: torch.Tensor):
        super().__init__()
        whole = table.weight.detach()
        used = used.to(whole.device)
        # place [V]: where an id stands in ``active``; -1: its row rests.
        place = torch.full((len(whole),), -1, device=whole.device)
        place[used] = torch.arange(len(used), device=whole.device)
        self.padding = None
        if table.padding_idx is not None and place[table.padding_idx] >= 0:
            self.padding = int(place[table.padding_idx])
        self.active = nn.Parameter(whole[used].clone())
        self.register_buffer("whole", whole)  # the table's own memory, not a copy
        self.register_buffer("place", place)
        self.register_buffer("shrunk", torch.ones((), dtype=torch.float64, device=whole.device))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Rows of the ids [B, L]: [B, L, H]. In training every id must be an active one."""
        places = self.place[ids]
        if self.training:
            return functional.embedding(places, self.active, self.padding)
        # Validation texts may hold words that no training text has.
        resting = functional.embedding(ids, self.whole) * self.shrunk.to(self.whole.dtype)
        active = functional.embedding(places.clamp(min=0), self.active)
        rests = (places < 0).unsqueeze(-1)
        return torch.where(rests, resting, active)

    def shrink(self, learning_rate: float, weight_decay: float) -> None:
        """What one update does to the resting rows."""
        self.shrunk *= 1 - learning_rate * weight_decay

    @torch.no_grad()
    def write(self, table: nn.Embedding) -> None:
        """Put all rows into a whole table [V, H]."""
        ids = torch.arange(len(self.place), device=self.place.device)
        active = self.place >= 0
        table.weight.copy_(self.whole * self.shrunk.to(self.whole.dtype))
        table.weight[ids[active]] = self.active[self.place[active]]


@contextmanager
def rows_in_use(encoder: nn.Module, sequences, pad_id: int) -> Iterator[ActiveRows | None]:
    """Within the block the encoder trains only the token rows that ``sequences`` (and padding) use;
    then it is whole.

    Gives the ActiveRows, or None where the table is no plain one or most of its rows are in use.
    """
    table = encoder.get_input_embeddings()
    ids = {pad_id}
    for sequence in sequences:
        ids.update(sequence)
    used = torch.tensor(sorted(ids))
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
