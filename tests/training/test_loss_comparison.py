"""Losses compared: kappa by moments against the metric, the table against a walk over the rows."""

import numpy as np
import pytest

from satlib.evaluation import metrics
from satlib.evaluation.comparison import SeededPredictions
from satlib.training import loss_comparison

GROUP = np.array([0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 4, 5])
RATING = np.array([1.0, 2, 5, 4, 4, 3, 2, 5, 1, 3, 4, 5])


def side(noise: float, trainings: int = 3, shift: float = 0.0) -> SeededPredictions:
    """Predictions that err by ``noise`` and ``shift``, by several trainings."""
    errors = np.random.default_rng(7).normal(shift, noise, (trainings, len(RATING)))
    ids = [str(row) for row in range(len(RATING))]
    return SeededPredictions(RATING + errors, RATING, ids, GROUP, np.bincount(GROUP))


SIDES = {"squared error": side(0.8), "sharp": side(0.2), "shifted": side(0.2, shift=2.0)}


def test_kappa_by_moments_is_the_metric_on_the_drawn_rows():
    weights = np.random.default_rng(0).integers(0, 3, (20, 6))
    kappas = loss_comparison.drawn_kappa(SIDES["squared error"], weights)
    for times, row in zip(weights, kappas, strict=True):
        sample = np.repeat(np.arange(len(RATING)), times[GROUP])
        for predicted, kappa in zip(SIDES["squared error"].predicted, row, strict=True):
            assert kappa == pytest.approx(metrics.qwk(RATING[sample], predicted[sample]))


def test_values_are_means_over_trainings_and_differences_are_between_them():
    table = loss_comparison.differences(SIDES, "squared error", draws=50)
    of = {"RMSE": metrics.rmse, "MAE": metrics.mae, "kappa": metrics.qwk}
    for loss, one in SIDES.items():
        for measure, metric in of.items():
            value = np.mean([metric(RATING, predicted) for predicted in one.predicted])
            row = table.loc[(loss, measure)]
            assert row["value"] == pytest.approx(value)
            base = table.loc[("squared error", measure), "value"]
            assert row["difference"] == pytest.approx(value - base)


def test_verdicts_know_which_way_is_better():
    table = loss_comparison.differences(SIDES, "squared error", draws=200)
    assert table.loc["sharp", "verdict"].to_dict() == dict.fromkeys(
        table.loc["sharp"].index, "better"
    )
    assert set(table.loc["shifted", "verdict"]) == {"worse"}
    assert set(table.loc["squared error", "verdict"]) == {"inside"}
    words = loss_comparison.in_words(table, "squared error")
    assert list(words.index) == ["sharp", "shifted"] and words.loc["sharp", "MAE"].endswith(
        " better"
    )


def test_a_difference_that_comes_from_one_user_only_is_inside():
    predicted = np.tile(RATING, (3, 1)) + 0.1
    lucky = predicted.copy()
    lucky[:, GROUP == 5] = RATING[GROUP == 5]
    sides = {}
    for loss, values in (("usual", predicted), ("lucky", lucky)):
        sides[loss] = SeededPredictions(values, RATING, [], GROUP, np.bincount(GROUP))
    row = loss_comparison.differences(sides, "usual", draws=300).loc[("lucky", "MAE")]
    assert row["difference"] < 0 and row["high"] == 0 and row["verdict"] == "inside"


def test_losses_with_unequal_trainings_are_refused():
    sides = {"usual": side(0.5), "other": side(0.5, trainings=2)}
    with pytest.raises(ValueError, match="'other': 2} trainings; give each equally many"):
        loss_comparison.differences(sides, "usual")
