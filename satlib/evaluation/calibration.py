"""Do probabilities come true? Reliability diagrams, expected calibration error, Brier score, and
calibrated ratings.

A model that gives a distribution over the ratings 1..5 answers many questions at once. Each
question has an outcome, 0 or 1 for every example, and a chance, the probability that the model gave
to 1: "is the user satisfied?", "is the rating 3?", "is it at most 3?". ``recalibration`` repairs
what is measured here, ``abstention`` makes use of it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from satlib import runtime
from satlib.data import labels
from satlib.data.labels import SATISFIED, STAR_VALUES
from satlib.evaluation import metrics

RULES = ("width", "size")  # bins of equal width in probability, or of about equally many examples
KINDS = ("class", "cumulative")
# Records keep four decimals of a probability: a stored 0 is anything below this, and is read as
# this.
FLOOR = 5e-5


def _pair(outcome: Sequence[float], chance: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    outcome = np.asarray(outcome, dtype=float)
    chance = np.asarray(chance, dtype=float)
    if outcome.shape != chance.shape or outcome.ndim != 1 or not outcome.size:
        raise ValueError(
            f"outcome has the shape {outcome.shape} and chance {chance.shape}; "
            "give one probability for each outcome, and at least one"
        )
    is_outcome = np.isin(outcome, (0, 1))
    if not is_outcome.all():
        raise ValueError(f"an outcome is {outcome[~is_outcome][0]}; give 0 or 1, or True or False")
    is_probability = (chance >= 0) & (chance <= 1)
    if not is_probability.all():
        raise ValueError(f"a chance is {chance[~is_probability][0]}; a probability lies in [0, 1]")
    return outcome, chance


def checked(distribution) -> np.ndarray:
    """Probabilities [N, 5] of the ratings 1..5, each row scaled to the sum 1, from which rounding
    may take it away."""
    p = np.asarray(distribution, dtype=float)
    if p.ndim != 2 or p.shape[1] != metrics.N_CLASSES or not len(p):
        raise ValueError(
            f"distribution has the shape {p.shape}; give [N, {metrics.N_CLASSES}] probabilities"
        )
    total = p.sum(axis=1, keepdims=True)
    if not ((p >= 0).all() and np.allclose(total, 1, atol=2e-3)):
        raise ValueError(
            "a distribution has a negative entry or does not add up to 1; give probabilities, "
            "not logits"
        )
    return p / total


def logits(distribution) -> np.ndarray:
    """Logits [N, 5] that a softmax turns into the distribution: the logarithms, of FLOOR where a
    probability is 0."""
    p = checked(distribution)
    return np.log(np.where(p > 0, p, FLOOR))


def satisfied(distribution) -> np.ndarray:
    """Chance [N] of a satisfied user: the probabilities of the ratings 4 and 5 together."""
    p = checked(distribution)
    return np.minimum(p[:, STAR_VALUES >= SATISFIED].sum(axis=1), 1)


def is_satisfied(rating: Sequence[float]) -> np.ndarray:
    """Outcome [N] that goes with ``satisfied``: whether the rating is that of a satisfied user, as
    ``labels.satisfied`` defines it (so a 3.5 counts as 4)."""
    return labels.satisfied(rating) == 1


def questions(rating: Sequence[float], distribution, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and chances of all questions of a kind: class [N, 5], "is it k?"; cumulative [N, 4],
    "is it at most k?"."""
    runtime.one_of("kind", kind, KINDS)
    p = checked(distribution)
    rated = metrics.classes(rating)[:, None]
    if len(rated) != len(p):
        raise ValueError(f"{len(rated)} ratings but {len(p)} distributions; give one for each")
    if kind == "class":
        return (rated == STAR_VALUES).astype(float), p
    # "At most 5?" is no question: everybody says yes.
    at_most = np.cumsum(p, axis=1)[:, :-1]
    return (rated <= STAR_VALUES[:-1]).astype(float), np.minimum(at_most, 1)


def _bin_of(chance: np.ndarray, bins: int, rule: str) -> np.ndarray:
    """Number of each example's bin. A chance on an edge belongs below it; equal chances are never
    cut apart."""
    runtime.one_of("rule", rule, RULES)
    if bins < 1:
        raise ValueError(f"bins = {bins}; give at least 1")
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    if rule == "size":
        inner = np.unique(np.quantile(chance, inner))
    return np.digitize(chance, inner, right=True)


def reliability(
    outcome: Sequence[float],
    chance: Sequence[float],
    groups: Sequence,
    bins: int = 10,
    rule: str = "width",
) -> pd.DataFrame:
    """The reliability diagram, one row a bin that holds examples: predicted, observed, low, high,
    n.

    predicted and observed are the mean chance and the share of ones. low and high bound the share
    by Wilson's interval for as many draws as there are groups of equal size in the bin (n^2 / sum
    of squared sizes, Kish 1965), which stays on the safe side where rows of one user are alike.
    ``groups=range(n)`` takes rows as independent. Source of the interval, which is never empty at
    0 or 1: Wilson, JASA 22(158), 1927.
    """
    outcome, chance = _pair(outcome, chance)
    if len(groups) != len(outcome):
        raise ValueError(
            f"{len(outcome)} outcomes but {len(groups)} groups; give the group of every example"
        )
    frame = pd.DataFrame(
        {"bin": _bin_of(chance, bins, rule), "outcome": outcome, "chance": chance, "group": groups}
    )
    rows = []
    for _, own in frame.groupby("bin"):
        low, high = _interval_of_share(own)
        rows.append(
            {
                "predicted": own["chance"].mean(),
                "observed": own["outcome"].mean(),
                "low": low,
                "high": high,
                "n": len(own),
            }
        )
    return pd.DataFrame(rows)


def _interval_of_share(rows: pd.DataFrame) -> tuple[float, float]:
    from statsmodels.stats.proportion import proportion_confint

    sizes = rows["group"].value_counts().to_numpy()
    draws = len(rows) ** 2 / (sizes**2).sum()
    ones = rows["outcome"].mean() * draws
    return proportion_confint(ones, draws, method="wilson")


def ece(
    outcome: Sequence[float], chance: Sequence[float], bins: int = 10, rule: str = "width"
) -> float:
    """Expected calibration error: mean distance of predicted and observed over the bins, weighted
    by their size.

    Biased upwards on a finite sample (``ece_if_calibrated``). Source: Guo et al., ICML 2017,
    equation 3.
    """
    outcome, chance = _pair(outcome, chance)
    # The distance of the two means of a bin, times its size, is the distance of the two sums.
    gaps = np.bincount(_bin_of(chance, bins, rule), weights=chance - outcome)
    return float(np.abs(gaps).sum() / len(outcome))


def ece_if_calibrated(
    chance: Sequence[float],
    bins: int = 10,
    rule: str = "width",
    draws: int = 200,
    rng: np.random.Generator | int = 0,
) -> np.ndarray:
    """ECE [draws] that these chances would show if each came true with exactly its own probability.

    The outcomes are drawn independently. Source: consistency resampling, Broecker and Smith,
    Weather and Forecasting 22(3), 2007.
    """
    rng = np.random.default_rng(rng)
    _, chance = _pair(np.zeros(len(chance)), chance)
    errors = []
    for _ in range(draws):
        outcome = rng.random(len(chance)) < chance
        errors.append(ece(outcome, chance, bins, rule))
    return np.array(errors)


def brier(outcome: Sequence[float], chance: Sequence[float]) -> float:
    """Mean squared distance of chance and outcome, 0 to 1. Source: Brier, Monthly Weather Review
    78(1), 1950."""
    outcome, chance = _pair(outcome, chance)
    return float(np.mean((chance - outcome) ** 2))


def brier_parts(
    outcome: Sequence[float], chance: Sequence[float], bins: int = 10, rule: str = "width"
) -> dict[str, float]:
    """Murphy's parts: brier = reliability - resolution + uncertainty + within, exactly.

    reliability: squared distance of predicted and observed over the bins; 0 is best. resolution:
    variance of observed over the bins; more is better. uncertainty: variance of the outcome.
    within: what goes on inside the bins, 0 where all chances of a bin are equal. Sources: Murphy,
    Journal of Applied Meteorology 12(4), 1973; Stephenson et al., Weather and Forecasting 23(4),
    2008.
    """
    outcome, chance = _pair(outcome, chance)
    number = _bin_of(chance, bins, rule)
    size = np.maximum(np.bincount(number), 1)  # an empty bin belongs to no example
    # Of each example [N] the mean chance of its bin and the share of ones there:
    predicted = np.bincount(number, weights=chance)[number] / size[number]
    observed = np.bincount(number, weights=outcome)[number] / size[number]
    share = outcome.mean()
    within = (chance - outcome) ** 2 - (predicted - outcome) ** 2
    return {
        "brier": brier(outcome, chance),
        "reliability": float(np.mean((predicted - observed) ** 2)),
        "resolution": float(np.mean((observed - share) ** 2)),
        "uncertainty": float(share * (1 - share)),
        "within": float(np.mean(within)),
    }


def log_loss(rating: Sequence[float], distribution) -> float:
    """Mean of -log of the probability given to the rating's class, in nats; a 0 is read as
    FLOOR."""
    outcome, _ = questions(rating, distribution, "class")
    return float(-np.mean((outcome * logits(distribution)).sum(axis=1)))


def rps(rating: Sequence[float], distribution) -> float:
    """Ranked probability score: the mean Brier score of the four questions "at most k?"; it knows
    the stars' order.

    Source: Epstein, Journal of Applied Meteorology 8(6), 1969, with the sum over k divided by 4.
    """
    outcome, chance = questions(rating, distribution, "cumulative")
    return float(np.mean((chance - outcome) ** 2))


def coverage(rating: Sequence[float], distribution, level: float = 0.8) -> tuple[float, float]:
    """Central intervals of at least ``level``: the mean probability inside them, and the share of
    ratings inside.

    Ratings are whole, so an interval holds more than ``level``; a calibrated model meets the first
    number.
    """
    if not 0 < level < 1:
        raise ValueError(f"level = {level}; give a share between 0 and 1")
    outcome, p = questions(rating, distribution, "class")
    up_to = np.cumsum(p, axis=1)
    from_on = np.cumsum(p[:, ::-1], axis=1)[:, ::-1]
    # A rating is left out where it and all beyond it have at most this much.
    tail = (1 - level) / 2 + 1e-9
    inside = (up_to > tail) & (from_on > tail)
    claimed = (p * inside).sum(axis=1).mean()
    observed = (outcome * inside).sum(axis=1).mean()
    return float(claimed), float(observed)


def rating_bins(
    rating: Sequence[float],
    predicted: Sequence[float],
    bins: int = 10,
    group: Sequence | None = None,
) -> pd.DataFrame:
    """Examples in ``bins`` bins of equal size by prediction: mean prediction, mean rating, its
    standard error, n.

    group: of every example, a user or a dialogue. The ratings of one group are alike, so the error
    is that of a mean of groups; None: each example stands for itself.
    """
    if not 1 <= bins <= len(rating):
        raise ValueError(f"bins = {bins}; choose 1 to {len(rating)}, the number of examples")
    rating = np.asarray(rating, float)
    predicted = np.asarray(predicted, float)
    if group is None:
        group = range(len(rating))
    _, number = np.unique(np.asarray(group), return_inverse=True)
    by_prediction = np.argsort(predicted, kind="stable")
    table = []
    for rows in np.array_split(by_prediction, bins):
        table.append(
            {
                "predicted": predicted[rows].mean(),
                "rating": rating[rows].mean(),
                "error": _error_of_mean(rating[rows], number[rows]),
                "n": len(rows),
            }
        )
    return pd.DataFrame(table)


def _error_of_mean(values: np.ndarray, group: np.ndarray) -> float:
    """Standard error of the mean of values [n], whose group numbers are ``group`` [n]: what the
    groups' sums of deviations scatter (the cluster-robust error)."""
    sums = np.bincount(group, values - values.mean())
    return float(np.sqrt((sums**2).sum()) / len(values))


def miscalibration(bins: pd.DataFrame) -> float:
    """Mean distance of mean prediction and mean rating over the bins of ``rating_bins``, weighted
    by their size, in stars."""
    distance = (bins["predicted"] - bins["rating"]).abs()
    return float(np.average(distance, weights=bins["n"]))
