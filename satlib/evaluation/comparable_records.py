"""The run records that may be compared: found, refused where their protocols differ, and lined up
in one order.

Comparison, calibration and report all start here, so they speak of the same records in the same
order.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from satlib import plots, records, runtime
from satlib.records import RunRecord

# Model, in the order of all tables -> its colour and marker in all figures: numbers in
# plots.PALETTE and plots.MARKERS.
LOOKS = {
    "mean": (6, 6), "majority": (5, 5), "biases": (5, 2), "matrix-factorisation": (3, 2), "trees": (1, 3),
    "naive-bayes": (3, 5), "tfidf-logistic": (2, 5), "tfidf-ridge": (2, 2), "onehot-linear": (2, 6),
    "embeddings-ridge": (4, 2), "gru": (5, 0), "bert-before": (4, 4), "bert-after": (0, 0),
    "frozen-behaviour": (4, 1), "bert-behaviour": (0, 1), "oracle": (3, 3),
}  # fmt: skip
MODELS = tuple(LOOKS)
# What the report draws, one model of a family:
DRAWN = (
    "mean",
    "biases",
    "trees",
    "tfidf-ridge",
    "bert-before",
    "bert-after",
    "bert-behaviour",
    "oracle",
)
REQUIRED = ("mean", "tfidf-ridge", "bert-before", "bert-after")
RIDGE, BEFORE, AFTER = REQUIRED[1:]
TREES, BOTH = "trees", "bert-behaviour"  # behaviour without text, and text with behaviour
OWN, COMMITTED = "the records that lessons 32 and 43 wrote", "the records committed with the kit"


def find(dataset: str, profile: str, runs: str = "") -> tuple[list[RunRecord], str]:
    """Comparable records of one data set and profile, in the order of MODELS, and in words where
    they come from.

    runs: a folder of records; "" takes the cache where every model of REQUIRED is there, else the
    committed records. Raises FileNotFoundError where there is none, ValueError where they may not
    be compared.
    """
    own = records.load_all(runtime.runs_folder(runs), dataset, profile)
    committed = [] if runs else load_committed(dataset, profile)
    complete = set(REQUIRED) <= {r.model for r in own}
    found, words = (own, OWN) if runs or complete or not committed else (committed, COMMITTED)
    if not found:
        raise FileNotFoundError(
            f"no run record of {dataset!r} with the profile {profile!r} in {runs or 'the cache'}; "
            "run lessons 32 and 43 with the same parameters first"
        )
    return comparable(found), words


def load_committed(dataset: str, profile: str, study: str = "") -> list[RunRecord]:
    """The records of one data set and profile that are committed with the kit, or of one study; may
    be none."""
    return records.load_all(runtime.data_folder() / "runs" / study, dataset, profile)


def comparable(found: Sequence[RunRecord]) -> list[RunRecord]:
    """The records in the order of MODELS; ValueError where their data, split, data set or profile
    differ."""
    for name in ("dataset", "profile", "data_sha256", "split_sha256"):
        values = {getattr(record, name): record.name for record in found}
        if len(values) > 1:
            one, other = list(values.values())[:2]
            raise ValueError(
                f"{one} and {other} differ in {name}, and numbers of different protocols never share a "
                "ranking; run the lessons of both again with the same parameters"
            )
    return sorted(found, key=lambda r: ((*MODELS, r.model).index(r.model), r.model, r.seed))


def models(found: Sequence[RunRecord]) -> list[str]:
    """The models of the records, each once, in the order of the records."""
    return list(dict.fromkeys(record.model for record in found))


def predictions(found: Sequence[RunRecord], model: str, part: str = "test") -> pd.DataFrame:
    """Columns seed, id, group, domain, rating, predicted: the examples of a part once for every
    seed of the model.

    Where a record has no domains, all rows have the data set's name.
    """
    names = ["id", "group", "domain", "rating", "predicted"]
    frames = [
        pd.DataFrame({name: r.predictions[part].get(name, r.dataset) for name in names}).assign(
            seed=r.seed
        )
        for r in found
        if r.model == model and part in r.predictions
    ]
    if not frames:
        there = ", ".join(sorted({r.model for r in found}))
        raise ValueError(f"no record of {model!r} with {part} predictions; choose one of {there}")
    return pd.concat(frames, ignore_index=True)


def blend(found: Sequence[RunRecord], members: Sequence[str], name: str) -> RunRecord:
    """A record whose predictions are the mean of those of the member models (each over its seeds);
    without rows.

    Raises ValueError where the members were judged on different examples.
    """
    own = [r for r in comparable(found) if r.model in members]
    made = (
        RunRecord(
            name,
            own[0].dataset,
            own[0].profile,
            0,
            own[0].data_sha256,
            own[0].split_sha256,
            {"members": list(members)},
        )
        if own
        else None
    )
    for part in own[0].predictions if own else ():
        sides = [predictions(own, member, part) for member in members]
        ids = [side.loc[side["seed"] == side["seed"].iloc[0], "id"].tolist() for side in sides]
        if any(other != ids[0] for other in ids):
            raise ValueError(
                f"{' and '.join(members)} were judged on different {part} examples; run both again"
            )
        mean = np.mean(
            [side.groupby("id", sort=False)["predicted"].mean().to_numpy() for side in sides],
            axis=0,
        )
        made.predictions[part] = own[0].predictions[part] | {"predicted": mean.round(4).tolist()}
    if made is None:
        raise ValueError(f"no record of any of {', '.join(members)}; run their lessons first")
    return made


def look(model: str) -> tuple[str, str]:
    """Colour and marker of a model, the same in all figures."""
    colour, marker = LOOKS.get(model, (1, 0))
    return plots.PALETTE[colour], plots.MARKERS[marker]
