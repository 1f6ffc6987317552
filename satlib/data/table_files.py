"""Files of rows as users and corpora have them: CSV, JSON lines and Parquet, each row with its line
number, and JSON lines streamed from a hub.

It knows nothing of corpora. A row that cannot be read at all becomes a BadRow.
"""

import csv
import gzip
import io
import json
import lzma
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from satlib import runtime
from satlib.data.interactions import BadRow

LONGEST = 1 << 24  # characters in one CSV cell; the csv module stops at 131,072 by default
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
OPENERS = {".gz": gzip.open, ".xz": lzma.open}


def opened(path: Path) -> BinaryIO:
    """A file open for reading bytes, unpacked where its name ends in .gz or .xz."""
    opener = OPENERS.get(path.suffix, open)
    return opener(path, "rb")


def text(path: Path) -> str:
    """The whole text of a UTF-8 file, plain, .gz or .xz; a missing file or another encoding is one
    sentence."""
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; check the path")
    with opened(path) as raw:
        try:
            return raw.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8"
            ) from error


def rows(path: Path, bad: list[BadRow]) -> Iterator[tuple[int, dict]]:
    """Rows of a .csv, .tsv, .jsonl (plain, .gz, .xz) or .parquet file as dicts, each with its line
    number from 1.

    Rows that cannot be read at all are added to bad.
    """
    kind = path.suffix
    if kind in OPENERS:
        kind = path.with_suffix("").suffix
    runtime.one_of("file ending", kind, TABLES)
    if kind == ".parquet":
        return parquet_rows(path)
    if kind == ".jsonl":
        return json_rows(path, bad)
    return csv_rows(path, bad)


def csv_rows(path: Path, bad: list[BadRow]) -> Iterator[tuple[int, dict]]:
    """Rows of a CSV file with a header; the separator is whichever of comma, semicolon and tab the
    header has most."""
    csv.field_size_limit(LONGEST)
    content = text(path)
    header = content.split("\n", 1)[0]
    separator = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=separator)
    try:
        for row in reader:
            # Superfluous cells stand under None; missing cells hold it.
            if None in row or None in row.values():
                cells = len(reader.fieldnames)
                reason = f"the row has more or fewer cells than the header's {cells}"
                bad.append(BadRow(reader.line_num, reason))
            else:
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(
            f"{path} is not readable CSV (line {reader.line_num}: {error}); save it again"
        ) from error


def json_rows(path: Path, bad: list[BadRow]) -> Iterator[tuple[int, dict]]:
    """Rows of a JSONL file."""
    # Not splitlines: it would also cut at the line separators that a text in JSON may hold.
    for number, line in enumerate(text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            yield number, row
        else:
            bad.append(BadRow(number, f"{path.name}: {line[:40]!r} is not a JSON object"))


def parquet_rows(path: Path) -> Iterator[tuple[int, dict]]:
    """Rows of a Parquet file; absent values are None."""
    import pyarrow.parquet

    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; check the path")
    table = pyarrow.parquet.read_table(path)
    yield from enumerate(table.to_pylist(), start=1)


def hub_rows(url: str, most: int | None = None) -> Iterator[dict]:
    """Rows of a JSONL file, streamed by ``datasets`` (hf://datasets/..., http or a path), at most
    so many.

    Raises ConnectionError where it cannot be read.
    """
    import datasets

    try:
        # As text, because one field may be a number in one row and words in the next.
        stream = datasets.load_dataset("text", data_files=url, split="train", streaming=True)
        for row in islice(stream, most):
            yield json.loads(row["text"])
    # Its client has many classes for an unknown name, no network and a broken line.
    except Exception as error:
        raise ConnectionError(f"{url} could not be read ({type(error).__name__})") from error
