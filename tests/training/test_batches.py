"""Rows, and the order and the size of batches."""

import numpy as np
import pytest
import tiny
from training_script import quick_plan

from satlib.training.batches import Rows, batches


def test_every_epoch_covers_each_row_once():
    for n, size in ((40, 8), (41, 8), (7, 8), (1, 1)):
        for epoch in range(3):
            found = batches(n, quick_plan(batch_size=size), epoch)
            assert sorted(np.concatenate(found)) == list(range(n))
            sizes = [len(batch) for batch in found]
            assert max(sizes) <= size and max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("n, size", [(400, 8), (33, 8), (5, 8), (1000, 4)])
def test_batches_by_length_cover_each_row_once_pad_less_and_keep_no_order_of_length(n, size):
    lengths = np.random.default_rng(0).integers(10, 128, n)
    plain, sorted_ = (
        batches(n, quick_plan(batch_size=size), 1, given) for given in (None, lengths)
    )
    assert (
        sorted(np.concatenate(sorted_)) == list(range(n))
        and list(map(len, sorted_))
        and len(plain) == len(sorted_)
    )
    assert max(map(len, sorted_)) - min(map(len, sorted_)) <= 1
    again = batches(n, quick_plan(batch_size=size), 1, lengths)
    assert all(np.array_equal(a, b) for a, b in zip(sorted_, again, strict=True))
    if n == 400:
        padded = [
            sum(len(b) * lengths[b].max() for b in found) / lengths.sum()
            for found in (plain, sorted_)
        ]
        assert padded[1] < 1.15 < 1.4 < padded[0]
        means = [lengths[b].mean() for b in sorted_]
        assert abs(np.corrcoef(means, range(len(means)))[0, 1]) < 0.4


def test_batches_by_tokens_fill_their_budget_and_cover_each_row_once():
    lengths = np.random.default_rng(0).integers(10, 128, 500)
    found = batches(500, quick_plan(batch_size=16, batch_tokens=1000), 1, lengths)
    assert sorted(np.concatenate(found)) == list(range(500))
    positions = np.array([len(batch) * lengths[batch].max() for batch in found])
    assert positions.max() <= 1000 and np.median(positions) > 850
    assert max(map(len, found)) > 2 * min(map(len, found))  # short texts come many at a time


def test_order_depends_on_seed_and_epoch_only():
    def order(seed, epoch, **changes):
        return np.concatenate(batches(40, quick_plan(seed=seed, **changes), epoch)).tolist()

    np.random.seed(1)  # noqa: NPY002
    first = order(0, 0)
    np.random.seed(2)  # noqa: NPY002
    assert first == order(0, 0, learning_rate=0.1, epochs=9) != list(range(40))
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1, 2)}) == 6


def test_some_rows_are_a_seeded_choice_that_keeps_rows_together():
    rows = tiny.rows(30, features=2)
    some = rows.some(7)
    places = [rows.sequences.index(sequence) for sequence in some.sequences]
    assert len(some.ratings) == 7 and places == sorted(places)
    assert some.lengths.tolist() == rows.lengths[places].tolist()
    assert np.array_equal(some.ratings, rows.ratings[places]) and np.array_equal(
        some.features, rows.features[places]
    )
    assert rows.some(7).sequences == some.sequences and rows.some(0) is rows is rows.some(30)


def test_rows_must_match():
    for ids, ratings, features in (
        ([[1]], [1.0, 2.0], None),
        ([], [], None),
        ([[1]], [1.0], np.ones((2, 3))),
    ):
        with pytest.raises(ValueError, match="give equally many of each, at least one"):
            Rows(ids, np.array(ratings), features)
