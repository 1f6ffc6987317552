"""Files: their rows with line numbers, and downloads that are verified, resumable and atomic.

A ground-floor module: it knows nothing of corpora.
"""

import csv
import gzip
import io
import json
import lzma
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from satlib import runtime
from satlib.data.interactions import BadRow

LONGEST = 1 << 24  # characters in one CSV cell; the csv module stops at 131,072 by default
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
OPENERS = {".gz": gzip.open, ".xz": lzma.open}


def text(path: Path) -> str:
    """The whole text of a UTF-8 file, plain, .gz or .xz; a missing file or another encoding is one
    sentence."""
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; check the path")
    with OPENERS.get(path.suffix, open)(path, "rb") as raw:
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
    kind = path.with_suffix("").suffix if path.suffix in OPENERS else path.suffix
    runtime.one_of("file ending", kind, TABLES)
    return {".jsonl": json_rows, ".parquet": _parquet_rows}.get(kind, csv_rows)(path, bad)


def csv_rows(path: Path, bad: list[BadRow]) -> Iterator[tuple[int, dict]]:
    """Rows of a CSV file with a header; the separator is whichever of comma, semicolon and tab the
    header has most."""
    csv.field_size_limit(LONGEST)
    content = text(path)
    header = content.split("\n", 1)[0]
    reader = csv.DictReader(
        io.StringIO(content, newline=""), delimiter=max(",;\t", key=header.count)
    )
    try:
        for row in reader:
            if None in row or None in row.values():
                cells = len(reader.fieldnames)
                bad.append(
                    BadRow(
                        reader.line_num,
                        f"the row has more or fewer cells than the header's {cells}",
                    )
                )
            else:
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(
            f"{path} is not readable CSV (line {reader.line_num}: {error}); save it again"
        ) from error


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
    """Rows of a JSONL file, streamed by ``datasets`` (hf://datasets/..., http or a path), at most
    so many.

    Read as text, because one field may be a number in one row and words in the next. Raises
    ConnectionError.
    """
    import datasets

    try:
        for row in islice(
            datasets.load_dataset("text", data_files=url, split="train", streaming=True), most
        ):
            yield json.loads(row["text"])
    except (
        Exception
    ) as error:  # its client has many classes for an unknown name, no network and a broken line
        raise ConnectionError(f"{url} could not be read ({type(error).__name__})") from error
