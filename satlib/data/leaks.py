"""Leaks: what reaches the training rows, or the input, although it belongs to the rating that is to
be predicted.

``splits.check`` refuses parts that break their rule. This checker looks for what no rule forbids:
sessions that were logged twice, rows that were copied before the cut, columns that know the rating,
and histories from the future. A finding is refused where a score would be wrong beyond doubt, and a
suspect where somebody must look. Its thresholds were set so that the planted faults of satsim are
found and none of the published corpora, as the kit cuts them, is refused. Source of the kinds:
Kaufman et al., Leakage in data mining, ACM TKDD 6(4), 2012; Kapoor and Narayanan, Leakage and the
reproducibility crisis in machine-learning-based science, Patterns 4(9), 2023.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from satlib import runtime
from satlib.data import splits
from satlib.data.associations import association, columns
from satlib.data.interactions import Event, Example
from satlib.data.splits import Parts

SERIOUS = 0.01  # share of the rows from which a certain fault is refused
LONG = (
    20  # words from which equal sessions of two users are one; shorter ones ("hello") may be chance
)
TWINS = 0.1  # share of the judged rows from which texts that stand in training are told ...
LOOKED_UP = (
    0.9  # ... and refused, where the rating of the training text is right for that many of them
)
KNOWING = 0.7  # absolute rank correlation with the rating from which a column is suspected ...
ABOVE_OTHERS = 1.5  # ... if it is that many times as strong as every column below it
DAY = 86400.0  # seconds


@dataclass(frozen=True)
class Finding:
    """A leak. kind: split, copies, texts, target, future or column. sentence: what, how much, and
    the remedy."""

    kind: str
    severity: Literal["refused", "suspect"]
    sentence: str


def inspect(parts: Parts, rule: str = "group") -> list[Finding]:
    """All findings on a split that was cut by a rule of ``splits.RULES``, refused ones first;
    nothing random in it."""
    found = [
        *_broken(parts, rule),
        *_same(parts),
        *_answers(parts),
        *_future(parts),
        *_columns(parts),
    ]
    return sorted(found, key=lambda finding: finding.severity == "suspect")


def check(parts: Parts, rule: str = "group") -> list[Finding]:
    """The suspects of a split; ValueError with one sentence where anything is refused."""
    found = inspect(parts, rule)
    refused = [finding.sentence for finding in found if finding.severity == "refused"]
    if refused:
        raise ValueError("; ".join(refused))
    return found


def report(findings: list[Finding]) -> list[str]:
    """One line a finding, or one that says that there is none."""
    return [f"{finding.severity}: {finding.sentence}" for finding in findings] or ["no leak found"]


def _broken(parts: Parts, rule: str) -> Iterator[Finding]:
    runtime.one_of("rule", rule, splits.RULES)
    try:
        splits.check(parts, rule)
    except ValueError as error:
        yield Finding("split", "refused", str(error))


def _graded(kind: str, count: int, rows: int, sentence: str) -> Iterator[Finding]:
    """A finding on ``count`` of so many rows, refused from the share ``SERIOUS`` on."""
    if count:
        yield Finding(kind, "refused" if count >= SERIOUS * rows else "suspect", sentence)


class _Steps:
    """Numbers that stand for an event's content and for its text, and how many words it has.

    Each object is looked at once: the Examples of a user share their Events.
    """

    def __init__(self):
        self.known, self.numbers = {}, {}

    def look(self, event: Event) -> tuple[int, int, int]:
        """Number of the content, number of the text, words."""
        if found := self.known.get(id(event)):
            return found
        text = (event.text, event.comment)
        content = (
            *text,
            event.actor,
            event.action,
            event.category,
            event.value,
            event.dwell,
            event.price,
            event.position,
            event.time,
        )
        content, told = (self.numbers.setdefault(key, len(self.numbers)) for key in (content, text))
        return self.known.setdefault(
            id(event), (content, told, len(event.text.split()) + len(event.comment.split()))
        )

    def keys(self, e: Example) -> tuple[tuple, tuple]:
        """What equal sessions have in common, and what equal texts have in common."""
        contents, texts, words = zip(*map(self.look, _steps(e)), strict=True)
        owner = e.group if sum(words) < LONG else ""
        return (owner, e.ratings, e.target is None, *contents, *sorted(e.attributes.items())), texts


def _steps(e: Example) -> tuple[Event, ...]:
    return e.events if e.target is None else (*e.events, e.target)


def _same(parts: Parts) -> Iterator[Finding]:
    """Equal sessions under two ids, and texts that stand on two sides."""
    steps, first, across, within, ratings, twins = (
        _Steps(),
        {},
        [],
        Counter(),
        defaultdict(Counter),
        [],
    )
    for part, examples in parts.items():
        for e in examples:
            key, text = steps.keys(e)
            where, id = first.setdefault(key, (part, e.id))
            if where != part:
                across.append(f"{e.id!r} in {part} is {id!r} in {where}")
            elif id != e.id:
                within[part] += 1
            if part == "train":
                ratings[text][e.rating] += 1
            elif text in ratings:
                twins.append(ratings[text].most_common(1)[0][0] == e.rating)
    judged = sum(len(examples) for part, examples in parts.items() if part != "train")
    yield from _copies(across, within, judged)
    if twins and len(twins) >= TWINS * judged:
        right = sum(twins) / len(twins)
        yield Finding(
            "texts",
            "refused" if right >= LOOKED_UP else "suspect",
            (
                f"the texts of {len(twins)} of {judged} judged rows stand in training word for word, and the rating there "
                f"is right for {right:.0%} of them; cut by group, and copy rows after the cut and only in training"
            ),
        )


def _copies(across: list[str], within: Counter, judged: int) -> Iterator[Finding]:
    yield from _graded(
        "copies",
        len(across),
        judged,
        (
            f"{len(across)} rows are copies of rows of another part, among {judged} judged rows (the first: "
            f"{''.join(across[:1])}); keep one of each"
        ),
    )
    if within:
        counted = " and ".join(f"{count} in {part}" for part, count in within.items())
        yield Finding(
            "copies",
            "suspect",
            f"{within.total()} rows are copies of a row of their own part ({counted}); "
            "keep one of each, or they count twice and intervals by row are too narrow",
        )


def _answers(parts: Parts) -> Iterator[Finding]:
    """The rating itself in the input: in the target, or in a history that already holds the
    target."""
    rows = [e for examples in parts.values() for e in examples if e.target is not None]
    filled = sum(e.target.value is not None for e in rows)
    yield from _graded(
        "target",
        filled,
        len(rows),
        (
            f"the target of {filled} of {len(rows)} rows carries a value, which is the answer; leave target.value empty"
        ),
    )
    again = [
        (e, event)
        for e in rows
        for event in e.events
        if event.value is not None and event.text == e.target.text
    ]
    timed = {e.id for e, event in again if event.time is not None and event.time == e.target.time}
    yield from _graded(
        "target",
        len(timed),
        len(rows),
        (
            f"the history of {len(timed)} of {len(rows)} rows holds the target itself with its rating; end it before"
        ),
    )
    bare = {
        e.id
        for e, event in again
        if None in (event.time, e.target.time) and event.value == e.rating
    }
    if len(bare) >= max(1, TWINS * len(rows)):
        yield Finding(
            "target",
            "suspect",
            f"the history of {len(bare)} of {len(rows)} rows holds an event without "
            "time that has the target's text and rating; make sure that it is not the target itself",
        )


def _future(parts: Parts) -> Iterator[Finding]:
    """Histories that go on after the rating, and judged ratings that stand in the history of a
    training row."""
    rows = [e for examples in parts.values() for e in examples]
    late = sum(
        max((s.time for s in e.events if s.time is not None), default=-math.inf) > _end(e)
        for e in rows
    )
    yield from _graded(
        "future",
        late,
        len(rows),
        (
            f"the history of {late} of {len(rows)} rows holds events later than the rating; end it at the target's moment"
        ),
    )
    judged = {
        (e.group, e.target.text, e.target.time)
        for part, examples in parts.items()
        if part != "train"
        for e in examples
        if e.target is not None and e.target.time is not None
    }
    told = {
        key
        for e in parts.get("train", [])
        for s in e.events
        if s.value is not None and (key := (e.group, s.text, s.time)) in judged
    }
    yield from _graded(
        "future",
        len(told),
        len(judged),
        (
            f"{len(told)} of {len(judged)} judged ratings stand in the history of a training row; cut by group or by time"
        ),
    )


def _end(e: Example) -> float:
    """The last moment that a history may know, in Unix seconds; a date alone allows the whole
    day."""
    steps = [e.target] if e.target is not None else e.events[-1:]
    if steps[0].time is not None:
        return steps[0].time
    return (
        datetime.fromisoformat(e.date).replace(tzinfo=UTC).timestamp() + DAY if e.date else math.inf
    )


def _columns(parts: Parts) -> Iterator[Finding]:
    """Columns that go with the rating far more than what is known before a rating does."""
    strength = {name: association(*pair) for name, pair in columns(parts.get("train", [])).items()}
    usual = max((abs(rho) for rho in strength.values() if abs(rho) < KNOWING), default=0.0)
    for name, rho in strength.items():
        if abs(rho) >= max(KNOWING, ABOVE_OTHERS * usual):
            yield Finding(
                "column",
                "suspect",
                (
                    f"{name} goes with the rating in training (rank correlation {rho:.2f}; of the other columns at most "
                    f"{usual:.2f}); leave it out unless it is known before the rating"
                ),
            )
