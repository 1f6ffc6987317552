"""From an Example to what a model reads: a short text, or a vector (one-hot, multi-hot, average
embedding).

``to_text`` writes an Example as a few plain words an event, in order, with the last thing last,
because a text that is too long loses its beginning (lesson 22). The vector encodings are here to be
compared with it.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from satlib.data.interactions import Event, Example
from satlib.runtime import one_of

TEMPLATES = ("titles", "events", "full")
# Upper bounds of the words, in the shop's currency and in seconds. An ordinary look is not worth a
# word: every word costs tokens in every event.
PRICES = ((0.0, "free"), (15.0, "cheap"), (50.0, "fair"), (float("inf"), "expensive"))
LOOKS = ((3.0, "glanced"), (60.0, ""), (float("inf"), "long look"))
ENDS = (".", "!", "?", "…", "。", "！", "？")


def to_text(example: Example, template: str = "full") -> str:
    """What a text model reads of an Example: attributes, events in order, and the target last.

    template: "titles" has titles and utterances only; "events" adds actions or speakers, categories
    and the ratings given on the way; "full" adds attributes, prices, dwell times and comments. The
    target's own value is never written, as it would be the answer. Raises ValueError for another
    template.
    """
    one_of("template", template, TEMPLATES)
    steps = [*example.events, *([example.target] if example.target is not None else [])]
    if template == "titles":
        return " ".join(_sentence(event.text) for event in steps)
    full = template == "full"
    parts = (
        [_sentence(", ".join(f"{name} {value}" for name, value in example.attributes.items()))]
        if full
        else []
    )
    parts += [_step(event, full) for event in example.events]
    if example.target is not None:
        parts.append(_step(example.target, full, target=True))
    return " ".join(part for part in parts if part)


def texts(examples: Iterable[Example], template: str = "full") -> list[str]:
    """``to_text`` of every Example."""
    return [to_text(example, template) for example in examples]


def price_words(price: float) -> str:
    """A price as a word and a whole number: 0 is "free", 12.5 is "cheap 12"."""
    word = next(word for bound, word in PRICES if price < bound or price == bound == 0)
    return word if word == "free" else f"{word} {max(1, round(price))}"


def dwell_words(seconds: float) -> str:
    """A dwell time in words: "glanced" (below 3 s), "long look" (60 s and more), else nothing."""
    return next(word for bound, word in LOOKS if seconds < bound or bound == float("inf"))


def categories(event: Event) -> list[str]:
    """The categories of an event: "Action|Sci-Fi", "Action / Sci-Fi" and "Action, Sci-Fi" all give
    two."""
    return [name.strip() for name in re.split(r"\||/|,", event.category) if name.strip()]


def _step(event: Event, full: bool, target: bool = False) -> str:
    """One event as a sentence; the target is announced by "now", and its own value is left out."""
    said = event.action == "say"
    rated = event.value is not None and not target
    details = (
        [" ".join(categories(event))] if categories(event) else []
    )  # a bar or comma would cost a token each
    if full:
        details += [price_words(event.price)] if event.price is not None else []
        details += [word] if event.dwell is not None and (word := dwell_words(event.dwell)) else []
    details += [f"rated {event.value:g}"] if rated else []
    who = (
        f"{event.actor}: "
        if said
        else "now: "
        if target
        else "system: "
        if event.actor == "system"
        else ""
    )
    verb = "" if said or (event.action == "rate" and rated) else f"{event.action} "
    text = f"{who}{verb}{_plain(event.text)}" + (f" ({', '.join(details)})" if details else "")
    return _sentence(f"{text}: {event.comment}" if full and event.comment else text)


def _plain(text: str) -> str:
    """The text on one line: every run of white space becomes one blank."""
    return " ".join(text.split())


def _sentence(text: str) -> str:
    """The text on one line with a mark at its end; nothing stays nothing."""
    text = _plain(text)
    return text if not text or text.endswith(ENDS) else text + "."


def vocabulary(items: Iterable[str], least: int = 1) -> dict[str, int]:
    """Number the different items that occur at least ``least`` times, in alphabetical order from
    0."""
    counts: dict[str, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return {
        item: column
        for column, item in enumerate(sorted(item for item, n in counts.items() if n >= least))
    }


def one_hot(items: Sequence[str], columns: dict[str, int]) -> np.ndarray:
    """One row an item, in order, with a single 1 in its column: shape [T, V], float32.

    An item without a column (never seen when the vocabulary was made) leaves a row of zeros.
    """
    rows = np.zeros((len(items), len(columns)), dtype=np.float32)
    for row, item in enumerate(items):
        if item in columns:
            rows[row, columns[item]] = 1
    return rows


def multi_hot(sets: Sequence[Iterable[str]], columns: dict[str, int]) -> np.ndarray:
    """One row a set, with a 1 in the column of every member: shape [N, V], float32; order and
    repeats are lost."""
    rows = np.zeros((len(sets), len(columns)), dtype=np.float32)
    for row, members in enumerate(sets):
        known = [columns[item] for item in members if item in columns]
        rows[row, known] = 1
    return rows


def average_embedding(ids: Sequence[int], table: np.ndarray) -> np.ndarray:
    """Mean of the rows ``ids`` of an embedding table [V, d]: shape [d]; raises ValueError for no
    ids or a bad one."""
    ids = np.asarray(ids, dtype=np.int64)
    if ids.size == 0:
        raise ValueError("ids is empty, so there is nothing to average; give at least one id")
    if ids.min() < 0 or ids.max() >= len(table):
        raise ValueError(
            f"ids run from {ids.min()} to {ids.max()}; the table has rows 0 to {len(table) - 1}"
        )
    return table[ids].mean(axis=0)


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine of the angle between the rows of a [N, d] and of b [M, d]: shape [N, M]; a row of
    zeros gives 0."""
    a, b = np.atleast_2d(a), np.atleast_2d(b)
    lengths = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)[None, :]
    return np.divide(a @ b.T, lengths, out=np.zeros_like(lengths), where=lengths > 0)
