"""The command: ``python -m tests.benchmarks [training] [scoring] [profile] [growth] [options]``."""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from satlib import runtime, storage

from . import driver, examples, growth, profiling, report, systems, without

PARTS = ("training", "scoring", "profile", "without")  # those of a run that names none
QUICK = {"rounds": 1, "examples": 32, "learn": 32, "judge": 32, "validation": 32, "steps": 2}
QUICK_POINTS = {"examples": (100, 300), "length": (16, 32), "batch": (4, 8), "threads": (1,)}
# Option -> value of a full run, and what it is.
NUMBERS = {
    "rounds": (5, "turns of every system (5; growth: 1)"),
    "examples": (256, "examples of the fast systems in a round (256)"),
    "learn": (64, "examples that every system learns from (64)"),
    "epochs": (1, "epochs over them (1)"),
    "judge": (640, "examples that satlib learns from beside its fp32 (640)"),
    "validation": (256, "texts that are scored, and judged by (256)"),
    "steps": (40, "training steps that are profiled (40)"),
}
WORDS = {
    "only": ("", "names of systems, separated by commas"),
    "data-dir": ("", "folder of uss-redial; else SATLIB_DATA, ../shared/data, satsim"),
    "encoder": ("embedded", "embedded, or the folder of another one"),
    "output": ("build/bench", "folder of what is written (build/bench)"),
}
OF_THIS_MACHINE = ("data_dir", "output", "encoder")  # options that are folders


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options; what is not given has the value of a full run, or of a quick one."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parts_help = f"{', '.join(PARTS)}, growth; all but growth where none is named"
    parser.add_argument("parts", nargs="*", help=parts_help)
    for name, (default, text) in NUMBERS.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=text)
    for name, (default, text) in WORDS.items():
        parser.add_argument(f"--{name}", default=default, help=text)
    quick_help = "one round and few examples, to see that all works"
    parser.add_argument("--quick", action="store_true", help=quick_help)
    if "--quick" in arguments:
        parser.set_defaults(**QUICK)

    options = parser.parse_args(arguments)
    options.parts = options.parts or list(PARTS)
    options.only = [name for name in options.only.split(",") if name]
    try:
        check(options)
    except ValueError as error:
        parser.error(str(error))
    return options


def check(options: argparse.Namespace) -> None:
    """ValueError for a part or a system that does not exist."""
    for part in options.parts:
        runtime.one_of("part", part, sorted(RUN))
    known: set[str] = set()
    for systems_of_kind in systems.KINDS.values():
        known.update(systems_of_kind)
    for name in options.only:
        runtime.one_of("system", name, sorted(known))


def main(arguments: list[str]) -> int:
    """Run what is asked for; 0 where all systems that are installed ran, whether or not they met
    their targets."""
    options = parse(arguments)
    output = Path(options.output)
    could_not_run = 0
    with tempfile.TemporaryDirectory(prefix="satlib-bench-") as name:
        folder = Path(name)
        work = prepare(options, folder)
        about = description(options, work)
        storage.write_json(output / "machine.json", about)
        print(
            f"{about['corpus']}, {about['mean_tokens']:.0f} tokens on average: "
            f"{work['examples']} texts to train on, "
            f"{len(work['validation'])} to score and to judge by"
        )
        for part in options.parts:
            could_not_run += RUN[part](options, work, folder, output)
    return 1 if could_not_run else 0


def prepare(options: argparse.Namespace, folder: Path) -> dict:
    """What the systems work on, which is also written to work.json for their processes."""
    train = max(options.examples, options.learn, options.judge)
    data_dir = options.data_dir or beside()
    work = examples.prepare(options.encoder, data_dir, train, options.validation)
    work["examples"] = min(options.examples, len(work["train"]))
    work["peak_size"] = 512 if options.quick else 0
    storage.write_json(folder / "work.json", work)
    return work


def beside() -> str:
    """The folder shared/data beside the checkout, where it is there; else nothing."""
    folder = Path(__file__).parents[3] / "shared" / "data"
    return str(folder) if folder.is_dir() else ""


def description(options: argparse.Namespace, work: dict) -> dict:
    """Corpus, machine, versions and settings of a run."""
    lengths = [row["length"] for row in work["train"]]
    about = {
        "corpus": work["corpus"],
        "mean_tokens": sum(lengths) / len(lengths),
        "versions": runtime.versions(),
        "machine": runtime.machine(),
    }
    for name, value in vars(options).items():
        if name not in OF_THIS_MACHINE:
            about[name] = value
    return about


# The parts of a run. Each returns how many systems could not run.


def comparison(kind: str, options, work: dict, folder: Path, output: Path) -> int:
    """Training or scoring."""
    names = []
    left_out = 0
    for name, system in systems.chosen(kind, options.only).items():
        lacking = systems.missing(system)
        if lacking:
            left_out += 1
            packages = " and ".join(lacking)
            print(f"{name} is left out: {packages} not installed; make bench installs them")
        else:
            names.append(name)
    if not names:
        return left_out

    logs = output / "logs"
    sizes = driver.prepare_models(folder, logs) if kind == "scoring" else {}
    learn = {"rows": options.learn, "epochs": options.epochs}
    judge = {"rows": options.judge, "epochs": options.epochs}
    measured = driver.compare(kind, names, folder, logs, options.rounds, learn, judge)
    storage.write_json(output / f"{kind}.json", report.rows(measured))
    storage.write_json(output / f"{kind}-rounds.json", measured)
    print(f"\n{kind}: medians of {options.rounds} rounds\n{report.table(kind, measured)}")
    if sizes:
        files = report.exported(measured, sizes, work["scale"])
        storage.write_json(output / "export.json", files)
        print(report.table_of_files(files))
    for words, met in report.verdicts(kind, measured, work["scale"]):
        print(f"{'met' if met else 'MISSED':7} {words}")
    return left_out


def profile(options, work: dict, folder: Path, output: Path) -> int:
    """The profile of satlib's training step."""
    rows = profiling.measure(folder, output / "logs", options.steps)
    storage.write_json(output / "profile.json", rows)
    print(f"\nprofile of satlib's training step, mean of {options.steps}\n{profiling.table(rows)}")
    return 0


def ablate(options, work: dict, folder: Path, output: Path) -> int:
    """satlib's training without one of its means at a time."""
    rows = without.measure(folder, output / "logs", options.rounds)
    storage.write_json(output / "without.json", rows)
    print(f"\nsatlib's training with one change, medians of {options.rounds} rounds")
    print(without.table(rows))
    return 0


def grow(options, work: dict, folder: Path, output: Path) -> int:
    """The growth of time and memory."""
    points = QUICK_POINTS if options.quick else growth.POINTS
    rows = growth.measure(folder, output / "logs", points)
    storage.write_json(output / "growth.json", rows)
    print(f"\ngrowth\n{growth.table(rows)}")
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
