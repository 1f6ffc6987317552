"""The exercises of lesson 45: a reference answer and a checker each."""

import math


def answer_1(shares, factors):
    rest = 1 - sum(shares)
    return 1 / (rest + sum(share / factor for share, factor in zip(shares, factors, strict=True)))


def check_1(answer):
    found = float(answer([0.5, 0.25], [2.0, 5.0]))
    assert not math.isclose(found, 0.55), (
        "that is the time that is left; asked is how many times faster: its inverse"
    )
    assert not math.isclose(found, 1 / 0.3), "the rest of the time, 1 - 0.75, stays: it counts too"
    assert not math.isclose(found, 2.25), (
        "factors are not added up by their shares: add up the times that are left"
    )
    assert math.isclose(found, 1 / 0.55), (
        f"0.25 stays, 0.5 / 2 and 0.25 / 5 are left: 1 / 0.55 = 1.82, not {found:.2f}"
    )
    assert math.isclose(float(answer([], [])), 1.0), "where nothing gets faster the factor is 1"


def answer_2(lengths, budget):
    batches = []
    for length in lengths:
        if batches and max(*batches[-1], length) * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(length)
        else:
            batches.append([length])
    return batches


def check_2(answer):
    found = [list(map(int, batch)) for batch in answer([2, 2, 5, 1, 1, 9], 10)]
    assert sum(found, []) == [2, 2, 5, 1, 1, 9], (
        "every text is in one batch, in the order in which they come"
    )
    assert found != [[2, 2, 5, 1], [1, 9]], (
        "padding counts: four texts with a longest of 5 take 20 positions, not 10"
    )
    assert [2, 2, 5] not in found, (
        "a long text makes the texts before it long as well: 3 x 5 = 15 positions"
    )
    assert found == [[2, 2], [5, 1], [1], [9]], (
        f"[2, 2], [5, 1], [1], [9] fit into 10 positions, not {found}"
    )
    assert [list(b) for b in answer([12, 1], 10)] == [[12], [1]], (
        "a text beyond the budget is a batch of its own"
    )


def answer_3(lengths, seconds, peak):
    from satlib.training import speed

    return speed.training_flops(lengths) / seconds / (peak * 1e9)


def check_3(answer):
    from satlib.training import speed

    lengths, peak = [20, 60], 100.0
    right = speed.training_flops(lengths) / 0.5 / 1e11
    found = float(answer(lengths, 0.5, peak))
    assert not math.isclose(found, right / 3), "training costs three times the forward pass"
    assert not math.isclose(found, right * 1e9), "the peak counts billions of operations"
    assert not math.isclose(found, speed.training_flops([60, 60]) / 0.5 / 1e11), (
        "count tokens, not padding"
    )
    assert not math.isclose(found, 1 / right), "a share is what was used over what could have been"
    assert math.isclose(found, right), (
        f"operations / (seconds x peak) is {right:.4f}, not {found:.4f}"
    )
