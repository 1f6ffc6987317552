"""The benchmarks of ``make bench`` on a tiny encoder: every system runs, and the files have the
promised form."""

import numpy as np
import pytest
import tiny
import transformers
from benchmarks import __main__ as command
from benchmarks import (
    driver,
    examples,
    growth,
    measure,
    profiling,
    report,
    systems,
    without,
    worker,
)

from satlib import storage
from satlib.encoding import tokens
from satlib.encoding.embedded_encoder import embedded_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT with the embedded encoder's tokenizer and room for 256 tokens."""
    folder, config = tmp_path_factory.mktemp("encoder"), tiny.bert_config(30522, dropout=0.1)
    config.max_position_embeddings = 256
    tokens.load_tokenizer(embedded_encoder()).save_pretrained(folder)
    return str(tiny.saved(transformers.BertModel, config, folder))


@pytest.fixture(scope="module")
def folder(encoder, tmp_path_factory):
    """A folder with work.json and the two models that are scored."""
    folder = tmp_path_factory.mktemp("work")
    work = examples.prepare(encoder, "", 40, 24)
    storage.write_json(folder / "work.json", work | {"examples": 24, "peak_size": 64})
    worker.Prepare("models", folder).round()
    return folder


def test_the_command_writes_the_rows_it_promises(encoder, tmp_path, capsys):
    only = ["--only", "listing-128,satlib"]
    assert (
        command.main(
            ["training", "--quick", "--encoder", encoder, "--output", str(tmp_path), *only]
        )
        == 0
    )
    rows = storage.read_json(tmp_path / "training.json")
    assert [row["system"] for row in rows] == ["listing-128", "satlib"]
    for row in rows:
        assert tuple(row) == report.KEYS and row["rounds"] == 1
        assert min(row["examples_per_s"], row["useful_tokens_per_s"], row["peak_memory_mb"]) > 0
        assert 0 < row["peak_share"] < 1 and 0 < row["validation_loss"] < 2
        assert row["spread"] == [row["examples_per_s"]] * 2
    about = storage.read_json(tmp_path / "machine.json")
    assert about["corpus"] in ("satsim", "uss-redial") and str(tmp_path) not in str(about)
    assert "times as fast as listing-128" in capsys.readouterr().out


@pytest.mark.parametrize("name", systems.TRAINING | systems.EXTRA)
def test_every_system_trains(name, folder):
    if systems.missing((systems.TRAINING | systems.EXTRA)[name]):
        pytest.skip("sentence-transformers is not installed")
    made = worker.Training(name, folder)
    found = made.round()
    assert found["examples"] == min(24, (systems.TRAINING | systems.EXTRA)[name].rows or 24)
    assert found["steps"] == -(-found["examples"] // systems.BATCH) or name == "satlib-tokens"
    assert (
        found["tokens"] == sum(text.length for text in made.texts)
        and min(found["flops"], found["seconds"]) > 0
    )
    assert made.learn(rows=32, epochs=2, seed=0)["loss"] < 1


@pytest.mark.parametrize("name", systems.SCORING)
def test_every_system_scores_all_texts_in_their_order(name, folder):
    if systems.missing(systems.SCORING[name]):
        pytest.skip(f"{systems.SCORING[name].needs} not installed")
    made = worker.Scoring(name, folder)
    assert made.warm() == {} and made.round()["examples"] == 24 and made.learn()["loss"] < 1
    texts = made.work["validation"]
    backwards = np.asarray(made.score(texts[::-1]))[::-1]
    np.testing.assert_allclose(made.scores, backwards, atol=0.02)
    assert np.std(made.scores) > 0 and made.scores.shape == (24,)


def test_the_order_of_the_texts_makes_every_beginning_alike():
    lengths = np.random.default_rng(0).integers(5, 128, 2000).tolist()
    order = examples.alike(lengths, 640)
    assert len(set(order)) == 640
    mean = np.mean([lengths[i] for i in order])
    for n in (16, 64, 128):
        assert abs(np.mean([lengths[i] for i in order[:n]]) - mean) < 6


def test_texts_fall_into_what_was_before_and_what_is_judged(folder):
    texts = examples.read(folder / "work.json")["train"]
    assert all(
        text.last and text.whole.endswith(text.last) and 0 <= text.rating <= 1 for text in texts
    )
    assert sum(bool(text.before) for text in texts) > len(texts) / 2


def found_of(ours=(10.0, 12.0, 11.0), loss=0.1):
    def rounds(speeds):
        return [{"seconds": 1.0, "examples": s, "tokens": 60 * s, "flops": 4e9 * s} for s in speeds]

    return {
        "peaks": [{"fp32": 50.0, "bf16": 100.0}] * 3,
        "rounds": {
            "trainer": rounds((2.0, 2.0, 4.0)),
            "satlib": rounds(ours),
            "satlib-fp32": rounds(ours),
        },
        "memory": {"trainer": 900.0, "satlib": 800.0, "satlib-fp32": 800.0},
        "loss": {"trainer": 0.1, "satlib": loss, "satlib-fp32": 0.1},
        "losses": {"satlib": [loss, loss], "satlib-fp32": [0.1, 0.102, 0.104]},
    }


def test_rows_and_verdicts_are_medians_of_the_rounds():
    found = found_of()
    row = report.rows(found)[1]
    assert row == dict(
        zip(report.KEYS, ("satlib", 11.0, 660.0, 0.44, 800.0, 0.1, 3, [10.0, 12.0]), strict=True)
    )
    assert report.ratios(found, "trainer") == [5.0, 6.0, 2.75]
    met = dict(report.verdicts("training", found, (1.0, 5.0)))
    words = {text.split(",")[0]: good for text, good in met.items()}
    assert (
        words["5.00 times as fast as trainer (2.75 to 6.00 in the rounds)"]
        and not words["44.0% of the bf16 peak on useful tokens"]
    )
    assert words["peak memory 800 MB"] and words["validation loss 0.10000 over 2 seeds"]
    worse = report.verdicts("training", found_of(ours=(5.0, 5.0, 5.0), loss=0.12), (1.0, 5.0))
    assert [good for _, good in worse] == [False, False, True, False]
    assert "2.50 x" in report.table("training", found_of(ours=(5.0, 5.0, 5.0)))


def test_growth_and_profile_have_their_rows(folder):
    for name in ("examples-70", "length-8", "batch-4", "threads-1"):
        found = growth.Point(name, folder).round()
        assert found["memory"] > 0 and all(one > 0 for one in found["seconds"])
        row = growth.row(*name.split("-"), [found])
        assert (row["file"] is None) == (name != "examples-70") and row["low"] <= row[
            "seconds"
        ] <= row["high"]
    rows = profiling.rows(profiling.Profile("2", folder).round())
    assert abs(sum(row["share"] for row in rows) - 1) < 0.05
    assert {"matrix products", "optimizer", profiling.PYTHON} <= {row["group"] for row in rows}


def test_each_change_is_a_training_and_its_row_a_ratio(folder, tmp_path):
    rows = without.measure(
        folder, tmp_path, rounds=2, changes=("as it is", "without resting token rows")
    )
    assert [row["change"] for row in rows] == ["as it is", "without resting token rows"]
    assert rows[0]["times_as_long"] == 1 and rows[0]["spread"] == [1, 1]
    assert all(
        row["spread"][0] <= row["times_as_long"] <= row["spread"][1] and row["rounds"] == 2
        for row in rows
    )
    assert set(without.ENVIRONMENT) <= set(without.CHANGES)


@pytest.mark.parametrize(
    "name, group",
    [
        ("aten::addmm", "matrix products"),
        ("aten::bernoulli_", "dropout masks"),
        ("aten::fill_", "fills"),
        ("aten::_to_copy", "copies and casts"),
        ("aten::_softmax_backward_data", "softmax"),
        ("aten::add_", "sums and products by element"),
        ("aten::native_layer_norm_backward", "layer norm"),
        ("aten::gelu", "gelu"),
        ("aten::_fused_adamw_", "optimizer"),
        ("aten::embedding_dense_backward", "embeddings"),
        ("aten::_scaled_dot_product_flash_attention_for_cpu", "attention kernel"),
        ("autograd::engine::evaluate_function: AddmmBackward0", profiling.PYTHON),
        ("aten::view", profiling.REST),
    ],
)
def test_operations_fall_into_groups(name, group):
    assert profiling.group_of(name) == group


def test_a_peak_is_measured_and_memory_grows():
    assert set(measure.peaks(128)) >= {"fp32"} and min(measure.peaks(128).values()) > 0
    before = measure.peak_memory()
    block = np.ones(300 * 2**17)
    assert measure.peak_memory() > before + 100 and block.size


def test_texts_that_no_encoder_can_read_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no train text of .* has at most 63 tokens"):
        examples.prepare(str(tiny.bert_folder(tmp_path)), "", 4, 4)


def test_a_system_that_dies_is_named_with_its_log(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho out of memory >&2\n")
    python.chmod(0o755)
    monkeypatch.setattr(driver.sys, "executable", str(python))
    made = driver.Worker("training", "satlib", tmp_path, tmp_path / "logs")
    with pytest.raises(
        driver.Failed,
        match=r"training-satlib ended; its last words are 'out of memory'.*training-sat",
    ):
        made.ask("warm")
    made.end()


@pytest.mark.parametrize(
    "arguments, words",
    [(["speed"], "unknown part 'speed'"), (["--only", "hare"], "unknown system 'hare'")],
)
def test_unknown_words_are_refused(arguments, words, capsys):
    with pytest.raises(SystemExit) as ended:
        command.parse(arguments)
    assert ended.value.code == 2 and words in capsys.readouterr().err.splitlines()[-1]
