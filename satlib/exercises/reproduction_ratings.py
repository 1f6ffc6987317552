"""The exercises of lesson 64: a reference answer and a checker each."""

import numpy as np


def answer_1(users, times):
    order = sorted(
        range(len(users)), key=lambda i: times[i]
    )  # equal times keep the order of the file
    return sorted({users[i]: i for i in order}.values())


def check_1(answer):
    cases = (
        ("abab", [1, 2, 3, 4]),
        ("aabbb", [9, 3, 1, 8, 4]),
        ("cabcab", [5, 5, 1, 2, 7, 3]),
        ("aa", [4, 4]),
    )
    for users, times in cases:
        found, right = sorted(int(i) for i in answer(list(users), times)), answer_1(users, times)
        in_file = sorted({user: i for i, user in enumerate(users)}.values())
        first = answer_1(users, [-time for time in times])
        assert found == right or found != in_file, (
            "that is the last row of each user in the file: look at the times"
        )
        assert found == right or len(set(users)) == 1 or len(found) != 1, (
            "one row of each user, not one of all"
        )
        assert found == right or times == [4, 4] or found != first, (
            "those are the users' first rows"
        )
        assert found == right or times != [4, 4], (
            "of rows of the same moment take the later in the file"
        )
        assert found == right, (
            f"users {list(users)} at times {times}: rows {right} are tested, not {found}"
        )


def answer_2(error, user, known):
    kept = [(e, u) for e, u, there in zip(error, user, known, strict=True) if there]
    own = [np.sqrt(np.mean([e**2 for e, u in kept if u == one])) for one in {u for _, u in kept}]
    return np.sqrt(np.mean(np.square(error))) - np.mean(own)


def check_2(answer):
    cases = (
        ([2.0, 0.0, 0.5, 3.0], "aabc", [True, True, True, False]),
        ([1.0, 1.0, 1.0, 2.0, 0.0], "aaabb", [True] * 5),
        ([1.0, -2.0, 2.0], "abb", [True, False, True]),
    )
    for error, user, known in cases:
        found, right = (
            float(answer(np.array(error), list(user), known)),
            answer_2(error, user, known),
        )
        all_rows = answer_2(error, user, [True] * len(error))
        kept = np.array(error)[np.array(known)]
        pooled = np.sqrt(np.mean(np.square(error))) - np.sqrt(np.mean(kept**2))
        same = np.sqrt(np.mean(kept**2)) + right - np.sqrt(np.mean(np.square(error)))
        assert np.isclose(found, right) or not np.isclose(found, -right), (
            "the honest RMSE comes first"
        )
        assert np.isclose(found, right) or not np.isclose(found, all_rows), (
            "leave out the rows that are not known"
        )
        assert np.isclose(found, right) or not np.isclose(found, pooled), (
            "average the users' RMSEs, not all rows"
        )
        assert np.isclose(found, right) or not np.isclose(found, same), (
            "the honest RMSE takes all rows, known or not"
        )
        assert np.isclose(found, right), (
            f"errors {error} of the users {list(user)}: {right:.3f}, not {found:.3f}"
        )


def answer_3(titles, rng):
    different = sorted(set(titles))
    numbers = rng.permutation(len(different)) + 1
    return {title: f"Film {number:04d}" for title, number in zip(different, numbers, strict=True)}


def check_3(answer):
    titles = [f"{word} {n}" for n in range(40) for word in ("Night", "Alien")]
    found = answer([*titles, *titles[:9]], np.random.default_rng(0))
    assert set(found) == set(titles), f"each of the {len(titles)} different titles needs one name"
    assert len(set(found.values())) == len(titles), (
        "two films share a name: deal the numbers out without repeats"
    )
    assert all(title.split()[0] not in name for title, name in found.items()), (
        "a name still holds a word of its title"
    )
    numbers = [int("".join(filter(str.isdigit, found[title]))) for title in sorted(found)]
    for order in (numbers, [numbers[sorted(found).index(title)] for title in titles]):
        steady = abs(np.corrcoef(order, np.arange(len(order)))[0, 1])
        assert steady < 0.5, (
            "the numbers follow the order of the titles, which tells what films are called: shuffle"
        )
    assert sorted(found.values()) == [f"Film {n:04d}" for n in range(1, len(titles) + 1)], (
        'write "Film 0001", "Film 0002" and so on'
    )
    again = answer([*titles], np.random.default_rng(0))
    assert again == found, "the same seed should give the same names: draw from rng only"
