"""The report's page: lessons, status, seconds, the headline table, and the figures themselves, in
one file.

The page asks nothing of the network: style and figures are inside it. Written by ``runner``; no
lesson imports it.
"""

import base64
import hashlib
from html import escape
from pathlib import Path

from satlib import storage
from satlib.data import leaks
from satlib.kit.course import Lesson

LARGEST_SVG = 200_000  # bytes; above it a figure goes into the page as PNG
HEADLINE = ("rmse", "mae", "accuracy", "macro_f1", "qwk", "spearman", "auc")

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
a { color: #005a8c; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .25rem .7rem; text-align: left; border-bottom: 1px solid #ddd; white-space: nowrap; }
td.lesson { white-space: normal; min-width: 9rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td small { color: #555; display: block; }
.failed, .skipped, .refused { color: #a8001c; font-weight: bold; }
figure { margin: 1.5rem 0; } img { max-width: 100%; height: auto; }
figcaption { display: none; color: #555; font-size: .9rem; }
@media (max-width: 40rem) { th, td { padding: .25rem .4rem; } figcaption { display: block; } }
"""


def write(
    output: Path,
    shown: list[tuple[Lesson, object]],
    rows: list[dict],
    dataset: str,
    profile: str,
    found: list[leaks.Finding] | None = None,
) -> None:
    """Write ``output``/index.html.

    shown: each lesson with its ``runner.Result``, or None where it never ran. rows: the dicts of
    results.json. found: the leaks of the data set; None where it was not looked over.
    """
    body = [
        f"<h1>satlib: the report</h1>\n<p>Data set {escape(dataset)}, profile {escape(profile)}.</p>",
        _lessons(shown),
        _headline(rows),
        _leaks(found),
    ]
    body += [
        _figures(output, lesson)
        for lesson, result in shown
        if result and result.status != "skipped"
    ]
    storage.write_text(
        output / "index.html",
        f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>satlib: {escape(dataset)}, {escape(profile)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{chr(10).join(filter(None, body))}
</main>
</body>
</html>
""",
    )


def _lessons(shown: list[tuple[Lesson, object]]) -> str:
    lines = []
    for lesson, result in shown:
        status = result.status if result else "not run"
        name = f"{lesson.stem[:2]} {escape(lesson.title)}"
        if result and status != "skipped":
            name = f'<a href="#{lesson.stem}">{name}</a>'
        link = (
            f'<a href="notebooks/{lesson.stem}.ipynb">notebook</a>'
            if result and status != "skipped"
            else ""
        )
        seconds = f"{result.seconds:.1f}" if result and result.seconds else ""
        message = f"<small>{escape(result.message)}</small>" if result and result.message else ""
        lines.append(
            f'<tr><td class="lesson">{name}{message}</td><td class="{status}">{status}</td>'
            f'<td class="number">{seconds}</td><td>{link}</td></tr>'
        )
    head = '<tr><th>Lesson</th><th>Status</th><th class="number">Seconds</th><th>File</th></tr>'
    return "<h2>Lessons</h2>\n" + _wide("Lessons", [head, *lines])


def _wide(name: str, lines: list[str]) -> str:
    """A table in a box that scrolls on a narrow page, by the keyboard too: hence the focus, and a
    name to announce."""
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{name}"><table>\n'
        + "\n".join(lines)
        + "\n</table></div>"
    )


def _headline(rows: list[dict]) -> str:
    """Test metrics, one line a model, with their intervals."""
    from satlib.evaluation.comparable_records import MODEL_ORDER

    test = {(row["model"], row["metric"]): row for row in rows if row["part"] == "test"}
    models = sorted(
        {model for model, _ in test},
        key=lambda name: (MODEL_ORDER.index(name) if name in MODEL_ORDER else 99, name),
    )
    metrics = [name for name in HEADLINE if any(metric == name for _, metric in test)]
    if not models or not metrics:
        return ""
    lines = [
        "<tr><th>Model</th>"
        + "".join(f'<th class="number">{name}</th>' for name in metrics)
        + "</tr>"
    ]
    for model in models:
        cells = (_cell(test.get((model, metric))) for metric in metrics)
        lines.append(f"<tr><td>{escape(model)}</td>{''.join(cells)}</tr>")
    return (
        f"<h2>Test part, with 95 % intervals</h2>\n{_wide('Test part', lines)}\n"
        '<p>All rows: <a href="results.json">results.json</a>.</p>'
    )


def _leaks(found: list[leaks.Finding] | None) -> str:
    """The findings on the data, refused ones marked."""
    if found is None:
        return ""
    kinds = [finding.severity for finding in found] or ["clean"]
    lines = [
        f'<li class="{kind}">{escape(line)}</li>'
        for kind, line in zip(kinds, leaks.report(found), strict=True)
    ]
    return "<h2>The data, looked over for leaks</h2>\n<ul>\n" + "\n".join(lines) + "\n</ul>"


def _cell(row: dict | None) -> str:
    if row is None or row["value"] is None:
        return '<td class="number"></td>'
    low, high = row["low"], row["high"]
    interval = (
        f"<small>{low:.3f} to {high:.3f}</small>" if low is not None and high is not None else ""
    )
    return f'<td class="number">{row["value"]:.3f}{interval}</td>'


def _figures(output: Path, lesson: Lesson) -> str:
    """The figures of an executed lesson in the order of the notebook, each with its finding."""
    path = output / "notebooks" / f"{lesson.stem}.ipynb"
    if not path.is_file():
        return ""
    saved = (output / "figures").glob(f"{lesson.stem}-*.png")
    vectors = {_digest(png.read_bytes()): png.with_suffix(".svg") for png in saved}
    parts = [f'<h2 id="{lesson.stem}">{lesson.stem[:2]} {escape(lesson.title)}</h2>']
    for cell in storage.read_json(path)["cells"]:
        for shown in cell.get("outputs", []):
            data = shown.get("data", {})
            if "image/png" not in data:
                continue
            png = base64.b64decode("".join(data["image/png"]))
            finding = "".join(data.get("text/plain", "")).removeprefix("Figure: ")
            alt = shown.get("metadata", {}).get("image/png", {}).get("alt", finding)
            source = _source(png, vectors.get(_digest(png)))
            parts.append(
                f'<figure><img src="{source}" alt="{escape(alt, quote=True)}">'
                f"<figcaption>{escape(finding)}</figcaption></figure>"
            )
    return "\n".join(parts) if len(parts) > 1 else f"{parts[0]}\n<p>No figures.</p>"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _source(png: bytes, vector: Path | None) -> str:
    """A figure as a data address: the saved SVG where it is small, else the PNG."""
    if vector and vector.is_file() and vector.stat().st_size <= LARGEST_SVG:
        return "data:image/svg+xml;base64," + base64.b64encode(vector.read_bytes()).decode()
    return "data:image/png;base64," + base64.b64encode(png).decode()
