"""What a fine-tuned model has to beat: eleven baselines, each of which one function fits and scores
on any corpus.

A baseline is what it sees of the examples (``inputs``) and a learner of numbers. The learners are
scikit-learn's, or the short ones here and in ``networks``. None looks at a test rating: settings,
and the epochs of a network, are chosen on validation rows, as a fine-tuned model chooses its best
epoch.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from satlib import runtime
from satlib.baselines import inputs, networks
from satlib.baselines.inputs import Pairs, Parts
from satlib.data import splits
from satlib.data.corpora import Loaded
from satlib.evaluation import metrics

# Penalties of a ridge, a factor of sqrt(10) apart.
ALPHAS = tuple(np.logspace(-1, 3, 9).round(4).tolist())
ALPHA = 1.0  # the penalty where there are no validation rows to choose it on

# Settings beside those tried, and a function from rows to ratings [N], or to ratings and
# probabilities [N, 5].
Candidate = tuple[dict, Callable]


@dataclass(frozen=True)
class Fitted:
    """part -> predicted ratings [N], on the scale; part -> probabilities [N, 5] of the ratings
    1..5, of classifiers; the settings chosen."""

    predictions: dict[str, np.ndarray]
    distribution: dict[str, np.ndarray] | None
    settings: dict


@dataclass(frozen=True)
class Baseline:
    """What it sees (a name in ``inputs.INPUTS``), its learner, and the settings tried; the first
    wins a tie."""

    sees: str
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


def ridge(rows, ratings, seed=0, alpha: float = ALPHA) -> Iterator[Candidate]:
    """Ridge regression on sparse or dense rows [N, D]."""
    from sklearn.linear_model import Ridge

    solver = "cholesky" if isinstance(rows, np.ndarray) else "sparse_cg"
    yield {}, Ridge(alpha=alpha, solver=solver, tol=1e-5).fit(rows, ratings).predict


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


def _each(name: str, values: Iterable) -> tuple[dict, ...]:
    """Settings that try one parameter at these values."""
    return tuple({name: value} for value in values)


def _tree_settings() -> tuple[dict, ...]:
    """Settings of boosted trees, from few and small ones to many and large ones."""
    settings = []
    for trees_in_all in (30, 100, 300):
        for leaves in (4, 8, 31):
            settings.append({"max_iter": trees_in_all, "max_leaf_nodes": leaves})
    return tuple(settings)


# The strongest damping or penalty stands first: of equal scores it wins.
_ITEM_DAMPING = _each("damping", (20.0, 10.0, 5.0, 2.0))
_FACTOR_DAMPING = _each("damping", (0.2, 0.1, 0.05))
_ADDED_COUNTS = _each("alpha", (10.0, 3.0, 1.0, 0.3, 0.1))
_INVERSE_PENALTIES = _each("C", (0.1, 0.3, 1.0, 3.0))
_PENALTIES = _each("alpha", reversed(ALPHAS))

BASELINES: dict[str, Baseline] = {  # in the order of tables and figures
    "mean": Baseline("nothing", mean),
    "majority": Baseline("nothing", majority),
    "biases": Baseline("who and what", biases, _ITEM_DAMPING),
    "matrix-factorisation": Baseline("who and what", networks.factorise, _FACTOR_DAMPING),
    "trees": Baseline("behaviour", trees, _tree_settings()),
    "naive-bayes": Baseline("word counts", bayes, _ADDED_COUNTS),
    "tfidf-logistic": Baseline("words", logistic, _INVERSE_PENALTIES),
    "tfidf-ridge": Baseline("words", ridge, _PENALTIES),
    "onehot-linear": Baseline("items", ridge, _PENALTIES),
    "embeddings-ridge": Baseline("sentences", ridge, _PENALTIES),
    "gru": Baseline("order", networks.gru),
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
    runtime.one_of("baseline", name, NAMES)
    if not parts.get("train"):
        raise ValueError(
            "the part train has no rows; give at least one rated example to learn from"
        )
    # Rows are sorted by id, so that their order in the file changes no result.
    order, ordered_parts, ratings = {}, {}, {}
    for part, examples in parts.items():
        if not examples:
            continue
        order[part] = np.argsort([example.id for example in examples])
        ordered_parts[part] = [examples[place] for place in order[part]]
        if part != "test":
            ratings[part] = np.array([example.rating for example in ordered_parts[part]])

    baseline = BASELINES[name]
    rows = inputs.INPUTS[baseline.sees](loaded, ordered_parts)
    settings, judged_parts = _best(baseline, rows, ratings, loaded.scale, seed)

    predictions = {}
    distribution = {}
    for part, predicted in judged_parts.items():
        back = np.argsort(order[part])  # to the order in which the rows were given
        predictions[part] = predicted.ratings[back]
        if predicted.probabilities is not None:
            distribution[part] = predicted.probabilities[back]
    if not distribution:  # the model is no classifier
        return Fitted(predictions, None, settings)
    return Fitted(predictions, distribution, settings)


class _Predicted(NamedTuple):
    """Ratings [N], on the scale, and probabilities [N, 5] of a classifier, else None."""

    ratings: np.ndarray
    probabilities: np.ndarray | None


def _best(
    baseline: Baseline,
    rows: dict,
    ratings: dict[str, np.ndarray],
    scale: tuple[float, float],
    seed: int,
) -> tuple[dict, dict[str, _Predicted]]:
    """The settings with the smallest RMSE on validation rows, and what they predict for the judged
    parts.

    Without validation rows: the learner's defaults, and the last candidate that they give.
    """
    can_choose = "validation" in ratings
    least = np.inf
    best: tuple[dict, dict] = ({}, {})
    for settings in baseline.tried if can_choose else ({},):
        candidates = baseline.learn(rows["train"], ratings["train"], seed=seed, **settings)
        for extra, predict in candidates:
            judged_parts = {}
            if can_choose:
                validation = _predicted(predict, rows["validation"], scale)
                error = metrics.rmse(ratings["validation"], validation.ratings)
                if error >= least:
                    continue
                least = error
                judged_parts["validation"] = validation
            # Whatever has no ratings here is to be judged by others: the test rows.
            for part in rows:
                if part not in ratings:
                    judged_parts[part] = _predicted(predict, rows[part], scale)
            best = (settings | extra, judged_parts)
    return best


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
        return [name for name in NAMES if BASELINES[name].sees != "behaviour"]
    return list(NAMES)
