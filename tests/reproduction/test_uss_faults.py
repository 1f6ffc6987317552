"""The faults of the published evaluation, restated from their formulas."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn

from satlib.evaluation import metrics
from satlib.reproduction import uss, uss_faults

stars = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=40)
pairs = stars.map(lambda rows: np.array(rows, dtype=float).T)


def place_of_first(values):
    return [sorted(values).index(value) for value in values]


@settings(deadline=None)
@given(pairs)
def test_their_rho_is_the_formula_on_the_place_of_the_first(pair):
    rating, predicted = pair.tolist()
    squares = sum(
        (a - b) ** 2 for a, b in zip(place_of_first(rating), place_of_first(predicted), strict=True)
    )
    n = len(rating)
    assert math.isclose(uss_faults.rho(*pair), 1 - 6 * squares / (n * (n * n - 1)), abs_tol=1e-12)
    assert uss_faults.first_rank(rating).tolist() == stats.rankdata(rating, method="min").tolist()


@settings(deadline=None)
@given(st.permutations(range(9)))
def test_their_rho_is_right_where_no_values_are_equal(order):
    assert math.isclose(
        uss_faults.rho(range(9), order), stats.spearmanr(range(9), order)[0], abs_tol=1e-12
    )


@settings(deadline=None)
@given(pairs)
def test_their_f1_halves_what_is_below_one(pair):
    rating, predicted = pair.tolist()
    hit = sum(r < 3 and p < 3 for r, p in zip(rating, predicted, strict=True))
    precision, recall = (hit / max(sum(x < 3 for x in of), 1) for of in (predicted, rating))
    assert math.isclose(
        uss_faults.f1(*pair), 2 * precision * recall / max(precision + recall, 1), abs_tol=1e-12
    )
    true = sklearn.f1_score(pair[0] < 3, pair[1] < 3, zero_division=0)
    assert math.isclose(uss_faults.f1(*pair), true * min(precision + recall, 1), abs_tol=1e-12)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(1, 5), min_size=6, max_size=6), min_size=1, max_size=8))
def test_the_best_epoch_is_the_best_for_each_metric(epochs):
    rating = [1, 2, 3, 3, 4, 5]
    found = uss_faults.best_epochs(rating, epochs, uss.PUBLISHED_METRICS)
    for name, metric in uss.PUBLISHED_METRICS.items():
        values = [metric(rating, one) for one in epochs]
        assert found[name] == (max(values), values.index(max(values)))


def test_an_undefined_value_never_wins():
    found = uss_faults.best_epochs([3, 3], [[3, 3], [3, 4]], {"kappa": metrics.kappa})
    assert found["kappa"] == (0.0, 1)


def test_row_blocks_are_contiguous_and_the_last_takes_the_rest():
    blocks = uss_faults.row_blocks(23, 10)
    assert [len(block) for block in blocks] == [2] * 9 + [5] and np.concatenate(
        blocks
    ).tolist() == list(range(23))


def test_copies_are_made_of_what_is_not_rated_three():
    star = np.array([3, 2, 3, 5])
    assert uss_faults.upsample([3, 0, 1], star, 3).tolist() == [3, 3, 3, 0, 1, 1, 1]
    assert uss_faults.upsample([3, 0, 1], star, 1).tolist() == [3, 0, 1]
    assert (uss_faults.upsample(range(4), star) == 1).sum() == uss_faults.COPIES == 11


def test_a_look_up_says_what_stands_beside_the_same_text():
    texts = ["hi", "hi", "hi", "bye", "bye", "hm"]
    stars = [2, 2, 4, 5, 1, 3]
    found = uss_faults.look_up(texts, stars, ["bye", "hi", "new", "hm"])
    assert found.tolist() == [1, 2, 3, 3], "of equally many the lowest; what is not there is a 3"
    assert uss_faults.look_up(texts, stars, ["new"], unknown=4.0).tolist() == [4]
