"""Splits: which rows train, validate and test, by the question that the test is to answer.

A row of a user (or dialogue) tells much about the other rows of that user. A cut by rows lets the
model meet every user in training, so its score says nothing on new users. Four rules:

- "group": a user or dialogue goes to one part, whole. How good is the model on users it has never met?
- "user-time": each user's latest rows are tested, the first one always trains. How good is it on users it knows?
- "global-time": the latest rows of all are tested. How good would it have been from that day on?
- "rows": rows are dealt out at random. It answers no question that a system asks; it is here to be compared.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import isclose

import numpy as np

from satlib import runtime, storage
from satlib.data.interactions import PARTS, Example

Parts = dict[str, list[Example]]
RULES = ("group", "user-time", "global-time", "rows")
FRACTIONS = dict.fromkeys(RULES, (0.8, 0.1, 0.1)) | {
    "group": (0.7, 0.1, 0.2)
}  # of train, validation and test
LEAST_GROUPS = 50  # a subset has that many groups where it can, enough for an interval by group


def split(
    examples: Iterable[Example],
    fractions: tuple[float, float, float] | None = None,
    seed: int = 0,
    rule: str = "group",
) -> Parts:
    """Cut examples into train, validation and test: by Example.part where every example has one,
    else by the rule.

    fractions: shares of the examples, met as nearly as whole groups (or whole rows of each user)
    allow; None takes FRACTIONS of the rule. The cut depends on the examples and the seed, not on
    their order, which is kept. Raises ValueError for an unknown rule, wrong fractions, too few
    groups or rows, a rule by time where an example has none, or given parts that break the rule.
    """
    runtime.one_of("rule", rule, RULES)
    examples, fractions = list(examples), fractions or FRACTIONS[rule]
    if len(fractions) != 3 or min(fractions) < 0 or not isclose(sum(fractions), 1, abs_tol=1e-9):
        raise ValueError(
            f"the fractions are {fractions}; give three numbers of at least 0 that add up to 1"
        )
    given = bool(examples) and all(example.part for example in examples)
    if given:
        side = [example.part for example in examples]
    elif rule == "group":
        of = assign(Counter(example.group for example in examples), fractions, seed)
        side = [of[example.group] for example in examples]
    else:
        side = _by_position(examples, fractions, seed, rule)
    parts = {
        part: [e for e, where in zip(examples, side, strict=True) if where == part]
        for part in PARTS
    }
    check(parts, rule)
    for part, fraction in zip(PARTS, fractions, strict=True):
        if fraction and not parts[part] and not given:
            raise ValueError(
                f"the rule {rule!r} leaves none of {len(examples)} rows for {part}; bring more rows, or "
                "give that part the fraction 0"
            )
    return parts


def of(loaded, seed: int = 0) -> Parts:
    """The split of a corpus in memory (``corpora.Loaded``) by the rule that its registry entry
    names."""
    return split(loaded.examples, seed=seed, rule=loaded.rule)


def moment(example: Example) -> float:
    """When an example was rated, in Unix seconds: the time of its target, of its last event, or
    else its date."""
    steps = [example.target] if example.target is not None else example.events[-1:]
    if steps and steps[0].time is not None:
        return steps[0].time
    if example.date is None:
        raise ValueError(
            f"example {example.id!r} has neither a time nor a date; map a column to time, or use a rule "
            "that needs none"
        )
    return datetime.fromisoformat(example.date).replace(tzinfo=UTC).timestamp()


def in_order(examples: Sequence[Example]) -> list[int]:
    """Row numbers in order of time; equal moments by id, so the order of the rows does not
    matter."""
    return sorted(range(len(examples)), key=lambda i: (moment(examples[i]), examples[i].id))


def _by_position(examples: list[Example], fractions: tuple, seed: int, rule: str) -> list[str]:
    """The part of each example: the first share of a sequence trains, the last is tested; a lone
    row trains."""
    if rule == "rows":
        order = sorted(range(len(examples)), key=lambda i: examples[i].id)
        np.random.default_rng(seed).shuffle(order)
    else:
        order = in_order(examples)
    sequences = defaultdict(list)
    for i in order:
        sequences[examples[i].group if rule == "user-time" else ""].append(i)
    side = [""] * len(examples)
    for rows in sequences.values():
        first, second = (int(len(rows) * share + 1e-9) for share in np.cumsum(fractions)[:2])
        first = max(first, int(fractions[0] > 0))  # who is tested must be known
        second = max(first, second)
        for place, i in enumerate(rows):
            side[i] = PARTS[(place >= first) + (place >= second)]
    return side


def assign(
    sizes: dict[str, int], fractions: tuple[float, float, float], seed: int
) -> dict[str, str]:
    """group -> part, for groups of these sizes: in a seeded order, each goes where most examples
    are still wanted."""
    wanted = {
        part: fraction * sum(sizes.values())
        for part, fraction in zip(PARTS, fractions, strict=True)
        if fraction
    }
    if len(sizes) < len(wanted):
        raise ValueError(
            f"there are {len(sizes)} groups for {len(wanted)} parts; a group is never cut, so bring more"
        )
    side, empty = {}, set(wanted)
    for left, group in zip(range(len(sizes), 0, -1), _shuffled(sizes, seed), strict=True):
        part = max(empty if left == len(empty) else wanted, key=wanted.__getitem__)
        side[group] = part
        wanted[part] -= sizes[group]
        empty.discard(part)
    return side


def check(parts: Parts, rule: str = "group") -> None:
    """Raise ValueError where parts break their rule: an id in two places, a cut group, training
    rows from the future.

    ``satlib.data.leaks`` looks for what no rule forbids, such as copies and columns that know the
    rating.
    """
    runtime.one_of("rule", rule, RULES)
    for what in ("group", "id") if rule == "group" else ("id",):
        seen = {}
        for part, examples in parts.items():
            for value in sorted({getattr(example, what) for example in examples}):
                if seen.setdefault(value, part) != part:
                    remedy = (
                        "cut by group"
                        if what == "group"
                        else "a row goes to one part, and ids are unique"
                    )
                    raise ValueError(
                        f"the {what} {value!r} is in {seen[value]} and in {part}; {remedy}"
                    )
    for part, examples in parts.items():
        value, count = (
            Counter(example.id for example in examples).most_common(1)[0] if examples else ("", 0)
        )
        if count > 1:
            raise ValueError(f"the id {value!r} is in {part} {count} times; ids are unique")
    if rule.endswith("time"):
        _check_time(parts, rule)


def _check_time(parts: Parts, rule: str) -> None:
    """Refuse a row that is earlier than a row of an earlier part (of the same user, by the rule
    "user-time")."""
    latest: dict[str, tuple[float, str]] = {}
    for part in PARTS:
        former = dict(latest)
        for example in parts.get(part, []):
            user, now = example.group if rule == "user-time" else "", moment(example)
            before, other = former.get(user, (now, ""))
            if now < before:
                raise ValueError(
                    f"{example.id!r} in {part} is earlier than {other!r} in a part before it; cut by time"
                )
            latest[user] = max(latest.get(user, (now, example.id)), (now, example.id))


def checksum(parts: Parts) -> str:
    """SHA-256 (64 hex digits) of which id is in which part; the order of the examples does not
    matter."""
    return storage.sha256_text(
        "".join(
            f"{part}\t{id}\n"
            for part in sorted(parts)
            for id in sorted(example.id for example in parts[part])
        )
    )


def subset(
    parts: Parts,
    train: int | None = None,
    validation: int | None = None,
    test: int | None = None,
    seed: int = 0,
) -> Parts:
    """At most so many rows of each part (None: all), from groups in a seeded order.

    Groups come whole where they are small. So that a few users with long histories do not fill the
    subset, none gives more than a 50th of its rows, unless there are too few groups; such a group
    gives a seeded choice of its rows.
    """
    most = {"train": train, "validation": validation, "test": test}
    for part, rows in most.items():
        if rows is not None and rows < 1:
            raise ValueError(f"{part} is {rows}; take at least 1 row, or None for all")
    return {part: _some(examples, most.get(part), seed) for part, examples in parts.items()}


def _some(examples: list[Example], rows: int | None, seed: int) -> list[Example]:
    if rows is None or rows >= len(examples):
        return list(examples)
    members = {}
    for place, example in enumerate(examples):
        members.setdefault(example.group, []).append(place)
    cap = max(1, rows // LEAST_GROUPS)
    while sum(min(len(places), cap) for places in members.values()) < rows:
        cap += 1
    rng, kept = np.random.default_rng(seed), []
    for group in _shuffled(members, seed):
        places = members[group]
        kept += list(rng.choice(places, cap, replace=False)) if len(places) > cap else places
    return [examples[place] for place in sorted(kept[:rows])]


def _shuffled(groups: Iterable[str], seed: int) -> list[str]:
    order = sorted(groups)
    np.random.default_rng(seed).shuffle(order)
    return order
