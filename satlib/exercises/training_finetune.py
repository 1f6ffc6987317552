"""The exercises of lesson 43: a reference answer and a checker each."""

from satlib.exercises.checking import expect


def answer_1(n):
    return 16 * n


def check_1(answer):
    mistakes = {
        "that is the weights alone; the gradient and two moments come on top": 4000,
        "there are two moments beside the weight and the gradient": 12000,
    }
    otherwise = "four fp32 numbers per parameter, 4 bytes each: {right} bytes for 1000, not {got}"
    expect(answer(1000), 16000, mistakes, otherwise)


def answer_2(losses):
    total = sum(sum(part) for part in losses)
    return total / sum(len(part) for part in losses)


def check_2(answer):
    passes = [[1.0, 1.0, 1.0], [5.0]]
    mistakes = {"the mean of the passes' means counts the small pass too much": 3.0}
    otherwise = "add up all losses and divide by the number of examples: {right}, not {got}"
    expect(answer(passes), 2.0, mistakes, otherwise)
