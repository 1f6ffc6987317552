"""Protocol C, overall satisfaction of a turn or of a dialogue from its text (AB-ReDial).

Taught with lesson 63. ``run`` gives the record of one model, in ten folds of whole conversations.
All settings were fixed beforehand: with 200 dialogues there are no rows to spare for a choice, and
a choice on test rows is none. What annotators' aspects tell of the same ratings is in ``aspects``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np

from satlib import record_cache, records, runtime
from satlib.baselines import event_steps, inputs
from satlib.data import corpora
from satlib.data.interactions import Example
from satlib.encoding import sequences
from satlib.evaluation import judging
from satlib.reproduction import protocols
from satlib.training import finetune

FOLDS = 10
# Last tokens that the encoder reads: the judged exchange, half a dialogue.
LENGTHS = {"turn": 64, "dialogue": 128}

# Numbers of training and test rows -> predicted ratings of the test rows.
Learner = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Settings(finetune.Settings):
    """The recipe's settings, with the defaults of protocol C; the head's one penalty is that of the
    ridges as well."""

    recorded: ClassVar = ("alpha", "epochs", "batch_size", "learning_rate", "max_length")
    max_length: int = 64
    strengths: tuple[float, ...] = (1.0,)
    adversarial: float = 0.0  # as published: one plain pass

    @property
    def alpha(self) -> float:
        """The penalty of the ridges, and of the ridge that the encoder's head starts as."""
        return self.strengths[0]


def folds(groups: Sequence[str], seed: int = 0) -> np.ndarray:
    """The fold of each row [N], 0 to FOLDS - 1: conversations in a seeded order, dealt out like
    cards."""
    conversations = np.random.default_rng(seed).permutation(np.unique(groups)).tolist()
    fold = {name: number % FOLDS for number, name in enumerate(conversations)}
    return np.array([fold[group] for group in groups])


def mean(examples: list[Example], settings: Settings) -> Learner:
    """The mean training rating for every row."""
    ratings = _ratings(examples)

    def learn(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        return np.full(len(test), ratings[train].mean())

    return learn


def tfidf(examples: list[Example], settings: Settings) -> Learner:
    """Ridge regression on TF-IDF weights of words and pairs of words, which the training rows
    choose."""
    texts = np.array(sequences.texts(examples), dtype=object)
    ratings = _ratings(examples)

    def learn(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        vectoriser, train_rows = inputs.tfidf(texts[train])
        test_rows = vectoriser.transform(texts[test])
        return _ridge(train_rows, ratings[train], test_rows, settings)

    return learn


def embeddings(examples: list[Example], settings: Settings) -> Learner:
    """Ridge regression on frozen embeddings of the last utterance, and of those before it on
    average."""
    # The encoder is frozen, so no row learns from another here and all are embedded at once.
    rows = event_steps.embeddings({"all": examples})["all"]
    ratings = _ratings(examples)

    def learn(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        return _ridge(rows[train], ratings[train], rows[test], settings)

    return learn


def encoder(examples: list[Example], settings: Settings) -> Learner:
    """The pretrained encoder with a regression head: the head fitted on it frozen, then all
    fine-tuned to the end."""
    rows = finetune.encode({"all": examples}, settings)["all"]

    def learn(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        judged = {"test": rows.at(test)}
        learnt = finetune.finetune(rows.at(train), settings, judged=judged)
        return learnt.after["test"].rating

    return learn


def _ridge(train_rows, ratings: np.ndarray, test_rows, settings: Settings) -> np.ndarray:
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=settings.alpha)
    model.fit(train_rows, ratings)
    return model.predict(test_rows)


def _ratings(examples: list[Example]) -> np.ndarray:
    return np.array([example.rating for example in examples])


LEARNERS: dict[str, Callable[[list[Example], Settings], Learner]] = {
    "mean": mean,
    "tfidf-ridge": tfidf,
    "embeddings-ridge": embeddings,
    "bert-regression": encoder,
}


def predict(
    model: str,
    examples: list[Example],
    settings: Settings,
    keep: Callable[[int, Callable], np.ndarray] | None = None,
) -> np.ndarray:
    """Predicted ratings [N] on the scale, each by a model that saw no row of its conversation.

    keep: called as keep(fold, make) to read the predictions of a fold or to make them; see
    ``record_cache.Pieces``.
    """
    runtime.one_of("model", model, LEARNERS)
    fold = folds([example.group for example in examples])
    learn = LEARNERS[model](examples, settings)
    predicted = np.zeros(len(examples))
    for k in runtime.progress(np.unique(fold).tolist(), model):
        train = np.flatnonzero(fold != k)
        test = np.flatnonzero(fold == k)
        make = partial(learn, train, test)
        predicted[test] = make() if keep is None else keep(k, make)
    return np.clip(predicted, 1, 5)


def job_of(
    model: str, level: str, seed: int, folder: str | Path, data_dir: str = ""
) -> tuple[dict, list[Example]]:
    """The fields that name a record of a level, and the level's examples; the split is saved in
    ``folder``."""
    runtime.one_of("level", level, LENGTHS)
    loaded = corpora.load("ab-redial", data_dir, level=level)
    fold = folds([example.group for example in loaded.examples])
    ids = {f"fold {k} test": [] for k in range(FOLDS)}
    for example, k in zip(loaded.examples, fold, strict=True):
        ids[f"fold {k} test"].append(example.id)
    job = {
        "model": model,
        "dataset": f"ab-redial-{level}",
        "profile": "C",
        "seed": seed,
        "data_sha256": loaded.sha256,
        "split_sha256": record_cache.save_split(f"split-ab-redial-{level}-C", ids, folder),
    }
    return job, loaded.examples


def run(
    level: str, model: str, settings: Settings, folder: str | Path, data_dir: str = ""
) -> records.RunRecord:
    """The record of one model on a level: read from ``folder`` where it is, else made; its split is
    saved there."""
    runtime.one_of("level", level, LENGTHS)
    settings = replace(settings, max_length=LENGTHS[level])
    job, examples = job_of(model, level, settings.seed, folder, data_dir)
    parameters = protocols.settings_of(settings)

    def make() -> records.RunRecord:
        keeper = record_cache.Pieces(job, parameters, folder)
        predicted = predict(model, examples, settings, keeper)
        judged = judging.Judged(examples, _ratings(examples), predicted, predicted)
        record = judging.record(job, {"test": judged}, protocols.C.metrics, parameters)
        keeper.clear()
        return record

    return record_cache.complete(job, parameters, make, folder)
