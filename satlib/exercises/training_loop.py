"""The exercises of lesson 42: a reference answer and a checker each."""

import math


def answer_1(values, patience):
    best, kept = math.inf, 0
    for epoch, value in enumerate(values, start=1):
        if value < best:
            best, kept = value, epoch
        if epoch - kept == patience:
            return epoch, kept
    return len(values), kept


def check_1(answer):
    values = [1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.3]
    epochs, kept = answer(values, 2)
    assert epochs != 3, (
        "one worse epoch is not two: epoch 4 is better again and sets the count back"
    )
    assert (epochs, kept) != (7, 7), "epoch 7 is never run: epochs 5 and 6 did not beat epoch 4"
    assert kept != epochs, "the weights of the best epoch are kept, not those of the last"
    assert (epochs, kept) == (6, 4), f"it runs 6 epochs and keeps epoch 4, not {epochs} and {kept}"
    assert tuple(answer([0.5, 0.5, 0.5, 0.4], 2)) == (3, 1), (
        "an equal value is not better: it counts"
    )
    assert tuple(answer([0.9, 0.8, 0.7], 2)) == (3, 3), (
        "where every epoch is better, all are run and the last is kept"
    )


def answer_2(n, plan, step):
    from satlib.training.batches import batches

    per_epoch = len(batches(n, plan, 0))
    return batches(n, plan, step // per_epoch)[step % per_epoch]


def check_2(answer):
    from satlib.training.batches import batches
    from satlib.training.plan import Plan

    plan = Plan(batch_size=4, seed=3)
    epochs = [batches(10, plan, epoch) for epoch in range(3)]
    found = [list(answer(10, plan, step)) for step in range(9)]
    assert found[:3] == [list(batch) for batch in epochs[0]], (
        "updates 0 to 2 are the batches of epoch 0, in order"
    )
    assert found[3] != list(epochs[0][0]), "update 3 begins epoch 1, which has an order of its own"
    assert found == [list(batch) for epoch in epochs for batch in epoch], (
        "updates 3 to 8 are epochs 1 and 2"
    )
