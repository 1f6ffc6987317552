"""Checks of short trainings: number formats, and memory.

All train the recipe on a few rows of satsim.
"""

import gc
import time
from dataclasses import asdict

import torch

from satlib.data.prepared import Prepared, prepare
from satlib.models.satisfaction_model import SatisfactionModel
from satlib.training import finetune, loop
from satlib.training.adversarial import Adversarial
from satlib.training.batches import Rows
from satlib.training.finetune import Settings
from satlib.training.plan import Plan

from . import results

FEW = {"train_rows": 800, "validation_rows": 400, "test_rows": 400}
TINY = {"train_rows": 48, "validation_rows": 24, "test_rows": 24}
TINY_LENGTH = 48  # tokens of a text
# How far 16 bits may be from 32, as a share of the loss: without dropout, after one epoch.
TOLERANCE = 0.05
MOVE = 0.5  # of the words, in the second pass
# Bytes that may stay on the GPU when a training is over and its model is gone.
LEFT = 2**20

NO_GPU = "this machine has no GPU"


def data_of(options) -> Prepared:
    """A few rows of satsim, and very few in a tiny run."""
    return prepare("satsim", **(TINY if options.tiny else FEW))


def settings_of(options, **changes) -> Settings:
    """The recipe with the encoder of this run."""
    length = {"max_length": TINY_LENGTH} if options.tiny else {}
    return Settings(encoder=options.encoder, **length, **changes)


def rows_of(options) -> tuple[Rows, Rows]:
    """A few rows to learn from and to judge by."""
    rows = finetune.encode(data_of(options).parts, settings_of(options))
    return rows["train"], rows["validation"]


def model_of(options, rows: Rows, dropout: bool = True) -> SatisfactionModel:
    """The recipe's model with a fitted head; without dropout where all must be alike."""
    model = finetune.build(settings_of(options), rows, (1.0, 5.0))
    finetune.fit_head(model, rows, strengths=(1.0,))
    if not dropout:
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    return model


def plan_of(options, **changes) -> Plan:
    """The recipe's plan for one epoch, with a checkpoint after every few updates."""
    wanted = asdict(settings_of(options).plan) | {"epochs": 1, "patience": 0}
    return Plan(**wanted | {"save_every": 2 if options.tiny else 20} | changes)


def losses_of(state) -> dict[str, float]:
    """The losses of the last epoch."""
    return {name: state.curves[-1][name] for name in ("train_loss", "validation_loss")}


def difference(losses: dict[str, float], reference: dict[str, float]) -> float:
    """The largest difference of two trainings' losses, as a share of the reference's."""
    shares = [abs(losses[name] / reference[name] - 1) for name in reference]
    return round(max(shares), 6)


# Number formats


def formats(options) -> None:
    """A row a number format and way to train, plain and with moved words: the loss of every update
    is finite, and the losses lie within TOLERANCE of fp32's."""
    rows, validation = rows_of(options)
    for name, batch_pass in (("plain", loop.plain), ("moved words", Adversarial(MOVE))):
        reference = None
        for precision in ("fp32", "bf16", "fp16"):
            about = {"precision": precision, "pass": name}
            if precision == "fp16" and not torch.cuda.is_available():
                # Without its scaler of the losses, which is for a GPU, fp16 is not what is used.
                results.add(options, "formats", about | {results.NOT_MEASURED: NO_GPU})
                continue
            begin = time.perf_counter()
            model = model_of(options, rows, dropout=False)
            plan = plan_of(options, precision=precision)
            # ``Diverged`` ends a training whose loss is no number.
            state = loop.train(model, rows, plan, validation, batch_pass=batch_pass)
            losses = losses_of(state)
            reference = reference or losses
            apart = difference(losses, reference)
            about |= losses | {"apart": apart, "tolerance": TOLERANCE}
            about |= {"seconds": round(time.perf_counter() - begin, 2), "met": apart <= TOLERANCE}
            results.add(options, "formats", about)


# Memory


def memory(options) -> None:
    """A row a way to train long texts: ``accumulate`` and ``recompute`` take less memory than a
    plain training, and nothing of a training stays."""
    if not torch.cuda.is_available():
        # A process on the CPU gives back when it likes: ``make bench`` measures whole processes.
        results.add(options, "memory", {results.NOT_MEASURED: NO_GPU})
        return
    rows, _ = rows_of(options)
    length = settings_of(options).max_length
    long_rows = Rows([(ids * length)[:length] for ids in rows.sequences], rows.ratings)
    memory_of(options, long_rows)  # the first training leaves the work space of the products
    plain, _ = memory_of(options, long_rows)
    for changes in ({}, {"accumulate": 4}, {"recompute": True}):
        used, left = memory_of(options, long_rows, **changes)
        row = {"changed": str(changes), "peak_mb": round(used / 2**20, 1), "left_bytes": left}
        saves = not changes or used < plain
        results.add(options, "memory", row | {"met": saves and left <= LEFT})


def memory_of(options, rows: Rows, **changes) -> tuple[int, int]:
    """Bytes that a training took on the GPU at most, and those that it left behind."""
    gc.collect()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    model = model_of(options, rows)
    loop.train(model, rows, plan_of(options, batch_size=32, **changes))
    used = torch.cuda.max_memory_allocated()
    del model
    gc.collect()
    return used - before, torch.cuda.memory_allocated() - before
