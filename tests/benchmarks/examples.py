"""The texts that all systems see: uss-redial where it is at hand, else the embedded satsim."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from satlib import storage
from satlib.data import corpora, splits
from satlib.encoding import sequences, tokens
from satlib.encoding.embedded_encoder import embedded_encoder
from satlib.models.encoders import load_encoder

from .systems import LONGEST

HISTORY = 4  # turns before the one that is judged: 63 tokens on average in uss-redial
GOLDEN = (5**0.5 - 1) / 2
PARTS = ("train", "validation")


@dataclass(frozen=True)
class Text:
    """A text in two parts, as a cross-encoder wants it (what was before, the thing judged), tokens,
    rating in [0, 1].

    No text is longer than LONGEST tokens, so that padding to 512 or to 128 shows every system the
    same words.
    """

    before: str
    last: str
    length: int
    rating: float

    @property
    def whole(self) -> str:
        """The text in one part, as everything else wants it."""
        return f"{self.before} {self.last}".strip()


def prepare(encoder: str, data_dir: str, train: int, validation: int) -> dict:
    """What the systems work on: corpus, scale, encoder's folder, training and validation texts, as
    plain JSON."""
    name = "uss-redial" if corpora.here("uss-redial", data_dir) else "satsim"
    loaded = corpora.load(name, data_dir)
    _, tokenizer = load_encoder(encoder)
    longest = min(LONGEST, tokenizer.model_max_length - 1)
    folder = embedded_encoder() if encoder == "embedded" else Path(encoder).resolve()
    work = {
        "corpus": name,
        "scale": loaded.scale,
        "longest": longest,
        "encoder": str(folder),
    }
    examples_by_part = splits.split_corpus(loaded)
    for part, count in zip(PARTS, (train, validation), strict=True):
        texts = short_texts(examples_by_part[part], tokenizer, longest, loaded.scale)
        if not texts:
            raise ValueError(
                f"no {part} text of {name} has at most {longest} tokens; "
                "give an encoder that reads more"
            )
        order = alike([text.length for text in texts], count)
        work[part] = [asdict(texts[row]) for row in order]
    return work


def short_texts(examples, tokenizer, longest: int, scale: tuple[float, float]) -> list[Text]:
    """The examples' texts that have a thing judged and no more than ``longest`` tokens."""
    rows = []
    for example in examples:
        before, last = in_two_parts(example)
        if last:
            rows.append((before, last, example.rating))
    wholes = [f"{before} {last}".strip() for before, last, _ in rows]
    # One more than the longest: a text that is cut there is too long.
    ids = tokens.tokenise(wholes, tokenizer, longest + 1)
    low, high = scale
    texts = []
    for (before, last, rating), row_ids in zip(rows, ids, strict=True):
        if len(row_ids) <= longest:
            unit_rating = (rating - low) / (high - low)
            texts.append(Text(before, last, len(row_ids), unit_rating))
    return texts


def in_two_parts(example) -> tuple[str, str]:
    """What was before, and the thing judged: the last event where there is no target."""
    events = example.events[-HISTORY:]
    short = replace(example, events=events)
    last_events = () if example.target is not None else events[-1:]
    only_judged = replace(example, attributes={}, events=last_events)
    judged = sequences.to_text(only_judged)
    before = sequences.to_text(short).removesuffix(judged).strip()
    return before, judged


def alike(lengths: Sequence[int], n: int) -> list[int]:
    """A choice of n rows in an order of which every beginning has about the same lengths as the
    whole.

    The rows are sorted by length and visited in steps of the golden ratio, so that a slow system,
    which gets few rows, does not get shorter or longer ones than a fast one.
    """
    n = min(n, len(lengths))
    some = np.sort(np.random.default_rng(0).permutation(len(lengths))[:n])
    by_length = some[np.argsort(np.asarray(lengths)[some], kind="stable")]
    places = np.arange(1, n + 1) * GOLDEN % 1
    rank_of_place = np.argsort(np.argsort(places))
    return by_length[rank_of_place].tolist()


def read(path: str | Path) -> dict:
    """What ``prepare`` gave, from a file, with the texts as Text."""
    work = storage.read_json(path)
    for part in PARTS:
        work[part] = [Text(**row) for row in work[part]]
    return work
