"""Events and Examples: one data model for every corpus, checked at the door.

An **Event** is one step of a user's sequence. An **Example** is the events so far, the thing to be
judged, and one or more ratings of it. A shopping session, a film history and a recommendation
dialogue are all Examples.
"""

import gzip
import io
import json
import lzma
import math
import zlib
from collections.abc import Iterable
from dataclasses import MISSING, fields
from datetime import date as day
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass

from satlib import runtime, storage

LOWEST, HIGHEST = (
    0.5,
    5.0,
)  # MovieLens has half stars from 0.5; every other corpus starts at 1 (corpora checks that)
PARTS = ("train", "validation", "test")
STRICT = ConfigDict(extra="forbid")


def _storable(text: str) -> str:
    try:
        text.encode("utf-8")
    except (
        UnicodeEncodeError
    ):  # half of a surrogate pair, the trace of a cut or wrongly decoded emoji
        raise ValueError("the text holds half a character; decode the source as UTF-8") from None
    return text


def _written(text: str) -> str:
    if not text.strip():
        raise ValueError("the text is empty; give it words or leave the event out")
    return text


def _named(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("a name needs printable characters")
    return text


def _no_yes(value: object) -> object:
    if isinstance(
        value, bool
    ):  # Python counts True as 1.0, which would turn "liked it" into the worst rating
        raise ValueError("yes or no is not a rating")
    return value


def _iso(text: str) -> str:
    try:
        day.fromisoformat(text)
    except ValueError:
        raise ValueError("a date is written YYYY-MM-DD") from None
    return text


Words = Annotated[str, AfterValidator(_storable)]
Text = Annotated[Words, AfterValidator(_written)]
Name = Annotated[Words, AfterValidator(_named)]
Day = Annotated[str, AfterValidator(_iso)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Rating = Annotated[
    float, BeforeValidator(_no_yes), Field(ge=LOWEST, le=HIGHEST, allow_inf_nan=False)
]


@dataclass(frozen=True, slots=True, config=STRICT)
class Event:
    """One step of a user's sequence.

    actor: who acts. action: what is done (click, watch, read, rate, say, ...). text: item title or
    utterance, never empty. category, comment: further wording. value: the rating given in this
    step, if any. dwell: seconds. price: in the shop's currency. position: rank in the shown list,
    from 1. time: Unix seconds.
    """

    actor: Literal["user", "system"]
    action: Text
    text: Text
    category: Words = ""
    comment: Words = ""
    value: Number | None = None
    dwell: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    price: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    position: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    time: Number | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Example:
    """Events, the thing to be judged, and how it was rated.

    group: the user or dialogue, which a split never cuts. target: the thing to be judged; None
    where the whole history is judged. ratings: one per annotator. attributes: facts on the user, as
    words. features: behaviour, as numbers. date: ISO day. part: train, validation or test where the
    corpus fixes it.
    """

    id: Text
    group: Text
    domain: Text
    events: tuple[Event, ...]
    ratings: Annotated[tuple[Rating, ...], Field(min_length=1)]
    target: Event | None = None
    attributes: dict[Name, Words] = Field(default_factory=dict)
    features: dict[Name, Number] = Field(default_factory=dict)
    date: Day | None = None
    part: Literal["train", "validation", "test"] | None = None

    @model_validator(mode="after")
    def _judges_something(self) -> "Example":
        if not self.events and self.target is None:
            raise ValueError("the history is empty and there is no target; give at least one event")
        return self

    @property
    def rating(self) -> float:
        """Mean of the annotators' ratings."""
        return math.fsum(self.ratings) / len(self.ratings)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was refused: its line number (from 1) and the reason in one sentence."""

    line: int
    reason: str


_DOOR = TypeAdapter(Example)


def reason(error: ValidationError) -> str:
    """The first fault that the schema found, as one sentence with the field, the value and the
    rule."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "example"
    if first["type"] in ("missing", "missing_argument"):
        return f"{where}: this field is required; map a column to it"
    shown = ascii(first["input"]) if "half a character" in first["msg"] else repr(first["input"])
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    rule = first["msg"].removeprefix("Value error, ")
    if first["type"] == "unexpected_keyword_argument":
        rule = "unknown field; leave it out or map it to a known one"
    hint = (
        f"; each rating is a number from {LOWEST:g} to {HIGHEST:g}"
        if where.startswith("ratings")
        else ""
    )
    return f"{where} = {shown}: {rule[0].lower()}{rule[1:]}{hint}"


def check(row: dict) -> Example:
    """Turn a dict into an Example, or raise ValueError with one sentence that names field, value
    and rule."""
    try:
        return _DOOR.validate_python(row)
    except ValidationError as error:
        raise ValueError(reason(error)) from error


def compact(example: Example) -> dict:
    """An Example as a plain dict without the fields that keep their defaults."""
    row = _compact(example)
    row["events"] = [_compact(event) for event in example.events]
    if example.target is not None:
        row["target"] = _compact(example.target)
    return row


def _compact(item: Event | Example) -> dict:
    kept = {}
    for f in fields(item):
        value = getattr(item, f.name)
        if f.default is not MISSING and value == f.default or value == {}:
            continue
        kept[f.name] = list(value) if isinstance(value, tuple) else value
    return kept


def to_lines(examples: Iterable[Example]) -> str:
    """Examples as JSON lines, one a line, keys in a fixed order: equal examples give equal text."""
    return "".join(
        json.dumps(compact(e), ensure_ascii=False, separators=(",", ":")) + "\n" for e in examples
    )


def write_examples(examples: Iterable[Example], path: str | Path) -> None:
    """Write Examples atomically as .jsonl, .jsonl.gz, .jsonl.xz or .parquet; refuses another
    ending."""
    path = Path(path)
    runtime.one_of("file ending", path.suffix, (".jsonl", ".gz", ".xz", ".parquet"))
    with storage.replacing(path) as temporary:
        if path.suffix == ".parquet":
            import pyarrow.parquet

            pyarrow.parquet.write_table(to_dataset(examples).with_format("arrow")[:], temporary)
        elif path.suffix == ".xz":
            temporary.write_bytes(lzma.compress(to_lines(examples).encode(), preset=9))
        elif path.suffix == ".gz":
            temporary.write_bytes(gzip.compress(to_lines(examples).encode(), mtime=0))
        else:
            temporary.write_bytes(to_lines(examples).encode())


def read_examples(path: str | Path, on_bad: str = "refuse") -> tuple[list[Example], list[BadRow]]:
    """Read Examples from .jsonl (plain, .gz, .xz) or .parquet; return them with the refused rows.

    on_bad: "refuse" raises ValueError that counts the bad rows and shows the first with their line
    numbers; "skip" leaves them out. Raises FileNotFoundError for a missing file.
    """
    runtime.one_of("on_bad", on_bad, ("refuse", "skip"))
    examples, bad = [], []
    for line, row in _rows(Path(path)):
        try:
            examples.append(
                _DOOR.validate_json(row) if isinstance(row, str) else _DOOR.validate_python(row)
            )
        except ValidationError as error:
            bad.append(BadRow(line, reason(error)))
    if bad and on_bad == "refuse":
        raise ValueError(complain(path, bad))
    return examples, bad


def complain(path: str | Path, bad: list[BadRow], shown: int = 3) -> str:
    """One sentence on the bad rows of a file: how many, the first few with line and reason, and the
    remedy."""
    first = "; ".join(f"line {row.line}: {row.reason}" for row in bad[:shown])
    return f"{path} has {len(bad)} bad row{'s' * (len(bad) > 1)} ({first}); mend them or read with on_bad='skip'"


def _rows(path: Path) -> Iterable[tuple[int, str | dict]]:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; check the path")
    try:
        yield from _parquet_rows(path) if path.suffix == ".parquet" else _text_rows(path)
    except (EOFError, ValueError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        kind = path.suffix.lstrip(".") or "text"
        raise ValueError(
            f"{path} is cut off or is no {kind} file in UTF-8 ({error}); get it again"
        ) from error


def _parquet_rows(path: Path) -> Iterable[tuple[int, dict]]:
    import pyarrow.parquet

    for line, row in enumerate(pyarrow.parquet.read_table(path).to_pylist(), start=1):
        yield line, _without_nones(row)


def _text_rows(path: Path) -> Iterable[tuple[int, str]]:
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "rb") as raw:
        for line, text in enumerate(io.TextIOWrapper(raw, encoding="utf-8-sig"), start=1):
            if text.strip():
                yield line, text


def _without_nones(value):
    """Arrow gives every row every field; an absent one comes back as None and takes its default
    again."""
    if isinstance(value, dict):
        return {key: _without_nones(item) for key, item in value.items() if item is not None}
    return [_without_nones(item) for item in value] if isinstance(value, list) else value


def to_dataset(examples: Iterable[Example]):
    """Examples as a ``datasets.Dataset``: one row an example, the fields of Example as columns,
    absent values None."""
    import datasets

    rows = (compact(e) for e in examples)
    return datasets.Dataset.from_list(
        [{f.name: row.get(f.name) for f in fields(Example)} for row in rows]
    )
