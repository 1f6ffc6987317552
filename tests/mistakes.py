"""The mistakes that learners make in the exercises, for the test of the checkers: answers that look
right and are not."""

import itertools
import math

import numpy as np
from scipy import stats

from satlib.evaluation import bootstrap, metrics
from satlib.exercises.checking import reference
from satlib.losses import cross_entropy
from satlib.training.batches import batches


def dwell_of_all(example):
    return sum(event.dwell or 0 for event in example.events) / len(example.events)


def dwell_if_true(example):
    known = [event.dwell for event in example.events if event.dwell]
    return sum(known) / len(known) if known else None


def users_above_four(examples):
    users = {}
    for example in examples:
        users.setdefault(example.group, []).append(example.rating)
    return np.mean([np.mean(ratings) > 4 for ratings in users.values()])


def most_frequent_highest(ratings):
    return max(set(ratings), key=lambda rating: (ratings.count(rating), rating))


def most_frequent_first(ratings):
    return max(ratings, key=ratings.count)


def moves_nowhere_by_zero(gradient, size):
    with np.errstate(invalid="ignore"):
        return np.array(gradient) * size / np.linalg.norm(gradient)


def whole_deviation(new, usual, deviation, t):
    change = np.mean(new) - np.mean(usual)
    return (
        "no clear difference"
        if abs(change) < t * deviation
        else "better"
        if change < 0
        else "worse"
    )


def one_mean_varies(new, usual, deviation, t):
    return whole_deviation(new, usual, deviation / len(new) ** 0.5, t)


def all_before_and_after(rows, i):
    return [row[1] for row in sorted(rows) if row is not rows[i]]


def rho_of_ranks(counts, ranks, n=None):
    n = n or np.sum(counts)
    return 1 - 6 * np.sum(counts * ranks**2) / (n**3 - n)


def equal_dialogues(groups, folds):
    names = list(dict.fromkeys(groups))
    return [min(names.index(group) // max(len(names) // folds, 1), folds - 1) for group in groups]


def class_of_the_most_frequent(ratings):
    return reference("62.1")([most_frequent_lowest(ratings)])


def most_frequent_lowest(ratings):
    return min(set(ratings), key=lambda rating: (-ratings.count(rating), rating))


def without_the_last(turns, judged, skip):
    return [(name, i) for name, i in reference("62.2")(turns, judged, skip) if i < turns[name] - 1]


def lower_side(utility, thresholds):
    return 1 + sum(1 / (1 + math.exp(utility - threshold)) for threshold in thresholds)


def one_annotator(chances, annotators):
    return reference("03.2")(chances, np.ones(len(chances)))


def mean_of_roots(chances, annotators):
    return np.mean(
        [reference("03.2")(chances[i : i + 1], annotators[i]) for i in range(len(chances))]
    )


def empty_tail_is_all(ids, max_length, head):
    return (
        ids
        if len(ids) <= max_length
        else ids[: 1 + head] + ids[1:-1][-(max_length - 2 - head) :] + ids[-1:]
    )


def votes_with_ties(ratings):
    return int(2 * sum(rating >= 4 for rating in ratings) >= len(ratings))


def with_itself(ratings):
    return np.mean([np.sign(r - 3) == np.sign(np.mean(one) - 3) for one in ratings for r in one])


def turns_first(ratings):
    return np.mean([reference("04.2")([one]) for one in ratings if len(one) > 1])


def single_is_wrong(ratings):
    several = [one for one in ratings if len(one) > 1]
    return reference("04.2")(several) * sum(map(len, several)) / sum(map(len, ratings))


def users_of(parts, *names):
    return {e.group for name in names for e in parts[name]}


def rows_met(parts):
    return np.mean([e.group in users_of(parts, "train", "validation") for e in parts["test"]])


def trained_users_only(parts):
    return len(users_of(parts, "test") & users_of(parts, "train")) / len(users_of(parts, "test"))


def earliest_tested(rows, times):
    test, train = reference("05.2")(rows[::-1], [-t for t in times[::-1]])
    return train[::-1], test[::-1]


def trained_copies_only(parts):
    return reference("05.3")(parts | {"validation": []})


def different_copies(parts):
    seen = {e.events for part in ("train", "validation") for e in parts[part]}
    tested = {e.events for e in parts["test"]}
    return len(tested & seen) / len(tested)


def copies_within(parts):
    return 1 - len({e.events for e in parts["test"]}) / len(parts["test"])


def coupled_momentum(theta, gradient, velocity, learning_rate, weight_decay, momentum):
    velocity = momentum * velocity + gradient
    return theta - learning_rate * (velocity + weight_decay * theta), velocity


def coral_with_exp(y, score, thresholds, weights):
    odds = np.exp(np.subtract.outer(score, thresholds))
    return (odds / (1 + odds) - (y[:, None] > np.arange(4))) @ weights / len(y)


def set_columns(items, columns):
    return np.array([float(name in items) for name in columns])


def halves_of_the_oldest(vectors):
    weights = 0.5 ** np.arange(len(vectors))
    return weights @ np.asarray(vectors) / weights.sum()


def changes_input(hidden, mask):
    hidden[mask == 0] = -1e9
    return hidden.amax(dim=1)


def never_sets_back(values, patience):
    best, worse, run = math.inf, 0, []
    for value in values:
        best, worse = min(best, value), worse + (value >= best)
        run.append(value)
        if worse == patience:
            break
    return len(run), int(np.argmin(run)) + 1


def keeps_the_last(values, patience):
    epochs, _ = reference("42.1")(values, patience)
    return epochs, epochs


def equal_is_better(values, patience):
    lowered = [value - 1e-9 * epoch for epoch, value in enumerate(values)]
    return reference("42.1")(lowered, patience)


def one_epoch_only(n, plan, step):
    return batches(n, plan, 0)[min(step, 2)]


def unpaired(rating, a, b, groups, rng):
    one, other = (bootstrap.bootstrap(metrics.rmse, rating, p, groups, 1000, rng) for p in (a, b))
    return other[0] - one[1], other[1] - one[0]


def single_rows(rating, a, b, groups, rng):
    return reference("31.2")(rating, a, b, np.arange(len(rating)), rng)


def user_means(ratings, users, asked, k=5):
    return np.array(
        [ratings[users == u].mean() if (users == u).any() else ratings.mean() for u in asked]
    )


def means_in_order_of_time(rows):
    return reference("33.2")(sorted(rows, key=lambda row: row[1]))


def means_with_oneself(rows):
    return [np.mean([r for u, t, r in rows if u == user and t <= time]) for user, time, _ in rows]


def means_over_all(rows):
    return [np.mean([r for u, _, r in rows if u == user]) for user, _, _ in rows]


def means_by_place(rows):
    return reference("33.2")([(user, i, rating) for i, (user, _, rating) in enumerate(rows)])


def means_of_everybody(rows):
    return [np.mean([r for _, t, r in rows if t < time] or [np.nan]) for _, time, _ in rows]


def only_the_last_is_changed(features, rows):
    (user, time, rating), whole = rows[-1], features(rows)
    return np.allclose(features([*rows[:-1], (user, time, rating + 1)]), whole)


def only_later_rows_are_left_out(features, rows):
    return all(np.allclose(features(rows[:k]), features(rows)[:k]) for k in range(1, len(rows)))


def only_ratings_are_changed(features, rows):
    for k, (user, time, rating) in enumerate(rows):
        changed = [*rows[:k], (user, time, rating + 1), *rows[k + 1 :]]
        if not np.allclose(features(changed)[: k + 1], features(rows)[: k + 1]):
            return False
    return True


def product_of_shares(counts, rows, text):
    shares = (1 + counts) / (counts.shape[1] + counts.sum(axis=1, keepdims=True))
    weights = rows / rows.sum() * shares[:, text].prod(axis=1)
    return float(weights @ np.arange(1, 6) / weights.sum()) if weights.sum() else float("nan")


def no_added_counts(counts, rows, text):
    weights = rows * (counts / counts.sum(axis=1, keepdims=True))[:, text].prod(axis=1)
    return float(weights @ np.arange(1, 6) / weights.sum()) if weights.sum() else float("nan")


def tokens_without_padding(lengths, budget):
    batches = []
    for length in lengths:
        if batches and sum(batches[-1]) + length <= budget:
            batches[-1].append(length)
        else:
            batches.append([length])
    return batches


def last_longest_only(lengths, budget):
    batches = []
    for length in lengths:
        if batches and max(batches[-1]) * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(length)
        else:
            batches.append([length])
    return batches


def one_sided(one, other):
    gap = np.subtract(one, other)
    ways = np.array(list(itertools.product((-1, 1), repeat=len(gap)))) @ gap
    return np.mean(ways >= gap.sum() - 1e-9) if gap.sum() > 0 else np.mean(ways <= gap.sum() + 1e-9)


def hochberg(p, level):
    """Holm's thresholds, but from the largest p upwards: whatever lies below one that is small
    enough is taken too."""
    order = np.argsort(p)
    passed = [step for step, place in enumerate(order) if p[place] * (len(p) - step) < level]
    return [bool(passed) and x <= p[order[passed[-1]]] for x in p]


def mean_over_bins(outcome, chance, bins):
    number = np.ceil(chance * bins)
    return sum(abs((chance - outcome)[number == m].sum()) for m in np.unique(number)) / len(chance)


def signed_distance(outcome, chance, bins):
    number = np.ceil(chance * bins)
    return max((chance - outcome)[number == m].mean() for m in np.unique(number))


def with_empty_bins(outcome, chance, bins):
    number = np.ceil(chance * bins)
    sums = [
        np.bincount(number.astype(int), weights=w, minlength=bins + 1)
        for w in (chance - outcome, chance * 0 + 1)
    ]
    with np.errstate(invalid="ignore"):
        return np.abs(sums[0] / sums[1]).max()


def shifted(p, level, by):
    return tuple(end + by for end in reference("52.2")(p, level))


def up_to_the_first_excess(loss, unsure, limit):
    risk = np.cumsum(loss[np.argsort(unsure)]) / np.arange(1, len(loss) + 1)
    return np.argmax(np.append(risk, np.inf) > limit) / len(loss)


def with_ones_own(items, values):
    return [
        np.mean([v for v, other in zip(values, items, strict=True) if other == item])
        for item in items
    ]


def all_other_rows(items, values):
    return [(sum(values) - value) / (len(values) - 1) for value in values]


def others_by_value(items, values):
    pairs = list(zip(items, values, strict=True))
    return [
        np.mean([v for other, v in pairs if other == item and v != mine]) for item, mine in pairs
    ]


def last_in_file(users, times):
    return list({user: i for i, user in enumerate(users)}.values())


def first_rows(users, times):
    return reference("64.1")(users, [-time for time in times])


def last_but_ties_first(users, times):
    back = reference("64.1")(users[::-1], times[::-1])
    return [len(users) - 1 - i for i in back]


def flattery_of_rows(error, user, known):
    return np.sqrt(np.mean(error**2)) - np.sqrt(np.mean(error[np.array(known)] ** 2))


def known_against_known(error, user, known):
    return reference("64.2")(
        error[np.array(known)],
        *([x for x, k in zip(y, known, strict=True) if k] for y in (user, known)),
    )


def in_alphabetical_order(titles, rng):
    return {title: f"Film {i + 1:04d}" for i, title in enumerate(sorted(set(titles)))}


def in_order_of_appearance(titles, rng):
    return {title: f"Film {i + 1:04d}" for i, title in enumerate(dict.fromkeys(titles))}


def by_hand_of_dice(titles, rng):
    return {title: f"Film {rng.integers(1, 81):04d}" for title in sorted(set(titles))}


def numbered_behind_the_title(titles, rng):
    return {title: f"{title} {name}" for title, name in reference("64.3")(titles, rng).items()}


# Exercise -> the common mistakes, each of which must be refused with a hint.
WRONG = {
    "01.1": [dwell_of_all, dwell_if_true, lambda e: 0.0],
    "01.2": [lambda examples: np.mean([e.rating >= 4 for e in examples]), users_above_four],
    "02.1": [
        most_frequent_highest,
        most_frequent_first,
        lambda ratings: sum(ratings) / len(ratings),
    ],
    "02.2": [lambda rows, i: [row[1] for row in rows[:i]], all_before_and_after],
    "03.1": [lower_side, lambda u, thresholds: 1.0 + sum(t < u for t in thresholds)],
    "03.2": [one_annotator, mean_of_roots],
    "04.1": [
        lambda ratings: int(np.mean(ratings) >= 4),
        votes_with_ties,
        lambda ratings: int(sum(r >= 3 for r in ratings) > len(ratings) / 2),
    ],
    "04.2": [
        with_itself,
        turns_first,
        single_is_wrong,
        lambda ratings: with_itself([r for r in ratings if r[1:]]),
    ],
    "04.3": [
        lambda v, t: math.ceil(v / t),
        lambda v, t: int(v / t**2),
        lambda v, t: v / t**2,
        lambda v, t: math.ceil(v**2 / t**2),
    ],
    "05.1": [rows_met, trained_users_only, lambda parts: 0.0],
    "05.2": [
        lambda rows, times: (rows[: len(rows) * 4 // 5], rows[len(rows) * 4 // 5 :]),
        earliest_tested,
        lambda rows, times: (sorted(rows)[:-1], sorted(rows)[-1:]),
    ],
    "05.3": [trained_copies_only, different_copies, copies_within, lambda parts: 0.0],
    "11.1": [
        lambda loss, low, high: low + (high - low) * math.sqrt(loss),
        lambda loss, low, high: (high - low) * loss,
        lambda loss, low, high: high * math.sqrt(loss),
        lambda loss, low, high: 0.0,
    ],
    "11.2": [coupled_momentum, lambda t, g, v, lr, wd, m: (t - lr * (g + wd * t), v)],
    "12.1": [
        lambda y, z, w: w * (cross_entropy.sigmoid(z) - y) / len(y),
        lambda y, z, w: len(y) * reference("12.1")(y, z, w),
        lambda y, z, w: -reference("12.1")(y, z, w),
        lambda y, z, w: (1 - y) / (1 - cross_entropy.sigmoid(z)) - w * y / cross_entropy.sigmoid(z),
    ],
    "12.2": [
        lambda z: z[:, 1],
        lambda z: z[:, 0] - z[:, 1],
        lambda z: cross_entropy.softmax(z)[:, 1],
        lambda z: z,
    ],
    "13.1": [
        lambda above: 1 + above.sum(axis=1),
        lambda above: np.round(1 + above.sum(axis=1)),
        lambda above: (above >= 0.5).sum(axis=1),
        lambda above: 6 - reference("13.1")(above),
        lambda above: (
            1 + np.argmax(np.hstack([1 - above[:, :1], -np.diff(above), above[:, -1:]]), 1)
        ),
    ],
    "13.2": [
        lambda y, s, t, w: reference("13.2")(y, s, t, np.ones(4)),
        lambda y, s, t, w: len(y) * reference("13.2")(y, s, t, w),
        lambda y, s, t, w: -reference("13.2")(y, s, t, w),
        lambda y, s, t, w: reference("13.2")(y, s, t, w / w.sum()),
        lambda y, s, t, w: reference("13.2")(np.maximum(y - 1, 0), s, t, w),
        coral_with_exp,
    ],
    "13.3": [
        lambda z: 1 + cross_entropy.sigmoid(z).sum(axis=1),
        lambda z: np.cumprod(cross_entropy.sigmoid(z), axis=1).sum(axis=1),
        lambda z: 1 + np.cumprod(cross_entropy.sigmoid(-z), axis=1).sum(axis=1),
    ],
    "21.1": [
        set_columns,
        lambda items, columns: [columns[item] for item in items],
        lambda items, columns: [1, 0, 3],
    ],
    "21.2": [
        halves_of_the_oldest,
        lambda v: np.mean(v, axis=0),
        lambda v: (0.5 ** np.arange(len(v))[::-1]) @ v,
    ],
    "22.1": [
        empty_tail_is_all,
        lambda ids, n, head: ids[:n],
        lambda ids, n, head: ids[:1] + ids[1 - n :],
    ],
    "22.2": [
        lambda hidden, mask: hidden.mean(axis=1),
        lambda hidden, mask: (hidden * mask[:, :, None]).mean(axis=1),
        lambda hidden, mask: hidden[:, 0],
    ],
    "33.1": [
        lambda r, e, w, b: sum(r) / len(r) if r else e,
        lambda r, e, w, b: reference("33.1")(r, e, b, w),
        lambda r, e, w, b: reference("33.1")(r, e, 5, 1),
        lambda r, e, w, b: sum(r) / (len(r) + w / b),
        lambda r, e, w, b: reference("33.1")(r, e, math.sqrt(w), math.sqrt(b)),
    ],
    "33.2": [
        means_in_order_of_time,
        means_with_oneself,
        means_over_all,
        means_by_place,
        means_of_everybody,
    ],
    "33.3": [
        only_the_last_is_changed,
        only_later_rows_are_left_out,
        only_ratings_are_changed,
        lambda f, rows: True,
        lambda f, rows: False,
    ],
    "31.1": [
        metrics.mae,
        lambda r, p: np.mean([np.abs(r - p)[metrics.classes(r) == k].sum() for k in range(1, 6)]),
    ],
    "31.2": [unpaired, single_rows, lambda r, a, b, g, rng: reference("31.2")(r, b, a, g, rng)],
    "32.1": [
        lambda texts, w: math.log((1 + len(texts)) / (1 + sum(t.count(w) for t in texts))) + 1,
        lambda texts, w: reference("32.1")(texts, w) - 1,
    ],
    "32.2": [
        user_means,
        lambda r, u, asked, k=5: np.full(len(asked), r.mean()),
        lambda r, u, asked, k=5: reference("32.2")(r, u, asked),
    ],
    "32.3": [
        product_of_shares,
        no_added_counts,
        lambda c, rows, text: reference("32.3")(c, rows, list(set(text))),
        lambda c, rows, text: float(round(reference("32.3")(c, rows, text))),
        lambda c, rows, text: reference("32.3")(c, np.ones(5), text),
    ],
    "41.1": [
        changes_input,
        lambda hidden, mask: hidden.amax(1),
        lambda hidden, mask: (hidden * mask[:, :, None]).amax(1),
    ],
    "41.2": [
        lambda p, t: (p.argmax(1) + 1, p[:, int(t) - 1 :].sum(1)),
        lambda p, t: (p @ range(5), p[:, 3:].sum(1)),
        lambda p, t: (p @ np.arange(1, 6), p[:, int(t) :].sum(1)),
        lambda p, t: (p @ np.arange(1, 6), p[:, int(t) - 1 :].sum(1)),
    ],
    "42.1": [
        never_sets_back,
        lambda values, patience: (len(values), int(np.argmin(values)) + 1),
        keeps_the_last,
        equal_is_better,
    ],
    "42.2": [
        lambda n, plan, step: batches(n, plan, 0)[step % 3],
        one_epoch_only,
        lambda n, plan, step: batches(n, plan, step)[0],
    ],
    "43.1": [lambda n: 4 * n, lambda n: 12 * n],
    "43.2": [
        lambda parts: np.mean([np.mean(part) for part in parts]),
        lambda parts: sum(sum(p) for p in parts),
    ],
    "43.3": [
        lambda gradient, size: np.array(gradient) * -size / max(1e-9, np.linalg.norm(gradient)),
        lambda gradient, size: np.sign(gradient) * size,
        lambda gradient, size: np.array(gradient) * size,
        moves_nowhere_by_zero,
    ],
    "44.1": [
        lambda rates, decay: (1 - decay) ** len(rates),
        lambda rates, decay: 1 - sum(rates) * decay,
        lambda rates, decay: 1 - reference("44.1")(rates, decay),
        lambda rates, decay: (1 - rates[0] * decay) ** len(rates),
    ],
    "44.2": [
        lambda u, low, high: low + u * (high - low),
        lambda u, low, high: np.log10(low) + u * np.log10(high / low),
        lambda u, low, high: high * (low / high) ** u,
        lambda u, low, high: low * 10 ** (3 * u),
    ],
    "44.3": [
        lambda new, usual, s, t: "better" if np.mean(new) < np.mean(usual) else "worse",
        lambda new, usual, s, t: reference("44.3")(usual, new, s, t),
        whole_deviation,
        one_mean_varies,
    ],
    "45.1": [
        lambda shares, factors: 1 / reference("45.1")(shares, factors),
        lambda shares, factors: (
            1 / sum(s / f for s, f in zip(shares, factors, strict=True)) if shares else 1
        ),
        lambda shares, factors: sum(s * f for s, f in zip(shares, factors, strict=True)) + 1,
    ],
    "45.2": [
        tokens_without_padding,
        last_longest_only,
        lambda lengths, budget: [[length] for length in lengths],
        lambda lengths, budget: reference("45.2")(sorted(lengths), budget),
    ],
    "45.3": [
        lambda lengths, s, peak: reference("45.3")(lengths, s, peak) / 3,
        lambda lengths, s, peak: reference("45.3")(lengths, s, peak) * 1e9,
        lambda lengths, s, peak: reference("45.3")([max(lengths)] * len(lengths), s, peak),
        lambda lengths, s, peak: 1 / reference("45.3")(lengths, s, peak),
    ],
    "51.1": [
        one_sided,
        lambda one, other: reference("51.1")(one, other) - 2 / 2 ** len(one),
        lambda one, other: stats.ttest_rel(one, other).pvalue,
    ],
    "51.2": [
        lambda p, level: [x < level for x in p],
        lambda p, level: [x * len(p) < level for x in p],
        hochberg,
    ],
    "51.3": [
        lambda one, other, users: np.sqrt(reference("51.3")(one, other, users) ** 2 - users**2),
        lambda one, other, users: reference("51.3")(one, other, 0) + users,
        lambda one, other, users: np.sqrt(
            users**2 + np.var(one) / len(one) + np.var(other) / len(other)
        ),
        lambda one, other, users: np.sqrt(users**2 + np.var(one, ddof=1) + np.var(other, ddof=1)),
        lambda one, other, users: users,
    ],
    "52.1": [mean_over_bins, signed_distance, with_empty_bins],
    "52.2": [
        lambda p, level: reference("52.2")(p, 2 * level - 1),
        lambda p, level: shifted(p, level, -1),
        lambda p, level: (1 + int(p.argmax()), 5),
    ],
    "52.3": [
        lambda loss, unsure, limit: reference("52.3")(loss, -unsure, limit),
        up_to_the_first_excess,
        lambda loss, unsure, limit: len(loss) * reference("52.3")(loss, unsure, limit),
        lambda loss, unsure, limit: np.mean(loss <= limit),
    ],
    "61.1": [
        lambda printed, precision: printed,
        lambda printed, precision: 2 * printed,
        lambda printed, precision: printed / (2 * precision),
        lambda printed, precision: printed / (precision + printed / precision),
    ],
    "61.2": [
        lambda counts: math.nan,
        lambda counts: rho_of_ranks(counts, np.cumsum(counts) - (counts + 1) / 2),
        lambda counts: rho_of_ranks(counts, np.cumsum(counts) - 1),
        lambda counts: rho_of_ranks(counts, np.arange(5) * (counts > 0)),
        lambda counts: rho_of_ranks(counts > 0, np.cumsum(counts) - counts, counts.sum()),
    ],
    "61.3": [
        lambda groups, folds: [
            min(i // (len(groups) // folds), folds - 1) for i in range(len(groups))
        ],
        equal_dialogues,
        lambda groups, folds: [i // (len(groups) // folds) for i in map(groups.index, groups)],
        lambda groups, folds: reference("61.3")(groups[::-1], folds)[::-1],
    ],
    "62.1": [
        lambda ratings: reference("62.1")([round(np.mean(ratings))]),
        class_of_the_most_frequent,
        lambda ratings: reference("62.1")(ratings) + 2,
        lambda ratings: int(np.mean(ratings) >= 3),
    ],
    "62.2": [
        lambda turns, judged, skip: reference("62.2")(turns, set(), skip),
        lambda turns, judged, skip: reference("62.2")(turns, judged, skip + 1),
        without_the_last,
        lambda turns, judged, skip: reference("62.2")(turns, judged, 0),
    ],
    "62.3": [
        lambda validation, test: (max(test.values()), 0.0),
        lambda validation, test: (max(validation.values()), reference("62.3")(validation, test)[1]),
        lambda validation, test: (reference("62.3")(validation, test)[0], 0.0),
        lambda validation, test: (
            reference("62.3")(validation, test)[0],
            -reference("62.3")(validation, test)[1],
        ),
    ],
    "63.1": [
        with_ones_own,
        all_other_rows,
        others_by_value,
        lambda items, values: reference("63.1")(items, values)[1:],
    ],
    "63.2": [
        lambda same, other: (other**2, same**2 - other**2, 1 - same**2),
        lambda same, other: (same - other, other, 1 - same),
        lambda same, other: (other / same, 1 - other / same),
        lambda same, other: (other, same, 1 - same),
    ],
    "63.3": [
        lambda r, wanted: math.ceil(wanted * (1 - r) / (r * (1 - wanted))),
        lambda r, wanted: wanted**2 * (1 - r) / (r * (1 - wanted**2)),
        lambda r, wanted: max(1, reference("63.3")(r, wanted) - 1),
        lambda r, wanted: 3,
    ],
    "64.1": [
        last_in_file,
        lambda users, times: [int(np.argmax(times))],
        first_rows,
        last_but_ties_first,
    ],
    "64.2": [
        lambda e, user, known: -reference("64.2")(e, user, known),
        lambda e, user, known: reference("64.2")(e, user, [True] * len(e)),
        flattery_of_rows,
        known_against_known,
    ],
    "64.3": [
        in_alphabetical_order,
        lambda titles, rng: reference("64.3")(titles, np.random.default_rng(42)),
        in_order_of_appearance,
        by_hand_of_dice,
        numbered_behind_the_title,
        lambda titles, rng: dict(list(reference("64.3")(titles, rng).items())[1:]),
    ],
    "99.1": [
        lambda rmse, reference: 100 * (rmse - reference) / reference,
        lambda rmse, reference: rmse / reference,
        lambda rmse, reference: 100 * (reference - rmse) / rmse,
        lambda rmse, reference: 1 - rmse / reference,
    ],
    "99.2": [
        lambda mean, model, oracle: (mean - model) / mean,
        lambda mean, model, oracle: oracle / model,
        lambda mean, model, oracle: (mean - oracle) / (mean - model + 9),
    ],
}
