"""From texts to token ids: WordPiece by hand, the library's tokenizer, truncation from the left,
padding and its price.

The embedded encoder (all-MiniLM-L6-v2, a small BERT) brings its tokenizer along, so that every
lesson works offline.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

# Texts that the library tokenises at once: bounds the memory that very long texts take.
CHUNK = 1024

# Accents, control and format characters, private use, half characters: BERT drops them.
VANISHING_KINDS = ("Mn", "Cc", "Cf", "Co", "Cs")
REPLACEMENT_CHARACTER = "\ufffd"
# The blocks of Chinese characters in Unicode that BERT separates.
CHINESE_BLOCKS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)

# By hand: words, and their pieces


def basic_tokens(text: str) -> list[str]:
    """Words as BERT's uncased models see them: lower case, no accents, punctuation and Chinese
    characters apart."""
    words = [""]
    # NFD writes an accent as a character of its own, which then vanishes.
    for char in unicodedata.normalize("NFD", text):
        if _vanishes(char):
            continue
        if char.isspace():
            words.append("")
        elif _stands_alone(char):
            words += [char, ""]
        else:
            words[-1] += char.lower()
    return [word for word in words if word]


def _vanishes(char: str) -> bool:
    """Whether a character is dropped; tabs and line ends are not, although they are control
    characters."""
    if char in "\t\n\r":
        return False
    return char == REPLACEMENT_CHARACTER or unicodedata.category(char) in VANISHING_KINDS


def _stands_alone(char: str) -> bool:
    """Whether a character is a token of its own: a punctuation mark, any other ASCII sign, or a
    Chinese character."""
    code = ord(char)
    if 33 <= code <= 126 and not char.isalnum():
        return True
    if unicodedata.category(char).startswith("P"):
        return True
    return any(first <= code <= last for first, last in CHINESE_BLOCKS)


def wordpiece(
    word: str, vocabulary: Collection[str], unknown: str = "[UNK]", longest: int = 100
) -> list[str]:
    """Cut one word into the longest pieces that are in the vocabulary, from left to right.

    A piece that does not begin the word is written with "##". A word with a rest that no piece
    fits, or with more than ``longest`` characters, becomes one ``unknown``.
    """
    if not word or len(word) > longest:
        return [unknown]
    pieces = []
    start = 0
    while start < len(word):
        piece, end = _longest_piece(word, start, vocabulary)
        if not piece:
            return [unknown]
        pieces.append(piece)
        start = end
    return pieces


def _longest_piece(word: str, start: int, vocabulary: Collection[str]) -> tuple[str, int]:
    """The longest piece of the vocabulary that the word has at ``start``, and where it ends; ""
    where no piece fits."""
    prefix = "##" if start else ""
    for end in range(len(word), start, -1):
        piece = prefix + word[start:end]
        if piece in vocabulary:
            return piece, end
    return "", start


# The library's tokenizer, and truncation from the left


def load_tokenizer(folder: str | Path, revision: str | None = None):
    """The fast tokenizer of a local folder, or of a hub name at a pinned revision; it truncates
    from the left.

    Words such as "[SEP]" in a user's text stay plain words, and a decoder model without a padding
    token pads with its end token. Raises OSError or ValueError with one sentence when there is no
    usable tokenizer.
    """
    from transformers import AutoTokenizer

    if not revision:
        revision = "main"
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(folder),
            revision=revision,
            truncation_side="left",
            split_special_tokens=True,
        )
    except OSError as error:
        raise OSError(
            f"no tokenizer at {folder}; give a folder with a tokenizer.json, or a hub name that "
            "can be reached or is in the cache"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{folder} has no tokenizer that can be read; it needs a tokenizer.json"
        ) from error
    if not tokenizer.is_fast:
        raise ValueError(f"the tokenizer of {folder} is a slow one; convert it to a tokenizer.json")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def tokenise(texts: Sequence[str], tokenizer, max_length: int = 128) -> list[list[int]]:
    """Token ids of every text, special tokens included, at most ``max_length``; what is too much
    goes from the left.

    The special tokens stay, of the content the last ids: [CLS] + end of the content + [SEP] for
    BERT. Raises ValueError for a max_length without room or beyond the model's, for a text that is
    not a str, and for one without any token.
    """
    if isinstance(texts, str):
        raise ValueError("texts is a single str; give a list of texts")
    before, after = _frame(tokenizer)
    special = len(before) + len(after)
    if not special < max_length <= tokenizer.model_max_length:
        raise ValueError(
            f"max_length is {max_length}; legal are {special + 1} to {tokenizer.model_max_length}"
        )
    room = max_length - special
    return [before + content[-room:] + after for content in _contents(texts, tokenizer)]


def _frame(tokenizer) -> tuple[list[int], list[int]]:
    """The special ids before and after a text's content: ([101], [102]) for BERT, ([], []) for
    GPT-2."""
    encoded = tokenizer("a", return_special_tokens_mask=True)
    ids = encoded["input_ids"]
    special = encoded["special_tokens_mask"]
    first = special.index(0)
    last = len(special) - special[::-1].index(0)
    return ids[:first], ids[last:]


def _contents(texts: Sequence[str], tokenizer) -> Iterator[list[int]]:
    """Ids of every text without special tokens and without truncation."""
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        readable = [_readable(text, row) for row, text in enumerate(chunk, start)]
        encoded = tokenizer(
            readable, add_special_tokens=False, return_attention_mask=False, verbose=False
        )
        for row, content in enumerate(encoded["input_ids"], start):
            if not content:
                raise ValueError(
                    f"texts[{row}] is {texts[row][:20]!r}: no visible character; leave it out"
                )
            yield content


def _readable(text: str, row: int) -> str:
    """The text of a row, as the tokenizer can read it.

    Half of a surrogate pair, as broken JSON has it, is not a character: "?" stands in its place.
    """
    if not isinstance(text, str):
        raise ValueError(f"texts[{row}] is {text!r}; give a str")
    return text.encode("utf-8", "replace").decode("utf-8")


# Padding


def pad(
    sequences: Sequence[Sequence[int]], pad_id: int = 0, to: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Put sequences into one rectangle: ids and mask, both int64 [B, L]; L is the longest, or
    ``to``.

    The mask is 1 at real tokens and 0 at padding, which stands on the right. Raises ValueError for
    a sequence longer than ``to`` and for none at all.
    """
    longest = max((len(sequence) for sequence in sequences), default=0)
    width = longest if to is None else to
    if not longest or longest > width:
        most = width if width else "the longest"
        raise ValueError(f"the longest sequence has {longest} ids; legal are 1 to {most}")
    ids = np.full((len(sequences), width), pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return ids, mask


def padded(lengths: Sequence[int], batch_size: int, to: int | None = None) -> np.ndarray:
    """Length of every sequence after padding: ``to``, or the longest of its batch; batches are cut
    in this order."""
    lengths = np.asarray(lengths)
    if batch_size < 1 or lengths.size == 0:
        raise ValueError(
            f"batch_size is {batch_size} with {lengths.size} lengths; give at least 1 of each"
        )
    if to is not None and lengths.max() > to:
        raise ValueError(
            f"to is {to}, but the longest sequence has {lengths.max()}; truncate first"
        )
    starts = np.arange(0, lengths.size, batch_size)
    if to is None:
        widths = np.maximum.reduceat(lengths, starts)
    else:
        widths = np.full(starts.size, to)
    return np.repeat(widths, batch_size)[: lengths.size]


def padding_share(lengths: Sequence[int], batch_size: int, to: int | None = None) -> float:
    """Share of all positions that are padding, from 0 to 1; batches are cut in the given order (see
    ``padded``)."""
    positions = padded(lengths, batch_size, to).sum()
    return float(1 - np.sum(lengths) / positions)


def batch_cuts(lengths: Sequence[int], budget: int) -> list[int]:
    """Where to cut a row of sequences into batches of at most ``budget`` positions, padding
    included.

    Gives the places of the cuts, as ``np.split`` takes them. A sequence longer than the budget is a
    batch of its own.
    """
    if budget < 1:
        raise ValueError(
            f"a budget of {budget} tokens holds no sequence; give at least 1, for example 2048"
        )
    cuts = []
    start = 0  # of the batch that is being filled
    longest = 0  # sequence in it
    for i, length in enumerate(lengths):
        longest = max(longest, length)
        positions = longest * (i + 1 - start)
        if i > start and positions > budget:
            cuts.append(i)
            start = i
            longest = length
    return cuts


def flops(
    length: np.ndarray | int, hidden: int = 384, layers: int = 6, intermediate: int = 1536
) -> np.ndarray:
    """Floating-point operations of one forward pass through a BERT, its matrix products only, at
    ``length`` positions.

    A product of [n, k] and [k, m] counts 2nkm. Per layer: query, key, value and output 8Lh^2, the
    feed-forward part 4Lhm, attention scores and their use 4L^2h. The defaults are those of
    all-MiniLM-L6-v2.
    """
    length = np.asarray(length, dtype=np.float64)
    projections = 8 * length * hidden**2
    feed_forward = 4 * length * hidden * intermediate
    attention = 4 * length**2 * hidden
    return layers * (projections + feed_forward + attention)
