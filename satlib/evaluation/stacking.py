"""Stacking: a weighted sum of several models' predictions, its weights fitted on validation rows.

The members' validation predictions are those of models that never saw these rows, so they are as
honest as test predictions, and a small regression on them may choose the weights. What the stack
itself predicts for validation rows comes from weights that were fitted on other groups
(cross-fitting); only so may it be compared with its members there.

Source: Wolpert, Stacked generalization, Neural Networks 5(2), 1992; Breiman, Stacked regressions,
Machine Learning 24, 1996 (weights that are not negative).
"""

from collections.abc import Sequence

import numpy as np

from satlib.evaluation import comparable_records
from satlib.records import RunRecord

FOLDS = 5  # of the validation groups; each fold is predicted by weights from the others


def stack(records: Sequence[RunRecord], members: Sequence[str], name: str) -> list[RunRecord]:
    """A record of the stack for every seed of its members, without metric rows.

    members: models with validation and test predictions. A member with one seed joins all seeds of
    the others. The parameters hold the constant and the weight of each member; no prediction lies
    outside the validation ratings. Raises ValueError where a member has no record, lacks a seed of
    the others or was judged on other examples.
    """
    seeds, of_member = _records_by_seed(records, members)
    return [_stacked([of_member[member][seed] for member in members], name, seed) for seed in seeds]


def _records_by_seed(
    records: Sequence[RunRecord], members: Sequence[str]
) -> tuple[list[int], dict[str, dict[int, RunRecord]]]:
    """The seeds of the stack, and member -> seed -> record."""
    own = comparable_records.comparable([r for r in records if r.model in members])
    found = {member: {} for member in members}
    for record in own:
        found[record.model][record.seed] = record
    missing = [member for member in members if not found[member]]
    if missing:
        raise ValueError(f"no record of {' and '.join(missing)}, to be stacked; make it first")
    most = max(found.values(), key=len)
    seeds = sorted(most)
    for member, by_seed in found.items():
        if len(by_seed) == 1:
            (only,) = by_seed.values()
            found[member] = dict.fromkeys(seeds, only)
        elif sorted(by_seed) != seeds:
            raise ValueError(
                f"{member} has the seeds {sorted(by_seed)}, another member {seeds}; train the "
                "same seeds of all members"
            )
    return seeds, found


def _stacked(own: Sequence[RunRecord], name: str, seed: int) -> RunRecord:
    """The record of the stack of these records, one a member."""
    validation = _columns(own, "validation")
    rating = np.array(own[0].predictions["validation"]["rating"])
    _, group = np.unique(own[0].predictions["validation"]["group"], return_inverse=True)
    fitted = fit(validation, rating)
    predicted = {
        "validation": cross_fitted(validation, rating, group),
        "test": combine(_columns(own, "test"), fitted),
    }
    lowest, highest = rating.min(), rating.max()
    parts = {}
    for part, values in predicted.items():
        columns = own[0].predictions[part]
        kept = {key: columns[key] for key in ("id", "group", "domain", "rating") if key in columns}
        clipped = np.clip(values, lowest, highest)
        parts[part] = kept | {"predicted": clipped.round(4).tolist()}
    parameters = {"members": [record.model for record in own], "constant": round(fitted[0], 4)}
    parameters["weights"] = fitted[1:].round(4).tolist()
    counts = {record.parameters.get("train_rows") for record in own}
    if len(counts) == 1 and None not in counts:
        parameters["train_rows"] = counts.pop()
    return RunRecord(
        model=name,
        dataset=own[0].dataset,
        profile=own[0].profile,
        seed=seed,
        data_sha256=own[0].data_sha256,
        split_sha256=own[0].split_sha256,
        parameters=parameters,
        predictions=parts,
    )


def _columns(own: Sequence[RunRecord], part: str) -> np.ndarray:
    """The members' predictions of a part side by side: [N, M]."""
    ids = own[0].predictions[part]["id"]
    for record in own:
        if record.predictions[part]["id"] != ids:
            raise ValueError(
                f"{own[0].model} and {record.model} were judged on different {part} examples; "
                "run both again on the same"
            )
    return np.stack([record.predictions[part]["predicted"] for record in own], axis=1)


def fit(predicted: np.ndarray, rating: np.ndarray) -> np.ndarray:
    """The constant and the weights [1 + M], none of these negative, of the sum of predictions
    [N, M] with the least squared error on ratings [N]."""
    from sklearn.linear_model import LinearRegression

    model = LinearRegression(positive=True).fit(predicted, rating)
    return np.concatenate([[model.intercept_], model.coef_])


def combine(predicted: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """The weighted sum [N] of predictions [N, M], with what ``fit`` gave."""
    return fitted[0] + predicted @ fitted[1:]


def cross_fitted(predicted: np.ndarray, rating: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The stack's predictions [N] of the rows that it was fitted on: each group's by weights from
    the other folds. group: a number for each row."""
    from sklearn.model_selection import GroupKFold

    folds = min(FOLDS, len(np.unique(group)))
    if folds < 2:
        raise ValueError("all validation rows are of one group; weights need at least two groups")
    values = np.empty(len(rating))
    for others, own in GroupKFold(folds).split(predicted, rating, group):
        values[own] = combine(predicted[own], fit(predicted[others], rating[others]))
    return values
