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
    for keyword, control in controls.items():
        _check(keyword, control)
    start = {keyword: control.value for keyword, control in controls.items()}
    shown = _drawn(draw, name, start)
    if live():
        return Moved(draw, name, controls, shown)
    return shown


def _drawn(draw: Callable, name: str, values: dict[str, object]) -> plots.Shown:
    fig, finding = draw(**values)
    return plots.show(fig, name, finding)


def _check(name: str, control: Control) -> None:
    """ValueError for a control that a reader could not move."""
    if not isinstance(control, Control):
        raise ValueError(f"{name} is {control!r}; give a Slider, a Choice or a Text")
    if not control.label.strip():
        raise ValueError(f"{name} has no label; say in a word or two what it changes")
    if isinstance(control, Choice):
        runtime.one_of(control.label, control.value, control.options)
    elif isinstance(control, Text):
        _check_text(name, control)
    else:
        _check_slider(name, control)


def _check_text(name: str, control: Text) -> None:
    if not isinstance(control.value, str) or control.lines < 1:
        raise ValueError(
            f"{name} starts from {control.value!r} in {control.lines} lines; "
            "give a str and 1 or more"
        )


def _check_slider(name: str, control: Slider) -> None:
    numbers = (control.value, control.low, control.high, control.step)
    finite = all(math.isfinite(number) for number in numbers)
    if not finite or not 0 < control.step <= control.high - control.low:
        raise ValueError(
            f"{name} runs from {control.low} to {control.high} by {control.step}; "
            "the step must be above 0 and fit into the range"
        )
    if not control.low <= control.value <= control.high:
        raise ValueError(
            f"{name} starts at {control.value}; start between {control.low} and {control.high}"
        )


def live() -> bool:
    """Whether somebody sits at this notebook and can move a slider.

    A front end with a person at it takes input; papermill, nbval and nbconvert say that they do
    not. Colab has a way of its own for input, and names itself in the environment.
    ``runtime.quiet`` overrules both.
    """
    kernel = _kernel()
    if kernel is None or runtime.quiet():
        return False
    takes_input = getattr(kernel, "_allow_stdin", False)
    on_colab = bool(os.environ.get("COLAB_RELEASE_TAG"))
    return takes_input or on_colab


def _kernel() -> object | None:
    """The kernel that this process is; None in a script. IPython is not loaded to find out."""
    if "IPython" not in sys.modules:
        return None
    shell = sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None)


class Moved:
    """The controls above the figure. widgets: by name; picture: an HTML widget that holds the
    figure."""

    def __init__(self, draw: Callable, name: str, controls: dict[str, Control], shown: plots.Shown):
        import ipywidgets

        self.draw = draw
        self.name = name
        self.start = shown
        self.widgets = {}
        rows = []
        for keyword, control in controls.items():
            widget, row = _row(control)
            widget.observe(self.redraw, "value")
            self.widgets[keyword] = widget
            rows.append(row)
        self.picture = ipywidgets.HTML(_image(shown))
        self.box = ipywidgets.VBox([*rows, self.picture])

    def redraw(self, change: object = None) -> None:
        """Draw the figure at the values that the controls have now; what goes wrong is told in its
        place."""
        values = {keyword: widget.value for keyword, widget in self.widgets.items()}
        try:
            self.picture.value = _image(_drawn(self.draw, self.name, values))
        except Exception as error:  # nobody sees what a widget's callback raises
            words = str(error)
            if not isinstance(error, ValueError):
                words = f"{type(error).__name__}: {words}"
            self.picture.value = f'<p role="alert">{html.escape(words)}</p>'

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
    go, not on the way."""
    import ipywidgets

    common = {"value": control.value, "description": control.label, "style": WIDE}
    if isinstance(control, Slider):
        return _number_row(control, common)
    if isinstance(control, Choice):
        widget = ipywidgets.Dropdown(options=list(control.options), **common)
    else:
        common |= {"continuous_update": False, "layout": {"width": "95%"}}
        if control.lines > 1:
            widget = ipywidgets.Textarea(rows=control.lines, **common)
        else:
            widget = ipywidgets.Text(**common)
    return widget, widget


def _number_row(control: Slider, common: dict) -> tuple:
    """A slider, and a field with the label before it.

    ipywidgets ties its label to a field and to a menu, but not to a slider: a number has both, so
    that a screen reader can name what it moves.
    """
    import ipywidgets

    span = {"min": control.low, "max": control.high, "step": control.step}
    numbers = (control.value, *span.values())
    if all(isinstance(number, int) for number in numbers):
        field_kind = ipywidgets.BoundedIntText
        slider_kind = ipywidgets.IntSlider
    else:
        field_kind = ipywidgets.BoundedFloatText
        slider_kind = ipywidgets.FloatSlider
    field = field_kind(**common, **span, layout={"width": "16em"})
    slider = slider_kind(
        value=control.value,
        **span,
        readout=False,
        continuous_update=False,
        layout={"flex": "1"},
    )
    ipywidgets.link((slider, "value"), (field, "value"))
    return slider, ipywidgets.HBox([field, slider])


def _image(shown: plots.Shown) -> str:
    """The figure as an element of a page."""
    alternative = html.escape(shown.finding)
    data = base64.b64encode(shown.png).decode()
    source = f"data:image/png;base64,{data}"
    return f'<img alt="{alternative}" src="{source}" style="max-width: 100%">'
