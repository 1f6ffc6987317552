"""Tiny random encoders, tokenizers and rows for the tests of models and training, where the weights
do not matter."""

from pathlib import Path

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers import models as kinds

from satlib.models import satisfaction_model
from satlib.training import batches

WORDS = 60  # vocabulary of the models that never see a text
TEXTS = [
    "a lovely film, I would watch it again",
    "terrible service and a long wait",
    "the price is fine; the hose leaks",
    "click garden hose. read review. rate five stars!",
    "boring boring boring",
    "it works, no more and no less",
]


def bert_config(vocab_size: int = WORDS, dropout: float = 0.0) -> transformers.BertConfig:
    """A BERT of two layers with 32 numbers a token and room for 64 tokens."""
    return transformers.BertConfig(
        vocab_size=vocab_size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )


def model(seed: int = 0, dropout: float = 0.0, **config) -> satisfaction_model.SatisfactionModel:
    """A satisfaction model on a tiny random BERT; the same seed gives the same weights."""
    torch.manual_seed(seed)
    encoder = bert_config(dropout=dropout).to_dict()
    return satisfaction_model.SatisfactionModel(
        satisfaction_model.SatisfactionConfig(encoder=encoder, dropout=dropout, **config)
    )


def rows(n: int, seed: int = 0, features: int = 0) -> batches.Rows:
    """Random token ids; the rating is the higher, the more of them are even: something to learn."""
    rng = np.random.default_rng(seed)
    ids = [rng.integers(5, WORDS, size=rng.integers(4, 13)).tolist() for _ in range(n)]
    ratings = np.array([1.0 + round(4 * np.mean([token % 2 == 0 for token in row])) for row in ids])
    return batches.Rows(ids, ratings, rng.normal(size=(n, features)) if features else None)


def bert_folder(folder: Path) -> Path:
    """A tiny BERT with a WordPiece tokenizer, saved as a local folder."""
    words = Tokenizer(kinds.WordPiece(unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words.train_from_iterator(
        TEXTS,
        trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False),
    )
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = dict(
        zip(
            ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True
        )
    )
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, **names).save_pretrained(folder)
    return saved(transformers.BertModel, bert_config(words.get_vocab_size()), folder)


def gpt2_folder(folder: Path) -> Path:
    """A tiny GPT-2 with a byte-level BPE tokenizer, which has neither [CLS] nor a padding token."""
    words = byte_pairs(["<|endoftext|>"])
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<|endoftext|>"
    ).save_pretrained(folder)
    config = transformers.GPT2Config(
        vocab_size=words.get_vocab_size(),
        n_embd=32,
        n_layer=2,
        n_head=2,
        n_positions=64,
        bos_token_id=0,
        eos_token_id=0,
    )
    return saved(transformers.GPT2Model, config, folder)


def roberta_folder(folder: Path) -> Path:
    """A tiny RoBERTa: pads with 1, counts positions from 2, frames a text with <s> and </s>."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    words = byte_pairs(special)
    words.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = dict(
        zip(
            ("cls_token", "pad_token", "sep_token", "unk_token", "mask_token"), special, strict=True
        )
    )
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, **names).save_pretrained(folder)
    own = {"max_position_embeddings": 66, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    config = transformers.RobertaConfig(**{**bert_config(words.get_vocab_size()).to_dict(), **own})
    return saved(transformers.RobertaModel, config, folder)


def byte_pairs(special: list[str]) -> Tokenizer:
    """A byte-level BPE tokenizer as GPT-2 and RoBERTa have it, trained on TEXTS."""
    words = Tokenizer(kinds.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words.train_from_iterator(
        TEXTS,
        trainers.BpeTrainer(
            vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        ),
    )
    return words


def saved(kind: type, config, folder: Path) -> Path:
    """The folder, with a random model of the kind in it."""
    torch.manual_seed(0)
    kind(config).save_pretrained(folder)
    return folder
