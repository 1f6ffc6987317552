"""The exercises of lesson 45: a reference answer and a checker each."""

import itertools

from satlib.exercises.checking import expect


def answer_1(shares, factors):
    time = 1 - sum(shares)  # what stays as it is
    for share, factor in zip(shares, factors, strict=True):
        time += share / factor
    return 1 / time


def check_1(answer):
    mistakes = {
        "that is the time that is left; asked is how many times faster: its inverse": 0.55,
        "the rest of the time, 1 - 0.75, stays: it counts too": 1 / 0.3,
        "factors are not added up by their shares: add up the times that are left": 2.25,
    }
    otherwise = "0.25 stays, 0.5 / 2 and 0.25 / 5 are left: 1 / 0.55 = 1.82, not {got}"
    expect(answer([0.5, 0.25], [2.0, 5.0]), 1 / 0.55, mistakes, otherwise)
    otherwise = "where nothing gets faster the factor is 1"
    expect(answer([], []), 1.0, otherwise=otherwise)


def answer_2(lengths, budget):
    batches = []
    for length in lengths:
        last = batches[-1] if batches else []
        positions = max([*last, length]) * (len(last) + 1)
        if last and positions <= budget:
            last.append(length)
        else:
            batches.append([length])
    return batches


def check_2(answer):
    lengths = [2, 2, 5, 1, 1, 9]
    got = answer(lengths, 10)
    assert got is not None, "the result is None: end the function with `return`"
    got = [list(map(int, batch)) for batch in got]
    in_a_row = list(itertools.chain.from_iterable(got))
    order = "every text is in one batch, in the order in which they come"
    expect(in_a_row, lengths, otherwise=order)
    too_long = "a long text makes the texts before it long as well: 3 x 5 = 15 positions"
    assert got != [[2, 2, 5, 1], [1, 9]], (
        "padding counts: four texts with a longest of 5 take 20 positions, not 10"
    )
    assert [2, 2, 5] not in got, too_long
    otherwise = "[2, 2], [5, 1], [1], [9] fit into 10 positions, not {got}"
    expect(got, [[2, 2], [5, 1], [1], [9]], otherwise=otherwise)
    beyond = [list(batch) for batch in answer([12, 1], 10)]
    otherwise = "a text beyond the budget is a batch of its own"
    expect(beyond, [[12], [1]], otherwise=otherwise)


def answer_3(lengths, seconds, peak):
    from satlib.training import speed

    return speed.training_flops(lengths) / seconds / (peak * 1e9)


def check_3(answer):
    from satlib.training import speed

    lengths = [20, 60]
    right = speed.training_flops(lengths) / 0.5 / 1e11
    mistakes = {
        "training costs three times the forward pass": right / 3,
        "the peak counts billions of operations": right * 1e9,
        "count tokens, not padding": speed.training_flops([60, 60]) / 0.5 / 1e11,
        "a share is what was used over what could have been": 1 / right,
    }
    otherwise = "operations / (seconds x peak) is {right}, not {got}"
    expect(answer(lengths, 0.5, 100.0), right, mistakes, otherwise)
