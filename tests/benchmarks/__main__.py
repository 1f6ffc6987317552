"""The command: ``python -m tests.benchmarks [training] [scoring] [profile] [growth] [options]``."""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from satlib import runtime, storage

from . import driver, examples, growth, profiling, report, systems, without

PARTS = ("training", "scoring", "profile", "without")  # those of a run that names none
QUICK = {"rounds": 1, "examples": 32, "learn": 32, "validation": 32, "steps": 2}
QUICK_POINTS = {"examples": (100, 300), "length": (16, 32), "batch": (4, 8), "threads": (1,)}


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options; what is not given has the value of a full run, or of a quick one."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", help=f"{', '.join(PARTS)}, growth; all but growth where none is named"
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="turns of every system (5; growth: 1)"
    )
    parser.add_argument(
        "--examples", type=int, default=256, help="examples of the fast systems in a round (256)"
    )
    parser.add_argument(
        "--learn", type=int, default=64, help="examples that every system learns from (64)"
    )
    parser.add_argument("--epochs", type=int, default=1, help="epochs over them (1)")
    parser.add_argument(
        "--judge",
        type=int,
        default=640,
        help="examples that satlib learns from beside its fp32 (640)",
    )
    parser.add_argument(
        "--validation", type=int, default=256, help="texts that are scored, and judged by (256)"
    )
    parser.add_argument(
        "--steps", type=int, default=40, help="training steps that are profiled (40)"
    )
    parser.add_argument("--only", default="", help="names of systems, separated by commas")
    parser.add_argument(
        "--data-dir",
        default="",
        help="folder of uss-redial; else SATLIB_DATA, ../shared/data, satsim",
    )
    parser.add_argument(
        "--encoder", default="embedded", help="embedded, or the folder of another one"
    )
    parser.add_argument(
        "--output", default="build/bench", help="folder of what is written (build/bench)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round and few examples, to see that all works"
    )
    if "--quick" in arguments:
        parser.set_defaults(**QUICK, judge=QUICK["learn"])
    options = parser.parse_args(arguments)
    try:
        check(options)
    except ValueError as error:
        parser.error(str(error))
    options.parts, options.only = (
        options.parts or list(PARTS),
        [name for name in options.only.split(",") if name],
    )
    return options


def check(options: argparse.Namespace) -> None:
    """ValueError for a part or a system that does not exist."""
    for part in options.parts:
        runtime.one_of("part", part, sorted(RUN))
    for name in filter(None, options.only.split(",")):
        runtime.one_of(
            "system", name, sorted({known for kind in systems.KINDS.values() for known in kind})
        )


def beside() -> str:
    """The folder shared/data beside the checkout, where it is there; else nothing."""
    folder = Path(__file__).parents[3] / "shared" / "data"
    return str(folder) if folder.is_dir() else ""


def main(arguments: list[str]) -> int:
    """Run what is asked for; 0 where all systems that are installed ran, whether or not they met
    their targets."""
    options = parse(arguments)
    output, made = Path(options.output), 0
    with tempfile.TemporaryDirectory(prefix="satlib-bench-") as name:
        folder = Path(name)
        work = examples.prepare(
            options.encoder,
            options.data_dir or beside(),
            max(options.examples, options.learn, options.judge),
            options.validation,
        )
        count = min(options.examples, len(work["train"]))
        storage.write_json(
            folder / "work.json",
            work | {"examples": count, "peak_size": 512 if options.quick else 0},
        )
        about = described(options, work)
        storage.write_json(output / "machine.json", about)
        print(
            f"{about['corpus']}, {about['mean_tokens']:.0f} tokens on average: {count} texts to train on, "
            f"{len(work['validation'])} to score and to judge by"
        )
        for part in options.parts:
            made += RUN[part](options, work, folder, output)
    return 1 if made else 0


def described(options, work: dict) -> dict:
    """Corpus, machine, versions and settings of a run."""
    own = ("data_dir", "output", "encoder")  # folders of this machine
    lengths = [row["length"] for row in work["train"]]
    return {
        "corpus": work["corpus"],
        "mean_tokens": sum(lengths) / len(lengths),
        "versions": runtime.versions(),
        "machine": runtime.machine(),
        **{k: v for k, v in vars(options).items() if k not in own},
    }


def comparison(kind: str, options, work: dict, folder: Path, output: Path) -> int:
    """Training or scoring; returns how many systems could not run."""
    chosen = systems.chosen(kind, options.only)
    lacking = {name: gaps for name, one in chosen.items() if (gaps := systems.missing(one))}
    names = [name for name in chosen if name not in lacking]
    for name, gaps in lacking.items():
        print(f"{name} is left out: {' and '.join(gaps)} not installed; make bench installs them")
    if not names:
        return len(lacking)
    sizes = driver.prepare_models(folder, output / "logs") if kind == "scoring" else {}
    found = driver.compare(
        kind,
        names,
        folder,
        output / "logs",
        options.rounds,
        {"rows": options.learn, "epochs": options.epochs},
        {"rows": options.judge, "epochs": options.epochs},
    )
    storage.write_json(output / f"{kind}.json", report.rows(found))
    storage.write_json(output / f"{kind}-rounds.json", found)
    print(f"\n{kind}: medians of {options.rounds} rounds\n{report.table(kind, found)}")
    if sizes:
        files = report.exported(found, sizes, work["scale"])
        storage.write_json(output / "export.json", files)
        for row in files:
            print(
                f"{row['file']:12} {row['size_mb']:6.1f} MB {row['examples_per_s']:8.1f} examples/s  "
                f"RMSE {row['rmse']:.4f}"
            )
    for words, met in report.verdicts(kind, found, work["scale"]):
        print(f"{'met' if met else 'MISSED':7} {words}")
    return len(lacking)


def profile(options, work: dict, folder: Path, output: Path) -> int:
    """The profile of satlib's training step."""
    found = profiling.measure(folder, output / "logs", options.steps)
    storage.write_json(output / "profile.json", found)
    print(f"\nprofile of satlib's training step, mean of {options.steps}\n{profiling.table(found)}")
    return 0


def ablate(options, work: dict, folder: Path, output: Path) -> int:
    """satlib's training without one of its means at a time."""
    found = without.measure(folder, output / "logs", options.rounds)
    storage.write_json(output / "without.json", found)
    print(
        f"\nsatlib's training with one change, medians of {options.rounds} rounds\n{without.table(found)}"
    )
    return 0


def grow(options, work: dict, folder: Path, output: Path) -> int:
    """The growth of time and memory."""
    points = QUICK_POINTS if options.quick else growth.POINTS
    found = growth.measure(folder, output / "logs", points)
    storage.write_json(output / "growth.json", found)
    print(f"\ngrowth\n{growth.table(found)}")
    return 0


RUN = {
    "training": partial(comparison, "training"),
    "scoring": partial(comparison, "scoring"),
    "profile": profile,
    "without": ablate,
    "growth": grow,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
