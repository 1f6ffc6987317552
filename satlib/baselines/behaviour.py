"""Behaviour features: what a running system knew of the user and the item just before a rating, and
nothing later.

All rows are passed once in order of time. The features of a row are read from a ledger of the past,
and only then is its rating entered, so no row sees itself or anything later. Rows of the same
moment follow their ids, for want of a better order (``in_company`` finds those that so see one of
their own moment, and ``by_moment`` hides it from them); and a row that was logged twice finds its
own rating in the past, so copies must be left out before.

A mean of few ratings is damped: it counts as if ``DAMPING`` ratings at the level expected without
it had come first, which is also what a new user or item starts with. Past ratings of every part of
a split enter, as in a system that runs: when a test row is judged, earlier rows are history.
Sources: the article, sections 1.2 and 2; damped means after Koren, Collaborative filtering with
temporal dynamics, KDD 2009.
"""

import itertools
import math
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

import numpy as np

from satlib.data.interactions import Example
from satlib.data.splits import in_order, moment
from satlib.encoding.sequences import categories

NAMES = (
    "user_mean",
    "user_count",
    "user_spread",
    "user_trend",
    "user_recency",
    "user_dwell",
    "item_mean",
    "item_count",
    "item_offset",
    "genre_affinity",
)
DAMPING = 5.0  # ratings that an expectation counts for
RECENT = 5  # ratings that the trend looks back on
DAY = 86400.0  # seconds
FAR = 4.0  # standard deviations


class Mean:
    """A running mean of numbers, damped towards what is expected without them."""

    def __init__(self):
        self.total = 0.0
        self.count = 0

    def add(self, value: float) -> None:
        """Enter one number."""
        self.total += value
        self.count += 1

    def damped(self, expected: float) -> float:
        """The mean, as if ``DAMPING`` numbers of the expected size had come first."""
        return (self.total + DAMPING * expected) / (self.count + DAMPING)


class Ledger:
    """What is remembered of the past: ratings by user, item, and user and genre; a user's last
    ratings and moment.

    middle: the rating expected before there is any, as a rule the middle of the scale.
    """

    def __init__(self, middle: float):
        self.middle = middle
        self.everything = Mean()
        self.users: dict[str, Mean] = defaultdict(Mean)
        self.spreads: dict[str, Mean] = defaultdict(Mean)  # by user, of squared surprises
        self.items: dict[str, Mean] = defaultdict(Mean)
        self.offsets: dict[str, Mean] = defaultdict(Mean)  # by item, of surprises
        self.genres: dict[tuple[str, str], Mean] = defaultdict(Mean)  # by user and genre
        self.dwells: dict[str, Mean] = defaultdict(Mean)  # by user, of log seconds
        self.dwell = Mean()  # of everybody
        self.last: dict[str, float] = {}  # moment of a user's last rating
        self.recent: dict[str, deque] = defaultdict(lambda: deque(maxlen=RECENT))

    def level(self) -> float:
        """The damped mean rating of everybody."""
        return self.everything.damped(self.middle)

    def expected(self, user: str) -> float:
        """A user's damped mean rating; for a new user, the mean of all."""
        return self.users[user].damped(self.level())

    def look(self, example: Example, now: float) -> list[float]:
        """The features of an example, in the order of NAMES, from what was entered before."""
        user = example.group
        item = _item(example)
        return [
            self.expected(user),
            math.log1p(self.users[user].count),
            math.sqrt(self.spreads[user].damped(1.0)),
            self._trend(user),
            self._recency(user, now),
            self.dwells[user].damped(self.dwell.damped(0.0)),
            self.items[item].damped(self.level()),
            math.log1p(self.items[item].count),
            self.offsets[item].damped(0.0),
            self._affinity(user, _genres(example)),
        ]

    def _trend(self, user: str) -> float:
        """How far the user's last ratings lie above the user's mean."""
        recent = self.recent[user]
        if not recent:
            return 0.0
        return sum(recent) / len(recent) - self.expected(user)

    def _recency(self, user: str, now: float) -> float:
        """log(1 + days) since the user's last rating."""
        seconds = max(0.0, now - self.last.get(user, now))
        return math.log1p(seconds / DAY)

    def _affinity(self, user: str, genres: list[str]) -> float:
        """How far the user's ratings of these genres lie above what user and item let expect."""
        liked = [self.genres[user, genre].damped(0.0) for genre in genres]
        if not liked:
            return 0.0
        return sum(liked) / len(liked)

    def enter(self, example: Example, now: float) -> None:
        """Remember a rated example; its features must have been read before."""
        user = example.group
        item = _item(example)
        rating = example.rating
        surprise = rating - self.expected(user)  # how far above the user's habit
        rest = surprise - self.offsets[item].damped(0.0)  # and above what others said of the item
        for genre in _genres(example):
            self.genres[user, genre].add(rest)
        self.spreads[user].add(surprise**2)
        if item:
            self.items[item].add(rating)
            self.offsets[item].add(surprise)
        for event in example.events:
            if event.dwell is not None:
                self.dwells[user].add(math.log1p(event.dwell))
                self.dwell.add(math.log1p(event.dwell))
        self.users[user].add(rating)
        self.everything.add(rating)
        self.recent[user].append(rating)
        self.last[user] = now


def running(
    examples: Iterable[Example],
    scale: tuple[float, float] = (1.0, 5.0),
    by_moment: bool = False,
) -> np.ndarray:
    """Features [N, len(NAMES)] of the examples, each from the rows before it in time; rows as
    given.

    Equal moments are ordered by id; by_moment: none of them sees another. Units: stars for means,
    spread, trend, offset and affinity; log(1 + n) for counts, days since the last rating and dwell
    seconds. Raises ValueError for an example with neither a time nor a date.
    """
    examples = list(examples)
    features = np.zeros((len(examples), len(NAMES)))
    ledger = Ledger(middle=sum(scale) / 2)
    for together in _steps(examples, by_moment):
        for row in together:  # read first, then enter
            features[row] = ledger.look(examples[row], moment(examples[row]))
        for row in together:
            ledger.enter(examples[row], moment(examples[row]))
    return features


def _steps(examples: Sequence[Example], by_moment: bool) -> list[list[int]]:
    """Row numbers in order of time, one row a step, or all rows of a moment together."""
    ordered = in_order(examples)
    if not by_moment:
        return [[row] for row in ordered]
    moments = itertools.groupby(ordered, key=lambda row: moment(examples[row]))
    return [list(together) for _, together in moments]


def in_company(examples: Sequence[Example]) -> np.ndarray:
    """Which examples see a rating that their user gave at the same moment, as booleans [N]: all of
    a user's rows of one moment but the first by id."""
    seen = set()
    found = np.zeros(len(examples), bool)
    for row in in_order(examples):
        rated = (examples[row].group, moment(examples[row]))
        found[row] = rated in seen
        seen.add(rated)
    return found


def has_past(examples: Sequence[Example]) -> bool:
    """Whether there is a past to describe: all examples have a time or a date, and users two or
    more on average."""
    try:
        in_order(examples)
    except ValueError:
        return False
    users = {example.group for example in examples}
    return len(examples) >= 2 * len(users)


def by_part(
    examples: Sequence[Example],
    parts: dict[str, list[Example]],
    scale: tuple[float, float] = (1.0, 5.0),
    by_moment: bool = False,
) -> dict[str, np.ndarray]:
    """Features of every part of a split, computed over all ``examples``, of which the parts are a
    selection; see ``running``.

    Raises ValueError for a part with an example that is not among them.
    """
    features = running(examples, scale, by_moment)
    row = {example.id: number for number, example in enumerate(examples)}
    selected = {}
    for part, chosen in parts.items():
        for example in chosen:
            if example.id not in row:
                raise ValueError(
                    f"{example.id!r} is in a part but not among the examples; "
                    "give all rows of the corpus"
                )
        # The type is named because an empty part would give an index of floats.
        numbers = np.array([row[example.id] for example in chosen], dtype=int)
        selected[part] = features[numbers]
    return selected


def crossed(train: np.ndarray):
    """A scikit-learn transformer, fitted on the training rows: features, squares and products, each
    at mean 0, sd 1.

    A linear head on them can say "the item's mean counts more, the more ratings it has"; on the
    bare ones it cannot. A feature more than ``FAR`` standard deviations out is moved to there: its
    square would rule the prediction.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler

    near = FunctionTransformer(np.clip, kw_args={"a_min": -FAR, "a_max": FAR})
    products = PolynomialFeatures(2, include_bias=False)
    return make_pipeline(StandardScaler(), near, products, StandardScaler()).fit(train)


def _item(example: Example) -> str:
    """The title that is rated; none where a whole session is."""
    if example.target is None:
        return ""
    return example.target.text


def _genres(example: Example) -> list[str]:
    """The different categories of what is rated: of the target, or of all events."""
    rated = example.events if example.target is None else [example.target]
    names = set()
    for event in rated:
        names.update(categories(event))
    return sorted(names)
