"""What the readers share: how a raw rating, a moment and a refused row are understood.

A reader is one function per corpus, called as ``read(files, rate, **options)``. files maps base
names to paths; rate turns a raw rating into a number or raises ValueError. It returns the Examples
and a BadRow for each row that it had to refuse.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import ValidationError

from satlib.data import interactions
from satlib.data.interactions import BadRow, Event, Example

Read = tuple[list[Example], list[BadRow]]
Rate = Callable[[object], float]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS = 1e11  # a moment above is in milliseconds: in seconds it were the year 5138


class RatedStep(NamedTuple):
    """A rated step of a user: the fields of its Event, its rating, domain, and id where the corpus
    gives one."""

    fields: dict
    rating: float
    domain: str
    id: str = ""


def is_missing(value: object) -> bool:
    """Whether a cell of a table holds nothing: None, or the NaN that pandas writes there."""
    return value is None or value != value  # NaN alone differs from itself


def rating(value: object, low: float, high: float, step: float = 0.0) -> float:
    """A raw rating as a number between low and high (in steps where given), or ValueError with one
    sentence."""
    legal = f"write a number from {low:g} to {high:g}"
    if step:
        legal += f" in steps of {step:g}"
    blank = isinstance(value, str) and not value.strip()
    if blank or is_missing(value):
        raise ValueError(f"the rating is missing; {legal}")
    number = _number(value)
    off_scale = not low <= number <= high  # true for NaN as well
    between_steps = step > 0 and number % step > 0
    if off_scale or between_steps:
        raise ValueError(f"rating {value!r} is not allowed; {legal}")
    return number


def _number(value: object) -> float:
    """The value as a number, NaN where it is none; True and False are none."""
    if isinstance(value, bool):
        return float("nan")
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def histories(group: str, steps: list[RatedStep], history: int) -> Iterator[Example]:
    """An Example per step, from the steps before it; ties in time keep their order in the file.

    history: how many steps before it at most. The Examples share their Events.
    """
    steps = sorted(steps, key=lambda step: step.fields["time"] or 0.0)
    past = [Event("user", "rate", value=step.rating, **step.fields) for step in steps]
    for i, step in enumerate(steps):
        first = max(0, i - history)
        yield Example(
            id=step.id or f"{group}-{i + 1:04d}",
            group=group,
            domain=step.domain,
            events=tuple(past[first:i]),
            ratings=(step.rating,),
            target=Event("user", "rate", **step.fields),  # without a value: that is the answer
            date=day(step.fields["time"]),
        )


def seconds(value: object) -> float | None:
    """Unix seconds from seconds, milliseconds or an ISO date; None where absent."""
    if value in (None, ""):
        return None
    try:
        number = float(value)
        if abs(number) > MILLISECONDS:
            number = number / 1000
        EPOCH + timedelta(seconds=number)  # OverflowError for what no calendar holds
        return number
    except (ValueError, OverflowError):
        pass  # no number of seconds: perhaps a date
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(
            f"time {value!r} is neither Unix seconds nor an ISO date such as 2024-05-31"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def day(time: float | None) -> str | None:
    """The ISO day (UTC) of Unix seconds; None where there is no time."""
    if time is None:
        return None
    moment = EPOCH + timedelta(seconds=time)
    return moment.date().isoformat()


def refusal(error: Exception) -> str:
    """What was wrong with a row, as one sentence."""
    if isinstance(error, ValidationError):
        return interactions.reason(error)
    if isinstance(error, KeyError):
        return f"the field {error} is missing"
    return str(error)
