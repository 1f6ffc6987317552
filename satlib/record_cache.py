"""Jobs: a record is read where it lies and made where it does not; pieces of a long job, and
splits, are files too.

Taught with lesson 61.
"""

import json
import lzma
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from satlib import records, storage


def kept(job: dict, parameters: dict, folder: Path) -> records.RunRecord | None:
    """The record of this very job in ``folder``, if there is one: same data, split and
    parameters."""
    path = Path(folder) / records.RunRecord(**job).name
    path = path if path.is_file() else path.with_name(path.name + ".xz")
    found = records.load(path) if path.is_file() else None
    wanted = json.loads(json.dumps(parameters))
    same = (
        found
        and all(getattr(found, key) == value for key, value in job.items())
        and all(found.parameters.get(key) == value for key, value in wanted.items())
    )
    return found if same else None


def complete(
    job: dict, parameters: dict, make: Callable[[], records.RunRecord], folder: str | Path
) -> records.RunRecord:
    """The record of a job: read where ``folder`` has it, else made and saved."""
    found = kept(job, parameters, Path(folder))
    if found is None:
        found = make()
        records.save(found, folder)
    return found


def found(folder: str | Path, dataset: str, protocol: str) -> list[records.RunRecord]:
    """The records of a protocol on a corpus, sorted by file name; the split files beside them are
    not records."""
    paths = [
        path for path in records.paths(folder) if path.name.startswith(f"{dataset}-{protocol}-")
    ]
    return [
        one for one in map(records.load, paths) if (one.dataset, one.profile) == (dataset, protocol)
    ]


class Pieces:
    """Keeps the epochs of each fold of a job on disk while the job runs: called as (fold, make),
    read back if there."""

    def __init__(self, job: dict, parameters: dict, folder: str | Path):
        self.key = storage.sha256_text(json.dumps([job, parameters], sort_keys=True))
        self.folder = (
            Path(folder) / "unfinished" / records.RunRecord(**job).name.removesuffix(".json")
        )

    def __call__(self, fold: int, make: Callable[[], Sequence[np.ndarray]]) -> np.ndarray:
        """The epochs [E, M, 5] of a fold."""
        path = self.folder / f"{fold}.json"
        if path.is_file():
            found = storage.read_json(path)
            if found["key"] == self.key:
                return np.array(found["epochs"])
        epochs = np.round(np.asarray(make()), 6)
        storage.write_json(path, {"key": self.key, "epochs": epochs.tolist()}, indent=None)
        return epochs

    def clear(self) -> None:
        """Remove the pieces of a job that is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)


def save_split(name: str, parts: dict[str, Sequence[str]], folder: str | Path) -> str:
    """Write a split as a file of ids (no text) into ``folder``, with its checksum; return the
    checksum.

    parts: name of a part or fold -> ids. The file is compressed JSON, and equal splits give equal
    files.
    """
    ids = {part: list(map(str, of)) for part, of in parts.items()}
    checksum = storage.sha256_text(json.dumps(ids, separators=(",", ":")))
    body = (
        json.dumps({"name": name, "sha256": checksum, "parts": ids}, separators=(",", ":")) + "\n"
    )
    with storage.replacing(Path(folder) / f"{name}.json.xz") as temporary:
        temporary.write_bytes(lzma.compress(body.encode()))
    return checksum


def load_split(name: str, folder: str | Path) -> dict[str, list[str]]:
    """The parts of a split file; ValueError where it does not hold what its checksum says."""
    path = Path(folder) / f"{name}.json.xz"
    if not path.is_file():
        raise FileNotFoundError(
            f"no split {name!r} in {folder}; make it with the lesson's parameter measure = True"
        )
    try:
        found = json.loads(lzma.decompress(path.read_bytes()))
        if (
            storage.sha256_text(json.dumps(found["parts"], separators=(",", ":")))
            == found["sha256"]
        ):
            return found["parts"]
        raise ValueError("its checksum differs")
    except (lzma.LZMAError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}); restore it from the repository") from error
