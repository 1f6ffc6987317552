"""The recipe: from texts and ratings to a fine-tuned model (article, section 3.2, steps 4 to 6).

``finetune`` builds a model on a pretrained encoder, fits the head alone on the frozen encoder, and
trains all of it from there. Lesson 43 takes the steps one by one; every later lesson and every
protocol calls the one function.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from satlib.data.interactions import Example
from satlib.encoding import sequences, tokens
from satlib.models import encoders, heads, satisfaction_model
from satlib.models.heads import Prediction
from satlib.models.satisfaction_model import SatisfactionModel
from satlib.training import gpu, loop
from satlib.training.adversarial import Adversarial
from satlib.training.batches import Rows
from satlib.training.plan import Plan, State

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # of the head's penalty
NOTHING_SAID = "."  # what is read where a text is empty


@dataclass(frozen=True)
class Settings:
    """How a model is fine-tuned; the learning rates and epochs are the article's (4.3).

    head, encoder: see ``satisfaction_model.build``. max_length: tokens that are read of a text, the
    last ones. history: events before the target that the text holds; -1: all that fit. train_rows:
    a seeded choice of the training rows; 0: all. strengths: penalties of the head, of which the
    validation rows choose one. epochs to precision, and seed: see ``plan.Plan``; the precision is
    that of the predictions too. adversarial: how far the words of a batch are moved in a second
    pass over it, see ``adversarial.Adversarial``; 0: no second pass.
    """

    head: str = "regression"
    encoder: str = "embedded"
    max_length: int = 128
    history: int = -1
    train_rows: int = 0
    strengths: tuple[float, ...] = STRENGTHS
    epochs: int = 2
    batch_size: int = 16
    accumulate: int = 1
    learning_rate: float = 5e-5
    patience: int = 2
    metric: str = "rmse"
    precision: str = "auto"
    adversarial: float = 0.5
    seed: int = 0

    @property
    def plan(self) -> Plan:
        """What the training loop is to do; ValueError where a value is out of its range."""
        return Plan(
            epochs=self.epochs,
            batch_size=self.batch_size,
            accumulate=self.accumulate,
            learning_rate=self.learning_rate,
            patience=self.patience,
            metric=self.metric,
            precision=self.precision,
            seed=self.seed,
        )

    @property
    def judging_dtype(self) -> torch.dtype | None:
        """The number format of the products in predictions; None: fp32."""
        return gpu.autocast_dtype(self.precision)

    @property
    def batch_pass(self) -> loop.BatchPass:
        """How the training loop computes the gradient of a batch."""
        if self.adversarial == 0:
            return loop.plain
        return Adversarial(self.adversarial)


@dataclass(frozen=True)
class Finetuned:
    """What ``finetune`` leaves. strength: of the head's penalty. before, after: predictions of the
    judged parts by the fitted head on the frozen encoder, and by the fine-tuned model."""

    model: SatisfactionModel
    state: State
    strength: float
    before: dict[str, Prediction]
    after: dict[str, Prediction]


def encode(
    parts: dict[str, Sequence[Example]],
    settings: Settings,
    features: dict[str, np.ndarray] | None = None,
) -> dict[str, Rows]:
    """Examples of each part as rows of token ids and ratings.

    features: behaviour features [N, F] of each part, which join the text before the head.
    """
    texts = {}
    ratings = {}
    for part, examples in parts.items():
        read = [recent(example, settings.history) for example in examples]
        texts[part] = sequences.texts(read)
        ratings[part] = np.array([example.rating for example in examples])
    return encode_texts(texts, ratings, settings, features)


def recent(example: Example, history: int) -> Example:
    """The example with its last events only; all of them for a negative number."""
    if history < 0:
        return example
    first = max(0, len(example.events) - history)
    return replace(example, events=example.events[first:])


def encode_texts(
    texts: dict[str, Sequence[str]],
    ratings: dict[str, np.ndarray],
    settings: Settings,
    features: dict[str, np.ndarray] | None = None,
) -> dict[str, Rows]:
    """Texts and ratings of each part as rows, as ``encode`` does with examples; an empty text is
    read as a dot."""
    _, tokenizer = encoders.load_encoder(settings.encoder)
    rows = {}
    for part in texts:
        ids = _ids(texts[part], tokenizer, settings)
        joined = None if features is None else features[part]
        rows[part] = Rows(ids, ratings[part], joined)
    return rows


def token_ids(texts: Sequence[str], settings: Settings) -> list[list[int]]:
    """Token ids of texts without ratings; an empty text is read as a dot."""
    _, tokenizer = encoders.load_encoder(settings.encoder)
    return _ids(texts, tokenizer, settings)


def _ids(texts: Sequence[str], tokenizer, settings: Settings) -> list[list[int]]:
    said = [text or NOTHING_SAID for text in texts]
    return tokens.tokenise(said, tokenizer, settings.max_length)


def fit_head(
    model: SatisfactionModel,
    rows: Rows,
    validation: Rows | None = None,
    strengths: Sequence[float] = STRENGTHS,
    autocast: torch.dtype | None = None,
) -> float:
    """Fit the head alone, on the frozen encoder, and leave it in the model: the state *before*
    fine-tuning.

    Ridge regression on [0, 1] for the regression head, logistic regression for "binary" and
    "classes", the head's own loss for the ordinal ones; the strength of the penalty is the one with
    the lowest validation loss. Returns it. Fine-tuning that starts here does not first have to undo
    the noise of a random head (Kumar et al., ICLR 2022, arXiv 2202.10054). A binary head learns its
    group means as well. Where there is one strength, no validation rows are needed.
    """
    if validation is None and len(strengths) > 1:
        raise ValueError(
            f"{len(strengths)} strengths of the penalty and no validation rows to choose by; "
            "give one strength, or validation rows"
        )
    head = heads.head_of(model.config)
    seen = embeddings(model, rows, autocast)
    fits = {strength: head.fit(seen, rows.ratings, strength) for strength in strengths}
    best = strengths[0]
    if len(strengths) > 1:
        unseen = embeddings(model, validation, autocast)
        ratings = torch.from_numpy(validation.ratings)
        losses = {}
        for strength, (weight, biases) in fits.items():
            logits = torch.from_numpy(unseen @ weight.T + biases).squeeze(-1)
            losses[strength] = float(heads.loss_of(logits, ratings, model.config))
        best = min(losses, key=losses.get)
    head.remember(rows.ratings)
    head.write(model.head, *fits[best])
    return best


def embeddings(model: SatisfactionModel, rows: Rows, autocast: torch.dtype | None) -> np.ndarray:
    """What the head sees of each row, in float64: shape [N, H]."""
    seen = satisfaction_model.run(
        model, rows.sequences, rows.features, what="embedding", autocast=autocast
    )
    return seen.astype(np.float64)


def predict(
    model: SatisfactionModel, parts: dict[str, Rows], settings: Settings
) -> dict[str, Prediction]:
    """Predictions of each part."""
    predictions = {}
    for part, rows in parts.items():
        predictions[part] = satisfaction_model.predict_tokens(
            model, rows.sequences, rows.features, autocast=settings.judging_dtype
        )
    return predictions


def build(settings: Settings, rows: Rows, scale: tuple[float, float]) -> SatisfactionModel:
    """A model with a fresh head for such rows, on the device that will train it."""
    model, _ = satisfaction_model.build(
        settings.encoder,
        head=settings.head,
        seed=settings.seed,
        features=0 if rows.features is None else rows.features.shape[1],
        low=scale[0],
        high=scale[1],
    )
    return model.to(gpu.device())


def _at_nothing(model: SatisfactionModel) -> None:
    """Look at nothing."""


def finetune(
    rows: Rows,
    settings: Settings,
    validation: Rows | None = None,
    *,
    judged: dict[str, Rows] | None = None,
    before: bool = False,
    model: SatisfactionModel | None = None,
    scale: tuple[float, float] = (1.0, 5.0),
    look: Callable[[SatisfactionModel], object] = _at_nothing,
    folder: str | Path | None = None,
) -> Finetuned:
    """Build a model, fit its head on the frozen encoder, fine-tune all of it, and predict.

    rows: to learn from. validation: rows that choose the head's penalty and the best epoch; without
    them give one strength, and the last epoch stays. judged: parts to predict; before: on the
    frozen encoder as well. model: to start from in place of a new one. scale: lowest and highest
    rating. look: called with the model when its head is fitted, and after every epoch. folder: for
    checkpoints; None saves nothing.
    """
    learnt = rows.some(settings.train_rows)
    parts = {} if judged is None else judged
    if model is None:
        model = build(settings, learnt, scale)
    strength = fit_head(model, learnt, validation, settings.strengths, settings.judging_dtype)
    frozen = predict(model, parts, settings) if before else {}
    look(model)
    state = loop.train(
        model,
        learnt,
        settings.plan,
        validation,
        folder,
        after_epoch=lambda state: look(model),
        batch_pass=settings.batch_pass,
    )
    return Finetuned(model, state, strength, frozen, predict(model, parts, settings))
