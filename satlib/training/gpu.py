"""The device and its number formats, and Colab: a GPU for an hour, and a folder on Google Drive
that outlives the session.

Taught with lesson 43. Drive is mounted only when a lesson is told to; nothing of Colab is asked for
on another machine.
"""

import importlib.util
from pathlib import Path

import torch

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}
DRIVE = Path("/content/drive")  # where Colab mounts it


def device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(wanted: str = "auto") -> str:
    """fp16 on a GPU without real bf16 (a T4), bf16 where the hardware computes it (GPU or CPU),
    fp32 otherwise.

    "auto" chooses; any other value is kept.
    """
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        # Without this argument PyTorch says yes for a T4, because it can emulate bf16, slowly.
        real = torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16" if real else "fp16"
    return "bf16" if _processor_has_bf16() else "fp32"


def _processor_has_bf16() -> bool:
    """Whether the CPU multiplies matrices of bf16 itself; older versions of torch cannot tell."""
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        ask = getattr(torch.cpu, name, None)
        if ask is not None and ask():
            return True
    return False


def autocast_dtype(wanted: str = "auto") -> torch.dtype | None:
    """The number format of a model's products in this precision; None where all stays in fp32.

    It is what ``satisfaction_model.run`` and ``predict`` take as ``autocast``.
    """
    return AUTOCAST.get(precision(wanted))


def is_colab() -> bool:
    """Whether this runs on Colab."""
    try:
        return importlib.util.find_spec("google.colab") is not None
    except ModuleNotFoundError:  # no package google at all
        return False


def drive_folder(name: str = "satlib/checkpoints", mounted: Path = DRIVE) -> Path:
    """A folder on the user's Google Drive, made where it is missing; Colab asks for leave when it
    mounts Drive.

    A run whose checkpoints lie there goes on in the next session, on the same kind of GPU. The loop
    deletes old checkpoints, and Drive keeps what is deleted in its bin: empty it now and then.
    Raises ValueError where this is not Colab, OSError where Drive is not mounted.
    """
    if not is_colab():
        raise ValueError(
            "drive = True is for Colab only, and this is another machine; set drive = False and "
            "name a folder in checkpoints, or leave it empty for the kit's cache"
        )
    from google.colab import drive

    try:
        drive.mount(str(mounted))
    except Exception as error:  # Colab's own classes, which nobody else can import
        raise OSError(
            f"Google Drive was not mounted ({error}); run the cell again and allow it, or set "
            "drive = False, with checkpoints that end with the session"
        ) from error
    folder = mounted / "MyDrive" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
