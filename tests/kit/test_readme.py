"""The generated parts of the README are what the code would write now, and the code that writes
them."""

import re

import jinja2
import pytest
from invented import make
from jinja2 import meta

from satlib import record_cache
from satlib.evaluation import comparable_records, comparison
from satlib.kit import course, pages, readme, remake
from satlib.reproduction import findings, protocols


@pytest.mark.parametrize("page", readme.WORDS)
def test_the_readme_is_up_to_date(root, page):
    text = (root / page).read_text(encoding="utf-8")
    assert readme.fill(text, page) == text, (
        "run `make notebooks`, which writes the README's tables anew"
    )


def markers(*names) -> str:
    return " ".join(f"<!-- {name} --><!-- /{name} -->" for name in names)


def test_filling_keeps_the_rest_and_is_idempotent():
    others = [name for name in readme.PARTS if name != "lessons"]
    text = (
        f"before <!-- lessons -->written before<!-- /lessons --> between {markers(*others)} after"
    )
    once = readme.fill(text)
    assert once.startswith("before <!-- lessons -->") and once.endswith("<!-- /speed --> after")
    assert "written before" not in once
    assert readme.fill(once) == once
    assert len(re.findall(r"^\| \[\d\d\]", once, re.M)) == len(course.lessons())


def test_a_missing_marker_is_named():
    others = [name for name in readme.PARTS if name != "results"]
    with pytest.raises(ValueError, match="<!-- results -->"):
        readme.fill(markers(*others))


# The tables of results


def sections(text) -> dict[tuple[str, str], str]:
    """Data set and profile -> its part of the results."""
    found = re.split(r"^\*\*([\w-]+), profile (\w+)\*\* ", text, flags=re.M)[1:]
    names = zip(found[::3], found[1::3], strict=True)
    return dict(zip(names, found[2::3], strict=True))


def table_of(section) -> list[list[str]]:
    """The rows of a table as cells, without the marks of the best, the oracle and an edge."""
    lines = re.findall(r"^\| (.*) \|$", section, re.M)
    cells = [re.sub(r"\*| †", "", line).split(" | ") for line in lines]
    return [row for row in cells if not row[0].startswith("---")]


@pytest.fixture(scope="module")
def tables():
    return sections(readme.part("results"))


def test_every_model_that_was_run_is_in_the_table_with_the_numbers_of_its_record(tables):
    records = readme.comparable()
    assert tables.keys() == records.keys() == remake.COMMANDS.keys()
    for protocol, section in tables.items():
        head, *rows = table_of(section)
        of_model = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
        assert set(of_model) == {record.model for record in records[protocol]}
        for record in records[protocol]:
            cells = of_model[record.model]
            row = next(r for r in record.rows if (r["part"], r["metric"]) == ("test", "rmse"))
            seeds = [one for one in records[protocol] if one.model == record.model]
            if len(seeds) == 1:
                expected = f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
                assert cells["rmse"] == expected
            rows_said = cells.get("training rows", str(record.parameters["train_rows"]))
            assert rows_said == str(record.parameters["train_rows"])


def test_a_table_is_sorted_with_the_best_in_bold_and_the_oracle_at_the_end(tables):
    for section in tables.values():
        head, *rows = table_of(section)
        errors = [float(row[head.index("rmse")].split()[0]) for row in rows]
        names = [row[0] for row in rows]
        if "oracle" in names:
            assert names.pop() == "oracle" and "| *oracle* |" in section
            errors.pop()
        assert errors == sorted(errors)
        assert re.findall(r"^\| \*\*(.+?)\*\* \|", section, re.M) == names[:1]


def test_models_of_different_numbers_of_training_rows_say_so_in_their_rows(tables):
    for protocol, section in tables.items():
        counts = {one.parameters["train_rows"] for one in readme.comparable()[protocol]}
        assert ("| training rows |" in section) == (len(counts) > 1)
    assert "| training rows |" in tables["movielens", "full"]


def test_differences_are_drawn_against_the_best_baseline_on_as_many_rows(tables):
    for protocol, section in tables.items():
        records = readme.comparable()[protocol]
        said = re.findall(r"^- rmse of ([\w-]+) minus ([\w-]+): (.*)$", section, re.M)
        assert said
        first = {}
        for model, other, rest in said:
            assert comparable_records.training_rows(
                records, model
            ) == comparable_records.training_rows(records, other)
            assert ("these two trained models" in rest) or re.search(r"over \d+", rest)
            first.setdefault(model, other)
        for model, other in first.items():
            assert other == comparison.best_baseline(records, model=model)


def test_the_commands_stand_under_their_table(tables):
    for protocol, section in tables.items():
        (block,) = re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)
        assert block.splitlines() == list(remake.COMMANDS[protocol])


def an_edge():
    """Records of which one was fitted at the edge of its grid, one of two seeds, one of more
    rows."""
    made = [make(name, parameters={"train_rows": 90}) for name in ("mean", "tfidf-ridge", "oracle")]
    made += [make("bert-after", seed, parameters={"train_rows": 90}) for seed in (0, 1, 2)]
    made += [make("bert-before", parameters={"train_rows": 90, "edge": ["penalty"]})]
    for record in made:
        record.machine = {"cores": 2, "processor": "any", "accelerator": "none"}
    return made


@pytest.mark.parametrize("page", readme.WORDS)
def test_edges_seeds_and_what_ran_once_are_said(page, monkeypatch):
    monkeypatch.setattr(readme, "comparable", lambda: {("satsim", "fast"): an_edge()})
    monkeypatch.setattr(readme, "results", readme.results.__wrapped__)
    monkeypatch.setitem(readme.PARTS, "results", readme.results)
    text = readme.part("results", page)
    assert "| bert-before † |" in text and "† " in text and "bert-before (penalty)" in text
    fitted = {"README.md": "fitted", "README.zh-CN.md": "拟合"}[page]
    assert f"| bert-before † | {fitted} |" in text and "| **bert-after** | 3 |" in text
    difference, *_ = re.findall(r"^- (.*)$", text, re.M)
    over = {"README.md": "over 3 seeds", "README.zh-CN.md": "种子数 3"}[page]
    assert over in difference


# The first screen


def test_the_first_screen_says_what_is_simulated_how_many_rows_seeds_and_where_to_start(root):
    for page, simulated in (("README.md", "simulated"), ("README.zh-CN.md", "模拟")):
        text = (root / page).read_text(encoding="utf-8")
        first = text[: text.index("make report   #")]
        alt = re.search(r"!\[(.*?)\]", first).group(1)
        facts = readme.figure()["drawn"]
        for number in ("training_rows", "test_rows", "seeds"):
            assert str(facts[number]) in alt and str(facts[number]) in first.replace(alt, "")
        assert simulated in alt and simulated in first.replace(alt, "")
        assert "notebooks/01_data_interactions.ipynb" in first
        for model, error in facts["errors"].items():
            assert f"{model} {error:.3f}" in alt


def test_where_fine_tuning_pays_is_told_from_the_records():
    facts = readme.pays()
    said = [one for found in facts["groups"].values() for one in found]
    assert {(one.dataset, one.profile) for one in said} == readme.comparable().keys()
    for kind, found in facts["groups"].items():
        for one in found:
            assert one.pays == (kind == "pays") and one.may_pay == (kind == "may_pay")
            assert one.decisive.numbers in readme.part("pays")
    assert {one.dataset for one in facts["floors"]} == {"satsim", "uss-redial"}


def test_what_was_not_measured_is_said_so(monkeypatch):
    costs = readme.commands()["costs"]
    measured = dict.fromkeys(costs, 7) | {"machine": costs["machine"]}
    monkeypatch.setitem(readme.PARTS, "commands", lambda: {"costs": measured})
    for page in readme.WORDS:
        assert readme.part("commands", page).count("7") == 4
    unknown = measured | {"test_minutes": None}
    monkeypatch.setitem(readme.PARTS, "commands", lambda: {"costs": unknown})
    assert "`make test` (not measured yet)" in readme.part("commands")


def test_the_figure_exists(root):
    assert (root / "data" / readme.FIGURE).stat().st_size < 200_000


def test_the_literature_is_told_from_the_records():
    lines = readme.part("literature").splitlines()
    assert len(lines) == 2 + len(findings.FINDINGS)
    assert all(line.count("|") == 4 for line in lines)
    values = []
    for corpus in protocols.USS:
        for record in record_cache.found(findings.folder(), corpus, "A0"):
            if record.model == "always-3":
                values += [r["value"] for r in record.rows if r["metric"] == "published_rho"]
    assert findings.constant()["ours"] == values
    assert ", ".join(f"{value:.3f}" for value in values) in lines[2]


# The words of two languages


def words_of(file: str) -> dict[str, set[str]]:
    """Macro or word -> what it prints, without the words around: ``n.in_uss | thousands``."""
    source = (pages.TEMPLATES / file).read_text(encoding="utf-8")
    printed = {name: set() for name in re.findall(r"\{% set (\w+)", source)}
    for name, body in re.findall(r"\{% macro (\w+).*?%\}(.*?)\{%-? endmacro", source, re.S):
        expressions = re.findall(r"\{\{(.*?)\}\}", body)
        printed[name] = {re.sub(r'"[^"]*"', "...", one) for one in expressions}
    return printed


def test_both_languages_have_the_same_words_and_carry_every_number_over():
    english = words_of("words_en.md")
    chinese = words_of("words_zh.md")
    assert chinese.pop("titles") == set(), "the English titles are those of the notebooks"
    for name in ("title", "accelerator"):  # these put words for words
        assert english.pop(name) and chinese.pop(name)
    assert english == chinese and len(english) > 25
    assert " n.in_uss | thousands " in english["finding_rebuilt"]


@pytest.mark.parametrize("file", readme.WORDS.values())
def test_every_word_that_the_tables_ask_for_is_there(file):
    environment = readme.environment()
    words = environment.get_template(file).module
    for finding in findings.FINDINGS:
        name = finding[0].__name__
        assert hasattr(words, f"claim_{name}") and hasattr(words, f"finding_{name}")
    for name in readme.PARTS:
        source = (pages.TEMPLATES / f"readme_{name}.md").read_text(encoding="utf-8")
        assert meta.find_undeclared_variables(environment.parse(source)) >= {"words_file"}
        for word in re.findall(r"\bwords\.(\w+)", source):
            assert hasattr(words, word)


def test_a_title_without_chinese_is_refused_and_said_where_to_add_it(monkeypatch):
    row = {"number": "11", "file": "11_a.ipynb", "title": "Do something new", "module": "a"}
    monkeypatch.setitem(readme.PARTS, "lessons", lambda: {"lessons": [row]})
    assert readme.part("lessons").endswith(
        "| [11](notebooks/11_a.ipynb) | Do something new | `satlib.a` |"
    )
    with pytest.raises(
        ValueError, match="Do something new.*; add them to satlib/kit/templates/words_zh.md"
    ):
        readme.part("lessons", "README.zh-CN.md")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{ 0.12345 | decimals(3) }}", "0.123"),
        ("{{ [1.0, 2.25] | decimals(1) | join(', ') }}", "1.0, 2.2"),
        ("{{ [7370, 12] | thousands | join(' and ') }}", "7,370 and 12"),
        ("{{ 0.5 | signed(2) }} {{ -0.5 | signed(2) }}", "+0.50 -0.50"),
        ("{{ 0.622 | percent(1) }}", "62.2%"),
        ("{{ row | interval(2) }}", "0.10 [-0.20, 0.30]"),
        ("{{ row | signed_interval(2) }}", "+0.10 [-0.20, +0.30]"),
        ("{{ row | percent_interval(1) }}", "10.0% [-20.0%, 30.0%]"),
    ],
)
def test_how_numbers_are_written(text, made):
    row = {"value": 0.1, "low": -0.2, "high": 0.3}
    assert readme.environment().from_string(text).render(row=row) == made


def test_a_template_escapes_in_html_alone_and_refuses_what_it_was_not_given():
    for autoescape, made in ((True, "&lt;b&gt;"), (False, "<b>")):
        template = pages.environment(autoescape).from_string("{{ text }}")
        assert template.render(text="<b>") == made
        with pytest.raises(jinja2.UndefinedError, match="'text' is undefined"):
            template.render()
