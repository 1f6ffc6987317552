"""Token ids on disk: tokenised once, mapped into memory, so that a hundred thousand texts take no
more of it than one.

Taught with lesson 22 beside ``tokens``, measured in lesson 45. A store is an Arrow file of the kind
that ``datasets.Dataset.from_file`` reads, with one column, ``input_ids``. No padding is stored.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from satlib import runtime, storage
from satlib.encoding import tokens

SCHEMA_KEY = b"satlib"  # where the schema keeps what the store was made from


class TokenStore(Sequence):
    """The token ids of N texts, read from a file that ``write`` made; ``store[i]`` is an int32
    array [L].

    lengths: int32 [N]. sha256: of texts, tokenizer and max_length, so equal stores hold equal ids.
    """

    def __init__(self, path: str | Path):
        import pyarrow as pa

        try:
            table = pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
            self.sha256 = table.schema.metadata[SCHEMA_KEY].decode()
        except (OSError, pa.ArrowInvalid, TypeError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(
                f"{path} is no store of token ids ({reason}); delete it and make it anew"
            ) from error
        # Values and offsets are views into the file, not copies: memory grows only with what is
        # read.
        self._chunks = []
        lengths = []
        for chunk in table.column("input_ids").chunks:
            values = chunk.values.to_numpy()
            offsets = chunk.offsets.to_numpy()
            self._chunks.append((values, offsets))
            lengths.append(np.diff(offsets))
        self.lengths = np.concatenate(lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, i: int) -> np.ndarray:
        row = range(len(self))[i]  # counts negative numbers from the end, refuses others
        chunk, place = divmod(row, tokens.CHUNK)
        values, offsets = self._chunks[chunk]
        return values[offsets[place] : offsets[place + 1]]


def tokenised(
    texts: Iterable[str], tokenizer, max_length: int = 128, folder: str | Path = ""
) -> TokenStore:
    """The store of these texts in ``folder`` (default: the kit's cache), made where it is not there
    yet."""
    folder = Path(folder) if folder else runtime.cache_folder() / "tokens"
    path = folder / f"{identity(texts, tokenizer, max_length)}.arrow"
    if path.exists():
        return TokenStore(path)
    return write(texts, tokenizer, path, max_length)


def identity(texts: Iterable[str], tokenizer, max_length: int) -> str:
    """SHA-256 of what decides the ids: every text, the tokenizer's files and settings, and
    ``max_length``."""
    settings = f"{max_length} {tokenizer.truncation_side} {tokenizer.backend_tokenizer.to_str()}"
    digest = hashlib.sha256(settings.encode())
    for text in texts:
        data = str(text).encode("utf-8", "replace")
        # Its length before each text: otherwise "ab", "c" and "a", "bc" would be the same.
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def write(texts: Iterable[str], tokenizer, path: str | Path, max_length: int = 128) -> TokenStore:
    """Tokenise texts, CHUNK at a time, into a store at ``path``; nothing is left there if it fails.

    texts: read twice, so give a list, a column of a data set, or another that can be read again.
    Raises ValueError as ``tokens.tokenise`` does.
    """
    import pyarrow as pa

    sha256 = identity(texts, tokenizer, max_length)
    id_list = pa.list_(pa.int32())
    schema = pa.schema([("input_ids", id_list)], {SCHEMA_KEY: sha256.encode()})
    with storage.replacing(path) as temporary, pa.OSFile(str(temporary), "wb") as file:
        with pa.ipc.new_stream(file, schema) as stream:
            for chunk in _chunks(texts):
                ids = pa.array(tokens.tokenise(chunk, tokenizer, max_length), id_list)
                stream.write_batch(pa.record_batch([ids], schema=schema))
    return TokenStore(path)


def _chunks(texts: Iterable[str]) -> Iterable[list[str]]:
    """The texts in lists of CHUNK, the last one shorter; each chunk of the file is one of them."""
    rest = iter(texts)
    chunk = list(islice(rest, tokens.CHUNK))
    while chunk:
        yield chunk
        chunk = list(islice(rest, tokens.CHUNK))
