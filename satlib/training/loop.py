"""The training loop, explicit and resumable (article, section 3.2, steps 5 and 6).

``train`` is the page to read. It runs on Hugging Face accelerate, so the same code serves one CPU,
one GPU or several processes. A checkpoint is a folder that appears by one rename; killed at any
moment, the run goes on from the last one, and on a CPU in fp32 it ends with the very weights of an
uninterrupted run.
"""

import math
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import gather_object

from satlib import runtime
from satlib.evaluation import metrics
from satlib.models import cpu_layers, heads, satisfaction_model
from satlib.training.active_rows import ActiveRows, rows_in_use
from satlib.training.batches import Rows, batches, collate
from satlib.training.checkpoints import Checkpoints, fingerprint
from satlib.training.gpu import precision
from satlib.training.plan import Plan, State, rate_at

LOWER_IS_BETTER = ("rmse", "mae", "loss")
HALF = {
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}  # what models.run takes as autocast; fp32 is not in it


def make_optimizer(model: torch.nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """AdamW or SGD; weight decay on matrices only, not on biases and norms (they are vectors)."""
    groups = [
        {
            "params": [p for p in model.parameters() if p.ndim >= 2],
            "weight_decay": plan.weight_decay,
        },
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if plan.optimizer == "adamw" else torch.optim.SGD
    return kind(
        groups, lr=plan.learning_rate, fused=True
    )  # one pass over memory for all steps of the update


def train(
    model: satisfaction_model.SatisfactionModel,
    rows: Rows,
    validation: Rows,
    plan: Plan,
    folder: str | Path,
    after_step: Callable[[State], object] = bool,
    tensorboard: str | Path | None = None,
) -> State:
    """Fine-tune ``model`` in place, leave it with its best weights, and return the final State with
    the curves.

    folder: for checkpoints; a run of the same plan and data found there is resumed, any other is
    refused. after_step: called after each update; the default does nothing. tensorboard: folder of
    event files, on request.
    """
    accelerator = make_accelerator(precision(plan.precision))
    check_size(rows, validation, plan, accelerator.num_processes)
    cpu_layers.recompute(model.encoder, plan.recompute)
    runtime.seed_everything(plan.seed + accelerator.process_index)
    with rows_in_use(model.encoder, rows.sequences, model.pad_id) as table:
        raw = make_optimizer(model, plan)
        step, optimizer = accelerator.prepare(Step(model), raw)
        run = fingerprint(model, rows, validation, plan, accelerator)
        keeper = Checkpoints(folder, model, raw, accelerator, run, State)
        state, writer = keeper.resume(), tensorboard_writer(tensorboard, accelerator)
        while not state.finished:
            model.train()
            todo = batches(len(rows.ratings), plan, state.epoch, rows.lengths)
            for batch in runtime.progress(
                todo[state.step - state.epoch * len(todo) :], f"epoch {state.epoch + 1}"
            ):
                set_rate(raw, table, rate_at(state.step, plan.epochs * len(todo), plan))
                state.loss_sum += update(step, optimizer, accelerator, rows, batch, plan)
                state.step, state.seen = state.step + 1, state.seen + len(batch)
                after_step(state)
                if state.step % plan.save_every == 0:
                    keeper.save(state)
            judge(state, model, accelerator, validation, plan, keeper, writer)
        keeper.restore_best()
    return state


def set_rate(optimizer: torch.optim.Optimizer, table: ActiveRows | None, rate: float) -> None:
    """Set the learning rate of the next update, and do to the token rows at rest what that update
    would do to them."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    if table is not None:
        table.shrink(rate, max(group["weight_decay"] for group in optimizer.param_groups))


class Step(torch.nn.Module):
    """From a batch to its loss: what accelerate wraps and patches, so that the model itself stays
    as it was."""

    def __init__(self, model: satisfaction_model.SatisfactionModel):
        super().__init__()
        self.model = model

    def forward(self, **batch: torch.Tensor) -> torch.Tensor:
        """Mean loss of a batch that ``collate`` made."""
        return self.model(**batch).loss


def check_size(rows: Rows, validation: Rows, plan: Plan, processes: int) -> None:
    """Refuse a plan whose batches cannot be shared among the processes and passes."""
    smallest = min(map(len, batches(len(rows.ratings), plan, 0, rows.lengths)))
    if smallest < processes * plan.accumulate or len(validation.ratings) < processes:
        size = (
            f"batch_tokens {plan.batch_tokens}"
            if plan.batch_tokens
            else f"batch_size {plan.batch_size}"
        )
        raise ValueError(
            f"{size} is too small for {processes} processes and accumulate {plan.accumulate} on "
            f"{len(rows.ratings)} rows ({len(validation.ratings)} to judge by); a pass needs an example"
        )


def make_accelerator(chosen: str) -> Accelerator:
    """An Accelerator for "fp32", "bf16" or "fp16", on the GPU where there is one."""
    AcceleratorState._reset_state()  # it keeps the precision of the first training of a process, a notebook has several
    return Accelerator(
        mixed_precision="no" if chosen == "fp32" else chosen, cpu=not torch.cuda.is_available()
    )


def update(
    step, optimizer, accelerator: Accelerator, rows: Rows, batch: np.ndarray, plan: Plan
) -> float:
    """One update on a batch of row numbers; returns the sum of its losses.

    Each process takes its share of the batch and each pass a share of that; dividing by the size of
    the whole batch makes the gradient the same for any number of processes and passes.
    """
    model = accelerator.unwrap_model(step).model
    mine = batch[accelerator.process_index :: accelerator.num_processes]
    passes, total = (
        np.array_split(mine, plan.accumulate),
        torch.zeros((), device=accelerator.device),
    )
    optimizer.zero_grad()  # here, not at the end: an update that was interrupted leaves gradients behind
    for i, part in enumerate(passes):
        last = i == len(passes) - 1
        with nullcontext() if last else accelerator.no_sync(step):
            loss = step(**collate(rows, part, accelerator.device, model.pad_id)) * len(part)
            # DDP averages over processes, so the sum over them needs their number as a factor.
            accelerator.backward(loss * accelerator.num_processes / len(batch))
            total += loss.detach()
    accelerator.clip_grad_norm_(model.parameters(), plan.clip)
    optimizer.step()
    optimizer.zero_grad()  # and here: the next batch's activations take their place
    loss = float(accelerator.reduce(total, "sum")) / len(batch)
    if not math.isfinite(loss):
        raise ValueError(
            f"the loss is {loss} at learning_rate {plan.learning_rate}; lower it (article: 1e-5 to 5e-5)"
        )
    return loss * len(batch)


def judge(state: State, model, accelerator, validation: Rows, plan: Plan, keeper, writer) -> None:
    """End an epoch: validate, extend the curves, remember the best weights, decide whether to stop,
    save."""
    logits = validation_logits(model, validation, accelerator)
    loss = float(
        heads.loss_of(torch.from_numpy(logits), torch.from_numpy(validation.ratings), model.config)
    )
    predicted = heads.read_logits(logits.astype(float), model.config).rating
    value = (
        loss
        if plan.metric == "loss"
        else metrics.METRICS[plan.metric](validation.ratings, predicted)
    )
    value = (
        None if math.isnan(value) else value
    )  # a correlation with constant predictions, say; JSON has no nan
    state.epoch += 1
    state.curves.append(
        {
            "step": state.step,
            "epoch": state.epoch,
            "train_loss": state.loss_sum / state.seen,
            "validation_loss": loss,
            "validation_rmse": metrics.rmse(validation.ratings, predicted),
            f"validation_{plan.metric}": value,
        }
    )
    state.loss_sum, state.seen = 0.0, 0
    if is_better(value, state, plan):
        state.best, state.best_epoch, state.worse = value, state.epoch, 0
        keeper.save_best()
    else:
        state.worse += 1
    state.finished = state.epoch == plan.epochs or 0 < plan.patience <= state.worse
    if writer is not None:
        for name in ("train_loss", "validation_loss", "validation_rmse"):
            writer.add_scalar(name, state.curves[-1][name], state.step)
        writer.flush()
    keeper.save(state)


def is_better(value: float | None, state: State, plan: Plan) -> bool:
    """Whether this epoch's value beats the best so far; the first epoch always does, an undefined
    value never later."""
    if value is None or state.best is None:
        return state.best_epoch == 0 or value is not None
    return value < state.best if plan.metric in LOWER_IS_BETTER else value > state.best


def validation_logits(model, validation: Rows, accelerator: Accelerator) -> np.ndarray:
    """Logits of the validation rows, each process doing its share, in the same precision as
    training."""
    mine = list(
        range(accelerator.process_index, len(validation.ratings), accelerator.num_processes)
    )
    features = None if validation.features is None else validation.features[mine]
    half = HALF.get(accelerator.mixed_precision)
    logits = satisfaction_model.run(
        model, [validation.sequences[i] for i in mine], features, autocast=half
    )
    pairs = gather_object(list(zip(mine, logits, strict=True)))
    return np.stack([row for _, row in sorted(pairs, key=lambda pair: pair[0])])


def tensorboard_writer(folder: str | Path | None, accelerator: Accelerator):
    """A TensorBoard writer for ``folder``, in the main process; else None."""
    if folder is not None and accelerator.is_main_process:
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(folder))
