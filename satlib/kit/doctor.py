"""``satlib doctor``: look over all that the lessons stand on, and say for each thing that is wrong
what to do.

Each check is a function that returns a Finding and imports what it checks, so that one that is
broken leaves the others whole. Nothing is downloaded, installed or changed. No lesson imports this
module.
"""

import json
import os
import platform
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from satlib import runtime
from satlib.kit import packages

OK, WARNING, PROBLEM = "ok", "warning", "problem"
GIB = 2**30
MEMORY = (
    2.0,
    4.0,
)  # GiB free: a training took 1.7 at its peak (data/runs/speed); below the second, with little room
DISK = (
    1.0,
    3.0,
)  # GiB free: two checkpoints of lesson 43 (12 bytes a parameter) and the best weights take 0.6
NAMES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}  # of torch


@dataclass(frozen=True)
class Finding:
    """What a check found. level: ok, warning or problem. remedy: what to do, in one sentence; ""
    where all is well."""

    name: str
    level: str
    found: str
    remedy: str = ""

    @property
    def line(self) -> str:
        """As it is printed."""
        return f"{self.level:<9}{self.name:<10}{self.found}" + (
            f": {self.remedy}" if self.remedy else ""
        )


def python() -> Finding:
    """Whether this Python is one that satlib supports."""
    here, bounds = platform.python_version(), packages.supported()
    if bounds.contains(here, prereleases=True):
        return Finding("python", OK, here)
    return Finding(
        "python",
        PROBLEM,
        f"{here}, and satlib needs {bounds}",
        "make an environment with another Python, as in `make setup PYTHON=python3.12`",
    )


def versions() -> Finding:
    """Whether every package that satlib needs is there, in a version within its bounds."""
    needed, wrong = packages.requirements(), packages.misfits()
    if not needed:
        return Finding(
            "packages",
            WARNING,
            packages.kind(),
            "install satlib with `pip install .` in its folder",
        )
    if wrong:
        return Finding(
            "packages",
            PROBLEM,
            "; ".join(wrong),
            "`pip install` what is named, or `make setup` anew",
        )
    return Finding(
        "packages", OK, f"{len(needed)} packages within their bounds; satlib is {packages.kind()}"
    )


def memory() -> Finding:
    """Whether enough memory is free."""
    import psutil

    free = psutil.virtual_memory().available / GIB
    if free < MEMORY[1]:
        return Finding(
            "memory",
            PROBLEM if free < MEMORY[0] else WARNING,
            f"{free:.1f} GiB free",
            "close other programs before lessons 41 to 44, or run them on another machine or on Colab",
        )
    return Finding("memory", OK, f"{free:.1f} GiB free")


def disk() -> Finding:
    """Whether the cache folder and the folder for temporary files have room and can be written."""
    places = {
        "cache": (runtime.cache_folder(), "SATLIB_CACHE"),
        "temporary": (Path(tempfile.gettempdir()), "TMPDIR"),
    }
    free, (least, good) = {}, DISK
    for name, (folder, variable) in places.items():
        there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
        free[name] = shutil.disk_usage(there).free / GIB
        remedy = f"free some space, or let the variable {variable} name another folder"
        if not _writable(there):
            return Finding("disk", PROBLEM, f"{folder} cannot be written", remedy)
        if free[name] < good:
            level = PROBLEM if free[name] < least else WARNING
            return Finding(
                "disk", level, f"{free[name]:.1f} GiB free for {name} files ({folder})", remedy
            )
    return Finding(
        "disk",
        OK,
        ", ".join(f"{value:.0f} GiB free for {name} files" for name, value in free.items()),
    )


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def device() -> Finding:
    """Which device trains in which precision; a matrix product in it must come out right."""
    import torch

    from satlib.training import gpu

    chosen, cuda = gpu.precision(), torch.cuda.is_available()
    where = torch.cuda.get_device_name() if cuda else "processor"
    whole = torch.arange(64 * 64, dtype=torch.float32).reshape(64, 64) / 4096
    try:
        half = whole.to("cuda" if cuda else "cpu", getattr(torch, NAMES[chosen]))
        wrong = float(
            (half @ half).float().cpu().sub(whole @ whole).abs().max() / (whole @ whole).max()
        )
    except RuntimeError as error:
        return Finding(
            "device",
            PROBLEM,
            f"{where} in {chosen} fails ({str(error).splitlines()[0][:100]})",
            'give lesson 43 precision = "fp32", or update the driver',
        )
    if wrong > 0.02:
        return Finding(
            "device", PROBLEM, f"{where} is wrong in {chosen}", 'give lesson 43 precision = "fp32"'
        )
    if not cuda and shutil.which("nvidia-smi"):
        return Finding(
            "device",
            WARNING,
            f"{where}, {chosen}; an NVIDIA driver is here, but torch cannot use the GPU",
            "install the build of torch that fits the driver (pytorch.org, Get Started)",
        )
    return Finding("device", OK, f"{where}, training in {chosen}")


def encoder() -> Finding:
    """Whether the embedded encoder is there and is the published one."""
    from satlib.encoding import embedded_encoder

    try:
        embedded_encoder.embedded_encoder()
    except (FileNotFoundError, ValueError) as error:
        return Finding("encoder", PROBLEM, *_halves(error))
    return Finding("encoder", OK, "all-MiniLM-L6-v2 is there, with the published checksums")


def _halves(error: Exception) -> tuple[str, str]:
    """The kit's errors say what is wrong; then, after a semicolon, what to do."""
    text = " ".join(str(error).split())
    wrong, _, remedy = text.rpartition("; ")
    return (wrong, remedy) if wrong else (text, "install satlib again")


def embedded() -> Finding:
    """Whether the embedded data set is the one that the committed run records were made from."""
    from satlib.data import corpora
    from satlib.evaluation import comparable_records

    records, found = comparable_records.load_committed("satsim", "fast"), corpora.find("satsim")
    if not records or corpora.checksum(found) not in {record.data_sha256 for record in records}:
        return Finding(
            "data",
            PROBLEM,
            "satsim is not the data set that the committed run records were made from",
            "install satlib again, or `git checkout data` in a checkout",
        )
    return Finding("data", OK, f"satsim and {len(records)} run records of it")


def real() -> Finding:
    """Which real corpora lie here already; a damaged one, or a folder that is not there, is a
    problem."""
    from satlib.data import corpora
    from satlib.data.registry import REGISTRY

    try:
        there = [name for name in REGISTRY if name not in ("satsim", "csv") and corpora.here(name)]
    except (FileNotFoundError, ValueError) as error:
        return Finding("corpora", PROBLEM, *_halves(error))
    where = "SATLIB_DATA or the cache" if os.environ.get("SATLIB_DATA") else "the cache"
    return Finding(
        "corpora",
        OK,
        f"{', '.join(there) or 'none'} in {where}; others are downloaded when first named",
    )


def kernel() -> Finding:
    """Whether a notebook's kernel starts and computes."""
    import nbclient
    from nbformat.v4 import new_code_cell, new_notebook

    from satlib.kit import kernels

    book = new_notebook(cells=[new_code_cell("1 + 1")])
    remedy = "`pip install --force-reinstall ipykernel`, and let no firewall close the loopback address 127.0.0.1"
    try:
        with tempfile.TemporaryDirectory(prefix="satlib-") as folder, kernels.own(Path(folder)):
            nbclient.NotebookClient(
                book, kernel_name="python3", timeout=60, startup_timeout=60
            ).execute()
    except Exception as error:  # whatever keeps it from starting, it is the finding
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
        return Finding("kernel", PROBLEM, f"does not start ({why})", remedy)
    said = "".join(output.get("data", {}).get("text/plain", "") for output in book.cells[0].outputs)
    return (
        Finding("kernel", OK, "starts and computes")
        if said == "2"
        else Finding("kernel", PROBLEM, f"says that 1 + 1 is {said!r}", remedy)
    )


def browser() -> Finding:
    """Whether there is a Chromium; only the browser test needs one."""
    found = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), "")
    return Finding("browser", OK, found or "no Chromium; only the browser test needs one")


CHECKS = (python, versions, memory, disk, device, encoder, embedded, real, kernel, browser)


def examine() -> list[Finding]:
    """Run every check; one that breaks is a problem itself."""
    found = []
    for check in CHECKS:
        try:
            found.append(check())
        except Exception as error:
            text = (
                f"the check ended with {type(error).__name__}: {' '.join(str(error).split())[:200]}"
            )
            found.append(
                Finding(
                    check.__name__, PROBLEM, text, "report it, with what `satlib versions` prints"
                )
            )
    return found


def told(found: list[Finding], as_json: bool = False) -> str:
    """The findings, a line each, or as JSON."""
    return (
        json.dumps([asdict(one) for one in found], indent=1)
        if as_json
        else "\n".join(one.line for one in found)
    )
