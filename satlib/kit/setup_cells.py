"""The badge and the set-up cell of every lesson, written from one line: the repository's address in
pyproject.toml.

``satlib badges`` writes them, a test compares them. While the address is unset, the badge is its
marker alone and the set-up cell tells how to upload the wheel: an address that is not ours stands
nowhere. No lesson imports this module.
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
# Stands above the set-up cell. Said here and not in an error, so that the first code of a lesson is
# short.
ON_ONES_OWN = (
    "**Set-up.** On your computer, open the lessons with `make lab` in the folder of satlib; "
    "the cell below then only sets the\n"
    "style of the figures. On Colab it installs satlib first"
)
UPLOADED = (
    ", from a wheel that you upload: run `pip wheel --no-deps .` in\n"
    "the folder of satlib, and drag the file `satlib-...-py3-none-any.whl` "
    "onto the list of files at the left. If the cell\n"
    "ends with \"No module named 'satlib'\", neither has happened yet."
)
RELEASED = ". To try a change of your own there, run `%pip install` with your wheel before it."
# The same in every lesson. A failed installation shows pip's words, and the import below it ends
# the cell.
SETUP = """\
import sys

if "google.colab" in sys.modules:
    %pip install --quiet {wheel}
from satlib import plots, runtime

runtime.setup()
plots.style()"""


def settings(project: Path | None = None) -> tuple[str, str]:
    """The repository's address ("" while unknown) and satlib's version, read from pyproject.toml.

    Raises FileNotFoundError outside a checkout, ValueError for an address that is not one of a
    GitHub repository.
    """
    project = project or runtime.PACKAGE.parent / "pyproject.toml"
    if not project.is_file():
        raise FileNotFoundError(
            f"no {project}; badges and set-up cells can be written in a checkout only"
        )
    stated = tomllib.loads(project.read_text(encoding="utf-8"))
    repository = stated["tool"]["satlib"]["repository"]
    if repository and not ADDRESS.fullmatch(repository):
        raise ValueError(
            f"repository = {repository!r} in {project.name} is not of the form "
            "https://github.com/owner/name; correct it, or leave it empty"
        )
    return repository, stated["project"]["version"]


def badge(repository: str, version: str, stem: str) -> str:
    """The line that opens a lesson of this version's tag on Colab; only the marker while the
    address is unknown."""
    address = ADDRESS.fullmatch(repository)
    if not address:
        return BADGE
    target = f"{COLAB}/github/{address.group(1)}/blob/v{version}/notebooks/{stem}.ipynb"
    return f"{BADGE} [![Open in Colab]({COLAB}/assets/colab-badge.svg)]({target})"


def text(repository: str) -> str:
    """The words above the set-up cell: what to do on a computer of one's own, and on Colab."""
    return ON_ONES_OWN + (RELEASED if ADDRESS.fullmatch(repository) else UPLOADED)


def setup(repository: str, version: str) -> str:
    """The set-up cell: on Colab it installs the release, or the uploaded wheel while there is
    none."""
    wheel = f"satlib-{version}-py3-none-any.whl"
    if ADDRESS.fullmatch(repository):
        return SETUP.format(wheel=f"{repository}/releases/download/v{version}/{wheel}")
    return SETUP.format(wheel="satlib-*.whl")


def written(content: str, stem: str, repository: str, version: str) -> str:
    """The content of a notebook file with its badge and set-up made anew; all else, outputs
    included, stays."""
    notebook = nbformat.reads(content, as_version=4)
    title = notebook.cells[0]
    lines = title.source.split("\n")
    marked = [i for i, line in enumerate(lines) if line.startswith(BADGE)]
    tagged = [cell for cell in notebook.cells if "setup" in course.tags(cell)]
    kinds = [cell.cell_type for cell in tagged]
    if len(marked) != 1 or kinds != ["markdown", "code"]:
        raise ValueError(
            f"{stem} needs one line {BADGE} under its title, "
            "then a text and a code cell with the tag 'setup'; add them"
        )
    lines[marked[0]] = badge(repository, version, stem)
    title.source = "\n".join(lines)
    words, code = tagged
    words.source = text(repository)
    code.source = setup(repository, version)
    return nbformat.writes(notebook) + "\n"


def write(project: Path | None = None) -> list[str]:
    """Write badge and set-up cell into every lesson beside pyproject.toml; the names of the files
    that changed."""
    project = project or runtime.PACKAGE.parent / "pyproject.toml"
    repository, version = settings(project)
    changed = {}
    for lesson in course.lessons(project.parent / "notebooks"):
        before = lesson.path.read_text(encoding="utf-8")
        after = written(before, lesson.stem, repository, version)
        if after != before:
            changed[lesson.path] = after
    # Only now, so that a lesson without its marker leaves all others as they are.
    for path, content in changed.items():
        storage.write_text(path, content)
    return [path.name for path in changed]
