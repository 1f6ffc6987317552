"""The three-class corpora: made-up pairs of files by hand, and the published files against USS."""

from collections import Counter
from functools import partial

import pytest

from satlib.data import corpora, splits
from satlib.data.interactions import Event
from satlib.data.readers import common, usda, uss

FIVE = partial(common.rating, low=1.0, high=5.0)
# Two dialogues of USS; the second is the published one. Ratings of the user lines, OVERALL last.
USS = "\n".join(
    [
        "USER\tHi.\t\t3,3,3",
        "SYSTEM\tWhat would you like?\t\t",
        "USER\tA long film\t\t3,3,4",
        "SYSTEM\tThe Long Road?\t\t",
        "USER\tSeen it\t\t2,3,3",
        "SYSTEM\tThe Red Kite?\t\t",
        "USER\tLovely\t\t4,4,3",
        "SYSTEM\tAnything else?\t\t",
        "USER\tNo\t\t3,3,3",
        "USER\tOVERALL\t\t3,2,3",
        "",
        "SYSTEM\tHello\t\t",
        "USER\tHi.\t\t3,3,3",
        "USER\tA short film?\t\t3,3,3",
        "SYSTEM\tThe Kettle\t\t",
        "USER\tI know it\t\t3,3,2",
        "SYSTEM\tThe Cup\t\t",
        "USER\tOh no\t\t2,2,3",
        "USER\tAnything but that\t\t2,2,2",
        "SYSTEM\tThe Lamp\t\t",
        "USER\tFine, thanks\t\t4,4,4",
        "USER\tOVERALL\t\t3,3,3",
        "",
    ]
)
WINDOW = [
    "Hi.|||",
    "A short film?|||The Kettle",
    "I know it|||The Cup",
    "Oh no...Anything but that|||",
]
LATER = [*WINDOW[1:3], "Oh no...Anything but that|||The Lamp", "Fine, thanks|||"]
WHOLE = [*LATER[1:3], "Fine, thanks|||", "OVERALL|||"]
EMPTY = "\n"


def row(exchanges, label):
    return f"{exchanges!r}\t{[0] * len(exchanges)!r}\t{label}"


TEST = "\n".join([row(WINDOW, 0), row(LATER, 2), row(WHOLE, 1), ""])


def files(folder, test=TEST, valid=EMPTY, uss=USS):
    contents = {"ReDial.txt": uss, "test_redial.txt": test, "valid_redial.txt": valid}
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {name: folder / name for name in contents}


@pytest.fixture
def read(tmp_path):
    return lambda **contents: usda.read(files(tmp_path, **contents), FIVE)


def test_training_rows_are_what_the_published_dialogues_leave(read):
    examples, bad = read()
    train = [e for e in examples if e.part == "train"]
    assert bad == [] and {e.group for e in train} == {"redial-0001"}
    said = [e.target.text if e.target else "OVERALL" for e in train]
    assert said == ["Lovely", "No", "OVERALL"] and [e.rating for e in train] == [4.0, 3.0, 2.0]
    assert [event.text for event in train[0].events] == [
        "Hi.",
        "What would you like?",
        "A long film",
        "The Long Road?",
        "Seen it",
        "The Red Kite?",
    ]
    assert (
        train[2].target is None
        and train[2].attributes == uss.WHOLE_DIALOGUE
        and train[0].attributes == {}
    )


def test_published_rows_are_used_as_they_are(read):
    examples, _ = read()
    test = [e for e in examples if e.part == "test"]
    assert [e.id for e in test] == [f"redial-0002-test-{line:04d}" for line in (1, 2, 3)]
    assert [e.rating for e in test] == [2.0, 4.0, 3.0] and {e.group for e in test} == {
        "redial-0002"
    }
    assert test[0].target.text == "Oh no...Anything but that" and test[2].target is None
    assert [e.actor for e in test[0].events] == ["user", "user", "system", "user", "system"]
    assert usda.user_texts(test[2])[-1] == "OVERALL" and usda.user_texts(test[0])[0] == "Hi."


def test_validation_rows_come_from_their_own_file(read):
    examples, bad = read(test=EMPTY, valid=TEST)
    assert bad == [] and Counter(e.part for e in examples) == {"train": 3, "validation": 3}


@pytest.mark.parametrize(
    "line, sentence",
    [
        (
            row(WINDOW, 3),
            "is not a list of user|||system exchanges, acts, class 0, 1 or 2 between tabs",
        ),
        (row(WINDOW, ""), "class 0, 1 or 2 between tabs"),
        (f"{WINDOW!r}\t1", "class 0, 1 or 2 between tabs"),
        ("['Hi.|||\t[0]\t1", "is not a list of user|||system exchanges"),
        ("[1, 2]\t[0]\t1", "is not a list of user|||system exchanges"),
        ("7\t[0]\t1", "is not a list of user|||system exchanges"),
        ("[]\t[]\t1", "is not a list of user|||system exchanges"),
        (row(["Hi."], 1), "is not a list of user|||system exchanges"),
        (
            row(["Never said|||"], 1),
            "no dialogue of USS holds 'Never said'; take both files from the same source",
        ),
        (
            row(["Hi.|||"], 1),
            "redial-0001 and redial-0002 of USS hold as much of 'Hi.'; leave the row out",
        ),
        (
            row([*WINDOW[:3]], 1),
            "the row ends with the system's 'The Cup'; it must end with the user's turn",
        ),
    ],
)
def test_a_bad_row_is_refused_with_one_sentence(read, line, sentence):
    examples, bad = read(test=TEST + line + "\n")
    assert len([e for e in examples if e.part == "test"]) == 3
    (one,) = bad
    assert one.line == 4 and one.reason.startswith("test_redial.txt: ") and sentence in one.reason
    assert "\n" not in one.reason


def test_a_greeting_does_not_decide_the_dialogue(read):
    """Most texts of the row join lines of USS: only their pieces tell its dialogue from others with
    the same hello."""
    known = {"hi": {"a", "b", "c"}, "ohno": {"b"}, "anythingbutthat": {"b"}}
    assert usda.dialogue_of(["Hi.", "Oh no...Anything but that!"], known) == "b"


def test_rows_are_laid_along_their_dialogue(tmp_path):
    found = files(tmp_path)
    examples, _ = usda.read(found, FIVE)
    turns, _ = uss.read({"ReDial.txt": found["ReDial.txt"]}, FIVE, overall=True)
    rows = [e for e in examples if e.part == "test"]
    place = usda.aligned(rows, turns)
    ends = {id: (usda.user_texts(turn)[-1], joined) for id, (turn, joined) in place.items()}
    assert ends == {
        "redial-0002-test-0001": ("Anything but that", 2),
        "redial-0002-test-0002": ("Fine, thanks", 1),
        "redial-0002-test-0003": ("OVERALL", 1),
    }
    assert usda.verified(rows, place) == {
        "rows": 3,
        "found": 3,
        "agree": 3,
        "joined": 1,
        "joined_agree": 1,
    }
    other = [e for e in examples if e.part == "train"][0]
    assert usda.aligned([other], [t for t in turns if t.group == "redial-0002"]) == {}


def test_what_fits_at_two_places_is_left_out(tmp_path):
    twice = USS.replace("Seen it", "Yes").replace("Lovely", "Yes")
    turns, _ = uss.read(
        {"ReDial.txt": files(tmp_path, uss=twice)["ReDial.txt"]}, FIVE, overall=True
    )
    short = usda.labelled("x", "redial-0001", [Event("user", "say", "Yes")], 1, "test")
    said = [Event("user", "say", words) for words in ("A long film", "Yes")]
    longer = usda.labelled("y", "redial-0001", said, 1, "test")
    assert list(usda.aligned([short, longer], turns)) == ["y"]


@pytest.mark.parametrize("mean, label", [(2.99, 0), (3.0, 1), (3.2, 2), (1.0, 0), (5.0, 2)])
def test_the_class_is_the_sign_of_the_mean_minus_three(mean, label):
    assert usda.label_of(mean) == label


# The published files

SIZES = {
    "usda-redial": {"train": 7370, "validation": 700, "test": 547},
    "usda-sgd": {"train": 8674, "validation": 1074, "test": 1085},
}
CLASSES = {"usda-redial": [150, 128, 269], "usda-sgd": [236, 300, 549]}
VERIFIED = {
    ("usda-redial", "validation"): (700, 700, 700, 0, 0),
    ("usda-redial", "test"): (547, 537, 518, 93, 82),
    ("usda-sgd", "validation"): (1074, 1074, 1074, 0, 0),
    ("usda-sgd", "test"): (1085, 1085, 1085, 0, 0),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_classes_and_verification_of_the_published_rows(real_data, name):
    loaded = corpora.load(name, real_data)
    parts = splits.split_corpus(loaded)  # refuses a dialogue in two parts
    assert loaded.bad == [] and {part: len(rows) for part, rows in parts.items()} == SIZES[name]
    count = Counter(e.rating for e in parts["test"])
    assert [count[star] for star in usda.CLASS_STARS] == CLASSES[name]
    turns = corpora.load(name.replace("usda", "uss"), real_data, overall=True).examples
    for part in ("validation", "test"):
        found = usda.verified(parts[part], usda.aligned(parts[part], turns))
        assert tuple(found.values()) == VERIFIED[name, part]
        assert max(len(usda.user_texts(e)) for e in parts[part]) == 16
    groups = [e.group for e in parts["test"]]
    runs = [group for group, before in zip(groups, ["", *groups], strict=False) if group != before]
    assert len(runs) == len(
        set(runs)
    )  # rows of one dialogue stand together, so none went to another dialogue


def test_training_rows_are_turns_of_uss_from_the_fourth(real_data):
    for name in SIZES:
        train = splits.split_corpus(corpora.load(name, real_data))["train"]
        turns = {
            t.id: t
            for t in corpora.load(name.replace("usda", "uss"), real_data, overall=True).examples
        }
        for example in train:
            assert example.rating == usda.CLASS_STARS[usda.label_of(turns[example.id].rating)]
            assert len(usda.user_texts(example)) > usda.SKIPPED
