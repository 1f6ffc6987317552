"""What a figure plots, in words, for those who cannot see it.

Matplotlib keeps all that a figure is drawn of: ``describe`` looks there for the kind of each chart,
its axes, its categories with the values written at them, its series and its labels. ``plots.show``
puts the finding before it.
"""

import re

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
MOST_NAMES = 8  # that a description lists; of more it gives the first ones and the number
NUMBER = re.compile(r"[-+\u2212]?\d")  # how a value begins


def describe(fig) -> str:
    """What ``fig`` plots, in words: of each panel the kind of chart, its axes, the categories with
    the values written at them, series and labels."""
    panels = []
    colour_bars = []
    for ax in fig.axes:
        if ax.get_label() == "<colorbar>":
            colour_bars.append(ax)
        elif ax.get_visible() and _kind(ax):
            panels.append(ax)

    sentences = []
    for number, ax in enumerate(panels, start=1):
        sentence = _panel(ax, panels)
        if len(panels) > 1:
            sentence = f"Panel {number}: {sentence}"
        sentences.append(sentence)
    series = _legend_entries(fig)
    if series:
        sentences.append(f"Series: {_listed(series)}.")
    for ax in colour_bars:
        scale = ax.get_ylabel() or ax.get_xlabel()
        if scale:
            sentences.append(f"Colour: {_one_line(scale)}.")
    if sentences:
        return " ".join(sentences)
    return _bare_words(fig)


def _bare_words(fig) -> str:
    """What a figure says that holds texts alone, as the tokens of a sentence in their boxes."""
    texts = []
    for ax in fig.axes:
        texts += ax.texts
    words = _with_letters(texts)
    if not words:
        return ""
    return f"Words in a row: {_listed(words)}."


def _legend_entries(fig) -> list[str]:
    """The names in the legends that belong to the whole figure."""
    names = []
    for legend in fig.legends:
        names += [text.get_text() for text in legend.get_texts()]
    return names


def _panel(ax, panels: list) -> str:
    """One sentence on a panel: title, kind of chart, axes, categories, series and labels."""
    chart = _kind(ax) + _axes(_axis_label(ax, panels, "x"), _axis_label(ax, panels, "y"))
    title = _one_line(ax.get_title() or ax.get_title("left"))
    if title:
        sentence = f"{title}, {chart}"
    else:
        sentence = chart[0].upper() + chart[1:]

    categories = _categories(ax, "x") + _categories(ax, "y")
    if categories:
        sentence += f", for {_listed(categories)}"
    _, series = ax.get_legend_handles_labels()
    if series:
        sentence += f"; series: {_listed(series)}"
    labels = [text for text in _with_letters(ax.texts) if not _is_told(text, categories)]
    if labels:
        sentence += f"; labels: {_listed(labels)}"
    return f"{sentence}."


def _axis_label(ax, panels: list, which: str) -> str:
    """The label of the axis "x" or "y"; one that only another panel of the figure bears is taken
    from there."""
    for panel in (ax, *panels):
        label = panel.get_xlabel() if which == "x" else panel.get_ylabel()
        if label:
            return _one_line(label)
    return ""


def _axes(x: str, y: str) -> str:
    """What is drawn against what."""
    if x and y:
        return f" of {y} against {x}"
    if x or y:
        return f" of {x or y}"
    return ""


def _kind(ax) -> str:
    """The kind of chart, by the most telling thing that it holds; none for an empty panel."""
    parts = [*ax.containers, *ax.images, *ax.collections]
    held = [type(part).__name__ for part in parts]
    held += [_kind_of_line(line) for line in ax.lines]
    for name, kind in KINDS.items():
        if name in held:
            return kind
    if held or ax.patches:
        return "chart"
    return ""


def _kind_of_line(line) -> str:
    """Matplotlib draws curves, points and single strokes by the same class."""
    count = len(line.get_xdata())
    has_stroke = line.get_linestyle() != "None"
    has_marker = line.get_marker() != "None"
    if has_stroke and (count > 2 or count == 2 and has_marker):
        return "Curve"
    return "Points" if has_marker else "Stroke"


def _categories(ax, which: str) -> list[str]:
    """The tick labels of the axis "x" or "y" that bears names, each with the value written at its
    bar or point; none where the labels are numbers."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    labels = axis.get_ticklabels()
    if not _with_letters(labels):
        return []
    values = _values_written(ax, which)
    categories = []
    for place, label in zip(axis.get_ticklocs(), labels, strict=True):
        name = _one_line(label.get_text())
        if not name:
            continue
        here = values.get(_rounded(place), [])
        # A row of a heat map has many numbers: only a single one is the value of its name.
        categories.append(f"{name} {here[0]}" if len(here) == 1 else name)
    return categories


def _is_told(text: str, categories: list[str]) -> bool:
    """Whether a text with letters is the value of a category, as "1.2 s" in "LoRA 1.2 s"."""
    return any(category.endswith(f" {_one_line(text)}") for category in categories)


def _values_written(ax, which: str) -> dict[float, list[str]]:
    """The numbers, with their units, that point at bars and points: by their place along the axis
    "x" or "y"."""
    coordinate = 0 if which == "x" else 1
    values: dict[float, list[str]] = {}
    for text in ax.texts:
        # An annotation points at a place in the data; any other text lies somewhere.
        if not hasattr(text, "xy") or text.xycoords != "data":
            continue
        written = _one_line(text.get_text())
        if NUMBER.match(written):
            place = _rounded(text.xy[coordinate])
            values.setdefault(place, []).append(written)
    return values


def _rounded(place: float) -> float:
    """A place on an axis: the middle of a bar is computed, and a tick is not."""
    return round(float(place), 6)


def _with_letters(texts: list) -> list[str]:
    """The different texts that hold a word and not only numbers, in their order."""
    words = [text.get_text() for text in texts if _has_letter(text.get_text())]
    return list(dict.fromkeys(words))


def _has_letter(text: str) -> bool:
    """Whether a text holds a letter outside of a formula: the formula of 10 to the -3 holds some,
    and is a number."""
    before_formula = text.split("$")[0]
    return any(character.isalpha() for character in before_formula)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _listed(names: list[str]) -> str:
    """Names in a row, the first ones of many."""
    names = [_one_line(name) for name in names]
    separator = "; " if any("," in name for name in names) else ", "
    if len(names) > MOST_NAMES:
        left_out = len(names) - MOST_NAMES + 1
        names = [*names[: MOST_NAMES - 1], f"{left_out} more"]
    return separator.join(names)
