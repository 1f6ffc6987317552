"""What a stored notebook may hold, and the command that rewrites them: all or none, the same text
every time."""

import copy
import itertools
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from satlib import records, runtime
from satlib.kit import kernels, setup_cells, stored_notebooks


def book(*outputs, count=1, metadata=None):
    """A notebook with a title and one executed cell."""
    cells = [
        new_markdown_cell("# 11 Do\n\n<!-- badge -->", id="a"),
        new_code_cell(
            "1",
            id="b",
            execution_count=count,
            outputs=list(outputs),
            metadata={"tags": ["x"], "papermill": {"duration": 1.5}, "execution": {"a": "b"}},
        ),
    ]
    return new_notebook(cells=cells, metadata=metadata or {})


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


@pytest.mark.parametrize(
    "text", ["loss 0.25", "dwell 42 s, read in 20 s", "a/b/home", "12:30", "Eta"]
)
def test_a_good_notebook_has_no_faults(text):
    assert stored_notebooks.faults(book(printed(text))) == []


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (book(count=2), "execution counts are [2], not 1 to 1"),
        (book(count=None), "not run once from top to bottom"),
        (book(metadata={"widgets": {}}), "widget state"),
        (book(printed("a warning", "stderr")), "cell 2 wrote to stderr: 'a warning'"),
        (
            book(new_output("error", ename="KeyError", evalue="", traceback=[])),
            "cell 2 ends with KeyError",
        ),
        (
            book(new_output("display_data", data={stored_notebooks.WIDGET: {}})),
            "cell 2 shows a widget",
        ),
        (
            book(new_output("display_data", data={"image/png": "eA=="})),
            "cell 2 shows a figure without alternative text",
        ),
        (book(printed("file /home/me/x")), "the path of a machine: '/home/m'"),
        (book(printed(str(Path.home() / "x"))), "the path of a machine"),
        (book(printed(str(runtime.PACKAGE))), "the path of a machine"),
        (
            book(new_output("display_data", data={"text/html": "<b>/tmp/x</b>"})),
            "the path of a machine",
        ),
        (book(printed("lib/site-packages/x.py:3")), "the path of a machine"),
        (book(printed("C:\\Users\\me")), "the path of a machine"),
        (book(printed("12.5 it/s")), "a time that it took: '12.5 it/s'"),
        (book(printed("3/9 [00:01<00:02]")), "a time that it took"),
        (book(printed("took 3.1 s")), "a time that it took"),
        (book(printed("Wall time: 3 ms")), "a time that it took"),
        (book(printed("x" * 300_001)), "more than 300000"),
    ],
)
def test_a_fault_is_named(stored, said):
    (fault,) = stored_notebooks.faults(stored)
    assert said in fault


def test_what_differs_from_run_to_run_goes_and_the_rest_stays():
    metadata = {
        "satlib": {"needs": ["32"]},
        "papermill": {},
        "language_info": {"name": "python", "version": "3"},
    }
    stored = book(printed("a\n"), printed("b\n"), printed("c", "stderr"), metadata=metadata)
    whole = copy.deepcopy(stored)
    again = stored_notebooks.normalise(stored)
    assert again["metadata"] == {
        "kernelspec": stored_notebooks.KERNEL,
        "language_info": {"name": "python"},
        "satlib": {"needs": ["32"]},
    }
    title, cell = again["cells"]
    assert cell["metadata"] == {"tags": ["x"]} and title["metadata"] == {}
    assert [output["text"] for output in cell["outputs"]] == ["a\nb\n", "c"]
    assert [(c["id"], c["source"]) for c in again["cells"]] == [
        (c["id"], c["source"]) for c in whole["cells"]
    ]
    assert stored_notebooks.normalise(copy.deepcopy(again)) == again


def test_the_badge_is_replaced_when_the_address_changes():
    line = setup_cells.badge("https://github.com/some/kit", "0.1.0", "11_a")
    written = stored_notebooks.normalise(book(), line)
    assert written["cells"][0]["source"] == f"# 11 Do\n\n{line}"
    assert stored_notebooks.normalise(written)["cells"][0]["source"] == "# 11 Do\n\n<!-- badge -->"


def a_record(model, **changed):
    return records.RunRecord(model, "satsim", "fast", 0, "d", "s", **changed)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with two lessons, old outputs and an old record; lessons `run` by a stand-in that
    prints `said`."""
    for name in ("satlib", "notebooks", "data/runs"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nversion = "1"\n[tool.satlib]\nrepository = ""\n'
    )
    monkeypatch.setattr(runtime, "PACKAGE", tmp_path / "satlib")
    said = {"11_a": printed("new"), "12_b": printed("new")}
    for stem in said:
        nbformat.write(book(printed("old")), tmp_path / "notebooks" / f"{stem}.ipynb")
    for name in ("satsim-fast-old-seed0", "satsim-fast-mean-seed1", "movielens-full-kept-seed0"):
        (tmp_path / "data" / "runs" / f"{name}.json").write_text("{}")

    seconds = itertools.count(1.5)

    async def execute(lesson, given, output):
        assert given == {}, "the stored outputs are those of the lesson's own parameters"
        (output / "notebooks").mkdir(exist_ok=True)
        nbformat.write(book(said[lesson.stem]), output / "notebooks" / lesson.path.name)
        taken = next(seconds)
        records.save(a_record("mean", seconds=taken), runtime.runs_folder())
        failed = said[lesson.stem].output_type == "error"
        return kernels.Outcome("cell 1: ValueError: no" if failed else "")

    monkeypatch.setattr(kernels, "async_execute", execute)
    return tmp_path, said


def texts(folder) -> dict[str, str]:
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".ipynb", ".json", ".xz")
    }


def test_rewriting_replaces_outputs_and_fast_records_and_is_the_same_the_second_time(checkout):
    folder, _ = checkout
    assert stored_notebooks.rewrite(say=lambda *a, **k: None)
    first = texts(folder)
    assert sorted(first) == [
        "11_a.ipynb",
        "12_b.ipynb",
        "movielens-full-kept-seed0.json",
        "satsim-fast-mean-seed0.json",
        "satsim-fast-mean-seed1.json",  # another seed is not made by the lessons
    ]
    assert b"new" in first["11_a.ipynb"] and b"papermill" not in first["11_a.ipynb"]
    assert stored_notebooks.rewrite(say=lambda *a, **k: None) and texts(folder) == first


def test_a_record_that_differs_in_more_than_its_seconds_is_replaced(checkout):
    folder, _ = checkout
    committed = folder / "data" / "runs"
    records.save(a_record("mean", seconds=99.0), committed)
    assert stored_notebooks.rewrite(say=lambda *a, **k: None)
    path = committed / "satsim-fast-mean-seed0.json"
    assert records.load(path).seconds == 99.0, "the time alone is no reason to write anew"
    records.save(a_record("mean", seconds=99.0, parameters={"train_rows": 7}), committed)
    assert stored_notebooks.rewrite(say=lambda *a, **k: None)
    assert records.load(path).parameters == {} and records.load(path).seconds < 99


def test_a_record_above_the_size_of_compression_replaces_the_plain_one(checkout, monkeypatch):
    """It bears the suffix .json.xz then; both ways round only one of the two may be left."""
    folder, _ = checkout
    quick = kernels.async_execute
    record = records.RunRecord("old", "satsim", "fast", 0, "d", "s", {"note": "words " * 100})
    committed = folder / "data" / "runs"
    records.save(record, committed)

    async def execute(lesson, given, output):
        records.save(record, runtime.runs_folder())
        return await quick(lesson, given, output)

    monkeypatch.setattr(kernels, "async_execute", execute)
    for largest, left in ((50, "old-seed0.json.xz"), (50_000, "old-seed0.json")):
        monkeypatch.setattr(records, "LARGE", largest)
        assert stored_notebooks.rewrite(say=lambda *a, **k: None)
        assert [path.name for path in committed.glob("*old-seed0*")] == [f"satsim-fast-{left}"]
        assert records.load(committed / f"satsim-fast-{left}") == record


@pytest.mark.parametrize(
    "bad",
    [
        new_output("error", ename="ValueError", evalue="no", traceback=[]),
        printed("warned", "stderr"),
        printed("/home/me/x"),
    ],
)
def test_rewriting_is_all_or_nothing(checkout, bad):
    folder, said = checkout
    said["12_b"] = bad
    before, lines = texts(folder), []
    assert not stored_notebooks.rewrite(jobs=1, say=lambda text, **k: lines.append(text))
    assert texts(folder) == before
    assert re.fullmatch(r"11_a +ok", lines[0]) and re.match(r"12_b +FAILED ", lines[1])


def test_named_lessons_are_rewritten_and_no_other(checkout):
    folder, _ = checkout
    before = texts(folder)
    assert stored_notebooks.rewrite(say=lambda *a, **k: None, names=["12"])
    after = texts(folder)
    changed = [name for name in after if after[name] != before.get(name)]
    assert sorted(changed) == ["12_b.ipynb", "satsim-fast-mean-seed0.json"]
    # What another lesson wrote stays; rewriting all takes it away.
    assert "satsim-fast-old-seed0.json" in after
    assert stored_notebooks.rewrite(say=lambda *a, **k: None)
    assert "satsim-fast-old-seed0.json" not in texts(folder)


def test_rewriting_is_for_a_checkout(checkout):
    folder, _ = checkout
    (folder / "pyproject.toml").unlink()
    with pytest.raises(FileNotFoundError, match="in a checkout only"):
        stored_notebooks.rewrite()
