"""The readers on micro-files in the corpora's formats, and on the real corpora against published
counts."""

import csv
from collections import Counter
from functools import partial

import pytest

from satlib.data.readers import ab_redial, common, movielens, uss

FIVE = partial(common.rating, low=1.0, high=5.0)
HALF = partial(common.rating, low=0.5, high=5.0, step=0.5)
USS = "\n".join(
    [
        "",
        "USER\tGood day\t\t3,4,3",
        "SYSTEM\tWhat would you like?\t\t",
        "USER\t\t\t2,2,5",
        "USER\tOVERALL\t\t3,3,4",
        "",
        "SYSTEM\tHello\t\t",
        "USER\tA western 🤠\t\t5,4,4,4",
        "USER\tOVERALL\t\t5,5,4,4",
        "",
    ]
)


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return {name: path}


@pytest.mark.parametrize("raw, value", [("3", 3.0), (5, 5.0), ("3.7", 3.7), (1.0, 1.0)])
def test_rating_accepts_numbers_on_the_scale(raw, value):
    assert FIVE(raw) == value


@pytest.mark.parametrize(
    "raw", ["7", 7, "five", "", "  ", None, float("nan"), 0.5, -1, True, [3], "inf"]
)
def test_rating_refuses_the_rest_in_one_sentence(raw):
    with pytest.raises(ValueError, match="write a number from 1 to 5$"):
        FIVE(raw)


def test_rating_keeps_to_half_steps():
    assert HALF("0.5") == 0.5 and HALF(4) == 4.0
    with pytest.raises(
        ValueError,
        match=r"rating '3.7' is not allowed; write a number from 0.5 to 5 in steps of 0.5",
    ):
        HALF("3.7")


def test_uss_one_example_per_user_turn_with_all_ratings(tmp_path):
    examples, bad = uss.uss(written(tmp_path, "ReDial.txt", USS), FIVE)
    assert [e.id for e in examples] == ["redial-0001-001", "redial-0001-003", "redial-0002-002"]
    assert [e.group for e in examples] == ["redial-0001", "redial-0001", "redial-0002"]
    assert [e.ratings for e in examples] == [(3, 4, 3), (2, 2, 5), (5, 4, 4, 4)] and not bad
    assert [(v.actor, v.text) for v in examples[1].events] == [
        ("user", "Good day"),
        ("system", "What would you like?"),
    ]
    assert examples[1].target.text == uss.NOTHING and examples[2].target.text == "A western 🤠"
    assert examples[0].events == () and {e.domain for e in examples} == {"films"}


def test_uss_before_hides_the_users_words(tmp_path):
    examples, _ = uss.uss(written(tmp_path, "SGD.txt", USS), FIVE, view="before")
    for example in examples:
        assert example.target == uss.NOT_YET
    assert "western" not in repr(examples[2]) and [v.text for v in examples[2].events] == ["Hello"]
    assert examples[1].ratings == (2, 2, 5)


def test_uss_overall_is_an_example_of_the_whole_dialogue(tmp_path):
    examples, _ = uss.uss(written(tmp_path, "CCPE.txt", USS), FIVE, overall=True)
    whole = [e for e in examples if e.attributes == {"unit": "dialogue"}]
    assert [e.id for e in whole] == ["ccpe-0001-004", "ccpe-0002-003"] and len(examples) == 5
    assert whole[0].target is None and len(whole[0].events) == 3 and whole[0].ratings == (3, 3, 4)


def test_uss_counts_malformed_lines(tmp_path):
    text = USS.replace("3,4,3", "3,9,3").replace("SYSTEM\tHello", "ROBOT\tHello")
    examples, bad = uss.uss(written(tmp_path, "ReDial.txt", text), FIVE)
    assert (
        [row.line for row in bad] == [2, 7]
        and "rating '9'" in bad[0].reason
        and "ROBOT" in bad[1].reason
    )
    assert [e.id for e in examples] == ["redial-0001-002", "redial-0002-001"]


@pytest.mark.parametrize("options", [{"view": "during"}, {"overall": "yes"}])
def test_uss_refuses_unknown_options(tmp_path, options):
    with pytest.raises(ValueError, match="choose one of"):
        uss.uss(written(tmp_path, "ReDial.txt", USS), FIVE, **options)


def films(folder, ratings, titles=("Long Road, The (1990)", "Éclair (2001)", "Babylon 5")):
    rows = [
        ("movieId", "title", "genres"),
        *((i, t, "Drama|War") for i, t in enumerate(titles, start=1)),
    ]
    with open(folder / "movies.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    lines = ["userId,movieId,rating,timestamp", *ratings]
    return written(folder, "ratings.csv", "\n".join(lines) + "\n") | {
        "movies.csv": folder / "movies.csv"
    }


def test_movielens_never_peeks(tmp_path):
    found = films(tmp_path, ["1,1,4.0,300", "1,2,0.5,100", "2,2,5.0,50", "1,3,3.5,100"])
    examples, bad = movielens.movielens(found, HALF)
    assert not bad and [(e.id.removeprefix("movielens-"), e.rating) for e in examples] == [
        ("001-0001", 0.5),
        ("001-0002", 3.5),
        ("001-0003", 4.0),
        ("002-0001", 5.0),
    ]
    last = examples[2]
    assert [(v.text, v.value) for v in last.events] == [("Éclair (2001)", 0.5), ("Babylon 5", 3.5)]
    assert last.target.text == "The Long Road (1990)" and last.target.category == "Drama / War"
    assert last.date == "1970-01-01" and last.group == "movielens-001"
    for example in examples:
        assert example.target.value is None and all(
            v.time <= example.target.time for v in example.events
        )


def test_movielens_history_is_bounded_and_shared(tmp_path):
    found = films(tmp_path, [f"1,{1 + i % 3},3.0,{i}" for i in range(12)])
    examples, _ = movielens.movielens(found, HALF, history=3)
    assert [len(e.events) for e in examples] == [0, 1, 2] + [3] * 9
    assert [v.time for v in examples[11].events] == [8, 9, 10]
    assert examples[4].events[-1] is examples[5].events[-2]


def test_movielens_counts_malformed_rows(tmp_path):
    examples, bad = movielens.movielens(
        films(tmp_path, ["1,1,7,1", "1,9,3,2", "x,1,3,3", "1,1,3", "1,2,3,4"]), HALF
    )
    assert [row.line for row in bad] == [2, 3, 4, 5] and len(examples) == 1
    assert "rating '7'" in bad[0].reason and "film 9" in bad[1].reason and "cells" in bad[3].reason


@pytest.mark.parametrize(
    "raw, natural",
    [
        ("Matrix, The (1999)", "The Matrix (1999)"),
        ("Party, The (Boum, La) (1980)", "The Party (La Boum) (1980)"),
        ("Corrina, Corrina (1994)", "Corrina, Corrina (1994)"),
        ("Avventura, L' (1960)", "L'Avventura (1960)"),
        ("Chainsaw: The Beginning, The (2006)", "The Chainsaw: The Beginning (2006)"),
        ("Babylon 5 ", "Babylon 5"),
        ("Good, the Bad and the Ugly, The (1966)", "The Good, the Bad and the Ugly (1966)"),
    ],
)
def test_natural_puts_the_article_in_front(raw, natural):
    assert movielens.natural(raw) == natural


def dialogues(folder):
    name, words = "annotated_dialogues.csv", [f"utterance{i}" for i in range(4)]
    rows = [
        ["ConvId", *words, "understanding", "dialogue-overall"],
        ["7A", "SYSTEM\tHello", "USER \u2003 A comedy", "", "", "3.0", "4.0"],
        ["7A", "SYSTEM\tHello", "USER \u2003 A comedy", "", "", "2.0", "2.0"],
        ["7A", "SYSTEM\tAnother talk", "USER\tBye", "USER\tnow", "", "1.0", "5.0"],
        ["8B", "SYSTEM\tHi", "USER\tHi", "", "", "", ""],
    ]
    with open(folder / name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return {name: folder / name}


def test_ab_redial_keeps_annotators_apart_and_shared_ids_in_one_group(tmp_path):
    examples, bad = ab_redial.ab_redial(dialogues(tmp_path), FIVE)
    assert [(e.id, e.group, e.ratings) for e in examples] == [
        ("ab-redial-7A-1", "ab-redial-7A", (4, 2)),
        ("ab-redial-7A-2", "ab-redial-7A", (5,)),
    ]
    assert [(v.actor, v.text) for v in examples[0].events] == [
        ("system", "Hello"),
        ("user", "A comedy"),
    ]
    assert examples[0].target is None and len(examples[1].events) == 3
    assert [row.line for row in bad] == [5] and "dialogue-overall: the rating is missing" in bad[
        0
    ].reason


def test_ab_redial_turns_see_only_what_was_said_until_then(tmp_path):
    header, row = ["ConvId"], ["9C"]
    for i in range(12):
        header += [f"utterance{i}"] + [f"overall{i // 4 + 1}"] * (i % 4 == 3)
        row += [f"{('SYSTEM', 'USER')[i % 2]}\tline {i}"] + [i // 4 + 1] * (i % 4 == 3)
    path = tmp_path / "annotated_turns.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, row])
    examples, bad = ab_redial.ab_redial({path.name: path}, FIVE, level="turn")
    assert [(e.id, len(e.events), e.ratings) for e in examples] == [
        ("ab-redial-9C-1-1", 4, (1,)),
        ("ab-redial-9C-1-2", 8, (2,)),
        ("ab-redial-9C-1-3", 12, (3,)),
    ] and not bad
    assert examples[0].events[-1].text == "line 3"


@pytest.mark.parametrize(
    "raw, seconds",
    [
        ("1000", 1000.0),
        (1627679830425, 1627679830.425),
        ("", None),
        (None, None),
        ("2024-05-31", 1717113600.0),
        ("2024-05-31T02:00:00+02:00", 1717113600.0),
        ("-3600", -3600.0),
    ],
)
def test_seconds(raw, seconds):
    assert common.seconds(raw) == seconds


@pytest.mark.parametrize("raw", ["yesterday", "inf", "nan", "1e30", "-1e11", "2024-13-01"])
def test_seconds_refuses_other_words(raw):
    with pytest.raises(ValueError, match=f"time '{raw}' is neither Unix seconds nor an ISO date"):
        common.seconds(raw)


def test_day():
    assert common.day(1717113600.0) == "2024-05-31" and common.day(None) is None


# Dialogues, user turns, rows with OVERALL, rows with nothing said before, ties for a turn's most
# frequent rating.
@pytest.mark.parametrize(
    "name, groups, turns, whole, empty, ties",
    [
        ("ReDial", 1000, 10806, 11806, 375, 661),
        ("CCPE", 500, 6360, 6860, 10, 354),
        ("SGD", 1000, 12833, 13833, 1000, 695),
    ],
)
def test_real_uss_has_the_published_counts(real_data, name, groups, turns, whole, empty, ties):
    found = {f"{name}.txt": real_data / "uss" / f"{name}.txt"}
    examples, bad = uss.uss(found, FIVE, overall=True, view="before")
    assert not bad and len(examples) == whole and len({e.group for e in examples}) == groups
    assert sum(not e.events for e in examples) == empty and len({e.id for e in examples}) == whole
    assert {len(e.ratings) for e in examples} <= set(range(3, 8))
    spoken = [e for e in examples if not e.attributes]
    top = [Counter(e.ratings).most_common(2) for e in spoken]
    assert len(spoken) == turns and sum(len(t) > 1 and t[0][1] == t[1][1] for t in top) == ties


def test_real_ab_redial(real_data):
    found = {path.name: path for path in (real_data / "ab-redial").glob("*.csv")}
    examples, bad = ab_redial.ab_redial(found, FIVE)
    assert len(examples) == 200 and len({e.group for e in examples}) == 195
    assert sum(len(e.ratings) for e in examples) == 636 and len(bad) == 4
    turns, bad = ab_redial.ab_redial(found, FIVE, level="turn")
    assert len(turns) == 600 and sum(len(e.ratings) for e in turns) == 3 * 640 - 1 and len(bad) == 1


def test_real_movielens(real_data):
    folder = real_data / "movielens-latest-small"
    examples, bad = movielens.movielens({p.name: p for p in folder.glob("*.csv")}, HALF)
    assert len(examples) == 100836 and len({e.group for e in examples}) == 610 and not bad
    assert round(sum(e.rating for e in examples) / len(examples), 3) == 3.502
    for example in examples[::997]:
        assert (
            all(v.time <= example.target.time for v in example.events) and len(example.events) <= 8
        )
