"""Twin of lesson 21: texts and vectors of an Example."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import OneHotEncoder

from satlib.data.interactions import Event, Example
from satlib.encoding import sequences

HOSE = Event(
    "user",
    "click",
    "Garden hose",
    category="garden",
    price=12.5,
    dwell=2,
    comment="Leaks at the tap",
)
MATRIX = Event("user", "rate", "The Matrix (1999)", category="Action|Sci-Fi", value=4.5)
HEAT = Event(
    "user", "rate", "Heat (1995)", category="Action|Crime", value=5, comment="A long night"
)


def example(*events, target=None, **attributes):
    return Example("1", "u1", "shop", events, (4,), target=target, attributes=attributes)


def test_full_text_has_every_part_in_order():
    text = sequences.to_text(
        example(HOSE, MATRIX, target=HEAT, region="north", interest="gardening")
    )
    assert text == (
        "region north, interest gardening. "
        "click Garden hose (garden, cheap 12, glanced): Leaks at the tap. "
        "The Matrix (1999) (Action Sci-Fi, rated 4.5). "
        "now: rate Heat (1995) (Action Crime): A long night."
    )


def test_events_and_titles_leave_parts_out():
    one = example(HOSE, MATRIX, target=HEAT, region="north")
    assert sequences.to_text(one, "events") == (
        "click Garden hose (garden). The Matrix (1999) (Action Sci-Fi, rated 4.5). "
        "now: rate Heat (1995) (Action Crime)."
    )
    assert sequences.to_text(one, "titles") == "Garden hose. The Matrix (1999). Heat (1995)."
    assert (
        sequences.texts([one, one], "titles")
        == ["Garden hose. The Matrix (1999). Heat (1995)."] * 2
    )


@pytest.mark.parametrize("template", sequences.TEMPLATES)
def test_last_thing_stands_last_and_the_answer_is_not_there(template):
    secret = Event("user", "rate", "Heat", value=3.5)
    text = sequences.to_text(example(HOSE, MATRIX, target=secret), template)
    assert text.endswith("Heat.") and "3.5" not in text
    assert text.index("hose") < text.index("Matrix") < text.index("Heat")
    assert sequences.to_text(example(HOSE, MATRIX), template).rstrip(").").endswith(("4.5", "1999"))


def test_dialogue_names_the_speakers():
    one = example(
        Event("user", "say", "Any  good\n thriller?"),
        Event("system", "say", "Heat"),
        target=Event("user", "say", "Great, thanks 👍"),
    )
    assert (
        sequences.to_text(one) == "user: Any good thriller? system: Heat. user: Great, thanks 👍."
    )
    assert sequences.to_text(one, "titles") == "Any good thriller? Heat. Great, thanks 👍."


def test_system_events_that_are_not_said_are_marked():
    assert (
        sequences.to_text(example(Event("system", "recommend", "Heat")))
        == "system: recommend Heat."
    )


def test_target_alone_and_an_unrated_rate_event():
    assert (
        sequences.to_text(example(target=HEAT), "events") == "now: rate Heat (1995) (Action Crime)."
    )
    assert sequences.to_text(example(Event("user", "rate", "Heat"))) == "rate Heat."


def test_full_text_costs_few_characters_per_event():
    assert len(sequences.to_text(example(*[HOSE] * 8))) / 8 < 90


def test_unknown_template_is_refused():
    with pytest.raises(ValueError, match="template"):
        sequences.to_text(example(HOSE), "long")


def test_words_at_their_bounds():
    assert [sequences.price_words(p) for p in (0, 0.4, 14, 15, 49, 50, 999)] == [
        "free",
        "cheap 1",
        "cheap 14",
        "fair 15",
        "fair 49",
        "expensive 50",
        "expensive 999",
    ]
    assert [sequences.dwell_words(s) for s in (0, 2.9, 3, 59, 60, 9999)] == [
        "glanced",
        "glanced",
        "",
        "",
        "long look",
        "long look",
    ]
    assert sequences.to_text(example(Event("user", "click", "hose", dwell=20))) == "click hose."


@pytest.mark.parametrize(
    "written", ["Action|Sci-Fi", "Action / Sci-Fi", "Action, Sci-Fi", "Action/ Sci-Fi|"]
)
def test_categories(written):
    assert sequences.categories(Event("user", "watch", "x", category=written)) == [
        "Action",
        "Sci-Fi",
    ]
    assert sequences.categories(Event("user", "watch", "x")) == []


def test_vocabulary_is_sorted_and_drops_the_rare():
    assert sequences.vocabulary(["b", "a", "b"]) == {"a": 0, "b": 1}
    assert sequences.vocabulary(["b", "a", "b"], least=2) == {"b": 0}


def test_one_hot_equals_sklearn():
    items = ["b", "a", "c", "a"]
    columns = sequences.vocabulary(items)
    theirs = OneHotEncoder(sparse_output=False).fit_transform(np.array(items)[:, None])
    np.testing.assert_array_equal(sequences.one_hot(items, columns), theirs)
    assert sequences.one_hot(["new"], columns).sum() == 0


def test_multi_hot_equals_sklearn_and_forgets_order_and_repeats():
    sets = [["a", "c", "a"], ["b"], [], ["c", "a", "new"]]
    columns = sequences.vocabulary("abc")
    counter = CountVectorizer(analyzer=lambda s: s, binary=True, vocabulary=columns)
    ours = sequences.multi_hot(sets, columns)
    np.testing.assert_array_equal(ours, counter.transform(sets).toarray())
    np.testing.assert_array_equal(ours[0], ours[3])


def test_average_embedding_is_a_product_with_one_hot():
    table = np.random.default_rng(0).normal(size=(4, 3))
    ids = [2, 0, 2]
    expected = np.eye(4)[ids].mean(axis=0) @ table
    np.testing.assert_allclose(sequences.average_embedding(ids, table), expected)


@pytest.mark.parametrize("ids", [[], [4], [-1]])
def test_average_embedding_refuses(ids):
    with pytest.raises(ValueError, match="ids"):
        sequences.average_embedding(ids, np.zeros((4, 3)))


def test_cosine_equals_sklearn_and_survives_zeros():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(2, 3))
    a[1] = 0
    np.testing.assert_allclose(sequences.cosine(a, b), cosine_similarity(a, b), atol=1e-12)
