"""Published numbers, to be shown beside ours and never ranked with them: each with its source and
how it is known.

Taught with lesson 61. The numbers stand in ``published.csv`` beside this file, one a line; shares
are given as 0..1. The column ``known`` says how a number is known: "published" (in the paper's or
the project's own table), "code" (read in the repository that came with it), "measured" (computed by
the authors of this kit from the public data, before it), or "index" (from the page of a third
party, which is to be said wherever it is printed). ML-100K ("movielens-100k") is an older set that
the kit does not ship; "movielens" is ML-latest-small.
"""

import csv
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from satlib import runtime

KNOWN = ("published", "code", "measured", "index")
CAVEAT = "from a third party's leaderboard page; we have not seen the run"  # of "index"
# Name of a source in published.csv -> what it is.
SOURCES = {
    "Sun 2021": "Sun et al., SIGIR 2021, arXiv 2105.03748",
    "Sun, issue 3": "issue 3 of github.com/sunnweiwei/user-satisfaction-simulation",
    "Kim 2022": "Kim and Lipani, SIGIR 2022, github.com/kimdanny/user-simulation-t5",
    "ours": "measured before this kit, from the public data",
    "leaderboard": "leaderboard page of a third party",
    "Siro 2023": "Siro et al., TOIS 2023, doi 10.1145/3624989",
    "Surprise": "README of github.com/NicolasHug/Surprise",
}


@dataclass(frozen=True)
class Number:
    """One number: its protocol (see ``protocols.PROTOCOLS``), corpus, model, metric and value, and
    whence it is.

    low, high: its interval or range, nan where there is none; value: nan where only a range is
    known. setting: in which way of the protocol, where it has several.
    """

    protocol: str
    corpus: str
    model: str
    metric: str
    value: float
    source: str
    known: str
    low: float = math.nan
    high: float = math.nan
    setting: str = ""


def _read() -> tuple[Number, ...]:
    """All lines of published.csv, in its order; an empty cell of a number is nan."""
    path = Path(__file__).with_name("published.csv")
    listed = []
    with open(path, encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file):
            cells["source"] = SOURCES[cells["source"]]
            for name in ("value", "low", "high"):
                cells[name] = float(cells[name]) if cells[name] else math.nan
            listed.append(Number(**cells))
    return tuple(listed)


NUMBERS = _read()


def numbers(protocol: str, corpus: str = ""):
    """The published numbers of a protocol, and of a corpus where named, as a frame with the columns
    of ``Number``.

    Raises ValueError for a protocol or a corpus without any.
    """
    import pandas as pd

    protocols = dict.fromkeys(number.protocol for number in NUMBERS)
    runtime.one_of("protocol", protocol, protocols)
    found = [number for number in NUMBERS if number.protocol == protocol]
    if corpus:
        corpora = dict.fromkeys(number.corpus for number in found)
        runtime.one_of(f"corpus of protocol {protocol}", corpus, corpora)
        found = [number for number in found if number.corpus == corpus]
    return pd.DataFrame(map(asdict, found))


def table(protocol: str, corpus: str):
    """A line a model and a column a metric, each model marked by how its numbers are known: "BERT
    [published]"."""
    found = numbers(protocol, corpus)
    setting = found["setting"].map(lambda text: f", {text}" if text else "")
    names = found["model"] + setting + " [" + found["known"] + "]"
    wide = found.assign(row=names).pivot(index="row", columns="metric", values="value")
    # pivot sorts; lines and columns are to stand as in the file.
    wide = wide.loc[names.unique(), found["metric"].unique()]
    return wide.rename_axis(index=None, columns=None)
