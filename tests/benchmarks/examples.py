"""The texts that all systems see: uss-redial where it is at hand, else the embedded satsim."""

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
    parts = splits.split_corpus(loaded)
    found = {
        "corpus": name,
        "scale": loaded.scale,
        "longest": longest,
        "encoder": str(embedded_encoder() if encoder == "embedded" else Path(encoder).resolve()),
    }
    for part, rows in (("train", train), ("validation", validation)):
        texts = [text for text in map(_text, parts[part]) if text[1]]
        lengths = list(
            map(
                len,
                tokens.tokenise([f"{a} {b}".strip() for a, b, _ in texts], tokenizer, longest + 1),
            )
        )
        low, high = loaded.scale
        kept = [
            Text(a, b, n, (rating - low) / (high - low))
            for (a, b, rating), n in zip(texts, lengths, strict=True)
            if n <= longest
        ]
        if not kept:
            raise ValueError(
                f"no {part} text of {name} has at most {longest} tokens; give an encoder that reads more"
            )
        found[part] = [asdict(kept[i]) for i in alike([text.length for text in kept], rows)]
    return found


def _text(example) -> tuple[str, str, float]:
    """What was before, the thing judged (the last event where there is no target), and the mean
    rating."""
    events = example.events[max(0, len(example.events) - HISTORY) :]
    short = replace(example, events=events)
    last = {"events": ()} if example.target is not None else {"events": events[-1:]}
    whole, judged = (
        sequences.to_text(short),
        sequences.to_text(replace(example, attributes={}, **last)),
    )
    return whole.removesuffix(judged).strip(), judged, example.rating


def alike(lengths: list[int], n: int) -> list[int]:
    """A choice of n rows in an order of which every beginning has about the same lengths as the
    whole.

    The rows are sorted by length and visited in steps of the golden ratio, so that a slow system,
    which gets few rows, does not get shorter or longer ones than a fast one.
    """
    n = min(n, len(lengths))
    some = np.sort(np.random.default_rng(0).permutation(len(lengths))[:n])
    ranked = some[np.argsort(np.asarray(lengths)[some], kind="stable")]
    golden = np.arange(1, n + 1) * ((5**0.5 - 1) / 2) % 1
    return ranked[np.argsort(np.argsort(golden))].tolist()


def read(path: str | Path) -> dict:
    """What ``prepare`` gave, from a file, with the texts as Text."""
    found = storage.read_json(path)
    return found | {part: [Text(**row) for row in found[part]] for part in ("train", "validation")}
