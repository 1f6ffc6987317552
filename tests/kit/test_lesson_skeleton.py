"""The skeleton of a lesson runs, keeps the laws of the lessons from the start, and is refused where
it cannot be one."""

import os
import shutil
import subprocess
import sys

import nbclient
import nbformat
import pytest
from typer.testing import CliRunner

from satlib.kit import cli, import_contract, lesson_skeleton, stored_notebooks

STEM = "70_practice_skeleton"  # a number that the decades leave free


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    """A copy of what a skeleton touches; the path of its pyproject.toml."""
    copy = tmp_path_factory.mktemp("checkout")
    for folder in ("satlib", "notebooks", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / folder, copy / folder, ignore=ignored)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(root / name, copy / name)
    return copy / "pyproject.toml"


@pytest.fixture(scope="module")
def written(project):
    """The paths of a skeleton that was written into the copy."""
    return lesson_skeleton.write(STEM, project)


def run(project, *command) -> subprocess.CompletedProcess:
    """Run a Python module in the copy, so that its satlib is the one that is imported."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project.parent,
        env=os.environ | {"PYTHONPATH": str(project.parent)},
        capture_output=True,
        text=True,
    )


def test_a_lesson_has_its_notebook_module_test_and_exercises(project, written):
    names = {path.relative_to(project.parent).as_posix() for path in written}
    assert names >= {
        "notebooks/70_practice_skeleton.ipynb",
        "satlib/practice/skeleton.py",
        "tests/practice/test_skeleton.py",
        "satlib/exercises/practice_skeleton.py",
    }
    assert (project.parent / "satlib" / "practice" / "__init__.py").is_file()


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_what_is_written_has_the_style_of_the_rest(project, written, command):
    done = run(project, "ruff", *command, *map(str, written))
    assert done.returncode == 0, done.stdout


def test_the_twin_test_passes(project, written):
    done = run(project, "pytest", "tests/practice/test_skeleton.py")
    assert done.returncode == 0, done.stdout


def test_the_notebook_runs_and_keeps_the_laws_of_the_lessons(project, written):
    path = project.parent / "notebooks" / f"{STEM}.ipynb"
    book = nbformat.read(path, as_version=4)
    badge = book.cells[0].source.split("\n")[2]
    # The kernel starts in the copy, whose satlib comes before the installed one.
    resources = {"metadata": {"path": project.parent}}
    nbclient.NotebookClient(book, kernel_name="python3", resources=resources).execute()
    notebook = nbformat.from_dict(stored_notebooks.normalise(book, badge))
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    done = run(project, "pytest", "tests/kit/test_course.py", "-k", STEM)
    assert done.returncode == 0, done.stdout


def test_the_next_lesson_is_named(project, written):
    text = (project.parent / "notebooks" / f"{STEM}.ipynb").read_text(encoding="utf-8")
    after = sorted(path.stem for path in (project.parent / "notebooks").glob("*.ipynb"))
    assert f"**Next**: {after[after.index(STEM) + 1]}, and why it follows." in text


@pytest.mark.parametrize(
    ("stem", "said"),
    [
        (STEM, "70_practice_skeleton has the number 70 already; choose a free one"),
        ("01_practice_again", "01_data_interactions has the number 01 already"),
        ("practice_adapters", "'practice_adapters' is no stem of a lesson; give two digits"),
        ("79_practice", "'79_practice' is no stem of a lesson"),
        ("79_practice_top5", "'79_practice_top5' is no stem of a lesson"),
        ("79_Practice_x", "'79_Practice_x' is no stem of a lesson"),
        ("79_../x_y", "is no stem of a lesson"),
        ("79_magic_spells", "names the folder 'magic', which the import contract of pyproject"),
        ("79_kit_runner", "names the folder 'kit', .*; choose one of data, "),
        ("79_data_corpora", r"corpora\.py exists; remove it, or choose another name"),
    ],
)
def test_what_cannot_be_a_lesson_is_refused(project, written, stem, said):
    before = sorted(project.parent.rglob("*"))
    with pytest.raises(ValueError, match=said):
        lesson_skeleton.write(stem, project)
    assert sorted(project.parent.rglob("*")) == before


def test_the_command_writes_and_says_what_comes_next(project, monkeypatch):
    monkeypatch.setattr(import_contract, "PROJECT", project)
    done = CliRunner().invoke(cli.app, ["lesson", "79_trust_skeleton"])
    assert done.exit_code == 0, done.output
    assert "79_trust_skeleton.ipynb" in done.output and "CONTRIBUTING.md" in done.output
    done = CliRunner().invoke(cli.app, ["lesson", "79_trust_skeleton"])
    assert done.exit_code == 1 and "choose a free one" in done.output
