"""The exercises of lesson 21: a reference answer and a checker each."""

import numpy as np

from satlib.exercises.checking import expect


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
        got = answer(items, columns)
    except (KeyError, IndexError) as error:
        raise AssertionError(
            "a title without a column must be left out, not raise an error"
        ) from error
    if got is not None:
        assert np.shape(got) == (3,), (
            f"one row with a number for each of the 3 columns, not shape {np.shape(got)}"
        )
        assert got[2] != 1, (
            "'tent' occurs three times; note that row[[2, 2, 2]] += 1 adds 1 only once"
        )
    expect(got, np.array([1, 0, 3]), otherwise=f"{items} should give {{right}}, not {{got}}")
    empty = "no items at all should give a row of zeros"
    expect(answer([], columns), np.zeros(3), otherwise=empty)


def answer_2(vectors):
    weights = 0.5 ** np.arange(len(vectors))[::-1]
    return weights @ np.asarray(vectors) / weights.sum()


def check_2(answer):
    vectors = np.array([[8.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    got = answer(vectors)
    if got is not None:
        assert np.shape(got) == (2,), f"the mean has shape [d] = (2,), not {np.shape(got)}"
    mistakes = {
        "the oldest event has the greatest weight; it should have the least": [32 / 7, 8 / 7],
        "the weights 1/4, 1/2 and 1 must still be divided by their sum": [2, 2],
    }
    otherwise = "weights 1/7, 2/7, 4/7 give [8/7, 8/7], not {got}"
    expect(got, [8 / 7, 8 / 7], mistakes, otherwise)
    expect(answer(vectors[:1]), vectors[0], otherwise="a single event is its own mean")
