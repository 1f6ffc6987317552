"""The exercises of lesson 99: a reference answer and a checker each."""

import math


def answer_1(rmse, reference):
    return 100 * (reference - rmse) / reference


def check_1(answer):
    for rmse, reference in ((0.8, 1.0), (0.9, 0.75), (1.1, 1.1)):
        got, expected = float(answer(rmse, reference)), 100 * (reference - rmse) / reference
        assert not (rmse != reference and math.isclose(got, -expected)), (
            "a lower RMSE should give a positive number"
        )
        assert not (rmse != reference and math.isclose(got, 100 * (reference - rmse) / rmse)), (
            "per cent of the reference, not of the model"
        )
        assert not (rmse != reference and math.isclose(100 * got, expected)), (
            "per cent: multiply by 100"
        )
        assert math.isclose(got, expected, abs_tol=1e-9), (
            f"{rmse} against {reference}: {expected:.1f}, not {got:.1f}"
        )


def answer_2(mean, model, oracle):
    return (mean - model) / (mean - oracle)


def check_2(answer):
    for mean, model, oracle in ((1.2, 0.9, 0.8), (1.2, 1.2, 0.8), (1.0, 1.1, 0.5), (1.4, 0.7, 0.7)):
        got, expected = float(answer(mean, model, oracle)), (mean - model) / (mean - oracle)
        assert not (model != mean and math.isclose(got, (mean - model) / mean)), (
            "an RMSE of 0 cannot be reached: the oracle is the end of the scale"
        )
        assert not (oracle != model and math.isclose(got, oracle / model)), (
            "that compares the two values; asked is the part of the way from the mean to the oracle"
        )
        assert math.isclose(got, expected, abs_tol=1e-9), (
            f"from {mean} to {oracle}, a model at {model} has gone {expected:.2f} of the way, not {got:.2f}"
        )
