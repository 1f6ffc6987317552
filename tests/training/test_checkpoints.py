"""Checkpoints: resumed exactly, refused with one sentence, never half written, and never
pickled."""

import ast
import errno
import json

import pytest
import tiny
import torch
from safetensors.torch import load_file
from training_script import quick_plan

from satlib import runtime
from satlib.training import checkpoints, loop
from satlib.training.checkpoints import Checkpoints
from satlib.training.plan import OPTIMIZERS

ROWS, VALIDATION = tiny.rows(40), tiny.rows(11, seed=1)


class Stop(Exception):
    """Ends a training from outside."""


def train(folder, stop=0, model=None, rows=ROWS, validation=VALIDATION, dropout=0.2, **changes):
    """A training that ends at step ``stop``; returns the model."""

    def after_step(state):
        if state.step == stop:
            raise Stop

    model = model or tiny.model(dropout=dropout)
    loop.train(model, rows, quick_plan(**changes), validation, folder, after_step)
    return model


def stopped(folder, stop=8, **more):
    """A folder in which a training was stopped after step 8; its last checkpoint is of step 6."""
    with pytest.raises(Stop):
        train(folder, stop, **more)
    return next(folder.glob("step-*"))


def same(one, other) -> bool:
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def sentence(error) -> str:
    text = str(error.value)
    assert "\n" not in text and len(text) < 700, text
    return text


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return train(tmp_path_factory.mktemp("straight"))


# --- resuming


@pytest.mark.parametrize("stop", [1, 5, 8, 19])
def test_resumed_weights_are_those_of_a_straight_run(stop, straight, tmp_path):
    stopped(tmp_path, stop)
    assert same(train(tmp_path), straight)


@pytest.mark.parametrize("stop", [1, 8])
def test_the_same_model_object_may_go_on(stop, straight, tmp_path):
    model = tiny.model(dropout=0.2)
    stopped(tmp_path, stop, model=model)
    assert not same(model, straight)
    assert same(train(tmp_path, model=model), straight)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resume_with_each_optimizer(optimizer, tmp_path):
    stopped(tmp_path / "a", optimizer=optimizer)
    assert same(
        train(tmp_path / "a", optimizer=optimizer), train(tmp_path / "b", optimizer=optimizer)
    )


def test_an_update_cut_in_the_middle_leaves_no_gradient(straight, tmp_path, monkeypatch):
    model, calls, collate = tiny.model(dropout=0.2), [], loop.collate

    def interrupted(*given):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return collate(*given)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "collate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "a", model=model, accumulate=2)
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert same(
        train(tmp_path / "a", model=model, accumulate=2), train(tmp_path / "b", accumulate=2)
    )


def test_a_finished_run_is_not_repeated(straight, tmp_path):
    train(tmp_path)
    assert same(train(tmp_path, stop=1), straight)  # would raise Stop if it made a step


def test_only_the_newest_checkpoint_and_the_best_weights_stay(tmp_path):
    train(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.safetensors",
        "step-00000020-0004",
    ]
    newest = tmp_path / "step-00000020-0004"
    assert sorted(path.name for path in newest.iterdir()) == ["state.json", "state.safetensors"]
    state = json.loads((newest / "state.json").read_text())["state"]
    assert state["finished"] and state["step"] == 20 and len(state["curves"]) == 4


def test_rests_of_a_killed_write_are_removed(straight, tmp_path):
    stopped(tmp_path)
    (tmp_path / "step-00000009-0001.part").mkdir()
    (tmp_path / "step-00000009-0001.part" / "state.safetensors").write_bytes(b"half")
    (tmp_path / ".best.safetensors.x1.part").write_bytes(b"half")
    assert same(train(tmp_path), straight)
    assert len(list(tmp_path.iterdir())) == 2


# --- what is refused


@pytest.mark.parametrize(
    "change, words",
    [
        ({"learning_rate": 2e-3}, "learning_rate is 0.001 there and 0.002 here"),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"rows": tiny.rows(40, seed=5)}, "data is"),
        ({"validation": tiny.rows(11, seed=5)}, "data is"),
        ({"model": tiny.model(head="classes")}, "model is"),
        ({"model": tiny.model(pooling="cls")}, "model is"),
        ({"precision": "bf16"}, "precision is fp32 there and bf16 here"),
    ],
)
def test_checkpoint_of_another_run(change, words, tmp_path):
    found = stopped(tmp_path)
    before = {path: path.read_bytes() for path in found.iterdir()}
    with pytest.raises(ValueError, match=f"belongs to another run .*{words}") as error:
        train(tmp_path, **change)
    assert str(found) in sentence(error)
    assert before == {path: path.read_bytes() for path in found.iterdir()}


@pytest.mark.parametrize(
    "name, damage",
    [
        ("state.safetensors", lambda raw: raw[: len(raw) // 2]),
        ("state.safetensors", lambda raw: b""),
        ("state.safetensors", None),
        ("state.json", lambda raw: raw[: len(raw) // 2]),
        ("state.json", None),
    ],
)
def test_damaged_checkpoint(name, damage, tmp_path):
    path = stopped(tmp_path) / name
    path.write_bytes(damage(path.read_bytes())) if damage else path.unlink()
    with pytest.raises((ValueError, FileNotFoundError), match=name) as error:
        train(tmp_path)
    sentence(error)


def test_damaged_best_weights(tmp_path):
    train(tmp_path)
    (tmp_path / "best.safetensors").write_bytes(b"x" * 99)
    with pytest.raises(ValueError, match="best.safetensors cannot be read") as error:
        train(tmp_path)
    sentence(error)


# --- a full disk


def test_full_disk_keeps_the_former_checkpoint(straight, tmp_path, monkeypatch):
    write = checkpoints.save_file

    def full(tensors, path):
        if "00000009" in str(path):
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        write(tensors, path)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save_file", full)
        with pytest.raises(
            OSError, match="cannot write the checkpoint .*No space left.*the run resumes"
        ) as error:
            train(tmp_path)
    sentence(error)
    assert error.value.errno == errno.ENOSPC
    assert {path.name for path in tmp_path.iterdir()} == {"best.safetensors", "step-00000006-0001"}
    assert same(train(tmp_path), straight)


def test_full_disk_for_the_best_weights(straight, tmp_path, monkeypatch):
    def full(tensors, path):
        raise OSError(errno.ENOSPC, "No space left on device")

    stopped(tmp_path, 3)
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", lambda self, state: None)
        patch.setattr(checkpoints, "save_file", full)
        with pytest.raises(
            OSError, match="cannot write .*best.safetensors: No space left"
        ) as error:
            train(tmp_path)
    sentence(error)
    assert not list(tmp_path.glob("*.part")) and same(train(tmp_path), straight)


def test_a_write_that_the_system_refuses(tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match="cannot write the checkpoint .*File too large") as error:
            train(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    sentence(error)
    assert error.value.errno == errno.EFBIG
    assert [path.name for path in tmp_path.iterdir()] == [
        "step-00000000-0000"
    ]  # small: Adam had no moments yet


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="cannot write the checkpoint") as error:
        train(tmp_path / "file" / "run")
    sentence(error)


# --- pieces


def test_write_folder_then_read(tmp_path):
    tensors = {
        "model/a": torch.arange(6.0).reshape(2, 3).T,
        "generators": torch.zeros(1, 4, dtype=torch.uint8),
    }
    (tmp_path / "step-00000001-0000").mkdir()
    checkpoints.write_folder(tmp_path / "step-00000002-0000", tensors, {"state": {}})
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000002-0000"]
    found = checkpoints.read_tensors(tmp_path / "step-00000002-0000" / "state.safetensors")
    assert all(torch.equal(found[name], value) for name, value in tensors.items())
    assert checkpoints.without("model", found).keys() == {"a"}


def test_random_state_comes_back():
    state = checkpoints.random_state(torch.device("cpu"))
    one = torch.rand(5)
    of_two_processes = torch.stack(
        [torch.zeros_like(state), state]
    )  # a view of the second: torch crashed on it
    for given in (state, of_two_processes[1]):
        checkpoints.restore_random(given, torch.device("cpu"))
        assert torch.equal(one, torch.rand(5))


def test_checkpoints_are_plain_tensors_and_json(tmp_path):
    found = stopped(tmp_path)
    tensors = load_file(found / "state.safetensors")
    assert {name.split("/")[0] for name in tensors} == {"model", "optimizer", "generators"}
    weights = tiny.model().state_dict()
    assert {
        name.removeprefix("model/") for name in tensors if name.startswith("model/")
    } == weights.keys()
    moments = {name.split("|")[1] for name in tensors if "|" in name}
    assert moments == {"step", "exp_avg", "exp_avg_sq"}


def test_no_module_unpickles_or_runs_foreign_code():
    forbidden = {
        "pickle",
        "joblib",
        "dill",
        "cloudpickle",
        "shelve",
        "trust_remote_code",
        "allow_pickle",
    }
    for path in sorted(runtime.PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = {
                alias.name.split(".")[0]
                for alias in getattr(node, "names", [])
                if isinstance(alias, ast.alias)
            }
            names |= {
                getattr(node, "module", None),
                getattr(node, "id", None),
                getattr(node, "arg", None),
            }
            if isinstance(node, ast.Attribute):
                names |= {node.attr}
                owner = getattr(node.value, "id", "")
                assert (owner, node.attr) not in {("torch", "load"), ("torch", "save")}, (
                    f"{path.name}:{node.lineno}"
                )
            assert not names & forbidden, (
                f"{path.name}:{getattr(node, 'lineno', '')} {names & forbidden}"
            )
