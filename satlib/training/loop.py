"""The training loop, explicit and resumable (article, section 3.2, steps 5 and 6).

``train`` is the page to read. It runs on Hugging Face accelerate, so the same code serves one CPU,
one GPU or several processes. A checkpoint is a folder that appears by one rename; killed at any
moment, the run goes on from the last one, and on a CPU in fp32 it ends with the very weights of an
uninterrupted run.
"""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
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
from satlib.training.batches import Rows, collate, order_of
from satlib.training.checkpoints import Checkpoints, Unsaved, fingerprint
from satlib.training.gpu import autocast_dtype, precision
from satlib.training.plan import Plan, State, rate_at

LOWER_IS_BETTER = ("rmse", "mae", "loss")
CURVES = ("train_loss", "validation_loss", "validation_rmse")  # what TensorBoard shows


class Diverged(ValueError):
    """The loss is infinite or no number; the learning rate was too high."""


class BatchLoss(torch.nn.Module):
    """From a batch to its loss: what accelerate wraps and patches, so that the model itself stays
    as it was."""

    def __init__(self, model: satisfaction_model.SatisfactionModel):
        super().__init__()
        self.model = model

    def forward(self, **batch: torch.Tensor) -> torch.Tensor:
        """Mean loss of a batch that ``collate`` made."""
        return self.model(**batch).loss


@dataclass(frozen=True)
class Run:
    """What all updates of one training share.

    table: the token rows in use, or None. optimizer: the bare one; batch_loss, stepper: loss and
    optimizer as accelerate wraps them, for several processes and for 16 bits. batch_pass: see
    ``plain``.
    """

    model: satisfaction_model.SatisfactionModel
    rows: Rows
    plan: Plan
    accelerator: Accelerator
    table: ActiveRows | None
    optimizer: torch.optim.Optimizer
    batch_loss: torch.nn.Module
    stepper: torch.optim.Optimizer
    batch_pass: Callable


def train(
    model: satisfaction_model.SatisfactionModel,
    rows: Rows,
    plan: Plan,
    validation: Rows | None = None,
    folder: str | Path | None = None,
    after_step: Callable[[State], object] | None = None,
    after_epoch: Callable[[State], object] | None = None,
    tensorboard: str | Path | None = None,
    batch_pass: "BatchPass | None" = None,
) -> State:
    """Fine-tune ``model`` in place, leave it with its best weights, and return the final State.

    validation: rows that judge every epoch; without them all epochs run, and the last weights stay.
    folder: for checkpoints; a run of the same plan and data found there is resumed, any other is
    refused. Without a folder nothing is saved. after_step, after_epoch: called after each update,
    and after each epoch that was judged and saved. tensorboard: folder of event files. batch_pass:
    see ``plain``, which stands for None. Raises Diverged where the loss is no number any more.
    """
    accelerator = make_accelerator(precision(plan.precision))
    check_size(rows, validation, plan, accelerator.num_processes)
    cpu_layers.recompute(model.encoder, plan.recompute)
    runtime.seed_everything(plan.seed + accelerator.process_index)
    writer = tensorboard_writer(tensorboard, accelerator)
    with rows_in_use(model.encoder, rows.sequences, model.pad_id) as table:
        run = prepared_run(model, rows, plan, accelerator, table, batch_pass or plain)
        keeper = keeper_of(run, validation, folder)
        state = keeper.resume()
        while not state.finished:
            train_epoch(state, run, keeper, after_step)
            end_epoch(state, measure(run, validation), plan)
            if state.best_epoch == state.epoch:
                keeper.save_best()
            show(writer, state)
            keeper.save(state)
            if after_epoch is not None:
                after_epoch(state)
        if validation is not None:
            keeper.restore_best()
    return state


def prepared_run(
    model: satisfaction_model.SatisfactionModel,
    rows: Rows,
    plan: Plan,
    accelerator: Accelerator,
    table: ActiveRows | None,
    batch_pass: "BatchPass",
) -> Run:
    """The Run of a training, its loss and optimizer wrapped by accelerate."""
    optimizer = make_optimizer(model, plan)
    batch_loss, stepper = accelerator.prepare(BatchLoss(model), optimizer)
    return Run(model, rows, plan, accelerator, table, optimizer, batch_loss, stepper, batch_pass)


def keeper_of(
    run: Run, validation: Rows | None, folder: str | Path | None
) -> Checkpoints | Unsaved:
    """What keeps a run's checkpoints in its folder; without a folder, its best weights only."""
    if folder is None:
        return Unsaved(run.model, State)
    mark = fingerprint(run.model, run.rows, validation, run.plan, run.accelerator)
    if run.batch_pass is not plain:
        mark["batch_pass"] = repr(run.batch_pass)
    return Checkpoints(folder, run.model, run.optimizer, run.accelerator, mark, State)


def train_epoch(
    state: State,
    run: Run,
    keeper: Checkpoints | Unsaved,
    after_step: Callable[[State], object] | None,
) -> None:
    """Make the updates that are left of this epoch, with a checkpoint after every so many."""
    run.model.train()
    # Batches cut by tokens may be more in one epoch than in another.
    updates = [len(order_of(run.rows, run.plan, epoch)) for epoch in range(run.plan.epochs)]
    done = state.step - sum(updates[: state.epoch])  # above 0 where a run was resumed
    order = order_of(run.rows, run.plan, state.epoch)
    for batch in runtime.progress(order[done:], f"epoch {state.epoch + 1}"):
        begun = time.perf_counter()
        set_rate(run, rate_at(state.step, sum(updates), run.plan))
        state.loss_sum += update(run, batch)
        state.seconds += time.perf_counter() - begun
        state.step += 1
        state.seen += len(batch)
        if after_step is not None:
            after_step(state)
        if state.step % run.plan.save_every == 0:
            keeper.save(state)


def make_accelerator(chosen: str) -> Accelerator:
    """An Accelerator for "fp32", "bf16" or "fp16", on the GPU where there is one."""
    # It would keep the precision of the first training of a process, and a notebook has several.
    AcceleratorState._reset_state()
    mixed = "no" if chosen == "fp32" else chosen
    return Accelerator(mixed_precision=mixed, cpu=not torch.cuda.is_available())


def check_size(rows: Rows, validation: Rows | None, plan: Plan, processes: int) -> None:
    """Refuse a plan whose batches cannot be shared among the processes and passes."""
    judged = processes if validation is None else len(validation.ratings)
    smallest = min(len(batch) for batch in order_of(rows, plan, epoch=0))
    if smallest >= processes * plan.accumulate and judged >= processes:
        return
    size = f"batch_size {plan.batch_size}"
    if plan.batch_tokens:
        size = f"batch_tokens {plan.batch_tokens}"
    raise ValueError(
        f"{size} is too small for {processes} processes and accumulate {plan.accumulate} on "
        f"{len(rows.ratings)} rows ({judged} to judge by); a pass needs an example"
    )


def make_optimizer(model: torch.nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """AdamW or SGD; weight decay on matrices only, not on biases and norms (they are vectors)."""
    matrices = [weight for weight in model.parameters() if weight.ndim >= 2]
    vectors = [weight for weight in model.parameters() if weight.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": plan.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if plan.optimizer == "adamw" else torch.optim.SGD
    # Fused: one pass over memory for all steps of the update.
    return kind(groups, lr=plan.learning_rate, fused=True)


def set_rate(run: Run, rate: float) -> None:
    """Set the learning rate of the next update, and do to the token rows at rest what that update
    would do to them."""
    groups = run.optimizer.param_groups
    for group in groups:
        group["lr"] = rate
    if run.table is not None:
        run.table.shrink(rate, max(group["weight_decay"] for group in groups))


def update(run: Run, batch: np.ndarray) -> float:
    """One update on a batch of row numbers; returns the sum of its losses.

    Each process takes its share of the batch and each pass a share of that; dividing by the size of
    the whole batch makes the gradient the same for any number of processes and passes.
    """
    accelerator = run.accelerator
    device = accelerator.device
    share = batch[accelerator.process_index :: accelerator.num_processes]
    passes = np.array_split(share, run.plan.accumulate)
    total = torch.zeros((), device=device)
    run.stepper.zero_grad()  # an update that was interrupted leaves gradients behind
    for number, part in enumerate(passes, start=1):
        inputs = collate(run.rows, part, device, run.model.pad_id)
        # DDP averages over processes, so the sum over them needs their number as a factor.
        weight = len(part) * accelerator.num_processes / len(batch)
        loss = run.batch_pass(run, inputs, weight, last=number == len(passes))
        total += loss * len(part)
    accelerator.clip_grad_norm_(run.model.parameters(), run.plan.clip)
    run.stepper.step()
    run.stepper.zero_grad()  # and here: the next batch's activations take their place
    mean = float(accelerator.reduce(total, "sum")) / len(batch)
    if not math.isfinite(mean):
        raise Diverged(
            f"the loss is {mean} at learning_rate {run.plan.learning_rate}; lower it "
            "(article: 1e-5 to 5e-5)"
        )
    return mean * len(batch)


def plain(run: Run, inputs: dict, weight: float, last: bool) -> torch.Tensor:
    """Add the gradient of a batch's mean loss times ``weight``; return the loss.

    inputs: what ``collate`` made. last: whether it is the last pass before the update; several
    processes exchange their gradients once, in the last one. This is the loop's one hook: whoever
    trains on another loss gives ``train`` a function like this one, which may call this one.
    """
    accelerator = run.accelerator
    with nullcontext() if last else accelerator.no_sync(run.batch_loss):
        loss = run.batch_loss(**inputs)
        accelerator.backward(loss * weight)
    return loss.detach()


BatchPass = Callable[[Run, dict, float, bool], torch.Tensor]


def measure(run: Run, validation: Rows | None) -> dict[str, float | None]:
    """Loss, RMSE and the plan's metric of the validation rows, as the curves hold them; empty
    without such rows.

    An undefined value is None, for JSON has no nan: a correlation with constant predictions, say.
    """
    if validation is None:
        return {}
    config = run.model.config
    logits = validation_logits(run.model, validation, run.accelerator)
    ratings = torch.from_numpy(validation.ratings)
    loss = float(heads.loss_of(torch.from_numpy(logits), ratings, config))
    predicted = heads.read_logits(logits.astype(float), config).rating
    value = loss
    if run.plan.metric != "loss":
        value = metrics.METRICS[run.plan.metric](validation.ratings, predicted)
    measured = {
        "validation_loss": loss,
        "validation_rmse": metrics.rmse(validation.ratings, predicted),
    }
    measured[f"validation_{run.plan.metric}"] = None if math.isnan(value) else value
    return measured


def validation_logits(
    model: satisfaction_model.SatisfactionModel, validation: Rows, accelerator: Accelerator
) -> np.ndarray:
    """Logits of the validation rows, each process doing its share, in the same precision as
    training."""
    count = len(validation.ratings)
    share = list(range(accelerator.process_index, count, accelerator.num_processes))
    sequences = [validation.sequences[row] for row in share]
    features = None if validation.features is None else validation.features[share]
    half = autocast_dtype(accelerator.mixed_precision)
    logits = satisfaction_model.run(model, sequences, features, autocast=half)
    pairs = gather_object(list(zip(share, logits, strict=True)))
    pairs.sort(key=lambda pair: pair[0])
    return np.stack([row for _, row in pairs])


def end_epoch(state: State, measured: dict, plan: Plan) -> None:
    """Count the epoch, extend the curves, and decide whether it is the best so far and whether the
    run is finished.

    measured: what ``measure`` gave, or empty where there are no validation rows.
    """
    state.epoch += 1
    point = {
        "step": state.step,
        "epoch": state.epoch,
        "train_loss": state.loss_sum / state.seen,
    }
    state.curves.append(point | measured)
    state.loss_sum = 0.0
    state.seen = 0
    state.finished = state.epoch == plan.epochs
    if not measured:
        return
    value = measured[f"validation_{plan.metric}"]
    if is_better(value, state, plan):
        state.best = value
        state.best_epoch = state.epoch
        state.worse = 0
    else:
        state.worse += 1
    if 0 < plan.patience <= state.worse:
        state.finished = True


def is_better(value: float | None, state: State, plan: Plan) -> bool:
    """Whether this epoch's value beats the best so far; the first epoch always does, an undefined
    value never later."""
    if state.best_epoch == 0:
        return True
    if value is None:
        return False
    if state.best is None:
        return True
    if plan.metric in LOWER_IS_BETTER:
        return value < state.best
    return value > state.best


def tensorboard_writer(folder: str | Path | None, accelerator: Accelerator):
    """A TensorBoard writer for ``folder``, in the main process; else None."""
    if folder is None or not accelerator.is_main_process:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))


def show(writer, state: State) -> None:
    """Write the newest point of the curves for TensorBoard, where there is a writer."""
    if writer is None:
        return
    for name in CURVES:
        if name in state.curves[-1]:
            writer.add_scalar(name, state.curves[-1][name], state.step)
    writer.flush()
