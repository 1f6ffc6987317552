"""Invented dialogues as protocol A reads them, for the tests of its modules."""

import numpy as np

from satlib.data.interactions import Event, Example
from satlib.reproduction import uss


def dialogues(n=24, turns=5):
    """Examples as the view "before" gives them, OVERALL last; the annotators of a turn are three,
    sometimes tied."""
    rng = np.random.default_rng(0)
    for d in range(n):
        said = []
        for t in range(turns):
            mood = int(rng.choice([2, 3, 3, 3, 4]))
            given = (mood, mood, 3) if (d + t) % 3 else (2, 3, 4)
            whole = t == turns - 1
            yield Example(
                f"d{d:02d}-{t}",
                f"d{d:02d}",
                "films",
                tuple(said),
                tuple(map(float, given)),
                None if whole else Event("user", "say", "[not yet spoken]"),
            )
            words = ("bad boring", "fine film", "lovely great")[mood - 2]
            said += [Event("user", "say", f"turn {t}"), Event("system", "say", words)]


ROWS = uss.turns(list(dialogues()))
