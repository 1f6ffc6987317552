"""How time and memory grow with the number of examples, the length of the sequences, the batch, and
the threads.

Every point is measured in a process of its own. "examples": texts are tokenised into a store, and
all batches of one epoch are made from it, without a model. The other kinds: a step of satlib's
training on sequences of one length.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from . import driver, examples

POINTS = {
    "examples": (1000, 3000, 10_000, 30_000, 100_000),
    "length": (16, 32, 64, 128, 256, 512),
    "batch": (4, 8, 16, 32, 64),
    "threads": (1, 2),
}
USUAL = {"length": 64, "batch": 16}  # where the other of the two grows
STEPS = 6  # of training that are measured, after two that are not
WARM_UP = 2
ONLY_OF_EXAMPLES = ("tokenise", "iterate", "file")  # what the other kinds do not measure


class Texts(Sequence):
    """n texts that are made when they are asked for: the training texts over and over, each with a
    number."""

    def __init__(self, some: Sequence[examples.Text], n: int):
        self.some = some
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> str:
        if not 0 <= i < self.n:
            raise IndexError(i)
        turn, place = divmod(i, len(self.some))
        return f"{turn} {self.some[place].whole}"


class Point:
    """Measures one point; name: its kind and value, as in length-512."""

    def __init__(self, name: str, folder: Path):
        kind, value = name.rsplit("-", 1)
        self.kind = kind
        self.value = int(value)
        self.work = examples.read(folder / "work.json")

    def round(self) -> dict:
        """Seconds (of the whole for "examples", else a list of steps) and peak memory in MB."""
        from .measure import peak_memory

        measured = self._examples() if self.kind == "examples" else self._steps()
        return measured | {"memory": peak_memory()}

    def _examples(self) -> dict:
        from satlib.encoding import token_store, tokens
        from satlib.training import batches
        from satlib.training.plan import Plan

        tokenizer = tokens.load_tokenizer(self.work["encoder"])
        texts = Texts(self.work["train"], self.value)
        plan = Plan(batch_size=USUAL["batch"])
        with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
            path = Path(folder) / "ids.arrow"
            begin = time.perf_counter()
            store = token_store.write(texts, tokenizer, path, self.work["longest"])
            tokenised = time.perf_counter()
            for batch in batches.batches(self.value, plan, 0, store.lengths):
                tokens.pad([store[row] for row in batch])
            end = time.perf_counter()
            size = path.stat().st_size / 2**20
        return {
            "seconds": [end - begin],
            "tokenise": tokenised - begin,
            "iterate": end - tokenised,
            "file": size,
        }

    def _steps(self) -> dict:
        import torch

        from satlib.models import satisfaction_model
        from satlib.training import batches, loop
        from satlib.training.plan import Plan

        shape = USUAL | {self.kind: self.value}
        if self.kind == "threads":
            torch.set_num_threads(self.value)
        model, tokenizer = satisfaction_model.build(
            self.work["encoder"], low=0.0, high=1.0, threshold=0.5
        )
        rng = np.random.default_rng(0)
        count = (STEPS + WARM_UP) * shape["batch"]
        length = min(shape["length"], tokenizer.model_max_length)
        ids = rng.integers(5, len(tokenizer), size=(count, length)).tolist()
        rows = batches.Rows(ids, rng.random(count))
        plan = Plan(
            epochs=1, batch_size=shape["batch"], patience=0, metric="loss", save_every=10**9
        )
        ends = []
        loop.train(model, rows, plan, after_step=lambda _: ends.append(time.perf_counter()))
        # The first difference is that of the second warm-up step.
        return {"seconds": np.diff(ends)[WARM_UP - 1 :].tolist()}


def measure(
    folder: Path, logs: Path, points: dict[str, tuple[int, ...]], rounds: int = 1
) -> list[dict]:
    """A row a point: kind and value, median, smallest and largest seconds, and peak memory of the
    process in MB.

    seconds: of tokenising and iterating for "examples" (tokenise, iterate: of either; file: MB on
    disk), of a training step for the others; n: how many were measured.
    """
    measured: dict[tuple[str, int], list[dict]] = {}
    for number in range(1, rounds + 1):
        for kind, values in points.items():
            for value in values:
                driver.say("growth", f"round {number} of {rounds}: {kind} {value}")
                one = driver.one_round("growth", f"{kind}-{value}", folder, logs)
                measured.setdefault((kind, value), []).append(one)
    return [row(kind, value, of_point) for (kind, value), of_point in measured.items()]


def row(kind: str, value: int, measured: list[dict]) -> dict:
    """The row of a point, from what its rounds measured."""
    seconds = []
    for one in measured:
        seconds += one["seconds"]
    only_of_examples = {}
    for name in ONLY_OF_EXAMPLES:
        if name in measured[0]:
            only_of_examples[name] = statistics.median(one[name] for one in measured)
        else:
            only_of_examples[name] = None
    return {
        "kind": kind,
        "value": value,
        "seconds": statistics.median(seconds),
        "low": min(seconds),
        "high": max(seconds),
        "n": len(seconds),
        **only_of_examples,
        "peak_memory_mb": statistics.median(one["memory"] for one in measured),
    }


def table(rows: list[dict]) -> str:
    """The rows as text."""
    lines = [f"{'grows':10} {'to':>7} {'seconds':>9} {'min - max':>17} {'memory':>9}"]
    for one in rows:
        spread = f"{one['low']:.3f} - {one['high']:.3f}"
        lines.append(
            f"{one['kind']:10} {one['value']:7} {one['seconds']:9.3f} {spread:>17} "
            f"{one['peak_memory_mb']:6.0f} MB"
        )
    return "\n".join(lines)
