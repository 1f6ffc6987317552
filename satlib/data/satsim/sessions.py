"""Who acts in satsim and what happens: users, sessions, behaviour (taught with lesson 03).

Everything is drawn from one Generator by uniform numbers and plain arithmetic, so a seed gives the
same sessions on every machine. The order of the draws is part of the data: one more or less changes
every session after it. The wording stands in ``satlib.data.satsim.lexicon``; how satisfied a
session leaves its user, in ``satlib.data.satsim.simulation``. The constants plant what later
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
# Correlation of a session's mood with its user's disposition: the past tells something.
DISPOSITION = 0.5
REPEATED_SHARE = 0.12  # how often an event is about a former item of the session
OWN_TOPIC_SHARE = 0.6  # how often a new item is chosen by interest
COMMITTED_SHARE = 0.3  # how often a user does more than look
SPOKEN_SHARE = 0.45  # how often an event is commented

# Planted on purpose.
ACCIDENTAL_SHARE = 0.07
ACCIDENTAL_SECONDS = 3.0  # clicks shorter than this are accidents and do not count
HARSH_REGION = "north"  # users of this region rate more harshly
HARSH_SHARE = 0.18
OTHER_REGIONS = ("south", "east", "west")
SLANG_AGE = "teens"  # users of this age have a wording of their own
SLANG_SHARE = 0.08
OTHER_AGES = ("20s", "30s", "40s", "50s", "60s")


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
class SimulatedStep:
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
    first_stated = pick(rng, lexicon.INTERESTS[first][part])
    second_stated = pick(rng, lexicon.INTERESTS[second][part])
    if rng.random() < HARSH_SHARE:
        region = HARSH_REGION
    else:
        region = pick(rng, OTHER_REGIONS)
    if rng.random() < SLANG_SHARE:
        age = SLANG_AGE
    else:
        age = pick(rng, OTHER_AGES)
    return User(
        name=f"user-{number:04d}",
        part=part,
        region=region,
        age=age,
        interests=(first, second),
        stated=(first_stated, second_stated),
        leniency=LENIENCY * normal(rng),
        disposition=normal(rng),
    )


def level(rng: np.random.Generator, mood: float) -> int:
    """A sentiment of -2 to 2 that follows the session's mood."""
    sentiment = round(1.1 * mood + 0.5 * normal(rng))
    return max(-2, min(2, sentiment))


def grade(rng: np.random.Generator, mood: float) -> int:
    """Quality of an item, -1, 0 or 1, that goes with the mood: bad items make bad moods."""
    quality = 0.7 * mood + 0.65 * normal(rng)
    if quality < -0.45:
        return -1
    if quality > 0.45:
        return 1
    return 0


def comment(rng: np.random.Generator, who: User, domain: str, mood: float) -> tuple[str, float]:
    """A comment and its value: a phrase of the user's own group, of any or this domain, or on one
    or two aspects."""
    sentiment = level(rng, mood)
    kind = rng.random()
    if who.age == SLANG_AGE and kind < 0.95:
        phrase = pick(rng, lexicon.COMMENTS["slang"][sentiment][who.part])
        return phrase, float(sentiment)
    if kind < 0.2:
        return _on_aspects(rng, who, domain, mood, sentiment)
    pools = lexicon.COMMENTS["any"] if kind < 0.65 else lexicon.COMMENTS[domain]
    frame = pick(rng, lexicon.FRAMES)
    phrase = pick(rng, pools[sentiment][who.part])
    return frame.format(phrase), float(sentiment)


def _on_aspects(
    rng: np.random.Generator, who: User, domain: str, mood: float, first: int
) -> tuple[str, float]:
    """What is said of one aspect, or of two joined by "but", of which the second weighs more (0.7
    against 0.3)."""
    second = level(rng, mood)
    one_aspect = pick(rng, lexicon.ASPECTS[domain])
    other_aspect = pick(rng, lexicon.ASPECTS[domain])
    one_says = pick(rng, lexicon.SAYS[first][who.part])
    other_says = pick(rng, lexicon.SAYS[second][who.part])
    contrast = (first > 0) != (second > 0)
    if contrast and one_aspect != other_aspect:
        text = f"{one_aspect} {one_says} but {other_aspect} {other_says}"
        return text, 0.3 * first + 0.7 * second
    return f"{one_aspect} {one_says}", float(first)


def step(
    rng: np.random.Generator,
    who: User,
    domain: str,
    mood: float,
    former: list[SimulatedStep],
    speaks: bool,
) -> SimulatedStep:
    """Draw one event: a new item or, now and then, one of the session's former items again."""
    accidental = rng.random() < ACCIDENTAL_SHARE
    old = _former(rng, former)
    if old is None:
        topic = _topic(rng, who)
        # What is clicked by accident has nothing to do with the mood.
        quality = grade(rng, normal(rng) if accidental else mood)
    else:
        topic = old.topic
        quality = old.grade
    # Drawn for a former item as well, whose title then stays as it was.
    adjective = pick(rng, lexicon.TITLES[domain][quality][who.part])
    title = _title(rng, adjective, topic, domain, old)
    said, value = "", None
    if speaks:
        said, value = comment(rng, who, domain, mood)
    if accidental:  # nobody comments on a slip of the finger
        said, value = "", None
    dwell = _dwell(rng, quality, accidental)
    price = _price(rng, domain, old)
    event = Event(
        actor="user",
        action=_action(rng, domain, accidental),
        text=title,
        category=topic,
        price=price,
        dwell=round(dwell, 1),
        position=1 + int(12 * rng.random() ** 2),
        comment=said,
    )
    return SimulatedStep(event, topic, quality, value, old is not None, accidental)


def _former(rng: np.random.Generator, former: list[SimulatedStep]) -> SimulatedStep | None:
    """Now and then, one of the session's former items."""
    if former and rng.random() < REPEATED_SHARE:
        return pick(rng, former)
    return None


def _title(
    rng: np.random.Generator, adjective: str, topic: str, domain: str, old: SimulatedStep | None
) -> str:
    """The title of a new item; a former item keeps its own."""
    if old is not None:
        return old.event.text
    noun = pick(rng, lexicon.NOUNS[topic][domain])
    return f"{adjective} {noun}"


def _topic(rng: np.random.Generator, who: User) -> str:
    """The topic of a new item: mostly one of the user's interests."""
    if rng.random() < OWN_TOPIC_SHARE:
        return pick(rng, who.interests)
    return pick(rng, lexicon.TOPICS)


def _dwell(rng: np.random.Generator, quality: int, accidental: bool) -> float:
    """Seconds spent on an item: more on a good one; an accident ends at once."""
    spread = math.exp(0.25 * quality + 0.5 * normal(rng))
    if accidental:
        return 0.5 + 2.4 * rng.random()
    return max(ACCIDENTAL_SECONDS, 35.0 * spread)


def _price(rng: np.random.Generator, domain: str, old: SimulatedStep | None) -> float | None:
    """What an item of the shop costs; a former item costs what it did."""
    if old is not None:
        return old.event.price
    if domain != "shop":
        return None
    return round(min(240.0, 26.0 * math.exp(0.8 * normal(rng))), 0)


def _action(rng: np.random.Generator, domain: str, accidental: bool) -> str:
    """What is done with the item; an accident is no commitment."""
    look, commit = lexicon.ACTIONS[domain]
    if accidental:
        return look
    if rng.random() < COMMITTED_SHARE:
        return commit
    return look


def session(rng: np.random.Generator, who: User, domain: str) -> list[SimulatedStep]:
    """Draw the 3 to 8 events of a session around one mood; at least one event is commented,
    accidents apart."""
    own = DISPOSITION * who.disposition
    mood = own + math.sqrt(1.0 - DISPOSITION**2) * normal(rng)
    size = pick(rng, SIZES)
    always_spoken = int(rng.random() * size)
    steps: list[SimulatedStep] = []
    for place in range(size):
        speaks = True
        if place != always_spoken:
            speaks = rng.random() < SPOKEN_SHARE
        steps.append(step(rng, who, domain, mood, steps, speaks))
    return steps


def features(past: Past) -> dict[str, float]:
    """Behaviour before this session: nothing here knows the session itself. A first session has
    neutral values."""
    ratings = past.ratings or [3.0]
    dwells = past.dwells or [40.0]
    return {
        "past_sessions": float(len(past.ratings)),
        "past_mean_rating": round(math.fsum(ratings) / len(ratings), 2),
        "past_mean_dwell": round(math.fsum(dwells) / len(dwells), 1),
        "past_repeat_share": round(past.repeats / max(1, past.events), 3),
    }


def remember(past: Past, steps: list[SimulatedStep], rating: float) -> None:
    """Add a finished session to the user's past."""
    past.ratings.append(rating)
    for simulated in steps:
        past.events += 1
        past.dwells.append(simulated.event.dwell)
        if simulated.repeated:
            past.repeats += 1
