"""Run one notebook in a kernel of this interpreter.

A tool of ``runner`` and ``stored_notebooks``; no lesson imports it. Several notebooks may run side
by side in one event loop, each in a kernel of its own.
"""

import asyncio
import logging
import os
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from satlib import records, storage
from satlib.kit import course
from satlib.kit.course import Lesson

STARTUP = 180  # seconds in which a kernel must have started; others may be starting beside it
SILENCE = 60  # seconds in which the output of a cell must have come after the cell has ended


@dataclass
class Outcome:
    """How a notebook ended. message: what went wrong, "" for nothing. saved: the run records that
    it wrote."""

    message: str = ""
    saved: list[Path] = field(default_factory=list)


@contextmanager
def own(folder: Path) -> Iterator[None]:
    """Let the kernel name python3 mean this interpreter, whatever kernels the user has; no bars, no
    chatter."""
    from ipykernel.kernelspec import get_kernel_dict

    spec = get_kernel_dict(["--log-level=CRITICAL"])  # what matters of its log is in the notebook
    storage.write_json(folder / "jupyter" / "kernels" / "python3" / "kernel.json", spec)
    places = [str(folder / "jupyter")]
    if "JUPYTER_PATH" in os.environ:
        places.append(os.environ["JUPYTER_PATH"])
    with environment(
        JUPYTER_PATH=os.pathsep.join(places),
        PYDEVD_DISABLE_FILE_VALIDATION="1",
        SATLIB_QUIET="1",
    ):
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


def run_until_done(work: Coroutine) -> object:
    """Run a coroutine in an event loop of its own; Ctrl-C cancels it, which ends its kernels, and
    raises KeyboardInterrupt."""
    # The loop that Windows has by default cannot wait for a kernel's sockets.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as loop:
        return loop.run(work)


def execute(lesson: Lesson, given: dict[str, object], output: Path) -> str:
    """Run one notebook into ``output``/notebooks and its figures into ``output``/figures; return
    what went wrong."""
    return run_until_done(async_execute(lesson, given, output)).message


async def async_execute(lesson: Lesson, given: dict[str, object], output: Path) -> Outcome:
    """Run one notebook into ``output``/notebooks and its figures into ``output``/figures, beside
    whatever else runs in this event loop."""
    import nbformat

    outcome = Outcome()
    book = _prepared(lesson, given)
    with tempfile.TemporaryDirectory(prefix="satlib-") as scratch:
        # The lesson sees an empty folder; the list of its records lies outside of it.
        cwd = Path(scratch) / "lesson"
        cwd.mkdir()
        saved = Path(scratch) / "saved"
        variables = {
            "SATLIB_FIGURES": str(output / "figures"),
            "SATLIB_LESSON": lesson.stem,
            records.SAVED: str(saved),
        }
        if not course.trains(lesson):
            # Threads that wait for each other sleep. By default they spin, and where two lessons
            # share the cores, one that fits boosted trees then takes five times as long.
            variables["OMP_WAIT_POLICY"] = "PASSIVE"
        outcome.message = await _run_cells(book, str(cwd), os.environ | variables)
        if saved.is_file():
            lines = saved.read_text(encoding="utf-8").splitlines()
            outcome.saved = [Path(line) for line in lines]
    done = output / "notebooks" / lesson.path.name
    storage.write_text(done, nbformat.writes(book) + "\n")
    return outcome


def _prepared(lesson: Lesson, given: dict[str, object]):
    """The notebook with a cell that sets its parameters, and without papermill's notes, which name
    paths and times of this machine."""
    import papermill

    # papermill cannot read every comment in a parameters cell, and says so.
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    book = papermill.execute_notebook(
        lesson.path,
        None,
        given,
        prepare_only=True,
        kernel_name="python3",
        language="python",
    )
    book.metadata.pop("papermill", None)
    for cell in book.cells:
        cell.metadata.pop("papermill", None)
        if "injected-parameters" in cell.metadata["tags"]:
            cell["id"] = "injected-parameters"  # papermill's own is drawn anew in every run
    return book


async def _run_cells(book, cwd: str, variables: dict[str, str]) -> str:
    """Run the cells of a notebook in a new kernel; what went wrong, "" for nothing. The kernel ends
    with this function, also where that is cancelled."""
    import nbclient

    log = logging.getLogger("satlib.kernels")
    log.setLevel(logging.CRITICAL)  # what a dead kernel is called stands in the message
    client = nbclient.NotebookClient(
        book,
        kernel_name="python3",
        timeout=None,
        startup_timeout=STARTUP,
        iopub_timeout=SILENCE,
        raise_on_iopub_timeout=True,
        record_timing=False,
        log=log,
    )
    manager = client.create_kernel_manager()
    at_once = True
    try:
        await client.async_start_new_kernel(cwd=cwd, env=variables)
        await client.async_start_new_kernel_client()
        message = await _message_of_cells(client, book.cells)
        # Only a kernel that is asked to end removes its temporary folders.
        at_once = False
        return message
    except RuntimeError as error:
        return f"the kernel did not start: {str(error)[:300]}"
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        if manager.has_kernel:
            await manager.shutdown_kernel(now=at_once)


async def _message_of_cells(client, cells: list) -> str:
    """Run the cells one after another; what went wrong with the first that failed."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    begun = 0
    try:
        for index, cell in enumerate(cells):
            if cell.cell_type == "code":
                begun += 1
            await client.async_execute_cell(cell, index)
    except CellExecutionError as error:
        first_line = error.evalue.strip().partition("\n")[0]
        return f"cell {begun}: {error.ename}: {first_line[:300]}"
    except DeadKernelError:
        # nbclient takes a cancellation (Ctrl-C) for a dead kernel; ours shall go on to the caller.
        if asyncio.current_task().cancelling():
            raise asyncio.CancelledError from None
        return f"cell {begun}: the kernel died, perhaps for want of memory"
    except CellTimeoutError:
        return f"cell {begun}: its output did not come within {SILENCE} seconds of its end"
    client.set_widgets_metadata()
    return ""
