"""Run the lessons headless, in course order, and redo only what changed.

A lesson's key is a checksum of everything that decides its outputs. A lesson that ended well leaves
its key in ``<output>/.state``; it runs again when the key differs or one of its outputs is gone.
Nothing is written in place: an interrupted run therefore goes on with the first lesson that did not
end.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

from satlib import records, runtime, storage
from satlib.data import inspection
from satlib.kit import course, kernels, report_page
from satlib.kit.course import Lesson

PROFILES = ("fast", "full")
# Module -> what it reads of data/.
EMBEDDED = {"corpora": "satsim", "simulation": "satsim", "archive": "runs", "report": "runs"}


@dataclass
class Result:
    """How one lesson ended. status: ok, unchanged, failed or skipped. outputs: paths below the
    output folder."""

    stem: str
    status: str
    seconds: float = 0.0
    message: str = ""
    key: str = ""
    dataset: str = ""
    profile: str = ""
    outputs: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """What the progress line says after the lesson's name."""
        return {
            "ok": f"ok      {self.seconds:8.1f} s",
            "failed": f"FAILED {self.message}",
            "skipped": f"skipped ({self.message})",
        }.get(self.status, self.status)


def run(
    lessons: Sequence[str] = (),
    *,
    dataset: str = "satsim",
    data_dir: str = "",
    profile: str = "fast",
    seed: int | None = None,
    runs: str = "",
    output: str | Path = "build/report",
    parameters: dict[str, str] | None = None,
    say: Callable[..., None] = print,
) -> list[Result]:
    """Run ``lessons`` (numbers, stems or parts of them; all for none) and write the report into
    ``output``.

    dataset, data_dir, profile, seed, runs: handed to each lesson that declares the name in its
    parameters cell. parameters: further values as text, typed by the lesson's default. Returns one
    Result a lesson. Raises ValueError for an unknown lesson, dataset, profile or parameter, and for
    a data set that leaks, before anything runs.
    """
    output = Path(output).expanduser().resolve()
    values = {
        "dataset": dataset,
        "data_dir": data_dir,
        "profile": profile,
        "runs": runs or str(output / "runs"),
    }
    values |= {"seed": str(seed)} if seed is not None else {}
    values = _checked(values | (parameters or {}))
    everything = course.lessons()
    chosen = course.select(lessons, everything)
    _refuse_unknown(set(parameters or {}), chosen)
    given, results = {lesson.stem: course.arguments(lesson, values) for lesson in chosen}, {}
    found = _inspected(chosen, output, values)
    try:
        if found is not None:
            inspection.tell(values["dataset"], found, say)
        with kernels.own(output / ".state"):
            for lesson in chosen:
                say(f"{lesson.stem:<28}", end="", flush=True)
                results[lesson.stem] = _one(lesson, given[lesson.stem], output, results, values)
                say(results[lesson.stem].line, flush=True)
    finally:
        _write_report(everything, output, results, values)
    return list(results.values())


def _checked(values: dict[str, str]) -> dict[str, str]:
    from satlib.data.registry import REGISTRY

    runtime.one_of("dataset", values["dataset"], REGISTRY)
    runtime.one_of("profile", values["profile"], PROFILES)
    for name in (
        "data_dir",
        "runs",
    ):  # a lesson runs in a folder of its own, so it must get whole paths
        values[name] = values[name] and str(Path(values[name]).expanduser().resolve())
    if values["data_dir"] and not os.path.exists(values["data_dir"]):
        raise FileNotFoundError(
            f"no folder {values['data_dir']}; data_dir must name the folder that holds the corpora"
        )
    return values


def _inspected(chosen: list[Lesson], output: Path, values: dict[str, str]) -> list | None:
    """The leaks of the data set; None where no lesson takes its data (one on records needs none):
    nothing is loaded."""
    if not any({"dataset", "data_dir"} <= lesson.parameters.keys() for lesson in chosen):
        return None
    found = inspection.findings(values["dataset"], values["data_dir"])
    inspection.remember(output, values["dataset"], found)
    return found


def _refuse_unknown(names: set[str], chosen: list[Lesson]) -> None:
    for lesson in chosen:
        if lesson.parameters is None:
            raise ValueError(
                f"{lesson.path.name} has no cell with the tag 'parameters'; add one, it may be empty"
            )
    for name in sorted(names):
        runtime.one_of(
            "parameter", name, sorted({name for lesson in chosen for name in lesson.parameters})
        )


def _one(
    lesson: Lesson, given: dict, output: Path, results: dict[str, Result], values: dict[str, str]
) -> Result:
    """Run one lesson, or say why not."""
    lost = [
        name
        for name in lesson.needs
        if name in results and results[name].status in ("failed", "skipped")
    ]
    if lost:
        return Result(lesson.stem, "skipped", message=f"needs {', '.join(lost)}")
    runs, before = Path(values["runs"]), remembered(output, lesson.stem)
    wanted = key(lesson, given, [remembered(output, name) for name in lesson.needs], values)
    if before and before.key == wanted and all((output / name).exists() for name in before.outputs):
        return Result(**asdict(before) | {"status": "unchanged"})
    _state(output, lesson.stem).unlink(missing_ok=True)
    _remove_stale(lesson, output, before, values)
    earlier, started = _records(runs), time.perf_counter()
    message = kernels.execute(lesson, given | _checkpoints(lesson, given, output, wanted), output)
    result = Result(
        lesson.stem,
        "failed" if message else "ok",
        time.perf_counter() - started,
        message,
        wanted,
        values["dataset"],
        values["profile"],
    )
    if not message:
        written = [path for path, stamp in _records(runs).items() if earlier.get(path) != stamp]
        written += [
            output / "notebooks" / f"{lesson.stem}.ipynb",
            *(output / "figures").glob(f"{lesson.stem}-*"),
        ]
        result.outputs = sorted(Path(os.path.relpath(path, output)).as_posix() for path in written)
        storage.write_json(_state(output, lesson.stem), asdict(result))
        for spent in (output / "checkpoints").glob(
            f"{lesson.stem}-*"
        ):  # of use only to a run that was interrupted
            shutil.rmtree(spent)
    return result


def _checkpoints(lesson: Lesson, given: dict, output: Path, wanted: str) -> dict[str, str]:
    """Where a lesson that trains keeps its checkpoints: a folder of this key, so that a changed
    lesson starts anew."""
    if "checkpoints" not in lesson.parameters or given.get("checkpoints"):
        return {}
    mine = output / "checkpoints" / f"{lesson.stem}-{wanted[:12]}"
    for other in mine.parent.glob(f"{lesson.stem}-*"):
        if other != mine:
            shutil.rmtree(other)
    return {"checkpoints": str(mine)}


def _state(output: Path, stem: str) -> Path:
    return output / ".state" / f"{stem}.json"


def remembered(output: Path, stem: str) -> Result | None:
    """The result that a lesson's last good run left; None where there is none or it cannot be
    read."""
    try:
        return Result(**storage.read_json(_state(output, stem)))
    except (OSError, ValueError, TypeError):
        return None


def key(lesson: Lesson, given: dict, needs: list[Result | None], values: dict[str, str]) -> str:
    """Checksum of all that decides a lesson's outputs: itself, its arguments, packages, data, and
    what it needs."""
    installed = sorted(f"{found.name}=={found.version}" for found in metadata.distributions())
    code = "".join(course.code_of(lesson))
    folders = {EMBEDDED[name] for name in course.uses(lesson) & EMBEDDED.keys()}
    folders |= {
        name for name in EMBEDDED.values() if f'data_folder() / "{name}"' in code
    }  # read without a module
    data = [_stamps(runtime.data_folder() / name, storage.sha256) for name in sorted(folders)]
    local = values["data_dir"] or os.environ.get("SATLIB_DATA", "")
    data += [_stamps(Path(local))] if local and "dataset" in given else []
    parts = [
        course.fingerprint(lesson),
        given,
        installed,
        sys.version,
        data,
        [x and x.key for x in needs],
    ]
    return storage.sha256_text(json.dumps(parts, sort_keys=True, default=str))


def _stamps(folder: Path, of: Callable[[Path], object] | None = None) -> dict[str, object]:
    """Path -> size and time of change (or ``of`` it), for the visible files two levels deep, or for
    the one file."""
    paths = [folder] if folder.is_file() else sorted([*folder.glob("*"), *folder.glob("*/*")])
    of = of or (lambda path: [path.stat().st_size, path.stat().st_mtime_ns])
    return {
        str(path): of(path) for path in paths if path.is_file() and not path.name.startswith(".")
    }


def _records(runs: Path) -> dict[Path, tuple]:
    """The run records in a folder, with what tells an old one from a new one; each is replaced
    whole."""
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in records.paths(runs)}


def _remove_stale(
    lesson: Lesson, output: Path, before: Result | None, values: dict[str, str]
) -> None:
    """Remove the figures of a lesson that runs again, and the records that it wrote for this data
    set and profile."""
    for path in (output / "figures").glob(f"{lesson.stem}-*"):
        path.unlink()
    if before and (before.dataset, before.profile) == (values["dataset"], values["profile"]):
        for name in before.outputs:
            if name.startswith("runs/") and name.endswith((".json", ".json.xz")):
                (output / name).unlink(missing_ok=True)


def _write_report(
    everything: list[Lesson], output: Path, results: dict[str, Result], values: dict[str, str]
) -> None:
    """Write results.json and index.html; lessons that this run left out are shown as their last run
    left them."""
    found = records.load_all(values["runs"], values["dataset"], values["profile"])
    rows = [row for record in found for row in record.rows]
    storage.write_json(output / "results.json", rows)
    shown = [
        (lesson, results.get(lesson.stem) or remembered(output, lesson.stem))
        for lesson in everything
    ]
    leaks = inspection.remembered(output, values["dataset"])
    report_page.write(output, shown, rows, values["dataset"], values["profile"], leaks)
