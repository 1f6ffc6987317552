"""The course's laws: one stem, course order is import order, the form of a lesson, honest outputs,
small modules."""

import ast
import base64
import io
import re
import statistics

import nbformat
import pytest
from nbconvert import HTMLExporter
from PIL import Image

from satlib import runtime
from satlib.exercises import checking
from satlib.kit import course, stored_notebooks
from satlib.kit.course import GROUND, TAUGHT_WITH, TOOLS
from satlib.kit.setup_cells import BADGE

LESSONS = course.lessons()
MODULES = course.modules()
HEADINGS = ("## Exercises", "## Summary")
GOALS = ("**You will do**", "**You will learn**", "**You need**", "**Runs in**")
# A T4's time is measured or said not to be; what else is to be said follows as a sentence of its
# own.
RUNS_IN = re.compile(
    r"^\*\*Runs in\*\* (?:about|less than) [\w ]+ on 2 CPU cores; "
    r"(?:not measured|about [\w ]+ \(measured\)) on a T4\.(?: [A-Z].*)?$",
    re.M,
)
CLOSING = ("**Limits in practice", "**Sources", "**Next")
SHOWN = r"\b(?:plots\.show|widgets\.explore)\("  # the second gives readers of the stored notebook the same figure
# Modules that may have more than 200 lines.
LONGER = {"interactions": 260, "metrics": 230, "registry": 240, "exercises": 2000}
EXPORTER = HTMLExporter(template_name="basic")
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.stem for lesson in LESSONS])
each_module = pytest.mark.parametrize("module", MODULES)


def path_of(module):
    return runtime.PACKAGE / f"{module}.py"


def tree_of(module):
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


def number(lesson) -> int:
    return int(lesson.stem[:2])


def markdown(lesson) -> str:
    return "\n".join(
        course.source(cell) for cell in lesson.cells if cell["cell_type"] == "markdown"
    )


def code_cells(lesson) -> list[dict]:
    return [cell for cell in lesson.cells if cell["cell_type"] == "code"]


def drawn_by(lesson) -> list[dict]:
    """The stored outputs that are figures."""
    outputs = (output for cell in code_cells(lesson) for output in cell["outputs"])
    return [output for output in outputs if "image/png" in output.get("data", {})]


def rank(module) -> int:
    """Number of the lesson that teaches a module first; 0 for the ground floor, 100 for the
    tools."""
    if module in GROUND:
        return 0
    if module in TOOLS:
        return 100
    taught = [
        number(lesson) for lesson in LESSONS if course.module_of(lesson.stem, MODULES) == module
    ]
    return min(taught, default=int(TAUGHT_WITH.get(module, -1)))


# One stem


@each_lesson
def test_a_lesson_teaches_a_module_of_its_stem_that_has_a_twin_test(lesson, root):
    module = course.module_of(lesson.stem, MODULES)
    assert module, f"no module is named like {lesson.stem}"
    assert (root / "tests" / f"test_{module}.py").is_file()


@each_lesson
def test_the_number_stands_in_the_file_name_and_the_title(lesson):
    first = course.source(lesson.cells[0]).splitlines()[0]
    assert re.fullmatch(rf"# {lesson.stem[:2]} [A-Z][a-z]+\b.*[^.]", first), f"title is {first!r}"


def test_no_number_stands_in_the_name_of_a_module_or_a_test(root):
    names = MODULES + [path.stem for path in (root / "tests").glob("*.py")]
    assert not [name for name in names if re.search(r"\d", name)]


@each_module
def test_a_module_is_taught_or_ground_floor_or_a_tool(module):
    assert rank(module) >= 0, f"no lesson teaches {module}: name it in course.TAUGHT_WITH"
    assert (module in GROUND) + (module in TOOLS) + (module in TAUGHT_WITH) + bool(
        any(course.module_of(lesson.stem, MODULES) == module for lesson in LESSONS)
    ) == 1


@each_module
def test_a_module_is_tested(module, root):
    tests = (path.read_text(encoding="utf-8") for path in (root / "tests").glob("test_*.py"))
    assert module in set().union(*map(course.imports, tests))


# Course order is import order


@each_module
def test_a_module_imports_only_what_is_taught_earlier(module):
    for name in course.imports(path_of(module).read_text(encoding="utf-8")):
        assert name in MODULES, f"{module} imports {name}, which does not exist"
        assert rank(name) <= rank(module), (
            f"{module} (lesson {rank(module)}) imports {name} (lesson {rank(name)})"
        )


def test_modules_do_not_import_each_other_in_a_circle():
    at_import = {name: imports_at_top(name) & set(MODULES) for name in MODULES}
    done: set[str] = set()
    while ready := {name for name in at_import if name not in done and at_import[name] <= done}:
        done |= ready
    assert done == set(MODULES), f"in a circle: {sorted(set(MODULES) - done)}"


def imports_at_top(module) -> set[str]:
    top = [node for node in tree_of(module).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return course.imports("\n".join(map(ast.unparse, top)))


@each_lesson
def test_a_lesson_imports_only_what_is_taught_up_to_itself(lesson):
    for name in set().union(*map(course.imports, course.code_of(lesson))) - {"exercises"}:
        assert name in MODULES and rank(name) <= number(lesson), f"{lesson.stem} imports {name}"


@each_lesson
def test_a_lesson_needs_only_earlier_ones(lesson):
    assert all(name < lesson.stem for name in lesson.needs)


# The form of a lesson


@each_lesson
def test_cells_are_few_and_short(lesson):
    lengths = [len(course.source(cell).strip().splitlines()) for cell in code_cells(lesson)]
    free = [
        "parameters" in course.tags(cell) for cell in code_cells(lesson)
    ]  # a parameters cell has a line each
    longest = max(n for n, without_limit in zip(lengths, free, strict=True) if not without_limit)
    assert 20 <= len(lesson.cells) <= 50
    assert longest <= 20 and statistics.median(lengths) <= 8


@each_lesson
def test_the_cells_that_every_lesson_has(lesson):
    setup, parameters = code_cells(lesson)[:2]
    assert course.tags(setup) == ["setup"]
    assert course.source(setup) == course.source(code_cells(LESSONS[0])[0]), (
        "the set-up cell is the same everywhere"
    )
    assert course.tags(parameters) == ["parameters"]
    title = course.source(lesson.cells[0])
    assert BADGE in title
    assert len(RUNS_IN.findall(title)) == 1, (
        "say '**Runs in** about N seconds on 2 CPU cores; not measured on a T4.'"
    )
    assert [words for words in GOALS if words not in title] == []
    assert [words for words in (*HEADINGS, *CLOSING) if words not in markdown(lesson)] == []


@each_lesson
def test_parameters_are_literals_with_a_comment_each(lesson):
    (cell,) = [cell for cell in code_cells(lesson) if "parameters" in course.tags(cell)]
    for line in course.source(cell).splitlines():
        assert re.fullmatch(r"\w+ = \S.*  # \S.*", line), line


@each_lesson
def test_a_lesson_has_sections_that_predict_and_cells_that_assert(lesson):
    text = markdown(lesson)
    assert 3 <= len(re.findall(r"^## ", text, re.M)) - len(HEADINGS) <= 6
    assert len(re.findall(r"\*\*Predict", text)) >= 2
    trees = map(ast.parse, course.code_of(lesson))
    assert sum(any(isinstance(node, ast.Assert) for node in ast.walk(tree)) for tree in trees) >= 3


@each_lesson
def test_figures_are_shown_with_their_finding(lesson):
    drawn = [
        cell
        for cell in code_cells(lesson)
        if any("image/png" in x.get("data", {}) for x in cell["outputs"])
    ]
    assert len(drawn) >= 2
    for cell in drawn:
        assert re.search(SHOWN, course.source(cell))
    names = re.findall(
        SHOWN + r"[^,]+, \"([^\"]+)\"", "\n".join(map(course.source, code_cells(lesson)))
    )
    assert len(names) == len(set(names)) and all(
        re.fullmatch(r"[a-z0-9-]+", name) for name in names
    )


@each_lesson
def test_exercises_are_checked_and_can_be_revealed(lesson):
    code = "\n".join(course.code_of(lesson))
    asked = re.findall(r"^check\(\"([\d.]+)\"", code, re.M)
    assert len(asked) >= 2 and all(name.split(".")[0] == lesson.stem[:2] for name in asked)
    assert re.findall(r"^# reveal\(\"([\d.]+)\"\)", code, re.M) == asked
    assert [name for name in asked if name not in checking.names()] == []


@each_lesson
def test_a_lesson_names_the_next_one(lesson):
    after = [other.stem for other in LESSONS if other.stem > lesson.stem]
    named = re.search(r"\*\*Next.*", markdown(lesson), re.S).group()
    assert not after or re.search(rf"\b{after[0][:2]}(_|\b)", named), (
        f"the next lesson is {after[0]}"
    )


def test_every_exercise_is_asked():
    code = "\n".join(text for lesson in LESSONS for text in course.code_of(lesson))
    assert [name for name in checking.names() if f'check("{name}"' not in code] == []


def test_lessons_that_prose_names_exist(root):
    stems = {lesson.stem for lesson in LESSONS}
    pages = {lesson.stem: markdown(lesson) for lesson in LESSONS} | {
        "README": (root / "README.md").read_text()
    }
    for page, text in pages.items():
        named = set(re.findall(r"(?<![\w/.-])(\d\d_[a-z][a-z0-9_]+)\b", text))
        assert named <= stems, f"{page} names {sorted(named - stems)}"


def test_the_parameters_of_the_full_profile_are_legal():
    from satlib.data.registry import REGISTRY

    for path in (runtime.notebooks_folder() / "full").iterdir():
        stem, _, dataset = path.name.removesuffix(".yaml").partition(".")
        (lesson,) = [lesson for lesson in LESSONS if lesson.stem == stem]
        assert not dataset or dataset in REGISTRY
        assert course.arguments(lesson, {"profile": "full", "dataset": dataset or "satsim"})


# Outputs are kept, and kept honest


@each_lesson
def test_stored_outputs_are_honest(lesson):
    stored = nbformat.read(lesson.path, as_version=4)
    assert stored_notebooks.faults(stored) == []


@each_lesson
def test_a_figure_has_its_finding_and_what_is_plotted_as_alternative_text(lesson):
    for output in drawn_by(lesson):
        finding = "".join(output["data"]["text/plain"]).removeprefix("Figure: ")
        alt = output["metadata"].get("image/png", {}).get("alt", "")
        assert alt.startswith(finding) and len(alt) >= len(finding) + 15, f"{finding!r} has {alt!r}"


@each_lesson
def test_a_stored_notebook_as_a_page_shows_each_figure(lesson):
    page, _ = EXPORTER.from_filename(lesson.path)
    pictures = [
        base64.b64decode(text)
        for text in re.findall(r'<img[^>]*src="data:image/png;base64,([^"]+)"', page)
    ]
    assert len(pictures) == len(drawn_by(lesson))
    for picture in pictures:
        with Image.open(io.BytesIO(picture)) as opened:
            low, high = opened.convert("L").getextrema()
            assert min(opened.size) >= 150 and high - low > 128, "a figure is tiny or pale"


@each_lesson
def test_text_in_figures_can_be_read_on_white(lesson):
    pale = r"(?:text|annotate)\(.*\b(?:color|c)=[\"'](?:grey|gray|silver|lightgrey|darkgrey)[\"']"
    assert re.findall(pale, "\n".join(course.code_of(lesson))) == [], (
        "dimgrey has the contrast that text needs"
    )


@each_lesson
def test_a_stored_notebook_is_as_the_rewriting_command_leaves_it(lesson):
    stored = nbformat.read(lesson.path, as_version=4)
    nbformat.validate(stored)
    again = stored_notebooks.normalise(nbformat.read(lesson.path, as_version=4), badge_of(stored))
    assert nbformat.writes(nbformat.from_dict(again)) + "\n" == lesson.path.read_text(
        encoding="utf-8"
    ), "run `make notebooks`, which writes the stored notebooks"


def badge_of(notebook) -> str:
    return next(line for line in notebook.cells[0].source.split("\n") if line.startswith(BADGE))


# Modules


@each_module
def test_a_module_is_small(module):
    text = path_of(module).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGER.get(module, 200)
    functions = [node for node in ast.walk(tree_of(module)) if isinstance(node, ast.FunctionDef)]
    assert [
        (f.name, f.end_lineno - f.lineno + 1) for f in functions if f.end_lineno - f.lineno >= 30
    ] == []


@each_module
def test_what_is_public_has_a_docstring(module):
    tree = tree_of(module)
    assert ast.get_docstring(tree)
    if module != "exercises":  # its answers and checkers are described by their lessons
        named = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        assert [
            x.name for x in named if not x.name.startswith("_") and not ast.get_docstring(x)
        ] == []


# The README's table is the tree


def test_the_table_of_lessons_is_the_tree(root):
    readme = (root / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d\d)\]\((notebooks/\S+?)\) \| (.+?) \|", readme, re.M)
    assert rows == [
        (lesson.stem[:2], f"notebooks/{lesson.path.name}", lesson.title) for lesson in LESSONS
    ]
