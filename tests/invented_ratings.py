"""Invented ratings of films, for the tests of what predicts ratings."""

import numpy as np

from satlib.data.interactions import Event, Example

DAY = 86400.0


def example(user, film, time, stars=4.0, past=(), comment="", genres="Drama / War"):
    target = Event("user", "rate", film, category=genres, time=time * DAY, comment=comment)
    events = tuple(
        Event("user", "rate", f"Film of {value}", value=value, time=0.0, comment="fine")
        for value in past
    )
    return Example(f"{user}-{film}", user, "films", events, (stars,), target)


def many(users=12, films=9, seed=0):
    """Made-up ratings: each user rates most films on days of their own, users and films have
    levels."""
    rng = np.random.default_rng(seed)
    mood, level = rng.normal(0, 0.8, users), rng.normal(0, 0.8, films)
    rows = []
    for u in range(users):
        for f in rng.permutation(films)[: rng.integers(5, films + 1)]:
            stars = float(
                np.clip(round(2 * (3 + mood[u] + level[f] + rng.normal(0, 0.3))) / 2, 0.5, 5)
            )
            rows.append(
                example(
                    f"u{u:02d}",
                    f"Title {f} (19{50 + f})",
                    int(rng.integers(1000)),
                    stars,
                    (stars, 3.0),
                )
            )
    return rows
