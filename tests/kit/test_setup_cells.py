"""Badges and set-up cells are what the address in pyproject.toml says, unset or set; nothing else
of a lesson moves."""

import importlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest

from satlib import runtime
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
        title, setup = (course.source(cell) for cell in json.loads(text)["cells"][:2])
        assert f"{setup_cells.BADGE} [![Open in Colab](" in title
        assert (
            f"({setup_cells.COLAB}/github/some.one/the-kit/blob/v0.1.0/notebooks/{name})" in title
        )
        assert (
            f'"{ADDRESS}/releases/download/v0.1.0/satlib-0.1.0-py3-none-any.whl"' in setup
            and "/main/" not in text
        )
    assert setup_cells.write(project) == [], "a second time nothing changes"
    project.write_text(project.read_text().replace(ADDRESS, ""))
    assert setup_cells.write(project) == sorted(before) and texts(project) == before


def test_nothing_but_the_badge_and_the_setup_cell_moves(checkout):
    project = checkout(ADDRESS)
    before = {name: json.loads(text) for name, text in texts(project).items()}
    setup_cells.write(project)
    for name, text in texts(project).items():
        old, new = before[name], json.loads(text)
        old["cells"][0]["source"] = new["cells"][0]["source"]
        (one,), (other,) = (
            [c for c in book["cells"] if "setup" in course.tags(c)] for book in (old, new)
        )
        one["source"] = other["source"]
        assert old == new


def test_no_address_but_ours_and_those_of_colab_stands_in_badge_and_setup():
    for repository in ("", ADDRESS):
        text = setup_cells.badge(repository, "0.1.0", "11_a") + setup_cells.setup(
            repository, "0.1.0"
        )
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


@pytest.fixture
def without_satlib(monkeypatch, tmp_path):
    """The set-up cell believes that satlib is missing until pip has run; pip's commands are
    collected, not run."""
    seen = SimpleNamespace(commands=[], code=0)
    find = importlib.util.find_spec

    def run(command, check):
        seen.commands.append(command)
        if check and seen.code:
            raise subprocess.CalledProcessError(seen.code, command)

    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "satlib" else find(name)
    )
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.chdir(tmp_path)
    return seen


def on_colab(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))


def test_where_satlib_is_there_nothing_is_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(subprocess, "run", None)
    (tmp_path / "satlib-9.whl").touch()
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        exec(setup_cells.setup(ADDRESS, "0.1.0"), {})
        on_colab(monkeypatch)


def test_outside_colab_a_missing_satlib_is_never_installed(without_satlib, tmp_path):
    (tmp_path / "satlib-0.1.0-py3-none-any.whl").touch()
    with pytest.raises(ImportError, match="run `make lab` in its folder"):
        exec(setup_cells.setup(ADDRESS, "0.1.0"), {})
    assert without_satlib.commands == []


def test_on_colab_without_address_and_wheel_the_cell_says_how_to_upload(
    without_satlib, monkeypatch
):
    on_colab(monkeypatch)
    with pytest.raises(
        ImportError,
        match=r"`pip wheel --no-deps \.` .*upload the file satlib-.*\.whl .*"
        r"`%pip install` and its name",
    ):
        exec(setup_cells.setup("", "0.1.0"), {})
    assert without_satlib.commands == []


def test_on_colab_the_newest_uploaded_wheel_is_installed_and_without_one_the_release(
    without_satlib, monkeypatch, tmp_path
):
    on_colab(monkeypatch)
    exec(setup_cells.setup(ADDRESS, "0.1.0"), {})
    for name, age in (("satlib-0.9.0-py3-none-any.whl", 50), ("satlib-0.10.0-py3-none-any.whl", 0)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    exec(setup_cells.setup(ADDRESS, "0.1.0"), {})
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    assert without_satlib.commands == [
        [*pip, f"{ADDRESS}/releases/download/v0.1.0/satlib-0.1.0-py3-none-any.whl"],
        [*pip, str(tmp_path / "satlib-0.10.0-py3-none-any.whl")],
    ]
    assert runtime.PACKAGE.name == "satlib"


def test_an_installation_that_fails_ends_the_cell(without_satlib, monkeypatch):
    on_colab(monkeypatch)
    without_satlib.code = 1
    with pytest.raises(subprocess.CalledProcessError):
        exec(setup_cells.setup(ADDRESS, "0.1.0"), {})
