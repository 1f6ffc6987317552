"""The readers: one function per corpus that turns its raw files into Examples and counts the rows
it must refuse.

Every reader is called as ``reader(files, rate, **options)`` and returns ``(examples, bad)``: files
maps base names to paths, rate turns a raw rating into a number or raises ValueError, bad holds a
BadRow for each refused row.
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


class Step(NamedTuple):
    """A rated step of a user: the fields of its Event, its rating, domain, and id where the corpus
    gives one."""

    fields: dict
    rating: float
    domain: str
    id: str = ""


def rating(value: object, low: float, high: float, step: float = 0.0) -> float:
    """A raw rating as a number between low and high (in steps where given), or ValueError with one
    sentence."""
    legal = f"write a number from {low:g} to {high:g}" + f" in steps of {step:g}" * bool(step)
    if value is None or value != value or isinstance(value, str) and not value.strip():
        raise ValueError(f"the rating is missing; {legal}")
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        number = float("nan")
    if not low <= number <= high or step and number % step:
        raise ValueError(f"rating {value!r} is not allowed; {legal}")
    return number


def histories(group: str, steps: list[Step], history: int) -> Iterator[Example]:
    """An Example per step, from the steps before it; ties in time keep their order in the file.
    Events are shared."""
    steps = sorted(steps, key=lambda step: step.fields["time"] or 0.0)
    past = [Event("user", "rate", value=step.rating, **step.fields) for step in steps]
    for i, step in enumerate(steps):
        yield Example(
            step.id or f"{group}-{i + 1:04d}",
            group,
            step.domain,
            tuple(past[max(0, i - history) : i]),
            (step.rating,),
            Event("user", "rate", **step.fields),
            date=day(step.fields["time"]),
        )


def seconds(value: object) -> float | None:
    """Unix seconds from seconds, milliseconds (above 1e11, year 5138 in seconds) or an ISO date;
    None where absent."""
    if value in (None, ""):
        return None
    try:
        number = float(value)
        number = number / 1000 if abs(number) > 1e11 else number
        EPOCH + timedelta(seconds=number)  # refuses what no calendar holds
        return number
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(
            f"time {value!r} is neither Unix seconds nor an ISO date such as 2024-05-31"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def day(time: float | None) -> str | None:
    """The ISO day (UTC) of Unix seconds."""
    return None if time is None else (EPOCH + timedelta(seconds=time)).date().isoformat()


def why(error: Exception) -> str:
    """What was wrong with a row, as one sentence."""
    if isinstance(error, ValidationError):
        return interactions.reason(error)
    return f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
