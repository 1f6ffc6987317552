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

# The file that pip leaves names the origin of an installation by one of these keys.
ORIGINS = {
    "archive_info": "wheel file",
    "dir_info": "from a folder",
    "vcs_info": "from version control",
}


def requirements() -> list[Requirement]:
    """What satlib needs here, of its metadata, extras left out; none where only its folder is on
    the path."""
    try:
        lines = metadata.requires("satlib") or ()
    except metadata.PackageNotFoundError:
        return []
    return _applicable([Requirement(line) for line in lines])


def _applicable(stated: list[Requirement]) -> list[Requirement]:
    """Those whose marker, if they have one, is true of this machine and needs no extra."""
    kept = []
    for one in stated:
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            kept.append(one)
    return kept


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
    sentences = []
    for one in requirements():
        if not _fits(one):
            wanted = f"{one.name}{one.specifier}"
            sentences.append(f"{_found(one.name)} instead of {wanted}")
    return sentences


def _fits(one: Requirement) -> bool:
    here = version(one.name)
    return here != "" and one.specifier.contains(here, prereleases=True)


def _found(name: str) -> str:
    """A package and the version that is here, in words."""
    return f"{name} {version(name) or 'missing'}"


def kind() -> str:
    """How satlib was installed, in words; no path."""
    try:
        here = metadata.distribution("satlib")
    except metadata.PackageNotFoundError:
        return "not installed, run from a folder"
    origin = json.loads(here.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        return "editable, from a checkout"
    for name, words in ORIGINS.items():
        if name in origin:
            return words
    return "from a package index"


def from_lock() -> str:
    """How far what is installed is from requirements.lock, in words; outside a checkout there is no
    lock."""
    path = runtime.PACKAGE.parent / "requirements.lock"
    if not path.is_file():
        return "none beside an installed satlib"
    lines = path.read_text(encoding="utf-8").splitlines()
    # A line that begins otherwise is a comment or an option.
    stated = [Requirement(line) for line in lines if re.match(r"\w", line)]
    pins = _applicable(stated)
    others = []
    for one in pins:
        if not _fits(one):
            pinned = str(one.specifier).lstrip("=")
            others.append(f"{_found(one.name)} instead of {pinned}")
    summary = f"{len(pins) - len(others)} of {len(pins)} packages as locked"
    return "; ".join([summary, *others])


def report() -> dict[str, object]:
    """What a report of a fault must state: satlib, system, device and precision, lock, and each
    package it needs."""
    facts: dict[str, object] = dict(runtime.versions())
    facts["installed"] = kind()
    facts["os"] = platform.platform()
    facts["lock"] = from_lock()
    try:
        from satlib.training import gpu

        facts |= runtime.machine()
        facts["precision"] = gpu.precision()
    except Exception as error:  # an installation so broken is what gets reported
        reason = " ".join(str(error).split())[:200]
        facts["machine"] = f"unknown, as {type(error).__name__}: {reason}"
    for one in requirements():
        facts.setdefault(one.name, version(one.name) or "missing")
    return facts
