"""Learning curves: the rows that a run sees, what its record says, and the curve read sideways."""

import math
from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from scipy.interpolate import interp1d
from sklearn.metrics import root_mean_squared_error

from satlib.data.prepared import prepare
from satlib.models import satisfaction_model
from satlib.reproduction import small_data
from satlib.reproduction.small_data import MODELS, Settings, labels_needed
from satlib.training import finetune


@pytest.fixture(scope="module")
def data():
    return prepare("satsim", train_rows=60, validation_rows=20, test_rows=30)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = str(tiny.bert_folder(tmp_path_factory.mktemp("bert")))
    return Settings(encoder=folder, max_length=16, epochs=1, updates=1, learning_rate=1e-3)


@pytest.mark.parametrize(
    ("rows", "epochs"),
    # 150 updates of 16 rows: 100 rows are 7 updates an epoch, and ten epochs are the most.
    [(100, 10), (400, 6), (800, 3), (4682, 3)],
)
def test_few_rows_are_read_more_often(rows, epochs):
    assert Settings().on(rows).epochs == epochs


def test_curve_has_a_record_of_every_model_and_size(data, settings, tmp_path):
    found = small_data.curve(data, MODELS, [20, 40, 500, 0], settings, tmp_path)
    made = [(record.model, record.profile) for record in found]
    sizes = ("labels-00020", "labels-00040", "labels-00060")  # 500 rows are not there
    assert made == [(model, size) for size in sizes for model in MODELS]
    for record in found:
        assert record.parameters["train_rows"] == int(record.profile.removeprefix("labels-"))
        assert record.predictions["test"]["rating"] == data.ratings["test"].round(4).tolist()
        (row,) = [row for row in record.rows if row["metric"] == "rmse"]
        predicted = record.predictions["test"]["predicted"]
        rmse = root_mean_squared_error(data.ratings["test"], predicted)
        assert row["value"] == pytest.approx(rmse, abs=1e-3)
    # Made once: the second call reads the files.
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert small_data.curve(data, MODELS, [20, 40, 0], settings, tmp_path) == found
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_another_seed_draws_other_rows(data, settings, tmp_path):
    marks = set()
    for seed in (0, 1):
        own = replace(settings, seed=seed)
        (record,) = small_data.curve(data, ["tfidf-ridge"], [20], own, tmp_path)
        marks.add(record.split_sha256)
    assert len(marks) == 2


def test_frozen_model_is_the_fitted_head(data, settings):
    predicted, chosen = small_data.fit(data, "frozen", settings)
    rows = finetune.encode(data.parts, settings)
    model = finetune.build(settings, rows["train"], data.loaded.scale)
    penalty = finetune.fit_head(model, rows["train"], rows["validation"])
    expected = satisfaction_model.predict_tokens(model, rows["test"].sequences).rating
    assert chosen == {"penalty": penalty}
    assert np.allclose(predicted, expected, atol=0.02)  # bf16 where the processor has it


def test_random_encoder_has_the_form_and_none_of_the_weights(data, settings):
    settings = replace(settings, seed=5)  # the tiny encoder was itself drawn with seed 0
    rows = finetune.encode(data.parts, settings)["train"]
    pretrained = finetune.build(settings, rows, (1.0, 5.0))
    random = small_data.random_model(settings, rows, (1.0, 5.0))
    again = small_data.random_model(settings, rows, (1.0, 5.0))
    shapes = [weight.shape for weight in random.parameters()]
    assert shapes == [weight.shape for weight in pretrained.parameters()]
    table = random.encoder.get_input_embeddings().weight
    assert torch.equal(table, again.encoder.get_input_embeddings().weight)
    read = pretrained.encoder.get_input_embeddings().weight
    correlation = np.corrcoef(table.detach().flatten(), read.detach().flatten())[0, 1]
    assert abs(correlation) < 0.1


def test_without_a_domain_the_others_teach_and_choose(data, settings, tmp_path):
    kept = {}

    def spy(shifted, model, settings):
        kept.update(shifted.parts)
        return np.full(len(shifted.parts["test"]), 3.0), {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_data, "fit", spy)
        job = (data, "news", "frozen", 20)
        none = small_data.without_domain(*job, 0, settings, tmp_path)
        seen = {part: {example.domain for example in kept[part]} for part in kept}
        assert "news" not in seen["train"] | seen["validation"] and seen["test"] == {"news"}
        assert none.profile == "to-news-00000" and none.parameters["train_rows"] == 20
        some = small_data.without_domain(*job, 7, settings, tmp_path)
        inside = [example for example in kept["train"] if example.domain == "news"]
        assert len(inside) == 7 and some.parameters["train_rows"] == 27
        assert {example.domain for example in kept["validation"]} == {"news"}


def test_unknown_domain_and_model_are_refused(data, settings, tmp_path):
    with pytest.raises(ValueError, match="domain"):
        small_data.without_domain(data, "radio", "frozen", 20, 0, settings, tmp_path)
    with pytest.raises(ValueError, match="model"):
        small_data.complete(data, "gru", "labels-00020", settings, tmp_path)


def test_labels_needed_is_the_inverse_of_a_line_over_the_logarithm():
    sizes, errors = [100, 400, 1600], [1.2, 1.1, 1.0]
    inverse = interp1d(errors[::-1], np.log(sizes[::-1]))
    for error in (1.15, 1.1, 1.03, 1.0):
        assert labels_needed(sizes, errors, error) == pytest.approx(np.exp(inverse(error)))
    assert labels_needed(sizes, errors, 1.3) == 100
    assert math.isnan(labels_needed(sizes, errors, 0.9))
    # A curve that goes up again: the first place counts.
    assert labels_needed(sizes, [1.2, 1.0, 1.1], 1.1) == pytest.approx(200)
