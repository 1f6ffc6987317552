"""One look for all figures: a palette that colour-blind readers can tell apart, the three charts
that lessons draw again and again, and a helper that shows and saves.

A lesson draws named values with ``bars``, ``intervals`` or ``lines``, and all else with matplotlib.
It ends each figure with ``plots.show(fig, name, finding)``: the finding becomes the title, the
figure appears in the notebook with an alternative text for those who cannot see it (the finding,
then what is plotted), and where ``SATLIB_FIGURES`` names a folder (the runner sets it) the same
figure is written there as PNG and SVG.
"""

import io
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from satlib import alternative_text, storage

# Blue, vermilion, green, purple, indigo, brown, black: each at least 4.5 to 1 on white, so it may
# write text too, and no pair closer than in Okabe and Ito's palette, also for eyes without one kind
# of cone (tests/test_plots.py).
PALETTE = ["#0072C0", "#CC4C00", "#005546", "#A2348C", "#2A177F", "#611300", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
DASHES = ["-", "--", ":"]  # the eighth line has the first colour again, and the second kind of dash
VALUE_SIZE = 9  # points, of the numbers written beside bars and points


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


# The charts of named values


def bars(
    ax, values: dict[str, float], *, label: str = "", form: str = "{:.3f}", colour=None
) -> None:
    """Horizontal bars, the first name on top, each with its value written behind it.

    values: name -> length. label: of the axis of values, with its unit. form: how a value is
    written. colour: one for all bars, or a list with one for each; by default the palette's first.
    Raises ValueError where there is no value, or another number of colours.
    """
    names = list(values)
    lengths = list(values.values())
    places = range(len(names))
    drawn = ax.barh(places, lengths, color=_one_each(colour or PALETTE[0], names))
    written = [form.format(length) for length in lengths]
    ax.bar_label(drawn, labels=written, padding=3, fontsize=VALUE_SIZE)
    ax.margins(x=0.12)  # room for the number behind the longest bar
    _name_rows(ax, names)
    ax.set_xlabel(label)


def intervals(
    ax,
    values: dict[str, tuple[float, float | None, float | None]],
    *,
    label: str = "",
    zero: float | None = None,
    form: str = "{:.3f}",
    colour=None,
    marker="o",
) -> None:
    """A point and its interval for each name, the first on top: for models, and for differences.

    values: name -> (value, low, high); low and high may be None where there is no interval. label:
    of the axis of values, with its unit. zero: where a dotted line stands, 0 for differences. form:
    how a value is written behind its interval. colour, marker: one for all, or a list with one for
    each; by default the palette's first, and a circle. Raises ValueError where there is no value,
    or another number of colours or markers.
    """
    names = list(values)
    colours = _one_each(colour or PALETTE[0], names)
    markers = _one_each(marker, names)
    for place, name in enumerate(names):
        value, low, high = values[name]
        right_end = value
        if low is not None and high is not None:
            ax.plot([low, high], [place, place], color=colours[place], linewidth=2)
            right_end = high
        ax.plot(value, place, markers[place], color=colours[place])
        _write_behind(ax, form.format(value), (right_end, place))
    if zero is not None:
        ax.axvline(zero, color="dimgrey", linestyle=":")
    ax.margins(x=0.12)
    _name_rows(ax, names)
    ax.set_xlabel(label)


def _write_behind(ax, text: str, end: tuple[float, float]) -> None:
    """Write a value behind the end of its interval; above the point the next row may be near."""
    ax.annotate(
        text,
        end,
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=VALUE_SIZE,
    )


def grouped_intervals(
    ax,
    series: dict[str, dict[str, tuple[float, float, float]]],
    groups: Sequence[str],
    *,
    label: str = "",
    looks: dict[str, tuple[str, str]] | None = None,
    zero: float | None = None,
) -> None:
    """Points with intervals, side by side above each group: several models on several data sets.

    series: name -> group -> (value, low, high); a group may be missing. groups: their order from
    left to right. label: of the axis of values, with its unit. looks: name -> colour and marker; by
    default the next ones. zero: where a dotted line stands, 0 for differences.
    """
    width = 0.65 / max(1, len(series))
    for number, (name, values) in enumerate(series.items()):
        turn = number % len(PALETTE)
        colour, marker = (looks or {}).get(name, (PALETTE[turn], MARKERS[turn]))
        shift = width * (number - (len(series) - 1) / 2)
        there = [group for group in groups if group in values]
        if not there:
            continue
        places = [list(groups).index(group) + shift for group in there]
        middle, low, high = np.array([values[group] for group in there]).T
        ax.errorbar(
            places,
            middle,
            [middle - low, high - middle],
            color=colour,
            marker=marker,
            linestyle="none",
            capsize=3,
            label=name,
        )
    if zero is not None:
        ax.axhline(zero, color="dimgrey", linestyle=":")
    ax.set_xticks(range(len(groups)), groups)
    ax.set_ylabel(label)


def lines(ax, x, series: dict, *, xlabel: str = "", ylabel: str = "", every: int = 1) -> None:
    """A line for each name over the same x, told apart by colour and by marker, with a legend.

    x: values [N]. series: name -> values [N]. every: of so many points one bears the marker. Raises
    ValueError where there is no series, or one that has not as many values as x.
    """
    if not series:
        raise ValueError("there is no series to draw; give at least one name with its values")
    for number, (name, values) in enumerate(series.items()):
        if len(values) != len(x):
            raise ValueError(
                f"{name} has {len(values)} values over {len(x)} of x; give one for each of x"
            )
        turn = number % len(PALETTE)
        round_of_palette = number // len(PALETTE)
        ax.plot(
            x,
            values,
            color=PALETTE[turn],
            marker=MARKERS[turn],
            linestyle=DASHES[round_of_palette % len(DASHES)],
            markevery=every,
            label=name,
        )
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.legend()


def _one_each(look, names: list[str]) -> list:
    """A colour or a marker for each name; ``look`` is one for all, or a list."""
    if not names:
        raise ValueError("there is no value to draw; give at least one name with its value")
    if not isinstance(look, list):
        return [look] * len(names)
    if len(look) != len(names):
        raise ValueError(
            f"{len(look)} colours or markers are given for {len(names)} names; give one for each "
            "name, or one for all"
        )
    return look


def _name_rows(ax, names: list[str]) -> None:
    """Write the names at the left of a panel whose rows are numbered from 0, the first on top."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")  # a row has its name; a line beside it would say nothing


# Showing and saving


class Shown:
    """A figure as a notebook shows it: PNG bytes with an alternative text, kept in the output's
    metadata.

    nbconvert writes that text as the image's ``alt``, and so do the report page and the site.
    """

    def __init__(self, png: bytes, finding: str, alt: str = ""):
        self.png = png
        self.finding = finding
        self.alt = alt or finding

    def _repr_png_(self) -> tuple[bytes, dict]:
        return self.png, {"alt": self.alt}

    def __repr__(self) -> str:
        return f"Figure: {self.finding}"


def show(fig, name: str, finding: str, width: int = 72, alt: str = "") -> Shown:
    """Title ``fig`` with its finding, save it where asked, close it, and return what the notebook
    displays.

    fig: a matplotlib figure. name: short, lower case, unique in the lesson. finding: one sentence
    that the figure shows. width: most characters per line of the title; fewer where they do not
    fit. alt: what is plotted, for those who cannot see it, where ``alternative_text`` would
    not say it well. The alternative text is the finding and then this.
    """
    import matplotlib.pyplot as plt

    plotted = alt or alternative_text.describe(fig)
    alternative = f"{_sentence(finding)} {plotted}".strip()
    _title(fig, finding, width)
    fig.tight_layout(pad=0.6)
    png = _in_few_colours(_file_content(fig, "png"))
    folder = os.environ.get("SATLIB_FIGURES")
    if folder:
        lesson = os.environ.get("SATLIB_LESSON", "figure")
        _save(Path(folder) / f"{lesson}-{name}.png", png)
        _save(Path(folder) / f"{lesson}-{name}.svg", _file_content(fig, "svg"))
    plt.close(fig)
    return Shown(png, finding, alternative)


def _sentence(finding: str) -> str:
    """The finding with a mark at its end."""
    if finding.endswith((".", "?", "!")):
        return finding
    return f"{finding}."


def _title(fig, finding: str, width: int) -> None:
    """Write the finding above all axes, in as many lines as the figure's width asks for."""
    title = fig.suptitle("", x=0.01, y=0.99, ha="left", fontsize=11, fontweight="bold")
    title.set_text(textwrap.fill(finding, width))
    # How wide a line is, only the drawn text knows: narrow it until the widest line fits.
    while title.get_window_extent().width > 0.98 * fig.bbox.width and width > 20:
        width -= 2
        title.set_text(textwrap.fill(finding, width))


def _file_content(fig, kind: str) -> bytes:
    """The figure as a file of that kind, without what differs from run to run."""
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    buffer = io.BytesIO()
    fig.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def _in_few_colours(png: bytes) -> bytes:
    """The same picture in 256 colours, a third of the bytes: all figures of a notebook share its
    300 KB."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture = picture.quantize(256, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    picture.save(buffer, "png", optimize=True)
    return buffer.getvalue()


def _save(path: Path, content: bytes) -> None:
    with storage.replacing(path) as temporary:
        temporary.write_bytes(content)
