"""The tables of results, and the differences below each: printed numbers beside recomputed ones."""

import re
from itertools import pairwise

from . import ledger, measures, page
from .ledger import Section, Sentence
from .page import Table
from .protocol import ORACLE, TWINS, Protocol

METRICS = ("rmse", "mae", "qwk", "spearman", "auc")
FITTED = "fitted"  # in the column of the seeds: without chance, so that it ran once
EDGE = "†"  # behind a model's name: a setting at the edge of its grid
LEGENDS = (EDGE, "A model with several seeds has their mean")  # lines without a result

HEADING = re.compile(
    r"\*\*(?P<name>[\w-]+, profile \w+)\*\* \((?:simulated|real) data\): "
    r"(?P<usual>\d+)(?: \((?P<others>[^)]+)\))? training rows, (?P<test>\d+) test rows, "
    r"seed (?P<seeds>[\d, ]+); (?P<machine>.+)\. Test part, 95 % intervals by bootstrap over "
    r"(?:users|dialogues), sorted by RMSE\."
)
DIFFERENCE = re.compile(
    r"- (?P<metric>\w+) of (?P<model>[\w-]+) minus (?P<other>[\w-]+): (?P<value>{n}), "
    r"95 % interval (?P<low>{n}) to (?P<high>{n})(?:, over (?P<drawn>[\d and]+) seeds)?; "
    r"zero lies (?P<zero>inside|outside), so these examples (?P<tell>tell|do not tell) "
    r"(?P<reach>these two trained models|the two ways of training) apart"
    r"(?:; (?P<fitted>[\w -]+) fitted without chance, run once)?"
    r"(?P<few>(?:; [\w-]+ with \d+ seeds?)*)\.".replace("{n}", page.PLAIN)
)


def chapters(text: str) -> list[str]:
    """The text of each protocol, which begins with its heading; the text before the first."""
    return [one for one in re.split(r"^(?=\*\*[\w-]+, profile )", text, flags=re.M) if one.strip()]


def check(text: str, known: Protocol, section: Section) -> None:
    """Compare all numbers of a protocol: its heading, its table, the lines below."""
    heading, *lines = page.prose(text)
    tables = page.tables(text)
    if len(tables) != 1:
        section.fail(f"{len(tables)} tables stand below one heading; give each its own")
        return
    _check_heading(heading, tables[0], known, section)
    _check_table(tables[0], known, section)
    differences = []
    for line in lines:
        if found := DIFFERENCE.fullmatch(line):
            differences.append((found["model"], found["other"]))
            _check_difference(found, known, section)
        elif line.startswith(LEGENDS):
            Sentence("legend", line, section).end()
        else:
            section.fail(f"nothing recomputes the line {line!r}")
    expected = []
    for tuned in known.records.keys() & TWINS.keys():
        expected += [(tuned, rival) for rival in known.rivals(tuned)]
    section.expect("which differences are drawn", sorted(differences), sorted(expected))


def _check_heading(heading: str, table: Table, known: Protocol, section: Section) -> None:
    """The rows that taught and tested, and the seeds."""
    found = HEADING.fullmatch(heading)
    if not found:
        section.fail(f"nothing recomputes the heading {heading!r}")
        return
    section.expect("test rows", int(found["test"]), known.test_rows)
    others = {}
    for named in (found["others"] or "").split(", "):
        model, _, rows = named.rpartition(" ")
        others[model] = rows
    for model in known.records:
        rows = known.training_rows(model)
        if rows is not None:
            said = others.get(model, found["usual"])
            section.expect(f"rows that taught {model}, in the heading", said, str(rows))
    section.expect("seeds in the heading", found["seeds"], known.seeds_shown)


def _check_table(table: Table, known: Protocol, section: Section) -> None:
    """Each row; all models must be there, the lowest RMSE first and in bold, the oracle last."""
    errors = {}
    named = []
    bold = []
    for name, *cells in table.rows:
        marked = name.removesuffix(EDGE).strip()
        model = marked.strip("*")
        named.append(model)
        if marked.startswith("**"):
            bold.append(model)
        if model in known.records:
            errors[model] = measures.value("rmse", known.test[model])
            _check_row(model, dict(zip(table.head[1:], cells, strict=True)), known, section)
    section.expect("models with a row", sorted(named), sorted(known.records))
    section.expect("columns of metrics", set(METRICS) - set(table.head), set())
    in_order = list(errors)
    oracle = in_order.index(ORACLE) + 1 if ORACLE in errors else len(errors)
    section.expect("place of the oracle", oracle, len(errors))
    competitors = [model for model in in_order if model != ORACLE]
    for one, other in pairwise(competitors):
        if errors[one] > errors[other] + 1e-9:
            section.fail(f"{one} stands before {other}, which has a lower RMSE")
    section.expect("the model in bold", bold, competitors[:1])


def _check_row(model: str, cells: dict[str, str], known: Protocol, section: Section) -> None:
    """The cells of a model: its metrics, how many rows taught it, and its seeds."""
    for column, cell in cells.items():
        what = f"{model}, {column}"
        if column in METRICS:
            recomputed = measures.estimate(column, known.test[model], known.drawn(model))
            section.compare(what, page.number(cell), recomputed)
        elif column == "training rows":
            section.expect(what, cell, str(known.training_rows(model)))
        elif column == "seeds":
            seeds = str(len(known.seeds(model)))
            section.expect(what, cell, seeds if known.by_chance(model) else FITTED)
        else:
            section.fail(f"nothing recomputes the column {column!r}")


def _check_difference(found: re.Match, known: Protocol, section: Section) -> None:
    """A paired difference: its numbers, on which side of zero it lies, and what it speaks of."""
    model, other = found["model"], found["other"]
    what = f"{found['metric']} of {model} minus {other}"
    if not {model, other} <= set(known.records):
        section.fail(f"{what}: one of the two has no record")
        return
    shown = page.number(f"{found['value']} [{found['low']}, {found['high']}]")
    recomputed = known.difference(model, other, found["metric"])
    section.compare(what, shown, recomputed, ledger.ENDS_WITHIN)
    section.expect(f"{what}: zero lies", found["zero"], "outside" if shown.clear else "inside")
    section.expect(f"{what}: whether it tells them apart", found["tell"] == "tell", shown.clear)

    drawn = known.drawn(model, other)
    reach = "the two ways of training" if drawn else "these two trained models"
    section.expect(f"{what}: what it speaks of", found["reach"], reach)
    seeds = {}
    fitted = []
    for name in (model, other):
        if known.by_chance(name):
            seeds[name] = str(len(known.seeds(name)))
        else:
            fitted.append(name)
    section.expect(f"{what}: fitted", found["fitted"] or "", " and ".join(fitted))
    if drawn:
        over = " and ".join(dict.fromkeys(seeds.values()))
        section.expect(f"{what}: seeds", found["drawn"], over)
    else:
        few = dict(re.findall(r"; ([\w-]+) with (\d+) seeds?", found["few"]))
        section.expect(f"{what}: seeds", few, seeds)
