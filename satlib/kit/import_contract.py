"""The import contract of pyproject.toml, read: satlib's layers in the order of the course.

The contract is the one place that states the order; ``lint-imports`` holds the code to it, and the
tools ask it here. It lies in a checkout only.
"""

import tomllib
from pathlib import Path

from satlib import runtime

PROJECT = runtime.PACKAGE.parent / "pyproject.toml"


def layers(project: Path | None = None) -> list[str]:
    """The folders of satlib, and the modules that lie in none, from the ground up; layers that
    stand side by side follow each other.

    A folder may be named that does not exist yet. Raises FileNotFoundError outside a checkout.
    """
    project = project or PROJECT
    if not project.is_file():
        raise FileNotFoundError(
            f"no {project}; the order of the folders is known in a checkout only"
        )
    settings = tomllib.loads(project.read_text(encoding="utf-8"))
    (contract,) = settings["tool"]["importlinter"]["contracts"]
    names = []
    for layer in reversed(contract["layers"]):
        for name in layer.split("|"):
            names.append(name.strip(" ()"))  # in brackets: it need not exist
    return names


def folders(project: Path | None = None) -> list[str]:
    """The layers that are folders, those that are still to come among them."""
    package = (project or PROJECT).parent / "satlib"
    return [name for name in layers(project) if not (package / f"{name}.py").is_file()]


def ground(project: Path | None = None) -> list[str]:
    """The modules below the first folder, which all may use."""
    names = layers(project)
    return names[: names.index(folders(project)[0])]
