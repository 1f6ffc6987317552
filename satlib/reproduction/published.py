"""Published numbers, to be shown beside ours and never ranked with them: each with its source and how it is known.

Taught with lesson 61. ``known`` says how: "published" (in the paper's or the project's own table), "code" (read in the
repository that came with it), "measured" (computed by the authors of this kit from the public data, before it), or
"index" (from the page of a third party, which is to be said wherever it is printed). Shares are given as 0..1.
"""

import math
from dataclasses import asdict, dataclass

from satlib import runtime

KNOWN = ("published", "code", "measured", "index")
CAVEAT = "from a third party's leaderboard page; we have not seen the run"  # of "index"


@dataclass(frozen=True)
class Number:
    """One number: its protocol (see ``protocols.PROTOCOLS``), corpus, model, metric and value, and whence it is.

    low, high: its interval or range, nan where there is none; value: nan where only a range is known. setting: in which
    way of the protocol, where it has several.
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
    "LR": (.211, .040, .240, .008, .214, .060, .669, .025, .211, .049, .251, .005),
    "SVM": (.209, .038, .205, .015, .212, .027, .534, .040, .230, .074, .169, .020),
    "XGBoost": (.207, .030, .391, .002, .200, .001, .707, .004, .202, .011, .442, .001),
    "HiGRU+ATTN": (.261, .097, .441, .118, .223, .109, .869, .214, .262, .082, .475, .058),
    "HiGRU": (.257, .084, .324, .083, .237, .167, .881, .274, .293, .118, .451, .086),
    "GRU": (.254, .104, .421, .121, .226, .124, .880, .207, .245, .072, .248, .027),
    "BERT": (.257, .122, .390, .125, .232, .147, .891, .245, .261, .094, .477, .048),
}
_USS = ("uss-redial", "uss-ccpe", "uss-sgd")


def _sun() -> list[Number]:
    found = [Number("A0", corpus, model, metric, values[4 * i + j], SUN, "published")
             for model, values in _SUN.items() for i, corpus in enumerate(_USS)
             for j, metric in enumerate(_SUN_METRICS)]
    constant = {"uss-redial": (.2, 0, .398, 0), "uss-ccpe": (.2, 0, .706, 0), "uss-sgd": (.2, 0, .439, 0)}
    found += [Number("A0", corpus, "always 3", metric, float(value), US, "measured")
              for corpus, values in constant.items() for metric, value in zip(_SUN_METRICS, values, strict=True)]
    for corpus, author, majority in zip(_USS, (.7551, .8090, .7584), (.8126, .8816, .8306), strict=True):
        found.append(Number("A0", corpus, "BERT", "accuracy", author, AUTHORS_LOG, "code"))
        found.append(Number("A0", corpus, "always 3", "accuracy", majority, US, "measured"))
    return found


def _clean() -> list[Number]:
    floor, way = {"uss-redial": (.211, .026), "uss-ccpe": (.225, .123), "uss-sgd": (.233, .063)}, "last 10 turns"
    found = [Number("A1", corpus, "naive Bayes", metric, value, US, "measured", setting=way)
             for corpus, values in floor.items() for metric, value in zip(("uar", "kappa"), values, strict=True)]
    way = "copies made before a random row split"
    for corpus, value in (("uss-ccpe", .612), ("uss-sgd", .763)):
        found.append(Number("A-T5", corpus, "T5", "kappa", value, T5, "published", setting=way))
        found.append(Number("A-T5", corpus, "look-up of training texts", "kappa", math.nan, US, "measured",
                            .995, 1.0, way))
    return found


def _usda() -> list[Number]:
    redial, sgd, bayes = "usda-redial", "usda-sgd", "naive Bayes, user's last utterance"
    found = [Number("B", corpus, bayes, metric, value, US, "measured", *bounds) for corpus, metric, value, *bounds in (
        (redial, "accuracy", .587, .548, .622), (redial, "macro_f1", .529),
        (sgd, "accuracy", .602, .571, .627), (sgd, "macro_f1", .567))]
    plain = {"majority": (.492, .506), "naive Bayes, previous system turn": (.417, .495),
             "one annotator against the mean of the others": (.459, .490)}
    found += [Number("B", corpus, model, "accuracy", value, US, "measured")
              for model, values in plain.items() for corpus, value in zip((redial, sgd), values, strict=True)]
    quoted = ((sgd, "USDA", .625), (redial, "ASAP", .660), (sgd, "ASAP", .648))
    return found + [Number("B", corpus, model, "accuracy", value, BOARD, "index") for corpus, model, value in quoted]


def _siro() -> list[Number]:
    same, way = "aspects of the same annotator", "single aspects, the range"
    one = Number("C", "ab-redial", same, "pearson", .73, SIRO, "published", setting="all aspects")
    ranges = ((same, .61, .71), ("aspects of other annotators", .33, .47))
    return [one, *(Number("C", "ab-redial", model, "pearson", math.nan, US, "measured", low, high, way)
                   for model, low, high in ranges)]


def _ratings() -> list[Number]:
    """ML-100K is an older set that the kit does not ship; "movielens" is ML-latest-small."""
    small, big, amazon = "movielens", "movielens-100k", "amazon-reviews-2023"
    tables = {
        (big, "random 5-fold", SURPRISE, "published"): {
            "SVD": (.934, .737), "SVD++": (.919, .721), "k-NN baseline": (.931, .733), "BaselineOnly": (.944, .748)},
        (small, "users by time, 80/10/10", US, "measured"): {
            "global mean": (1.074, .846), "damped biases": (.903, .699),
            "trees on six behaviour features": (.826, .632)},
        (small, "users by time, 3,000 test rows", US, "measured"): {
            "BERT with behaviour": (.842, .654), "trees": (.836, .643), "average of both": (.834, .644)},
        (amazon, "own title and text, 200 users held out, one seed", US, "measured"): {
            "mean": (1.19,), "frozen MiniLM, ridge": (.97,), "TF-IDF, ridge": (.92,), "MiniLM, 1 epoch": (.79,),
            "MiniLM, 2 epochs": (.77,)},
        (big, "random", US, "measured"): {"biases": (.94,)},
        (big, "users by time", US, "measured"): {"biases": (1.00,)},
        (big, "global time", US, "measured"): {"biases": (1.03,)},
    }
    return [Number("D", corpus, model, metric, value, source, known, setting=setting)
            for (corpus, setting, source, known), models in tables.items() for model, values in models.items()
            for metric, value in zip(("rmse", "mae"), values, strict=False)]


NUMBERS = (*_sun(), *_clean(), *_usda(), *_siro(), *_ratings())


def numbers(protocol: str, corpus: str = ""):
    """The published numbers of a protocol, and of a corpus where named, as a frame with the columns of ``Number``.

    Raises ValueError for a protocol or a corpus without any.
    """
    import pandas as pd

    runtime.one_of("protocol", protocol, dict.fromkeys(one.protocol for one in NUMBERS))
    found = [one for one in NUMBERS if one.protocol == protocol]
    if corpus:
        runtime.one_of(f"corpus of protocol {protocol}", corpus, dict.fromkeys(one.corpus for one in found))
    return pd.DataFrame([asdict(one) for one in found if corpus in ("", one.corpus)])


def table(protocol: str, corpus: str):
    """A line a model and a column a metric, each model marked by how its numbers are known: "BERT [published]"."""
    found = numbers(protocol, corpus)
    setting = found["setting"].map(lambda text: f", {text}" if text else "")
    names = found["model"] + setting + " [" + found["known"] + "]"
    wide = found.assign(row=names).pivot(index="row", columns="metric", values="value")
    wide = wide.loc[list(dict.fromkeys(names)), list(dict.fromkeys(found["metric"]))]
    return wide.rename_axis(index=None, columns=None)
