"""Figures carry their finding, are saved where asked, and come out the same twice."""

import io
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
        ax.plot([1, 2], [3, 1], marker="o")
    return fig


@pytest.mark.parametrize("panels", [1, 2])
def test_the_finding_is_title_and_alternative_text(panels):
    fig = figure(panels)
    shown = plots.show(fig, "line", "The line falls")
    assert fig.get_suptitle() == "The line falls" and repr(shown) == "Figure: The line falls"
    assert shown._repr_png_().startswith(PNG)


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
    monkeypatch.setenv("SATLIB_LESSON", "01_interactions")
    shown = plots.show(figure(), "line", "The line falls")
    saved = sorted((tmp_path / "figures").iterdir())
    assert [path.name for path in saved] == ["01_interactions-line.png", "01_interactions-line.svg"]
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
        fig.axes[0].imshow(np.add.outer(np.linspace(0, 1, 200), np.linspace(0, 1, 200)), cmap="viridis")
    shown = plots.show(fig, "line", "The line falls")
    full = io.BytesIO()
    fig.savefig(full, format="png")
    pictures = (Image.open(io.BytesIO(data)).convert("RGB") for data in (shown.png, full.getvalue()))
    small, large = (np.asarray(picture, float) for picture in pictures)
    assert len(shown.png) < 0.6 * len(full.getvalue())
    assert small.shape == large.shape and np.abs(small - large).mean() < 3


def _lightness(colour: str) -> float:
    """CIE lightness (0-100) of an sRGB colour, from the standard's formula."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in plt.matplotlib.colors.to_rgb(colour)]
    y = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def test_colours_show_on_white_and_each_has_a_marker():
    assert len(plots.PALETTE) == len(set(plots.PALETTE)) == len(set(plots.MARKERS)) == len(plots.MARKERS)
    assert all(_lightness(colour) < 75 for colour in plots.PALETTE)
    assert [plt.matplotlib.colors.to_hex(c).upper() for c in plt.rcParams["axes.prop_cycle"].by_key()["color"]] \
        == plots.PALETTE  # fmt: skip
