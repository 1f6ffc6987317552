"""What was tried to make the recipe better, on the same rows and seeds, and judged on validation
rows only.

An attempt is one change of the plain recipe. ``table`` lists them all, those that did not help
too: that a thing was tried and failed is a result. Taught with lesson 43 beside ``finetune``; the
records lie in data/runs/attempts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from satlib import records
from satlib.data.prepared import Prepared
from satlib.training import finetune, hyperparameters, seed_intervals
from satlib.training.adversarial import Adversarial
from satlib.training.finetune import Settings
from satlib.training.hyperparameters import Bench, Run, changed
from satlib.training.plan import Plan

PLAIN = "plain"
# The plain recipe. Patience 0: every run has all its epochs, and the best one counts.
BASE = Run(PLAIN, Plan(epochs=3, learning_rate=5e-5, patience=0))


@dataclass(frozen=True)
class Attempt:
    """A run, and what it is in words."""

    run: Run
    words: str


def _attempt(name: str, words: str, **changes) -> Attempt:
    return Attempt(changed(BASE, model=name, **changes), words)


CHOSEN = Adversarial(0.5)  # the length with the lowest validation RMSE; the next attempts add to it

ATTEMPTS = (
    Attempt(BASE, "the plain recipe"),
    _attempt("plain-6-epochs", "as many passes as with moved words", epochs=6),
    _attempt("plain-rate-1e-4", "twice the learning rate", learning_rate=1e-4),
    _attempt("random-move-0.5", "words moved at random", batch_pass=Adversarial(0.5, random=True)),
    _attempt("moved-words-0.25", "words moved against the model", batch_pass=Adversarial(0.25)),
    _attempt("moved-words-0.5", "words moved against the model", batch_pass=Adversarial(0.5)),
    _attempt("moved-words-1", "words moved against the model", batch_pass=Adversarial(1.0)),
    _attempt(
        "moved-texts-0.1",
        "each text moved by itself",
        batch_pass=Adversarial(0.1, per_text=True),
    ),
    _attempt("moved-words-5-epochs", "0.5, and five epochs", batch_pass=CHOSEN, epochs=5),
    _attempt("moved-words-batch-32", "0.5, and twice the batch", batch_pass=CHOSEN, batch_size=32),
    _attempt(
        "moved-words-rate-3e-5", "0.5, and a lower rate", batch_pass=CHOSEN, learning_rate=3e-5
    ),
    _attempt(
        "moved-words-rate-1e-4", "0.5, and a higher rate", batch_pass=CHOSEN, learning_rate=1e-4
    ),
    _attempt("moved-words-no-dropout", "0.5, and no dropout", batch_pass=CHOSEN, dropout=0.0),
)


def bench(data: Prepared, profile: str, settings: Settings) -> Bench:
    """What all attempts share: the rows of a data set, and a model whose head is fitted.

    data: as ``prepare`` gives it; its test part is not touched. settings: of the recipe, as far as
    a Run does not say otherwise.
    """
    parts = {part: data.parts[part] for part in ("train", "validation")}
    rows = finetune.encode(parts, settings)
    model = finetune.build(settings, rows["train"], data.loaded.scale)
    strength = finetune.fit_head(model, rows["train"], rows["validation"], settings.strengths)
    return Bench(
        start=model,
        rows=rows["train"],
        validation=rows["validation"],
        groups=[example.group for example in parts["validation"]],
        about={
            "dataset": data.loaded.name,
            "profile": profile,
            "data_sha256": data.loaded.sha256,
            "split_sha256": data.split_sha256,
        },
        settings={
            "encoder": settings.encoder,
            "head": settings.head,
            "max_length": settings.max_length,
            "penalty": strength,
            "split": data.loaded.rule,
        },
    )


def complete(
    bench: Bench, folder: str | Path, seeds: int, attempts: Sequence[Attempt] = ATTEMPTS
) -> list[records.RunRecord]:
    """A record of every attempt with the seeds 0, 1, ...: read where ``folder`` has it, else made.

    Interrupted, it goes on with the first that has no record.
    """
    runs = []
    for seed in range(seeds):
        runs += [changed(attempt.run, seed=seed) for attempt in attempts]
    return hyperparameters.complete(runs, bench, folder)


def table(
    found: Sequence[records.RunRecord], attempts: Sequence[Attempt] = ATTEMPTS
) -> pd.DataFrame:
    """One row an attempt: validation RMSE (mean over seeds), its difference from the plain recipe
    on the same seeds with the 95 % interval by Student's t, in how many seeds it is lower, and the
    seeds. The first has the lowest difference: means over different seeds would not compare.

    An attempt without a record is left out; ValueError where the plain recipe has none.
    """
    scores = scores_by_attempt(found)
    if PLAIN not in scores:
        raise ValueError(
            f"no record of {PLAIN!r} among {len(found)}; make the attempts with measure = True"
        )
    rows = {}
    for attempt in attempts:
        own = scores.get(attempt.run.model)
        if own is None:
            continue
        shared = sorted(own.keys() & scores[PLAIN].keys())
        gaps = [own[seed] - scores[PLAIN][seed] for seed in shared]
        middle, low, high = paired(gaps)
        rows[attempt.run.model] = {
            "what": attempt.words,
            "RMSE": np.mean(list(own.values())),
            "difference": middle,
            "low": low,
            "high": high,
            "lower": sum(gap < 0 for gap in gaps),
            "seeds": len(own),
        }
    return pd.DataFrame.from_dict(rows, orient="index").sort_values("difference")


def scores_by_attempt(found: Sequence[records.RunRecord]) -> dict[str, dict[int, float]]:
    """Model -> seed -> validation RMSE of its best epoch, in stars."""
    scores: dict[str, dict[int, float]] = {}
    for record in found:
        (rmse,) = hyperparameters.rmse_of([record])
        scores.setdefault(record.model, {})[record.seed] = rmse
    return scores


def paired(gaps: Sequence[float]) -> tuple[float, float, float]:
    """Mean of differences of the same seeds and its 95 % interval; (mean, nan, nan) of one."""
    if len(gaps) < 2:
        return (float(np.mean(gaps)), np.nan, np.nan)
    return seed_intervals.interval(gaps)
