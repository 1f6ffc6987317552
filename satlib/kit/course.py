"""The lessons as the tools see them: which there are, what they take, what they import, and when
one has changed.

No lesson imports this module. ``runner`` runs what it finds, ``tests/kit/test_course.py`` holds the
lessons to their laws. A module is named by its path below satlib, with dots: ``data.corpora``.
Which folder may import which is written once, as the import contract in pyproject.toml.
"""

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from satlib import runtime, storage

STEM = re.compile(r"(\d\d)_([a-z0-9_]+)")
CHECKING = "exercises.checking"  # what every lesson imports to check its exercises


@dataclass(frozen=True)
class Lesson:
    """One notebook. parameters: its tagged cell, name -> default; None where it has no such cell.
    needs: stems."""

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
    def name(self) -> str:
        """The stem without its number: the path of the module that the lesson teaches, with
        underscores."""
        return self.stem[3:]

    @property
    def title(self) -> str:
        """First heading, without number and hash: ``Fine-tune on a GPU``."""
        first = source(self.cells[0]).splitlines() if self.cells else []
        return first[0].lstrip("# 0123456789") if first else self.stem


def source(cell: dict) -> str:
    """Text of a cell."""
    return "".join(cell["source"])


def tags(cell: dict) -> list[str]:
    """Tags of a cell."""
    return cell.get("metadata", {}).get("tags", [])


def read(path: Path) -> Lesson:
    """Read one notebook file; ValueError where it is not a notebook or its parameters are not
    literals."""
    value = storage.read_json(path)
    if not isinstance(value, dict) or "cells" not in value:
        raise ValueError(f"{path} is not a notebook; restore it from the repository")
    about = value["metadata"].get("satlib", {})
    needs = tuple(map(str, about.get("needs", ())))
    tagged = [cell for cell in value["cells"] if "parameters" in tags(cell)]
    parameters = _literals(source(tagged[0]), path) if tagged else None
    return Lesson(path, value["cells"], needs, parameters)


def _literals(code: str, path: Path) -> dict[str, object]:
    found = {}
    try:
        for statement in ast.parse(code).body:
            found[statement.targets[0].id] = ast.literal_eval(statement.value)
    except (AttributeError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"{path}: the parameters cell may hold only lines `name = literal`; "
            "move everything else to a cell of its own"
        ) from error
    return found


def lessons(folder: str | Path | None = None) -> list[Lesson]:
    """All lessons in course order; ``needs`` resolved to stems."""
    folder = Path(folder or runtime.notebooks_folder())
    found = [read(path) for path in sorted(folder.glob("*.ipynb")) if STEM.fullmatch(path.stem)]
    if not found:
        raise FileNotFoundError(
            f"no lessons in {folder}; install satlib again or run it from the checkout"
        )
    return [replace(lesson, needs=_stems(lesson.needs, found)) for lesson in found]


def _stems(names: Sequence[str], among: list[Lesson]) -> tuple[str, ...]:
    if not names:  # of no name, select would take all
        return ()
    return tuple(lesson.stem for lesson in select(names, among))


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


def modules() -> list[str]:
    """Names of satlib's modules."""
    paths = (path for path in runtime.PACKAGE.rglob("*.py") if path.stem != "__init__")
    return sorted(
        ".".join(path.relative_to(runtime.PACKAGE).with_suffix("").parts) for path in paths
    )


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
    folders = {module.rpartition(".")[0] for module in modules()} - {""}
    for name in [*modules(), *sorted(folders)]:
        if name.replace(".", "_") == stem[3:]:
            return name
    return None


def imports(code: str) -> set[str]:
    """Names of the satlib modules that Python code imports, anywhere in it; none where it is not
    Python."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a lesson with a slip is reported by the kernel that runs it
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {_module_in(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {_module_in(f"{node.module}.{alias.name}") for alias in node.names}
    return found - {""}


def _module_in(dotted: str) -> str:
    """The satlib module that a dotted name leads to, as ``satlib.data.corpora.load`` leads to
    data.corpora; else ""."""
    package, *parts = dotted.split(".")
    while package == "satlib" and parts:
        if runtime.PACKAGE.joinpath(*parts).with_suffix(".py").is_file():
            return ".".join(parts)
        parts.pop()
    return ""


def code_of(lesson: Lesson) -> list[str]:
    """The code cells of a lesson as Python; IPython's own syntax is translated."""
    from IPython.core.inputtransformer2 import TransformerManager

    cells = [source(cell) for cell in lesson.cells if cell["cell_type"] == "code"]
    return [TransformerManager().transform_cell(text) for text in cells]


def uses(lesson: Lesson) -> set[str]:
    """The satlib modules that a lesson imports, the file of its own exercises, and all that these
    import."""
    left = set().union(*map(imports, code_of(lesson)))
    exercises = f"exercises.{lesson.name}"
    if CHECKING in left and path_of(exercises).is_file():
        left.add(exercises)
    found = set()
    while left:
        module = left.pop()
        if module not in found:
            found.add(module)
            left |= imports(path_of(module).read_text(encoding="utf-8"))
    return found


def fingerprint(lesson: Lesson) -> str:
    """Checksum of what a lesson does: sources and tags of its cells, and the modules it uses with
    the files beside them that bear their name."""
    cells = [[cell["cell_type"], source(cell), tags(cell)] for cell in lesson.cells]
    used = {}
    for module in sorted(uses(lesson)):
        path = path_of(module)
        for file in sorted(path.parent.glob(f"{path.stem}.*")):
            used[file.relative_to(runtime.PACKAGE).as_posix()] = storage.sha256(file)
    return storage.sha256_text(json.dumps([cells, lesson.needs, used]))


def arguments(lesson: Lesson, values: dict[str, str]) -> dict[str, object]:
    """What a lesson gets: ``values``, over the data set's YAML file, over its general one (both for
    profile full)."""
    found = {}
    if values["profile"] == "full":
        for name in (lesson.stem, f"{lesson.stem}.{values['dataset']}"):
            found |= _yaml(lesson, lesson.path.parent / "full" / f"{name}.yaml")
    for name in lesson.parameters.keys() & values.keys():
        found[name] = typed(name, values[name], lesson.parameters[name])
    return found


def _yaml(lesson: Lesson, path: Path) -> dict[str, object]:
    import yaml

    if not path.is_file():
        return {}
    found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    for name in found:
        runtime.one_of(f"parameter in {path.name}", name, sorted(lesson.parameters))
    return {name: typed(name, str(value), lesson.parameters[name]) for name, value in found.items()}


def typed(name: str, text: str, default: object) -> object:
    """``text`` as a value of the default's type; ValueError where it is not one."""
    import yaml

    if isinstance(default, str):
        return text
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
