"""The report's page opens with the answer, then shows the headline, the table and the lessons."""

import base64
import re

import nbformat
import pytest
from invented import make
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from satlib.evaluation import advice, comparable_records
from satlib.kit import course, report_page
from satlib.kit.results import Result

PNG = b"a picture"


def written(tmp_path, records, shown=(), findings=None) -> str:
    report_page.write(tmp_path, list(shown), records, "satsim", "fast", findings)
    return (tmp_path / "index.html").read_text()


def lesson(tmp_path, stem, png=None, figure=""):
    """A lesson with one figure, as the runner leaves it: in the notebook, and in a file."""
    outputs = []
    if png:
        data = {"image/png": base64.b64encode(png).decode(), "text/plain": "Figure: It <falls>"}
        outputs = [new_output("display_data", data=data)]
        (tmp_path / "figures").mkdir(exist_ok=True)
        (tmp_path / "figures" / f"{stem}-{figure}.png").write_bytes(png)
    cells = [new_markdown_cell(f"# {stem[:2]} Do it"), new_code_cell("1", outputs=outputs)]
    path = tmp_path / "notebooks" / f"{stem}.ipynb"
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=cells), path)
    return course.read(path)


@pytest.fixture(scope="module")
def found():
    names = ("mean", "tfidf-ridge", "bert-before", "bert-after", "oracle")
    return [make(name, parameters={"train_rows": 90}) for name in names]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_page_opens_with_the_answer(tmp_path, found):
    html = written(tmp_path, found)
    said = advice.advice(found)
    (block,) = re.findall(r"<h1>[^<]*</h1>\s*<div class=.answer.>(.*?)</div>", html, re.S)
    assert re.findall(r"<p>(.*?)</p>", block) == said.paragraphs and len(said.paragraphs) == 4
    assert html.index(said.paragraphs[0]) < html.index("<h2")


def test_what_stands_in_the_way_of_an_answer_is_said(tmp_path, found):
    assert report_page.NO_RECORD in written(tmp_path, [])
    mixed = [*found, make("gru", split_sha256="other")]
    page = written(tmp_path, mixed)
    assert "The records give no answer" in page and "never share a ranking" in page
    assert "<table>" not in page.partition("<details>")[0]


def test_the_table_is_sorted_with_the_best_marked_and_the_oracle_apart(tmp_path, found):
    html = written(tmp_path, found)
    rows = re.findall(r"<tr( class=.\w+.)?><td>([\w-]+)", html)
    kinds = {model: kind.strip() for kind, model in rows}
    assert kinds.pop("bert-after") == 'class="best"' and kinds.pop("oracle") == 'class="oracle"'
    assert set(kinds.values()) == {""} and len(kinds) == 3
    assert rows[0][1] == "bert-after" and rows[-1][1] == "oracle"
    order = [model for _, model in rows[:-1]]
    errors = [error_of(found, model) for model in order]
    assert errors == sorted(errors)
    assert f"{errors[0]:.3f}<small>" in html and "training rows</th>" not in html


def error_of(records, model):
    (own,) = [record for record in records if record.model == model]
    rows = [row for row in own.rows if (row["part"], row["metric"]) == ("test", "rmse")]
    return rows[0]["value"]


def test_unequal_rows_seeds_and_edges_are_said_in_the_row(tmp_path, found):
    records = [*found, make("gru", parameters={"train_rows": 9, "edge": ["epochs"]})]
    records.append(make("bert-after", 1, parameters={"train_rows": 90}))
    html = written(tmp_path, records)
    (row,) = re.findall(r"<tr><td>gru.*?</tr>", html, re.S)
    assert "at the edge of the grid: epochs" in row and '<td class="number">9</td>' in row
    (best,) = re.findall(r"<tr class=.best.>.*?</tr>", html, re.S)
    assert '<td class="number">90</td><td class="number">2</td>' in best
    assert '<td class="number">fitted</td>' in html


def test_the_headline_stands_between_the_answer_and_the_table(tmp_path, found):
    last = lesson(tmp_path, "99_report", PNG, "headline")
    html = written(tmp_path, found, [(last, Result(last.stem, "ok", 3.0))])
    source = base64.b64encode(PNG).decode()
    assert html.count(source) == 2, "at the top, and with its lesson"
    assert html.index("answer") < html.index(source) < html.index("<table>")
    assert 'alt="It &lt;falls&gt;"' in html
    other = lesson(tmp_path, "99_report", b"another", "curves")
    (tmp_path / "figures" / "99_report-headline.png").unlink()
    assert "<figure>" not in written(tmp_path, found, [(other, None)])


def test_lessons_stand_under_their_parts_and_seconds_are_folded_away(tmp_path, found):
    one = lesson(tmp_path, "11_a", PNG, "x")
    two = lesson(tmp_path, "12_b")
    late = lesson(tmp_path, "71_c")
    shown = [
        (one, Result(one.stem, "ok", 12.5)),
        (two, Result(two.stem, "failed", 1.0, "cell 3: KeyError")),
        (late, None),
    ]
    html = written(tmp_path, found, shown)
    open_part, folded, rest = re.split(r"<details>|</details>", html)
    assert "12.5" in folded and "12.5" not in open_part + rest
    assert 'class="failed">12 Do it: failed, cell 3: KeyError' in open_part
    parts = re.findall(r"<h3>(.*?)</h3>", open_part)
    assert parts == ["Mathematics", "Better with less"]
    assert '<a href="#11_a">11 Do it</a>' in open_part and "71 Do it (not run)" in open_part
    assert re.findall(r"<h2>(.*?)</h2>", rest) == ["Mathematics"]
    assert '<h3 id="11_a">11 Do it</h3>' in rest and "<figure>" in rest
    assert "No figures." in rest


def test_what_is_written_is_escaped(tmp_path):
    odd = [make("<b>", dataset="toy", parameters={"train_rows": 1})]
    html = written(tmp_path, odd)
    assert "<b>" not in html and "&lt;b&gt;" in html


def test_every_lesson_has_a_part():
    for one in course.lessons():
        assert one.part in course.PARTS
    assert [one.part for one in course.lessons()][-1] == "Report"


def test_all_models_that_were_run_are_in_the_table(tmp_path):
    records = comparable_records.load_committed("movielens", "full")
    html = text_of(written(tmp_path, records))
    for model in comparable_records.models(records):
        assert f" {model} " in html
