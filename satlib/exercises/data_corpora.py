"""The exercises of lesson 02: a reference answer and a checker each."""

from satlib.exercises.checking import expect


def answer_1(ratings):
    most = max(ratings.count(rating) for rating in ratings)
    return min(rating for rating in ratings if ratings.count(rating) == most)


def check_1(answer):
    cases = [
        ((3, 4, 3), 3),
        ((4, 4, 2), 4),
        ((5, 2, 4), 2),
        ((4, 3, 4, 3), 3),
        ((5, 5, 1, 1, 3), 1),
    ]
    for ratings, right in cases:
        mean = sum(ratings) / len(ratings)
        mistakes = {"that is the mean; take the most frequent rating": mean}
        for other in ratings:
            if ratings.count(other) == ratings.count(right):
                hint = f"{ratings} has a tie: of {other} and {right} take the lowest"
                mistakes[hint] = other
        otherwise = f"{{got}} is not a most frequent rating of {ratings}"
        expect(answer(ratings), right, mistakes, otherwise)


def answer_2(rows, i):
    order = sorted(range(len(rows)), key=lambda row: rows[row][0])
    earlier = order[: order.index(i)]
    return [rows[row][1] for row in earlier]


def check_2(answer):
    rows = [(30, "c", 5), (10, "b", 1), (30, "a", 2), (20, "b", 4), (5, "e", 3)]
    expected = [["e", "b", "b"], ["e"], ["e", "b", "b", "c"], ["e", "b"], []]
    for i, right in enumerate(expected):
        time, item, _ = rows[i]
        got = answer(rows, i)
        in_file = [row[1] for row in rows[:i]]
        mistakes = {"that is the order of the file: sort by time first": in_file}
        if got is not None:
            got = list(got)
            if len(right) < len(got) == len(rows) - 1:
                mistakes["later ratings do not exist yet: no peeking"] = got
        otherwise = f"row {i} ({item!r} at time {time}) may see {{right}}, not {{got}}"
        expect(got, right, mistakes, otherwise)
