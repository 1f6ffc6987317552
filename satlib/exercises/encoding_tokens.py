"""The exercises of lesson 22: a reference answer and a checker each."""

import numpy as np

from satlib.exercises.checking import expect


def answer_1(ids, max_length, head):
    if len(ids) <= max_length:
        return ids
    first, content, last = ids[:1], ids[1:-1], ids[-1:]
    tail = max_length - 2 - head
    return first + content[:head] + content[len(content) - tail :] + last


def check_1(answer):
    ids = [101, *range(1, 11), 102]
    got = answer(ids, 8, 2)
    if got is not None:
        assert len(got) == 8, f"{len(got)} ids came back, not 8; [CLS] and [SEP] count too"
        assert got[0] == 101 and got[-1] == 102, "[CLS] (101) must stay first and [SEP] (102) last"
    right = [101, 1, 2, 7, 8, 9, 10, 102]
    expect(got, right, otherwise="the first 2 and the last 4 of the content, not {got}")

    fits = "12 ids fit into 12: nothing may be cut or doubled"
    expect(answer(ids, 12, 2), ids, otherwise=fits)
    no_tail = "with head = 3 the tail is empty, but x[-0:] is all"
    expect(answer(ids, 5, 3), [101, 1, 2, 3, 102], otherwise=no_tail)
    no_head = "with head = 0 this is truncation from the left"
    expect(answer(ids, 5, 0), [101, 8, 9, 10, 102], otherwise=no_head)


def answer_2(hidden, mask):
    return (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)


def check_2(answer):
    hidden = np.arange(24.0).reshape(2, 3, 4) ** 2
    mask = np.array([[1, 1, 0], [1, 1, 1]])
    got = answer(hidden, mask)
    if got is not None:
        assert np.shape(got) == (2, 4), (
            f"one vector per text: shape [B, H] = (2, 4), not {np.shape(got)}"
        )
    right = np.stack([hidden[0, :2].mean(axis=0), hidden[1].mean(axis=0)])
    by_length = (hidden * mask[:, :, None]).mean(axis=1)
    mistakes = {
        "that is the mean over all places; padding is among them": hidden.mean(axis=1),
        "padding adds nothing but is counted: divide by the real tokens": by_length,
    }
    otherwise = f"the first text has two real tokens; expected {right[0]}"
    expect(got, right, mistakes, otherwise)
