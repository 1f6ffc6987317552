"""The exercises of lesson 42: a reference answer and a checker each."""

import math

from satlib.exercises.checking import expect


def answer_1(values, patience):
    best = math.inf
    kept = 0
    for epoch, value in enumerate(values, start=1):
        if value < best:
            best = value
            kept = epoch
        if epoch - kept == patience:
            return epoch, kept
    return len(values), kept


def check_1(answer):
    values = [1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.3]
    got = answer(values, 2)
    assert got is not None, "the result is None: end every branch with `return`"
    epochs, kept = got
    assert epochs != 3, (
        "one worse epoch is not two: epoch 4 is better again and sets the count back"
    )
    mistakes = {"epoch 7 is never run: epochs 5 and 6 did not beat epoch 4": (7, 7)}
    if kept == epochs:
        mistakes["the weights of the best epoch are kept, not those of the last"] = got
    otherwise = "it runs 6 epochs and keeps epoch 4: {right}, not {got}"
    expect((epochs, kept), (6, 4), mistakes, otherwise)
    equal = "an equal value is not better: it counts"
    expect(answer([0.5, 0.5, 0.5, 0.4], 2), (3, 1), otherwise=equal)
    falling = "where every epoch is better, all are run and the last is kept"
    expect(answer([0.9, 0.8, 0.7], 2), (3, 3), otherwise=falling)


def answer_2(n, plan, step):
    from satlib.training.batches import batches

    per_epoch = len(batches(n, plan, 0))
    return batches(n, plan, step // per_epoch)[step % per_epoch]


def check_2(answer):
    from satlib.training.batches import batches
    from satlib.training.plan import Plan

    plan = Plan(batch_size=4, seed=3)
    first, second, third = (batches(10, plan, epoch) for epoch in range(3))
    for step, batch in enumerate(first):
        in_order = "updates 0 to 2 are the batches of epoch 0, in order"
        expect(answer(10, plan, step), batch, otherwise=in_order)
    mistakes = {"update 3 begins epoch 1, which has an order of its own": first[0]}
    otherwise = "updates 3 to 8 are epochs 1 and 2"
    for step, batch in enumerate([*second, *third], start=3):
        expect(answer(10, plan, step), batch, mistakes if step == 3 else None, otherwise)
