"""How a lesson's last run ended, and the key that says whether that still holds.

The key is a checksum of all that decides a lesson's outputs. A lesson that ended well leaves its
result with the key in ``<output>/.state``. A tool of ``runner``; no lesson imports it.
"""

import functools
import json
import os
import re
import sys
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

from satlib import runtime, storage
from satlib.kit import course
from satlib.kit.course import Lesson

# What a lesson or a module reads of data/ is seen in its code, but for the module that takes the
# paths from the register of data sets.
READS = re.compile(r'data_folder\(\)\s*/\s*"(\w+)"')
EMBEDDED = {"data.corpora": "satsim"}


@dataclass
class Result:
    """How one lesson ended. status: ok, unchanged, failed or skipped. outputs: paths below the
    output folder."""

    stem: str
    status: str
    seconds: float = 0.0
    message: str = ""
    key: str = ""
    dataset: str = ""
    profile: str = ""
    outputs: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """What the progress line says after the lesson's name."""
        if self.status == "ok":
            return f"ok      {self.seconds:8.1f} s"
        if self.status == "failed":
            return f"FAILED {self.message}"
        if self.status == "skipped":
            return f"skipped ({self.message})"
        return self.status


def remembered(output: Path, stem: str) -> Result | None:
    """The result that a lesson's last good run left; None where there is none or it cannot be
    read."""
    try:
        return Result(**storage.read_json(_path(output, stem)))
    except (OSError, ValueError, TypeError):
        return None


def remember(output: Path, result: Result) -> None:
    """Keep the result of a lesson that ended well."""
    storage.write_json(_path(output, result.stem), asdict(result))


def forget(output: Path, stem: str) -> None:
    """Forget the result of a lesson that begins anew."""
    _path(output, stem).unlink(missing_ok=True)


def _path(output: Path, stem: str) -> Path:
    return output / ".state" / f"{stem}.json"


def holds(result: Result | None, key: str, output: Path) -> bool:
    """Whether a result is there, of this key, with all its outputs."""
    if result is None or result.key != key:
        return False
    return all((output / name).exists() for name in result.outputs)


def installation() -> list[str]:
    """The versions of Python and of all packages."""
    packages = sorted(f"{one.name}=={one.version}" for one in metadata.distributions())
    return [sys.version, *packages]


def key(
    lesson: Lesson,
    given: dict[str, object],
    keys_of_needs: list[str | None],
    installed: list[str],
    data_dir: str,
) -> str:
    """Checksum of all that decides a lesson's outputs: itself, its arguments, packages, data, and
    the lessons that it needs."""
    data = []
    for name in sorted(_embedded(lesson)):
        folder = runtime.data_folder() / name
        data.append({str(path): _checksum(path) for path in _files(folder)})
    local = data_dir or os.environ.get("SATLIB_DATA", "")
    if local and "dataset" in given:
        # Corpora are large: size and time of change stand for their content.
        data.append({str(path): _stamp(path) for path in _files(Path(local))})
    parts = [course.fingerprint(lesson), given, installed, data, keys_of_needs]
    return storage.sha256_text(json.dumps(parts, sort_keys=True, default=str))


def _embedded(lesson: Lesson) -> set[str]:
    """The folders of data/ that a lesson reads, by itself or by a module that it uses."""
    used = course.uses(lesson)
    names = {EMBEDDED[module] for module in used & EMBEDDED.keys()}
    for code in course.code_of(lesson):
        names |= set(READS.findall(code))
    for module in used:
        names |= set(READS.findall(course.path_of(module).read_text(encoding="utf-8")))
    return names


def _files(folder: Path) -> list[Path]:
    """The visible files of a folder, two levels deep; of a file the file itself."""
    if folder.is_file():
        return [folder]
    paths = sorted([*folder.glob("*"), *folder.glob("*/*")])
    return [path for path in paths if path.is_file() and not path.name.startswith(".")]


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of change of a file."""
    about = path.stat()
    return about.st_size, about.st_mtime_ns


def _checksum(path: Path) -> str:
    return _checksum_at(path, _stamp(path))


@functools.cache  # many lessons read the same records
def _checksum_at(path: Path, stamp: tuple[int, int]) -> str:
    return storage.sha256(path)
