"""The exercises of lesson 61: a reference answer and a checker each."""

import math

import numpy as np


def answer_1(printed, precision):
    return printed / (precision + printed / (2 * precision))


def check_1(answer):
    for precision, recall in ((0.25, 0.25), (0.1, 0.6), (0.5, 0.05), (0.3, 0.3)):
        printed, right = 2 * precision * recall, 2 * precision * recall / (precision + recall)
        found = float(answer(printed, precision))
        assert not math.isclose(found, printed), (
            "that is what was printed; it was divided by 1, not by P + R"
        )
        twice = math.isclose(precision + recall, 0.5)
        assert twice or not math.isclose(found, 2 * printed), "half is lost only where P + R = 0.5"
        assert not math.isclose(found, recall) or math.isclose(recall, right), (
            "that is the recall; go on from it"
        )
        assert precision == recall or not math.isclose(
            found, printed / (precision + printed / precision)
        ), "printed is 2 P R, so R = printed / (2 P)"
        assert math.isclose(found, right), (
            f"P = {precision} and R = {recall} have F1 {right:.3f}, not {found:.3f}"
        )


def answer_2(counts):
    below = np.cumsum(counts) - counts
    n = np.sum(counts)
    return 1 - 6 * np.sum(counts * below**2) / (n**3 - n)


def check_2(answer):
    for counts in ([0, 1, 8, 1, 0], [1, 2, 10, 4, 3], [0, 0, 5, 5, 0], [3, 0, 0, 0, 4]):
        counts = np.array(counts)
        found, right = float(answer(counts)), answer_2(counts)
        n, below = counts.sum(), np.cumsum(counts) - counts
        middle, upper = below + (counts - 1) / 2, below + counts - 1
        assert not math.isnan(found), (
            "undefined is the right rho; asked is the faulty one, which has a number"
        )
        for ranks, hint in (
            (middle, "equal ratings take the rank of the first of them, not the middle one"),
            (upper, "equal ratings take the rank of the first of them, not of the last"),
            (np.arange(5) * (counts > 0), "a rank counts the rows below, not the classes below"),
        ):
            mistaken = 1 - 6 * np.sum(counts * ranks**2) / (n**3 - n)
            assert math.isclose(found, right) or not math.isclose(found, mistaken), hint
        once = 1 - 6 * np.sum(below**2) / (n**3 - n)
        assert math.isclose(found, right) or not math.isclose(found, once), (
            "sum over the rows, not over the classes"
        )
        assert math.isclose(found, right), (
            f"the counts {counts.tolist()} have {right:.3f}, not {found:.3f}"
        )


def answer_3(groups, folds):
    size = len(groups) // folds
    first = {}
    for row, group in enumerate(groups):
        first.setdefault(group, min(row // size, folds - 1))
    return [first[group] for group in groups]


def check_3(answer):
    for sizes, folds in (
        ([3, 3, 3, 3], 4),
        ([2, 4, 3, 1, 5], 3),
        ([1, 5, 2, 2, 3, 4], 4),
        ([4, 1, 1, 1], 2),
    ):
        groups = [f"d{i}" for i, size in enumerate(sizes) for _ in range(size)]
        found, right = [int(fold) for fold in answer(groups, folds)], answer_3(groups, folds)
        assert len(found) == len(groups), f"give a fold for each of the {len(groups)} rows"
        cut = [
            g
            for g in dict.fromkeys(groups)
            if len({f for f, h in zip(found, groups, strict=True) if h == g}) > 1
        ]
        assert not cut, (
            f"{len(cut)} dialogues are cut: all rows of one have the fold of its first row"
        )
        assert max(found) < folds, (
            f"folds have the numbers 0 to {folds - 1}: the last block takes the rest"
        )
        names = list(dict.fromkeys(groups))
        equal = [min(names.index(g) // max(len(names) // folds, 1), folds - 1) for g in groups]
        assert found == right or found != equal, (
            "blocks have equally many rows, not equally many dialogues"
        )
        last = {g: min(i // (len(groups) // folds), folds - 1) for i, g in enumerate(groups)}
        assert found == right or found != [last[g] for g in groups], (
            "the first row of a dialogue decides, not the last"
        )
        assert found == right, f"dialogues of {sizes} rows in {folds} folds: {right}, not {found}"
