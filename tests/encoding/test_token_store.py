"""Stores of token ids: the ids of ``tokens.tokenise``, an Arrow file that the library reads, made
once."""

import datasets
import numpy as np
import pytest
import tiny

from satlib.encoding import token_store, tokens
from satlib.training import batches, loop
from satlib.training.plan import Plan

TEXTS = [f"{text} {number}" for number in range(500) for text in tiny.TEXTS]  # 3,000: three chunks


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tokens.load_tokenizer(tiny.bert_folder(tmp_path_factory.mktemp("bert")))


def test_a_store_holds_the_ids_of_tokenise_and_the_library_reads_it(tokenizer, tmp_path):
    store = token_store.write(TEXTS, tokenizer, tmp_path / "a.arrow", max_length=9)
    expected = tokens.tokenise(TEXTS, tokenizer, 9)
    assert len(store) == 3000 and [ids.tolist() for ids in store] == expected
    assert store.lengths.tolist() == list(map(len, expected)) and store[-1].tolist() == expected[-1]
    assert datasets.Dataset.from_file(str(tmp_path / "a.arrow"))["input_ids"][:] == expected
    with pytest.raises(IndexError):
        store[3000]


def test_it_is_made_once_and_anew_when_anything_changes(tokenizer, tmp_path, monkeypatch):
    first = token_store.tokenised(TEXTS[:5], tokenizer, 9, tmp_path)
    monkeypatch.setattr(tokens, "tokenise", lambda *_: pytest.fail("tokenised again"))
    again = token_store.tokenised(TEXTS[:5], tokenizer, 9, tmp_path)
    assert [a.tolist() for a in first] == [
        a.tolist() for a in again
    ] and first.sha256 == again.sha256
    monkeypatch.undo()
    others = [
        token_store.tokenised(TEXTS[:4], tokenizer, 9, tmp_path),
        token_store.tokenised(TEXTS[:5], tokenizer, 8, tmp_path),
        token_store.tokenised([*TEXTS[:4], TEXTS[4] + "x"], tokenizer, 9, tmp_path),
    ]
    assert (
        len({store.sha256 for store in (first, *others)}) == 4
        and len(list(tmp_path.glob("*.arrow"))) == 4
    )


def test_where_a_text_ends_matters():
    class Words:
        truncation_side, backend_tokenizer = (
            "left",
            type("Backend", (), {"to_str": lambda self: ""})(),
        )

    assert token_store.identity(["ab", "c"], Words(), 9) != token_store.identity(
        ["a", "bc"], Words(), 9
    )


def test_a_bad_text_leaves_nothing(tokenizer, tmp_path):
    with pytest.raises(ValueError, match="no visible character"):
        token_store.write([*TEXTS[:1500], "   "], tokenizer, tmp_path / "a.arrow")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"no arrow at all"], ids=["empty", "other"])
def test_another_file_is_one_sentence(tmp_path, content):
    (tmp_path / "a.arrow").write_bytes(content)
    with pytest.raises(
        ValueError, match="a.arrow is no store of token ids .*; delete it and make it anew"
    ):
        token_store.TokenStore(tmp_path / "a.arrow")


def test_an_arrow_file_of_other_columns_is_refused(tmp_path):
    datasets.Dataset.from_dict({"x": [1, 2]}).save_to_disk(tmp_path / "d")
    with pytest.raises(ValueError, match="is no store of token ids"):
        token_store.TokenStore(next((tmp_path / "d").glob("*.arrow")))


def test_training_from_a_store_is_training_from_lists(tokenizer, tmp_path):
    texts, ratings = TEXTS[:30], np.linspace(1, 5, 30)
    plan, curves = Plan(epochs=1, batch_size=8, precision="fp32"), []
    ids = {
        "lists": tokens.tokenise(texts, tokenizer, 9),
        "store": token_store.tokenised(texts, tokenizer, 9, tmp_path),
    }
    for name in ids:
        config = {**tiny.bert_config(vocab_size=len(tokenizer)).to_dict()}
        model = tiny.satisfaction_model.SatisfactionModel(
            tiny.satisfaction_model.SatisfactionConfig(encoder=config)
        )
        for parameter in model.parameters():
            parameter.data.uniform_(
                -0.1, 0.1, generator=tiny.torch.Generator().manual_seed(parameter.numel())
            )
        rows = batches.Rows(ids[name], ratings)
        curves.append(loop.train(model, rows, plan, rows).curves)
    assert curves[0] == curves[1]
