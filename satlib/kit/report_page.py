"""The report's page: the answer first, then the headline figure, the table of test metrics, and
the lessons with their figures part by part, in one file.

The page asks nothing of the network: style and figures are inside it. Here the facts are gathered;
how they look stands in ``templates/report.html``. Written by ``runner``; no lesson imports it.
"""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from satlib import report, storage
from satlib.data import leaks
from satlib.evaluation import advice, comparable_records
from satlib.kit import course, pages
from satlib.kit.course import Lesson
from satlib.kit.results import Result
from satlib.records import RunRecord

LARGEST_SVG = 200_000  # bytes; above it a figure goes into the page as PNG
HEADLINE = ("rmse", "mae", "accuracy", "macro_f1", "qwk", "spearman", "auc")
MAIN = "rmse"  # the metric that the table is sorted by
HEADLINE_FIGURE = f"{course.REPORT}_report-headline"  # what the last lesson saves it as
NO_RECORD = (
    "No run record is here yet, so there is no answer: lessons 32 and 43 leave the records, and "
    "this page says what they say."
)


def write(
    output: Path,
    shown: list[tuple[Lesson, Result | None]],
    records: Sequence[RunRecord],
    dataset: str,
    profile: str,
    findings: list[leaks.Finding] | None = None,
) -> None:
    """Write ``output``/index.html.

    shown: each lesson with its result, or None where it never ran. records: the run records of the
    data set and profile. findings: the leaks of the data set; None where it was not looked over.
    """
    lessons = [_lesson(output, lesson, result) for lesson, result in shown]
    template = pages.environment(autoescape=True).get_template("report.html")
    page = template.render(
        dataset=dataset,
        profile=profile,
        answer=answer(records),
        headline=_headline_figure(lessons),
        table=_table(records),
        parts=_by_part(lessons),
        lessons=lessons,
        leaks=_leaks(findings),
    )
    storage.write_text(output / "index.html", page)


def answer(records: Sequence[RunRecord]) -> list[str]:
    """The paragraphs that the page opens with: the advice, or why there is none."""
    if not records:
        return [NO_RECORD]
    try:
        return advice.advice(records, MAIN).paragraphs
    except ValueError as reason:
        return [f"The records give no answer: {reason}."]


def _table(records: Sequence[RunRecord]) -> dict | None:
    """The table of test metrics, the best model first and the oracle apart; None where nothing was
    judged, or where the records may not be compared."""
    judged = [record for record in records if any(row["part"] == "test" for row in record.rows)]
    try:
        comparable = comparable_records.comparable(judged)
        standings = report.standings(comparable, HEADLINE, by=MAIN) if judged else []
    except ValueError:
        return None  # the answer says why
    if not standings:
        return None
    there = {metric for row in standings for metric in row.cells}
    metrics = [metric for metric in HEADLINE if metric in there]
    extra = [name for name in ("training rows", "seeds") if name not in report.unneeded(standings)]
    rows = []
    for one in standings:
        numbers = {
            "training rows": one.training_rows,
            "seeds": "fitted" if one.fitted else one.seeds,
        }
        rows.append(
            {
                "name": one.model,
                "best": one.best,
                "oracle": one.oracle,
                "note": "; ".join(one.notes),
                "extra": [numbers[name] for name in extra],
                "cells": [_cell(one.cells.get(metric)) for metric in metrics],
            }
        )
    return {"metrics": metrics, "extra": extra, "rows": rows}


def _headline_figure(lessons: list[dict]) -> dict | None:
    """The figure that the last lesson saved under the name of the headline; None where it is not
    there."""
    for lesson in lessons:
        for figure in lesson["figures"] or []:
            if figure["name"] == HEADLINE_FIGURE:
                return figure
    return None


def _by_part(lessons: list[dict]) -> list[dict]:
    """The lessons under the parts of the course, in its order; a part without a lesson is left
    out."""
    parts = []
    for name in course.PARTS:
        own = [lesson for lesson in lessons if lesson["part"] == name]
        if own:
            parts.append({"name": name, "lessons": own})
    return parts


def _lesson(output: Path, lesson: Lesson, result: Result | None) -> dict:
    """What the page says of a lesson; figures are None where it has no executed notebook."""
    facts = {
        "stem": lesson.stem,
        "part": lesson.part,
        "heading": f"{lesson.number} {lesson.title}",
        "status": "not run",
        "seconds": "",
        "message": "",
        "executed": False,
        "figures": None,
    }
    if result is None:
        return facts
    facts["status"] = result.status
    facts["message"] = result.message
    if result.seconds:
        facts["seconds"] = f"{result.seconds:.1f}"
    if result.status != "skipped":
        facts["executed"] = True
        facts["figures"] = _figures(output, lesson)
    return facts


def _cell(numbers: tuple[float, float, float] | None) -> dict[str, str]:
    """The value of a metric and its interval; empty where it is not defined."""
    value, _, interval = report.written(numbers).partition(" ")
    return {"value": value, "interval": interval.strip("[]").replace(", ", " to ")}


def _leaks(findings: list[leaks.Finding] | None) -> list[dict] | None:
    """A line for each finding, or one that says that there is none; None where nobody looked."""
    if findings is None:
        return None
    severities = [finding.severity for finding in findings] or ["clean"]
    lines = []
    for severity, line in zip(severities, leaks.report(findings), strict=True):
        lines.append({"severity": severity, "line": line})
    return lines


def _figures(output: Path, lesson: Lesson) -> list[dict] | None:
    """The figures of an executed lesson in the order of the notebook, each with its finding; None
    where the notebook is gone."""
    path = output / "notebooks" / f"{lesson.stem}.ipynb"
    if not path.is_file():
        return None
    # A figure in the notebook is known by its content; the lesson saved it as SVG too.
    vectors = {}
    for png in (output / "figures").glob(f"{lesson.stem}-*.png"):
        vectors[_digest(png.read_bytes())] = png.with_suffix(".svg")
    figures = []
    for cell in storage.read_json(path)["cells"]:
        for displayed in cell.get("outputs", []):
            data = displayed.get("data", {})
            if "image/png" not in data:
                continue
            png = base64.b64decode("".join(data["image/png"]))
            vector = vectors.get(_digest(png))
            finding = "".join(data.get("text/plain", "")).removeprefix("Figure: ")
            described = displayed.get("metadata", {}).get("image/png", {})
            figures.append(
                {
                    "name": vector.stem if vector else "",
                    "source": source(png, vector),
                    "alt": described.get("alt", finding),
                    "finding": finding,
                }
            )
    return figures


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def source(png: bytes, vector: Path | None) -> str:
    """A figure as a data address: the saved SVG where it is small, else the PNG."""
    if vector and vector.is_file() and vector.stat().st_size <= LARGEST_SVG:
        return "data:image/svg+xml;base64," + base64.b64encode(vector.read_bytes()).decode()
    return "data:image/png;base64," + base64.b64encode(png).decode()
