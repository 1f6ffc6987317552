"""The exercises of the lessons: one reference answer and one checker each, found by name.

``check("12.1", answer)`` judges a learner's answer in one line and ``reveal("12.1")`` prints the reference answer.
Behind the name "12.1" stand two functions of this module: ``answer_12_1``, the reference, and ``check_12_1``, which
returns quietly for a right answer and raises AssertionError with a hint for a wrong one.
"""

import inspect
import math

import numpy as np

from satlib import runtime


def names() -> list[str]:
    """Names of all exercises, in course order."""
    return [name.removeprefix("answer_").replace("_", ".") for name in globals() if name.startswith("answer_")]


def check(name: str, answer: object) -> None:
    """Print whether ``answer`` solves the exercise ``name``: not tried yet (None), correct, or not yet with a hint.

    An unknown name raises ValueError; a wrong answer raises nothing, so a notebook runs on.
    """
    runtime.one_of("exercise", name, names())
    if answer is None:
        print(f"{name}: not tried yet")
        return
    hint = _hint(_part("check", name), answer)
    print(f"{name}: correct" if hint is None else f"{name}: not yet - {hint}")


def reveal(name: str) -> None:
    """Print the source of the reference answer of the exercise ``name``; an unknown name raises ValueError."""
    runtime.one_of("exercise", name, names())
    source = inspect.getsource(_part("answer", name))
    print(source.replace(_part("answer", name).__name__, "answer").strip())


def _part(kind: str, name: str):
    return globals()[f"{kind}_{name.replace('.', '_')}"]


def _hint(checker, answer: object) -> str | None:
    try:
        checker(answer)
    except AssertionError as wrong:
        return (str(wrong) or "the result differs from the one asked for").splitlines()[0]
    except Exception as error:  # whatever a learner's code raises is told, not thrown
        return f"your answer raised {type(error).__name__}: {error}".splitlines()[0]
    return None


# 01 interactions


def answer_01_1(example):
    known = [event.dwell for event in example.events if event.dwell is not None]
    return sum(known) / len(known) if known else None


def check_01_1(answer):
    for dwells in ([10.0, 30.0], [10.0, None, 30.0], [0.0, 4.0, None], [None]):
        example, known = _session(dwells=dwells), [d for d in dwells if d is not None]
        got, expected = answer(example), sum(known) / len(known) if known else None
        as_zero = sum(known) / len(dwells)
        assert expected is None or got != as_zero or as_zero == expected, "an unknown dwell is not 0: leave it out"
        assert 0.0 not in dwells or got != 4.0, "0 seconds is known: ask `is not None`, not whether it is true"
        assert got is None if expected is None else np.isclose(got, expected), \
            f"the dwells {dwells} should give {expected}, not {got}"


def answer_01_2(examples):
    ratings = {}
    for example in examples:
        ratings.setdefault(example.group, []).append(example.rating)
    return sum(sum(r) / len(r) >= 4 for r in ratings.values()) / len(ratings)


def check_01_2(answer):
    rows = [("a", [5.0]), ("a", [4.0]), ("a", [5.0]), ("b", [5.0, 3.0]), ("c", [1.0]), ("c", [5.0, 4.0, 5.0])]
    examples = [_session(group, ratings) for group, ratings in rows]
    got = float(answer(examples))
    assert not np.isclose(got, 5 / 6), "that is the share of sessions: average each user's sessions first"
    assert not np.isclose(got, 1 / 3), "a mean of exactly 4 counts, and an example's rating is the mean of its ratings"
    assert np.isclose(got, 2 / 3), f"two of three users reach a mean of 4 here: 0.667, not {got:.3f}"


def _session(group="u", ratings=(4.0,), dwells=(1.0,)):
    from satlib.interactions import check as door

    events = [{"actor": "user", "action": "view", "text": "item", "dwell": dwell} for dwell in dwells]
    return door({"id": "s", "group": group, "domain": "shop", "events": events, "ratings": list(ratings)})


# 02 corpora


def answer_02_1(ratings):
    return min(set(ratings), key=lambda rating: (-ratings.count(rating), rating))


def check_02_1(answer):
    for ratings, label in (((3, 4, 3), 3), ((4, 4, 2), 4), ((5, 2, 4), 2), ((4, 3, 4, 3), 3), ((5, 5, 1, 1, 3), 1)):
        got = answer(ratings)
        assert got != sum(ratings) / len(ratings) or got == label, "that is the mean; take the most frequent rating"
        assert got in ratings and ratings.count(got) == max(map(ratings.count, ratings)), \
            f"{got} is not a most frequent rating of {ratings}"
        assert got == label, f"{ratings} has a tie: of {got} and {label} take the lowest"


def answer_02_2(rows, i):
    order = sorted(range(len(rows)), key=lambda row: rows[row][0])
    return [rows[row][1] for row in order[: order.index(i)]]


def check_02_2(answer):
    rows = [(30, "c", 5), (10, "b", 1), (30, "a", 2), (20, "b", 4), (5, "e", 3)]
    expected = [["e", "b", "b"], ["e"], ["e", "b", "b", "c"], ["e", "b"], []]
    for i, items in enumerate(expected):
        got = list(answer(rows, i))
        assert got != [row[1] for row in rows[:i]] or got == items, "that is the order of the file: sort by time first"
        assert len(got) != len(rows) - 1 or len(items) == len(rows) - 1, "later ratings do not exist yet: no peeking"
        assert got == items, f"row {i} ({rows[i][1]!r} at time {rows[i][0]}) may see {items}, not {got}"


# 03 simulation


def answer_03_1(utility, thresholds):
    return 1.0 + sum(1.0 / (1.0 + math.exp(threshold - utility)) for threshold in thresholds)


def check_03_1(answer):
    from satlib import simulation

    for utility in (-3.0, 0.0, 1.3):
        true = float(simulation.expected_rating(np.array(simulation.probabilities(utility))))
        found = float(answer(utility, simulation.THRESHOLDS))
        assert abs(found - (6.0 - true)) > 1e-3 or abs(true - 3.0) < 1e-3, \
            "a higher utility must give a higher rating: you have taken P(rating <= k) for P(rating > k)"
        assert abs(found - true) < 1e-3, f"a utility of {utility:g} gives {true:.3f}, not {found:.3f}"
    assert abs(float(answer(0.0, (0.0,))) - 1.5) < 1e-9, "one threshold at the utility itself gives 1 or 2, so 1.5"


def answer_03_2(chances, annotators):
    stars = np.arange(1.0, 6.0)
    variance = chances @ stars**2 - (chances @ stars) ** 2
    return float(np.sqrt(np.mean(variance / annotators)))


def check_03_2(answer):
    chances = np.array([[0.5, 0.0, 0.0, 0.0, 0.5], [0.0, 0.0, 1.0, 0.0, 0.0], [0.2, 0.2, 0.2, 0.2, 0.2]])
    one = float(answer(chances, np.ones(3)))
    assert abs(one - np.mean([2.0, 0.0, np.sqrt(2.0)])) > 1e-6, "average the variances first, then take the root"
    assert abs(one - np.sqrt(2.0)) < 1e-6, f"variances 4, 0 and 2 have the mean 2, so the RMSE is 1.414, not {one:.3f}"
    mixed = float(answer(chances, np.array([1, 3, 2])))
    assert abs(mixed - np.sqrt(5.0 / 3.0)) < 1e-6, "a mean of m ratings has 1/m of the variance: divide first"


# 04 labels


def answer_04_1(ratings):
    votes = sum(rating >= 4 for rating in ratings)
    return None if 2 * votes == len(ratings) else int(2 * votes > len(ratings))


def check_04_1(answer):
    for ratings in ((4,), (5, 4, 1), (5, 3, 3), (3, 3, 4, 5, 4), (5, 5, 3, 3), (4, 4, 2, 3), (1, 2)):
        got, votes = answer(ratings), [rating >= 4 for rating in ratings]
        label = None if 2 * sum(votes) == len(votes) else int(2 * sum(votes) > len(votes))
        wrong = [(int(np.mean(ratings) >= 4), "that is the label of the mean: let each annotator vote first"),
                 (int(np.mean(np.array(ratings) >= 3) > 0.5), "a 3 is no vote for satisfied: the threshold is 4")]
        hints = ["the votes are equally many: the label is None"] if label is None else []
        hints += [hint for mistake, hint in wrong if got == mistake]
        hints.append(f"{ratings} should give {label}, not {got}")
        assert got is None if label is None else got == label, hints[0]


def answer_04_2(ratings):
    hits = []
    for one in ratings:
        for i in range(len(one)) if len(one) > 1 else ():
            rest = (sum(one) - one[i]) / (len(one) - 1)
            hits.append(np.sign(one[i] - 3) == np.sign(rest - 3))
    return float(np.mean(hits))


def check_04_2(answer):
    ratings = [(3, 3, 4), (5, 1, 3), (4, 5), (2, 2, 4, 5), (2, 1, 2), (3,)]
    got, several = float(answer(ratings)), ratings[:-1]
    own = [[np.sign(r - 3) == np.sign(np.mean(one) - 3) for r in one] for one in ratings]
    rest = [[np.sign(r - 3) == np.sign((sum(one) - r) / (len(one) - 1) - 3) for r in one] for one in several]
    hits, asked = sum(map(sum, rest)), sum(map(len, several))
    wrong = [(sum(map(sum, own)) / (asked + 1), "leave the annotator's own rating out of the mean it is judged by"),
             (sum(map(sum, own[:-1])) / asked, "leave the annotator's own rating out of the mean it is judged by"),
             (np.mean([np.mean(one) for one in rest]), "pool the annotators: each of them counts once, not each turn"),
             (hits / (asked + 1), "(3,) has no other annotator to agree with: leave it out"),
             (got, f"{hits} of {asked} annotators meet the class of the others: {hits / asked:.3f}, not {got:.3f}")]
    assert math.isclose(got, hits / asked), next(hint for mistake, hint in wrong if math.isclose(got, mistake))


def answer_04_3(variance, target):
    return max(1, math.ceil(variance / target**2))


def check_04_3(answer):
    for variance, target in ((1.0, 0.5), (1.0, 0.45), (0.25, 0.25), (1.2, 0.3), (0.2, 1.0)):
        got, needed = answer(variance, target), max(1, math.ceil(variance / target**2))
        wrong = [(math.ceil(variance / target), "the target is a root: compare variance / m with its square"),
                 (math.ceil(variance**2 / target**2), "a variance is squared already"),
                 (variance / target**2, "annotators come whole: round up"),
                 (int(variance / target**2), f"with {got} annotators the noise is still above {target:g}: round up"),
                 (got, f"a variance of {variance:g} and a target of {target:g} need {needed} annotators, not {got}")]
        assert got == needed, next(hint for mistake, hint in wrong if got == mistake)


# 05 splits


def answer_05_1(parts):
    test, known = ({e.group for part in names for e in parts[part]} for names in (("test",), ("train", "validation")))
    return len(test & known) / len(test)


def check_05_1(answer):
    cases = {("aabbc", "dd", "ef"): 0.0, ("aab", "ccd", "abcde"): 0.8, ("aaaa", "b", "aaac"): 0.5,
             ("a", "bb", "bbbbc"): 0.5}
    for (train, validation, test), share in cases.items():
        got = float(answer({"train": _users(train), "validation": _users(validation), "test": _users(test)}))
        rows = sum(user in train + validation for user in test) / len(test)
        assert not math.isclose(got, rows) or math.isclose(rows, share), "that is the share of test rows: count users"
        only = len(set(test) & set(train)) / len(set(test))
        assert not math.isclose(got, only) or math.isclose(only, share), "validation users have been met as well"
        assert math.isclose(got, share), f"with test users {test!r}, known {train + validation!r}: {share}, not {got}"


def _users(letters):
    from types import SimpleNamespace

    return [SimpleNamespace(id=f"{user}{i}", group=user) for i, user in enumerate(letters)]


def answer_05_2(rows, times):
    ordered = [row for _, row in sorted(zip(times, rows, strict=True), key=lambda pair: pair[0])]
    kept = len(rows) - math.ceil(len(rows) / 5)
    return ordered[:kept], ordered[kept:]


def check_05_2(answer):
    for size in (5, 7, 10, 1):
        rows, times = [f"s{i}" for i in range(size)], [(7 * i) % 11 for i in range(size)]
        train, test = map(list, answer(list(rows), list(times)))
        ordered = sorted(rows, key=lambda row: times[rows.index(row)])
        assert len(test) == math.ceil(size / 5), f"of {size} rows {math.ceil(size / 5)} are tested, not {len(test)}"
        assert train + test != rows or rows == ordered, "that is the order of the file: sort by time first"
        assert not set(train) & set(test) and set(train) | set(test) == set(rows), "every row goes to one part"
        assert train + test == ordered, "the latest rows are tested, and both lists are in the order of time"


def answer_05_3(parts):
    seen = {e.events for part in ("train", "validation") for e in parts[part]}
    return sum(e.events in seen for e in parts["test"]) / len(parts["test"])


def check_05_3(answer):
    for train, validation, test in (("ab", "c", "aad"), ("abc", "d", "ddef"), ("ab", "c", "dee"), ("aa", "b", "abab")):
        rows = {"train": _logged(train), "validation": _logged(validation), "test": _logged(test)}
        known, got = set(train + validation), float(answer(rows))
        share = sum(what in known for what in test) / len(test)
        mistakes = [(sum(what in train for what in test) / len(test), "validation rows have been seen as well"),
                    (len(set(test) & known) / len(set(test)), "count rows: a session tested twice counts twice"),
                    (1 - len(set(test)) / len(test), "copies inside the test part alone are not asked for"),
                    (0.0, "copies have other ids: compare the events")]
        hints = [hint for mistake, hint in mistakes if math.isclose(got, mistake, abs_tol=1e-9)]
        hints.append(f"tested {test!r}, known {train + validation!r}: {share:.3f}, not {got:.3f}")
        assert math.isclose(got, share, abs_tol=1e-9), hints[0]


def _logged(letters):
    from types import SimpleNamespace

    return [SimpleNamespace(id=f"{letters}-{i}", group=f"user {i}", events=(what, "the end"))
            for i, what in enumerate(letters)]


# 11 losses_squared_error


def answer_11_1(loss, low, high):
    return (high - low) * math.sqrt(loss)


def check_11_1(answer):
    for loss, low, high in ((0.04, 1, 5), (0.0225, 1, 5), (0.01, 0.5, 5), (0.25, 0, 1)):
        got, expected = float(answer(loss, low, high)), (high - low) * math.sqrt(loss)
        wrong = {low + expected: "an error is a difference: stretch it by the length of the scale, do not shift it",
                 high * math.sqrt(loss): "the length of the scale is high - low, not high",
                 (high - low) * loss: "the loss is a mean of squares: take its root first"}
        hints = [hint for mistake, hint in wrong.items() if math.isclose(got, mistake)]
        hints.append(f"a loss of {loss:g} on {low:g}..{high:g} should give {expected:.4f} points, not {got:.4f}")
        assert math.isclose(got, expected), hints[0]


def answer_11_2(theta, gradient, velocity, learning_rate, weight_decay, momentum):
    velocity = momentum * velocity + gradient + weight_decay * theta
    return theta - learning_rate * velocity, velocity


def check_11_2(answer):
    import torch

    start, gradients = np.array([1.0, -2.0]), np.random.default_rng(0).normal(size=(6, 2))
    weights = torch.nn.Parameter(torch.tensor(start))
    optimiser = torch.optim.SGD([weights], lr=0.1, weight_decay=0.2, momentum=0.9)
    theta, velocity = start, np.zeros(2)
    for step, gradient in enumerate(gradients, start=1):
        theta, velocity = answer(theta, gradient, velocity, 0.1, 0.2, 0.9)
        weights.grad = torch.tensor(gradient)
        optimiser.step()
        hint = "check the sign and the decay" if step == 1 else "is the decay inside the velocity, and kept in it?"
        close = np.allclose(theta, weights.detach().numpy(), atol=1e-10)
        assert close, f"step {step} differs from torch.optim.SGD: {hint}"


# 12 losses_cross_entropy


def answer_12_1(y, z, weight):
    from satlib import losses

    p = losses.sigmoid(z)
    return ((1 - y) * p - weight * y * losses.sigmoid(-z)) / len(y)


def check_12_1(answer):
    import torch

    from satlib import losses

    y, z, weight = np.array([1, 1, 0, 0, 1, 0]), np.array([2.0, -1.0, 0.5, -3.0, -800.0, 800.0]), 0.25
    logits, targets = torch.tensor(z, requires_grad=True), torch.tensor(y, dtype=torch.float64)
    positive = torch.tensor(weight, dtype=torch.float64)
    torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=positive).backward()
    with np.errstate(all="ignore"):
        got, expected, p = np.asarray(answer(y, z, weight), dtype=float), logits.grad.numpy(), losses.sigmoid(z)
    assert got.shape == (6,), f"the gradient has one entry per session, shape (6,), not {got.shape}"
    assert np.isfinite(got).all(), "not finite at a logit of 800: use losses.sigmoid, and no division by p or 1 - p"
    assert not np.allclose(got, weight * (p - y) / 6), "the weight belongs to the satisfied sessions only"
    assert not np.allclose(got, 6 * expected), "the loss is a mean: divide by the number of sessions"
    assert not np.allclose(got, -expected), "the sign is turned: the loss falls when a satisfied session's logit rises"
    y, z = y.tolist(), z.tolist()
    assert np.allclose(got, expected, atol=1e-12), f"{y=}, {z=}, {weight=} give {expected.round(3).tolist()}"


def answer_12_2(z):
    return z[:, 1] - z[:, 0]


def check_12_2(answer):
    from satlib import losses

    z = np.array([[0.0, 1.0], [2.0, -1.0], [-3.0, -3.0], [5.0, 5.5]])
    got = np.asarray(answer(z), dtype=float)
    assert got.shape == (4,), f"one logit per row, shape (4,), not {got.shape}"
    assert not np.allclose(got, z[:, 1]), "the other logit counts too: adding a constant to both must change nothing"
    assert not np.allclose(got, losses.softmax(z)[:, 1]), "this is the probability; the logit comes before the sigmoid"
    assert not np.allclose(got, z[:, 0] - z[:, 1]), "this is the logit of class 0"
    assert np.allclose(losses.sigmoid(got), losses.softmax(z)[:, 1]), "its sigmoid differs from the softmax of class 1"


# 13 losses_ordinal


def answer_13_1(above):
    return 1 + (np.asarray(above) >= 0.5).sum(axis=1)


def check_13_1(answer):
    p = np.array([[0.4, 0.05, 0.0, 0.25, 0.3], [0.0, 0.1, 0.2, 0.6, 0.1], [0.6, 0.1, 0.1, 0.1, 0.1],
                  [0.0, 0.0, 0.1, 0.2, 0.7], [0.3, 0.25, 0.15, 0.15, 0.15]])
    above = 1 - np.cumsum(p, axis=1)[:, :4]
    got = np.asarray(answer(above), dtype=float)
    assert got.shape == (5,), f"one rating for each row, shape (5,), not {got.shape}"
    assert not np.allclose(got, 1 + p.argmax(axis=1)), "that is the most probable rating, and not the median"
    assert not np.allclose(got, 1 + above.sum(axis=1)), "that is the expected rating, which is a mean"
    assert not np.allclose(got, np.round(1 + above.sum(axis=1))), "a rounded mean is not the median"
    assert not np.allclose(got, [3, 3, 0, 4, 1]), "the count of such boundaries starts at 0, and ratings at 1"
    assert np.allclose(got, [4, 4, 1, 5, 2]), f"the medians are 4, 4, 1, 5 and 2, not {got.tolist()}"


def answer_13_2(y, score, thresholds, weights):
    from satlib import losses

    z = np.subtract.outer(score, thresholds)
    levels = np.asarray(y)[:, None] > np.arange(len(thresholds))
    return (losses.sigmoid(z) - levels) @ weights / len(z)


def check_13_2(answer):
    from satlib import losses
    from satlib import losses_ordinal as ordinal

    y, score = np.array([0, 2, 4, 3, 1]), np.array([0.5, -1.0, 2.0, 800.0, -800.0])
    thresholds, weights = np.array([-2.0, -0.5, 0.5, 1.5]), np.array([1.0, 1.0, 3.0, 0.5])
    by_logits = ordinal.coral_gradient(y, ordinal.boundary_logits(score, thresholds))
    with np.errstate(all="ignore"):
        got, expected = np.asarray(answer(y, score, thresholds, weights), dtype=float), by_logits @ weights
    wrong = 1 + np.arange(4) <= y[:, None] - 1
    later = (losses.sigmoid(score[:, None] - thresholds) - wrong) @ weights / 5
    assert got.shape == (5,), f"one number for each session, shape (5,), not {got.shape}"
    assert np.isfinite(got).all(), "not finite at a score of 800: use losses.sigmoid"
    assert not np.allclose(got, by_logits.sum(axis=1)), "the weights are missing"
    assert not np.allclose(got, 5 * expected), "the loss is a mean over sessions: divide by their number"
    assert not np.allclose(got, expected / weights.sum()), "the boundaries are summed: do not divide by the weights"
    assert not np.allclose(got, -expected), "the sign is turned: a score below the rating must have a negative gradient"
    assert not np.allclose(got, later), "classes count from 0: class y lies above the boundaries 0 to y - 1"
    assert np.allclose(got, expected, atol=1e-12), f"y = {y.tolist()} should give {expected.round(3).tolist()}"


def answer_13_3(z):
    from satlib import losses

    return 1 + np.cumprod(losses.sigmoid(z), axis=1).sum(axis=1)


def check_13_3(answer):
    from satlib import losses

    z = np.array([[1.0, -0.5, 2.0, 0.0], [3.0, 2.0, 1.0, -1.0], [-4.0, 0.0, 0.0, 6.0]])
    p = losses.sigmoid(z)
    got, expected = np.asarray(answer(z), dtype=float), 1 + np.cumprod(p, axis=1).sum(axis=1)
    assert got.shape == (3,), f"one rating for each row, shape (3,), not {got.shape}"
    assert not np.allclose(got, 1 + p.sum(axis=1)), "these probabilities are conditional: multiply them in order"
    assert not np.allclose(got, expected - 1), "that counts from 0: the lowest rating is 1"
    assert np.allclose(got, expected), f"these are {expected.round(3).tolist()}, not {got.round(3).tolist()}"


# 21 sequences


def answer_21_1(items, columns):
    row = np.zeros(len(columns))
    for item in items:
        if item in columns:
            row[columns[item]] += 1
    return row


def check_21_1(answer):
    columns = {"lamp": 0, "stove": 1, "tent": 2}
    items = ["tent", "lamp", "tent", "kayak", "tent"]
    try:
        found = np.asarray(answer(items, columns), dtype=float)
    except (KeyError, IndexError) as error:
        raise AssertionError("a title without a column must be left out, not raise an error") from error
    assert found.shape == (3,), f"one row with a number for each of the 3 columns, not shape {found.shape}"
    assert found[2] != 1, "'tent' occurs three times; note that row[[2, 2, 2]] += 1 adds 1 only once"
    assert np.array_equal(found, [1, 0, 3]), f"{items} should give [1, 0, 3], not {found.tolist()}"
    assert np.array_equal(answer([], columns), [0, 0, 0]), "no items at all should give a row of zeros"


def answer_21_2(vectors):
    weights = 0.5 ** np.arange(len(vectors))[::-1]
    return weights @ np.asarray(vectors) / weights.sum()


def check_21_2(answer):
    vectors = np.array([[8.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    found = np.asarray(answer(vectors), dtype=float)
    assert found.shape == (2,), f"the mean has shape [d] = (2,), not {found.shape}"
    assert not np.allclose(found, [32 / 7, 8 / 7]), "the oldest event has the greatest weight; it should have the least"
    assert not np.allclose(found, [2, 2]), "the weights 1/4, 1/2 and 1 must still be divided by their sum"
    assert np.allclose(found, [8 / 7, 8 / 7]), f"weights 1/7, 2/7, 4/7 give [8/7, 8/7], not {found.tolist()}"
    assert np.allclose(answer(vectors[:1]), vectors[0]), "a single event is its own mean"


# 22 tokens


def answer_22_1(ids, max_length, head):
    if len(ids) <= max_length:
        return ids
    first, content, last = ids[:1], ids[1:-1], ids[-1:]
    tail = max_length - 2 - head
    return first + content[:head] + content[len(content) - tail :] + last


def check_22_1(answer):
    ids = [101, *range(1, 11), 102]
    found = list(answer(ids, 8, 2))
    assert len(found) == 8, f"{len(found)} ids came back, not 8; [CLS] and [SEP] count too"
    assert found[0] == 101 and found[-1] == 102, "[CLS] (101) must stay first and [SEP] (102) last"
    assert found == [101, 1, 2, 7, 8, 9, 10, 102], f"the first 2 and the last 4 of the content, not {found}"
    assert list(answer(ids, 12, 2)) == ids, "12 ids fit into 12: nothing may be cut or doubled"
    assert list(answer(ids, 5, 3)) == [101, 1, 2, 3, 102], "with head = 3 the tail is empty, but x[-0:] is all"
    assert list(answer(ids, 5, 0)) == [101, 8, 9, 10, 102], "with head = 0 this is truncation from the left"


def answer_22_2(hidden, mask):
    return (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)


def check_22_2(answer):
    hidden = np.arange(24.0).reshape(2, 3, 4) ** 2
    mask = np.array([[1, 1, 0], [1, 1, 1]])
    expected = np.stack([hidden[0, :2].mean(axis=0), hidden[1].mean(axis=0)])
    found = np.asarray(answer(hidden, mask), dtype=float)
    assert found.shape == (2, 4), f"one vector per text: shape [B, H] = (2, 4), not {found.shape}"
    assert not np.allclose(found, hidden.mean(axis=1)), "that is the mean over all places; padding is among them"
    by_length = (hidden * mask[:, :, None]).mean(axis=1)
    assert not np.allclose(found, by_length), "padding adds nothing but is counted: divide by the real tokens"
    assert np.allclose(found, expected), f"the first text has two real tokens; expected {expected[0]}, got {found[0]}"


# 23 behaviour


def answer_23_1(ratings, expected, within, between):
    first = within / between
    return (sum(ratings) + first * expected) / (len(ratings) + first)


def check_23_1(answer):
    for ratings in ([5, 4], [5], []):
        found = answer(ratings, 3.0, 1.2, 0.3)
        assert ratings or found == 3.0, f"without ratings it is what is expected, 3, not {found}"
        for first, hint in ((0, "that is the plain mean: nothing came first"),
                            (0.25, "between over within is upside down: the noisier the ratings, the less they count"),
                            (2, "variances are given: take no root of them"),
                            (5, "five was a round number; here it is within over between")):
            wrong = (sum(ratings) + first * 3.0) / (len(ratings) + first) if ratings else -1
            assert not np.isclose(found, wrong), hint
        right = answer_23_1(ratings, 3.0, 1.2, 0.3)
        assert np.isclose(found, right), f"as if four ratings of 3 came first, {ratings} gives {right:.2f}, not {found}"


def answer_23_2(rows):
    means, seen = [None] * len(rows), {}
    for i in sorted(range(len(rows)), key=lambda i: rows[i][1]):
        user, _, rating = rows[i]
        past = seen.setdefault(user, [])
        means[i] = sum(past) / len(past) if past else None  # read first
        past.append(rating)  # then enter
    return means


def check_23_2(answer):
    rows = [("a", 4, 1.0), ("b", 2, 4.0), ("a", 1, 5.0), ("b", 3, 2.0), ("a", 9, 4.5)]
    found, expected = list(answer(list(rows))), [5.0, None, None, 4.0, 3.0]
    assert len(found) == 5, f"one mean a row: 5, not {len(found)}"
    assert found != [None, None, 4.0, 5.0, 3.0], "the means must stand in the order of the rows, not in that of time"
    assert found[0] is not None, "the rows are in any order: what is earlier is told by the time, not by the place"
    assert found[0] != 3.0, "a row must not see itself: read its mean before you enter its rating"
    assert found[0] != 3.5, "a user's mean over all rows knows what is rated later, and the row itself is among them"
    assert found[3] != 4.5, "only the user's own earlier ratings are asked for, not everybody's"
    assert found[2] is None and found[1] is None, f"a user's first row has no past: None, not {found[2]}"
    assert found == expected, f"{rows} should give {expected}, not {found}"


def answer_23_3(features, rows):
    whole = np.asarray(features(rows))
    for k, (user, time, rating) in enumerate(rows):
        other = [*rows[:k], (user, time, rating + 1)]  # nothing after row k, and row k rated otherwise
        if not np.allclose(features(other), whole[: k + 1]):
            return False
    return True


def check_23_3(answer):
    rows = [("a", 1, 5), ("b", 2, 2), ("a", 3, 1), ("b", 4, 3), ("a", 5, 4)]
    means = {
        "earlier": lambda of: [np.mean([r for _, t, r in of if t < now] or [3]) for _, now, _ in of],
        "so far": lambda of: [np.mean([r for _, t, r in of if t <= now]) for _, now, _ in of],
        "all": lambda of: [np.mean([r for u, _, r in of if u == user]) for user, _, _ in of],
        "next": lambda of: [*(r for _, _, r in of[1:]), 0],
        "future": lambda of: [sum(t > now for _, t, _ in of) for _, now, _ in of],
        "first": lambda of: [of[0][2] if i == 0 else 0 for i in range(len(of))],
    }
    for name, hint in (("earlier", "a mean of earlier ratings knows only the past: that is True"),
                       ("so far", "a mean that holds the row's own rating leaks: that is False"),
                       ("all", "a user's mean over all rows leaks: that is False"),
                       ("next", "a feature that is the next row's rating leaks: that is False"),
                       ("future", "how many rows come later is not known yet: leave later rows out and compare"),
                       ("first", "look at every row: one whose own rating shows in the first row only is a leak too")):
        assert bool(answer(means[name], list(rows))) == (name == "earlier"), hint
    assert answer(means["earlier"], list(rows)) is not None, "return True or False"


# 31 metrics


def answer_31_1(rating, predicted):
    from satlib import metrics

    rated = metrics.classes(rating)
    return np.mean([np.abs(rating - predicted)[rated == k].mean() for k in np.unique(rated)])


def check_31_1(answer):
    rng = np.random.default_rng(0)
    rating = rng.choice([2.0, 3.0, 3.0, 3.0, 3.0, 3.4, 4.0, 5.0], 80)
    for predicted in (np.full(80, 3.0), rng.uniform(1, 5, 80)):
        found, expected = float(answer(rating, predicted)), float(answer_31_1(rating, predicted))
        plain = float(np.mean(np.abs(rating - predicted)))
        assert not np.isclose(found, plain), "this is the plain MAE; average within each rated class first"
        assert not np.isclose(found, expected * 4 / 5), "nobody rated 1 here: average over the classes that were rated"
        assert np.isclose(found, expected), f"expected {expected:.4f}, got {found:.4f}"


def answer_31_2(rating, a, b, groups, rng):
    from satlib import metrics

    drawn = [metrics.rmse(rating[rows], b[rows]) - metrics.rmse(rating[rows], a[rows])
             for rows in metrics.resamples(groups, 1000, rng)]
    return tuple(np.quantile(drawn, [0.025, 0.975]))


def check_31_2(answer):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    user = rng.normal(size=40)[groups]
    rating = 3 + user + rng.normal(size=400)
    a = np.full(400, 3.0)
    b = a + 0.3 * user + rng.normal(0, 0.2, 400)
    low, high = answer(rating, a, b, groups, np.random.default_rng(1))
    expected = answer_31_2(rating, a, b, groups, np.random.default_rng(1))
    ratio = (high - low) / (expected[1] - expected[0])
    assert high < 0 or low <= 0, "b is the better model here: subtract the RMSE of a from that of b"
    assert ratio < 1.2, "too wide: judge both models on the same rows of each draw"
    assert ratio > 0.9, "too narrow: draw whole groups, and take the 2.5 % and 97.5 % quantiles"
    assert np.allclose((low, high), expected, atol=0.02), f"expected about {expected[0]:.3f} to {expected[1]:.3f}"


# 32 baselines


def answer_32_1(texts, word):
    d = sum(word in text.split() for text in texts)
    return math.log((1 + len(texts)) / (1 + d)) + 1


def check_32_1(answer):
    texts = ["good good lamp", "bad lamp", "goodness me", "lamp"]
    for word, d in (("good", 1), ("lamp", 3), ("superb", 0)):
        found, expected = float(answer(texts, word)), math.log(5 / (1 + d)) + 1
        assert not (word == "good" and math.isclose(found, math.log(5 / 3) + 1)), (
            "'good' stands in one of these texts: count texts, not occurrences, and not 'goodness'")
        assert not math.isclose(found, expected - 1), "add the 1 after the logarithm, so that no word vanishes"
        assert math.isclose(found, expected), f"the factor of {word!r} is {expected:.4f}, not {found:.4f}"


def answer_32_2(ratings, users, asked, k=5):
    m = ratings.mean()
    return np.array([(ratings[users == u].sum() + k * m) / (np.sum(users == u) + k) for u in asked])


def check_32_2(answer):
    ratings, users = np.array([5.0, 5.0, 4.0, 1.0]), np.array(["a", "a", "a", "b"])
    asked = np.array(["b", "stranger", "a", "b"])
    for k in (5, 1):
        found = np.asarray(answer(ratings, users, asked, k=k), dtype=float)
        assert found.shape == (4,), "give one prediction for every entry of asked"
        assert np.isclose(found[1], 3.75), "a user without training ratings gets the mean of all ratings, 3.75 here"
        assert not np.isclose(found[0], 1), "one rating is not enough to believe: damp it towards the mean"
        assert np.allclose(found, answer_32_2(ratings, users, asked, k)), "count the mean of all ratings as k ratings"


def answer_32_3(counts, rows, text):
    words = np.log((1 + counts) / (counts.shape[1] + counts.sum(axis=1, keepdims=True)))
    logs = np.log(rows / rows.sum()) + words[:, text].sum(axis=1)
    weights = np.exp(logs - logs.max())  # the largest is 1, so that a long text does not end as 0 / 0
    return float(weights @ np.arange(1, len(rows) + 1) / weights.sum())


def check_32_3(answer):
    counts = np.array([[9, 1, 0], [5, 2, 1], [3, 3, 3], [1, 6, 2], [0, 8, 4]])
    rows = np.array([2, 3, 5, 9, 21])

    def found(text):
        return float(answer(counts.copy(), rows.copy(), list(text)))

    assert math.isclose(found([]), 4.1), "a text without words leaves the shares of the rows: their mean rating is 4.1"
    assert not math.isclose(found([0, 1]), round(found([0, 1]))), "the mean under the weights, not the likeliest rating"
    several = [0, 0, 0, 1]
    assert not math.isclose(found(several), answer_32_3(counts, rows, [0, 1])), "a word counts as often as it stands"
    expected = answer_32_3(counts, rows, several)
    assert math.isclose(found(several), expected, rel_tol=1e-6), (
        f"expected {expected:.4f}: add 1 to every count, and V to the sum of a rating's counts")
    long = found([0, 1, 2] * 400)
    assert math.isclose(long, answer_32_3(counts, rows, [0, 1, 2] * 400), rel_tol=1e-6), (
        f"{long:.4g} for a text of 1,200 words: a product of so many shares is 0 in floating point; add logarithms")


# 33 models


def answer_33_1(hidden, mask):
    return hidden.masked_fill(mask[:, :, None] == 0, float("-inf")).amax(dim=1)


def check_33_1(answer):
    import torch

    hidden = torch.tensor([[[-3.0, 1.0], [-2.0, -5.0], [9.0, 9.0]], [[4.0, -1.0], [0.0, -2.0], [1.0, -3.0]]])
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    before, expected = hidden.clone(), torch.tensor([[-2.0, 1.0], [4.0, -1.0]])
    found = torch.as_tensor(answer(hidden, mask))
    assert torch.equal(hidden, before), "hidden was changed; the caller still needs it"
    assert tuple(found.shape) == (2, 2), f"one vector per text: shape [B, H] = (2, 2), not {tuple(found.shape)}"
    assert not torch.equal(found, hidden.amax(1)), "padding won: the third token of the first text is not there"
    zeroed = (hidden * mask[:, :, None]).amax(1)
    assert not torch.equal(found, zeroed), "padding is 0 now, and 0 is larger than -2: it must be smaller than anything"
    assert torch.equal(found, expected), f"expected {expected.tolist()}, got {found.tolist()}"


def answer_33_2(p, threshold):
    ratings = np.arange(1, 6)
    return p @ ratings, p[:, ratings >= threshold].sum(axis=1)


def check_33_2(answer):
    p = np.array([[0.35, 0.05, 0.05, 0.15, 0.40], [0.0, 0.1, 0.2, 0.6, 0.1]])
    rating, satisfied = (np.asarray(part, dtype=float) for part in answer(p, 4))
    assert rating.shape == satisfied.shape == (2,), "two arrays of shape [N], first the ratings, then the probabilities"
    assert not np.allclose(rating, [5, 4]), "that is the most probable rating; expected is the mean under p"
    assert not np.allclose(rating, [2.2, 2.7]), "the classes count from 1, not from 0"
    assert np.allclose(rating, [3.2, 3.7]), f"the expected ratings are 3.2 and 3.7, not {rating}"
    assert not np.allclose(satisfied, [0.40, 0.1]), "a rating equal to the threshold counts as satisfied"
    assert np.allclose(satisfied, [0.55, 0.7]), f"P(rating >= 4) is 0.55 and 0.7, not {satisfied}"
    assert np.allclose(answer(p, 3.5)[1], [0.55, 0.7]), "a threshold may lie between two ratings"


# 34 training


def answer_34_1(values, patience):
    best, kept = math.inf, 0
    for epoch, value in enumerate(values, start=1):
        if value < best:
            best, kept = value, epoch
        if epoch - kept == patience:
            return epoch, kept
    return len(values), kept


def check_34_1(answer):
    values = [1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.3]
    epochs, kept = answer(values, 2)
    assert epochs != 3, "one worse epoch is not two: epoch 4 is better again and sets the count back"
    assert (epochs, kept) != (7, 7), "epoch 7 is never run: epochs 5 and 6 did not beat epoch 4"
    assert kept != epochs, "the weights of the best epoch are kept, not those of the last"
    assert (epochs, kept) == (6, 4), f"it runs 6 epochs and keeps epoch 4, not {epochs} and {kept}"
    assert tuple(answer([0.5, 0.5, 0.5, 0.4], 2)) == (3, 1), "an equal value is not better: it counts"
    assert tuple(answer([0.9, 0.8, 0.7], 2)) == (3, 3), "where every epoch is better, all are run and the last is kept"


def answer_34_2(n, plan, step):
    from satlib import training

    per_epoch = len(training.batches(n, plan, 0))
    return training.batches(n, plan, step // per_epoch)[step % per_epoch]


def check_34_2(answer):
    from satlib import training

    plan = training.Plan(batch_size=4, seed=3)
    epochs = [training.batches(10, plan, epoch) for epoch in range(3)]
    found = [list(answer(10, plan, step)) for step in range(9)]
    assert found[:3] == [list(batch) for batch in epochs[0]], "updates 0 to 2 are the batches of epoch 0, in order"
    assert found[3] != list(epochs[0][0]), "update 3 begins epoch 1, which has an order of its own"
    assert found == [list(batch) for epoch in epochs for batch in epoch], "updates 3 to 8 are epochs 1 and 2"


# 35 training_gpu


def answer_35_1(n):
    return 16 * n


def check_35_1(answer):
    assert answer(1000) != 4000, "that is the weights alone; the gradient and two moments come on top"
    assert answer(1000) == 16000, "four fp32 numbers per parameter, 4 bytes each"


def answer_35_2(losses):
    return sum(sum(part) for part in losses) / sum(len(part) for part in losses)


def check_35_2(answer):
    parts = [[1.0, 1.0, 1.0], [5.0]]
    assert abs(answer(parts) - 3.0) > 1e-9, "the mean of the passes' means counts the small pass too much"
    assert abs(answer(parts) - 2.0) < 1e-9, "add up all losses and divide by the number of examples"


# 36 hyperparameters


def answer_36_1(rates, decay):
    return np.prod([1 - rate * decay for rate in rates])


def check_36_1(answer):
    found = float(answer([0.1, 0.2, 0.1], 1.0))
    assert not math.isclose(found, 0), "AdamW multiplies the decay by the learning rate first"
    assert not math.isclose(found, 0.6), "each update shrinks what the one before has left: multiply, do not add"
    assert not math.isclose(found, 0.352), "asked is the share that is left, not the share that is lost"
    assert not math.isclose(found, 0.729), "the rates differ: take each update's own"
    assert math.isclose(found, 0.648), f"0.9 x 0.8 x 0.9 = 0.648 is left, not {found:.3f}"
    assert math.isclose(float(answer([0.1] * 4, 0.5)), 0.95**4), "four updates at 0.1 with a decay of 0.5 leave 0.95^4"


def answer_36_2(u, low, high):
    return low * (high / low) ** np.asarray(u)


def check_36_2(answer):
    u = np.linspace(0, 1, 7)
    found = np.asarray(answer(u, 1e-6, 1e-3), dtype=float)
    assert found.shape == (7,), "one value for every number of u"
    assert not np.allclose(found, 1e-6 + u * (1e-3 - 1e-6)), "that is even: nine of ten values lie above 1e-4"
    assert not np.allclose(found, -6 + 3 * u), "those are the exponents: raise 10 to them"
    assert found.min() > 0.99e-6 and found.max() < 1.01e-3, "the values lie between low and high"
    assert np.allclose(np.log10(found), -6 + 3 * u), "u = 0 gives low, 1 gives high, 1/3 is one power of ten above low"
    assert np.allclose(answer(u, 0.5, 2.0), 0.5 * 4**u), "low and high need not be powers of ten"


def answer_36_3(new, usual, deviation, t):
    half = t * deviation * math.sqrt(1 / len(new) + 1 / len(usual))
    change = np.mean(new) - np.mean(usual)
    return "better" if change < -half else "worse" if change > half else "no clear difference"


def check_36_3(answer):
    low, high = [0.90, 0.91, 0.89], [1.00, 1.01, 0.99]
    assert answer(high, low, 0.02, 2.0) != "better", "a higher RMSE is worse"
    assert answer(low, high, 0.1, 2.0) != "better", "0.10 lies inside 2.0 x 0.1 x sqrt(2/3) = 0.16: chance explains it"
    assert answer(low, high, 0.055, 2.0) != "no clear difference", \
        "means of three runs vary less than a run: the half width is t x deviation x sqrt(1/3 + 1/3) = 0.09"
    assert answer(low, high, 0.07, 2.0) != "better", "both means vary: 1/n of the new and 1/n of the usual runs add up"
    for deviation, word in ((0.02, "better"), (0.055, "better"), (0.07, "no clear difference")):
        assert answer(low, high, deviation, 2.0) == word, f"with a deviation of {deviation} it is {word!r}"
    assert answer(high, low, 0.02, 2.0) == "worse", "0.10 is more than chance explains, and it is a rise"
    assert answer(low, [1.00], 0.04, 2.0) == "better", "the settings may have different numbers of runs"


# 37 speed


def answer_37_1(shares, factors):
    rest = 1 - sum(shares)
    return 1 / (rest + sum(share / factor for share, factor in zip(shares, factors, strict=True)))


def check_37_1(answer):
    found = float(answer([0.5, 0.25], [2.0, 5.0]))
    assert not math.isclose(found, 0.55), "that is the time that is left; asked is how many times faster: its inverse"
    assert not math.isclose(found, 1 / 0.3), "the rest of the time, 1 - 0.75, stays: it counts too"
    assert not math.isclose(found, 2.25), "factors are not added up by their shares: add up the times that are left"
    assert math.isclose(found, 1 / 0.55), f"0.25 stays, 0.5 / 2 and 0.25 / 5 are left: 1 / 0.55 = 1.82, not {found:.2f}"
    assert math.isclose(float(answer([], [])), 1.0), "where nothing gets faster the factor is 1"


def answer_37_2(lengths, budget):
    batches = []
    for length in lengths:
        if batches and max(*batches[-1], length) * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(length)
        else:
            batches.append([length])
    return batches


def check_37_2(answer):
    found = [list(map(int, batch)) for batch in answer([2, 2, 5, 1, 1, 9], 10)]
    assert sum(found, []) == [2, 2, 5, 1, 1, 9], "every text is in one batch, in the order in which they come"
    assert found != [[2, 2, 5, 1], [1, 9]], "padding counts: four texts with a longest of 5 take 20 positions, not 10"
    assert [2, 2, 5] not in found, "a long text makes the texts before it long as well: 3 x 5 = 15 positions"
    assert found == [[2, 2], [5, 1], [1], [9]], f"[2, 2], [5, 1], [1], [9] fit into 10 positions, not {found}"
    assert [list(b) for b in answer([12, 1], 10)] == [[12], [1]], "a text beyond the budget is a batch of its own"


def answer_37_3(lengths, seconds, peak):
    from satlib import speed

    return speed.training_flops(lengths) / seconds / (peak * 1e9)


def check_37_3(answer):
    from satlib import speed

    lengths, peak = [20, 60], 100.0
    right = speed.training_flops(lengths) / 0.5 / 1e11
    found = float(answer(lengths, 0.5, peak))
    assert not math.isclose(found, right / 3), "training costs three times the forward pass"
    assert not math.isclose(found, right * 1e9), "the peak counts billions of operations"
    assert not math.isclose(found, speed.training_flops([60, 60]) / 0.5 / 1e11), "count tokens, not padding"
    assert not math.isclose(found, 1 / right), "a share is what was used over what could have been"
    assert math.isclose(found, right), f"operations / (seconds x peak) is {right:.4f}, not {found:.4f}"


# 41 comparison


def answer_41_1(one, other):
    from itertools import product

    gap = np.asarray(one, float) - np.asarray(other, float)
    sums = [abs(np.dot(signs, gap)) for signs in product((-1, 1), repeat=len(gap))]
    return np.mean(np.array(sums) >= abs(gap.sum()) - 1e-9)


def check_41_1(answer):
    for one, other, p in (([5.0, 4, 6, 3], [2.0, 3, 4, 3.5], 4 / 16), ([2.0, 1, 3], [4.0, 2, 6], 2 / 8),
                          ([1.0, 2, 3, 4, 9], [2.0, 2, 2, 2, 2], 12 / 32)):  # fmt: skip
        found = float(answer(one, other))
        assert not math.isclose(found, p / 2), "count the ways that are as far below zero as those above: two-sided"
        assert found > 0, "the way that was seen counts too, so p is never 0: compare with >=, and allow for rounding"
        assert found <= 1, f"p is a share of the 2**{len(one)} ways to swap, so at most 1, not {found}"
        assert math.isclose(found, p), f"{one} against {other}: p is {p:.4f}, not {found:.4f}"


def answer_41_2(p, level):
    different = [False] * len(p)
    for step, place in enumerate(np.argsort(p)):
        if p[place] * (len(p) - step) >= level:
            break
        different[place] = True
    return different


def check_41_2(answer):
    p = [0.30, 0.004, 0.011, 0.45, 0.0053, 0.60, 0.013, 0.90, 0.70, 0.0061]
    found = list(map(bool, answer(p, 0.05)))
    assert found != [x < 0.05 for x in p], "each at .05 lets luck in: multiply the smallest p by 10, the next by 9"
    assert found != [x * 10 < 0.05 for x in p], "that is Bonferroni: after the smallest, 9 models are left, not 10"
    expected, named = answer_41_2(p, 0.05), np.flatnonzero(found).tolist()
    assert found == expected, f"at .05 the models {np.flatnonzero(expected).tolist()} are different, not {named}"
    late = list(map(bool, answer([0.03, 0.04, 0.045], 0.05)))
    assert not any(late), "stop at the first p that is too large: .03 times 3 is, so the others are not asked any more"


def answer_41_3(one, other, users):
    seeds = np.var(one, ddof=1) / len(one) + np.var(other, ddof=1) / len(other)
    return np.sqrt(users**2 + seeds)


def check_41_3(answer):
    one, other, users = np.array([1.00, 1.04, 0.98]), np.array([0.95, 1.01, 0.99, 1.05, 0.97]), 0.015
    found, each = float(answer(one, other, users)), [np.var(x, ddof=1) / len(x) for x in (one, other)]
    plain, biased = np.sqrt(sum(each)), np.sqrt(users**2 + sum(np.var(x) / len(x) for x in (one, other)))
    assert not np.isclose(found, plain), "the users add to it: variances add up"
    assert not np.isclose(found, users + plain), "variances add up, standard errors do not: square, add, take the root"
    assert not np.isclose(found, biased), "the variance of few seeds is the sum of squares over n - 1: ddof=1"
    single = np.sqrt(users**2 + sum(np.var(x, ddof=1) for x in (one, other)))
    assert not np.isclose(found, single), "that is the spread of single seeds: the mean of n has 1/n of the variance"
    expected = answer_41_3(one, other, users)
    assert np.isclose(found, expected), f"expected {expected:.4f}, not {found:.4f}"


# 42 calibration


def answer_42_1(outcome, chance, bins):
    number = np.ceil(chance * bins)
    return max(abs(chance[number == m].mean() - outcome[number == m].mean()) for m in np.unique(number))


def check_42_1(answer):
    rng = np.random.default_rng(0)
    chance = rng.uniform(0.02, 0.69, 400)  # the bins near 1 stay empty
    outcome = (rng.random(400) < np.where(chance < 0.11, 0.6, chance / 2)).astype(float)
    for bins in (5, 10, 20):
        found, expected = float(answer(outcome, chance, bins)), answer_42_1(outcome, chance, bins)
        number = np.ceil(chance * bins)
        gaps = [(chance - outcome)[number == m] for m in np.unique(number)]
        right = np.isclose(found, expected)
        assert not math.isnan(found), "a bin without rows has no mean: leave it out"
        assert right or not np.isclose(found, sum(abs(gap.sum()) for gap in gaps) / 400), \
            "that is the ECE, the mean over the bins; asked is the largest distance"
        assert right or not np.isclose(found, max(gap.mean() for gap in gaps)), \
            "a share above the chance is a distance as well: take the absolute value in each bin"
        assert right, f"with {bins} bins the largest distance is {expected:.4f}, not {found:.4f}"


def answer_42_2(p, level):
    tail = (1 - level) / 2
    return 1 + int(np.sum(np.cumsum(p) <= tail)), 5 - int(np.sum(np.cumsum(p[::-1]) <= tail))


def check_42_2(answer):
    cases = (([0.05, 0.2, 0.4, 0.2, 0.15], 0.8), ([0.02, 0.025, 0.055, 0.3, 0.6], 0.9),
             ([0.95, 0.02, 0.01, 0.01, 0.01], 0.8))
    for p, level in cases:
        low, high = found = tuple(answer(np.array(p), level))
        right, whole = answer_42_2(np.array(p), level), answer_42_2(np.array(p), 2 * level - 1)
        assert (low + 1, high + 1) != right, "the first rating is 1, not 0"
        assert found == right or found != whole, "on each side only half of 1 - level may be left out"
        assert found == right, f"{p} at the level {level} reaches from {right[0]} to {right[1]}, not {low} to {high}"


def answer_42_3(loss, unsure, limit):
    risk = np.cumsum(loss[np.argsort(unsure)]) / np.arange(1, len(loss) + 1)
    return np.max(np.flatnonzero(risk <= limit) + 1, initial=0) / len(loss)


def check_42_3(answer):
    cases = (([4, 0, 1, 3], [0.9, 0.1, 0.2, 0.5], 0.6), ([2, 0, 0, 4], [0.1, 0.2, 0.3, 0.9], 0.8),
             ([1, 0, 1, 0, 9], [0.3, 0.1, 0.2, 0.4, 0.6], 0.55), ([4, 0, 1, 3], [0.1, 0.3, 0.2, 0.5], 0.1))
    for loss, unsure, limit in cases:
        loss, unsure = np.array(loss, float), np.array(unsure)
        found, right = float(answer(loss, unsure, limit)), answer_42_3(loss, unsure, limit)
        risk = np.cumsum(loss[np.argsort(unsure)]) / np.arange(1, len(loss) + 1)
        assert right == 0 or not np.isclose(found, right * len(loss)), "give the share of the sessions, not the number"
        first = np.argmax(np.append(risk, np.inf) > limit) / len(loss)
        assert np.isclose(found, right) or not np.isclose(found, first), \
            "the mean loss may fall below the limit again: look at all shares, and take the largest"
        assert np.isclose(found, right) or not np.isclose(found, answer_42_3(loss, -unsure, limit)), \
            "the surest come first: sort by unsure, upwards"
        assert np.isclose(found, right) or not np.isclose(found, np.mean(loss <= limit)), \
            "the limit holds for the mean loss of all that are answered, not for each of them"
        assert np.isclose(found, right), (f"the 1, 2, ... surest have the mean losses {risk.round(2).tolist()}; with "
                                          f"the limit {limit} the share is {right:.2f}, not {found:.2f}")


# 61 reproduction_uss


def answer_61_1(printed, precision):
    return printed / (precision + printed / (2 * precision))


def check_61_1(answer):
    for precision, recall in ((0.25, 0.25), (0.1, 0.6), (0.5, 0.05), (0.3, 0.3)):
        printed, right = 2 * precision * recall, 2 * precision * recall / (precision + recall)
        found = float(answer(printed, precision))
        assert not math.isclose(found, printed), "that is what was printed; it was divided by 1, not by P + R"
        twice = math.isclose(precision + recall, 0.5)
        assert twice or not math.isclose(found, 2 * printed), "half is lost only where P + R = 0.5"
        assert not math.isclose(found, recall) or math.isclose(recall, right), "that is the recall; go on from it"
        assert precision == recall or not math.isclose(found, printed / (precision + printed / precision)), \
            "printed is 2 P R, so R = printed / (2 P)"
        assert math.isclose(found, right), f"P = {precision} and R = {recall} have F1 {right:.3f}, not {found:.3f}"


def answer_61_2(counts):
    below = np.cumsum(counts) - counts
    n = np.sum(counts)
    return 1 - 6 * np.sum(counts * below**2) / (n**3 - n)


def check_61_2(answer):
    for counts in ([0, 1, 8, 1, 0], [1, 2, 10, 4, 3], [0, 0, 5, 5, 0], [3, 0, 0, 0, 4]):
        counts = np.array(counts)
        found, right = float(answer(counts)), answer_61_2(counts)
        n, below = counts.sum(), np.cumsum(counts) - counts
        middle, upper = below + (counts - 1) / 2, below + counts - 1
        assert not math.isnan(found), "undefined is the right rho; asked is the faulty one, which has a number"
        for ranks, hint in ((middle, "equal ratings take the rank of the first of them, not the middle one"),
                            (upper, "equal ratings take the rank of the first of them, not of the last"),
                            (np.arange(5) * (counts > 0), "a rank counts the rows below, not the classes below")):
            mistaken = 1 - 6 * np.sum(counts * ranks**2) / (n**3 - n)
            assert math.isclose(found, right) or not math.isclose(found, mistaken), hint
        once = 1 - 6 * np.sum(below**2) / (n**3 - n)
        assert math.isclose(found, right) or not math.isclose(found, once), "sum over the rows, not over the classes"
        assert math.isclose(found, right), f"the counts {counts.tolist()} have {right:.3f}, not {found:.3f}"


def answer_61_3(groups, folds):
    size = len(groups) // folds
    first = {}
    for row, group in enumerate(groups):
        first.setdefault(group, min(row // size, folds - 1))
    return [first[group] for group in groups]


def check_61_3(answer):
    for sizes, folds in (([3, 3, 3, 3], 4), ([2, 4, 3, 1, 5], 3), ([1, 5, 2, 2, 3, 4], 4), ([4, 1, 1, 1], 2)):
        groups = [f"d{i}" for i, size in enumerate(sizes) for _ in range(size)]
        found, right = [int(fold) for fold in answer(groups, folds)], answer_61_3(groups, folds)
        assert len(found) == len(groups), f"give a fold for each of the {len(groups)} rows"
        cut = [g for g in dict.fromkeys(groups) if len({f for f, h in zip(found, groups, strict=True) if h == g}) > 1]
        assert not cut, f"{len(cut)} dialogues are cut: all rows of one have the fold of its first row"
        assert max(found) < folds, f"folds have the numbers 0 to {folds - 1}: the last block takes the rest"
        names = list(dict.fromkeys(groups))
        equal = [min(names.index(g) // max(len(names) // folds, 1), folds - 1) for g in groups]
        assert found == right or found != equal, "blocks have equally many rows, not equally many dialogues"
        last = {g: min(i // (len(groups) // folds), folds - 1) for i, g in enumerate(groups)}
        assert found == right or found != [last[g] for g in groups], "the first row of a dialogue decides, not the last"
        assert found == right, f"dialogues of {sizes} rows in {folds} folds: {right}, not {found}"


# 62 reproduction_usda


def answer_62_1(ratings):
    mean = sum(ratings) / len(ratings)
    return 1 + (mean > 3) - (mean < 3)


def check_62_1(answer):
    for ratings in ([3, 3, 4], [3, 3, 3], [3, 2, 3, 3], [2, 4, 3], [1, 5, 5], [4, 4, 2, 2, 2], [3, 3, 3, 3, 5], [2, 2]):
        found, right = int(answer(list(ratings))), answer_62_1(ratings)
        rounded = answer_62_1([round(sum(ratings) / len(ratings))])
        frequent = answer_62_1([max(sorted(set(ratings)), key=ratings.count)])
        assert found in (0, 1, 2), f"the classes are 0, 1 and 2; {found} is none of them"
        assert found == right or found != rounded, f"{ratings}: do not round the mean, its sign against 3 decides"
        assert found == right or found != frequent, f"{ratings}: that is the class of the most frequent rating"
        assert found == right, f"{ratings} have the mean {sum(ratings) / len(ratings):.2f}: class {right}, not {found}"


def answer_62_2(turns, judged, skip):
    return [(name, i) for name, count in turns.items() if name not in judged for i in range(skip, count)]


def check_62_2(answer):
    cases = (({"a": 5, "b": 6, "c": 3, "d": 4}, {"b"}, 3), ({"a": 4, "b": 5}, set(), 2), ({"a": 4, "b": 4}, {"a"}, 0),
             ({"a": 3, "b": 7}, {"a", "x"}, 3))
    for turns, judged, skip in cases:
        found, right = sorted(map(tuple, answer(dict(turns), set(judged), skip))), answer_62_2(turns, judged, skip)
        leaked, one_less = (answer_62_2(turns, *other) for other in ((set(), skip), (judged, skip + 1)))
        right, leaked, one_less = sorted(right), sorted(leaked), sorted(one_less)
        last = [(name, i) for name, i in right if i < turns[name] - 1]
        assert found == right or found != leaked, "turns of judged dialogues stand in training: leave them out"
        assert found == right or found != one_less, f"{skip} turns are skipped, so the first to stay has number {skip}"
        assert found == right or found != last, "the last turn is the row OVERALL, which stays an example"
        assert found == right, f"{turns} without {sorted(judged)}, {skip} skipped, leave {right}, not {found}"


def answer_62_3(validation, test):
    chosen = max(validation, key=validation.get)
    return test[chosen], max(test.values()) - test[chosen]


def check_62_3(answer):
    cases = (({"a": 0.61, "b": 0.58, "c": 0.55}, {"c": 0.62, "b": 0.50, "a": 0.57}),
             ({"a": 0.40, "b": 0.52}, {"a": 0.70, "b": 0.66}), ({"x": 0.3, "y": 0.2}, {"x": 0.5, "y": 0.1}))
    for validation, test in cases:
        value, gain = map(float, answer(dict(validation), dict(test)))
        right, more = answer_62_3(validation, test)
        best = max(test.values())
        assert math.isclose(value, right) or not math.isclose(value, best), "that model was chosen on the test rows"
        assert math.isclose(value, right) or not math.isclose(value, max(validation.values())), \
            "report the chosen model's score on the test rows; its validation score has been used to choose"
        assert math.isclose(value, right), f"validation chooses a model that has {right} on the test rows, not {value}"
        assert math.isclose(gain, more, abs_tol=1e-9) or not math.isclose(gain, -more), "the best on test is not worse"
        assert math.isclose(gain, more, abs_tol=1e-9), f"choosing on test would have added {more:.2f}, not {gain:.2f}"


# 63 reproduction_ab_redial


def answer_63_1(items, values):
    found = []
    for i, item in enumerate(items):
        rest = [value for j, value in enumerate(values) if items[j] == item and j != i]
        found.append(sum(rest) / len(rest))
    return found


def check_63_1(answer):
    items, values = ["a", "b", "a", "b", "b", "c", "c"], [1.0, 4.0, 5.0, 4.0, 1.0, 3.0, 2.0]
    found, right = np.asarray(answer(items, values), dtype=float), np.array(answer_63_1(items, values))
    assert found.shape == right.shape, f"one number for each of the {len(items)} rows, not the shape {found.shape}"
    own = [np.mean([v for v, other in zip(values, items, strict=True) if other == item]) for item in items]
    everyone = (sum(values) - np.array(values)) / (len(values) - 1)
    unequal = [np.mean([v for v, other in zip(values, items, strict=True) if other == item and v != mine])
               for item, mine in zip(items, values, strict=True)]
    assert not np.allclose(found, own), "that mean holds the row's own value: leave it out"
    assert not np.allclose(found, everyone), "the others of the same item only, not all other rows"
    assert not np.allclose(found, unequal), "another row may hold the same value: leave out the row, not the value"
    assert np.allclose(found, right), f"{values} of the items {items} give {right.tolist()}, not {found.tolist()}"


def answer_63_2(same, other):
    return other, same - other, 1 - same


def check_63_2(answer):
    for same, other in ((0.65, 0.42), (0.9, 0.3), (0.5, 0.5), (1.0, 0.0)):
        found, right = tuple(map(float, answer(same, other))), (other, same - other, 1 - same)
        assert len(found) == 3, "three shares: quality, annotator, noise"
        assert same == 1 or not np.allclose(found, (other**2, same**2 - other**2, 1 - same**2)), \
            "r is the share itself here: both answers hold the same part once, so nothing is squared"
        assert other in (0, same) or not np.allclose(found, (same - other, other, 1 - same)), \
            "what two annotators have in common is the quality; what only the same annotator adds is hers"
        assert np.isclose(sum(found), 1), f"the three shares of a variance sum to 1, not to {sum(found):.2f}"
        assert np.allclose(found, right), f"same {same}, other {other}: {right}, not {found}"


def answer_63_3(r, wanted):
    m = 1
    while math.sqrt(m * r / (1 + (m - 1) * r)) < wanted:
        m += 1
    return m


def check_63_3(answer):
    for r, wanted in ((0.35, 0.8), (0.35, 0.5), (0.47, 0.9), (0.2, 0.95), (0.6, 0.9)):
        found, right = float(answer(r, wanted)), answer_63_3(r, wanted)
        reliable = wanted * (1 - r) / (r * (1 - wanted))
        assert not math.isclose(found, max(1, math.ceil(reliable))) or right == found, \
            "m r / (1 + (m - 1) r) is the square of the ceiling: take its root"
        assert found == int(found), f"a whole number of annotators, not {found:.2f}"
        assert found != right - 1, f"{found:.0f} annotators stay below {wanted}: round up"
        assert found == right, f"r = {r} and a ceiling of {wanted}: {right} annotators, not {found:.0f}"


# 64 reproduction_ratings


def answer_64_1(users, times):
    order = sorted(range(len(users)), key=lambda i: times[i])  # equal times keep the order of the file
    return sorted({users[i]: i for i in order}.values())


def check_64_1(answer):
    cases = (("abab", [1, 2, 3, 4]), ("aabbb", [9, 3, 1, 8, 4]), ("cabcab", [5, 5, 1, 2, 7, 3]), ("aa", [4, 4]))
    for users, times in cases:
        found, right = sorted(int(i) for i in answer(list(users), times)), answer_64_1(users, times)
        in_file = sorted({user: i for i, user in enumerate(users)}.values())
        first = answer_64_1(users, [-time for time in times])
        assert found == right or found != in_file, "that is the last row of each user in the file: look at the times"
        assert found == right or len(set(users)) == 1 or len(found) != 1, "one row of each user, not one of all"
        assert found == right or times == [4, 4] or found != first, "those are the users' first rows"
        assert found == right or times != [4, 4], "of rows of the same moment take the later in the file"
        assert found == right, f"users {list(users)} at times {times}: rows {right} are tested, not {found}"


def answer_64_2(error, user, known):
    kept = [(e, u) for e, u, there in zip(error, user, known, strict=True) if there]
    own = [np.sqrt(np.mean([e**2 for e, u in kept if u == one])) for one in {u for _, u in kept}]
    return np.sqrt(np.mean(np.square(error))) - np.mean(own)


def check_64_2(answer):
    cases = (([2.0, 0.0, 0.5, 3.0], "aabc", [True, True, True, False]),
             ([1.0, 1.0, 1.0, 2.0, 0.0], "aaabb", [True] * 5), ([1.0, -2.0, 2.0], "abb", [True, False, True]))
    for error, user, known in cases:
        found, right = float(answer(np.array(error), list(user), known)), answer_64_2(error, user, known)
        all_rows = answer_64_2(error, user, [True] * len(error))
        kept = np.array(error)[np.array(known)]
        pooled = np.sqrt(np.mean(np.square(error))) - np.sqrt(np.mean(kept**2))
        same = np.sqrt(np.mean(kept**2)) + right - np.sqrt(np.mean(np.square(error)))
        assert np.isclose(found, right) or not np.isclose(found, -right), "the honest RMSE comes first"
        assert np.isclose(found, right) or not np.isclose(found, all_rows), "leave out the rows that are not known"
        assert np.isclose(found, right) or not np.isclose(found, pooled), "average the users' RMSEs, not all rows"
        assert np.isclose(found, right) or not np.isclose(found, same), "the honest RMSE takes all rows, known or not"
        assert np.isclose(found, right), f"errors {error} of the users {list(user)}: {right:.3f}, not {found:.3f}"


def answer_64_3(titles, rng):
    different = sorted(set(titles))
    numbers = rng.permutation(len(different)) + 1
    return {title: f"Film {number:04d}" for title, number in zip(different, numbers, strict=True)}


def check_64_3(answer):
    titles = [f"{word} {n}" for n in range(40) for word in ("Night", "Alien")]
    found = answer([*titles, *titles[:9]], np.random.default_rng(0))
    assert set(found) == set(titles), f"each of the {len(titles)} different titles needs one name"
    assert len(set(found.values())) == len(titles), "two films share a name: deal the numbers out without repeats"
    assert all(title.split()[0] not in name for title, name in found.items()), "a name still holds a word of its title"
    numbers = [int("".join(filter(str.isdigit, found[title]))) for title in sorted(found)]
    for order in (numbers, [numbers[sorted(found).index(title)] for title in titles]):
        steady = abs(np.corrcoef(order, np.arange(len(order)))[0, 1])
        assert steady < 0.5, "the numbers follow the order of the titles, which tells what films are called: shuffle"
    assert sorted(found.values()) == [f"Film {n:04d}" for n in range(1, len(titles) + 1)], \
        'write "Film 0001", "Film 0002" and so on'
    again = answer([*titles], np.random.default_rng(0))
    assert again == found, "the same seed should give the same names: draw from rng only"


# 90 report


def answer_90_1(rmse, reference):
    return 100 * (reference - rmse) / reference


def check_90_1(answer):
    for rmse, reference in ((0.8, 1.0), (0.9, 0.75), (1.1, 1.1)):
        got, expected = float(answer(rmse, reference)), 100 * (reference - rmse) / reference
        assert not (rmse != reference and math.isclose(got, -expected)), "a lower RMSE should give a positive number"
        assert not (rmse != reference and math.isclose(got, 100 * (reference - rmse) / rmse)), \
            "per cent of the reference, not of the model"
        assert not (rmse != reference and math.isclose(100 * got, expected)), "per cent: multiply by 100"
        assert math.isclose(got, expected, abs_tol=1e-9), f"{rmse} against {reference}: {expected:.1f}, not {got:.1f}"


def answer_90_2(mean, model, oracle):
    return (mean - model) / (mean - oracle)


def check_90_2(answer):
    for mean, model, oracle in ((1.2, 0.9, 0.8), (1.2, 1.2, 0.8), (1.0, 1.1, 0.5), (1.4, 0.7, 0.7)):
        got, expected = float(answer(mean, model, oracle)), (mean - model) / (mean - oracle)
        assert not (model != mean and math.isclose(got, (mean - model) / mean)), \
            "an RMSE of 0 cannot be reached: the oracle is the end of the scale"
        assert not (oracle != model and math.isclose(got, oracle / model)), \
            "that compares the two values; asked is the part of the way from the mean to the oracle"
        assert math.isclose(got, expected, abs_tol=1e-9), \
            f"from {mean} to {oracle}, a model at {model} has gone {expected:.2f} of the way, not {got:.2f}"
