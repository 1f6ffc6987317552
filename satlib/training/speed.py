"""How fast a training could be, how fast it is, and what the difference is spent on.

A machine multiplies matrices at some peak rate; a model needs a countable number of
multiplications; their quotient is a time that no program can beat. The measured ratios of ``make
bench`` lie in ``data/runs/speed``; ``bench`` reads them.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from satlib import runtime, storage
from satlib.encoding import tokens
from satlib.training import batches
from satlib.training.plan import Plan

WAYS = ("longest", "shuffled", "by length", "by tokens")  # of making batches, see ``positions``
TABLES = ("training", "scoring", "profile", "without", "growth", "export")  # of ``make bench``
TABLES_WITH_ROUNDS = ("training", "scoring")


def matrix_peak(dtype, size: int = 1024, repeats: int = 5) -> float:
    """GFLOP/s of the fastest of ``repeats`` products of two [size, size] matrices of a torch dtype,
    on the CPU."""
    import torch

    left = torch.randn(size, size).to(dtype)
    right = torch.randn(size, size).to(dtype)

    def multiply() -> None:
        torch.mm(left, right)

    multiply()  # the first call prepares
    best = min(seconds(multiply) for _ in range(repeats))
    operations = 2 * size**3
    return operations / best / 1e9


def seconds(task: Callable[[], object]) -> float:
    """Wall time of one call."""
    begin = time.perf_counter()
    task()
    return time.perf_counter() - begin


def race(tasks: dict[str, Callable[[], object]], rounds: int = 5) -> dict[str, list[float]]:
    """Seconds of each task in each of ``rounds`` rounds, in turn: a busy moment of the machine hits
    them all."""
    for task in tasks.values():
        task()  # warm up
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            times[name].append(seconds(task))
    return times


def ratio(times: dict[str, list[float]], slow: str, fast: str) -> float:
    """How many times faster ``fast`` was than ``slow``: the median of the ratios within the
    rounds."""
    by_round = np.array(times[slow]) / np.array(times[fast])
    return float(np.median(by_round))


def training_flops(lengths: Sequence[int]) -> float:
    """Operations that training on texts of these lengths in tokens needs, padding left out, with
    the embedded encoder.

    Backwards every product is done twice, for the gradient of either factor: three forward passes
    in all.
    """
    forward = float(tokens.flops(np.asarray(lengths)).sum())
    return 3 * forward


def amdahl(share: float, factor: float) -> float:
    """How many times faster the whole gets when a ``share`` of its time, 0 to 1, gets ``factor``
    times faster.

    Amdahl, AFIPS 1967.
    """
    if not (0 <= share <= 1 and factor > 0):
        raise ValueError(f"share {share} must lie in [0, 1] and factor {factor} above 0")
    return 1 / (1 - share + share / factor)


def positions(
    lengths: np.ndarray, way: str, batch_size: int = 16, longest: int = 512, seed: int = 0
) -> int:
    """Positions that the model computes for texts of these lengths, padding included, by the way of
    making batches.

    "longest": all padded to ``longest``. "shuffled": to the longest of a batch of shuffled texts.
    "by length": of batches that ``batches.batches`` made. "by tokens": the same with a budget of
    batch_size times the mean length.
    """
    runtime.one_of("way", way, WAYS)
    lengths = np.asarray(lengths)
    if way == "longest":
        return len(lengths) * longest
    budget = 0
    if way == "by tokens":
        budget = round(batch_size * lengths.mean())
    plan = Plan(batch_size=batch_size, seed=seed, batch_tokens=budget)
    known_lengths = None if way == "shuffled" else lengths
    total = 0
    for batch in batches.batches(len(lengths), plan, 0, known_lengths):
        total += len(batch) * int(lengths[batch].max())
    return total


def bench(folder: str | Path, name: str) -> list[dict]:
    """Rows of one table of ``make bench``: "training", "scoring", "profile", "without", "growth" or
    "export"."""
    runtime.one_of("table", name, TABLES)
    return storage.read_json(Path(folder) / f"{name}.json")


def rounds(folder: str | Path, name: str) -> dict:
    """What lies behind the table "training" or "scoring": every round of every system, and the
    losses of all seeds."""
    runtime.one_of("table", name, TABLES_WITH_ROUNDS)
    return storage.read_json(Path(folder) / f"{name}-rounds.json")


def ratios(measured: dict, name: str, ours: str = "satlib") -> list[float]:
    """How many times as fast ``ours`` was as the system ``name``, in each round of ``rounds``."""
    by_system = measured["rounds"]
    by_round = []
    for our, their in zip(by_system[ours], by_system[name], strict=True):
        our_pace = our["examples"] / our["seconds"]
        their_pace = their["examples"] / their["seconds"]
        by_round.append(our_pace / their_pace)
    return by_round


def times_as_fast(measured: dict, ours: str = "satlib") -> dict[str, float]:
    """How many times as fast ``ours`` is as each other system of ``rounds``: the median over the
    rounds."""
    medians = {}
    for name in measured["rounds"]:
        if name != ours:
            medians[name] = float(np.median(ratios(measured, name, ours)))
    return medians


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The power b of the curve values = a * sizes ** b that fits best on logarithmic axes: 1 is
    linear growth."""
    slope, _ = np.polyfit(np.log(sizes), np.log(values), 1)
    return float(slope)
