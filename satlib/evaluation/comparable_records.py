"""The run records that may be compared: found, refused where their protocols differ, and lined up
in one order.

Comparison, calibration and report all start here, so they speak of the same records in the same
order.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from satlib import plots, runtime
from satlib.records import RunRecord, load_all

# Model, in the order of all tables -> its colour and marker in all figures: numbers in
# plots.PALETTE and plots.MARKERS.
MODEL_LOOKS = {
    "mean": (6, 6),
    "majority": (5, 5),
    "biases": (5, 2),
    "matrix-factorisation": (3, 2),
    "trees": (1, 3),
    "naive-bayes": (3, 5),
    "tfidf-logistic": (2, 5),
    "tfidf-ridge": (2, 2),
    "chars-ridge": (2, 3),
    "onehot-linear": (2, 6),
    "embeddings-ridge": (4, 2),
    "steps-ridge": (4, 3),
    "chars-steps-ridge": (4, 0),
    "gru": (5, 0),
    "bert-before": (4, 4),
    "bert-after": (0, 0),
    "frozen-behaviour": (4, 1),
    "bert-behaviour": (0, 1),
    "oracle": (3, 3),
}
MODEL_ORDER = tuple(MODEL_LOOKS)
OTHER_LOOK = (1, 0)  # of a model that is not among them

# The models by the part they play in a comparison:
RIDGE = "tfidf-ridge"
BEFORE = "bert-before"
AFTER = "bert-after"
TREES = "trees"  # behaviour without text
FROZEN = "frozen-behaviour"  # text with behaviour, the encoder frozen
BOTH = "bert-behaviour"  # text with behaviour
ORACLE = "oracle"
REQUIRED = ("mean", RIDGE, BEFORE, AFTER)
# What the report draws, one model of a family, beside the best baselines:
DRAWN = ("mean", "biases", TREES, RIDGE, BEFORE, AFTER, FROZEN, BOTH, ORACLE)

# A fine-tuned model -> the same one with a frozen encoder.
FROZEN_TWINS = {AFTER: BEFORE, BOTH: FROZEN}
# How the names of fine-tuned models begin; what follows says how they differ.
FINE_TUNED = tuple(FROZEN_TWINS)
# Models that are fitted without chance, so that every seed gives the same: how their names begin,
# and what they hold.
FITTED = (
    "mean",
    "majority",
    "always-",
    "prior",
    "biases",
    TREES,
    "naive-bayes",
    "onehot-linear",
    "earlier-ratings",
    "text-",
    "random-vector",
    BEFORE,
    FROZEN,
    ORACLE,
)
FITTED_BY = ("-ridge", "-logistic", "-svr")

OWN = "the records that lessons 32 and 43 wrote"
COMMITTED = "the records committed with the kit"
WITH_SEEDS = f"{OWN}, and other seeds of the same trainings that are committed with the kit"


def find(dataset: str, profile: str, runs: str = "") -> tuple[list[RunRecord], str]:
    """Comparable records of one data set and profile, in the order of MODEL_ORDER, and in words
    where they come from.

    runs: a folder of records; "" takes the cache where every model of REQUIRED is there, with the
    committed seeds of the same trainings, else the committed records. Raises FileNotFoundError
    where there is none, ValueError where they may not be compared.
    """
    records = load_all(runtime.runs_folder(runs), dataset, profile)
    words = OWN
    if not runs:
        own_models = {record.model for record in records}
        committed = load_committed(dataset, profile)
        further = _further_seeds(records, committed)
        if committed and not own_models.issuperset(REQUIRED):
            records = committed
            words = COMMITTED
        elif further:
            records = [*records, *further]
            words = WITH_SEEDS
    if not records:
        place = runs if runs else "the cache"
        raise FileNotFoundError(
            f"no run record of {dataset!r} with the profile {profile!r} in {place}; "
            "run lessons 32 and 43 with the same parameters first"
        )
    return comparable(records), words


def _further_seeds(own: Sequence[RunRecord], committed: Sequence[RunRecord]) -> list[RunRecord]:
    """The committed records that are other seeds of an own fine-tuning: same data, split and
    settings."""
    there = {record.name for record in own}
    trainings = [_training(record) for record in own if is_fine_tuned(record)]
    further = []
    for record in committed:
        if record.name not in there and _training(record) in trainings:
            further.append(record)
    return further


def _training(record: RunRecord) -> tuple:
    """What the seeds of one training have in common."""
    settings = {key: value for key, value in record.parameters.items() if key != "best_epoch"}
    return (record.model, record.data_sha256, record.split_sha256, settings)


def load_committed(dataset: str, profile: str, study: str = "") -> list[RunRecord]:
    """The records of one data set and profile that are committed with the kit, or of one study; may
    be none."""
    return load_all(runtime.data_folder() / "runs" / study, dataset, profile)


def comparable(records: Sequence[RunRecord]) -> list[RunRecord]:
    """The records in the order of MODEL_ORDER; ValueError where their data, split, data set or
    profile differ."""
    for field in ("dataset", "profile", "data_sha256", "split_sha256"):
        # Each different value, with the last record that holds it.
        names = {getattr(record, field): record.name for record in records}
        if len(names) > 1:
            one, other, *_ = names.values()
            raise ValueError(
                f"{one} and {other} differ in {field}, and numbers of different protocols never "
                "share a ranking; run the lessons of both again with the same parameters"
            )
    return sorted(records, key=_place)


def _place(record: RunRecord) -> tuple[int, str, int]:
    """Where a record stands: models that are not in MODEL_ORDER come last, by name."""
    model = record.model
    number = MODEL_ORDER.index(model) if model in MODEL_ORDER else len(MODEL_ORDER)
    return (number, model, record.seed)


def models(records: Sequence[RunRecord]) -> list[str]:
    """The models of the records, each once, in the order of the records."""
    return list(dict.fromkeys(record.model for record in records))


def is_fine_tuned(record: RunRecord) -> bool:
    """Whether the encoder was trained on the ratings, or a member of a blend was such a model."""
    names = [record.model, *record.parameters.get("members", ())]
    return any(name.startswith(FINE_TUNED) for name in names)


def is_baseline(record: RunRecord) -> bool:
    """Whether the model is what a fine-tuned one has to beat: any frozen or simple model."""
    return record.model != ORACLE and not is_fine_tuned(record)


def is_fitted(model: str) -> bool:
    """Whether a model is fitted without chance, so that one run is all there is to see.

    A model that is not known here counts as trained by chance, so that a claim on it is not too
    bold.
    """
    return model.startswith(FITTED) or any(learner in model for learner in FITTED_BY)


def training_rows(records: Sequence[RunRecord], model: str) -> int | None:
    """How many rows taught a model; None where its records do not say.

    Raises ValueError where its seeds learned from different numbers of rows.
    """
    counts = {record.parameters.get("train_rows") for record in records if record.model == model}
    if len(counts) > 1:
        numbers = ", ".join(sorted(map(str, counts)))
        raise ValueError(
            f"the seeds of {model} learned from different numbers of rows ({numbers}); "
            "run them again on the same"
        )
    return counts.pop() if counts else None


def predictions(records: Sequence[RunRecord], model: str, part: str = "test") -> pd.DataFrame:
    """Columns seed, id, group, domain, rating, predicted: the examples of a part once for every
    seed of the model.

    Where a record has no domains, all rows have the data set's name.
    """
    frames = []
    for record in records:
        if record.model == model and part in record.predictions:
            frames.append(_frame(record, part))
    if not frames:
        there = ", ".join(sorted(models(records)))
        raise ValueError(f"no record of {model!r} with {part} predictions; choose one of {there}")
    return pd.concat(frames, ignore_index=True)


def _frame(record: RunRecord, part: str) -> pd.DataFrame:
    columns = record.predictions[part]
    return pd.DataFrame(
        {
            "id": columns["id"],
            "group": columns["group"],
            "domain": columns.get("domain", record.dataset),
            "rating": columns["rating"],
            "predicted": columns["predicted"],
            "seed": record.seed,
        }
    )


def blend(records: Sequence[RunRecord], members: Sequence[str], name: str) -> RunRecord:
    """A record whose predictions are the mean of those of the member models (each over its seeds);
    without rows.

    Raises ValueError where the members were judged on different examples.
    """
    own = comparable([record for record in records if record.model in members])
    if not own:
        raise ValueError(f"no record of any of {', '.join(members)}; run their lessons first")
    first = own[0]
    blended = RunRecord(
        model=name,
        dataset=first.dataset,
        profile=first.profile,
        seed=0,
        data_sha256=first.data_sha256,
        split_sha256=first.split_sha256,
        parameters={"members": list(members)},
    )
    counts = {record.parameters.get("train_rows") for record in own}
    if len(counts) == 1 and None not in counts:
        blended.parameters["train_rows"] = counts.pop()
    for part, columns in first.predictions.items():
        mean = _mean_prediction(own, members, part)
        # What only the first member knows, such as its distribution, is not that of the blend.
        kept = {key: columns[key] for key in ("id", "group", "domain", "rating") if key in columns}
        blended.predictions[part] = kept | {"predicted": mean.round(4).tolist()}
    return blended


def _mean_prediction(records: Sequence[RunRecord], members: Sequence[str], part: str) -> np.ndarray:
    """The mean over the members [N] of their predictions, each over its seeds."""
    ids = None
    means = []
    for member in members:
        frame = predictions(records, member, part)
        own_ids = frame.loc[frame["seed"] == frame["seed"].iloc[0], "id"].tolist()
        if ids is None:
            ids = own_ids
        if own_ids != ids:
            raise ValueError(
                f"{' and '.join(members)} were judged on different {part} examples; run both again"
            )
        means.append(frame.groupby("id", sort=False)["predicted"].mean().to_numpy())
    return np.mean(means, axis=0)


def look(model: str) -> tuple[str, str]:
    """Colour and marker of a model, the same in all figures."""
    colour, marker = MODEL_LOOKS.get(model, OTHER_LOOK)
    return plots.PALETTE[colour], plots.MARKERS[marker]
