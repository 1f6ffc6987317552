"""A data set is looked over for leaks before a lesson trains on it, as `satlib run` and `satlib
check` do.

A tool of ``runner`` and ``cli``; lessons call ``satlib.data.leaks`` on their own parts. No lesson
imports it.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from satlib import runtime, storage
from satlib.data import corpora, leaks, splits
from satlib.data.leaks import Finding


def findings(dataset: str, data_dir: str = "", rule: str = "") -> list[Finding]:
    """What ``leaks.inspect`` finds in a data set, cut as the lessons cut it.

    rule: one of ``splits.RULES``, to cut by it instead; parts that the data set fixes are then put
    aside.
    """
    if rule:
        runtime.one_of("rule", rule, splits.RULES)
    loaded = corpora.load(dataset, data_dir)
    if not rule:
        return leaks.inspect(splits.split_corpus(loaded), loaded.rule)
    free = []
    for example in loaded.examples:
        if example.part:
            example = replace(example, part=None)
        free.append(example)
    return leaks.inspect(splits.split(free, rule=rule), rule)


def tell(dataset: str, findings: list[Finding], say: Callable[..., None] = print) -> None:
    """Say one line a finding (or that there is none); ValueError with one sentence where something
    is refused."""
    refused = [finding.sentence for finding in findings if finding.severity == "refused"]
    suspects = leaks.report(findings)[len(refused) :]  # refused findings come first
    for line in suspects:
        say(f"checked {dataset}: {line}", flush=True)
    if refused:
        raise ValueError(
            f"{dataset} is refused, as a score on it would be wrong: {'; '.join(refused)}"
        )


def remember(output: Path, dataset: str, findings: list[Finding]) -> None:
    """Keep the findings for the report's page, also of later runs that need no data set."""
    storage.write_json(_path(output, dataset), [asdict(finding) for finding in findings])


def remembered(output: Path, dataset: str) -> list[Finding] | None:
    """The findings of the last check; None where there was none."""
    try:
        rows = storage.read_json(_path(output, dataset))
        return [Finding(**row) for row in rows]
    except (OSError, ValueError, TypeError):
        return None


def _path(output: Path, dataset: str) -> Path:
    return output / ".state" / f"{dataset}.findings.json"
