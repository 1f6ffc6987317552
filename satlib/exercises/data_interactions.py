"""The exercises of lesson 01: a reference answer and a checker each."""

from satlib.exercises.checking import expect


def answer_1(example):
    known = [event.dwell for event in example.events if event.dwell is not None]
    if not known:
        return None
    return sum(known) / len(known)


def check_1(answer):
    cases = [
        ([10.0, 30.0], 20.0),
        ([10.0, None, 30.0], 20.0),
        ([0.0, 4.0, None], 2.0),
        ([None], None),
    ]
    for dwells, right in cases:
        not_zero = [dwell for dwell in dwells if dwell]
        mistakes = {"an unknown dwell is not 0: leave it out": sum(not_zero) / len(dwells)}
        if not_zero:
            hint = "0 seconds is known: ask `is not None`, not whether it is true"
            mistakes[hint] = sum(not_zero) / len(not_zero)
        otherwise = f"the dwells {dwells} should give {{right}}, not {{got}}"
        got = answer(_session(dwells=dwells))
        if right is None:
            assert got is None, otherwise.format(right=right, got=got)
        else:
            expect(got, right, mistakes, otherwise)


def answer_2(examples):
    ratings = {}
    for example in examples:
        ratings.setdefault(example.group, []).append(example.rating)
    satisfied = 0
    for own in ratings.values():
        if sum(own) / len(own) >= 4:
            satisfied += 1
    return satisfied / len(ratings)


def check_2(answer):
    rows = [
        ("a", [5.0]),
        ("a", [4.0]),
        ("a", [5.0]),
        ("b", [5.0, 3.0]),
        ("c", [1.0]),
        ("c", [5.0, 4.0, 5.0]),
    ]
    examples = [_session(group, ratings) for group, ratings in rows]
    mistakes = {
        "that is the share of sessions: average each user's sessions first": 5 / 6,
        "a mean of exactly 4 counts, and an example's rating is the mean of its ratings": 1 / 3,
    }
    otherwise = "two of three users reach a mean of 4 here: {right}, not {got}"
    expect(answer(examples), 2 / 3, mistakes, otherwise)


def _session(group="u", ratings=(4.0,), dwells=(1.0,)):
    from satlib.data.interactions import Event, Example

    events = tuple(Event("user", "view", "item", dwell=dwell) for dwell in dwells)
    return Example("s", group, "shop", events, tuple(ratings))
