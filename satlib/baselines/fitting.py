"""What a fine-tuned model has to beat: eleven baselines, each of which one function fits and scores
on any corpus.

A baseline is what it sees of the examples (``views``) and a learner of numbers. The learners are
scikit-learn's, or the short ones here and in ``neural``. None looks at a test rating: settings, and
the epochs of a network, are chosen on validation rows, as a fine-tuned model chooses its best
epoch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from satlib import runtime
from satlib.baselines import inputs, networks
from satlib.baselines.inputs import Pairs, Parts
from satlib.data import splits
from satlib.data.corpora import Loaded
from satlib.evaluation import metrics

ALPHAS = tuple(
    float(a) for a in np.logspace(-1, 3, 9).round(4)
)  # penalties of a ridge, a factor of sqrt(10) apart
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
    """What it sees (a name in views.VIEWS), its learner, and the settings tried; the first wins a
    tie."""

    sees: str
    learn: Callable[..., Iterator[Candidate]]
    tried: tuple[dict, ...] = ({},)


def mean(rows, ratings, seed=0) -> Iterator[Candidate]:
    """The mean training rating for every row."""
    yield {}, lambda rows: np.full(len(rows), ratings.mean())


def majority(rows, ratings, seed=0) -> Iterator[Candidate]:
    """The most frequent class of the training ratings, the lowest of several, for every row."""
    most = float(np.bincount(metrics.classes(ratings)).argmax())
    yield {}, lambda rows: np.full(len(rows), most)


def biases(rows: Pairs, ratings, seed=0, damping: float = 5.0) -> Iterator[Candidate]:
    """The mean, plus how far an item is rated above it, plus how far a user rates above both; both
    damped.

    A bias is a sum of residuals over their number plus ``damping``; the unknown have none. Of
    several items judged together the mean bias counts. Source: Koren, Factor in the neighbors, ACM
    TKDD 4(1), 2010, section 2.1.
    """
    average = ratings.mean()
    of_item = _damped(
        np.repeat(ratings - average, rows.items.shape[1]), rows.items.ravel(), damping
    )
    of_user = _damped(ratings - average - _shared(of_item, rows.items), rows.users, damping)
    yield {}, lambda rows: average + _shared(of_item, rows.items) + of_user[rows.users]


def _damped(values: np.ndarray, owners: np.ndarray, damping: float) -> np.ndarray:
    """The damped mean of each owner's values, by its number; 0 for number 0, which is nobody."""
    found = np.bincount(owners, values) / (np.bincount(owners) + damping)
    found[0] = 0
    return found


def _shared(biases: np.ndarray, items: np.ndarray) -> np.ndarray:
    return biases[items].sum(axis=1) / np.maximum((items > 0).sum(axis=1), 1)


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

    yield {}, expected(LogisticRegression(C=C, max_iter=1000), rows, ratings)


def bayes(rows, ratings, seed=0, alpha: float = 1.0) -> Iterator[Candidate]:
    """Multinomial naive Bayes over the classes 1..5; alpha counts are added to every word."""
    from sklearn.naive_bayes import MultinomialNB

    yield {}, expected(MultinomialNB(alpha=alpha), rows, ratings)


def expected(classifier, rows, ratings) -> Callable:
    """Fit a scikit-learn classifier; the function gives expected ratings [N] and probabilities [N,
    5].

    A class stands for the mean of the training ratings in it: for itself on a scale of whole stars,
    for a little less where half stars were rounded up to it.
    """
    from sklearn.dummy import DummyClassifier

    classes = metrics.classes(ratings)
    there = np.unique(classes)
    worth = np.array([ratings[classes == k].mean() for k in there])
    model = (classifier if len(there) > 1 else DummyClassifier()).fit(rows, classes)

    def predict(rows) -> tuple[np.ndarray, np.ndarray]:
        chances = np.zeros((rows.shape[0], metrics.N_CLASSES))
        chances[:, there - 1] = model.predict_proba(rows)
        return chances[:, there - 1] @ worth, chances

    return predict


def _each(name: str, *values) -> tuple[dict, ...]:
    return tuple({name: value} for value in values)


_ALPHAS = _each("alpha", *reversed(ALPHAS))
_TREES = tuple(
    {"max_iter": n, "max_leaf_nodes": leaves} for n in (30, 100, 300) for leaves in (4, 8, 31)
)
BASELINES: dict[str, Baseline] = {  # in the order of tables and figures
    "mean": Baseline("nothing", mean),
    "majority": Baseline("nothing", majority),
    "biases": Baseline("who and what", biases, _each("damping", 20.0, 10.0, 5.0, 2.0)),
    "matrix-factorisation": Baseline(
        "who and what", networks.factorise, _each("damping", 0.2, 0.1, 0.05)
    ),
    "trees": Baseline("behaviour", trees, _TREES),
    "naive-bayes": Baseline("word counts", bayes, _each("alpha", 10.0, 3.0, 1.0, 0.3, 0.1)),
    "tfidf-logistic": Baseline("words", logistic, _each("C", 0.1, 0.3, 1.0, 3.0)),
    "tfidf-ridge": Baseline("words", ridge, _ALPHAS),
    "onehot-linear": Baseline("items", ridge, _ALPHAS),
    "embeddings-ridge": Baseline("sentences", ridge, _ALPHAS),
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
    order = {
        part: np.argsort([e.id for e in examples]) for part, examples in parts.items() if examples
    }
    kept = {part: [parts[part][i] for i in places] for part, places in order.items()}
    rows = inputs.VIEWS[BASELINES[name].sees](loaded, kept)
    ratings = {
        part: np.array([example.rating for example in kept[part]])
        for part in kept
        if part != "test"
    }
    settings, found = _best(BASELINES[name], rows, ratings, loaded.scale, seed)
    back = {part: np.argsort(order[part]) for part in found}
    chances = {part: p[back[part]] for part, (_, p) in found.items() if p is not None}
    return Fitted(
        {part: values[back[part]] for part, (values, _) in found.items()}, chances or None, settings
    )


def _best(
    baseline: Baseline, rows: dict, ratings: dict[str, np.ndarray], scale, seed: int
) -> tuple[dict, dict]:
    """The settings with the smallest RMSE on validation rows, and what they predict for the judged
    parts."""
    least, best, judged = np.inf, ({}, {}), "validation" in ratings
    for settings in baseline.tried if judged else ({},):
        for extra, predict in baseline.learn(
            rows["train"], ratings["train"], seed=seed, **settings
        ):
            found = {"validation": _clipped(predict(rows["validation"]), scale)} if judged else {}
            error = metrics.rmse(ratings["validation"], found["validation"][0]) if judged else 0.0
            if error < least or not judged:
                found |= {
                    part: _clipped(predict(rows[part]), scale)
                    for part in rows
                    if part not in ratings
                }
                least, best = error, (settings | extra, found)
    return best


def _clipped(predicted, scale: tuple[float, float]) -> tuple[np.ndarray, np.ndarray | None]:
    values, chances = predicted if isinstance(predicted, tuple) else (predicted, None)
    return np.clip(values, *scale), chances


def possible(loaded: Loaded) -> list[str]:
    """The names of the baselines that a corpus allows: all, or all but "trees" where an example has
    no time."""
    try:
        for example in loaded.examples:
            splits.moment(example)
    except ValueError:
        return [name for name in NAMES if BASELINES[name].sees != "behaviour"]
    return list(NAMES)
