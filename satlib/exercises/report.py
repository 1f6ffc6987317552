"""The exercises of lesson 99: a reference answer and a checker each."""

from satlib.exercises.checking import expect


def answer_1(rmse, reference):
    return 100 * (reference - rmse) / reference


def check_1(answer):
    for rmse, reference in ((0.8, 1.0), (0.9, 0.75), (1.1, 1.1)):
        right = answer_1(rmse, reference)
        mistakes = {
            "a lower RMSE should give a positive number": -right,
            "per cent of the reference, not of the model": 100 * (reference - rmse) / rmse,
            "per cent: multiply by 100": right / 100,
        }
        otherwise = f"{rmse} against {reference}: {{right}}, not {{got}}"
        expect(answer(rmse, reference), right, mistakes, otherwise)


def answer_2(mean, model, oracle):
    return (mean - model) / (mean - oracle)


def check_2(answer):
    for mean, model, oracle in ((1.2, 0.9, 0.8), (1.2, 1.2, 0.8), (1.0, 1.1, 0.5), (1.4, 0.7, 0.7)):
        mistakes = {
            "an RMSE of 0 cannot be reached: the oracle is the end of the scale": (
                (mean - model) / mean
            ),
            "that compares the two values; asked is the part of the way from the mean to the "
            "oracle": oracle / model,
        }
        way = f"from {mean} to {oracle}, a model at {model} has gone"
        otherwise = f"{way} {{right}} of the way, not {{got}}"
        right = answer_2(mean, model, oracle)
        expect(answer(mean, model, oracle), right, mistakes, otherwise)
