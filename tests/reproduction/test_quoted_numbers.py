"""A quoted number comes without predictions, so nothing may say that it lies inside or outside an
interval: neither the README's table, nor a sentence of the lessons, nor a comparison in code."""

import ast
import re

import pytest

from satlib.kit import course, readme

VERDICT = re.compile(r"\b(inside|outside|within|overlaps?|between the bounds)\b", re.IGNORECASE)
VERDICT_ZH = re.compile("区间[之]?[内外]|落在")
QUOTED = re.compile(
    r"\b(quoted?s?|published|paper'?s?|literature|leaderboard|measured before|ASAP|USDA|T5|Siro"
    r"|Surprise|XGBoost|reported)\b|\[index\]"
)
# Names in code: of a quoted number, and of the ends of an interval.
QUOTED_NAMES = {"quoted", "published", "then", "before", "theirs", "paper", "number", "reported"}
ENDS = {"low", "high", "lower", "upper"}
LESSONS = [lesson for lesson in course.lessons() if lesson.number[0] == "6"]


def sentences(text: str) -> list[str]:
    """The sentences of a text: its lines belong together until an empty one, a full stop, a colon
    or a semicolon."""
    found = []
    for paragraph in re.split(r"\n\s*\n|\n(?=[-*|>#])", text):
        found += re.split(r"(?<=[.;:?!])\s+", " ".join(paragraph.split()))
    return found


def verdicts(text: str) -> list[str]:
    """The sentences that judge a quoted number by an interval."""
    return [one for one in sentences(text) if VERDICT.search(one) and QUOTED.search(one)]


def names_in(node: ast.AST) -> set[str]:
    """All names, attributes and short strings in a piece of code."""
    found = set()
    for part in ast.walk(node):
        for field in ("id", "attr", "value"):
            word = getattr(part, field, None)
            if isinstance(word, str):
                found.add(word)
    return found


def comparisons(code: str) -> list[str]:
    """The comparisons of a quoted number with the end of an interval."""
    plain = re.sub(r"^(\s*)%.*$", r"\1pass", code, flags=re.M)
    found = []
    for node in ast.walk(ast.parse(plain)):
        if isinstance(node, ast.Compare):
            names = names_in(node)
            if names & QUOTED_NAMES and names & ENDS:
                found.append(ast.unparse(node))
    return found


def output_lines(cell: dict) -> list[str]:
    """What a cell printed or showed as text, line by line."""
    lines = []
    for output in cell.get("outputs", []):
        texts = [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
        for text in texts:
            lines += "".join(text).splitlines()
    return lines


# The checks find what once stood there


@pytest.mark.parametrize(
    "text",
    [
        "usda-redial: 62.2%; ASAP [index] 66.0% lies inside",
        "the published value lies inside the interval of: means of the same annotators",
        "A quoted number that is outside\nour interval differs.",
    ],
)
def test_a_verdict_on_a_quoted_number_is_found(text):
    assert verdicts(text)


def test_a_verdict_on_two_models_of_ours_is_none():
    assert not verdicts("bert minus trees: zero lies inside, so these examples do not tell.")
    assert not verdicts("3.8 points below a quoted number. Zero lies outside the interval.")


@pytest.mark.parametrize(
    "code",
    [
        'near = row["low"] <= quoted["value"] <= row["high"]',
        "assert low < then < high",
        "if low <= number.value <= high:\n    pass",
        "if quoted > high:\n    pass",
    ],
)
def test_a_comparison_with_an_end_of_an_interval_is_found(code):
    assert comparisons(code)
    assert not comparisons(code.replace("low", "x").replace("high", "y"))


# The README, the lessons and the code


@pytest.mark.parametrize("page", readme.WORDS)
def test_the_table_on_the_literature_calls_nothing_inside_or_outside(page):
    table = readme.part("literature", page)
    assert not VERDICT.search(table) and not VERDICT_ZH.search(table)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_no_lesson_judges_a_quoted_number_by_an_interval(lesson):
    for cell in lesson.cells:
        source = course.source(cell)
        said = [source, *output_lines(cell)] if cell["cell_type"] == "code" else [source]
        for text in said:
            assert verdicts(text) == []
        if cell["cell_type"] == "code":
            assert comparisons(source) == []


def test_no_module_compares_a_quoted_number_with_an_interval(root):
    for path in sorted((root / "satlib" / "reproduction").glob("*.py")):
        assert comparisons(path.read_text(encoding="utf-8")) == [], path.name
