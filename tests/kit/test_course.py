"""The course's laws: one stem, course order is import order, the form of a lesson, honest outputs,
bounds of size."""

import ast
import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from PIL import Image

from satlib import runtime
from satlib.exercises import checking
from satlib.kit import course, results, stored_notebooks
from satlib.kit.setup_cells import BADGE

LESSONS = course.lessons()
MODULES = course.modules()
TAUGHT = {lesson.stem: course.module_of(lesson.stem) for lesson in LESSONS}
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
# The second gives readers of the stored notebook the same figure.
SHOWN = r"\b(?:plots\.show|widgets\.explore)\("
# What may be long where it reads well: upper bounds, and no prize for staying below.
MODULE_LINES = 400
FUNCTION_LINES = 40
CELL_LINES = 30
CELLS = 60
EXPORTER = HTMLExporter(template_name="basic")
# Translated and parsed once, as many tests ask for them.
CODE = {lesson.stem: course.code_of(lesson) for lesson in LESSONS}
IMPORTS = {lesson.stem: course.direct_imports(lesson) for lesson in LESSONS}
SOURCES = {module: course.path_of(module).read_text(encoding="utf-8") for module in MODULES}
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.stem for lesson in LESSONS])
each_module = pytest.mark.parametrize("module", MODULES)


def markdown(lesson) -> str:
    texts = [course.source(cell) for cell in lesson.cells if cell["cell_type"] == "markdown"]
    return "\n".join(texts)


def code_cells(lesson) -> list[dict]:
    return [cell for cell in lesson.cells if cell["cell_type"] == "code"]


def drawn_by(lesson) -> list[dict]:
    """The stored outputs that are figures."""
    figures = []
    for cell in code_cells(lesson):
        for output in cell["outputs"]:
            if "image/png" in output.get("data", {}):
                figures.append(output)
    return figures


def lessons_by_module() -> dict[str, str]:
    """Module -> stem of the lesson that teaches it; of a folder that is taught each module."""
    found = {}
    for stem, taught in TAUGHT.items():
        for module in MODULES:
            if module == taught or module.startswith(f"{taught}."):
                found[module] = stem
    return found


def test_with_needs_are_those_whose_records_are_read():
    """Lesson 51 reads the records of others, and these may read those of others again."""
    by_number = {lesson.number: lesson for lesson in LESSONS}
    chosen = course.with_needs([by_number["51"]], LESSONS)
    numbers = [lesson.number for lesson in chosen]
    assert numbers == sorted(numbers) and "51" in numbers
    for lesson in chosen:
        assert set(lesson.needs) <= {other.stem for other in chosen}
    reached = {"51"}
    for _ in LESSONS:
        for number in list(reached):
            reached |= {stem[:2] for stem in by_number[number].needs}
    assert set(numbers) == reached


# One stem


@each_lesson
def test_a_lesson_teaches_the_module_of_its_stem_which_has_a_twin_test(lesson, root):
    module = TAUGHT[lesson.stem]
    assert module, f"no module is named like {lesson.stem}"
    assert twin_of(module, root).exists(), f"{lesson.stem} has no {twin_of(module, root)}"


def twin_of(module, root) -> Path:
    """Where the tests of a module lie; a folder of modules has a folder of tests."""
    folder = root.joinpath("tests", *module.split("."))
    if course.path_of(module).is_dir():
        return folder
    return folder.with_name(f"test_{folder.name}.py")


@each_lesson
def test_the_number_stands_in_the_file_name_and_the_title(lesson):
    first = course.source(lesson.cells[0]).splitlines()[0]
    assert re.fullmatch(rf"# {lesson.number} [A-Z][a-z]+\b.*[^.]", first), f"title is {first!r}"


def test_no_number_stands_in_the_name_of_a_module_or_a_test(root):
    tests = [path.relative_to(root).as_posix() for path in (root / "tests").rglob("*.py")]
    assert not [name for name in [*MODULES, *tests] if re.search(r"\d", name)]


def test_a_file_of_exercises_belongs_to_a_lesson():
    names = {f"exercises.{lesson.name}" for lesson in LESSONS}
    files = {module for module in MODULES if course.folder_of(module) == "exercises"}
    assert files - {course.CHECKING} == names


@pytest.fixture(scope="module")
def tested(root) -> set[str]:
    """The modules that a test imports."""
    imported = set()
    for path in (root / "tests").rglob("test_*.py"):
        imported |= course.imports(path.read_text(encoding="utf-8"))
    return imported


@each_module
def test_a_module_is_tested(module, tested):
    if course.folder_of(module) == "exercises":
        return  # tests/exercises/test_checking.py asks all of them by number
    assert module in tested


# Course order is import order


def test_the_import_contract_is_kept(root):
    """Which folder may import which is written once, in pyproject.toml; no folder is left out."""
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_lesson_imports_the_ground_and_the_folders_taught_up_to_itself(root):
    taught_folders: set[str] = set()
    for lesson in LESSONS:
        taught_folders.add(course.folder_of(TAUGHT[lesson.stem]))
        for module in IMPORTS[lesson.stem]:
            folder = course.folder_of(module)
            allowed = not folder or folder in taught_folders or folder == "exercises"
            assert allowed, f"{lesson.stem} imports {module}, of a folder taught later"
            assert folder or module != "report" or lesson.stem == LESSONS[-1].stem


def test_modules_with_a_lesson_import_those_of_earlier_lessons_in_their_folder():
    """Only direct imports count: by a helper without a lesson a module may reach a later one."""
    taught_by = lessons_by_module()
    for module, stem in taught_by.items():
        for imported in course.imports(SOURCES[module]):
            same_folder = course.folder_of(imported) == course.folder_of(module)
            if same_folder and imported in taught_by:
                assert taught_by[imported] <= stem, f"{module} imports {imported}"


def test_what_marks_a_folder_as_a_package_is_empty():
    marks = [
        path for path in runtime.PACKAGE.rglob("__init__.py") if path.parent != runtime.PACKAGE
    ]
    assert len(marks) >= 10 and not [path for path in marks if path.read_text().strip()]


def test_nothing_imports_the_kit():
    for module in MODULES:
        if course.folder_of(module) != "kit":
            imported = course.imports(SOURCES[module])
            assert not [name for name in imported if course.folder_of(name) == "kit"], module
    for lesson in LESSONS:
        folders = {course.folder_of(module) for module in IMPORTS[lesson.stem]}
        assert "kit" not in folders, lesson.stem


def private_names(code: str) -> list[str]:
    """Private names of satlib's modules that code uses: imported, or asked of a module."""
    tree = ast.parse(code)
    ours = set()
    private = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "satlib":
            for alias in node.names:
                ours.add(alias.asname or alias.name)
                if alias.name.startswith("_"):
                    private.append(f"{node.module}.{alias.name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            is_private = node.attr.startswith("_") and not node.attr.startswith("__")
            if is_private and node.value.id in ours:
                private.append(f"{node.value.id}.{node.attr}")
    return private


@each_module
def test_no_module_uses_a_private_name_of_another(module):
    assert private_names(SOURCES[module]) == []


@each_lesson
def test_no_lesson_uses_a_private_name(lesson):
    assert private_names("\n".join(CODE[lesson.stem])) == []


def test_a_private_name_is_seen():
    assert private_names("from satlib.data.corpora import _x") == ["satlib.data.corpora._x"]
    assert private_names("from satlib.data import corpora as c\nc._x(c.__name__)") == ["c._x"]


@each_lesson
def test_a_lesson_needs_only_earlier_ones(lesson):
    assert all(name < lesson.stem for name in lesson.needs)


def test_a_lesson_that_looks_for_records_of_others_says_whose():
    """Side by side, a lesson that did not say so could run before they are there."""
    for lesson in LESSONS:
        code = "\n".join(CODE[lesson.stem])
        assert lesson.needs or "comparable_records.find(" not in code, lesson.stem


def test_the_lessons_that_run_alone_are_those_that_train_or_measure_speed():
    alone = [lesson for lesson in LESSONS if course.trains(lesson)]
    assert {TAUGHT[lesson.stem] for lesson in alone} >= {
        "training.loop",
        "training.finetune",
        "training.hyperparameters",
        "training.speed",
    }
    for lesson in LESSONS:
        code = "\n".join(CODE[lesson.stem])
        if re.search(r"\b(loop\.train|finetune\.\w+|hyperparameters\.fit|speed\.race)\(", code):
            assert lesson in alone, lesson.stem
        if lesson.number < "42":
            assert lesson not in alone, f"{lesson.stem} lies before the first training"


@each_module
def test_what_a_module_reads_of_the_embedded_data_is_seen(module):
    """A changed record or data set must run its lessons again, so each reader is found by its
    code."""
    if course.folder_of(module) != "kit" and module != "runtime":
        readers = SOURCES[module].count("data_folder()")
        named = len(results.READS.findall(SOURCES[module]))
        assert readers == named or module in results.EMBEDDED


@each_lesson
def test_the_stated_time_is_understood(lesson):
    assert 5 <= lesson.stated_seconds <= 120


# The form of a lesson


@each_lesson
def test_cells_are_few_and_short(lesson):
    assert 20 <= len(lesson.cells) <= CELLS
    for cell in code_cells(lesson):
        # A parameters cell has a line for each.
        if "parameters" not in course.tags(cell):
            assert len(course.source(cell).strip().splitlines()) <= CELL_LINES, course.source(cell)


@each_lesson
def test_the_cells_that_every_lesson_has(lesson):
    setup = [cell for cell in lesson.cells if "setup" in course.tags(cell)]
    first = [cell for cell in LESSONS[0].cells if "setup" in course.tags(cell)]
    assert [cell["cell_type"] for cell in setup] == ["markdown", "code"]
    assert [course.source(cell) for cell in setup] == [course.source(cell) for cell in first], (
        "the set-up is the same everywhere"
    )
    assert [course.tags(cell) for cell in code_cells(lesson)[:2]] == [["setup"], ["parameters"]]
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
    trees = map(ast.parse, CODE[lesson.stem])
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
    code = "\n".join(CODE[lesson.stem])
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
    code = "\n".join(text for lesson in LESSONS for text in CODE[lesson.stem])
    assert [name for name in checking.names() if f'check("{name}"' not in code] == []


def test_lessons_that_prose_names_exist(root):
    stems = {lesson.stem for lesson in LESSONS}
    pages = {lesson.stem: markdown(lesson) for lesson in LESSONS} | {
        "README": (root / "README.md").read_text()
    }
    for page, text in pages.items():
        named = set(re.findall(r"(?<![\w/.-])(\d\d_[a-z][a-z0-9_]+)\b", text))
        assert named <= stems, f"{page} names {sorted(named - stems)}"


def texts_with_numbers(root) -> dict[str, str]:
    """All that may speak of a lesson by its number."""
    texts = {"glossary": (root / "docs" / "glossary.md").read_text(encoding="utf-8")}
    for name in ("README.md", "Makefile"):
        texts[name] = (root / name).read_text(encoding="utf-8")
    for lesson in LESSONS:
        texts[lesson.stem] = "\n".join(course.source(cell) for cell in lesson.cells)
    texts |= SOURCES
    del texts["kit.lesson_skeleton"]  # its example is a lesson to come
    return texts


def test_lessons_that_are_named_by_number_exist(root):
    numbers = {lesson.number for lesson in LESSONS}
    several = r"\b[Ll]essons? (\d\d(?:(?:, and | and | to | or |, |/)\d\d)*)\b"
    for page, text in texts_with_numbers(root).items():
        for named in re.findall(several, text):
            unknown = set(re.findall(r"\d\d", named)) - numbers
            assert not unknown, f"{page} names lesson {named}"


def test_the_parameters_of_the_full_profile_are_legal():
    from satlib.data.registry import REGISTRY

    for path in (runtime.notebooks_folder() / "full").iterdir():
        stem, _, dataset = path.name.removesuffix(".yaml").partition(".")
        (lesson,) = [lesson for lesson in LESSONS if lesson.stem == stem]
        assert not dataset or dataset in REGISTRY
        assert course.arguments(lesson, {"profile": "full", "dataset": dataset or "satsim"})


# Outputs are kept, and kept honest


@each_lesson
def test_a_figure_is_shown_by_the_last_line_of_its_cell(lesson):
    """What stands behind it would be shown in its place."""
    for cell in code_cells(lesson):
        text = course.source(cell)
        if "plots.show(" not in text:
            continue
        for statement in ast.parse(text).body[:-1]:
            is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            called = ast.unparse(statement.value.func) if is_call else ""
            assert called != "plots.show", text


@each_lesson
def test_what_a_learner_may_uncomment_is_imported(lesson):
    """`# reveal("12.1")` without its hash must not end in a NameError."""
    source = "\n".join(CODE[lesson.stem])
    offered = set(re.findall(r"^# (\w+)\(", source, re.M))
    imported = {
        name.asname or name.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert offered <= imported


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
    assert re.findall(pale, "\n".join(CODE[lesson.stem])) == [], (
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
def test_a_module_is_of_a_size_that_reads_well(module):
    text = SOURCES[module]
    assert len(text.splitlines()) <= MODULE_LINES
    for node in ast.walk(ast.parse(SOURCES[module])):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LINES, f"{node.name} has {length} lines"


@each_module
def test_what_is_public_has_a_docstring(module):
    tree = ast.parse(SOURCES[module])
    assert ast.get_docstring(tree)
    if course.folder_of(module) == "exercises" and module != course.CHECKING:
        return  # answers and checkers are described by their lessons
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            assert node.name.startswith("_") or ast.get_docstring(node), node.name


# The README's table is the tree


def test_the_table_of_lessons_is_the_tree(root):
    readme = (root / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d\d)\]\((notebooks/\S+?)\) \| (.+?) \|", readme, re.M)
    assert rows == [
        (lesson.stem[:2], f"notebooks/{lesson.path.name}", lesson.title) for lesson in LESSONS
    ]
