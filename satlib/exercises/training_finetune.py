"""The exercises of lesson 43: a reference answer and a checker each."""


def answer_1(n):
    return 16 * n


def check_1(answer):
    assert answer(1000) != 4000, (
        "that is the weights alone; the gradient and two moments come on top"
    )
    assert answer(1000) == 16000, "four fp32 numbers per parameter, 4 bytes each"


def answer_2(losses):
    return sum(sum(part) for part in losses) / sum(len(part) for part in losses)


def check_2(answer):
    parts = [[1.0, 1.0, 1.0], [5.0]]
    assert abs(answer(parts) - 3.0) > 1e-9, (
        "the mean of the passes' means counts the small pass too much"
    )
    assert abs(answer(parts) - 2.0) < 1e-9, "add up all losses and divide by the number of examples"
