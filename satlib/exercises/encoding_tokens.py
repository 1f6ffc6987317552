"""The exercises of lesson 22: a reference answer and a checker each."""

import numpy as np


def answer_1(ids, max_length, head):
    if len(ids) <= max_length:
        return ids
    first, content, last = ids[:1], ids[1:-1], ids[-1:]
    tail = max_length - 2 - head
    return first + content[:head] + content[len(content) - tail :] + last


def check_1(answer):
    ids = [101, *range(1, 11), 102]
    found = list(answer(ids, 8, 2))
    assert len(found) == 8, f"{len(found)} ids came back, not 8; [CLS] and [SEP] count too"
    assert found[0] == 101 and found[-1] == 102, "[CLS] (101) must stay first and [SEP] (102) last"
    assert found == [101, 1, 2, 7, 8, 9, 10, 102], (
        f"the first 2 and the last 4 of the content, not {found}"
    )
    assert list(answer(ids, 12, 2)) == ids, "12 ids fit into 12: nothing may be cut or doubled"
    assert list(answer(ids, 5, 3)) == [101, 1, 2, 3, 102], (
        "with head = 3 the tail is empty, but x[-0:] is all"
    )
    assert list(answer(ids, 5, 0)) == [101, 8, 9, 10, 102], (
        "with head = 0 this is truncation from the left"
    )


def answer_2(hidden, mask):
    return (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)


def check_2(answer):
    hidden = np.arange(24.0).reshape(2, 3, 4) ** 2
    mask = np.array([[1, 1, 0], [1, 1, 1]])
    expected = np.stack([hidden[0, :2].mean(axis=0), hidden[1].mean(axis=0)])
    found = np.asarray(answer(hidden, mask), dtype=float)
    assert found.shape == (2, 4), f"one vector per text: shape [B, H] = (2, 4), not {found.shape}"
    assert not np.allclose(found, hidden.mean(axis=1)), (
        "that is the mean over all places; padding is among them"
    )
    by_length = (hidden * mask[:, :, None]).mean(axis=1)
    assert not np.allclose(found, by_length), (
        "padding adds nothing but is counted: divide by the real tokens"
    )
    assert np.allclose(found, expected), (
        f"the first text has two real tokens; expected {expected[0]}, got {found[0]}"
    )
