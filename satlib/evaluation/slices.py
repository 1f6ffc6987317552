"""What a mean over the test part hides: the error of a model in slices by domain, region, age or
any other attribute.

Each slice is set against the rest of the rows, users are drawn whole, and as many slices are looked
at, Holm's correction says which of them would stand out by luck alone.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from satlib import runtime
from satlib.data.interactions import Example
from satlib.evaluation import bootstrap
from satlib.evaluation.comparison import two_sided
from satlib.evaluation.ranking import holm

# Signed error (predicted minus target, above 0: too optimistic), or its root mean square.
MEASURES = ("error", "rmse")


def attributes(frame: pd.DataFrame, examples: Iterable[Example]) -> pd.DataFrame:
    """``comparable_records.predictions`` with the attributes of the examples beside them, joined by
    id.

    Raises ValueError where an id is not among the examples, as then the corpus is not the one that
    was judged.
    """
    known = {example.id: example.attributes for example in examples}
    for id in frame["id"]:
        if id not in known:
            raise ValueError(
                f"{id!r} is not among the {len(known)} examples; load the corpus that was judged"
            )
    beside = pd.DataFrame([known[id] for id in frame["id"]], index=frame.index)
    return frame.join(beside)


def slices(
    frame: pd.DataFrame,
    by: Sequence[str],
    measure: str = "error",
    target: str = "rating",
    draws: int = 2000,
    rng: np.random.Generator | int = 0,
) -> pd.DataFrame:
    """One row a slice: attribute, slice, rows, groups; value, low, high; gap to the rest, gap_low,
    gap_high; p, holm.

    frame: columns group, predicted, the target and those of ``by``. measure: one of MEASURES.
    Intervals hold 95 %, from ``draws`` samples of whole groups. holm: the p-values of the gaps,
    adjusted for the number of slices. An attribute with one value has no rest and is left out.
    """
    runtime.one_of("measure", measure, MEASURES)
    groups, group = np.unique(frame["group"].to_numpy(), return_inverse=True)
    error = (frame["predicted"] - frame[target]).to_numpy(float)
    # The same samples for all slices, so that a slice and the rest are compared within each.
    weights = bootstrap.with_everyone(bootstrap.group_weights(len(groups), draws, rng))
    rows = []
    for attribute in by:
        column = frame[attribute].to_numpy()
        names = sorted(set(column))
        if len(names) < 2:
            continue
        for name in names:
            inside = column == name
            here = _drawn(measure, error[inside], group[inside], weights)
            rest = _drawn(measure, error[~inside], group[~inside], weights)
            size = {"rows": int(inside.sum()), "groups": len(set(group[inside]))}
            rows.append({"attribute": attribute, "slice": name} | size | _compared(here, rest))
    if not rows:
        raise ValueError(
            f"each of {', '.join(by)} has one value only; slice by an attribute with several"
        )
    table = pd.DataFrame(rows)
    return table.assign(holm=holm(table["p"]))


def _drawn(measure: str, error: np.ndarray, group: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The measure [draws] of the errors of some rows, in samples that hold each group as often as
    the weights [draws, G] say; nan in a sample that has none of these rows."""
    groups = weights.shape[1]
    averaged = error**2 if measure == "rmse" else error
    total = weights @ np.bincount(group, averaged, groups)
    # The counts are floats: numpy multiplies matrices of whole numbers far more slowly.
    count = weights @ np.bincount(group, np.ones(len(group)), groups)
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return np.sqrt(mean) if measure == "rmse" else mean


def _compared(here: np.ndarray, rest: np.ndarray) -> dict[str, float]:
    """Value and interval of a slice [1 + draws], and of its gap to the rest, with a p-value."""
    gap = here - rest
    value, low, high = bootstrap.estimate(here)
    gap_value, gap_low, gap_high = bootstrap.estimate(gap)
    return {
        "value": value,
        "low": low,
        "high": high,
        "gap": gap_value,
        "gap_low": gap_low,
        "gap_high": gap_high,
        "p": two_sided(gap[1:]),
    }
