"""What a baseline sees of the examples: nothing, words, characters, items, who rated what,
behaviour, embeddings, or ordered steps.

Taught with lesson 32 beside ``fitting``. Each entry of ``INPUTS`` takes the split of a corpus and
returns rows for every part; whatever it has to learn (which words there are, which users) it learns
from the training rows alone. ``Views`` makes each once, however many baselines see it.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

from satlib.baselines import behaviour, event_steps
from satlib.baselines.event_steps import TOKEN, Parts, Sentences, StepArrays, pad_rows
from satlib.data.corpora import Loaded
from satlib.data.interactions import Example
from satlib.encoding import sequences


def tfidf(texts: Sequence):
    """Fit TF-IDF of single words and pairs that stand in two texts or more: (vectoriser, sparse
    rows [N, V]).

    Tiny data keep every word. Raises ValueError where the texts hold none.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    return _vectorise(
        TfidfVectorizer, texts, ngram_range=(1, 2), sublinear_tf=True, token_pattern=TOKEN
    )


def characters(texts: Sequence):
    """Fit TF-IDF of all runs of 2 to 5 characters within words, as ``tfidf`` does with words.

    A word of which no training text holds exactly this form still shares most of its runs.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    return _vectorise(
        TfidfVectorizer,
        texts,
        analyzer="char_wb",
        ngram_range=(2, 5),
        sublinear_tf=True,
        dtype=np.float32,
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
    """Fit a vectoriser of scikit-learn on what stands in two rows, or else on all there is."""
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
    if example.target is not None:
        steps.append(("target", example.target))
    names = []
    for place, event in steps:
        for name in (event.text, *sequences.categories(event)):
            names.append(f"{place} {name}")
    return names


def judged_items(example: Example) -> list[str]:
    """The items that a rating speaks of: the target's title, or all titles where the whole history
    is judged."""
    judged = example.events if example.target is None else [example.target]
    return sorted({event.text for event in judged})


class Pairs(NamedTuple):
    """Who rated what: users [N] and items [N, most items of a row], numbered from 1; 0 is unknown,
    or no item."""

    users: np.ndarray
    items: np.ndarray


def pairs(parts: Parts) -> dict[str, Pairs]:
    """Users and items of every part, numbered by the training rows."""
    trained_items = [judged_items(example) for example in parts["train"]]
    users = sequences.vocabulary(example.group for example in parts["train"])
    items = sequences.vocabulary(itertools.chain.from_iterable(trained_items))
    numbered = {}
    for part, examples in parts.items():
        user_rows = []
        item_rows = []
        for example in examples:
            known = [name for name in judged_items(example) if name in items]
            # Numbers begin at 1; an unknown user is -1 + 1 = 0.
            item_rows.append([items[name] + 1 for name in known])
            user_rows.append(users.get(example.group, -1) + 1)
        numbered[part] = Pairs(np.array(user_rows, dtype=np.int64), pad_rows(item_rows))
    return numbered


class Characters(NamedTuple):
    """TF-IDF of characters of N examples, sparse [N, V] each: of the whole text, and of its last
    event."""

    text: sparse.csr_matrix
    last: sparse.csr_matrix


def _nothing(loaded: Loaded, parts: Parts) -> dict[str, np.ndarray]:
    """A column of zeros."""
    return {part: np.zeros((len(examples), 1)) for part, examples in parts.items()}


def _who_and_what(loaded: Loaded, parts: Parts) -> dict[str, Pairs]:
    return pairs(parts)


def _items(loaded: Loaded, parts: Parts) -> dict:
    return _vectorised(multi_hot, parts)


def _word_counts(loaded: Loaded, parts: Parts) -> dict:
    return _vectorised(counts, _texts(parts))


def _words(loaded: Loaded, parts: Parts) -> dict:
    return _vectorised(tfidf, _texts(parts))


def _characters(loaded: Loaded, parts: Parts) -> dict[str, Characters]:
    last_events = {}
    for part, examples in parts.items():
        last_events[part] = [event_steps.sentences(example)[-1] for example in examples]
    of_text = _vectorised(characters, _texts(parts))
    of_last = _vectorised(characters, last_events)
    return {part: Characters(of_text[part], of_last[part]) for part in parts}


def _texts(parts: Parts) -> dict[str, list[str]]:
    return {part: sequences.texts(examples) for part, examples in parts.items()}


def _vectorised(fit: Callable, parts: dict[str, list]) -> dict:
    """Sparse rows of every part, by the vectoriser that ``fit`` gives for the training rows."""
    vectoriser, train = fit(parts["train"])
    rows_of = {}
    for part, rows in parts.items():
        rows_of[part] = train if part == "train" else vectoriser.transform(rows)
    return rows_of


def _sentences(loaded: Loaded, parts: Parts) -> dict[str, Sentences]:
    return event_steps.sentence_embeddings(parts)


def _behaviour(loaded: Loaded, parts: Parts) -> dict[str, np.ndarray]:
    try:
        return behaviour.by_part(loaded.examples, parts, loaded.scale)
    except ValueError as error:
        raise ValueError(
            f"{loaded.name} has no times, which behaviour features need to know what came first; "
            "leave this baseline out, or map a column to time"
        ) from error


def _order(loaded: Loaded, parts: Parts) -> dict[str, StepArrays]:
    return event_steps.part_arrays(parts, loaded.scale)


# What a baseline may see -> function of the corpus and the parts, which gives the rows of every
# part.
INPUTS: dict[str, Callable[[Loaded, Parts], dict]] = {
    "nothing": _nothing,
    "who and what": _who_and_what,
    "items": _items,
    "word counts": _word_counts,
    "words": _words,
    "characters": _characters,
    "sentences": _sentences,
    "behaviour": _behaviour,
    "order": _order,
}


class Views:
    """The views of a corpus that was split: each is made when a baseline first asks for it, and
    kept.

    Rows are sorted by id within their part, so that their order in the file changes no result.
    order: part -> the place of each sorted row among those given. ratings: part -> ratings [N] of
    the parts that may be learned from, which are all but the test part. Raises ValueError where
    there are no training rows.
    """

    def __init__(self, loaded: Loaded, parts: Parts):
        if not parts.get("train"):
            raise ValueError(
                "the part train has no rows; give at least one rated example to learn from"
            )
        self.loaded = loaded
        self.order: dict[str, np.ndarray] = {}
        self.ratings: dict[str, np.ndarray] = {}
        self._parts: Parts = {}
        self._made: dict[str, dict] = {}
        self._seconds: dict[str, float] = {}
        for part, examples in parts.items():
            if not examples:
                continue
            self.order[part] = np.argsort([example.id for example in examples])
            self._parts[part] = [examples[place] for place in self.order[part]]
            if part != "test":
                self.ratings[part] = np.array([example.rating for example in self._parts[part]])

    def rows(self, view: str) -> dict:
        """The rows of every part in one of INPUTS."""
        if view not in self._made:
            begun = time.perf_counter()
            self._made[view] = INPUTS[view](self.loaded, self._parts)
            self._seconds[view] = time.perf_counter() - begun
        return self._made[view]

    def seconds(self, view: str) -> float:
        """How long it took to make the rows of a view, whoever asked for them first."""
        self.rows(view)
        return self._seconds[view]
