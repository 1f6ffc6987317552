"""transformers' own classifier with one output on the encoder, which all but satlib train: loaded,
and its scores."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def load(folder: str | Path, **options):
    """Tokenizer and fp32 model of a folder; the head is drawn at random where the folder holds an
    encoder."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=1, dtype=torch.float32, **options
    )
    positions = model.config.max_position_embeddings
    tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
    return tokenizer, model


@torch.inference_mode()
def scores(
    model, tokenizer, texts: Sequence[str], batch_size: int = 32, half: torch.dtype | None = None
) -> np.ndarray:
    """Logits [N] of the texts, in batches as they come, padded to the longest; dropout off. half:
    None is fp32."""
    model.eval()
    precision = nullcontext()
    if half is not None:
        precision = torch.autocast(model.device.type, dtype=half)
    parts = []
    for start in range(0, len(texts), batch_size):
        some = list(texts[start : start + batch_size])
        batch = tokenizer(some, padding=True, truncation=True, return_tensors="pt")
        with precision:
            logits = model(**batch.to(model.device)).logits
        parts.append(logits.squeeze(-1).float().cpu().numpy())
    return np.concatenate(parts)
