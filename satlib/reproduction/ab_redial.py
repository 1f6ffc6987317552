"""Protocol C, overall satisfaction of a turn or of a dialogue from its text (AB-ReDial).

Taught with lesson 63. ``run`` gives the record of one model, in ten folds of whole conversations.
All settings were fixed beforehand: with 200 dialogues there are no rows to spare for a choice, and
a choice on test rows is none. What annotators' aspects tell of the same ratings is in ``aspects``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from satlib import record_cache, records, runtime
from satlib.baselines import event_steps, inputs
from satlib.data import corpora
from satlib.data.interactions import Example
from satlib.encoding import sequences, tokens
from satlib.evaluation import judging
from satlib.models import heads, satisfaction_model
from satlib.reproduction import protocols
from satlib.training import finetune, loop
from satlib.training.batches import Rows, batches
from satlib.training.gpu import precision
from satlib.training.plan import Plan, rate_at

FOLDS = 10
LENGTHS = {
    "turn": 64,
    "dialogue": 128,
}  # last tokens that the encoder reads: the judged exchange, half a dialogue

Learner = Callable[
    [np.ndarray, np.ndarray], np.ndarray
]  # numbers of training and test rows -> predicted ratings


@dataclass(frozen=True)
class Settings:
    """alpha: penalty of the ridges, and of the ridge that the encoder's head starts as. The others:
    the encoder's."""

    alpha: float = 1.0
    epochs: int = 2
    batch_size: int = 16
    learning_rate: float = 5e-5
    max_length: int = 64
    seed: int = 0


def folds(groups: Sequence[str], seed: int = 0) -> np.ndarray:
    """The fold of each row [N], 0 to FOLDS - 1: conversations in a seeded order, dealt out like
    cards."""
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    place = {name: i % FOLDS for i, name in enumerate(names.tolist())}
    return np.array([place[group] for group in groups])


def mean(examples: list[Example], settings: Settings) -> Learner:
    """The mean training rating for every row."""
    y = _ratings(examples)
    return lambda train, test: np.full(len(test), y[train].mean())


def tfidf(examples: list[Example], settings: Settings) -> Learner:
    """Ridge regression on TF-IDF weights of words and pairs of words, which the training rows
    choose."""
    texts, y = np.array(sequences.texts(examples), dtype=object), _ratings(examples)

    def learn(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        vectoriser, rows = inputs.tfidf(texts[train])
        return _ridge(rows, y[train], vectoriser.transform(texts[test]), settings)

    return learn


def embeddings(examples: list[Example], settings: Settings) -> Learner:
    """Ridge regression on frozen embeddings of the last utterance, and of those before it on
    average."""
    rows, y = (
        event_steps.embeddings({"all": examples})["all"],
        _ratings(examples),
    )  # frozen: no row learns from another
    return lambda train, test: _ridge(rows[train], y[train], rows[test], settings)


def encoder(examples: list[Example], settings: Settings) -> Learner:
    """The pretrained encoder with a regression head: the head fitted on it frozen, then all
    fine-tuned to the end."""
    texts, y = sequences.texts(examples), _ratings(examples)

    def learn(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        model, tokenizer = satisfaction_model.build(head="regression", seed=settings.seed)
        ids = tokens.tokenise(texts, tokenizer, settings.max_length)
        fine_tune(model, Rows([ids[i] for i in train], y[train]), settings)
        return heads.read_logits(
            satisfaction_model.run(model, [ids[i] for i in test]).astype(float), model.config
        ).rating

    return learn


def fine_tune(model: satisfaction_model.SatisfactionModel, rows: Rows, settings: Settings) -> None:
    """Fit the head on the frozen encoder, then train all of it for the epochs that were fixed; no
    epoch is chosen."""
    plan = Plan(
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        seed=settings.seed,
    )
    accelerator = loop.make_accelerator(precision(plan.precision))
    runtime.seed_everything(plan.seed)
    model.to(accelerator.device)
    finetune.fit_head(
        model, rows, rows.some(16), strengths=(settings.alpha,)
    )  # one strength: nothing is chosen
    raw = loop.make_optimizer(model, plan)
    step, optimizer = accelerator.prepare(loop.Step(model), raw)
    todo = [
        batch
        for epoch in range(plan.epochs)
        for batch in batches(len(rows.ratings), plan, epoch, rows.lengths)
    ]
    model.train()
    for i, batch in enumerate(todo):
        for group in raw.param_groups:
            group["lr"] = rate_at(i, len(todo), plan)
        loop.update(step, optimizer, accelerator, rows, batch, plan)


def _ridge(rows, y: np.ndarray, judged, settings: Settings) -> np.ndarray:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=settings.alpha).fit(rows, y).predict(judged)


def _ratings(examples: list[Example]) -> np.ndarray:
    return np.array([e.rating for e in examples])


MODELS: dict[str, Callable[[list[Example], Settings], Learner]] = {
    "mean": mean,
    "tfidf-ridge": tfidf,
    "embeddings-ridge": embeddings,
    "bert-regression": encoder,
}


def predict(
    model: str,
    examples: list[Example],
    settings: Settings,
    keep: Callable[[int, Callable], np.ndarray] = lambda fold, make: make(),
) -> np.ndarray:
    """Predicted ratings [N], each by a model that saw no row of its conversation; keep: see
    ``record_cache.Pieces``."""
    runtime.one_of("model", model, MODELS)
    fold, found = folds([e.group for e in examples]), np.zeros(len(examples))
    learn = MODELS[model](examples, settings)
    for k in runtime.progress(np.unique(fold).tolist(), model):
        train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        found[test] = keep(k, lambda train=train, test=test: learn(train, test))
    return np.clip(found, 1, 5)


def job_of(
    model: str, level: str, seed: int, folder: str | Path, data_dir: str = ""
) -> tuple[dict, list[Example]]:
    """The fields that name a record of a level, and the level's examples; the split is saved in
    ``folder``."""
    runtime.one_of("level", level, LENGTHS)
    loaded = corpora.load("ab-redial", data_dir, level=level)
    fold = folds([e.group for e in loaded.examples])
    cut = {
        f"fold {k} test": [e.id for e, at in zip(loaded.examples, fold, strict=True) if at == k]
        for k in range(FOLDS)
    }
    split = record_cache.save_split(f"split-ab-redial-{level}-C", cut, folder)
    return {
        "model": model,
        "dataset": f"ab-redial-{level}",
        "profile": "C",
        "seed": seed,
        "data_sha256": loaded.sha256,
        "split_sha256": split,
    }, loaded.examples


def run(
    level: str, model: str, settings: Settings, folder: str | Path, data_dir: str = ""
) -> records.RunRecord:
    """The record of one model on a level: read from ``folder`` where it is, else made; its split is
    saved there."""
    runtime.one_of("level", level, LENGTHS)
    settings = replace(settings, max_length=LENGTHS[level])
    job, examples = job_of(model, level, settings.seed, folder, data_dir)
    parameters, truth = protocols.settings_of(settings), np.array([e.rating for e in examples])

    def make() -> records.RunRecord:
        keeper = record_cache.Pieces(job, parameters, folder)
        found = predict(model, examples, settings, keeper)
        judged = {"test": judging.Judged(examples, truth, found, found)}
        made = judging.record(job, judged, protocols.PROTOCOLS["C"].metrics, parameters)
        keeper.clear()
        return made

    return record_cache.complete(job, parameters, make, folder)
