"""The exercises of lesson 62: a reference answer and a checker each."""

from satlib.exercises.checking import expect


def answer_1(ratings):
    mean = sum(ratings) / len(ratings)
    return 1 + (mean > 3) - (mean < 3)


def check_1(answer):
    cases = (
        [3, 3, 4],
        [3, 3, 3],
        [3, 2, 3, 3],
        [2, 4, 3],
        [1, 5, 5],
        [4, 4, 2, 2, 2],
        [3, 3, 3, 3, 5],
        [2, 2],
    )
    for ratings in cases:
        got = answer(list(ratings))
        mean = sum(ratings) / len(ratings)
        most_frequent = max(sorted(set(ratings)), key=ratings.count)
        assert got in (0, 1, 2, None), f"the classes are 0, 1 and 2; {got} is none of them"
        rounded = answer_1([round(mean)])
        mistakes = {
            f"{ratings}: do not round the mean, its sign against 3 decides": rounded,
            f"{ratings}: that is the class of the most frequent rating": answer_1([most_frequent]),
        }
        case = f"{ratings} have the mean {mean:.2f}: class "
        expect(got, answer_1(ratings), mistakes, case + "{right}, not {got}")


def answer_2(turns, judged, skip):
    rows = []
    for name, count in turns.items():
        if name not in judged:
            rows += [(name, turn) for turn in range(skip, count)]
    return rows


def check_2(answer):
    cases = (
        ({"a": 5, "b": 6, "c": 3, "d": 4}, {"b"}, 3),
        ({"a": 4, "b": 5}, set(), 2),
        ({"a": 4, "b": 4}, {"a"}, 0),
        ({"a": 3, "b": 7}, {"a", "x"}, 3),
    )
    for turns, judged, skip in cases:
        got = answer(dict(turns), set(judged), skip)
        if got is not None:
            got = sorted(map(tuple, got))
        right = sorted(answer_2(turns, judged, skip))
        leaked = sorted(answer_2(turns, set(), skip))
        one_too_few = sorted(answer_2(turns, judged, skip + 1))
        without_last = [(name, turn) for name, turn in right if turn < turns[name] - 1]
        mistakes = {
            "turns of judged dialogues stand in training: leave them out": leaked,
            f"{skip} turns are skipped, so the first to stay has number {skip}": one_too_few,
            "the last turn is the row OVERALL, which stays an example": without_last,
        }
        counts = ", ".join(f"{name} {count}" for name, count in turns.items())
        case = f"turns: {counts}; without {sorted(judged)}, {skip} skipped, they leave "
        expect(got, right, mistakes, case + "{right}, not {got}")


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
        got = answer(dict(validation), dict(test))
        score, gain = (None, None) if got is None else got
        right, more = answer_3(validation, test)
        mistakes = {
            "that model was chosen on the test rows": max(test.values()),
            "report the chosen model's score on the test rows; its validation score has been used "
            "to choose": max(validation.values()),
        }
        otherwise = "validation chooses a model that has {right} on the test rows, not {got}"
        expect(score, right, mistakes, otherwise)
        mistakes = {"the best on test is not worse": -more}
        expect(gain, more, mistakes, "choosing on test would have added {right}, not {got}")
