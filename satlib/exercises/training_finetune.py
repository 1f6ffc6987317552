"""The exercises of lesson 43: a reference answer and a checker each."""

import math

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


def answer_3(gradient, size):
    length = math.sqrt(sum(number**2 for row in gradient for number in row))
    if length == 0:
        return gradient
    return [[size * number / length for number in row] for row in gradient]


def check_3(answer):
    gradient = [[3.0, 0.0], [0.0, -4.0]]
    mistakes = {
        "the loss must grow, so the table moves along the gradient": [[-1.2, 0.0], [0.0, 1.6]],
        "each word has the length for itself; all together must have it": [[2.0, 0.0], [0.0, -2.0]],
        "divide by the length of the gradient": [[6.0, 0.0], [0.0, -8.0]],
    }
    expect(answer(gradient, 2.0), [[1.2, 0.0], [0.0, -1.6]], mistakes, "{right} it is, not {got}")
    still = [[0.0, 0.0]]
    expect(answer(still, 2.0), still, {}, "a gradient of zeros moves nothing: {right}, not {got}")
