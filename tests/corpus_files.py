"""Small corpora, registered as if their files were the published ones."""

import hashlib
from dataclasses import replace
from functools import partial

from satlib.data.readers import common
from satlib.data.registry import REGISTRY

FIVE = partial(common.rating, low=1.0, high=5.0)  # the scale of most corpora


def register(monkeypatch, name, contents, **changes):
    """Let a corpus's files have these contents (bytes by base name), as if they were the published
    ones."""
    entries = tuple(
        replace(file, sha256=hashlib.sha256(contents[file.name]).hexdigest(), **changes)
        for file in REGISTRY[name].files
    )
    monkeypatch.setitem(REGISTRY, name, replace(REGISTRY[name], files=entries))


def put(folder, path, text):
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return target


def written(folder, name, text):
    """A file of this text, as a reader takes it: base name -> path."""
    return {name: put(folder, name, text)}
