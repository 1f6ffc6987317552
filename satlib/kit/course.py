"""The lessons as the tools see them: which there are, what they take, what they import, and when
one has changed.

No lesson imports this module. ``runner`` runs what it finds, ``tests/kit/test_course.py`` holds the
lessons to their laws. A module is named by its path below satlib, with dots: ``data.corpora``.
Which folder may import which is written once, as the import contract in pyproject.toml.
"""

import ast
import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from satlib import runtime, storage

STEM = re.compile(r"(\d\d)_([a-z0-9_]+)")
CHECKING = "exercises.checking"  # what every lesson imports to check its exercises
TRAINING = "training"  # the folder of what trains, and of what measures how fast that is
# The parts of the course, in order; the first digit of a lesson's number tells its part, but for
# the report, which is the last lesson and a part of its own.
PARTS = (
    "Data",
    "Mathematics",
    "Language models",
    "Measures and baselines",
    "Fine-tuning",
    "Evaluation",
    "Reproduction",
    "Better with less",
    "Trust",
    "In use",
    "Report",
)
REPORT = "99"
# The time that a lesson's title cell states: "about 20 seconds", "about a minute and a half".
STATED_TIME = re.compile(r"^\*\*Runs in\*\* (?:about|less than) ([\w ]+) on 2 CPU cores;", re.M)
SECONDS = {"second": 1, "minute": 60}


@dataclass(frozen=True)
class Lesson:
    """One notebook. parameters: its tagged cell, name -> default; None where it has no such cell.
    needs: stems of the lessons whose records it reads."""

    path: Path
    cells: list[dict]
    needs: tuple[str, ...]
    parameters: dict[str, object] | None

    @property
    def stem(self) -> str:
        """File name without suffix, ``43_training_finetune``."""
        return self.path.stem

    @property
    def number(self) -> str:
        """The two digits that the stem begins with."""
        return self.stem[:2]

    @property
    def part(self) -> str:
        """The part of the course that the lesson belongs to, one of PARTS."""
        if self.number == REPORT:
            return PARTS[-1]
        return PARTS[int(self.number[0])]

    @property
    def name(self) -> str:
        """The stem without its number: the path of the module that the lesson teaches, with
        underscores."""
        return self.stem[3:]

    @property
    def title(self) -> str:
        """First heading, without number and hash: ``Fine-tune on a GPU``; the stem where there is
        none."""
        text = source(self.cells[0]) if self.cells else ""
        first = text.partition("\n")[0]
        return first.lstrip("# 0123456789") or self.stem

    @property
    def stated_seconds(self) -> int:
        """The time that the title cell says the lesson takes on two cores; 0 where it says
        none."""
        text = source(self.cells[0]) if self.cells else ""
        stated = STATED_TIME.search(text)
        return seconds_of(stated.group(1)) if stated else 0


def seconds_of(words: str) -> int:
    """Seconds of a time in words, ``20 seconds``, ``a minute and a half``; 0 where it is none."""
    stated = re.fullmatch(r"(a|\d+) (second|minute)s?( and a half)?", words)
    if not stated:
        return 0
    amount, unit, half = stated.groups()
    number = 1 if amount == "a" else int(amount)
    if half:
        number += 0.5
    return round(number * SECONDS[unit])


def source(cell: dict) -> str:
    """Text of a cell."""
    return "".join(cell["source"])


def tags(cell: dict) -> list[str]:
    """Tags of a cell."""
    return cell.get("metadata", {}).get("tags", [])


# Which lessons there are


def read(path: Path) -> Lesson:
    """Read one notebook file; ValueError where it is not a notebook or its parameters are not
    literals."""
    notebook = storage.read_json(path)
    if not isinstance(notebook, dict) or "cells" not in notebook:
        raise ValueError(f"{path} is not a notebook; restore it from the repository")
    ours = notebook["metadata"].get("satlib", {})
    needs = tuple(str(name) for name in ours.get("needs", ()))
    parameters = None
    for cell in notebook["cells"]:
        if "parameters" in tags(cell):
            parameters = _literals(source(cell), path)
            break
    return Lesson(path, notebook["cells"], needs, parameters)


def _literals(code: str, path: Path) -> dict[str, object]:
    """Name -> value of the lines ``name = literal`` that a parameters cell consists of."""
    values = {}
    try:
        for statement in ast.parse(code).body:
            name = statement.targets[0].id
            values[name] = ast.literal_eval(statement.value)
    except (AttributeError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"{path}: the parameters cell may hold only lines `name = literal`; "
            "move everything else to a cell of its own"
        ) from error
    return values


def lessons(folder: str | Path | None = None) -> list[Lesson]:
    """All lessons in course order; ``needs`` resolved to stems."""
    folder = Path(folder or runtime.notebooks_folder())
    paths = sorted(folder.glob("*.ipynb"))
    everything = [read(path) for path in paths if STEM.fullmatch(path.stem)]
    if not everything:
        raise FileNotFoundError(
            f"no lessons in {folder}; install satlib again or run it from the checkout"
        )
    resolved = []
    for lesson in everything:
        # Asked for no name, select would take all lessons.
        needed = select(lesson.needs, everything) if lesson.needs else []
        stems = tuple(other.stem for other in needed)
        resolved.append(replace(lesson, needs=stems))
    return resolved


def select(names: Sequence[str], among: list[Lesson]) -> list[Lesson]:
    """The lessons that are named by number, stem, or a part of the stem, in course order; all for
    no name."""
    if not names:
        return list(among)
    chosen = set()
    for name in names:
        hits = {lesson.stem for lesson in among if name == lesson.number}
        if name and not hits:
            hits = {lesson.stem for lesson in among if name in lesson.stem}
        if not hits:
            legal = ", ".join(lesson.stem for lesson in among)
            raise ValueError(f"unknown lesson {name!r}; choose among {legal}")
        chosen |= hits
    return [lesson for lesson in among if lesson.stem in chosen]


def with_needs(chosen: Sequence[Lesson], among: Sequence[Lesson]) -> list[Lesson]:
    """The chosen lessons and those whose records they read, and so on, in course order."""
    by_stem = {lesson.stem: lesson for lesson in among}
    wanted = set()
    to_add = [lesson.stem for lesson in chosen]
    while to_add:
        stem = to_add.pop()
        if stem not in wanted:
            wanted.add(stem)
            to_add += by_stem[stem].needs
    return [lesson for lesson in among if lesson.stem in wanted]


# Modules, and what imports what


def modules() -> list[str]:
    """Names of satlib's modules."""
    names = []
    for path in runtime.PACKAGE.rglob("*.py"):
        if path.stem != "__init__":
            parts = path.relative_to(runtime.PACKAGE).with_suffix("").parts
            names.append(".".join(parts))
    return sorted(names)


def path_of(module: str) -> Path:
    """The file of a module; a folder of modules gives the folder."""
    path = runtime.PACKAGE.joinpath(*module.split("."))
    return path if path.is_dir() else path.with_suffix(".py")


def folder_of(module: str) -> str:
    """The folder of satlib that a module lies in, by which the import contract orders; "" for the
    ground."""
    first, _, rest = module.partition(".")
    return first if rest else ""


def module_of(stem: str) -> str | None:
    """The module, or the folder of modules, that a lesson teaches: its path is the stem without the
    number."""
    names = modules()
    folders = {name.rpartition(".")[0] for name in names}
    for name in [*names, *sorted(folders)]:
        if name.replace(".", "_") == stem[3:]:
            return name
    return None


def imports(code: str) -> set[str]:
    """Names of the satlib modules that Python code imports, anywhere in it; none where it is not
    Python."""
    return {_module_in(name) for name in _imported_names(code)} - {""}


@functools.cache  # all lessons use the same modules, and parsing takes longest
def _imported_names(code: str) -> frozenset[str]:
    """All names that Python code imports, with dots: ``satlib.data.corpora.load``."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a lesson with a slip is reported by the kernel that runs it
        return frozenset()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def _module_in(dotted: str) -> str:
    """The satlib module that a dotted name leads to, as ``satlib.data.corpora.load`` leads to
    data.corpora; else ""."""
    package, *parts = dotted.split(".")
    if package != "satlib":
        return ""
    while parts:
        if runtime.PACKAGE.joinpath(*parts).with_suffix(".py").is_file():
            return ".".join(parts)
        parts.pop()
    return ""


def code_of(lesson: Lesson) -> list[str]:
    """The code cells of a lesson as Python; IPython's own syntax is translated."""
    from IPython.core.inputtransformer2 import TransformerManager

    cells = [source(cell) for cell in lesson.cells if cell["cell_type"] == "code"]
    return [TransformerManager().transform_cell(text) for text in cells]


def direct_imports(lesson: Lesson) -> set[str]:
    """The satlib modules that the cells of a lesson import themselves."""
    imported = set()
    for code in code_of(lesson):
        imported |= imports(code)
    return imported


def trains(lesson: Lesson) -> bool:
    """Whether a lesson trains, or measures how fast that is: it imports from the folder training
    itself. Such a lesson runs alone, so that its times are those of an idle machine."""
    return any(folder_of(module) == TRAINING for module in direct_imports(lesson))


def uses(lesson: Lesson) -> set[str]:
    """The satlib modules that a lesson imports, the file of its own exercises, and all that these
    import."""
    waiting = direct_imports(lesson)
    exercises = f"exercises.{lesson.name}"
    # Imported by the number of the exercise, so no import statement shows it.
    if CHECKING in waiting and path_of(exercises).is_file():
        waiting.add(exercises)
    used = set()
    while waiting:
        module = waiting.pop()
        if module not in used:
            used.add(module)
            waiting |= imports(path_of(module).read_text(encoding="utf-8"))
    return used


def fingerprint(lesson: Lesson) -> str:
    """Checksum of what a lesson does: sources and tags of its cells, and the modules it uses with
    the files beside them that bear their name."""
    cells = [[cell["cell_type"], source(cell), tags(cell)] for cell in lesson.cells]
    files = {}
    for module in sorted(uses(lesson)):
        path = path_of(module)
        for file in sorted(path.parent.glob(f"{path.stem}.*")):
            name = file.relative_to(runtime.PACKAGE).as_posix()
            files[name] = storage.sha256(file)
    return storage.sha256_text(json.dumps([cells, lesson.needs, files]))


# What a lesson is given


def arguments(lesson: Lesson, values: dict[str, str]) -> dict[str, object]:
    """What a lesson gets: ``values``, over the data set's YAML file, over its general one (both for
    profile full)."""
    given = {}
    if values["profile"] == "full":
        folder = lesson.path.parent / "full"
        given |= _yaml(lesson, folder / f"{lesson.stem}.yaml")
        given |= _yaml(lesson, folder / f"{lesson.stem}.{values['dataset']}.yaml")
    for name in lesson.parameters.keys() & values.keys():
        given[name] = typed(name, values[name], lesson.parameters[name])
    return given


def _yaml(lesson: Lesson, path: Path) -> dict[str, object]:
    """The values in a YAML file, as the lesson's parameters need them; none where it is missing."""
    import yaml

    if not path.is_file():
        return {}
    stated = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    values = {}
    for name, value in stated.items():
        runtime.one_of(f"parameter in {path.name}", name, sorted(lesson.parameters))
        values[name] = typed(name, str(value), lesson.parameters[name])
    return values


def typed(name: str, text: str, default: object) -> object:
    """``text`` as a value of the default's type; ValueError where it is not one."""
    import yaml

    if isinstance(default, str):
        return text
    # bool is a kind of int, but "true" is no number.
    if isinstance(default, int | float) and not isinstance(default, bool):
        try:
            return type(default)(text)
        except ValueError as error:
            kind = "a whole number" if isinstance(default, int) else "a number"
            raise ValueError(
                f"parameter {name} must be {kind} like {default}, not {text!r}"
            ) from error
    value = yaml.safe_load(text)
    if default is not None and type(value) is not type(default):
        raise ValueError(f"parameter {name} must be like {default!r}, not {text!r}")
    return value
