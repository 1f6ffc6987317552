"""The exercises of lesson 32: a reference answer and a checker each."""

import math

import numpy as np


def answer_1(texts, word):
    d = sum(word in text.split() for text in texts)
    return math.log((1 + len(texts)) / (1 + d)) + 1


def check_1(answer):
    texts = ["good good lamp", "bad lamp", "goodness me", "lamp"]
    for word, d in (("good", 1), ("lamp", 3), ("superb", 0)):
        found, expected = float(answer(texts, word)), math.log(5 / (1 + d)) + 1
        assert not (word == "good" and math.isclose(found, math.log(5 / 3) + 1)), (
            "'good' stands in one of these texts: count texts, not occurrences, and not 'goodness'"
        )
        assert not math.isclose(found, expected - 1), (
            "add the 1 after the logarithm, so that no word vanishes"
        )
        assert math.isclose(found, expected), (
            f"the factor of {word!r} is {expected:.4f}, not {found:.4f}"
        )


def answer_2(ratings, users, asked, k=5):
    m = ratings.mean()
    return np.array([(ratings[users == u].sum() + k * m) / (np.sum(users == u) + k) for u in asked])


def check_2(answer):
    ratings, users = np.array([5.0, 5.0, 4.0, 1.0]), np.array(["a", "a", "a", "b"])
    asked = np.array(["b", "stranger", "a", "b"])
    for k in (5, 1):
        found = np.asarray(answer(ratings, users, asked, k=k), dtype=float)
        assert found.shape == (4,), "give one prediction for every entry of asked"
        assert np.isclose(found[1], 3.75), (
            "a user without training ratings gets the mean of all ratings, 3.75 here"
        )
        assert not np.isclose(found[0], 1), (
            "one rating is not enough to believe: damp it towards the mean"
        )
        assert np.allclose(found, answer_2(ratings, users, asked, k)), (
            "count the mean of all ratings as k ratings"
        )


def answer_3(counts, rows, text):
    words = np.log((1 + counts) / (counts.shape[1] + counts.sum(axis=1, keepdims=True)))
    logs = np.log(rows / rows.sum()) + words[:, text].sum(axis=1)
    weights = np.exp(
        logs - logs.max()
    )  # the largest is 1, so that a long text does not end as 0 / 0
    return float(weights @ np.arange(1, len(rows) + 1) / weights.sum())


def check_3(answer):
    counts = np.array([[9, 1, 0], [5, 2, 1], [3, 3, 3], [1, 6, 2], [0, 8, 4]])
    rows = np.array([2, 3, 5, 9, 21])

    def found(text):
        return float(answer(counts.copy(), rows.copy(), list(text)))

    assert math.isclose(found([]), 4.1), (
        "a text without words leaves the shares of the rows: their mean rating is 4.1"
    )
    assert not math.isclose(found([0, 1]), round(found([0, 1]))), (
        "the mean under the weights, not the likeliest rating"
    )
    several = [0, 0, 0, 1]
    assert not math.isclose(found(several), answer_3(counts, rows, [0, 1])), (
        "a word counts as often as it stands"
    )
    expected = answer_3(counts, rows, several)
    assert math.isclose(found(several), expected, rel_tol=1e-6), (
        f"expected {expected:.4f}: add 1 to every count, and V to the sum of a rating's counts"
    )
    long = found([0, 1, 2] * 400)
    assert math.isclose(long, answer_3(counts, rows, [0, 1, 2] * 400), rel_tol=1e-6), (
        f"{long:.4g} for a text of 1,200 words: a product of so many shares is 0 in floating point; add logarithms"
    )
