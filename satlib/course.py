"""The lessons as the tools see them: which there are, what they take, what they import, and when one has changed.

No lesson imports this module. ``runner`` runs what it finds, ``tests/test_course.py`` holds the lessons to their laws.
"""

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from satlib import runtime

STEM = re.compile(r"(\d\d)_([a-z0-9_]+)")
GROUND = ("runtime", "records", "plots", "widgets")  # every module and every lesson may use these
TAUGHT_WITH = {  # modules without a lesson of their own -> the lesson that teaches them
    "files": "02", "readers": "02", "usda": "02", "tables": "02", "amazon": "02", "registry": "02", "lexicon": "03",
    "sessions": "03", "agreement": "04", "leaks": "05", "associations": "05", "linear": "13", "weights": "21",
    "views": "32", "steps": "32", "neural": "32", "encoders": "33", "heads": "33", "heads_ordinal": "33",
    "stores": "22", "layers": "33", "active": "34",
    "plans": "34", "checkpoints": "34", "colab": "35", "search": "36", "spread": "36", "study": "36", "archive": "41",
    "slices": "41", "variance": "41", "calibrators": "42", "selective": "42",
    "ablations": "61", "classifiers": "61", "faults": "61", "jobs": "61", "protocol_a": "61", "published": "61",
    "protocol_b": "62",
    "ratings": "64", "regressors": "64", "protocol_d": "64", "ensembles": "62",
    "protocol_c": "63", "aspects": "63", "export": "37",
}
# No module imports these.
TOOLS = ("exercises", "course", "kernels", "page", "inspection", "runner", "committed", "findings", "chinese", "readme",
         "badges", "packages", "doctor", "cli")


@dataclass(frozen=True)
class Lesson:
    """One notebook. parameters: its tagged cell, name -> default; None where it has no such cell. needs: stems."""

    path: Path
    cells: list[dict]
    needs: tuple[str, ...]
    parameters: dict[str, object] | None

    @property
    def stem(self) -> str:
        """File name without suffix, ``35_training_gpu``."""
        return self.path.stem

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
    """Read one notebook file; ValueError where it is not a notebook or its parameters are not literals."""
    value = runtime.read_json(path)
    if not isinstance(value, dict) or "cells" not in value:
        raise ValueError(f"{path} is not a notebook; restore it from the repository")
    tagged = [cell for cell in value["cells"] if "parameters" in tags(cell)]
    needs = tuple(map(str, value["metadata"].get("satlib", {}).get("needs", ())))
    return Lesson(path, value["cells"], needs, _literals(source(tagged[0]), path) if tagged else None)


def _literals(code: str, path: Path) -> dict[str, object]:
    found = {}
    try:
        for statement in ast.parse(code).body:
            found[statement.targets[0].id] = ast.literal_eval(statement.value)
    except (AttributeError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: the parameters cell may hold only lines `name = literal`; "
                         "move everything else to a cell of its own") from error
    return found


def lessons(folder: str | Path | None = None) -> list[Lesson]:
    """All lessons in course order; ``needs`` resolved to stems."""
    folder = Path(folder or runtime.notebooks_folder())
    found = [read(path) for path in sorted(folder.glob("*.ipynb")) if STEM.fullmatch(path.stem)]
    if not found:
        raise FileNotFoundError(f"no lessons in {folder}; install satlib again or run it from the checkout")
    return [replace(one, needs=tuple(x.stem for x in select(one.needs, found) if one.needs)) for one in found]


def select(names: Sequence[str], among: list[Lesson]) -> list[Lesson]:
    """The lessons that are named by number, stem, or a part of the stem, in course order; all for no name."""
    chosen = set()
    for name in names:
        hits = {x.stem for x in among if name == x.stem[:2]} or {x.stem for x in among if name and name in x.stem}
        if not hits:
            raise ValueError(f"unknown lesson {name!r}; choose among {', '.join(x.stem for x in among)}")
        chosen |= hits
    return [x for x in among if x.stem in chosen or not names]


def module_of(stem: str, modules: list[str]) -> str | None:
    """The module that a lesson teaches: the longest name that its stem starts with after the number."""
    rest = stem[3:]
    return max((m for m in modules if rest == m or rest.startswith(m + "_")), key=len, default=None)


def modules() -> list[str]:
    """Names of satlib's modules."""
    return sorted(path.stem for path in runtime.PACKAGE.glob("*.py") if path.stem != "__init__")


def imports(code: str) -> set[str]:
    """Names of the satlib modules that Python code imports, anywhere in it; none where it is not Python."""
    found = set()
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a lesson with a slip is reported by the kernel that runs it
        return found
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "satlib":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("satlib."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("satlib.")}
    return found


def code_of(lesson: Lesson) -> list[str]:
    """The code cells of a lesson as Python; IPython's own syntax is translated."""
    from IPython.core.inputtransformer2 import TransformerManager

    cells = [source(cell) for cell in lesson.cells if cell["cell_type"] == "code"]
    return [TransformerManager().transform_cell(text) for text in cells]


def uses(lesson: Lesson) -> set[str]:
    """The satlib modules that a lesson imports, and those that they import.

    What ``exercises`` imports does not count: it serves all lessons, and the answers of one need that one's modules.
    """
    found, left = set(), set().union(*map(imports, code_of(lesson)))
    while left:
        name = left.pop()
        path = runtime.PACKAGE / f"{name}.py"
        if name not in found and path.is_file():
            found.add(name)
            left |= imports(path.read_text(encoding="utf-8")) if name != "exercises" else set()
    return found


def fingerprint(lesson: Lesson) -> str:
    """Checksum of what a lesson does: sources and tags of its cells, and files of the modules it uses."""
    cells = [[cell["cell_type"], source(cell), tags(cell)] for cell in lesson.cells]
    files = (path for name in sorted(uses(lesson)) for path in sorted(runtime.PACKAGE.glob(f"{name}.*")))
    used = {path.name: runtime.sha256(path) for path in files}
    return runtime.sha256_text(json.dumps([cells, lesson.needs, used]))


def arguments(lesson: Lesson, values: dict[str, str]) -> dict[str, object]:
    """What a lesson gets: ``values``, over the data set's YAML file, over its general one (both for profile full)."""
    found = {}
    if values["profile"] == "full":
        for name in (lesson.stem, f"{lesson.stem}.{values['dataset']}"):
            found |= _yaml(lesson, lesson.path.parent / "full" / f"{name}.yaml")
    for name in lesson.parameters.keys() & values.keys():
        found[name] = typed(name, values[name], lesson.parameters[name])
    return found


def _yaml(lesson: Lesson, path: Path) -> dict[str, object]:
    import yaml

    found = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}
    for name in found:
        runtime.one_of(f"parameter in {path.name}", name, sorted(lesson.parameters))
    return {name: typed(name, str(value), lesson.parameters[name]) for name, value in found.items()}


def typed(name: str, text: str, default: object) -> object:
    """``text`` as a value of the default's type; ValueError where it is not one."""
    import yaml

    if isinstance(default, str):
        return text
    if isinstance(default, float) or isinstance(default, int) and not isinstance(default, bool):
        try:
            return type(default)(text)
        except ValueError as error:
            kind = "a whole number" if isinstance(default, int) else "a number"
            raise ValueError(f"parameter {name} must be {kind} like {default}, not {text!r}") from error
    value = yaml.safe_load(text)
    if default is not None and type(value) is not type(default):
        raise ValueError(f"parameter {name} must be like {default!r}, not {text!r}")
    return value
