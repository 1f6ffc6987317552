"""The number format that a device gets; Colab's Drive, with a stand-in for google.colab: mounted
only when asked, refused elsewhere; a run goes on there."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import tiny
import torch
from training_script import quick_plan

from satlib.training import gpu, loop
from satlib.training.gpu import precision

# --- the number format


def test_precision_by_device(monkeypatch):
    assert precision("fp32") == "fp32" and precision("auto") in ("bf16", "fp32")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for real, chosen in ((True, "bf16"), (False, "fp16")):
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation, real=real: real
        )
        assert precision("auto") == chosen
    assert precision("fp32") == "fp32"


@pytest.mark.parametrize(
    ("name", "capability", "chosen"),
    [
        ("Tesla T4", (7, 5), "fp16"),
        ("Tesla V100", (7, 0), "fp16"),
        ("NVIDIA A100", (8, 0), "bf16"),
        ("NVIDIA L4", (8, 9), "bf16"),
        ("NVIDIA H100", (9, 0), "bf16"),
    ],
)
def test_precision_by_the_capability_that_a_gpu_states(monkeypatch, name, capability, chosen):
    """torch itself decides here, on the facts that its driver would report; a T4 could emulate
    bf16."""
    told = SimpleNamespace(name=name, major=capability[0], minor=capability[1])
    for fact, value in (
        ("is_available", True),
        ("current_device", 0),
        ("get_device_properties", told),
    ):
        monkeypatch.setattr(torch.cuda, fact, lambda *args, value=value: value)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "_check_bf16_tensor_supported", lambda device: True)
    assert torch.cuda.is_bf16_supported() and precision("auto") == chosen


def test_without_a_gpu_the_processor_decides(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for real, chosen in ((True, "bf16"), (False, "fp32")):
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
            monkeypatch.setattr(torch.cpu, name, lambda real=real: real, raising=False)
        assert precision("auto") == chosen


def test_the_number_format_of_the_products():
    assert gpu.autocast_dtype("fp32") is None
    assert gpu.autocast_dtype("bf16") is torch.bfloat16
    assert gpu.autocast_dtype("fp16") is torch.float16
    assert gpu.device().type == ("cuda" if torch.cuda.is_available() else "cpu")


# --- Colab


@pytest.fixture
def here(monkeypatch):
    """A Colab whose Drive can be mounted; the folders that were mounted."""
    mounted = []
    names = ("google", "google.colab", "google.colab.drive")
    packages = {name: ModuleType(name) for name in names}
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
    rows = tiny.rows(40)
    validation = tiny.rows(11, seed=1)
    plan = quick_plan()
    straight = tiny.model(dropout=0.2)
    loop.train(straight, rows, plan, validation)

    def lost(state):
        if state.step == 8:
            raise ConnectionError("the session is gone")

    folder = gpu.drive_folder(mounted=tmp_path) / "run"
    with pytest.raises(ConnectionError):
        loop.train(tiny.model(dropout=0.2), rows, plan, validation, folder, lost)
    again = tiny.model(seed=9, dropout=0.2)
    steps = []
    folder = gpu.drive_folder(mounted=tmp_path) / "run"
    loop.train(again, rows, plan, validation, folder, lambda state: steps.append(state.step))
    assert 1 < steps[0] <= 8, "it went on, and did not begin anew"
    assert all(
        torch.equal(one, other)
        for one, other in zip(
            straight.state_dict().values(), again.state_dict().values(), strict=True
        )
    )
