"""The exercises of lesson 32: a reference answer and a checker each."""

import math

import numpy as np

from satlib.exercises.checking import expect


def answer_1(texts, word):
    holding = sum(word in text.split() for text in texts)
    return math.log((1 + len(texts)) / (1 + holding)) + 1


def check_1(answer):
    texts = ["good good lamp", "bad lamp", "goodness me", "lamp"]
    holding = {"good": 1, "lamp": 3, "superb": 0}
    for word, count in holding.items():
        right = math.log(5 / (1 + count)) + 1
        mistakes = {"add the 1 after the logarithm, so that no word vanishes": right - 1}
        if word == "good":
            mistakes |= {
                "'good' stands in one of these texts: count texts, not occurrences, "
                "and not 'goodness'": math.log(5 / 3) + 1,
                "'good' stands twice in one of these texts, and 'goodness' is another word: "
                "count the texts that hold the word": math.log(5 / 4) + 1,
            }
        otherwise = f"the factor of {word!r} is {{right}}, not {{got}}"
        expect(answer(texts, word), right, mistakes, otherwise)


def answer_2(ratings, users, asked, k=5):
    mean = ratings.mean()
    predicted = []
    for user in asked:
        own = ratings[users == user]
        predicted.append((own.sum() + k * mean) / (len(own) + k))
    return np.array(predicted)


def check_2(answer):
    ratings = np.array([5.0, 5.0, 4.0, 1.0])
    users = np.array(["a", "a", "a", "b"])
    asked = np.array(["b", "stranger", "a", "b"])
    for k in (5, 1):
        got = answer(ratings, users, asked, k=k)
        assert got is not None, "the result is None: end the function with `return`"
        expect(np.shape(got), (4,), otherwise="give one prediction for every entry of asked")
        stranger = (
            "a user without training ratings gets the mean of all ratings, {right} here, not {got}"
        )
        expect(float(got[1]), 3.75, otherwise=stranger)
        right = answer_2(ratings, users, asked, k)
        believed = "one rating is not enough to believe: damp it towards the mean"
        otherwise = "count the mean of all ratings as k ratings"
        expect(float(got[0]), right[0], {believed: 1.0}, otherwise)
        expect(got, right, otherwise=otherwise)


def answer_3(counts, rows, text):
    words = np.log((1 + counts) / (counts.shape[1] + counts.sum(axis=1, keepdims=True)))
    logs = np.log(rows / rows.sum()) + words[:, text].sum(axis=1)
    # The largest weight is 1, so that a long text does not end as 0 / 0.
    weights = np.exp(logs - logs.max())
    return float(weights @ np.arange(1, len(rows) + 1) / weights.sum())


def check_3(answer):
    counts = np.array([[9, 1, 0], [5, 2, 1], [3, 3, 3], [1, 6, 2], [0, 8, 4]])
    rows = np.array([2, 3, 5, 9, 21])

    def ask(text):
        return answer(counts.copy(), rows.copy(), list(text))

    without_words = "a text without words leaves the shares of the rows: their mean rating is 4.1"
    expect(ask([]), 4.1, otherwise=without_words)
    two = [0, 1]
    got = ask(two)
    right = answer_3(counts, rows, two)
    likeliest = {"the mean under the weights, not the likeliest rating": round(got)}
    smoothing = "expected {right}: add 1 to every count, and V to the sum of a rating's counts"
    expect(got, right, likeliest, smoothing)
    several = [0, 0, 0, 1]
    once = {"a word counts as often as it stands": right}
    expect(ask(several), answer_3(counts, rows, several), once, smoothing)
    long = [0, 1, 2] * 400
    underflow = (
        "{got} for a text of 1,200 words: a product of so many shares is 0 in floating point; "
        "add logarithms"
    )
    expect(ask(long), answer_3(counts, rows, long), otherwise=underflow)
