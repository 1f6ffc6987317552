"""Google Colab: whether this is it, and a folder on Google Drive that outlives its session.

Taught with lesson 35. Nothing here is asked for on another machine, and Drive is mounted only when a lesson is told to.
"""

import importlib.util
from pathlib import Path

DRIVE = Path("/content/drive")  # where Colab mounts it


def is_colab() -> bool:
    """Whether this runs on Colab."""
    try:
        return importlib.util.find_spec("google.colab") is not None
    except ModuleNotFoundError:  # no package google at all
        return False


def drive_folder(name: str = "satlib/checkpoints", mounted: Path = DRIVE) -> Path:
    """A folder on the user's Google Drive, made where it is missing; Colab asks for leave when it mounts Drive.

    A run whose checkpoints lie there goes on in the next session, on the same kind of GPU. The loop deletes old
    checkpoints, and Drive keeps what is deleted in its bin: empty it now and then. Raises ValueError where this is not
    Colab, OSError where Drive is not mounted.
    """
    if not is_colab():
        raise ValueError("drive = True is for Colab only, and this is another machine; set drive = False and name a "
                         "folder in checkpoints, or leave it empty for the kit's cache")
    from google.colab import drive

    try:
        drive.mount(str(mounted))
    except Exception as error:  # Colab's own classes, which nobody else can import
        raise OSError(f"Google Drive was not mounted ({error}); run the cell again and allow it, or set drive = False, "
                      "with checkpoints that end with the session") from error
    folder = mounted / "MyDrive" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
