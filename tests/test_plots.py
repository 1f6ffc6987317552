"""Figures carry their finding, are saved where asked, and come out the same twice."""

import base64
import io
import itertools
import xml.etree.ElementTree as ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest

from satlib import plots

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def styled():
    plots.style()
    yield
    plt.close("all")


def figure(panels: int = 1):
    fig, axes = plt.subplots(1, panels)
    for ax in np.atleast_1d(axes):
        ax.plot([1, 2, 3], [3, 1, 1], marker="o")
    return fig


@pytest.mark.parametrize("panels", [1, 2])
def test_the_finding_is_title_and_opens_the_alternative_text(panels):
    fig = figure(panels)
    shown = plots.show(fig, "line", "The line falls")
    png, metadata = shown._repr_png_()
    assert fig.get_suptitle() == "The line falls" and repr(shown) == "Figure: The line falls"
    assert (
        png.startswith(PNG)
        and metadata["alt"].startswith("The line falls. ")
        and "ine chart" in metadata["alt"]
    )


@pytest.mark.parametrize(
    ("finding", "alt", "said"),
    [
        ("It falls", "A line from 3 to 1.", "It falls. A line from 3 to 1."),
        ("Does it?", "A line.", "Does it? A line."),
    ],
)
def test_a_lesson_may_say_itself_what_is_plotted(finding, alt, said):
    assert plots.show(figure(), "line", finding, alt=alt).alt == said


def test_the_notebook_keeps_the_alternative_text_and_its_page_shows_it():
    import nbconvert
    from IPython.core.interactiveshell import InteractiveShell
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    data, metadata = InteractiveShell.instance().display_formatter.format(
        plots.show(figure(), "line", "A < B")
    )
    assert metadata["image/png"]["alt"].startswith("A < B. Line chart")
    data["image/png"] = base64.b64encode(data["image/png"]).decode()
    cell = new_code_cell("", outputs=[new_output("display_data", data=data, metadata=metadata)])
    html, _ = nbconvert.HTMLExporter(template_name="basic").from_notebook_node(
        new_notebook(cells=[cell])
    )
    assert 'alt="A &lt; B. Line chart' in html


@pytest.mark.parametrize("inches", [3, 5, 9])
def test_a_long_finding_is_wrapped_within_the_figure_and_nothing_is_lost(inches):
    fig = figure()
    fig.set_figwidth(inches)
    finding = " ".join(["A WIDE finding"] * 12)
    plots.show(fig, "line", finding)
    assert " ".join(fig.get_suptitle().split("\n")) == finding
    assert all(len(line) <= 72 for line in fig.get_suptitle().split("\n"))
    box = fig._suptitle.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= fig.bbox.width and box.y1 <= fig.bbox.height
    assert fig.axes[0].get_tightbbox().y1 <= box.y0 + 1  # the title stands above the axes


def test_a_shown_figure_is_closed():
    plots.show(figure(), "line", "The line falls")
    assert plt.get_fignums() == []


def test_figures_are_saved_only_where_asked(tmp_path, monkeypatch):
    monkeypatch.delenv("SATLIB_FIGURES", raising=False)
    plots.show(figure(), "line", "The line falls")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("SATLIB_FIGURES", str(tmp_path / "figures"))
    monkeypatch.setenv("SATLIB_LESSON", "01_data_interactions")
    shown = plots.show(figure(), "line", "The line falls")
    saved = sorted((tmp_path / "figures").iterdir())
    assert [path.name for path in saved] == [
        "01_data_interactions-line.png",
        "01_data_interactions-line.svg",
    ]
    assert saved[0].read_bytes() == shown.png
    assert ElementTree.fromstring(saved[1].read_text()).tag.endswith("svg")


def test_the_same_figure_gives_the_same_bytes(tmp_path, monkeypatch):
    for folder in ("a", "b"):
        monkeypatch.setenv("SATLIB_FIGURES", str(tmp_path / folder))
        plots.show(figure(), "line", "The line falls")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize("panel", ["lines", "surface"])
def test_the_png_is_small_and_looks_the_same(panel):
    from PIL import Image

    fig = figure()
    if panel == "surface":
        fig.axes[0].imshow(
            np.add.outer(np.linspace(0, 1, 200), np.linspace(0, 1, 200)), cmap="viridis"
        )
    shown = plots.show(fig, "line", "The line falls")
    full = io.BytesIO()
    fig.savefig(full, format="png")
    pictures = (
        Image.open(io.BytesIO(data)).convert("RGB") for data in (shown.png, full.getvalue())
    )
    small, large = (np.asarray(picture, float) for picture in pictures)
    assert len(shown.png) < 0.6 * len(full.getvalue())
    assert small.shape == large.shape and np.abs(small - large).mean() < 3


# The charts of named values


def panel():
    return plt.subplots()[1]


def written(ax) -> list[str]:
    """The numbers beside the bars or points, in their order."""
    return [text.get_text() for text in ax.texts]


def names(ax) -> list[str]:
    """The names at the left, from top to bottom."""
    labels = [label.get_text() for label in ax.get_yticklabels()]
    bottom, top = ax.get_ylim()
    assert bottom > top, "the first row is on top"
    return labels


def colours(parts) -> list[str]:
    return [plt.matplotlib.colors.to_hex(part.get_facecolor()).upper() for part in parts]


def test_bars_have_their_names_from_the_top_and_their_values_behind_them():
    ax = panel()
    plots.bars(ax, {"mean": 1.25, "ridge": 1.0}, label="RMSE (stars)", form="{:.1f}")
    assert names(ax) == ["mean", "ridge"] and written(ax) == ["1.2", "1.0"]
    assert [bar.get_width() for bar in ax.patches] == [1.25, 1.0]
    assert colours(ax.patches) == [plots.PALETTE[0]] * 2
    assert ax.get_xlabel() == "RMSE (stars)"


def test_intervals_have_a_stroke_where_there_is_one_and_a_point_each():
    ax = panel()
    values = {"a": (0.5, 0.25, 0.75), "b": (-0.125, None, None)}
    plots.intervals(ax, values, label="difference", zero=0, form="{:+.2f}")
    assert names(ax) == ["a", "b"] and written(ax) == ["+0.50", "-0.12"]
    stroke, first, second, zero = [line.get_xydata().tolist() for line in ax.lines]
    assert stroke == [[0.25, 0.0], [0.75, 0.0]]
    assert first == [[0.5, 0.0]] and second == [[-0.125, 1.0]]
    assert [x for x, _ in zero] == [0, 0]


def test_grouped_intervals_stand_side_by_side_above_their_group():
    ax = panel()
    series = {
        "mean": {"shop": (1.0, 0.5, 1.5), "news": (2.0, 1.75, 2.5)},
        "bert": {"news": (1.0, 0.75, 1.25)},
    }
    plots.grouped_intervals(ax, series, ["shop", "news"], label="RMSE (stars)", zero=0)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["shop", "news"]
    first, second = ax.containers
    assert [first.get_label(), second.get_label()] == ["mean", "bert"]
    left, right = first[0].get_xdata()
    assert left < 0 and 0.5 < right < 1 < second[0].get_xdata()[0] < 1.5
    (stroke,) = second[2][0].get_segments()
    assert stroke[:, 1].tolist() == [0.75, 1.25]
    assert first[0].get_color() != second[0].get_color()
    assert ax.get_ylabel() == "RMSE (stars)"


def test_lines_differ_in_colour_and_marker_and_more_than_the_palette_in_dashes():
    ax = panel()
    series = {f"model {number}": [number, 2 * number] for number in range(9)}
    plots.lines(ax, [1, 2], series, xlabel="epoch", ylabel="loss (nats)")
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in ax.lines}
    assert len(looks) == 9 and len({line.get_marker() for line in ax.lines}) == 7
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(series)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss (nats)")


@pytest.mark.parametrize("draw", [plots.bars, plots.intervals])
def test_each_row_may_have_its_colour(draw):
    ax = panel()
    values = {"a": 1.0, "b": 2.0} if draw is plots.bars else {"a": (1, 0, 2), "b": (2, 1, 3)}
    draw(ax, values, colour=[plots.PALETTE[1], "dimgrey"])
    parts = ax.patches or ax.lines
    shades = [part.get_facecolor() if ax.patches else part.get_color() for part in parts]
    assert {plt.matplotlib.colors.to_hex(shade).upper() for shade in shades} == {
        plots.PALETTE[1],
        "#696969",
    }


@pytest.mark.parametrize("draw", [plots.bars, plots.intervals])
def test_many_rows_do_not_write_over_each_other_nor_out_of_the_figure(draw):
    fig, ax = plt.subplots()
    values = {f"model {number}": number / 4 for number in range(12)}
    if draw is plots.intervals:
        values = {name: (value, value - 0.2, value + 0.2) for name, value in values.items()}
    draw(ax, values)
    plots.show(fig, "rows", "Twelve models in a row")
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert all(0 <= box.x0 and box.x1 <= fig.bbox.width for box in boxes)


def test_numbers_beside_the_rows_can_be_read_on_white():
    ax = panel()
    plots.bars(ax, {"mean": 1.25})
    plots.intervals(ax, {"mean": (1.25, 1, 2)})
    assert all((contrast([text.get_color()]) >= 4.5).all() for text in ax.texts)
    assert all(text.get_fontsize() >= 9 for text in ax.texts)


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda ax: plots.bars(ax, {}), "there is no value to draw; give at least one name"),
        (lambda ax: plots.intervals(ax, {}), "there is no value to draw; give at least one name"),
        (lambda ax: plots.lines(ax, [1, 2], {}), "there is no series to draw; give at least one"),
        (
            lambda ax: plots.bars(ax, {"a": 1, "b": 2}, colour=["red"]),
            "1 colours or markers are given for 2 names; give one for each name, or one for all",
        ),
        (
            lambda ax: plots.lines(ax, [1, 2], {"train": [1, 2, 3]}),
            "train has 3 values over 2 of x; give one for each of x",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, said):
    with pytest.raises(ValueError, match=said):
        draw(panel())


# How eyes without one kind of cone see linear RGB: Machado, Oliveira and Fernandes, 2009, severity
# 1.
EYES = {
    "all cones": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
OKABE_ITO = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"]


def linear(colours) -> np.ndarray:
    """Linear RGB of sRGB colours, by the standard's formula."""
    rgb = plt.matplotlib.colors.to_rgba_array(colours)[:, :3]
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(colours) -> np.ndarray:
    """WCAG's contrast with white, 1 to 21."""
    return 1.05 / (linear(colours) @ [0.2126, 0.7152, 0.0722] + 0.05)


def nearest(colours, eye) -> float:
    """Distance of the two most similar colours in Oklab (Ottosson, 2020), as that eye sees them."""
    seen = np.clip(linear(colours) @ np.transpose(eye), 0, 1)
    cones = np.cbrt(
        seen
        @ np.transpose(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
    )
    lab = cones @ np.transpose(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(lab, 2))


def test_colours_can_write_on_white_and_each_has_a_marker():
    assert (
        len(plots.PALETTE)
        == len(set(plots.PALETTE))
        == len(set(plots.MARKERS))
        == len(plots.MARKERS)
    )
    assert (contrast(plots.PALETTE) >= 4.5).all()
    assert contrast(["grey"]) >= 3 and contrast(["dimgrey"]) >= 4.5  # for lines, and for text
    for name in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color"):
        assert contrast([plt.rcParams[name]]) >= 4.5
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    assert [plt.matplotlib.colors.to_hex(colour).upper() for colour in cycle] == plots.PALETTE


@pytest.mark.parametrize("eye", EYES)
def test_no_two_colours_are_closer_than_in_the_palette_made_for_all_eyes(eye):
    assert nearest(plots.PALETTE, EYES[eye]) >= nearest(OKABE_ITO, EYES[eye])
