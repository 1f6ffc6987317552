"""Which lesson runs when: side by side, after those that it needs, alone; all end with the one that
fails."""

import asyncio
from pathlib import Path

import psutil
import pytest

from satlib.kit import course, kernels, schedule
from satlib.kit.course import Lesson


def lesson(stem: str, needs: tuple[str, ...] = (), takes: str = "10 seconds", trains=False):
    """A lesson of which the scheduler sees its needs, its stated time and what it imports."""
    title = f"# {stem[:2]} Do\n\n**Runs in** about {takes} on 2 CPU cores; not measured on a T4."
    code = "from satlib.training import loop" if trains else "1"
    cells = [
        {"cell_type": "markdown", "source": title, "metadata": {}},
        {"cell_type": "code", "source": code, "metadata": {}},
    ]
    return Lesson(Path(f"{stem}.ipynb"), cells, needs, {})


class Log:
    """Work that takes a moment; notes which lessons begin, and which run beside each other."""

    def __init__(self, failing: str = ""):
        self.begun: list[str] = []
        self.beside: set[tuple[str, str]] = set()
        self.cancelled: list[str] = []
        self.failing = failing
        self._running: list[str] = []

    async def work(self, lesson: Lesson) -> None:
        self.begun.append(lesson.stem)
        for other in self._running:
            self.beside |= {(other, lesson.stem), (lesson.stem, other)}
        self._running.append(lesson.stem)
        try:
            await asyncio.sleep(lesson.stated_seconds / 500)
        except asyncio.CancelledError:
            self.cancelled.append(lesson.stem)
            raise
        self._running.remove(lesson.stem)
        if lesson.stem == self.failing:
            raise OSError("no space")


def ran(lessons: list[Lesson], jobs: int) -> Log:
    log = Log()
    kernels.run_until_done(schedule.side_by_side(lessons, log.work, jobs))
    assert sorted(log.begun) == sorted(one.stem for one in lessons)
    return log


COURSE = [
    lesson("11_short"),
    lesson("12_long", takes="40 seconds"),
    lesson("13_middle", takes="20 seconds"),
    lesson("42_trains", trains=True),
    lesson("43_trains_on", needs=("12_long",), takes="30 seconds", trains=True),
    lesson("51_reads", needs=("12_long", "43_trains_on")),
    lesson("99_reads", needs=("43_trains_on",)),
]


def test_one_job_keeps_the_order_of_the_course():
    log = ran(COURSE, 1)
    assert log.begun == [one.stem for one in COURSE] and not log.beside


@pytest.mark.parametrize("jobs", [2, 3, 9])
def test_several_jobs_run_side_by_side_but_who_trains_runs_alone_and_who_needs_waits(jobs):
    log = ran(COURSE, jobs)
    assert log.begun[:2] == ["12_long", "13_middle"], "the longest begin"
    assert ("12_long", "13_middle") in log.beside and ("51_reads", "99_reads") in log.beside
    for one, other in log.beside:
        assert "trains" not in one + other
    for one in COURSE:
        for needed in one.needs:
            assert log.begun.index(needed) < log.begun.index(one.stem)
            assert (needed, one.stem) not in log.beside


def test_there_are_no_more_at_a_time_than_jobs():
    lessons = [lesson(f"1{i}_x", takes=f"{i + 1} seconds") for i in range(6)]
    running, most = 0, []

    async def work(_):
        nonlocal running
        running += 1
        most.append(running)
        await asyncio.sleep(0.01)
        running -= 1

    kernels.run_until_done(schedule.side_by_side(lessons, work, 3))
    assert max(most) == 3


def test_a_lesson_that_was_left_out_is_not_waited_for():
    assert ran([lesson("51_reads", needs=("12_long",))], 2).begun == ["51_reads"]


def test_an_error_ends_the_others_and_is_raised():
    log = Log(failing="11_short")
    with pytest.raises(OSError, match="no space"):
        kernels.run_until_done(schedule.side_by_side(COURSE[:3], log.work, 3))
    assert sorted(log.cancelled) == ["12_long", "13_middle"]


def test_a_cancellation_reaches_all_that_run():
    log = Log()

    async def interrupted():
        task = asyncio.ensure_future(schedule.side_by_side(COURSE[:3], log.work, 3))
        await asyncio.sleep(0.005)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        kernels.run_until_done(interrupted())
    assert sorted(log.cancelled) == ["11_short", "12_long", "13_middle"]


def test_a_job_a_core_as_far_as_the_memory_lasts(monkeypatch):
    monkeypatch.setattr(schedule, "cores", lambda: 8)

    def free(gib):
        memory = type("Memory", (), {"available": int(gib * 2**30)})
        monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
        return schedule.number_of_jobs()

    assert [free(64), free(7), free(0.5)] == [8, 3, 1]
    assert schedule.number_of_jobs(5) == 5
    with pytest.raises(ValueError, match="jobs is 0; it must be at least 1, or left out"):
        schedule.number_of_jobs(0)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("10 seconds", 10),
        ("a second", 1),
        ("a minute", 60),
        ("a minute and a half", 90),
        ("2 minutes", 120),
        ("some time", 0),
        ("", 0),
    ],
)
def test_a_stated_time_is_read(words, seconds):
    assert course.seconds_of(words) == seconds
