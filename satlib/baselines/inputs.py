"""What a baseline sees of the examples: nothing, words, items, who rated what, behaviour,
sentences, or ordered steps.

Taught with lesson 32 beside ``baselines``. A view takes the split of a corpus and returns rows for
every part; whatever it has to learn (which words there are, which users) it learns from the
training rows alone.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from satlib.baselines import behaviour, event_steps
from satlib.baselines.event_steps import TOKEN, rectangle
from satlib.data.corpora import Loaded
from satlib.data.interactions import Example
from satlib.encoding import sequences

Parts = dict[str, list[Example]]


def tfidf(texts: Sequence):
    """Fit TF-IDF of single words and pairs that stand in two texts or more: (vectoriser, sparse
    rows [N, V]).

    Tiny data keep every word. Raises ValueError where the texts hold none.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    return _vectorise(
        TfidfVectorizer, texts, ngram_range=(1, 2), sublinear_tf=True, token_pattern=TOKEN
    )


def counts(texts: Sequence):
    """Fit the counts of single words, as ``tfidf`` does."""
    from sklearn.feature_extraction.text import CountVectorizer

    return _vectorise(CountVectorizer, texts, token_pattern=TOKEN)


def multi_hot(examples: Sequence[Example]):
    """Fit one column for every title and category of the history, and for those of the target, as
    ``tfidf`` does."""
    from sklearn.feature_extraction.text import CountVectorizer

    return _vectorise(CountVectorizer, examples, analyzer=items_seen, binary=True)


def _vectorise(kind: type, rows: Sequence, **options):
    try:
        vectoriser = kind(min_df=2, **options)
        return vectoriser, vectoriser.fit_transform(rows)
    except ValueError:  # nothing stands in two rows
        vectoriser = kind(min_df=1, **options)
    try:
        return vectoriser, vectoriser.fit_transform(rows)
    except ValueError as error:
        raise ValueError(
            f"the {len(rows)} training texts hold no word; give texts, or take the mean"
        ) from error


def items_seen(example: Example) -> list[str]:
    """Names of what occurs in an example: titles and categories of its history and, apart from
    them, of its target."""
    steps = [("history", event) for event in example.events]
    steps += [("target", example.target)] if example.target is not None else []
    return [
        f"{place} {name}"
        for place, event in steps
        for name in (event.text, *sequences.categories(event))
    ]


def judged(example: Example) -> list[str]:
    """The items that a rating speaks of: the target's title, or all titles where the whole history
    is judged."""
    steps = example.events if example.target is None else [example.target]
    return sorted({event.text for event in steps})


class Pairs(NamedTuple):
    """Who rated what: users [N] and items [N, most items of a row], numbered from 1; 0 is unknown,
    or no item."""

    users: np.ndarray
    items: np.ndarray


def pairs(parts: Parts) -> dict[str, Pairs]:
    """Users and items of every part, numbered by the training rows."""
    users = sequences.vocabulary(e.group for e in parts["train"])
    items = sequences.vocabulary(name for e in parts["train"] for name in judged(e))
    found = {}
    for part, examples in parts.items():
        rows = [[items[name] + 1 for name in judged(e) if name in items] for e in examples]
        who = np.array([users.get(e.group, -1) + 1 for e in examples], dtype=np.int64)
        found[part] = Pairs(who, rectangle(rows))
    return found


def _by_text(fit: Callable) -> Callable[[Loaded, Parts], dict]:
    """A view that turns texts, or examples, into the sparse rows of a vectoriser fitted on the
    training rows."""

    def view(loaded: Loaded, parts: Parts) -> dict:
        found = (
            parts
            if fit is multi_hot
            else {part: sequences.texts(examples) for part, examples in parts.items()}
        )
        vectoriser, train = fit(found["train"])
        return {
            part: train if part == "train" else vectoriser.transform(rows)
            for part, rows in found.items()
        }

    return view


def _behaviour(loaded: Loaded, parts: Parts) -> dict[str, np.ndarray]:
    try:
        return behaviour.by_part(loaded.examples, parts, loaded.scale)
    except ValueError as error:
        raise ValueError(
            f"{loaded.name} has no times, which behaviour features need to know what came first; "
            "leave this baseline out, or map a column to time"
        ) from error


# name -> function of the corpus and the parts, which gives the rows of every part
VIEWS: dict[str, Callable[[Loaded, Parts], dict]] = {
    "nothing": lambda loaded, parts: {
        part: np.zeros((len(examples), 1)) for part, examples in parts.items()
    },
    "who and what": lambda loaded, parts: pairs(parts),
    "items": _by_text(multi_hot),
    "word counts": _by_text(counts),
    "words": _by_text(tfidf),
    "sentences": lambda loaded, parts: event_steps.embeddings(parts),
    "behaviour": _behaviour,
    "order": lambda loaded, parts: event_steps.ordered(parts, loaded.scale),
}
