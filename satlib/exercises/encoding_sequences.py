"""The exercises of lesson 21: a reference answer and a checker each."""

import numpy as np


def answer_1(items, columns):
    row = np.zeros(len(columns))
    for item in items:
        if item in columns:
            row[columns[item]] += 1
    return row


def check_1(answer):
    columns = {"lamp": 0, "stove": 1, "tent": 2}
    items = ["tent", "lamp", "tent", "kayak", "tent"]
    try:
        found = np.asarray(answer(items, columns), dtype=float)
    except (KeyError, IndexError) as error:
        raise AssertionError(
            "a title without a column must be left out, not raise an error"
        ) from error
    assert found.shape == (3,), (
        f"one row with a number for each of the 3 columns, not shape {found.shape}"
    )
    assert found[2] != 1, (
        "'tent' occurs three times; note that row[[2, 2, 2]] += 1 adds 1 only once"
    )
    assert np.array_equal(found, [1, 0, 3]), f"{items} should give [1, 0, 3], not {found.tolist()}"
    assert np.array_equal(answer([], columns), [0, 0, 0]), (
        "no items at all should give a row of zeros"
    )


def answer_2(vectors):
    weights = 0.5 ** np.arange(len(vectors))[::-1]
    return weights @ np.asarray(vectors) / weights.sum()


def check_2(answer):
    vectors = np.array([[8.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    found = np.asarray(answer(vectors), dtype=float)
    assert found.shape == (2,), f"the mean has shape [d] = (2,), not {found.shape}"
    assert not np.allclose(found, [32 / 7, 8 / 7]), (
        "the oldest event has the greatest weight; it should have the least"
    )
    assert not np.allclose(found, [2, 2]), (
        "the weights 1/4, 1/2 and 1 must still be divided by their sum"
    )
    assert np.allclose(found, [8 / 7, 8 / 7]), (
        f"weights 1/7, 2/7, 4/7 give [8/7, 8/7], not {found.tolist()}"
    )
    assert np.allclose(answer(vectors[:1]), vectors[0]), "a single event is its own mean"
