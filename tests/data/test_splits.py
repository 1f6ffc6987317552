"""Every rule puts each row in one part, keeps its promise, meets its shares, and looks at no order
of the rows."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satlib.data import corpora, splits
from satlib.data.interactions import PARTS, Event, Example


def examples(sizes):
    seen = (Event("user", "read", "a text"),)
    return [
        Example(f"g{g}-{i}", f"g{g}", "own", seen, (3.0,))
        for g, size in enumerate(sizes)
        for i in range(size)
    ]


def dated(*rows):
    """Rows (user, moment), in the order given; a moment of None stands for a row without time."""
    return [
        Example(
            f"{user}-{i:02d}", user, "own", (), (3.0,), Event("user", "rate", "a film", time=moment)
        )
        for i, (user, moment) in enumerate(rows)
    ]


def groups(rows):
    return {example.group for example in rows}


def ids(rows):
    return [example.id for example in rows]


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
    assert (
        splits.checksum(parts) == splits.checksum(turned)
        and parts["train"] == turned["train"][::-1]
    )
    assert splits.checksum(splits.split(rows, seed=1)) != splits.checksum(parts)


def test_big_groups_are_not_drawn_to_one_part():
    """A group's part must not depend on its size, else the test users differ from the training
    users."""
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


@pytest.mark.parametrize(
    "fractions", [(0.7, 0.2, 0.2), (1.2, -0.2, 0.0), (0.5, 0.5), (float("nan"), 0.5, 0.5)]
)
def test_wrong_fractions_are_refused(fractions):
    with pytest.raises(ValueError, match="give three numbers of at least 0 that add up to 1"):
        splits.split(examples([1] * 9), fractions)


def test_too_few_groups_are_refused():
    with pytest.raises(ValueError, match="there are 2 groups for 3 parts; a group is never cut"):
        splits.split(examples([5, 5]))
    assert all(splits.split(examples([100, 1, 1])).values())


# The rules by position

histories = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), min_size=20, max_size=80
)


@settings(max_examples=60, deadline=None)
@given(
    rows=histories,
    rule=st.sampled_from(splits.RULES[1:]),
    seed=st.integers(0, 9),
    turn=st.randoms(),
)
def test_rules_by_position_put_each_row_once_and_do_not_look_at_the_order_of_the_rows(
    rows, rule, seed, turn
):
    rows = dated(*rows)
    parts, turned = splits.split(rows, (0.5, 0.2, 0.3), seed, rule), list(rows)
    turn.shuffle(turned)
    assert sorted(ids(e for part in parts.values() for e in part)) == sorted(ids(rows))
    assert splits.checksum(splits.split(turned, (0.5, 0.2, 0.3), seed, rule)) == splits.checksum(
        parts
    )
    assert all(
        ids(part) == [id for id in ids(rows) if id in set(ids(part))] for part in parts.values()
    )


@settings(max_examples=60, deadline=None)
@given(rows=histories)
def test_rules_by_time_train_on_the_past(rows):
    rows = dated(*rows)
    whole, own = (
        splits.split(rows, (0.5, 0.2, 0.3), rule=rule) for rule in ("global-time", "user-time")
    )
    for early, late in zip(PARTS, PARTS[1:], strict=False):
        assert max(map(splits.moment, whole[early])) <= min(map(splits.moment, whole[late]))
        for user in groups(own[late]) & groups(own[early]):
            last = max(splits.moment(e) for e in own[early] if e.group == user)
            assert last <= min(splits.moment(e) for e in own[late] if e.group == user)
    assert groups(own["train"]) == groups(rows)  # who is tested is known


@pytest.mark.parametrize("rule", splits.RULES[1:])
def test_rules_by_position_meet_their_shares(rule):
    rows = dated(*((user, 100 * i) for user in "abcdefghij" for i in range(20)))
    assert [len(part) for part in splits.split(rows, rule=rule).values()] == [160, 20, 20]
    assert [len(part) for part in splits.split(rows, (0.7, 0.0, 0.3), rule=rule).values()] == [
        140,
        0,
        60,
    ]
    if rule == "user-time":
        assert set(Counter(e.group for e in splits.split(rows, rule=rule)["test"]).values()) == {2}


def test_rows_are_dealt_out_by_the_seed_and_the_rules_by_time_need_none():
    rows = dated(*((user, 100 * i) for user in "abc" for i in range(20)))
    sums = {
        rule: {splits.checksum(splits.split(rows, seed=seed, rule=rule)) for seed in (0, 1)}
        for rule in splits.RULES[1:]
    }
    assert [len(sums[rule]) for rule in splits.RULES[1:]] == [1, 1, 2]
    assert groups(splits.split(rows, rule="rows")["test"]) <= groups(
        splits.split(rows, rule="rows")["train"]
    )


def test_a_lone_row_of_a_user_trains():
    rows = dated(("new", 99), *(("old", i) for i in range(10)))
    parts = splits.split(rows, rule="user-time")
    assert "new-00" in ids(parts["train"]) and [len(part) for part in parts.values()] == [9, 1, 1]
    assert "new-00" in ids(splits.split(rows, rule="global-time")["test"])
    tested = splits.split(rows, (0.0, 0.0, 1.0), rule="user-time")
    assert len(tested["test"]) == 11


def test_equal_moments_are_ordered_by_id():
    rows = dated(*(("a", 7) for _ in range(10)))[::-1]
    assert splits.in_order(rows) == list(range(9, -1, -1))
    assert ids(splits.split(rows, rule="user-time")["test"]) == ["a-09"]


@pytest.mark.parametrize("rule", splits.RULES[1:])
def test_too_few_rows_for_a_part_are_refused(rule):
    rows = dated(("a", 1), ("a", 2), ("a", 3))
    with pytest.raises(
        ValueError, match=f"the rule '{rule}' leaves none of 3 rows for validation; bring"
    ):
        splits.split(rows, rule=rule)
    assert [len(part) for part in splits.split(rows, (0.7, 0.0, 0.3), rule=rule).values()] == [
        2,
        0,
        1,
    ]
    with pytest.raises(ValueError, match="leaves none of 0 rows for train"):
        splits.split([], rule=rule)


def test_an_unknown_rule_is_refused():
    for function in (
        lambda rule: splits.split(examples([1] * 9), rule=rule),
        lambda rule: splits.check({}, rule),
    ):
        with pytest.raises(
            ValueError, match="unknown rule 'random'; choose one of group, user-time"
        ):
            function("random")


@pytest.mark.parametrize("rule", ["user-time", "global-time"])
def test_rules_by_time_need_a_time(rule):
    rows = dated(*(("a", i) for i in range(9)), ("b", None))
    with pytest.raises(
        ValueError, match="example 'b-09' has neither a time nor a date; map a column to time"
    ):
        splits.split(rows, rule=rule)
    with pytest.raises(ValueError, match="example 'b-09' has neither a time nor a date"):
        splits.check({"train": rows[:5], "test": rows[5:]}, rule)
    assert len(splits.split(rows, rule="rows")["train"]) == 8


def test_the_moment_is_the_targets_else_the_last_events_else_the_date():
    seen = (Event("user", "read", "a text", time=10.0), Event("user", "read", "a text", time=20.0))
    judged = Example(
        "x", "u", "own", seen, (3.0,), Event("user", "rate", "it", time=30.0), date="1970-01-02"
    )
    assert splits.moment(judged) == 30.0
    assert splits.moment(replace(judged, target=None)) == 20.0
    assert splits.moment(replace(judged, target=replace(judged.target, time=None))) == 86400.0
    assert splits.moment(replace(judged, target=None, events=examples([1])[0].events)) == 86400.0


def test_given_parts_must_keep_the_rule_that_is_asked_for():
    rows = [
        replace(e, part="train" if e.target.time < 5 else "test")
        for e in dated(*(("a", i) for i in range(9)))
    ]
    assert len(splits.split(rows, rule="user-time")["train"]) == 5
    with pytest.raises(ValueError, match="the group 'a' is in train and in test; cut by group"):
        splits.split(rows)
    turned = [replace(e, part="test" if e.part == "train" else "train") for e in rows]
    with pytest.raises(
        ValueError, match="'a-00' in test is earlier than 'a-08' in a part before it; cut by time"
    ):
        splits.split(turned, rule="user-time")


def test_a_corpus_is_cut_by_its_own_rule(real_data):
    for name in ("uss-ccpe", "movielens"):
        loaded = corpora.load(name, real_data, limit=2000)
        parts = splits.split_corpus(loaded)
        splits.check(parts, loaded.rule)
        known = groups(parts["train"]) & groups(parts["test"])
        assert known == (set() if loaded.rule == "group" else groups(parts["test"])), name


# Check


def test_check_finds_rows_from_the_future():
    rows = dated(("a", 1), ("a", 5), ("b", 3), ("b", 9))
    fair = {"train": [rows[0], rows[2]], "test": [rows[1], rows[3]]}
    for rule in ("user-time", "global-time", "rows"):
        splits.check(fair, rule)
    mixed = {"train": [rows[0], rows[3]], "test": [rows[1]]}
    splits.check(mixed, "user-time")
    with pytest.raises(
        ValueError, match="'a-01' in test is earlier than 'b-03' in a part before it; cut by time"
    ):
        splits.check(mixed, "global-time")
    late = {"train": [rows[1]], "validation": [rows[0]], "test": []}
    with pytest.raises(
        ValueError, match="'a-00' in validation is earlier than 'a-01' in a part before it"
    ):
        splits.check(late, "user-time")
    splits.check(
        {"train": dated(("a", 4)), "test": dated(("a", 4), ("a", 4))[1:]}, "user-time"
    )  # equal is not later


@pytest.mark.parametrize("rule", splits.RULES)
def test_check_wants_a_row_once_by_every_rule(rule):
    row = dated(("a", 1))
    with pytest.raises(ValueError, match="a-00' is in train 2 times; ids are unique"):
        splits.check({"train": row * 2}, rule)
    with pytest.raises(
        ValueError, match="is in train and in test; (cut by group|a row goes to one part)"
    ):
        splits.check({"train": row, "test": row}, rule)


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
    parts = {
        "train": examples([4] * 200),
        "validation": examples([4] * 30),
        "test": examples([4] * 30),
    }
    taken = splits.subset(parts, train=200, test=100, seed=3)
    assert len(taken["train"]) == 200 and set(
        Counter(e.group for e in taken["train"]).values()
    ) == {4}
    assert taken["validation"] == parts["validation"] and len(taken["test"]) == 100
    assert (
        taken
        == splits.subset(parts, train=200, test=100, seed=3)
        != splits.subset(parts, train=200, test=100)
    )
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
