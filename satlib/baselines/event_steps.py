"""The steps of an example one by one: as hashed words and numbers in order, and as sentences that
an encoder embeds.

Taught with lesson 32, some of whose inputs are made of them.
"""

import itertools
import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from satlib.data.interactions import Event, Example
from satlib.encoding import sequences, tokens
from satlib.encoding.embedded_encoder import embedded_encoder

# Numbers with their decimals ("rated 4.5"), words of one letter or more, and signs: "!" and an
# emoji carry mood.
TOKEN = r"\d+\.\d+|\w+|[^\w\s]"
MAX_STEPS = 12  # last steps of an example that are looked at one by one
MAX_WORDS = 16  # words of a step that are kept
BUCKETS = 2**13  # columns that all words share by hashing
MAX_TOKENS = 64  # of a sentence that the encoder reads

Parts = dict[str, list[Example]]


def pad_rows(rows: Sequence[Sequence[int]], width: int | None = None) -> np.ndarray:
    """Numbers in one array [N, width], zeros on the right; width: the longest row, at least 1."""
    if width is None:
        width = max([1, *map(len, rows)])
    padded = np.zeros((len(rows), width), dtype=np.int64)
    for row, values in enumerate(rows):
        padded[row, : len(values)] = values
    return padded


class EventStep(NamedTuple):
    """One step of an example: its words, the rating given in it (None: none, or the one to
    predict), dwell seconds."""

    text: str
    value: float | None = None
    dwell: float | None = None


def last_steps(example: Example) -> list[EventStep]:
    """The last ``MAX_STEPS`` steps of an example, before them its attributes as one, the target
    last without its value."""
    steps = [EventStep(_words(event), event.value, event.dwell) for event in example.events]
    target = example.target
    if target is not None:
        # Without its value: that is the rating to predict.
        steps.append(EventStep(_words(target), None, target.dwell))
    steps = steps[-MAX_STEPS:]
    attributes = [f"{name} {value}" for name, value in example.attributes.items()]
    if not attributes:
        return steps
    return [EventStep(", ".join(attributes)), *steps]


def _words(event: Event) -> str:
    """What an event says, without its value: title, categories, comment."""
    said = ", ".join([event.text, *sequences.categories(event)])
    if event.comment:
        said = f"{said}: {event.comment}"
    if event.actor == "system":
        return f"system: {said}"
    return said


class StepArrays(NamedTuple):
    """The steps of N examples in order, at most T each, with S different texts among them.

    words [S + 1, MAX_WORDS]: hashed words of each different text (0: none); row 0 is no text.
    text_ids [N, T]: the row of each step's text in ``words``, 0 where there is no step.
    numbers [N, T, 4]: rating in [0, 1] and whether there is one, log dwell and whether.
    """

    words: np.ndarray
    text_ids: np.ndarray
    numbers: np.ndarray


def part_arrays(parts: Parts, scale: tuple[float, float]) -> dict[str, StepArrays]:
    """The steps of every part as numbers; nothing is learned, as words find their column by a
    hash."""
    arrays = {}
    for part, examples in parts.items():
        arrays[part] = to_arrays([last_steps(example) for example in examples], scale)
    return arrays


def to_arrays(rows: Sequence[Sequence[EventStep]], scale: tuple[float, float]) -> StepArrays:
    """The steps of N examples as numbers; scale: the lowest and the highest rating."""
    number_of: dict[str, int] = {"": 0}
    text_ids = []
    for row in rows:
        # Equal texts share a number: a film that many saw is one row of words.
        text_ids.append([number_of.setdefault(step.text, len(number_of)) for step in row])
    words = []
    for text in number_of:
        kept = re.findall(TOKEN, text.lower())[:MAX_WORDS]
        words.append([bucket(word) for word in kept])
    padded = pad_rows(text_ids)
    return StepArrays(pad_rows(words, MAX_WORDS), padded, _numbers(rows, padded.shape[1], scale))


def _numbers(
    rows: Sequence[Sequence[EventStep]], width: int, scale: tuple[float, float]
) -> np.ndarray:
    """Ratings and dwell times of the steps [N, width, 4], each beside a 1 that says it is known."""
    low, high = scale
    numbers = np.zeros((len(rows), width, 4), dtype=np.float32)
    for n, row in enumerate(rows):
        for t, step in enumerate(row):
            if step.value is not None:
                numbers[n, t, :2] = (step.value - low) / (high - low), 1
            if step.dwell is not None:
                numbers[n, t, 2:] = np.log1p(step.dwell), 1
    return numbers


def bucket(word: str) -> int:
    """The column of a word, from 1 to BUCKETS - 1; the same on every machine, shared with other
    words by chance."""
    return 1 + zlib.crc32(word.encode("utf-8", "replace")) % (BUCKETS - 1)


def sentences(example: Example) -> list[str]:
    """The steps of an example as sentences, with the ratings given in them."""
    written = []
    for step in last_steps(example):
        rated = "" if step.value is None else f", rated {step.value:g}"
        written.append(step.text + rated)
    return written


class Sentences(NamedTuple):
    """Frozen embeddings of the steps of N examples, [N, 384] each: of the last step, the mean of
    those before it (zeros where there is none), and the mean of all."""

    last: np.ndarray
    earlier: np.ndarray
    every: np.ndarray


def sentence_embeddings(parts: Parts) -> dict[str, Sentences]:
    """The steps of every part, embedded by the frozen encoder.

    Each different sentence is embedded once, so a film costs the same whether it was rated once or
    a hundred times.
    """
    rows: dict[str, list[list[str]]] = {}
    different: set[str] = set()
    for part, examples in parts.items():
        rows[part] = [sentences(example) for example in examples]
        different.update(itertools.chain.from_iterable(rows[part]))
    texts = sorted(different)
    table = embed(texts)
    place = {text: number for number, text in enumerate(texts)}

    pooled = {}
    for part, listed in rows.items():
        shape = (len(listed), table.shape[1])
        part_rows = Sentences(*[np.zeros(shape, dtype=np.float32) for _ in Sentences._fields])
        for n, row in enumerate(listed):
            vectors = table[[place[text] for text in row]]
            part_rows.last[n] = vectors[-1]
            part_rows.every[n] = vectors.mean(axis=0)
            if len(vectors) > 1:
                part_rows.earlier[n] = vectors[:-1].mean(axis=0)
        pooled[part] = part_rows
    return pooled


def embeddings(parts: Parts) -> dict[str, np.ndarray]:
    """Frozen embeddings [N, 768] of every part: the last sentence's, and the mean of those before
    it."""
    joined = {}
    for part, rows in sentence_embeddings(parts).items():
        joined[part] = np.hstack([rows.last, rows.earlier])
    return joined


def embed(texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
    """Sentence embeddings [N, 384] of the embedded encoder, as it was published: mean of the
    tokens, length 1."""
    import torch
    from transformers import AutoModel, logging

    logging.disable_progress_bar()
    folder = embedded_encoder()
    encoder = AutoModel.from_pretrained(folder).eval()
    ids = tokens.tokenise(texts, tokens.load_tokenizer(folder), MAX_TOKENS)
    # Texts of similar length share a batch, so that little is padded.
    order = np.argsort([len(row) for row in ids], kind="stable")
    embedded = np.zeros((len(ids), encoder.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(ids), batch_size):
            batch = order[start : start + batch_size]
            rows, mask = map(torch.from_numpy, tokens.pad([ids[i] for i in batch]))
            hidden = encoder(input_ids=rows, attention_mask=mask).last_hidden_state
            mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            embedded[batch] = torch.nn.functional.normalize(mean)
    return embedded
