"""Protocol B, three classes with the user's words in view (USDA and ASAP); taught with lesson 62.

Training rows are rebuilt (``satlib.data.readers.usda``), the published validation and test rows
used as they are. The classes are 2, 3 and 4 stars. A network's epoch, and the penalty of a
regression on the frozen encoder, are chosen by macro-F1 on the validation rows.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from satlib import record_cache
from satlib.baselines import event_steps, fitting
from satlib.data import agreement, corpora, labels, splits
from satlib.data.interactions import PARTS, Example
from satlib.data.readers import usda as usda_reader
from satlib.evaluation import judging, metrics
from satlib.records import RunRecord
from satlib.reproduction import protocols, text_classifiers
from satlib.reproduction.text_classifiers import Labelled, Settings

VIEWS = ("utterance", "system", "context")


FROZEN = "embeddings-logistic"


class ModelSpec(NamedTuple):
    """A model of the protocol: its classifier ("majority", FROZEN, or one of ``text_classifiers``),
    what it reads (of VIEWS), and whether it gets features of the previous turns (``previous``)."""

    classifier: str
    view: str
    with_previous: bool = False


MODEL_SPECS = {
    "majority": ModelSpec("majority", "utterance"),
    "naive-bayes": ModelSpec("naive-bayes", "utterance"),
    "naive-bayes-system": ModelSpec("naive-bayes", "system"),
    "naive-bayes-context": ModelSpec("naive-bayes", "context"),
    "tfidf-logistic": ModelSpec("tfidf-logistic", "utterance"),
    "tfidf-logistic-context": ModelSpec("tfidf-logistic", "context"),
    "embeddings-logistic": ModelSpec(FROZEN, "utterance"),
    "embeddings-logistic-context": ModelSpec(FROZEN, "context"),
    "bert-utterance": ModelSpec("bert-classes", "utterance"),
    "bert-utterance-previous": ModelSpec("bert-classes", "utterance", with_previous=True),
    "bert-context": ModelSpec("bert-classes", "context"),
    "bert-context-previous": ModelSpec("bert-classes", "context", with_previous=True),
}
WORD_MODELS = tuple(name for name in MODEL_SPECS if name.startswith(("naive-bayes", "tfidf")))
FROZEN_MODELS = tuple(name for name in MODEL_SPECS if name.startswith(FROZEN))
ANNOTATOR = "one-annotator"
TABLE_ORDER = (*MODEL_SPECS, ANNOTATOR)  # of the models in all tables
LENGTHS = {"utterance": 48, "system": 48, "context": 32}  # tokens that the encoder reads
# Epochs of the encoder; a dialogue costs three times as much as a turn.
EPOCHS = {"utterance": 3, "system": 3, "context": 1}
N_FEATURES = 11  # of the previous turns
# What a regression on the frozen encoder is tried with: the inverse of its penalty.
INVERSE_PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


def text(example: Example, view: str) -> str:
    """What a model reads: the user's last words, the system's last words, or the dialogue, the
    user's words last."""
    last_words = "OVERALL" if example.target is None else example.target.text
    if view == "utterance":
        return last_words
    if view == "system":
        answers = [event.text for event in example.events if event.actor == "system"]
        return answers[-1] if answers else ""
    lines = [f"{event.actor}: {event.text}" for event in example.events]
    return " ".join([*lines, f"user: {last_words}"])


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
    turns = [example for example in train if example.target is not None]
    groups = sorted({example.group for example in train})
    fold = {group: number % folds for number, group in enumerate(groups)}
    train_features = np.zeros((len(train), N_FEATURES))
    for k in range(folds):
        inside = [i for i, example in enumerate(train) if fold[example.group] == k]
        rows = [train[i] for i in inside]
        other_turns = [turn for turn in turns if fold[turn.group] != k]
        train_features[inside] = _features(other_turns, rows)
    return train_features, _features(turns, judged)


def _features(turns: Sequence[Example], rows: Sequence[Example]) -> np.ndarray:
    """Features [N, 11] of the rows' earlier turns, by a first model that learns from ``turns``."""
    earlier = [_earlier_words(row) for row in rows]
    different = sorted(set(chain.from_iterable(earlier)))
    place = {words: number for number, words in enumerate(different)}
    if different:
        known = Labelled([turn.target.text for turn in turns], _stars(turns))
        (probabilities,) = text_classifiers.fit("tfidf-logistic", known, different)
    features = np.zeros((len(rows), N_FEATURES))
    for i, row in enumerate(rows):
        by_turn = np.full((1, 3), 1 / 3)  # where nothing was said yet, all classes are as likely
        if earlier[i]:
            at = [place[words] for words in earlier[i]]
            by_turn = probabilities[at, 1:4]  # the classes are 2, 3 and 4 stars of five
        mean = by_turn.mean(axis=0)
        is_overall = float(row.target is None)
        count = np.log1p(len(earlier[i]))
        features[i] = [*mean, *by_turn[-1], is_overall, *is_overall * mean, count]
    return features


def _earlier_words(row: Example) -> list[str]:
    """What the user said before the turn that is judged."""
    return [event.text for event in row.events if event.actor == "user"]


def _stars(examples: Sequence[Example]) -> np.ndarray:
    return np.array([example.rating for example in examples])


def load(dataset: str, data_dir: str = "") -> tuple[corpora.Loaded, dict[str, list[Example]]]:
    """The corpus and its three parts, as published and as rebuilt."""
    loaded = corpora.load(dataset, data_dir=data_dir)
    parts = {part: [] for part in PARTS}
    for example in loaded.examples:
        parts[example.part].append(example)
    return loaded, parts


def fit(
    model: str, parts: dict[str, list[Example]], settings: Settings
) -> tuple[dict[str, np.ndarray], list[dict]]:
    """Probabilities [N, 5] of the validation and the test rows at the best epoch, or by the best
    penalty C of FROZEN, and the macro-F1 of all that were tried."""
    judged = parts["validation"] + parts["test"]
    tried, candidates = _candidates(MODEL_SPECS[model], parts["train"], judged, settings)
    n = len(parts["validation"])
    truth = _stars(parts["validation"])
    scores, curves = [], []
    for setting, probabilities in zip(tried, candidates, strict=True):
        predicted = probabilities[:n].argmax(axis=1) + 1.0
        score = metrics.macro_f1(truth, predicted)
        scores.append(score)
        curves.append(setting | {"validation_macro_f1": round(score, 6)})
    best = candidates[int(np.argmax(scores))]
    return {"validation": best[:n], "test": best[n:]}, curves


def _candidates(
    spec: ModelSpec, train: Sequence[Example], judged: Sequence[Example], settings: Settings
) -> tuple[list[dict], list[np.ndarray]]:
    """What the validation rows choose from: the settings tried, and with each of them the
    probabilities [M, 5] of the judged rows."""
    if spec.classifier == FROZEN:
        tried = [{"C": inverse} for inverse in INVERSE_PENALTIES]
        return tried, _learn_frozen(spec.view, train, judged)
    epochs = _learn(spec, train, judged, settings)
    return [{"epoch": number} for number in range(len(epochs))], epochs


def _learn_frozen(
    view: str, train: Sequence[Example], judged: Sequence[Example]
) -> list[np.ndarray]:
    """Probabilities [M, 5] of the judged rows by logistic regression on the frozen encoder, for
    each of INVERSE_PENALTIES."""
    from sklearn.linear_model import LogisticRegression

    rows = embedded([*train, *judged], view)
    known, unseen = rows[: len(train)], rows[len(train) :]
    found = []
    for inverse in INVERSE_PENALTIES:
        model = LogisticRegression(C=inverse, max_iter=1000)
        predict = fitting.fit_classifier(model, known, _stars(train))
        found.append(predict(unseen)[1])
    return found


def embedded(examples: Sequence[Example], view: str) -> np.ndarray:
    """Frozen embeddings of the user's last words [N, 384]; for the view "context" those of the
    lines before them, on average, beside them [N, 768]. Each different text is embedded once."""
    last_words = [text(example, "utterance") for example in examples]
    earlier = [[event.text for event in example.events] for example in examples]
    if view == "utterance":
        earlier = [[] for _ in examples]
    different = sorted({*last_words, *chain.from_iterable(earlier)})
    vectors = dict(zip(different, event_steps.embed(different), strict=True))
    rows = np.array([vectors[words] for words in last_words])
    if view == "utterance":
        return rows
    means = np.zeros_like(rows)
    for i, lines in enumerate(earlier):
        if lines:
            means[i] = np.mean([vectors[line] for line in lines], axis=0)
    return np.hstack([rows, means])


def _learn(
    spec: ModelSpec, train: Sequence[Example], judged: Sequence[Example], settings: Settings
) -> list[np.ndarray]:
    """Probabilities [M, 5] of the judged rows after every epoch."""
    rows = Labelled([text(example, spec.view) for example in train], _stars(train))
    judged_texts = [text(example, spec.view) for example in judged]
    if spec.classifier == "majority":
        most_frequent = np.bincount(metrics.classes(rows.stars)).argmax()
        return text_classifiers.always(rows, judged_texts, float(most_frequent))
    features = None
    if spec.with_previous:
        train_features, features = previous(train, judged)
        rows = replace(rows, features=train_features)
    settings = for_view(settings, spec.view)
    return text_classifiers.fit(spec.classifier, rows, judged_texts, settings, features)


def for_view(settings: Settings, view: str) -> Settings:
    """The settings with the length and the number of epochs that belong to what a model reads."""
    return replace(settings, max_length=LENGTHS[view], epochs=EPOCHS[view])


def run(
    dataset: str, model: str, settings: Settings, folder: str | Path, data_dir: str = ""
) -> RunRecord:
    """The record of one model under protocol B: read from ``folder`` where it is, else made; saves
    the split too."""
    loaded, parts = load(dataset, data_dir)
    job = _job(loaded, parts, model, settings.seed, folder)
    parameters = protocols.settings_of(for_view(settings, MODEL_SPECS[model].view))

    def make() -> RunRecord:
        by_part, curves = fit(model, parts, settings)
        judged = {}
        for part, probabilities in by_part.items():
            stars = _stars(parts[part])
            judged[part] = judging.from_probabilities(parts[part], stars, probabilities, keep=True)
        chosen = chosen_penalty(curves)
        return judging.record(job, judged, protocols.B.metrics, parameters | chosen, curves)

    return record_cache.complete(job, parameters, make, folder)


def chosen_penalty(curves: Sequence[dict]) -> dict:
    """The penalty that the validation rows chose, and whether it lies at the edge of what was
    tried, as parameters of a record; nothing for a model that has none."""
    best = max(curves, key=lambda curve: curve["validation_macro_f1"])
    if "C" not in best:
        return {}
    tried = [{"C": curve["C"]} for curve in curves]
    return {"C": best["C"], "edge": list(fitting.at_edge({"C": best["C"]}, tried))}


def _job(
    loaded: corpora.Loaded,
    parts: dict[str, list[Example]],
    model: str,
    seed: int,
    folder: str | Path,
) -> dict:
    """The fields that name a record; the split is written beside it."""
    ids = {}
    for part, examples in parts.items():
        ids[part] = [example.id for example in examples]
    judged = parts["validation"] + parts["test"]
    ids["overall"] = [example.id for example in judged if example.target is None]
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
        source = dataset.replace("usda-", "uss-")
        turns = corpora.load(source, data_dir=data_dir, overall=True).examples
        parameters = {"encoder": "none", "verified": {}}
        turn_of = {}
        for part in ("validation", "test"):
            turn_of[part] = usda_reader.aligned(parts[part], turns)
            verified = usda_reader.verified(parts[part], turn_of[part])
            parameters["verified"][part] = verified
        examples, ratings = [], []
        for example in parts["test"]:
            if example.id not in turn_of["test"]:
                continue
            turn, _ = turn_of["test"][example.id]
            if len(turn.ratings) > 1:  # one annotator alone has no others
                examples.append(example)
                ratings.append(turn.ratings)
        parameters["labels"] = _labels_of_a_and_b(ratings)
        judged = {"test": _one_against_others(examples, ratings)}
        return judging.record(job, judged, protocols.B.metrics, parameters)

    return record_cache.complete(job, {}, make, folder)


def _labels_of_a_and_b(ratings: labels.Ratings) -> list[list[int]]:
    """Counts [3, 3] of the class by the majority (row) and by the mean (column)."""
    by_a = labels.three_classes(labels.majority(ratings))
    by_b = labels.three_classes(labels.mean(ratings))
    return np.bincount(3 * by_a + by_b, minlength=9).reshape(3, 3).tolist()


def _one_against_others(examples: Sequence[Example], ratings: labels.Ratings) -> judging.Judged:
    """Each single rating's class as the prediction, that of the others' mean as the truth."""
    rows = []
    for example, its_ratings in zip(examples, ratings, strict=True):
        for number in range(len(its_ratings)):
            id = f"{example.id}/{number}"
            rows.append(judging.RecordedExample(id, example.group, example.domain))
    own, others = agreement.leave_one_out(ratings)
    lowest = usda_reader.CLASS_STARS[0]
    predicted = labels.three_classes(own) + lowest
    truth = labels.three_classes(others) + lowest
    return judging.Judged(rows, truth, predicted, predicted)
