"""The loop against hand-written torch, its stops, and its survival."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load_file
from training_script import PLAN, STEPS, quick_plan, run

from satlib import runtime
from satlib.data.labels import to_unit
from satlib.encoding import tokens
from satlib.evaluation import metrics
from satlib.models import heads, satisfaction_model
from satlib.models.heads import HEADS
from satlib.training import finetune, loop
from satlib.training.batches import Rows, batches, order_of
from satlib.training.plan import State, rate_at

ROWS = tiny.rows(40)
VALIDATION = tiny.rows(11, seed=1)
SCRIPT = Path(__file__).parents[1] / "training_script.py"


def batch_of(rows: Rows, numbers) -> dict:
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


# --- the update


@pytest.mark.parametrize("optimizer, atol", [("sgd", 1e-7), ("adamw", 2e-6)])
def test_updates_equal_a_hand_written_loop(optimizer, atol):
    wanted = quick_plan(
        optimizer=optimizer, weight_decay=0.1, clip=0.05, epochs=2, learning_rate=5e-3
    )
    model, twin, last = tiny.model(), tiny.model(), {}
    loop.train(
        model,
        ROWS,
        wanted,
        VALIDATION,
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
def test_passes_do_not_change_the_update(accumulate, head):
    settings = {"optimizer": "sgd", "learning_rate": 0.05, "epochs": 1}
    one, many = tiny.model(head=head), tiny.model(head=head)
    whole = loop.train(one, ROWS, quick_plan(**settings), VALIDATION)
    parts = loop.train(many, ROWS, quick_plan(accumulate=accumulate, **settings), VALIDATION)
    assert_close(one, many, atol=1e-6)
    assert parts.curves[0]["train_loss"] == pytest.approx(whole.curves[0]["train_loss"], abs=1e-6)


def test_passes_do_not_change_the_losses_with_adamw():
    found = (
        loop.train(tiny.model(), ROWS, quick_plan(accumulate=passes), VALIDATION).curves
        for passes in (1, 4)
    )
    for one, four in zip(*found, strict=True):
        assert one == pytest.approx(four, abs=1e-5)


def test_decay_spares_biases_and_norms():
    model = tiny.model()
    names = {parameter: name for name, parameter in model.named_parameters()}
    optimizer = loop.make_optimizer(model, quick_plan())
    decayed, spared = ([names[p] for p in group["params"]] for group in optimizer.param_groups)
    assert len(decayed) + len(spared) == len(names) and "head.weight" in decayed
    assert all(name.endswith("weight") and "LayerNorm" not in name for name in decayed)
    assert all(name.endswith("bias") or "LayerNorm" in name for name in spared)
    groups = loop.make_optimizer(model, quick_plan(weight_decay=0.3, optimizer="sgd"))
    assert isinstance(groups, torch.optim.SGD) and [
        g["weight_decay"] for g in groups.param_groups
    ] == [0.3, 0.0]


def test_recomputing_saves_memory_not_gradients():
    ends, calls = [], []
    for recompute in (False, True):
        model = tiny.model(dropout=0.1)
        calls.append(0)

        def count(*_):
            calls[-1] += 1

        model.encoder.encoder.layer[0].attention.register_forward_hook(count)
        loop.train(model, ROWS, quick_plan(epochs=1, recompute=recompute), VALIDATION)
        ends.append(model)
    assert_close(*ends, atol=1e-6)
    updates = len(batches(len(ROWS.ratings), quick_plan(), 0))
    assert calls[1] - calls[0] == updates  # each update went through the layers once more


def test_a_training_by_tokens_sees_each_row_once_an_epoch(monkeypatch):
    """The batches of an epoch are not equally many in the next one."""
    plan = quick_plan(batch_size=2, batch_tokens=28, epochs=6)
    sizes = [len(order_of(ROWS, plan, epoch)) for epoch in range(6)]
    assert len(set(sizes)) > 1
    rows = []
    rates = []
    update = loop.update

    def watched(run, batch):
        rows.extend(batch)
        rates.append(run.optimizer.param_groups[0]["lr"])
        return update(run, batch)

    monkeypatch.setattr(loop, "update", watched)
    state = loop.train(tiny.model(), ROWS, plan, VALIDATION)
    assert state.step == sum(sizes) and len(state.curves) == 6
    for epoch in np.array(rows).reshape(6, 40):
        assert sorted(epoch) == list(range(40))
    assert min(rates) > 0 and rates == [rate_at(i, sum(sizes), plan) for i in range(sum(sizes))]


def test_a_training_by_tokens_resumes_in_the_middle_of_an_epoch(tmp_path):
    plan = quick_plan(batch_size=2, batch_tokens=28, epochs=6, save_every=1)
    straight = tiny.model(dropout=0.2)
    whole = loop.train(straight, ROWS, plan, VALIDATION)

    def stop(state):
        if state.step == whole.step - 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.train(tiny.model(dropout=0.2), ROWS, plan, VALIDATION, tmp_path, stop)
    model = tiny.model(dropout=0.2)
    assert loop.train(model, ROWS, plan, VALIDATION, tmp_path).curves == whole.curves
    assert_close(model, straight, atol=0)


def test_seconds_of_updates_count_on_over_an_interruption(tmp_path, monkeypatch):
    clock = itertools.count(step=10.0)  # each look at it is ten seconds later
    monkeypatch.setattr(loop.time, "perf_counter", lambda: next(clock))
    plan = quick_plan(epochs=2, save_every=1)

    def stop(state):
        if state.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.train(tiny.model(), ROWS, plan, VALIDATION, tmp_path, stop)
    state = loop.train(tiny.model(), ROWS, plan, VALIDATION, tmp_path)
    # The third update was made, but not saved: it is made and counted again.
    assert state.seconds == 10.0 * state.step


def test_batches_too_small_to_share():
    for changes in (
        {"accumulate": 9},
        {"accumulate": 7, "batch_size": 7},
    ):  # the last batches of 7 have 6 rows
        with pytest.raises(ValueError, match="too small for 1 processes and accumulate") as error:
            loop.train(tiny.model(), ROWS, quick_plan(**changes), VALIDATION)
        assert "\n" not in str(error.value)


# --- what it learns


def test_curves_are_the_losses():
    model = tiny.model(head="classes")
    state = loop.train(
        model, ROWS, quick_plan(learning_rate=1e-12, epochs=2, metric="macro_f1"), VALIDATION
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
def test_training_learns(head):
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
    state = loop.train(model, rows, quick_plan(**settings), validation)
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


def test_behaviour_features_are_trained():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(80, 1))
    rows = Rows([[5, 6, 7]] * 80, np.where(features[:, 0] > 0, 5.0, 1.0), features)
    model = tiny.model(features=1)
    state = loop.train(model, rows, quick_plan(learning_rate=0.02, epochs=6), rows)
    assert state.best < 1.2 < metrics.rmse(rows.ratings, np.full(80, rows.ratings.mean()))
    assert float(model.head.weight[0, -1].detach()) > 0.1


def test_loss_that_is_no_number_ends_with_a_sentence():
    broken = Rows(ROWS.sequences, np.full(40, np.nan))
    with pytest.raises(
        loop.Diverged, match="the loss is nan at learning_rate 0.001; lower it"
    ) as error:
        loop.train(tiny.model(), broken, quick_plan(), VALIDATION)
    assert isinstance(error.value, ValueError)
    assert "\n" not in str(error.value)


def test_model_stays_as_it_was_under_mixed_precision():
    model, twin = tiny.model(), tiny.model()
    before = set(model.__dict__)
    loop.train(model, ROWS, quick_plan(precision="bf16", epochs=1), VALIDATION)
    assert set(model.__dict__) == before and {p.dtype for p in model.parameters()} == {
        torch.float32
    }
    for again in (model, twin):
        again.load_state_dict(tiny.model().state_dict())
    loop.train(model, ROWS, quick_plan(), VALIDATION)
    loop.train(twin, ROWS, quick_plan(), VALIDATION)
    assert all(
        torch.equal(weight, twin.state_dict()[name]) for name, weight in model.state_dict().items()
    )


def test_mixed_precision_follows_full_precision():
    found = [
        loop.train(tiny.model(), ROWS, quick_plan(precision=kind), VALIDATION).curves[-1]
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
def test_early_stopping_and_best_weights(values, patience, epochs, best, monkeypatch):
    middle = Rows(
        VALIDATION.sequences, np.full(11, 2.0)
    )  # so that a prediction above it is not clipped
    seen = scripted(monkeypatch, values)
    model = tiny.model()
    state = loop.train(model, ROWS, quick_plan(epochs=len(values), patience=patience), middle)
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
    state = State(best=best, best_epoch=epoch)
    assert loop.is_better(value, state, quick_plan(metric=metric)) is expected


def test_lower_is_better_names_every_error_metric():
    truth, good, bad = [1, 2, 4, 5, 5], [1, 2, 4, 5, 5], [5, 1, 4, 1, 2]
    for name, metric in metrics.METRICS.items():
        assert (metric(truth, good) < metric(truth, bad)) == (name in loop.LOWER_IS_BETTER), name


def test_undefined_metric_does_not_stop_the_run():
    constant = Rows(VALIDATION.sequences, np.full(11, 3.0))
    state = loop.train(tiny.model(), ROWS, quick_plan(metric="spearman", epochs=2), constant)
    assert [point["validation_spearman"] for point in state.curves] == [
        None,
        None,
    ] and state.best_epoch == 1


def test_without_validation_rows_all_epochs_run_and_the_last_weights_stay():
    model = tiny.model()
    last = {}

    def keep(state):
        last.update({name: weight.clone() for name, weight in model.state_dict().items()})

    state = loop.train(model, ROWS, quick_plan(patience=1), after_epoch=keep)
    assert state.epoch == PLAN["epochs"] and state.finished and state.best_epoch == 0
    assert [sorted(point) for point in state.curves] == [["epoch", "step", "train_loss"]] * 4
    judged = loop.train(tiny.model(), ROWS, quick_plan(), VALIDATION)
    losses = [point["train_loss"] for point in judged.curves]
    assert [point["train_loss"] for point in state.curves] == losses
    assert all(torch.equal(weight, last[name]) for name, weight in model.state_dict().items())


def test_a_folder_changes_nothing_but_what_is_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with_folder = tiny.model(dropout=0.2)
    without = tiny.model(dropout=0.2)
    one = loop.train(with_folder, ROWS, quick_plan(), VALIDATION, tmp_path / "run")
    two = loop.train(without, ROWS, quick_plan(), VALIDATION)
    assert one == two
    assert_close(with_folder, without, atol=0)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_after_an_epoch_its_curve_is_known_and_saved(tmp_path):
    seen = []

    def after_epoch(state):
        saved = sorted(path.name for path in tmp_path.glob("step-*"))
        seen.append((state.epoch, len(state.curves), state.finished, saved))

    loop.train(
        tiny.model(), ROWS, quick_plan(epochs=2), VALIDATION, tmp_path, after_epoch=after_epoch
    )
    assert seen == [
        (1, 1, False, ["step-00000005-0001"]),
        (2, 2, True, ["step-00000010-0002"]),
    ]


# --- TensorBoard


def test_tensorboard_on_request(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    state = loop.train(
        tiny.model(),
        ROWS,
        quick_plan(epochs=2),
        VALIDATION,
        tmp_path / "run",
        tensorboard=tmp_path / "board",
    )
    found = EventAccumulator(str(tmp_path / "board")).Reload()
    for name in ("train_loss", "validation_loss", "validation_rmse"):
        assert [event.value for event in found.Scalars(name)] == pytest.approx(
            [point[name] for point in state.curves]
        )
        assert [event.step for event in found.Scalars(name)] == [5, 10]
    loop.train(tiny.model(), ROWS, quick_plan(epochs=1), VALIDATION)
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
