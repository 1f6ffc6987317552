"""Published numbers, to be shown beside ours and never ranked with them: each with its source and
how it is known.

Taught with lesson 61. ``known`` says how: "published" (in the paper's or the project's own table),
"code" (read in the repository that came with it), "measured" (computed by the authors of this kit
from the public data, before it), or "index" (from the page of a third party, which is to be said
wherever it is printed). Shares are given as 0..1.
"""

import math
from dataclasses import asdict, dataclass

from satlib import runtime

KNOWN = ("published", "code", "measured", "index")
CAVEAT = "from a third party's leaderboard page; we have not seen the run"  # of "index"


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


SUN = "Sun et al., SIGIR 2021, arXiv 2105.03748"
AUTHORS_LOG = "issue 3 of github.com/sunnweiwei/user-satisfaction-simulation"
T5 = "Kim and Lipani, SIGIR 2022, github.com/kimdanny/user-simulation-t5"
US = "measured before this kit, from the public data"
BOARD = "leaderboard page of a third party"
SIRO = "Siro et al., TOIS 2023, doi 10.1145/3624989"
SURPRISE = "README of github.com/NicolasHug/Surprise"

_SUN_METRICS = ("uar", "kappa", "published_rho", "published_f1")
_SUN = {  # model -> the four metrics on ReDial, CCPE and SGD
    "LR": (0.211, 0.040, 0.240, 0.008, 0.214, 0.060, 0.669, 0.025, 0.211, 0.049, 0.251, 0.005),
    "SVM": (0.209, 0.038, 0.205, 0.015, 0.212, 0.027, 0.534, 0.040, 0.230, 0.074, 0.169, 0.020),
    "XGBoost": (0.207, 0.030, 0.391, 0.002, 0.200, 0.001, 0.707, 0.004, 0.202, 0.011, 0.442, 0.001),
    "HiGRU+ATTN": (
        0.261,
        0.097,
        0.441,
        0.118,
        0.223,
        0.109,
        0.869,
        0.214,
        0.262,
        0.082,
        0.475,
        0.058,
    ),
    "HiGRU": (0.257, 0.084, 0.324, 0.083, 0.237, 0.167, 0.881, 0.274, 0.293, 0.118, 0.451, 0.086),
    "GRU": (0.254, 0.104, 0.421, 0.121, 0.226, 0.124, 0.880, 0.207, 0.245, 0.072, 0.248, 0.027),
    "BERT": (0.257, 0.122, 0.390, 0.125, 0.232, 0.147, 0.891, 0.245, 0.261, 0.094, 0.477, 0.048),
}
_USS = ("uss-redial", "uss-ccpe", "uss-sgd")


def _sun() -> list[Number]:
    found = [
        Number("A0", corpus, model, metric, values[4 * i + j], SUN, "published")
        for model, values in _SUN.items()
        for i, corpus in enumerate(_USS)
        for j, metric in enumerate(_SUN_METRICS)
    ]
    constant = {
        "uss-redial": (0.2, 0, 0.398, 0),
        "uss-ccpe": (0.2, 0, 0.706, 0),
        "uss-sgd": (0.2, 0, 0.439, 0),
    }
    found += [
        Number("A0", corpus, "always 3", metric, float(value), US, "measured")
        for corpus, values in constant.items()
        for metric, value in zip(_SUN_METRICS, values, strict=True)
    ]
    for corpus, author, majority in zip(
        _USS, (0.7551, 0.8090, 0.7584), (0.8126, 0.8816, 0.8306), strict=True
    ):
        found.append(Number("A0", corpus, "BERT", "accuracy", author, AUTHORS_LOG, "code"))
        found.append(Number("A0", corpus, "always 3", "accuracy", majority, US, "measured"))
    return found


def _clean() -> list[Number]:
    floor, way = (
        {"uss-redial": (0.211, 0.026), "uss-ccpe": (0.225, 0.123), "uss-sgd": (0.233, 0.063)},
        "last 10 turns",
    )
    found = [
        Number("A1", corpus, "naive Bayes", metric, value, US, "measured", setting=way)
        for corpus, values in floor.items()
        for metric, value in zip(("uar", "kappa"), values, strict=True)
    ]
    way = "copies made before a random row split"
    for corpus, value in (("uss-ccpe", 0.612), ("uss-sgd", 0.763)):
        found.append(Number("A-T5", corpus, "T5", "kappa", value, T5, "published", setting=way))
        found.append(
            Number(
                "A-T5",
                corpus,
                "look-up of training texts",
                "kappa",
                math.nan,
                US,
                "measured",
                0.995,
                1.0,
                way,
            )
        )
    return found


def _usda() -> list[Number]:
    redial, sgd, bayes = "usda-redial", "usda-sgd", "naive Bayes, user's last utterance"
    found = [
        Number("B", corpus, bayes, metric, value, US, "measured", *bounds)
        for corpus, metric, value, *bounds in (
            (redial, "accuracy", 0.587, 0.548, 0.622),
            (redial, "macro_f1", 0.529),
            (sgd, "accuracy", 0.602, 0.571, 0.627),
            (sgd, "macro_f1", 0.567),
        )
    ]
    plain = {
        "majority": (0.492, 0.506),
        "naive Bayes, previous system turn": (0.417, 0.495),
        "one annotator against the mean of the others": (0.459, 0.490),
    }
    found += [
        Number("B", corpus, model, "accuracy", value, US, "measured")
        for model, values in plain.items()
        for corpus, value in zip((redial, sgd), values, strict=True)
    ]
    quoted = ((sgd, "USDA", 0.625), (redial, "ASAP", 0.660), (sgd, "ASAP", 0.648))
    return found + [
        Number("B", corpus, model, "accuracy", value, BOARD, "index")
        for corpus, model, value in quoted
    ]


def _siro() -> list[Number]:
    same, way = "aspects of the same annotator", "single aspects, the range"
    one = Number("C", "ab-redial", same, "pearson", 0.73, SIRO, "published", setting="all aspects")
    ranges = ((same, 0.61, 0.71), ("aspects of other annotators", 0.33, 0.47))
    return [
        one,
        *(
            Number("C", "ab-redial", model, "pearson", math.nan, US, "measured", low, high, way)
            for model, low, high in ranges
        ),
    ]


def _ratings() -> list[Number]:
    """ML-100K is an older set that the kit does not ship; "movielens" is ML-latest-small."""
    small, big, amazon = "movielens", "movielens-100k", "amazon-reviews-2023"
    tables = {
        (big, "random 5-fold", SURPRISE, "published"): {
            "SVD": (0.934, 0.737),
            "SVD++": (0.919, 0.721),
            "k-NN baseline": (0.931, 0.733),
            "BaselineOnly": (0.944, 0.748),
        },
        (small, "users by time, 80/10/10", US, "measured"): {
            "global mean": (1.074, 0.846),
            "damped biases": (0.903, 0.699),
            "trees on six behaviour features": (0.826, 0.632),
        },
        (small, "users by time, 3,000 test rows", US, "measured"): {
            "BERT with behaviour": (0.842, 0.654),
            "trees": (0.836, 0.643),
            "average of both": (0.834, 0.644),
        },
        (amazon, "own title and text, 200 users held out, one seed", US, "measured"): {
            "mean": (1.19,),
            "frozen MiniLM, ridge": (0.97,),
            "TF-IDF, ridge": (0.92,),
            "MiniLM, 1 epoch": (0.79,),
            "MiniLM, 2 epochs": (0.77,),
        },
        (big, "random", US, "measured"): {"biases": (0.94,)},
        (big, "users by time", US, "measured"): {"biases": (1.00,)},
        (big, "global time", US, "measured"): {"biases": (1.03,)},
    }
    return [
        Number("D", corpus, model, metric, value, source, known, setting=setting)
        for (corpus, setting, source, known), models in tables.items()
        for model, values in models.items()
        for metric, value in zip(("rmse", "mae"), values, strict=False)
    ]


NUMBERS = (*_sun(), *_clean(), *_usda(), *_siro(), *_ratings())


def numbers(protocol: str, corpus: str = ""):
    """The published numbers of a protocol, and of a corpus where named, as a frame with the columns
    of ``Number``.

    Raises ValueError for a protocol or a corpus without any.
    """
    import pandas as pd

    runtime.one_of("protocol", protocol, dict.fromkeys(one.protocol for one in NUMBERS))
    found = [one for one in NUMBERS if one.protocol == protocol]
    if corpus:
        runtime.one_of(
            f"corpus of protocol {protocol}", corpus, dict.fromkeys(one.corpus for one in found)
        )
    return pd.DataFrame([asdict(one) for one in found if corpus in ("", one.corpus)])


def table(protocol: str, corpus: str):
    """A line a model and a column a metric, each model marked by how its numbers are known: "BERT
    [published]"."""
    found = numbers(protocol, corpus)
    setting = found["setting"].map(lambda text: f", {text}" if text else "")
    names = found["model"] + setting + " [" + found["known"] + "]"
    wide = found.assign(row=names).pivot(index="row", columns="metric", values="value")
    wide = wide.loc[list(dict.fromkeys(names)), list(dict.fromkeys(found["metric"]))]
    return wide.rename_axis(index=None, columns=None)
