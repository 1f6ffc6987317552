"""Invented run records, for the tests of what is computed from records alone."""

import numpy as np

from satlib.evaluation import judging
from satlib.records import RunRecord

NOISE = {"mean": 1.2, "tfidf-ridge": 0.9, "bert-before": 0.95, "bert-after": 0.6, "oracle": 0.4}
DOMAINS = ("shop", "news", "video")


def make(model: str, seed: int = 0, **changed) -> RunRecord:
    """A record on 90 invented examples of 30 users, whose predictions err by NOISE[model]."""
    truth, rng = np.random.default_rng(1), np.random.default_rng([seed, *model.encode()])
    record = RunRecord(**{"model": model, "dataset": "satsim", "profile": "fast", "seed": seed, "data_sha256": "d",
                          "split_sha256": "s", "versions": {"python": "3"}, "machine": {"accelerator": "none"},
                          **changed})  # fmt: skip
    for part in ("validation", "test"):
        rating = truth.integers(1, 6, 90).astype(float)
        predicted = (
            np.full(90, 3.1)
            if model == "mean"
            else np.clip(rating + rng.normal(0, NOISE[model], 90), 1, 5)
        )
        record.predictions[part] = {
            "id": [f"{part}-{i}" for i in range(90)], "group": [f"user-{i // 3}" for i in range(90)],
            "domain": [DOMAINS[i % 3] for i in range(90)], "rating": rating.tolist(),
            "predicted": predicted.round(4).tolist()}  # fmt: skip
        columns = record.predictions[part]
        record.rows += judging.evaluate(
            columns["rating"],
            columns["predicted"],
            columns["group"],
            model=model,
            dataset=record.dataset,
            profile=record.profile,
            part=part,
            seed=seed,
            draws=40,
        )
    return record


def judged(model: str, rating, predicted, group, seed: int = 0, **changed) -> RunRecord:
    """A record without rows, of these test predictions; ids are numbers."""
    columns = {"id": [str(i) for i in range(len(rating))], "group": [str(g) for g in group],
               "domain": ["toy"] * len(rating), "rating": np.asarray(rating, float).tolist(),
               "predicted": np.asarray(predicted, float).tolist()}  # fmt: skip
    return RunRecord(**{"model": model, "dataset": "toy", "profile": "fast", "seed": seed, "data_sha256": "d",
                        "split_sha256": "s", "predictions": {"test": columns}, **changed})  # fmt: skip
