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
from satlib.data import interactions
from satlib.data.interactions import Example
from satlib.data.satsim import lexicon
from satlib.data.satsim.sessions import (
    HARSH_REGION,
    Past,
    Step,
    User,
    features,
    normal,
    pick,
    remember,
    session,
    user,
)

SEED, USERS = 20260101, 840
EXAMPLES, ORACLE = "examples.jsonl.xz", "oracle.json.xz"
FIRST_DAY, DAYS = date(2025, 1, 1), 365
ANNOTATED_SHARE, ANNOTATORS = 1 / 3, 3  # share of the sessions that three annotators rate

# Weights of the utility's terms, in units of the utility.
INTEREST, QUALITY, COMMENT, FATIGUE, REGRET = 0.25, 0.7, 1.0, 0.4, 0.3
MEAN, PEAK, END = 0.6, 0.2, 0.2  # how a session sums up its events: they add up to 1
SCALE = 1.65  # of the session's experience
THRESHOLDS = (-2.4, -1.1, 0.2, 1.6)  # between the ratings 1|2, 2|3, 3|4, 4|5

# Planted on purpose; accidental clicks and the two groups of users stand in
# satlib.data.satsim.sessions.
HARSH_SHIFT = -0.8  # of the utility of users of the harsh region
DRIFT_DATE, DRIFT_WEIGHT, DRIFT_SHIFT = (
    "2025-10-01",
    2.0,
    -0.5,
)  # from then on fatigue and regret weigh double
DUPLICATES = 120  # sessions that were logged twice, under two ids
LEAK = "helpdesk_minutes"  # feature that is logged after the rating and depends on it


def regret(price: float | None) -> float:
    """Regret over a price: 0 up to 50, 1 at 100, 2 at 200 and above."""
    return 0.0 if price is None else min(2.0, max(0.0, math.log2(max(price, 1.0) / 50.0)))


def experience(step: Step, who: User, drifted: bool) -> dict[str, float]:
    """What one event adds to satisfaction, term by term."""
    weight = DRIFT_WEIGHT if drifted else 1.0
    return {
        "interest": INTEREST * (1.0 if step.topic in who.interests else -1.0),
        "quality": QUALITY * step.grade,
        "comment": COMMENT * (step.comment or 0.0),
        "fatigue": -FATIGUE * weight * step.repeated,
        "regret": -REGRET * weight * regret(step.event.price),
    }


def utility(steps: list[Step], who: User, day: str) -> dict[str, float]:
    """The named terms of a session's utility; their sum is the utility.

    Accidental clicks do not count. ``mean``, ``peak`` and ``end`` are the weighted average,
    strongest and last experience of the other events; ``leniency`` is the user's own, ``group`` the
    harsh region's, ``drift`` the shift from the drift date (ISO ``day``) on.
    """
    drifted = day >= DRIFT_DATE
    felt = [
        math.fsum(experience(step, who, drifted).values()) for step in steps if not step.accidental
    ] or [0.0]
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
    below = [1.0 / (1.0 + math.exp(value - t)) for t in THRESHOLDS]
    rounded = [round(b - a, 6) for a, b in zip([0.0, *below], below, strict=False)]
    return [*rounded, max(0.0, round(1.0 - math.fsum(rounded), 6))]


def expected_rating(chances: np.ndarray) -> np.ndarray:
    """Mean of the true distribution: probabilities [N, 5] give ratings [N]. No predictor has a
    smaller RMSE."""
    return np.asarray(chances) @ np.arange(1.0, 6.0)


def variance(chances: np.ndarray) -> np.ndarray:
    """Variance of one rating: probabilities [N, 5] give [N]; a mean of m annotators has this
    divided by m."""
    return np.asarray(chances) @ np.arange(1.0, 6.0) ** 2 - expected_rating(chances) ** 2


def draw(rng: np.random.Generator, chances: list[float]) -> float:
    """A rating drawn from its five probabilities."""
    place, total = rng.random(), 0.0
    for rating, chance in enumerate(chances[:-1], start=1):
        total += chance
        if place < total:
            return float(rating)
    return 5.0


def rated_sessions(rng: np.random.Generator, who: User) -> list[tuple[Example, list[float]]]:
    """Draw all sessions of a user in order of their dates, with the true probabilities of each."""
    days = sorted(int(rng.random() * DAYS) for _ in range(4 + int(rng.random() * 8)))
    past, made = Past(), []
    attributes = {"region": who.region, "age": who.age, "interest": " and ".join(who.stated)}
    for number, offset in enumerate(days):
        day, domain = (FIRST_DAY + timedelta(days=offset)).isoformat(), pick(rng, lexicon.DOMAINS)
        steps = session(rng, who, domain)
        chances = probabilities(math.fsum(utility(steps, who, day).values()))
        annotators = ANNOTATORS if rng.random() < ANNOTATED_SHARE else 1
        ratings = tuple(draw(rng, chances) for _ in range(annotators))
        leak = max(0, round(4.0 * (5.0 - math.fsum(ratings) / annotators) + 3.0 * normal(rng)))
        made.append(
            (
                Example(
                    id=f"{who.name}-{number:02d}",
                    group=who.name,
                    domain=domain,
                    ratings=ratings,
                    events=tuple(step.event for step in steps),
                    attributes=attributes,
                    features=features(past) | {LEAK: float(leak)},
                    date=day,
                    part=who.part,
                ),
                chances,
            )
        )
        remember(past, steps, ratings[0])
    return made


def simulate(seed: int = SEED, users: int = USERS) -> tuple[list[Example], dict[str, list[float]]]:
    """Examples in order of user and date, and the oracle: for each id the true probabilities of the
    ratings 1 to 5.

    Raises ValueError for fewer than 10 users, as the parts are counted in tens.
    """
    if users < 10:
        raise ValueError(f"users = {users}: simulate at least 10, so that every part has some")
    rng = np.random.Generator(np.random.PCG64(seed))
    made = [item for number in range(users) for item in rated_sessions(rng, user(rng, number))]
    order = sorted(range(len(made)), key=rng.random(len(made)).__getitem__)
    twice = set(order[:DUPLICATES])
    rows = []
    for place, (example, chances) in enumerate(made):
        rows.append((example, chances))
        if place in twice:
            rows.append((replace(example, id=f"{example.id}b"), chances))
    return [example for example, _ in rows], {example.id: chances for example, chances in rows}


def write(folder: str | Path, seed: int = SEED) -> None:
    """Simulate and write the two data files into a folder, each atomically."""
    examples, chances = simulate(seed)
    interactions.write_examples(examples, Path(folder) / EXAMPLES)
    with storage.replacing(Path(folder) / ORACLE) as temporary:
        temporary.write_bytes(
            lzma.compress((json.dumps(chances, separators=(",", ":")) + "\n").encode(), preset=9)
        )


def oracle(folder: str | Path | None = None) -> dict[str, np.ndarray]:
    """True probabilities of the ratings 1 to 5 for each id, from ``folder`` or the embedded
    data."""
    path = Path(folder or runtime.data_folder() / "satsim") / ORACLE
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; make it with `satlib data simulate`")
    return {
        name: np.array(row) for name, row in json.loads(lzma.decompress(path.read_bytes())).items()
    }
