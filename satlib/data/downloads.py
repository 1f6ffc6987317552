"""Downloads that are resumed where they broke off, verified by their checksum, and put in their
place whole.

It knows nothing of corpora: ``satlib.data.corpora`` says what is downloaded where.
"""

import math
import os
import zipfile
from contextlib import suppress
from pathlib import Path

from satlib import runtime, storage

CHUNK = 1 << 16  # bytes per read of a download
TRIES = 3  # how often a download that broke off is resumed before it is refused
PATIENCE = (10, 60)  # seconds to wait for a connection, and for the next bytes
# Status of an answer to a request for the bytes from a place on.
REST = 206
NOTHING_LEFT = 416


def verify(path: Path, sha256: str, name: str = "") -> Path:
    """The path, if the file has this checksum (or none is known); else ValueError with one sentence
    on it (or name)."""
    if not sha256:
        return path
    actual = storage.sha256(path)
    if actual != sha256:
        raise ValueError(
            f"{name or path} has the checksum {actual[:12]}..., expected {sha256[:12]}...: "
            "it is damaged or another version; delete it and download it again"
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
        retrieved = pooch.retrieve(
            url, sha256 or None, fname=path.name, path=path.parent, downloader=resume
        )
        return Path(retrieved)
    except requests.RequestException as error:
        raise ConnectionError(f"{url}: {_reason(error)}") from error
    except OSError as error:
        problem = error.strerror or error
        raise type(error)(
            error.errno,
            f"cannot write {path}: {problem}; free some space or set "
            "SATLIB_CACHE to a folder you may write to",
        ) from error


def _reason(error) -> str:
    """Why a request failed, in a few words."""
    response = error.response
    if response is not None:
        return f"status {response.status_code}"
    # An error of _append carries our own sentence; those of the library carry other errors.
    if error.args and isinstance(error.args[0], str):
        return error.args[0]
    return "the server is not reachable"


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

    for attempt in range(1, TRIES + 1):
        try:
            _append(url, part)
            return
        except requests.ConnectionError:
            nothing_arrived = not part.exists()
            if attempt == TRIES or nothing_arrived:
                raise


def _append(url: str, part: Path) -> None:
    """One request for the bytes that part lacks; a server that ignores Range sends all, and part
    begins anew."""
    import requests

    present = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # bytes as they are, so that they can be counted
    if present:
        headers["Range"] = f"bytes={present}-"
    with requests.get(url, headers=headers, stream=True, timeout=PATIENCE) as response:
        # Nothing after what we have: it is whole, or not this file; the checksum tells.
        if response.status_code == NOTHING_LEFT:
            return
        response.raise_for_status()
        if response.status_code != REST:
            present = 0
        remaining = int(response.headers.get("Content-Length", 0))
        pieces = runtime.progress(
            response.iter_content(CHUNK), part.stem, total=math.ceil(remaining / CHUNK)
        )
        part.parent.mkdir(parents=True, exist_ok=True)
        mode = "ab" if present else "wb"
        # What a broken connection brought is kept; the size below tells that it broke.
        with open(part, mode) as file, suppress(requests.exceptions.ChunkedEncodingError):
            for piece in pieces:
                file.write(piece)
    size = present + remaining
    arrived = part.stat().st_size
    if arrived < size:
        raise requests.ConnectionError(
            f"it broke off after {arrived} of {size} bytes; run again to go on from there"
        )


def unpack(archive: Path, members: dict[str, tuple[Path, str]]) -> None:
    """Write members of a zip archive and remove the archive, good or bad.

    members: name in the archive -> the path to write and the checksum to expect. Raises ValueError
    for another archive or checksum.
    """
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
