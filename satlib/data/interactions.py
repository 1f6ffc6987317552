"""Events and Examples: one data model for every corpus, checked at the door.

An **Event** is one step of a user's sequence. An **Example** is the events so far, the thing to be
judged, and one or more ratings of it. A shopping session, a film history and a recommendation
dialogue are all Examples. ``satlib.data.example_files`` keeps them in files.
"""

import math
from dataclasses import MISSING, fields
from datetime import date as day
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

# MovieLens has half stars from 0.5; every other corpus starts at 1, which its reader checks.
LOWEST = 0.5
HIGHEST = 5.0
PARTS = ("train", "validation", "test")
STRICT = ConfigDict(extra="forbid")
LONGEST = 60  # characters of a value that an error shows


def _storable(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # Half of a surrogate pair: the trace of a cut or wrongly decoded emoji.
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
    # Python counts True as 1.0, which would turn "liked it" into the worst rating.
    if isinstance(value, bool):
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


DOOR = TypeAdapter(Example)  # what turns a dict or a line of JSON into an Example


def to_example(row: dict) -> Example:
    """Turn a dict into an Example, or raise ValueError with one sentence that names field, value
    and rule."""
    try:
        return DOOR.validate_python(row)
    except ValidationError as error:
        raise ValueError(reason(error)) from error


def reason(error: ValidationError) -> str:
    """The first fault that the schema found, as one sentence with the field, the value and the
    rule."""
    fault = error.errors()[0]
    message = fault["msg"]
    field = ".".join(map(str, fault["loc"])) or "example"
    if fault["type"] in ("missing", "missing_argument"):
        return f"{field}: this field is required; map a column to it"
    rule = message.removeprefix("Value error, ")
    if fault["type"] == "unexpected_keyword_argument":
        rule = "unknown field; leave it out or map it to a known one"
    # Half a character cannot be printed, so such a text is shown by its codes.
    show = ascii if "half a character" in message else repr
    shown = show(fault["input"])
    if len(shown) > LONGEST:
        shown = shown[: LONGEST - 3] + "..."
    sentence = f"{field} = {shown}: {rule[0].lower()}{rule[1:]}"
    if field.startswith("ratings"):
        sentence += f"; each rating is a number from {LOWEST:g} to {HIGHEST:g}"
    return sentence


def compact(example: Example) -> dict:
    """An Example as a plain dict without the fields that keep their defaults."""
    row = _set_fields(example)
    row["events"] = [_set_fields(event) for event in example.events]
    if example.target is not None:
        row["target"] = _set_fields(example.target)
    return row


def _set_fields(item: Event | Example) -> dict:
    """Name -> value of the fields that differ from their default; tuples as lists."""
    kept = {}
    for field in fields(item):
        value = getattr(item, field.name)
        is_default = field.default is not MISSING and value == field.default
        if is_default or value == {}:
            continue
        if isinstance(value, tuple):
            value = list(value)
        kept[field.name] = value
    return kept
