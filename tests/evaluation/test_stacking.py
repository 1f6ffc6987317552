"""Stacks against scipy's least squares, and what their predictions may not have seen."""

import numpy as np
import pytest
from invented import make
from scipy.optimize import lsq_linear

from satlib.evaluation import stacking
from satlib.evaluation.metrics import rmse

RNG = np.random.default_rng(0)
RATING = RNG.integers(1, 6, 60).astype(float)
GROUP = np.repeat(np.arange(20), 3)
NEAR = RATING + RNG.normal(0, 0.5, 60)
FAR = RATING + RNG.normal(0, 1.0, 60)
AGAINST = 6 - NEAR + RNG.normal(0, 0.2, 60)
PREDICTED = np.stack([NEAR, FAR, AGAINST], axis=1)


def record(model: str, predicted: np.ndarray, seed: int = 0, **changed):
    """A record whose first 30 rows are validation rows, the others test rows."""
    parts = {}
    for part, rows in (("validation", slice(0, 30)), ("test", slice(30, 60))):
        parts[part] = {
            "id": [f"{part}{row}" for row in range(30)],
            "group": [f"u{number}" for number in GROUP[rows]],
            "domain": ["toy"] * 30,
            "rating": RATING[rows].tolist(),
            "predicted": predicted[rows].tolist(),
        }
    return make(model, seed, predictions=parts, parameters={"train_rows": 9}, **changed)


def test_weights_are_those_of_bounded_least_squares():
    fitted = stacking.fit(PREDICTED, RATING)
    rows = np.column_stack([np.ones(60), PREDICTED])
    bounds = ([-np.inf, 0, 0, 0], np.inf)
    assert fitted == pytest.approx(lsq_linear(rows, RATING, bounds).x, abs=1e-6)
    assert fitted[1] > fitted[2] > 0 and fitted[3] == 0


def test_stack_predicts_test_rows_with_weights_from_all_validation_rows():
    (made,) = stacking.stack([record("near", NEAR), record("far", FAR)], ("near", "far"), "both")
    both = np.stack([NEAR, FAR], axis=1)
    fitted = stacking.fit(both[:30], RATING[:30])
    wanted = np.clip(fitted[0] + both[30:] @ fitted[1:], 1, 5)
    assert made.predictions["test"]["predicted"] == pytest.approx(wanted.tolist(), abs=1e-4)
    assert made.parameters["weights"] == pytest.approx(fitted[1:].tolist(), abs=1e-4)
    assert made.parameters["members"] == ["near", "far"] and made.parameters["train_rows"] == 9
    near = rmse(RATING[30:], NEAR[30:])
    assert rmse(RATING[30:], made.predictions["test"]["predicted"]) < near


def test_no_group_is_predicted_by_weights_that_saw_it():
    predicted, rating, group = PREDICTED[:30], RATING[:30], GROUP[:30]
    before = stacking.cross_fitted(predicted, rating, group)
    for number in range(10):
        own = group == number
        changed = np.where(own, 6 - rating, rating)
        after = stacking.cross_fitted(predicted, changed, group)
        assert after[own] == pytest.approx(before[own], abs=1e-9)
    assert not np.allclose(after, before)


def test_one_record_a_seed_and_a_fitted_member_joins_all():
    records = [record("far", FAR)]
    records += [record("near", NEAR + 0.1 * seed, seed) for seed in range(3)]
    made = stacking.stack(records, ("near", "far"), "both")
    assert [one.seed for one in made] == [0, 1, 2]
    assert made[0].parameters["constant"] != made[2].parameters["constant"]


@pytest.mark.parametrize(
    "records, words",
    [
        ([record("near", NEAR)], "no record of far, to be stacked"),
        (
            [record("near", NEAR, seed) for seed in (0, 1)]
            + [record("far", FAR, seed) for seed in (1, 2, 3)],
            r"near has the seeds \[0, 1\], another member \[1, 2, 3\]",
        ),
    ],
)
def test_members_that_do_not_fit_are_refused(records, words):
    with pytest.raises(ValueError, match=words):
        stacking.stack(records, ("near", "far"), "both")


def test_other_examples_are_refused():
    other = record("far", FAR)
    other.predictions["test"]["id"] = [f"x{row}" for row in range(30)]
    with pytest.raises(ValueError, match="near and far were judged on different test examples"):
        stacking.stack([record("near", NEAR), other], ("near", "far"), "both")


def test_one_group_is_refused():
    with pytest.raises(ValueError, match="all validation rows are of one group"):
        stacking.cross_fitted(PREDICTED, RATING, np.zeros(60, int))
