"""The start of every lesson: quiet libraries, the kit's folders, seeds, progress bars, and what
machine this is.

It is the lowest module: it uses nothing else of the kit, and imports neither torch nor transformers
before they are needed.
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
    inside = PACKAGE / f"_{name}"
    if inside.is_dir():
        return inside
    return PACKAGE.parent / name


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
    if runs:
        return Path(runs)
    return cache_folder() / "runs"


def one_of(name: str, value: object, legal: Iterable) -> None:
    """Refuse a value that is not among the legal ones: ValueError names it and them."""
    legal = list(legal)
    if value not in legal:
        choices = ", ".join(map(str, legal))
        raise ValueError(f"unknown {name} {value!r}; choose one of {choices}")


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch."""
    import numpy as np
    import torch

    random.seed(seed)
    # Libraries below us still draw from NumPy's global state, which takes 32 bits.
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


def quiet() -> bool:
    """Whether progress bars stay silent: under CI, in a headless run, and where stderr is not a
    terminal."""
    if os.environ.get("CI") or os.environ.get("SATLIB_QUIET"):
        return True
    in_notebook = "ipykernel" in sys.modules
    return not in_notebook and not sys.stderr.isatty()


def progress(steps: Iterable, what: str, total: int | None = None) -> Iterable:
    """Show a progress bar over ``steps``, or nothing where ``quiet()`` or where there is one step
    only."""
    single = hasattr(steps, "__len__") and len(steps) < 2
    if single or quiet():
        return steps
    from tqdm.auto import tqdm

    return tqdm(steps, desc=what, total=total, leave=False)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result."""
    version = {"python": platform.python_version(), "satlib": satlib.__version__}
    for name in VERSIONED:
        try:
            version[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            version[name] = "not installed"
    return version


def machine() -> dict[str, object]:
    """What a run record says of the machine: system, processor, cores, threads, memory (GiB) and
    accelerator; nothing that names its owner."""
    import torch

    accelerator = "none"
    if torch.cuda.is_available():
        accelerator = torch.cuda.get_device_name()
    return {
        "system": platform.system(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gib": _memory_gib(),
        "accelerator": accelerator,
    }


def _memory_gib() -> float:
    """The machine's memory in GiB, to one decimal; 0 where the system does not tell (Windows)."""
    if not hasattr(os, "sysconf"):
        return 0.0
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return round(total / 2**30, 1)


def processor() -> str:
    """The processor's model name."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
