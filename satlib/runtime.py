"""The ground floor: folders, atomic files, checksums, seeds, progress, and what machine this is.

Every lesson starts with ``runtime.setup()``. Nothing here imports torch or transformers at import
time.
"""

import os
import platform
import random
import sys
import warnings
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import satlib

PACKAGE = Path(__file__).parent
VERSIONED = (
    "torch",
    "transformers",
    "datasets",
    "accelerate",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
)


def setup() -> None:
    """Prepare a lesson: quiet libraries. The set-up cell calls ``plots.style`` beside it."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore", category=FutureWarning)


def _shipped(name: str) -> Path:
    """A folder that lies beside the package in a checkout and inside it in an installed wheel."""
    inside, beside = PACKAGE / f"_{name}", PACKAGE.parent / name
    return inside if inside.is_dir() else beside


def data_folder() -> Path:
    """Folder of the embedded data (``data/``): satsim and the committed run records."""
    return _shipped("data")


def notebooks_folder() -> Path:
    """Folder of the lessons (``notebooks/``)."""
    return _shipped("notebooks")


def cache_folder() -> Path:
    """Folder for downloads and for what lessons keep; ``SATLIB_CACHE`` or the user's cache
    folder."""
    import pooch

    return Path(os.environ.get("SATLIB_CACHE") or pooch.os_cache("satlib"))


def runs_folder(runs: str | Path = "") -> Path:
    """Folder of the run records that a lesson writes: ``runs`` where given, else one in the cache
    folder."""
    return Path(runs) if runs else cache_folder() / "runs"


def one_of(name: str, value: object, legal: Iterable) -> None:
    """Refuse a value that is not among the legal ones, naming both."""
    legal = list(legal)
    if value not in legal:
        raise ValueError(f"unknown {name} {value!r}; choose one of {', '.join(map(str, legal))}")


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch (whichever of them is loaded or installed)."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def quiet() -> bool:
    """Whether progress bars stay silent: under CI, in a headless run, and where stderr is not a
    terminal."""
    notebook = "ipykernel" in sys.modules
    return bool(os.environ.get("CI") or os.environ.get("SATLIB_QUIET")) or not (
        notebook or sys.stderr.isatty()
    )


def progress(steps: Iterable, what: str, total: int | None = None) -> Iterable:
    """Show a progress bar over ``steps``, or nothing where ``quiet()`` or where there is one step
    only."""
    if quiet() or hasattr(steps, "__len__") and len(steps) < 2:
        return steps
    from tqdm.auto import tqdm

    return tqdm(steps, desc=what, total=total, leave=False)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result."""
    found = {"python": platform.python_version(), "satlib": satlib.__version__}
    for name in VERSIONED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> dict[str, object]:
    """What a run record says of the machine: system, processor, cores, memory (GiB) and
    accelerator; no names."""
    import torch

    pages = (
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    )
    return {
        "system": platform.system(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gib": round(pages / 2**30, 1),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def processor() -> str:
    """The processor's model name."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
