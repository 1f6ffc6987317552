"""Leaks: what reaches the training rows, or the input, although it belongs to the rating that is to
be predicted.

``splits.check`` refuses parts that break their rule. This checker looks for what no rule forbids:
sessions that were logged twice, rows that were copied before the cut, columns that know the rating
(``satlib.data.associations``), and histories from the future. A finding is refused where a score
would be wrong beyond doubt, and a suspect where somebody must look. Its thresholds were set so that
the planted faults of satsim are found and none of the published corpora, as the kit cuts them, is
refused. Source of the kinds: Kaufman et al., Leakage in data mining, ACM TKDD 6(4), 2012; Kapoor
and Narayanan, Leakage and the reproducibility crisis in machine-learning-based science, Patterns
4(9), 2023.
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
# Words from which equal sessions of two users are one; shorter ones ("hello") may be chance.
LONG = 20
# Share of the judged rows from which texts that stand in training are a finding; it is refused
# where the rating of the training text is right for the second share of them.
TWINS = 0.1
LOOKED_UP = 0.9
# Absolute rank correlation with the rating from which a column is suspected, if it is that many
# times as strong as every column below it.
KNOWING = 0.7
ABOVE_OTHERS = 1.5
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
    findings = [
        *_broken_rule(parts, rule),
        *_equal_rows(parts),
        *_known_answers(parts),
        *_future(parts),
        *_knowing_columns(parts),
    ]
    return sorted(findings, key=lambda finding: finding.severity == "suspect")


def check(parts: Parts, rule: str = "group") -> list[Finding]:
    """The suspects of a split; ValueError with one sentence where anything is refused."""
    findings = inspect(parts, rule)
    refused = [finding.sentence for finding in findings if finding.severity == "refused"]
    if refused:
        raise ValueError("; ".join(refused))
    return findings


def report(findings: list[Finding]) -> list[str]:
    """One line a finding, or one that says that there is none."""
    if not findings:
        return ["no leak found"]
    return [f"{finding.severity}: {finding.sentence}" for finding in findings]


def _broken_rule(parts: Parts, rule: str) -> Iterator[Finding]:
    runtime.one_of("rule", rule, splits.RULES)
    try:
        splits.check(parts, rule)
    except ValueError as error:
        yield Finding("split", "refused", str(error))


def _graded(kind: str, count: int, rows: int, sentence: str) -> Iterator[Finding]:
    """A finding on ``count`` of so many rows, refused from the share ``SERIOUS`` on."""
    if count == 0:
        return
    severity = "refused" if count >= SERIOUS * rows else "suspect"
    yield Finding(kind, severity, sentence)


class _Numbering:
    """Numbers that stand for an event's content and for its text, so that rows are compared fast.

    Each object is looked at once: the Examples of a user share their Events.
    """

    def __init__(self):
        self.looked_at = {}  # id of an Event -> what ``look`` says of it
        self.numbers = {}  # content or text -> its number

    def look(self, event: Event) -> tuple[int, int, int]:
        """Number of the content, number of the text, words."""
        if id(event) not in self.looked_at:
            self.looked_at[id(event)] = self._look(event)
        return self.looked_at[id(event)]

    def _look(self, event: Event) -> tuple[int, int, int]:
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
        words = len(event.text.split()) + len(event.comment.split())
        return self._number(content), self._number(text), words

    def _number(self, key: tuple) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    def keys(self, example: Example) -> tuple[tuple, tuple]:
        """What equal sessions have in common, and what equal texts have in common."""
        looks = [self.look(event) for event in _all_events(example)]
        contents, texts, words = zip(*looks, strict=True)
        owner = example.group if sum(words) < LONG else ""
        whole = example.target is None
        facts = sorted(example.attributes.items())
        return (owner, example.ratings, whole, *contents, *facts), texts


def _all_events(example: Example) -> tuple[Event, ...]:
    if example.target is None:
        return example.events
    return (*example.events, example.target)


def _equal_rows(parts: Parts) -> Iterator[Finding]:
    """Equal sessions under two ids, and texts that stand on two sides."""
    numbering = _Numbering()
    first = {}  # session -> part and id of its first row
    across = []
    within = Counter()
    trained = defaultdict(Counter)  # texts of training rows -> how often each rating
    looked_up = []  # of each judged row whose texts stand in training: is the rating there right?
    for part, examples in parts.items():
        for example in examples:
            session, texts = numbering.keys(example)
            where, id = first.setdefault(session, (part, example.id))
            if where != part:
                across.append(f"{example.id!r} in {part} is {id!r} in {where}")
            elif id != example.id:
                within[part] += 1
            if part == "train":
                trained[texts][example.rating] += 1
            elif texts in trained:
                ((usual, _),) = trained[texts].most_common(1)
                looked_up.append(usual == example.rating)
    judged = sum(len(examples) for part, examples in parts.items() if part != "train")
    yield from _copies(across, within, judged)
    yield from _texts(looked_up, judged)


def _copies(across: list[str], within: Counter, judged: int) -> Iterator[Finding]:
    """Equal sessions in two parts, each told in words, and their number in one part."""
    shown = across[0] if across else ""
    yield from _graded(
        "copies",
        len(across),
        judged,
        f"{len(across)} rows are copies of rows of another part, among {judged} judged rows "
        f"(the first: {shown}); keep one of each",
    )
    if within:
        counted = " and ".join(f"{count} in {part}" for part, count in within.items())
        yield Finding(
            "copies",
            "suspect",
            f"{within.total()} rows are copies of a row of their own part ({counted}); "
            "keep one of each, or they count twice and intervals by row are too narrow",
        )


def _texts(looked_up: list[bool], judged: int) -> Iterator[Finding]:
    """Judged rows whose rating can be looked up in training, as their texts stand there."""
    if not looked_up or len(looked_up) < TWINS * judged:
        return
    right = sum(looked_up) / len(looked_up)
    yield Finding(
        "texts",
        "refused" if right >= LOOKED_UP else "suspect",
        f"the texts of {len(looked_up)} of {judged} judged rows stand in training word for word, "
        f"and the rating there is right for {right:.0%} of them; cut by group, and copy rows "
        "after the cut and only in training",
    )


def _known_answers(parts: Parts) -> Iterator[Finding]:
    """The rating itself in the input: in the target, or in a history that already holds the
    target."""
    rows = [example for example in _every(parts) if example.target is not None]
    filled = 0
    timed = 0
    timeless = 0
    for example in rows:
        if example.target.value is not None:
            filled += 1
        rated = _rated_before(example)
        if any(_same_moment(event, example.target) for event in rated):
            timed += 1
        if any(_may_be_target(event, example) for event in rated):
            timeless += 1
    yield from _graded(
        "target",
        filled,
        len(rows),
        f"the target of {filled} of {len(rows)} rows carries a value, which is the answer; "
        "leave target.value empty",
    )
    yield from _graded(
        "target",
        timed,
        len(rows),
        f"the history of {timed} of {len(rows)} rows holds the target itself with its rating; "
        "end it before",
    )
    if timeless >= max(1, TWINS * len(rows)):
        yield Finding(
            "target",
            "suspect",
            f"the history of {timeless} of {len(rows)} rows holds an event without time that has "
            "the target's text and rating; make sure that it is not the target itself",
        )


def _every(parts: Parts) -> Iterator[Example]:
    for examples in parts.values():
        yield from examples


def _rated_before(example: Example) -> list[Event]:
    """The rated events of the history that have the target's text."""
    text = example.target.text
    return [event for event in example.events if event.value is not None and event.text == text]


def _same_moment(event: Event, target: Event) -> bool:
    return event.time is not None and event.time == target.time


def _may_be_target(event: Event, example: Example) -> bool:
    """Whether nothing but an unknown time tells the event from the target with its rating."""
    unknown = event.time is None or example.target.time is None
    return unknown and event.value == example.rating


def _future(parts: Parts) -> Iterator[Finding]:
    """Histories that go on after the rating, and judged ratings that stand in the history of a
    training row."""
    rows = list(_every(parts))
    late = [example for example in rows if _last_time(example) > _end(example)]
    yield from _graded(
        "future",
        len(late),
        len(rows),
        f"the history of {len(late)} of {len(rows)} rows holds events later than the rating; "
        "end it at the target's moment",
    )
    judged = _judged_ratings(parts)
    trained = set()
    for example in parts.get("train", []):
        for event in example.events:
            if event.value is not None:
                trained.add((example.group, event.text, event.time))
    known = judged & trained
    yield from _graded(
        "future",
        len(known),
        len(judged),
        f"{len(known)} of {len(judged)} judged ratings stand in the history of a training row; "
        "cut by group or by time",
    )


def _judged_ratings(parts: Parts) -> set[tuple]:
    """Group, text and time of every target outside the training part whose time is known."""
    judged = set()
    for part, examples in parts.items():
        for example in examples:
            target = example.target
            if part != "train" and target is not None and target.time is not None:
                judged.add((example.group, target.text, target.time))
    return judged


def _last_time(example: Example) -> float:
    """The latest moment of a history in Unix seconds; minus infinity where no time is known."""
    times = [event.time for event in example.events if event.time is not None]
    return max(times, default=-math.inf)


def _end(example: Example) -> float:
    """The last moment that a history may know, in Unix seconds; a date alone allows the whole
    day."""
    last = _all_events(example)[-1]
    if last.time is not None:
        return last.time
    if example.date is None:
        return math.inf
    midnight = datetime.fromisoformat(example.date).replace(tzinfo=UTC)
    return midnight.timestamp() + DAY


def _knowing_columns(parts: Parts) -> Iterator[Finding]:
    """Columns that go with the rating far more than what is known before a rating does."""
    strength = {}
    for name, column in columns(parts.get("train", [])).items():
        strength[name] = association(column.values, column.ratings)
    below = [abs(rho) for rho in strength.values() if abs(rho) < KNOWING]
    usual = max(below, default=0.0)
    for name, rho in strength.items():
        if abs(rho) >= max(KNOWING, ABOVE_OTHERS * usual):
            yield Finding(
                "column",
                "suspect",
                f"{name} goes with the rating in training (rank correlation {rho:.2f}; of the "
                f"other columns at most {usual:.2f}); leave it out unless it is known before the "
                "rating",
            )
