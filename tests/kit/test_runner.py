"""The runner on tiny notebooks: order, parameters, failures, what is redone, several jobs,
interruption, the page, results."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from satlib import records, runtime
from satlib.data import corpora, inspection
from satlib.data.leaks import Finding
from satlib.kit import course, kernels, report_page, results, runner

FIGURE = """import matplotlib
matplotlib.rcParams["svg.hashsalt"] = "the same ids in every run"
from matplotlib.figure import Figure
from satlib import plots
fig = Figure()
fig.subplots().plot([1, 2])
plots.show(fig, "line", "It rises <b> & falls")"""


def notebook(
    folder: Path, stem: str, *cells: str, parameters: str | None = "seed = 0", needs: tuple = ()
) -> Path:
    """Write a notebook: title, parameters cell, then the cells; those that begin with ## are
    prose."""
    book = nbformat.v4.new_notebook(metadata={"satlib": {"needs": list(needs)}} if needs else {})
    book.cells = [nbformat.v4.new_markdown_cell(f"# {stem[:2]} Do {stem[3:]}", id="title")]
    if parameters is not None:
        book.cells.append(
            nbformat.v4.new_code_cell(parameters, id="given", metadata={"tags": ["parameters"]})
        )
    for i, text in enumerate(cells):
        if text.startswith("##"):
            book.cells.append(nbformat.v4.new_markdown_cell(text, id=f"c{i}"))
        else:
            book.cells.append(nbformat.v4.new_code_cell(text, id=f"c{i}"))
    path = folder / f"{stem}.ipynb"
    nbformat.write(book, path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch, root) -> Path:
    """An empty folder of lessons, which the runner and its kernels use; no data but what a test
    puts there."""
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.delenv("SATLIB_DATA", raising=False)
    lessons = tmp_path / "lessons"
    lessons.mkdir()
    monkeypatch.setattr(runtime, "notebooks_folder", lambda: lessons)
    monkeypatch.setattr(runtime, "data_folder", lambda: tmp_path / "data")
    monkeypatch.setattr(inspection, "findings", lambda dataset, data_dir="", rule="": [])
    return lessons


@pytest.fixture
def ran(monkeypatch) -> list[str]:
    """Replace execution by a quick stand-in, which notes the lessons that ran; a lesson with `1/0`
    fails."""
    done = []

    async def execute(lesson, given, output):
        done.append(lesson.stem)
        (output / "notebooks").mkdir(parents=True, exist_ok=True)
        (output / "notebooks" / lesson.path.name).write_text(lesson.path.read_text())
        if "1/0" in "".join(course.code_of(lesson)):
            return kernels.Outcome("cell 2: ZeroDivisionError: division by zero")
        return kernels.Outcome()

    monkeypatch.setattr(kernels, "async_execute", execute)
    return done


def run(output: Path, *lessons: str, **options) -> dict[str, str]:
    """Stem -> status of the lessons, one after another where the test does not say otherwise."""
    options = {"jobs": 1} | options
    ended = runner.run(lessons, output=output, say=lambda *a, **k: None, **options)
    return {result.stem: result.status for result in ended}


def test_lessons_run_in_course_order_and_a_name_may_be_a_number_a_stem_or_a_part(
    folder, ran, tmp_path
):
    for stem in ("43_training_finetune", "42_training_loop", "12_losses"):
        notebook(folder, stem)
    notebook(folder, "scratch")  # not a lesson's name
    assert (
        list(run(tmp_path / "a"))
        == ran
        == ["12_losses", "42_training_loop", "43_training_finetune"]
    )
    assert list(run(tmp_path / "b", "43", "12_losses")) == ["12_losses", "43_training_finetune"]
    assert list(run(tmp_path / "c", "train")) == ["42_training_loop", "43_training_finetune"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lessons": ["98"]}, "unknown lesson '98'; choose among 11_a"),
        ({"lessons": [""]}, "unknown lesson ''"),
        ({"dataset": "netflix"}, "unknown dataset 'netflix'; choose one of satsim"),
        ({"profile": "slow"}, "unknown profile 'slow'; choose one of fast, full"),
        ({"parameters": {"sede": "1"}}, "unknown parameter 'sede'; choose one of seed"),
        (
            {"parameters": {"seed": "one"}},
            "parameter seed must be a whole number like 0, not 'one'",
        ),
        ({"data_dir": "no/such/folder"}, "no folder .*no/such/folder"),
        ({"jobs": 0}, "jobs is 0; it must be at least 1"),
    ],
)
def test_what_is_unknown_is_refused_before_anything_runs(folder, ran, tmp_path, options, said):
    notebook(folder, "11_a")
    with pytest.raises((ValueError, OSError), match=said):
        runner.run(**options, output=tmp_path / "out")
    assert not ran and not (tmp_path / "out").exists()


def test_a_notebook_without_a_parameters_tag_or_with_more_than_literals_in_it_is_refused(
    folder, ran, tmp_path
):
    path = notebook(folder, "11_a", parameters=None)
    with pytest.raises(ValueError, match="11_a.ipynb has no cell with the tag 'parameters'"):
        run(tmp_path)
    notebook(folder, "11_a", parameters="seed = 1 + len('x')")
    with pytest.raises(ValueError, match="may hold only lines `name = literal`"):
        run(tmp_path)
    path.write_text("{}")
    with pytest.raises(ValueError, match="11_a.ipynb is not a notebook"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("7", 0, 7),
        ("1e-5", 1.0, 1e-5),
        ("7", "", "7"),
        ("true", False, True),
        ("[1, 2]", [], [1, 2]),
        ("3", None, 3),
    ],
)
def test_a_parameter_takes_the_type_of_its_default(text, default, value):
    found = course.typed("x", text, default)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(("text", "default"), [("1.5", 0), ("x", 1.0), ("1", False), ("a", [])])
def test_a_parameter_of_another_type_is_refused(text, default):
    with pytest.raises(ValueError, match="parameter x must be"):
        course.typed("x", text, default)


def test_the_full_profile_reads_yaml_files_and_an_explicit_value_wins(folder):
    notebook(
        folder,
        "35_t",
        parameters="seed = 0\nlr = 1.0\nepochs = 1\ndataset = 'satsim'\nprofile = 'fast'",
    )
    (folder / "full").mkdir()
    (folder / "full" / "35_t.yaml").write_text("lr: 2e-5\nepochs: 8\nseed: 3\n")
    (folder / "full" / "35_t.movielens.yaml").write_text("epochs: 9\n")
    (lesson,) = course.lessons()
    values = {"profile": "full", "dataset": "movielens", "seed": "4"}
    assert course.arguments(lesson, values) == {
        "lr": 2e-5,
        "epochs": 9,
        "seed": 4,
        "profile": "full",
        "dataset": "movielens",
    }
    assert course.arguments(lesson, values | {"dataset": "satsim"})["epochs"] == 8
    assert "lr" not in course.arguments(lesson, values | {"profile": "fast"})
    (folder / "full" / "35_t.yaml").write_text("epoch: 8\n")
    with pytest.raises(ValueError, match="unknown parameter in 35_t.yaml 'epoch'"):
        course.arguments(lesson, values)


def test_a_failing_lesson_stops_only_those_that_need_it(folder, ran, tmp_path):
    notebook(folder, "11_a", "1/0")
    notebook(folder, "12_b", needs=("11",))
    notebook(folder, "13_c", needs=("12_b",))
    notebook(folder, "14_d")
    lines = []
    ended = runner.run(output=tmp_path / "out", jobs=1, say=lambda text, **k: lines.append(text))
    assert [r.status for r in ended] == ["failed", "skipped", "skipped", "ok"]
    assert re.fullmatch(r"11_a +FAILED cell 2: ZeroDivisionError: division by zero", lines[0])
    assert re.fullmatch(r"12_b +skipped \(needs 11_a\)", lines[1])
    assert re.fullmatch(r"14_d +ok +\d+\.\d s", lines[3])
    html = (tmp_path / "out" / "index.html").read_text()
    assert "ZeroDivisionError" in html and 'class="failed"' in html and "needs 12_b" in html
    notebook(folder, "11_a", "1/1")  # mended: it and what needs it run, the rest does not
    assert list(run(tmp_path / "out").values()) == ["ok", "ok", "ok", "unchanged"]


SUSPECT = Finding("column", "suspect", "feature <x> goes with the rating; leave it out")
REFUSED = Finding("copies", "refused", "9 rows are copies; keep one of each")
DATA = "dataset = 'satsim'\ndata_dir = ''"


@pytest.fixture
def looked(folder, monkeypatch):
    """Findings that the check of the data set makes, and the data sets that it was asked for."""
    asked, found = [], [SUSPECT]

    def findings(dataset, data_dir="", rule=""):
        asked.append((dataset, data_dir, rule))
        return list(found)

    monkeypatch.setattr(inspection, "findings", findings)
    return asked, found


def test_the_data_set_is_looked_over_once_before_the_lessons(folder, ran, looked, tmp_path):
    for stem in ("11_a", "12_b"):
        notebook(folder, stem, parameters=DATA)
    said = []
    runner.run(
        output=tmp_path / "out",
        parameters={"dataset": "movielens"},
        say=lambda text, **k: said.append(text),
    )
    assert looked[0] == [("movielens", "", "")]
    assert said[0] == f"checked movielens: suspect: {SUSPECT.sentence}"
    assert len(said) == 3 and {line[:4] for line in said[1:]} == {"11_a", "12_b"}
    html = (tmp_path / "out" / "index.html").read_text()
    assert (
        '<li class="suspect">suspect: feature &lt;x&gt; goes with the rating; leave it out</li>'
        in html
    )
    looked[1].clear()
    said.clear()
    runner.run(output=tmp_path / "out", say=lambda text, **k: said.append(text))
    assert said[0] == "checked satsim: no leak found"
    assert '<li class="clean">no leak found</li>' in (tmp_path / "out" / "index.html").read_text()


def test_nothing_is_loaded_where_no_lesson_takes_data_and_the_page_keeps_what_was_found(
    folder, ran, looked, tmp_path
):
    notebook(folder, "11_a")
    notebook(folder, "12_b", parameters=DATA)
    notebook(
        folder, "99_report", parameters="dataset = 'satsim'"
    )  # draws records, which need no corpus
    run(tmp_path / "out", "11", "99")
    assert not looked[0] and "looked over" not in (tmp_path / "out" / "index.html").read_text()
    run(tmp_path / "out")
    run(tmp_path / "out", "11")
    assert len(looked[0]) == 1 and "leave it out" in (tmp_path / "out" / "index.html").read_text()
    run(tmp_path / "out", "11", dataset="movielens")
    assert "looked over" not in (tmp_path / "out" / "index.html").read_text()


def test_a_data_set_that_leaks_is_refused_and_the_page_says_why(folder, ran, looked, tmp_path):
    looked[1].insert(0, REFUSED)
    notebook(folder, "12_b", parameters=DATA)
    said = []
    with pytest.raises(
        ValueError, match="satsim is refused, as a score on it would be wrong: 9 rows are copies"
    ):
        runner.run(output=tmp_path / "out", say=lambda text, **k: said.append(text))
    assert not ran and said == [f"checked satsim: suspect: {SUSPECT.sentence}"]
    assert (
        '<li class="refused">refused: 9 rows are copies'
        in (tmp_path / "out" / "index.html").read_text()
    )


def test_what_is_looked_over_is_the_data_set_as_the_lessons_cut_it(tmp_path):
    found = inspection.findings("satsim")
    assert [finding.kind for finding in found] == ["copies", "column"]
    inspection.remember(tmp_path, "satsim", found)
    assert (
        inspection.remembered(tmp_path, "satsim") == found
        and inspection.remembered(tmp_path, "csv") is None
    )
    assert (
        inspection.findings("satsim", rule="rows")[0].severity == "refused"
    )  # the parts that are fixed are put aside
    with pytest.raises(ValueError, match="unknown rule 'random'"):
        inspection.findings("satsim", rule="random")


def test_a_table_of_the_users_own_is_looked_over(tmp_path):
    lines = [f"u{i % 20},item {i},{1 + (7 * i // 11) % 5},{i}" for i in range(200)]
    (tmp_path / "own.csv").write_text("\n".join(["group,text,rating,time", *lines]))
    assert (
        corpora.load("csv", tmp_path).rule == "group"
        and inspection.findings("csv", str(tmp_path)) == []
    )


@pytest.fixture
def two(folder, ran, tmp_path, monkeypatch):
    """Two lessons that ran: the second needs the first and uses a module and data; a function that
    runs them again."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "toy.py").write_text("from satlib import deeper\n")
    (package / "deeper.py").write_text("x = 1\n")
    (package / "report.py").write_text('runtime.data_folder() / "runs"\n')
    monkeypatch.setattr(runtime, "PACKAGE", package)
    (tmp_path / "data" / "runs").mkdir(parents=True)
    notebook(folder, "11_a", "from satlib import report")
    notebook(
        folder,
        "12_b",
        "%config x\nif 0:\n    from satlib.toy import x",
        parameters="seed = 0\ndataset = ''\ndata_dir = ''",
        needs=("11",),
    )
    run(tmp_path / "out")
    return lambda **options: list(run(tmp_path / "out", **options).values())


def test_a_second_run_redoes_nothing(two, ran):
    assert two() == ["unchanged", "unchanged"] and len(ran) == 2


def test_a_changed_source_is_redone_and_so_is_what_needs_it(two, folder):
    notebook(folder, "12_b", "2", parameters="seed = 0\ndataset = ''\ndata_dir = ''", needs=("11",))
    assert two() == ["unchanged", "ok"]
    notebook(folder, "11_a", "from satlib import report", "3")
    assert two() == ["ok", "ok"] and two() == ["unchanged", "unchanged"]


def test_stored_outputs_do_not_count_as_a_change(two, folder):
    book = nbformat.read(folder / "11_a.ipynb", as_version=4)
    book.cells[2].execution_count = 5
    nbformat.write(book, folder / "11_a.ipynb")
    assert two() == ["unchanged", "unchanged"]


def test_a_changed_module_is_redone_even_when_another_module_imports_it(two, tmp_path):
    (tmp_path / "package" / "deeper.py").write_text("x = 2\n")
    assert two() == ["unchanged", "ok"]


def test_a_changed_parameter_is_redone_where_it_is_taken(two):
    assert two(parameters={"seed": "1"}) == ["ok", "ok"]
    assert two(parameters={"seed": "1"}, dataset="movielens") == ["unchanged", "ok"]


def test_changed_data_are_redone(two, tmp_path):
    (tmp_path / "data" / "runs" / "new.json").write_text(
        "{}"
    )  # embedded records, which the module report reads
    assert two() == ["ok", "ok"]
    own = tmp_path / "own"
    own.mkdir()
    assert two(data_dir=str(own)) == ["unchanged", "ok"] and two(data_dir=str(own)) == [
        "unchanged",
        "unchanged",
    ]
    (own / "ratings.csv").write_text("a")
    assert two(data_dir=str(own)) == ["unchanged", "ok"]


def test_changed_records_are_redone_where_a_lesson_reads_them_itself(folder, ran, tmp_path):
    notebook(folder, "11_a", 'study = runtime.data_folder() / "runs" / "study"')
    notebook(folder, "12_b")
    study = tmp_path / "data" / "runs" / "study"
    study.mkdir(parents=True)
    run(tmp_path / "out")
    (study / "new.json").write_text("{}")
    assert list(run(tmp_path / "out").values()) == ["ok", "unchanged"]


def test_a_changed_package_is_redone(two, monkeypatch):
    monkeypatch.setattr(results.metadata, "distributions", lambda: [])
    assert two() == ["ok", "ok"]


def test_a_lost_output_or_a_broken_state_is_redone(two, tmp_path):
    (tmp_path / "out" / "notebooks" / "11_a.ipynb").unlink()
    assert two() == ["ok", "unchanged"]  # the same key again, so what needs it stays
    (tmp_path / "out" / ".state" / "12_b.json").write_text("{")
    assert two() == ["unchanged", "ok"]


def test_stale_figures_and_records_of_a_redone_lesson_go_and_those_of_another_data_set_stay(
    two, tmp_path, monkeypatch
):
    figures, runs = tmp_path / "out" / "figures", tmp_path / "out" / "runs"
    quick = kernels.async_execute

    async def execute(lesson, given, output):
        figures.mkdir(exist_ok=True)
        (figures / f"{lesson.stem}-{given['seed']}.png").write_bytes(b"")
        outcome = await quick(lesson, given, output)
        if "dataset" in given:
            record = records.RunRecord("mean", given["dataset"], "fast", given["seed"], "", "")
            outcome.saved.append(records.save(record, runs))
        return outcome

    monkeypatch.setattr(kernels, "async_execute", execute)
    for seed, dataset in ((1, "satsim"), (2, "movielens"), (3, "movielens")):
        two(seed=seed, dataset=dataset)
    assert sorted(path.name for path in figures.iterdir()) == ["11_a-3.png", "12_b-3.png"]
    left = ["movielens-fast-mean-seed3.json", "satsim-fast-mean-seed1.json"]
    assert sorted(path.name for path in runs.iterdir()) == left


def test_checkpoints_outlast_a_failure_and_go_when_the_lesson_passed_or_changed(
    folder, tmp_path, monkeypatch
):
    places, message = [], "cell 2: ValueError: no"

    async def execute(lesson, given, output):
        places.append(Path(given["checkpoints"]))
        places[-1].mkdir(parents=True, exist_ok=True)
        return kernels.Outcome(message)

    monkeypatch.setattr(kernels, "async_execute", execute)
    notebook(folder, "34_t", parameters="checkpoints = ''\nseed = 0")
    run(tmp_path / "out")
    run(tmp_path / "out")
    assert places[0] == places[1] and places[1].is_dir()
    run(tmp_path / "out", seed=1)
    assert places[2] != places[1] and not places[1].exists() and places[2].is_dir()
    message = ""
    run(tmp_path / "out", seed=1)
    assert places[3] == places[2] and not places[2].exists()


def test_results_are_the_rows_of_this_data_set_and_profile(folder, ran, tmp_path):
    notebook(folder, "11_a")
    row = dict(
        zip(
            records.ROW_KEYS,
            ("fast", "satsim", "test", "mean", "rmse", 1.25, 1.0, 1.5, 9, 0),
            strict=True,
        )
    )
    for dataset in ("satsim", "movielens"):
        record = records.RunRecord(
            "mean", dataset, "fast", 0, "", "", rows=[row | {"dataset": dataset}]
        )
        records.save(record, tmp_path / "out" / "runs")
    run(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == [row]
    html = (tmp_path / "out" / "index.html").read_text()
    assert "1.250<small>1.000 to 1.500</small>" in html
    assert html.count("<tr") == 4  # two tables, one row each


def test_a_real_kernel_gets_parameters_draws_figures_and_names_the_failing_cell(
    folder, tmp_path, caplog, monkeypatch
):
    parameters = "seed = 0  # s\nruns = ''  # '' = the cache"
    notebook(
        folder,
        "11_a",
        "import sys; print(seed, runs, sys.executable)",
        FIGURE,
        parameters=parameters,
    )
    notebook(folder, "12_b", "## prose", "print('partial')", "raise KeyError('no\\nsuch')", "3")
    notebook(folder, "13_c", "import os", "os._exit(1)")
    users = (
        tmp_path / "users" / "kernels" / "python3" / "kernel.json"
    )  # another interpreter of the same name
    users.parent.mkdir(parents=True)
    users.write_text(
        '{"argv": ["no-such-python"], "display_name": "Python 3", "language": "python"}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "users"))
    out = tmp_path / "out"
    first, second, third = runner.run(output=out, seed=5, say=lambda *a, **k: None)
    book = nbformat.read(out / "notebooks" / "11_a.ipynb", as_version=4)
    assert book.cells[3].outputs[0].text == f"5 {out / 'runs'} {sys.executable}\n"
    assert sorted(p.name for p in (out / "figures").iterdir()) == ["11_a-line.png", "11_a-line.svg"]
    assert first.outputs == [
        "figures/11_a-line.png",
        "figures/11_a-line.svg",
        "notebooks/11_a.ipynb",
    ]
    assert (second.status, second.message) == ("failed", "cell 4: KeyError: 'no\\nsuch'")
    assert "partial" in (out / "notebooks" / "12_b.ipynb").read_text()
    assert third.message.startswith("cell 4: the kernel died")
    html = (out / "index.html").read_text()
    svg = base64.b64encode((out / "figures" / "11_a-line.svg").read_bytes()).decode()
    assert svg in html and 'alt="It rises &lt;b&gt; &amp; falls. Line chart.' in html
    addresses = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""", html)
    assert addresses and all(
        a.startswith(("data:", "#", "notebooks/", "results.json")) for a in addresses
    )
    assert not re.search(r"https?://", html) and "@import" not in html and "<script" not in html
    assert (
        'name="viewport"' in html and not list((out / "notebooks").glob(".*")) and not caplog.text
    )


def test_a_large_vector_figure_goes_into_the_page_as_png(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(report_page, "LARGEST_SVG", 10)
    (tmp_path / "x.svg").write_text("<svg>too large</svg>")
    assert report_page.source(b"png", tmp_path / "x.svg") == "data:image/png;base64,cG5n"


# Several jobs

SAVES = """from satlib import records
record = records.RunRecord("mean", "satsim", "fast", seed, "", "", machine={"cores": 0})
records.save(record, runs)"""
READS = """from satlib import records
print([record.model for record in records.load_all(runs)])"""


def test_what_several_jobs_leave_is_what_one_leaves(folder, tmp_path):
    notebook(folder, "11_a", SAVES, parameters="seed = 0\nruns = ''")
    notebook(folder, "12_b", READS, parameters="runs = ''", needs=("11",))
    notebook(folder, "13_c", FIGURE)
    notebook(folder, "14_d", "from satlib.training import plan", "raise KeyError('no')")
    notebook(folder, "15_e", needs=("14",))
    left = []
    for jobs in (1, 4):
        out = tmp_path / "out"
        ended = run(out, jobs=jobs)
        expected = {"11_a": "ok", "12_b": "ok", "13_c": "ok", "14_d": "failed", "15_e": "skipped"}
        assert ended == expected and list(ended) == sorted(ended)
        assert results.remembered(out, "11_a").outputs[-1] == "runs/satsim-fast-mean-seed0.json"
        assert results.remembered(out, "12_b").outputs == ["notebooks/12_b.ipynb"]
        paths = [path for path in out.rglob("*") if path.is_file() and ".state" not in path.parts]
        contents = {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}
        page = contents.pop("index.html").decode()
        seconds = r'(?<=<td class="number">)\d+\.\d(?=</td>)'
        left.append(contents | {"index.html": re.sub(seconds, "", page)})
        shutil.rmtree(out)
    one, several = left
    assert one.keys() == several.keys()
    # Where a cell failed, its traceback names the process of the kernel.
    different = [name for name in one if one[name] != several[name]]
    assert different in ([], ["notebooks/14_d.ipynb"])


def test_an_exercise_that_changed_redoes_its_own_lesson_only(folder, ran, tmp_path, monkeypatch):
    package = tmp_path / "package"
    (package / "exercises").mkdir(parents=True)
    for name in ("checking", "one", "other"):
        (package / "exercises" / f"{name}.py").write_text("x = 1\n")
    monkeypatch.setattr(runtime, "PACKAGE", package)
    for stem in ("11_one", "12_other"):
        notebook(folder, stem, "from satlib.exercises.checking import check")
    run(tmp_path / "out")
    (package / "exercises" / "other.py").write_text("x = 2\n")
    assert run(tmp_path / "out") == {"11_one": "unchanged", "12_other": "ok"}
    (package / "exercises" / "checking.py").write_text("x = 2\n")
    assert run(tmp_path / "out") == {"11_one": "ok", "12_other": "ok"}


def test_an_interrupted_run_ends_its_kernels_and_goes_on_where_it_stopped(folder, tmp_path):
    notebook(folder, "11_a", "print(1)")
    begun = [tmp_path / "begun-b", tmp_path / "begun-c"]
    for stem, file in zip(("12_b", "13_c"), begun, strict=True):
        sleep = (
            f"import os, pathlib, time; pathlib.Path({str(file)!r}).write_text(str(os.getpid()))"
        )
        notebook(folder, stem, f"{sleep}; time.sleep(120)", needs=("11",))
    out = tmp_path / "out"
    start = (
        "from satlib import runtime; from satlib.kit import cli; from pathlib import Path; "
        f"runtime.notebooks_folder = lambda: Path({str(folder)!r}); cli.main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", start, "run", "--output", str(out), "--jobs", "2"],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    waited = time.monotonic() + 180
    # Interrupted earlier, the kernels may not have started.
    while time.monotonic() < waited and not all(file.exists() for file in begun):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert (
        errors.strip()
        == "interrupted; the lessons that ended are kept, the same command goes on from there"
    )
    assert not [file for file in begun if psutil.pid_exists(int(file.read_text()))]
    assert [path.name for path in (out / "notebooks").iterdir()] == ["11_a.ipynb"]
    assert (out / "index.html").is_file()
    for stem in ("12_b", "13_c"):
        notebook(folder, stem, "print(2)", needs=("11",))
    assert run(out, jobs=2) == {"11_a": "unchanged", "12_b": "ok", "13_c": "ok"}


def test_a_folder_without_permission_to_write_is_one_sentence(folder, ran, tmp_path):
    notebook(folder, "11_a")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="cannot write .*choose another folder"):
        run(tmp_path / "file" / "out")
