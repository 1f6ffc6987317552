"""The exercises of lesson 04: a reference answer and a checker each."""

import math

import numpy as np

from satlib.exercises.checking import expect


def answer_1(ratings):
    votes = sum(rating >= 4 for rating in ratings)
    against = len(ratings) - votes
    if votes == against:
        return None
    if votes > against:
        return 1
    return 0


def check_1(answer):
    cases = [
        (4,),
        (5, 4, 1),
        (5, 3, 3),
        (3, 3, 4, 5, 4),
        (5, 5, 3, 3),
        (4, 4, 2, 3),
        (1, 2),
    ]
    for ratings in cases:
        right = answer_1(ratings)
        got = answer(ratings)
        if right is None:
            assert got is None, "the votes are equally many: the label is None"
            continue
        from_three = np.mean(np.array(ratings) >= 3)
        mistakes = {
            "that is the label of the mean: let each annotator vote first": np.mean(ratings) >= 4,
            "a 3 is no vote for satisfied: the threshold is 4": from_three > 0.5,
        }
        expect(got, right, mistakes, f"{ratings} should give {{right}}, not {{got}}")


def answer_2(ratings):
    hits = []
    for one in ratings:
        if len(one) == 1:
            continue
        for own in one:
            others = (sum(one) - own) / (len(one) - 1)
            hits.append(np.sign(own - 3) == np.sign(others - 3))
    return float(np.mean(hits))


def check_2(answer):
    ratings = [(3, 3, 4), (5, 1, 3), (4, 5), (2, 2, 4, 5), (2, 1, 2), (3,)]
    several = ratings[:-1]  # (3,) has no other annotator to agree with
    asked = sum(map(len, several))
    right = answer_2(several)
    hits = round(right * asked)
    by_turn = np.mean([answer_2([one]) for one in several])
    judged_by_itself = "leave the annotator's own rating out of the mean it is judged by"
    alone = "(3,) has no other annotator to agree with: leave it out"
    mistakes = {
        f"{judged_by_itself}, and {alone}": _with_itself(ratings),
        judged_by_itself: _with_itself(several),
        "pool the annotators: each of them counts once, not each turn": by_turn,
        alone: hits / (asked + 1),
    }
    otherwise = f"{hits} of {asked} annotators meet the class of the others: {{right}}, not {{got}}"
    expect(answer(ratings), right, mistakes, otherwise)


def _with_itself(ratings):
    """The mistaken share: each annotator against the mean of all, the own rating among them."""
    hits = []
    for one in ratings:
        for own in one:
            hits.append(np.sign(own - 3) == np.sign(np.mean(one) - 3))
    return np.mean(hits)


def answer_3(variance, target):
    return max(1, math.ceil(variance / target**2))


def check_3(answer):
    for variance, target in ((1.0, 0.5), (1.0, 0.45), (0.25, 0.25), (1.2, 0.3), (0.2, 1.0)):
        exact = variance / target**2
        too_few = int(exact)
        not_squared = "the target is a root: compare variance / m with its square"
        above = f"with {too_few} annotators the noise is still above {target:g}: round up"
        mistakes = {
            not_squared: math.ceil(variance / target),
            "a variance is squared already": math.ceil(variance**2 / target**2),
            "annotators come whole: round up": exact,
            above: too_few,
        }
        otherwise = (
            f"a variance of {variance:g} and a target of {target:g} need {{right}} annotators, "
            "not {got}"
        )
        expect(answer(variance, target), answer_3(variance, target), mistakes, otherwise)
