"""What a fine-tuned model has to beat: the mean, the most frequent class, and TF-IDF with ridge regression.

None of them knows a word that the training texts do not hold, and none looks at the test part: the ridge penalty is
chosen on validation rows, as a neural model chooses its best epoch.
"""

from collections.abc import Sequence

import numpy as np

from satlib import metrics, runtime

BASELINES = ("mean", "majority", "tfidf-ridge")
ALPHAS = tuple(float(a) for a in np.logspace(-1, 3, 9).round(4))  # penalties tried, a factor of sqrt(10) apart
ALPHA = 1.0  # the penalty where there are no validation rows to choose it on
# Numbers with their decimals ("rated 4.5"), words of one letter or more, and signs: "!" and an emoji carry mood.
TOKEN = r"\d+\.\d+|\w+|[^\w\s]"

Rows = tuple[Sequence[str], Sequence[float]]


def _check(what: str, texts: Sequence[str], ratings: Sequence[float]) -> None:
    if isinstance(texts, str) or len(texts) != len(ratings):
        raise ValueError(f"{len(texts)} {what} texts but {len(ratings)} {what} ratings; give one rating per text")
    if not len(texts) or not np.isfinite(np.asarray(ratings, dtype=float)).all():
        raise ValueError(f"{what} has {len(texts)} rows; give at least one, each with a finite number as its rating")


def fit(name: str, train_texts: Sequence[str], train_ratings: Sequence[float], validation: Rows | None = None):
    """Fit a baseline; return a scikit-learn estimator whose ``predict(texts)`` gives ratings (not clipped).

    name: one of BASELINES. validation: (texts, ratings) on which "tfidf-ridge" chooses its penalty from ALPHAS; without
    it the penalty is ALPHA. Deterministic. Raises ValueError for an unknown name, unequal lengths or no rows.
    """
    from sklearn.dummy import DummyRegressor

    runtime.one_of("baseline", name, BASELINES)
    _check("training", train_texts, train_ratings)
    if name == "tfidf-ridge":
        return _fit_ridge(train_texts, train_ratings, validation)
    majority = float(np.bincount(metrics.classes(train_ratings)).argmax())
    model = DummyRegressor() if name == "mean" else DummyRegressor(strategy="constant", constant=majority)
    return model.fit(train_texts, np.asarray(train_ratings, dtype=float))


def _fit_ridge(texts: Sequence[str], ratings: Sequence[float], validation: Rows | None):
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    vectoriser, rows = _vectorise(texts)
    ratings = np.asarray(ratings, dtype=float)

    def ridge(alpha: float):
        return Ridge(alpha=alpha, solver="sparse_cg", tol=1e-5).fit(rows, ratings)

    if validation is None:
        return make_pipeline(vectoriser, ridge(ALPHA))
    _check("validation", *validation)
    unseen = vectoriser.transform(validation[0])
    models = [ridge(alpha) for alpha in reversed(ALPHAS)]  # from the strongest penalty, which wins a tie
    return make_pipeline(vectoriser, min(models, key=lambda model: metrics.rmse(validation[1], model.predict(unseen))))


def _vectorise(texts: Sequence[str]):
    """Fit TF-IDF of single words and pairs that stand in two texts or more; tiny data keep every word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    options = {"ngram_range": (1, 2), "sublinear_tf": True, "token_pattern": TOKEN}
    try:
        vectoriser = TfidfVectorizer(min_df=2, **options)
        return vectoriser, vectoriser.fit_transform(texts)
    except ValueError:  # no word stands in two texts
        vectoriser = TfidfVectorizer(min_df=1, **options)
    try:
        return vectoriser, vectoriser.fit_transform(texts)
    except ValueError as error:
        raise ValueError(f"the {len(texts)} training texts hold no word; give texts, or take the mean") from error


def fit_predict(name: str, train_texts: Sequence[str], train_ratings: Sequence[float], texts: Sequence[str],
                scale: tuple[float, float] = (1, 5), validation: Rows | None = None) -> np.ndarray:
    """Fit a baseline as ``fit`` does and predict the ratings of ``texts``: shape [N], clipped to ``scale``."""
    return predict(fit(name, train_texts, train_ratings, validation), texts, scale)


def predict(model, texts: Sequence[str], scale: tuple[float, float] = (1, 5)) -> np.ndarray:
    """Ratings that a fitted baseline gives to ``texts``: shape [N], clipped to ``scale``."""
    return np.clip(model.predict(texts), *scale)


def weights(model) -> dict[str, float]:
    """Word or pair -> weight of a fitted "tfidf-ridge", in stars per unit of TF-IDF, from the lowest to the highest."""
    words, values = model[0].get_feature_names_out(), model[-1].coef_
    return {str(words[i]): float(values[i]) for i in np.argsort(values, kind="stable")}
