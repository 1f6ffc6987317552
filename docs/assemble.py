"""Lay out the sources of the site: the README as home, the executed lessons, a page for every
module, the glossary.

``python docs/assemble.py FOLDER`` writes them to FOLDER, from which Sphinx builds (`make site`).
"""

import ast
import functools
import json
import re
import sys
from pathlib import Path

from satlib import runtime, storage
from satlib.kit import course, import_contract
from satlib.kit.setup_cells import BADGE

ROOT = Path(__file__).resolve().parents[1]
OWN_FILES = ("glossary.md", "site.css", "site.js", "icon.svg")  # of docs/, taken as they are
# Sections of the README that have a page of their own.
RESULTS = ("What comes out", "What reproduced, what did not, what was wrong")
# Where a file of the repository lies in the site; the links of the README are rewritten so.
MOVED = {
    "README.md": "index.md",
    "data/headline.png": "headline.png",
    "data/satsim/README.md": "satsim.md",
    "docs/reproducibility.md": "reproducibility.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "README.zh-CN.md": "README.zh-CN.md",
}
GROUND = "The ground"  # the heading of the modules that lie in no folder and all may use
SENTENCE_END = re.compile(r"(?<=[.?])(?<!al\.)\s")  # the dot of "et al." ends none


def main(target: Path) -> None:
    """Write every source of the site to ``target``; what is there already and the same is left as
    it is."""
    sources = pages_of_the_readme()
    for path in sorted(runtime.notebooks_folder().glob("*.ipynb")):
        sources[f"lessons/{path.name}"] = lesson(storage.read_json(path)).encode()
    for name, text in reference().items():
        sources[f"api/{name}"] = text.encode()
    for name in OWN_FILES:
        sources[name] = (ROOT / "docs" / name).read_bytes()

    for name, content in sources.items():
        write_if_changed(target / name, content)
    # A page that has gone would stay in the site, as Sphinx builds all that it finds.
    for pattern in ("*.md", "*.rst", "*.ipynb"):
        for path in target.rglob(pattern):
            if path.relative_to(target).as_posix() not in sources:
                path.unlink()


def write_if_changed(path: Path, content: bytes) -> None:
    """Sphinx builds anew what has another time of change: leave a file that is the same."""
    if path.is_file() and path.read_bytes() == content:
        return
    with storage.replacing(path) as temporary:
        temporary.write_bytes(content)


# The README and what it links to


def pages_of_the_readme() -> dict[str, bytes]:
    """The README in two pages, and the files that it links to, by their names in the site."""
    pages = {}
    for here, there in MOVED.items():
        path = ROOT / here
        if path.is_file():
            pages[there] = with_links_of_the_site(path)
    home, results = parted(pages["index.md"].decode())
    has_chinese = "README.zh-CN.md" in pages
    pages["index.md"] = (home + navigation(has_chinese)).encode()
    pages["results.md"] = results.encode()
    return pages


def with_links_of_the_site(path: Path) -> bytes:
    """A file for the site: of a page the links to the repository's files are those to the
    site's."""
    if path.suffix != ".md":
        return path.read_bytes()
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\]\(notebooks/(\d\d_\w+\.ipynb)\)", r"](lessons/\1)", text)
    for module in described():
        text = text.replace(f"| `satlib.{module}` |", f"| [`satlib.{module}`](api/{module}.rst) |")
    for here, there in MOVED.items():
        text = text.replace(f"]({here})", f"]({there})")
    # A section of the README that has moved to another page of the site.
    return text.replace("](../README.md#what-comes-out)", "](results.md)").encode()


def parted(readme: str) -> tuple[str, str]:
    """The README as home page without its long tables, and the page of these."""
    start, *sections = re.split(r"^(?=## )", readme, flags=re.M)
    home = [start]
    home.append(
        "What fine-tuning gained, and what of the literature reproduced: [results](results.md).\n\n"
    )
    results = ["# Results\n\n"]
    for section in sections:
        heading = section.partition("\n")[0].removeprefix("## ")
        page = results if heading in RESULTS else home
        page.append(section)
    if len(results) - 1 != len(RESULTS):
        raise ValueError(
            f"README.md lacks a section of {RESULTS}; "
            "name them in docs/assemble.py as they are there"
        )
    return "".join(home), "".join(results)


def navigation(has_chinese: bool) -> str:
    """The tables of contents of the side bar, after the home page's text."""
    parts: dict[str, list[str]] = {name: [] for name in course.PARTS}
    for one in course.lessons():
        parts[one.part].append(f"lessons/{one.stem}")
    parts["Reference"] = [
        "results",
        "reproducibility",
        "glossary",
        "api/index",
        "satsim",
        "CONTRIBUTING",
    ]
    if has_chinese:
        parts["Reference"].append("README.zh-CN")
    tables = [contents(pages, name) for name, pages in parts.items() if pages]
    return "".join(tables)


def contents(pages: list[str], caption: str) -> str:
    """A hidden table of contents."""
    lines = ["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""]
    return "\n".join(lines)


# Lessons


def lesson(notebook: dict) -> str:
    """An executed notebook for myst-nb: the badge as a link, the set-up folded, and the alternative
    text of its figures where myst-nb looks for it."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = with_badge_in_words(course.source(cell))
        elif "setup" in course.tags(cell):
            # Its text says what it does; the code is for the machine.
            cell["metadata"]["tags"] = [*course.tags(cell), "hide-input"]
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                cell["metadata"]["mystnb"] = {"image": {"alt": alternative_text(output)}}
    return json.dumps(notebook, ensure_ascii=False, indent=1)


def with_badge_in_words(text: str) -> str:
    """The badge as a link in words: its picture would be asked of another server."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.startswith(BADGE):
            link = line.removeprefix(BADGE).strip()
            lines[number] = re.sub(r"!\[([^]]*)\]\([^)]*\)", r"\1", link)
    return "\n".join(lines)


def alternative_text(output: dict) -> str:
    """What a stored figure says of itself; the finding where it has no more."""
    finding = "".join(output["data"].get("text/plain", "")).removeprefix("Figure: ")
    return output["metadata"].get("image/png", {}).get("alt", finding)


# Modules


def described() -> list[str]:
    """The modules that have a page. An exercise file holds answers, which nobody should meet
    here."""
    modules = course.modules()
    return [name for name in modules if course.folder_of(name) != "exercises" or is_checking(name)]


def is_checking(module: str) -> bool:
    """Whether a module is the one that lessons check their exercises by."""
    return module == course.CHECKING


def reference() -> dict[str, str]:
    """File name -> text of the API pages, by folders in the order in which they are taught."""
    groups = grouped(described())
    index = [
        "# API reference",
        "",
        "Every module of `satlib`, by folders in the order in which the lessons teach them. "
        "A folder imports only from those above it.",
        "",
    ]
    pages = {}
    side_bar = []
    for heading, modules in groups.items():
        index += [f"## {heading}", "", "| module | what it does | lesson |", "|---|---|---|"]
        for module in modules:
            link = f"[`{module}`]({module}.rst)"
            lessons = place(module, "[{0:.2}](../lessons/{0}.ipynb)")
            index.append(f"| {link} | {summary(module)} | {lessons} |")
            pages[f"{module}.rst"] = page(module)
        index.append("")
        side_bar += modules
    index.append(contents(side_bar, "API"))
    return {"index.md": "\n".join(index)} | pages


def grouped(modules: list[str]) -> dict[str, list[str]]:
    """Heading -> modules: the ground, then folder by folder; within a folder the lessons' modules
    come first, in the order of the lessons."""

    def turn(module: str) -> tuple[str, str]:
        taught = lessons_of(module)
        return (taught[0] if taught else "untaught"), module  # a letter comes after all numbers

    ground = import_contract.ground()
    groups = {GROUND: ground}
    for layer in import_contract.layers():
        inside = [name for name in modules if name == layer or course.folder_of(name) == layer]
        if inside and layer not in ground:
            groups[f"satlib.{layer}"] = sorted(inside, key=turn)
    return groups


def page(module: str) -> str:
    """One module's page: where it is taught, then what its docstrings say."""
    title = f"satlib.{module}"
    lines = [
        title,
        "=" * len(title),
        "",
        f"Lesson: {place(module, ':doc:`/lessons/{0}`')}",
        "",
        f".. automodule:: {title}",
        "   :members:",
        "",
    ]
    return "\n".join(lines)


@functools.cache
def subjects() -> dict[str, str]:
    """Stem -> the module, or the folder of modules, that the lesson teaches, in course order."""
    return {one.stem: course.module_of(one.stem) or "" for one in course.lessons()}


@functools.cache
def imported_by_cells() -> dict[str, set[str]]:
    """Stem -> the modules that the lesson's own cells import."""
    imported = {}
    for one in course.lessons():
        code = "\n".join(course.code_of(one))
        imported[one.stem] = course.imports(code)
    return imported


def lessons_of(module: str) -> list[str]:
    """Stems of the lessons that teach a module, or the folder that it lies in."""
    taught = []
    for stem, subject in subjects().items():
        if module == subject or subject and module.startswith(f"{subject}."):
            taught.append(stem)
    return taught


def place(module: str, link: str) -> str:
    """Where a module stands in the course, in words; ``link`` is the form of a link to a page."""
    taught = lessons_of(module)
    if taught:
        return ", ".join(link.format(stem) for stem in taught)
    if course.folder_of(module) == "kit":
        return "none: a tool"
    if module in import_contract.ground():
        return "all"
    for stem, imported in imported_by_cells().items():
        if module in imported:
            return f"used in {link.format(stem)}"
    return "behind the others of its folder"


def summary(module: str) -> str:
    """The first sentence of a module's docstring, for a cell of a table."""
    tree = ast.parse(course.path_of(module).read_text(encoding="utf-8"))
    docstring = ast.get_docstring(tree) or ""
    first_paragraph = " ".join(docstring.split("\n\n")[0].split())
    first_sentence = SENTENCE_END.split(first_paragraph)[0]
    return first_sentence.rstrip(".").replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
