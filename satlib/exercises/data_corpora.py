"""The exercises of lesson 02: a reference answer and a checker each."""


def answer_1(ratings):
    return min(set(ratings), key=lambda rating: (-ratings.count(rating), rating))


def check_1(answer):
    for ratings, label in (
        ((3, 4, 3), 3),
        ((4, 4, 2), 4),
        ((5, 2, 4), 2),
        ((4, 3, 4, 3), 3),
        ((5, 5, 1, 1, 3), 1),
    ):
        got = answer(ratings)
        assert got != sum(ratings) / len(ratings) or got == label, (
            "that is the mean; take the most frequent rating"
        )
        assert got in ratings and ratings.count(got) == max(map(ratings.count, ratings)), (
            f"{got} is not a most frequent rating of {ratings}"
        )
        assert got == label, f"{ratings} has a tie: of {got} and {label} take the lowest"


def answer_2(rows, i):
    order = sorted(range(len(rows)), key=lambda row: rows[row][0])
    return [rows[row][1] for row in order[: order.index(i)]]


def check_2(answer):
    rows = [(30, "c", 5), (10, "b", 1), (30, "a", 2), (20, "b", 4), (5, "e", 3)]
    expected = [["e", "b", "b"], ["e"], ["e", "b", "b", "c"], ["e", "b"], []]
    for i, items in enumerate(expected):
        got = list(answer(rows, i))
        assert got != [row[1] for row in rows[:i]] or got == items, (
            "that is the order of the file: sort by time first"
        )
        assert len(got) != len(rows) - 1 or len(items) == len(rows) - 1, (
            "later ratings do not exist yet: no peeking"
        )
        assert got == items, (
            f"row {i} ({rows[i][1]!r} at time {rows[i][0]}) may see {items}, not {got}"
        )
