"""Every lesson, or those of ONLY="01 12", as a learner runs it: in JupyterLab, from first cell to
last."""

import os
import re
import time

import pytest

from satlib import widgets
from satlib.kit import course

LESSONS = {lesson.number: lesson for lesson in course.lessons()}
CHOSEN = course.select(os.environ.get("ONLY", "").split(), course.lessons())
# The long ones, and what others need: two run beside each other.
FIRST = ("32", "43", "44", "62", "64")
ADDRESS = re.compile("0x[0-9a-f]{6,}")
LIMIT = 1800  # seconds for a lesson
COUNT_BROKEN = "all => all.filter(picture => !picture.naturalWidth).length"


def turn(lesson: course.Lesson) -> tuple:
    """Where a lesson stands in the order: no lesson before one that it needs, and the long ones
    early."""
    later = lesson.number not in FIRST
    waits = later and bool(lesson.needs)
    return waits, later, lesson.stem


def wait_for(needs, shared, request) -> None:
    """Wait for the lessons whose records this one draws, where this run has them; records of others
    are committed."""
    chosen = set()
    for item in request.session.items:
        if "lesson" in item.fixturenames:
            chosen.add(item.callspec.params["lesson"].stem)
    for stem in set(needs) & chosen:
        ended = shared / f"{stem}.ended"
        while not ended.exists():
            time.sleep(1)
        assert ended.read_text() == "well", f"it needs {stem}, which failed"


@pytest.mark.parametrize("lesson", sorted(CHOSEN, key=turn), ids=lambda lesson: lesson.stem)
def test_a_lesson_runs_from_the_first_cell_to_the_last(lesson, seat, shared, request):
    ended = "badly"
    try:
        wait_for(lesson.needs, shared, request)
        seat.open(lesson)
        seat.run_all(LIMIT)
        saved = seat.save()
        assert faults(seat, saved) == []
        assert differences(lesson.cells, saved["cells"]) == []
        if "widgets.explore(" in "".join(course.code_of(lesson)):
            move_the_figure(seat)
        assert seat.watch.outside == [] and seat.watch.errors == []
        ended = "well"
    finally:
        (shared / f"{lesson.stem}.ended").write_text(ended)


def faults(seat, saved: dict) -> list[str]:
    """What a learner would have seen go wrong: cells that failed or did not run, pictures that are
    not there."""
    code = [cell for cell in saved["cells"] if cell["cell_type"] == "code"]
    wrong = []
    for cell in code:
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                wrong.append(f"{output['ename']}: {output['evalue']}")
            if output.get("name") == "stderr":
                wrong.append(f"stderr: {output['text']}")
    counts = [cell["execution_count"] for cell in code]
    if counts != list(range(1, len(code) + 1)):
        wrong.append(f"the execution counts are {counts}")
    broken = seat.page.locator(".jp-OutputArea img").evaluate_all(COUNT_BROKEN)
    if broken:
        wrong.append(f"{broken} pictures are broken")
    for text in ("Error displaying widget", "Math input error"):
        if seat.page.locator(".jp-Notebook").get_by_text(text).count():
            wrong.append(text)
    return wrong


def differences(stored: list[dict], executed: list[dict]) -> list[str]:
    """Cells that say another thing than the stored ones, by nbval's rules: texts count, pictures do
    not."""
    different = []
    for old, new in zip(stored, executed, strict=True):
        if old["cell_type"] != "code" or "nbval-ignore-output" in course.tags(old):
            continue
        if said(old) != said(new):
            different.append(f"{said(new)!r}, and stored is {said(old)!r}")
    return different


def said(cell: dict) -> dict[str, str]:
    """Kind -> all text of that kind in a cell's outputs; a progress bar says nothing."""
    texts: dict[str, str] = {}
    for output in cell["outputs"]:
        if "name" in output:  # a stream
            data = {output["name"]: output["text"]}
        else:
            data = output.get("data", {})
        is_progress_bar = widgets.VIEW in data and "image/png" not in data
        if is_progress_bar:
            continue
        for kind, content in data.items():
            if not kind.startswith(("image/", "application/")):
                text = ADDRESS.sub("", "".join(content))
                texts[kind] = texts.get(kind, "") + text
    return texts


def move_the_figure(seat) -> None:
    """By keyboard: one step of the slider to the right, or words typed; the picture becomes another
    one."""
    control = seat.page.get_by_role("slider").first
    has_slider = control.count() > 0
    if not has_slider:
        control = seat.page.get_by_label("user says")
    output = seat.page.locator(".jp-OutputArea-output", has=control)

    def look() -> tuple[str, str]:
        wrong = output.get_by_role("alert")
        assert not wrong.count(), f"in place of the figure: {wrong.first.inner_text()}"
        picture = output.get_by_role("img").last
        return picture.get_attribute("src"), picture.get_attribute("alt")

    source_before, alt_before = look()
    control.focus()
    if has_slider:
        seat.page.keyboard.press("ArrowRight")
    else:
        seat.page.keyboard.type("excellent, I love it. ")
        seat.page.keyboard.press("Tab")  # the figure follows when the writer leaves the field
    end = time.monotonic() + 60
    source, alt = look()
    while source == source_before and time.monotonic() < end:
        seat.page.wait_for_timeout(100)
        source, alt = look()
    assert alt and source != source_before and alt != alt_before, f"the figure stays at: {alt}"


def test_a_typed_answer_is_judged(seat):
    seat.open(LESSONS["11"])
    for first in ("runtime.setup()", "from satlib.exercises.checking import check"):
        assert seat.run(first) == ""
    assert seat.run('check("11.1", answer)').strip() == "11.1: not tried yet"
    for answer, told in (
        (
            "loss * (high - low)",
            "11.1: not yet - the loss is a mean of squares: take its root first",
        ),
        ("loss**0.5 * (high - low)", "11.1: correct"),
    ):
        typed = f'answer = lambda loss, low, high: {answer}\ncheck("11.1", answer)'
        assert seat.run('check("11.1", answer)', typed).strip() == told
    assert seat.watch.outside == [] and seat.watch.errors == []
