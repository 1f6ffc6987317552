"""Fixtures of the reproduction: invented ratings in memory."""

import numpy as np
import pytest
from invented_ratings import many

from satlib.baselines import event_steps
from satlib.data import corpora
from satlib.reproduction import rating_splits


@pytest.fixture
def films(monkeypatch):
    """Invented ratings as MovieLens in memory; an embedding is a text's length and a letter."""

    def embed(texts):
        return np.array([[len(text), ord(text[6])] for text in texts], float)

    monkeypatch.setattr(event_steps, "embed", embed)
    return rating_splits.films(corpora.Loaded("movielens", many(), "d", (0.5, 5.0), []))
