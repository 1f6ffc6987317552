"""satsim: simulated sessions whose satisfaction is known to the last digit.

``simulate`` draws users and sessions (``satlib.data.satsim.sessions``) from one seed. A session's
satisfaction is a sum of named terms (``utility``), thresholds turn it into a probability for every
rating (``probabilities``), and the rating is drawn from them. Those probabilities are the oracle:
the best possible predictor of a rating is their mean (``expected_rating``). The data card
``data/satsim/README.md`` tells all of it, with what is planted, in plain words.
"""

import json
import lzma
import math
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from satlib import runtime, storage
from satlib.data import example_files
from satlib.data.interactions import Example
from satlib.data.satsim import lexicon
from satlib.data.satsim.sessions import (
    HARSH_REGION,
    Past,
    SimulatedStep,
    User,
    features,
    normal,
    pick,
    remember,
    session,
    user,
)

SEED = 20260101
USERS = 840
EXAMPLES = "examples.jsonl.xz"
ORACLE = "oracle.json.xz"
FIRST_DAY = date(2025, 1, 1)
DAYS = 365
ANNOTATORS = 3
ANNOTATED_SHARE = 1 / 3  # share of the sessions that three annotators rate

# Weights of the utility's terms, in units of the utility.
INTEREST = 0.25
QUALITY = 0.7
COMMENT = 1.0
FATIGUE = 0.4
REGRET = 0.3
# How a session sums up its events: these weights add up to 1.
MEAN = 0.6
PEAK = 0.2
END = 0.2
SCALE = 1.65  # of the session's experience
THRESHOLDS = (-2.4, -1.1, 0.2, 1.6)  # between the ratings 1|2, 2|3, 3|4, 4|5

# Planted on purpose; accidental clicks and the two groups of users stand in
# satlib.data.satsim.sessions.
HARSH_SHIFT = -0.8  # of the utility of users of the harsh region
DRIFT_DATE = "2025-10-01"  # from then on fatigue and regret weigh double, and the utility is lower
DRIFT_WEIGHT = 2.0
DRIFT_SHIFT = -0.5
DUPLICATES = 120  # sessions that were logged twice, under two ids
LEAK = "helpdesk_minutes"  # feature that is logged after the rating and depends on it


def regret(price: float | None) -> float:
    """Regret over a price: 0 up to 50, 1 at 100, 2 at 200 and above."""
    if price is None:
        return 0.0
    doublings = math.log2(max(price, 1.0) / 50.0)
    return min(2.0, max(0.0, doublings))


def experience(step: SimulatedStep, who: User, drifted: bool) -> dict[str, float]:
    """What one event adds to satisfaction, term by term."""
    interest = 1.0 if step.topic in who.interests else -1.0
    comment = 0.0 if step.comment is None else step.comment
    repeated = 1.0 if step.repeated else 0.0
    weight = DRIFT_WEIGHT if drifted else 1.0
    return {
        "interest": INTEREST * interest,
        "quality": QUALITY * step.grade,
        "comment": COMMENT * comment,
        "fatigue": -FATIGUE * weight * repeated,
        "regret": -REGRET * weight * regret(step.event.price),
    }


def utility(steps: list[SimulatedStep], who: User, day: str) -> dict[str, float]:
    """The named terms of a session's utility; their sum is the utility.

    Accidental clicks do not count. ``mean``, ``peak`` and ``end`` are the weighted average,
    strongest and last experience of the other events; ``leniency`` is the user's own, ``group`` the
    harsh region's, ``drift`` the shift from the drift date (ISO ``day``) on.
    """
    drifted = day >= DRIFT_DATE
    felt = []
    for step in steps:
        if not step.accidental:
            felt.append(math.fsum(experience(step, who, drifted).values()))
    if not felt:
        felt = [0.0]
    return {
        "mean": SCALE * MEAN * math.fsum(felt) / len(felt),
        "peak": SCALE * PEAK * max(felt, key=abs),
        "end": SCALE * END * felt[-1],
        "leniency": who.leniency,
        "group": HARSH_SHIFT if who.region == HARSH_REGION else 0.0,
        "drift": DRIFT_SHIFT if drifted else 0.0,
    }


def probabilities(value: float) -> list[float]:
    """Probability of each rating 1 to 5 at this utility: five numbers that sum to 1, rounded to 6
    digits.

    Ordinal logistic noise: P(rating <= k) = 1 / (1 + exp(utility - threshold_k)), after McCullagh
    (1980).
    """
    below = [1.0 / (1.0 + math.exp(value - threshold)) for threshold in THRESHOLDS]
    chances = []
    previous = 0.0
    for cumulative in below:
        chances.append(round(cumulative - previous, 6))
        previous = cumulative
    # What is left goes to 5 stars, so that the rounded numbers sum to 1.
    left = round(1.0 - math.fsum(chances), 6)
    return [*chances, max(0.0, left)]


def expected_rating(chances: np.ndarray) -> np.ndarray:
    """Mean of the true distribution: probabilities [N, 5] give ratings [N]. No predictor has a
    smaller RMSE."""
    return np.asarray(chances) @ np.arange(1.0, 6.0)


def variance(chances: np.ndarray) -> np.ndarray:
    """Variance of one rating: probabilities [N, 5] give [N]; a mean of m annotators has this
    divided by m."""
    mean_square = np.asarray(chances) @ np.arange(1.0, 6.0) ** 2
    return mean_square - expected_rating(chances) ** 2


def draw(rng: np.random.Generator, chances: list[float]) -> float:
    """A rating drawn from its five probabilities."""
    lot = rng.random()
    cumulative = 0.0
    for rating, chance in enumerate(chances[:-1], start=1):
        cumulative += chance
        if lot < cumulative:
            return float(rating)
    return 5.0


def rated_sessions(rng: np.random.Generator, who: User) -> list[tuple[Example, list[float]]]:
    """Draw all sessions of a user in order of their dates, with the true probabilities of each."""
    number_of_sessions = 4 + int(rng.random() * 8)
    days = sorted(int(rng.random() * DAYS) for _ in range(number_of_sessions))
    attributes = {"region": who.region, "age": who.age, "interest": " and ".join(who.stated)}
    past = Past()
    made = []
    for number, offset in enumerate(days):
        day = (FIRST_DAY + timedelta(days=offset)).isoformat()
        domain = pick(rng, lexicon.DOMAINS)
        steps = session(rng, who, domain)
        chances = probabilities(math.fsum(utility(steps, who, day).values()))
        annotators = ANNOTATORS if rng.random() < ANNOTATED_SHARE else 1
        ratings = tuple(draw(rng, chances) for _ in range(annotators))
        example = Example(
            id=f"{who.name}-{number:02d}",
            group=who.name,
            domain=domain,
            ratings=ratings,
            events=tuple(step.event for step in steps),
            attributes=attributes,
            features=features(past) | {LEAK: _leak(rng, ratings)},
            date=day,
            part=who.part,
        )
        made.append((example, chances))
        remember(past, steps, ratings[0])
    return made


def _leak(rng: np.random.Generator, ratings: tuple[float, ...]) -> float:
    """Minutes at the help desk, after the rating: the more, the worse it was."""
    mean = math.fsum(ratings) / len(ratings)
    minutes = round(4.0 * (5.0 - mean) + 3.0 * normal(rng))
    return float(max(0, minutes))


def simulate(seed: int = SEED, users: int = USERS) -> tuple[list[Example], dict[str, list[float]]]:
    """Examples in order of user and date, and the oracle: for each id the true probabilities of the
    ratings 1 to 5.

    Raises ValueError for fewer than 10 users, as the parts are counted in tens.
    """
    if users < 10:
        raise ValueError(f"users = {users}: simulate at least 10, so that every part has some")
    rng = np.random.Generator(np.random.PCG64(seed))
    made = []
    for number in range(users):
        made += rated_sessions(rng, user(rng, number))
    lots = rng.random(len(made))
    order = sorted(range(len(made)), key=lots.__getitem__)
    twice = set(order[:DUPLICATES])
    examples = []
    oracle = {}
    for place, (example, chances) in enumerate(made):
        copies = [example]
        if place in twice:
            copies.append(replace(example, id=f"{example.id}b"))
        for copy in copies:
            examples.append(copy)
            oracle[copy.id] = chances
    return examples, oracle


def write(folder: str | Path, seed: int = SEED) -> None:
    """Simulate and write the two data files into a folder, each atomically."""
    folder = Path(folder)
    examples, chances = simulate(seed)
    example_files.write_examples(examples, folder / EXAMPLES)
    text = json.dumps(chances, separators=(",", ":")) + "\n"
    with storage.replacing(folder / ORACLE) as temporary:
        temporary.write_bytes(lzma.compress(text.encode(), preset=9))


def oracle(folder: str | Path | None = None) -> dict[str, np.ndarray]:
    """True probabilities of the ratings 1 to 5 for each id, from ``folder`` or the embedded
    data."""
    if folder is None:
        folder = runtime.data_folder() / "satsim"
    path = Path(folder) / ORACLE
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; make it with `satlib data simulate`")
    rows = json.loads(lzma.decompress(path.read_bytes()))
    return {id: np.array(chances) for id, chances in rows.items()}
