"""The start of every lesson: light imports, folders, choices, seeds, progress, machine."""

import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest

from satlib import runtime


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
    statement = "from satlib import plots, records, runtime; from satlib.data import interactions"
    loaded = imported_after(statement)
    assert not loaded & {"torch", "transformers", "datasets", "sklearn", "matplotlib"}


def test_a_lesson_starts_with_quiet_libraries_and_without_figures(monkeypatch):
    for name in ("TOKENIZERS_PARALLELISM", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.delenv(name, raising=False)
    runtime.setup()
    assert os.environ["TOKENIZERS_PARALLELISM"] == "false"
    assert os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] == "1"
    loaded = imported_after("from satlib import runtime; runtime.setup()")
    assert not loaded & {"matplotlib", "seaborn"}  # the style is plots', which the cell calls too


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
