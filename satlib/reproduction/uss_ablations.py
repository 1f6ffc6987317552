"""Protocol A0 with one of its faults switched off or on at a time: what each of them does to the
numbers.

Taught with lesson 61. Two quick models serve: both count the single words of the dialogue before
the user speaks. All words are counted once, in all rows, and copies of a row are weights, so that a
whole ablation takes about a minute. A third model learns nothing: it looks texts up in the training
rows, and so tells what a split gives away.
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
    sizes = [len(block) for block in blocks]
    return Way(rows, np.repeat(np.arange(FOLDS), sizes))


def kept(rows: Turns, which: np.ndarray) -> Turns:
    """The rows where ``which`` [N] is true."""
    return taken(rows, np.flatnonzero(which))


def taken(rows: Turns, at: np.ndarray) -> Turns:
    """The rows with these numbers, as often as each is named."""
    examples = [rows.examples[i] for i in at]
    texts = [rows.texts[i] for i in at]
    return Turns(examples, texts, rows.stars[at], rows.means[at])


def turns_only(rows: Turns) -> Turns:
    """The rows without the OVERALL lines, which rate a whole dialogue."""
    return kept(rows, np.array([example.target is not None for example in rows.examples]))


def whole_dialogues(way: Way) -> Way:
    """Each dialogue moves into the block in which its first row lies."""
    groups = [example.group for example in way.rows.examples]
    _, first_row, dialogue = np.unique(groups, return_index=True, return_inverse=True)
    return replace(way, fold=way.fold[first_row][dialogue])


def shuffled(way: Way, seed: int = 0) -> Way:
    """The fault made worse: rows are shuffled before they are cut, so that nearly every dialogue is
    cut."""
    return replace(way, fold=np.random.default_rng(seed).permutation(way.fold))


def copied_then_shuffled(rows: Turns) -> Way:
    """What later work did: rows not rated 3 are copied first, and then all rows, copies among them,
    are shuffled and cut. So the copies of a row lie on both sides of the cut.

    Source: the code that came with Kim and Lipani, SIGIR 2022.
    """
    numbers = np.arange(len(rows.examples))
    copied = taken(rows, uss_faults.upsample(numbers, rows.stars))
    return shuffled(replace(published(copied), copies=1))


def with_ties(rows: Turns, ties: str) -> Turns:
    """The rows with the "highest" of the most frequent ratings as their class, or with "none": tied
    rows left out."""
    ratings = [example.ratings for example in rows.examples]
    if ties == "none":
        return kept(rows, ~labels.tied(ratings))
    return replace(rows, stars=labels.majority(ratings, ties))


def all_off(rows: Turns) -> Way:
    """Turns only, whole dialogues, no copies."""
    return replace(whole_dialogues(published(turns_only(rows))), copies=1)


SWITCHES: dict[str, Callable[[Turns], Way]] = {
    "as-published": published,
    "turns-only": lambda rows: published(turns_only(rows)),
    "ties-highest": lambda rows: published(with_ties(rows, "highest")),
    "ties-dropped": lambda rows: published(with_ties(rows, "none")),
    "whole-dialogues": lambda rows: whole_dialogues(published(rows)),
    "shuffled-rows": lambda rows: shuffled(published(rows)),
    "copied-then-shuffled": copied_then_shuffled,
    "no-copies": lambda rows: replace(published(rows), copies=1),
    "all-off": all_off,
}


def _bayes():
    """Naive Bayes on counts of words: what makes the columns, and what learns from them."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB

    return CountVectorizer(min_df=2), MultinomialNB()


def _logistic():
    """Logistic regression on TF-IDF weights of words: what makes the columns, and what learns from
    them."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    weigh = TfidfVectorizer(min_df=5, sublinear_tf=True)
    return weigh, LogisticRegression(C=1.0, tol=1e-3, max_iter=200)


WORD_MODELS = {"naive-bayes-words": _bayes, "tfidf-logistic-words": _logistic}
LOOK_UP = "look-up"
MODELS = (*WORD_MODELS, LOOK_UP)
# The switches that the look-up is run under: two that cut no text or hardly any from its double,
# and the one that does.
LOOKED_UP = ("whole-dialogues", "shuffled-rows", "copied-then-shuffled")


def probabilities(model: str, way: Way) -> np.ndarray:
    """Probabilities [N, 5] of each row, by the word model that learned from the other folds."""
    vectoriser, learner = WORD_MODELS[model]()
    words = vectoriser.fit_transform(way.rows.texts)
    classes = way.rows.stars.astype(int)
    weight = np.where(classes == 3, 1.0, way.copies)
    by_class = np.zeros((len(classes), 5))
    for k in range(FOLDS):
        test = way.fold == k
        learner.fit(words[~test], classes[~test], sample_weight=weight[~test])
        columns = learner.classes_ - 1
        by_class[np.ix_(test, columns)] = learner.predict_proba(words[test])
    return by_class


def looked_up(way: Way) -> np.ndarray:
    """Classes [N] of each row, looked up in the texts of the other folds."""
    texts = np.array(way.rows.texts, dtype=object)
    stars = way.rows.stars
    found = np.zeros(len(texts))
    for k in range(FOLDS):
        test = way.fold == k
        train = uss_faults.upsample(np.flatnonzero(~test), stars, way.copies)
        found[test] = uss_faults.look_up(texts[train], stars[train], texts[test])
    return found


def predict(model: str, way: Way) -> np.ndarray:
    """Classes [N] of each row in stars, by the model that learned from the other folds."""
    if model == LOOK_UP:
        return looked_up(way)
    return probabilities(model, way).argmax(axis=1) + 1.0


def tables(rows: Turns, predicted: np.ndarray, groups: list[str], draws: int = 1000) -> np.ndarray:
    """Counts [1 + draws, 5, 5] of class and predicted class: of all rows, then of ``draws`` samples
    of dialogues.

    groups: all dialogues to draw from. With the same ones every call draws the same, also where it
    has fewer rows.
    """
    number = {group: i for i, group in enumerate(groups)}
    dialogue = [number[example.group] for example in rows.examples]
    # The cells of a table are numbered row by row, 0 to 24; each dialogue has a table of its own.
    cell = 5 * (rows.stars.astype(int) - 1) + predicted.astype(int) - 1
    counts = np.zeros((len(groups), 25))
    np.add.at(counts, (dialogue, cell), 1.0)
    # These are weights as ``bootstrap.group_weights`` draws them, but by another stream of random
    # numbers, which the intervals of the committed records were made with.
    share = np.full(len(groups), 1 / len(groups))
    drawn = np.random.default_rng(0).multinomial(len(groups), share, size=draws)
    return (bootstrap.with_everyone(drawn) @ counts).reshape(-1, 5, 5)


def kappas(counts: np.ndarray) -> np.ndarray:
    """Cohen's kappa of each table [D, 5, 5]; see ``metrics.kappa``."""
    share = counts / counts.sum(axis=(1, 2), keepdims=True)
    observed = np.trace(share, axis1=1, axis2=2)
    chance = (share.sum(axis=1) * share.sum(axis=2)).sum(axis=1)
    return (observed - chance) / (1 - chance)


def f1s(counts: np.ndarray) -> np.ndarray:
    """F1 of "rated below 3" of each table [D, 5, 5]; see ``metrics.f1_dissatisfied``."""
    hits = counts[:, :2, :2].sum(axis=(1, 2))
    low = counts[:, :2].sum(axis=(1, 2))
    predicted_low = counts[:, :, :2].sum(axis=(1, 2))
    return 2 * hits / (low + predicted_low)


COUNTED = {"kappa": kappas, "f1_dissatisfied": f1s}  # metric -> its values [D] of tables [D, 5, 5]


def run(
    dataset: str, switch: str, model: str, folder: str | Path, data_dir: str = ""
) -> records.RunRecord:
    """The record of one switch (of SWITCHES) and model (of MODELS): read from ``folder`` where it
    is, else made.

    Its profile is "A0-" and the switch. Rows: the published metrics as published, without
    intervals; kappa and F1 with intervals by dialogue; and how far the switch changes these two
    against "as-published" on the same dialogues. The look-up, which the README quotes, keeps what
    it said of each row too.
    """
    runtime.one_of("switch", switch, SWITCHES)
    runtime.one_of("model", model, MODELS)
    loaded, rows = uss.load(dataset, True, data_dir)
    way = SWITCHES[switch](rows)
    ids_by_fold = []
    for k in range(FOLDS):
        at = np.flatnonzero(way.fold == k)
        ids_by_fold.append([way.rows.examples[i].id for i in at])
    job = {
        "model": model,
        "dataset": dataset,
        "profile": f"A0-{switch}",
        "seed": 0,
        "data_sha256": loaded.sha256,
        "split_sha256": storage.sha256_text(str(ids_by_fold)),
    }
    encoder = "none" if model == LOOK_UP else "none: single words"
    parameters = {"copies": way.copies, "folds": FOLDS, "encoder": encoder}

    def make() -> records.RunRecord:
        rows_of_metrics = compared(job, way, published(rows))
        made = records.RunRecord(**job, parameters=parameters, rows=rows_of_metrics)
        if model == LOOK_UP:
            said = judging.Judged(way.rows.examples, way.rows.stars, looked_up(way))
            made.predictions["test"] = judging.columns(said, domains=False)
        return made

    return record_cache.complete(job, parameters, make, folder)


def compared(job: dict, way: Way, base: Way) -> list[dict]:
    """The metric rows of one way, and of its change against another."""
    predicted = predict(job["model"], way)
    predicted_before = predict(job["model"], base)
    numbers = {}
    for name, metric in uss.PUBLISHED_METRICS.items():
        numbers[name] = (metric(way.rows.stars, predicted), np.nan, np.nan)
    groups = sorted({example.group for example in base.rows.examples})
    counts = tables(way.rows, predicted, groups)
    counts_before = tables(base.rows, predicted_before, groups)
    for name, metric in COUNTED.items():
        values = metric(counts)
        # Both drew the same dialogues, so the change of each sample is its own.
        change = values - metric(counts_before)
        numbers[name] = bootstrap.estimate(values)
        numbers[f"{name}_change"] = bootstrap.estimate(change)
    n = len(predicted)
    return [judging.row(job, "test", name, three, n) for name, three in numbers.items()]
