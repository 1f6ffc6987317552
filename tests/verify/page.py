"""A README taken apart: its generated parts, its tables, and the numbers in a text."""

import math
import re
from dataclasses import dataclass, field

UNDEFINED = "-"  # how a page prints a metric that is not defined

PLAIN = r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d*\.\d+|\d+)"
# A number, with a % or not, and an interval or none: "0.07 [0.06, 0.08]", "62.2% [56.9%, 67.2%]".
NUMBER = rf"{PLAIN}%?(?: \[{PLAIN}%?, {PLAIN}%?\])?"
# A number by itself: no digit inside a name ("T5", "uss-2").
STANDING = re.compile(rf"(?<![\w.,+-]){NUMBER}(?!\w)", re.ASCII)


@dataclass(frozen=True)
class Number:
    """A printed number; half_unit: half of its last digit; low, high: nan without an interval."""

    value: float
    half_unit: float = 0.0
    low: float = math.nan
    high: float = math.nan

    @property
    def clear(self) -> bool:
        """Whether zero lies outside the interval. A printed "-0.000" was rounded from below."""
        return math.copysign(1, self.low) == math.copysign(1, self.high)

    def __str__(self) -> str:
        if math.isnan(self.low):
            return f"{self.value:.4g}"
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def number(text: str, unit: float = 1.0) -> Number | None:
    """The number that a text consists of; None where it says that it is not defined.

    unit: 0.01 where the page prints points of a share; a % says so itself.
    """
    text = text.strip().strip("*")
    if text == UNDEFINED:
        return None
    if not re.fullmatch(NUMBER, text):
        raise ValueError(f"{text!r} is no number with an interval, and not {UNDEFINED!r}")
    scale = 0.01 if "%" in text else unit
    printed = re.findall(PLAIN, text)
    value, *ends = [scale * float(one.replace(",", "")) for one in printed]
    _, _, decimals = printed[0].partition(".")
    half_unit = scale * 0.5 * 10.0 ** -len(decimals)
    return Number(value, half_unit, *ends)


@dataclass
class Table:
    """A table of a page: the cells of its head and of its rows."""

    head: list[str]
    rows: list[list[str]] = field(default_factory=list)


def parts(page: str) -> dict[str, str]:
    """Name -> text of every generated part; ValueError where a part does not end."""
    found = {}
    for match in re.finditer(r"^<!-- (\w+) -->$", page, re.MULTILINE):
        name = match[1]
        end = page.find(f"<!-- /{name} -->", match.end())
        if end < 0:
            raise ValueError(f"the part {name!r} of the page has no end")
        found[name] = page[match.end() : end].strip()
    return found


def outside(page: str) -> str:
    """The page without its generated parts."""
    return re.sub(r"^<!-- (\w+) -->$.*?^<!-- /\1 -->$", "", page, flags=re.M | re.S)


def without_code(text: str) -> str:
    """The text without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def prose(text: str) -> list[str]:
    """The lines of a text that are neither empty nor code nor of a table."""
    lines = without_code(text).splitlines()
    return [line for line in lines if line.strip() and line[0] != "|"]


def tables(text: str) -> list[Table]:
    """The tables of a text; ValueError where a head has no line of dashes below it."""
    found = []
    for block in re.findall(r"(?:^\|.*\n?)+", without_code(text), re.MULTILINE):
        head, *rows = [cells(line) for line in block.splitlines()]
        if not rows or set("".join(rows[0])) != {"-"}:
            raise ValueError(f"the table with the head {head} has no line of dashes below it")
        found.append(Table(head, rows[1:]))
    return found


def cells(line: str) -> list[str]:
    """The cells of a line of a table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
