"""The script for a GPU, tried without one: what it writes, what it says was not measured, and how a
part that fails or hangs ends."""

import numpy as np
import pytest
from safetensors.torch import load_file

from satlib import storage
from satlib.data import corpora
from satlib.encoding import sequences, tokens
from satlib.encoding.embedded_encoder import embedded_encoder

from . import __main__ as script
from . import headline, prepare, results
from .options import Options, read


def test_a_tiny_run_writes_its_rows_and_says_what_it_could_not_measure(tmp_path, capsys):
    output = tmp_path / "gpu"
    assert script.main(["--tiny", "--only", "formats,memory", "--output", str(output)]) == 0
    found = storage.read_json(output / results.NAME)
    assert found["tiny"] and list(found["parts"]) == ["formats", "memory"]
    rows = found["parts"]["formats"]["rows"]
    judged = {(row["precision"], row["pass"]): row for row in rows}
    assert len(judged) == 6
    for (precision, _), row in judged.items():
        if precision == "fp16":
            assert row["not_measured"] == "this machine has no GPU"
        else:
            assert row["met"] and row["apart"] <= 0.05
    assert "this machine has no GPU" in capsys.readouterr().out


def test_the_headline_is_the_recipe_with_the_long_runs_parameters(tmp_path, root):
    options = Options(output=str(tmp_path), tiny=True, seeds=1)
    settings = headline.settings_of(options, seed=1, **headline.long_run())
    assert (settings.epochs, settings.adversarial, settings.seed) == (3, 0.5, 1)
    assert settings.train_rows == 0


def test_options_reach_a_part_as_they_were(tmp_path):
    options = Options(output=str(tmp_path), seeds=3, tiny=True)
    *_, name, text = options.command("rates", deadline=7.5)
    assert name == "rates" and read(text).deadline == 7.5 and read(text).seeds == 3


def test_without_a_gpu_nothing_is_measured(capsys, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert script.main([]) == 1
    assert "no GPU, so nothing was measured" in capsys.readouterr().err


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit):
        script.main(["--only", "speed"])
    assert "unknown part speed; the parts are formats, memory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "limit", "said"),
    [
        ("import time; time.sleep(60)", 1.0, "stopped after 1 seconds, its limit"),
        ("raise SystemExit('no memory')", 30.0, "status 1: no memory"),
        ("pass", 30.0, ""),
        ("pass", 0.0, "not measured: no time was left"),
    ],
)
def test_a_part_that_hangs_or_fails_leaves_its_error(tmp_path, monkeypatch, code, limit, said):
    monkeypatch.setattr(Options, "command", lambda self, part, **changes: ["-c", code])
    assert script.start(Options(output=str(tmp_path)), "rates", limit) == said


@pytest.mark.parametrize(
    ("part", "met"),
    [
        ({"rows": [{"met": True}, {"gflops": 3}], "error": ""}, True),
        ({"rows": [{"not_measured": "this machine has no GPU"}], "error": ""}, True),
        ({"rows": [{"met": True}, {"met": False}], "error": ""}, False),
        ({"rows": [], "error": "stopped after 70 seconds, its limit"}, False),
    ],
)
def test_what_was_not_measured_was_not_missed(part, met):
    assert results.all_met({"parts": {"formats": part}}) is met


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    folder = tmp_path_factory.mktemp("carried")
    prepare.write_encoder(folder)
    return folder


def test_the_carried_encoder_cuts_the_texts_of_satsim_as_the_whole_one_does(carried):
    texts = sequences.texts(corpora.load("satsim").examples)[::50]
    whole = tokens.load_tokenizer(embedded_encoder())
    small = tokens.load_tokenizer(carried)
    cut = [whole.convert_ids_to_tokens(ids) for ids in tokens.tokenise(texts, whole, 128)]
    again = [small.convert_ids_to_tokens(ids) for ids in tokens.tokenise(texts, small, 128)]
    assert again == cut


def test_the_carried_weights_are_the_whole_ones_rounded(carried):
    whole = load_file(embedded_encoder() / "model.safetensors")
    small = load_file(carried / "model.safetensors")
    old = tokens.load_tokenizer(embedded_encoder()).convert_tokens_to_ids(["film", "boring"])
    new = tokens.load_tokenizer(carried).convert_tokens_to_ids(["film", "boring"])
    rows = small[prepare.TABLE][new].float()
    assert np.allclose(rows, whole[prepare.TABLE][old], atol=1e-3)
    assert small.keys() == whole.keys()
    size = (carried / "model.safetensors").stat().st_size
    assert size < prepare.LIMIT / 2
