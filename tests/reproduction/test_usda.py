"""Protocol B on a made-up corpus: texts, features of earlier turns, records, ensembles; and the
committed records."""

from dataclasses import replace

import numpy as np
import pytest
from corpus_files import register

from satlib import record_cache, records
from satlib.data import splits
from satlib.data.interactions import Event, Example
from satlib.data.readers import usda as usda_reader
from satlib.evaluation import bootstrap, comparison, ensembles, judging, metrics
from satlib.reproduction import protocols, text_classifiers, usda
from satlib.reproduction.text_classifiers import Settings
from satlib.runtime import data_folder

WORDS = {2: "this is bad and dull", 3: "it is a film", 4: "this is good and fun"}
JUDGED = {"valid": range(10, 13), "test": range(13, 17)}


def dialogue(k):
    """User lines (text, ratings) of the k-th made-up dialogue; the words follow the mean, and the
    number is its own."""
    stars = [2 + (k + turn) % 3 for turn in range(6)]
    turns = [(f"{WORDS[star]} d{k} t{turn}", (star, 3, star)) for turn, star in enumerate(stars)]
    return [*turns, ("OVERALL", (3, 4, 3))]


def uss():
    blocks = []
    for k in range(17):
        lines = [
            f"USER\t{text}\t\t{','.join(map(str, ratings))}\nSYSTEM\tand what of number {k}?\t\t"
            for text, ratings in dialogue(k)
        ]
        blocks.append("\n".join(lines).rsplit("\n", 1)[0])
    return "\n\n".join(blocks) + "\n"


def published(part):
    rows = []
    for k in JUDGED[part]:
        said = dialogue(k)
        for end in range(usda_reader.SKIPPED, len(said)):
            exchanges = [f"{text}|||and what of number {k}?" for text, _ in said[:end]] + [
                f"{said[end][0]}|||"
            ]
            rows.append(f"{exchanges!r}\t[0]\t{usda_reader.label_of(np.mean(said[end][1]))}")
    return "\n".join(rows) + "\n"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Folder with a small usda-redial, registered as if it were the published one."""
    contents = {
        "uss/ReDial.txt": uss(),
        "usda-split/test_redial.txt": published("test"),
        "usda-split/valid_redial.txt": published("valid"),
    }
    for path, text in contents.items():
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / path).write_text(text, encoding="utf-8")
    named = {path.rsplit("/")[-1]: text.encode() for path, text in contents.items()}
    register(monkeypatch, "usda-redial", named)
    register(monkeypatch, "uss-redial", named)
    return str(tmp_path / "data")


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
        2 + (JUDGED["test"][0] + usda_reader.SKIPPED) % 3,
        3,
    ]  # the first row's ratings are (star, 3, star)
    rest = [3.0 + np.sign(stars[0] - 3), 3.0 + np.sign(stars[0] - 3), 3.0 + np.sign(stars[0] - 3)]
    assert columns["predicted"][:3] == [stars[0], 3.0, stars[0]] and columns["rating"][:3] == rest
    assert np.sum(found.parameters["labels"]) == 16
    assert vars(usda.reference("usda-redial", tmp_path, data)) == vars(found)


# Ensembles


def three(data, folder):
    names = ("naive-bayes", "tfidf-logistic", "majority")
    return [usda.run("usda-redial", name, Settings(), folder, data) for name in names]


def test_an_ensemble_averages_probabilities_first_over_seeds_then_over_models(data, tmp_path):
    bayes, words, most = three(data, tmp_path)
    second = replace(most, model="naive-bayes", seed=1)
    made = ensembles.ensemble(
        [bayes, second, words], "both", ("naive-bayes", "tfidf-logistic"), ["accuracy"]
    )
    for part in ("validation", "test"):
        p = {r.name: np.array(r.predictions[part]["distribution"]) for r in (bayes, second, words)}
        mean = ((p[bayes.name] + p[second.name]) / 2 + p[words.name]) / 2
        assert np.allclose(made.predictions[part]["distribution"], mean, atol=1e-4)
        assert made.predictions[part]["predicted"] == (mean.argmax(axis=1) + 1.0).tolist()
        value = metrics.accuracy(
            bayes.predictions[part]["rating"], made.predictions[part]["predicted"]
        )
        rows = [r["value"] for r in made.rows if r["part"] == part]
        assert rows == [pytest.approx(value)]
    assert (
        made.parameters["members"] == {"naive-bayes": [0, 1], "tfidf-logistic": [0]}
        and made.seed == 0
    )
    assert made.split_sha256 == bayes.split_sha256 and records.save(made, tmp_path).is_file()
    alone = ensembles.ensemble([bayes], "alone", ("naive-bayes",))
    assert alone.predictions["test"]["predicted"] == bayes.predictions["test"]["predicted"]


def test_an_ensemble_of_what_does_not_belong_together_is_refused(data, tmp_path):
    bayes, words, _ = three(data, tmp_path)
    with pytest.raises(ValueError, match="no record of gru, a member of 'x'; make it first"):
        ensembles.ensemble([bayes, words], "x", ("naive-bayes", "gru"))
    with pytest.raises(ValueError, match="no record of naive-bayes, a member"):
        ensembles.ensemble([], "x", ("naive-bayes",))
    with pytest.raises(ValueError, match="differ in split_sha256"):
        ensembles.ensemble(
            [bayes, replace(words, split_sha256="0")], "x", ("naive-bayes", "tfidf-logistic")
        )
    turned = {"test": {name: column[::-1] for name, column in words.predictions["test"].items()}}
    with pytest.raises(ValueError, match="'x' were judged on different test rows; make them again"):
        ensembles.ensemble(
            [bayes, replace(words, predictions=words.predictions | turned)],
            "x",
            ("naive-bayes", "tfidf-logistic"),
        )


def test_records_of_a_study_are_read_in_order_and_scored_in_parts(data, tmp_path):
    bayes, words, most = three(data, tmp_path)
    found = ensembles.read(tmp_path, "usda-redial", "B", usda.ORDER)
    assert [r.model for r in found] == ["majority", "naive-bayes", "tfidf-logistic"]
    assert [r.model for r in ensembles.read(tmp_path, "usda-redial", "B", ("majority",))] == [
        "majority"
    ]
    assert ensembles.read(tmp_path, "usda-sgd", "B", usda.ORDER) == []
    ids = record_cache.load_split("split-usda-redial-B", tmp_path)["overall"]
    whole = judging.from_record(ensembles.only(bayes, ids))
    assert [e.id for e in whole.examples] == ids[3:] and set(whole.rating) == {4.0}
    assert ensembles.only(bayes, ids).rows == [] and len(bayes.rows) == 6
    every = judging.from_record(bayes)
    value, low, high = judging.scores(every, ["macro_f1"], draws=50)["macro_f1"]
    assert low <= value <= high and value == metrics.macro_f1(every.rating, every.predicted)
    assert ensembles.score([bayes], "naive-bayes", "macro_f1", draws=50) == pytest.approx(
        (value, low, high, 1)
    )
    with pytest.raises(
        ValueError, match="unknown metric of classes 'rmse'; choose one of accuracy, macro_f1"
    ):
        ensembles.score([bayes], "naive-bayes", "rmse")
    columns = bayes.predictions["test"]
    second = replace(
        bayes, seed=1, predictions={"test": columns | {"predicted": columns["rating"]}}
    )
    both = ensembles.score([bayes, second], "naive-bayes", "macro_f1", draws=50)
    assert both[0] == pytest.approx((value + 1) / 2) and both[3] == 2


def test_two_models_are_compared_on_the_same_dialogues(data, tmp_path):
    bayes, words, most = three(data, tmp_path)
    gap = comparison.difference([bayes, most], "naive-bayes", "majority", "accuracy", draws=50)
    one, other = (judging.from_record(r) for r in (bayes, most))
    assert gap.value == pytest.approx(
        np.mean(one.rating == one.predicted) - np.mean(other.rating == other.predicted)
    )


def test_metrics_of_counts_equal_those_of_rows():
    rng = np.random.default_rng(0)
    for high in (3, 4, 6):
        rating, predicted, group = (
            rng.integers(2, high, 60),
            rng.integers(1, high, 60),
            rng.integers(0, 9, 60),
        )
        one = comparison.SeededPredictions(
            predicted[None], rating, list(range(60)), group, np.bincount(group)
        )
        weights = bootstrap.group_weights(9, 20, 1)
        for name, metric in ensembles.COUNTED.items():
            slow = comparison.drawn_values(one, name, weights)[:, 0]
            assert np.allclose(metric(weights @ ensembles.by_group(one, predicted)), slow)
            assert metric is not None and name in metrics.METRICS


# The committed records


def committed():
    folder = data_folder() / "runs" / protocols.STUDY
    found = [
        r
        for name in ("usda-redial", "usda-sgd")
        for r in ensembles.read(folder, name, "B", usda.ORDER)
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
