"""Two small networks that are trained from nothing: matrix factorisation, and a GRU over the steps
of an example.

Taught with lesson 32 beside ``fitting``. Each learner is a generator that hands out, after every
epoch, the number of the epoch and a function from rows to ratings [N]; who calls it keeps the epoch
that is best on validation rows. The function is of that epoch until the next one is asked for.
Neither draws from torch's global generator. Sources: Koren, Bell and Volinsky, Matrix factorization
techniques for recommender systems, Computer 42(8), 2009; Cho et al., Learning phrase
representations using RNN encoder-decoder, EMNLP 2014 (the GRU).
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from satlib.baselines.event_steps import BUCKETS, StepArrays
from satlib.baselines.inputs import Pairs

Epoch = tuple[dict, Callable[[NamedTuple], np.ndarray]]


class Factors(nn.Module):
    """A rating as b_u + b_i + p_u . q_i: a bias and ``rank`` factors for each user and item; 0, the
    unknown, adds none.

    Where several items are judged together, the mean of their biases and factors counts.
    """

    def __init__(self, users: int, items: int, rank: int, damping: float):
        super().__init__()
        self.damping = damping
        # Row 0 is the unknown. Column 0 is the bias, the others are the factors.
        self.users = nn.Embedding(users + 1, 1 + rank, padding_idx=0)
        self.items = nn.EmbeddingBag(items + 1, 1 + rank, mode="mean", padding_idx=0)
        for table in (self.users.weight, self.items.weight):
            nn.init.normal_(table, std=0.1)
            with torch.no_grad():
                table[0] = 0  # the unknown
                table[:, 0] = 0  # all biases

    def forward(self, rows: Pairs, at: torch.Tensor) -> torch.Tensor:
        """What is added to the mean rating, [B], for the rows ``at``."""
        user = self.users(rows.users[at])
        item = self.items(rows.items[at])
        common = (user[:, 1:] * item[:, 1:]).sum(1)
        return user[:, 0] + item[:, 0] + common

    def loss(self, rows: Pairs, at: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Mean over the rows of the squared error and, times the damping, the squared numbers that
        the row uses."""
        of_user = self.users(rows.users[at]).square().sum(1)
        of_item = self.items(rows.items[at]).square().sum(1)
        error = (self(rows, at) - target).square()
        return (error + self.damping * (of_user + of_item)).mean()


class StepReader(nn.Module):
    """A GRU over the steps of an example: each is the mean embedding of its words beside its
    numbers."""

    def __init__(self, numbers: int, width: int, hidden: int, dropout: float):
        super().__init__()
        self.words = nn.EmbeddingBag(BUCKETS, width, mode="mean", padding_idx=0)
        self.gru = nn.GRU(width + numbers, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(hidden, 1)

    def forward(self, rows: StepArrays, at: torch.Tensor) -> torch.Tensor:
        """The prediction, [B], read off the state after the last step of each row."""
        text_ids = rows.text_ids[at]
        # A text that many rows share is embedded once.
        different, place = text_ids.unique(return_inverse=True)
        words = self.words(rows.words[different])[place]
        states, _ = self.gru(torch.cat([words, rows.numbers[at]], dim=2))
        # Rows are padded on the right, so the number of texts tells where the last step is.
        last_step = (text_ids > 0).sum(1).sub(1).clamp(min=0)
        state = states[torch.arange(len(at)), last_step]
        return self.last(self.dropout(state)).squeeze(1)

    def loss(self, rows: StepArrays, at: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Mean squared error."""
        return (self(rows, at) - target).square().mean()


def factorise(
    rows: Pairs,
    ratings: np.ndarray,
    seed: int = 0,
    damping: float = 0.1,
    rank: int = 16,
    epochs: int = 12,
    learning_rate: float = 5e-3,
) -> Iterator[Epoch]:
    """Matrix factorisation of the training rows with biases, by Adam; see the module for what it
    yields."""
    with torch.random.fork_rng(devices=[]):  # the global generator goes on as if nothing was drawn
        torch.manual_seed(seed)
        model = Factors(int(rows.users.max()), int(rows.items.max()), rank, damping)
    return _epochs(model, rows, ratings, 1.0, seed, epochs, learning_rate, batch_size=512)


def gru(
    rows: StepArrays,
    ratings: np.ndarray,
    seed: int = 0,
    width: int = 32,
    hidden: int = 64,
    dropout: float = 0.3,
    epochs: int = 5,
    learning_rate: float = 3e-3,
) -> Iterator[Epoch]:
    """A GRU over the steps of the training rows, by Adam; see the module for what it yields."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = StepReader(rows.numbers.shape[2], width, hidden, dropout)
    unit = float(np.std(ratings))
    if unit == 0:  # all ratings are equal
        unit = 1.0
    return _epochs(model, rows, ratings, unit, seed, epochs, learning_rate, batch_size=256)


def _epochs(
    model: nn.Module,
    rows: NamedTuple,
    ratings: np.ndarray,
    unit: float,
    seed: int,
    epochs: int,
    learning_rate: float,
    batch_size: int,
) -> Iterator[Epoch]:
    """Train on (ratings - mean) / unit; yield after every epoch."""
    tensors = to_tensors(rows)
    mean = float(np.mean(ratings))
    target = torch.tensor((np.asarray(ratings) - mean) / unit, dtype=torch.float32)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    # Few rows still make some fifty updates an epoch.
    batch_size = min(batch_size, max(16, len(target) // 50))

    def predict(rows: NamedTuple) -> np.ndarray:
        return mean + unit * run(model, rows)

    for epoch in range(1, epochs + 1):
        model.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1000 * seed + epoch)  # of the order of the rows, and of dropout
            for at in torch.randperm(len(target)).split(batch_size):
                loss = model.loss(tensors, at, target[at])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        yield {"epochs": epoch}, predict


@torch.no_grad()
def run(model: nn.Module, rows: NamedTuple, batch_size: int = 2048) -> np.ndarray:
    """What the model gives for all rows, [N] float64, dropout off."""
    model.eval()
    tensors = to_tensors(rows)
    all_rows = torch.arange(len(rows[-1]))  # the last array has a row an example
    outputs = [model(tensors, at) for at in all_rows.split(batch_size)]
    return torch.cat(outputs).double().numpy()


def to_tensors(rows: NamedTuple) -> NamedTuple:
    """The same rows, of torch tensors in place of NumPy arrays."""
    return type(rows)(*map(torch.from_numpy, rows))
