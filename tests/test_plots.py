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


def drawn(draw, **axes):
    fig, ax = plt.subplots()
    draw(ax)
    ax.set(**axes)
    return plots.describe(fig)


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
    assert plots.describe(fig) == (
        "Panel 1: shop, heat map of a against b. Panel 2: news, heat map of a against b. "
        "Series: one. Colour: share (%)."
    )


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
    assert [plt.matplotlib.colors.to_hex(c).upper() for c in plt.rcParams["axes.prop_cycle"].by_key()["color"]] \
        == plots.PALETTE  # fmt: skip


@pytest.mark.parametrize("eye", EYES)
def test_no_two_colours_are_closer_than_in_the_palette_made_for_all_eyes(eye):
    assert nearest(plots.PALETTE, EYES[eye]) >= nearest(OKABE_ITO, EYES[eye])
