"""What a fine-tuned model has to beat: fourteen baselines, each of which one function fits and
scores on any corpus.

A baseline is what it sees of the examples (``inputs``) and a learner of numbers. The learners are
scikit-learn's, or the short ones here, in ``ridges`` and in ``networks``. None looks at a test
rating: settings, and the epochs of a network, are chosen on validation rows, as a fine-tuned model
chooses its best epoch. Where the best value of a setting is the smallest or the largest that was
tried, a further one may be better: such settings are named beside the chosen ones.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from satlib import runtime
from satlib.baselines import networks, ridges
from satlib.baselines.inputs import Pairs, Parts, Views
from satlib.data import splits
from satlib.data.corpora import Loaded
from satlib.evaluation import metrics

# Penalties of a ridge, a factor of sqrt(10) apart.
ALPHAS = tuple(np.logspace(-1, 3, 9).round(4).tolist())
SHARES = ("last", "embedded")  # the settings that are shares
LAST = (0.0, 0.1, 0.5, 0.9, 1.0)  # shares of what came last
EMBEDDED = (0.5, 0.75, 0.9)  # shares of embeddings beside characters

# Settings beside those tried, and a function from rows to ratings [N], or to ratings and
# probabilities [N, 5].
Candidate = tuple[dict, Callable]


@dataclass(frozen=True)
class Fitted:
    """part -> predicted ratings [N], on the scale; part -> probabilities [N, 5] of the ratings
    1..5, of classifiers; the settings chosen, and the names of those at the edge of what was
    tried; how long it took to make what the baseline sees, to fit and to predict."""

    predictions: dict[str, np.ndarray]
    distribution: dict[str, np.ndarray] | None
    settings: dict
    edge: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Baseline:
    """What it sees (names in ``inputs.INPUTS``), its learner, and the settings tried; the first
    wins a tie. The learner of a baseline that sees one view takes its rows, that of several takes
    a list of them."""

    sees: tuple[str, ...]
    learn: Callable[..., Iterator[Candidate]]
    tried: tuple[dict, ...] = ({},)


def mean(rows, ratings, seed=0) -> Iterator[Candidate]:
    """The mean training rating for every row."""
    yield {}, lambda rows: np.full(len(rows), ratings.mean())


def majority(rows, ratings, seed=0) -> Iterator[Candidate]:
    """The most frequent class of the training ratings, the lowest of several, for every row."""
    counts = np.bincount(metrics.classes(ratings))
    most_frequent = float(counts.argmax())
    yield {}, lambda rows: np.full(len(rows), most_frequent)


def biases(rows: Pairs, ratings, seed=0, damping: float = 5.0) -> Iterator[Candidate]:
    """The mean, plus how far an item is rated above it, plus how far a user rates above both; both
    damped.

    A bias is a sum of residuals over their number plus ``damping``; the unknown have none. Of
    several items judged together the mean bias counts. Source: Koren, Factor in the neighbors, ACM
    TKDD 4(1), 2010, section 2.1.
    """
    average = ratings.mean()
    items_of_a_row = rows.items.shape[1]
    above_average = ratings - average
    of_item = _damped(np.repeat(above_average, items_of_a_row), rows.items.ravel(), damping)
    of_user = _damped(above_average - _mean_bias(of_item, rows.items), rows.users, damping)

    def predict(rows: Pairs) -> np.ndarray:
        return average + _mean_bias(of_item, rows.items) + of_user[rows.users]

    yield {}, predict


def _damped(values: np.ndarray, owners: np.ndarray, damping: float) -> np.ndarray:
    """The damped mean of each owner's values, by its number; 0 for number 0, which is nobody."""
    means = np.bincount(owners, values) / (np.bincount(owners) + damping)
    means[0] = 0
    return means


def _mean_bias(biases: np.ndarray, items: np.ndarray) -> np.ndarray:
    """The mean bias [N] of the items that a row judges together, [N, most items of a row]."""
    judged = (items > 0).sum(axis=1)
    return biases[items].sum(axis=1) / np.maximum(judged, 1)


def trees(
    rows, ratings, seed=0, max_iter: int = 100, max_leaf_nodes: int = 8
) -> Iterator[Candidate]:
    """Gradient-boosted trees on dense rows [N, D]."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        learning_rate=0.05,
        max_iter=max_iter,
        max_leaf_nodes=max_leaf_nodes,
        early_stopping=False,
        random_state=seed,
    )
    yield {}, model.fit(rows, ratings).predict


def logistic(rows, ratings, seed=0, C: float = 1.0) -> Iterator[Candidate]:
    """Logistic regression over the classes 1..5; C is the inverse of the penalty."""
    from sklearn.linear_model import LogisticRegression

    yield {}, fit_classifier(LogisticRegression(C=C, max_iter=1000), rows, ratings)


def bayes(rows, ratings, seed=0, alpha: float = 1.0) -> Iterator[Candidate]:
    """Multinomial naive Bayes over the classes 1..5; alpha counts are added to every word."""
    from sklearn.naive_bayes import MultinomialNB

    yield {}, fit_classifier(MultinomialNB(alpha=alpha), rows, ratings)


def fit_classifier(classifier, rows, ratings) -> Callable:
    """Fit a scikit-learn classifier; return a function that gives expected ratings [N] and
    probabilities [N, 5] of rows.

    A class stands for the mean of the training ratings in it: for itself on a scale of whole stars,
    for a little less where half stars were rounded up to it.
    """
    from sklearn.dummy import DummyClassifier

    classes = metrics.classes(ratings)
    seen = np.unique(classes)
    worth = np.array([ratings[classes == k].mean() for k in seen])
    # A classifier of scikit-learn refuses a single class.
    model = classifier if len(seen) > 1 else DummyClassifier()
    model.fit(rows, classes)

    def predict(rows) -> tuple[np.ndarray, np.ndarray]:
        probabilities = np.zeros((rows.shape[0], metrics.N_CLASSES))
        probabilities[:, seen - 1] = model.predict_proba(rows)
        return probabilities[:, seen - 1] @ worth, probabilities

    return predict


def _grid(**values: Iterable) -> tuple[dict, ...]:
    """Settings that try every combination of the values of several parameters."""
    combinations = itertools.product(*values.values())
    return tuple(dict(zip(values, chosen, strict=True)) for chosen in combinations)


# The strongest damping or penalty stands first: of equal scores it wins.
_ITEM_DAMPING = _grid(damping=(100.0, 50.0, 20.0, 10.0, 5.0, 2.0))
_FACTOR_DAMPING = _grid(damping=(0.2, 0.1, 0.05))
_TREES = _grid(max_iter=(30, 100, 300, 1000), max_leaf_nodes=(4, 8, 31))
_ADDED_COUNTS = _grid(alpha=(100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1))
_INVERSE_PENALTIES = _grid(C=(0.1, 0.3, 1.0, 3.0, 10.0))
_PENALTIES = _grid(alpha=ALPHAS[::-1])
# Where a row has length 1, the best penalty is never far from 1.
_NEAR_ONE = ALPHAS[5:0:-1]
_OF_LAST = _grid(alpha=_NEAR_ONE, last=LAST)
_OF_BOTH = _grid(alpha=_NEAR_ONE, last=LAST, embedded=EMBEDDED)

BASELINES: dict[str, Baseline] = {  # in the order of tables and figures
    "mean": Baseline(("nothing",), mean),
    "majority": Baseline(("nothing",), majority),
    "biases": Baseline(("who and what",), biases, _ITEM_DAMPING),
    "matrix-factorisation": Baseline(("who and what",), networks.factorise, _FACTOR_DAMPING),
    "trees": Baseline(("behaviour",), trees, _TREES),
    "naive-bayes": Baseline(("word counts",), bayes, _ADDED_COUNTS),
    "tfidf-logistic": Baseline(("words",), logistic, _INVERSE_PENALTIES),
    "tfidf-ridge": Baseline(("words",), ridges.ridge, _PENALTIES),
    "chars-ridge": Baseline(("characters",), ridges.on_characters, _OF_LAST),
    "onehot-linear": Baseline(("items",), ridges.ridge, _PENALTIES),
    "embeddings-ridge": Baseline(("sentences",), ridges.on_sentences, _PENALTIES),
    "steps-ridge": Baseline(("sentences",), ridges.on_steps, _OF_LAST),
    "chars-steps-ridge": Baseline(("characters", "sentences"), ridges.on_both, _OF_BOTH),
    "gru": Baseline(("order",), networks.gru),
}
NAMES = tuple(BASELINES)


def fit_predict(name: str, loaded: Loaded, parts: Parts, seed: int = 0) -> Fitted:
    """Fit a baseline on the training rows, choose its settings on the validation rows, predict both
    judged parts.

    name: one of NAMES. parts: a split of ``loaded``; without validation rows the learner's defaults
    hold, and the last epoch. The result depends neither on the order of the rows nor on test
    ratings, with one exception: the features of "trees" tell of earlier ratings, whatever their
    part. Raises ValueError for an unknown name, no training rows, or "trees" on a corpus without
    times.
    """
    return fit_on(Views(loaded, parts), name, seed)


def fit_on(views: Views, name: str, seed: int = 0) -> Fitted:
    """The same as ``fit_predict``, on views that several baselines share, so that each is made
    once."""
    runtime.one_of("baseline", name, NAMES)
    baseline = BASELINES[name]
    rows = _rows(views, baseline)
    begun = time.perf_counter()
    best = _best(baseline, rows, views.ratings, views.loaded.scale, seed)
    seconds = time.perf_counter() - begun + sum(map(views.seconds, baseline.sees))

    predictions = {}
    distribution = {}
    for part, predicted in best.judged_parts.items():
        back = np.argsort(views.order[part])  # to the order in which the rows were given
        predictions[part] = predicted.ratings[back]
        if predicted.probabilities is not None:
            distribution[part] = predicted.probabilities[back]
    if not distribution:  # the model is no classifier
        distribution = None
    return Fitted(predictions, distribution, best.settings, best.edge, seconds)


def _rows(views: Views, baseline: Baseline) -> dict:
    """What a baseline sees of every part: the rows of its view, or a list of those of several."""
    if len(baseline.sees) == 1:
        return views.rows(baseline.sees[0])
    rows = {}
    for part in views.order:
        rows[part] = [views.rows(view)[part] for view in baseline.sees]
    return rows


class _Predicted(NamedTuple):
    """Ratings [N], on the scale, and probabilities [N, 5] of a classifier, else None."""

    ratings: np.ndarray
    probabilities: np.ndarray | None


class _Best(NamedTuple):
    """The settings with the smallest RMSE on validation rows, the names of those at the edge, and
    part -> what they predict."""

    settings: dict
    edge: tuple[str, ...]
    judged_parts: dict[str, _Predicted]


def _best(
    baseline: Baseline,
    rows: dict,
    ratings: dict[str, np.ndarray],
    scale: tuple[float, float],
    seed: int,
) -> _Best:
    """Try all settings. Without validation rows: the learner's defaults, and the last candidate
    that they give."""
    can_choose = "validation" in ratings
    least = np.inf
    best: dict = {}
    judged_parts: dict = {}
    tried = []
    for settings in baseline.tried if can_choose else ({},):
        candidates = baseline.learn(rows["train"], ratings["train"], seed=seed, **settings)
        for extra, predict in candidates:
            tried.append(settings | extra)
            validation = {}
            if can_choose:
                validation["validation"] = _predicted(predict, rows["validation"], scale)
                error = metrics.rmse(ratings["validation"], validation["validation"].ratings)
                if error >= least:
                    continue
                least = error
            best = tried[-1]
            # Whatever has no ratings here is to be judged by others: the test rows.
            judged_parts = validation
            for part in rows:
                if part not in ratings:
                    judged_parts[part] = _predicted(predict, rows[part], scale)
    edge = at_edge(best, tried) if can_choose else ()
    return _Best(best, edge, judged_parts)


def at_edge(chosen: dict, tried: Sequence[dict]) -> tuple[str, ...]:
    """The names of the chosen settings that are the smallest or the largest of several values
    tried.

    A share of 0 or 1 is no edge, as nothing lies beyond.
    """
    names = []
    for name, value in chosen.items():
        values = {settings[name] for settings in tried}
        is_extreme = value in (min(values), max(values))
        is_limit = name in SHARES and value in (0, 1)
        if len(values) > 1 and is_extreme and not is_limit:
            names.append(name)
    return tuple(names)


def _predicted(predict: Callable, rows, scale: tuple[float, float]) -> _Predicted:
    """What a candidate predicts for rows: ratings clipped to the scale, and probabilities if it
    gives any."""
    predicted = predict(rows)
    if isinstance(predicted, tuple):
        ratings, probabilities = predicted
    else:
        ratings, probabilities = predicted, None
    return _Predicted(np.clip(ratings, *scale), probabilities)


def possible(loaded: Loaded) -> list[str]:
    """The names of the baselines that a corpus allows: all, or all but "trees" where an example has
    no time."""
    try:
        for example in loaded.examples:
            splits.moment(example)
    except ValueError:
        return [name for name in NAMES if "behaviour" not in BASELINES[name].sees]
    return list(NAMES)
