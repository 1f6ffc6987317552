"""Colab's Drive, with a stand-in for google.colab: mounted only when asked, refused elsewhere; a
run goes on there."""

import sys
from types import ModuleType

import pytest
import tiny
import torch
from training_script import PLAN

from satlib.training import gpu, loop
from satlib.training.plan import Plan


@pytest.fixture
def here(monkeypatch):
    """A Colab whose Drive can be mounted; the folders that were mounted."""
    mounted, packages = (
        [],
        {name: ModuleType(name) for name in ("google", "google.colab", "google.colab.drive")},
    )
    packages["google.colab"].drive = packages["google.colab.drive"]
    packages["google.colab.drive"].mount = mounted.append
    for name, package in packages.items():
        package.__spec__ = object()
        package.__path__ = []
        monkeypatch.setitem(sys.modules, name, package)
    return mounted


@pytest.mark.parametrize("google", [None, ModuleType("google")])
def test_elsewhere_drive_is_refused_with_one_sentence(monkeypatch, google):
    for name in [
        name for name in sys.modules if name == "google" or name.startswith("google.colab")
    ]:
        monkeypatch.delitem(sys.modules, name)
    if google:
        google.__path__ = []
        monkeypatch.setitem(sys.modules, "google", google)
    assert not gpu.is_colab()
    with pytest.raises(
        ValueError, match="drive = True is for Colab only.*set drive = False"
    ) as error:
        gpu.drive_folder()
    assert "\n" not in str(error.value)


def test_on_colab_a_folder_on_drive_is_made(here, tmp_path):
    assert gpu.is_colab() and here == []
    assert gpu.drive_folder("kit/a", tmp_path) == tmp_path / "MyDrive" / "kit" / "a"
    assert (tmp_path / "MyDrive" / "kit" / "a").is_dir() and here == [str(tmp_path)]
    assert gpu.drive_folder("kit/a", tmp_path).is_dir(), "a second time it is there already"


def test_a_refused_mount_is_one_sentence(here, monkeypatch, tmp_path):
    def refuse(folder):
        raise RuntimeError("credential propagation was unsuccessful")

    monkeypatch.setattr(sys.modules["google.colab"].drive, "mount", refuse)
    with pytest.raises(
        OSError,
        match=r"not mounted \(credential propagation was unsuccessful\); run the cell again",
    ):
        gpu.drive_folder(mounted=tmp_path)
    assert not (tmp_path / "MyDrive").exists()


def test_a_run_goes_on_from_drive_in_the_next_session(here, tmp_path):
    rows, validation, plan = tiny.rows(40), tiny.rows(11, seed=1), Plan(**PLAN)
    straight = tiny.model(dropout=0.2)
    loop.train(straight, rows, validation, plan, tmp_path / "straight")

    def lost(state):
        if state.step == 8:
            raise ConnectionError("the session is gone")

    folder = gpu.drive_folder(mounted=tmp_path) / "run"
    with pytest.raises(ConnectionError):
        loop.train(tiny.model(dropout=0.2), rows, validation, plan, folder, lost)
    again, steps = tiny.model(seed=9, dropout=0.2), []
    folder = gpu.drive_folder(mounted=tmp_path) / "run"
    loop.train(again, rows, validation, plan, folder, lambda state: steps.append(state.step))
    assert 1 < steps[0] <= 8, "it went on, and did not begin anew"
    assert all(
        torch.equal(one, other)
        for one, other in zip(
            straight.state_dict().values(), again.state_dict().values(), strict=True
        )
    )
