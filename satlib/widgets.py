"""Figures to move: the same call shows sliders and a figure to a person, and the figure alone to a
page.

A lesson says ``widgets.explore(draw, name, rate=widgets.Slider("rate", 2, 0, 5, 0.5))``. Where
somebody sits at the notebook (JupyterLab, Colab, VS Code) the controls stand above the figure,
which is drawn anew with every change. In a headless run, and so in every stored notebook, the
figure at the values to start from is all there is.
"""

import base64
import html
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from satlib import plots, runtime

VIEW = "application/vnd.jupyter.widget-view+json"
WIDE = {"description_width": "initial"}  # a label is never cut


class Slider(NamedTuple):
    """A number between low and high, moved by ``step``."""

    label: str
    value: float
    low: float
    high: float
    step: float


class Choice(NamedTuple):
    """One of a few options, from a menu."""

    label: str
    value: object
    options: Sequence


class Text(NamedTuple):
    """Words to be written, in ``lines`` lines; the figure follows when the writer leaves the
    field."""

    label: str
    value: str
    lines: int = 1


Control = Slider | Choice | Text


def explore(draw: Callable, name: str, **controls: Control) -> "plots.Shown | Moved":
    """A figure that a reader can move, as what a notebook cell displays: a ``Moved`` where
    ``live()``, else a figure.

    draw: takes the value of every control by its name, and returns a matplotlib figure and its
    finding, the sentence that is true at these values. It is called again when the cells below have
    run: what it draws from must not change there. name: as for ``plots.show``. Raises ValueError
    for a control without a label, for a start outside of its range, and for a range without a step
    in it.
    """
    if not controls:
        raise ValueError(
            f"the figure {name!r} has no control; give at least one, or show it by plots.show"
        )
    for given, control in controls.items():
        _check(given, control)
    shown = _drawn(draw, name, {given: control.value for given, control in controls.items()})
    return Moved(draw, name, controls, shown) if live() else shown


def _drawn(draw: Callable, name: str, values: dict[str, object]) -> plots.Shown:
    fig, finding = draw(**values)
    return plots.show(fig, name, finding)


def _check(name: str, control: Control) -> None:
    if not isinstance(control, Control):
        raise ValueError(f"{name} is {control!r}; give a Slider, a Choice or a Text")
    if not control.label.strip():
        raise ValueError(f"{name} has no label; say in a word or two what it changes")
    if isinstance(control, Choice):
        runtime.one_of(control.label, control.value, control.options)
    elif isinstance(control, Text):
        if not (isinstance(control.value, str) and control.lines >= 1):
            raise ValueError(
                f"{name} starts from {control.value!r} in {control.lines} lines; give a str and 1 or more"
            )
    elif (
        not all(map(math.isfinite, control[1:]))
        or not 0 < control.step <= control.high - control.low
    ):
        raise ValueError(
            f"{name} runs from {control.low} to {control.high} by {control.step}; the step must be above "
            "0 and fit into the range"
        )
    elif not control.low <= control.value <= control.high:
        raise ValueError(
            f"{name} starts at {control.value}; start between {control.low} and {control.high}"
        )


def live() -> bool:
    """Whether somebody sits at this notebook and can move a slider.

    A front end with a person at it takes input; papermill, nbval and nbconvert say that they do
    not. Colab has a way of its own for input, and names itself in the environment.
    ``runtime.quiet`` overrules both.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    asks = getattr(kernel, "_allow_stdin", False) or os.environ.get("COLAB_RELEASE_TAG")
    return kernel is not None and bool(asks) and not runtime.quiet()


class Moved:
    """The controls above the figure. widgets: by name; picture: an HTML widget that holds the
    figure."""

    def __init__(self, draw: Callable, name: str, controls: dict[str, Control], shown: plots.Shown):
        import ipywidgets

        self.draw, self.name, self.start = draw, name, shown
        self.widgets, rows = {}, []
        for given, control in controls.items():
            self.widgets[given], row = _row(control)
            rows.append(row)
            self.widgets[given].observe(self.redraw, "value")
        self.picture = ipywidgets.HTML(_image(shown))
        self.box = ipywidgets.VBox([*rows, self.picture])

    def redraw(self, change: object = None) -> None:
        """Draw the figure at the values that the controls have now; what goes wrong is told in its
        place."""
        values = {given: widget.value for given, widget in self.widgets.items()}
        try:
            self.picture.value = _image(_drawn(self.draw, self.name, values))
        except Exception as error:  # nobody sees what a widget's callback raises
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            self.picture.value = f'<p role="alert">{html.escape(kind + str(error))}</p>'

    def __repr__(self) -> str:
        return repr(self.start)

    def _repr_mimebundle_(self, **_) -> dict[str, object]:
        """The widget, and for a page that has no kernel the figure as it was at the start."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        return {
            VIEW: view,
            "image/png": base64.b64encode(self.start.png).decode(),
            "text/plain": repr(self),
        }


def _row(control: Control) -> tuple:
    """The widget whose value counts, and what is shown of it. It reports a value when it was let
    go, not on the way.

    ipywidgets ties its label to a field and to a menu, but not to a slider: a number has both, so
    that a screen reader can name what it moves.
    """
    import ipywidgets as ipw

    common = {"value": control.value, "description": control.label, "style": WIDE}
    if isinstance(control, Choice):
        menu = ipw.Dropdown(options=list(control.options), **common)
        return menu, menu
    if isinstance(control, Text):
        words, rows = (
            (ipw.Textarea, {"rows": control.lines}) if control.lines > 1 else (ipw.Text, {})
        )
        field = words(**common, **rows, continuous_update=False, layout={"width": "95%"})
        return field, field
    span = {"min": control.low, "max": control.high, "step": control.step}
    whole = all(isinstance(number, int) for number in control[1:])
    field = (ipw.BoundedIntText if whole else ipw.BoundedFloatText)(
        **common, **span, layout={"width": "16em"}
    )
    slider = (ipw.IntSlider if whole else ipw.FloatSlider)(
        value=control.value, **span, readout=False, continuous_update=False, layout={"flex": "1"}
    )
    ipw.link((slider, "value"), (field, "value"))
    return slider, ipw.HBox([field, slider])


def _image(shown: plots.Shown) -> str:
    data = base64.b64encode(shown.png).decode()
    return f'<img alt="{html.escape(shown.finding)}" src="data:image/png;base64,{data}" style="max-width: 100%">'
