"""What a step of satlib's training spends its time on, by groups of operations."""

import math
import re
import time
from pathlib import Path

import numpy as np

from . import driver, examples
from .systems import BATCH

# The first group whose pattern is found in an operation's name has it. Self times are summed:
# nothing counts twice.
GROUPS = {
    "matrix products": (
        r"\b(mm|addmm|bmm|baddbmm|_linear_pointwise|mkldnn_linear\w*|linear\w*|matmul|einsum)$"
    ),
    "attention kernel": r"scaled_dot_product|flash_attention",
    "dropout masks": r"bernoulli|random_|native_dropout|::ge$|::rand",
    "fills": r"::(fill_|zero_|zeros\w*|full\w*|ones\w*)$",
    "copies and casts": r"::(copy_|_to_copy|to|contiguous|clone|cat|_foreach_copy_)$",
    "softmax": r"softmax",
    "layer norm": r"layer_norm",
    "gelu": r"gelu",
    "embeddings": r"embedding|index_select|::index|scatter|::gather",
    "optimizer": r"adam|sgd|_foreach|norm\w*$|Optimizer",
    "sums and products by element": (
        r"::(add|sub|mul|div|neg|where|masked_fill|sum|mean|clamp\w*|tanh\w*|pow|sqrt)_?$"
    ),
}
REST = "other operations"
PYTHON = "python, autograd and waiting"
NOT_OPERATIONS = re.compile(
    r"autograd::engine|ProfilerStep|Optimizer|^enumerate|DataLoader|^torch::autograd"
)
WARM_UP = 3  # steps before those that are profiled
NAMED = 6  # operations that a group names, the costliest first


def group_of(name: str) -> str:
    """The group of an operation, by its name in the profiler."""
    if NOT_OPERATIONS.search(name):
        return PYTHON
    for group, pattern in GROUPS.items():
        if re.search(pattern, name):
            return group
    return REST


class Profile:
    """Profiles steps of satlib's training on the texts; name: how many steps."""

    def __init__(self, name: str, folder: Path):
        self.steps = int(name)
        self.work = examples.read(folder / "work.json")

    def round(self) -> dict:
        """Milliseconds a step of each operation (self time), milliseconds of a step, and the
        precision."""
        import torch
        from torch.profiler import ProfilerActivity, profile

        from satlib.training import gpu

        self.profiler = profile(activities=[ProfilerActivity.CPU])
        self.begin = 0.0
        self.seconds = None
        self._train()
        operations = []
        for event in self.profiler.key_averages():
            milliseconds = event.self_cpu_time_total / 1e3 / self.steps
            operations.append((event.key, milliseconds, event.count / self.steps))
        return {
            "operations": operations,
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
        ids = tokenise([text.whole for text in texts], tokenizer, self.work["longest"])
        ratings = np.array([text.rating for text in texts])
        rows = batches.Rows(ids, ratings)
        # One epoch more than the steps need: the training is ended from within.
        epochs = math.ceil((self.steps + WARM_UP + 1) * BATCH / len(texts)) + 1
        plan = Plan(epochs=epochs, batch_size=BATCH, patience=0, metric="loss", save_every=10**9)
        try:
            loop.train(model, rows, plan, after_step=self._after_step)
        except Enough:
            pass

    def _after_step(self, state) -> None:
        if state.step == WARM_UP:
            self.profiler.__enter__()
            self.begin = time.perf_counter()
        if state.step == WARM_UP + self.steps:
            self.seconds = time.perf_counter() - self.begin
            self.profiler.__exit__(None, None, None)
            raise Enough


class Enough(Exception):
    """The steps have been seen."""


def measure(folder: Path, logs: Path, steps: int) -> list[dict]:
    """A row a group: its share of a step, milliseconds a step, calls a step, and what it is made
    of, largest first."""
    driver.say("profile", f"{steps} steps")
    return rows(driver.one_round("profile", str(steps), folder, logs))


def rows(measured: dict) -> list[dict]:
    """The operations of a profile in groups, largest first; what no operation accounts for is the
    last group's."""
    groups: dict[str, dict] = {}
    for name, milliseconds, calls in measured["operations"]:
        empty = {"milliseconds": 0.0, "calls": 0.0, "operations": {}}
        row = groups.setdefault(group_of(name), empty)
        row["milliseconds"] += milliseconds
        row["calls"] += calls
        row["operations"][name] = round(milliseconds, 4)

    # Python's own time is what is left of the step, whatever the profiler saw of it.
    operations = [row["milliseconds"] for group, row in groups.items() if group != PYTHON]
    left = measured["step"] - sum(operations)
    rest = groups.setdefault(PYTHON, {"calls": 0.0, "operations": {}})
    rest["milliseconds"] = max(0.0, left)

    ordered = sorted(groups.items(), key=lambda item: -item[1]["milliseconds"])
    made = []
    for group, row in ordered:
        costliest = sorted(row["operations"].items(), key=lambda item: -item[1])[:NAMED]
        share = row["milliseconds"] / measured["step"]
        made.append({"group": group, "share": share, **row, "operations": dict(costliest)})
    return made


def table(rows: list[dict]) -> str:
    """The rows as text."""
    lines = []
    for row in rows:
        operations = ", ".join(row["operations"])
        lines.append(
            f"{row['group']:30} {row['share']:6.1%} {row['milliseconds']:9.2f} ms "
            f"{row['calls']:7.0f} calls  {operations}"
        )
    return "\n".join(lines)
