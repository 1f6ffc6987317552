"""The badge and the set-up cell of every lesson, written from one line: the repository's address in pyproject.toml.

``satlib badges`` writes them, a test compares them. While the address is unset, the badge is its marker alone and the
set-up cell tells how to upload the wheel: an address that is not ours stands nowhere. No lesson imports this module.
"""

import re
import tomllib
from pathlib import Path

import nbformat

from satlib import runtime, storage
from satlib.kit import course

BADGE = "<!-- badge -->"
COLAB = "https://colab.research.google.com"
ADDRESS = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)")
# What the set-up cell says where it can install nothing.
MISSING = ("satlib is not installed here: run `make lab` in its folder on your computer. On Colab: run "
           "`pip wheel --no-deps .` in that folder, upload the file satlib-...-py3-none-any.whl that it makes (folder "
           "symbol at the left), and run this cell again, which installs it as `%pip install` and its name would")
# An uploaded wheel goes before the release, so that a change of one's own can be tried on Colab. Short, since it opens
# every lesson. An installation that fails ends the cell with an error.
SETUP = """\
import importlib.util, os, pathlib, subprocess, sys  # set-up, the same in every lesson; `satlib badges` writes it
if importlib.util.find_spec("satlib") is None:
    wheels = [{release}*sorted(map(str, pathlib.Path.cwd().glob("satlib-*.whl")), key=os.path.getmtime)]
    if "google.colab" not in sys.modules or not wheels:
        raise ImportError("{missing}")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", wheels[-1]], check=True)
from satlib import runtime
runtime.setup()"""


def settings(project: Path | None = None) -> tuple[str, str]:
    """The repository's address ("" while unknown) and satlib's version, read from pyproject.toml.

    Raises FileNotFoundError outside a checkout, ValueError for an address that is not one of a GitHub repository.
    """
    project = project or runtime.PACKAGE.parent / "pyproject.toml"
    if not project.is_file():
        raise FileNotFoundError(f"no {project}; badges and set-up cells can be written in a checkout only")
    stated = tomllib.loads(project.read_text(encoding="utf-8"))
    repository = stated["tool"]["satlib"]["repository"]
    if repository and not ADDRESS.fullmatch(repository):
        raise ValueError(f"repository = {repository!r} in {project.name} is not of the form "
                         "https://github.com/owner/name; correct it, or leave it empty")
    return repository, stated["project"]["version"]


def badge(repository: str, version: str, stem: str) -> str:
    """The line that opens a lesson of this version's tag on Colab; only the marker while the address is unknown."""
    found = ADDRESS.fullmatch(repository)
    if not found:
        return BADGE
    target = f"{COLAB}/github/{found.group(1)}/blob/v{version}/notebooks/{stem}.ipynb"
    return f"{BADGE} [![Open in Colab]({COLAB}/assets/colab-badge.svg)]({target})"


def setup(repository: str, version: str) -> str:
    """The set-up cell: on Colab it installs the uploaded wheel, else the release's; elsewhere it installs nothing."""
    release = f'"{repository}/releases/download/v{version}/satlib-{version}-py3-none-any.whl", '
    return SETUP.format(release=release if ADDRESS.fullmatch(repository) else "", missing=MISSING)


def written(text: str, stem: str, repository: str, version: str) -> str:
    """The text of a notebook file with its badge and set-up cell made anew; all else, outputs included, stays."""
    notebook = nbformat.reads(text, as_version=4)
    title, (first, *_) = notebook.cells[0], [c for c in notebook.cells if "setup" in course.tags(c)] or [None]
    lines = title.source.split("\n")
    marked = [i for i, line in enumerate(lines) if line.startswith(BADGE)]
    if len(marked) != 1 or first is None:
        raise ValueError(f"{stem} needs one line {BADGE} under its title and one cell with the tag 'setup'; add them")
    lines[marked[0]] = badge(repository, version, stem)
    title.source, first.source = "\n".join(lines), setup(repository, version)
    return nbformat.writes(notebook) + "\n"


def write(project: Path | None = None) -> list[str]:
    """Write badge and set-up cell into every lesson beside pyproject.toml; the names of the files that changed."""
    project = project or runtime.PACKAGE.parent / "pyproject.toml"
    repository, version = settings(project)
    changed = {}
    for lesson in course.lessons(project.parent / "notebooks"):
        before = lesson.path.read_text(encoding="utf-8")
        after = written(before, lesson.stem, repository, version)
        if after != before:
            changed[lesson.path] = after
    for path, text in changed.items():
        storage.write_text(path, text)
    return [path.name for path in changed]
