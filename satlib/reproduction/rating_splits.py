"""Protocol D, rating prediction: MovieLens under four splits and with other titles, Amazon with and
without a text.

Taught with lesson 64. ``run`` gives the record of one model under one split of MovieLens,
``run_reviews`` that of one model on each Amazon user's last review. Past-only behaviour features
see every rating before a row in time, whatever its part: a running system would know it. So under
"rows" the features of a training row may hold ratings of test rows.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from satlib import record_cache, records, runtime
from satlib.baselines import behaviour, event_steps, fitting
from satlib.data import corpora, splits
from satlib.data.interactions import Example
from satlib.data.splits import Parts
from satlib.encoding import sequences
from satlib.reproduction import protocols, ratings, regressors
from satlib.reproduction.regressors import Settings

# model -> (what names a film in the text, whether genres stand there, whether behaviour features
# join it)
FROZEN = {
    "frozen-behaviour": ("title", True, True), "frozen-behaviour-anonymous": ("anonymous", True, True),
    "behaviour-ridge": ("", False, True), "text-title-genres": ("title", True, False),
    "text-year-genres": ("year", True, False), "text-anonymous-genres": ("anonymous", True, False),
    "text-title": ("title", False, False), "text-anonymous": ("anonymous", False, False),
    "random-vector": ("random", False, False),
}  # fmt: skip
MODELS = ("mean", "biases", "matrix-factorisation", "trees", "frozen-behaviour", "bert-behaviour")
CONTROLS = tuple(name for name in FROZEN if name not in MODELS)
REVIEWS = ("mean", "earlier-ratings", "tfidf-ridge", "embeddings-ridge", "bert")
DRAWN = (
    "matrix-factorisation",
    "bert-behaviour",
    "bert",
)  # models that another seed makes different
VIEWS = ("with", "without")  # the own review of the product that is rated
READER = Settings(
    epochs=2, batch_size=16, max_length=96, train_rows=0
)  # how the encoder learns from reviews
STARS = re.compile(r"\b(one|two|three|four|five|[1-5]) stars?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Films:
    """MovieLens in memory: the corpus, the past-only features of each row by id, and embeddings
    once they are made."""

    loaded: corpora.Loaded
    past: dict[str, np.ndarray]
    embedded: dict[tuple, dict[str, np.ndarray]] = field(default_factory=dict)


def films(loaded: corpora.Loaded) -> Films:
    """What all models of all splits share, made once."""
    past = behaviour.running(loaded.examples, loaded.scale)
    return Films(loaded, dict(zip((e.id for e in loaded.examples), past, strict=True)))


def anonymous(titles: Iterable[str], years: bool = False, seed: int = 0) -> dict[str, str]:
    """title -> "Film 0371": numbers dealt out by a seeded permutation. years: keep the "(1999)" at
    a title's end."""
    titles = sorted(set(titles))
    numbers = np.random.default_rng(seed).permutation(len(titles)) + 1
    kept = [re.search(r" \(\d{4}\)$", title) if years else None for title in titles]
    return {
        title: f"Film {number:04d}{year.group() if year else ''}"
        for title, number, year in zip(titles, numbers, kept, strict=True)
    }


def film_text(example: Example, names: dict[str, str] | None = None, genres: bool = True) -> str:
    """What is read of a film: its title, or what ``names`` has for it, and its genres."""
    title = example.target.text if names is None else names[example.target.text]
    return ", ".join([title, *(sequences.categories(example.target) if genres else [])])


def embeddings(data: Films, named: str, genres: bool) -> dict[str, np.ndarray]:
    """Title -> frozen embedding [384] of its film's text, named by "title", "year" or "anonymous";
    made once.

    "random" gives each film a vector of chance: it can be learned by heart as well as a title, and
    means nothing.
    """
    if (named, genres) not in data.embedded:
        one = {e.target.text: e for e in sorted(data.loaded.examples, key=lambda e: e.target.text)}
        if named == "random":
            return dict(
                zip(one, np.random.default_rng(0).normal(size=(len(one), 384)), strict=True)
            )
        names = None if named == "title" else anonymous(one, years=named == "year")
        texts = [film_text(e, names, genres) for e in one.values()]
        data.embedded[named, genres] = dict(zip(one, event_steps.embed(texts), strict=True))
    return data.embedded[named, genres]


def crossed(data: Films, parts: Parts) -> dict[str, np.ndarray]:
    """Past-only behaviour features of every part with their products, scaled by the training
    rows."""
    known = {
        part: np.array([data.past[e.id] for e in examples]) for part, examples in parts.items()
    }
    join = behaviour.crossed(known["train"])
    return {part: join.transform(x) for part, x in known.items()}


def dense(model: str, data: Films, parts: Parts) -> dict[str, np.ndarray]:
    """Rows of every part for a model of FROZEN: the film's frozen embedding, behaviour features, or
    both."""
    named, genres, joined = FROZEN[model]
    table = embeddings(data, named, genres) if named else {}
    text = {
        part: [np.array([table[e.target.text] for e in examples], float)] if named else []
        for part, examples in parts.items()
    }
    known = crossed(data, parts) if joined else {}
    return {
        part: np.hstack([*found, *([known[part]] if joined else [])])
        for part, found in text.items()
    }


def fit(
    model: str, data: Films, parts: Parts, settings: Settings
) -> tuple[dict[str, np.ndarray], dict, list[dict]]:
    """Ratings of the judged parts, what was chosen on validation rows, and curves, of a model of
    MODELS or CONTROLS."""
    runtime.one_of("model", model, (*MODELS, *CONTROLS))
    truth, scale = _truth(parts), data.loaded.scale
    if model in FROZEN:
        found, penalty = regressors.ridge(dense(model, data, parts), truth, scale)
        return found, {"penalty": penalty}, []
    if model == "bert-behaviour":
        texts = {part: [film_text(e) for e in examples] for part, examples in parts.items()}
        found, curves = regressors.finetune(texts, truth, scale, settings, crossed(data, parts))
        return found, {}, curves
    made = fitting.fit_predict(model, data.loaded, parts, settings.seed)
    return made.predictions, made.settings, []


def run(
    split: str, model: str, settings: Settings, folder: str | Path, data: Films
) -> records.RunRecord:
    """The record of one model on MovieLens under one split: read from ``folder`` where it is, else
    made."""
    parts = ratings.cut(data.loaded.examples, split)
    about = ratings.job(f"movielens-{split}", model, settings.seed, data.loaded, parts, folder)
    asked = _asked(model, settings, parts)

    def make() -> records.RunRecord:
        found, chosen, curves = fit(model, data, parts, settings)
        columns = ratings.seen(parts) if model == "mean" else {}
        return ratings.judge(about, parts, found, asked | chosen, curves, columns)

    return record_cache.complete(about, asked, make, folder)


def earlier(example: Example) -> list[float]:
    """What the user gave before: mean, last and lowest rating of the history, in stars."""
    given = [event.value for event in example.events]
    return [sum(given) / len(given), given[-1], min(given)]


def fit_reviews(
    model: str, loaded: corpora.Loaded, parts: Parts, settings: Settings
) -> tuple[dict[str, np.ndarray], dict, list[dict]]:
    """The same as ``fit`` of a model of REVIEWS, which reads what the corpus was loaded with."""
    runtime.one_of("model", model, REVIEWS)
    if model == "bert":
        texts = {part: sequences.texts(examples) for part, examples in parts.items()}
        found, curves = regressors.finetune(texts, _truth(parts), loaded.scale, settings)
        return found, {}, curves
    if model == "earlier-ratings":
        rows = {part: np.array([earlier(e) for e in examples]) for part, examples in parts.items()}
        found, penalty = regressors.ridge(rows, _truth(parts), loaded.scale)
        return found, {"penalty": penalty}, []
    made = fitting.fit_predict(model, loaded, parts, settings.seed)
    return made.predictions, made.settings, []


def run_reviews(
    view: str, model: str, settings: Settings, folder: str | Path, data_dir: str = ""
) -> records.RunRecord:
    """The record of one model on the last review of each Amazon user, "with" or "without" its own
    text."""
    runtime.one_of("view", view, VIEWS)
    loaded = corpora.load("amazon-reviews-2023", data_dir=data_dir, own_review=view == "with")
    parts = splits.of(loaded)
    about = ratings.job(f"amazon-{view}-review", model, settings.seed, loaded, parts, folder)
    asked = _asked(model, settings, parts)

    def make() -> records.RunRecord:
        found, chosen, curves = fit_reviews(model, loaded, parts, settings)
        said = [len(STARS.findall(e.target.comment)) > 0 for e in parts["test"]]
        return ratings.judge(
            about, parts, found, asked | chosen | {"name_stars": sum(said)}, curves
        )

    return record_cache.complete(about, asked, make, folder)


def _asked(model: str, settings: Settings, parts: Parts) -> dict:
    """The parameters that a record must agree with; a model that reads nothing by the encoder has
    none."""
    rows = len(parts["train"])
    if model.startswith("bert"):
        return protocols.settings_of(settings) | {
            "train_rows": min(settings.train_rows or rows, rows)
        }
    reads = model.startswith("embeddings") or FROZEN.get(model, ("",))[0] not in ("", "random")
    return {"encoder": protocols.ENCODER if reads else "none", "train_rows": rows}


def _truth(parts: Parts) -> dict[str, np.ndarray]:
    return {part: np.array([e.rating for e in examples]) for part, examples in parts.items()}
