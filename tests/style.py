"""Figures of style: how long the lines of modules and notebooks are, how dense, how commented.

    python tests/style.py [PATH ...]

`make style` prints them for the whole tree, beside those of projects that are pleasant to read.
They are to be looked at: no test fails on them, and there is no prize for a small number.
"""

import ast
import json
import sys
from dataclasses import dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONG = 100  # characters of a line, indent included
DEFAULT = ("satlib", "notebooks", "tests", "docs")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
COLUMNS = ("code lines", "mean chars", "above 100", "compreh.", "comments", "functions", "calls")
# What others have, measured in the same way on their files: mean characters a line,
# comprehensions per 100 code lines, comment lines of their own per 100 code lines.
ANCHORS = {
    "modules of skorch, minGPT, litgpt, d2l": ("30-36", "0.8-3.9", "6-26"),
    "notebooks of d2l, recommenders, rasbt, numpy": ("34-37", "0.8-3.9", "6-26"),
}


@dataclass
class Counts:
    """What was counted in some texts; a docstring is neither code nor comment."""

    code_lines: int = 0
    characters: int = 0  # of the code lines, without indent
    long_lines: int = 0
    comment_lines: int = 0
    comprehensions: int = 0
    functions: int = 0
    calls: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        names = [field.name for field in fields(self)]
        return Counts(*(getattr(self, name) + getattr(other, name) for name in names))

    def row(self) -> list[str]:
        """The figures as they are printed, in the order of COLUMNS."""
        per_line = 1 / max(self.code_lines, 1)
        return [
            f"{self.code_lines}",
            f"{self.characters * per_line:.1f}",
            f"{self.long_lines * per_line:.1%}",
            f"{100 * self.comprehensions * per_line:.1f}",
            f"{100 * self.comment_lines * per_line:.1f}",
            f"{self.functions}",
            f"{self.calls}",
        ]


def counts(text: str) -> Counts:
    """Count one text of Python."""
    tree = ast.parse(text)
    counted = Counts()
    docstring_lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, COMPREHENSIONS):
            counted.comprehensions += 1
        elif isinstance(node, ast.Call):
            counted.calls += 1
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            counted.functions += 1
        if isinstance(node, WITH_DOCSTRING) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            docstring_lines |= set(range(docstring.lineno, docstring.end_lineno + 1))

    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if not stripped or number in docstring_lines:
            continue
        if stripped.startswith("#"):
            counted.comment_lines += 1
            continue
        counted.code_lines += 1
        counted.characters += len(stripped)
        if len(line) > LONG:
            counted.long_lines += 1
    return counted


def texts(path: Path) -> list[str]:
    """The Python in a file: all of a module, the code cells of a notebook."""
    content = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return [content]
    cells = [cell for cell in json.loads(content)["cells"] if cell["cell_type"] == "code"]
    return [without_magics("".join(cell["source"])) for cell in cells]


def without_magics(code: str) -> str:
    """IPython's own lines are no Python: each becomes ``pass`` with the same indent."""
    lines = []
    for line in code.split("\n"):
        stripped = line.lstrip()
        if stripped.startswith(("%", "!")):
            line = line[: len(line) - len(stripped)] + "pass"
        lines.append(line)
    return "\n".join(lines)


def files(path: Path) -> list[Path]:
    """A file itself; of a folder its modules, and its notebooks."""
    if path.is_file():
        return [path]
    return sorted([*path.rglob("*.py"), *path.rglob("*.ipynb")])


def main(arguments: list[str]) -> None:
    """Print a row for every path; without paths for the parts of the tree, and the anchors."""
    whole_tree = not arguments
    paths = [ROOT / name for name in DEFAULT] if whole_tree else [Path(name) for name in arguments]
    names = ANCHORS if whole_tree else [str(path) for path in paths]
    width = max(len(name) for name in names)
    print(" " * width, *(f"{column:>10}" for column in COLUMNS))
    for path in paths:
        total = Counts()
        for file in files(path):
            for text in texts(file):
                total += counts(text)
        name = path.name if whole_tree else str(path)
        print(f"{name:{width}}", *(f"{figure:>10}" for figure in total.row()))
    if whole_tree:
        print("\nMeasured elsewhere; comprehensions and comments are per 100 code lines.")
        for name, (characters, comprehensions, comments) in ANCHORS.items():
            row = ("", characters, "", comprehensions, comments)
            print(f"{name:{width}}", *(f"{figure:>10}" for figure in row))


if __name__ == "__main__":
    main(sys.argv[1:])
