"""The steps of an example one by one: as hashed words and numbers in order, and as sentences that
an encoder embeds.

Taught with lesson 32, whose ``views`` are made of them.
"""

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
STEPS = 12  # last steps of an example that are looked at one by one
WORDS, BUCKETS = 16, 2**13  # words of a step that are kept; columns that they share by hashing
LENGTH = 64  # tokens of a sentence that the encoder reads

Parts = dict[str, list[Example]]


def rectangle(rows: Sequence[Sequence[int]], width: int | None = None) -> np.ndarray:
    """Numbers in one array [N, width], zeros on the right; width: the longest row, at least 1."""
    width = width or max(1, max(map(len, rows), default=1))
    found = np.zeros((len(rows), width), dtype=np.int64)
    for row, values in enumerate(rows):
        found[row, : len(values)] = values
    return found


class Step(NamedTuple):
    """One step of an example: its words, the rating given in it (None: none, or the one to
    predict), dwell seconds."""

    text: str
    value: float | None = None
    dwell: float | None = None


def steps(example: Example) -> list[Step]:
    """The last ``STEPS`` steps of an example, before them its attributes as one, the target last
    without its value."""
    known = [Step(", ".join(f"{name} {value}" for name, value in example.attributes.items()))]
    past = [Step(_words(e), e.value, e.dwell) for e in example.events]
    last = (
        [Step(_words(example.target), None, example.target.dwell)]
        if example.target is not None
        else []
    )
    return (known if known[0].text else []) + (past + last)[-STEPS:]


def _words(event: Event) -> str:
    said = ", ".join([event.text, *sequences.categories(event)]) + (
        f": {event.comment}" if event.comment else ""
    )
    return f"system: {said}" if event.actor == "system" else said


class Ordered(NamedTuple):
    """Steps in order: table [S, WORDS] of hashed words (0: none) of the different step texts; which
    [N, T], rows of the table from 1 (0: no step); numbers [N, T, 4]: rating in [0, 1] and whether
    there is one, log dwell and whether."""

    table: np.ndarray
    which: np.ndarray
    numbers: np.ndarray


def ordered(parts: Parts, scale: tuple[float, float]) -> dict[str, Ordered]:
    """The steps of every part as numbers; nothing is learned, as words find their column by a
    hash."""
    return {part: _ordered([steps(e) for e in examples], scale) for part, examples in parts.items()}


def _ordered(rows: list[list[Step]], scale: tuple[float, float]) -> Ordered:
    place: dict[str, int] = {}
    which = rectangle(
        [[place.setdefault(step.text, len(place) + 1) for step in row] for row in rows]
    )
    numbers = np.zeros((*which.shape, 4), dtype=np.float32)
    for n, row in enumerate(rows):
        for t, step in enumerate(row):
            if step.value is not None:
                numbers[n, t, :2] = (step.value - scale[0]) / (scale[1] - scale[0]), 1
            if step.dwell is not None:
                numbers[n, t, 2:] = np.log1p(step.dwell), 1
    words = [
        [bucket(word) for word in re.findall(TOKEN, text.lower())[:WORDS]] for text in ["", *place]
    ]
    return Ordered(rectangle(words, WORDS), which, numbers)


def bucket(word: str) -> int:
    """The column of a word, from 1 to BUCKETS - 1; the same on every machine, shared with other
    words by chance."""
    return 1 + zlib.crc32(word.encode("utf-8", "replace")) % (BUCKETS - 1)


def sentences(example: Example) -> list[str]:
    """The steps of an example as sentences, with the ratings given in them."""
    return [
        step.text + ("" if step.value is None else f", rated {step.value:g}")
        for step in steps(example)
    ]


def embeddings(parts: Parts) -> dict[str, np.ndarray]:
    """Frozen embeddings [N, 768] of every part: the last sentence's, and the mean of those before
    it.

    Each different sentence is embedded once, so a film costs the same whether it was rated once or
    a hundred times.
    """
    rows = {part: [sentences(e) for e in examples] for part, examples in parts.items()}
    place = {
        text: i
        for i, text in enumerate(sorted({s for part in rows.values() for row in part for s in row}))
    }
    table = embed(list(place))
    found = {}
    for part, listed in rows.items():
        seen = np.zeros((len(listed), 2, table.shape[1]), dtype=np.float32)
        for n, row in enumerate(listed):
            seen[n, 0] = table[place[row[-1]]]
            if row[:-1]:
                seen[n, 1] = table[[place[text] for text in row[:-1]]].mean(axis=0)
        found[part] = seen.reshape(len(listed), -1)
    return found


def embed(texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
    """Sentence embeddings [N, 384] of the embedded encoder, as it was published: mean of the
    tokens, length 1."""
    import torch
    from transformers import AutoModel, logging

    logging.disable_progress_bar()
    folder = embedded_encoder()
    encoder = AutoModel.from_pretrained(folder).eval()
    ids = tokens.tokenise(texts, tokens.load_tokenizer(folder), LENGTH)
    order = np.argsort([len(row) for row in ids], kind="stable")  # little padding
    found = np.zeros((len(ids), encoder.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(ids), batch_size):
            batch = order[start : start + batch_size]
            rows, mask = map(torch.from_numpy, tokens.pad([ids[i] for i in batch]))
            hidden = encoder(input_ids=rows, attention_mask=mask).last_hidden_state
            mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            found[batch] = torch.nn.functional.normalize(mean)
    return found
