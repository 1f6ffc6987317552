"""The parts of the README that the code writes: lessons, results of the committed records, and what
they say of the literature; in English and, for README.zh-CN.md, in Chinese.

``satlib notebooks`` writes them anew between their markers, a test compares them. No lesson imports
this module.
"""

import functools
import re
from collections.abc import Callable

from satlib import records, report, runtime, storage
from satlib.data.registry import REGISTRY
from satlib.evaluation import comparable_records, comparison
from satlib.kit import course, readme_chinese
from satlib.reproduction import findings
from satlib.training import speed

HEADLINE, FIGURE = (
    "99_report-headline.png",
    "headline.png",
)  # a lesson's figure, and its copy in data/ for the README
FILES: dict[str, Callable[[str], str]] = {
    "README.md": str,
    "README.zh-CN.md": readme_chinese.block,
}  # and in which words
SHOWN = ("rmse", "mae", "qwk", "spearman", "auc")
PROFILES = ("fast", "full")
COMPARED = (
    (comparable_records.AFTER, comparable_records.RIDGE),
    (comparable_records.AFTER, comparable_records.BEFORE),
    (comparable_records.BOTH, comparable_records.TREES),
)


def fill(text: str, words: Callable[[str], str] = str) -> str:
    """The README's text with the generated parts made anew, each put into other ``words``;
    ValueError where a pair of markers is missing."""
    parts = {"lessons": lessons, "results": results, "literature": findings.table, "speed": speeds}
    for name, make in parts.items():
        made = make()
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if start not in text or end not in text:
            raise ValueError(f"the README lacks the markers {start} and {end}; put them back")
        whole = f"{start}\n{words(made)}\n{end}"
        text = re.sub(f"{start}.*?{end}", lambda _, whole=whole: whole, text, flags=re.S)
    return text


def lessons() -> str:
    """The table of lessons: number with link, title, module."""
    names = course.modules()
    rows = [
        f"| [{x.stem[:2]}](notebooks/{x.path.name}) | {x.title} | `satlib.{course.module_of(x.stem, names)}` |"
        for x in course.lessons()
    ]
    return "\n".join(["| lesson | what you do | module |", "|---|---|---|", *rows])


@functools.cache  # it takes seconds, and each language asks for it
def results() -> str:
    """One table per data set and profile of the committed records, with the facts that a number
    needs."""
    parts = []
    for dataset in REGISTRY:
        for profile in PROFILES:
            found = comparable_records.comparable(
                comparable_records.load_committed(dataset, profile)
            )
            if found:
                parts.append(_part(dataset, profile, found))
    return "\n\n".join(parts)


def _part(dataset: str, profile: str, found: list[records.RunRecord]) -> str:
    said = report.facts(found)
    tuned = next((r for r in found if r.model == comparable_records.AFTER), found[0])
    head = (
        f"**{dataset}, profile {profile}**: {said['training rows']} training rows, {said['test rows']} test rows, "
        f"seed {said['seeds']}; {tuned.machine['cores']} cores of {tuned.machine['processor']}, "
        f"accelerator: {said['accelerator']}. Test part, 95 % intervals by bootstrap over "
        f"{'dialogues' if 'redial' in dataset or dataset.startswith('uss') else 'users'}."
    )
    table = report.table(found, SHOWN)
    rows = ["| " + " | ".join(("model", *SHOWN)) + " |", "|---" * (len(SHOWN) + 1) + "|"]
    rows += ["| " + " | ".join((name, *table.loc[name])) + " |" for name in table.index]
    gaps = [
        f"- {comparison.difference(found, *two)}."
        for two in COMPARED
        if {*two} <= {r.model for r in found}
    ]
    return "\n".join([head, "", *rows, "", *gaps])


def speeds() -> str:
    """The tables of ``make bench`` whose files are committed: training and scoring, by satlib and
    by others."""
    folder = runtime.data_folder() / "runs" / "speed"
    about = storage.read_json(folder / "machine.json")
    machine = about["machine"]
    parts = [
        f"{about['corpus']}, {about['mean_tokens']:.0f} tokens a text on average; {machine['cores']} cores of "
        f"{machine['processor']}; medians of {about['rounds']} rounds, in which all took turns. Losses of "
        f"training are those after {about['learn']} texts.",
        _judged(speed.rounds(folder, "training"), about["judge"]),
    ]
    for kind in ("training", "scoring"):
        rows, times = speed.bench(folder, kind), speed.times_as_fast(speed.rounds(folder, kind))
        table = [
            f"| {kind} | texts/s | satlib is so many times as fast | share of the peak | memory (MB) | loss |",
            "|---" * 6 + "|",
        ]
        table += [
            f"| {row['system']} | {row['examples_per_s']:.1f} | {times.get(row['system'], 1):.2f} | "
            f"{row['peak_share']:.1%} | {row['peak_memory_mb']:.0f} | {row['validation_loss']:.4f} |"
            for row in rows
        ]
        parts.append("\n".join(table))
    return "\n\n".join(parts)


def _judged(found: dict, texts: int) -> str:
    half, whole = found["losses"]["satlib"], found["losses"]["satlib-fp32"]
    return (
        f"After {texts} texts, satlib's loss is {sum(half) / len(half):.4f} in the precision of the machine and "
        f"{sum(whole) / len(whole):.4f} in fp32, means of {len(whole)} seeds; those in fp32 differ by up to "
        f"{max(whole) - min(whole):.4f}."
    )


def write() -> None:
    """Rewrite the generated parts of the checkout's README, in both languages."""
    for name, words in FILES.items():
        path = runtime.PACKAGE.parent / name
        storage.write_text(path, fill(path.read_text(encoding="utf-8"), words))
