"""Labels: by hand, by plain loops and against scikit-learn."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from satlib.data import labels
from satlib.data.labels import SATISFIED, from_unit, to_unit

STEADY = settings(max_examples=40, deadline=None, derandomize=True)
STAR = st.integers(1, 5).map(float)
RATINGS = st.lists(st.lists(STAR, min_size=1, max_size=6).map(tuple), min_size=1, max_size=12)
NAN = math.nan


# One rating


def test_scale_by_hand_and_as_the_losses_scale():
    assert labels.to_unit([1, 3, 4, 5]).tolist() == [0, 0.5, 0.75, 1]
    assert labels.to_unit(4.5, 0.5, 5).item() == pytest.approx(8 / 9)
    assert labels.from_unit([0, 0.25, 1.1]) == pytest.approx(
        [1, 2, 5.4]
    )  # beyond [0, 1]: not clipped
    ratings = np.arange(1, 5.1, 0.5).reshape(3, 3)
    assert np.array_equal(labels.to_unit(ratings), to_unit(ratings))
    assert np.array_equal(labels.from_unit(ratings, 1, 3), from_unit(ratings, 1, 3))


@STEADY
@given(st.floats(0.5, 5), st.floats(0.1, 10))
def test_the_scale_can_be_undone(rating, length):
    unit = labels.to_unit(rating, 0.5, max(5.0, 0.5 + length))
    assert 0 <= unit <= 1 and labels.from_unit(unit, 0.5, max(5.0, 0.5 + length)) == pytest.approx(
        rating
    )


def test_classes_by_hand():
    assert labels.satisfied([3.49, 3.5, 4, 5]).tolist() == [0, 1, 1, 1]
    assert labels.satisfied([[3, 3.9]], threshold=4).tolist() == [[0, 0]]
    assert labels.three_classes([1, 2.99, 3, 3.01, 5]).tolist() == [0, 0, 1, 2, 2]
    assert labels.three_classes([2.4, 2.5, 3.5, 3.6], margin=0.5).tolist() == [0, 1, 1, 2]
    assert labels.three_classes([0, 1], middle=0.5).tolist() == [0, 2]
    assert labels.SATISFIED == SATISFIED


# Several ratings


def most_frequent(one):
    count = Counter(one)
    return sorted(rating for rating, times in count.items() if times == max(count.values()))


@STEADY
@given(RATINGS)
def test_majority_mean_ties_and_counts_as_a_plain_loop_finds_them(ratings):
    tops = [most_frequent(one) for one in ratings]
    assert labels.majority(ratings).tolist() == [top[0] for top in tops]
    assert labels.majority(ratings, "highest").tolist() == [top[-1] for top in tops]
    assert labels.majority(ratings, "mean") == pytest.approx([np.mean(top) for top in tops])
    left = [top[0] if len(top) == 1 else NAN for top in tops]
    assert labels.majority(ratings, "none") == pytest.approx(left, nan_ok=True)
    assert labels.tied(ratings).tolist() == [len(top) > 1 for top in tops]
    assert labels.mean(ratings) == pytest.approx([np.mean(one) for one in ratings])
    assert labels.counts(ratings).tolist() == [
        [one.count(star) for star in range(1, 6)] for one in ratings
    ]


def test_a_mean_of_threes_is_exactly_three():
    means = labels.mean([(3,) * m for m in range(1, 30)] + [(2, 4, 3), (1, 5, 2, 4, 3, 3, 3)])
    assert (means == 3).all() and (labels.three_classes(means) == 1).all()


@STEADY
@given(RATINGS, st.floats(0, 20))
def test_soft_labels_are_distributions_between_shares_and_base(ratings, weight):
    base = np.array([0.1, 0.1, 0.5, 0.2, 0.1])
    shares, smooth = labels.soft(ratings), labels.soft(ratings, weight, base)
    assert smooth.sum(axis=1) == pytest.approx(1) and shares @ labels.STAR_VALUES == pytest.approx(
        labels.mean(ratings)
    )
    size = np.array([[len(one)] for one in ratings])
    assert smooth == pytest.approx((shares * size + base * weight) / (size + weight))
    assert labels.soft([(5,)], 5).tolist() == [pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 6, 2 / 6])]


@STEADY
@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=30))
def test_class_weights_are_those_of_scikit_learn(label):
    found = labels.class_weights(label)
    theirs = compute_class_weight("balanced", classes=np.array(sorted(set(label))), y=label)
    assert list(found) == sorted(set(label)) and list(found.values()) == pytest.approx(theirs)
    assert np.mean([found[one] for one in label]) == pytest.approx(1)


# At the door


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: labels.to_unit([1, 7]), r"rating\[1\] is 7\.0; the scale runs from 1 to 5"),
        (lambda: labels.to_unit(["five"]), "rating is not an array of numbers"),
        (lambda: labels.to_unit([1, None]), r"rating\[1\] is nan; give finite numbers"),
        (lambda: labels.to_unit([]), r"rating has shape \[0\]"),
        (lambda: labels.to_unit(3, 5, 1), "the scale runs from 5 to 1"),
        (lambda: labels.from_unit([0, NAN]), r"unit\[1\] is nan"),
        (lambda: labels.satisfied([4, NAN]), r"rating\[1\] is nan"),
        (lambda: labels.three_classes([3], margin=-1), "margin = -1"),
        (lambda: labels.three_classes([3], margin=NAN), "margin = nan"),
        (lambda: labels.mean([]), "there are no examples"),
        (lambda: labels.mean([(3,), ()]), "example 1 has no rating"),
        (
            lambda: labels.majority([(3, 4)], "first"),
            "unknown ties 'first'; choose one of lowest, highest, mean, none",
        ),
        (lambda: labels.majority([(3, 3.5)]), r"ratings\[1\] is 3\.5; .* or use the mean"),
        (lambda: labels.soft([(3,)], -1), "weight = -1"),
        (lambda: labels.soft([(3,)], 1, [0.5, 0.5]), "five probabilities"),
        (lambda: labels.soft([(3,)], 1, [0.5, 0.5, 0.5, 0, -0.5]), "five probabilities"),
        (lambda: labels.class_weights([]), "no labels"),
    ],
)
def test_bad_input_is_refused_with_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
