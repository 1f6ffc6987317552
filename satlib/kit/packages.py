"""What is installed: satlib itself and in which way, the packages it needs, and how far they are
from the lock.

``satlib versions`` prints it, ``satlib doctor`` judges it. No lesson imports this module.
"""

import json
import platform
import re
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from satlib import runtime


def requirements() -> list[Requirement]:
    """What satlib needs here, of its metadata, extras left out; none where only its folder is on
    the path."""
    try:
        stated = [Requirement(line) for line in metadata.requires("satlib") or ()]
    except metadata.PackageNotFoundError:
        return []
    return [one for one in stated if one.marker is None or one.marker.evaluate({"extra": ""})]


def supported() -> SpecifierSet:
    """The versions of Python that satlib supports; any where only its folder is on the path."""
    try:
        return SpecifierSet(metadata.metadata("satlib")["Requires-Python"] or "")
    except metadata.PackageNotFoundError:
        return SpecifierSet()


def version(name: str) -> str:
    """The installed version of a package without the build's name (not 2.11.0+cu128); "" where it
    is missing."""
    try:
        return metadata.version(name).split("+")[0]
    except metadata.PackageNotFoundError:
        return ""


def misfits() -> list[str]:
    """The requirements that are not met, each as ``numpy 1.26 instead of numpy>=2``."""
    return [
        f"{one.name} {version(one.name) or 'missing'} instead of {one.name}{one.specifier}"
        for one in requirements()
        if not _fits(one)
    ]


def _fits(one: Requirement) -> bool:
    return bool(version(one.name)) and one.specifier.contains(version(one.name), prereleases=True)


def kind() -> str:
    """How satlib was installed, in words; no path."""
    try:
        found = metadata.distribution("satlib")
    except metadata.PackageNotFoundError:
        return "not installed, run from a folder"
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        return "editable, from a checkout"
    return {
        "archive_info": "wheel file",
        "dir_info": "from a folder",
        "vcs_info": "from version control",
    }.get(next((key for key in origin if key.endswith("_info")), ""), "from a package index")


def from_lock() -> str:
    """How far what is installed is from requirements.lock, in words; outside a checkout there is no
    lock."""
    path = runtime.PACKAGE.parent / "requirements.lock"
    if not path.is_file():
        return "none beside an installed satlib"
    pins = [
        Requirement(line)
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\w", line)
    ]
    pins = [one for one in pins if one.marker is None or one.marker.evaluate()]
    other = [
        f"{one.name} {version(one.name) or 'missing'} instead of {str(one.specifier).lstrip('=')}"
        for one in pins
        if not _fits(one)
    ]
    return f"{len(pins) - len(other)} of {len(pins)} packages as locked" + "".join(
        f"; {text}" for text in other
    )


def report() -> dict[str, object]:
    """What a report of a fault must state: satlib, system, device and precision, lock, and each
    package it needs."""
    facts = runtime.versions() | {
        "installed": kind(),
        "os": platform.platform(),
        "lock": from_lock(),
    }
    try:
        from satlib.training import gpu

        facts |= runtime.machine() | {"precision": gpu.precision()}
    except Exception as error:  # an installation so broken is what gets reported
        facts["machine"] = (
            f"unknown, as {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        )
    return facts | {
        one.name: version(one.name) or "missing" for one in requirements() if one.name not in facts
    }
