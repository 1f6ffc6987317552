"""What a report of a fault states: bounds that are not met, the way of installation, and how far
the lock is."""

import json
import platform
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from satlib import runtime
from satlib.kit import packages


@pytest.fixture
def installed(monkeypatch):
    """Name -> version of the packages that are there; what is not named is missing."""
    there = {}

    def version(name):
        if name not in there:
            raise metadata.PackageNotFoundError(name)
        return there[name]

    monkeypatch.setattr(metadata, "version", version)
    return there


def missing(*args):
    raise metadata.PackageNotFoundError("satlib")


def test_requirements_are_those_of_the_project_without_its_extras(root):
    import tomllib

    stated = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {one.name for one in packages.requirements()}
    assert (
        names <= {Requirement(line).name for line in stated}
        and "torch" in names
        and "pytest" not in names
    )


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"a": "2.0", "b": "1.5+cu128"}, []),
        ({"a": "1.9", "b": "1.5"}, ["a 1.9 instead of a>=2"]),
        ({"b": "2.0"}, ["a missing instead of a>=2", "b 2.0 instead of b<2"]),
        ({"a": "3.0rc1", "b": "1.0"}, []),
    ],
)
def test_what_does_not_fit_is_named(monkeypatch, installed, there, said):
    monkeypatch.setattr(
        metadata,
        "requires",
        lambda name: ["a>=2", "b<2", 'c; extra == "test"', 'd; os_name == "x"'],
    )
    installed |= there
    assert packages.misfits() == said


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ({"dir_info": {"editable": True}, "url": "file:///secret"}, "editable, from a checkout"),
        ({"dir_info": {}, "url": "file:///secret"}, "from a folder"),
        ({"archive_info": {"hashes": {}}, "url": "file:///secret/x.whl"}, "wheel file"),
        ({"vcs_info": {"vcs": "git"}, "url": "x"}, "from version control"),
        (None, "from a package index"),
    ],
)
def test_the_way_of_installation_is_told_without_a_path(monkeypatch, origin, said):
    text = origin and json.dumps(origin)
    monkeypatch.setattr(
        metadata, "distribution", lambda name: SimpleNamespace(read_text=lambda file: text)
    )
    assert packages.kind() == said


def test_a_folder_on_the_path_is_no_installation(monkeypatch):
    for name in ("distribution", "requires", "metadata"):
        monkeypatch.setattr(metadata, name, missing)
    assert packages.kind() == "not installed, run from a folder"
    assert packages.requirements() == [] and packages.supported().contains(
        platform.python_version()
    )


def test_deviations_from_the_lock_are_named(monkeypatch, installed, tmp_path):
    (tmp_path / "requirements.lock").write_text(
        "# a comment\na==1.0\nb==2.0\nc==3.0\nd==4.0 ; os_name == 'x'\n"
    )
    monkeypatch.setattr(runtime, "PACKAGE", tmp_path / "satlib")
    installed |= {"a": "1.0", "b": "2.1"}
    assert (
        packages.from_lock()
        == "1 of 3 packages as locked; b 2.1 instead of 2.0; c missing instead of 3.0"
    )
    (tmp_path / "requirements.lock").unlink()
    assert packages.from_lock() == "none beside an installed satlib"


def test_the_report_states_what_decides_a_result():
    found = packages.report()
    assert found.keys() >= {
        "python",
        "satlib",
        "installed",
        "os",
        "cores",
        "memory_gib",
        "accelerator",
        "precision",
        "lock",
        *runtime.VERSIONED,
        "papermill",
        "ipykernel",
    }
    assert found["precision"] in ("fp32", "bf16", "fp16") and found["os"] == platform.platform()
    assert str(runtime.PACKAGE.parent) not in str(found)


def test_the_report_stands_where_torch_cannot_be_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    found = packages.report()
    assert (
        found["machine"].startswith("unknown, as ModuleNotFoundError")
        and found["numpy"]
        and "lock" in found
    )
