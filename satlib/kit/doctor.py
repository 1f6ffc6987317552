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

OK = "ok"
WARNING = "warning"
PROBLEM = "problem"
GIB = 2**30
# GiB of memory that must be free: a training took 1.7 at its peak (data/runs/speed).
LEAST_MEMORY = 2.0
ENOUGH_MEMORY = 4.0
# GiB of disk that must be free: two checkpoints of lesson 43 (12 bytes a parameter) and the best
# weights take 0.6.
LEAST_DISK = 1.0
ENOUGH_DISK = 3.0
TORCH_NAMES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
LARGEST_ERROR = 0.02  # of a matrix product, as a share of its largest element
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


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
        line = f"{self.level:<9}{self.name:<10}{self.found}"
        return f"{line}: {self.remedy}" if self.remedy else line


def python() -> Finding:
    """Whether this Python is one that satlib supports."""
    here = platform.python_version()
    bounds = packages.supported()
    if bounds.contains(here, prereleases=True):
        return Finding("python", OK, here)
    remedy = "make an environment with another Python, as in `make setup PYTHON=python3.12`"
    return Finding("python", PROBLEM, f"{here}, and satlib needs {bounds}", remedy)


def versions() -> Finding:
    """Whether every package that satlib needs is there, in a version within its bounds."""
    needed = packages.requirements()
    if not needed:
        remedy = "install satlib with `pip install .` in its folder"
        return Finding("packages", WARNING, packages.kind(), remedy)
    wrong = packages.misfits()
    if wrong:
        remedy = "`pip install` what is named, or `make setup` anew"
        return Finding("packages", PROBLEM, "; ".join(wrong), remedy)
    well = f"{len(needed)} packages within their bounds; satlib is {packages.kind()}"
    return Finding("packages", OK, well)


def memory() -> Finding:
    """Whether enough memory is free."""
    import psutil

    free = psutil.virtual_memory().available / GIB
    said = f"{free:.1f} GiB free"
    if free >= ENOUGH_MEMORY:
        return Finding("memory", OK, said)
    level = PROBLEM if free < LEAST_MEMORY else WARNING
    remedy = (
        "close other programs before lessons 41 to 44, or run them on another machine or on Colab"
    )
    return Finding("memory", level, said, remedy)


def disk() -> Finding:
    """Whether the cache folder and the folder for temporary files have room and can be written."""
    places = {
        "cache": (runtime.cache_folder(), "SATLIB_CACHE"),
        "temporary": (Path(tempfile.gettempdir()), "TMPDIR"),
    }
    sizes = []
    for name, (folder, variable) in places.items():
        there = _nearest_there(folder)
        remedy = f"free some space, or let the variable {variable} name another folder"
        if not _writable(there):
            return Finding("disk", PROBLEM, f"{folder} cannot be written", remedy)
        free = shutil.disk_usage(there).free / GIB
        if free < ENOUGH_DISK:
            level = PROBLEM if free < LEAST_DISK else WARNING
            said = f"{free:.1f} GiB free for {name} files ({folder})"
            return Finding("disk", level, said, remedy)
        sizes.append(f"{free:.0f} GiB free for {name} files")
    return Finding("disk", OK, ", ".join(sizes))


def _nearest_there(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    while not folder.is_dir():
        folder = folder.parent
    return folder


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

    chosen = gpu.precision()
    cuda = torch.cuda.is_available()
    where = torch.cuda.get_device_name() if cuda else "processor"
    try:
        error = _product_error(chosen)
    except RuntimeError as failure:
        said = f"{where} in {chosen} fails ({str(failure).splitlines()[0][:100]})"
        remedy = 'give lesson 43 precision = "fp32", or update the driver'
        return Finding("device", PROBLEM, said, remedy)
    if error > LARGEST_ERROR:
        remedy = 'give lesson 43 precision = "fp32"'
        return Finding("device", PROBLEM, f"{where} is wrong in {chosen}", remedy)
    if not cuda and shutil.which("nvidia-smi"):
        said = f"{where}, {chosen}; an NVIDIA driver is here, but torch cannot use the GPU"
        remedy = "install the build of torch that fits the driver (pytorch.org, Get Started)"
        return Finding("device", WARNING, said, remedy)
    return Finding("device", OK, f"{where}, training in {chosen}")


def _product_error(precision: str) -> float:
    """The largest error of a matrix product in this precision, as a share of its largest
    element."""
    import torch

    matrix = torch.arange(64 * 64, dtype=torch.float32).reshape(64, 64) / 4096
    right = matrix @ matrix
    place = "cuda" if torch.cuda.is_available() else "cpu"
    half = matrix.to(place, getattr(torch, TORCH_NAMES[precision]))
    product = (half @ half).float().cpu()
    return float((product - right).abs().max() / right.max())


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

    records = comparable_records.load_committed("satsim", "fast")
    checksum = corpora.checksum(corpora.find("satsim"))
    if checksum not in {record.data_sha256 for record in records}:
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

    there = []
    try:
        for name in REGISTRY:
            if name not in ("satsim", "csv") and corpora.here(name):
                there.append(name)
    except (FileNotFoundError, ValueError) as error:
        return Finding("corpora", PROBLEM, *_halves(error))
    names = ", ".join(there) or "none"
    where = "SATLIB_DATA or the cache" if os.environ.get("SATLIB_DATA") else "the cache"
    said = f"{names} in {where}; others are downloaded when first named"
    return Finding("corpora", OK, said)


def kernel() -> Finding:
    """Whether a notebook's kernel starts and computes."""
    import nbclient
    from nbformat.v4 import new_code_cell, new_notebook

    from satlib.kit import kernels

    cell = new_code_cell("1 + 1")
    book = new_notebook(cells=[cell])
    remedy = (
        "`pip install --force-reinstall ipykernel`, "
        "and let no firewall close the loopback address 127.0.0.1"
    )
    client = nbclient.NotebookClient(book, kernel_name="python3", timeout=60, startup_timeout=60)
    try:
        with tempfile.TemporaryDirectory(prefix="satlib-") as folder, kernels.own(Path(folder)):
            client.execute()
    except Exception as error:  # whatever keeps it from starting, it is the finding
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
        return Finding("kernel", PROBLEM, f"does not start ({why})", remedy)
    answers = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    answer = "".join(answers)
    if answer != "2":
        return Finding("kernel", PROBLEM, f"says that 1 + 1 is {answer!r}", remedy)
    return Finding("kernel", OK, "starts and computes")


def browser() -> Finding:
    """Whether there is a Chromium; only the browser test needs one."""
    for name in BROWSERS:
        if shutil.which(name):
            return Finding("browser", OK, name)
    return Finding("browser", OK, "no Chromium; only the browser test needs one")


CHECKS = (python, versions, memory, disk, device, encoder, embedded, real, kernel, browser)


def examine() -> list[Finding]:
    """Run every check; one that breaks is a problem itself."""
    findings = []
    for check in CHECKS:
        try:
            findings.append(check())
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            said = f"the check ended with {type(error).__name__}: {reason}"
            remedy = "report it, with what `satlib versions` prints"
            findings.append(Finding(check.__name__, PROBLEM, said, remedy))
    return findings


def text_of(findings: list[Finding], as_json: bool = False) -> str:
    """The findings, a line each, or as JSON."""
    if as_json:
        return json.dumps([asdict(finding) for finding in findings], indent=1)
    return "\n".join(finding.line for finding in findings)
