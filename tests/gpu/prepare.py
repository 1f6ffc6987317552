"""Make the folder that travels to a lent GPU machine, which fetches nothing and takes little.

    python -m tests.gpu.prepare FOLDER

FOLDER/encoder: the embedded encoder, its weights in 16 bits; of its token table only the rows that
satsim's texts use, and of its tokenizer only their words, so that these texts are cut into the same
tokens. FOLDER/site: the packages that satlib imports and such a machine lacks, for its Python.
There it is named by ``python -m tests.gpu --carried FOLDER``.
"""

import argparse
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file

from satlib import storage
from satlib.data import corpora
from satlib.encoding import sequences, tokens
from satlib.encoding.embedded_encoder import embedded_encoder

from .options import ABOUT, ENCODER, ROOT, SITE

LIMIT = 64 * 2**20  # bytes that travel at once: the checkout and the folder
SITE_LIMIT = 10 * 2**20
# What satlib imports beside torch, transformers, accelerate, scikit-learn, pandas and pyarrow.
PACKAGES = ("annotated-types", "krippendorff", "pydantic", "pydantic-core", "typing-inspection")
PLATFORMS = ("manylinux_2_17_x86_64", "manylinux2014_x86_64")
TABLE = "embeddings.word_embeddings.weight"
LONGEST = 512  # tokens of a text


def main(arguments: list[str]) -> int:
    """Make the folder anew and print its size; 1 where it is too large."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.prepare", description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="an ignored folder of the checkout: build/carried"
    )
    parser.add_argument("--python", default="3.12", help="the Python of that machine (3.12)")
    options = parser.parse_args(arguments)
    shutil.rmtree(options.folder / SITE, ignore_errors=True)
    write_encoder(options.folder / ENCODER)
    install(options.folder / SITE, options.python)
    return told(options.folder)


def write_encoder(folder: Path) -> None:
    """The embedded encoder in 16 bits, with the token rows that satsim's texts use."""
    source = embedded_encoder()
    folder.mkdir(parents=True, exist_ok=True)
    kept = used_ids(source)
    weights = load_file(source / "model.safetensors")
    weights[TABLE] = weights[TABLE][kept]
    halves = {}
    for name, weight in weights.items():
        # fp16 has three more digits than bf16, and no weight of this encoder is too large for it.
        halves[name] = weight.half().contiguous() if weight.is_floating_point() else weight
    # Without this mark transformers refuses the file.
    save_file(halves, folder / "model.safetensors", metadata={"format": "pt"})
    config = storage.read_json(source / "config.json")
    storage.write_json(folder / "config.json", config | {"vocab_size": len(kept)})
    tokenizer = storage.read_json(source / "tokenizer.json")
    storage.write_json(folder / "tokenizer.json", smaller(tokenizer, kept), indent=None)
    shutil.copy(source / "tokenizer_config.json", folder)
    rows = f"{len(kept):,} of {config['vocab_size']:,}"
    storage.write_json(
        folder / ABOUT,
        {
            "weights": f"rounded to fp16, {rows} token rows",
            "sha256": storage.sha256(source / "model.safetensors"),
        },
    )


def used_ids(source: Path) -> list[int]:
    """The token ids of satsim's texts and of the special tokens, in their order."""
    tokenizer = tokens.load_tokenizer(source)
    used = set(tokenizer.all_special_ids)
    texts = sequences.texts(corpora.load("satsim").examples)
    for ids in tokens.tokenise(texts, tokenizer, LONGEST):
        used.update(ids)
    return sorted(used)


def smaller(tokenizer: dict, kept: list[int]) -> dict:
    """The JSON of a tokenizer with the words of the kept ids only, numbered anew.

    WordPiece takes the longest piece that it knows. A piece that no text used was never the longest
    one there, so the texts are cut as before.
    """
    new = {old: number for number, old in enumerate(kept)}
    words = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {word: new[old] for word, old in words.items() if old in new}
    for token in tokenizer["added_tokens"]:
        token["id"] = new[token["id"]]
    for token in tokenizer["post_processor"]["special_tokens"].values():
        token["ids"] = [new[old] for old in token["ids"]]
    return tokenizer


def install(site: Path, python: str) -> None:
    """Unpack the packages, in the versions installed here, for the Python of another machine."""
    wanted = [f"{name}=={importlib.metadata.version(name)}" for name in PACKAGES]
    platforms = []
    for platform in PLATFORMS:
        platforms += ["--platform", platform]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += ["--only-binary=:all:", "--python-version", python, *platforms]
    subprocess.run([*command, "--target", str(site), *wanted], check=True)


def told(folder: Path) -> int:
    """Print what travels; 1 where it is more than LIMIT."""
    encoder = size_of(folder / ENCODER)
    site = size_of(folder / SITE)
    checkout = size_of_checkout()
    print(f"{folder}: encoder {megabytes(encoder)}, packages {megabytes(site)}")
    print(f"with the checkout, {megabytes(checkout)}: {megabytes(encoder + site + checkout)}")
    if site > SITE_LIMIT or encoder + site + checkout > LIMIT:
        print(
            f"too large: {megabytes(LIMIT)} may travel in all, {megabytes(SITE_LIMIT)} of packages",
            file=sys.stderr,
        )
        return 1
    print(f"there: python3 -m tests.gpu --carried {folder} --output FOLDER")
    return 0


def size_of(folder: Path) -> int:
    """Bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def size_of_checkout() -> int:
    """Bytes of the files that git knows or would add."""
    command = [
        "git",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    paths = [ROOT / name for name in set(listed.split("\0")) if name]
    return sum(path.stat().st_size for path in paths if path.is_file())


def megabytes(count: int) -> str:
    """Bytes in MiB."""
    return f"{count / 2**20:.1f} MiB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
