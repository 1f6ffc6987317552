"""Protocol A0 with one of its faults switched off at a time: what each of them does to the numbers.

Taught with lesson 61. Two quick models serve: both count the single words of the dialogue before
the user speaks. All words are counted once, in all rows, and copies of a row are weights, so that a
whole ablation takes about a minute.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from satlib import record_cache, records, runtime, storage
from satlib.data import labels
from satlib.evaluation import bootstrap, judging
from satlib.reproduction import uss, uss_faults
from satlib.reproduction.uss import Turns

FOLDS = uss.FOLDS["A0"]


@dataclass(frozen=True)
class Way:
    """One way to run A0: its rows, the fold of each row [N] in 0..9, and how often a row not rated
    3 is learned."""

    rows: Turns
    fold: np.ndarray
    copies: int = uss_faults.COPIES


def published(rows: Turns) -> Way:
    """Everything as published: contiguous blocks of rows, ten copies more, OVERALL among the
    rows."""
    blocks = uss_faults.row_blocks(len(rows.examples), FOLDS)
    return Way(rows, np.repeat(np.arange(FOLDS), [len(block) for block in blocks]))


def kept(rows: Turns, which: np.ndarray) -> Turns:
    """The rows where ``which`` [N] is true."""
    at = np.flatnonzero(which)
    return Turns(
        [rows.examples[i] for i in at], [rows.texts[i] for i in at], rows.stars[at], rows.means[at]
    )


def turns_only(rows: Turns) -> Turns:
    """The rows without the OVERALL lines, which rate a whole dialogue."""
    return kept(rows, np.array([example.target is not None for example in rows.examples]))


def whole_dialogues(way: Way) -> Way:
    """Each dialogue moves into the block in which its first row lies."""
    _, first, of = np.unique(
        [e.group for e in way.rows.examples], return_index=True, return_inverse=True
    )
    return replace(way, fold=way.fold[first][of])


def shuffled(way: Way, seed: int = 0) -> Way:
    """The fault made worse: rows are shuffled before they are cut, so that nearly every dialogue is
    cut."""
    return replace(way, fold=np.random.default_rng(seed).permutation(way.fold))


def _ties(rows: Turns, ties: str) -> Turns:
    ratings = [example.ratings for example in rows.examples]
    if ties == "none":
        return kept(rows, ~labels.tied(ratings))
    return replace(rows, stars=labels.majority(ratings, ties))


SWITCHES: dict[str, Callable[[Turns], Way]] = {
    "as-published": published,
    "turns-only": lambda rows: published(turns_only(rows)),
    "ties-highest": lambda rows: published(_ties(rows, "highest")),
    "ties-dropped": lambda rows: published(_ties(rows, "none")),
    "whole-dialogues": lambda rows: whole_dialogues(published(rows)),
    "shuffled-rows": lambda rows: shuffled(published(rows)),
    "no-copies": lambda rows: replace(published(rows), copies=1),
    "all-off": lambda rows: replace(whole_dialogues(published(turns_only(rows))), copies=1),
}


def _bayes():
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB

    return CountVectorizer(min_df=2), MultinomialNB()


def _logistic():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    return TfidfVectorizer(min_df=5, sublinear_tf=True), LogisticRegression(
        C=1.0, tol=1e-3, max_iter=200
    )


MODELS = {"naive-bayes-words": _bayes, "tfidf-logistic-words": _logistic}


def probabilities(model: str, way: Way) -> np.ndarray:
    """Probabilities [N, 5] of each row, by the model that learned from the other folds."""
    view, learner = MODELS[model]()
    words, classes = view.fit_transform(way.rows.texts), way.rows.stars.astype(int)
    weight = np.where(classes == 3, 1.0, way.copies)
    found = np.zeros((len(classes), 5))
    for k in range(FOLDS):
        test = way.fold == k
        learner.fit(words[~test], classes[~test], sample_weight=weight[~test])
        found[np.ix_(test, learner.classes_ - 1)] = learner.predict_proba(words[test])
    return found


def tables(rows: Turns, predicted: np.ndarray, groups: list[str], draws: int = 1000) -> np.ndarray:
    """Counts [1 + draws, 5, 5] of class and predicted class: of all rows, then of ``draws`` samples
    of dialogues.

    groups: all dialogues to draw from. With the same ones every call draws the same, also where it
    has fewer rows.
    """
    place = {group: i for i, group in enumerate(groups)}
    counts = np.zeros((len(groups), 25))
    cell = 5 * (rows.stars.astype(int) - 1) + predicted.astype(int) - 1
    np.add.at(counts, ([place[example.group] for example in rows.examples], cell), 1.0)
    # These are weights as ``bootstrap.group_weights`` draws them, but by another stream of random
    # numbers, which the intervals of the committed records were made with.
    share = np.full(len(groups), 1 / len(groups))
    drawn = np.random.default_rng(0).multinomial(len(groups), share, size=draws)
    return (bootstrap.with_everyone(drawn) @ counts).reshape(-1, 5, 5)


def kappas(counts: np.ndarray) -> np.ndarray:
    """Cohen's kappa of each table [D, 5, 5]; see ``protocols.kappa``."""
    share = counts / counts.sum(axis=(1, 2), keepdims=True)
    chance = (share.sum(axis=1) * share.sum(axis=2)).sum(axis=1)
    return (np.trace(share, axis1=1, axis2=2) - chance) / (1 - chance)


def f1s(counts: np.ndarray) -> np.ndarray:
    """F1 of "rated below 3" of each table [D, 5, 5]; see ``protocols.f1_dissatisfied``."""
    return (
        2
        * counts[:, :2, :2].sum(axis=(1, 2))
        / (counts[:, :2].sum(axis=(1, 2)) + counts[:, :, :2].sum(axis=(1, 2)))
    )


def run(
    dataset: str, switch: str, model: str, folder: str | Path, data_dir: str = ""
) -> records.RunRecord:
    """The record of one switch (of SWITCHES) and model (of MODELS): read from ``folder`` where it
    is, else made.

    Its profile is "A0-" and the switch. Rows: the published metrics as published, without
    intervals; kappa and F1 with intervals by dialogue; and how far the switch changes these two
    against "as-published" on the same dialogues.
    """
    runtime.one_of("switch", switch, SWITCHES)
    runtime.one_of("model", model, MODELS)
    loaded, rows = uss.load(dataset, True, data_dir)
    way = SWITCHES[switch](rows)
    ids = [[way.rows.examples[i].id for i in np.flatnonzero(way.fold == k)] for k in range(FOLDS)]
    job = {
        "model": model,
        "dataset": dataset,
        "profile": f"A0-{switch}",
        "seed": 0,
        "data_sha256": loaded.sha256,
        "split_sha256": storage.sha256_text(str(ids)),
    }
    parameters = {"copies": way.copies, "folds": FOLDS, "encoder": "none: single words"}
    return record_cache.complete(
        job, parameters, lambda: compared(job, parameters, way, published(rows)), folder
    )


def compared(job: dict, parameters: dict, way: Way, base: Way) -> records.RunRecord:
    """The record of one way against another; it holds no predictions."""
    predicted, before = (
        probabilities(job["model"], one).argmax(axis=1) + 1.0 for one in (way, base)
    )
    groups = sorted({example.group for example in base.rows.examples})
    now, then = tables(way.rows, predicted, groups), tables(base.rows, before, groups)
    found = {
        name: (metric(way.rows.stars, predicted), np.nan, np.nan)
        for name, metric in uss.PUBLISHED.items()
    }
    for name, metric in (("kappa", kappas), ("f1_dissatisfied", f1s)):
        for kind, drawn in ((name, metric(now)), (f"{name}_change", metric(now) - metric(then))):
            found[kind] = bootstrap.estimate(drawn)
    rows = [
        judging.row(job, "test", name, numbers, len(predicted)) for name, numbers in found.items()
    ]
    return records.RunRecord(**job, parameters=parameters, rows=rows)
