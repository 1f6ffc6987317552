"""The linear model of lesson 13 against scikit-learn, the heads of lesson 41 and finite
differences; bad input."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from satlib.evaluation import metrics
from satlib.losses import gradients, linear_model
from satlib.models import heads, satisfaction_model

SHARED = ("cumulative", "coral")


def drawn(n=120, seed=0, step=1.0):
    """Features [n, 3] and ratings that depend on them, in steps of the scale."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    rating = 3 + x @ [1.0, -0.5, 0.0] + rng.logistic(size=n)
    return x, np.clip(np.floor(rating / step + 0.5) * step, 1, 5)


def test_classes_are_those_of_the_metrics():
    rating = np.arange(0.5, 5.6, 0.25)
    assert (linear_model.classes(rating) + 1).tolist() == list(metrics.classes(rating))


def test_regression_is_ridge():
    x, rating = drawn(step=1 / 3)
    found, fitted = (
        linear_model.fit("regression", x, rating, 0.1),
        Ridge(alpha=0.1 * 120 / 2).fit(x, (rating - 1) / 4),
    )
    assert found.weight[:, 0] == pytest.approx(fitted.coef_, abs=1e-5)
    assert found.predict(x) == pytest.approx(np.clip(1 + 4 * fitted.predict(x), 1, 5), abs=1e-4)


def test_classes_are_logistic_regression():
    x, rating = drawn()
    fitted = LogisticRegression(C=1 / (0.01 * 120), max_iter=1000).fit(x, rating)
    expected = fitted.predict_proba(x) @ fitted.classes_
    assert linear_model.fit("classes", x, rating, 0.01).predict(x) == pytest.approx(
        expected, abs=2e-3
    )


@pytest.mark.parametrize("name", ["cumulative", "coral", "corn", "soft"])
def test_ordinal_models_are_the_heads_of_lesson_33(name):
    x, rating = drawn(step=1 / 3)
    config = satisfaction_model.SatisfactionConfig(head=name)
    weight, bias = heads.head_of(config).fit(x, rating, 0.01 * 120)
    expected = heads.read_logits(x @ weight.T + bias, config).rating
    found = linear_model.fit(name, x, rating, 0.01)
    assert found.predict(x) == pytest.approx(expected, abs=2e-3)
    assert found.weight.shape == (3, 1 if name in SHARED else heads.HEADS[name].logits)


@pytest.mark.parametrize("name", linear_model.LOSSES)
def test_the_minimum_is_one(name):
    x, rating = drawn(60)
    kind, found = linear_model.LOSSES[name], linear_model.fit(name, x, rating, 0.05)

    def loss(theta):
        weight, bias = np.split(theta, [found.weight.size])
        z = x @ weight.reshape(found.weight.shape) + bias
        return kind.loss(kind.target(rating), z) + 0.025 * np.sum(weight**2)

    slope = gradients.finite_differences(loss, np.append(found.weight.ravel(), found.bias))
    assert np.abs(slope).max() < 1e-3
    assert found.parameters == len(slope)


@pytest.mark.parametrize("name", linear_model.LOSSES)
def test_predictions_lie_on_the_scale_and_follow_the_features(name):
    x, rating = drawn(400)
    found = linear_model.fit(name, x, rating, 1e-3).predict(50 * x)
    assert found.min() >= 1 and found.max() <= 5
    assert np.corrcoef(linear_model.fit(name, x, rating, 1e-3).predict(x), rating)[0, 1] > 0.45


def test_biases_fall_where_a_class_is_missing():
    x, rating = drawn()
    kept = rating != 3
    found = linear_model.fit("cumulative", x[kept], rating[kept])
    assert (np.diff(found.bias) < 0).all() and found.predict(x).std() > 0.5


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: linear_model.fit("hinge", [[1.0]], [1]),
            "unknown loss 'hinge'; choose one of regression, classes, cumulative",
        ),
        (
            lambda: linear_model.fit("coral", [[1.0]], [1, 2]),
            "1 rows of features, 2 ratings and a penalty of 0.0",
        ),
        (
            lambda: linear_model.fit("coral", [[1.0]], [1], -1),
            "a penalty of -1; .* a penalty of at least 0",
        ),
        (
            lambda: linear_model.fit("coral", [1.0], [1]),
            r"x has shape \[1\]; it needs shape \[N, K\]",
        ),
        (
            lambda: linear_model.fit("regression", [[1.0]], [7]),
            r"rating\[0\] is 7\.0; the scale runs from 1 to 5",
        ),
        (lambda: linear_model.fit("coral", [[1.0]], [float("nan")]), r"rating\[0\] is nan"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
