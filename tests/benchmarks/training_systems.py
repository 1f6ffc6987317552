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


class PerItem(Dataset):
    """Texts that are tokenised one by one when they are asked for, each padded to ``longest``."""

    def __init__(self, texts: Sequence[Text], tokenizer, longest: int):
        self.texts, self.tokenizer, self.longest = texts, tokenizer, longest

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
        return {name: value[0] for name, value in encoded.items()} | {
            "labels": torch.tensor(text.rating)
        }


def listing(task: Task, texts: Sequence[Text], clock: Clock, longest: int) -> Trained:
    """A loop of one's own over a DataLoader, as the article shows it, with one output and the
    squared error."""
    torch.manual_seed(task.seed)
    tokenizer, model = classifier.load(task.encoder)
    model.to(device())
    loader = DataLoader(
        PerItem(texts, tokenizer, min(longest, tokenizer.model_max_length)),
        task.batch_size,
        shuffle=True,
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.learning_rate)
    total = task.epochs * len(loader)
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, round(task.warmup * total), total
    )
    clock.start()
    for _ in range(task.epochs):
        model.train()
        for batch in loader:
            model.zero_grad()
            loss = model(**{name: value.to(device()) for name, value in batch.items()}).loss
            loss.backward()
            optimizer.step()
            schedule.step()
            loss.item()
            clock.step()
    clock.stop()
    return _classifier(model, tokenizer)


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


def trainer(
    task: Task, texts: Sequence[Text], clock: Clock, attention: str | None = None, **options
) -> Trained:
    """transformers.Trainer on texts tokenised beforehand; options: of TrainingArguments."""
    from datasets import Dataset as Table

    torch.manual_seed(task.seed)
    tokenizer, model = classifier.load(
        task.encoder, **({"attn_implementation": attention} if attention else {})
    )
    ids = tokenizer([text.whole for text in texts], truncation=True)
    table = Table.from_dict(
        {
            **ids,
            "labels": np.array([text.rating for text in texts], dtype=np.float32),
            "length": [len(row) for row in ids["input_ids"]],
        }
    )
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
    return _classifier(model, tokenizer)


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
        FASTER[task.encoder] = _faster_attention(task, texts[: 4 * task.batch_size], options)
    return trainer(task, texts, clock, FASTER[task.encoder], **options)


FASTER: dict[
    str, str
] = {}  # the folder of an encoder -> the attention of transformers that trains it faster here


def _faster_attention(task: Task, texts: Sequence[Text], options: dict) -> str:
    found: dict[str, float] = {}
    for kind in ("eager", "sdpa", "eager", "sdpa"):
        clock = Clock()
        trainer(task, texts, clock, kind, **options)
        found[kind] = min(clock.seconds, found.get(kind, np.inf))
    print("seconds with each attention:", found, flush=True)
    return min(found, key=found.get)


def cross_encoder(task: Task, texts: Sequence[Text], clock: Clock) -> Trained:
    """sentence-transformers' CrossEncoderTrainer, defaults, squared error on pairs (what was
    before, the last)."""
    from datasets import Dataset as Table
    from sentence_transformers import cross_encoder as theirs

    torch.manual_seed(task.seed)
    model = theirs.CrossEncoder(
        task.encoder, num_labels=1, max_length=LONGEST, device=str(device())
    )
    table = Table.from_dict(
        {
            "before": [text.before for text in texts],
            "last": [text.last for text in texts],
            "label": [text.rating for text in texts],
        }
    )
    with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
        arguments = theirs.CrossEncoderTrainingArguments(folder, **common(task))
        theirs.CrossEncoderTrainer(
            model=model,
            args=arguments,
            train_dataset=table,
            loss=theirs.losses.MSELoss(model),
            callbacks=[Timer(clock)],
        ).train()

    return Trained(
        model,
        model.tokenizer,
        lambda judged: model.predict(
            [(text.before, text.last) for text in judged],
            activation_fn=torch.nn.Identity(),
            show_progress_bar=False,
        ),
    )


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
    model.register_forward_pre_hook(
        clock.start
    )  # its first batch is made before that: some tenths of a millisecond
    rows = batches.Rows(token_ids(texts, tokenizer), np.array([text.rating for text in texts]))
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
        batch_tokens=round(task.batch_size * rows.lengths.mean()) if by_tokens else 0,
    )
    with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
        loop.train(model, rows, rows.some(64), plan, folder, after_step=clock.step)
    return Trained(
        model, tokenizer, lambda judged: satisfaction_model.run(model, token_ids(judged, tokenizer))
    )


def token_ids(texts: Sequence[Text], tokenizer) -> list[list[int]]:
    """Token ids of the texts, as satlib makes them."""
    return tokens.tokenise(
        [text.whole for text in texts], tokenizer, min(LONGEST, tokenizer.model_max_length)
    )


def _classifier(model, tokenizer) -> "Trained":
    return Trained(
        model,
        tokenizer,
        lambda judged: classifier.scores(model, tokenizer, [t.whole for t in judged]),
    )


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
