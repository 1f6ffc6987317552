"""Files of Examples: JSON lines, plain or packed, and Parquet, written atomically and read with a
line number for every row that is refused.
"""

import gzip
import io
import json
import lzma
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from pydantic import ValidationError

from satlib import runtime, storage
from satlib.data import table_files
from satlib.data.interactions import DOOR, BadRow, Example, compact, reason

ENDINGS = (".jsonl", ".gz", ".xz", ".parquet")
SHOWN = 3  # bad rows that a sentence quotes


def to_lines(examples: Iterable[Example]) -> str:
    """Examples as JSON lines, one a line, keys in a fixed order: equal examples give equal text."""
    lines = []
    for example in examples:
        line = json.dumps(compact(example), ensure_ascii=False, separators=(",", ":"))
        lines.append(line + "\n")
    return "".join(lines)


def write_examples(examples: Iterable[Example], path: str | Path) -> None:
    """Write Examples atomically as .jsonl, .jsonl.gz, .jsonl.xz or .parquet; refuses another
    ending."""
    path = Path(path)
    runtime.one_of("file ending", path.suffix, ENDINGS)
    with storage.replacing(path) as temporary:
        if path.suffix == ".parquet":
            import pyarrow.parquet

            table = to_dataset(examples).with_format("arrow")[:]
            pyarrow.parquet.write_table(table, temporary)
            return
        content = to_lines(examples).encode()
        if path.suffix == ".xz":
            content = lzma.compress(content, preset=9)
        elif path.suffix == ".gz":
            content = gzip.compress(content, mtime=0)  # no time: equal rows give equal bytes
        temporary.write_bytes(content)


def to_dataset(examples: Iterable[Example]):
    """Examples as a ``datasets.Dataset``: one row an example, the fields of Example as columns,
    absent values None."""
    import datasets

    names = [field.name for field in fields(Example)]
    rows = []
    for example in examples:
        row = compact(example)
        rows.append({name: row.get(name) for name in names})
    return datasets.Dataset.from_list(rows)


def read_examples(path: str | Path, on_bad: str = "refuse") -> tuple[list[Example], list[BadRow]]:
    """Read Examples from .jsonl (plain, .gz, .xz) or .parquet; return them with the refused rows.

    on_bad: "refuse" raises ValueError that counts the bad rows and shows the first with their line
    numbers; "skip" leaves them out. Raises FileNotFoundError for a missing file.
    """
    runtime.one_of("on_bad", on_bad, ("refuse", "skip"))
    examples = []
    bad = []
    for line, row in _rows(Path(path)):
        validate = DOOR.validate_json if isinstance(row, str) else DOOR.validate_python
        try:
            examples.append(validate(row))
        except ValidationError as error:
            bad.append(BadRow(line, reason(error)))
    if bad and on_bad == "refuse":
        raise ValueError(complaint(path, bad))
    return examples, bad


def complaint(path: str | Path, bad: list[BadRow]) -> str:
    """One sentence on the bad rows of a file: how many, the first few with line and reason, and the
    remedy."""
    quoted = "; ".join(f"line {row.line}: {row.reason}" for row in bad[:SHOWN])
    counted = "1 bad row" if len(bad) == 1 else f"{len(bad)} bad rows"
    return f"{path} has {counted} ({quoted}); mend them or read with on_bad='skip'"


def _rows(path: Path) -> Iterator[tuple[int, str | dict]]:
    """The rows of a file, each with its number from 1: a line of JSON, or a dict from Parquet."""
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; check the path")
    try:
        if path.suffix == ".parquet":
            yield from _parquet_rows(path)
        else:
            yield from _text_rows(path)
    except (EOFError, ValueError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        kind = path.suffix.lstrip(".") or "text"
        raise ValueError(
            f"{path} is cut off or is no {kind} file in UTF-8 ({error}); get it again"
        ) from error


def _parquet_rows(path: Path) -> Iterator[tuple[int, dict]]:
    for line, row in table_files.parquet_rows(path):
        yield line, _without_nones(row)


def _text_rows(path: Path) -> Iterator[tuple[int, str]]:
    with table_files.opened(path) as raw:
        lines = io.TextIOWrapper(raw, encoding="utf-8-sig")  # also without a byte order mark
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line


def _without_nones(value):
    """Arrow gives every row every field; an absent one comes back as None and takes its default
    again."""
    if isinstance(value, dict):
        return {key: _without_nones(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nones(item) for item in value]
    return value
