"""Splits: which rows train, validate and test, by the question that the test is to answer.

A row of a user (or dialogue) tells much about the other rows of that user. A cut by rows lets the
model meet every user in training, so its score says nothing on new users. Four rules:

- "group": a user or dialogue goes to one part, whole. How good is the model on users it has never
  met?
- "user-time": each user's latest rows are tested, the first one always trains. How good is it on
  users it knows?
- "global-time": the latest rows of all are tested. How good would it have been from that day on?
- "rows": rows are dealt out at random. It answers no question that a system asks; it is here to be
  compared.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import isclose

import numpy as np

from satlib import runtime, storage
from satlib.data.interactions import PARTS, Example

Parts = dict[str, list[Example]]  # "train", "validation", "test" -> Examples
Fractions = tuple[float, float, float]  # of train, validation and test

RULES = ("group", "user-time", "global-time", "rows")
FRACTIONS: dict[str, Fractions] = {
    "group": (0.7, 0.1, 0.2),
    "user-time": (0.8, 0.1, 0.1),
    "global-time": (0.8, 0.1, 0.1),
    "rows": (0.8, 0.1, 0.1),
}
LEAST_GROUPS = 50  # a subset has that many groups where it can, enough for an interval by group


def split(
    examples: Iterable[Example],
    fractions: Fractions | None = None,
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
    examples = list(examples)
    fractions = fractions or FRACTIONS[rule]
    _check_fractions(fractions)
    is_fixed = len(examples) > 0 and all(example.part for example in examples)
    if is_fixed:
        places = [example.part for example in examples]
    elif rule == "group":
        sizes = Counter(example.group for example in examples)
        part_of = assign(sizes, fractions, seed)
        places = [part_of[example.group] for example in examples]
    else:
        places = _by_position(examples, fractions, seed, rule)
    parts = {part: [] for part in PARTS}
    for example, part in zip(examples, places, strict=True):
        parts[part].append(example)
    check(parts, rule)
    if not is_fixed:
        _check_sizes(parts, fractions, rule)
    return parts


def _check_fractions(fractions: Sequence[float]) -> None:
    legal = len(fractions) == 3 and min(fractions) >= 0
    if not legal or not isclose(sum(fractions), 1, abs_tol=1e-9):
        raise ValueError(
            f"the fractions are {fractions}; give three numbers of at least 0 that add up to 1"
        )


def _check_sizes(parts: Parts, fractions: Fractions, rule: str) -> None:
    """Refuse an empty part of which a fraction was wanted."""
    total = sum(map(len, parts.values()))
    for part, fraction in zip(PARTS, fractions, strict=True):
        if fraction > 0 and not parts[part]:
            raise ValueError(
                f"the rule {rule!r} leaves none of {total} rows for {part}; bring more rows, or "
                "give that part the fraction 0"
            )


def split_corpus(loaded, seed: int = 0) -> Parts:
    """The split of a corpus in memory (``corpora.Loaded``) by the rule that its registry entry
    names."""
    return split(loaded.examples, seed=seed, rule=loaded.rule)


def moment(example: Example) -> float:
    """When an example was rated, in Unix seconds: the time of its target, of its last event, or
    else its date."""
    if example.target is not None:
        last = example.target
    else:
        last = example.events[-1]
    if last.time is not None:
        return last.time
    if example.date is None:
        raise ValueError(
            f"example {example.id!r} has neither a time nor a date; map a column to time, or use "
            "a rule that needs none"
        )
    return datetime.fromisoformat(example.date).replace(tzinfo=UTC).timestamp()


def in_order(examples: Sequence[Example]) -> list[int]:
    """Row numbers in order of time; equal moments by id, so the order of the rows does not
    matter."""

    def key(row: int) -> tuple[float, str]:
        return moment(examples[row]), examples[row].id

    return sorted(range(len(examples)), key=key)


def _by_position(examples: list[Example], fractions: Fractions, seed: int, rule: str) -> list[str]:
    """The part of each example: the first share of a sequence trains, the last is tested; a lone
    row trains.

    A sequence is what the rule orders: the rows of a user by time, or all rows by time or by lot.
    """
    if rule == "rows":
        order = sorted(range(len(examples)), key=lambda row: examples[row].id)
        np.random.default_rng(seed).shuffle(order)
    else:
        order = in_order(examples)
    sequences = defaultdict(list)
    for row in order:
        owner = examples[row].group if rule == "user-time" else ""
        sequences[owner].append(row)
    places = [""] * len(examples)
    for rows in sequences.values():
        trained, judged = _cuts(len(rows), fractions)
        for position, row in enumerate(rows):
            if position < trained:
                places[row] = "train"
            elif position < judged:
                places[row] = "validation"
            else:
                places[row] = "test"
    return places


def _cuts(size: int, fractions: Fractions) -> tuple[int, int]:
    """Where validation and test begin in a sequence of that many rows."""
    shares = np.cumsum(fractions)
    # A little more than nothing, so that 0.7 + 0.1 of ten rows are eight.
    validation_from = int(size * shares[0] + 1e-9)
    test_from = int(size * shares[1] + 1e-9)
    if fractions[0] > 0:
        validation_from = max(validation_from, 1)  # who is tested must be known
    return validation_from, max(validation_from, test_from)


def assign(sizes: dict[str, int], fractions: Fractions, seed: int) -> dict[str, str]:
    """group -> part, for groups of these sizes: in a seeded order, each goes where most examples
    are still wanted."""
    total = sum(sizes.values())
    wanted = {}
    for part, fraction in zip(PARTS, fractions, strict=True):
        if fraction > 0:
            wanted[part] = fraction * total
    if len(sizes) < len(wanted):
        raise ValueError(
            f"there are {len(sizes)} groups for {len(wanted)} parts; a group is never cut, so "
            "bring more"
        )
    part_of = {}
    empty = list(wanted)
    for position, group in enumerate(_shuffled(sizes, seed)):
        # The last groups go to the parts that have none yet.
        groups_left = len(sizes) - position
        choice = empty if groups_left == len(empty) else wanted
        part = max(choice, key=wanted.__getitem__)
        part_of[group] = part
        wanted[part] -= sizes[group]
        if part in empty:
            empty.remove(part)
    return part_of


def check(parts: Parts, rule: str = "group") -> None:
    """Raise ValueError where parts break their rule: an id in two places, a cut group, training
    rows from the future.

    ``satlib.data.leaks`` looks for what no rule forbids, such as copies and columns that know the
    rating.
    """
    runtime.one_of("rule", rule, RULES)
    if rule == "group":
        _check_apart(parts, "group", "cut by group")
    _check_apart(parts, "id", "a row goes to one part, and ids are unique")
    for part, examples in parts.items():
        ids = Counter(example.id for example in examples)
        for id, count in ids.most_common(1):
            if count > 1:
                raise ValueError(f"the id {id!r} is in {part} {count} times; ids are unique")
    if rule in ("user-time", "global-time"):
        _check_time(parts, rule)


def _check_apart(parts: Parts, field: str, remedy: str) -> None:
    """Refuse parts that share a value of this field of Example."""
    home = {}
    for part, examples in parts.items():
        values = {getattr(example, field) for example in examples}
        for value in sorted(values):
            if home.setdefault(value, part) != part:
                raise ValueError(
                    f"the {field} {value!r} is in {home[value]} and in {part}; {remedy}"
                )


def _check_time(parts: Parts, rule: str) -> None:
    """Refuse a row that is earlier than a row of an earlier part (of the same user, by the rule
    "user-time")."""
    latest: dict[str, tuple[float, str]] = {}  # owner -> moment and id of its latest row so far
    for part in PARTS:
        latest_before = dict(latest)  # rows of the same part may stand in any order
        for example in parts.get(part, []):
            owner = example.group if rule == "user-time" else ""
            now = moment(example)
            before, other = latest_before.get(owner, (now, ""))
            if now < before:
                raise ValueError(
                    f"{example.id!r} in {part} is earlier than {other!r} in a part before it; "
                    "cut by time"
                )
            own = (now, example.id)
            latest[owner] = max(latest.get(owner, own), own)


def checksum(parts: Parts) -> str:
    """SHA-256 (64 hex digits) of which id is in which part; the order of the examples does not
    matter."""
    lines = []
    for part in sorted(parts):
        ids = sorted(example.id for example in parts[part])
        lines += [f"{part}\t{id}\n" for id in ids]
    return storage.sha256_text("".join(lines))


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
    """At most so many of the examples, in their order."""
    if rows is None or rows >= len(examples):
        return list(examples)
    members = defaultdict(list)  # group -> the places of its rows
    for place, example in enumerate(examples):
        members[example.group].append(place)
    sizes = [len(places) for places in members.values()]
    most = _most_of_a_group(sizes, rows)
    rng = np.random.default_rng(seed)
    kept = []
    for group in _shuffled(members, seed):
        places = members[group]
        if len(places) > most:
            places = list(rng.choice(places, most, replace=False))
        kept += places
    return [examples[place] for place in sorted(kept[:rows])]


def _most_of_a_group(sizes: list[int], rows: int) -> int:
    """How many rows a group may give at most, so that groups of these sizes give enough rows."""
    most = max(1, rows // LEAST_GROUPS)
    while sum(min(size, most) for size in sizes) < rows:
        most += 1
    return most


def _shuffled(groups: Iterable[str], seed: int) -> list[str]:
    """The groups in a seeded order, which does not depend on the order that they come in."""
    order = sorted(groups)
    np.random.default_rng(seed).shuffle(order)
    return order
