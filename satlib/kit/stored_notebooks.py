"""The committed outputs: what a stored notebook may hold, and the one command that rewrites them
all.

``faults`` states the law, ``rewrite`` obeys it, ``tests/kit/test_course.py`` checks it. No lesson
imports this module.
"""

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import nbformat

from satlib import records, runtime, storage
from satlib.kit import course, kernels, readme, runner, schedule, setup_cells
from satlib.kit.setup_cells import BADGE

LARGEST = 300_000  # bytes of a stored notebook
TIMING = re.compile(
    r"\b\d+(\.\d+)?\s?(it/s|s/it)\b"
    r"|\d\d:\d\d<"
    r"|\b(CPU times|Wall time|elapsed|took \d+(\.\d+)? ?m?s)\b"
)
OWN_PLACES = (f"{Path.home()}/", str(runtime.PACKAGE.parent))
PLACES = re.compile(
    r"site-packages"
    r"|(?<![\w.])/(home|root|tmp|Users|usr|opt|var|content|mnt)/\w"
    r"|\b[A-Z]:\\\w|" + "|".join(re.escape(place) for place in OWN_PLACES)
)
WIDGET = "application/vnd.jupyter.widget-view+json"
# The name of a record that a lesson leaves with its own parameters, so with its own seed.
FAST = re.compile(r"satsim-fast-.*-seed0\.json(\.xz)?")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


# What a stored notebook may hold


def faults(notebook: dict) -> list[str]:
    """What a stored notebook must not hold, or lacks; one sentence each, none for a good one."""
    sentences = []
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if counts != list(range(1, len(counts) + 1)):
        sentences.append(
            f"its execution counts are {counts}, not 1 to {len(counts)}: "
            "not run once from top to bottom"
        )
    if "widgets" in notebook["metadata"]:
        sentences.append("it holds widget state, which hosts refuse to show")
    for number, cell in enumerate(notebook["cells"], start=1):
        for output in cell.get("outputs", []):
            sentences += [f"cell {number} {fault}" for fault in _output_faults(output)]
    size = len(nbformat.writes(nbformat.from_dict(notebook)).encode())
    if size > LARGEST:
        sentences.append(
            f"it has {size} bytes, more than {LARGEST}; draw fewer points or smaller figures"
        )
    return sentences


def _output_faults(output: dict) -> list[str]:
    """What is wrong with one output, each as the end of a sentence about its cell."""
    text = _text(output)
    data = output.get("data", {})
    wrong = []
    if output["output_type"] == "error":
        wrong.append(f"ends with {output['ename']}")
    if output.get("name") == "stderr":
        wrong.append(f"wrote to stderr: {text[:80]!r}")
    if WIDGET in data:
        wrong.append("shows a widget")
    for kind in data:
        described = output.get("metadata", {}).get(kind, {}).get("alt")
        if kind.startswith("image/") and not described:
            wrong.append("shows a figure without alternative text; end it with plots.show")
    place = PLACES.search(text)
    if place:
        wrong.append(f"shows the path of a machine: {place.group()!r}")
    timing = TIMING.search(text)
    if timing:
        wrong.append(f"shows a time that it took: {timing.group()!r}")
    return wrong


def _text(output: dict) -> str:
    """All text of an output, without its pictures."""
    parts = ["".join(output.get("text", ""))]
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/"):
            parts.append("".join(content))
    return "\n".join(parts)


def normalise(notebook: dict, badge: str = BADGE) -> dict:
    """An executed notebook without what differs from run to run: times, versions, the chunks in
    which output came."""
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    if "satlib" in notebook["metadata"]:
        metadata["satlib"] = notebook["metadata"]["satlib"]
    notebook["metadata"] = metadata
    for cell in notebook["cells"]:
        tags = course.tags(cell)
        cell["metadata"] = {"tags": tags} if tags else {}
        lines = course.source(cell).split("\n")
        cell["source"] = "\n".join(badge if line.startswith(BADGE) else line for line in lines)
        if cell["cell_type"] == "code":
            cell["outputs"] = _joined(cell["outputs"])
    notebook["nbformat_minor"] = 5
    return notebook


def _joined(outputs: list[dict]) -> list[dict]:
    """The outputs, pieces of a stream that follow each other joined."""
    joined: list[dict] = []
    for output in outputs:
        last = joined[-1] if joined else {"output_type": "none"}
        both_streams = output["output_type"] == last["output_type"] == "stream"
        if both_streams and output["name"] == last["name"]:
            last["text"] = "".join(last["text"]) + "".join(output["text"])
        else:
            joined.append(output)
    return joined


# The command


def rewrite(
    jobs: int | None = None, say: Callable[..., None] = print, names: Sequence[str] = ()
) -> bool:
    """Run lessons with their own parameters and, if all pass, replace their stored notebooks and
    the fast run records that they wrote.

    The lessons run with an empty cache of their own, so that no earlier record reaches them. jobs:
    how many run side by side; None for one a core. names: of the lessons, as ``course.select``
    takes them, to which those are added whose records they read; none for all. False where one
    fails or would break the law of ``faults``; then nothing is replaced.
    """
    jobs = schedule.number_of_jobs(jobs)
    project = runtime.PACKAGE.parent / "pyproject.toml"
    if not project.is_file():
        raise FileNotFoundError(
            f"no {project}; the stored notebooks can be rewritten in a checkout only"
        )
    everything = course.lessons()
    lessons = course.with_needs(course.select(names, everything), everything)
    committed = runtime.data_folder() / "runs"
    with tempfile.TemporaryDirectory(prefix="satlib-") as scratch:
        output = Path(scratch)
        contents = _fresh_notebooks(lessons, output, project, jobs, say)
        if not all(contents.values()):
            return False
        for path in _fast_records(output / "cache" / "runs"):
            contents[committed / path.name] = _unless_only_time_differs(path, committed / path.name)
        headline = output / "figures" / readme.HEADLINE
        if headline.is_file():
            contents[runtime.data_folder() / readme.FIGURE] = headline.read_bytes()
    for path, content in contents.items():
        with storage.replacing(path) as temporary:
            temporary.write_bytes(content)
    # A record that no lesson writes any more, or that was compressed and is so no more.
    written = {_unpacked(path) for path in contents}
    for path in _fast_records(committed):
        is_stale = path not in contents
        if is_stale and (lessons == everything or _unpacked(path) in written):
            path.unlink()
    return True


def _unpacked(path: Path) -> str:
    """The name of a record's file without the suffix of compression."""
    return path.name.removesuffix(".xz")


def _fast_records(folder: Path) -> list[Path]:
    """The fast run records of satsim in a folder, plain and compressed."""
    return [path for path in records.paths(folder) if FAST.fullmatch(path.name)]


def _unless_only_time_differs(fresh: Path, committed: Path) -> bytes:
    """The content of a fresh record; that of the committed one where the two differ in nothing but
    the seconds that they took, which no second run repeats."""
    if committed.is_file():
        before, now = records.load(committed), records.load(fresh)
        if replace(before, seconds=None) == replace(now, seconds=None):
            return committed.read_bytes()
    return fresh.read_bytes()


def _fresh_notebooks(
    lessons: Sequence[course.Lesson],
    output: Path,
    project: Path,
    jobs: int,
    say: Callable[..., None],
) -> dict[Path, bytes]:
    """Run the lessons; path -> content of each normalised notebook, empty for one with a fault."""
    contents: dict[Path, bytes] = {}

    async def work(lesson: course.Lesson) -> None:
        outcome = await kernels.async_execute(lesson, {}, output)
        notebook = nbformat.read(output / "notebooks" / lesson.path.name, as_version=4)
        wrong = [outcome.message] if outcome.message else faults(notebook)
        words = f"FAILED {'; '.join(wrong)}" if wrong else "ok"
        say(runner.progress_line(lesson, words), flush=True)
        contents[lesson.path] = b"" if wrong else _normal_bytes(notebook, lesson, project)

    with kernels.own(output), kernels.environment(SATLIB_CACHE=str(output / "cache")):
        kernels.run_until_done(schedule.side_by_side(lessons, work, jobs))
    return contents


def _normal_bytes(notebook: dict, lesson: course.Lesson, project: Path) -> bytes:
    """The file of a stored notebook."""
    line = setup_cells.badge(*setup_cells.settings(project), lesson.stem)
    normal = nbformat.from_dict(normalise(notebook, line))
    return f"{nbformat.writes(normal)}\n".encode()
