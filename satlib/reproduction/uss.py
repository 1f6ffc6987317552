"""Protocol A, satisfaction before the user speaks (USS): A0 as published, with its faults, A1
without them.

Taught with lesson 61. Every model predicts five classes from the dialogue before the user's turn.
``run`` gives the record of one model under one of the two; folds are saved one by one, so that an
interrupted run goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from satlib import record_cache, records, runtime
from satlib.data import corpora, labels
from satlib.data.interactions import Example
from satlib.evaluation import judging, metrics
from satlib.reproduction import protocols, text_classifiers, uss_faults
from satlib.reproduction.text_classifiers import Labelled, Settings

FOLDS = {"A0": 10, "A1": 5}
POWERS = (
    0.0,
    0.25,
    0.5,
    0.75,
    1.0,
)  # of the classes' shares, by which probabilities are divided, see ``decide``
PUBLISHED = {
    "uar": metrics.uar,
    "kappa": metrics.kappa,
    "published_rho": uss_faults.rho,
    "published_f1": uss_faults.f1,
}


@dataclass(frozen=True)
class Turns:
    """The rows of a corpus [N] under protocol A: examples, texts, majority class and annotators'
    mean in stars."""

    examples: Sequence[Example]
    texts: list[str]
    stars: np.ndarray
    means: np.ndarray


def text(example: Example) -> str:
    """The dialogue before the user speaks: "user: ..." and "system: ..." lines, the last one last;
    may be empty."""
    return " ".join(f"{event.actor}: {event.text}" for event in example.events)


def load(dataset: str, overall: bool, data_dir: str = "") -> tuple[corpora.Loaded, Turns]:
    """The corpus with (A0) or without (A1) the OVERALL lines, in the order of its file."""
    loaded = corpora.load(dataset, data_dir=data_dir, view="before", overall=overall)
    return loaded, turns(loaded.examples)


def turns(examples: Sequence[Example]) -> Turns:
    """Examples of the view "before" as rows of protocol A."""
    ratings = [example.ratings for example in examples]
    return Turns(
        examples, [text(e) for e in examples], labels.majority(ratings), labels.mean(ratings)
    )


def folds(name: str, rows: Turns, seed: int = 0) -> list[dict[str, np.ndarray]]:
    """Row numbers of train, validation and test in each fold: A0 by blocks of rows, A1 by whole
    dialogues."""
    n, count = len(rows.examples), FOLDS[name]
    if name == "A0":
        blocks = uss_faults.row_blocks(n, count)
        return [
            {"train": np.setdiff1d(np.arange(n), test), "validation": test[:0], "test": test}
            for test in blocks
        ]
    group = np.array([example.group for example in rows.examples])
    order = np.random.default_rng(seed).permutation(np.unique(group))
    found = []
    for k in range(count):
        test, rest = (
            order[k::count],
            np.concatenate([order[j::count] for j in range(count) if j != k]),
        )
        validation = rest[: len(rest) // 10]
        side = {"train": rest[len(rest) // 10 :], "validation": validation, "test": test}
        found.append(
            {part: np.flatnonzero(np.isin(group, groups)) for part, groups in side.items()}
        )
    return found


def as_ids(rows: Turns, cut: Sequence[dict[str, np.ndarray]]) -> dict[str, list[str]]:
    """A split as ids, to be saved: the test rows and the validation rows of each fold; all others
    train."""
    return {
        f"fold {k} {part}": [rows.examples[i].id for i in fold[part]]
        for k, fold in enumerate(cut)
        for part in ("validation", "test")
    }


def learn(
    model: str, rows: Turns, fold: dict[str, np.ndarray], settings: Settings, copies: int = 1
) -> list[np.ndarray]:
    """Probabilities [V + T, 5] of the validation and test rows of a fold after every epoch."""
    train = uss_faults.upsample(fold["train"], rows.stars, copies)
    judged = np.concatenate([fold["validation"], fold["test"]])
    known = Labelled([rows.texts[i] for i in train], rows.stars[train], rows.means[train])
    return text_classifiers.fit(model, known, [rows.texts[i] for i in judged], settings)


def log_loss(p: np.ndarray, stars: np.ndarray) -> float:
    """Mean of -log of the probability of the true class, in nats; a probability counts as at least
    1e-6."""
    return float(-np.log(np.maximum(p[np.arange(len(stars)), stars.astype(int) - 1], 1e-6)).mean())


def decide(p: np.ndarray, share: np.ndarray, power: float) -> np.ndarray:
    """Classes in stars [..., N]: the largest probability [..., N, 5] over the class's training
    share [5] ** power.

    With power 0 nearly every prediction is 3, the class of four turns in five; with 1 all classes
    count alike.
    """
    return (p / np.maximum(share, 1e-4) ** power).argmax(axis=-1) + 1.0


def pooled(
    model: str,
    name: str,
    rows: Turns,
    cut: Sequence[dict[str, np.ndarray]],
    settings: Settings,
    keep: Callable[[int, Callable], list] = lambda k, make: make(),
) -> tuple[np.ndarray, np.ndarray, list]:
    """All rows, each by the model of the fold that tests it: probabilities [E, N, 5], classes [E,
    N], what was chosen.

    A0 keeps all epochs and chooses nothing. A1 keeps one: in each fold the epoch with the lowest
    validation loss, and then the power (``decide``) with the highest validation UAR. keep: called
    as keep(fold, make) to read or make the epochs of a fold.
    """
    found, classes, chosen = None, None, []
    for k, fold in enumerate(runtime.progress(cut, f"{model} {name}")):
        copies = uss_faults.COPIES if name == "A0" else 1
        epochs = np.asarray(
            keep(k, lambda fold=fold, copies=copies: learn(model, rows, fold, settings, copies))
        )
        n, power, truth = len(fold["validation"]), 0.0, rows.stars[fold["validation"]]
        share = np.bincount(rows.stars[fold["train"]].astype(int), minlength=6)[1:] / len(
            fold["train"]
        )
        if name == "A1":
            best = int(np.argmin([log_loss(p[:n], truth) for p in epochs]))
            power = max(
                POWERS, key=lambda x: (metrics.uar(truth, decide(epochs[best, :n], share, x)), -x)
            )
            epochs = epochs[best:][:1]
            chosen.append({"epoch": best, "power": power})
        if found is None:
            found, classes = (
                np.zeros((len(epochs), len(rows.stars), 5)),
                np.zeros((len(epochs), len(rows.stars))),
            )
        found[:, fold["test"]] = epochs[:, n:]
        classes[:, fold["test"]] = decide(epochs[:, n:], share, power)
    return found, classes, chosen


def run(
    dataset: str, name: str, model: str, settings: Settings, folder: str | Path, data_dir: str = ""
) -> records.RunRecord:
    """The record of one model under A0 or A1: read from ``folder`` where it is, else made; its
    split is saved there."""
    runtime.one_of("protocol", name, FOLDS)
    loaded, rows = load(dataset, name == "A0", data_dir)
    cut = folds(name, rows)
    split = record_cache.save_split(f"split-{dataset}-{name}", as_ids(rows, cut), folder)
    job = {
        "model": model,
        "dataset": dataset,
        "profile": name,
        "seed": settings.seed,
        "data_sha256": loaded.sha256,
        "split_sha256": split,
    }
    parameters = protocols.settings_of(settings)

    def make() -> records.RunRecord:
        keeper = record_cache.Pieces(job, parameters, folder)
        p, classes, chosen = pooled(model, name, rows, cut, settings, keeper)
        judged = judging.Judged(rows.examples, rows.stars, classes[-1], p[-1] @ labels.STARS)
        names = protocols.PROTOCOLS[name].metrics if name == "A1" else []
        made = judging.record(job, {"test": judged}, names, parameters | {"chosen": chosen})
        keeper.clear()
        return as_published(made, rows.stars, classes, job) if name == "A0" else made

    return record_cache.complete(job, parameters, make, folder)


def as_published(
    made: records.RunRecord, stars: np.ndarray, classes: np.ndarray, job: dict
) -> records.RunRecord:
    """The record with the published metrics as rows, each at its best test epoch and without an
    interval.

    classes [E, N]: of every epoch, whose metrics become the curves. The predictions are those of
    the last epoch.
    """
    best = uss_faults.best_epochs(stars, classes, PUBLISHED)
    made.parameters["best_epochs"] = {name: epoch for name, (_, epoch) in best.items()}
    made.curves = [
        {"epoch": e} | {n: float(metric(stars, one)) for n, metric in PUBLISHED.items()}
        for e, one in enumerate(classes)
    ]
    made.rows = [
        judging.row(job, "test", n, (v, np.nan, np.nan), len(stars)) for n, (v, _) in best.items()
    ]
    return made
