"""Bring your own: a table of ratings (CSV, TSV, JSONL, Parquet) with a column mapping, or a file of
Examples."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from satlib import runtime
from satlib.data import example_files, table_files
from satlib.data.interactions import BadRow
from satlib.data.readers.common import (
    Rate,
    RatedStep,
    Read,
    histories,
    is_missing,
    refusal,
    seconds,
)

REQUIRED = ("group", "text", "rating")
COLUMNS = (*REQUIRED, "id", "item", "comment", "category", "time", "domain")


def read(
    files: dict[str, Path], rate: Rate, *, columns: dict[str, str] | None = None, history: int = 8
) -> Read:
    """A user's own CSV, TSV, JSONL or Parquet: an Example per row, from the rows of its group
    before it in time.

    columns: which column holds what, e.g. {"group": "customer", "text": "title", "rating":
    "stars"}; also possible are id, item, comment, category, time (Unix seconds or ISO), domain; a
    name left out stands for itself. With item, that is the title and text the comment. A file that
    has the fields of an Example already is read as such.
    """
    (path,) = files.values()
    bad = []
    groups = defaultdict(list)
    ids = set()
    mapping = None  # known from the first row on
    for line, row in table_files.rows(path, bad):
        if mapping is None:
            if columns is None and {"events", "ratings"} <= row.keys():
                return read_ready(files, rate)
            mapping = _mapping(path, columns or {}, row)
        try:
            cells = {name: _cell(row.get(column)) for name, column in mapping.items()}
            step = _step(cells, rate)
            if step.id in ids:
                raise ValueError(f"id {step.id!r} occurs twice; ids are unique")
            if step.id:
                ids.add(step.id)
            groups[cells["group"]].append(step)
        except ValueError as error:
            bad.append(BadRow(line, refusal(error)))
    examples = []
    for group, steps in groups.items():
        examples += histories(group, steps, history)
    return examples, bad


def _mapping(path: Path, columns: dict[str, str], row: dict) -> dict[str, str]:
    """Name -> column, for every name whose column the table has; ValueError where one that is
    needed or was named is not there."""
    for name in columns:
        runtime.one_of("column of an Example", name, COLUMNS)
    for name in (*REQUIRED, *columns):
        column = columns.get(name, name)
        if column not in row:
            present = ", ".join(map(repr, row))
            raise ValueError(
                f"{path} has no column {column!r} for the {name}; it has {present}: "
                f"name one of them as columns={{{name!r}: ...}}"
            )
    mapping = {name: columns.get(name, name) for name in COLUMNS}
    return {name: column for name, column in mapping.items() if column in row}


def _cell(value: object) -> str:
    if is_missing(value):
        return ""
    return str(value).strip()


def _step(cells: dict[str, str], rate: Rate) -> RatedStep:
    """A row of the table as a rated step."""
    for name in ("group", "text"):
        if not cells[name]:
            raise ValueError(f"the {name} is empty; every row needs one")
    title = cells["text"]
    comment = cells.get("comment", "")
    if cells.get("item"):
        title = cells["item"]
        comment = cells["text"]
    fields = {
        "text": title,
        "comment": comment,
        "category": cells.get("category", ""),
        "time": seconds(cells.get("time")),
    }
    domain = cells.get("domain") or "own"
    return RatedStep(fields, rate(cells["rating"]), domain, cells.get("id", ""))


def read_ready(files: dict[str, Path], rate: Rate) -> Read:
    """A file that holds Examples already: satsim, or one that ``example_files.write_examples``
    made."""
    (path,) = files.values()
    examples, bad = example_files.read_examples(path, on_bad="skip")
    kept = []
    for line, example in zip(_good_lines(bad), examples, strict=False):
        try:
            for value in example.ratings:
                rate(value)  # ValueError where the corpus's scale does not hold it
            kept.append(example)
        except ValueError as error:
            bad.append(BadRow(line, f"example {example.id!r}: {error}"))
    return kept, bad


def _good_lines(bad: list[BadRow]) -> Iterator[int]:
    """The numbers from 1 on that stand for no bad row."""
    refused = {row.line for row in bad}
    return (line for line in count(1) if line not in refused)
