"""How many labels a model needs: learning curves, and what a domain without labels costs
(article, 3.3).

The article says that a pretrained model learns from little data, and that it serves many tasks but
may generalise badly. Both are measured here as errors against the number of labelled rows. The
seed of a run draws these rows too, so that the spread over seeds is that of a study done again.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from satlib import record_cache, records, runtime
from satlib.baselines import fitting
from satlib.data import splits
from satlib.data.prepared import Prepared
from satlib.evaluation import judging
from satlib.models.satisfaction_model import SatisfactionModel
from satlib.training import finetune
from satlib.training.batches import Rows

SIZES = (100, 200, 400, 800, 1600, 3200, 0)  # labelled rows; 0: all
TFIDF = "tfidf-ridge"
FROZEN = "frozen"
TUNED = "fine-tuned"
RANDOM = "random-encoder"
MODELS = (TFIDF, FROZEN, TUNED, RANDOM)
METRICS = ("rmse", "spearman")
# A model without pretraining has further to go; the validation rows choose the rate.
RANDOM_RATES = (1e-4, 5e-4)


@dataclass(frozen=True)
class Settings(finetune.Settings):
    """The recipe's settings, and how often few rows are read.

    updates: at least so many, and no more than most_epochs; of many rows the epochs are those of
    the recipe.
    """

    recorded: ClassVar = (
        "updates",
        "most_epochs",
        "epochs",
        "batch_size",
        "learning_rate",
        "max_length",
        "adversarial",
        "precision",
    )
    epochs: int = 3
    updates: int = 150
    most_epochs: int = 10

    def on(self, rows: int) -> "Settings":
        """The settings for so many training rows."""
        updates_of_an_epoch = math.ceil(rows / self.batch_size)
        wanted = math.ceil(self.updates / updates_of_an_epoch)
        return replace(self, epochs=max(self.epochs, min(wanted, self.most_epochs)))


def curve(
    data: Prepared,
    models: Sequence[str],
    sizes: Sequence[int],
    settings: Settings,
    folder: str | Path,
) -> list[records.RunRecord]:
    """A record of every model and number of labelled rows: read where ``folder`` has it, else made.

    sizes: numbers of training rows, drawn by the seed of the settings as ``splits.subset`` draws
    them; 0: all. Numbers that the corpus does not have are left out.
    """
    found = []
    for size in sizes:
        if size > data.sizes["train"]:
            continue
        drawn = data.parts["train"]
        if size:
            drawn = splits.subset({"train": drawn}, train=size, seed=settings.seed)["train"]
        smaller = replace(data, parts=data.parts | {"train": drawn})
        for model in models:
            found.append(complete(smaller, model, f"labels-{len(drawn):05}", settings, folder))
    return found


def without_domain(
    data: Prepared,
    domain: str,
    model: str,
    source_rows: int,
    target_rows: int,
    settings: Settings,
    folder: str | Path,
) -> records.RunRecord:
    """The record of a model that learned from ``source_rows`` rows of all other domains and
    ``target_rows`` of this one, and is judged on this one: read where ``folder`` has it, else made.

    Without rows of the target domain the validation rows are of the other domains too, as nobody
    could have chosen by others. Raises ValueError for a domain that no example has.
    """
    domains = {example.domain for example in data.parts["test"]}
    runtime.one_of("domain", domain, sorted(domains))
    inside, outside = {}, {}
    for part, examples in data.parts.items():
        inside[part] = [example for example in examples if example.domain == domain]
        outside[part] = [example for example in examples if example.domain != domain]
    drawn = splits.subset({"train": outside["train"]}, train=source_rows, seed=settings.seed)
    train = drawn["train"]
    validation = outside["validation"]
    if target_rows:
        drawn = splits.subset({"train": inside["train"]}, train=target_rows, seed=settings.seed)
        train = train + drawn["train"]
        validation = inside["validation"]
    parts = {"train": train, "validation": validation, "test": inside["test"]}
    profile = f"to-{domain}-{target_rows:05}"
    return complete(replace(data, parts=parts), model, profile, settings, folder)


def complete(
    data: Prepared, model: str, profile: str, settings: Settings, folder: str | Path
) -> records.RunRecord:
    """The record of one model on the parts of ``data``: read where ``folder`` has it, else made."""
    runtime.one_of("model", model, MODELS)
    job = {
        "model": model,
        "dataset": data.loaded.name,
        "profile": profile,
        "seed": settings.seed,
        "data_sha256": data.loaded.sha256,
        "split_sha256": data.split_sha256,
    }
    parameters = {"train_rows": data.sizes["train"]}
    if model != TFIDF:
        for name in settings.recorded:
            parameters[name] = getattr(settings, name)

    def make() -> records.RunRecord:
        begun = time.perf_counter()
        predicted, chosen = fit(data, model, settings)
        seconds = time.perf_counter() - begun
        test = data.parts["test"]
        judged = {"test": judging.Judged(test, data.ratings["test"], predicted)}
        return judging.record(job, judged, METRICS, parameters | chosen, seconds=seconds)

    return record_cache.complete(job, parameters, make, folder)


def fit(data: Prepared, model: str, settings: Settings) -> tuple[np.ndarray, dict]:
    """Predicted ratings [N] of the test part, and what the validation part chose."""
    if model == TFIDF:
        fitted = fitting.fit_predict(model, data.loaded, data.parts)
        return fitted.predictions["test"], fitted.settings
    rows = finetune.encode(data.parts, settings)
    known, validation = rows["train"], rows["validation"]
    fitting_settings = settings.on(len(known.ratings))
    if model == FROZEN:
        frozen = finetune.build(settings, known, data.loaded.scale)
        dtype = settings.judging_dtype
        penalty = finetune.fit_head(frozen, known, validation, settings.strengths, dtype)
        predicted = finetune.predict(frozen, {"test": rows["test"]}, settings)
        return predicted["test"].rating, {"penalty": penalty}
    if model == TUNED:
        tuned = trained(rows, fitting_settings, data.loaded.scale)
        return tuned.after["test"].rating, {"best_epoch": tuned.state.best_epoch}
    best = None
    for rate in RANDOM_RATES:
        # Moves along the gradient are sized for the word vectors of a pretrained encoder.
        plainly = replace(fitting_settings, learning_rate=rate, adversarial=0.0)
        start = random_model(plainly, known, data.loaded.scale)
        tuned = trained(rows, plainly, data.loaded.scale, start)
        if best is None or tuned.state.best < best[0].state.best:
            best = (tuned, rate)
    tuned, rate = best
    chosen = {"best_epoch": tuned.state.best_epoch, "rate": rate}
    return tuned.after["test"].rating, chosen


def trained(
    rows: dict[str, Rows],
    settings: Settings,
    scale: tuple[float, float],
    model: SatisfactionModel | None = None,
) -> finetune.Finetuned:
    """The recipe on these rows; see ``finetune.finetune``."""
    return finetune.finetune(
        rows["train"],
        settings,
        rows["validation"],
        judged={"test": rows["test"]},
        model=model,
        scale=scale,
    )


def random_model(settings: Settings, rows: Rows, scale: tuple[float, float]) -> SatisfactionModel:
    """A model of the same form whose encoder has read nothing: all weights drawn by the seed."""
    pretrained = finetune.build(settings, rows, scale)
    torch.manual_seed(settings.seed)
    return SatisfactionModel(pretrained.config).to(pretrained.device)


def labels_needed(sizes: Sequence[int], errors: Sequence[float], error: float) -> float:
    """How many labelled rows a model needs for an error: the curve read horizontally.

    sizes: numbers of rows, rising. errors: the model's error at each. Between two sizes the error
    is taken to fall along a line over the logarithm of the rows, at the first place where the
    curve comes down to ``error``; nan where it never does, and the smallest size where it is there
    from the start.
    """
    if errors[0] <= error:
        return float(sizes[0])
    for place in range(1, len(sizes)):
        above, below = errors[place - 1], errors[place]
        if below <= error:
            share = (above - error) / (above - below)
            logs = np.log(sizes[place - 1 : place + 1])
            return float(np.exp(logs[0] + share * (logs[1] - logs[0])))
    return math.nan
