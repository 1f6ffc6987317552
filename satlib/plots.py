"""One look for all figures: a palette that colour-blind readers can tell apart, and a helper that
shows and saves.

A lesson ends each figure with ``plots.show(fig, name, finding)``: the finding becomes the title,
the figure appears in the notebook with an alternative text for those who cannot see it (the
finding, then what is plotted), and where ``SATLIB_FIGURES`` names a folder (the runner sets it) the
same figure is written there as PNG and SVG.
"""

import io
import os
from pathlib import Path

# Blue, vermilion, green, purple, indigo, brown, black: each at least 4.5 to 1 on white, so it may
# write text too, and no pair closer than in Okabe and Ito's palette, also for eyes without one kind
# of cone (tests/test_plots.py).
PALETTE = ["#0072C0", "#CC4C00", "#005546", "#A2348C", "#2A177F", "#611300", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
# What a panel holds, by matplotlib's name, the most telling first -> what that makes it.
KINDS = {
    "BarContainer": "bar chart",
    "AxesImage": "heat map",
    "QuadMesh": "heat map",
    "QuadContourSet": "contour map",
    "Curve": "line chart",
    "PathCollection": "chart of points",
    "ErrorbarContainer": "chart of points",
    "Points": "chart of points",
    "PolyCollection": "chart of areas",
    "FillBetweenPolyCollection": "chart of areas",
    "Stroke": "line chart",
}
MOST = 8  # names that a description lists; of more it gives the first ones and the number


def style() -> None:
    """Set the style of all figures: white ground, light grid, the palette, readable sizes,
    reproducible files."""
    import seaborn as sns

    rc = {
        "figure.figsize": (7, 3.6),
        "figure.dpi": 100,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.hashsalt": "satlib",
        "svg.fonttype": "path",
        "font.family": "DejaVu Sans",
    }
    sns.set_theme(style="whitegrid", palette=PALETTE, rc=rc)


def bars(
    ax, values: dict[str, float], *, label: str = "", form: str = "{:.3f}", colour=None
) -> None:
    """Horizontal bars, the first name on top, each with its value written behind it.

    values: name -> length. label: of the axis of values, with its unit. form: how a value is
    written. colour: one for all bars, or a list with one for each; by default the palette's first.
    """
    names = list(values)
    places = range(len(names))
    lengths = list(values.values())
    drawn = ax.barh(places, lengths, color=PALETTE[0] if colour is None else colour)
    ax.bar_label(drawn, labels=[form.format(length) for length in lengths], padding=3)
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.set_xlabel(label)


def intervals(
    ax,
    values: dict[str, tuple[float, float, float]],
    *,
    label: str = "",
    zero: float | None = None,
    colour=None,
) -> None:
    """A point and its interval for each name, the first on top: for models, and for differences.

    values: name -> (value, low, high); low and high may be None where there is no interval. label:
    of the axis of values, with its unit. zero: where a dotted line stands, 0 for differences.
    colour: one for all, or a list with one for each; by default the palette's first.
    """
    names = list(values)
    colours = colour if isinstance(colour, list) else [colour or PALETTE[0]] * len(names)
    for place, (name, tint) in enumerate(zip(names, colours, strict=True)):
        value, low, high = values[name]
        if low is not None and high is not None:
            ax.plot([low, high], [place, place], color=tint, linewidth=2)
        ax.plot(value, place, "o", color=tint)
        ax.annotate(
            f"{value:.3f}",
            (value, place),
            (0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    if zero is not None:
        ax.axvline(zero, color="dimgrey", linestyle=":")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.7)
    ax.set_xlabel(label)


def lines(ax, x, series: dict, *, xlabel: str = "", ylabel: str = "", every: int = 1) -> None:
    """A line for each name over the same x, told apart by colour and by marker, with a legend.

    series: name -> values [N]. every: of so many points one bears the marker.
    """
    for number, (name, values) in enumerate(series.items()):
        ax.plot(
            x,
            values,
            color=PALETTE[number % len(PALETTE)],
            marker=MARKERS[number % len(MARKERS)],
            markevery=every,
            label=name,
        )
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.legend()


class Shown:
    """A figure as a notebook shows it: PNG bytes with an alternative text, kept in the output's
    metadata.

    nbconvert writes that text as the image's ``alt``, and so do the report page and the site.
    """

    def __init__(self, png: bytes, finding: str, alt: str = ""):
        self.png, self.finding, self.alt = png, finding, alt or finding

    def _repr_png_(self) -> tuple[bytes, dict]:
        return self.png, {"alt": self.alt}

    def __repr__(self) -> str:
        return f"Figure: {self.finding}"


def show(fig, name: str, finding: str, width: int = 72, alt: str = "") -> Shown:
    """Title ``fig`` with its finding, save it where asked, close it, and return what the notebook
    displays.

    fig: a matplotlib figure. name: short, lower case, unique in the lesson. finding: one sentence
    that the figure shows. width: most characters per line of the title; fewer where they do not
    fit. alt: what is plotted, for those who cannot see it, where ``describe`` would not say it
    well. The alternative text is the finding and then this.
    """
    import matplotlib.pyplot as plt

    alt = f"{finding}{'' if finding[-1:] in '.?!' else '.'} {alt or describe(fig)}".strip()
    _title(fig, finding, width)
    fig.tight_layout(pad=0.6)
    png = _small(_bytes(fig, "png"))
    if folder := os.environ.get("SATLIB_FIGURES"):
        from satlib.storage import replacing

        stem = Path(folder) / f"{os.environ.get('SATLIB_LESSON', 'figure')}-{name}"
        for suffix, data in ((".png", png), (".svg", _bytes(fig, "svg"))):
            with replacing(stem.with_name(stem.name + suffix)) as temporary:
                temporary.write_bytes(data)
    plt.close(fig)
    return Shown(png, finding, alt)


def describe(fig) -> str:
    """What ``fig`` plots, in words: of each panel the kind of chart, its axes, the categories,
    series and labels."""
    panels = [
        ax for ax in fig.axes if ax.get_visible() and ax.get_label() != "<colorbar>" and _kind(ax)
    ]
    texts = [_panel(ax, panels) for ax in panels]
    if len(texts) > 1:
        texts = [f"Panel {number}: {text}" for number, text in enumerate(texts, start=1)]
    series = [text.get_text() for legend in fig.legends for text in legend.get_texts()]
    scales = [
        ax.get_ylabel() or ax.get_xlabel() for ax in fig.axes if ax.get_label() == "<colorbar>"
    ]
    texts += [f"Series: {_listed(series)}."] * bool(series) + [
        f"Colour: {_line(name)}." for name in scales if name
    ]
    words = _named([text for ax in fig.axes for text in ax.texts])
    return " ".join(texts) or f"Words in a row: {_listed(words)}." * bool(words)


def _panel(ax, panels: list) -> str:
    """One sentence on a panel; a label that only another panel of the figure bears is taken from
    there."""
    x, y = (
        next(
            (
                _line(label)
                for label in (getattr(one, f"get_{name}label")() for one in (ax, *panels))
                if label
            ),
            "",
        )
        for name in "xy"
    )
    title = _line(ax.get_title() or ax.get_title("left"))
    kind = _kind(ax) + (f" of {y} against {x}" if x and y else f" of {x or y}" if x or y else "")
    told = {
        ", for": _categories(ax.xaxis) + _categories(ax.yaxis),
        "; series:": ax.get_legend_handles_labels()[1],
        "; labels:": _named(ax.texts),
    }
    return (
        (f"{title}, {kind}" if title else kind[0].upper() + kind[1:])
        + "".join(f"{word} {_listed(names)}" for word, names in told.items() if names)
        + "."
    )


def _kind(ax) -> str:
    """The kind of chart, by the most telling thing that it holds; none for an empty panel."""
    held = [type(part).__name__ for part in (*ax.containers, *ax.images, *ax.collections)]
    held += [
        "Curve"
        if line.get_linestyle() != "None" and len(line.get_xdata()) > 2
        else "Points"
        if line.get_marker() != "None"
        else "Stroke"
        for line in ax.lines
    ]
    return next(
        (kind for name, kind in KINDS.items() if name in held),
        "chart" if ax.patches or held else "",
    )


def _categories(axis) -> list[str]:
    """The tick labels of an axis that bears names; none where its labels are numbers."""
    names = [text.get_text() for text in axis.get_ticklabels() if text.get_text().strip()]
    return names if _named(axis.get_ticklabels()) else []


def _named(texts: list) -> list[str]:
    """The different texts that hold a word and not only numbers."""
    found = (text.get_text() for text in texts)
    return list(dict.fromkeys(text for text in found if any(map(str.isalpha, text.split("$")[0]))))


def _line(text: str) -> str:
    return " ".join(text.split())


def _listed(names: list[str]) -> str:
    """Names in a row, the first ones of many."""
    names = list(map(_line, names))
    more = [f"{len(names) - MOST + 1} more"] if len(names) > MOST else []
    return ("; " if any("," in name for name in names) else ", ").join(
        (names[: MOST - 1] if more else names) + more
    )


def _title(fig, finding: str, width: int) -> None:
    """Write the finding above all axes, in as many lines as the figure's width asks for."""
    import textwrap

    title = fig.suptitle("", x=0.01, y=0.99, ha="left", fontsize=11, fontweight="bold")
    title.set_text(textwrap.fill(finding, width))
    while title.get_window_extent().width > 0.98 * fig.bbox.width and width > 20:
        width -= 2
        title.set_text(textwrap.fill(finding, width))


def _small(png: bytes) -> bytes:
    """The same picture in 256 colours, a third of the bytes: all figures of a notebook share its
    300 KB."""
    from PIL import Image

    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    picture.save(buffer, "png", optimize=True)
    return buffer.getvalue()


def _bytes(fig, kind: str) -> bytes:
    buffer = io.BytesIO()
    fig.savefig(
        buffer, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None}
    )
    return buffer.getvalue()
