"""Invented rated items and sessions without a leak, for the tests of the leak checker."""

import numpy as np

from satlib.data.interactions import Event, Example

WORDS = ["kettle", "lamp", "hose", "novel", "drill", "scarf", "piano", "atlas", "radio", "tent"]


def event(text, **fields):
    return Event("user", "rate", text, **fields)


def history(user, moments, rng, others=()):
    """A user's rated items, each judged after the ones before it, as a reader of histories makes
    them."""
    stars = rng.integers(1, 6, len(moments)).astype(float)
    items = [f"{rng.choice(WORDS)} {user} {i}" for i in range(len(moments))]
    past = [
        event(item, value=star, time=now)
        for item, star, now in zip(items, stars, moments, strict=True)
    ]
    return [
        Example(
            f"{user}-{i:02d}",
            user,
            "own",
            tuple(past[max(0, i - 4) : i]),
            (stars[i],),
            event(items[i], time=moments[i]),
            features={name: float(rng.normal()) for name in others},
        )
        for i in range(len(moments))
    ]


def clean(users=40, rows=10, others=("noise", "more")):
    rng = np.random.default_rng(0)
    return [
        e
        for u in range(users)
        for e in history(f"u{u:02d}", [100.0 * i + u for i in range(rows)], rng, others)
    ]


# Copies


def sessions(count=200, words=8, group=None):
    """Sessions without time of so many words, two a user."""
    rng = np.random.default_rng(1)
    return [
        Example(
            f"s{i:03d}",
            group or f"u{i // 2:03d}",
            "own",
            tuple(event(" ".join([*rng.choice(WORDS, words // 2 - 1), str(i)])) for _ in range(2)),
            (float(rng.integers(1, 6)),),
        )
        for i in range(count)
    ]
