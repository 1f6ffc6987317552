"""Lay out the sources of the site: the README as home, the executed lessons, a page for every
module, the glossary.

``python docs/assemble.py FOLDER`` writes them to FOLDER, from which Sphinx builds (`make site`).
"""

import ast
import json
import re
import sys
from pathlib import Path

from satlib import runtime, storage
from satlib.kit import course
from satlib.kit.setup_cells import BADGE

ROOT = Path(__file__).resolve().parents[1]
PARTS = {
    "0": "Data",
    "1": "Mathematics",
    "2": "Encoding",
    "3": "Models",
    "4": "Evaluation",
    "5": "Practice",
    "6": "Reproduction",
    "9": "Report",
}
# Sections of the README that have a page of their own.
RESULTS = ("What comes out", "What reproduced, what did not, what was wrong")
# Where a file of the repository lies in the site; the links of the README are rewritten so.
MOVED = {
    "README.md": "index.md",
    "data/headline.png": "headline.png",
    "data/satsim/README.md": "satsim.md",
    "README.zh-CN.md": "README.zh-CN.md",
}


def main(target: Path) -> None:
    """Write every source of the site to ``target``; what is there already and the same is left as
    it is."""
    made = {there: moved(ROOT / here) for here, there in MOVED.items() if (ROOT / here).is_file()}
    made["index.md"], made["results.md"] = parted(made["index.md"].decode())
    made["index.md"] += navigation("README.zh-CN.md" in made).encode()
    for path in sorted(runtime.notebooks_folder().glob("*.ipynb")):
        made[f"lessons/{path.name}"] = lesson(storage.read_json(path)).encode()
    made |= {f"api/{name}": text.encode() for name, text in reference().items()}
    made |= {
        name: (ROOT / "docs" / name).read_bytes()
        for name in ("glossary.md", "site.css", "site.js", "icon.svg")
    }
    for name, data in made.items():
        if not (target / name).is_file() or (target / name).read_bytes() != data:
            with storage.replacing(target / name) as temporary:
                temporary.write_bytes(data)
    for path in (path for kind in ("*.md", "*.rst", "*.ipynb") for path in target.rglob(kind)):
        if path.relative_to(target).as_posix() not in made:
            path.unlink()


def moved(path: Path) -> bytes:
    """A file for the site: of a page the links to the repository's files are those to the
    site's."""
    if path.suffix != ".md":
        return path.read_bytes()
    text = re.sub(
        r"\]\(notebooks/(\d\d_\w+\.ipynb)\)", r"](lessons/\1)", path.read_text(encoding="utf-8")
    )
    for module in course.modules():
        text = text.replace(f"| `satlib.{module}` |", f"| [`satlib.{module}`](api/{module}.rst) |")
    for here, there in MOVED.items():
        text = text.replace(f"]({here})", f"]({there})")
    return text.encode()


def parted(readme: str) -> tuple[bytes, bytes]:
    """The README as home page without its long tables, and the page of these."""
    start, *sections = re.split(r"^(?=## )", readme, flags=re.M)
    found = [text for text in sections if text.split("\n")[0][3:] in RESULTS]
    if len(found) != len(RESULTS):
        raise ValueError(
            f"README.md lacks a section of {RESULTS}; name them in docs/assemble.py as they are there"
        )
    rest = [text for text in sections if text not in found]
    link = (
        "What fine-tuning gained, and what of the literature reproduced: [results](results.md).\n\n"
    )
    return "".join([start, link, *rest]).encode(), "".join(["# Results\n\n", *found]).encode()


def navigation(chinese: bool) -> str:
    """The tables of contents of the side bar, after the home page's text."""
    stems = [one.stem for one in course.lessons()]
    parts = {
        name: [f"lessons/{stem}" for stem in stems if stem[0] == digit]
        for digit, name in PARTS.items()
    }
    parts["Reference"] = ["results", "glossary", "api/index", "satsim", *["README.zh-CN"] * chinese]
    return "".join(contents(pages, name) for name, pages in parts.items() if pages)


def contents(pages: list[str], caption: str) -> str:
    """A hidden table of contents."""
    return "\n".join(
        ["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""]
    )


def lesson(notebook: dict) -> str:
    """An executed notebook, the alternative text of its figures where myst-nb looks for it, its
    badge as a link."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            lines = course.source(cell).split("\n")
            cell["source"] = "\n".join(
                badge(line) if line.startswith(BADGE) else line for line in lines
            )
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                finding = "".join(output["data"].get("text/plain", "")).removeprefix("Figure: ")
                alt = output["metadata"].get("image/png", {}).get("alt", finding)
                cell["metadata"]["mystnb"] = {"image": {"alt": alt}}
    return json.dumps(notebook, ensure_ascii=False, indent=1)


def badge(line: str) -> str:
    """The badge as a link in words: its picture would be asked of another server."""
    return re.sub(r"!\[([^]]*)\]\([^)]*\)", r"\1", line.removeprefix(BADGE).strip())


def reference() -> dict[str, str]:
    """File name -> text of the API pages, the modules in the order in which they are taught."""
    taught = {module: lessons_of(module) for module in course.modules()}
    order = sorted(taught, key=lambda module: (module in course.TOOLS, taught[module][:1], module))
    places = {
        module: place(module, stems, "[{0:.2}](../lessons/{0}.ipynb)")
        for module, stems in taught.items()
    }
    rows = [
        f"| [`{module}`]({module}.rst) | {summary(module)} | {places[module]} |" for module in order
    ]
    index = [
        "# API reference",
        "",
        "Every module of `satlib`, in the order in which the lessons teach them.",
        "",
        "| module | what it does | lesson |",
        "|---|---|---|",
        *rows,
        contents(order, "API"),
    ]
    pages = {f"{module}.rst": page(module, taught[module]) for module in order}
    return {"index.md": "\n".join(index)} | pages


def page(module: str, stems: list[str]) -> str:
    """One module's page: where it is taught, then what its docstrings say."""
    title = f"satlib.{module}"
    return "\n".join(
        [
            title,
            "=" * len(title),
            "",
            f"Lesson: {place(module, stems, ':doc:`/lessons/{0}`')}",
            "",
            f".. automodule:: {title}",
            "   :members:",
            "",
        ]
    )


def lessons_of(module: str) -> list[str]:
    """Stems of the lessons that teach a module; none for the ground floor and the tools."""
    stems = [one.stem for one in course.lessons()]
    named = [stem for stem in stems if course.module_of(stem, course.modules()) == module]
    return named or [stem for stem in stems if stem[:2] == course.TAUGHT_WITH.get(module)]


def place(module: str, stems: list[str], link: str) -> str:
    """Where a module stands in the course, in words; ``link`` is the form of a link to a page."""
    if stems:
        return ", ".join(map(link.format, stems))
    return "all" if module in course.GROUND else "none: a tool"


def summary(module: str) -> str:
    """The first sentence of a module's docstring, for a cell of a table."""
    text = (
        ast.get_docstring(ast.parse((runtime.PACKAGE / f"{module}.py").read_text(encoding="utf-8")))
        or ""
    )
    first = re.split(r"(?<=[.?])\s", " ".join(text.split("\n\n")[0].split()))[0]
    return first.rstrip(".").replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
