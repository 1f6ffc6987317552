"""Bootstrap samples by sums and ranks are those of a loop over the drawn rows."""

import numpy as np
import pytest

from . import measures
from .records import Predictions

N = 60


def invented(predicted) -> Predictions:
    """Predictions [S, N] for 60 rows of 9 groups of different sizes."""
    rng = np.random.default_rng(0)
    rating = rng.integers(1, 6, N).astype(float)
    group = np.unique(rng.integers(9, size=N) ** 2 // 8, return_inverse=True)[1]
    predicted = np.atleast_2d(predicted)
    return Predictions("m", list(map(str, range(N))), rating, group, predicted, predicted)


def noisy(seed: int) -> np.ndarray:
    """Predictions [N] with ties."""
    rng = np.random.default_rng(seed)
    truth = invented(np.zeros(N)).rating
    return np.clip(truth + rng.normal(0, 1.5, N), 1, 5).round(1)


DRAWN = (*measures.OF_SAMPLES, "spearman", "auc")


@pytest.mark.parametrize("metric", DRAWN)
def test_draws_are_those_of_a_loop_over_the_drawn_rows(metric):
    model = invented([noisy(1), noisy(2)])
    counts = measures.samples(model.group.max() + 1)
    drawn = measures.draws(metric, model)
    assert drawn.shape == (2, measures.DRAWS)
    for sample in (0, 1, 7, 9_999):
        rows = np.repeat(np.arange(N), counts[:, sample][model.group].astype(int))
        for seed in range(2):
            expected = measures.METRICS[metric](model.rating[rows], model.predicted[seed][rows])
            assert drawn[seed, sample] == pytest.approx(expected, abs=1e-5), (seed, sample)


@pytest.mark.parametrize("metric", DRAWN)
def test_what_a_constant_leaves_undefined_is_undefined_in_the_samples_too(metric):
    model = invented(np.full(N, 3.2))
    value = measures.value(metric, model)
    drawn = measures.draws(metric, model)
    assert np.isnan(drawn).all() == np.isnan(value)
    assert np.isnan(value) == (metric in ("spearman", "pearson"))


def test_samples_draw_as_many_groups_as_there_are():
    counts = measures.samples(7)
    assert counts.shape == (7, measures.DRAWS)
    assert (counts.sum(axis=0) == 7).all()
    assert counts.mean(axis=1) == pytest.approx(1, abs=0.05)


def test_rows_of_a_group_go_together():
    """Copies of each row in its group add no information, so the interval stays."""
    rng = np.random.default_rng(3)
    error = rng.normal(0, 1, 200)
    ends = {}
    for copies in (1, 5):
        predicted = np.repeat(3 + error, copies)[None]
        rating = np.full(200 * copies, 3.0)
        group = np.repeat(np.arange(200), copies)
        model = Predictions("m", [], rating, group, predicted, predicted)
        ends[copies] = measures.estimate("rmse", model)
    assert ends[5] == pytest.approx(ends[1], rel=1e-5)
    sd = np.std(error**2) / (2 * np.sqrt(200) * np.sqrt(np.mean(error**2)))  # by the delta method
    _, low, high = ends[1]
    assert high - low == pytest.approx(2 * 1.96 * sd, rel=0.05)


def test_a_difference_is_paired():
    model = invented(noisy(1))
    assert measures.difference("rmse", model, model, seeds_too=False) == (0, 0, 0)
    other = Predictions(
        "o",
        model.ids[::-1],
        *[getattr(model, n) for n in ("rating", "group")],
        model.predicted,
        model.expected,
    )
    with pytest.raises(ValueError, match="m and o were judged on different rows"):
        measures.difference("rmse", model, other, seeds_too=False)


def test_drawn_seeds_widen_the_interval_and_leave_the_value():
    model = invented([noisy(1), noisy(2), np.clip(noisy(3) + 1, 1, 5)])
    narrow = measures.estimate("rmse", model)
    wide = measures.estimate("rmse", model, seeds_too=True)
    assert wide[0] == narrow[0] == pytest.approx(measures.values("rmse", model).mean())
    assert wide[2] - wide[1] > narrow[2] - narrow[1]
    one = invented(noisy(1))
    assert measures.estimate("rmse", one, seeds_too=True) == measures.estimate("rmse", one)


def test_halves_are_rounded_up():
    assert measures.stars([0.2, 1.5, 2.5, 3.49, 3.5, 7]).tolist() == [1, 2, 3, 3, 4, 5]
    assert measures.satisfied([3.49, 3.5]).tolist() == [False, True]
