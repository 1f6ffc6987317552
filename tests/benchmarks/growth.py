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


class Texts(Sequence):
    """n texts that are made when they are asked for: the training texts over and over, each with a
    number."""

    def __init__(self, some: Sequence[examples.Text], n: int):
        self.some, self.n = some, n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> str:
        if not 0 <= i < self.n:
            raise IndexError(i)
        return f"{i // len(self.some)} {self.some[i % len(self.some)].whole}"


class Point:
    """Measures one point; name: its kind and value, as in length-512."""

    def __init__(self, name: str, folder: Path):
        kind, value = name.rsplit("-", 1)
        self.kind, self.value, self.work = kind, int(value), examples.read(folder / "work.json")

    def round(self) -> dict:
        """Seconds (of the whole for "examples", else a list of steps) and peak memory in MB."""
        from .measure import peak_memory

        found = self._examples() if self.kind == "examples" else self._steps()
        return found | {"memory": peak_memory()}

    def _examples(self) -> dict:
        from satlib.encoding import token_store, tokens
        from satlib.training import batches
        from satlib.training.plan import Plan

        tokenizer, texts = (
            tokens.load_tokenizer(self.work["encoder"]),
            Texts(self.work["train"], self.value),
        )
        with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
            path, begin = Path(folder) / "ids.arrow", time.perf_counter()
            store = token_store.write(texts, tokenizer, path, self.work["longest"])
            tokenised = time.perf_counter()
            for batch in batches.batches(
                self.value, Plan(batch_size=USUAL["batch"]), 0, store.lengths
            ):
                tokens.pad([store[i] for i in batch])
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
        rng, count = np.random.default_rng(0), (STEPS + 2) * shape["batch"]
        length = min(shape["length"], tokenizer.model_max_length)
        ids = rng.integers(5, len(tokenizer), size=(count, length)).tolist()
        rows, ends = batches.Rows(ids, rng.random(count)), []
        plan = Plan(
            epochs=1, batch_size=shape["batch"], patience=0, metric="loss", save_every=10**9
        )
        with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
            loop.train(
                model, rows, rows.some(1), plan, folder, lambda _: ends.append(time.perf_counter())
            )
        return {"seconds": np.diff(ends)[1:].tolist()}


def measure(
    folder: Path, logs: Path, points: dict[str, tuple[int, ...]], rounds: int = 1
) -> list[dict]:
    """A row a point: kind and value, median, smallest and largest seconds, and peak memory of the
    process in MB.

    seconds: of tokenising and iterating for "examples" (tokenise, iterate: of either; file: MB on
    disk), of a training step for the others; n: how many were measured.
    """
    found: dict[tuple[str, int], list[dict]] = {}
    for number in range(1, rounds + 1):
        for kind, values in points.items():
            for value in values:
                driver.say("growth", f"round {number} of {rounds}: {kind} {value}")
                worker = driver.Worker("growth", f"{kind}-{value}", folder, logs)
                try:
                    found.setdefault((kind, value), []).append(worker.ask("round"))
                finally:
                    worker.end()
    return [_row(kind, value, measured) for (kind, value), measured in found.items()]


def _row(kind: str, value: int, measured: list[dict]) -> dict:
    seconds = [one for each in measured for one in each["seconds"]]
    parts = {
        name: statistics.median(each[name] for each in measured) if name in measured[0] else None
        for name in ("tokenise", "iterate", "file")
    }
    return {
        "kind": kind,
        "value": value,
        "seconds": statistics.median(seconds),
        "low": min(seconds),
        "high": max(seconds),
        "n": len(seconds),
        **parts,
        "peak_memory_mb": statistics.median(each["memory"] for each in measured),
    }


def table(rows: list[dict]) -> str:
    """The rows as text."""
    lines = [f"{'grows':10} {'to':>7} {'seconds':>9} {'min - max':>17} {'memory':>9}"]
    for row in rows:
        spread = f"{row['low']:.3f} - {row['high']:.3f}"
        lines.append(
            f"{row['kind']:10} {row['value']:7} {row['seconds']:9.3f} {spread:>17} "
            f"{row['peak_memory_mb']:6.0f} MB"
        )
    return "\n".join(lines)
