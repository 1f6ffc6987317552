"""Files: their rows with line numbers, and downloads that are verified, resumable and atomic.

A ground-floor module: it knows nothing of corpora.
"""

import csv
import gzip
import io
import json
import lzma
import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from satlib import runtime
from satlib.interactions import BadRow

CHUNK = 1 << 16  # bytes per read of a download
TRIES = 3  # how often a download that broke off is resumed before it is refused
LONGEST = 1 << 24  # characters in one CSV cell; the csv module stops at 131,072 by default
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
OPENERS = {".gz": gzip.open, ".xz": lzma.open}


def text(path: Path) -> str:
    """The whole text of a UTF-8 file, plain, .gz or .xz; a missing file or another encoding is one sentence."""
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; check the path")
    with OPENERS.get(path.suffix, open)(path, "rb") as raw:
        try:
            return raw.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error


def rows(path: Path, bad: list[BadRow]) -> Iterator[tuple[int, dict]]:
    """Rows of a .csv, .tsv, .jsonl (plain, .gz, .xz) or .parquet file as dicts, each with its line number from 1.

    Rows that cannot be read at all are added to bad.
    """
    kind = path.with_suffix("").suffix if path.suffix in OPENERS else path.suffix
    runtime.one_of("file ending", kind, TABLES)
    return {".jsonl": json_rows, ".parquet": _parquet_rows}.get(kind, csv_rows)(path, bad)


def csv_rows(path: Path, bad: list[BadRow]) -> Iterator[tuple[int, dict]]:
    """Rows of a CSV file with a header; the separator is whichever of comma, semicolon and tab the header has most."""
    csv.field_size_limit(LONGEST)
    content = text(path)
    header = content.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=max(",;\t", key=header.count))
    try:
        for row in reader:
            if None in row or None in row.values():
                cells = len(reader.fieldnames)
                bad.append(BadRow(reader.line_num, f"the row has more or fewer cells than the header's {cells}"))
            else:
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"{path} is not readable CSV (line {reader.line_num}: {error}); save it again") from error


def json_rows(path: Path, bad: list[BadRow]) -> Iterator[tuple[int, dict]]:
    """Rows of a JSONL file."""
    for line, row in enumerate(text(path).split("\n"), start=1):
        if not row.strip():
            continue
        try:
            value = json.loads(row)
        except ValueError:
            value = None
        if isinstance(value, dict):
            yield line, value
        else:
            bad.append(BadRow(line, f"{path.name}: {row[:40]!r} is not a JSON object"))


def _parquet_rows(path: Path, bad: list[BadRow]) -> Iterator[tuple[int, dict]]:
    import pyarrow.parquet

    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; check the path")
    yield from enumerate(pyarrow.parquet.read_table(path).to_pylist(), start=1)


def hub_rows(url: str, most: int | None = None) -> Iterator[dict]:
    """Rows of a JSONL file, streamed by ``datasets`` (hf://datasets/..., http or a path), at most so many.

    Read as text, because one field may be a number in one row and words in the next. Raises ConnectionError.
    """
    import datasets

    try:
        for row in islice(datasets.load_dataset("text", data_files=url, split="train", streaming=True), most):
            yield json.loads(row["text"])
    except Exception as error:  # its client has many classes for an unknown name, no network and a broken line
        raise ConnectionError(f"{url} could not be read ({type(error).__name__})") from error


def verify(path: Path, sha256: str, name: str = "") -> Path:
    """The path, if the file has this checksum (or none is known); else ValueError with one sentence on it (or name)."""
    found = runtime.sha256(path) if sha256 else ""
    if found != sha256:
        raise ValueError(f"{name or path} has the checksum {found[:12]}..., expected {sha256[:12]}...: it is damaged "
                         "or another version; delete it and download it again")
    return path


def download(url: str, path: Path, sha256: str = "") -> Path:
    """Download to path; a partial one is resumed, and only the whole file with the right checksum takes its place.

    What arrived so far lies beside it as ``<name>.part``. Raises ConnectionError (not reachable, or broken off too
    often), ValueError (wrong checksum) or OSError (cannot write), each with one sentence.
    """
    import pooch
    import requests

    part = path.with_name(path.name + ".part")

    def resume(url: str, output: str, _) -> None:
        os.replace(_whole(url, part, sha256), output)

    pooch.get_logger().setLevel("WARNING")  # it would report to stderr
    try:
        return Path(pooch.retrieve(url, sha256 or None, fname=path.name, path=path.parent, downloader=resume))
    except requests.RequestException as error:
        status = getattr(error.response, "status_code", None)
        ours = error.args and isinstance(error.args[0], str)
        why = f"status {status}" if status else error.args[0] if ours else "the server is not reachable"
        raise ConnectionError(f"{url}: {why}") from error
    except OSError as error:
        raise type(error)(error.errno, f"cannot write {path}: {error.strerror or error}; free some space or set "
                          "SATLIB_CACHE to a folder you may write to") from error


def _whole(url: str, part: Path, sha256: str) -> Path:
    """The finished part with the right checksum. One that went wrong is removed; if it was an old one, begin anew."""
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
    """Append to part what is missing, beginning again where the connection broke off, at most TRIES times."""
    import requests

    for attempt in range(TRIES):
        try:
            return _append(url, part)
        except requests.ConnectionError:
            if attempt == TRIES - 1 or not part.exists():
                raise


def _append(url: str, part: Path) -> None:
    """One request for the bytes that part lacks; a server that ignores Range sends all, and part begins anew."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=(10, 60)) as response:
        if response.status_code == 416:  # nothing after what we have: it is whole, or not this file; the checksum tells
            return
        response.raise_for_status()
        have = have if response.status_code == 206 else 0
        size = have + int(response.headers.get("Content-Length", 0))
        pieces = runtime.progress(response.iter_content(CHUNK), part.stem, total=math.ceil((size - have) / CHUNK))
        part.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "ab" if have else "wb") as file, suppress(requests.exceptions.ChunkedEncodingError):
            for piece in pieces:
                file.write(piece)
    if (arrived := part.stat().st_size) < size:
        raise requests.ConnectionError(f"it broke off after {arrived} of {size} bytes; run again to go on from there")


def unpack(archive: Path, members: dict[str, tuple[Path, str]]) -> None:
    """Write members of a zip archive, each to its path if it has its checksum, and remove the archive, good or bad."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for member, (path, sha256) in members.items():
                with runtime.replacing(path) as temporary:
                    temporary.write_bytes(packed.read(member))
                    verify(temporary, sha256, f"{member} in {archive.name}")
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{archive.name} is not the expected archive ({error}); download it again") from error
    finally:
        archive.unlink(missing_ok=True)
