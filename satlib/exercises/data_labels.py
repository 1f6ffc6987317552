"""The exercises of lesson 04: a reference answer and a checker each."""

import math

import numpy as np


def answer_1(ratings):
    votes = sum(rating >= 4 for rating in ratings)
    return None if 2 * votes == len(ratings) else int(2 * votes > len(ratings))


def check_1(answer):
    for ratings in (
        (4,),
        (5, 4, 1),
        (5, 3, 3),
        (3, 3, 4, 5, 4),
        (5, 5, 3, 3),
        (4, 4, 2, 3),
        (1, 2),
    ):
        got, votes = answer(ratings), [rating >= 4 for rating in ratings]
        label = None if 2 * sum(votes) == len(votes) else int(2 * sum(votes) > len(votes))
        wrong = [
            (
                int(np.mean(ratings) >= 4),
                "that is the label of the mean: let each annotator vote first",
            ),
            (
                int(np.mean(np.array(ratings) >= 3) > 0.5),
                "a 3 is no vote for satisfied: the threshold is 4",
            ),
        ]
        hints = ["the votes are equally many: the label is None"] if label is None else []
        hints += [hint for mistake, hint in wrong if got == mistake]
        hints.append(f"{ratings} should give {label}, not {got}")
        assert got is None if label is None else got == label, hints[0]


def answer_2(ratings):
    hits = []
    for one in ratings:
        for i in range(len(one)) if len(one) > 1 else ():
            rest = (sum(one) - one[i]) / (len(one) - 1)
            hits.append(np.sign(one[i] - 3) == np.sign(rest - 3))
    return float(np.mean(hits))


def check_2(answer):
    ratings = [(3, 3, 4), (5, 1, 3), (4, 5), (2, 2, 4, 5), (2, 1, 2), (3,)]
    got, several = float(answer(ratings)), ratings[:-1]
    own = [[np.sign(r - 3) == np.sign(np.mean(one) - 3) for r in one] for one in ratings]
    rest = [
        [np.sign(r - 3) == np.sign((sum(one) - r) / (len(one) - 1) - 3) for r in one]
        for one in several
    ]
    hits, asked = sum(map(sum, rest)), sum(map(len, several))
    wrong = [
        (
            sum(map(sum, own)) / (asked + 1),
            "leave the annotator's own rating out of the mean it is judged by",
        ),
        (
            sum(map(sum, own[:-1])) / asked,
            "leave the annotator's own rating out of the mean it is judged by",
        ),
        (
            np.mean([np.mean(one) for one in rest]),
            "pool the annotators: each of them counts once, not each turn",
        ),
        (hits / (asked + 1), "(3,) has no other annotator to agree with: leave it out"),
        (
            got,
            f"{hits} of {asked} annotators meet the class of the others: {hits / asked:.3f}, not {got:.3f}",
        ),
    ]
    assert math.isclose(got, hits / asked), next(
        hint for mistake, hint in wrong if math.isclose(got, mistake)
    )


def answer_3(variance, target):
    return max(1, math.ceil(variance / target**2))


def check_3(answer):
    for variance, target in ((1.0, 0.5), (1.0, 0.45), (0.25, 0.25), (1.2, 0.3), (0.2, 1.0)):
        got, needed = answer(variance, target), max(1, math.ceil(variance / target**2))
        wrong = [
            (
                math.ceil(variance / target),
                "the target is a root: compare variance / m with its square",
            ),
            (math.ceil(variance**2 / target**2), "a variance is squared already"),
            (variance / target**2, "annotators come whole: round up"),
            (
                int(variance / target**2),
                f"with {got} annotators the noise is still above {target:g}: round up",
            ),
            (
                got,
                f"a variance of {variance:g} and a target of {target:g} need {needed} annotators, not {got}",
            ),
        ]
        assert got == needed, next(hint for mistake, hint in wrong if got == mistake)
