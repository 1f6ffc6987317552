"""The Chinese README: the English one's structure, code, links and numbers, with nothing left in
English."""

import re
from collections import Counter

import pytest

from satlib.kit import course, readme, readme_chinese
from satlib.reproduction import findings

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


def test_the_generated_parts_are_up_to_date(root):
    text = (root / "README.zh-CN.md").read_text(encoding="utf-8")
    assert readme.fill(text, readme_chinese.block) == text, (
        "run `make notebooks`, which writes the README's tables anew"
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


@pytest.mark.parametrize("part", ["lessons", "literature", "results"])
def test_generated_parts_carry_every_number_over_and_leave_no_english(part):
    text = {"lessons": readme.lessons, "literature": findings.table, "results": readme.results}[
        part
    ]()
    made = readme_chinese.block(text)
    assert Counter(re.findall(r"\d+(?:[.,]\d+)*", made)) == Counter(
        re.findall(r"\d+(?:[.,]\d+)*", text)
    )
    assert not re.search(
        r"\b(the|of|rows|with|users|interval|reproduced)\b", re.sub(r"\brows \d", "", made)
    )


def test_every_lesson_has_a_chinese_title():
    titles = [lesson.title for lesson in course.lessons()]
    assert [title for title in titles if title not in readme_chinese.TERMS] == []
    told = [readme_chinese.TERMS[title] for title in titles]
    assert len(set(told)) == len(told) and all(map(CJK.search, told))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "rmse of bert-after minus mean: +0.1",
            "no Chinese for 'rmse of bert-after minus mean: \\+0.1'",
        ),
        (
            "| [11](notebooks/11_a.ipynb) | Do something new | `satlib.a` |",
            "no Chinese for 'Do something new'",
        ),
    ],
)
def test_what_has_no_chinese_is_refused(text, said):
    with pytest.raises(ValueError, match=said + "; add it to satlib/chinese.py"):
        readme_chinese.block(text)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (
            "- rmse of a minus b: -0.131, 95 % interval -0.167 to +0.099; zero lies inside, so these examples do not tell the "
            "two apart.",
            "- a 的 rmse 减去 b 的：-0.131，95 % 区间 -0.167 到 +0.099；零在区间之内，这些样本不足以分辨二者。",
        ),
        (
            "| bert-after | 1.405 [1.367, 1.443] | - | -0.014 [-0.082, 0.055] |",
            "| bert-after | 1.405 [1.367, 1.443] | - | -0.014 [-0.082, 0.055] |",
        ),
        ("|---|---|", "|---|---|"),
        ("", ""),
    ],
)
def test_words_change_and_numbers_stay(text, made):
    assert readme_chinese.block(text) == made
