"""Ridge regression on one kind of rows, and on several side by side.

Taught with lesson 32 beside ``fitting``. Each learner is a generator that hands out one function
from rows to ratings [N]. Source: Hoerl and Kennard, Ridge regression, Technometrics 12(1), 1970.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from satlib.baselines.event_steps import Sentences
from satlib.baselines.inputs import Characters

ALPHA = 1.0  # the penalty where there are no validation rows to choose it on

# No settings beside those tried, and a function from rows to ratings [N].
Candidate = tuple[dict, Callable]


def ridge(rows, ratings, seed=0, alpha: float = ALPHA) -> Iterator[Candidate]:
    """Ridge regression on sparse or dense rows [N, D]."""
    from sklearn.linear_model import Ridge

    solver = "cholesky" if isinstance(rows, np.ndarray) else "sparse_cg"
    yield {}, Ridge(alpha=alpha, solver=solver, tol=1e-5).fit(rows, ratings).predict


def on_sentences(rows: Sentences, ratings, seed=0, alpha: float = ALPHA) -> Iterator[Candidate]:
    """Ridge regression on the embedding of the last step beside the mean of those before it."""
    return _on(lambda rows: np.hstack([rows.last, rows.earlier]), rows, ratings, alpha)


def on_steps(
    rows: Sentences, ratings, seed=0, last: float = 0.5, alpha: float = ALPHA
) -> Iterator[Candidate]:
    """Ridge regression on the mean embedding of all steps beside that of the last one.

    last: how much the last step counts, from 0 to 1; see ``side_by_side``.
    """

    def join(rows: Sentences) -> np.ndarray:
        return side_by_side([(1 - last, rows.every), (last, rows.last)])

    return _on(join, rows, ratings, alpha)


def on_characters(
    rows: Characters, ratings, seed=0, last: float = 0.5, alpha: float = ALPHA
) -> Iterator[Candidate]:
    """Ridge regression on the characters of the whole text beside those of its last event.

    last: how much the last event counts, from 0 to 1; see ``side_by_side``.
    """

    def join(rows: Characters):
        return side_by_side([(1 - last, rows.text), (last, rows.last)])

    return _on(join, rows, ratings, alpha)


def on_both(
    rows: list, ratings, seed=0, last: float = 0.5, embedded: float = 0.75, alpha: float = ALPHA
) -> Iterator[Candidate]:
    """Ridge regression on the rows of ``on_characters`` beside those of ``on_steps``.

    embedded: how much the embeddings count, from 0 to 1; characters have the rest.
    """

    def join(rows: list):
        characters, steps = rows
        spelled = 1 - embedded
        return side_by_side(
            [
                (spelled * (1 - last), characters.text),
                (spelled * last, characters.last),
                (embedded * (1 - last), steps.every),
                (embedded * last, steps.last),
            ]
        )

    return _on(join, rows, ratings, alpha)


def side_by_side(blocks: Sequence[tuple[float, object]]):
    """Columns of several kinds in one array: blocks of (share, rows [N, D]).

    Each block is multiplied by the root of its share: where the rows of all have length 1 and the
    shares add up to 1, the joined rows have length 1, too. A block without a share is left out.
    """
    from scipy import sparse

    weighted = [rows * math.sqrt(share) for share, rows in blocks if share > 0]
    if any(sparse.issparse(rows) for rows in weighted):
        return sparse.hstack(weighted, format="csr")
    return np.hstack(weighted)


def _on(join: Callable, rows, ratings, alpha: float) -> Iterator[Candidate]:
    """Ridge regression on what ``join`` makes of a view's rows."""
    ((_, predict),) = ridge(join(rows), ratings, alpha=alpha)
    yield {}, lambda rows: predict(join(rows))
