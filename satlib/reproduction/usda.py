"""Protocol B, three classes with the user's words in view (USDA and ASAP); taught with lesson 62.

Training rows are rebuilt (``usda``), the published validation and test rows used as they are. The
classes are 2, 3 and 4 stars. A network's epoch is chosen by macro-F1 on the validation rows.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from satlib import record_cache
from satlib.data import agreement, corpora, labels, splits
from satlib.data.interactions import PARTS, Example
from satlib.data.readers import usda
from satlib.evaluation import judging, metrics
from satlib.records import RunRecord
from satlib.reproduction import protocols, text_classifiers
from satlib.reproduction.text_classifiers import Labelled, Settings

VIEWS = ("utterance", "system", "context")
# model -> (classifier, what it reads, whether it gets the previous turns as features)
MODELS = {
    "majority": ("majority", "utterance", False),
    "naive-bayes": ("naive-bayes", "utterance", False),
    "naive-bayes-system": ("naive-bayes", "system", False),
    "naive-bayes-context": ("naive-bayes", "context", False),
    "tfidf-logistic": ("tfidf-logistic", "utterance", False),
    "tfidf-logistic-context": ("tfidf-logistic", "context", False),
    "bert-utterance": ("bert-classes", "utterance", False),
    "bert-utterance-previous": ("bert-classes", "utterance", True),
    "bert-context": ("bert-classes", "context", False),
    "bert-context-previous": ("bert-classes", "context", True),
}
ANNOTATOR = "one-annotator"
ORDER = (*MODELS, ANNOTATOR)  # of all tables
LENGTHS = {"utterance": 48, "system": 48, "context": 32}  # tokens that the encoder reads
EPOCHS = {
    "utterance": 3,
    "system": 3,
    "context": 1,
}  # of the encoder; a dialogue costs three times as much as a turn


def text(example: Example, view: str) -> str:
    """What a model reads: the user's last words, the system's last words, or the dialogue, the
    user's words last."""
    last = example.target.text if example.target is not None else "OVERALL"
    if view == "utterance":
        return last
    if view == "system":
        return next(
            (event.text for event in reversed(example.events) if event.actor == "system"), ""
        )
    return " ".join(
        [f"{event.actor}: {event.text}" for event in example.events] + [f"user: {last}"]
    )


def previous(
    train: Sequence[Example], judged: Sequence[Example], folds: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """What a first model says of a dialogue's earlier user turns, as features of the rows: [N, 11]
    and [M, 11].

    The first model is TF-IDF with logistic regression on single user turns. For a training row it
    has not seen the row's dialogue (``folds`` folds by dialogue), for a judged row it has seen all
    training rows. Features: the mean probabilities of the three classes over the earlier turns,
    those of the last one, whether the row is OVERALL, the first three times that, and the logarithm
    of 1 + the number of earlier turns. No label of an earlier turn is used.
    """
    turns = [e for e in train if e.target is not None]
    fold = {group: i % folds for i, group in enumerate(sorted({e.group for e in train}))}
    seen = np.zeros((len(train), 11))
    for k in range(folds):
        inside = [i for i, e in enumerate(train) if fold[e.group] == k]
        seen[inside] = _said([e for e in turns if fold[e.group] != k], [train[i] for i in inside])
    return seen, _said(turns, judged)


def _said(turns: Sequence[Example], rows: Sequence[Example]) -> np.ndarray:
    said = [[event.text for event in row.events if event.actor == "user"] for row in rows]
    known = Labelled([e.target.text for e in turns], np.array([e.rating for e in turns]))
    place = {words: i for i, words in enumerate(sorted({words for row in said for words in row}))}
    (chances,) = (
        text_classifiers.fit("tfidf-logistic", known, list(place)) if place else [np.zeros((0, 5))]
    )
    found = np.zeros((len(rows), 11))
    for i, (row, words) in enumerate(zip(rows, said, strict=True)):
        p = chances[[place[w] for w in words], 1:4] if words else np.full((1, 3), 1 / 3)
        whole = float(row.target is None)
        found[i] = [*p.mean(axis=0), *p[-1], whole, *whole * p.mean(axis=0), np.log1p(len(words))]
    return found


def load(dataset: str, data_dir: str = "") -> tuple[corpora.Loaded, dict[str, list[Example]]]:
    """The corpus and its three parts, as published and as rebuilt."""
    loaded = corpora.load(dataset, data_dir=data_dir)
    return loaded, {part: [e for e in loaded.examples if e.part == part] for part in PARTS}


def fit(
    model: str, parts: dict[str, list[Example]], settings: Settings
) -> tuple[dict[str, np.ndarray], list[dict]]:
    """Probabilities [N, 5] of the validation and the test rows at the best epoch, and the macro-F1
    of all epochs."""
    name, view, with_previous = MODELS[model]
    train, judged = parts["train"], parts["validation"] + parts["test"]
    rows = Labelled([text(e, view) for e in train], np.array([e.rating for e in train]))
    if name == "majority":
        most = float(np.bincount(metrics.classes(rows.stars)).argmax())
        epochs, features = text_classifiers.always(rows, [""] * len(judged), most), None
    else:
        settings, features = of_view(settings, view), None
        if with_previous:
            seen, features = previous(train, judged)
            rows = replace(rows, features=seen)
        epochs = text_classifiers.fit(
            name, rows, [text(e, view) for e in judged], settings, features
        )
    n, truth = len(parts["validation"]), np.array([e.rating for e in parts["validation"]])
    found = [metrics.macro_f1(truth, p[:n].argmax(axis=1) + 1.0) for p in epochs]
    best = epochs[int(np.argmax(found))]
    curves = [{"epoch": i, "validation_macro_f1": round(value, 6)} for i, value in enumerate(found)]
    return {"validation": best[:n], "test": best[n:]}, curves


def of_view(settings: Settings, view: str) -> Settings:
    """The settings with the length and the number of epochs that belong to what a model reads."""
    return replace(settings, max_length=LENGTHS[view], epochs=EPOCHS[view])


def run(
    dataset: str, model: str, settings: Settings, folder: str | Path, data_dir: str = ""
) -> RunRecord:
    """The record of one model under protocol B: read from ``folder`` where it is, else made; saves
    the split too."""
    loaded, parts = load(dataset, data_dir)
    job = _job(loaded, parts, model, settings.seed, folder)
    parameters = protocols.settings_of(of_view(settings, MODELS[model][1]))

    def make() -> RunRecord:
        found, curves = fit(model, parts, settings)
        judged = {
            part: judging.from_probabilities(
                parts[part], [e.rating for e in parts[part]], p, keep=True
            )
            for part, p in found.items()
        }
        return judging.record(job, judged, protocols.PROTOCOLS["B"].metrics, parameters, curves)

    return record_cache.complete(job, parameters, make, folder)


def _job(
    loaded: corpora.Loaded,
    parts: dict[str, list[Example]],
    model: str,
    seed: int,
    folder: str | Path,
) -> dict:
    whole = [e for part in ("validation", "test") for e in parts[part] if e.target is None]
    ids = {part: [e.id for e in rows] for part, rows in (parts | {"overall": whole}).items()}
    record_cache.save_split(f"split-{loaded.name}-B", ids, folder)
    return {
        "model": model,
        "dataset": loaded.name,
        "profile": "B",
        "seed": seed,
        "data_sha256": loaded.sha256,
        "split_sha256": splits.checksum(parts),
    }


def reference(dataset: str, folder: str | Path, data_dir: str = "") -> RunRecord:
    """The record of one annotator, judged against the others of the same turn: what a person's
    opinion is worth here.

    Its rows are the ratings of the test rows that can be found in USS: the class of one rating as
    the prediction, the class of the others' mean as the truth. Its parameter ``verified`` counts,
    for each published part, the rows, those found in USS, those of them whose class is the sign of
    the mean minus 3, and the same for rows of joined lines. Its parameter ``labels`` counts, of the
    test rows found, the class by protocol A (row) against that by B (column).
    """
    loaded, parts = load(dataset, data_dir)
    job = _job(loaded, parts, ANNOTATOR, 0, folder)

    def make() -> RunRecord:
        turns = corpora.load(
            f"uss-{dataset.removeprefix('usda-')}", data_dir=data_dir, overall=True
        ).examples
        place = {part: usda.aligned(parts[part], turns) for part in ("validation", "test")}
        counts = {part: usda.verified(parts[part], found) for part, found in place.items()}
        rated = [
            (e, place["test"][e.id][0].ratings) for e in parts["test"] if e.id in place["test"]
        ]
        rated = [(e, ratings) for e, ratings in rated if len(ratings) > 1]
        own, rest = agreement.alone([ratings for _, ratings in rated])
        lowest, middle = (
            labels.three(by([ratings for _, ratings in rated]))
            for by in (labels.majority, labels.mean)
        )
        rows = [
            judging.RecordedExample(f"{e.id}/{k}", e.group, e.domain)
            for e, ratings in rated
            for k in range(len(ratings))
        ]
        predicted, truth = (labels.three(x) + usda.STARS[0] for x in (own, rest))
        judged = {"test": judging.Judged(rows, truth, predicted, predicted)}
        return judging.record(
            job,
            judged,
            protocols.PROTOCOLS["B"].metrics,
            {
                "encoder": "none",
                "verified": counts,
                "labels": np.bincount(3 * lowest + middle, minlength=9).reshape(3, 3).tolist(),
            },
        )

    return record_cache.complete(job, {}, make, folder)
