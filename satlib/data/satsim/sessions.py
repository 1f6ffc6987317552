"""Who acts in satsim and what happens: users, sessions, behaviour (taught with lesson 03).

Everything is drawn from one Generator by uniform numbers and plain arithmetic, so a seed gives the
same sessions on every machine. The wording stands in ``satlib.data.satsim.lexicon``; how satisfied
a session leaves its user, in ``satlib.data.satsim.simulation``. The constants plant what later
lessons look for.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from satlib.data.interactions import Event
from satlib.data.satsim import lexicon

PART_OF_TEN = ("train",) * 7 + ("validation",) + ("test",) * 2  # the parts of ten users in a row
SIZES = (3,) * 7 + (4,) * 6 + (5,) * 3 + (6, 7, 8)  # numbers of events of a session, equally likely
LENIENCY = 0.15  # standard deviation of the users' leniency, in units of the utility
DISPOSITION = (
    0.5  # correlation of a session's mood with its user's disposition: the past tells something
)

# Planted on purpose.
ACCIDENTAL_SHARE, ACCIDENTAL_SECONDS = (
    0.07,
    3.0,
)  # clicks shorter than this are accidents and do not count
HARSH_REGION, HARSH_SHARE = "north", 0.18  # users of this region rate more harshly
SLANG_AGE, SLANG_SHARE = "teens", 0.08  # users of this age have a wording of their own


@dataclass(frozen=True)
class User:
    """A user: group attributes, two topics of interest and how they are stated, and two traits.

    leniency: shifts every rating. disposition: raises or lowers the mood of every session.
    """

    name: str
    part: str
    region: str
    age: str
    interests: tuple[str, str]
    stated: tuple[str, str]
    leniency: float
    disposition: float = 0.0


@dataclass(frozen=True)
class Step:
    """An event with what only the simulation knows: topic, grade of the item, value of the comment
    (None: none)."""

    event: Event
    topic: str
    grade: int
    comment: float | None
    repeated: bool
    accidental: bool


@dataclass
class Past:
    """What a user's earlier sessions leave behind: the source of the behaviour features."""

    ratings: list[float] = field(default_factory=list)
    dwells: list[float] = field(default_factory=list)
    events: int = 0
    repeats: int = 0


def normal(rng: np.random.Generator) -> float:
    """A nearly normal number (mean 0, sd 1): twelve uniform ones minus 6, the same on every
    machine."""
    return math.fsum(rng.random(12)) - 6.0


def pick(rng: np.random.Generator, items):
    """One of the items, each equally likely."""
    return items[int(rng.random() * len(items))]


def user(rng: np.random.Generator, number: int) -> User:
    """Draw the user with this number; the number alone decides the part."""
    part = PART_OF_TEN[number % 10]
    first = pick(rng, lexicon.TOPICS)
    second = pick(rng, [topic for topic in lexicon.TOPICS if topic != first])
    stated = tuple(pick(rng, lexicon.INTERESTS[topic][part]) for topic in (first, second))
    region = HARSH_REGION if rng.random() < HARSH_SHARE else pick(rng, ("south", "east", "west"))
    age = (
        SLANG_AGE if rng.random() < SLANG_SHARE else pick(rng, ("20s", "30s", "40s", "50s", "60s"))
    )
    return User(
        f"user-{number:04d}",
        part,
        region,
        age,
        (first, second),
        stated,
        LENIENCY * normal(rng),
        normal(rng),
    )


def level(rng: np.random.Generator, mood: float) -> int:
    """A sentiment of -2 to 2 that follows the session's mood."""
    return max(-2, min(2, round(1.1 * mood + 0.5 * normal(rng))))


def grade(rng: np.random.Generator, mood: float) -> int:
    """Quality of an item, -1, 0 or 1, that goes with the mood: bad items make bad moods."""
    value = 0.7 * mood + 0.65 * normal(rng)
    return -1 if value < -0.45 else 1 if value > 0.45 else 0


def comment(rng: np.random.Generator, who: User, domain: str, mood: float) -> tuple[str, float]:
    """A comment and its value: a phrase of the user's own group, of any or this domain, or on one
    or two aspects.

    Of two aspects joined by "but", the second weighs more (0.7 against 0.3).
    """
    first, kind = level(rng, mood), rng.random()
    if who.age == SLANG_AGE and kind < 0.95:
        return pick(rng, lexicon.COMMENTS["slang"][first][who.part]), float(first)
    if kind < 0.2:
        second = level(rng, mood)
        one, two = pick(rng, lexicon.ASPECTS[domain]), pick(rng, lexicon.ASPECTS[domain])
        says = [pick(rng, lexicon.SAYS[value][who.part]) for value in (first, second)]
        if one != two and (first > 0) != (second > 0):
            return f"{one} {says[0]} but {two} {says[1]}", 0.3 * first + 0.7 * second
        return f"{one} {says[0]}", float(first)
    pool = lexicon.COMMENTS["any" if kind < 0.65 else domain][first]
    return pick(rng, lexicon.FRAMES).format(pick(rng, pool[who.part])), float(first)


def step(
    rng: np.random.Generator, who: User, domain: str, mood: float, former: list[Step], speaks: bool
) -> Step:
    """Draw one event: a new item or, now and then, one of the session's former items again."""
    accidental = rng.random() < ACCIDENTAL_SHARE
    old = pick(rng, former) if former and rng.random() < 0.12 else None
    topic = (
        old.topic
        if old
        else pick(rng, who.interests)
        if rng.random() < 0.6
        else pick(rng, lexicon.TOPICS)
    )
    quality = old.grade if old else grade(rng, normal(rng) if accidental else mood)
    words = pick(rng, lexicon.TITLES[domain][quality][who.part])
    title = old.event.text if old else f"{words} {pick(rng, lexicon.NOUNS[topic][domain])}"
    said, value = comment(rng, who, domain, mood) if speaks else ("", None)
    spread = math.exp(0.25 * quality + 0.5 * normal(rng))
    dwell = 0.5 + 2.4 * rng.random() if accidental else max(ACCIDENTAL_SECONDS, 35.0 * spread)
    price = old.event.price if old else None
    if domain == "shop" and not old:
        price = round(min(240.0, 26.0 * math.exp(0.8 * normal(rng))), 0)
    action = lexicon.ACTIONS[domain][0 if accidental else int(rng.random() < 0.3)]
    event = Event(
        actor="user",
        action=action,
        text=title,
        category=topic,
        price=price,
        dwell=round(dwell, 1),
        position=1 + int(12 * rng.random() ** 2),
        comment="" if accidental else said,
    )
    return Step(event, topic, quality, None if accidental else value, old is not None, accidental)


def session(rng: np.random.Generator, who: User, domain: str) -> list[Step]:
    """Draw the 3 to 8 events of a session around one mood; at least one event is commented,
    accidents apart."""
    mood = DISPOSITION * who.disposition + math.sqrt(1.0 - DISPOSITION**2) * normal(rng)
    size = pick(rng, SIZES)
    spoken = int(rng.random() * size)
    steps: list[Step] = []
    for place in range(size):
        speaks = place == spoken or rng.random() < 0.45
        steps.append(step(rng, who, domain, mood, steps, speaks))
    return steps


def features(past: Past) -> dict[str, float]:
    """Behaviour before this session: nothing here knows the session itself. A first session has
    neutral values."""
    ratings, dwells = past.ratings or [3.0], past.dwells or [40.0]
    return {
        "past_sessions": float(len(past.ratings)),
        "past_mean_rating": round(math.fsum(ratings) / len(ratings), 2),
        "past_mean_dwell": round(math.fsum(dwells) / len(dwells), 1),
        "past_repeat_share": round(past.repeats / max(1, past.events), 3),
    }


def remember(past: Past, steps: list[Step], rating: float) -> None:
    """Add a finished session to the user's past."""
    past.ratings.append(rating)
    past.dwells += [s.event.dwell for s in steps]
    past.events += len(steps)
    past.repeats += sum(s.repeated for s in steps)
