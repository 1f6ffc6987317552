"""The command behind ``make verify``: recompute what README.md prints from the predictions in
data/runs, without any code of satlib."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import measures, verification
from .ledger import Section

ROOT = Path(__file__).parent.parent.parent
FAULTS = 10  # that are named one by one


def main(arguments: Sequence[str]) -> int:
    """Verify the pages, print what was found, and give the exit status: 1 where a number is
    wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.verify", description=__doc__)
    parser.add_argument("--page", type=Path, default=ROOT / "README.md")
    parser.add_argument("--translation", type=Path, default=ROOT / "README.zh-CN.md")
    parser.add_argument("--records", type=Path, default=ROOT / "data" / "runs")
    given = parser.parse_args(arguments)

    begun = time.perf_counter()
    pages = [path.read_text(encoding="utf-8") for path in (given.page, given.translation)]
    try:
        sections = verification.verify(*pages, given.records)
    except ValueError as error:  # a page or a record that cannot be read as what it should be
        print(f"make verify: {error}", file=sys.stderr)
        return 1
    print(report(sections))
    print(f"{measures.DRAWS:,} draws of users or dialogues, {time.perf_counter() - begun:.0f} s")
    faults = []
    for section in sections:
        faults += [f"{section.name}: {sentence}" for sentence in section.wrong]
    for fault in faults[:FAULTS]:
        print(f"make verify: {fault}", file=sys.stderr)
    if len(faults) > FAULTS:
        print(f"make verify: and {len(faults) - FAULTS} more faults", file=sys.stderr)
    return 1 if faults else 0


def report(sections: Sequence[Section]) -> str:
    """A line for each section of the page, then what was not recomputed and why."""
    lines = [f"{'section of README.md':<34} numbers   largest deviation   of an end   faults"]
    for one in sections:
        lines.append(
            f"{one.name:<34} {one.checked:>7} {one.furthest_value:>19.4f} {one.furthest_end:>11.4f}"
            f" {len(one.wrong):>8}"
        )
    lines.append("Not recomputed:")
    for one in sections:
        lines += [f"  {one.name}: {what}" for what in one.excluded]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
