"""The heads of lesson 41: losses, readings and fits, against the losses of lesson 13 and against
scikit-learn and statsmodels."""

import numpy as np
import pytest
import tiny
import torch

from satlib.data import labels
from satlib.data.labels import to_unit
from satlib.encoding import tokens
from satlib.evaluation import calibration, metrics
from satlib.losses import cross_entropy, ordinal
from satlib.models import head_layers, heads, satisfaction_model
from satlib.models.heads import HEADS
from satlib.models.satisfaction_model import SatisfactionConfig


def config(head):
    return SatisfactionConfig(head=head)


# --- losses


def test_shapes_and_losses_of_the_heads():
    ids, mask = map(torch.from_numpy, tokens.pad([[5, 6, 7], [8, 9], [10], [11, 12]]))
    ratings = torch.tensor([1.0, 3.5, 4.0, 5.0])
    for head, kind in HEADS.items():
        out = tiny.model(head=head).eval()(ids, mask, labels=ratings)
        z = out.logits.detach().double().numpy()
        assert out.logits.shape == ((4,) if kind.logits == 1 else (4, kind.logits))
        if head == "regression":
            expected = np.mean((z - np.array([0, 0.625, 0.75, 1])) ** 2)
        elif head == "binary":
            p = 1 / (1 + np.exp(-z))
            expected = -np.mean(np.log(np.where([False, True, True, True], p, 1 - p)))
        elif head == "soft":
            expected = ordinal.soft_cross_entropy(ordinal.soft_labels([0, 2.5, 3, 4], 5), z)
        elif head != "classes":
            expected = getattr(ordinal, f"{head}_loss")([0, 3, 3, 4], z)
        else:
            expected = -np.mean(
                np.log((np.exp(z) / np.exp(z).sum(1, keepdims=True))[np.arange(4), [0, 3, 3, 4]])
            )
        assert float(out.loss.detach()) == pytest.approx(expected, rel=1e-5)


def test_loss_follows_scale_and_threshold():
    half_stars = SatisfactionConfig(low=0.5, high=5.0)
    assert float(heads.loss_of(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 5.0]), half_stars)) == 0
    strict = SatisfactionConfig(head="binary", threshold=5.0)
    assert (
        float(heads.loss_of(torch.tensor([-50.0, 50.0]), torch.tensor([4.9, 5.0]), strict)) < 1e-9
    )


def test_satisfied_is_the_same_wherever_it_is_asked():
    """A mean rating that is 4 or 5 when rounded half up: labels, outcomes, AUC, readings and what
    the binary head learns."""
    ratings = np.arange(1, 5.01, 0.25)
    satisfied = np.floor(ratings + 0.5) >= 4
    assert (labels.satisfied(ratings) == satisfied).all()
    assert (calibration.is_satisfied(ratings) == satisfied).all()
    assert metrics.auc(ratings, satisfied.astype(float)) == 1
    read = heads.read_logits((ratings - 1) / 4, SatisfactionConfig())
    assert (read.satisfied == satisfied).all()
    binary = SatisfactionConfig(head="binary")
    sure = torch.tensor(np.where(satisfied, 50.0, -50.0))
    assert float(heads.loss_of(sure, torch.tensor(ratings), binary)) < 1e-9
    classes = SatisfactionConfig(head="classes")
    every = heads.read_logits(50 * np.eye(5), classes)
    assert every.satisfied.tolist() == [False, False, False, True, True]
    assert calibration.satisfied(np.eye(5)).tolist() == [0, 0, 0, 1, 1]


def test_classes_of_the_loss_are_those_of_the_metrics():
    ratings = np.arange(0.5, 5.01, 0.25)
    wanted = (
        torch.nn.functional.one_hot(torch.tensor(metrics.classes(ratings)) - 1, 5).double() * 100
    )
    assert (
        float(heads.loss_of(wanted, torch.tensor(ratings), SatisfactionConfig(head="classes")))
        < 1e-9
    )


@pytest.mark.parametrize("head", HEADS)
def test_gradient_reaches_encoder_and_head(head):
    model = tiny.model(head=head)
    ids, mask = map(torch.from_numpy, tokens.pad([[5, 6, 7], [8, 9]]))
    model(ids, mask, labels=torch.tensor([1.0, 5.0])).loss.backward()
    assert all(
        p.grad is not None for p in model.parameters()
    )  # several processes need every weight to have one


def test_unit_scale_is_the_course_s():
    config = SatisfactionConfig(low=0.5)
    ratings = np.array([0.5, 2.0, 4.5])
    assert (
        float(
            heads.loss_of(torch.tensor(to_unit(ratings, 0.5, 5.0)), torch.tensor(ratings), config)
        )
        == 0
    )


# --- the ordinal heads


@pytest.mark.parametrize("scale", [1, 30, 800])
@pytest.mark.parametrize("head", ["cumulative", "coral", "corn", "soft"])
def test_ordinal_losses_are_those_of_lesson_13(head, scale):
    rng = np.random.default_rng(scale)
    z = -np.sort(-rng.normal(scale=scale, size=(40, HEADS[head].logits)), axis=1)
    ratings = np.concatenate(
        [np.arange(0.5, 5.01, 0.25), rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], 21)]
    )
    y = np.array(metrics.classes(ratings)) - 1
    logits = torch.tensor(z, requires_grad=True)
    loss = heads.loss_of(logits, torch.tensor(ratings), config(head))
    loss.backward()
    name = f"{head}_cross_entropy" if head == "soft" else f"{head}_loss"
    known = ordinal.soft_labels(np.clip(ratings, 1, 5) - 1, 5) if head == "soft" else y
    assert float(loss.detach()) == pytest.approx(getattr(ordinal, name)(known, z), rel=1e-9)
    by_hand = getattr(ordinal, name.replace("_loss", "") + "_gradient")(known, z)
    np.testing.assert_allclose(logits.grad.numpy(), by_hand, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("head", ["cumulative", "coral", "corn", "soft"])
def test_ordinal_heads_predict_what_their_probabilities_say(head):
    z = -np.sort(-np.random.default_rng(0).normal(scale=2, size=(9, HEADS[head].logits)), axis=1)
    found = heads.read_logits(z, config(head))
    above = np.cumprod(cross_entropy.sigmoid(z), 1) if head == "corn" else cross_entropy.sigmoid(z)
    above = (
        np.cumsum(cross_entropy.softmax(z)[:, ::-1], 1)[:, :4][:, ::-1] if head == "soft" else above
    )
    np.testing.assert_allclose(found.rating, 1 + above.sum(1))
    np.testing.assert_allclose(found.distribution[:, 3:].sum(1), above[:, 2], atol=1e-12)
    assert found.satisfied.tolist() == (above[:, 2] >= 0.5).tolist()


def test_shared_score_and_falling_biases():
    torch.manual_seed(0)
    seen, free = torch.randn(6, 3), torch.tensor([0.7, 2.0, -9.0, 0.1])
    for head in ("cumulative", "coral"):
        last = HEADS[head](config(head)).layer(3)
        with torch.no_grad():
            last.bias.copy_(free)
        z = last(seen).detach()
        step = torch.log1p(free[1:].exp())
        biases = torch.cat([free[:1], free[0] - step.cumsum(0)]) if head == "cumulative" else free
        torch.testing.assert_close(z, (seen @ last.weight.detach()[0])[:, None] + biases)
        assert (z.diff(dim=1) < 0).all() == (head == "cumulative")
        torch.testing.assert_close(
            head_layers.raw(head_layers.falling(free)), free, atol=1e-4, rtol=1e-4
        )


def test_boundaries_too_close_for_float32_cost_a_finite_loss():
    z = torch.tensor([[12.0, 12.0, -3.0, -9.0]], requires_grad=True)
    loss = heads.loss_of(z, torch.tensor([2.0]), config("cumulative"))
    loss.backward()
    assert 0 < float(loss.detach()) < 40 and torch.isfinite(z.grad).all()


# --- readings


def test_regression_predicts_on_the_scale():
    logits = np.array([-0.5, 0.0, 0.5, 0.75, 1.5])
    found = heads.read_logits(logits, SatisfactionConfig())
    np.testing.assert_allclose(found.rating, [1, 1, 3, 4, 5])
    assert (
        found.satisfied.tolist() == [False, False, False, True, True] and found.distribution is None
    )
    lenient = heads.read_logits(logits, SatisfactionConfig(threshold=3))
    assert lenient.satisfied.tolist() == [False, False, True, True, True]
    stars = heads.read_logits(np.array([0.0, 0.5, 1.0]), SatisfactionConfig(low=0.5))
    np.testing.assert_allclose(stars.rating, [0.5, 2.75, 5])


def test_binary_predicts_an_expected_rating():
    config = SatisfactionConfig(head="binary", group_means=(2.0, 4.5))
    found = heads.read_logits(np.array([-60.0, 0.0, 60.0, np.log(3)]), config)
    np.testing.assert_allclose(found.rating, [2.0, 3.25, 4.5, 0.25 * 2 + 0.75 * 4.5])
    assert found.satisfied.tolist() == [False, True, True, True]


def test_classes_predict_distribution_expectation_and_satisfied():
    p = np.array([[0.1, 0.2, 0.3, 0.3, 0.1], [0, 0, 0.2, 0.3, 0.5], [1, 0, 0, 0, 0]])
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(p), -700)
    found = heads.read_logits(logits, SatisfactionConfig(head="classes"))
    np.testing.assert_allclose(found.distribution, p, atol=1e-12)
    np.testing.assert_allclose(found.rating, [3.1, 4.3, 1.0])
    assert found.satisfied.tolist() == [False, True, False]
    lenient = heads.read_logits(logits, SatisfactionConfig(head="classes", threshold=3))
    assert lenient.satisfied.tolist() == [True, True, False]


# --- fits


def test_head_for_two_of_the_five_classes():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    seen, ratings = rng.normal(size=(50, 4)), rng.choice([2.0, 5.0], size=50)
    weight, bias = heads.head_of(config("classes")).fit(seen, ratings, 1.0)
    p = cross_entropy.softmax(seen @ weight.T + bias)
    fit = LogisticRegression(C=1.0, max_iter=1000).fit(seen, ratings)
    np.testing.assert_allclose(p[:, [1, 4]], fit.predict_proba(seen), atol=1e-6)
    assert p[:, [0, 2, 3]].max() < 1e-6


def test_fitted_cumulative_head_is_the_proportional_odds_model():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    model, rows = tiny.model(head="cumulative"), tiny.rows(300)
    seen = satisfaction_model.run(model, rows.sequences, what="embedding")[:, :3].astype(float)
    weight, biases = heads.head_of(model.config).fit(seen, rows.ratings, 1e-9)
    theirs = OrderedModel(rows.ratings, seen, distr="logit").fit(method="bfgs", disp=0, maxiter=500)
    np.testing.assert_allclose(weight[0], theirs.params[:3], atol=2e-3)
    thresholds = theirs.model.transform_threshold_params(theirs.params)[1:-1]
    np.testing.assert_allclose(-biases, thresholds, atol=5e-3)


def test_fitted_soft_head_of_whole_ratings_is_logistic_regression():
    rng = np.random.default_rng(0)
    seen, ratings = rng.normal(size=(90, 4)), rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], size=90)
    found = [heads.head_of(config(head)).fit(seen, ratings, 2.0) for head in ("soft", "classes")]
    p = [cross_entropy.softmax(seen @ weight.T + bias) for weight, bias in found]
    np.testing.assert_allclose(*p, atol=5e-4)
