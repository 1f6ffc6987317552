"""The kit as Colab has it: the built wheel without the checkout, an empty folder, a stand-in for
google.colab.

`make test-wheel` runs this file, all lessons or those of ONLY="01 12"; `make test` does not, it
would run them twice. The environment is new, but borrows the packages of the running one by links,
all of them except satlib.
"""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from satlib.kit import course

CHECKOUT = Path(__file__).parents[2]
ASKED = os.environ.get("ONLY", "").split()
CHOSEN = [lesson.path.name for lesson in course.select(ASKED, course.lessons())]
# Beginnings of variables that no learner has.
OURS = ("SATLIB", "PYTHON", "JUPYTER", "IPYTHON", "MPL", "PIP_", "VIRTUAL_ENV", "CI")
OF_THE_MACHINE = ("memory", "disk", "device", "corpora", "browser")  # what the doctor may find
DRIVE = """
def mount(folder):
    raise RuntimeError("no lesson may mount Drive unless it was asked to")
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(CHECKOUT)], check=True)
    (made,) = folder.glob("satlib-*.whl")
    return made


@pytest.fixture(scope="session")
def bare(tmp_path_factory) -> SimpleNamespace:
    """An environment with every package but satlib, in which google.colab is loaded, as in Colab's
    kernels."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    lent = folder / "lent"
    lent.mkdir()
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if "satlib" not in package.name and package.suffix != ".pth":
            (lent / package.name).symlink_to(package)
    (site / "google" / "colab").mkdir(parents=True)
    (site / "google" / "colab" / "__init__.py").touch()
    (site / "google" / "colab" / "drive.py").write_text(DRIVE)
    (site / "lent.pth").write_text(f"{lent}\nimport google.colab\n")
    variables = {name: v for name, v in os.environ.items() if not name.startswith(OURS)}
    variables |= {
        "HOME": str(folder),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "HF_HUB_OFFLINE": "1",
        "SATLIB_QUIET": "1",
    }
    return SimpleNamespace(folder=folder, site=site, variables=variables)


def call(where, cwd, *command, fails=False) -> subprocess.CompletedProcess:
    """Run a command of the environment in a folder; it must end well, or fail where that is
    expected."""
    command = [str(where.folder / "bin" / command[0]), *map(str, command[1:])]
    done = subprocess.run(command, cwd=cwd, env=where.variables, capture_output=True, text=True)
    assert bool(done.returncode) == fails, (
        f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    return done


def setup_cell(wheel: Path) -> str:
    """The set-up cell of the wheel's own lessons: the one on which the badge opens Colab."""
    with zipfile.ZipFile(wheel) as packed:
        notebook = json.loads(packed.read(f"satlib/_notebooks/{CHOSEN[0]}"))
    _, code = [cell for cell in notebook["cells"] if "setup" in course.tags(cell)]
    return course.source(code)


@pytest.fixture(scope="session")
def kit(bare, wheel, tmp_path_factory) -> SimpleNamespace:
    """The environment after the set-up cell has found the uploaded wheel and installed it."""
    # A file of IPython's, whose %pip Python itself does not know.
    cell = tmp_path_factory.mktemp("cell") / "setup.ipy"
    cell.write_text(setup_cell(wheel), encoding="utf-8")
    empty = tmp_path_factory.mktemp("empty")
    refused = call(bare, empty, "python", "-m", "IPython", cell, fails=True)
    assert "No module named 'satlib'" in refused.stdout + refused.stderr

    content = tmp_path_factory.mktemp("content")
    before = set(bare.site.iterdir())
    (content / wheel.name).write_bytes(wheel.read_bytes())
    call(bare, content, "python", "-m", "IPython", cell)
    installed = {path.name.split("-")[0] for path in set(bare.site.iterdir()) - before}
    assert installed == {"satlib"}, "no other package is touched"
    call(bare, content, "python", "-m", "ipykernel", "install", "--sys-prefix")
    return bare


WHERE = """
import sys
from satlib.kit import packages
print(packages.__file__, packages.kind(), *sys.path, sep="\\n")
"""


def test_the_checkout_is_not_seen(kit, tmp_path):
    done = call(kit, tmp_path, "python", "-c", WHERE)
    file, kind, *places = done.stdout.splitlines()
    assert Path(file).is_relative_to(kit.site)
    assert kind == "wheel file"
    assert str(CHECKOUT) not in places


def test_the_doctor_finds_the_installation_whole(kit, tmp_path):
    done = subprocess.run(
        [kit.folder / "bin" / "satlib", "doctor", "--json"],
        cwd=tmp_path,
        env=kit.variables,
        capture_output=True,
        text=True,
    )
    wrong = []
    for row in json.loads(done.stdout):
        if row["level"] != "ok" and row["name"] not in OF_THE_MACHINE:
            wrong.append(row)
    assert wrong == []
    assert call(kit, tmp_path, "satlib", "versions").stdout.count("\n") > 20


def test_the_lab_gets_its_own_copy_of_the_lessons(kit, tmp_path):
    assert call(kit, tmp_path, "satlib", "lab", "--version").stdout.strip()
    assert {path.name for path in (tmp_path / "satlib-lessons").iterdir()} >= set(CHOSEN)


def test_the_runner_runs_from_an_empty_folder(kit, tmp_path):
    call(kit, tmp_path, "satlib", "run", CHOSEN[0][:2], "--output", "report")
    report = tmp_path / "report"
    assert (report / "index.html").is_file()
    assert (report / "notebooks" / CHOSEN[0]).is_file()


@pytest.mark.parametrize("name", CHOSEN)
def test_a_lesson_runs_from_an_empty_folder(kit, tmp_path, name):
    kit.variables["SATLIB_CACHE"] = str(tmp_path / "cache")
    empty = tmp_path / "content"
    empty.mkdir()
    lesson = kit.site / "satlib" / "_notebooks" / name
    executed = tmp_path / name
    quiet = ("--no-progress-bar", "--log-level", "CRITICAL")
    papermill = ("python", "-m", "papermill", lesson, executed, "--kernel", "python3", *quiet)
    call(kit, empty, *papermill)
    done = nbformat.read(executed, as_version=4)
    cells = [cell for cell in done.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        errors = [output for output in cell.outputs if output.output_type == "error"]
        assert errors == []
    assert list(empty.iterdir()) == [], "a lesson leaves nothing in the folder that it runs in"
