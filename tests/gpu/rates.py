"""How fast the device trains and scores, which share of its peak that is, and how much memory it
takes."""

import time
from dataclasses import dataclass

import numpy as np
import torch
import transformers

from satlib.encoding import tokens
from satlib.models import satisfaction_model
from satlib.models.satisfaction_model import SatisfactionConfig, SatisfactionModel
from satlib.training import gpu, loop
from satlib.training.batches import Rows
from satlib.training.plan import Plan
from tests.benchmarks import measure

from . import results

WORDS = 1000  # token ids that the texts are drawn from; the carried encoder knows some thousands
WARM = 5  # updates before those that are timed
SCORED = 64  # batches' worth of texts that are scored


@dataclass(frozen=True)
class Sizes:
    """Of the work: tokens of a text, updates that are timed, texts an update, rows of the square
    matrices that show the peak (0: as many as ``measure`` takes)."""

    length: int = 128
    updates: int = 20
    batches: tuple[int, ...] = (16, 128)
    matrix: int = 0


TINY = Sizes(length=32, updates=2, batches=(4,), matrix=64)


def rates(options) -> None:
    """A row a peak of matrix products in GFLOP/s, then one a model, number format, work and batch.

    peak_share: the operations of the tokens a second over the peak of the same number format.
    memory_mb: the largest memory that torch had allocated on the GPU; on the CPU that of the
    process so far.
    """
    sizes = TINY if options.tiny else Sizes()
    formats = sorted({"fp32", gpu.precision()})
    peaks = {}
    for precision in formats:
        peaks[precision] = measure.product_peak(measure.FORMATS[precision], sizes.matrix)
        row = {"peak": precision, "gflops": round(peaks[precision], 1)}
        results.add(options, "rates", row)
    for name, model in models(options).items():
        model.to(gpu.device())
        for precision in formats:
            for row in rows_of(model, precision, sizes):
                shared = share(row, model, peaks[precision])
                results.add(options, "rates", {"model": name} | row | {"peak_share": shared})
        model.to("cpu")


def models(options) -> dict[str, SatisfactionModel]:
    """The recipe's model, and a BERT of the usual size with random weights."""
    ours, _ = satisfaction_model.build(options.encoder)
    shape = {"num_hidden_layers": 1, "hidden_size": 48} if options.tiny else {}
    base = transformers.BertConfig(**shape).to_dict()
    torch.manual_seed(0)
    return {
        "MiniLM": ours,
        "BERT-base, random weights": SatisfactionModel(SatisfactionConfig(encoder=base)),
    }


def rows_of(model: SatisfactionModel, precision: str, sizes: Sizes) -> list[dict]:
    """A row a size of batch for training, and one for scoring, where satlib chooses the batch."""
    rows = []
    for batch in sizes.batches:
        forget_peak()
        seconds = train(model, precision, batch, sizes)
        rows.append(row_of("train", precision, batch, batch * sizes.updates / seconds, sizes))
    forget_peak()
    count = SCORED * max(sizes.batches)
    rows.append(
        row_of("score", precision, None, count / score(model, precision, count, sizes), sizes)
    )
    return rows


def row_of(work: str, precision: str, batch: int | None, pace: float, sizes: Sizes) -> dict:
    """What was done, how fast, and the memory that it took."""
    return {
        "work": work,
        "precision": precision,
        "batch": batch,
        "tokens": sizes.length,
        "examples_per_s": round(pace, 1),
        "memory_mb": round(measure.peak_memory(), 1),
    }


def train(model: SatisfactionModel, precision: str, batch: int, sizes: Sizes) -> float:
    """Seconds of so many updates, after WARM others."""
    rows = texts(model, batch * (WARM + sizes.updates), sizes)
    ends = []

    def note(state) -> None:  # the loop has waited for the loss of the update
        ends.append(time.perf_counter())

    loop.train(model, rows, Plan(epochs=1, batch_size=batch, precision=precision), after_step=note)
    return ends[-1] - ends[WARM - 1]


def score(model: SatisfactionModel, precision: str, count: int, sizes: Sizes) -> float:
    """Seconds of scoring so many texts, after an eighth of them."""
    rows = texts(model, count, sizes)
    autocast = gpu.autocast_dtype(precision)
    satisfaction_model.run(model, rows.sequences[: count // 8], autocast=autocast)
    begin = time.perf_counter()
    satisfaction_model.run(model, rows.sequences, autocast=autocast)
    return time.perf_counter() - begin


def texts(model: SatisfactionModel, count: int, sizes: Sizes) -> Rows:
    """Random texts, all of the same length."""
    rng = np.random.default_rng(0)
    words = min(WORDS, model.config.encoder["vocab_size"])
    ids = rng.integers(0, words, (count, sizes.length))
    return Rows(ids.tolist(), rng.uniform(1, 5, count))


def forget_peak() -> None:
    """Let the peak of memory begin anew, on a GPU."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def share(row: dict, model: SatisfactionModel, peak: float) -> float:
    """The row's operations a second over the peak in GFLOP/s."""
    shape = model.config.encoder
    forward = tokens.flops(
        row["tokens"], shape["hidden_size"], shape["num_hidden_layers"], shape["intermediate_size"]
    )
    passes = 3 if row["work"] == "train" else 1
    return round(passes * float(forward) * row["examples_per_s"] / 1e9 / peak, 4)
