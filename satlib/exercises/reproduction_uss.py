"""The exercises of lesson 61: a reference answer and a checker each."""

import math

import numpy as np

from satlib.exercises.checking import expect


def answer_1(printed, precision):
    return printed / (precision + printed / (2 * precision))


def check_1(answer):
    for precision, recall in ((0.25, 0.25), (0.1, 0.6), (0.5, 0.05), (0.3, 0.3)):
        printed = 2 * precision * recall
        right = printed / (precision + recall)
        wrong_recall = printed / precision
        mistakes = {
            "that is what was printed; it was divided by 1, not by P + R": printed,
            "half is lost only where P + R = 0.5": 2 * printed,
            "that is the recall; go on from it": recall,
            "printed is 2 P R, so R = printed / (2 P)": printed / (precision + wrong_recall),
        }
        case = f"P = {precision} and R = {recall}"
        got = answer(printed, precision)
        expect(got, right, mistakes, case + " have F1 {right}, not {got}")


def answer_2(counts):
    below = np.cumsum(counts) - counts
    n = np.sum(counts)
    return 1 - 6 * np.sum(counts * below**2) / (n**3 - n)


def check_2(answer):
    for counts in ([0, 1, 8, 1, 0], [1, 2, 10, 4, 3], [0, 0, 5, 5, 0], [3, 0, 0, 0, 4]):
        counts = np.array(counts)
        n = counts.sum()

        # A constant has rank 1 everywhere, so a row's d is its rank minus 1: the rows below it.
        def rho(d, weights, n=n):
            return 1 - 6 * np.sum(weights * d**2) / (n**3 - n)

        below = np.cumsum(counts) - counts
        middle = below + (counts - 1) / 2
        last = below + counts - 1
        occurs = counts > 0
        first = "equal ratings take the rank of the first of them"
        mistakes = {
            "undefined is the right rho; asked is the faulty one, which has a number": math.nan,
            f"{first}, not the middle one": rho(middle, counts),
            f"{first}, not of the last": rho(last, counts),
            "a rank counts the rows below, not the classes below": rho(np.arange(5), counts),
            "sum over the rows, not over the classes": rho(below, 1),
            "sum over the rows, not over the classes that occur": rho(below, occurs),
        }
        case = f"the counts {counts.tolist()} have "
        expect(answer(counts), answer_2(counts), mistakes, case + "{right}, not {got}")


def answer_3(groups, folds):
    size = len(groups) // folds
    first = {}
    for row, group in enumerate(groups):
        first.setdefault(group, min(row // size, folds - 1))
    return [first[group] for group in groups]


def check_3(answer):
    cases = (
        ([3, 3, 3, 3], 4),
        ([2, 4, 3, 1, 5], 3),
        ([1, 5, 2, 2, 3, 4], 4),
        ([4, 1, 1, 1], 2),
    )
    for sizes, folds in cases:
        groups = []
        for number, size in enumerate(sizes):
            groups += [f"d{number}"] * size
        got = answer(groups, folds)
        if got is not None:
            check_that_no_dialogue_is_cut(got, groups, folds)
        last_fold = folds - 1
        dialogues_a_block = max(len(sizes) // folds, 1)
        rows_a_block = len(groups) // folds
        by_dialogue = [min(int(name[1:]) // dialogues_a_block, last_fold) for name in groups]
        of_last_row = {}
        for row, name in enumerate(groups):
            of_last_row[name] = min(row // rows_a_block, last_fold)
        mistakes = {
            "blocks have equally many rows, not equally many dialogues": by_dialogue,
            "the first row of a dialogue decides, not the last": [of_last_row[g] for g in groups],
        }
        case = f"dialogues of {sizes} rows in {folds} folds: "
        expect(got, answer_3(groups, folds), mistakes, case + "{right}, not {got}")


def check_that_no_dialogue_is_cut(got, groups, folds):
    assert len(got) == len(groups), f"give a fold for each of the {len(groups)} rows"
    folds_of = {}
    for fold, group in zip(got, groups, strict=True):
        folds_of.setdefault(group, set()).add(int(fold))
    cut = [group for group, seen in folds_of.items() if len(seen) > 1]
    assert not cut, f"{len(cut)} dialogues are cut: all rows of one have the fold of its first row"
    highest = max(max(seen) for seen in folds_of.values())
    assert highest < folds, (
        f"folds have the numbers 0 to {folds - 1}: the last block takes the rest"
    )
