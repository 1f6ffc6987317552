"""The ground floor: files whole or not at all, one sentence for what goes wrong, light imports."""

import errno
import hashlib
import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest

from satlib import runtime, storage


def one_sentence(error: BaseException) -> str:
    """The text of an error, which has one line."""
    assert "\n" not in str(error)
    return str(error)


def imported_after(statement: str) -> set[str]:
    """Top-level modules that a fresh Python has loaded after ``statement``."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    environment = {**os.environ, "PYTHONPATH": str(runtime.PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return set(done.stdout.split())


def test_import_satlib_is_light():
    assert {"satlib"} <= imported_after("import satlib")
    assert not imported_after("import satlib") & {
        "torch",
        "transformers",
        "datasets",
        "pandas",
        "sklearn",
        "numpy",
    }


def test_the_ground_floor_and_the_first_lesson_are_light():
    loaded = imported_after("from satlib import runtime, records, plots, interactions")
    assert not loaded & {"torch", "transformers", "datasets", "sklearn", "matplotlib"}


def test_a_lesson_starts_with_the_plot_style(monkeypatch):
    import matplotlib as mpl

    monkeypatch.delenv("TOKENIZERS_PARALLELISM")
    runtime.setup()
    assert (
        mpl.rcParams["svg.hashsalt"] == "satlib" and os.environ["TOKENIZERS_PARALLELISM"] == "false"
    )


# Folders


def test_the_shipped_folders_are_found_in_a_checkout_and_in_a_wheel(root, tmp_path, monkeypatch):
    assert runtime.data_folder().samefile(root / "data") or runtime.data_folder().name == "_data"
    assert runtime.notebooks_folder().name in ("notebooks", "_notebooks")
    monkeypatch.setattr(runtime, "PACKAGE", tmp_path)
    assert runtime.data_folder() == tmp_path.parent / "data"
    (tmp_path / "_data").mkdir()
    assert runtime.data_folder() == tmp_path / "_data"


def test_the_cache_and_the_runs_go_where_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("SATLIB_CACHE", str(tmp_path))
    assert runtime.cache_folder() == tmp_path
    assert runtime.runs_folder() == tmp_path / "runs"
    assert runtime.runs_folder(tmp_path / "mine") == tmp_path / "mine"
    monkeypatch.delenv("SATLIB_CACHE")
    assert runtime.cache_folder().name == "satlib"


# Atomic files


def test_a_file_appears_whole_with_readable_rights(tmp_path):
    path = tmp_path / "new" / "folder" / "note.txt"
    storage.write_text(path, "äöü 满意 😀\r\nend")
    assert path.read_bytes() == "äöü 满意 😀\r\nend".encode()
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == ["note.txt"]


def test_the_old_file_stays_until_the_block_ends(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("old")
    with storage.replacing(path) as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path and path.read_text() == "old"
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["note.txt"]


@pytest.mark.parametrize("failure", [ValueError("odd"), KeyboardInterrupt(), SystemExit(1)])
def test_a_failure_inside_leaves_the_old_file_and_no_rest(tmp_path, failure):
    path = tmp_path / "note.txt"
    path.write_text("old")
    with pytest.raises(type(failure)):
        with storage.replacing(path) as temporary:
            temporary.write_text("half")
            raise failure
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["note.txt"]


def _raise(number: int):
    def call(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("where", ["fsync", "write", "mkstemp", "replace"])
@pytest.mark.parametrize(
    "number, kind",
    [(errno.ENOSPC, OSError), (errno.EACCES, PermissionError), (errno.EROFS, OSError)],
)
def test_a_full_disk_or_no_permission_is_one_sentence(tmp_path, monkeypatch, where, number, kind):
    path = tmp_path / "note.json"
    path.write_text("old")
    target = {"fsync": "os.fsync", "write": "pathlib.Path.write_bytes", "mkstemp": "tempfile.mkstemp",
              "replace": "os.replace"}[where]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(target, _raise(number))
        with pytest.raises(kind) as caught:
            storage.write_json(path, {"a": 1})
    sentence = one_sentence(caught.value)
    assert (
        caught.value.errno == number
        and f"cannot write {path}" in sentence
        and os.strerror(number) in sentence
    )
    assert "free some space or choose another folder" in sentence
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["note.json"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may write anywhere"
)
def test_a_folder_without_permission_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="cannot write"):
        storage.write_text(tmp_path / "note.txt", "x")
    tmp_path.chmod(0o700)


def test_a_file_where_a_folder_should_be_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write .*choose another folder"):
        storage.write_text(tmp_path / "file" / "note.txt", "x")


def test_a_failed_read_or_download_inside_keeps_its_own_words(tmp_path):
    for failure in (
        ConnectionError("the line broke"),
        FileNotFoundError(errno.ENOENT, "no file source.csv"),
    ):
        with pytest.raises(type(failure)) as caught:
            with storage.replacing(tmp_path / "note.txt"):
                raise failure
        assert caught.value is failure
    assert os.listdir(tmp_path) == []


# JSON and checksums


def test_json_comes_back_and_what_is_not_json_is_refused(tmp_path):
    path = tmp_path / "a.json"
    storage.write_json(path, {"满意": [1, 2.5, None, True]})
    assert storage.read_json(path) == {"满意": [1, 2.5, None, True]}
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            storage.write_json(path, {"value": bad})
    assert storage.read_json(path) == {"满意": [1, 2.5, None, True]}


def test_a_missing_or_broken_json_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file .*a.json; check the path"):
        storage.read_json(tmp_path / "a.json")
    for content in (b'{"a": ', b"\xff\xfe", b""):
        (tmp_path / "b.json").write_bytes(content)
        with pytest.raises(ValueError, match="b.json is not valid JSON") as caught:
            storage.read_json(tmp_path / "b.json")
        one_sentence(caught.value)


def test_checksums_are_those_of_hashlib(tmp_path):
    data = bytes(range(256)) * 10_000  # more than one chunk
    (tmp_path / "data").write_bytes(data)
    assert storage.sha256(tmp_path / "data") == hashlib.sha256(data).hexdigest()
    assert storage.sha256_text("满意") == hashlib.sha256("满意".encode()).hexdigest()


# Choices, seeds, progress, machine


def test_an_unknown_choice_is_refused_with_the_legal_ones():
    runtime.one_of("head", "binary", ["regression", "binary"])
    with pytest.raises(ValueError) as caught:
        runtime.one_of("head", "linear", iter(["regression", "binary"]))
    assert str(caught.value) == "unknown head 'linear'; choose one of regression, binary"


def test_a_seed_repeats_all_three_generators():
    import torch

    def draw(seed):
        runtime.seed_everything(seed)
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    assert draw(3) == draw(3) and not set(draw(3)) & set(draw(4))


def test_progress_gives_the_steps_and_is_silent_in_a_headless_run(monkeypatch, capsys):
    monkeypatch.setenv("SATLIB_QUIET", "1")
    assert runtime.quiet() and list(runtime.progress(range(3), "count")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")
    monkeypatch.delenv("SATLIB_QUIET")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert not runtime.quiet() and list(runtime.progress(range(3), "count", total=3)) == [0, 1, 2]
    assert "count" in capsys.readouterr().err


def test_versions_and_machine_say_what_a_record_needs_and_no_names(monkeypatch):
    versions = runtime.versions()
    assert (
        set(versions) == {"python", "satlib", *runtime.VERSIONED}
        and versions["numpy"] == np.__version__
    )
    monkeypatch.setattr(runtime, "VERSIONED", ("no-such-package",))
    assert runtime.versions()["no-such-package"] == "not installed"
    machine = runtime.machine()
    assert set(machine) == {"system", "processor", "cores", "threads", "memory_gib", "accelerator"}
    assert json.loads(json.dumps(machine)) == machine and machine["cores"] >= 1
