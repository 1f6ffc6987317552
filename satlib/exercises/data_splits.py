"""The exercises of lesson 05: a reference answer and a checker each."""

import math


def answer_1(parts):
    test, known = (
        {e.group for part in names for e in parts[part]}
        for names in (("test",), ("train", "validation"))
    )
    return len(test & known) / len(test)


def check_1(answer):
    cases = {
        ("aabbc", "dd", "ef"): 0.0,
        ("aab", "ccd", "abcde"): 0.8,
        ("aaaa", "b", "aaac"): 0.5,
        ("a", "bb", "bbbbc"): 0.5,
    }
    for (train, validation, test), share in cases.items():
        got = float(
            answer({"train": _users(train), "validation": _users(validation), "test": _users(test)})
        )
        rows = sum(user in train + validation for user in test) / len(test)
        assert not math.isclose(got, rows) or math.isclose(rows, share), (
            "that is the share of test rows: count users"
        )
        only = len(set(test) & set(train)) / len(set(test))
        assert not math.isclose(got, only) or math.isclose(only, share), (
            "validation users have been met as well"
        )
        assert math.isclose(got, share), (
            f"with test users {test!r}, known {train + validation!r}: {share}, not {got}"
        )


def _users(letters):
    from types import SimpleNamespace

    return [SimpleNamespace(id=f"{user}{i}", group=user) for i, user in enumerate(letters)]


def answer_2(rows, times):
    ordered = [row for _, row in sorted(zip(times, rows, strict=True), key=lambda pair: pair[0])]
    kept = len(rows) - math.ceil(len(rows) / 5)
    return ordered[:kept], ordered[kept:]


def check_2(answer):
    for size in (5, 7, 10, 1):
        rows, times = [f"s{i}" for i in range(size)], [(7 * i) % 11 for i in range(size)]
        train, test = map(list, answer(list(rows), list(times)))
        ordered = sorted(rows, key=lambda row: times[rows.index(row)])
        assert len(test) == math.ceil(size / 5), (
            f"of {size} rows {math.ceil(size / 5)} are tested, not {len(test)}"
        )
        assert train + test != rows or rows == ordered, (
            "that is the order of the file: sort by time first"
        )
        assert not set(train) & set(test) and set(train) | set(test) == set(rows), (
            "every row goes to one part"
        )
        assert train + test == ordered, (
            "the latest rows are tested, and both lists are in the order of time"
        )


def answer_3(parts):
    seen = {e.events for part in ("train", "validation") for e in parts[part]}
    return sum(e.events in seen for e in parts["test"]) / len(parts["test"])


def check_3(answer):
    for train, validation, test in (
        ("ab", "c", "aad"),
        ("abc", "d", "ddef"),
        ("ab", "c", "dee"),
        ("aa", "b", "abab"),
    ):
        rows = {"train": _logged(train), "validation": _logged(validation), "test": _logged(test)}
        known, got = set(train + validation), float(answer(rows))
        share = sum(what in known for what in test) / len(test)
        mistakes = [
            (
                sum(what in train for what in test) / len(test),
                "validation rows have been seen as well",
            ),
            (
                len(set(test) & known) / len(set(test)),
                "count rows: a session tested twice counts twice",
            ),
            (1 - len(set(test)) / len(test), "copies inside the test part alone are not asked for"),
            (0.0, "copies have other ids: compare the events"),
        ]
        hints = [hint for mistake, hint in mistakes if math.isclose(got, mistake, abs_tol=1e-9)]
        hints.append(f"tested {test!r}, known {train + validation!r}: {share:.3f}, not {got:.3f}")
        assert math.isclose(got, share, abs_tol=1e-9), hints[0]


def _logged(letters):
    from types import SimpleNamespace

    return [
        SimpleNamespace(id=f"{letters}-{i}", group=f"user {i}", events=(what, "the end"))
        for i, what in enumerate(letters)
    ]
