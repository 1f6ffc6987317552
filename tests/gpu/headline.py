"""The headline model, fine-tuned with one seed after another, each judged into a run record.

It is what lesson 43 does with the parameters of its long run on satsim: the recipe's ``Settings``,
and the few values that the long run says otherwise. The records lie apart from those of a
processor: other hardware gives other weights, and the carried weights were rounded.
"""

import time
from dataclasses import asdict
from pathlib import Path

from satlib import runtime, storage
from satlib.data.prepared import Prepared, prepare
from satlib.evaluation import judging, metrics
from satlib.training import finetune, gpu
from satlib.training.finetune import Finetuned
from tests.benchmarks import measure

from . import results
from .checks import TINY, settings_of
from .options import ABOUT
from .rates import forget_peak

MODEL = "bert-after"  # as lesson 43 names it
LONG_RUN = "full/43_training_finetune.yaml"  # its parameters
JUDGED = ("validation", "test")


def headline(options) -> None:
    """A row a seed, as many as the time allows: RMSE before and after fine-tuning, seconds,
    memory."""
    data = prepare("satsim", **(TINY if options.tiny else {}))
    longest = 0.0
    for seed in range(options.seeds):
        begin = time.time()
        # A seed takes about as long as the one before it.
        if options.deadline and begin + longest > options.deadline:
            left = f"seeds {seed} to {options.seeds - 1}"
            row = {"seeds": left, results.NOT_MEASURED: "no time was left"}
            results.add(options, "headline", row)
            return
        results.add(options, "headline", one_seed(options, data, seed))
        longest = max(longest, time.time() - begin)


def one_seed(options, data: Prepared, seed: int) -> dict:
    """Fine-tune with a seed, save the record, give the row."""
    settings = settings_of(options, seed=seed, **long_run())
    rows = finetune.encode(data.parts, settings)
    judged = {part: rows[part] for part in JUDGED}
    forget_peak()
    begin = time.perf_counter()
    done = finetune.finetune(
        rows["train"],
        settings,
        rows["validation"],
        judged=judged,
        before=True,
        scale=data.loaded.scale,
    )
    seconds = time.perf_counter() - begin
    record = judging.judge_and_save(
        MODEL,
        {part: done.after[part].rating for part in JUDGED},
        data,
        profile="tiny" if options.tiny else "full",
        seed=seed,
        runs=str(Path(options.output) / "records"),
        parameters=parameters(options, settings, done) | {"train_rows": len(rows["train"].ratings)},
        curves=done.state.curves,
        seconds=seconds,
    )
    row = {"seed": seed, "best_epoch": done.state.best_epoch, "seconds": round(seconds, 1)}
    for part in JUDGED:
        truth = rows[part].ratings
        row[f"{part}_rmse_before"] = round(metrics.rmse(truth, done.before[part].rating), 4)
        row[f"{part}_rmse"] = round(metrics.rmse(truth, done.after[part].rating), 4)
    return row | {"memory_mb": round(measure.peak_memory(), 1), "record": record.name}


def long_run() -> dict:
    """What lesson 43's long run on satsim says otherwise than the recipe."""
    import yaml

    text = (runtime.notebooks_folder() / LONG_RUN).read_text(encoding="utf-8")
    known = finetune.Settings.__dataclass_fields__
    # The lesson's ``train_rows`` is of the data set: all there as here.
    return {name: value for name, value in yaml.safe_load(text).items() if name in known}


def parameters(options, settings: finetune.Settings, done: Finetuned) -> dict:
    """What the record says of the training: the settings, and what became of them."""
    return asdict(settings) | {
        "encoder": "all-MiniLM-L6-v2",
        "weights": weights(options),
        "parameters": sum(weight.numel() for weight in done.model.parameters()),
        "precision": gpu.precision(settings.precision),
        "features": done.model.config.features,
        "penalty": done.strength,
        "best_epoch": done.state.best_epoch,
        "weight_decay": settings.plan.weight_decay,
        "warmup": settings.plan.warmup,
    }


def weights(options) -> str:
    """How the encoder's weights were stored: as they were published, or as they were carried."""
    about = Path(options.encoder) / ABOUT
    if about.is_file():
        return storage.read_json(about)["weights"]
    return "tiny, random" if options.tiny else "as published"
