"""Badges and set-up cells are what the address in pyproject.toml says, unset or set; nothing else
of a lesson moves."""

import json
import re
import shutil
import sys
from types import ModuleType

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from satlib.kit import course, setup_cells

ADDRESS = "https://github.com/some.one/the-kit"
LESSONS = course.lessons()


@pytest.fixture(scope="module")
def stated(root):
    """Address and version of this checkout."""
    return setup_cells.settings(root / "pyproject.toml")


@pytest.fixture
def checkout(root, tmp_path):
    """A function that copies pyproject.toml, with another address, and three lessons."""

    def copy(address: str):
        project = (root / "pyproject.toml").read_text(encoding="utf-8")
        line = f'repository = "{setup_cells.settings(root / "pyproject.toml")[0]}"'
        assert project.count(line) == 1
        (tmp_path / "pyproject.toml").write_text(
            project.replace(line, f'repository = "{address}"'), encoding="utf-8"
        )
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        for lesson in LESSONS[:3]:
            shutil.copy(lesson.path, tmp_path / "notebooks")
        return tmp_path / "pyproject.toml"

    return copy


def texts(project) -> dict[str, str]:
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in (project.parent / "notebooks").glob("*.ipynb")
    }


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.stem for lesson in LESSONS])
def test_every_lesson_is_as_the_command_writes_it(lesson, stated):
    text = lesson.path.read_text(encoding="utf-8")
    assert setup_cells.written(text, lesson.stem, *stated) == text, "run `satlib badges`"


def test_an_address_is_written_everywhere_and_taken_back_again(checkout):
    project = checkout("")
    setup_cells.write(project)
    before = texts(project)
    checkout(ADDRESS)
    assert setup_cells.write(project) == sorted(before)
    for name, text in texts(project).items():
        title, words, setup = (course.source(cell) for cell in json.loads(text)["cells"][:3])
        assert "upload" not in words
        assert f"{setup_cells.BADGE} [![Open in Colab](" in title
        assert (
            f"({setup_cells.COLAB}/github/some.one/the-kit/blob/v0.1.0/notebooks/{name})" in title
        )
        wheel = f"{ADDRESS}/releases/download/v0.1.0/satlib-0.1.0-py3-none-any.whl"
        assert f"%pip install --quiet {wheel}\n" in setup and "/main/" not in text
    assert setup_cells.write(project) == [], "a second time nothing changes"
    project.write_text(project.read_text().replace(ADDRESS, ""))
    assert setup_cells.write(project) == sorted(before) and texts(project) == before


def test_nothing_but_the_badge_and_the_setup_cells_moves(checkout):
    project = checkout(ADDRESS)
    before = {name: json.loads(text) for name, text in texts(project).items()}
    setup_cells.write(project)
    for name, text in texts(project).items():
        old, new = before[name], json.loads(text)
        old["cells"][0]["source"] = new["cells"][0]["source"]
        for one, other in zip(old["cells"], new["cells"], strict=True):
            if "setup" in course.tags(one):
                one["source"] = other["source"]
        assert old == new


def test_no_address_but_ours_and_those_of_colab_stands_in_badge_and_setup():
    for repository in ("", ADDRESS):
        badge = setup_cells.badge(repository, "0.1.0", "11_a")
        code = setup_cells.setup(repository, "0.1.0")
        text = badge + setup_cells.text(repository) + code
        ours = {
            ADDRESS,
            f"{setup_cells.COLAB}/assets/colab-badge.svg",
            f"{setup_cells.COLAB}/github/some.one",
        }
        assert set(re.findall(r"https?://[\w.-]+(?:/[\w.-]+){0,2}", text)) == (
            ours if repository else set()
        )


def test_the_badge_is_written_from_the_address():
    for unknown in ("", "https://elsewhere.org/x/y"):
        assert setup_cells.badge(unknown, "0.1.0", "11_a") == setup_cells.BADGE
    line = setup_cells.badge("https://github.com/some/kit", "0.1.0", "11_a")
    assert line.startswith("<!-- badge --> [![Open in Colab](")
    assert line.endswith(
        "(https://colab.research.google.com/github/some/kit/blob/v0.1.0/notebooks/11_a.ipynb)"
    )


@pytest.mark.parametrize(
    "address", ["https://elsewhere.org/x/y", "github.com/a/b", "https://github.com/a/b/", "x"]
)
def test_an_address_that_is_none_is_refused(checkout, address):
    with pytest.raises(ValueError, match="is not of the form https://github.com/owner/name"):
        setup_cells.write(checkout(address))


def test_badges_are_for_a_checkout(tmp_path):
    with pytest.raises(FileNotFoundError, match="in a checkout only"):
        setup_cells.write(tmp_path / "pyproject.toml")


def test_a_lesson_without_its_marker_is_named(checkout):
    project = checkout("")
    path = project.parent / "notebooks" / LESSONS[1].path.name
    path.write_text(
        path.read_text(encoding="utf-8").replace(setup_cells.BADGE, "gone"), encoding="utf-8"
    )
    before = texts(project)
    with pytest.raises(ValueError, match=f"{LESSONS[1].stem} needs one line <!-- badge -->"):
        setup_cells.write(project)
    assert texts(project) == before


# The set-up cell, run with stand-ins


class Shell:
    """A stand-in for IPython's shell, of which the translated cell asks %pip; notes the lines."""

    def __init__(self):
        self.lines = []

    def run_line_magic(self, name, line):
        self.lines.append(f"%{name} {line}")


def run(code: str) -> list[str]:
    """Run a set-up cell as a notebook would, but for %pip, whose lines are returned."""
    shell = Shell()
    exec(TransformerManager().transform_cell(code), {"get_ipython": lambda: shell})
    return shell.lines


def on_colab(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))


@pytest.mark.parametrize("repository", ["", ADDRESS])
def test_outside_colab_nothing_is_installed(repository):
    assert run(setup_cells.setup(repository, "0.1.0")) == []


@pytest.mark.parametrize(
    ("repository", "wheel"),
    [
        ("", "satlib-*.whl"),
        (ADDRESS, f"{ADDRESS}/releases/download/v0.1.0/satlib-0.1.0-py3-none-any.whl"),
    ],
)
def test_on_colab_the_release_is_installed_or_the_uploaded_wheel(monkeypatch, repository, wheel):
    on_colab(monkeypatch)
    assert run(setup_cells.setup(repository, "0.1.0")) == [f"%pip install --quiet {wheel}"]


def test_where_satlib_is_missing_the_cell_ends_with_python_s_own_words(monkeypatch):
    """The text above the cell says what to do then."""
    on_colab(monkeypatch)
    monkeypatch.setitem(sys.modules, "satlib", None)
    with pytest.raises(ModuleNotFoundError, match="satlib"):
        run(setup_cells.setup("", "0.1.0"))
    assert "No module named 'satlib'" in setup_cells.text("")


def test_the_set_up_cell_is_short_and_the_text_says_how_to_upload():
    assert len(setup_cells.setup("", "0.1.0").split("\n")) <= 8
    assert "`pip wheel --no-deps .`" in setup_cells.text("") and "`make lab`" in setup_cells.text(
        ""
    )
    assert "upload" not in setup_cells.text(ADDRESS)
