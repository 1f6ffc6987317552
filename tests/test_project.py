"""The project's files state one truth: dependencies, lock, conda environment, addresses, licence; a
light import."""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from satlib import storage
from satlib.kit import course, import_contract

# What Colab shipped, by its public package lists: in August 2026 on Python 3.13, and in June 2026
# on its GPU machines with Python 3.12, there with the packages that run the notebook itself.
COLAB = {
    "3.13": {
        "torch": "2.11.0",
        "transformers": "5.15.0",
        "numpy": "2.1.3",
        "pandas": "2.2.3",
        "scikit-learn": "1.6.1",
        "datasets": "4.0.0",
        "ipywidgets": "7.7.1",
    },
    "3.12": {
        "torch": "2.11.0",
        "transformers": "5.9.0",
        "numpy": "2.0.2",
        "pandas": "2.2.2",
        "scikit-learn": "1.6.1",
        "datasets": "4.0.0",
        "ipywidgets": "7.7.1",
        "accelerate": "1.13.0",
        "huggingface-hub": "1.17.0",
        "ipykernel": "6.17.1",
        "ipython": "7.34.0",
        "jupyter-client": "7.4.9",
        "jupyter-core": "5.9.1",
        "jupyter-server": "2.14.0",
        "matplotlib": "3.10.0",
        "nbclient": "0.10.4",
        "nbformat": "5.10.4",
        "notebook": "6.5.7",
        "packaging": "26.2",
        "pooch": "1.9.0",
        "protobuf": "5.29.6",
        "psutil": "5.9.5",
        "pyarrow": "18.1.0",
        "pydantic": "2.12.3",
        "pyyaml": "6.0.3",
        "pyzmq": "26.2.1",
        "requests": "2.32.4",
        "safetensors": "0.7.0",
        "scipy": "1.16.3",
        "seaborn": "0.13.2",
        "sqlalchemy": "2.0.50",
        "statsmodels": "0.14.6",
        "tensorboard": "2.20.0",
        "tokenizers": "0.22.2",
        "tornado": "6.5.1",
        "tqdm": "4.67.3",
        "traitlets": "5.7.1",
        "typer": "0.25.1",
    },
}
CONDA = {"pytorch": "torch"}  # name on conda-forge -> name on the package index
ADDRESS = re.compile(r"github(?:\.com)?[:/][\w.-]+/satlib")
BINARY = (".xz", ".png", ".parquet")
LOOKING_FOR_PATHS = ("test_project", "test_stored_notebooks", "stored_notebooks")


@pytest.fixture(scope="module")
def project(root) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def bounds(lines) -> dict[str, str]:
    """Name -> specifier, in one spelling."""
    parsed = map(Requirement, lines)
    return {canonicalize_name(CONDA.get(one.name, one.name)): str(one.specifier) for one in parsed}


def stated(project) -> list[str]:
    return project["project"]["dependencies"] + project["project"]["optional-dependencies"]["test"]


def locked(root) -> list[Requirement]:
    return [
        Requirement(line)
        for line in (root / "requirements.lock").read_text(encoding="utf-8").splitlines()
    ]


def tracked(root) -> list:
    """The files that git tracks or would track; all but the ignored where this is no clone."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip("this is not a git checkout")
    return [root / name for name in done.stdout.splitlines() if (root / name).is_file()]


def test_conda_states_the_same_bounds(root, project):
    conda = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    (from_index,) = [entry["pip"] for entry in conda if isinstance(entry, dict)]
    found = bounds([entry for entry in conda if isinstance(entry, str)] + from_index)
    assert (
        Requirement(f"python{found.pop('python')}").specifier
        == Requirement(f"python{project['project']['requires-python']}").specifier
    )
    del found["pip"]
    assert found == bounds(stated(project))


def test_the_lock_pins_every_dependency_within_its_bounds(root, project):
    pins = {}
    for one in locked(root):
        (pin,) = one.specifier
        assert pin.operator == "==" and not one.url, one
        pins.setdefault(canonicalize_name(one.name), []).append(pin.version)
    for name, bound in bounds(stated(project)).items():
        assert pins[name] and all(
            Requirement(f"x{bound}").specifier.contains(version) for version in pins[name]
        ), name


def test_the_lock_leaves_the_accelerator_to_torch(root):
    names = [one.name for one in locked(root)]
    assert not [name for name in names if re.match(r"nvidia-|cuda-|triton", name)]
    (torch,) = [one for one in locked(root) if one.name == "torch"]
    assert "+" not in str(torch.specifier) and torch.marker is None


def test_the_running_packages_are_those_of_the_lock(root):
    from importlib import metadata

    if not (root / ".venv" / ".installed").is_file():
        pytest.skip("the packages here were not installed by make")
    found = {canonicalize_name(one.name) for one in metadata.distributions()}
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {
        Requirement(text).name
        for text in (*project["dependencies"], *project["optional-dependencies"]["test"])
    }
    assert {canonicalize_name(name) for name in needed} <= found
    for one in locked(
        root
    ):  # what only the site or the browser tests need is installed by their commands
        if (one.marker is None or one.marker.evaluate()) and one.name in found:
            assert one.specifier.contains(metadata.version(one.name).split("+")[0]), one


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_python_resolves(python, root, tmp_path):
    assert resolve(root, tmp_path, python)


@pytest.mark.parametrize("python", COLAB)
def test_colab_keeps_its_own_versions(python, root, tmp_path):
    found = resolve(root, tmp_path, python, COLAB[python])
    assert {name: found[name] for name in COLAB[python]} == COLAB[python]


def resolve(root, tmp_path, python, constraints=None) -> dict[str, str]:
    """Name -> version that a resolver picks for pyproject.toml; the test is skipped where no index
    can be reached."""
    (tmp_path / "constraints.txt").write_text(
        "".join(f"{k}=={v}\n" for k, v in (constraints or {}).items())
    )
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "pyproject.toml",
        "--python-version",
        python,
        "--quiet",
        "--no-annotate",
        "--no-header",
        "--no-progress",
        "-c",
        str(tmp_path / "constraints.txt"),
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)
    if re.search(
        r"dns error|error sending request|[Nn]etwork|Failed to fetch|timed out", done.stderr
    ):
        pytest.skip(f"the package index cannot be reached: {done.stderr.strip().splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    return dict(line.split(";")[0].strip().split("==") for line in done.stdout.splitlines())


def test_no_path_of_a_machine_is_in_the_repository(root):
    here = [
        re.escape(str(path)) + r"/\w"
        for path in (root, Path.home(), tempfile.gettempdir(), sys.prefix)
    ]
    places = re.compile("|".join([*here, r"/(?:home|Users)/\w", r"\b[A-Z]:\\Users"]))
    for path in tracked(root):
        if path.suffix in BINARY or path.stem in LOOKING_FOR_PATHS:
            continue
        text = re.sub(r'"image/png": "[^"]*"', "", path.read_text(encoding="utf-8"))
        assert not places.search(text), f"{path.name} holds {places.search(text).group()!r}"


def test_the_address_of_the_repository_stands_in_one_line(root, project):
    address = project["tool"]["satlib"]["repository"]
    assert re.fullmatch(r"(https://github\.com/[\w.-]+/[\w.-]+)?", address)
    for path in tracked(root):
        if path.suffix not in (*BINARY, ".ipynb") and path.name not in (
            "README.md",
            "test_project.py",
        ):
            lines = [
                line
                for line in path.read_text(encoding="utf-8").splitlines()
                if ADDRESS.search(line)
            ]
            assert lines in ([], [f'repository = "{address}"']), (
                f"{path.name} repeats an address: {lines}"
            )
    stray = ADDRESS.findall((root / "README.md").read_text(encoding="utf-8"))
    assert all(found in address for found in stray), (
        f"README.md has an address that is not ours: {stray}"
    )


def test_the_licence_is_whole(root):
    text = (root / "LICENSE").read_text(encoding="utf-8")
    assert (
        "Apache License" in text
        and "Version 2.0, January 2004" in text
        and "9. Accepting Warranty" in text
    )
    assert "END OF TERMS AND CONDITIONS" in text and len(text.splitlines()) == 202


def test_the_top_level_holds_only_what_tools_need(root):
    top = {path.relative_to(root).parts[0] for path in tracked(root)}
    assert top <= {
        "notebooks",
        "satlib",
        "tests",
        "data",
        "environment.yml",
        "README.md",
        "README.zh-CN.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE",
        "pyproject.toml",
        "requirements.lock",
        "Makefile",
        "docs",
        ".ci",
        ".devcontainer",
        ".github",
        ".gitignore",
        ".gitattributes",
        ".pre-commit-config.yaml",
    }


def test_versions_are_stated_alike(root, project):
    version = project["project"]["version"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == version
    assert citation["license"] == project["project"]["license"]
    assert citation["authors"] == [{"name": "The satlib authors"}]
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+?),? ", changes, re.M).group(1) == version


def makefile_targets(root) -> set[str]:
    text = (root / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):.*## ", text, re.M))


def test_what_contributors_are_told_exists(root, project):
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80, "it is one page"
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= makefile_targets(root)
    paths = re.findall(r"`((?:satlib|notebooks|tests|data|docs|\.ci)/[\w./]*)`", text)
    assert len(paths) > 10
    for path in paths:
        assert (root / path).exists(), path
    order = [name for name in import_contract.folders() if name not in ("exercises", "kit")]
    table = text[text.index("Its folders are") : text.index("The modules beside them")]
    assert re.findall(r"`(\w+)`", table) == order


def test_the_container_and_the_hooks_use_what_make_sets_up(root):
    container = storage.read_json(root / ".devcontainer" / "devcontainer.json")
    assert container["postCreateCommand"] == "make setup"
    hooks = yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = hooks["repos"]
    assert repository["repo"] == "local", "a hook of another repository would be downloaded"
    names = [hook["id"] for hook in repository["hooks"]]
    assert names == ["ruff-check", "ruff-format", "lint-imports"]
    for hook in repository["hooks"]:
        assert hook["language"] == "system" and ".venv/bin" in hook["entry"]


def ci_files(root) -> list[Path]:
    return [root / ".ci" / "run", *sorted((root / ".github" / "workflows").glob("*.yml"))]


def test_lessons_and_pages_that_ci_names_exist(root):
    lessons = course.lessons()
    pages = ["index", "results", "glossary", "satsim", "README.zh-CN"]
    pages += [f"lessons/{lesson.stem}" for lesson in lessons]
    pages += [f"api/{module}" for module in course.modules()]
    for path in ci_files(root):
        text = path.read_text(encoding="utf-8")
        for target, words in re.findall(r'make ([a-z-]+) ONLY="([^"]*)"', text):
            assert target in makefile_targets(root)
            if target != "test-site":
                course.select(words.split(), lessons)
                continue
            for word in words.split():
                assert any(word in page for page in pages), f"{path.name} names {word}"
        for words in re.findall(r"satlib run ((?:\d\d ?)+)", text):
            course.select(words.split(), lessons)
        assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= makefile_targets(root), path.name


def test_every_workflow_is_legal_and_ends(root):
    for path in ci_files(root)[1:]:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["name"] == path.stem and workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] <= 60 and job["runs-on"]


def test_importing_the_package_or_its_command_loads_nothing_heavy():
    code = """
import sys, time
start = time.perf_counter()
import satlib
seconds = time.perf_counter() - start
from satlib.kit import cli
heavy = {"torch", "transformers", "numpy", "pandas", "papermill", "pydantic"}
print(seconds, *(heavy & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, *heavy = done.stdout.split()
    assert float(seconds) < 0.2 and heavy == []
