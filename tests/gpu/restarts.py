"""Trainings that need processes of their own: one that is killed and resumed, and one that several
processes share."""

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed

from satlib import storage
from satlib.training import gpu, loop
from satlib.training.plan import Plan
from tests import tiny

from . import results
from .checks import NO_GPU, difference, losses_of, model_of, plan_of, rows_of, settings_of

# How far a resumed training may be from one that was never killed, as a share of the way that the
# weights went: a GPU adds in any order, and 16 bits round. Another order of batches or other
# dropout would be about 1.
APART = {"fp32": 0.05, "bf16": 0.25, "fp16": 0.25}
SAME_LOSS = 1e-3  # of one process and of several, as a share


# Killed and resumed


def resume(options) -> None:
    """A row a number format: a training that was killed and resumed, beside one that ran
    through."""
    formats = ["fp32", "fp16" if torch.cuda.is_available() else gpu.precision()]
    if gpu.precision() not in formats:
        formats.append(gpu.precision())
    for precision in dict.fromkeys(formats):
        with tempfile.TemporaryDirectory(prefix="satlib-") as name:
            row = resumed_row(replace(options, precision=precision), Path(name))
        results.add(options, "resume", row)


def resumed_row(options, folder: Path) -> dict:
    """The row of the number format ``options.precision``."""
    words = options.command("killed", folder=str(folder / "run"))
    ended = subprocess.run([sys.executable, *words], env=options.environment())
    if ended.returncode != -signal.SIGKILL:
        raise RuntimeError(
            f"the training that was to be killed ended with status {ended.returncode}"
        )
    rows, _ = rows_of(options)
    start = weights_of(model_of(options, rows))
    resumed = weights_of(recipe_training(options, folder / "run"))
    straight = weights_of(recipe_training(options, folder / "straight"))
    apart = float((resumed - straight).norm() / (straight - start).norm())
    return {
        "precision": options.precision,
        "killed_after": last_update(options),
        "apart": round(apart, 6),
        "tolerance": APART[options.precision],
        "equal": bool(torch.equal(resumed, straight)),
        "met": apart <= APART[options.precision],
    }


def recipe_training(options, folder: str | Path, after_step=None):
    """An epoch of the recipe with checkpoints in the folder; the model."""
    rows, validation = rows_of(options)
    model = model_of(options, rows)
    plan = plan_of(options, precision=options.precision)
    batch_pass = settings_of(options).batch_pass
    loop.train(model, rows, plan, validation, folder, after_step, batch_pass=batch_pass)
    return model


def weights_of(model) -> torch.Tensor:
    """All weights in one vector on the CPU."""
    return torch.cat([weight.detach().cpu().flatten() for weight in model.parameters()])


def last_update(options) -> int:
    """The update after which the training is killed: one more than a checkpoint holds."""
    return plan_of(options).save_every + 1


def killed(options) -> None:
    """The training that ends itself as nobody can catch."""

    def end(state) -> None:
        if state.step == last_update(options):
            os.kill(os.getpid(), signal.SIGKILL)

    recipe_training(options, options.folder, end)


# Shared by several processes


def ddp(options) -> None:
    """A row a way to share a training: one process with the GPU's own exchange (nccl), as many as
    there are GPUs, and two on the processor (gloo); each beside a training alone.

    nccl wants a GPU for every process, so on one GPU there is one: it shows that DDP starts, wraps
    the model and exchanges; that several processes add up, gloo shows.
    """
    gpus = torch.cuda.device_count()
    if gpus:
        results.add(options, "ddp", shared_row(options, 1, {}))
    else:
        results.add(options, "ddp", {"backend": "nccl", results.NOT_MEASURED: NO_GPU})
    if gpus > 1:
        results.add(options, "ddp", shared_row(options, gpus, {}))
    results.add(options, "ddp", shared_row(options, 2, {"CUDA_VISIBLE_DEVICES": ""}))


def shared_row(options, processes: int, environment: dict[str, str]) -> dict:
    """Start so many processes; the row that says whether they learn as one alone does."""
    alone = losses_of(tiny_training())
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
        words = options.command("together", folder=folder)
        subprocess.run(
            [sys.executable, *launch, *words],
            env=options.environment() | {"OMP_NUM_THREADS": "1"} | environment,
            check=True,
        )
        found = storage.read_json(Path(folder) / "found.json")
    apart = difference(found["losses"], alone)
    met = apart <= SAME_LOSS and found["wrapped"] == "DistributedDataParallel"
    row = {"processes": processes, "apart": apart, "tolerance": SAME_LOSS, "met": met}
    return found | row


def together(options) -> None:
    """The training of one of several processes; the first one writes what it found."""
    wrapped = []

    def look(run, inputs, weight, last) -> torch.Tensor:
        wrapped.append(type(run.batch_loss).__name__)
        return loop.plain(run, inputs, weight, last)

    state = tiny_training(look)
    if int(os.environ["RANK"]) == 0:
        found = {
            "backend": torch.distributed.get_backend(),
            "device": gpu.device().type,
            "wrapped": wrapped[0],
            "losses": losses_of(state),
        }
        storage.write_json(Path(options.folder) / "found.json", found)
    torch.distributed.destroy_process_group()


def tiny_training(batch_pass=None):
    """A training of a tiny random BERT in fp32; its state."""
    model = tiny.model().to(gpu.device())
    plan = Plan(epochs=2, batch_size=8, learning_rate=1e-3, precision="fp32")
    return loop.train(model, tiny.rows(40), plan, tiny.rows(16, seed=1), batch_pass=batch_pass)
