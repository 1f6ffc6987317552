"""Classifiers of texts into 1..5 stars, from a constant to a fine-tuned encoder, each judged after
every epoch.

``fit`` returns a list of probabilities [M, 5] of the judged texts, one entry an epoch (one in all,
where a learner has no epochs). Who calls it chooses among the epochs, and says how: protocols of
the literature differ in just that. Taught with lesson 61.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from satlib import runtime
from satlib.baselines import event_steps
from satlib.data.labels import STAR_VALUES
from satlib.evaluation import metrics
from satlib.models.satisfaction_model import SatisfactionModel, predict_tokens
from satlib.training import finetune
from satlib.training.batches import Rows


@dataclass(frozen=True)
class Settings(finetune.Settings):
    """How the networks learn: the recipe's settings for the encoder, with the defaults of protocols
    A and B; gru_epochs, and words, the last ones of a text that the GRU reads."""

    recorded: ClassVar = (
        "epochs",
        "batch_size",
        "learning_rate",
        "max_length",
        "train_rows",
        "gru_epochs",
        "words",
    )
    max_length: int = 64
    strengths: tuple[float, ...] = (1.0,)
    batch_size: int = 32
    adversarial: float = 0.0  # as published: one plain pass
    gru_epochs: int = 5
    words: int = 64


@dataclass(frozen=True)
class Labelled:
    """Training texts [N], their classes in stars [N], their annotators' mean [N] (None: the
    classes), and behaviour features [N, F] for the encoder (None: none). A text may be empty."""

    texts: Sequence[str]
    stars: np.ndarray
    means: np.ndarray | None = None
    features: np.ndarray | None = None


def class_shares(stars: np.ndarray) -> np.ndarray:
    """The share of each class 1..5 among classes in stars [N]: [5]."""
    counts = np.bincount(metrics.classes(stars), minlength=6)[1:]
    return counts / len(stars)


def always(rows: Labelled, judged: Sequence[str], star: float = 3.0) -> list[np.ndarray]:
    """The same class for every text."""
    certain = (STAR_VALUES == star).astype(float)
    return [np.tile(certain, (len(judged), 1))]


def prior(rows: Labelled, judged: Sequence[str]) -> list[np.ndarray]:
    """The shares of the classes in training, for every text."""
    return [np.tile(class_shares(rows.stars), (len(judged), 1))]


def bayes(rows: Labelled, judged: Sequence[str]) -> list[np.ndarray]:
    """Multinomial naive Bayes on counts of words and pairs of words that occur in at least two
    texts."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB

    count = CountVectorizer(ngram_range=(1, 2), min_df=2)
    return _by_words(count, MultinomialNB(), rows, judged)


def logistic(rows: Labelled, judged: Sequence[str]) -> list[np.ndarray]:
    """Logistic regression on TF-IDF weights of words and pairs of words that occur in at least two
    texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    weigh = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return _by_words(weigh, LogisticRegression(C=1.0, max_iter=300), rows, judged)


def _by_words(vectoriser, learner, rows: Labelled, judged: Sequence[str]) -> list[np.ndarray]:
    known = vectoriser.fit_transform(rows.texts)
    learner.fit(known, metrics.classes(rows.stars))
    # A class that no training row has keeps the probability 0.
    probabilities = np.zeros((len(judged), len(STAR_VALUES)))
    columns = learner.classes_ - 1
    probabilities[:, columns] = learner.predict_proba(vectoriser.transform(judged))
    return [probabilities]


class Reader(nn.Module):
    """A GRU over the words of a text, each a hashed embedding, and a linear layer on its last
    state: logits [B, 5]."""

    def __init__(self, width: int = 64):
        super().__init__()
        self.words = nn.Embedding(event_steps.BUCKETS, width, padding_idx=0)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.last = nn.Linear(width, 5)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        """words [B, T], padded on the left with 0."""
        states, _ = self.gru(self.words(words))
        return self.last(self.dropout(states[:, -1]))


def gru(rows: Labelled, judged: Sequence[str], settings: Settings) -> list[np.ndarray]:
    """A GRU over the last words of a text, trained from nothing by Adam."""
    known = torch.from_numpy(hashed_words(rows.texts, settings.words))
    unseen = torch.from_numpy(hashed_words(judged, settings.words))
    labels = torch.from_numpy(metrics.classes(rows.stars) - 1)
    epochs = []
    with torch.random.fork_rng(devices=[]):  # nobody else's random numbers change
        torch.manual_seed(settings.seed)
        model = Reader()
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        for _ in range(settings.gru_epochs):
            model.train()
            for batch in torch.randperm(len(labels)).split(128):
                loss = nn.functional.cross_entropy(model(known[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            epochs.append(_probabilities(model, unseen))
    return epochs


def _probabilities(model: Reader, words: torch.Tensor) -> np.ndarray:
    """Probabilities [N, 5] of hashed words [N, T], without dropout."""
    model.eval()
    with torch.no_grad():
        batches = [model(batch).softmax(1) for batch in words.split(1024)]
    return torch.cat(batches).double().numpy()


def hashed_words(texts: Sequence[str], words: int) -> np.ndarray:
    """The last words of every text as columns of the hash table, [N, words], zeros on the left."""
    columns = np.zeros((len(texts), words), dtype=np.int64)
    for row, text in enumerate(texts):
        last = re.findall(event_steps.TOKEN, text.lower())[-words:]
        columns[row, words - len(last) :] = [event_steps.bucket(word) for word in last]
    return columns


def encoder(
    rows: Labelled,
    judged: Sequence[str],
    settings: Settings,
    head: str = "classes",
    features: np.ndarray | None = None,
) -> list[np.ndarray]:
    """The embedded pretrained encoder: a head fitted on it frozen (entry 0), then fine-tuned (an
    entry an epoch).

    features: behaviour features [M, F] of the judged texts, where ``rows`` has them. The head
    "soft" learns the annotators' mean, the others the classes.
    """
    settings = replace(settings, head=head)
    ratings = rows.stars
    if head == "soft" and rows.means is not None:
        ratings = rows.means
    ids = finetune.token_ids([*rows.texts, *judged], settings)
    count = len(rows.texts)
    known = Rows(ids[:count], np.asarray(ratings, dtype=float), rows.features)
    probabilities = []

    def look(model: SatisfactionModel) -> None:
        autocast = settings.judging_dtype
        prediction = predict_tokens(model, ids[count:], features, autocast=autocast)
        probabilities.append(prediction.distribution)

    finetune.finetune(known, settings, look=look)
    return probabilities


SIMPLE: dict[str, Callable] = {
    "always-3": always,
    "prior": prior,
    "naive-bayes": bayes,
    "tfidf-logistic": logistic,
}
UNTRAINED = ("always-3", "prior")  # what says the same of every text
HEADS = {"bert-classes": "classes", "bert-ordinal": "cumulative", "bert-soft": "soft"}
CLASSIFIERS = (*SIMPLE, "gru", *HEADS)


def fit(
    name: str,
    rows: Labelled,
    judged: Sequence[str],
    settings: Settings = Settings(),
    features: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Learn from ``rows`` and give probabilities [M, 5] of the judged texts after every epoch.

    name: one of CLASSIFIERS. Of an encoder (HEADS), entry 0 is the frozen one. Raises ValueError
    for another name, and for no rows.
    """
    runtime.one_of("classifier", name, CLASSIFIERS)
    n_texts = len(rows.texts)
    n_classes = len(rows.stars)
    if n_texts == 0 or n_texts != n_classes:
        raise ValueError(
            f"{n_texts} texts and {n_classes} classes; give a class to each text, "
            "and at least one text"
        )
    if name in SIMPLE:
        return SIMPLE[name](rows, judged)
    if name == "gru":
        return gru(rows, judged, settings)
    return encoder(rows, judged, settings, HEADS[name], features)
