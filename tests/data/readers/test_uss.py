"""USS: the reader on micro-files, and on the real corpora against published counts."""

from collections import Counter

import pytest
from corpus_files import FIVE, written

from satlib.data.readers import uss

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


def test_uss_one_example_per_user_turn_with_all_ratings(tmp_path):
    examples, bad = uss.read(written(tmp_path, "ReDial.txt", USS), FIVE)
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
    examples, _ = uss.read(written(tmp_path, "SGD.txt", USS), FIVE, view="before")
    for example in examples:
        assert example.target == uss.NOT_YET
    assert "western" not in repr(examples[2]) and [v.text for v in examples[2].events] == ["Hello"]
    assert examples[1].ratings == (2, 2, 5)


def test_uss_overall_is_an_example_of_the_whole_dialogue(tmp_path):
    examples, _ = uss.read(written(tmp_path, "CCPE.txt", USS), FIVE, overall=True)
    whole = [e for e in examples if e.attributes == {"unit": "dialogue"}]
    assert [e.id for e in whole] == ["ccpe-0001-004", "ccpe-0002-003"] and len(examples) == 5
    assert whole[0].target is None and len(whole[0].events) == 3 and whole[0].ratings == (3, 3, 4)


def test_uss_counts_malformed_lines(tmp_path):
    text = USS.replace("3,4,3", "3,9,3").replace("SYSTEM\tHello", "ROBOT\tHello")
    examples, bad = uss.read(written(tmp_path, "ReDial.txt", text), FIVE)
    assert (
        [row.line for row in bad] == [2, 7]
        and "rating '9'" in bad[0].reason
        and "ROBOT" in bad[1].reason
    )
    assert [e.id for e in examples] == ["redial-0001-002", "redial-0002-001"]


@pytest.mark.parametrize("options", [{"view": "during"}, {"overall": "yes"}])
def test_uss_refuses_unknown_options(tmp_path, options):
    with pytest.raises(ValueError, match="choose one of"):
        uss.read(written(tmp_path, "ReDial.txt", USS), FIVE, **options)


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
    examples, bad = uss.read(found, FIVE, overall=True, view="before")
    assert not bad and len(examples) == whole and len({e.group for e in examples}) == groups
    assert sum(not e.events for e in examples) == empty and len({e.id for e in examples}) == whole
    assert {len(e.ratings) for e in examples} <= set(range(3, 8))
    spoken = [e for e in examples if not e.attributes]
    top = [Counter(e.ratings).most_common(2) for e in spoken]
    assert len(spoken) == turns and sum(len(t) > 1 and t[0][1] == t[1][1] for t in top) == ties
