"""Splits: train, validation and test rows that never share a group.

A row of a user (or dialogue) tells much about the other rows of that user. A split by rows lets the model meet every
user in training, so its score says nothing on new users. Here a group goes to one part, whole.
"""

from collections import Counter
from collections.abc import Iterable
from math import isclose

import numpy as np

from satlib import runtime
from satlib.interactions import PARTS, Example

Parts = dict[str, list[Example]]
LEAST_GROUPS = 50  # a subset has that many groups where it can, enough for an interval by group


def split(examples: Iterable[Example], fractions: tuple[float, float, float] = (0.7, 0.1, 0.2), seed: int = 0) -> Parts:
    """Cut examples into train, validation and test: by Example.part where every example has one, else by group.

    fractions: shares of the examples, met as nearly as whole groups allow. The cut depends on the groups and the seed,
    not on the order of the examples, which is kept. Raises ValueError for wrong fractions or too few groups.
    """
    examples = list(examples)
    if examples and all(example.part for example in examples):
        parts = {part: [e for e in examples if e.part == part] for part in PARTS}
    else:
        side = assign(Counter(example.group for example in examples), fractions, seed)
        parts = {part: [e for e in examples if side[e.group] == part] for part in PARTS}
    check(parts)
    return parts


def assign(sizes: dict[str, int], fractions: tuple[float, float, float], seed: int) -> dict[str, str]:
    """group -> part, for groups of these sizes: in a seeded order, each goes where most examples are still wanted."""
    if len(fractions) != 3 or min(fractions) < 0 or not isclose(sum(fractions), 1, abs_tol=1e-9):
        raise ValueError(f"the fractions are {fractions}; give three numbers of at least 0 that add up to 1")
    wanted = {part: fraction * sum(sizes.values()) for part, fraction in zip(PARTS, fractions, strict=True) if fraction}
    if len(sizes) < len(wanted):
        raise ValueError(f"there are {len(sizes)} groups for {len(wanted)} parts; a group is never cut, so bring more")
    side, empty = {}, set(wanted)
    for left, group in zip(range(len(sizes), 0, -1), _shuffled(sizes, seed), strict=True):
        part = max(empty if left == len(empty) else wanted, key=wanted.__getitem__)
        side[group] = part
        wanted[part] -= sizes[group]
        empty.discard(part)
    return side


def check(parts: Parts) -> None:
    """Raise ValueError if a group or an id stands in two parts, or an id twice in one."""
    for what in ("group", "id"):
        seen = {}
        for part, examples in parts.items():
            for value in sorted({getattr(example, what) for example in examples}):
                if seen.setdefault(value, part) != part:
                    raise ValueError(f"the {what} {value!r} is in {seen[value]} and in {part}; cut by group")
    for part, examples in parts.items():
        value, count = Counter(example.id for example in examples).most_common(1)[0] if examples else ("", 0)
        if count > 1:
            raise ValueError(f"the id {value!r} is in {part} {count} times; ids are unique")


def checksum(parts: Parts) -> str:
    """SHA-256 (64 hex digits) of which id is in which part; the order of the examples does not matter."""
    return runtime.sha256_text("".join(f"{part}\t{id}\n" for part in sorted(parts)
                                       for id in sorted(example.id for example in parts[part])))


def subset(parts: Parts, train: int | None = None, validation: int | None = None, test: int | None = None,
           seed: int = 0) -> Parts:
    """At most so many rows of each part (None: all), from groups in a seeded order.

    Groups come whole where they are small. So that a few users with long histories do not fill the subset, none gives
    more than a 50th of its rows, unless there are too few groups; such a group gives a seeded choice of its rows.
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
