"""What the baselines see: nothing of the answer, nothing learned off the training rows, and the
same as by hand."""

from dataclasses import replace

import numpy as np
import pytest

from satlib.baselines import event_steps, inputs
from satlib.data import corpora, splits
from satlib.data.interactions import Event, Example
from satlib.encoding import sequences
from satlib.encoding.embedded_encoder import embedded_encoder

PAST = (
    Event("user", "rate", "Alien (1979)", category="Horror|Sci-Fi", value=4.5, time=1.0),
    Event("system", "say", "Try this one", time=2.0),
    Event("user", "view", "a lamp", comment="too dim", dwell=30.0, time=3.0),
)
TARGET = Event("user", "rate", "Brazil (1985)", category="Sci-Fi", value=2.0, time=4.0)
FILM = Example("a", "ann", "films", PAST, (2.0,), TARGET, {"region": "south"})
SESSION = Example("b", "bob", "shop", PAST, (3.0,))
STRANGER = Example("c", "cy", "films", (), (5.0,), replace(TARGET, text="Charade (1963)"))


# Words


def test_the_view_of_words_is_fitted_on_training_rows_only():
    parts = {"train": [FILM, replace(FILM, id="a2")], "test": [replace(STRANGER, events=PAST)]}
    for name in ("words", "word counts", "items"):
        rows = inputs.INPUTS[name](None, parts)
        assert rows["train"].shape[1] == rows["test"].shape[1]
    vectoriser, _ = inputs.tfidf(sequences.texts(parts["train"]))
    assert not any("charade" in word for word in vectoriser.get_feature_names_out())


def test_numbers_signs_and_emoji_are_words():
    for fit in (inputs.tfidf, inputs.counts):
        vectoriser, rows = fit(
            ["rated 4.5 !", "rated 2.5 🙂", "rated 4.5 🙂", "rated 2.5 !", "I 满意", "a 满意"]
        )
        assert {"4.5", "2.5", "!", "🙂", "满意"} <= set(
            vectoriser.get_feature_names_out()
        ) and rows.shape[0] == 6


def test_characters_are_the_runs_within_words():
    vectoriser, rows = inputs.characters(["no lamp", "no lamp", "lamps"])
    runs = set(vectoriser.get_feature_names_out())
    for word in (" no ", " lamp"):  # what two texts hold; a blank stands at both ends of a word
        for length in range(2, 6):
            places = range(len(word) - length + 1)
            assert {word[place : place + length] for place in places} <= runs
    assert not any("o l" in run for run in runs) and max(map(len, runs)) == 5
    assert np.allclose(np.linalg.norm(rows.toarray(), axis=1), 1)
    unseen = vectoriser.transform(["lampshade"])
    assert unseen.nnz > 5  # a word that no text holds


def test_the_characters_of_what_came_last_stand_apart():
    asked = {"train": [SESSION, replace(SESSION, id="b2")], "test": [SESSION]}
    rows = inputs.INPUTS["characters"](None, asked)
    _, of_text = inputs.characters([sequences.to_text(SESSION)] * 2)
    _, of_last = inputs.characters([event_steps.sentences(SESSION)[-1]] * 2)
    assert abs(rows["train"].text - of_text).max() < 1e-6
    assert abs(rows["train"].last - of_last).max() < 1e-6
    earlier = replace(PAST[0], text="Another film")
    asked["test"] = [replace(SESSION, events=(earlier, *PAST[1:]))]
    again = inputs.INPUTS["characters"](None, asked)
    assert abs(rows["test"].last - again["test"].last).max() == 0
    assert abs(rows["test"].text - again["test"].text).max() > 0


def test_tiny_data_keep_every_word_and_texts_without_any_are_refused():
    assert set(inputs.counts(["only", "words"])[0].get_feature_names_out()) == {"only", "words"}
    for fit in (inputs.tfidf, inputs.counts):
        with pytest.raises(ValueError, match="the 2 training texts hold no word"):
            fit(["", " "])


# Items, who and what


def test_multi_hot_keeps_history_and_target_apart_and_counts_nothing_twice():
    again = replace(FILM, id="a2", events=(*PAST, PAST[0]))
    vectoriser, rows = inputs.multi_hot([FILM, again])
    columns = list(vectoriser.get_feature_names_out())
    assert {
        "history Alien (1979)",
        "history Horror",
        "target Brazil (1985)",
        "target Sci-Fi",
    } <= set(columns)
    assert np.array_equal(rows.toarray()[0], rows.toarray()[1]) and rows.max() == 1
    assert (
        rows.toarray()[0, columns.index("history Sci-Fi")]
        == rows.toarray()[0, columns.index("target Sci-Fi")]
        == 1
    )


def test_what_is_judged_is_the_target_or_the_whole_session():
    assert inputs.judged_items(FILM) == ["Brazil (1985)"]
    assert inputs.judged_items(SESSION) == ["Alien (1979)", "Try this one", "a lamp"]


def test_pairs_number_training_users_and_items_from_one_and_the_unknown_is_nought():
    found = inputs.pairs(
        {"train": [FILM, SESSION], "test": [STRANGER, replace(FILM, group="cy"), SESSION]}
    )
    assert found["train"].users.tolist() == [1, 2] and found["test"].users.tolist() == [0, 0, 2]
    assert found["train"].items.tolist() == [
        [2, 0, 0],
        [1, 3, 4],
    ]  # in alphabetical order, capitals first
    assert found["test"].items.tolist() == [[0, 0, 0], [2, 0, 0], [1, 3, 4]]


# Steps


def test_steps_come_in_order_with_the_target_last_and_without_its_value():
    found = event_steps.last_steps(FILM)
    assert [step.text for step in found] == [
        "region south",
        "Alien (1979), Horror, Sci-Fi",
        "system: Try this one",
        "a lamp: too dim",
        "Brazil (1985), Sci-Fi",
    ]
    assert [step.value for step in found] == [None, 4.5, None, None, None] and found[
        3
    ].dwell == 30.0
    assert event_steps.sentences(FILM)[1] == "Alien (1979), Horror, Sci-Fi, rated 4.5"
    other = replace(FILM, target=replace(TARGET, value=5.0), ratings=(5.0,))
    assert event_steps.last_steps(other) == found and event_steps.sentences(
        other
    ) == event_steps.sentences(FILM)
    long = replace(FILM, events=tuple(replace(PAST[0], text=f"film {i}") for i in range(40)))
    assert (
        len(event_steps.last_steps(long)) == 1 + event_steps.MAX_STEPS
        and event_steps.last_steps(long)[-1] == found[-1]
    )
    assert event_steps.last_steps(long)[1].text.startswith("film 29")


def test_ordered_steps_as_numbers():
    rows = event_steps.part_arrays({"train": [FILM, STRANGER]}, (0.5, 5.0))["train"]
    assert rows.text_ids.tolist()[1] == [6, 0, 0, 0, 0] and rows.text_ids.tolist()[0] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert rows.numbers[0, 1].tolist() == pytest.approx([4 / 4.5, 1, 0, 0])
    assert rows.numbers[0, 3].tolist() == pytest.approx([0, 0, np.log1p(30), 1])
    assert not rows.numbers[1].any() and not rows.words[0].any()
    lamp = [event_steps.bucket(word) for word in ("a", "lamp", ":", "too", "dim")]
    assert rows.words[4, :5].tolist() == lamp and not rows.words[4, 5:].any()
    assert event_steps.bucket("lamp") == 584  # on every machine


def test_a_rectangle_has_a_column_even_for_nothing():
    assert event_steps.pad_rows([[], []]).shape == (2, 1) and event_steps.pad_rows([]).shape == (
        0,
        1,
    )
    assert event_steps.pad_rows([[1], [2, 3]], 4).tolist() == [[1, 0, 0, 0], [2, 3, 0, 0]]


# Sentences

TEXTS = [
    "a lovely film",
    "Terrible service, and a long wait.",
    "the hose leaks",
    "x",
    "a lovely film",
]


def test_embeddings_equal_those_of_sentence_transformers():
    library = pytest.importorskip("sentence_transformers")
    from sentence_transformers import models

    parts = [models.Transformer(str(embedded_encoder())), models.Pooling(384), models.Normalize()]
    expected = library.SentenceTransformer(modules=parts, device="cpu").encode(TEXTS)
    assert np.allclose(event_steps.embed(TEXTS), expected, atol=1e-5)
    assert np.allclose(event_steps.embed(TEXTS, batch_size=1), expected, atol=1e-5)


def test_an_example_is_its_last_sentence_beside_the_mean_of_those_before():
    found = event_steps.embeddings({"train": [FILM, STRANGER], "test": [SESSION]})
    table = event_steps.embed(event_steps.sentences(FILM))
    assert found["train"].shape == (2, 768)
    assert np.allclose(found["train"][0, :384], table[-1], atol=1e-5)
    assert np.allclose(found["train"][0, 384:], table[:-1].mean(axis=0), atol=1e-5)
    assert not found["train"][1, 384:].any()
    assert np.allclose(found["test"][0, :384], table[3], atol=1e-5)
    rows = event_steps.sentence_embeddings({"train": [FILM, STRANGER]})["train"]
    assert np.array_equal(np.hstack([rows.last, rows.earlier]), found["train"])
    assert np.allclose(rows.every[0], table.mean(axis=0), atol=1e-5)
    assert np.array_equal(rows.every[1], rows.last[1])  # a single step is all there is


def test_each_sentence_is_embedded_once(monkeypatch):
    asked = []
    monkeypatch.setattr(
        event_steps, "embed", lambda texts: asked.extend(texts) or np.ones((len(texts), 2))
    )
    event_steps.embeddings({"train": [FILM, replace(FILM, id="a2")], "test": [FILM, SESSION]})
    assert sorted(asked) == sorted(set(event_steps.sentences(FILM)))


# All


def test_views_are_made_once_and_sorted_by_id(monkeypatch):
    made = []

    def numbered(loaded, parts):
        made.append(loaded)
        return {part: [example.id for example in examples] for part, examples in parts.items()}

    monkeypatch.setitem(inputs.INPUTS, "words", numbered)
    given = {"train": [SESSION, FILM], "validation": [], "test": [STRANGER]}
    views = inputs.Views("the corpus", given)
    assert views.seconds("words") >= 0 and made == ["the corpus"]
    assert views.rows("words") == views.rows("words") == {"train": ["a", "b"], "test": ["c"]}
    assert made == ["the corpus"]
    assert [views.order[part].tolist() for part in ("train", "test")] == [[1, 0], [0]]
    assert views.ratings["train"].tolist() == [2.0, 3.0] and "test" not in views.ratings
    with pytest.raises(ValueError, match="the part train has no rows; give at least one"):
        inputs.Views("the corpus", {"train": [], "test": [FILM]})


def test_no_view_shows_the_rating_that_is_asked_for():
    loaded = corpora.load("satsim", limit=120)
    parts = splits.subset(splits.split_corpus(loaded), 20, 8, 8)
    other = {
        part: [replace(e, ratings=(1.0 if e.rating > 3 else 5.0,)) for e in rows]
        for part, rows in parts.items()
    }
    cheap = [view for view in inputs.INPUTS if view not in ("sentences", "behaviour")]
    for name in cheap:
        here, there = (inputs.INPUTS[name](loaded, chosen) for chosen in (parts, other))
        for part in parts:
            for a, b in zip(
                *(
                    rows if isinstance(rows, tuple) else (rows,)
                    for rows in (here[part], there[part])
                ),
                strict=True,
            ):
                assert (abs(a - b) > 0).sum() == 0, name


def test_behaviour_without_times_names_the_corpus_and_the_remedy():
    loaded = corpora.Loaded(
        "toy", [replace(SESSION, events=(replace(PAST[0], time=None),))], "", (1, 5), []
    )
    with pytest.raises(
        ValueError, match="toy has no times, which behaviour features need .* map a column to time"
    ):
        inputs.INPUTS["behaviour"](loaded, {"train": loaded.examples})
