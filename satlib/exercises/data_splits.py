"""The exercises of lesson 05: a reference answer and a checker each."""

import math
from types import SimpleNamespace

from satlib.exercises.checking import expect


def answer_1(parts):
    tested = {example.group for example in parts["test"]}
    known = {example.group for example in parts["train"] + parts["validation"]}
    return len(tested & known) / len(tested)


def check_1(answer):
    # A letter is a row of the user of that name: train, validation, test -> the share.
    cases = {
        ("aabbc", "dd", "ef"): 0.0,
        ("aab", "ccd", "abcde"): 0.8,
        ("aaaa", "b", "aaac"): 0.5,
        ("a", "bb", "bbbbc"): 0.5,
    }
    for (train, validation, test), right in cases.items():
        known = train + validation
        rows = [user for user in test if user in known]
        trained = set(test) & set(train)
        mistakes = {
            "that is the share of test rows: count users": len(rows) / len(test),
            "validation users have been met as well": len(trained) / len(set(test)),
        }
        parts = {"train": _users(train), "validation": _users(validation), "test": _users(test)}
        otherwise = f"with test users {test!r}, known {known!r}: {{right}}, not {{got}}"
        expect(answer(parts), right, mistakes, otherwise)


def _users(letters):
    return [SimpleNamespace(id=f"{user}{i}", group=user) for i, user in enumerate(letters)]


def answer_2(rows, times):
    order = sorted(range(len(rows)), key=lambda i: times[i])
    ordered = [rows[i] for i in order]
    trained = len(rows) - math.ceil(len(rows) / 5)
    return ordered[:trained], ordered[trained:]


def check_2(answer):
    for size in (5, 7, 10, 1):
        rows = [f"s{i}" for i in range(size)]
        times = [(7 * i) % 11 for i in range(size)]
        right = answer_2(rows, times)
        tested = math.ceil(size / 5)
        in_file = (rows[: size - tested], rows[size - tested :])
        got = answer(list(rows), list(times))
        otherwise = "the latest rows are tested, and both lists are in the order of time"
        if got is not None:
            train, test = got
            got = (list(train), list(test))
            assert len(test) == tested, f"of {size} rows {tested} are tested, not {len(test)}"
            if sorted([*train, *test]) != sorted(rows):
                otherwise = "every row goes to one part"
        hint = "that is the order of the file: sort by time first"
        expect(got, right, {hint: in_file}, otherwise)


def answer_3(parts):
    seen = {example.events for example in parts["train"] + parts["validation"]}
    copies = [example for example in parts["test"] if example.events in seen]
    return len(copies) / len(parts["test"])


def check_3(answer):
    # A letter is a session with these events: train, validation, test.
    cases = [
        ("ab", "c", "aad"),
        ("abc", "d", "ddef"),
        ("ab", "c", "dee"),
        ("aa", "b", "abab"),
    ]
    for train, validation, test in cases:
        known = train + validation
        copies = [what for what in test if what in known]
        trained = [what for what in test if what in train]
        different = set(test) & set(known)
        within = 1 - len(set(test)) / len(test)
        mistakes = {
            "validation rows have been seen as well": len(trained) / len(test),
            "count rows: a session tested twice counts twice": len(different) / len(set(test)),
            "copies inside the test part alone are not asked for": within,
            "copies have other ids: compare the events": 0.0,
        }
        parts = {"train": _logged(train), "validation": _logged(validation), "test": _logged(test)}
        otherwise = f"tested {test!r}, known {known!r}: {{right}}, not {{got}}"
        expect(answer(parts), len(copies) / len(test), mistakes, otherwise)


def _logged(letters):
    rows = []
    for i, what in enumerate(letters):
        events = (what, "the end")
        rows.append(SimpleNamespace(id=f"{letters}-{i}", group=f"user {i}", events=events))
    return rows
