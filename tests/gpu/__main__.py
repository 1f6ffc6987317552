"""The command: ``python -m tests.gpu [options]``."""

import argparse
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from .options import Options

# Name of a part -> seconds that it may take; the last has what is left of the whole time.
LIMITS = {"formats": 70, "memory": 40, "resume": 90, "ddp": 90, "rates": 90, "headline": 480}
LAST_SECONDS = 10  # kept of the whole time, to end a part and to write
NEEDED = ("torch", "transformers", "accelerate", "sklearn", "pandas", "pyarrow", "pydantic")


def parse(arguments: list[str]) -> tuple[Options, list[str]]:
    """The options, and the names of the parts to do."""
    usual = Options()
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("--output", default=usual.output, help="folder of what is written")
    parser.add_argument("--carried", default="", help="folder that tests.gpu.prepare made")
    parser.add_argument("--minutes", type=float, default=usual.minutes, help="for all parts (8)")
    parser.add_argument("--seeds", type=int, default=usual.seeds, help="of the headline model (5)")
    parser.add_argument("--tiny", action="store_true", help="a few rows, without a GPU too")
    parser.add_argument("--only", default="", help="names of parts, separated by commas")
    given = vars(parser.parse_args(arguments))
    names = [name for name in given.pop("only").split(",") if name] or list(LIMITS)
    unknown = sorted(set(names) - set(LIMITS))
    if unknown:
        parser.error(f"unknown part {unknown[0]}; the parts are {', '.join(LIMITS)}")
    return Options(**given), names


def main(arguments: list[str]) -> int:
    """Run the parts; 0 where every check was met."""
    options, names = parse(arguments)
    sys.path += options.places
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        print(f"{', '.join(lacking)} not installed; see tests/gpu/prepare.py", file=sys.stderr)
        return 1
    import torch

    if not options.tiny and not torch.cuda.is_available():
        print(
            "This machine has no GPU, so nothing was measured; GPU=--tiny tries the script",
            file=sys.stderr,
        )
        return 1
    return run(options, names)


def run(options: Options, names: list[str]) -> int:
    """Every part in its process, within its limit and what is left of the whole time."""
    from . import results

    found = results.begin(options)
    if options.tiny:
        from tests import tiny

        tiny.bert_folder(Path(options.encoder))
    end = time.time() + 60 * options.minutes - LAST_SECONDS
    for name in names:
        began = time.time()
        error = start(options, name, min(LIMITS[name], end - began))
        found = results.end_part(options, name, time.time() - began, error)
        print(results.table(name, found["parts"][name]), flush=True)
    return 0 if results.all_met(found) else 1


def start(options: Options, part: str, limit: float) -> str:
    """Do a part in a process within so many seconds; what went wrong, or nothing."""
    from .results import LOG

    if limit <= 0:
        return "not measured: no time was left"
    log_path = Path(options.output) / LOG
    with open(log_path, "a", encoding="utf-8") as log:
        print(f"== {part}", file=log, flush=True)
        process = subprocess.Popen(
            [sys.executable, *options.command(part, deadline=time.time() + limit)],
            stdout=log,
            stderr=log,
            env=options.environment(),
            start_new_session=True,  # so that it ends with all that it started
        )
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"stopped after {limit:.0f} seconds, its limit"
    if status == 0:
        return ""
    lines = log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"status {status}: {lines[-1]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
