"""The skeleton of a lesson: notebook, module, twin test and exercise file, from one template.

``satlib lesson 71_practice_adapters`` writes what ``templates/lesson.txt`` holds, with a small
example that runs, in the form that all lessons have. Whoever writes the lesson replaces the example
piece by piece and can run the tests at any time. No lesson imports this module.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from satlib import storage
from satlib.kit import course, import_contract, pages, setup_cells, stored_notebooks

TEMPLATE = "lesson.txt"
PART = re.compile(r"^=== (.+)\n", re.M)  # what begins a cell or a file of the template
STEM = re.compile(r"(\d\d)_([a-z]+)_([a-z]+(?:_[a-z]+)*)")
NOT_TAUGHT = ("exercises", "kit")  # folders for which there are no lessons


@dataclass(frozen=True)
class Subject:
    """What a lesson's stem says: ``71_practice_adapters`` is lesson 71 on practice.adapters."""

    number: str
    folder: str
    module: str

    @property
    def name(self) -> str:
        """The stem without its number."""
        return f"{self.folder}_{self.module}"

    @property
    def stem(self) -> str:
        """The name of the notebook."""
        return f"{self.number}_{self.name}"


def subject_of(stem: str, project: Path) -> Subject:
    """Take a stem apart; ValueError for one that no lesson could have."""
    parts = STEM.fullmatch(stem)
    if not parts:
        raise ValueError(
            f"{stem!r} is no stem of a lesson; give two digits, a folder and a module in small "
            "letters, as in 71_practice_adapters"
        )
    subject = Subject(*parts.groups())
    taught = [name for name in import_contract.folders(project) if name not in NOT_TAUGHT]
    if subject.folder not in taught:
        raise ValueError(
            f"{stem} names the folder {subject.folder!r}, which the import contract of "
            f"{project.name} does not have for lessons; choose one of {', '.join(taught)}"
        )
    return subject


def write(stem: str, project: Path | None = None) -> list[Path]:
    """Write the skeleton beside pyproject.toml and return the paths of its files.

    Raises ValueError, before anything is written, for a bad stem, for a number that another lesson
    has, and where one of the files exists.
    """
    project = project or import_contract.PROJECT
    subject = subject_of(stem, project)
    lessons = course.lessons(project.parent / "notebooks")
    for lesson in lessons:
        if lesson.number == subject.number:
            raise ValueError(
                f"{lesson.stem} has the number {subject.number} already; choose a free one"
            )
    files = rendered(subject, following(subject, lessons), project)
    paths = {project.parent / name: text for name, text in files.items()}
    for path in paths:
        if path.exists():
            raise ValueError(f"{path} exists; remove it, or choose another name for the lesson")
    package = project.parent / "satlib" / subject.folder / "__init__.py"
    if not package.exists():  # the first lesson of its folder
        paths[package] = ""
    for path, text in paths.items():
        storage.write_text(path, text)
    return list(paths)


def following(subject: Subject, lessons: list[course.Lesson]) -> str:
    """The stem of the lesson that comes after this one; words where it is the last."""
    later = [lesson.stem for lesson in lessons if lesson.stem > subject.stem]
    return f"{later[0]}, and why it follows." if later else "this is the last lesson."


def rendered(subject: Subject, after: str, project: Path) -> dict[str, str]:
    """Path below the checkout -> content of all files of the skeleton."""
    template = pages.environment(autoescape=False).get_template(TEMPLATE)
    text = template.render(
        number=subject.number,
        folder=subject.folder,
        module=subject.module,
        name=subject.name,
        imports=own_imports(subject),
        next=after,
    )
    _, *pieces = PART.split(text)
    cells = []
    files = {}
    for heading, content in zip(pieces[::2], pieces[1::2], strict=True):
        kind, _, rest = heading.partition(" ")
        if kind == "file":
            files[rest] = content
        else:
            cells.append(cell(kind, content.rstrip("\n"), tag=rest))
    notebook = stored_notebooks.normalise(nbformat.v4.new_notebook(cells=cells))
    for number, one in enumerate(cells):
        one["id"] = f"{subject.number}-{number:02}"
    content = nbformat.writes(nbformat.from_dict(notebook)) + "\n"
    repository, version = setup_cells.settings(project)
    content = setup_cells.written(content, subject.stem, repository, version)
    return {f"notebooks/{subject.stem}.ipynb": content} | files


def cell(kind: str, text: str, tag: str) -> nbformat.NotebookNode:
    """A cell of the notebook, "markdown" or "code", with its tag where it has one."""
    make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
    metadata = {"tags": [tag]} if tag else {}
    return make(text, metadata=metadata)


def own_imports(subject: Subject) -> str:
    """The notebook's imports from satlib, in the order that ruff gives them."""
    of_folders = [
        f"from satlib.{subject.folder} import {subject.module}",
        "from satlib.exercises.checking import check, reveal",
    ]
    return "\n".join(["from satlib import plots", *sorted(of_folders)])
