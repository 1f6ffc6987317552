"""Run one notebook in a kernel of this interpreter.

A tool of ``runner`` and ``committed``; no lesson imports it.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from satlib import storage
from satlib.kit.course import Lesson


@contextmanager
def own(folder: Path) -> Iterator[None]:
    """Let the kernel name python3 mean this interpreter, whatever kernels the user has; no bars, no
    chatter."""
    from ipykernel.kernelspec import get_kernel_dict

    spec = get_kernel_dict(["--log-level=CRITICAL"])  # what matters of its log is in the notebook
    storage.write_json(folder / "jupyter" / "kernels" / "python3" / "kernel.json", spec)
    places = os.pathsep.join(
        filter(None, [str(folder / "jupyter"), os.environ.get("JUPYTER_PATH")])
    )
    with environment(JUPYTER_PATH=places, PYDEVD_DISABLE_FILE_VALIDATION="1", SATLIB_QUIET="1"):
        yield


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set environment variables for the block."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def execute(lesson: Lesson, given: dict[str, object], output: Path) -> str:
    """Run one notebook into ``output``/notebooks and its figures into ``output``/figures; return
    what went wrong."""
    import logging

    import papermill
    from nbclient.exceptions import DeadKernelError

    done = output / "notebooks" / f"{lesson.stem}.ipynb"
    partial = done.with_name(f".{lesson.stem}.part.ipynb")
    done.parent.mkdir(parents=True, exist_ok=True)
    message = ""
    logging.getLogger("papermill").setLevel(
        logging.CRITICAL
    )  # it cannot read every comment in a parameters cell
    with (
        tempfile.TemporaryDirectory(prefix="satlib-") as cwd,
        environment(SATLIB_FIGURES=str(output / "figures"), SATLIB_LESSON=lesson.stem),
    ):
        try:
            papermill.execute_notebook(
                lesson.path,
                partial,
                given,
                kernel_name="python3",
                language="python",
                cwd=cwd,
                progress_bar=False,
            )
        except papermill.PapermillExecutionError as error:
            reason = (error.evalue.strip().splitlines() or [""])[0][:300]
            message = f"cell {error.exec_count}: {error.ename}: {reason}"
        except DeadKernelError:
            message = f"cell {_reached(partial)}: the kernel died, perhaps for want of memory"
    os.replace(partial, done)
    return message


def _reached(partial: Path) -> int:
    """How many code cells were begun."""
    cells = [cell for cell in storage.read_json(partial)["cells"] if cell["cell_type"] == "code"]
    return sum(cell["metadata"]["papermill"]["status"] != "pending" for cell in cells)
