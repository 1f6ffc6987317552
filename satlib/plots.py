"""One look for all figures: a palette that colour-blind readers can tell apart, and a helper that shows and saves.

A lesson ends each figure with ``plots.show(fig, name, finding)``: the finding becomes the title, the figure appears in
the notebook with the finding as its alternative text, and where ``SATLIB_FIGURES`` names a folder (the runner sets it)
the same figure is written there as PNG and SVG.
"""

import io
import os
from pathlib import Path

# Okabe and Ito's palette (Color Universal Design, 2008) without its yellow, which is too pale for lines on white.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]


def style() -> None:
    """Set the style of all figures: white ground, light grid, the palette, readable sizes, reproducible files."""
    import seaborn as sns

    rc = {"figure.figsize": (7, 3.6), "figure.dpi": 100, "axes.titlesize": 11, "axes.titleweight": "bold",
          "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
          "svg.hashsalt": "satlib", "svg.fonttype": "path", "font.family": "DejaVu Sans"}
    sns.set_theme(style="whitegrid", palette=PALETTE, rc=rc)


class Shown:
    """A figure as a notebook shows it: PNG bytes, with the finding as alternative text."""

    def __init__(self, png: bytes, finding: str):
        self.png, self.finding = png, finding

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        return f"Figure: {self.finding}"


def show(fig, name: str, finding: str, width: int = 72) -> Shown:
    """Title ``fig`` with its finding, save it where asked, close it, and return what the notebook displays.

    fig: a matplotlib figure. name: short, lower case, unique in the lesson. finding: one sentence that the figure
    shows; it is also the alternative text. width: most characters per line of the title; fewer where they do not fit.
    """
    import matplotlib.pyplot as plt

    _title(fig, finding, width)
    fig.tight_layout(pad=0.6)
    png = _small(_bytes(fig, "png"))
    if folder := os.environ.get("SATLIB_FIGURES"):
        from satlib.runtime import replacing

        stem = Path(folder) / f"{os.environ.get('SATLIB_LESSON', 'figure')}-{name}"
        for suffix, data in ((".png", png), (".svg", _bytes(fig, "svg"))):
            with replacing(stem.with_name(stem.name + suffix)) as temporary:
                temporary.write_bytes(data)
    plt.close(fig)
    return Shown(png, finding)


def _title(fig, finding: str, width: int) -> None:
    """Write the finding above all axes, in as many lines as the figure's width asks for."""
    import textwrap

    title = fig.suptitle("", x=0.01, y=0.99, ha="left", fontsize=11, fontweight="bold")
    title.set_text(textwrap.fill(finding, width))
    while title.get_window_extent().width > 0.98 * fig.bbox.width and width > 20:
        width -= 2
        title.set_text(textwrap.fill(finding, width))


def _small(png: bytes) -> bytes:
    """The same picture in 256 colours, a third of the bytes: all figures of a notebook share its 300 KB."""
    from PIL import Image

    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    picture.save(buffer, "png", optimize=True)
    return buffer.getvalue()


def _bytes(fig, kind: str) -> bytes:
    buffer = io.BytesIO()
    fig.savefig(buffer, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return buffer.getvalue()
