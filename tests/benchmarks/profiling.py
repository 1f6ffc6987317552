"""What a step of satlib's training spends its time on, by groups of operations."""

import re
import tempfile
import time
from pathlib import Path

import numpy as np

from . import driver, examples
from .systems import BATCH

# The first group whose pattern is found in an operation's name has it. Self times are summed:
# nothing counts twice.
GROUPS = {
    "matrix products": r"\b(mm|addmm|bmm|baddbmm|_linear_pointwise|mkldnn_linear\w*|linear\w*|matmul|einsum)$",
    "attention kernel": r"scaled_dot_product|flash_attention",
    "dropout masks": r"bernoulli|random_|native_dropout|::ge$|::rand",
    "fills": r"::(fill_|zero_|zeros\w*|full\w*|ones\w*)$",
    "copies and casts": r"::(copy_|_to_copy|to|contiguous|clone|cat|_foreach_copy_)$",
    "softmax": r"softmax",
    "layer norm": r"layer_norm",
    "gelu": r"gelu",
    "embeddings": r"embedding|index_select|::index|scatter|::gather",
    "optimizer": r"adam|sgd|_foreach|norm\w*$|Optimizer",
    "sums and products by element": r"::(add|sub|mul|div|neg|where|masked_fill|sum|mean|clamp\w*|tanh\w*|pow|sqrt)_?$",
}
REST, PYTHON = "other operations", "python, autograd and waiting"
NOT_OPERATIONS = re.compile(
    r"autograd::engine|ProfilerStep|Optimizer|^enumerate|DataLoader|^torch::autograd"
)


def group_of(name: str) -> str:
    """The group of an operation, by its name in the profiler."""
    if NOT_OPERATIONS.search(name):
        return PYTHON
    return next((group for group, pattern in GROUPS.items() if re.search(pattern, name)), REST)


class Profile:
    """Profiles steps of satlib's training on the texts; name: how many steps."""

    def __init__(self, name: str, folder: Path):
        self.steps, self.work = int(name), examples.read(folder / "work.json")

    def round(self) -> dict:
        """Milliseconds a step of each operation (self time), milliseconds of a step, and the
        precision."""
        import torch
        from torch.profiler import ProfilerActivity, profile

        from satlib.training import gpu

        self.profiler, self.begin, self.seconds = (
            profile(activities=[ProfilerActivity.CPU]),
            0.0,
            None,
        )
        self._train()
        events = [
            (one.key, one.self_cpu_time_total / 1e3 / self.steps, one.count / self.steps)
            for one in self.profiler.key_averages()
        ]
        return {
            "operations": events,
            "step": 1e3 * self.seconds / self.steps,
            "precision": gpu.precision(),
            "threads": torch.get_num_threads(),
        }

    def _train(self) -> None:
        from satlib.encoding.tokens import tokenise
        from satlib.models import satisfaction_model
        from satlib.training import batches, loop
        from satlib.training.plan import Plan

        model, tokenizer = satisfaction_model.build(
            self.work["encoder"], low=0.0, high=1.0, threshold=0.5
        )
        texts = self.work["train"]
        rows = batches.Rows(
            tokenise([text.whole for text in texts], tokenizer, self.work["longest"]),
            np.array([text.rating for text in texts]),
        )
        epochs = -(-(self.steps + 4) * BATCH // len(texts)) + 1
        plan = Plan(epochs=epochs, batch_size=BATCH, patience=0, metric="loss", save_every=10**9)
        with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
            try:
                loop.train(model, rows, rows.some(1), plan, folder, self._after_step)
            except Enough:
                pass

    def _after_step(self, state) -> None:
        first = 3  # steps that warm up
        if state.step == first:
            self.profiler.__enter__()
            self.begin = time.perf_counter()
        if state.step == first + self.steps:
            self.seconds = time.perf_counter() - self.begin
            self.profiler.__exit__(None, None, None)
            raise Enough


class Enough(Exception):
    """The steps have been seen."""


def measure(folder: Path, logs: Path, steps: int) -> list[dict]:
    """A row a group: its share of a step, milliseconds a step, calls a step, and what it is made
    of, largest first."""
    driver.say("profile", f"{steps} steps")
    worker = driver.Worker("profile", str(steps), folder, logs)
    try:
        return rows(worker.ask("round"))
    finally:
        worker.end()


def rows(found: dict) -> list[dict]:
    """The operations of a profile in groups, largest first; what no operation accounts for is the
    last group's."""
    made: dict[str, dict] = {}
    for name, spent, calls in found["operations"]:
        row = made.setdefault(group_of(name), {"milliseconds": 0.0, "calls": 0.0, "operations": {}})
        row["milliseconds"] += spent
        row["calls"] += calls
        row["operations"][name] = round(spent, 4)
    left = found["step"] - sum(
        row["milliseconds"] for group, row in made.items() if group != PYTHON
    )
    made.setdefault(PYTHON, {"calls": 0.0, "operations": {}})["milliseconds"] = max(0.0, left)
    for row in made.values():
        row["operations"] = dict(sorted(row["operations"].items(), key=lambda item: -item[1])[:6])
    ordered = sorted(made.items(), key=lambda item: -item[1]["milliseconds"])
    return [
        {"group": group, "share": row["milliseconds"] / found["step"], **row}
        for group, row in ordered
    ]


def table(found: list[dict]) -> str:
    """The rows as text."""
    return "\n".join(
        f"{row['group']:30} {row['share']:6.1%} {row['milliseconds']:9.2f} ms {row['calls']:7.0f} calls  "
        + ", ".join(row["operations"])
        for row in found
    )
