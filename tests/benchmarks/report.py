"""From what the rounds measured to the rows of the JSON files and the table of ratios."""

import statistics
from collections.abc import Callable

from satlib.training.speed import ratios

from . import systems

KEYS = (
    "system",
    "examples_per_s",
    "useful_tokens_per_s",
    "peak_share",
    "peak_memory_mb",
    "validation_loss",
    "rounds",
    "spread",
)
# Share of the peak that satlib shall reach in training.
HIGHEST = {"bf16": 0.6, "fp16": 0.6, "fp32": 0.5}
WORSE = 0.005  # RMSE on the rating scale that 8-bit weights may cost
# File -> the system that runs it, where the two have not the same name.
SYSTEM_OF_FILE = {"torch-fp32": "satlib-fp32"}

Verdicts = list[tuple[str, bool]]


def precision_of(peaks: dict[str, float]) -> str:
    """The precision that the machine trains in: the half one where there is one."""
    for name in peaks:
        if name != "fp32":
            return name
    return "fp32"


def rows(measured: dict) -> list[dict]:
    """A row a system: medians over the rounds; spread: smallest and largest examples per second.

    peak_share: operations of the useful tokens a second over the matrix-product peak of the same
    round, in the precision that the machine trains in, whatever the system itself computes in.
    peak_memory_mb: of the process, after the last round.
    """
    made = []
    for name, rounds in measured["rounds"].items():
        speeds = [one["examples"] / one["seconds"] for one in rounds]
        token_speeds = [one["tokens"] / one["seconds"] for one in rounds]
        shares = []
        for one, peaks in zip(rounds, measured["peaks"], strict=True):
            gigaflops = one["flops"] / one["seconds"] / 1e9
            shares.append(gigaflops / peaks[precision_of(peaks)])
        values = (
            name,
            statistics.median(speeds),
            statistics.median(token_speeds),
            statistics.median(shares),
            measured["memory"][name],
            measured["loss"][name],
            len(rounds),
            [min(speeds), max(speeds)],
        )
        made.append(dict(zip(KEYS, values, strict=True)))
    return made


def table(kind: str, measured: dict) -> str:
    """The rows as text, with the median ratio of satlib to each and its target."""
    lines = [
        f"{'system':24} {'examples/s':>10} {'min - max':>17} {'satlib is':>10} {'target':>7} "
        f"{'tokens/s':>9} {'peak':>6} {'memory':>8} {'loss':>8}"
    ]
    for row in rows(measured):
        name = row["system"]
        ratio = "-"
        if "satlib" in measured["rounds"]:
            ratio = f"{statistics.median(ratios(measured, name)):.2f} x"
        target = systems.KINDS[kind][name].target
        wanted = f"{target:g} x" if target else "-"
        low, high = row["spread"]
        spread = f"{low:.2f} - {high:.2f}"
        lines.append(
            f"{name:24} {row['examples_per_s']:10.2f} {spread:>17} {ratio:>10} {wanted:>7} "
            f"{row['useful_tokens_per_s']:9.0f} {row['peak_share']:6.1%} "
            f"{row['peak_memory_mb']:5.0f} MB {row['validation_loss']:8.5f}"
        )
    peaks = []
    for precision in measured["peaks"][0]:
        middle = statistics.median(one[precision] for one in measured["peaks"])
        peaks.append(f"{precision} {middle:.0f} GFLOP/s")
    lines.append(f"matrix products, median of the rounds: {', '.join(peaks)}")
    return "\n".join(lines)


# Targets


def verdicts(kind: str, measured: dict, scale: tuple[float, float]) -> Verdicts:
    """Each target that these systems can be held to, in words, and whether it is met."""
    row_of = {row["system"]: row for row in rows(measured)}
    if "satlib" not in row_of:
        return []
    made = []
    for name, system in systems.KINDS[kind].items():
        if system.target and name in row_of:
            of_rounds = ratios(measured, name)
            middle = statistics.median(of_rounds)
            words = (
                f"{middle:.2f} times as fast as {name} "
                f"({min(of_rounds):.2f} to {max(of_rounds):.2f} in the rounds), "
                f"wanted {system.target:g}"
            )
            made.append((words, middle >= system.target))
    checks: dict[str, Callable] = {"training": _training, "scoring": _scoring}
    return made + checks[kind](measured, row_of, scale)


def _training(measured: dict, row_of: dict, scale) -> Verdicts:
    ours = row_of["satlib"]
    precision = precision_of(measured["peaks"][0])
    highest = HIGHEST[precision]
    words = (
        f"{ours['peak_share']:.1%} of the {precision} peak on useful tokens, wanted {highest:.0%}"
    )
    made = [(words, ours["peak_share"] >= highest)]
    if "trainer" in row_of:
        memory = ours["peak_memory_mb"]
        of_trainer = row_of["trainer"]["peak_memory_mb"]
        words = f"peak memory {memory:.0f} MB, trainer has {of_trainer:.0f}"
        made.append((words, memory <= of_trainer))
    if {"satlib", "satlib-fp32"} <= measured["losses"].keys():
        made.append(_loss(measured["losses"]["satlib"], measured["losses"]["satlib-fp32"]))
    return made


def _loss(half: list[float], whole: list[float]) -> tuple[str, bool]:
    """Half precision may cost no more loss than another seed does in fp32."""
    noise = max(whole) - min(whole)
    middle = statistics.mean(half)
    reference = statistics.mean(whole)
    words = (
        f"validation loss {middle:.5f} over {len(half)} seeds, {reference:.5f} in fp32, "
        f"whose seeds lie within {noise:.5f} of each other"
    )
    return words, middle - reference <= noise


def _scoring(measured: dict, row_of: dict, scale: tuple[float, float]) -> Verdicts:
    if not {"satlib-fp32", "onnx-int8"} <= row_of.keys():
        return []
    whole = _rmse(row_of["satlib-fp32"], scale)
    small = _rmse(row_of["onnx-int8"], scale)
    words = f"RMSE {small:.4f} with 8-bit weights, {whole:.4f} in fp32, at most {WORSE} more wanted"
    return [(words, small - whole <= WORSE)]


# Exported files


def exported(measured: dict, sizes: dict[str, float], scale: tuple[float, float]) -> list[dict]:
    """A row an exported file: size in MB, examples a second, RMSE on the rating scale; first
    PyTorch's in fp32."""
    row_of = {row["system"]: row for row in rows(measured)}
    made = []
    for file, size in sizes.items():
        system = SYSTEM_OF_FILE.get(file, file)
        if system not in row_of:
            continue
        row = row_of[system]
        made.append(
            {
                "file": file,
                "size_mb": size,
                "examples_per_s": row["examples_per_s"],
                "rmse": _rmse(row, scale),
            }
        )
    return made


def table_of_files(files: list[dict]) -> str:
    """The rows of the exported files as text."""
    lines = []
    for row in files:
        lines.append(
            f"{row['file']:12} {row['size_mb']:6.1f} MB {row['examples_per_s']:8.1f} examples/s  "
            f"RMSE {row['rmse']:.4f}"
        )
    return "\n".join(lines)


def _rmse(row: dict, scale: tuple[float, float]) -> float:
    """Root of the mean squared error, on the rating scale."""
    low, high = scale
    return row["validation_loss"] ** 0.5 * (high - low)
