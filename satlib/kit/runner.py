"""Run the lessons headless and redo only what changed.

Lessons run side by side where they may (``schedule``), and what they leave does not depend on how
many do. A lesson runs again when its key (``results``) differs or one of its outputs is gone.
Nothing is written in place: an interrupted run therefore goes on with the lessons that did not end.
"""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from satlib import records, report, runtime, storage
from satlib.data import inspection
from satlib.kit import course, kernels, report_page, results, schedule
from satlib.kit.course import Lesson
from satlib.kit.results import Result

PROFILES = ("fast", "full")


@dataclass
class Shared:
    """What the lessons of one run share. values: what each gets that declares the name. given: stem
    -> what the lesson gets of them. installed: versions of all packages. results: stem -> how the
    lesson ended."""

    output: Path
    values: dict[str, str]
    given: dict[str, dict[str, object]]
    installed: list[str]
    results: dict[str, Result] = field(default_factory=dict)

    @property
    def runs(self) -> Path:
        """The folder of the run records."""
        return Path(self.values["runs"])

    def last_result(self, stem: str) -> Result | None:
        """How a lesson ended in this run, else in its last good one."""
        return self.results.get(stem) or results.remembered(self.output, stem)


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
    jobs: int | None = None,
    say: Callable[..., None] = print,
) -> list[Result]:
    """Run ``lessons`` (numbers, stems or parts of them; all for none); write a report into
    ``output``.

    dataset, data_dir, profile, seed, runs: handed to each lesson that declares the name in its
    parameters cell. parameters: more values as text, typed by the lesson's default. jobs: lessons
    side by side; None for one a core. Raises ValueError for an unknown lesson, dataset, profile or
    parameter, and for a data set that leaks, before anything runs.
    """
    jobs = schedule.number_of_jobs(jobs)
    parameters = parameters or {}
    output = Path(output).expanduser().resolve()
    runs = runs or str(output / "runs")
    values = {"dataset": dataset, "data_dir": data_dir, "profile": profile, "runs": runs}
    if seed is not None:
        values["seed"] = str(seed)
    values = _checked(values | parameters)
    everything = course.lessons()
    chosen = course.select(lessons, everything)
    _refuse_unknown(set(parameters), chosen)
    given = {lesson.stem: course.arguments(lesson, values) for lesson in chosen}
    shared = Shared(output, values, given, results.installation())
    leaks = _inspected(chosen, shared)
    try:
        _run_all(chosen, leaks, shared, jobs, say)
    finally:
        _write_report(everything, shared)
    return [shared.results[lesson.stem] for lesson in chosen]


def _run_all(
    chosen: list[Lesson],
    leaks: list | None,
    shared: Shared,
    jobs: int,
    say: Callable[..., None],
) -> None:
    """Say what was found in the data, run the lessons, and say how each ended when it has;
    ValueError where the data set is refused."""

    async def work(lesson: Lesson) -> None:
        result = await _one(lesson, shared)
        shared.results[lesson.stem] = result
        say(progress_line(lesson, result.line), flush=True)

    if leaks is not None:
        inspection.tell(shared.values["dataset"], leaks, say)
    with kernels.own(shared.output / ".state"):
        kernels.run_until_done(schedule.side_by_side(chosen, work, jobs))


def progress_line(lesson: Lesson, words: str) -> str:
    """The one line that a lesson gets on the screen when it has ended."""
    return f"{lesson.stem:<30}{words}"


def _checked(values: dict[str, str]) -> dict[str, str]:
    """The values with whole paths; ValueError or FileNotFoundError for one that no lesson can
    take."""
    from satlib.data.registry import REGISTRY

    runtime.one_of("dataset", values["dataset"], REGISTRY)
    runtime.one_of("profile", values["profile"], PROFILES)
    checked = dict(values)
    for name in ("data_dir", "runs"):
        if values[name]:  # a lesson runs in a folder of its own, so it must get whole paths
            checked[name] = str(Path(values[name]).expanduser().resolve())
    if checked["data_dir"] and not os.path.exists(checked["data_dir"]):
        raise FileNotFoundError(
            f"no folder {checked['data_dir']}; data_dir must name the folder that holds the corpora"
        )
    return checked


def _refuse_unknown(names: set[str], chosen: list[Lesson]) -> None:
    """ValueError where a lesson has no parameters cell, or no lesson has a parameter so named."""
    known = set()
    for lesson in chosen:
        if lesson.parameters is None:
            raise ValueError(
                f"{lesson.path.name} has no cell with the tag 'parameters'; "
                "add one, it may be empty"
            )
        known |= lesson.parameters.keys()
    for name in sorted(names):
        runtime.one_of("parameter", name, sorted(known))


def _inspected(chosen: list[Lesson], shared: Shared) -> list | None:
    """The leaks of the data set; None where no lesson takes its data (one on records needs none):
    nothing is loaded."""
    if not any({"dataset", "data_dir"} <= lesson.parameters.keys() for lesson in chosen):
        return None
    leaks = inspection.findings(shared.values["dataset"], shared.values["data_dir"])
    inspection.remember(shared.output, shared.values["dataset"], leaks)
    return leaks


async def _one(lesson: Lesson, shared: Shared) -> Result:
    """Run one lesson, or say why not."""
    lost = [name for name in lesson.needs if _is_lost(name, shared)]
    if lost:
        return Result(lesson.stem, "skipped", message=f"needs {', '.join(lost)}")
    before = results.remembered(shared.output, lesson.stem)
    key = _key(lesson, shared)
    if results.holds(before, key, shared.output):
        return replace(before, status="unchanged")
    results.forget(shared.output, lesson.stem)
    _remove_stale(lesson, before, shared)
    given = shared.given[lesson.stem] | _checkpoints(lesson, key, shared)
    started = time.perf_counter()
    outcome = await kernels.async_execute(lesson, given, shared.output)
    result = Result(
        lesson.stem,
        "failed" if outcome.message else "ok",
        time.perf_counter() - started,
        outcome.message,
        key,
        shared.values["dataset"],
        shared.values["profile"],
    )
    if result.status == "ok":
        result.outputs = _outputs(lesson, outcome.saved, shared)
        results.remember(shared.output, result)
        # Of use only to a run that was interrupted.
        for spent in (shared.output / "checkpoints").glob(f"{lesson.stem}-*"):
            shutil.rmtree(spent)
    return result


def _is_lost(stem: str, shared: Shared) -> bool:
    """Whether a lesson was to run and did not pass; one that was left out is no loss."""
    return stem in shared.results and shared.results[stem].status in ("failed", "skipped")


def _key(lesson: Lesson, shared: Shared) -> str:
    """The checksum of all that decides the lesson's outputs."""
    keys_of_needs = []
    for name in lesson.needs:
        needed = results.remembered(shared.output, name)
        keys_of_needs.append(needed.key if needed else None)
    given = shared.given[lesson.stem]
    data_dir = shared.values["data_dir"]
    return results.key(lesson, given, keys_of_needs, shared.installed, data_dir)


def _checkpoints(lesson: Lesson, key: str, shared: Shared) -> dict[str, object]:
    """Where a lesson that trains keeps its checkpoints: a folder of this key, so that a changed
    lesson starts anew."""
    chosen = shared.given[lesson.stem].get("checkpoints")
    if "checkpoints" not in lesson.parameters or chosen:
        return {}
    mine = shared.output / "checkpoints" / f"{lesson.stem}-{key[:12]}"
    for other in mine.parent.glob(f"{lesson.stem}-*"):
        if other != mine:
            shutil.rmtree(other)
    return {"checkpoints": str(mine)}


def _outputs(lesson: Lesson, saved: list[Path], shared: Shared) -> list[str]:
    """What a lesson wrote: its notebook, its figures and its run records, by their paths below the
    output folder."""
    paths = {shared.output / "notebooks" / lesson.path.name}
    paths |= set((shared.output / "figures").glob(f"{lesson.stem}-*"))
    paths |= {path for path in saved if path.parent == shared.runs and path.is_file()}
    names = [Path(os.path.relpath(path, shared.output)).as_posix() for path in paths]
    return sorted(names)


def _remove_stale(lesson: Lesson, before: Result | None, shared: Shared) -> None:
    """Remove the figures of a lesson that runs again, and the records that it wrote for this data
    set and profile."""
    for path in (shared.output / "figures").glob(f"{lesson.stem}-*"):
        path.unlink()
    if before is None:
        return
    if (before.dataset, before.profile) != (shared.values["dataset"], shared.values["profile"]):
        return
    for name in before.outputs:
        if name.startswith("runs/") and name.endswith((".json", ".json.xz")):
            (shared.output / name).unlink(missing_ok=True)


def _write_report(everything: list[Lesson], shared: Shared) -> None:
    """Write results.json and index.html; lessons that this run left out are shown as their last run
    left them."""
    dataset = shared.values["dataset"]
    profile = shared.values["profile"]
    own = records.load_all(shared.runs, dataset, profile)
    storage.write_json(shared.output / "results.json", report.rows(own))
    shown = [(lesson, shared.last_result(lesson.stem)) for lesson in everything]
    leaks = inspection.remembered(shared.output, dataset)
    report_page.write(shared.output, shown, own, dataset, profile, leaks)
