"""What each means of speed is worth: satlib's training with all of them, and with one of them taken
away at a time."""

import statistics
from collections.abc import Callable
from pathlib import Path

from . import driver

AS_IT_IS = "as it is"
# Options of glibc's mallopt by their numbers, and bytes: M_MMAP_THRESHOLD, M_TRIM_THRESHOLD,
# M_TOP_PAD.
MALLOC_OPTIONS = {-3: 32 << 20, -1: 256 << 20, -2: 16 << 20}


def nothing() -> None:
    """satlib's training as it is."""


def torch_dropout() -> None:
    """One random number for every element."""
    from torch.nn import functional

    from satlib.models import cpu_layers

    cpu_layers.dropout = functional.dropout


def attention(name: str) -> Callable[[], None]:
    """Another attention of transformers."""

    def change() -> None:
        from satlib.models import cpu_layers

        install = cpu_layers.install

        def other(model, encoder) -> None:
            install(model, encoder)
            encoder.set_attn_implementation(name)

        cpu_layers.install = other

    return change


def whole_table() -> None:
    """All token rows are trained."""
    from satlib.training import active_rows

    active_rows.WORTH = 0.0


def unfused() -> None:
    """The update in several passes over memory."""
    from satlib.training import loop

    make_optimizer = loop.make_optimizer

    def slow(model, plan):
        optimizer = make_optimizer(model, plan)
        for group in (optimizer.defaults, *optimizer.param_groups):
            group.update(fused=False, foreach=False)
        return optimizer

    loop.make_optimizer = slow


def any_length() -> None:
    """Batches of texts as they come."""
    from satlib.training import batches, loop

    def as_they_come(rows, plan, epoch):
        return batches.batches(len(rows.ratings), plan, epoch)

    loop.order_of = as_they_come


def half_only_in_products() -> None:
    """Autocast alone: the sums between the layers stay in fp32."""
    from satlib.models import cpu_layers

    def leave(module, inputs, output) -> None:
        """A hook that gives None changes nothing."""

    cpu_layers.halve = leave


def keep_memory() -> None:
    """Freed memory stays with glibc, which satlib does not ask for."""
    import ctypes
    import platform

    if platform.libc_ver()[0] != "glibc":
        return
    library = ctypes.CDLL(None)
    for option, size in MALLOC_OPTIONS.items():
        library.mallopt(option, size)


def fp32() -> None:
    """All products in 32 bits."""
    from satlib.training import gpu, loop

    def always_whole(wanted: str = "auto") -> str:
        return "fp32"

    gpu.precision = always_whole
    loop.precision = always_whole


def compiled() -> None:
    """torch.compile of the encoder, which satlib does not use."""
    import torch

    from satlib.models import satisfaction_model

    build = satisfaction_model.build

    def build_compiled(*arguments, **options):
        model, tokenizer = build(*arguments, **options)
        model.encoder.compile(dynamic=True)
        return model, tokenizer

    satisfaction_model.build = build_compiled
    torch._dynamo.config.cache_size_limit = 64


CHANGES: dict[str, Callable[[], None]] = {
    AS_IT_IS: nothing,
    "without bf16": fp32,
    "without batches by length": any_length,
    "without shared random words in dropout": torch_dropout,
    "with transformers' sdpa attention": attention("sdpa"),
    "with transformers' eager attention": attention("eager"),
    "without resting token rows": whole_table,
    "without the fused optimizer": unfused,
    "without bf16 between the layers": half_only_in_products,
    "with freed memory kept": keep_memory,
    "with torch.compile": compiled,
    "with threads bound to cores": nothing,  # by its environment
}
ENVIRONMENT = {"with threads bound to cores": {"OMP_PROC_BIND": "true"}}


def changed(name: str, folder: Path):
    """satlib's training, in this process, with the change of that name."""
    from . import worker

    CHANGES[name]()
    return worker.Training("satlib", folder)


def measure(folder: Path, logs: Path, rounds: int = 5, changes=tuple(CHANGES)) -> list[dict]:
    """A row a change: how many times as long a round takes as satlib's own in the same round
    (median, smallest, largest), seconds of the first steps (a compiler's work is in them), and peak
    memory in MB."""
    workers = {}
    for name in changes:
        workers[name] = driver.Worker("without", name, folder, logs, ENVIRONMENT.get(name))
    seconds: dict[str, list[float]] = {name: [] for name in changes}
    first_seconds = {}
    rows = []
    try:
        for name, worker in workers.items():
            driver.say("without", f"warm-up: {name}")
            first_seconds[name] = worker.ask("warm")["seconds"]
        for number in range(1, rounds + 1):
            driver.say("without", f"round {number} of {rounds}")
            for name, worker in workers.items():
                seconds[name].append(worker.ask("round")["seconds"])
        for name, worker in workers.items():
            pairs = zip(seconds[name], seconds[AS_IT_IS], strict=True)
            ratios = [with_change / as_it_is for with_change, as_it_is in pairs]
            row = {
                "change": name,
                "times_as_long": statistics.median(ratios),
                "spread": [min(ratios), max(ratios)],
                "rounds": rounds,
                "first_seconds": first_seconds[name],
                "peak_memory_mb": worker.ask("memory")["memory"],
            }
            rows.append(row)
    finally:
        for worker in workers.values():
            worker.end()
    return rows


def table(rows: list[dict]) -> str:
    """The rows as text."""
    lines = []
    for row in rows:
        low, high = row["spread"]
        lines.append(
            f"{row['change']:42} {row['times_as_long']:6.2f} times as long "
            f"({low:.2f} - {high:.2f}), first steps {row['first_seconds']:6.1f} s, "
            f"{row['peak_memory_mb']:5.0f} MB"
        )
    return "\n".join(lines)
