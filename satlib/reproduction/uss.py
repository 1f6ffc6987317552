"""Protocol A, satisfaction before the user speaks (USS): A0 as published, with its faults, A1
without them.

Taught with lesson 61. Every model predicts five classes from the dialogue before the user's turn.
``run`` gives the record of one model under one of the two; folds are saved one by one, so that an
interrupted run goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from satlib import record_cache, records, runtime
from satlib.data import corpora, labels
from satlib.data.interactions import Example
from satlib.evaluation import judging, metrics
from satlib.reproduction import protocols, text_classifiers, uss_faults
from satlib.reproduction.text_classifiers import Labelled, Settings

FOLDS = {"A0": 10, "A1": 5}
# Powers of the classes' shares, by which probabilities are divided: see ``decide``.
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
LEAST_PROBABILITY = 1e-6  # that a log loss counts with
LEAST_SHARE = 1e-4  # of a class, so that nothing is divided by 0
PUBLISHED_METRICS = {
    "uar": metrics.uar,
    "kappa": metrics.kappa,
    "published_rho": uss_faults.rho,
    "published_f1": uss_faults.f1,
}

# How the published BERT was trained in each fold (0: all rows), by the code that came with Sun et
# al., SIGIR 2021.
PUBLISHED_TRAINING = {"train_rows": 0, "max_length": 500, "epochs": 100}

Fold = dict[str, np.ndarray]  # train, validation and test -> row numbers


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
    texts = [text(example) for example in examples]
    ratings = [example.ratings for example in examples]
    return Turns(examples, texts, labels.majority(ratings), labels.mean(ratings))


def folds(protocol: str, rows: Turns, seed: int = 0) -> list[Fold]:
    """Row numbers of train, validation and test in each fold: A0 by blocks of rows, A1 by whole
    dialogues."""
    if protocol == "A0":
        return _folds_of_blocks(len(rows.examples))
    return _folds_of_dialogues([example.group for example in rows.examples], seed)


def _folds_of_blocks(n: int) -> list[Fold]:
    cut = []
    for test in uss_faults.row_blocks(n, FOLDS["A0"]):
        train = np.setdiff1d(np.arange(n), test)
        nothing = test[:0]
        cut.append({"train": train, "validation": nothing, "test": test})
    return cut


def _folds_of_dialogues(groups: Sequence[str], seed: int) -> list[Fold]:
    """Dialogues in a seeded order are dealt out like cards; of those that do not test, the first
    tenth validates."""
    order = np.random.default_rng(seed).permutation(np.unique(groups))
    hands = [order[k :: FOLDS["A1"]] for k in range(FOLDS["A1"])]
    cut = []
    for k, test in enumerate(hands):
        rest = np.concatenate(hands[:k] + hands[k + 1 :])
        tenth = len(rest) // 10
        dialogues = {"train": rest[tenth:], "validation": rest[:tenth], "test": test}
        fold = {}
        for part, names in dialogues.items():
            fold[part] = np.flatnonzero(np.isin(groups, names))
        cut.append(fold)
    return cut


def split_ids(rows: Turns, cut: Sequence[Fold]) -> dict[str, list[str]]:
    """A split as ids, to be saved: the test rows and the validation rows of each fold; all others
    train."""
    ids = {}
    for k, fold in enumerate(cut):
        for part in ("validation", "test"):
            ids[f"fold {k} {part}"] = [rows.examples[i].id for i in fold[part]]
    return ids


def learn(
    model: str, rows: Turns, fold: Fold, settings: Settings, copies: int = 1
) -> list[np.ndarray]:
    """Probabilities [V + T, 5] of the validation and test rows of a fold after every epoch."""
    train = uss_faults.upsample(fold["train"], rows.stars, copies)
    judged = np.concatenate([fold["validation"], fold["test"]])
    train_texts = [rows.texts[i] for i in train]
    judged_texts = [rows.texts[i] for i in judged]
    known = Labelled(train_texts, rows.stars[train], rows.means[train])
    return text_classifiers.fit(model, known, judged_texts, settings)


def log_loss(probabilities: np.ndarray, stars: np.ndarray) -> float:
    """Mean of -log of the probability of the true class, in nats, of probabilities [N, 5] and
    classes [N]; a probability counts as at least LEAST_PROBABILITY."""
    true_class = stars.astype(int) - 1
    of_true_class = probabilities[np.arange(len(stars)), true_class]
    return float(-np.log(np.maximum(of_true_class, LEAST_PROBABILITY)).mean())


def decide(probabilities: np.ndarray, share: np.ndarray, power: float) -> np.ndarray:
    """Classes in stars [..., N]: the largest probability [..., N, 5] over the class's training
    share [5] ** power.

    With power 0 nearly every prediction is 3, the class of four turns in five; with 1 all classes
    count alike.
    """
    weighed = probabilities / np.maximum(share, LEAST_SHARE) ** power
    return weighed.argmax(axis=-1) + 1.0


def choose(epochs: np.ndarray, stars: np.ndarray, share: np.ndarray) -> dict:
    """The epoch and the power of A1, chosen on validation rows: the epoch with the lowest log loss,
    and then the power (``decide``) with the highest UAR, of equal ones the smallest.

    epochs: probabilities [E, V, 5]. stars: classes [V]. share: of the classes in training [5].
    """
    losses = [log_loss(probabilities, stars) for probabilities in epochs]
    epoch = int(np.argmin(losses))
    uars = [metrics.uar(stars, decide(epochs[epoch], share, power)) for power in POWERS]
    return {"epoch": epoch, "power": POWERS[int(np.argmax(uars))]}


def pooled(
    model: str,
    protocol: str,
    rows: Turns,
    cut: Sequence[Fold],
    settings: Settings,
    keep: Callable[[int, Callable], np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """All rows, each by the model of the fold that tests it: probabilities [E, N, 5], classes [E,
    N], and what each fold chose.

    A0 keeps all epochs and chooses nothing. A1 keeps one epoch of each fold: see ``choose``. keep:
    called as keep(fold, make) to read the epochs of a fold or to make them; see
    ``record_cache.Pieces``.
    """
    tested, decided, chosen = [], [], []
    copies = uss_faults.COPIES if protocol == "A0" else 1
    for k, fold in enumerate(runtime.progress(cut, f"{model} {protocol}")):
        make = partial(learn, model, rows, fold, settings, copies)
        epochs = np.asarray(make() if keep is None else keep(k, make))
        n_validation = len(fold["validation"])
        validation = epochs[:, :n_validation]
        test = epochs[:, n_validation:]
        share = text_classifiers.class_shares(rows.stars[fold["train"]])
        power = 0.0
        if protocol == "A1":
            choice = choose(validation, rows.stars[fold["validation"]], share)
            chosen.append(choice)
            power = choice["power"]
            test = test[[choice["epoch"]]]
        tested.append(test)
        decided.append(decide(test, share, power))
    probabilities = np.zeros((len(tested[0]), len(rows.stars), 5))
    classes = np.zeros((len(tested[0]), len(rows.stars)))
    for k, fold in enumerate(cut):
        probabilities[:, fold["test"]] = tested[k]
        classes[:, fold["test"]] = decided[k]
    return probabilities, classes, chosen


def run(
    dataset: str,
    protocol: str,
    model: str,
    settings: Settings,
    folder: str | Path,
    data_dir: str = "",
) -> records.RunRecord:
    """The record of one model under A0 or A1: read from ``folder`` where it is, else made; its
    split is saved there."""
    runtime.one_of("protocol", protocol, FOLDS)
    as_published = protocol == "A0"
    loaded, rows = load(dataset, overall=as_published, data_dir=data_dir)
    cut = folds(protocol, rows)
    ids = split_ids(rows, cut)
    split_sha256 = record_cache.save_split(f"split-{dataset}-{protocol}", ids, folder)
    job = _job(dataset, protocol, model, settings.seed)
    job |= {"data_sha256": loaded.sha256, "split_sha256": split_sha256}
    parameters = protocols.settings_of(settings)

    def make() -> records.RunRecord:
        keeper = record_cache.Pieces(job, parameters, folder)
        probabilities, classes, chosen = pooled(model, protocol, rows, cut, settings, keeper)
        # A0 keeps all epochs, and the last one's predictions count; A1 keeps one.
        expected = probabilities[-1] @ labels.STAR_VALUES
        judged = judging.Judged(rows.examples, rows.stars, classes[-1], expected)
        # A0's rows come below: each of its metrics takes its own epoch.
        metric_names = [] if as_published else protocols.A1.metrics
        record = judging.record(job, {"test": judged}, metric_names, parameters)
        if as_published:
            add_published_rows(record, rows.stars, classes)
        else:
            record.parameters["chosen"] = chosen
        keeper.clear()
        return record

    return record_cache.complete(job, parameters, make, folder)


def _job(dataset: str, protocol: str, model: str, seed: int) -> dict:
    """What names a record of a protocol."""
    return {"model": model, "dataset": dataset, "profile": protocol, "seed": seed}


def add_published_rows(record: records.RunRecord, stars: np.ndarray, classes: np.ndarray) -> None:
    """Give a record the published metrics as rows, each at its best test epoch and without an
    interval.

    stars [N]. classes [E, N]: of every epoch, whose metrics become the curves. The record's
    predictions stay those of the last epoch.
    """
    best = uss_faults.best_epochs(stars, classes, PUBLISHED_METRICS)
    for epoch, predicted in enumerate(classes):
        curve = {"epoch": epoch}
        for name, metric in PUBLISHED_METRICS.items():
            curve[name] = float(metric(stars, predicted))
        record.curves.append(curve)
    record.parameters["best_epochs"] = {}
    for name, (value, epoch) in best.items():
        record.parameters["best_epochs"][name] = epoch
        numbers = (value, np.nan, np.nan)
        record.rows.append(judging.row(vars(record), "test", name, numbers, len(stars)))
