"""The short training that several tests do; as a script, in processes of its own: killed and
started again, or two at once.

python training_script.py killed FOLDER THREADS DROPOUT MOMENT...
accelerate launch --multi_gpu --num_processes 2 training_script.py together FOLDER
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import tiny
import torch
from safetensors.torch import save_file

from satlib.training import checkpoints, loop
from satlib.training.plan import Plan

STEPS = 20  # 40 rows in batches of 8, four epochs
PLAN = {
    "epochs": 4,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "patience": 0,
    "save_every": 3,
    "precision": "fp32",
}


def quick_plan(**changes) -> Plan:
    """The plan of these trainings, with other values where they are given."""
    return Plan(**{**PLAN, **changes})


def run(folder: Path, after_step=None, dropout: float = 0.0):
    """The training that all of these do; returns model and state."""
    model = tiny.model(dropout=dropout)
    rows = tiny.rows(40)
    validation = tiny.rows(11, seed=1)
    state = loop.train(model, rows, quick_plan(), validation, folder, after_step)
    return model, state


def write(model, state, path: Path) -> None:
    """Weights and curves, for the test to compare."""
    save_file(model.state_dict(), path.with_suffix(".safetensors"))
    path.with_suffix(".json").write_text(json.dumps(state.curves))


def die() -> None:
    """The end that nobody can catch."""
    os.kill(os.getpid(), signal.SIGKILL)


def step_of(path) -> int:
    """Step of a checkpoint's folder, or of a file in it."""
    return next(
        int(part.split("-")[1].removesuffix(".part"))
        for part in Path(path).parts
        if part.startswith("step-")
    )


def die_at(moment: str, at: int):
    """Arrange for the end at the first ``moment`` from step ``at`` on; returns what to call after
    each step."""
    whole = checkpoints.save_file
    rename = os.rename
    replace = os.replace
    rmtree = shutil.rmtree

    def half_a_file(tensors, path):
        whole(tensors, path)
        if Path(path).name == checkpoints.TENSORS and step_of(path) >= at:
            os.truncate(path, os.path.getsize(path) // 2)
            die()

    def half_removed(path, *others, **options):
        if not str(path).endswith(".part") and Path(path).exists() and step_of(path) >= at:
            os.unlink(Path(path) / checkpoints.TENSORS)
            die()
        rmtree(path, *others, **options)

    def before_the_name(old, new):
        if step_of(old) >= at:
            die()
        rename(old, new)

    def before_the_best(old, new):
        if Path(new).name == checkpoints.BEST:
            die()
        replace(old, new)

    if moment == "write":
        checkpoints.save_file = half_a_file
    elif moment == "rename":
        os.rename = before_the_name
    elif moment == "best":
        os.replace = before_the_best
    elif moment == "remove":
        shutil.rmtree = half_removed

    def after_step(state) -> None:
        if moment == "step" and state.step == at:
            die()

    return after_step


def killed(folder: Path, dropout: float, moments: list[str]) -> None:
    """Start the training once for each moment (``write:7``) and end it there; then let it run to
    its end."""
    ends = []
    for moment in [*moments, "never:0"]:
        pid = os.fork()  # nothing has been computed here, so the child may use threads
        if not pid:
            name, at = moment.split(":")
            deadly = die_at(name, int(at))
            log = open(folder / "steps.txt", "a")

            def after_step(state, deadly=deadly, log=log):
                print(state.step, file=log, flush=True)
                deadly(state)

            print("start", file=log, flush=True)
            write(*run(folder / "run", after_step, dropout), folder / "killed")
            os._exit(0)
        ends.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    (folder / "ends.json").write_text(json.dumps(ends))


def together(folder: Path) -> None:
    """Two processes: a run without dropout; with dropout, one that is interrupted and resumed and
    one that is not."""

    def interrupt(state):
        if state.step == 8:
            raise InterruptedError

    model, state = run(folder / "plain")
    main = loop.make_accelerator("fp32").is_main_process
    if main:
        write(model, state, folder / "together")
    try:
        run(folder / "resumed", interrupt, dropout=0.2)
    except InterruptedError:
        pass
    resumed, _ = run(folder / "resumed", dropout=0.2)
    straight, _ = run(folder / "straight", dropout=0.2)
    if main:
        weights = resumed.state_dict()
        expected = straight.state_dict()
        equal = all(torch.equal(weights[name], expected[name]) for name in expected)
        (folder / "equal.json").write_text(json.dumps(equal))


if __name__ == "__main__":
    if sys.argv[1] == "together":
        together(Path(sys.argv[2]))
    else:
        torch.set_num_threads(int(sys.argv[3]))
        killed(Path(sys.argv[2]), float(sys.argv[4]), sys.argv[5:])
