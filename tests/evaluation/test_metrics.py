"""Metrics against scikit-learn and scipy."""

import math
import warnings

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as sk

from satlib.evaluation import metrics


def half_up(values):
    return [min(5, max(1, math.floor(v + 0.5))) for v in values]


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(function(*arguments, **options))


def sk_auc(y, p):
    satisfied = np.array(half_up(y)) >= 4
    return sk.roc_auc_score(satisfied, p) if 0 < satisfied.sum() < len(satisfied) else math.nan


# Independent implementations, on the same pair (rating, predicted).
ORACLES = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "accuracy": lambda y, p: sk.accuracy_score(half_up(y), half_up(p)),
    "macro_f1": lambda y, p: sk.f1_score(half_up(y), half_up(p), average="macro"),
    "uar": lambda y, p: sk.balanced_accuracy_score(half_up(y), half_up(p)),
    "qwk": lambda y, p: sk.cohen_kappa_score(
        half_up(y), half_up(p), weights="quadratic", labels=[1, 2, 3, 4, 5]
    ),
    "spearman": lambda y, p: scipy.stats.spearmanr(y, p).statistic if len(y) > 1 else math.nan,
    "auc": sk_auc,
}


def cases():
    rng = np.random.default_rng(5)
    for n in (2, 3, 7, 40, 400):
        y = rng.integers(1, 6, n).astype(float)
        yield f"random {n}", y, rng.uniform(1, 5, n)
        yield f"ties {n}", y, np.clip(np.round(y + rng.normal(0, 1, n)), 1, 5)
        yield f"halves {n}", rng.integers(2, 11, n) / 2, rng.integers(2, 11, n) / 2
        yield f"majority {n}", np.where(rng.random(n) < 0.8, 3.0, y), np.full(n, 3.0)
        yield f"perfect {n}", y, y
        yield f"reversed {n}", y, 6 - y
    yield "constant prediction", [1, 2, 3, 4, 5], [3.2] * 5
    yield "constant rating", [4] * 5, [1, 2, 3, 4, 5]
    yield "both constant, equal", [2] * 4, [2] * 4
    yield "both constant, different", [2] * 4, [5] * 4
    yield "nobody satisfied", [1, 2, 3, 3.4], [1, 5, 2, 4]
    yield "all satisfied", [4, 5, 4, 5], [1, 5, 2, 4]
    yield "one row", [4.0], [3.5]
    yield "a class only predicted", [1, 1, 2, 2], [1, 5, 5, 2]
    yield "off the scale", [1, 5, 0.5, 3], [-2.0, 7.3, 0.1, 3.0]


@pytest.mark.parametrize("name", metrics.METRICS)
@pytest.mark.parametrize("case", [pytest.param(case, id=case[0]) for case in cases()])
def test_equals_an_independent_implementation(name, case):
    _, y, p = case
    assert metrics.METRICS[name](y, p) == pytest.approx(
        quietly(ORACLES[name], y, p), abs=1e-12, nan_ok=True
    )


def test_every_metric_has_an_oracle():
    assert set(metrics.METRICS) == set(ORACLES)
    assert {"rmse", "mae", "accuracy", "macro_f1", "qwk", "spearman", "auc"} <= set(metrics.METRICS)


def test_undefined_is_nan_and_quiet(recwarn):
    y, constant = [1, 2, 3, 4, 5], [3] * 5
    assert math.isnan(metrics.spearman(y, constant)) and math.isnan(metrics.spearman(constant, y))
    assert math.isnan(metrics.auc(constant, y)) and math.isnan(metrics.qwk(constant, constant))
    assert metrics.auc(y, constant) == 0.5 and metrics.qwk(y, constant) == 0
    assert not recwarn


def test_classes_round_halves_up():
    ratings = [0.5, 1.49, 1.5, 2.5, 3.5, 4.5, 4.49, 5.0, 9, -1]
    assert metrics.classes(ratings).tolist() == [1, 1, 2, 3, 4, 5, 4, 5, 5, 1]


def test_midranks_equal_scipy():
    whole = np.random.default_rng(0).integers(0, 6, 50)
    for values in (
        whole,
        whole / 2,
        whole / 3,
        whole - 3.0,
        whole * 1e12,
        7 + whole,
        [2.5],
        [1e300, -1e300],
    ):
        assert np.array_equal(metrics.midranks(values), scipy.stats.rankdata(values))


@pytest.mark.parametrize(
    "rating, predicted, said",
    [
        ([1, 2], [1], "2 ratings but 1 predictions"),
        ([], [], r"rating has the shape \(0,\)"),
        ([[1, 2]], [[1, 2]], r"rating has the shape \(1, 2\)"),
        ([1, math.nan], [1, 2], r"rating\[1\] is nan"),
        ([1, 2], [math.inf, 2], r"predicted\[0\] is inf"),
        ([1, "five"], [1, 2], "not a number.*five"),
        ([1, None], [1, 2], r"rating\[1\] is nan"),
    ],
)
@pytest.mark.parametrize("name", metrics.METRICS)
def test_bad_input_is_refused(name, rating, predicted, said):
    with pytest.raises(ValueError, match=said):
        metrics.METRICS[name](rating, predicted)


def test_the_metrics_of_studies_equal_scikit_learn():
    rng = np.random.default_rng(0)
    for n in (2, 5, 40):
        for _ in range(30):
            y, p = rng.integers(1, 6, (2, n))
            if len({*y, *p}) > 1:
                kappa = sk.cohen_kappa_score(y, p, labels=[1, 2, 3, 4, 5])
                assert metrics.kappa(y, p) == pytest.approx(kappa, abs=1e-9)
            if min(*y, *p) < 3:
                f1 = sk.f1_score(y < 3, p < 3, zero_division=0)
                assert metrics.f1_dissatisfied(y, p) == pytest.approx(f1, abs=1e-9)
    assert math.isnan(metrics.kappa([3, 3], [3, 3]))
    assert math.isnan(metrics.f1_dissatisfied([3, 4], [5, 3]))
