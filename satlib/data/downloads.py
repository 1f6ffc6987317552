"""Files: their rows with line numbers, and downloads that are verified, resumable and atomic.

A ground-floor module: it knows nothing of corpora.
"""

import math
import os
import zipfile
from contextlib import suppress
from pathlib import Path

from satlib import runtime, storage

CHUNK = 1 << 16  # bytes per read of a download
TRIES = 3  # how often a download that broke off is resumed before it is refused


def verify(path: Path, sha256: str, name: str = "") -> Path:
    """The path, if the file has this checksum (or none is known); else ValueError with one sentence
    on it (or name)."""
    found = storage.sha256(path) if sha256 else ""
    if found != sha256:
        raise ValueError(
            f"{name or path} has the checksum {found[:12]}..., expected {sha256[:12]}...: it is damaged "
            "or another version; delete it and download it again"
        )
    return path


def download(url: str, path: Path, sha256: str = "") -> Path:
    """Download to path; a partial one is resumed, and only the whole file with the right checksum
    takes its place.

    What arrived so far lies beside it as ``<name>.part``. Raises ConnectionError (not reachable, or
    broken off too often), ValueError (wrong checksum) or OSError (cannot write), each with one
    sentence.
    """
    import pooch
    import requests

    part = path.with_name(path.name + ".part")

    def resume(url: str, output: str, _) -> None:
        os.replace(_whole(url, part, sha256), output)

    pooch.get_logger().setLevel("WARNING")  # it would report to stderr
    try:
        return Path(
            pooch.retrieve(
                url, sha256 or None, fname=path.name, path=path.parent, downloader=resume
            )
        )
    except requests.RequestException as error:
        status = getattr(error.response, "status_code", None)
        ours = error.args and isinstance(error.args[0], str)
        why = (
            f"status {status}"
            if status
            else error.args[0]
            if ours
            else "the server is not reachable"
        )
        raise ConnectionError(f"{url}: {why}") from error
    except OSError as error:
        raise type(error)(
            error.errno,
            f"cannot write {path}: {error.strerror or error}; free some space or set "
            "SATLIB_CACHE to a folder you may write to",
        ) from error


def _whole(url: str, part: Path, sha256: str) -> Path:
    """The finished part with the right checksum. One that went wrong is removed; if it was an old
    one, begin anew."""
    old = part.exists()
    _resume(url, part)
    try:
        return verify(part, sha256, url)
    except ValueError:
        part.unlink()
        if not old:
            raise
    return _whole(url, part, sha256)


def _resume(url: str, part: Path) -> None:
    """Append to part what is missing, beginning again where the connection broke off, at most TRIES
    times."""
    import requests

    for attempt in range(TRIES):
        try:
            return _append(url, part)
        except requests.ConnectionError:
            if attempt == TRIES - 1 or not part.exists():
                raise


def _append(url: str, part: Path) -> None:
    """One request for the bytes that part lacks; a server that ignores Range sends all, and part
    begins anew."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=(10, 60)) as response:
        if (
            response.status_code == 416
        ):  # nothing after what we have: it is whole, or not this file; the checksum tells
            return
        response.raise_for_status()
        have = have if response.status_code == 206 else 0
        size = have + int(response.headers.get("Content-Length", 0))
        pieces = runtime.progress(
            response.iter_content(CHUNK), part.stem, total=math.ceil((size - have) / CHUNK)
        )
        part.parent.mkdir(parents=True, exist_ok=True)
        with (
            open(part, "ab" if have else "wb") as file,
            suppress(requests.exceptions.ChunkedEncodingError),
        ):
            for piece in pieces:
                file.write(piece)
    if (arrived := part.stat().st_size) < size:
        raise requests.ConnectionError(
            f"it broke off after {arrived} of {size} bytes; run again to go on from there"
        )


def unpack(archive: Path, members: dict[str, tuple[Path, str]]) -> None:
    """Write members of a zip archive, each to its path if it has its checksum, and remove the
    archive, good or bad."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for member, (path, sha256) in members.items():
                with storage.replacing(path) as temporary:
                    temporary.write_bytes(packed.read(member))
                    verify(temporary, sha256, f"{member} in {archive.name}")
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(
            f"{archive.name} is not the expected archive ({error}); download it again"
        ) from error
    finally:
        archive.unlink(missing_ok=True)
