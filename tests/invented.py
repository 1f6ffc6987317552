"""Invented run records, for the tests of what is computed from records alone."""

import numpy as np

from satlib.evaluation import judging
from satlib.evaluation.metrics import METRICS
from satlib.losses import cross_entropy
from satlib.records import RunRecord

NOISE = {"mean": 1.2, "tfidf-ridge": 0.9, "bert-before": 0.95, "bert-after": 0.6, "oracle": 0.4}
DOMAINS = ("shop", "news", "video")


def _job(model: str, dataset: str, seed: int) -> dict:
    return {
        "model": model,
        "dataset": dataset,
        "profile": "fast",
        "seed": seed,
        "data_sha256": "d",
        "split_sha256": "s",
    }


def make(model: str, seed: int = 0, **changed) -> RunRecord:
    """A record on 90 invented examples of 30 users, whose predictions err by NOISE[model]; those of
    another model by 1."""
    truth = np.random.default_rng(1)
    noise = np.random.default_rng([seed, *model.encode()])
    parts = {}
    for part in ("validation", "test"):
        examples = [
            judging.RecordedExample(f"{part}-{i}", f"user-{i // 3}", DOMAINS[i % 3])
            for i in range(90)
        ]
        rating = truth.integers(1, 6, 90).astype(float)
        if model == "mean":
            predicted = np.full(90, 3.1)
        else:
            predicted = np.clip(rating + noise.normal(0, NOISE.get(model, 1.0), 90), 1, 5)
        parts[part] = judging.Judged(examples, rating, predicted.round(4))
    job = _job(model, "satsim", seed)
    for field in job:
        job[field] = changed.pop(field, job[field])
    record = judging.record(
        job, parts, METRICS, changed.pop("parameters", {}), draws=40, domains=True
    )
    record.versions = {"python": "3"}
    record.machine = {"accelerator": "none"}
    for field, value in changed.items():
        setattr(record, field, value)
    return record


def judged(model: str, rating, predicted, group, seed: int = 0, **changed) -> RunRecord:
    """A record without rows, of these test predictions; ids are numbers."""
    columns = {
        "id": [str(i) for i in range(len(rating))],
        "group": [str(name) for name in group],
        "domain": ["toy"] * len(rating),
        "rating": np.asarray(rating, float).tolist(),
        "predicted": np.asarray(predicted, float).tolist(),
    }
    fields = _job(model, "toy", seed) | {"predictions": {"test": columns}} | changed
    return RunRecord(**fields)


def distributions(n: int, seed: int = 0, sharpness: float = 1.5) -> np.ndarray:
    """Invented distributions [n, 5] over the ratings 1..5."""
    return cross_entropy.softmax(np.random.default_rng(seed).normal(0, sharpness, (n, 5)))


def drawn_ratings(p: np.ndarray, seed: int = 1) -> np.ndarray:
    """One rating from each distribution of p [N, 5], so p is calibrated for them."""
    at_most = np.cumsum(p, axis=1)[:, :-1]
    luck = np.random.default_rng(seed).random(len(p))
    return 1.0 + (luck[:, None] > at_most).sum(axis=1)
