"""Passing over what is unsure: risk and coverage by hand, and between their bounds."""

import numpy as np
import pytest
from invented import distributions

from satlib.evaluation import abstention


def test_the_spread_is_the_standard_deviation():
    p = distributions(5)
    for row, got in zip(p, abstention.spread(p), strict=True):
        assert got == pytest.approx(np.sqrt(np.cov(range(1, 6), aweights=row, ddof=0)))
    assert abstention.spread([[0, 0, 1.0, 0, 0], [0.5, 0, 0, 0, 0.5]]) == pytest.approx([0, 2])


def test_risk_is_the_mean_loss_of_the_surest():
    coverage, risk = abstention.risk_coverage([4, 0, 1, 3], [0.9, 0.1, 0.2, 0.5])
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1] and risk == pytest.approx([0, 0.5, 4 / 3, 2])
    assert abstention.area([4, 0, 1, 3], [0.9, 0.1, 0.2, 0.5]) == pytest.approx(
        np.mean([0, 0.5, 4 / 3, 2])
    )


def test_equal_doubts_are_taken_in_no_order():
    loss = [4, 0, 1, 3]
    assert abstention.risk_coverage(loss, [1, 1, 1, 1])[1] == pytest.approx(np.full(4, 2))
    assert abstention.risk_coverage(loss, [1, 0, 1, 1])[1] == pytest.approx([0, 4 / 3, 16 / 9, 2])
    assert abstention.gained(loss, [1, 1, 1, 1]) == pytest.approx(0)


def test_the_mean_over_random_orders_is_the_mean_loss():
    loss = np.random.default_rng(0).exponential(size=30)
    areas = [abstention.area(loss, np.random.default_rng(i).random(30)) for i in range(2000)]
    assert np.mean(areas) == pytest.approx(loss.mean(), rel=0.02)


def test_what_abstaining_gains_lies_between_random_and_the_losses_own_order(many):
    rating, p, _, _ = many
    loss = (p @ np.arange(1, 6) - rating) ** 2
    assert abstention.gained(loss, loss) == pytest.approx(1)
    assert 0.1 < abstention.gained(loss, abstention.spread(p)) < 0.9
    assert abstention.gained(loss, -loss) < 0 and np.isnan(abstention.gained([1, 1], [1, 2]))
    with pytest.raises(ValueError, match="loss has the shape"):
        abstention.risk_coverage([1, 2], [1])
    with pytest.raises(ValueError, match="not finite"):
        abstention.risk_coverage([1, np.nan], [1, 2])
