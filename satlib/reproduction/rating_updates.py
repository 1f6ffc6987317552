"""Who is updated while the test runs: biases that take each rating once it has passed, and
behaviour features that take none after the training cut.

Taught with lesson 64. Past-only behaviour features see the test ratings that came earlier; biases
that were learned once see none. A comparison of the two changes the model and the updating at once,
so each is run in the other's way as well. ``fit_by_moment`` asks what features gain from ratings of
the same second, which have no order in time. Source of the biases: Koren, Factor in the neighbors,
ACM TKDD 4(1), 2010, section 2.1.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from satlib.baselines import behaviour, fitting
from satlib.data.interactions import Example
from satlib.data.splits import Parts, in_order, moment
from satlib.evaluation import metrics
from satlib.reproduction.regressors import JUDGED_PARTS

ONLINE = "biases-online"
STATIC = "trees-static"
BY_MOMENT = "trees-by-moment"
UPDATED = {
    "biases": ONLINE,
    STATIC: "trees",
}  # what takes no test rating -> what takes each in turn
# Ratings by part, and what was chosen on validation rows.
Chosen = tuple[dict[str, np.ndarray], dict]


class _Bias:
    """How far the ratings of a user or of an item lie above what was expected, damped."""

    def __init__(self):
        self.total: dict[str, float] = defaultdict(float)
        self.count: dict[str, int] = defaultdict(int)

    def of(self, name: str, damping: float) -> float:
        """The bias of one of them; 0 for the unknown."""
        return self.total[name] / (self.count[name] + damping)

    def add(self, name: str, above: float) -> None:
        """Enter by how much one rating lay above what was expected."""
        self.total[name] += above
        self.count[name] += 1


def online_biases(examples: Sequence[Example], damping: float, middle: float) -> np.ndarray:
    """Ratings [N] predicted from those before each in time, whatever their part: the mean so far,
    plus the item's bias, plus the user's.

    Nothing is trained. A row is predicted first and entered then. middle: what is said before there
    is any rating.
    """
    predicted = np.zeros(len(examples))
    users = _Bias()
    items = _Bias()
    total = 0.0
    for passed, row in enumerate(in_order(examples)):
        example = examples[row]
        mean = total / passed if passed else middle
        of_item = items.of(example.target.text, damping)
        of_user = users.of(example.group, damping)
        predicted[row] = mean + of_item + of_user
        above = example.rating - mean
        items.add(example.target.text, above)
        users.add(example.group, above - of_item)
        total += example.rating
    return predicted


def fit_online(
    examples: Sequence[Example], parts: Parts, scale: tuple[float, float], seed: int = 0
) -> Chosen:
    """``online_biases`` of the judged parts, with the damping that has the lowest validation RMSE
    among those of lesson 32's biases."""
    number = {example.id: row for row, example in enumerate(examples)}
    rows = {}
    for part in JUDGED_PARTS:
        rows[part] = np.array([number[example.id] for example in parts[part]], dtype=int)

    def predict(damping: float) -> dict[str, np.ndarray]:
        predicted = online_biases(examples, damping, middle=sum(scale) / 2)
        return {part: predicted[rows[part]] for part in JUDGED_PARTS}

    return _best(predict, fitting.BASELINES["biases"].tried, parts, scale)


def static_features(parts: Parts, scale: tuple[float, float]) -> dict[str, np.ndarray]:
    """Behaviour features of every part for a system that takes no rating after its training: those
    of a training row from the training rows before it, those of all others from all training rows.
    """
    ledger = behaviour.Ledger(middle=sum(scale) / 2)
    features = {}
    for part in ("train", *JUDGED_PARTS):
        features[part] = np.zeros((len(parts[part]), len(behaviour.NAMES)))
        for row in in_order(parts[part]):
            example = parts[part][row]
            now = moment(example)
            features[part][row] = ledger.look(example, now)
            if part == "train":
                ledger.enter(example, now)
    return features


def fit_static(
    examples: Sequence[Example], parts: Parts, scale: tuple[float, float], seed: int = 0
) -> Chosen:
    """Lesson 33's boosted trees on ``static_features``."""
    return _trees(static_features(parts, scale), parts, scale, seed)


def fit_by_moment(
    examples: Sequence[Example], parts: Parts, scale: tuple[float, float], seed: int = 0
) -> Chosen:
    """Lesson 33's boosted trees on running features that see no rating of their own moment, and the
    share of the test rows that this changes: those that would see one of their user.

    The settings are those that serve the usual features best, so that only what is seen differs.
    """
    _, chosen = _trees(behaviour.by_part(examples, parts, scale), parts, scale, seed)
    apart = behaviour.by_part(examples, parts, scale, by_moment=True)
    settings = {name: chosen[name] for name in fitting.BASELINES["trees"].tried[0]}
    predicted, _ = _trees(apart, parts, scale, seed, tried=[settings])
    company = behaviour.in_company(examples)
    with_company = {row.id for row, seen in zip(examples, company, strict=True) if seen}
    tested = [row.id in with_company for row in parts["test"]]
    return predicted, chosen | {"in_company": round(float(np.mean(tested)), 4)}


def _trees(
    features: dict[str, np.ndarray],
    parts: Parts,
    scale: tuple[float, float],
    seed: int,
    tried: Sequence[dict] = fitting.BASELINES["trees"].tried,
) -> Chosen:
    """Boosted trees on features by part, their settings by the validation RMSE."""
    baseline = fitting.BASELINES["trees"]
    ratings = np.array([example.rating for example in parts["train"]])

    def predict(**settings) -> dict[str, np.ndarray]:
        ((_, model),) = baseline.learn(features["train"], ratings, seed=seed, **settings)
        return {part: model(features[part]) for part in JUDGED_PARTS}

    return _best(predict, tried, parts, scale)


MODELS: dict[str, Callable[..., Chosen]] = {
    ONLINE: fit_online,
    STATIC: fit_static,
    BY_MOMENT: fit_by_moment,
}


def _best(
    predict: Callable[..., dict[str, np.ndarray]],
    tried: Sequence[dict],
    parts: Parts,
    scale: tuple[float, float],
) -> Chosen:
    """What the settings with the lowest validation RMSE predict, on the scale, and these settings,
    with the names of those at the edge of the grid."""
    truth = [example.rating for example in parts["validation"]]
    errors = []
    predictions = []
    for settings in tried:
        predicted = {part: np.clip(of, *scale) for part, of in predict(**settings).items()}
        predictions.append(predicted)
        errors.append(metrics.rmse(truth, predicted["validation"]))
    best = int(np.argmin(errors))
    edge = fitting.at_edge(tried[best], tried)
    return predictions[best], tried[best] | {"edge": list(edge)}
