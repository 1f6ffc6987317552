"""What is said of a figure names the chart, its axes, what is compared and the values written
there."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from satlib import alternative_text, plots


@pytest.fixture(autouse=True)
def styled():
    plots.style()
    yield
    plt.close("all")


def drawn(draw, **axes):
    fig, ax = plt.subplots()
    draw(ax)
    ax.set(**axes)
    return alternative_text.describe(fig)


@pytest.mark.parametrize(
    ("draw", "axes", "said"),
    [
        (
            lambda ax: ax.plot([1, 2, 3], [3, 1, 2], label="train"),
            {"xlabel": "step", "ylabel": "loss\n(nats)"},
            "Line chart of loss (nats) against step; series: train.",
        ),
        (
            lambda ax: ax.barh(["mean", "bert, fine-tuned"], [1, 2]),
            {"xlabel": "RMSE (stars)"},
            "Bar chart of RMSE (stars), for mean; bert, fine-tuned.",
        ),
        (
            lambda ax: ax.bar([f"m{i}" for i in range(12)], range(12)),
            {},
            "Bar chart, for m0, m1, m2, m3, m4, m5, m6, 5 more.",
        ),
        (
            lambda ax: (
                ax.plot([1, 2], [1, 1], "o"),
                ax.text(1, 1, "a word"),
                ax.text(1, 1, "12 %"),
            ),
            {"title": "news"},
            "news, chart of points; labels: a word.",
        ),
        (
            lambda ax: (ax.plot([1, 2, 3], [1, 2, 3]), ax.axvspan(1, 2)),
            {"xlabel": "z"},
            "Line chart of z.",
        ),
        (lambda ax: ax.imshow(np.eye(3)), {}, "Heat map."),
        (lambda ax: ax.set_yscale("log"), {"ylabel": "nothing"}, ""),
    ],
)
def test_a_description_names_chart_axes_categories_series_and_labels(draw, axes, said):
    assert drawn(draw, **axes) == said


def test_a_description_takes_the_panels_in_turn_and_tells_legend_and_colours():
    fig, axes = plt.subplots(1, 2, sharey=True)
    for ax, name in zip(axes, ("shop", "news"), strict=True):
        picture = ax.imshow(np.eye(2))
        ax.set(title=name, xlabel="b")
    axes[0].set_ylabel("a")
    fig.colorbar(picture, ax=axes, label="share (%)")
    fig.legend([plt.Line2D([], [])], ["one"])
    assert alternative_text.describe(fig) == (
        "Panel 1: shop, heat map of a against b. Panel 2: news, heat map of a against b. "
        "Series: one. Colour: share (%)."
    )


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (
            lambda ax: plots.bars(ax, {"mean": 1.25, "ridge": 1.125}, label="RMSE (stars)"),
            "Bar chart of RMSE (stars), for mean 1.250, ridge 1.125.",
        ),
        (
            lambda ax: plots.bars(ax, {"full": 57.0, "LoRA": -39.0}, form="{:.0f} s"),
            "Bar chart, for full 57 s, LoRA -39 s.",
        ),
        (
            lambda ax: plots.intervals(
                ax, {"a": (0.5, 0.2, 0.7), "b": (0.1, None, None)}, label="gain", zero=0
            ),
            "Chart of points of gain, for a 0.500, b 0.100.",
        ),
        (
            lambda ax: plots.lines(ax, [1, 2], {"train": [3, 1], "test": [2, 2]}, xlabel="step"),
            "Line chart of step; series: train, test.",
        ),
    ],
)
def test_the_charts_of_named_values_are_told_with_their_values(draw, said):
    assert drawn(draw) == said


def test_of_a_heat_map_only_the_names_are_told():
    def draw(ax):
        ax.imshow(np.eye(2))
        ax.set_yticks([0, 1], ["low", "high"])
        for row in range(2):
            for column in range(2):
                ax.annotate(f"{row + column}", (column, row))

    assert drawn(draw) == "Heat map, for low, high."


def test_words_beside_a_bar_stay_labels():
    def draw(ax):
        bars = ax.barh(["mean", "ridge"], [1, 2])
        ax.bar_label(bars, ["best", "worst"])

    assert drawn(draw) == "Bar chart, for mean, ridge; labels: best, worst."


def test_texts_alone_are_words_in_a_row():
    assert drawn(lambda ax: (ax.text(0, 0, "a"), ax.text(1, 0, "word"), ax.text(1, 0, "5"))) == (
        "Words in a row: a, word."
    )
