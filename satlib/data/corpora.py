"""The corpora in memory: one function that finds any of them, reads it and hands out its Examples.

A corpus is looked for in the folder ``data_dir``, then in the folder that SATLIB_DATA names, then
among the embedded data and in the cache; what is missing is downloaded into the cache. Its checksum
is verified wherever it was found. ``satlib.data.registry`` holds the facts on every corpus.
"""

import inspect
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from satlib import runtime, storage
from satlib.data import downloads, table_files
from satlib.data.example_files import complaint
from satlib.data.interactions import BadRow, Example
from satlib.data.readers import amazon, common
from satlib.data.registry import NOT_FETCHED, Corpus, File, known

Paths = dict[str, Path]  # base name of a file -> where it lies


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
    legal = sorted(_legal_options(corpus))
    for option in options:
        runtime.one_of(f"option of {name}", option, legal)
    paths = _located(name, data_dir, options)
    low, high = corpus.scale
    rate = partial(common.rating, low=low, high=high, step=corpus.step)
    examples, bad = _call(corpus.read, options, paths, rate)
    # Only a user's own file can be mended by the user.
    if bad and on_bad == "refuse" and name in NOT_FETCHED:
        first, *_ = paths.values()
        raise ValueError(complaint(first, bad))
    _check(name, examples, bad)
    kept = _some_groups(examples, limit, seed)
    return Loaded(name, kept, checksum(paths), corpus.scale, bad, corpus.rule)


def find(name: str, data_dir: str | Path = "") -> Paths:
    """The verified files of a corpus: in data_dir, SATLIB_DATA, embedded, cached or downloaded."""
    return _located(name, data_dir, {})


def here(name: str, data_dir: str | Path = "") -> bool:
    """Whether the files of a corpus lie on this machine, verified; nothing is downloaded."""
    files = known(name).files
    if not files:
        return False
    return all(_local(file, data_dir) for file in files)


def fetch(name: str, names: list[str] | None = None) -> Paths:
    """Download a corpus (or the files named) into the cache, after showing its licence; what is
    there stays."""
    corpus = known(name)
    if name in NOT_FETCHED:
        raise ValueError(f"{name} is not fetched; {NOT_FETCHED[name]}")
    wanted = [file for file in corpus.files if names is None or file.name in names]
    missing = [file for file in wanted if not _is_cached(file)]
    if missing:
        print(corpus.notice)
    by_url = {}  # several files may come out of one archive
    for file in missing:
        by_url.setdefault(file.url, []).append(file)
    for url, files in by_url.items():
        _download(corpus, url, files)
    return {file.name: _cached(file) for file in wanted}


def checksum(paths: Paths) -> str:
    """One checksum for the files of a corpus: of the file itself, or of the names and checksums of
    several."""
    sums = {name: storage.sha256(path) for name, path in sorted(paths.items())}
    if len(sums) == 1:
        (only,) = sums.values()
        return only
    return storage.sha256_text("\n".join(map(" ".join, sums.items())))


def _located(name: str, data_dir: str | Path, options: dict) -> Paths:
    """The files of a corpus, by its own rules where it has some."""
    corpus = known(name)
    if name in LOCATE:
        return _call(LOCATE[name], options, data_dir)
    paths = {file.name: _local(file, data_dir) for file in corpus.files}
    missing = [file_name for file_name, path in paths.items() if path is None]
    if missing:
        paths |= fetch(name, missing)
    return paths


def _download(corpus: Corpus, url: str, files: list[File]) -> None:
    """Download what url holds into the cache: one file, or a zip archive with these files."""
    first = files[0]
    try:
        if not first.member:
            downloads.download(url, _cached(first), first.sha256)
            return
        beside = _cached(first).with_name(Path(url).name)
        archive = downloads.download(url, beside)
        members = {file.member: (_cached(file), file.sha256) for file in files}
        downloads.unpack(archive, members)
    except ConnectionError as error:
        names = " and ".join(f"{file.name} as {file.path}" for file in files)
        raise FileNotFoundError(
            f"{corpus.name} is not here and could not be downloaded from {error}; get it there and "
            f"put {names} in a folder that data_dir or SATLIB_DATA names"
        ) from error


def _cached(file: File) -> Path:
    """Where a file lies in the cache, or would lie."""
    return runtime.cache_folder() / "data" / file.path


def _is_cached(file: File) -> bool:
    """Whether a file lies in the cache, undamaged."""
    path = _cached(file)
    return path.is_file() and storage.sha256(path) == file.sha256


def _folders(data_dir: str | Path) -> list[Path]:
    """The folders to search. One that was named must exist."""
    named = []
    for folder in (str(data_dir), os.environ.get("SATLIB_DATA", "")):
        if folder:
            named.append(Path(folder))
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
        published = folder / file.path
        if published.is_file():
            return downloads.verify(published, file.sha256)
        by_name = folder / file.name
        if by_name.is_file():
            expected = "" if file.own else file.sha256
            return downloads.verify(by_name, expected)
    embedded = runtime.data_folder() / file.path
    if embedded.is_file():
        return embedded
    if not file.own and _is_cached(file):
        return _cached(file)
    return None


def _own_file(data_dir: str | Path, *, path: str | Path = "") -> Paths:
    """The user's own table: path (in data_dir, if it lies there), or data_dir itself, or the only
    table in it."""
    folder = Path(data_dir)
    if not folder.exists():
        raise FileNotFoundError(f"no file or folder {data_dir}; check the path")
    if str(path):
        inside = folder / path
        chosen = inside if inside.is_file() else Path(path)
        return {chosen.name: chosen}
    if folder.is_file():
        return {folder.name: folder}
    tables = []
    if str(data_dir):  # where none is named, the working folder is not searched
        tables = [file for file in folder.iterdir() if file.suffix in table_files.TABLES]
    if len(tables) != 1:
        raise ValueError(
            "csv needs your file: give path='ratings.csv', or as data_dir the folder that holds "
            f"it alone (there are {len(tables)} tables in {str(data_dir)!r})"
        )
    (chosen,) = tables
    return {chosen.name: chosen}


def _amazon(
    data_dir: str | Path, *, category: str = "", rows: int = 20_000, revision: str = "main"
) -> Paths:
    """Local reviews.jsonl and meta.jsonl; else the first rows of a category, streamed from the hub
    into the cache."""
    corpus = known("amazon-reviews-2023")
    local = {file.name: _local(file, data_dir) for file in corpus.files}
    if all(local.values()):
        return local
    remedy = NOT_FETCHED[corpus.name]
    if not category:
        raise FileNotFoundError(f"{corpus.name} is not here; {remedy}")
    folder = _cached(File(f"{corpus.name}/{category}-{rows}-{revision}"))
    streamed = {file.name: folder / file.name for file in corpus.files}
    if not all(path.is_file() for path in streamed.values()):
        print(corpus.notice)
        try:
            amazon.stream(streamed, category, rows, revision)
        except ConnectionError as error:
            raise FileNotFoundError(
                f"{error}; check the category and the network: {remedy}"
            ) from error
    return streamed


# The corpora that are not found by the paths in the registry.
LOCATE = {"csv": _own_file, "amazon-reviews-2023": _amazon}


def _legal_options(corpus: Corpus) -> set[str]:
    """The options that a corpus's reader takes, and the function that finds its files."""
    legal = _options(corpus.read)
    if corpus.name in LOCATE:
        legal |= _options(LOCATE[corpus.name])
    return legal


def _options(function: Callable) -> set[str]:
    """The names of a function's keyword-only parameters: they are the options of its corpus."""
    parameters = inspect.signature(function).parameters.values()
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    return {parameter.name for parameter in parameters if parameter.kind is keyword_only}


def _call(function: Callable, options: dict, *arguments):
    """Call a function with those of the options that it takes."""
    taken = _options(function)
    own = {name: value for name, value in options.items() if name in taken}
    return function(*arguments, **own)


def _check(name: str, examples: list[Example], bad: list[BadRow]) -> None:
    """Refuse a corpus without examples, and one in which an id stands twice."""
    if not examples:
        raise ValueError(
            f"{name} has no example to learn from ({len(bad)} rows were refused); check the file"
        )
    ids = Counter(example.id for example in examples)
    id, count = ids.most_common(1)[0]
    if count > 1:
        raise ValueError(f"id {id!r} occurs {count} times; ids are unique")


def _some_groups(examples: list[Example], limit: int | None, seed: int) -> list[Example]:
    """Whole groups in a seeded order until there are ``limit`` examples; the examples keep their
    order."""
    if limit is None or limit >= len(examples):
        return examples
    sizes = Counter(example.group for example in examples)
    order = sorted(sizes)
    np.random.default_rng(seed).shuffle(order)
    kept = set()
    taken = 0
    for group in order:
        if taken >= limit:
            break
        kept.add(group)
        taken += sizes[group]
    return [example for example in examples if example.group in kept]
