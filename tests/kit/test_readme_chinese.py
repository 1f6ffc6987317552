"""The Chinese README: the English one's structure, code, links and numbers, with nothing left in
English."""

import re
from collections import Counter

import pytest

from satlib.kit import readme

UNITS = (
    ("2270 万", "22.7 million"),
    ("1.1 亿", "110 million"),
)  # the same number as either language writes it
CJK = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def english(root) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def translated(root) -> str:
    text = (root / "README.zh-CN.md").read_text(encoding="utf-8")
    for here, there in UNITS:
        text = text.replace(here, there)
    return text


def prose(text) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)


def headings(text) -> list[int]:
    return [len(line) for line in re.findall(r"^(#+) ", prose(text), re.M)]


def tables(text) -> list[tuple[int, ...]]:
    """For each table the numbers of cells in its rows."""
    found = re.findall(r"(?:^\|.*\n)+", prose(text), re.M)
    return [tuple(line.count("|") for line in table.splitlines()) for table in found]


def links(text) -> list[str]:
    return [
        target
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(text))
        if not target.startswith("README")
    ]


@pytest.mark.parametrize(
    "of",
    [
        headings,
        tables,
        links,
        lambda text: re.findall(r"^```.*?^```$", text, re.S | re.M),
        lambda text: re.findall(r"<!-- .+? -->", text),
        lambda text: [len(part) > 3 for part in re.findall(r"!\[(.*?)\]", text)],
        lambda text: len(re.findall(r"^- ", prose(text), re.M)),
        lambda text: Counter(re.findall(r"`[^`]+`", prose(text))),
        lambda text: Counter(re.findall(r"\d+(?:[.,]\d+)*", prose(text))),
    ],
    ids=["headings", "tables", "links", "code", "markers", "images", "items", "names", "numbers"],
)
def test_the_structure_is_that_of_the_english_one(english, translated, of):
    assert of(translated) == of(english)


def test_the_two_languages_name_each_other_below_the_title(english, translated):
    assert (
        english.splitlines()[2] == "[中文](README.zh-CN.md)"
        and translated.splitlines()[2] == "[English](README.md)"
    )


def test_prose_is_chinese(translated):
    """Every paragraph, heading, cell of words and item, except the works that are cited."""
    cited = translated.index("## 引用"), translated.index("## 许可")
    text = re.sub(
        r"<!-- (\w+) -->.*?<!-- /\1 -->",
        "",
        translated[: cited[0]] + translated[cited[1] :],
        flags=re.S,
    )
    for block in re.split(r"\n\n+", prose(text)):
        if block.strip() and block.strip() not in ("# satlib", "[English](README.md)"):
            assert CJK.search(block), block
    assert not re.search(
        r"\b(the|of|and|with|which|is)\b", re.sub(r"`[^`]+`|\(.*?\)", "", prose(text))
    )


@pytest.mark.parametrize("part", readme.PARTS)
def test_generated_parts_carry_every_number_over_and_leave_no_english(part):
    english = readme.part(part)
    made = readme.part(part, "README.zh-CN.md")
    numbers = r"\d+(?:[.,]\d+)*"
    assert Counter(re.findall(numbers, made)) == Counter(re.findall(numbers, english))
    words = re.sub(r"\brows \d", "", made)  # the name of a split
    assert not re.search(r"\b(the|of|rows|with|users|interval|reproduced)\b", words)


def test_every_lesson_has_a_chinese_title_of_its_own():
    rows = readme.part("lessons", "README.zh-CN.md").splitlines()[2:]
    titles = [row.split(" | ")[1] for row in rows]
    assert len(set(titles)) == len(titles) and all(CJK.search(title) for title in titles)
