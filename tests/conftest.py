"""Fixtures shared by all tests: offline libraries, a cache of their own, and the real corpora where
they are."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("MPLBACKEND", "agg")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("SATLIB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def real_data(monkeypatch) -> Path:
    """Folder of the real corpora: SATLIB_DATA, or shared/data beside the checkout; else the test is
    skipped."""
    for folder in (os.environ.get("SATLIB_DATA"), ROOT.parent / "shared" / "data"):
        if folder and (Path(folder) / "SHA256SUMS").is_file():
            return Path(folder).resolve()
    pytest.skip("the real corpora are not here: set SATLIB_DATA to a folder that holds them")
