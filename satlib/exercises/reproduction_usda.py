"""The exercises of lesson 62: a reference answer and a checker each."""

import math


def answer_1(ratings):
    mean = sum(ratings) / len(ratings)
    return 1 + (mean > 3) - (mean < 3)


def check_1(answer):
    for ratings in (
        [3, 3, 4],
        [3, 3, 3],
        [3, 2, 3, 3],
        [2, 4, 3],
        [1, 5, 5],
        [4, 4, 2, 2, 2],
        [3, 3, 3, 3, 5],
        [2, 2],
    ):
        found, right = int(answer(list(ratings))), answer_1(ratings)
        rounded = answer_1([round(sum(ratings) / len(ratings))])
        frequent = answer_1([max(sorted(set(ratings)), key=ratings.count)])
        assert found in (0, 1, 2), f"the classes are 0, 1 and 2; {found} is none of them"
        assert found == right or found != rounded, (
            f"{ratings}: do not round the mean, its sign against 3 decides"
        )
        assert found == right or found != frequent, (
            f"{ratings}: that is the class of the most frequent rating"
        )
        assert found == right, (
            f"{ratings} have the mean {sum(ratings) / len(ratings):.2f}: class {right}, not {found}"
        )


def answer_2(turns, judged, skip):
    return [
        (name, i) for name, count in turns.items() if name not in judged for i in range(skip, count)
    ]


def check_2(answer):
    cases = (
        ({"a": 5, "b": 6, "c": 3, "d": 4}, {"b"}, 3),
        ({"a": 4, "b": 5}, set(), 2),
        ({"a": 4, "b": 4}, {"a"}, 0),
        ({"a": 3, "b": 7}, {"a", "x"}, 3),
    )
    for turns, judged, skip in cases:
        found, right = (
            sorted(map(tuple, answer(dict(turns), set(judged), skip))),
            answer_2(turns, judged, skip),
        )
        leaked, one_less = (
            answer_2(turns, *other) for other in ((set(), skip), (judged, skip + 1))
        )
        right, leaked, one_less = sorted(right), sorted(leaked), sorted(one_less)
        last = [(name, i) for name, i in right if i < turns[name] - 1]
        assert found == right or found != leaked, (
            "turns of judged dialogues stand in training: leave them out"
        )
        assert found == right or found != one_less, (
            f"{skip} turns are skipped, so the first to stay has number {skip}"
        )
        assert found == right or found != last, (
            "the last turn is the row OVERALL, which stays an example"
        )
        assert found == right, (
            f"{turns} without {sorted(judged)}, {skip} skipped, leave {right}, not {found}"
        )


def answer_3(validation, test):
    chosen = max(validation, key=validation.get)
    return test[chosen], max(test.values()) - test[chosen]


def check_3(answer):
    cases = (
        ({"a": 0.61, "b": 0.58, "c": 0.55}, {"c": 0.62, "b": 0.50, "a": 0.57}),
        ({"a": 0.40, "b": 0.52}, {"a": 0.70, "b": 0.66}),
        ({"x": 0.3, "y": 0.2}, {"x": 0.5, "y": 0.1}),
    )
    for validation, test in cases:
        value, gain = map(float, answer(dict(validation), dict(test)))
        right, more = answer_3(validation, test)
        best = max(test.values())
        assert math.isclose(value, right) or not math.isclose(value, best), (
            "that model was chosen on the test rows"
        )
        assert math.isclose(value, right) or not math.isclose(value, max(validation.values())), (
            "report the chosen model's score on the test rows; its validation score has been used to choose"
        )
        assert math.isclose(value, right), (
            f"validation chooses a model that has {right} on the test rows, not {value}"
        )
        assert math.isclose(gain, more, abs_tol=1e-9) or not math.isclose(gain, -more), (
            "the best on test is not worse"
        )
        assert math.isclose(gain, more, abs_tol=1e-9), (
            f"choosing on test would have added {more:.2f}, not {gain:.2f}"
        )
