"""Fixtures shared by the tests of training."""

import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def scratch(tmp_path, monkeypatch) -> Path:
    """The folder that temporary files of the module go to."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder
