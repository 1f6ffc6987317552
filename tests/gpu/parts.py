"""The parts: what each checks or measures, and how long it may take.

A part is a function of the options; it adds its rows to gpu.json one by one. As a command, of a
process that does one of them: ``python -m tests.gpu.parts NAME OPTIONS``.
"""

import sys
import traceback

from .checks import formats, memory
from .headline import headline
from .options import read
from .rates import rates
from .restarts import ddp, killed, resume, together

PARTS = {
    "formats": formats,
    "memory": memory,
    "resume": resume,
    "ddp": ddp,
    "rates": rates,
    "headline": headline,
}
OF_PARTS = {"killed": killed, "together": together}  # processes that parts start


def main(name: str, options: str) -> int:
    """Do a part; an error is the last line that the process writes."""
    try:
        (PARTS | OF_PARTS)[name](read(options))
    except Exception as error:  # whatever it is, the file must hold it
        traceback.print_exc()
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
