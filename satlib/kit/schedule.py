"""Which lesson runs when: side by side as far as cores and memory last, but a lesson that trains
alone, and one that reads another's records after it.

A tool of ``runner`` and ``stored_notebooks``; no lesson imports it.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Sequence

from satlib.kit import course
from satlib.kit.course import Lesson

MEMORY = 2 * 2**30  # bytes that a lesson may take; a training took 1.7 GiB (data/runs/speed)


def number_of_jobs(wanted: int | None = None) -> int:
    """How many lessons run side by side: as many as wanted, else one a core, as far as the free
    memory lasts."""
    if wanted is not None:
        if wanted < 1:
            raise ValueError(
                f"jobs is {wanted}; it must be at least 1, or left out for one lesson a core"
            )
        return wanted
    import psutil

    lasting = psutil.virtual_memory().available // MEMORY
    return max(1, min(cores(), lasting))


def cores() -> int:
    """The cores that this process may use; a container may have fewer than its machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(lessons: Sequence[Lesson], alone: Collection[str], jobs: int) -> list[Lesson]:
    """The order in which lessons are looked at. alone: stems of those that run alone.

    One at a time they keep the course's order. Side by side the longest begin, so that none is left
    to run at the end while other cores wait; those that run alone come last, when nothing has to
    wait for them.
    """
    if jobs == 1:
        return list(lessons)
    return sorted(lessons, key=lambda lesson: (lesson.stem in alone, -lesson.stated_seconds))


def next_to_start(
    waiting: Sequence[Lesson], running: Sequence[Lesson], alone: Collection[str]
) -> Lesson | None:
    """The first lesson that may start beside those that are running; None where all must wait."""
    if any(lesson.stem in alone for lesson in running):
        return None
    not_ended = {lesson.stem for lesson in [*waiting, *running]}
    for lesson in waiting:
        needs_one = not not_ended.isdisjoint(lesson.needs)
        needs_silence = lesson.stem in alone and len(running) > 0
        if not needs_one and not needs_silence:
            return lesson
    return None


async def side_by_side(
    lessons: Sequence[Lesson], work: Callable[[Lesson], Awaitable[None]], jobs: int
) -> None:
    """Do the work for every lesson, at most ``jobs`` at a time.

    What the work raises ends all; so does a cancellation (Ctrl-C). Both wait until the work on the
    other lessons has ended too, with its kernels.
    """
    alone = {lesson.stem for lesson in lessons if course.trains(lesson)}
    waiting = in_order(lessons, alone, jobs)
    running: dict[asyncio.Task, Lesson] = {}
    try:
        while waiting or running:
            lesson = None
            if len(running) < jobs:
                lesson = next_to_start(waiting, list(running.values()), alone)
            if lesson is not None:
                waiting.remove(lesson)
                running[asyncio.ensure_future(work(lesson))] = lesson
                continue
            ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                del running[task]
                task.result()  # raises here what the work raised
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
