"""The parts of the README that the code writes: lessons, results of the committed records, and what
they say of the literature; in English and, for README.zh-CN.md, in Chinese.

``satlib notebooks`` writes them anew between their markers, a test compares them. No lesson imports this module.
"""

import re
from collections.abc import Callable

from satlib import archive, chinese, comparison, corpora, course, findings, records, report, runtime

HEADLINE, FIGURE = "90_report-headline.png", "headline.png"  # a lesson's figure, and its copy in data/ for the README
FILES: dict[str, Callable[[str], str]] = {"README.md": str, "README.zh-CN.md": chinese.block}  # and in which words
SHOWN = ("rmse", "mae", "qwk", "spearman", "auc")
PROFILES = ("fast", "full")
COMPARED = ((archive.AFTER, archive.RIDGE), (archive.AFTER, archive.BEFORE), (archive.BOTH, archive.TREES))


def fill(text: str, words: Callable[[str], str] = str) -> str:
    """The README's text with the generated parts made anew, each put into other ``words``; ValueError where a pair of
    markers is missing."""
    for name, made in (("lessons", lessons()), ("results", results()), ("literature", findings.table())):
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if start not in text or end not in text:
            raise ValueError(f"the README lacks the markers {start} and {end}; put them back")
        whole = f"{start}\n{words(made)}\n{end}"
        text = re.sub(f"{start}.*?{end}", lambda _, whole=whole: whole, text, flags=re.S)
    return text


def lessons() -> str:
    """The table of lessons: number with link, title, module."""
    names = course.modules()
    rows = [f"| [{x.stem[:2]}](notebooks/{x.path.name}) | {x.title} | `satlib.{course.module_of(x.stem, names)}` |"
            for x in course.lessons()]
    return "\n".join(["| lesson | what you do | module |", "|---|---|---|", *rows])


def results() -> str:
    """One table per data set and profile of the committed records, with the facts that a number needs."""
    parts = []
    for dataset in corpora.REGISTRY:
        for profile in PROFILES:
            found = archive.comparable(archive.load_committed(dataset, profile))
            if found:
                parts.append(_part(dataset, profile, found))
    return "\n\n".join(parts)


def _part(dataset: str, profile: str, found: list[records.RunRecord]) -> str:
    said = report.facts(found)
    tuned = next((r for r in found if r.model == archive.AFTER), found[0])
    head = (f"**{dataset}, profile {profile}**: {said['training rows']} training rows, {said['test rows']} test rows, "
            f"seed {said['seeds']}; {tuned.machine['cores']} cores of {tuned.machine['processor']}, "
            f"accelerator: {said['accelerator']}. Test part, 95 % intervals by bootstrap over "
            f"{'dialogues' if 'redial' in dataset or dataset.startswith('uss') else 'users'}.")
    table = report.table(found, SHOWN)
    rows = ["| " + " | ".join(("model", *SHOWN)) + " |", "|---" * (len(SHOWN) + 1) + "|"]
    rows += ["| " + " | ".join((name, *table.loc[name])) + " |" for name in table.index]
    gaps = [f"- {comparison.difference(found, *two)}." for two in COMPARED if {*two} <= {r.model for r in found}]
    return "\n".join([head, "", *rows, "", *gaps])


def write() -> None:
    """Rewrite the generated parts of the checkout's README, in both languages."""
    for name, words in FILES.items():
        path = runtime.PACKAGE.parent / name
        runtime.write_text(path, fill(path.read_text(encoding="utf-8"), words))
