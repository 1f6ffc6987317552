"""What each system does with texts: it trains a model on them for one or more epochs.

Every function takes a Task, texts and a Clock (started before the first step, told of every step)
and builds its model anew from the encoder; building it and, where a system tokenises beforehand,
tokenising lie outside the clock.
"""

import functools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import transformers
from torch.utils.data import DataLoader, Dataset

from satlib.encoding import tokens
from satlib.models import satisfaction_model
from satlib.training import batches, gpu, loop
from satlib.training.plan import Plan

from . import classifier
from .examples import Text
from .measure import Clock, device
from .systems import BATCH, LEARNING_RATE, LONGEST, WARMUP

Score = Callable[[Sequence[Text]], np.ndarray]


@dataclass(frozen=True)
class Task:
    """What all systems share: the encoder's folder, epochs, seed, batch size, learning rate and
    share of warm-up."""

    encoder: str
    epochs: int = 1
    seed: int = 0
    batch_size: int = BATCH
    learning_rate: float = LEARNING_RATE
    warmup: float = WARMUP


class Trained(NamedTuple):
    """A trained model, its tokenizer, and its scores [N] of texts in fp32, dropout off."""

    model: object
    tokenizer: object
    scores: Score


def wholes_of(texts: Sequence[Text]) -> list[str]:
    """The texts in one part."""
    return [text.whole for text in texts]


def pairs_of(texts: Sequence[Text]) -> list[tuple[str, str]]:
    """The texts in two parts: what was before, and the last."""
    return [(text.before, text.last) for text in texts]


def token_ids(texts: Sequence[Text], tokenizer) -> list[list[int]]:
    """Token ids of the texts, as satlib makes them."""
    longest = min(LONGEST, tokenizer.model_max_length)
    return tokens.tokenise(wholes_of(texts), tokenizer, longest)


# The article's listings


class PerItem(Dataset):
    """Texts that are tokenised one by one when they are asked for, each padded to ``longest``."""

    def __init__(self, texts: Sequence[Text], tokenizer, longest: int):
        self.texts = texts
        self.tokenizer = tokenizer
        self.longest = longest

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, item: int) -> dict[str, torch.Tensor]:
        text = self.texts[item]
        encoded = self.tokenizer(
            text.whole,
            padding="max_length",
            truncation=True,
            max_length=self.longest,
            return_tensors="pt",
        )
        row = {name: value[0] for name, value in encoded.items()}
        row["labels"] = torch.tensor(text.rating)
        return row


def listing(task: Task, texts: Sequence[Text], clock: Clock, longest: int) -> Trained:
    """A loop of one's own over a DataLoader, as the article shows it, with one output and the
    squared error."""
    torch.manual_seed(task.seed)
    tokenizer, model = classifier.load(task.encoder)
    model.to(device())
    rows = PerItem(texts, tokenizer, min(longest, tokenizer.model_max_length))
    loader = DataLoader(rows, task.batch_size, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.learning_rate)
    total = task.epochs * len(loader)
    warmup = round(task.warmup * total)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, warmup, total)
    clock.start()
    for _ in range(task.epochs):
        model.train()
        for batch in loader:
            model.zero_grad()
            inputs = {name: value.to(device()) for name, value in batch.items()}
            loss = model(**inputs).loss
            loss.backward()
            optimizer.step()
            schedule.step()
            loss.item()  # the listing sums it up, which waits for a GPU
            clock.step()
    clock.stop()
    return trained_classifier(model, tokenizer)


def trained_classifier(model, tokenizer) -> Trained:
    """transformers' classifier with its scores."""

    def scores(texts: Sequence[Text]) -> np.ndarray:
        return classifier.scores(model, tokenizer, wholes_of(texts))

    return Trained(model, tokenizer, scores)


# Trainers of libraries


class Timer(transformers.TrainerCallback):
    """Tells the clock what a Trainer does."""

    def __init__(self, clock: Clock):
        self.clock = clock

    def on_epoch_begin(self, *_, **__):
        self.clock.start()

    def on_step_end(self, *_, **__):
        self.clock.step()

    def on_epoch_end(self, *_, **__):
        self.clock.stop()


def common(task: Task) -> dict:
    """What every Trainer is told: the task, and to write and report nothing."""
    return {
        "num_train_epochs": task.epochs,
        "per_device_train_batch_size": task.batch_size,
        "seed": task.seed,
        "learning_rate": task.learning_rate,
        "warmup_steps": task.warmup,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": device().type == "cpu",
    }


def trainer(
    task: Task, texts: Sequence[Text], clock: Clock, attention: str | None = None, **options
) -> Trained:
    """transformers.Trainer on texts tokenised beforehand; options: of TrainingArguments."""
    from datasets import Dataset as Table

    torch.manual_seed(task.seed)
    own = {"attn_implementation": attention} if attention else {}
    tokenizer, model = classifier.load(task.encoder, **own)
    columns = dict(tokenizer(wholes_of(texts), truncation=True))
    columns["labels"] = np.array([text.rating for text in texts], dtype=np.float32)
    columns["length"] = [len(row) for row in columns["input_ids"]]
    table = Table.from_dict(columns)
    with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
        arguments = transformers.TrainingArguments(folder, **common(task), **options)
        transformers.Trainer(
            model,
            arguments,
            transformers.DataCollatorWithPadding(tokenizer),
            table,
            processing_class=tokenizer,
            callbacks=[Timer(clock)],
        ).train()
    return trained_classifier(model, tokenizer)


def tuned(task: Task, texts: Sequence[Text], clock: Clock) -> Trained:
    """The Trainer with all options that help; data workers do not, as two cores have their hands
    full."""
    half = gpu.precision()
    options = {
        "bf16": half == "bf16",
        "fp16": half == "fp16",
        "train_sampling_strategy": "group_by_length",
        "optim": "adamw_torch_fused",
        "dataloader_pin_memory": device().type == "cuda",
    }
    if task.encoder not in FASTER:
        FASTER[task.encoder] = faster_attention(task, texts[: 4 * task.batch_size], options)
    return trainer(task, texts, clock, FASTER[task.encoder], **options)


# The folder of an encoder -> the attention of transformers that trains it faster here.
FASTER: dict[str, str] = {}


def faster_attention(task: Task, texts: Sequence[Text], options: dict) -> str:
    """The attention of transformers that needs less time for these texts, the better of two
    turns."""
    seconds: dict[str, float] = {}
    for kind in ("eager", "sdpa", "eager", "sdpa"):
        clock = Clock()
        trainer(task, texts, clock, kind, **options)
        seconds[kind] = min(clock.seconds, seconds.get(kind, np.inf))
    print("seconds with each attention:", seconds, flush=True)
    return min(seconds, key=seconds.get)


def cross_encoder(task: Task, texts: Sequence[Text], clock: Clock) -> Trained:
    """sentence-transformers' CrossEncoderTrainer, defaults, squared error on pairs (what was
    before, the last)."""
    from datasets import Dataset as Table
    from sentence_transformers import cross_encoder as theirs

    torch.manual_seed(task.seed)
    model = theirs.CrossEncoder(
        task.encoder, num_labels=1, max_length=LONGEST, device=str(device())
    )
    columns = {
        "before": [text.before for text in texts],
        "last": [text.last for text in texts],
        "label": [text.rating for text in texts],
    }
    with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
        arguments = theirs.CrossEncoderTrainingArguments(folder, **common(task))
        theirs.CrossEncoderTrainer(
            model=model,
            args=arguments,
            train_dataset=Table.from_dict(columns),
            loss=theirs.losses.MSELoss(model),
            callbacks=[Timer(clock)],
        ).train()

    def scores(texts: Sequence[Text]) -> np.ndarray:
        logits = torch.nn.Identity()
        return model.predict(pairs_of(texts), activation_fn=logits, show_progress_bar=False)

    return Trained(model, model.tokenizer, scores)


# satlib


def satlib(
    task: Task,
    texts: Sequence[Text],
    clock: Clock,
    precision: str = "auto",
    by_tokens: bool = False,
) -> Trained:
    """satlib's loop; the few rows that it judges the epochs by are training rows, so that it picks
    the last epoch."""
    model, tokenizer = satisfaction_model.build(
        task.encoder, seed=task.seed, low=0.0, high=1.0, threshold=0.5
    )
    model.to(device())
    # The first batch is made before the first forward pass: some tenths of a millisecond.
    model.register_forward_pre_hook(clock.start)
    ratings = np.array([text.rating for text in texts])
    rows = batches.Rows(token_ids(texts, tokenizer), ratings)
    batch_tokens = 0
    if by_tokens:
        batch_tokens = round(task.batch_size * rows.lengths.mean())
    plan = Plan(
        epochs=task.epochs,
        batch_size=task.batch_size,
        learning_rate=task.learning_rate,
        warmup=task.warmup,
        seed=task.seed,
        patience=0,
        metric="loss",
        precision=precision,
        save_every=10**9,
        batch_tokens=batch_tokens,
    )
    with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
        loop.train(model, rows, plan, rows.some(64), folder, after_step=clock.step)

    def scores(texts: Sequence[Text]) -> np.ndarray:
        return satisfaction_model.run(model, token_ids(texts, tokenizer))

    return Trained(model, tokenizer, scores)


TRAIN: dict[str, Callable[[Task, Sequence[Text], Clock], Trained]] = {
    "listing-512": functools.partial(listing, longest=512),
    "listing-128": functools.partial(listing, longest=LONGEST),
    "trainer": trainer,
    "trainer-tuned": tuned,
    "cross-encoder": cross_encoder,
    "satlib": satlib,
    "satlib-fp32": functools.partial(satlib, precision="fp32"),
    "satlib-tokens": functools.partial(satlib, by_tokens=True),
}
