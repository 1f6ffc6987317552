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
from satlib.evaluation.comparison import group_draws, holm, two_sided

MEASURES = (
    "error",
    "rmse",
)  # signed error (predicted minus target, above 0: too optimistic), or its root mean square


def attributes(frame: pd.DataFrame, examples: Iterable[Example]) -> pd.DataFrame:
    """``comparable_records.predictions`` with the attributes of the examples beside them, joined by
    id.

    Raises ValueError where an id is not among the examples, as then the corpus is not the one that
    was judged.
    """
    known = {example.id: example.attributes for example in examples}
    missing = [id for id in frame["id"] if id not in known]
    if missing:
        raise ValueError(
            f"{missing[0]!r} is not among the {len(known)} examples; load the corpus that was judged"
        )
    return frame.join(pd.DataFrame([known[id] for id in frame["id"]], index=frame.index))


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
    names, group = np.unique(frame["group"].to_numpy(), return_inverse=True)
    error = (frame["predicted"] - frame[target]).to_numpy(float)
    row = error if measure == "error" else error**2
    weights = np.vstack([np.ones((1, len(names)), int), group_draws(len(names), draws, rng)])
    made = []
    for name in by:
        column = frame[name].to_numpy()
        for value in sorted(set(column)) if len(set(column)) > 1 else ():
            inside = column == value
            here, rest = (_means(row, group, mask, weights, measure) for mask in (inside, ~inside))
            made.append(
                {
                    "attribute": name,
                    "slice": value,
                    "rows": int(inside.sum()),
                    "groups": len(set(group[inside])),
                    **_bounds(here, ""),
                    **_bounds(here - rest, "gap"),
                    "p": two_sided((here - rest)[1:]),
                }
            )
    if not made:
        raise ValueError(
            f"each of {', '.join(by)} has one value only; slice by an attribute with several"
        )
    found = pd.DataFrame(made)
    return found.assign(holm=holm(found["p"]))


def _means(
    row: np.ndarray, group: np.ndarray, mask: np.ndarray, weights: np.ndarray, measure: str
) -> np.ndarray:
    """The measure [draws] over the rows of a mask, in samples that hold each group as often as the
    weights say."""
    count = weights.shape[1]
    total, rows = (
        weights @ np.bincount(group[mask], values, count)
        for values in (row[mask], np.ones(mask.sum()))
    )
    mean = np.divide(total, rows, out=np.full(len(rows), np.nan), where=rows > 0)
    return np.sqrt(mean) if measure == "rmse" else mean


def _bounds(values: np.ndarray, name: str) -> dict[str, float]:
    """Estimate (the first value) and 95 % interval (of the others)."""
    low, high = np.nanquantile(values[1:], bootstrap.BOUNDS)
    prefix = f"{name}_" if name else ""
    return {
        name or "value": float(values[0]),
        f"{prefix}low": float(low),
        f"{prefix}high": float(high),
    }
