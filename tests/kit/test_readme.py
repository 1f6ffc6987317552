"""The generated parts of the README are what the code would write now, and the code that writes
them."""

import re

import jinja2
import pytest
from jinja2 import meta

from satlib import record_cache, records, runtime
from satlib.kit import course, pages, readme
from satlib.reproduction import findings, protocols


@pytest.mark.parametrize("page", readme.WORDS)
def test_the_readme_is_up_to_date(root, page):
    text = (root / page).read_text(encoding="utf-8")
    assert readme.fill(text, page) == text, (
        "run `make notebooks`, which writes the README's tables anew"
    )


def test_filling_keeps_the_rest_and_is_idempotent():
    text = (
        "before <!-- lessons -->old<!-- /lessons --> between <!-- results --><!-- /results -->"
        "<!-- literature --><!-- /literature --> <!-- speed --><!-- /speed --> after"
    )
    once = readme.fill(text)
    assert once.startswith("before <!-- lessons -->") and once.endswith("<!-- /speed --> after")
    assert "old" not in once
    assert readme.fill(once) == once
    assert len(re.findall(r"^\| \[\d\d\]", once, re.M)) == len(course.lessons())


def test_a_missing_marker_is_named():
    with pytest.raises(ValueError, match="<!-- results -->"):
        readme.fill("<!-- lessons --><!-- /lessons -->")


def test_numbers_are_those_of_the_records():
    text = readme.part("results")
    for record in records.load_all(runtime.data_folder() / "runs"):
        row = next(r for r in record.rows if (r["part"], r["metric"]) == ("test", "rmse"))
        interval = f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        assert f"| {record.model} | {interval}" in text


def test_the_figure_exists(root):
    assert (root / "data" / readme.FIGURE).stat().st_size < 200_000


def test_the_literature_is_told_from_the_records():
    lines = readme.part("literature").splitlines()
    assert len(lines) == 2 + len(findings.FINDINGS)
    assert all(line.count("|") == 4 for line in lines)
    values = []
    for corpus in protocols.USS:
        for record in record_cache.found(findings.folder(), corpus, "A0"):
            if record.model == "always-3":
                values += [r["value"] for r in record.rows if r["metric"] == "published_rho"]
    assert findings.constant()["ours"] == values
    assert ", ".join(f"{value:.3f}" for value in values) in lines[2]


# The words of two languages


def words_of(file: str) -> dict[str, set[str]]:
    """Macro or word -> what it prints, without the words around: ``n.in_uss | thousands``."""
    source = (pages.TEMPLATES / file).read_text(encoding="utf-8")
    printed = {name: set() for name in re.findall(r"\{% set (\w+)", source)}
    for name, body in re.findall(r"\{% macro (\w+).*?%\}(.*?)\{%-? endmacro", source, re.S):
        expressions = re.findall(r"\{\{(.*?)\}\}", body)
        printed[name] = {re.sub(r'"[^"]*"', "...", one) for one in expressions}
    return printed


def test_both_languages_have_the_same_words_and_carry_every_number_over():
    english = words_of("words_en.md")
    chinese = words_of("words_zh.md")
    assert chinese.pop("titles") == set(), "the English titles are those of the notebooks"
    for name in ("title", "accelerator"):  # these put words for words
        assert english.pop(name) and chinese.pop(name)
    assert english == chinese and len(english) > 25
    assert " n.in_uss | thousands " in english["finding_rebuilt"]


@pytest.mark.parametrize("file", readme.WORDS.values())
def test_every_word_that_the_tables_ask_for_is_there(file):
    environment = readme.environment()
    words = environment.get_template(file).module
    for finding in findings.FINDINGS:
        name = finding[0].__name__
        assert hasattr(words, f"claim_{name}") and hasattr(words, f"finding_{name}")
    for name in readme.PARTS:
        source = (pages.TEMPLATES / f"readme_{name}.md").read_text(encoding="utf-8")
        assert meta.find_undeclared_variables(environment.parse(source)) >= {"words_file"}
        for word in re.findall(r"\bwords\.(\w+)", source):
            assert hasattr(words, word)


def test_a_title_without_chinese_is_refused_and_said_where_to_add_it(monkeypatch):
    row = {"number": "11", "file": "11_a.ipynb", "title": "Do something new", "module": "a"}
    monkeypatch.setitem(readme.PARTS, "lessons", lambda: {"lessons": [row]})
    assert readme.part("lessons").endswith(
        "| [11](notebooks/11_a.ipynb) | Do something new | `satlib.a` |"
    )
    with pytest.raises(
        ValueError, match="Do something new.*; add them to satlib/kit/templates/words_zh.md"
    ):
        readme.part("lessons", "README.zh-CN.md")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{ 0.12345 | decimals(3) }}", "0.123"),
        ("{{ [1.0, 2.25] | decimals(1) | join(', ') }}", "1.0, 2.2"),
        ("{{ [7370, 12] | thousands | join(' and ') }}", "7,370 and 12"),
        ("{{ 0.5 | signed(2) }} {{ -0.5 | signed(2) }}", "+0.50 -0.50"),
        ("{{ 0.622 | percent(1) }}", "62.2%"),
        ("{{ row | interval(2) }}", "0.10 [-0.20, 0.30]"),
        ("{{ row | signed_interval(2) }}", "+0.10 [-0.20, +0.30]"),
        ("{{ row | percent_interval(1) }}", "10.0% [-20.0%, 30.0%]"),
    ],
)
def test_how_numbers_are_written(text, made):
    row = {"value": 0.1, "low": -0.2, "high": 0.3}
    assert readme.environment().from_string(text).render(row=row) == made


def test_a_template_escapes_in_html_alone_and_refuses_what_it_was_not_given():
    for autoescape, made in ((True, "&lt;b&gt;"), (False, "<b>")):
        template = pages.environment(autoescape).from_string("{{ text }}")
        assert template.render(text="<b>") == made
        with pytest.raises(jinja2.UndefinedError, match="'text' is undefined"):
            template.render()
