"""From an Example to what a model reads: a short text, or a vector (one-hot, multi-hot, average
embedding).

``to_text`` writes an Example as a few plain words an event, in order, with the last thing last,
because a text that is too long loses its beginning (lesson 22). The vector encodings are here to be
compared with it.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from satlib.data.interactions import Event, Example
from satlib.runtime import one_of

TEMPLATES = ("titles", "events", "full")
# Upper bounds of the words, in the shop's currency and in seconds. An ordinary look is not worth a
# word: every word costs tokens in every event.
PRICE_WORDS = ((15.0, "cheap"), (50.0, "fair"), (math.inf, "expensive"))
DWELL_WORDS = ((3.0, "glanced"), (60.0, ""), (math.inf, "long look"))
END_MARKS = (".", "!", "?", "…", "。", "！", "？")

# Texts


def to_text(example: Example, template: str = "full") -> str:
    """What a text model reads of an Example: attributes, events in order, and the target last.

    template: "titles" has titles and utterances only; "events" adds actions or speakers, categories
    and the ratings given on the way; "full" adds attributes, prices, dwell times and comments. The
    target's own value is never written, as it would be the answer. Raises ValueError for another
    template.
    """
    one_of("template", template, TEMPLATES)
    if template == "titles":
        return _titles(example)

    full = template == "full"
    sentences = []
    if full:
        sentences.append(_attributes(example))
    for event in example.events:
        sentences.append(_event_sentence(event, full))
    if example.target is not None:
        sentences.append(_event_sentence(example.target, full, is_target=True))
    return " ".join(sentence for sentence in sentences if sentence)


def texts(examples: Iterable[Example], template: str = "full") -> list[str]:
    """``to_text`` of every Example."""
    return [to_text(example, template) for example in examples]


def price_words(price: float) -> str:
    """A price as a word and a whole number: 0 is "free", 12.5 is "cheap 12"."""
    if price <= 0:
        return "free"
    word = _word_for(price, PRICE_WORDS)
    return f"{word} {max(1, round(price))}"


def dwell_words(seconds: float) -> str:
    """A dwell time in words: "glanced" (below 3 s), "long look" (60 s and more), else nothing."""
    return _word_for(seconds, DWELL_WORDS)


def _word_for(number: float, words: tuple[tuple[float, str], ...]) -> str:
    """The word of the first bound that lies above the number, or else the last word."""
    for bound, word in words:
        if number < bound:
            return word
    return words[-1][1]


def categories(event: Event) -> list[str]:
    """The categories of an event: "Action|Sci-Fi", "Action / Sci-Fi" and "Action, Sci-Fi" all give
    two."""
    names = [name.strip() for name in re.split(r"\||/|,", event.category)]
    return [name for name in names if name]


def _titles(example: Example) -> str:
    """The texts of all events and of the target, one sentence each."""
    events = list(example.events)
    if example.target is not None:
        events.append(example.target)
    return " ".join(_sentence(event.text) for event in events)


def _attributes(example: Example) -> str:
    """The user's attributes as one sentence, names before values."""
    named = [f"{name} {value}" for name, value in example.attributes.items()]
    return _sentence(", ".join(named))


def _event_sentence(event: Event, full: bool, is_target: bool = False) -> str:
    """One event as a sentence: who, what, the details in brackets, and in full the comment.

    The target is announced by "now", and its own value is left out.
    """
    rated = event.value is not None and not is_target
    text = _who(event, is_target) + _verb(event, rated) + _one_line(event.text)
    details = _details(event, full)
    if rated:
        details.append(f"rated {event.value:g}")
    if details:
        text += f" ({', '.join(details)})"
    if full and event.comment:
        text += f": {event.comment}"
    return _sentence(text)


def _who(event: Event, is_target: bool) -> str:
    """How the sentence begins: with the speaker, with "now", or with the system; a user's own
    action begins with nothing."""
    if event.action == "say":
        return f"{event.actor}: "
    if is_target:
        return "now: "
    if event.actor == "system":
        return "system: "
    return ""


def _verb(event: Event, rated: bool) -> str:
    """The action as a word, where the rest of the sentence does not say it already."""
    if event.action == "say" or (event.action == "rate" and rated):
        return ""
    return f"{event.action} "


def _details(event: Event, full: bool) -> list[str]:
    """What stands in brackets behind an event: its categories, and in full its price and look."""
    details = []
    names = categories(event)
    if names:
        details.append(" ".join(names))  # a bar or comma would cost a token each
    if full and event.price is not None:
        details.append(price_words(event.price))
    if full and event.dwell is not None:
        look = dwell_words(event.dwell)
        if look:
            details.append(look)
    return details


def _one_line(text: str) -> str:
    """The text on one line: every run of white space becomes one blank."""
    return " ".join(text.split())


def _sentence(text: str) -> str:
    """The text on one line with a mark at its end; nothing stays nothing."""
    text = _one_line(text)
    if not text or text.endswith(END_MARKS):
        return text
    return text + "."


# Vectors


def vocabulary(items: Iterable[str], least: int = 1) -> dict[str, int]:
    """Number the different items that occur at least ``least`` times, in alphabetical order from
    0."""
    counts = Counter(items)
    frequent = sorted(item for item, count in counts.items() if count >= least)
    return {item: column for column, item in enumerate(frequent)}


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
    a = np.atleast_2d(a)
    b = np.atleast_2d(b)
    products = a @ b.T
    a_lengths = np.linalg.norm(a, axis=1)
    b_lengths = np.linalg.norm(b, axis=1)
    lengths = a_lengths[:, None] * b_lengths[None, :]
    # A row of zeros has no direction: where nothing can be divided, the 0 of ``out`` stays.
    return np.divide(products, lengths, out=np.zeros_like(lengths), where=lengths > 0)
