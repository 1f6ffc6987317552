"""The report's page: lessons, status, seconds, the headline table, and the figures themselves, in
one file.

The page asks nothing of the network: style and figures are inside it. Here the facts are gathered;
how they look stands in ``templates/report.html``. Written by ``runner``; no lesson imports it.
"""

import base64
import hashlib
from pathlib import Path

from satlib import storage
from satlib.data import leaks
from satlib.evaluation import comparable_records
from satlib.kit import pages
from satlib.kit.course import Lesson
from satlib.kit.results import Result

LARGEST_SVG = 200_000  # bytes; above it a figure goes into the page as PNG
HEADLINE = ("rmse", "mae", "accuracy", "macro_f1", "qwk", "spearman", "auc")


def write(
    output: Path,
    shown: list[tuple[Lesson, Result | None]],
    rows: list[dict],
    dataset: str,
    profile: str,
    findings: list[leaks.Finding] | None = None,
) -> None:
    """Write ``output``/index.html.

    shown: each lesson with its result, or None where it never ran. rows: the dicts of results.json.
    findings: the leaks of the data set; None where it was not looked over.
    """
    metrics, models = _headline(rows)
    template = pages.environment(autoescape=True).get_template("report.html")
    page = template.render(
        dataset=dataset,
        profile=profile,
        lessons=[_lesson(output, lesson, result) for lesson, result in shown],
        metrics=metrics,
        models=models,
        leaks=_leaks(findings),
    )
    storage.write_text(output / "index.html", page)


def _lesson(output: Path, lesson: Lesson, result: Result | None) -> dict:
    """What the page says of a lesson; figures are None where it has no executed notebook."""
    facts = {
        "stem": lesson.stem,
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


def _headline(rows: list[dict]) -> tuple[list[str], list[dict]]:
    """The table of test metrics: names of its columns, and for each model its name and cells; no
    columns and no models where nothing was judged."""
    judged = {}
    for row in rows:
        if row["part"] == "test":
            judged[row["model"], row["metric"]] = row
    names = sorted({model for model, _ in judged}, key=_place)
    there = {metric for _, metric in judged}
    metrics = [metric for metric in HEADLINE if metric in there]
    if not metrics:
        return [], []
    models = []
    for name in names:
        cells = [_cell(judged.get((name, metric))) for metric in metrics]
        models.append({"name": name, "cells": cells})
    return metrics, models


def _place(model: str) -> tuple[int, str]:
    """By which models are sorted: the known ones in the order of all tables, then others by
    name."""
    order = comparable_records.MODEL_ORDER
    return (order.index(model) if model in order else len(order), model)


def _cell(row: dict | None) -> dict[str, str]:
    """The value of a metric and its interval; empty where it is not defined."""
    if row is None or row["value"] is None:
        return {"value": "", "interval": ""}
    interval = ""
    if row["low"] is not None and row["high"] is not None:
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
    return {"value": f"{row['value']:.3f}", "interval": interval}


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
            finding = "".join(data.get("text/plain", "")).removeprefix("Figure: ")
            described = displayed.get("metadata", {}).get("image/png", {})
            figures.append(
                {
                    "source": source(png, vectors.get(_digest(png))),
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
