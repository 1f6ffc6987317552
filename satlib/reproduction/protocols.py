"""Reproduction: what a published protocol is, its split as a file, and a record for everything that
is run under it.

A **protocol** says what is an example, its label and its input, how the data are cut, how a model
is chosen and what is measured. Numbers of two protocols are never compared. The functions that
follow a protocol are in ``protocol_a`` (USS), ``protocol_b`` (USDA), ``protocol_c`` (AB-ReDial) and
``protocol_d`` (rating prediction).
"""

from dataclasses import asdict, dataclass

STUDY = "reproduction"  # the sub-folder of a folder of records


@dataclass(frozen=True)
class Protocol:
    """One way to pose the question, in words; ``source`` is where it was read."""

    name: str
    corpora: tuple[str, ...]
    unit: str
    label: str
    input: str
    filter: str
    split: str
    choice: str
    metrics: tuple[str, ...]
    source: str


_USS = ("uss-redial", "uss-ccpe", "uss-sgd")
PROTOCOLS = {
    p.name: p
    for p in (
        Protocol(
            "A0",
            _USS,
            "a user line, and the line OVERALL of each dialogue",
            "most frequent rating, ties to the lowest",
            "the dialogue before the user speaks",
            "none",
            "ten contiguous blocks of rows, after which rows not rated 3 stand eleven times in training",
            "the best epoch on the test rows, for each metric anew",
            ("uar", "kappa", "published_rho", "published_f1"),
            "Sun et al., SIGIR 2021, and its code",
        ),
        Protocol(
            "A1",
            _USS,
            "a user line",
            "most frequent rating, ties to the lowest",
            "the dialogue before the user speaks",
            "OVERALL lines are left out",
            "five folds of whole dialogues; a tenth of the training dialogues validates",
            "the epoch with the lowest validation loss, the class by the power with the highest validation UAR",
            ("uar", "kappa", "qwk", "spearman", "f1_dissatisfied", "accuracy"),
            "A0 without its faults",
        ),
        Protocol(
            "B",
            ("usda-redial", "usda-sgd"),
            "a user turn from the fourth on, and OVERALL",
            "sign of the mean minus 3",
            "the dialogue with the user's current words",
            "the first three user turns are left out",
            "published validation and test files, training set rebuilt",
            "the epoch with the best validation macro-F1",
            ("accuracy", "macro_f1", "uar"),
            "Deng et al., WWW 2022; Ye et al., ACL 2023",
        ),
        Protocol(
            "C",
            ("ab-redial",),
            "a turn (an exchange of four utterances), or a dialogue",
            "mean overall rating of its annotators",
            "the dialogue up to its end, the user's answer included",
            "answers without a rating are left out",
            "ten folds of whole conversations",
            "settings fixed beforehand",
            ("rmse", "mae", "pearson", "spearman"),
            "Siro et al., TOIS 2023",
        ),
        Protocol(
            "D",
            ("movielens", "amazon-reviews-2023"),
            "a rating",
            "its stars, halves kept",
            "the film or product, and by model what the user rated before",
            "Amazon: users with one review are left out",
            "MovieLens: random rows, each user by time, the last row of each user, global time; Amazon: whole users",
            "validation RMSE; the encoder's rate and epochs fixed beforehand",
            ("rmse", "mae", "rmse_by_user"),
            "the recommender literature; see lesson 64",
        ),
    )
}


def settings_of(settings) -> dict:
    """The fields of a settings dataclass as a record's parameters; the seed has a field of its own
    there."""
    return {name: value for name, value in asdict(settings).items() if name != "seed"}
