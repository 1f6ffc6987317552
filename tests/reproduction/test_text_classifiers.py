"""Classifiers of texts: probabilities for every epoch, the same for the same seed, and odd
input."""

import numpy as np
import pytest
import tiny
import torch

from satlib.models import encoders
from satlib.reproduction import text_classifiers
from satlib.reproduction.text_classifiers import Labelled, Settings

GOOD, BAD = "lovely film again thank you", "terrible wait and boring service"
TEXTS = [GOOD, BAD, "it works no more and no less"] * 8
STARS = np.array([5.0, 1.0, 3.0] * 8)
ROWS = Labelled(TEXTS, STARS, STARS + np.tile([-0.5, 0.5, 0.25], 8))
JUDGED = [BAD, GOOD, "", "words that nobody said before"]
QUICK = Settings(epochs=2, batch_size=8, max_length=16, gru_epochs=3, words=6, learning_rate=1e-3)
EPOCHS = (
    dict.fromkeys(text_classifiers.SIMPLE, 1)
    | {"gru": 3}
    | dict.fromkeys(text_classifiers.HEADS, 3)
)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Encoders are tiny random ones."""
    folder = tiny.bert_folder(tmp_path / "bert")
    monkeypatch.setattr(encoders, "embedded_encoder", lambda: folder)


@pytest.mark.parametrize("name", text_classifiers.CLASSIFIERS)
def test_an_epoch_is_a_distribution_for_each_judged_text(name, small):
    found = text_classifiers.fit(name, ROWS, JUDGED, QUICK)
    assert len(found) == EPOCHS[name]
    for p in found:
        assert p.shape == (4, 5) and p.min() >= 0 and np.allclose(p.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["gru", *text_classifiers.HEADS])
def test_the_seed_decides(name, small):
    state = torch.random.get_rng_state()
    one, same = (text_classifiers.fit(name, ROWS, JUDGED, QUICK) for _ in range(2))
    other = text_classifiers.fit(name, ROWS, JUDGED, Settings(**{**vars(QUICK), "seed": 1}))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.allclose(one[-1], other[-1], atol=1e-6)
    assert name != "gru" or torch.equal(
        state, torch.random.get_rng_state()
    )  # nobody else's random numbers change


def test_the_constant_and_the_prior_read_nothing():
    assert np.array_equal(
        text_classifiers.fit("always-3", ROWS, JUDGED)[0], np.tile([0, 0, 1.0, 0, 0], (4, 1))
    )
    few = Labelled(["a"] * 4, np.array([3.0, 3.0, 2.0, 5.0]))
    assert np.allclose(
        text_classifiers.fit("prior", few, ["x", ""])[0], [[0, 0.25, 0.5, 0, 0.25]] * 2
    )


def test_naive_bayes_is_that_of_the_counts():
    """P(class | text) is proportional to P(class) x the product of (count + 1) / (all +
    vocabulary)."""
    rows = Labelled(["up up", "up", "down", "down"], np.array([4.0, 4.0, 2.0, 2.0]))
    p = text_classifiers.fit("naive-bayes", rows, ["up down down"])[0][0]
    words = {"up": 0, "down": 1}  # "up up" occurs in one text only, "down down" in none
    likelihood = [
        np.prod([(3 + 1, 0 + 1)[words[w]] / (3 + 2) for w in ("up", "down", "down")]),
        np.prod([(0 + 1, 2 + 1)[words[w]] / (2 + 2) for w in ("up", "down", "down")]),
    ]
    assert (
        np.allclose(p[[3, 1]], np.array(likelihood) / sum(likelihood)) and p[[0, 2, 4]].sum() == 0
    )


@pytest.mark.parametrize("name", ["naive-bayes", "tfidf-logistic", "gru"])
def test_what_can_be_learned_is_learned(name):
    p = text_classifiers.fit(name, ROWS, JUDGED, Settings(gru_epochs=60, words=6))[-1]
    assert p[:2].argmax(axis=1).tolist() == [0, 4]


def test_an_encoder_is_frozen_at_first(small):
    """Entry 0 does not depend on how long, or how fast, the encoder is trained afterwards."""
    still = Settings(**{**vars(QUICK), "learning_rate": 1e-12})
    frozen, *tuned = text_classifiers.fit("bert-classes", ROWS, JUDGED, QUICK)
    held = text_classifiers.fit("bert-classes", ROWS, JUDGED, still)
    assert np.allclose(held[0], frozen) and np.allclose(held[-1], frozen, atol=1e-4)
    assert not np.allclose(tuned[-1], frozen, atol=1e-3)


def test_an_encoder_learns_from_the_rows_that_it_may(small):
    capped = text_classifiers.fit(
        "bert-classes", ROWS, JUDGED, Settings(**{**vars(QUICK), "train_rows": 9})
    )
    assert len(capped) == 3 and not np.allclose(
        capped[0], text_classifiers.fit("bert-classes", ROWS, JUDGED, QUICK)[0]
    )


def test_soft_learns_the_mean_and_the_others_the_class(small):
    other = Labelled(TEXTS, STARS, np.tile([2.0, 4.0], 12))
    for name, same in (("bert-classes", True), ("bert-ordinal", True), ("bert-soft", False)):
        one, two = (text_classifiers.fit(name, rows, JUDGED, QUICK)[0] for rows in (ROWS, other))
        assert np.allclose(one, two) == same


def test_an_encoder_takes_features(small):
    features = np.random.default_rng(0).normal(size=(24, 2))
    rows = Labelled(TEXTS, STARS, features=features)
    low, high = (
        text_classifiers.fit("bert-classes", rows, JUDGED, QUICK, np.full((4, 2), x))[-1]
        for x in (-3.0, 3.0)
    )
    assert low.shape == (4, 5) and not np.allclose(low, high, atol=1e-3)


def test_only_the_last_words_are_read_by_the_gru():
    hashed = text_classifiers.hashed_words(["a b c", "", "x a b c"], 3)
    assert (hashed[0] == hashed[2]).all() and (hashed[1] == 0).all() and (hashed[0] > 0).all()


def test_unknown_names_and_rows_without_labels_are_refused():
    with pytest.raises(
        ValueError, match="unknown classifier 'bert'; choose one of always-3, .*bert-soft"
    ):
        text_classifiers.fit("bert", ROWS, JUDGED)
    for rows in (Labelled([], np.array([])), Labelled(["a"], np.array([1.0, 2.0]))):
        with pytest.raises(
            ValueError,
            match=r"texts and . classes; give a class to each text, and at least one text",
        ):
            text_classifiers.fit("prior", rows, JUDGED)
