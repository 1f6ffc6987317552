"""Twin of lesson 42: the loop against hand-written torch, its schedule, its stops, and its
survival."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load_file
from training_script import PLAN, STEPS, run

from satlib import runtime
from satlib.data.labels import to_unit
from satlib.encoding import tokens
from satlib.evaluation import metrics
from satlib.losses import cross_entropy
from satlib.models import heads, satisfaction_model
from satlib.models.heads import HEADS
from satlib.training import finetune, loop
from satlib.training import plan as plans
from satlib.training.batches import batches
from satlib.training.gpu import precision
from satlib.training.plan import rate_at

ROWS, VALIDATION = tiny.rows(40), tiny.rows(11, seed=1)
SCRIPT = Path(__file__).with_name("training_script.py")


def plan(**changes) -> plans.Plan:
    return plans.Plan(**{**PLAN, **changes})


def batch_of(rows: batches.Rows, numbers) -> dict:
    ids, mask = tokens.pad([rows.sequences[i] for i in numbers])
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor(rows.ratings[numbers], dtype=torch.float32),
    }


def assert_close(one, other, atol: float) -> None:
    other = dict(other.named_parameters())
    for name, weight in one.named_parameters():
        torch.testing.assert_close(weight, other[name], atol=atol, rtol=0)


# --- the plan


@pytest.mark.parametrize("warmup, total", [(0.0, 10), (0.1, 10), (0.25, 37), (0.1, 1), (0.99, 5)])
def test_learning_rate_is_a_tent(warmup, total):
    wanted = plan(warmup=warmup, learning_rate=0.02)
    warm = int(np.ceil(warmup * total))
    corners, heights = ([-1, warm, total], [0, 0.02, 0]) if warm else ([0, total], [0.02, 0])
    expected = np.interp(np.arange(total), corners, heights)
    found = [rate_at(step, total, wanted) for step in range(total)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert min(found) > 0 and max(found) <= 0.02


def test_every_epoch_covers_each_row_once():
    for n, size in ((40, 8), (41, 8), (7, 8), (1, 1)):
        for epoch in range(3):
            found = batches(n, plan(batch_size=size), epoch)
            assert sorted(np.concatenate(found)) == list(range(n))
            sizes = [len(batch) for batch in found]
            assert max(sizes) <= size and max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("n, size", [(400, 8), (33, 8), (5, 8), (1000, 4)])
def test_batches_by_length_cover_each_row_once_pad_less_and_keep_no_order_of_length(n, size):
    lengths = np.random.default_rng(0).integers(10, 128, n)
    plain, sorted_ = (batches(n, plan(batch_size=size), 1, given) for given in (None, lengths))
    assert (
        sorted(np.concatenate(sorted_)) == list(range(n))
        and list(map(len, sorted_))
        and len(plain) == len(sorted_)
    )
    assert max(map(len, sorted_)) - min(map(len, sorted_)) <= 1
    again = batches(n, plan(batch_size=size), 1, lengths)
    assert all(np.array_equal(a, b) for a, b in zip(sorted_, again, strict=True))
    if n == 400:
        padded = [
            sum(len(b) * lengths[b].max() for b in found) / lengths.sum()
            for found in (plain, sorted_)
        ]
        assert padded[1] < 1.15 < 1.4 < padded[0]
        means = [lengths[b].mean() for b in sorted_]
        assert abs(np.corrcoef(means, range(len(means)))[0, 1]) < 0.4


def test_batches_by_tokens_fill_their_budget_and_cover_each_row_once():
    lengths = np.random.default_rng(0).integers(10, 128, 500)
    found = batches(500, plan(batch_size=16, batch_tokens=1000), 1, lengths)
    assert sorted(np.concatenate(found)) == list(range(500))
    positions = np.array([len(batch) * lengths[batch].max() for batch in found])
    assert positions.max() <= 1000 and np.median(positions) > 850
    assert max(map(len, found)) > 2 * min(map(len, found))  # short texts come many at a time


def test_a_training_by_tokens_learns_and_resumes(tmp_path):
    wanted = plan(batch_tokens=40, epochs=2)
    model = tiny.model()
    state = loop.train(model, ROWS, VALIDATION, wanted, tmp_path)
    assert state.step > 2 * len(ROWS.ratings) * 4 / 40 and len(state.curves) == 2


def test_recomputing_saves_memory_not_gradients(tmp_path):
    ends, calls = [], []
    for recompute in (False, True):
        model = tiny.model(dropout=0.1)
        calls.append(0)

        def count(*_):
            calls[-1] += 1

        model.encoder.encoder.layer[0].attention.register_forward_hook(count)
        loop.train(
            model, ROWS, VALIDATION, plan(epochs=1, recompute=recompute), tmp_path / str(recompute)
        )
        ends.append(model)
    assert_close(*ends, atol=1e-6)
    updates = len(batches(len(ROWS.ratings), plan(), 0))
    assert calls[1] - calls[0] == updates  # each update went through the layers once more


def test_some_rows_are_a_seeded_choice_that_keeps_rows_together():
    rows = tiny.rows(30, features=2)
    some = rows.some(7)
    places = [rows.sequences.index(sequence) for sequence in some.sequences]
    assert len(some.ratings) == 7 and places == sorted(places)
    assert some.lengths.tolist() == rows.lengths[places].tolist()
    assert np.array_equal(some.ratings, rows.ratings[places]) and np.array_equal(
        some.features, rows.features[places]
    )
    assert rows.some(7).sequences == some.sequences and rows.some(0) is rows is rows.some(30)


def test_order_depends_on_seed_and_epoch_only():
    def order(seed, epoch, **changes):
        return np.concatenate(batches(40, plan(seed=seed, **changes), epoch)).tolist()

    np.random.seed(1)  # noqa: NPY002
    first = order(0, 0)
    np.random.seed(2)  # noqa: NPY002
    assert first == order(0, 0, learning_rate=0.1, epochs=9) != list(range(40))
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1, 2)}) == 6


def test_decay_spares_biases_and_norms():
    model = tiny.model()
    names = {parameter: name for name, parameter in model.named_parameters()}
    optimizer = loop.make_optimizer(model, plan())
    decayed, spared = ([names[p] for p in group["params"]] for group in optimizer.param_groups)
    assert len(decayed) + len(spared) == len(names) and "head.weight" in decayed
    assert all(name.endswith("weight") and "LayerNorm" not in name for name in decayed)
    assert all(name.endswith("bias") or "LayerNorm" in name for name in spared)
    groups = loop.make_optimizer(model, plan(weight_decay=0.3, optimizer="sgd"))
    assert isinstance(groups, torch.optim.SGD) and [
        g["weight_decay"] for g in groups.param_groups
    ] == [0.3, 0.0]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"optimizer": "adam"}, "unknown optimizer 'adam'; choose one of adamw, sgd"),
        ({"precision": "int8"}, "unknown precision 'int8'; choose one of auto, fp32, bf16, fp16"),
        ({"metric": "bleu"}, "unknown metric 'bleu'; choose one of rmse"),
        ({"epochs": 0}, "epochs = 0; it must be"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"accumulate": 0}, "accumulate = 0"),
        ({"save_every": 0}, "save_every = 0"),
        ({"epochs": 1.5}, "epochs = 1.5; it must be a whole number"),
        ({"patience": -1}, "patience = -1"),
        ({"seed": -1}, "seed = -1"),
        ({"learning_rate": 0}, "learning_rate 0 must"),
        ({"learning_rate": 1.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate nan"),
        ({"warmup": 1.0}, "warmup 1.0"),
        ({"warmup": -0.1}, "warmup -0.1"),
        ({"clip": 0}, "clip 0"),
        ({"weight_decay": -1}, "weight_decay -1"),
    ],
)
def test_plan_refuses(changes, words):
    with pytest.raises(ValueError, match=words) as error:
        plan(**changes)
    assert "\n" not in str(error.value)


def test_rows_must_match():
    for ids, ratings, features in (
        ([[1]], [1.0, 2.0], None),
        ([], [], None),
        ([[1]], [1.0], np.ones((2, 3))),
    ):
        with pytest.raises(ValueError, match="give equally many of each, at least one"):
            batches.Rows(ids, np.array(ratings), features)


def test_batches_too_small_to_share(tmp_path):
    for changes in (
        {"accumulate": 9},
        {"accumulate": 7, "batch_size": 7},
    ):  # the last batches of 7 have 6 rows
        with pytest.raises(ValueError, match="too small for 1 processes and accumulate") as error:
            loop.train(tiny.model(), ROWS, VALIDATION, plan(**changes), tmp_path)
        assert "\n" not in str(error.value)


def test_precision_by_device(monkeypatch):
    assert precision("fp32") == "fp32" and precision("auto") in ("bf16", "fp32")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for real, chosen in ((True, "bf16"), (False, "fp16")):
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation, real=real: real
        )
        assert precision("auto") == chosen
    assert precision("fp32") == "fp32"


@pytest.mark.parametrize(
    ("name", "capability", "chosen"),
    [
        ("Tesla T4", (7, 5), "fp16"),
        ("Tesla V100", (7, 0), "fp16"),
        ("NVIDIA A100", (8, 0), "bf16"),
        ("NVIDIA L4", (8, 9), "bf16"),
        ("NVIDIA H100", (9, 0), "bf16"),
    ],
)
def test_precision_by_the_capability_that_a_gpu_states(monkeypatch, name, capability, chosen):
    """torch itself decides here, on the facts that its driver would report; a T4 could emulate
    bf16."""
    told = SimpleNamespace(name=name, major=capability[0], minor=capability[1])
    for fact, value in (
        ("is_available", True),
        ("current_device", 0),
        ("get_device_properties", told),
    ):
        monkeypatch.setattr(torch.cuda, fact, lambda *args, value=value: value)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "_check_bf16_tensor_supported", lambda device: True)
    assert torch.cuda.is_bf16_supported() and precision("auto") == chosen


def test_without_a_gpu_the_processor_decides(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for real, chosen in ((True, "bf16"), (False, "fp32")):
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
            monkeypatch.setattr(torch.cpu, name, lambda real=real: real, raising=False)
        assert precision("auto") == chosen


# --- the update


@pytest.mark.parametrize("optimizer, atol", [("sgd", 1e-7), ("adamw", 1e-6)])
def test_updates_equal_a_hand_written_loop(optimizer, atol, tmp_path):
    wanted = plan(optimizer=optimizer, weight_decay=0.1, clip=0.05, epochs=2, learning_rate=5e-3)
    model, twin, last = tiny.model(), tiny.model(), {}
    loop.train(
        model,
        ROWS,
        VALIDATION,
        wanted,
        tmp_path,
        after_step=lambda state: last.update(
            {name: weight.clone() for name, weight in model.state_dict().items()}
        ),
    )

    norms = [
        p for name, p in twin.named_parameters() if name.endswith("bias") or "LayerNorm" in name
    ]
    matrices = [
        p
        for name, p in twin.named_parameters()
        if not (name.endswith("bias") or "LayerNorm" in name)
    ]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": norms, "weight_decay": 0.0}]
    theirs = (torch.optim.AdamW if optimizer == "adamw" else torch.optim.SGD)(groups, lr=1.0)
    step, clipped = 0, 0
    for epoch in range(2):
        rng = np.random.default_rng([0, epoch])
        by_length = sorted(
            rng.permutation(40), key=lambda row: len(ROWS.sequences[row])
        )  # 40 rows are one pool
        for numbers in map(np.array_split(np.array(by_length), 5).__getitem__, rng.permutation(5)):
            for group in theirs.param_groups:
                group["lr"] = 5e-3 * (0.5 if step == 0 else (10 - step) / 9)
            theirs.zero_grad()
            twin.train()(**batch_of(ROWS, numbers)).loss.backward()
            clipped += float(torch.nn.utils.clip_grad_norm_(twin.parameters(), 0.05)) > 0.05
            theirs.step()
            step += 1
    assert clipped
    for name, weight in twin.state_dict().items():
        torch.testing.assert_close(last[name], weight, atol=atol, rtol=0)


@pytest.mark.parametrize("accumulate", [2, 3, 4, 8])
@pytest.mark.parametrize("head", HEADS)
def test_passes_do_not_change_the_update(accumulate, head, tmp_path):
    settings = {"optimizer": "sgd", "learning_rate": 0.05, "epochs": 1}
    one, many = tiny.model(head=head), tiny.model(head=head)
    whole = loop.train(one, ROWS, VALIDATION, plan(**settings), tmp_path / "one")
    parts = loop.train(
        many, ROWS, VALIDATION, plan(accumulate=accumulate, **settings), tmp_path / "many"
    )
    assert_close(one, many, atol=1e-6)
    assert parts.curves[0]["train_loss"] == pytest.approx(whole.curves[0]["train_loss"], abs=1e-6)


def test_passes_do_not_change_the_losses_with_adamw(tmp_path):
    found = (
        loop.train(
            tiny.model(), ROWS, VALIDATION, plan(accumulate=passes), tmp_path / str(passes)
        ).curves
        for passes in (1, 4)
    )
    for one, four in zip(*found, strict=True):
        assert one == pytest.approx(four, abs=1e-5)


def test_curves_are_the_losses(tmp_path):
    model = tiny.model(head="classes")
    state = loop.train(
        model, ROWS, VALIDATION, plan(learning_rate=1e-12, epochs=2, metric="macro_f1"), tmp_path
    )
    model.eval()
    with torch.no_grad():
        expected = {
            part: float(model(**batch_of(rows, np.arange(len(rows.ratings)))).loss)
            for part, rows in (("train", ROWS), ("validation", VALIDATION))
        }
    predicted = heads.read_logits(
        satisfaction_model.run(model, VALIDATION.sequences).astype(float), model.config
    ).rating
    assert [point["step"] for point in state.curves] == [5, 10] and [
        point["epoch"] for point in state.curves
    ] == [1, 2]
    for point in state.curves:
        assert point["train_loss"] == pytest.approx(expected["train"], abs=1e-5)
        assert point["validation_loss"] == pytest.approx(expected["validation"], abs=1e-5)
        assert point["validation_rmse"] == pytest.approx(
            metrics.rmse(VALIDATION.ratings, predicted), abs=1e-5
        )
        assert point["validation_macro_f1"] == metrics.macro_f1(VALIDATION.ratings, predicted)


@pytest.mark.parametrize("head", HEADS)
def test_training_learns(head, tmp_path):
    rows, validation = tiny.rows(200, seed=2), tiny.rows(60, seed=3)
    model = tiny.model(head=head, threshold=3.0)
    fitted = np.inf
    if head in (
        "cumulative",
        "coral",
    ):  # AdamW moves a bias by one learning rate a step: far thresholds take long
        finetune.fit_head(model, rows, validation)
        logits = torch.from_numpy(satisfaction_model.run(model, validation.sequences))
        fitted = float(heads.loss_of(logits, torch.from_numpy(validation.ratings), model.config))
    settings = {
        "epochs": 10,
        "batch_size": 20,
        "learning_rate": 5e-3,
        "metric": "loss",
        "save_every": 1000,
    }
    state = loop.train(model, rows, validation, plan(**settings), tmp_path)
    unit, happy = (validation.ratings - 1) / 4, np.mean(validation.ratings >= 3)
    share = np.bincount(metrics.classes(validation.ratings))[1:] / 60
    constant = {
        "regression": unit.var(),
        "binary": -happy * np.log(happy) - (1 - happy) * np.log(1 - happy),
        "classes": -sum(p * np.log(p) for p in share if p),
    }
    above = 1 - np.cumsum(share)[:4]
    questions = [-(p * np.log(p) + (1 - p) * np.log(1 - p)) for p in above]
    constant |= dict.fromkeys(("cumulative", "corn", "soft"), constant["classes"]) | {
        "coral": sum(questions)
    }
    assert state.best < 0.9 * min(
        constant[head], fitted
    )  # constant: the best of all that is blind to the text


def test_behaviour_features_are_trained(tmp_path):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(80, 1))
    rows = batches.Rows([[5, 6, 7]] * 80, np.where(features[:, 0] > 0, 5.0, 1.0), features)
    model = tiny.model(features=1)
    state = loop.train(model, rows, rows, plan(learning_rate=0.02, epochs=6), tmp_path)
    assert state.best < 1.2 < metrics.rmse(rows.ratings, np.full(80, rows.ratings.mean()))
    assert float(model.head.weight[0, -1].detach()) > 0.1


def test_loss_that_is_no_number_ends_with_a_sentence(tmp_path):
    broken = batches.Rows(ROWS.sequences, np.full(40, np.nan))
    with pytest.raises(
        ValueError, match="the loss is nan at learning_rate 0.001; lower it"
    ) as error:
        loop.train(tiny.model(), broken, VALIDATION, plan(), tmp_path)
    assert "\n" not in str(error.value)


def test_model_stays_as_it_was_under_mixed_precision(tmp_path):
    model, twin = tiny.model(), tiny.model()
    before = set(model.__dict__)
    loop.train(model, ROWS, VALIDATION, plan(precision="bf16", epochs=1), tmp_path / "a")
    assert set(model.__dict__) == before and {p.dtype for p in model.parameters()} == {
        torch.float32
    }
    for again in (model, twin):
        again.load_state_dict(tiny.model().state_dict())
    loop.train(model, ROWS, VALIDATION, plan(), tmp_path / "b")
    loop.train(twin, ROWS, VALIDATION, plan(), tmp_path / "c")
    assert all(
        torch.equal(weight, twin.state_dict()[name]) for name, weight in model.state_dict().items()
    )


def test_mixed_precision_follows_full_precision(tmp_path):
    found = [
        loop.train(tiny.model(), ROWS, VALIDATION, plan(precision=kind), tmp_path / kind).curves[-1]
        for kind in ("fp32", "bf16")
    ]
    assert found[0] != found[1] and found[0] == pytest.approx(found[1], abs=0.05)


# --- when it stops


def scripted(monkeypatch, values):
    """Let epoch after epoch have these validation RMSE (in stars); keeps the weights that each of
    them saw."""
    seen, left = [], iter(values)

    def logits(model, validation, accelerator):
        seen.append({name: weight.clone() for name, weight in model.state_dict().items()})
        return to_unit(validation.ratings) + next(left) / 4

    monkeypatch.setattr(loop, "validation_logits", logits)
    return seen


@pytest.mark.parametrize(
    "values, patience, epochs, best",
    [
        ([1.0, 0.5, 0.6, 0.7, 0.1], 2, 4, 2),
        ([1.0, 0.5, 0.6, 0.4, 0.5, 0.6], 2, 6, 4),
        ([0.5, 0.5, 0.5], 2, 3, 1),
        ([1.0, 0.5, 0.6, 0.7, 0.8], 0, 5, 2),
        ([0.5, 0.6], 1, 2, 1),
    ],
)
def test_early_stopping_and_best_weights(values, patience, epochs, best, monkeypatch, tmp_path):
    middle = batches.Rows(
        VALIDATION.sequences, np.full(11, 2.0)
    )  # so that a prediction above it is not clipped
    seen = scripted(monkeypatch, values)
    model = tiny.model()
    state = loop.train(model, ROWS, middle, plan(epochs=len(values), patience=patience), tmp_path)
    assert (state.epoch, state.best_epoch, state.finished) == (epochs, best, True)
    assert state.best == pytest.approx(values[best - 1]) and len(state.curves) == epochs
    assert all(
        torch.equal(weight, seen[best - 1][name]) for name, weight in model.state_dict().items()
    )


@pytest.mark.parametrize(
    "metric, best, value, epoch, expected",
    [
        ("rmse", None, 1.0, 0, True),
        ("rmse", None, None, 0, True),
        ("rmse", 1.0, 0.9, 1, True),
        ("rmse", 1.0, 1.0, 1, False),
        ("loss", 1.0, 1.1, 1, False),
        ("accuracy", 0.5, 0.6, 1, True),
        ("accuracy", 0.5, 0.5, 1, False),
        ("spearman", None, None, 1, False),
        ("spearman", None, -0.5, 1, True),
        ("spearman", 0.5, None, 1, False),
    ],
)
def test_better(metric, best, value, epoch, expected):
    state = plans.State(best=best, best_epoch=epoch)
    assert loop.is_better(value, state, plan(metric=metric)) is expected


def test_lower_is_better_names_every_error_metric():
    truth, good, bad = [1, 2, 4, 5, 5], [1, 2, 4, 5, 5], [5, 1, 4, 1, 2]
    for name, metric in metrics.METRICS.items():
        assert (metric(truth, good) < metric(truth, bad)) == (name in loop.LOWER_IS_BETTER), name


def test_undefined_metric_does_not_stop_the_run(tmp_path):
    constant = batches.Rows(VALIDATION.sequences, np.full(11, 3.0))
    state = loop.train(tiny.model(), ROWS, constant, plan(metric="spearman", epochs=2), tmp_path)
    assert [point["validation_spearman"] for point in state.curves] == [
        None,
        None,
    ] and state.best_epoch == 1


# --- the head alone


def embedded(model, rows):
    return satisfaction_model.run(model, rows.sequences, rows.features, what="embedding").astype(
        float
    )


def test_fitted_head_equals_ridge(tmp_path):
    from sklearn.linear_model import Ridge

    model = tiny.model(features=2)
    rows, validation = tiny.rows(60, features=2), tiny.rows(30, seed=1, features=2)
    strength = finetune.fit_head(model, rows, validation)
    fits = {
        a: Ridge(alpha=a).fit(embedded(model, rows), (rows.ratings - 1) / 4)
        for a in (0.01, 0.1, 1.0, 10.0, 100.0)
    }
    errors = {
        a: np.mean((fit.predict(embedded(model, validation)) - (validation.ratings - 1) / 4) ** 2)
        for a, fit in fits.items()
    }
    assert strength == min(errors, key=errors.get)
    logits = satisfaction_model.run(model, validation.sequences, validation.features)
    np.testing.assert_allclose(
        logits, fits[strength].predict(embedded(model, validation)), atol=1e-5
    )


@pytest.mark.parametrize("head", ["binary", "classes"])
def test_fitted_head_equals_logistic_regression(head):
    from sklearn.linear_model import LogisticRegression

    model, rows, validation = tiny.model(head=head), tiny.rows(80), tiny.rows(30, seed=1)
    finetune.fit_head(model, rows, validation, strengths=(2.0,))
    labels = rows.ratings >= 4 if head == "binary" else metrics.classes(rows.ratings)
    fit = LogisticRegression(C=0.5, max_iter=1000).fit(embedded(model, rows), labels)
    probabilities = fit.predict_proba(embedded(model, validation))
    logits = satisfaction_model.run(model, validation.sequences).astype(float)
    if head == "binary":
        np.testing.assert_allclose(cross_entropy.sigmoid(logits), probabilities[:, 1], atol=1e-4)
        expected = [rows.ratings[rows.ratings < 4].mean(), rows.ratings[rows.ratings >= 4].mean()]
        assert model.config.group_means == pytest.approx(expected)
    else:
        found = heads.read_logits(logits, model.config).distribution
        np.testing.assert_allclose(
            found[:, (fit.classes_ - 1).astype(int)], probabilities, atol=1e-4
        )


def test_head_for_two_of_the_five_classes():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    seen, ratings = rng.normal(size=(50, 4)), rng.choice([2.0, 5.0], size=50)
    weight, bias = heads.head_solution(
        seen, ratings, satisfaction_model.SatisfactionConfig(head="classes"), 1.0
    )
    p = cross_entropy.softmax(seen @ weight.T + bias)
    fit = LogisticRegression(C=1.0, max_iter=1000).fit(seen, ratings)
    np.testing.assert_allclose(p[:, [1, 4]], fit.predict_proba(seen), atol=1e-6)
    assert p[:, [0, 2, 3]].max() < 1e-6


def test_fitted_cumulative_head_is_the_proportional_odds_model():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    model, rows = tiny.model(head="cumulative"), tiny.rows(300)
    seen = embedded(model, rows)[:, :3]
    weight, biases = heads.head_solution(seen, rows.ratings, model.config, 1e-9)
    theirs = OrderedModel(rows.ratings, seen, distr="logit").fit(method="bfgs", disp=0, maxiter=500)
    np.testing.assert_allclose(weight[0], theirs.params[:3], atol=2e-3)
    thresholds = theirs.model.transform_threshold_params(theirs.params)[1:-1]
    np.testing.assert_allclose(-biases, thresholds, atol=5e-3)


def test_fitted_soft_head_of_whole_ratings_is_logistic_regression():
    rng = np.random.default_rng(0)
    seen, ratings = rng.normal(size=(90, 4)), rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], size=90)
    found = [
        heads.head_solution(seen, ratings, satisfaction_model.SatisfactionConfig(head=head), 2.0)
        for head in ("soft", "classes")
    ]
    p = [cross_entropy.softmax(seen @ weight.T + bias) for weight, bias in found]
    np.testing.assert_allclose(*p, atol=5e-4)


@pytest.mark.parametrize("head", ["cumulative", "coral", "corn", "soft"])
def test_fitted_ordinal_head_has_the_least_penalised_loss(head):
    model, rows, validation = (
        tiny.model(head=head, features=2),
        tiny.rows(80, features=2),
        tiny.rows(30, 1, features=2),
    )
    strength = finetune.fit_head(model, rows, validation)
    seen, ratings = torch.from_numpy(embedded(model, rows)), torch.from_numpy(rows.ratings)
    last = model.head.double()
    loss = (
        heads.loss_of(last(seen), ratings, model.config)
        + strength / (2 * 80) * last.weight.square().sum()
    )
    gradient = torch.autograd.grad(loss, last.parameters())
    assert max(float(part.abs().max()) for part in gradient) < 2e-4
    found = heads.read_logits(
        satisfaction_model.run(model.float(), validation.sequences, validation.features).astype(
            float
        ),
        model.config,
    )
    assert metrics.rmse(validation.ratings, found.rating) < np.std(validation.ratings)


@pytest.mark.parametrize("head", ["cumulative", "coral", "corn", "soft"])
def test_fitted_ordinal_head_where_classes_are_missing(head, tmp_path):
    rng = np.random.default_rng(0)
    few = batches.Rows(ROWS.sequences, rng.choice([2.0, 4.0], 40))
    model = tiny.model(head=head)
    finetune.fit_head(model, few, few, strengths=(1.0,))
    found = heads.read_logits(
        satisfaction_model.run(model, few.sequences).astype(float), model.config
    )
    assert (
        found.distribution[:, [1, 3]].sum(axis=1).min() > 0.97 and np.isfinite(found.rating).all()
    )
    state = loop.train(model, ROWS, VALIDATION, plan(epochs=6, learning_rate=0.02), tmp_path)
    loss = [point["train_loss"] for point in state.curves]
    assert (
        np.isfinite(loss).all() and loss[-1] < 0.8 * loss[0]
    )  # it can still learn what it had not met


@pytest.mark.parametrize("head", [head for head in HEADS if head != "regression"])
def test_head_needs_two_classes(head):
    same = batches.Rows(ROWS.sequences, np.full(40, 5.0))
    with pytest.raises(ValueError, match="all 40 ratings fall into one class") as error:
        finetune.fit_head(tiny.model(head=head), same, VALIDATION)
    assert "\n" not in str(error.value)


# --- TensorBoard


def test_tensorboard_on_request(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    state = loop.train(
        tiny.model(),
        ROWS,
        VALIDATION,
        plan(epochs=2),
        tmp_path / "run",
        tensorboard=tmp_path / "board",
    )
    found = EventAccumulator(str(tmp_path / "board")).Reload()
    for name in ("train_loss", "validation_loss", "validation_rmse"):
        assert [event.value for event in found.Scalars(name)] == pytest.approx(
            [point[name] for point in state.curves]
        )
        assert [event.step for event in found.Scalars(name)] == [5, 10]
    loop.train(tiny.model(), ROWS, VALIDATION, plan(epochs=1), tmp_path / "quiet")
    assert not list((tmp_path / "quiet").rglob("events*"))


# --- processes of their own


@pytest.fixture
def environment():
    return {**os.environ, "PYTHONPATH": str(runtime.PACKAGE.parent), "SATLIB_QUIET": "1"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_killed_at_random_steps(dropout, environment, tmp_path):
    a, b, c, d = np.sort(
        np.random.default_rng(int(10 * dropout)).choice(np.arange(6, 18), size=4, replace=False)
    )
    moments = ["best:0", f"step:{a}", f"write:{b}", f"rename:{c}", f"remove:{d}"]
    command = [
        sys.executable,
        SCRIPT,
        "killed",
        tmp_path,
        torch.get_num_threads(),
        dropout,
        *moments,
    ]
    done = subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "ends.json").read_text()) == [-signal.SIGKILL] * 5 + [0]
    starts = [
        list(map(int, part.split()))
        for part in (tmp_path / "steps.txt").read_text().split("start")[1:]
    ]
    assert [steps[0] == 1 for steps in starts] == [True] + [
        False
    ] * 5  # after the first checkpoint none begins anew
    assert all(
        later[0] <= earlier[-1] + 1 for earlier, later in zip(starts, starts[1:], strict=False)
    )
    assert starts[-1][-1] == STEPS and sum(map(len, starts)) <= STEPS + 5 * PLAN["save_every"]

    model, state = run(tmp_path / "straight", dropout=dropout)
    killed = load_file(tmp_path / "killed.safetensors")
    assert killed.keys() == model.state_dict().keys()
    assert all(torch.equal(killed[name], weight) for name, weight in model.state_dict().items())
    assert json.loads((tmp_path / "killed.json").read_text()) == state.curves


def test_two_processes_give_the_losses_of_one(environment, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # `--cpu --num_processes 2` would start one process only (accelerate 1.15 wants MPI for two);
    # this flag starts two, and where no GPU is to be seen they compute on the CPU.
    command = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--multi_gpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        "--main_process_port",
        port,
        SCRIPT,
        "together",
        tmp_path,
    ]
    environment |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    model, state = run(tmp_path / "one")
    curves = json.loads((tmp_path / "together.json").read_text())
    assert len(curves) == len(state.curves) == 4
    for two, one in zip(curves, state.curves, strict=True):
        assert two == pytest.approx(one, abs=1e-5)
    weights = load_file(tmp_path / "together.safetensors")
    assert (
        max(
            float((weights[name] - weight).abs().max())
            for name, weight in model.state_dict().items()
        )
        < 1e-3
    )
    saved = next((tmp_path / "plain").glob("step-*"))
    assert (
        json.loads((saved / "state.json").read_text())["run"]["processes"] == 2
    )  # it was two, not one twice
    first, second = load_file(saved / "state.safetensors")["generators"]
    assert not torch.equal(first, second)  # each draws its own dropout
    assert json.loads((tmp_path / "equal.json").read_text()) is True
