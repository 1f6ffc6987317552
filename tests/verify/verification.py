"""Recompute what README.md prints, from the committed predictions, by other means than the kit's.

Nothing here imports satlib: records are read as JSON, metrics come from scikit-learn and scipy,
intervals from a bootstrap of its own, 10,000 draws of whole groups (users, dialogues), and of seeds
where the page says so. A metric must be within 0.001 of what is printed, the end of an interval and
a paired difference within 0.01; what rounding changes is allowed for.

A table or a sentence with a result that nothing here knows is a fault: either it is recomputed, or
its name stands below among what is excluded, with the reason.
"""

import re
from collections import Counter
from pathlib import Path

from threadpoolctl import threadpool_limits

from . import first_screen, literature, page, records, results
from .ledger import Section
from .protocol import Protocol

# Generated parts that are not recomputed -> why not.
EXCLUDED_PARTS = {
    "commands": "run time and disk of the two commands, measured on one machine",
    "lessons": "the list of lessons, which has no results",
    "speed": "speed and memory, measured on one machine",
}
VERIFIED_PARTS = ("figure", "pays", "results", "literature")
# The first cell of every table's head: of those that are recomputed, and of the others.
VERIFIED_TABLES = ("model", "the literature says")
EXCLUDED_TABLES = ("lesson", "training", "scoring", "what", "name")
# What a result looks like in a sentence: three decimals, a share with a decimal, an interval.
RESULT = re.compile(r"(?<!\d)\d?\.\d{3}\b|\d\.\d%|\d%? \[[+-]?[\d.]")


def verify(english: str, chinese: str, folder: Path) -> list[Section]:
    """What a comparison of README.md, and of README.zh-CN.md, with the records of data/runs finds,
    section by section."""
    # Threads that wait for each other would cost more than they save.
    with threadpool_limits(limits=1):
        parts = page.parts(english)
        known = [Protocol(*name, own) for name, own in records.protocols(folder).items()]
        figure, pays = Section("headline figure"), Section("where fine-tuning pays")
        first_screen.check_figure(parts.get("figure", ""), known, figure)
        first_screen.check_pays(parts.get("pays", ""), known, folder, pays)
        sections = [figure, pays, *check_results(parts.get("results", ""), known)]
        sections.append(literature.check(parts.get("literature", ""), folder / "reproduction"))
    return [*sections, check_coverage(english), check_translation(english, chinese)]


def check_results(text: str, known: list[Protocol]) -> list[Section]:
    """A section for each table of the results; every data set and profile with records has one."""
    whole = Section("tables of results")
    of_tables = []
    named = []
    for chapter in results.chapters(text):
        heading = results.HEADING.match(chapter)
        own = [one for one in known if heading and one.name == heading.group("name")]
        if not own:
            whole.fail(f"nothing recomputes what begins with {chapter.splitlines()[0]!r}")
            continue
        section = Section(own[0].name)
        results.check(chapter, own[0], section)
        of_tables.append(section)
        named.append(section.name)
    whole.expect("data sets and profiles", sorted(named), sorted(one.name for one in known))
    return [whole, *of_tables]


def check_coverage(english: str) -> Section:
    """Whether every table and every result of the page is known."""
    section = Section("the rest of the page")
    for name in page.parts(english):
        if name in EXCLUDED_PARTS:
            section.exclude(name, EXCLUDED_PARTS[name])
        elif name not in VERIFIED_PARTS:
            section.fail(f"nothing recomputes the generated part {name!r}; teach make verify to")
    section.exclude("processor and cores above each table", "what a record says of its machine")
    section.exclude("the words between the generated parts", "written by hand, without results")
    for table in page.tables(english):
        first = table.head[0]
        if first not in (*VERIFIED_TABLES, *EXCLUDED_TABLES):
            section.fail(f"nothing recomputes the table with the head {table.head}; teach it")
    for line in page.outside(english).splitlines():
        if RESULT.search(line):
            section.fail(f"a result stands outside the generated parts: {line.strip()!r}")
    return section


def check_translation(english: str, chinese: str) -> Section:
    """Whether the generated parts of README.zh-CN.md print the same numbers, line by line."""
    section = Section("README.zh-CN.md")
    translated = page.parts(chinese)
    for name, text in page.parts(english).items():
        lines = text.splitlines()
        others = translated.get(name, "").splitlines()
        section.expect(f"lines of the part {name!r}", len(others), len(lines))
        for line, other in zip(lines, others, strict=False):
            printed = Counter(re.findall(page.PLAIN, line))
            section.expect(f"numbers of {line!r}", Counter(re.findall(page.PLAIN, other)), printed)
    return section
