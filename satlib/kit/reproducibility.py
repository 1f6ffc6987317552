"""The page on reproducibility: the settings that were tried and chosen, what each record cost and
on which machine, the commands, and how to cite.

Everything on it is read from the committed records, from the grids in the code and from
CITATION.cff; the words stand in ``templates/reproducibility.md``. ``satlib notebooks`` writes the
page anew, a test compares it. No lesson imports this module.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from satlib import records, runtime
from satlib.baselines import fitting
from satlib.evaluation import comparable_records
from satlib.kit import pages, remake
from satlib.records import RunRecord
from satlib.training import finetune

PAGE = "docs/reproducibility.md"  # in the checkout
NOT_MEASURED = "not measured"
PENALTY = "penalty"  # of the head, which the validation rows choose
RECORD = re.compile(r"-seed\d+\.json")  # in the name of a file that is a run record
# What a record holds beside its settings: what the model is, and what it saw.
NO_SETTING = (
    "train_rows",
    "sees",
    "words",
    "edge",
    "members",
    "encoder",
    "parameters",
    "features",
    "split",
)


@dataclass(frozen=True)
class Setting:
    """A setting of a model: the values that were tried, as text, and what each protocol took."""

    model: str
    name: str
    grid: str
    chosen: dict[tuple[str, str], str]


def page() -> str:
    """The text of the page."""
    template = pages.environment(autoescape=False).get_template("reproducibility.md")
    own = protocols()
    return template.render(
        protocols=list(own),
        settings=settings(own),
        costs=costs(own),
        studies=studies(),
        commands=remake.COMMANDS,
        citation=citation(),
    )


@functools.cache
def protocols() -> dict[tuple[str, str], list[RunRecord]]:
    """Data set and profile -> their committed records, in the order of the README's tables."""
    found = {}
    for dataset, profile in remake.COMMANDS:
        committed = comparable_records.load_committed(dataset, profile)
        if committed:
            found[dataset, profile] = comparable_records.comparable(committed)
    return found


# Settings


def settings(own: dict[tuple[str, str], list[RunRecord]]) -> list[Setting]:
    """One row for each setting of each model, in the order of the tables."""
    everyone = [record for committed in own.values() for record in committed]
    order = comparable_records.MODEL_ORDER
    names = dict.fromkeys([*order, *comparable_records.models(everyone)])
    found = []
    for model in names:
        for name in _settings_of(everyone, model):
            grid = tried(model, name)
            chosen = {}
            for protocol, committed in own.items():
                chosen[protocol] = _chosen(committed, model, name, grid)
            found.append(Setting(model, name, _listed(grid) if grid else "-", chosen))
    return found


def _settings_of(everyone: Sequence[RunRecord], model: str) -> list[str]:
    """The names of the settings that records of a model hold, in their order."""
    names = []
    for record in everyone:
        if record.model == model:
            names += [name for name in record.parameters if name not in NO_SETTING]
    return list(dict.fromkeys(names))


def tried(model: str, name: str) -> list[float]:
    """The grid of a setting that the validation rows choose from, ascending; empty where it is not
    searched."""
    if name == PENALTY:
        return sorted(finetune.STRENGTHS)
    if model not in fitting.BASELINES:
        return []
    values = {one[name] for one in fitting.BASELINES[model].tried if name in one}
    return sorted(values)


def _chosen(committed: Sequence[RunRecord], model: str, name: str, grid: Sequence[float]) -> str:
    """What the records of one protocol took, each value once in the order of the seeds, with a mark
    where it is the first or the last of its grid."""
    texts = []
    for record in committed:
        if record.model == model and name in record.parameters:
            value = record.parameters[name]
            at_edge = name in record.parameters.get("edge", ())
            if "edge" not in record.parameters and grid:
                # Older records do not say; the grid of today does.
                at_edge = value in (grid[0], grid[-1])
            texts.append(f"{_number(value)} (edge)" if at_edge else _number(value))
    return ", ".join(dict.fromkeys(texts)) or "-"


def _listed(grid: Iterable[float]) -> str:
    return ", ".join(map(_number, grid))


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


# Costs


def costs(own: dict[tuple[str, str], list[RunRecord]]) -> list[dict]:
    """What the models of each protocol took: their seeds, seconds of each, and machine."""
    rows = []
    for (dataset, profile), committed in own.items():
        for model in comparable_records.models(committed):
            seeds = [record for record in committed if record.model == model]
            rows.append(
                {
                    "protocol": f"{dataset}, {profile}",
                    "model": model,
                    "seeds": len(seeds),
                    "seconds": ", ".join(_seconds(record) for record in seeds),
                    "machine": machine(seeds[0]),
                }
            )
    return rows


def _seconds(record: RunRecord) -> str:
    return NOT_MEASURED if record.seconds is None else f"{record.seconds:.1f}"


def machine(record: RunRecord) -> str:
    """The machine of a record in words."""
    about = record.machine
    words = f"{about.get('cores', '?')} cores of {about.get('processor', 'unknown')}"
    if "threads" in about:
        words = f"{words}, threads: {about['threads']}"
    if about.get("accelerator", "none") != "none":
        words = f"{words}, {about['accelerator']}"
    return words


@functools.cache
def studies() -> list[dict]:
    """The folders of records beside the README's tables: how many, what they took, where."""
    rows = []
    for folder in sorted((runtime.data_folder() / "runs").iterdir()):
        found = _records_in(folder) if folder.is_dir() else []
        if found:
            measured = [record.seconds for record in found if record.seconds is not None]
            usual, _ = Counter(map(machine, found)).most_common(1)[0]
            rows.append(
                {
                    "folder": folder.name,
                    "records": len(found),
                    "measured": len(measured),
                    "seconds": f"{sum(measured):.0f}" if measured else NOT_MEASURED,
                    "machine": usual,
                }
            )
    return rows


def _records_in(folder: Path) -> list[RunRecord]:
    """The run records of a folder; splits and tables of speed, which lie among them, are none."""
    return [records.load(path) for path in records.paths(folder) if RECORD.search(path.name)]


def citation() -> dict:
    """What CITATION.cff says."""
    import yaml

    path = runtime.PACKAGE.parent / "CITATION.cff"
    return yaml.safe_load(path.read_text(encoding="utf-8"))
