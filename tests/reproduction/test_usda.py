"""Protocol B on a made-up corpus: texts, features of earlier turns, records; and the committed
records."""

from dataclasses import replace

import numpy as np
import pytest
import usda_corpus
from sklearn import metrics as sklearn
from sklearn.linear_model import LogisticRegression

from satlib import record_cache, records
from satlib.baselines import event_steps
from satlib.data import splits
from satlib.data.interactions import Event, Example
from satlib.data.readers import usda as usda_reader
from satlib.evaluation import ensembles, judging
from satlib.reproduction import protocols, text_classifiers, usda
from satlib.reproduction.text_classifiers import Settings
from satlib.runtime import data_folder


@pytest.fixture
def data(tmp_path, monkeypatch):
    return usda_corpus.registered(monkeypatch, tmp_path)


@pytest.fixture
def parts(data):
    return usda.load("usda-redial", data)[1]


def row(id, said, star, whole=False, group="redial-0001"):
    events = tuple(Event(actor, "say", text) for actor, text in said)
    return Example(
        id, group, "films", events if whole else events[:-1], (star,), None if whole else events[-1]
    )


SAID = [("user", "hello"), ("system", "a film?"), ("user", "a long one")]


def test_what_a_model_reads_ends_with_the_users_words():
    turn, whole = row("a", SAID, 3.0), row("b", SAID, 3.0, whole=True)
    assert (
        usda.text(turn, "utterance") == "a long one" and usda.text(whole, "utterance") == "OVERALL"
    )
    assert usda.text(turn, "system") == usda.text(whole, "system") == "a film?"
    assert usda.text(turn, "context") == "user: hello system: a film? user: a long one"
    assert (
        usda.text(whole, "context") == "user: hello system: a film? user: a long one user: OVERALL"
    )
    assert usda.text(row("c", SAID[2:], 3.0), "system") == ""


def test_parts_of_the_made_up_corpus(parts):
    assert {part: len(rows) for part, rows in parts.items()} == {
        "train": 40,
        "validation": 12,
        "test": 16,
    }
    splits.check(parts)


def test_features_of_earlier_turns_use_no_label_and_no_later_turn(parts):
    train, judged = parts["train"], parts["test"]
    seen, features = usda.previous(train, judged)
    assert seen.shape == (40, 11) and features.shape == (16, 11) and np.isfinite(features).all()
    _, other = usda.previous(train, [replace(e, ratings=(6 - e.rating,)) for e in judged])
    assert np.array_equal(other, features)  # no label of the judged rows
    now = [replace(e, target=e.target and replace(e.target, text="something else")) for e in judged]
    assert np.array_equal(usda.previous(train, now)[1], features)  # not the judged turn itself
    alone = np.vstack([usda.previous(train, [e])[1] for e in judged])
    assert np.allclose(alone, features)  # no other row, so no later turn


def test_features_of_training_rows_are_cross_fitted_by_dialogue(parts):
    train = parts["train"]
    seen, _ = usda.previous(train, train[:1])
    group = train[0].group
    own = [e.group == group for e in train]
    turned = [
        replace(e, ratings=(6 - e.rating,)) if mine else e
        for e, mine in zip(train, own, strict=True)
    ]
    changed = (usda.previous(turned, train[:1])[0] != seen).any(axis=1)
    assert not changed[own].any() and changed.any()  # labels of its own dialogue never reach a row


def test_features_by_hand(parts):
    train, whole = parts["train"], next(e for e in parts["test"] if e.target is None)
    turns = [e for e in train if e.target is not None]
    words = [event.text for event in whole.events if event.actor == "user"]
    known = text_classifiers.Labelled(
        [e.target.text for e in turns], np.array([e.rating for e in turns])
    )
    p = text_classifiers.logistic(known, words)[0][:, 1:4]
    _, (found,) = usda.previous(train, [whole])
    assert np.allclose(found, [*p.mean(axis=0), *p[-1], 1, *p.mean(axis=0), np.log(1 + len(words))])
    turn = next(e for e in parts["test"] if e.target is not None)
    assert usda.previous(train, [turn])[1][0, 6:10].tolist() == [0, 0, 0, 0]
    first = row("new", SAID[2:], 3.0)
    assert np.allclose(usda.previous(train, [first])[1][0], [1 / 3] * 6 + [0, 0, 0, 0, 0])


def test_the_epoch_is_chosen_by_validation_macro_f1(parts, monkeypatch):
    n = {part: np.array([e.rating for e in rows]) for part, rows in parts.items()}
    right = np.eye(5)[np.concatenate([n["validation"], n["test"]]).astype(int) - 1]
    wrong = np.roll(right, 1, axis=1)
    mixed = np.vstack([wrong[:12], right[12:]])  # best on the test rows alone: must not be chosen

    def made(name, rows, judged, settings, features):
        assert settings.max_length == usda.LENGTHS["context"] and (features is None) == (
            rows.features is None
        )
        return [wrong, mixed, np.vstack([right[:12], wrong[12:]])]

    monkeypatch.setattr(text_classifiers, "fit", made)
    found, curves = usda.fit("bert-context", parts, Settings())
    assert np.array_equal(found["validation"], right[:12]) and np.array_equal(
        found["test"], wrong[12:]
    )
    assert [point["epoch"] for point in curves] == [0, 1, 2] and curves[2][
        "validation_macro_f1"
    ] == 1.0


def letters(texts):
    """A stand-in for the frozen encoder: how often five letters occur in each text."""
    return np.array([[text.count(letter) for letter in "adegu"] for text in texts], float)


def test_frozen_embeddings_are_those_of_the_last_words_and_the_mean_of_the_lines_before(
    monkeypatch,
):
    asked = []
    monkeypatch.setattr(event_steps, "embed", lambda texts: asked.append(texts) or letters(texts))
    rows = [row("a", SAID, 3.0), row("b", SAID, 3.0, whole=True), row("c", SAID[2:], 3.0)]
    last = letters(["a long one", "OVERALL", "a long one"])
    assert np.array_equal(usda.embedded(rows, "utterance"), last)
    lines = letters(["hello", "a film?", "a long one"])
    before = np.array([lines[:2].mean(axis=0), lines.mean(axis=0), np.zeros(5)])
    assert np.array_equal(usda.embedded(rows, "context"), np.hstack([last, before]))
    assert asked[0] == ["OVERALL", "a long one"], "each different text once"


def test_the_penalty_on_the_frozen_encoder_is_chosen_by_validation_macro_f1(
    parts, monkeypatch, data, tmp_path
):
    monkeypatch.setattr(event_steps, "embed", letters)
    found, curves = usda.fit("embeddings-logistic", parts, Settings())
    truth = {part: [example.rating for example in rows] for part, rows in parts.items()}
    scores = []
    for inverse in usda.INVERSE_PENALTIES:
        model = LogisticRegression(C=inverse, max_iter=1000)
        model.fit(usda.embedded(parts["train"], "utterance"), truth["train"])
        predicted = model.predict(usda.embedded(parts["validation"], "utterance"))
        scores.append(sklearn.f1_score(truth["validation"], predicted, average="macro"))
    assert [point["validation_macro_f1"] for point in curves] == pytest.approx(scores, abs=1e-6)
    best = usda.INVERSE_PENALTIES[int(np.argmax(scores))]
    assert [point["C"] for point in curves] == list(usda.INVERSE_PENALTIES)
    assert found["test"].shape == (16, 5) and not found["test"][:, [0, 4]].any()
    made = usda.run("usda-redial", "embeddings-logistic", Settings(), tmp_path / "runs", data)
    assert made.parameters["C"] == best
    at_edge = best in (usda.INVERSE_PENALTIES[0], usda.INVERSE_PENALTIES[-1])
    assert made.parameters["edge"] == (["C"] if at_edge else [])


def test_a_model_without_a_penalty_has_no_edge():
    curves = [{"epoch": 0, "validation_macro_f1": 0.1}, {"epoch": 1, "validation_macro_f1": 0.2}]
    assert usda.chosen_penalty(curves) == {}
    tried = [{"C": c, "validation_macro_f1": 0.5 - c} for c in (0.1, 0.2, 0.4)]
    assert usda.chosen_penalty(tried) == {"C": 0.1, "edge": ["C"]}
    assert usda.chosen_penalty(tried[::-1] + [{"C": 0.05, "validation_macro_f1": 0}])["edge"] == []


def test_a_record_is_made_once_and_reads_back(data, tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    made = usda.run("usda-redial", "naive-bayes", Settings(), folder, data)
    assert (
        made.name == "usda-redial-B-naive-bayes-seed0.json" and made.parameters["max_length"] == 48
    )
    assert {(r["part"], r["metric"]) for r in made.rows} == {
        (part, m) for part in ("validation", "test") for m in protocols.PROTOCOLS["B"].metrics
    }
    monkeypatch.setattr(usda, "fit", None)
    again = usda.run("usda-redial", "naive-bayes", Settings(), folder, data)
    assert vars(records.load(folder / made.name)) == vars(again) == vars(made)
    p = np.array(made.predictions["test"]["distribution"])
    assert (
        p.shape == (16, 5) and not p[:, [0, 4]].any() and np.allclose(p.sum(axis=1), 1, atol=1e-3)
    )
    assert np.array_equal(made.predictions["test"]["predicted"], p.argmax(axis=1) + 1.0)
    assert [r["value"] for r in made.rows if (r["part"], r["metric"]) == ("test", "accuracy")][
        0
    ] > 0.5


def test_the_split_is_saved_as_ids(data, tmp_path, parts):
    made = usda.run("usda-redial", "majority", Settings(), tmp_path / "runs", data)
    ids = record_cache.load_split("split-usda-redial-B", tmp_path / "runs")
    assert {part: ids[part] for part in parts} == {
        part: [e.id for e in rows] for part, rows in parts.items()
    }
    assert ids["overall"] == [
        e.id for part in ("validation", "test") for e in parts[part] if e.target is None
    ]
    kept = {part: [judging.RecordedExample(id, "") for id in ids[part]] for part in parts}
    assert splits.checksum(kept) == made.split_sha256


def test_one_annotator_against_the_others(data, tmp_path):
    found = usda.reference("usda-redial", tmp_path, data)
    columns = found.predictions["test"]
    assert found.parameters["verified"] == {
        "validation": {"rows": 12, "found": 12, "agree": 12, "joined": 0, "joined_agree": 0},
        "test": {"rows": 16, "found": 16, "agree": 16, "joined": 0, "joined_agree": 0},
    }
    assert len(columns["id"]) == 16 * 3 == len(set(columns["id"]))
    stars = [
        2 + (usda_corpus.JUDGED["test"][0] + usda_reader.SKIPPED) % 3,
        3,
    ]  # the first row's ratings are (star, 3, star)
    rest = [3.0 + np.sign(stars[0] - 3), 3.0 + np.sign(stars[0] - 3), 3.0 + np.sign(stars[0] - 3)]
    assert columns["predicted"][:3] == [stars[0], 3.0, stars[0]] and columns["rating"][:3] == rest
    assert np.sum(found.parameters["labels"]) == 16
    assert vars(usda.reference("usda-redial", tmp_path, data)) == vars(found)


# The committed records


def committed():
    folder = data_folder() / "runs" / protocols.STUDY
    found = [
        r
        for name in ("usda-redial", "usda-sgd")
        for r in ensembles.read(folder, name, "B", usda.TABLE_ORDER)
    ]
    return folder, found


def test_committed_records_belong_to_the_committed_splits():
    folder, found = committed()
    assert found
    for record in found:
        ids = record_cache.load_split(f"split-{record.dataset}-B", folder)
        parts = {
            part: [judging.RecordedExample(id, "") for id in ids[part]]
            for part in ("train", "validation", "test")
        }
        assert record.split_sha256 == splits.checksum(parts)
        if record.model != usda.ANNOTATOR:
            for part, columns in record.predictions.items():
                assert columns["id"] == ids[part]
            assert record.parameters["encoder"] == protocols.ENCODER
            assert len(ids["train"]) == {"usda-redial": 7370, "usda-sgd": 8674}[record.dataset]
        groups = {
            part: {id.rsplit("-", 2 if part != "train" else 1)[0] for id in ids[part]}
            for part in parts
        }
        assert not groups["train"] & (groups["validation"] | groups["test"])
        assert not groups["validation"] & groups["test"]


def test_a_cheap_record_made_anew_equals_the_committed_one(real_data, tmp_path):
    folder, found = committed()
    for name in ("majority", "naive-bayes"):
        made = usda.run("usda-redial", name, Settings(), tmp_path, str(real_data))
        (kept,) = [r for r in found if (r.dataset, r.model) == ("usda-redial", name)]
        assert (
            made.predictions == kept.predictions
            and made.rows == kept.rows
            and made.data_sha256 == kept.data_sha256
        )
