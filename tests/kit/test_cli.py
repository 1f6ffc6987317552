"""The command: what it prints, its exit statuses, one sentence for what a user can mend."""

import importlib
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from satlib import runtime
from satlib.kit import cli, results, runner


def call(*arguments):
    return CliRunner().invoke(cli.app, [str(one) for one in arguments])


@pytest.fixture
def given(monkeypatch):
    """Replace the runner's run; returns the keyword arguments of its last call and the results it
    gives back."""
    seen = SimpleNamespace(arguments={}, results=[results.Result("11_a", "ok")])

    def run(lessons, **options):
        seen.arguments = {"lessons": lessons} | options
        return seen.results

    monkeypatch.setattr(runner, "run", run)
    return seen


def test_run_hands_everything_on(given, tmp_path):
    done = call(
        "run",
        "43",
        "99_report",
        "--dataset",
        "movielens",
        "--data-dir",
        "d",
        "--profile",
        "full",
        "--seed",
        "3",
        "--runs",
        "r",
        "--output",
        tmp_path,
        "-p",
        "epochs=2",
        "-p",
        "note=a=b",
        "--jobs",
        "2",
    )
    assert done.exit_code == 0 and done.stdout == f"report: {tmp_path / 'index.html'}\n"
    given.arguments.pop("say")
    assert given.arguments == {
        "lessons": ["43", "99_report"],
        "dataset": "movielens",
        "data_dir": "d",
        "seed": 3,
        "profile": "full",
        "runs": "r",
        "output": tmp_path,
        "parameters": {"epochs": "2", "note": "a=b"},
        "jobs": 2,
    }


def test_without_options_all_lessons_run_on_satsim_in_the_fast_profile(given):
    assert call("run").exit_code == 0
    assert given.arguments["lessons"] == [] and given.arguments["seed"] is None
    assert given.arguments["jobs"] is None
    assert (given.arguments["dataset"], given.arguments["profile"]) == ("satsim", "fast")


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_a_lesson_that_did_not_pass_makes_the_exit_status_one(given, status):
    given.results.append(results.Result("12_b", status))
    assert call("run").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "-p", "seed"], "satlib: -p 'seed' is not of the form name=value, as in -p seed=1"),
        (
            ["run", "--dataset", "netflix"],
            "satlib: unknown dataset 'netflix'; choose one of satsim",
        ),
        (["run", "98"], "satlib: unknown lesson '98'; choose among 01_data_interactions"),
        (["run", "--jobs", "0"], "satlib: jobs is 0; it must be at least 1"),
        (["notebooks", "--jobs", "0"], "satlib: jobs is 0; it must be at least 1"),
        (["run", "--profile", "slow"], "satlib: unknown profile 'slow'; choose one of fast, full"),
        (["run", "--data-dir", "none/here"], "satlib: no folder "),
        (["data", "fetch", "netflix"], "satlib: unknown dataset 'netflix'"),
        (["check", "--dataset", "netflix"], "satlib: unknown dataset 'netflix'"),
        (
            ["check", "--parts-rule", "random"],
            "satlib: unknown rule 'random'; choose one of group, user-time",
        ),
        (["check", "--dataset", "csv"], "satlib: csv needs your file"),
    ],
)
def test_a_wrong_value_is_one_sentence_on_stderr_and_status_one(arguments, said, tmp_path):
    done = call(*arguments, *(["--output", tmp_path] if arguments[0] == "run" else []))
    assert done.exit_code == 1 and done.stderr.startswith(said) and done.stderr.count("\n") == 1
    assert not done.stdout and not list(tmp_path.iterdir())


def test_wrong_usage_is_status_two():
    assert call("run", "--dataste", "x").exit_code == 2
    assert call("run", "--seed", "x").exit_code == 2
    assert call("nonsense").exit_code == 2


def test_an_error_of_the_system_names_its_file(monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied", "some/folder")

    monkeypatch.setattr(runner, "run", refuse)
    done = call("run")
    assert done.exit_code == 1 and done.stderr == "satlib: Permission denied (some/folder)\n"


def test_debugging_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("SATLIB_DEBUG", "1")
    assert isinstance(call("run", "--dataset", "netflix").exception, ValueError)


def test_an_interruption_is_status_130(monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupt)
    done = call("run")
    assert done.exit_code == 130 and "the same command goes on from there" in done.stderr


def test_check_says_a_line_a_finding():
    done = call("check")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0 and len(lines) == 2 and not done.stderr, done.stderr
    assert (
        all(line.startswith("checked satsim: suspect: ") for line in lines)
        and "helpdesk_minutes" in lines[1]
    )


def test_check_refuses_with_one_sentence_and_status_one(monkeypatch):
    from satlib.data import inspection, leaks

    asked = []

    def findings(*arguments):
        asked.append(arguments)
        return [
            leaks.Finding("copies", "refused", "9 rows are copies"),
            leaks.Finding("column", "suspect", "x knows"),
        ]

    monkeypatch.setattr(inspection, "findings", findings)
    done = call("check", "--dataset", "movielens", "--data-dir", "d", "--parts-rule", "rows")
    assert asked == [("movielens", "d", "rows")] and done.exit_code == 1
    assert done.stdout == "checked movielens: suspect: x knows\n"
    assert (
        done.stderr
        == "satlib: movielens is refused, as a score on it would be wrong: 9 rows are copies\n"
    )


def test_data_list_names_every_corpus():
    from satlib.data.registry import REGISTRY

    lines = call("data", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(REGISTRY)


def test_data_fetch_says_where_the_files_lie():
    done = call("data", "fetch", "satsim")
    assert done.exit_code == 0, done.stderr
    assert str(runtime.data_folder()) in done.stdout


def test_data_simulate_hands_seed_and_folder_on(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(
        importlib.import_module("satlib.data.satsim.simulation"),
        "write",
        lambda *args: seen.append(args),
    )
    assert call("data", "simulate", "--seed", 4, "--output", tmp_path).exit_code == 0
    assert seen == [(tmp_path, 4)]


def test_versions_name_what_decides_a_result():
    done = call("versions")
    assert done.exit_code == 0
    assert {line.split()[0] for line in done.stdout.splitlines()} >= {
        "python",
        *runtime.VERSIONED,
        "cores",
    }


def test_an_installed_kit_gives_the_lab_a_copy_of_the_lessons_and_never_overwrites_it(
    monkeypatch, tmp_path
):
    shipped = tmp_path / "site" / "satlib" / "_notebooks"
    shipped.mkdir(parents=True)
    (shipped / "01_a.ipynb").write_text("{}")
    monkeypatch.setattr(runtime, "PACKAGE", shipped.parent)
    monkeypatch.setattr(runtime, "notebooks_folder", lambda: shipped)
    monkeypatch.chdir(tmp_path)
    assert cli.own_lessons() == tmp_path / "satlib-lessons"
    (tmp_path / "satlib-lessons" / "01_a.ipynb").write_text("mine")
    assert cli.own_lessons() and (tmp_path / "satlib-lessons" / "01_a.ipynb").read_text() == "mine"


def test_the_lab_of_a_checkout_opens_its_own_lessons():
    assert cli.own_lessons() == runtime.notebooks_folder()
