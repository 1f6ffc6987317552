"""Protocol D, rating prediction: MovieLens under four splits and with other titles, Amazon with and
without a text.

Taught with lesson 64. ``run`` gives the record of one model under one split of MovieLens,
``run_reviews`` that of one model on Amazon users' last reviews. Past-only behaviour features
see every rating before a row in time, whatever its part: a running system would know it. So under
"rows" the features of a training row may hold ratings of test rows.
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from satlib import record_cache, records, runtime
from satlib.baselines import behaviour, event_steps, fitting
from satlib.data import corpora, splits
from satlib.data.interactions import Example
from satlib.data.splits import Parts
from satlib.encoding import sequences
from satlib.reproduction import protocols, rating_updates, ratings, regressors
from satlib.reproduction.regressors import Settings


class RidgeSpec(NamedTuple):
    """A ridge on dense rows: what stands for a film in them, and what joins it.

    named: how the text names a film ("title", "year", "anonymous"), "random" for a vector of
    chance, "" for no film. genres: whether they stand in the text. behaviour: whether the features
    of the past join.
    """

    named: str
    genres: bool
    behaviour: bool


RIDGES = {
    "frozen-behaviour": RidgeSpec("title", genres=True, behaviour=True),
    "frozen-behaviour-anonymous": RidgeSpec("anonymous", genres=True, behaviour=True),
    "behaviour-ridge": RidgeSpec("", genres=False, behaviour=True),
    "text-title-genres": RidgeSpec("title", genres=True, behaviour=False),
    "text-year-genres": RidgeSpec("year", genres=True, behaviour=False),
    "text-anonymous-genres": RidgeSpec("anonymous", genres=True, behaviour=False),
    "text-title": RidgeSpec("title", genres=False, behaviour=False),
    "text-anonymous": RidgeSpec("anonymous", genres=False, behaviour=False),
    "random-vector": RidgeSpec("random", genres=False, behaviour=False),
}
FILM_MODELS = (
    "mean",
    "biases",
    rating_updates.ONLINE,
    "matrix-factorisation",
    rating_updates.STATIC,
    "trees",
    "frozen-behaviour",
    "bert-behaviour",
)
CONTROLS = tuple(name for name in RIDGES if name not in FILM_MODELS)
REVIEW_MODELS = ("mean", "earlier-ratings", "tfidf-ridge", "embeddings-ridge", "bert")
SEEDED = ("matrix-factorisation", "bert-behaviour", "bert")  # models that a seed makes different
VIEWS = ("with", "without")  # the own review of the product that is rated
# How the encoder learns from reviews.
REVIEW_SETTINGS = Settings(epochs=2, batch_size=16, max_length=96, train_rows=0)
# Models whose settings were chosen on a grid of lesson 32 -> the baseline that has it.
_GRIDS = {name: name for name in fitting.NAMES} | {
    rating_updates.ONLINE: "biases",
    rating_updates.STATIC: "trees",
    rating_updates.BY_MOMENT: "trees",
}
_PENALTIES = tuple({"penalty": penalty} for penalty in regressors.PENALTIES)
STARS_IN_WORDS = re.compile(r"\b(one|two|three|four|five|[1-5]) stars?\b", re.IGNORECASE)
WIDTH = 384  # of an embedding

Fitted = tuple[dict[str, np.ndarray], dict, list[dict]]  # ratings by part, what was chosen, curves


@dataclass(frozen=True)
class Films:
    """MovieLens in memory: the corpus, the past-only features of each row by id, and embeddings
    once they are made."""

    loaded: corpora.Loaded
    past: dict[str, np.ndarray]
    embedded: dict[tuple, dict[str, np.ndarray]] = field(default_factory=dict)


def films(loaded: corpora.Loaded) -> Films:
    """What all models of all splits share, made once."""
    features = behaviour.running(loaded.examples, loaded.scale)
    ids = [example.id for example in loaded.examples]
    return Films(loaded, dict(zip(ids, features, strict=True)))


def anonymous(titles: Iterable[str], years: bool = False, seed: int = 0) -> dict[str, str]:
    """title -> "Film 0371": numbers dealt out by a seeded permutation. years: keep the "(1999)" at
    a title's end."""
    titles = sorted(set(titles))
    numbers = np.random.default_rng(seed).permutation(len(titles)) + 1
    names = {}
    for title, number in zip(titles, numbers, strict=True):
        names[title] = f"Film {number:04d}"
        year = re.search(r" \(\d{4}\)$", title)
        if years and year:
            names[title] += year.group()
    return names


def film_text(example: Example, names: dict[str, str] | None = None, genres: bool = True) -> str:
    """What is read of a film: its title, or what ``names`` has for it, and its genres."""
    title = example.target.text
    words = [title if names is None else names[title]]
    if genres:
        words += sequences.categories(example.target)
    return ", ".join(words)


def embeddings(data: Films, named: str, genres: bool) -> dict[str, np.ndarray]:
    """Title -> frozen embedding [384] of its film's text, named by "title", "year" or "anonymous";
    made once.

    "random" gives each film a vector of chance: it can be learned by heart as well as a title, and
    means nothing.
    """
    if (named, genres) in data.embedded:
        return data.embedded[named, genres]
    in_order = sorted(data.loaded.examples, key=lambda example: example.target.text)
    film = {example.target.text: example for example in in_order}
    if named == "random":
        vectors = np.random.default_rng(0).normal(size=(len(film), WIDTH))
        return dict(zip(film, vectors, strict=True))
    names = None
    if named != "title":
        names = anonymous(film, years=named == "year")
    texts = [film_text(example, names, genres) for example in film.values()]
    data.embedded[named, genres] = dict(zip(film, event_steps.embed(texts), strict=True))
    return data.embedded[named, genres]


def crossed(data: Films, parts: Parts) -> dict[str, np.ndarray]:
    """Past-only behaviour features of every part with their products, scaled by the training
    rows."""
    features = {}
    for part, examples in parts.items():
        features[part] = np.array([data.past[example.id] for example in examples])
    scaler = behaviour.crossed(features["train"])
    return {part: scaler.transform(rows) for part, rows in features.items()}


def dense(model: str, data: Films, parts: Parts) -> dict[str, np.ndarray]:
    """Rows of every part for a model of RIDGES: the film's frozen embedding, behaviour features, or
    both."""
    spec = RIDGES[model]
    blocks = {part: [] for part in parts}
    if spec.named:
        vectors = embeddings(data, spec.named, spec.genres)
        for part, examples in parts.items():
            of_films = [vectors[example.target.text] for example in examples]
            blocks[part].append(np.array(of_films, float))
    if spec.behaviour:
        for part, features in crossed(data, parts).items():
            blocks[part].append(features)
    return {part: np.hstack(side_by_side) for part, side_by_side in blocks.items()}


def fit(model: str, data: Films, parts: Parts, settings: Settings) -> Fitted:
    """Ratings of the judged parts, what was chosen on validation rows, and curves, of a model of
    FILM_MODELS, of CONTROLS or of ``rating_updates``."""
    runtime.one_of("model", model, (*FILM_MODELS, *CONTROLS, rating_updates.BY_MOMENT))
    truth = _truth(parts)
    scale = data.loaded.scale
    if model in RIDGES:
        predicted, penalty = regressors.ridge(dense(model, data, parts), truth, scale)
        return predicted, _chosen_penalty(penalty), []
    if model in rating_updates.MODELS:
        predicted, chosen = rating_updates.MODELS[model](
            data.loaded.examples, parts, scale, settings.seed
        )
        return predicted, chosen, []
    if model == "bert-behaviour":
        texts = {}
        for part, examples in parts.items():
            texts[part] = [film_text(example) for example in examples]
        features = crossed(data, parts)
        predicted, curves = regressors.encoder(texts, truth, scale, settings, features)
        return predicted, {}, curves
    fitted = fitting.fit_predict(model, data.loaded, parts, settings.seed)
    return fitted.predictions, fitted.settings | {"edge": list(fitted.edge)}, []


def splits_of(model: str) -> list[str]:
    """The splits that a model of FILM_MODELS is run under.

    Random rows are cut at no moment, so there is none at which features could stop: the one model
    with such features has no place there.
    """
    return [split for split in ratings.SPLITS if model != rating_updates.STATIC or split != "rows"]


def edges(record: records.RunRecord) -> list[str]:
    """The chosen settings of a model that are the smallest or the largest of those tried.

    Older records do not name them; the grids of today do.
    """
    if "edge" in record.parameters:
        return record.parameters["edge"]
    tried = _PENALTIES
    if record.model in _GRIDS:
        tried = fitting.BASELINES[_GRIDS[record.model]].tried
    names = {name for settings in tried for name in settings}
    chosen = {name: record.parameters[name] for name in names if name in record.parameters}
    return sorted(fitting.at_edge(chosen, tried))


def _chosen_penalty(penalty: float) -> dict:
    """The penalty of a ridge as parameters of a record, with "penalty" as the edge where it is
    one."""
    chosen = {"penalty": penalty}
    return chosen | {"edge": list(fitting.at_edge(chosen, _PENALTIES))}


def run(
    split: str, model: str, settings: Settings, folder: str | Path, data: Films
) -> records.RunRecord:
    """The record of one model on MovieLens under one split: read from ``folder`` where it is, else
    made."""
    parts = ratings.cut(data.loaded.examples, split)
    dataset = f"movielens-{split}"
    job = ratings.job_of(dataset, model, settings.seed, data.loaded, parts, folder)
    parameters = _parameters(model, settings, parts)

    def make() -> records.RunRecord:
        begun = time.perf_counter()
        predicted, chosen, curves = fit(model, data, parts, settings)
        seconds = time.perf_counter() - begun
        # The mean's record alone says how well each test row was known: one place is enough.
        columns = ratings.seen(parts) if model == "mean" else {}
        chosen |= parameters
        return ratings.judge(job, parts, predicted, chosen, curves, columns, seconds)

    return record_cache.complete(job, parameters, make, folder)


def earlier(example: Example) -> list[float]:
    """What the user gave before: mean, last and lowest rating of the history, in stars."""
    stars = [event.value for event in example.events]
    return [sum(stars) / len(stars), stars[-1], min(stars)]


def fit_reviews(model: str, loaded: corpora.Loaded, parts: Parts, settings: Settings) -> Fitted:
    """The same as ``fit`` of a model of REVIEW_MODELS, which reads what the corpus was loaded
    with."""
    runtime.one_of("model", model, REVIEW_MODELS)
    truth = _truth(parts)
    if model == "bert":
        texts = {part: sequences.texts(examples) for part, examples in parts.items()}
        predicted, curves = regressors.encoder(texts, truth, loaded.scale, settings)
        return predicted, {}, curves
    if model == "earlier-ratings":
        rows = {}
        for part, examples in parts.items():
            rows[part] = np.array([earlier(example) for example in examples])
        predicted, penalty = regressors.ridge(rows, truth, loaded.scale)
        return predicted, _chosen_penalty(penalty), []
    fitted = fitting.fit_predict(model, loaded, parts, settings.seed)
    return fitted.predictions, fitted.settings | {"edge": list(fitted.edge)}, []


def run_reviews(
    view: str, model: str, settings: Settings, folder: str | Path, data_dir: str = ""
) -> records.RunRecord:
    """The record of one model on the last review of each Amazon user in a category, "with" or
    "without" its own text. A user of several categories has several rows, all in one part."""
    runtime.one_of("view", view, VIEWS)
    loaded = corpora.load("amazon-reviews-2023", data_dir=data_dir, own_review=view == "with")
    parts = splits.split_corpus(loaded)
    dataset = f"amazon-{view}-review"
    job = ratings.job_of(dataset, model, settings.seed, loaded, parts, folder)
    parameters = _parameters(model, settings, parts)

    def make() -> records.RunRecord:
        begun = time.perf_counter()
        predicted, chosen, curves = fit_reviews(model, loaded, parts, settings)
        seconds = time.perf_counter() - begun
        counted = {"name_stars": count_stars_in_words(parts["test"])}
        if model == "mean":
            counted["users"] = count_users(parts)
        chosen |= parameters | counted
        return ratings.judge(job, parts, predicted, chosen, curves, seconds=seconds)

    return record_cache.complete(job, parameters, make, folder)


def count_stars_in_words(examples: Iterable[Example]) -> int:
    """How many reviews name a number of stars in words or digits."""
    reviews = [example.target.comment for example in examples]
    return sum(1 for review in reviews if STARS_IN_WORDS.search(review))


def count_users(parts: Parts) -> dict[str, int]:
    """Part -> how many different users its rows are of."""
    return {part: len({example.group for example in rows}) for part, rows in parts.items()}


def _parameters(model: str, settings: Settings, parts: Parts) -> dict:
    """The parameters that a record must agree with; a model that reads nothing by the encoder has
    none."""
    rows = len(parts["train"])
    if model.startswith("bert"):
        learned = min(settings.train_rows, rows) if settings.train_rows else rows
        return protocols.settings_of(settings) | {"train_rows": learned}
    reads_text = model.startswith("embeddings")
    if model in RIDGES:
        reads_text = RIDGES[model].named not in ("", "random")
    return {"encoder": protocols.ENCODER if reads_text else "none", "train_rows": rows}


def _truth(parts: Parts) -> dict[str, np.ndarray]:
    truth = {}
    for part, examples in parts.items():
        truth[part] = np.array([example.rating for example in examples])
    return truth
