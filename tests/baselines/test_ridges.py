"""Ridge regression on several kinds of rows, against its form with kernels."""

import numpy as np
import pytest
from scipy import sparse

from satlib.baselines import ridges
from satlib.baselines.event_steps import Sentences
from satlib.baselines.inputs import Characters

N, NEW = 30, 5
RNG = np.random.default_rng(0)
STARS = RNG.normal(size=N)
WIDTHS = {"text": 7, "spelled last": 6, "every": 4, "last": 4, "earlier": 4}
BLOCKS = {name: RNG.normal(size=(N + NEW, width)) for name, width in WIDTHS.items()}


def by_kernel(shares, alpha):
    """Ridge in its other form, which weights training rows by products of rows with rows."""
    kernel = sum(share * BLOCKS[name] @ BLOCKS[name][:N].T for name, share in shares.items())
    centre = np.eye(N) - 1 / N
    centred = centre @ kernel[:N] @ centre
    dual = np.linalg.solve(centred + alpha * np.eye(N), centre @ STARS)
    return STARS.mean() + (kernel[N:] - kernel[:N].mean(axis=0)) @ centre @ dual


def rows_of(at):
    characters = Characters(*[sparse.csr_matrix(BLOCKS[name][at]) for name in list(WIDTHS)[:2]])
    sentences = Sentences(*[BLOCKS[name][at] for name in Sentences._fields])
    return characters, sentences


TRAIN, ASKED = rows_of(slice(N)), rows_of(slice(N, None))


@pytest.mark.parametrize("last", [0.0, 0.3, 1.0])
def test_rows_side_by_side_equal_a_sum_of_their_kernels(last):
    characters = {"text": 1 - last, "spelled last": last}
    steps = {"every": 1 - last, "last": last}
    both = {name: 0.2 * share for name, share in characters.items()}
    both |= {name: 0.8 * share for name, share in steps.items()}
    settings = {"last": last, "alpha": 2.0}
    cases = [
        (ridges.on_characters, TRAIN[0], ASKED[0], settings, characters),
        (ridges.on_steps, TRAIN[1], ASKED[1], settings, steps),
        (ridges.on_both, list(TRAIN), list(ASKED), settings | {"embedded": 0.8}, both),
        (ridges.on_sentences, TRAIN[1], ASKED[1], {"alpha": 2.0}, {"last": 1, "earlier": 1}),
    ]
    for learn, train, asked, chosen, shares in cases:
        ((_, predict),) = learn(train, STARS, **chosen)
        assert np.allclose(predict(asked), by_kernel(shares, 2.0), atol=1e-3), learn.__name__


def test_rows_keep_their_length_and_their_precision():
    first, second = np.eye(3, dtype=np.float32), np.ones((3, 1), dtype=np.float32)
    joined = ridges.side_by_side([(0.3, first), (0.7, second)])
    assert np.allclose(np.linalg.norm(joined, axis=1), 1) and joined.dtype == np.float32
    spelled = ridges.side_by_side([(0.3, sparse.csr_matrix(first)), (0.7, second)])
    assert np.allclose(spelled.toarray(), joined) and spelled.dtype == np.float32
    assert ridges.side_by_side([(1.0, first), (0.0, second)]).shape == (3, 3)
