"""The committed outputs: what a stored notebook may hold, and the one command that rewrites them
all.

``faults`` states the law, ``rewrite`` obeys it, ``tests/test_course.py`` checks it. No lesson
imports this module.
"""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat

from satlib import runtime, storage
from satlib.kit import course, kernels, readme, setup_cells
from satlib.kit.setup_cells import BADGE

LARGEST = 300_000  # bytes of a stored notebook
TIMING = re.compile(
    r"\b\d+(\.\d+)?\s?(it/s|s/it)\b|\d\d:\d\d<|\b(CPU times|Wall time|elapsed|took \d+(\.\d+)? ?m?s)\b"
)
PLACES = re.compile(
    r"site-packages|(?<![\w.])/(home|root|tmp|Users|usr|opt|var|content|mnt)/\w|\b[A-Z]:\\\w|"
    + "|".join(re.escape(str(path)) for path in (Path.home() / "", runtime.PACKAGE.parent))
)
WIDGET = "application/vnd.jupyter.widget-view+json"
FAST = "satsim-fast-*.json"  # the run records that the lessons leave with their own parameters
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def faults(notebook: dict) -> list[str]:
    """What a stored notebook must not hold, or lacks; one sentence each, none for a good one."""
    found = []
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if counts != list(range(1, len(counts) + 1)):
        found.append(
            f"its execution counts are {counts}, not 1 to {len(counts)}: not run once from top to bottom"
        )
    if "widgets" in notebook["metadata"]:
        found.append("it holds widget state, which hosts refuse to show")
    for number, cell in enumerate(notebook["cells"], start=1):
        for output in cell.get("outputs", []):
            found += [f"cell {number} {fault}" for fault in _output_faults(output)]
    size = len(nbformat.writes(nbformat.from_dict(notebook)).encode())
    if size > LARGEST:
        found.append(
            f"it has {size} bytes, more than {LARGEST}; draw fewer points or smaller figures"
        )
    return found


def _output_faults(output: dict) -> list[str]:
    found = []
    if output["output_type"] == "error":
        found.append(f"ends with {output['ename']}")
    if output.get("name") == "stderr":
        found.append(f"wrote to stderr: {_text(output)[:80]!r}")
    if WIDGET in output.get("data", {}):
        found.append("shows a widget")
    for kind in output.get("data", {}):
        if kind.startswith("image/") and not output.get("metadata", {}).get(kind, {}).get("alt"):
            found.append("shows a figure without alternative text; end it with plots.show")
    for what, pattern in (("the path of a machine", PLACES), ("a time that it took", TIMING)):
        if hit := pattern.search(_text(output)):
            found.append(f"shows {what}: {hit.group()!r}")
    return found


def _text(output: dict) -> str:
    """All text of an output, without its pictures."""
    data = output.get("data", {})
    parts = [output.get("text", ""), *(data[kind] for kind in data if kind.startswith("text/"))]
    return "\n".join("".join(part) for part in parts)


def normalise(notebook: dict, badge: str = BADGE) -> dict:
    """An executed notebook without what differs from run to run: times, versions, the chunks in
    which output came."""
    kept = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    if "satlib" in notebook["metadata"]:
        kept["satlib"] = notebook["metadata"]["satlib"]
    notebook["metadata"] = kept
    for cell in notebook["cells"]:
        cell["metadata"] = {"tags": course.tags(cell)} if course.tags(cell) else {}
        lines = course.source(cell).split("\n")
        cell["source"] = "\n".join(badge if line.startswith(BADGE) else line for line in lines)
        if cell["cell_type"] == "code":
            cell["outputs"] = _joined(cell["outputs"])
    notebook["nbformat_minor"] = 5
    return notebook


def _joined(outputs: list[dict]) -> list[dict]:
    """Join pieces of a stream that follow each other."""
    joined: list[dict] = []
    for output in outputs:
        if (
            joined
            and output["output_type"] == "stream"
            and joined[-1].get("name") == output["name"]
        ):
            joined[-1]["text"] = "".join(joined[-1]["text"]) + "".join(output["text"])
        else:
            joined.append(output)
    return joined


def rewrite(say: Callable[..., None] = print) -> bool:
    """Run every lesson with its own parameters and, if all pass, replace the stored notebooks and
    the fast run records.

    The lessons run with an empty cache of their own, so that no earlier record reaches them. False
    where one fails or would break the law of ``faults``; then nothing is replaced.
    """
    project = runtime.PACKAGE.parent / "pyproject.toml"
    if not project.is_file():
        raise FileNotFoundError(
            f"no {project}; the stored notebooks can be rewritten in a checkout only"
        )
    with tempfile.TemporaryDirectory(prefix="satlib-") as scratch:
        output = Path(scratch)
        with kernels.own(output), kernels.environment(SATLIB_CACHE=str(output / "cache")):
            ready = {
                lesson.path: _fresh(lesson, output, project, say) for lesson in course.lessons()
            }
        if not all(ready.values()):
            return False
        for path in sorted((output / "cache" / "runs").glob(FAST)):
            ready[runtime.data_folder() / "runs" / path.name] = path.read_text(encoding="utf-8")
        for path, text in ready.items():
            storage.write_text(path, text)
        if (headline := output / "figures" / readme.HEADLINE).is_file():
            with storage.replacing(runtime.data_folder() / readme.FIGURE) as temporary:
                temporary.write_bytes(headline.read_bytes())
    for path in (runtime.data_folder() / "runs").glob(FAST):
        if path not in ready:
            path.unlink()
    return True


def _fresh(lesson: course.Lesson, output: Path, project: Path, say: Callable[..., None]) -> str:
    """Run a lesson; return the text of its normalised notebook, or nothing, having said why."""
    say(f"{lesson.stem:<28}", end="", flush=True)
    message = kernels.execute(lesson, {}, output)
    notebook = nbformat.read(output / "notebooks" / lesson.path.name, as_version=4)
    wrong = [message] if message else faults(notebook)
    say("ok" if not wrong else f"FAILED {'; '.join(wrong)}", flush=True)
    if wrong:
        return ""
    line = setup_cells.badge(*setup_cells.settings(project), lesson.stem)
    return nbformat.writes(nbformat.from_dict(normalise(notebook, line))) + "\n"
