"""AB-ReDial: the reader on micro-files, and on the real corpus against published counts."""

import csv

from corpus_files import FIVE

from satlib.data.readers import ab_redial


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
    examples, bad = ab_redial.read(dialogues(tmp_path), FIVE)
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
    examples, bad = ab_redial.read({path.name: path}, FIVE, level="turn")
    assert [(e.id, len(e.events), e.ratings) for e in examples] == [
        ("ab-redial-9C-1-1", 4, (1,)),
        ("ab-redial-9C-1-2", 8, (2,)),
        ("ab-redial-9C-1-3", 12, (3,)),
    ] and not bad
    assert examples[0].events[-1].text == "line 3"


def test_real_ab_redial(real_data):
    found = {path.name: path for path in (real_data / "ab-redial").glob("*.csv")}
    examples, bad = ab_redial.read(found, FIVE)
    assert len(examples) == 200 and len({e.group for e in examples}) == 195
    assert sum(len(e.ratings) for e in examples) == 636 and len(bad) == 4
    turns, bad = ab_redial.read(found, FIVE, level="turn")
    assert len(turns) == 600 and sum(len(e.ratings) for e in turns) == 3 * 640 - 1 and len(bad) == 1
