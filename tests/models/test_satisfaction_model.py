"""Twin of lesson 41: encoders, pooling, prediction, and what is refused."""

import json
import pickle
import shutil

import numpy as np
import pytest
import tiny
import torch
import transformers
from safetensors.torch import load_file, save_file

from satlib.encoding import tokens
from satlib.encoding.embedded_encoder import embedded_encoder
from satlib.models import encoders, satisfaction_model
from satlib.models.heads import HEADS

HUB = "nobody/nothing"
COMMIT = "0123456789012345678901234567890123456789"
FAMILIES = {"bert": tiny.bert_folder, "roberta": tiny.roberta_folder, "gpt2": tiny.gpt2_folder}
TEXTS = ["lovely", "a long wait for a terrible film, boring and no more", "the price is fine"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in FAMILIES.items()}


@pytest.fixture(scope="module")
def bert(folders):
    return str(folders["bert"])


def sentence(error) -> str:
    text = str(error.value)
    assert "\n" not in text and len(text) < 500, text
    return text


# --- pooling


def test_pooling_equals_a_loop():
    rng = np.random.default_rng(0)
    lengths, hidden = [1, 4, 6], rng.normal(size=(3, 6, 5))
    mask = np.array([[int(i < length) for i in range(6)] for length in lengths])
    by_hand = {
        "cls": [hidden[b][0] for b in range(3)],
        "last": [hidden[b][length - 1] for b, length in enumerate(lengths)],
        "mean": [
            sum(hidden[b][i] for i in range(length)) / length for b, length in enumerate(lengths)
        ],
    }
    for how, expected in by_hand.items():
        found = satisfaction_model.pool(torch.tensor(hidden), torch.tensor(mask), how)
        np.testing.assert_allclose(found.numpy(), np.array(expected), rtol=1e-12)


@pytest.mark.parametrize("pooling", satisfaction_model.POOLINGS)
@pytest.mark.parametrize("family", FAMILIES)
def test_padding_does_not_change_a_prediction(family, pooling, folders):
    model, tokenizer = satisfaction_model.build(str(folders[family]), pooling=pooling)
    sequences = tokens.tokenise(TEXTS, tokenizer, max_length=60)
    together = satisfaction_model.run(model, sequences)
    alone = [satisfaction_model.run(model, [row])[0] for row in sequences]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert len(set(together.round(6).tolist())) == len(TEXTS)


# --- prediction


@pytest.mark.parametrize("head", HEADS)
def test_predict_every_head(head, bert):
    model, tokenizer = satisfaction_model.build(bert, head=head)
    found = satisfaction_model.predict(model, tokenizer, TEXTS * 5, batch_tokens=64, max_length=32)
    assert found.rating.shape == found.satisfied.shape == (15,) and found.satisfied.dtype == bool
    assert ((found.rating >= 1) & (found.rating <= 5)).all()
    np.testing.assert_allclose(
        found.rating[:3], found.rating[3:6], atol=1e-5
    )  # the order is the caller's
    if HEADS[head].logits > 1:
        np.testing.assert_allclose(found.distribution.sum(1), 1, atol=1e-12)
    else:
        assert found.distribution is None


def test_long_text_emoji_and_chinese(folders):
    for family in FAMILIES:
        model, tokenizer = satisfaction_model.build(str(folders[family]))
        texts = [
            "boring film " * 8400,
            "😀🎬 👍🏽",
            "我非常喜欢这部电影",
            "\ud83d half a character",
        ]
        assert len(texts[0]) > 100_000
        found = satisfaction_model.predict(model, tokenizer, texts, max_length=64)
        assert np.isfinite(found.rating).all()


def test_behaviour_features_are_joined(bert):
    model, tokenizer = satisfaction_model.build(bert, features=2)
    sequences, extra = (
        tokens.tokenise(TEXTS, tokenizer, 32),
        np.array([[1.0, -2.0], [0.5, 3.0], [0.0, 0.0]]),
    )
    seen = satisfaction_model.run(model, sequences, extra, what="embedding")
    plain = satisfaction_model.run(satisfaction_model.build(bert)[0], sequences, what="embedding")
    np.testing.assert_allclose(seen, np.hstack([plain, extra]), atol=1e-6)
    expected = seen @ model.head.weight.detach().numpy()[0] + float(model.head.bias.detach())
    np.testing.assert_allclose(satisfaction_model.run(model, sequences, extra), expected, atol=1e-5)
    assert satisfaction_model.predict(
        model, tokenizer, TEXTS, extra.tolist(), max_length=32
    ).rating.shape == (3,)


# --- where encoders come from


def test_embedded_encoder_is_the_published_one():
    model, tokenizer = satisfaction_model.build()
    theirs = transformers.AutoModel.from_pretrained(embedded_encoder()).eval()
    sequences = tokens.tokenise(TEXTS, tokenizer)
    seen = satisfaction_model.run(model, sequences, what="embedding")
    with torch.no_grad():
        hidden = [
            theirs(input_ids=torch.tensor([row])).last_hidden_state[0].mean(0).numpy()
            for row in sequences
        ]
    np.testing.assert_allclose(seen, hidden, atol=1e-4)
    unused = sum(p.numel() for p in theirs.pooler.parameters())
    assert sum(p.numel() for p in model.parameters()) == theirs.num_parameters() - unused + 384 + 1
    assert "_name_or_path" not in model.config.encoder  # no path of this machine


def test_decoder_sees_the_text_at_its_last_token_only(folders):
    model, tokenizer = satisfaction_model.build(str(folders["gpt2"]), pooling="last")
    a, b = tokens.tokenise(["the price is fine", "the price is terrible"], tokenizer, 32)
    shared = next(i for i, pair in enumerate(zip(a, b, strict=False)) if pair[0] != pair[1])
    first = {}
    for pooling in ("cls", "last"):
        model.config.pooling = pooling
        first[pooling] = satisfaction_model.run(model, [a, b], what="embedding")
    np.testing.assert_allclose(
        first["cls"][0], first["cls"][1], atol=1e-6
    )  # blind for all that follows
    assert shared > 1 and np.abs(first["last"][0] - first["last"][1]).max() > 1e-3
    theirs = transformers.AutoModel.from_pretrained(folders["gpt2"]).eval()
    with torch.no_grad():
        expected = theirs(input_ids=torch.tensor([a])).last_hidden_state[0, -1].numpy()
    np.testing.assert_allclose(first["last"][0], expected, atol=1e-5)


@pytest.mark.parametrize(
    "family, legal", [("bert", "3 to 64"), ("roberta", "3 to 64"), ("gpt2", "1 to 64")]
)
def test_length_is_bounded_by_the_positions(family, legal, folders):
    model, tokenizer = satisfaction_model.build(str(folders[family]))
    assert np.isfinite(
        satisfaction_model.predict(model, tokenizer, ["boring " * 99], max_length=64).rating
    ).all()
    with pytest.raises(ValueError, match=f"max_length is 65; legal are {legal}"):
        satisfaction_model.predict(model, tokenizer, TEXTS, max_length=65)


def test_same_seed_same_model(bert):
    one, two, other = (
        satisfaction_model.build(bert, seed=seed)[0].state_dict() for seed in (3, 3, 4)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["head.weight"], other["head.weight"])
    assert all(torch.equal(one[name], other[name]) for name in one if name.startswith("encoder."))


def test_half_precision_weights_come_in_full_precision(bert, tmp_path):
    shutil.copytree(bert, tmp_path, dirs_exist_ok=True)
    transformers.AutoModel.from_pretrained(bert, dtype=torch.float16).save_pretrained(tmp_path)
    model, _ = satisfaction_model.build(str(tmp_path))
    assert {p.dtype for p in model.parameters()} == {torch.float32}


# --- saving and loading


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("head", HEADS)
def test_round_trip(family, head, folders, tmp_path):
    model, tokenizer = satisfaction_model.build(
        str(folders[family]),
        head=head,
        pooling="last",
        low=0.5,
        threshold=3.5,
        group_means=(1.5, 4.25),
        features=1,
    )
    satisfaction_model.save(model, tokenizer, tmp_path / "mine")
    assert {path.suffix for path in (tmp_path / "mine").iterdir()} == {".json", ".safetensors"}
    back, words = satisfaction_model.load(tmp_path / "mine")
    extra = np.ones((3, 1))
    before = satisfaction_model.predict(model, tokenizer, TEXTS, extra, max_length=40)
    after = satisfaction_model.predict(back, words, TEXTS, extra, max_length=40)
    np.testing.assert_allclose(
        before.rating, after.rating, rtol=1e-6
    )  # a product's last bit hangs on its address
    np.testing.assert_array_equal(before.satisfied, after.satisfied)
    assert back.config.group_means == [1.5, 4.25] and words.truncation_side == "left"
    assert str(folders[family]) not in (tmp_path / "mine" / "config.json").read_text()


def test_auto_classes_load_it(bert, tmp_path):
    model, tokenizer = satisfaction_model.build(bert, head="classes")
    satisfaction_model.save(model, tokenizer, tmp_path)
    assert isinstance(
        transformers.AutoConfig.from_pretrained(tmp_path), satisfaction_model.SatisfactionConfig
    )
    auto = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert isinstance(auto, satisfaction_model.SatisfactionModel)
    assert all(
        torch.equal(value, auto.state_dict()[name]) for name, value in model.state_dict().items()
    )


# --- what is refused


@pytest.mark.parametrize(
    "config, words",
    [
        (
            {"head": "ordinal"},
            "unknown head 'ordinal'; choose one of regression, binary, classes, cumulative",
        ),
        ({"pooling": "max"}, "unknown pooling 'max'; choose one of cls, mean, last"),
        ({"threshold": 6}, "threshold 6 must lie above 1.0 and at most at 5.0"),
        ({"threshold": 1.0}, "threshold 1.0"),
        ({"threshold": float("nan")}, "threshold nan"),
    ],
)
def test_unknown_settings(config, words, bert):
    with pytest.raises(ValueError, match=words) as error:
        satisfaction_model.build(bert, **config)
    sentence(error)


@pytest.mark.parametrize("encoder", [{}, {"encoder": None}, {"encoder": {"hidden_size": 4}}])
def test_a_config_without_an_encoder_is_refused(encoder, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "satisfaction", **encoder}))
    with pytest.raises(
        ValueError, match="config.json describes no encoder; give the whole folder"
    ) as error:
        satisfaction_model.load(tmp_path)
    sentence(error)


def test_folder_of_another_model(bert, tmp_path):
    with pytest.raises(ValueError, match="model of type 'bert', not a satisfaction model") as error:
        satisfaction_model.load(bert)
    sentence(error)
    satisfaction_model.save(*satisfaction_model.build(bert), tmp_path)
    with pytest.raises(
        ValueError, match="not an encoder; open it with satisfaction_model.load"
    ) as error:
        satisfaction_model.build(str(tmp_path))
    sentence(error)


def test_missing_folder_and_hub_names(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(FileNotFoundError, match="no file .*config.json") as error:
        satisfaction_model.load(tmp_path / "none")
    sentence(error)
    for name in (str(tmp_path / "none"), HUB):
        with pytest.raises(
            ValueError, match="is no folder, and as a hub name it needs revision='<commit>'"
        ) as error:
            satisfaction_model.build(name)
        sentence(error)
    for name, revision in ((HUB, COMMIT), ("bert-base-uncased", None)):
        with pytest.raises(
            OSError, match=f"cannot load the weights of '{name}'.*or go online"
        ) as error:
            satisfaction_model.build(name, revision=revision)
        sentence(error)


def test_known_hub_names_are_pinned():
    assert all(len(commit) == 40 and int(commit, 16) for commit in encoders.REVISIONS.values())


def test_broken_weights(bert, tmp_path):
    whole = (tiny.Path(bert) / "model.safetensors").read_bytes()
    for name, raw in (("cut", whole[: len(whole) // 2]), ("noise", b"x" * 500), ("empty", b"")):
        folder = shutil.copytree(bert, tmp_path / name)
        (folder / "model.safetensors").write_bytes(raw)
        with pytest.raises(OSError, match="cannot load the weights of") as error:
            satisfaction_model.build(str(folder))
        sentence(error)


def test_weights_that_do_not_fill_the_model(bert, tmp_path):
    lacking = shutil.copytree(bert, tmp_path / "lacking")
    weights = load_file(lacking / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, lacking / "model.safetensors", {"format": "pt"})
    with pytest.raises(OSError, match="lack encoder.layer.1.output.dense.weight") as error:
        satisfaction_model.build(str(lacking))
    sentence(error)
    other = shutil.copytree(bert, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "intermediate_size": 48}))
    with pytest.raises(OSError, match="lack encoder.layer.0.*or have it in another size") as error:
        satisfaction_model.build(str(other))
    sentence(error)


def test_pickled_weights_are_never_opened(bert, tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path / "sprung").touch, ()

    folder = shutil.copytree(bert, tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(OSError, match="cannot load the weights of") as error:
        satisfaction_model.build(str(folder))
    sentence(error)
    assert not (tmp_path / "sprung").exists()


def test_encoder_with_decoder_is_refused(tmp_path):
    config = transformers.BartConfig(
        vocab_size=30,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        max_position_embeddings=32,
    )
    with pytest.raises(
        ValueError, match="an encoder with a decoder .bart.; give an encoder like BERT"
    ) as error:
        satisfaction_model.build(str(tiny.saved(transformers.BartModel, config, tmp_path)))
    sentence(error)


@pytest.mark.parametrize(
    "built, given, words",
    [
        (0, [[1.0], [2.0]], "built for 0 behaviour features, the batch has 1"),
        (2, [[1.0], [2.0]], "built for 2 behaviour features, the batch has 1"),
        (2, None, "built for 2 behaviour features, the batch has 0"),
        (1, [[1.0]], "2 texts and 1 rows of behaviour features"),
    ],
)
def test_feature_count(built, given, words, bert):
    model, tokenizer = satisfaction_model.build(bert, features=built)
    with pytest.raises(ValueError, match=words) as error:
        satisfaction_model.predict(model, tokenizer, ["one", "two"], given, max_length=32)
    sentence(error)


def test_no_text_and_empty_text(bert):
    model, tokenizer = satisfaction_model.build(bert)
    with pytest.raises(ValueError, match="give at least one text"):
        satisfaction_model.predict(model, tokenizer, [], max_length=32)
    with pytest.raises(ValueError, match=r"texts\[1\] is ''"):
        satisfaction_model.predict(model, tokenizer, ["fine", ""], max_length=32)
