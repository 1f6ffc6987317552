"""Baselines against plain scikit-learn, what they may look at, and what they refuse."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from satlib import baselines, metrics

GOOD, BAD, SO = "wonderful superb lovely".split(), "awful poor dull".split(), "lamp shoes novel film radio".split()


def corpus(n, seed):
    """Texts whose rating is 3 plus half a star per good word minus half per bad one, with a little noise."""
    rng = np.random.default_rng(seed)
    texts, ratings = [], []
    for _ in range(n):
        words = rng.choice(GOOD + BAD + SO, 5)
        texts.append(" ".join(words))
        score = sum(w in GOOD for w in words) - sum(w in BAD for w in words)
        ratings.append(float(np.clip(3 + score / 2 + rng.normal(0, 0.1), 1, 5)))
    return texts, ratings


TRAIN, VALIDATION, TEST = corpus(200, 0), corpus(60, 1), corpus(60, 2)


def plain_ridge(alpha, train, texts):
    """Ridge by scikit-learn's dense Cholesky solver on the same TF-IDF."""
    vectoriser = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=baselines.TOKEN)
    rows = vectoriser.fit_transform(train[0]).toarray()
    return Ridge(alpha=alpha, solver="cholesky").fit(rows, train[1]).predict(vectoriser.transform(texts).toarray())


def test_mean_and_majority():
    ratings = [1, 1, 4, 5, 5, 5, 4.6]
    assert baselines.fit_predict("mean", list("abcdefg"), ratings, ["x", "y"]).tolist() == [np.mean(ratings)] * 2
    assert baselines.fit_predict("majority", list("abcdefg"), ratings, ["x", "y"]).tolist() == [5, 5]
    assert baselines.fit_predict("majority", list("ab"), [2.4, 4], ["x"]).tolist() == [2]  # a tie goes to the lower


def test_ridge_equals_another_solver_and_chooses_its_penalty_on_validation():
    errors = {a: metrics.rmse(VALIDATION[1], plain_ridge(a, TRAIN, VALIDATION[0])) for a in baselines.ALPHAS}
    best = min(errors, key=errors.get)
    model = baselines.fit("tfidf-ridge", *TRAIN, VALIDATION)
    assert model[-1].alpha == best and best not in (baselines.ALPHAS[-1], baselines.ALPHA)
    expected = np.clip(plain_ridge(best, TRAIN, TEST[0]), 1, 5)
    found = baselines.fit_predict("tfidf-ridge", *TRAIN, TEST[0], validation=VALIDATION)
    assert np.allclose(found, expected, atol=1e-3)
    assert np.array_equal(found, baselines.fit_predict("tfidf-ridge", *TRAIN, TEST[0], validation=VALIDATION))
    fixed = baselines.fit_predict("tfidf-ridge", *TRAIN, TEST[0])
    assert np.allclose(fixed, np.clip(plain_ridge(baselines.ALPHA, TRAIN, TEST[0]), 1, 5), atol=1e-3)


def test_strongest_penalty_wins_a_tie():
    model = baselines.fit("tfidf-ridge", ["a b", "a c", "b c"], [3, 3, 3], (["a", "b"], [2, 4]))
    assert model[-1].alpha == max(baselines.ALPHAS)


def test_ridge_learns_what_the_mean_cannot():
    ridge = baselines.fit_predict("tfidf-ridge", *TRAIN, TEST[0], validation=VALIDATION)
    mean = baselines.fit_predict("mean", *TRAIN, TEST[0])
    assert metrics.rmse(TEST[1], ridge) < 0.5 * metrics.rmse(TEST[1], mean)


def test_words_come_from_the_training_texts_only():
    model = baselines.fit("tfidf-ridge", ["good lamp", "bad lamp"] * 4, [5, 1] * 4, (["zebra good"], [5]))
    assert not any("zebra" in word for word in baselines.weights(model))
    assert baselines.predict(model, ["zebra"])[0] == pytest.approx(3, abs=1e-6)  # nothing known: the intercept


def test_weights_are_sorted_and_say_what_lowers_a_rating():
    weights = baselines.weights(baselines.fit("tfidf-ridge", *TRAIN, VALIDATION))
    assert list(weights.values()) == sorted(weights.values())
    assert set(list(weights)[:3]) == set(BAD) and set(list(weights)[-3:]) == set(GOOD)


def test_numbers_signs_and_emoji_are_words():
    train = ["rated 4.5 !", "rated 2.5 🙂", "rated 4.5 🙂", "rated 2.5 !", "I 满意", "a 满意"]
    words = baselines.weights(baselines.fit("tfidf-ridge", train, [5, 1, 4, 2, 3, 3]))
    assert {"4.5", "2.5", "!", "🙂", "满意"} <= set(words)


def test_predictions_stay_on_the_scale():
    train = ["up"] * 5 + ["down"] * 5, [5.0] * 5 + [0.5] * 5
    texts = ["up up up", "down", "neither", ""]
    validation = (["down"], [0.5])  # chooses the weakest penalty
    found = baselines.fit_predict("tfidf-ridge", *train, texts, (0.5, 5), validation)
    assert found[0] > 4 and found[1] < 1
    narrow = baselines.fit_predict("tfidf-ridge", *train, texts, (1, 3), validation)
    assert np.array_equal(narrow, np.clip(found, 1, 3)) and narrow[0] == 3 and narrow[1] == 1


def test_tiny_data_keep_every_word():
    found = baselines.fit_predict("tfidf-ridge", ["only", "words"], [1, 5], ["only", "words"])
    assert found[0] < 3 < found[1]
    assert baselines.fit_predict("tfidf-ridge", ["one"], [4], ["two"]).tolist() == [4]


@pytest.mark.parametrize("arguments, said", [
    (("median", ["a"], [1], ["a"]), "unknown baseline 'median'; choose one of mean, majority, tfidf-ridge"),
    (("mean", ["a"], [1, 2], ["a"]), "1 training texts but 2 training ratings"),
    (("mean", "ab", [1, 2], ["a"]), "give one rating per text"),
    (("mean", [], [], ["a"]), "training has 0 rows; give at least one"),
    (("tfidf-ridge", ["a", "b"], [1, float("nan")], ["a"]), "a finite number as its rating"),
    (("tfidf-ridge", ["a", "b"], [1, 2], ["a"], (1, 5), (["a"], [1, 2])), "1 validation texts but 2 validation rat"),
    (("tfidf-ridge", ["", " "], [1, 2], ["a"]), "the 2 training texts hold no word"),
])
def test_refuses(arguments, said):
    with pytest.raises(ValueError, match=said):
        baselines.fit_predict(*arguments)
