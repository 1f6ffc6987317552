"""Regressors of ratings: ridge equals scikit-learn's, and the encoder learns from the rows that it
may."""

import numpy as np
import tiny
from sklearn.linear_model import Ridge

from satlib.evaluation import metrics
from satlib.reproduction import regressors
from satlib.reproduction.regressors import Settings


def test_ridge_is_that_of_scikit_learn_on_standardised_columns():
    rng = np.random.default_rng(3)
    rows = {
        part: rng.normal(2, 3, (n, 6))
        for part, n in (("train", 80), ("validation", 30), ("test", 20))
    }
    rows["train"][:, 5] = rows["validation"][:, 5] = rows["test"][:, 5] = (
        1.0  # a constant column does no harm
    )
    truth = {part: x[:, 0] - x[:, 1] / 2 + rng.normal(0, 1, len(x)) for part, x in rows.items()}
    middle, spread = rows["train"].mean(0), np.maximum(rows["train"].std(0), 1e-9)
    values = {}
    for alpha in (0.1, 30.0, 1000.0):
        twin = Ridge(alpha=alpha).fit((rows["train"] - middle) / spread, truth["train"])
        expected = {
            part: twin.predict((rows[part] - middle) / spread) for part in regressors.JUDGED_PARTS
        }
        found, kept = regressors.ridge(rows, truth, (-99, 99), [alpha])
        assert kept == alpha and all(
            np.allclose(found[part], expected[part]) for part in regressors.JUDGED_PARTS
        )
        values[alpha] = metrics.rmse(truth["validation"], expected["validation"])
    assert regressors.ridge(rows, truth, (-99, 99), list(values))[1] == min(values, key=values.get)
    assert regressors.ridge(rows, truth, (1, 2), [0.1])[0]["test"].max() <= 2


def test_the_encoder_learns_from_so_many_rows_and_returns_every_judged_one(tmp_path):
    settings = Settings(
        encoder=str(tiny.bert_folder(tmp_path / "bert")),
        epochs=2,
        batch_size=8,
        learning_rate=1e-3,
        max_length=16,
        train_rows=20,
    )
    texts = {part: tiny.TEXTS * 4 for part in ("train", "validation", "test")}
    truth = {part: np.array([5, 1, 2, 4, 1, 3] * 4, float) for part in texts}
    features = {part: np.random.default_rng(0).normal(size=(24, 3)) for part in texts}
    for known in (None, features):
        found, curves = regressors.encoder(texts, truth, (1, 5), settings, known)
        assert len(curves) == 2 and curves[0]["step"] == 3 and {*found} == {"validation", "test"}
        assert all(len(p) == 24 and p.min() >= 1 and p.max() <= 5 for p in found.values())
