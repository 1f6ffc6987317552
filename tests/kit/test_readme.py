"""The generated parts of the README are what the code would write now, and the code that writes
them."""

import re

import pytest

from satlib import record_cache, records, runtime
from satlib.kit import course, readme
from satlib.reproduction import findings, protocols


def test_the_readme_is_up_to_date(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    assert readme.fill(text) == text, "run `make notebooks`, which writes the README's tables anew"


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
    text = readme.results()
    for record in records.load_all(runtime.data_folder() / "runs"):
        row = next(r for r in record.rows if (r["part"], r["metric"]) == ("test", "rmse"))
        assert (
            f"| {record.model} | {row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]" in text
        )


def test_the_figure_exists(root):
    assert (root / "data" / readme.FIGURE).stat().st_size < 200_000


def test_the_literature_is_told_from_the_records():
    lines = findings.table().splitlines()
    assert len(lines) == 2 + len(findings.LINES) and all(line.count("|") == 4 for line in lines)
    values = [
        next(r["value"] for r in record.rows if r["metric"] == "published_rho")
        for corpus in protocols.USS
        for record in record_cache.found(findings.folder(), corpus, "A0")
        if record.model == "always-3"
    ]
    assert ", ".join(f"{value:.3f}" for value in values) in findings.constant()
