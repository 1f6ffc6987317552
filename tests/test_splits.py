"""Splits never cut a group, meet their shares, and do not depend on the order of the rows."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satlib import splits
from satlib.interactions import PARTS, Event, Example


def examples(sizes):
    seen = (Event("user", "read", "a text"),)
    return [Example(f"g{g}-{i}", f"g{g}", "own", seen, (3.0,)) for g, size in enumerate(sizes) for i in range(size)]


def groups(rows):
    return {example.group for example in rows}


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=3, max_size=60), seed=st.integers(0, 10**6))
def test_every_row_lands_once_and_no_group_is_cut(sizes, seed):
    rows = examples(sizes)
    parts = splits.split(rows, (0.6, 0.2, 0.2), seed)
    assert list(parts) == list(PARTS) and all(parts.values())
    assert sorted(e.id for part in parts.values() for e in part) == sorted(e.id for e in rows)
    assert sum(len(groups(part)) for part in parts.values()) == len(sizes)


@pytest.mark.parametrize("fractions", [(0.7, 0.1, 0.2), (0.5, 0.25, 0.25), (0.8, 0.0, 0.2)])
def test_the_shares_are_met_to_a_group(fractions):
    rows = examples([1 + i % 9 for i in range(400)])
    for seed in range(5):
        parts = splits.split(rows, fractions, seed)
        for part, fraction in zip(PARTS, fractions, strict=True):
            assert abs(len(parts[part]) - fraction * len(rows)) <= 9


def test_the_order_of_the_rows_does_not_matter_but_the_seed_does():
    rows = examples([3, 1, 4, 1, 5, 9, 2, 6])
    parts, turned = splits.split(rows), splits.split(rows[::-1])
    assert splits.checksum(parts) == splits.checksum(turned) and parts["train"] == turned["train"][::-1]
    assert splits.checksum(splits.split(rows, seed=1)) != splits.checksum(parts)


def test_big_groups_are_not_drawn_to_one_part():
    """A group's part must not depend on its size, else the test users differ from the training users."""
    sizes, found = {f"g{i}": 50 if i < 30 else 1 for i in range(330)}, Counter()
    for seed in range(200):
        side = splits.assign(sizes, (0.5, 0.25, 0.25), seed)
        found += Counter(side[group] for group, size in sizes.items() if size == 50)
    assert abs(found["train"] / 6000 - 0.5) < 0.03 and abs(found["test"] / 6000 - 0.25) < 0.03


def test_a_given_part_is_kept():
    rows = [replace(e, part=PARTS[int(e.group[1:]) % 3]) for e in examples([2] * 9)]
    parts = splits.split(rows, (0.0, 0.0, 1.0))
    assert all(e.part == part for part, rows in parts.items() for e in rows) and all(parts.values())
    mixed = [*rows[:-1], replace(rows[-1], part=None)]
    assert len(splits.split(mixed, (1.0, 0.0, 0.0))["train"]) == 18
    with pytest.raises(ValueError, match="the group 'g0' is in train and in test; cut by group"):
        splits.split([replace(rows[0], part="test"), *rows[1:]])


@pytest.mark.parametrize("fractions", [(0.7, 0.2, 0.2), (1.2, -0.2, 0.0), (0.5, 0.5), (float("nan"), 0.5, 0.5)])
def test_wrong_fractions_are_refused(fractions):
    with pytest.raises(ValueError, match="give three numbers of at least 0 that add up to 1"):
        splits.split(examples([1] * 9), fractions)


def test_too_few_groups_are_refused():
    with pytest.raises(ValueError, match="there are 2 groups for 3 parts; a group is never cut"):
        splits.split(examples([5, 5]))
    assert all(splits.split(examples([100, 1, 1])).values())


def test_check_finds_what_stands_on_two_sides():
    rows = examples([2, 2])
    splits.check({"train": rows[:2], "test": rows[2:]})
    with pytest.raises(ValueError, match="the group 'g1' is in train and in test"):
        splits.check({"train": rows[:3], "test": rows[3:]})
    with pytest.raises(ValueError, match="the id 'g0-0' is in train and in test"):
        splits.check({"train": rows[:2], "test": [replace(rows[2], id="g0-0")]})
    with pytest.raises(ValueError, match="the id 'g0-0' is in train 2 times"):
        splits.check({"train": [rows[0], rows[0]], "test": []})


def test_checksum_tells_parts_apart():
    rows = examples([1, 1])
    one = {"train": rows[:1], "test": rows[1:]}
    assert splits.checksum(one) == splits.checksum(dict(reversed(one.items())))
    assert splits.checksum(one) != splits.checksum({"train": rows[1:], "test": rows[:1]})
    other_row = {"train": [replace(rows[0], id="g0-1")], "test": rows[1:]}
    assert splits.checksum(one) != splits.checksum(other_row)
    assert len(splits.checksum(one)) == 64


def test_subset_takes_small_groups_whole():
    parts = {"train": examples([4] * 200), "validation": examples([4] * 30), "test": examples([4] * 30)}
    taken = splits.subset(parts, train=200, test=100, seed=3)
    assert len(taken["train"]) == 200 and set(Counter(e.group for e in taken["train"]).values()) == {4}
    assert taken["validation"] == parts["validation"] and len(taken["test"]) == 100
    assert taken == splits.subset(parts, train=200, test=100, seed=3) != splits.subset(parts, train=200, test=100)
    places = [parts["train"].index(e) for e in taken["train"]]
    assert places == sorted(places)


def test_subset_is_not_filled_by_a_few_long_histories():
    rows = examples([100] * 60)
    taken = splits.subset({"train": rows}, train=500)["train"]
    assert len(taken) == 500 and Counter(Counter(e.group for e in taken).values()) == {10: 50}
    few = splits.subset({"train": examples([300] * 3)}, train=500)["train"]
    assert len(few) == 500 and len(groups(few)) == 3


def test_subset_refuses_less_than_one_row():
    with pytest.raises(ValueError, match="test is 0; take at least 1 row, or None for all"):
        splits.subset({"test": examples([1])}, test=0)
    assert len(splits.subset({"test": examples([2])}, test=5)["test"]) == 2
