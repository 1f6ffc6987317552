"""Calibrated predictions, which several tests bend and repair."""

import pytest
from invented import distributions, drawn_ratings

from satlib.evaluation import calibration


@pytest.fixture(scope="session")
def many():
    """20,000 examples with calibrated distributions: ratings, distributions, outcome and chance of
    satisfied."""
    p = distributions(20_000)
    rating = drawn_ratings(p)
    return rating, p, calibration.is_satisfied(rating), calibration.satisfied(p)
