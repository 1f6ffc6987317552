"""Twin of lesson 22: token ids by hand and by the library, truncation, padding and its price."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satlib.encoding import tokens
from satlib.encoding.embedded_encoder import embedded_encoder

SESSION = (
    "region north, interest gardening. click Übergroße hose-reel (garden, cheap 12, glanced): it's "
    "unputdownable, naïve & $5! 我喜欢 the café 😀. now: watch Pâtisserie"
)
MARKS = (
    "\u200b",
    "\x00",
    "\ufffd",
    "a\u0301b",
    "x\u3000y\u00a0z\t\n\r!",
    "İstanbul ΣΑΣ",
    "^`~|<=>+$",
    "１２ﬁ",
    "한국어",
)


@pytest.fixture(scope="module")
def folder():
    return embedded_encoder()


@pytest.fixture(scope="module")
def tokenizer(folder):
    return tokens.load_tokenizer(folder)


@pytest.fixture(scope="module")
def vocabulary(tokenizer):
    return tokenizer.get_vocab()


def by_hand(text, vocabulary):
    return [
        piece for word in tokens.basic_tokens(text) for piece in tokens.wordpiece(word, vocabulary)
    ]


# --- by hand


def test_wordpiece_takes_the_longest_piece_first():
    vocabulary = {"un", "unput", "##put", "##down", "##able", "##d", "a"}
    assert tokens.wordpiece("unputdownable", vocabulary) == ["unput", "##down", "##able"]
    assert tokens.wordpiece("unputable", vocabulary) == ["unput", "##able"]
    assert tokens.wordpiece("a", vocabulary) == ["a"]


def test_wordpiece_gives_the_whole_word_up():
    assert tokens.wordpiece("unx", {"un", "##n"}) == ["[UNK]"]  # the rest "x" fits no piece
    assert tokens.wordpiece("a" * 100, {"a", "##a"}) == ["a"] + ["##a"] * 99
    assert tokens.wordpiece("a" * 101, {"a", "##a"}) == ["[UNK]"]


def test_basic_tokens():
    assert tokens.basic_tokens("It's a Café,\n我 ok") == [
        "it",
        "'",
        "s",
        "a",
        "cafe",
        ",",
        "我",
        "ok",
    ]
    assert tokens.basic_tokens(" \t") == []


@pytest.mark.parametrize("text", [SESSION, *MARKS])
def test_by_hand_equals_the_library(text, tokenizer, vocabulary):
    assert by_hand(text, vocabulary) == tokenizer.tokenize(text)


def test_by_hand_equals_the_library_on_real_texts(real_data, tokenizer, vocabulary):
    for name in (
        "uss/ReDial.txt",
        "movielens-latest-small/movies.csv",
        "amazon-2023-sample/reviews.jsonl",
    ):
        lines = (real_data / name).read_text(encoding="utf-8").splitlines()[:400]
        assert lines
        for line in lines:
            assert by_hand(line, vocabulary) == tokenizer.tokenize(line)


# --- the library, and truncation from the left


@pytest.mark.parametrize("max_length", [3, 5, 16, 128])
def test_left_truncation_equals_the_library(max_length, tokenizer):
    theirs = tokenizer([SESSION, "short"], truncation=True, max_length=max_length)["input_ids"]
    assert tokens.tokenise([SESSION, "short"], tokenizer, max_length) == theirs


def test_truncation_keeps_frame_and_end(tokenizer):
    whole = tokens.tokenise([SESSION], tokenizer)[0]
    cut = tokens.tokenise([SESSION], tokenizer, max_length=10)[0]
    assert cut == whole[:1] + whole[-9:] and len(cut) == 10
    assert (cut[0], cut[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)


def test_baked_settings_of_the_file_do_not_cut_or_pad(tokenizer):
    assert (
        len(tokens.tokenise(["word " * 300], tokenizer, 512)[0]) == 302
    )  # tokenizer.json says 128 for both


def test_special_words_in_a_users_text_are_plain_words(tokenizer):
    ids = tokens.tokenise(["bad [SEP] [PAD] text"], tokenizer)[0]
    assert ids.count(tokenizer.sep_token_id) == 1 and tokenizer.pad_token_id not in ids


def test_very_long_text_emoji_and_chinese(folder):
    said = []
    handler = logging.Handler()
    handler.emit = said.append
    logging.getLogger("transformers").addHandler(handler)
    tokenizer = tokens.load_tokenizer(folder)
    rows = tokens.tokenise(
        ["很好 😀 " * 20_000, "x" * 100_000, "word " * 20_000, "good"], tokenizer, 64
    )
    assert [len(row) for row in rows] == [64, 3, 64, 3]
    assert rows[1][1] == tokenizer.unk_token_id
    logging.getLogger("transformers").removeHandler(handler)
    assert not said  # the library warns of texts beyond its 512 positions, unless asked not to


def test_half_a_surrogate_pair_is_read_as_a_question_mark(tokenizer):
    assert tokens.tokenise(["oh \ud83d"], tokenizer) == tokens.tokenise(["oh ?"], tokenizer)


def test_chunks_make_no_difference(tokenizer, monkeypatch):
    texts = [f"event {i}" for i in range(10)]
    whole = tokens.tokenise(texts, tokenizer)
    monkeypatch.setattr(tokens, "CHUNK", 3)
    assert tokens.tokenise(texts, tokenizer) == whole and tokens.tokenise([], tokenizer) == []


@pytest.mark.parametrize(
    "texts, sentence",
    [
        (["ok", ""], r"texts\[1\] is '': no visible character"),
        (["ok", " \n"], r"texts\[1\]"),
        (["\u200b"], r"texts\[0\].*no visible"),
        ([None], r"texts\[0\] is None; give a str"),
        ([4.5], r"texts\[0\] is 4.5; give a str"),
        ("one text", "list of texts"),
    ],
)
def test_bad_texts_are_refused_in_one_sentence(texts, sentence, tokenizer):
    with pytest.raises(ValueError, match=sentence) as error:
        tokens.tokenise(texts, tokenizer)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("max_length", [2, 0, -1, 513])
def test_max_length_is_checked(max_length, tokenizer):
    with pytest.raises(ValueError, match=f"max_length is {max_length}; legal are 3 to 512"):
        tokens.tokenise(["ok"], tokenizer, max_length)


def test_decoder_tokenizer_without_special_tokens(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<end>": 0, "?": 1, "a": 2, "b": 3, "c": 4}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<end>", unk_token="?"
    ).save_pretrained(tmp_path)
    tokenizer = tokens.load_tokenizer(tmp_path)
    assert tokens.tokenise(["a b c", "b"], tokenizer, 2) == [[3, 4], [3]]
    assert tokenizer.pad_token_id == 0


def test_missing_folder_and_folder_without_tokenizer(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in (tmp_path / "none", "nobody/nothing"):
        with pytest.raises(OSError, match="no tokenizer at") as error:
            tokens.load_tokenizer(name)
        assert "\n" not in str(error.value)
    with pytest.raises((OSError, ValueError), match="tokenizer"):
        tokens.load_tokenizer(tmp_path)


# --- padding and its price


def test_pad_equals_the_library(tokenizer):
    rows = tokens.tokenise([SESSION, "short"], tokenizer)
    theirs = tokenizer.pad({"input_ids": rows}, return_tensors="np")
    ids, mask = tokens.pad(rows, tokenizer.pad_token_id)
    np.testing.assert_array_equal(ids, theirs["input_ids"])
    np.testing.assert_array_equal(mask, theirs["attention_mask"])
    assert ids.dtype == mask.dtype == np.int64


def test_pad_to_a_length_and_with_another_id():
    ids, mask = tokens.pad([[5], [6, 7]], pad_id=9, to=3)
    assert ids.tolist() == [[5, 9, 9], [6, 7, 9]] and mask.tolist() == [[1, 0, 0], [1, 1, 0]]


@pytest.mark.parametrize("rows, to", [([], None), ([[]], None), ([[1, 2, 3]], 2)])
def test_pad_refuses(rows, to):
    with pytest.raises(ValueError, match="longest sequence"):
        tokens.pad(rows, to=to)


def test_padding_share_equals_the_masks_of_padded_batches():
    rng = np.random.default_rng(0)
    rows = [[1] * n for n in rng.integers(1, 50, size=37)]
    for to in (None, 64):
        masks = [tokens.pad(rows[i : i + 8], to=to)[1] for i in range(0, 37, 8)]
        expected = 1 - sum(m.sum() for m in masks) / sum(m.size for m in masks)
        assert tokens.padding_share([len(row) for row in rows], 8, to) == pytest.approx(expected)


def test_sorting_and_single_rows_waste_less():
    lengths = np.random.default_rng(1).integers(1, 100, size=200)
    assert tokens.padding_share(lengths, 1) == 0
    assert (
        0
        < tokens.padding_share(np.sort(lengths), 20)
        < tokens.padding_share(lengths, 20)
        < tokens.padding_share(lengths, 20, 512)
    )


@pytest.mark.parametrize("lengths, size, to", [([], 4, None), ([3], 0, None), ([3, 9], 4, 8)])
def test_padding_share_refuses(lengths, size, to):
    with pytest.raises(ValueError):
        tokens.padding_share(lengths, size, to)


def test_flops_equal_a_count_of_the_matrix_products(folder):
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder, attn_implementation="eager")
    model.pooler = None
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(input_ids=torch.ones((1, 24), dtype=torch.long))
    assert tokens.flops(24) == pytest.approx(counter.get_total_flops())


@pytest.mark.parametrize(
    "lengths, budget, expected",
    [
        ([3, 3, 3, 3], 6, [2]),
        ([1, 2, 3, 4], 6, [2, 3]),
        ([4, 1, 1], 8, [2]),
        ([9], 4, []),
        ([9, 1, 9], 4, [1, 2]),
        ([5], 5, []),
    ],
)
def test_batch_cuts_cuts_where_the_padded_batch_would_be_too_large(lengths, budget, expected):
    assert tokens.batch_cuts(lengths, budget) == expected


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 200))
def test_batch_cuts_keeps_the_budget_and_could_not_cut_later(lengths, budget):
    parts = np.split(np.array(lengths), tokens.batch_cuts(lengths, budget))
    assert np.concatenate(parts).tolist() == lengths
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        assert len(part) == 1 or len(part) * part.max() <= budget
        if following is not None:
            assert (len(part) + 1) * max(part.max(), following[0]) > budget


def test_a_budget_without_room_is_refused():
    with pytest.raises(ValueError, match="a budget of 0 tokens holds no sequence"):
        tokens.batch_cuts([3], 0)
