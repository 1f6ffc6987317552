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
HIGHEST = {
    "bf16": 0.6,
    "fp16": 0.6,
    "fp32": 0.5,
}  # share of the peak that satlib shall reach in training
WORSE = 0.005  # RMSE on the rating scale that 8-bit weights may cost


def precision_of(peaks: dict[str, float]) -> str:
    """The precision that the machine trains in: the half one where there is one."""
    return next((name for name in peaks if name != "fp32"), "fp32")


def rows(found: dict) -> list[dict]:
    """A row a system: medians over the rounds; spread: smallest and largest examples per second.

    peak_share: operations of the useful tokens a second over the matrix-product peak of the same
    round, in the precision that the machine trains in, whatever the system itself computes in.
    peak_memory_mb: of the process, after the last round.
    """
    made = []
    for name, measured in found["rounds"].items():
        speed = [one["examples"] / one["seconds"] for one in measured]
        share = [
            one["flops"] / one["seconds"] / 1e9 / peak[precision_of(peak)]
            for one, peak in zip(measured, found["peaks"], strict=True)
        ]
        made.append(
            dict(
                zip(
                    KEYS,
                    (
                        name,
                        statistics.median(speed),
                        statistics.median(one["tokens"] / one["seconds"] for one in measured),
                        statistics.median(share),
                        found["memory"][name],
                        found["loss"][name],
                        len(measured),
                        [min(speed), max(speed)],
                    ),
                    strict=True,
                )
            )
        )
    return made


def table(kind: str, found: dict) -> str:
    """The rows as text, with the median ratio of satlib to each and its target."""
    lines = [
        f"{'system':24} {'examples/s':>10} {'min - max':>17} {'satlib is':>10} {'target':>7} {'tokens/s':>9} "
        f"{'peak':>6} {'memory':>8} {'loss':>8}"
    ]
    for row in rows(found):
        name, target = row["system"], systems.KINDS[kind][row["system"]].target
        ratio = (
            f"{statistics.median(ratios(found, name)):.2f} x"
            if "satlib" in found["rounds"]
            else "-"
        )
        low, high = row["spread"]
        lines.append(
            f"{name:24} {row['examples_per_s']:10.2f} {f'{low:.2f} - {high:.2f}':>17} {ratio:>10} "
            f"{f'{target:g} x' if target else '-':>7} {row['useful_tokens_per_s']:9.0f} "
            f"{row['peak_share']:6.1%} {row['peak_memory_mb']:5.0f} MB {row['validation_loss']:8.5f}"
        )
    peak = {
        name: statistics.median(one[name] for one in found["peaks"]) for name in found["peaks"][0]
    }
    lines.append(
        "matrix products, median of the rounds: "
        + ", ".join(f"{name} {value:.0f} GFLOP/s" for name, value in peak.items())
    )
    return "\n".join(lines)


def verdicts(kind: str, found: dict, scale: tuple[float, float]) -> list[tuple[str, bool]]:
    """Each target that these systems can be held to, in words, and whether it is met."""
    made, by = [], {row["system"]: row for row in rows(found)}
    if "satlib" not in by:
        return made
    for name, system in systems.KINDS[kind].items():
        if system.target and name in by:
            ratio = ratios(found, name)
            middle = statistics.median(ratio)
            made.append(
                (
                    f"{middle:.2f} times as fast as {name} ({min(ratio):.2f} to {max(ratio):.2f} in the rounds), "
                    f"wanted {system.target:g}",
                    middle >= system.target,
                )
            )
    checks: dict[str, Callable] = {"training": _training, "scoring": _scoring}
    return made + checks[kind](found, by, scale)


def _training(found: dict, by: dict, scale) -> list[tuple[str, bool]]:
    ours, precision = by["satlib"], precision_of(found["peaks"][0])
    made = [
        (
            f"{ours['peak_share']:.1%} of the {precision} peak on useful tokens, wanted {HIGHEST[precision]:.0%}",
            ours["peak_share"] >= HIGHEST[precision],
        )
    ]
    if "trainer" in by:
        made.append(
            (
                f"peak memory {ours['peak_memory_mb']:.0f} MB, trainer has {by['trainer']['peak_memory_mb']:.0f}",
                ours["peak_memory_mb"] <= by["trainer"]["peak_memory_mb"],
            )
        )
    if {"satlib", "satlib-fp32"} <= found["losses"].keys():
        half, whole = found["losses"]["satlib"], found["losses"]["satlib-fp32"]
        noise, middle, reference = (
            max(whole) - min(whole),
            statistics.mean(half),
            statistics.mean(whole),
        )
        made.append(
            (
                f"validation loss {middle:.5f} over {len(half)} seeds, {reference:.5f} in fp32, whose seeds lie "
                f"within {noise:.5f} of each other",
                middle - reference <= noise,
            )
        )
    return made


def _scoring(found: dict, by: dict, scale) -> list[tuple[str, bool]]:
    if not {"satlib-fp32", "onnx-int8"} <= by.keys():
        return []
    whole, small = (_rmse(by[name], scale) for name in ("satlib-fp32", "onnx-int8"))
    return [
        (
            f"RMSE {small:.4f} with 8-bit weights, {whole:.4f} in fp32, at most {WORSE} more wanted",
            small - whole <= WORSE,
        )
    ]


def exported(found: dict, sizes: dict[str, float], scale: tuple[float, float]) -> list[dict]:
    """A row an exported file: size in MB, examples a second, RMSE on the rating scale; first
    PyTorch's in fp32."""
    by = {row["system"]: row for row in rows(found)}
    names = {"torch-fp32": "satlib-fp32"}
    return [
        {
            "file": name,
            "size_mb": size,
            "examples_per_s": by[names.get(name, name)]["examples_per_s"],
            "rmse": _rmse(by[names.get(name, name)], scale),
        }
        for name, size in sizes.items()
        if names.get(name, name) in by
    ]


def _rmse(row: dict, scale: tuple[float, float]) -> float:
    """Root of the mean squared error, on the rating scale."""
    return row["validation_loss"] ** 0.5 * (scale[1] - scale[0])
