"""Bring your own: a table of ratings (CSV, TSV, JSONL, Parquet) with a column mapping, or a file of
Examples."""

from collections import defaultdict
from itertools import count
from pathlib import Path

from satlib import runtime
from satlib.data import interactions, table_files
from satlib.data.interactions import BadRow
from satlib.data.readers.common import Rate, Read, Step, histories, seconds, why

COLUMNS = ("group", "text", "rating", "id", "item", "comment", "category", "time", "domain")


def table(
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
    bad, groups, names, seen = [], defaultdict(list), None, set()
    for line, row in table_files.rows(path, bad):
        if names is None:
            if columns is None and {"events", "ratings"} <= row.keys():
                return ready(files, rate)
            names = _mapping(path, columns or {}, row)
        try:
            group, step = _own_step(
                {name: _cell(row.get(column)) for name, column in names.items()}, rate
            )
            if step.id and step.id in seen:
                raise ValueError(f"id {step.id!r} occurs twice; ids are unique")
            seen.add(step.id)
            groups[group].append(step)
        except ValueError as error:
            bad.append(BadRow(line, why(error)))
    return [e for group, steps in groups.items() for e in histories(group, steps, history)], bad


def _mapping(path: Path, columns: dict[str, str], row: dict) -> dict[str, str]:
    for name in columns:
        runtime.one_of("column of an Example", name, COLUMNS)
    for name in (*COLUMNS[:3], *columns):
        if (column := columns.get(name, name)) not in row:
            raise ValueError(
                f"{path} has no column {column!r} for the {name}; it has {', '.join(map(repr, row))}: "
                f"name one of them as columns={{{name!r}: ...}}"
            )
    return {name: columns.get(name, name) for name in COLUMNS if columns.get(name, name) in row}


def _cell(value: object) -> str:
    return "" if value is None or value != value else str(value).strip()


def _own_step(cells: dict[str, str], rate: Rate) -> tuple[str, Step]:
    for name in ("group", "text"):
        if not cells[name]:
            raise ValueError(f"the {name} is empty; every row needs one")
    item = cells.get("item")
    fields = {
        "text": item or cells["text"],
        "comment": cells["text"] if item else cells.get("comment", ""),
        "category": cells.get("category", ""),
        "time": seconds(cells.get("time")),
    }
    return cells["group"], Step(
        fields, rate(cells["rating"]), cells.get("domain") or "own", cells.get("id", "")
    )


def ready(files: dict[str, Path], rate: Rate) -> Read:
    """A file that holds Examples already (satsim, or one that interactions.write_examples made)."""
    (path,) = files.values()
    good, bad = interactions.read_examples(path, on_bad="skip")
    kept, refused = [], {row.line for row in bad}
    for line, example in zip((n for n in count(1) if n not in refused), good, strict=False):
        try:
            for value in example.ratings:
                rate(value)
            kept.append(example)
        except ValueError as error:
            bad.append(BadRow(line, f"example {example.id!r}: {error}"))
    return kept, bad
