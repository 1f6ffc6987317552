"""What each means of speed is worth: satlib's training with all of them, and with one of them taken
away at a time."""

import statistics
from collections.abc import Callable
from pathlib import Path

from . import driver


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

    made = loop.make_optimizer

    def slow(model, plan):
        optimizer = made(model, plan)
        for group in (optimizer.defaults, *optimizer.param_groups):
            group.update(fused=False, foreach=False)
        return optimizer

    loop.make_optimizer = slow


def any_length() -> None:
    """Batches of texts as they come."""
    from satlib.training.batches import batches

    made = batches
    batches = lambda n, plan, epoch, lengths=None: made(n, plan, epoch)


def half_only_in_products() -> None:
    """Autocast alone: the sums between the layers stay in fp32."""
    from satlib.models import cpu_layers

    cpu_layers.halve = lambda module, inputs, output: None  # a hook that gives None changes nothing


def keep_memory() -> None:
    """Freed memory stays with glibc, which satlib does not ask for: the options of mallopt, in
    bytes."""
    import ctypes
    import platform

    if platform.libc_ver()[0] != "glibc":
        return
    for option, size in {
        -3: 32 << 20,
        -1: 256 << 20,
        -2: 16 << 20,
    }.items():  # M_MMAP_THRESHOLD, M_TRIM_, M_TOP_PAD
        ctypes.CDLL(None).mallopt(option, size)


def fp32() -> None:
    """All products in 32 bits."""
    from satlib.training import loop

    loop.precision = lambda wanted="auto": "fp32"


def compiled() -> None:
    """torch.compile of the encoder, which satlib does not use."""
    import torch

    from satlib.models import satisfaction_model

    built = satisfaction_model.build

    def build(*given, **options):
        model, tokenizer = built(*given, **options)
        model.encoder.compile(dynamic=True)
        return model, tokenizer

    satisfaction_model.build = build
    torch._dynamo.config.cache_size_limit = 64


CHANGES: dict[str, Callable[[], None]] = {
    "as it is": lambda: None,
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
    "with threads bound to cores": lambda: None,  # by its environment
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
    workers = {
        name: driver.Worker("without", name, folder, logs, ENVIRONMENT.get(name))
        for name in changes
    }
    found: dict[str, list[float]] = {name: [] for name in changes}
    rows = []
    try:
        first = {}
        for name, one in workers.items():
            driver.say("without", f"warm-up: {name}")
            first[name] = one.ask("warm")["seconds"]
        for number in range(1, rounds + 1):
            driver.say("without", f"round {number} of {rounds}")
            for name, one in workers.items():
                found[name].append(one.ask("round")["seconds"])
        for name, one in workers.items():
            ratio = [a / b for a, b in zip(found[name], found["as it is"], strict=True)]
            rows.append(
                {
                    "change": name,
                    "times_as_long": statistics.median(ratio),
                    "spread": [min(ratio), max(ratio)],
                    "rounds": rounds,
                    "first_seconds": first[name],
                    "peak_memory_mb": one.ask("memory")["memory"],
                }
            )
    finally:
        for one in workers.values():
            one.end()
    return rows


def table(rows: list[dict]) -> str:
    """The rows as text."""
    return "\n".join(
        f"{row['change']:42} {row['times_as_long']:6.2f} times as long "
        f"({row['spread'][0]:.2f} - {row['spread'][1]:.2f}), first steps {row['first_seconds']:6.1f} s, "
        f"{row['peak_memory_mb']:5.0f} MB"
        for row in rows
    )
