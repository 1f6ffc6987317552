"""The exercises of lesson 64: a reference answer and a checker each."""

import numpy as np

from satlib.exercises.checking import expect


def answer_1(users, times):
    # Python's sort is stable: rows of the same moment keep the order of the file.
    order = sorted(range(len(users)), key=lambda i: times[i])
    last = {users[i]: i for i in order}  # a later row replaces an earlier one
    return sorted(last.values())


def check_1(answer):
    cases = (
        ("abab", [1, 2, 3, 4]),
        ("aabbb", [9, 3, 1, 8, 4]),
        ("cabcab", [5, 5, 1, 2, 7, 3]),
        ("aa", [4, 4]),
    )
    for users, times in cases:
        got = answer(list(users), times)
        if got is not None:
            got = sorted(int(i) for i in got)
        right = answer_1(users, times)
        last_in_file = answer_1(users, range(len(users)))
        first_rows = answer_1(users, [-time for time in times])
        mistakes = {
            "that is the last row of each user in the file: look at the times": last_in_file,
            "one row of each user, not one of all": [int(np.argmax(times))],
            "those are the users' first rows": first_rows,
        }
        if users == "aa":
            mistakes = {"of rows of the same moment take the later in the file": [0]}
        case = f"users {list(users)} at times {times}: rows "
        expect(got, right, mistakes, case + "{right} are tested, not {got}")


def answer_2(error, user, known):
    own = {}  # user -> errors on known rows
    for e, name, there in zip(error, user, known, strict=True):
        if there:
            own.setdefault(name, []).append(e)
    by_user = [np.sqrt(np.mean(np.square(errors))) for errors in own.values()]
    return np.sqrt(np.mean(np.square(error))) - np.mean(by_user)


def check_2(answer):
    cases = (
        ([2.0, 0.0, 0.5, 3.0], "aabc", [True, True, True, False]),
        ([1.0, 1.0, 1.0, 2.0, 0.0], "aaabb", [True] * 5),
        ([1.0, -2.0, 2.0], "abb", [True, False, True]),
    )
    for error, user, known in cases:
        got = answer(np.array(error), list(user), known)
        right = answer_2(error, user, known)
        rmse_of_all = np.sqrt(np.mean(np.square(error)))
        rmse_of_known = np.sqrt(np.mean(np.array(error)[known] ** 2))
        by_user = rmse_of_all - right
        mistakes = {
            "the honest RMSE comes first": -right,
            "leave out the rows that are not known": answer_2(error, user, [True] * len(error)),
            "average the users' RMSEs, not all rows": rmse_of_all - rmse_of_known,
            "the honest RMSE takes all rows, known or not": rmse_of_known - by_user,
        }
        case = f"errors {error} of the users {list(user)}: "
        expect(got, right, mistakes, case + "{right}, not {got}")


def answer_3(titles, rng):
    different = sorted(set(titles))
    numbers = rng.permutation(len(different)) + 1
    return {title: f"Film {number:04d}" for title, number in zip(different, numbers, strict=True)}


def check_3(answer):
    titles = []
    for number in range(40):
        titles += [f"Night {number}", f"Alien {number}"]
    named = answer([*titles, *titles[:9]], np.random.default_rng(0))
    assert named is not None, "the result is None: does the function end with `return`?"
    assert set(named) == set(titles), f"each of the {len(titles)} different titles needs one name"
    assert len(set(named.values())) == len(titles), (
        "two films share a name: deal the numbers out without repeats"
    )
    for title, name in named.items():
        word = title.split()[0]
        assert word not in name, "a name still holds a word of its title"
    for order in (titles, sorted(titles)):
        numbers = [number_in(named[title]) for title in order]
        follows = abs(np.corrcoef(numbers, np.arange(len(numbers)))[0, 1])
        assert follows < 0.5, (
            "the numbers follow the order of the titles, which tells what films are called: shuffle"
        )
    wanted = [f"Film {number:04d}" for number in range(1, len(titles) + 1)]
    assert sorted(named.values()) == wanted, 'write "Film 0001", "Film 0002" and so on'
    again = answer(list(titles), np.random.default_rng(0))
    assert again == named, "the same seed should give the same names: draw from rng only"
    other = answer(list(titles), np.random.default_rng(1))
    assert other != named, "another rng should deal the numbers out otherwise: draw from rng"


def number_in(name):
    return int("".join(filter(str.isdigit, name)))
