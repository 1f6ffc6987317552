"""Every lesson, or those of ONLY="01 12", as a learner runs it: in JupyterLab, from first cell to
last."""

import os
import re
import time

import pytest

from satlib import widgets
from satlib.kit import course

LESSONS = {lesson.stem[:2]: lesson for lesson in course.lessons()}
CHOSEN = course.select(os.environ.get("ONLY", "").split(), course.lessons())
FIRST = (
    "32",
    "35",
    "36",
    "62",
    "64",
)  # the long ones, and what others need: two run beside each other
ADDRESS = re.compile("0x[0-9a-f]{6,}")
LIMIT = 1800  # seconds for a lesson


def turn(lesson: course.Lesson) -> tuple:
    """Where a lesson stands in the order: no lesson before one that it needs, and the long ones
    early."""
    return (
        bool(lesson.needs) and lesson.stem[:2] not in FIRST,
        lesson.stem[:2] not in FIRST,
        lesson.stem,
    )


def wait_for(needs, shared, request) -> None:
    """Wait for the lessons whose records this one draws, where this run has them; records of others
    are committed."""
    chosen = {
        item.callspec.params["lesson"].stem
        for item in request.session.items
        if "lesson" in item.fixturenames
    }
    for stem in set(needs) & chosen:
        while not (ended := shared / f"{stem}.ended").exists():
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
    outputs = [output for cell in code for output in cell["outputs"]]
    found = [f"{x['ename']}: {x['evalue']}" for x in outputs if x["output_type"] == "error"]
    found += [f"stderr: {x['text']}" for x in outputs if x.get("name") == "stderr"]
    counts = [cell["execution_count"] for cell in code]
    found += (
        [] if counts == list(range(1, len(code) + 1)) else [f"the execution counts are {counts}"]
    )
    broken = seat.page.locator(".jp-OutputArea img").evaluate_all(
        "all => all.filter(x => !x.naturalWidth).length"
    )
    found += [f"{broken} pictures are broken"] if broken else []
    for text in ("Error displaying widget", "Math input error"):
        found += [text] if seat.page.locator(".jp-Notebook").get_by_text(text).count() else []
    return found


def differences(stored: list[dict], found: list[dict]) -> list[str]:
    """Cells that say another thing than the stored ones, by nbval's rules: texts count, pictures do
    not."""
    pairs = [
        (said(old), said(new))
        for old, new in zip(stored, found, strict=True)
        if old["cell_type"] == "code" and "nbval-ignore-output" not in course.tags(old)
    ]
    return [f"{new!r}, and stored is {old!r}" for old, new in pairs if old != new]


def said(cell: dict) -> dict[str, str]:
    """Kind -> all text of that kind in a cell's outputs; a progress bar says nothing."""
    told = {}
    for output in cell["outputs"]:
        texts = {output["name"]: output["text"]} if "name" in output else output.get("data", {})
        if widgets.VIEW not in texts or "image/png" in texts:
            for kind in [kind for kind in texts if not kind.startswith(("image/", "application/"))]:
                told[kind] = told.get(kind, "") + ADDRESS.sub("", "".join(texts[kind]))
    return told


def move_the_figure(seat) -> None:
    """By keyboard: one step of the slider to the right, or words typed; the picture becomes another
    one."""
    control, key = seat.page.get_by_role("slider").first, "ArrowRight"
    if not control.count():
        control, key = seat.page.get_by_label("user says"), "Tab"
    output = seat.page.locator(".jp-OutputArea-output", has=control)

    def look() -> tuple:
        wrong = output.get_by_role("alert")
        assert not wrong.count(), f"in place of the figure: {wrong.first.inner_text()}"
        picture = output.get_by_role("img").last
        return picture.get_attribute("src"), picture.get_attribute("alt")

    before = seen = look()
    control.focus()
    if key == "Tab":
        seat.page.keyboard.type("excellent, I love it. ")
    seat.page.keyboard.press(key)
    end = time.monotonic() + 60
    while seen[0] == before[0] and time.monotonic() < end:
        seat.page.wait_for_timeout(100)
        seen = look()
    assert seen[1] and all(x != y for x, y in zip(before, seen, strict=True)), (
        f"the figure stays at: {seen[1]}"
    )


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
