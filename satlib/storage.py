"""Files on disk: written whole or not at all, read with one sentence for whatever is wrong, and
known by their checksums.

All that the kit writes goes through ``replacing``, so that no reader ever meets half a file.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def sha256(path: str | Path) -> str:
    """SHA-256 of a file, as 64 hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_text(text: str) -> str:
    """SHA-256 of a text in UTF-8, as 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the same folder; rename it to ``path`` when the block ends well,
    else remove it.

    A reader therefore sees the old file or the whole new one, never a half. A full disk or a folder
    without permission raises OSError with one sentence that names the file.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, as a rename between two file systems would copy.
        handle, temporary = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".part", dir=path.parent
        )
        os.close(handle)
        yield Path(temporary)
        # The bytes must be on the disk before the name points at them.
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        # A download that broke off, or a file that the block wanted to read: no failed write.
        if error.errno is None or isinstance(error, FileNotFoundError):
            raise
        problem = error.strerror or error
        raise OSError(
            error.errno,
            f"cannot write {path}: {problem}; free some space or choose another folder",
        ) from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically (UTF-8, Unix line ends)."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: str | Path, value: object, indent: int | None = 1) -> None:
    """Write JSON atomically; ValueError for NaN and infinity, which are not JSON."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def read_json(path: str | Path) -> object:
    """Read a JSON file; a missing or broken one gives one sentence that names it."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; check the path")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path} is not valid JSON ({error}); delete it and make it anew"
        ) from error
