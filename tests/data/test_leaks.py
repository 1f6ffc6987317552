"""The leak checker finds every planted fault, names its size and its remedy, and is silent on clean
data."""

import time
from dataclasses import replace

import numpy as np
import pytest
from invented_rows import clean, event, sessions

from satlib.baselines import behaviour
from satlib.data import associations, corpora, leaks, splits
from satlib.data.satsim import simulation


def found(parts, rule="group", kind=None):
    return [f for f in leaks.inspect(parts, rule) if kind in (None, f.kind)]


def only(parts, rule, kind, severity, *said):
    """The one finding of clean rows with one fault."""
    (finding,) = found(parts, rule)
    assert (finding.kind, finding.severity) == (kind, severity), finding
    for words in said:
        assert words in finding.sentence, finding.sentence
    return finding


def changed(parts, change, part="train", most=10**9):
    """Parts in which the first rows of one part were changed."""
    return parts | {part: [change(e) if i < most else e for i, e in enumerate(parts[part])]}


@pytest.mark.parametrize("rule", ["group", "user-time", "global-time"])
def test_clean_rows_are_silent_by_every_rule(rule):
    parts = splits.split(clean(), rule=rule)
    assert leaks.inspect(parts, rule) == [] == leaks.check(parts, rule)
    assert leaks.report([]) == ["no leak found"]


def test_the_checker_refuses_what_splits_refuses_and_an_unknown_rule():
    parts = splits.split(clean(), rule="user-time")
    only(
        parts,
        "group",
        "split",
        "refused",
        "the group 'u00' is in train and in validation; cut by group",
    )
    with pytest.raises(ValueError, match="unknown rule 'random'; choose one of group"):
        leaks.inspect(parts, "random")


def cut(rows):
    return {"train": rows[:160], "validation": rows[160:180], "test": rows[180:]}


def test_sessions_logged_twice_are_refused_across_parts_and_suspect_within_one():
    parts = cut(sessions())
    twin = replace(parts["train"][3], id="again")
    across = only(
        parts | {"test": [*parts["test"], twin]},
        "rows",
        "copies",
        "refused",
        "1 rows are copies of rows of another part, among 41 judged rows",
        "'again' in test is 's003' in train",
        "keep one of each",
    )
    with pytest.raises(ValueError, match="'again' in test is 's003' in train"):
        leaks.check(parts | {"test": [*parts["test"], twin]}, "rows")
    within = only(
        parts | {"train": [*parts["train"], twin]},
        "rows",
        "copies",
        "suspect",
        "(1 in train)",
        "keep one",
    )
    assert leaks.report([across, within]) == [
        f"refused: {across.sentence}",
        f"suspect: {within.sentence}",
    ]
    assert leaks.check(parts | {"train": [*parts["train"], twin]}, "rows") == [within]


def test_a_few_copies_among_many_rows_are_a_suspect():
    rows = sessions(800)
    parts = {"train": rows[:600], "test": [*rows[600:], replace(rows[0], id="again")]}
    only(
        parts,
        "rows",
        "copies",
        "suspect",
        "1 rows are copies of rows of another part, among 201 judged rows",
    )


@pytest.mark.parametrize(
    "other",
    [
        {"ratings": (3.0, 4.0)},
        {"attributes": {"region": "north"}},
        {"target": event("the end")},
        {"events": (event("x"),)},
    ],
)
def test_sessions_that_differ_are_no_copies(other):
    parts = cut(sessions())
    twin = replace(parts["train"][3], id="again", **other)
    assert not found(parts | {"test": [*parts["test"], twin]}, "rows", "copies")


def test_equal_sessions_of_two_users_are_copies_only_where_they_are_long():
    for words, copies in ((8, 0), (30, 1)):
        parts = cut(sessions(words=words))
        twin = replace(parts["train"][3], id="again", group="another")
        assert len(found(parts | {"test": [*parts["test"], twin]}, "group", "copies")) == copies


def test_content_decides_and_not_which_objects_hold_it():
    parts = cut(sessions())
    twin = replace(
        parts["train"][3], id="again", events=tuple(replace(s) for s in parts["train"][3].events)
    )
    assert len(found(parts | {"test": [*parts["test"], twin]}, "rows", "copies")) == 1


# Copies before the cut


def test_up_sampling_before_a_cut_by_rows_is_refused_and_after_it_is_not():
    rows = sessions()
    copied = [replace(e, id=f"{e.id}/{i}") for e in rows for i in range(1 if e.rating == 3 else 11)]
    parts = splits.split(copied, rule="rows")
    kinds = {(f.kind, f.severity) for f in leaks.inspect(parts, "rows")}
    assert ("texts", "refused") in kinds and ("copies", "refused") in kinds
    (texts,) = found(parts, "rows", "texts")
    assert "is right for 100% of them; cut by group, and copy rows after the cut" in texts.sentence
    later = splits.split(rows)
    later["train"] = [replace(e, id=f"{e.id}/{i}") for e in later["train"] for i in range(11)]
    assert {(f.kind, f.severity) for f in leaks.inspect(later)} == {("copies", "suspect")}


def test_copies_with_new_times_and_users_are_found_by_their_texts():
    rows = [
        replace(e, group=e.id, date=f"2024-01-{1 + i % 28:02d}") for i, e in enumerate(sessions())
    ]
    again = [
        replace(e, id=f"{e.id}b", group=f"{e.id}b", attributes={"number": e.id}) for e in rows[:30]
    ]
    only(
        {"train": rows, "test": again},
        "group",
        "texts",
        "refused",
        "the texts of 30 of 30 judged rows stand",
    )
    wrong = [replace(e, ratings=(6 - e.rating if e.rating != 3 else 1.0,)) for e in again]
    only({"train": rows, "test": wrong}, "group", "texts", "suspect", "is right for 0% of them")
    assert not found(
        {"train": rows, "test": [*again[:3], *sessions(300)[200:]]}, "group", "texts"
    )  # too few


# The answer in the input


def test_a_target_that_carries_its_value_is_refused():
    parts = splits.split(clean())
    filled = changed(parts, lambda e: replace(e, target=replace(e.target, value=e.rating)))
    only(
        filled,
        "group",
        "target",
        "refused",
        "of 400 rows carries a value, which is the answer; leave",
    )
    few = changed(parts, lambda e: replace(e, target=replace(e.target, value=1.0)), most=1)
    only(few, "group", "target", "suspect", "the target of 1 of 400 rows")


def test_a_history_that_holds_the_target_is_refused():
    parts = splits.split(clean())
    said = changed(
        parts, lambda e: replace(e, events=(*e.events, replace(e.target, value=e.rating))), "test"
    )
    only(
        said,
        "group",
        "target",
        "refused",
        f"the history of {len(parts['test'])} of 400 rows holds the target itself",
    )
    silent = changed(parts, lambda e: replace(e, events=(*e.events, e.target)), "test")
    assert found(silent) == []  # the item may be met, its rating may not
    earlier = changed(
        parts,
        lambda e: replace(
            e, events=(replace(e.target, value=e.rating, time=e.target.time - 1), *e.events)
        ),
        "test",
    )
    assert found(earlier) == []  # the same item, rated before


def test_without_times_an_event_like_the_target_is_a_suspect():
    timeless = [
        replace(
            e,
            target=replace(e.target, time=None),
            events=tuple(replace(s, time=None) for s in e.events),
        )
        for e in clean()
    ]
    parts = splits.split(timeless)
    assert found(parts) == []
    said = {
        part: [replace(e, events=(*e.events, replace(e.target, value=e.rating))) for e in rows]
        for part, rows in parts.items()
    }
    (finding,) = found(said, kind="target")
    assert finding.severity == "suspect"
    assert "the history of 400 of 400 rows holds an event without time" in finding.sentence


# The future


def test_a_history_that_goes_on_after_the_rating_is_refused():
    parts = splits.split(clean())
    late = changed(
        parts,
        lambda e: replace(e, events=(*e.events, event("later", time=e.target.time + 1))),
        "test",
    )
    only(
        late,
        "group",
        "future",
        "refused",
        "rows holds events later than the rating; end it at the target's moment",
    )
    equal = changed(
        parts, lambda e: replace(e, events=(*e.events, event("now", time=e.target.time))), "test"
    )
    assert found(equal) == []


@pytest.mark.parametrize(("seconds", "number"), [(86399.0, 0), (90000.0, 1)])
def test_a_date_allows_its_whole_day(seconds, number):
    rows = [
        replace(e, target=event("judged"), events=(event("seen", time=seconds),), date="1970-01-01")
        for e in sessions(20)
    ]
    assert len(found({"train": rows}, kind="future")) == number
    undated = [replace(e, date=None) for e in rows]
    assert not found({"train": undated}, kind="future")
    turned = replace(undated[0], target=None, events=(event("b", time=9.0), event("a", time=5.0)))
    assert (
        len(found({"train": [turned]}, kind="future")) == 1
    )  # no target: nothing is later than the last event


def test_judged_ratings_in_a_training_history_are_refused():
    rows = clean()
    (finding,) = found(splits.split(rows, rule="rows"), "rows", "future")
    assert finding.severity == "refused"
    assert (
        "judged ratings stand in the history of a training row; cut by group or by time"
        in finding.sentence
    )


# Columns


def knowing(name, strength):
    """Clean rows with a feature that is the rating and noise."""
    rng = np.random.default_rng(2)
    return [
        replace(e, features=e.features | {name: strength * e.rating + float(rng.normal())})
        for e in clean()
    ]


def test_a_column_that_knows_the_rating_is_a_suspect():
    only(
        splits.split(knowing("told", -2.0)),
        "group",
        "column",
        "suspect",
        "feature told goes with the rating",
        "rank correlation -0.9",
        "of the other columns at most 0.",
        "leave it out unless it is known before",
    )
    assert found(splits.split(knowing("hint", 0.5))) == []


def test_where_the_past_itself_is_strong_a_column_must_be_far_above_it():
    rng = np.random.default_rng(3)
    rows = [
        replace(
            e,
            features={
                "past": 0.95 * e.rating + 1.5 * float(rng.normal()),
                "more": 1.4 * e.rating + 1.5 * float(rng.normal()),
            },
        )
        for e in clean()
    ]
    strength = [
        abs(associations.association(*pair)) for pair in associations.columns(rows).values()
    ]
    assert (
        sorted(strength)[-1]
        > leaks.KNOWING
        > sorted(strength)[-2]
        > leaks.KNOWING / leaks.ABOVE_OTHERS
    )
    assert found(splits.split(rows)) == []
    both = [replace(e, features={"a": e.rating, "b": -e.rating}) for e in clean()]
    assert [f.sentence.split(" goes")[0] for f in found(splits.split(both))] == [
        "feature a",
        "feature b",
    ]


# What is planted, and what is published


def test_the_planted_faults_of_satsim_are_found_and_nothing_else():
    loaded = corpora.load("satsim")
    copies, column = leaks.check(splits.split_corpus(loaded), loaded.rule)
    assert copies.kind == "copies" and copies.sentence.startswith(
        f"{simulation.DUPLICATES} rows are copies"
    )
    assert (
        column.kind == "column"
        and f"feature {simulation.LEAK} goes with the rating" in column.sentence
    )
    free = [replace(e, part=None) for e in loaded.examples]
    with pytest.raises(ValueError, match="rows are copies of rows of another part"):
        leaks.check(splits.split(free, rule="rows"), "rows")
    mended = {
        part: [
            replace(e, features={n: x for n, x in e.features.items() if n != simulation.LEAK})
            for e in rows
            if not e.id.endswith("b")
        ]
        for part, rows in splits.split_corpus(loaded).items()
    }
    assert leaks.inspect(mended) == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(
            (f"uss-{which}", options)
            for which in ("redial", "ccpe", "sgd")
            for options in ({}, {"view": "before"})
        ),
        ("ab-redial", {}),
        ("ab-redial", {"level": "turn"}),
        ("amazon-reviews-2023", {}),
    ],
)
def test_the_published_corpora_as_the_kit_cuts_them_are_not_refused(real_data, name, options):
    loaded = corpora.load(name, real_data, **options)
    assert len(leaks.check(splits.split_corpus(loaded), loaded.rule)) <= 1


def test_movielens_is_clean_in_a_few_seconds_and_a_cut_by_rows_is_not(real_data):
    loaded = corpora.load("movielens", real_data)
    parts, began = splits.split_corpus(loaded), time.process_time()
    assert leaks.inspect(parts, loaded.rule) == []
    assert time.process_time() - began < 6  # 2 s on a quiet machine
    assert leaks.inspect(splits.split(loaded.examples, rule="rows"), "rows")[0].kind == "future"


def test_running_features_of_movielens_are_not_suspected(real_data):
    loaded = corpora.load("movielens", real_data, limit=4000)
    rows = [
        replace(e, features=dict(zip(behaviour.NAMES, map(float, numbers), strict=True)))
        for e, numbers in zip(
            loaded.examples, behaviour.running(loaded.examples, loaded.scale), strict=True
        )
    ]
    assert leaks.inspect(splits.split(rows, rule="user-time"), "user-time") == []
    known = [
        replace(e, features=e.features | {"later": e.rating + 0.1 * i % 1})
        for i, e in enumerate(rows)
    ]
    assert [f.kind for f in leaks.inspect(splits.split(known, rule="user-time"), "user-time")] == [
        "column"
    ]
