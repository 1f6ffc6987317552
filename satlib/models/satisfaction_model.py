"""A pretrained encoder, a pooling, and a head that predicts satisfaction (article, section 3.2,
steps 3 and 4).

``build`` puts them together from a folder or a hub name; ``predict`` gives the expected rating, its
distribution where the head has one, and satisfied or not. The model is an ordinary ``transformers``
model: ``save_pretrained`` writes safetensors and JSON, ``from_pretrained`` and the auto classes
read them, and nothing else is ever loaded.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import transformers
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from satlib import runtime, storage
from satlib.data.labels import SATISFIED
from satlib.encoding import tokens
from satlib.models import cpu_layers
from satlib.models.encoders import bounded, load_encoder, pretrained
from satlib.models.head_layers import SharedScore
from satlib.models.heads import HEADS, Prediction, head_of, loss_of, read_logits

POOLINGS = ("cls", "mean", "last")
# Positions of a batch when predicting. Measured in lesson 45: a processor's cache is small.
CPU_BATCH_TOKENS = 1024
GPU_BATCH_TOKENS = 16384
# What transformers writes into a config that says nothing of the model: where it lay, and with
# which version it was read.
NOT_OF_THE_MODEL = ("_name_or_path", "transformers_version")


class SatisfactionConfig(transformers.PretrainedConfig):
    """Everything that shapes the model.

    encoder: the encoder's own config as a dict. head: "regression" (squared error on [0, 1]),
    "binary" (cross-entropy of satisfied, that is rating >= threshold), "classes" (cross-entropy
    over 1..5), or one of lesson 13: "cumulative", "coral", "corn", "soft" (cross-entropy against
    the rating spread over two). pooling: "cls", "mean" or "last". features: number of behaviour
    features joined to the pooled text. low, high: the rating scale. threshold: the lowest rating
    of a satisfied user, as ``labels.satisfied`` defines it. group_means: for the binary head, the
    mean rating of the unsatisfied and of the satisfied, so that it too can predict a rating.
    """

    model_type = "satisfaction"

    def __init__(
        self,
        encoder: dict | None = None,
        head: str = "regression",
        pooling: str = "mean",
        features: int = 0,
        low: float = 1.0,
        high: float = 5.0,
        threshold: float = SATISFIED,
        dropout: float = 0.1,
        group_means: Sequence[float] = (2.0, 4.5),
        **others,
    ):
        runtime.one_of("head", head, HEADS)
        runtime.one_of("pooling", pooling, POOLINGS)
        if not low < threshold <= high:
            raise ValueError(
                f"threshold {threshold} must lie above {low} and at most at {high}, "
                "the ends of the scale"
            )
        super().__init__(**others)
        self.encoder = {} if encoder is None else encoder
        self.head = head
        self.pooling = pooling
        self.features = features
        self.low = low
        self.high = high
        self.threshold = threshold
        self.dropout = dropout
        self.group_means = list(group_means)


def pool(hidden: torch.Tensor, mask: torch.Tensor, how: str) -> torch.Tensor:
    """One vector per sequence: hidden [B, L, H] and mask [B, L] (1 = token, 0 = padding) give [B,
    H].

    "cls" takes the first token, "last" the last one that is not padding (decoder models have seen
    everything only there), "mean" the average over the tokens that are not padding.
    """
    if how == "cls":
        return hidden[:, 0]
    if how == "last":
        rows = torch.arange(len(hidden), device=hidden.device)
        return hidden[rows, mask.sum(1) - 1]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1)


class SatisfactionModel(transformers.PreTrainedModel):
    """Encoder, pooling and linear head; see SatisfactionConfig."""

    config_class = SatisfactionConfig
    base_model_prefix = "encoder"

    def __init__(self, config: SatisfactionConfig):
        super().__init__(config)
        inner = transformers.AutoConfig.for_model(**config.encoder)
        self.encoder = transformers.AutoModel.from_config(inner)
        if getattr(self.encoder, "pooler", None) is not None:
            # BERT's own pooler is not used here, and DDP refuses weights without a gradient.
            self.encoder.pooler = None
        self.dropout = nn.Dropout(config.dropout)
        self.head = head_of(config).layer(inner.hidden_size + config.features)
        cpu_layers.install(self, self.encoder)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
        if isinstance(module, SharedScore):
            module.start()

    @property
    def pad_id(self) -> int:
        """Token id to pad with; the mask hides it, but RoBERTa counts its positions by it."""
        return self.config.encoder.get("pad_token_id") or 0

    def embed(self, input_ids, attention_mask, features=None) -> torch.Tensor:
        """What the head sees: the pooled text [B, H], in fp32, with the behaviour features behind
        it.

        In training, dropout acts on the text only: without the user's mean, say, a prediction would
        be far off.
        """
        out = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        hidden = out.last_hidden_state.float()
        pooled = self.dropout(pool(hidden, attention_mask, self.config.pooling))
        if features is None:
            return pooled
        return torch.cat([pooled, features], dim=1)

    def forward(
        self, input_ids, attention_mask, features=None, labels=None, **_
    ) -> SequenceClassifierOutput:
        """Logits [B] or [B, C]; with labels (ratings [B] on the scale) also the mean loss of the
        batch."""
        width = 0 if features is None else features.shape[1]
        if width != self.config.features:
            raise ValueError(
                f"the model was built for {self.config.features} behaviour features, "
                f"the batch has {width}"
            )
        seen = self.embed(input_ids, attention_mask, features)
        # One small product: not worth the digits that bf16 would cost.
        with torch.autocast(seen.device.type, enabled=False):
            logits = self.head(seen)
        if logits.shape[-1] == 1:
            logits = logits.squeeze(-1)
        loss = None
        if labels is not None:
            loss = loss_of(logits, labels, self.config)
        return SequenceClassifierOutput(loss=loss, logits=logits)


def build(encoder: str = "embedded", revision: str | None = None, seed: int = 0, **config):
    """A SatisfactionModel with pretrained encoder and a fresh head, and its tokenizer.

    encoder, revision: see ``encoders.load_encoder``. config: see SatisfactionConfig.
    """
    inner, tokenizer = load_encoder(encoder, revision)
    settings = inner.config.to_dict()
    for name in NOT_OF_THE_MODEL:
        settings.pop(name, None)
    torch.manual_seed(seed)
    model = SatisfactionModel(SatisfactionConfig(encoder=settings, **config))
    # Not strict: BERT's pooler is left out. ``pretrained`` has seen to it that all else is there.
    model.encoder.load_state_dict(inner.state_dict(), strict=False)
    return model, tokenizer


def load(folder: str | Path):
    """Model and tokenizer from a folder that ``save`` wrote; a folder of another kind of model is
    refused."""
    folder = Path(folder)
    config = storage.read_json(folder / "config.json")
    kind = config.get("model_type")
    if kind != SatisfactionConfig.model_type:
        raise ValueError(
            f"{folder} holds a model of type {kind!r}, not a satisfaction model; give a folder "
            "that satlib saved, or use build(encoder=...) to start from it"
        )
    encoder = config.get("encoder")
    if not encoder or not encoder.get("model_type"):
        raise ValueError(
            f"{folder / 'config.json'} describes no encoder; give the whole folder "
            "that satlib saved"
        )
    model = pretrained(SatisfactionModel, folder, local_files_only=True)
    return model.eval(), bounded(tokens.load_tokenizer(folder), model.encoder)


def save(model: SatisfactionModel, tokenizer, folder: str | Path) -> None:
    """Write config, weights and tokenizer into a folder (JSON and safetensors only)."""
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@torch.no_grad()
def run(
    model: SatisfactionModel,
    sequences: Sequence[Sequence[int]],
    features: np.ndarray | None = None,
    batch_tokens: int = 0,
    what: str = "logits",
    autocast: torch.dtype | None = None,
) -> np.ndarray:
    """Logits (or, with what="embedding", the head's input) of token sequences, in their order,
    dropout off.

    Sequences of similar length share a batch of at most ``batch_tokens`` positions, so that little
    is spent on padding and long texts take no more memory than short ones; 0 takes what suits the
    device. autocast: the number format of the products; None is fp32.
    """
    check_rows(sequences, features)
    model.eval()
    if features is not None:
        features = np.asarray(features, dtype=np.float32)
    if not batch_tokens:
        on_cpu = model.device.type == "cpu"
        batch_tokens = CPU_BATCH_TOKENS if on_cpu else GPU_BATCH_TOKENS
    lengths = np.array([len(sequence) for sequence in sequences])
    order = np.argsort(lengths, kind="stable")
    batches = np.split(order, tokens.batch_cuts(lengths[order], batch_tokens))
    rows: list = [None] * len(order)
    # One autocast around all batches: it then converts each weight once, not once a batch.
    with torch.autocast(model.device.type, dtype=autocast, enabled=autocast is not None):
        for batch in runtime.progress(batches, "predict"):
            ids, mask = tokens.pad([sequences[place] for place in batch], model.pad_id)
            inputs = [torch.from_numpy(ids), torch.from_numpy(mask)]
            if features is not None:
                inputs.append(torch.tensor(features[batch]))
            inputs = [tensor.to(model.device) for tensor in inputs]
            out = model.embed(*inputs) if what == "embedding" else model(*inputs).logits
            for place, row in zip(batch, out.float().cpu().numpy(), strict=True):
                rows[place] = row
    return np.stack(rows)


def check_rows(sequences: Sequence, features: np.ndarray | None) -> None:
    """Raise ValueError where there is no text, or not one row of features for each."""
    if len(sequences) and (features is None or len(features) == len(sequences)):
        return
    rows = "no" if features is None else len(features)
    raise ValueError(
        f"{len(sequences)} texts and {rows} rows of behaviour features; give at least one text, "
        "and one row for each"
    )


def predict_tokens(
    model: SatisfactionModel,
    sequences: Sequence[Sequence[int]],
    features: np.ndarray | None = None,
    batch_tokens: int = 0,
    autocast: torch.dtype | None = None,
) -> Prediction:
    """Predict the satisfaction behind texts that are token ids already; see ``run`` for the
    options."""
    logits = run(model, sequences, features, batch_tokens, autocast=autocast)
    return read_logits(logits.astype(float), model.config)


def predict(
    model: SatisfactionModel,
    tokenizer,
    texts: Sequence[str],
    features: np.ndarray | None = None,
    batch_tokens: int = 0,
    max_length: int = 128,
    autocast: torch.dtype | None = None,
) -> Prediction:
    """Predict the satisfaction behind texts (as ``sequences.to_text`` writes them); see ``run`` for
    the options."""
    sequences = tokens.tokenise(texts, tokenizer, max_length)
    return predict_tokens(model, sequences, features, batch_tokens, autocast)


transformers.AutoConfig.register(SatisfactionConfig.model_type, SatisfactionConfig, exist_ok=True)
transformers.AutoModelForSequenceClassification.register(
    SatisfactionConfig, SatisfactionModel, exist_ok=True
)
