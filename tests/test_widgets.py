"""A page gets the figure alone, a person gets controls that move it; what cannot be moved is
refused."""

import base64
import queue
import subprocess
import symtable
import sys

import matplotlib.pyplot as plt
import nbclient
import pytest
from jupyter_client.manager import start_new_kernel
from nbformat.v4 import new_code_cell, new_notebook

from satlib import plots, widgets
from satlib.kit import course, stored_notebooks
from satlib.widgets import Choice, Slider, Text

SLIDER = Slider("height", 2.0, 0.0, 5.0, 0.5)
LESSON = """
import matplotlib.pyplot as plt
from satlib import widgets
def draw(height):
    fig, ax = plt.subplots()
    ax.plot([0, height])
    return fig, f"It rises to {height:g}"
widgets.explore(draw, "rise", height=widgets.Slider("height", 2.0, 0.0, 5.0, 0.5))
"""


def draw(height=1.0, colour="red", words=""):
    if words == "nothing":
        raise ValueError("there is <nothing> to draw; write a word")
    fig, ax = plt.subplots(figsize=(2, 2))
    ax.plot([0, height], color=colour)
    return fig, f"It rises to {height:g} in {colour} ({words})"


@pytest.fixture
def live(monkeypatch):
    monkeypatch.setattr(widgets, "live", lambda: True)


def explore(**controls):
    return widgets.explore(draw, "rise", **controls)


def test_headless_the_figure_at_the_first_values_is_all(tmp_path, monkeypatch):
    monkeypatch.setenv("SATLIB_FIGURES", str(tmp_path))
    shown = explore(height=SLIDER)
    assert isinstance(shown, plots.Shown) and repr(shown) == "Figure: It rises to 2 in red ()"
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".svg"}


def test_headless_no_widget_library_is_loaded():
    code = f"import sys\n{LESSON}\nprint('ipywidgets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


def test_moving_a_control_draws_the_figure_at_the_new_value(live):
    moved = explore(
        height=SLIDER, colour=Choice("colour", "red", ("red", "blue")), words=Text("words", "hot")
    )
    assert repr(moved) == "Figure: It rises to 2 in red (hot)"
    assert 'alt="It rises to 2 in red (hot)"' in moved.picture.value
    seen = [moved.picture.value]
    for name, value in (("height", 3.5), ("colour", "blue"), ("words", "<cold>")):
        moved.widgets[name].value = value
        seen.append(moved.picture.value)
    assert len(set(seen)) == 4 and 'alt="It rises to 3.5 in blue (&lt;cold&gt;)"' in seen[-1]


def test_a_number_has_a_slider_and_a_field_with_the_label_and_they_go_together(live):
    for control, value in ((SLIDER, 4.5), (Slider("count", 3, 1, 9, 2), 5)):
        moved = widgets.explore(lambda n: draw(float(n)), "rise", n=control)
        field, slider = moved.box.children[0].children
        assert (
            field.description == control.label
            and (slider.min, slider.max, slider.step) == control[2:]
        )
        field.value = value
        assert slider.value == value and f"rises to {value:g}" in moved.picture.value
        slider.value = control.low
        assert field.value == control.low and f"rises to {control.low:g}" in moved.picture.value


def test_a_live_figure_has_the_first_picture_for_pages_without_a_kernel(live):
    moved = explore(height=SLIDER)
    moved.widgets["height"].value = 4.0
    bundle = moved._repr_mimebundle_(include=None, exclude=None)
    assert (
        bundle[stored_notebooks.WIDGET]["model_id"] == moved.box.model_id
        and stored_notebooks.WIDGET == widgets.VIEW
    )
    assert base64.b64decode(bundle["image/png"]) == moved.start.png and bundle[
        "text/plain"
    ] == repr(moved.start)


def test_what_goes_wrong_is_told_in_place_of_the_figure(live):
    moved = explore(words=Text("words", "hot", lines=3), height=SLIDER)
    moved.widgets["words"].value = "nothing"
    assert (
        moved.picture.value == '<p role="alert">there is &lt;nothing&gt; to draw; write a word</p>'
    )
    moved.widgets["words"].value = "something"
    assert "<img" in moved.picture.value
    moved.draw = lambda **_: 1 / 0
    moved.widgets["height"].value = 1.0
    assert "ZeroDivisionError: division by zero" in moved.picture.value


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (Slider(" ", 2, 0, 5, 1), "has no label"),
        (Slider("height", 6, 0, 5, 1), "starts at 6; start between 0 and 5"),
        (Slider("height", float("nan"), 0, 5, 1), "runs from 0 to 5"),
        (Slider("height", 2, 5, 0, 1), "runs from 5 to 0 by 1"),
        (Slider("height", 2, 2, 2, 1), "the step must be above 0 and fit"),
        (Slider("height", 2, 0, 5, 0), "the step must be above 0"),
        (Slider("height", 2, 0, 5, 6), "fit into the range"),
        (Slider("height", 2, 0, float("inf"), 1), "to inf by 1"),
        (
            Choice("colour", "green", ("red", "blue")),
            "unknown colour 'green'; choose one of red, blue",
        ),
        (Text("words", 3), "starts from 3"),
        (Text("words", "", 0), "in 0 lines"),
        ((0, 5, 1), r"height is \(0, 5, 1\); give a Slider, a Choice or a Text"),
    ],
)
def test_what_cannot_be_moved_is_refused(control, said):
    with pytest.raises(ValueError, match=said):
        explore(height=control)
    assert plt.get_fignums() == []


def test_a_figure_without_controls_is_refused():
    with pytest.raises(ValueError, match="'rise' has no control"):
        explore()


def test_a_notebook_that_is_run_headless_holds_one_picture_and_no_widget(monkeypatch):
    for name in (
        "CI",
        "SATLIB_QUIET",
    ):  # nothing says that it is headless, only that nobody can be asked
        monkeypatch.delenv(name, raising=False)
    book = new_notebook(cells=[new_code_cell(LESSON)])
    nbclient.NotebookClient(book, kernel_name="python3").execute()
    (output,) = book.cells[0].outputs
    assert output.data.keys() == {"image/png", "text/plain"} and "widgets" not in book.metadata


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("person", "variable", "wanted"),
    [
        (True, "", True),
        (False, "", False),
        (True, "SATLIB_QUIET", False),
        (True, "CI", False),
        (False, "COLAB_RELEASE_TAG", True),
    ],
)
def test_widgets_are_for_a_front_end_with_a_person_at_it(kernel, person, variable, wanted):
    names = ("CI", "SATLIB_QUIET", "COLAB_RELEASE_TAG")
    said = {name: "1" if name == variable else "" for name in names}
    kernel.execute(f"import os\nos.environ |= {said}\n{LESSON}", allow_stdin=person)
    shown = message(kernel, "execute_result")["data"]
    assert (stored_notebooks.WIDGET in shown) == wanted
    assert "image/png" in shown and shown["text/plain"] == "Figure: It rises to 2"


def message(client, kind):
    """The next message of a kind from the kernel."""
    while True:
        try:
            found = client.get_iopub_msg(timeout=60)
        except queue.Empty:
            raise AssertionError(f"no {kind} came") from None
        assert found["msg_type"] != "error", found["content"]
        if found["msg_type"] == kind:
            return found["content"]


WITH_FIGURES = [
    one for one in course.lessons() if "widgets.explore(" in "".join(course.code_of(one))
]


def inner(table: symtable.SymbolTable) -> list:
    """The symbols of all functions in a table, and of the functions in these."""
    return [symbol for one in table.get_children() for symbol in [*one.get_symbols(), *inner(one)]]


def rebound(cells: list[str]) -> set[str]:
    """Names that a cell with a moving figure reads in its functions and a cell below it binds
    anew."""
    found = set()
    for place, cell in enumerate(cells):
        if "widgets.explore(" in cell:
            read = {
                name.get_name()
                for name in inner(symtable.symtable(cell, "figure", "exec"))
                if name.is_global()
            }
            below = symtable.symtable("\n".join(cells[place + 1 :]), "below", "exec")
            found |= read & {name.get_name() for name in below.get_symbols() if name.is_assigned()}
    return found


@pytest.mark.parametrize("lesson", WITH_FIGURES, ids=lambda lesson: lesson.stem)
def test_what_a_figure_draws_from_stays_as_it_was(lesson):
    assert rebound(course.code_of(lesson)) == set()


def test_a_name_bound_anew_below_a_figure_is_found():
    figure = "many = 3\ndef draw(n):\n    return many * n\nwidgets.explore(draw, 'x', n=1)"
    assert rebound([figure, "print(many)"]) == set()
    assert rebound([figure, "for many in range(3):\n    pass"]) == {"many"}
    assert rebound(["many = 2", figure]) == set()
