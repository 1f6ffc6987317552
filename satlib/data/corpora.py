"""The corpora: every fact on every data set in one registry, and one function that loads any of
them as Examples.

A corpus is looked for in the folder ``data_dir``, then in the folder that SATLIB_DATA names, then
among the embedded data and in the cache; what is missing is downloaded into the cache. Its checksum
is verified wherever it was found.
"""

import inspect
import itertools
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from satlib import runtime, storage
from satlib.data import downloads, table_files
from satlib.data.interactions import BadRow, Example, complain
from satlib.data.readers import amazon, common
from satlib.data.registry import HOW, REGISTRY, Corpus, File, known, table

__all__ = [
    "REGISTRY",
    "Corpus",
    "File",
    "Loaded",
    "checksum",
    "fetch",
    "find",
    "here",
    "known",
    "load",
    "table",
]


@dataclass(frozen=True)
class Loaded:
    """A corpus in memory: its Examples, the combined checksum of its files, its scale, the rows
    left out, its split."""

    name: str
    examples: list[Example]
    sha256: str
    scale: tuple[float, float]
    bad: list[BadRow]
    rule: str = "group"


def load(
    name: str,
    data_dir: str | Path = "",
    on_bad: str = "refuse",
    limit: int | None = None,
    seed: int = 0,
    **options,
) -> Loaded:
    """Load a corpus by its name in REGISTRY.

    on_bad: "refuse" or "skip" malformed rows of a file of your own; those of a published file,
    whose checksum is verified, are known faults and always left out. Both are counted in ``bad``.
    limit: take whole groups in a seeded order until there are that many examples. options: those of
    the corpus's reader, e.g. view="before".
    """
    corpus = known(name)
    runtime.one_of("on_bad", on_bad, ("refuse", "skip"))
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}; take at least 1 example, or None for all")
    for option in options:
        runtime.one_of(
            f"option of {name}", option, _options(corpus.read) | _options(LOCATE.get(name))
        )
    found = _call(LOCATE[name], options, data_dir) if name in LOCATE else find(name, data_dir)
    rate = partial(common.rating, low=corpus.scale[0], high=corpus.scale[1], step=corpus.step)
    examples, bad = _call(corpus.read, options, found, rate)
    if bad and on_bad == "refuse" and name in HOW:
        raise ValueError(complain(next(iter(found.values())), bad))
    _check(name, examples, bad)
    return Loaded(
        name, _some_groups(examples, limit, seed), checksum(found), corpus.scale, bad, corpus.rule
    )


def find(name: str, data_dir: str | Path = "") -> dict[str, Path]:
    """Base name -> path of the verified files of a corpus: in data_dir, SATLIB_DATA, embedded,
    cached or downloaded."""
    corpus = known(name)
    if name in LOCATE:
        return LOCATE[name](data_dir)
    found = {file.name: _local(file, data_dir) for file in corpus.files}
    return (
        found
        if all(found.values())
        else found | fetch(name, [file for file in found if not found[file]])
    )


def here(name: str, data_dir: str | Path = "") -> bool:
    """Whether the files of a corpus lie on this machine, verified; nothing is downloaded."""
    return bool(known(name).files) and all(_local(file, data_dir) for file in known(name).files)


def fetch(name: str, names: list[str] | None = None) -> dict[str, Path]:
    """Download a corpus (or the files named) into the cache, after showing its licence; what is
    there stays."""
    corpus = known(name)
    if name in HOW:
        raise ValueError(f"{name} is not fetched; {HOW[name]}")
    paths = {file: _cached(file) for file in corpus.files if names is None or file.name in names}
    missing = [
        file
        for file, path in paths.items()
        if not path.is_file() or storage.sha256(path) != file.sha256
    ]
    if missing:
        print(corpus.notice)
    for url in dict.fromkeys(file.url for file in missing):
        _download(corpus, url, {file: paths[file] for file in missing if file.url == url})
    return {file.name: path for file, path in paths.items()}


def checksum(found: dict[str, Path]) -> str:
    """One checksum for the files of a corpus: of the file itself, or of the names and checksums of
    several."""
    sums = {name: storage.sha256(path) for name, path in sorted(found.items())}
    return (
        next(iter(sums.values()))
        if len(sums) == 1
        else storage.sha256_text("\n".join(map(" ".join, sums.items())))
    )


def _download(corpus: Corpus, url: str, missing: dict[File, Path]) -> None:
    """Download what url holds: one file, or a zip archive with some of the files."""
    (first, path), *_ = missing.items()
    try:
        if not first.member:
            downloads.download(url, path, first.sha256)
            return
        archive = downloads.download(url, path.with_name(Path(url).name))
        downloads.unpack(
            archive, {file.member: (path, file.sha256) for file, path in missing.items()}
        )
    except ConnectionError as error:
        names = " and ".join(f"{file.name} as {file.path}" for file in missing)
        raise FileNotFoundError(
            f"{corpus.name} is not here and could not be downloaded from {error}; get it there and "
            f"put {names} in a folder that data_dir or SATLIB_DATA names"
        ) from error


def _cached(file: File) -> Path:
    return runtime.cache_folder() / "data" / file.path


def _folders(data_dir: str | Path) -> list[Path]:
    """The folders to search. One that was named must exist."""
    named = [
        Path(folder) for folder in (str(data_dir), os.environ.get("SATLIB_DATA", "")) if folder
    ]
    for folder in named:
        if not folder.is_dir():
            raise FileNotFoundError(
                f"no folder {folder}; name an existing one as data_dir or in SATLIB_DATA"
            )
    return named


def _local(file: File, data_dir: str | Path) -> Path | None:
    """Where a file lies already, verified; a damaged one of the user's is refused, a damaged cached
    one is ignored."""
    for folder in _folders(data_dir):
        for path in (folder / file.path, folder / file.name):
            if path.is_file():
                return downloads.verify(
                    path, "" if file.own and path == folder / file.name else file.sha256
                )
    embedded, cached = runtime.data_folder() / file.path, _cached(file)
    if embedded.is_file():
        return embedded
    return (
        cached
        if not file.own and cached.is_file() and storage.sha256(cached) == file.sha256
        else None
    )


def _own_file(data_dir: str | Path, *, path: str | Path = "") -> dict[str, Path]:
    """The user's own table: path (in data_dir, if it lies there), or data_dir itself, or the only
    table in it."""
    folder = Path(data_dir)
    if not folder.exists():
        raise FileNotFoundError(f"no file or folder {data_dir}; check the path")
    inside = (
        [p for p in folder.iterdir() if p.suffix in table_files.TABLES]
        if str(data_dir) and folder.is_dir()
        else []
    )
    if str(path):
        chosen = folder / path if (folder / path).is_file() else Path(path)
    elif folder.is_file() or len(inside) == 1:
        chosen = (inside or [folder])[0]
    else:
        raise ValueError(
            f"csv needs your file: give path='ratings.csv', or as data_dir the folder that holds it alone "
            f"(there are {len(inside)} tables in {str(data_dir)!r})"
        )
    return {chosen.name: chosen}


def _amazon(
    data_dir: str | Path, *, category: str = "", rows: int = 20_000, revision: str = "main"
) -> dict[str, Path]:
    """Local reviews.jsonl and meta.jsonl; else the first rows of a category, streamed from the hub
    into the cache."""
    corpus = known("amazon-reviews-2023")
    found = {file.name: _local(file, data_dir) for file in corpus.files}
    if all(found.values()):
        return found
    if not category:
        raise FileNotFoundError(f"{corpus.name} is not here; {HOW[corpus.name]}")
    folder = _cached(File(f"{corpus.name}/{category}-{rows}-{revision}"))
    found = {name: folder / name for name in found}
    if not all(path.is_file() for path in found.values()):
        print(corpus.notice)
        try:
            amazon.stream(found, category, rows, revision)
        except ConnectionError as error:
            raise FileNotFoundError(
                f"{error}; check the category and the network: {HOW[corpus.name]}"
            ) from error
    return found


LOCATE = {"csv": _own_file, "amazon-reviews-2023": _amazon}


def _options(function: Callable | None) -> set[str]:
    """The names of a function's keyword-only parameters: they are the options of its corpus."""
    parameters = inspect.signature(function).parameters.values() if function else ()
    return {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def _call(function: Callable, options: dict, *arguments):
    return function(
        *arguments, **{name: options[name] for name in _options(function) & options.keys()}
    )


def _check(name: str, examples: list[Example], bad: list[BadRow]) -> None:
    if not examples:
        raise ValueError(
            f"{name} has no example to learn from ({len(bad)} rows were refused); check the file"
        )
    identity, count = Counter(example.id for example in examples).most_common(1)[0]
    if count > 1:
        raise ValueError(f"id {identity!r} occurs {count} times; ids are unique")


def _some_groups(examples: list[Example], limit: int | None, seed: int) -> list[Example]:
    """Whole groups in a seeded order until there are ``limit`` examples; the examples keep their
    order."""
    if limit is None or limit >= len(examples):
        return examples
    sizes = Counter(example.group for example in examples)
    order = sorted(sizes)
    np.random.default_rng(seed).shuffle(order)
    enough = itertools.accumulate((sizes[group] for group in order), initial=0)
    kept = {group for group, before in zip(order, enough, strict=False) if before < limit}
    return [example for example in examples if example.group in kept]
