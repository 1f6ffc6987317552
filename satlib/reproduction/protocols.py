"""Reproduction: what a published protocol is, its split as a file, and a record for everything that
is run under it.

A **protocol** says what is an example, its label and its input, how the data are cut, how a model
is chosen and what is measured. Numbers of two protocols are never compared. The functions that
follow a protocol are in ``uss`` (A0 and A1), ``usda`` (B), ``ab_redial`` (C) and ``rating_splits``
(D).
"""

from dataclasses import dataclass

STUDY = "reproduction"  # the sub-folder of a folder of records
# The embedded encoder, of which all bert-* are made here; what was published used BERT-base, 110M.
ENCODER = "all-MiniLM-L6-v2, 22.7M parameters"
USS = ("uss-redial", "uss-ccpe", "uss-sgd")  # the corpora of protocol A
USDA = ("usda-redial", "usda-sgd")  # the corpora of protocol B


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


A0 = Protocol(
    name="A0",
    corpora=USS,
    unit="a user line, and the line OVERALL of each dialogue",
    label="most frequent rating, ties to the lowest",
    input="the dialogue before the user speaks",
    filter="none",
    split="ten contiguous blocks of rows, after which rows not rated 3 stand eleven times in "
    "training",
    choice="the best epoch on the test rows, for each metric anew",
    metrics=("uar", "kappa", "published_rho", "published_f1"),
    source="Sun et al., SIGIR 2021, and its code",
)
A1 = Protocol(
    name="A1",
    corpora=USS,
    unit="a user line",
    label="most frequent rating, ties to the lowest",
    input="the dialogue before the user speaks",
    filter="OVERALL lines are left out",
    split="five folds of whole dialogues; a tenth of the training dialogues validates",
    choice="the epoch with the lowest validation loss, the class by the power with the highest "
    "validation UAR",
    metrics=("uar", "kappa", "qwk", "spearman", "f1_dissatisfied", "accuracy"),
    source="A0 without its faults",
)
B = Protocol(
    name="B",
    corpora=USDA,
    unit="a user turn from the fourth on, and OVERALL",
    label="sign of the mean minus 3",
    input="the dialogue with the user's current words",
    filter="the first three user turns are left out",
    split="published validation and test files, training set rebuilt",
    choice="the epoch with the best validation macro-F1",
    metrics=("accuracy", "macro_f1", "uar"),
    source="Deng et al., WWW 2022; Ye et al., ACL 2023",
)
C = Protocol(
    name="C",
    corpora=("ab-redial",),
    unit="a turn (an exchange of four utterances), or a dialogue",
    label="mean overall rating of its annotators",
    input="the dialogue up to its end, the user's answer included",
    filter="answers without a rating are left out",
    split="ten folds of whole conversations",
    choice="settings fixed beforehand",
    metrics=("rmse", "mae", "pearson", "spearman"),
    source="Siro et al., TOIS 2023",
)
D = Protocol(
    name="D",
    corpora=("movielens", "amazon-reviews-2023"),
    unit="a rating",
    label="its stars, halves kept",
    input="the film or product, and by model what the user rated before",
    filter="Amazon: users with one review are left out",
    split="MovieLens: random rows, each user by time, the last row of each user, global time; "
    "Amazon: whole users",
    choice="validation RMSE; the encoder's rate and epochs fixed beforehand",
    metrics=("rmse", "mae", "rmse_by_user"),
    source="the recommender literature; see lesson 64",
)
PROTOCOLS = {protocol.name: protocol for protocol in (A0, A1, B, C, D)}


def settings_of(settings) -> dict:
    """The encoder and those fields of a protocol's settings that its records name, as parameters;
    the seed has a field of its own there."""
    parameters = {"encoder": ENCODER}
    for name in settings.recorded:
        parameters[name] = getattr(settings, name)
    return parameters
