"""The training loop, explicit and resumable (article, section 3.2, steps 5 and 6).

``train`` is the page to read. It runs on Hugging Face accelerate, so the same code serves one CPU,
one GPU or several processes. A checkpoint is a folder that appears by one rename; killed at any
moment, the run goes on from the last one, and on a CPU in fp32 it ends with the very weights of an
uninterrupted run.
"""

from collections.abc import Sequence

import numpy as np
import torch

from satlib.models import heads, heads_ordinal, satisfaction_model
from satlib.training.batches import Rows


def fit_head(
    model: satisfaction_model.SatisfactionModel,
    rows: Rows,
    validation: Rows,
    strengths: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0),
    autocast: torch.dtype | None = None,
) -> float:
    """Fit the head alone, on the frozen encoder, and leave it in the model: the state *before*
    fine-tuning.

    Ridge regression on [0, 1] for the regression head, logistic regression for "binary" and
    "classes", the head's own loss for the ordinal ones; the strength of the penalty is the one with
    the lowest validation loss. Returns it. Fine-tuning that starts here does not first have to undo
    the noise of a random head (Kumar et al., ICLR 2022, arXiv 2202.10054). A binary head learns its
    group means as well.
    """
    seen, unseen = (
        satisfaction_model.run(
            model, r.sequences, r.features, what="embedding", autocast=autocast
        ).astype(np.float64)
        for r in (rows, validation)
    )
    found = []
    for strength in strengths:
        weight, bias = heads.head_solution(seen, rows.ratings, model.config, strength)
        logits = torch.from_numpy(unseen @ weight.T + bias).squeeze(-1)
        loss = float(heads.loss_of(logits, torch.from_numpy(validation.ratings), model.config))
        found.append((loss, strength, weight, bias))
    _, strength, weight, bias = min(found, key=lambda f: f[0])
    if model.config.head == "binary":
        model.config.group_means = heads.group_means(rows.ratings, model.config.threshold)
    heads_ordinal.write(model.head, weight, bias)
    return strength
