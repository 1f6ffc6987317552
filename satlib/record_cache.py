"""Jobs: a record is read where it lies and made where it does not; pieces of a long job, and
splits, are files too.

A job is what a record is found by: model, dataset, profile, seed and the checksums of data and
split. Its parameters decide whether the record that lies there may be taken.
"""

import json
import lzma
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from satlib import records, storage


def kept(job: dict, parameters: dict, folder: str | Path) -> records.RunRecord | None:
    """The record of this very job in ``folder``, plain or compressed, if there is one: same data,
    split and parameters.

    job: the record's fields model, dataset, profile, seed, data_sha256 and split_sha256. A record
    may hold more parameters than those asked for, as it holds results among them.
    """
    path = records.find(folder, records.RunRecord(**job).name)
    if path is None:
        return None
    record = records.load(path)
    for name, value in job.items():
        if getattr(record, name) != value:
            return None
    # A file knows no tuples: compare what is asked for as the file would keep it.
    wanted = json.loads(json.dumps(parameters))
    for name, value in wanted.items():
        if record.parameters.get(name) != value:
            return None
    return record


def complete(
    job: dict, parameters: dict, make: Callable[[], records.RunRecord], folder: str | Path
) -> records.RunRecord:
    """The record of a job: read where ``folder`` has it, else made and saved."""
    record = kept(job, parameters, folder)
    if record is None:
        record = make()
        records.save(record, folder)
    return record


def found(folder: str | Path, dataset: str, protocol: str) -> list[records.RunRecord]:
    """The records of a protocol on a corpus, sorted by file name; the split files beside them are
    not records."""
    chosen = []
    for path in records.paths(folder):
        if path.name.startswith(f"{dataset}-{protocol}-"):
            record = records.load(path)
            # "A0" begins the name of "A0-shuffled-rows" too.
            if (record.dataset, record.profile) == (dataset, protocol):
                chosen.append(record)
    return chosen


class Pieces:
    """Keeps the epochs of each fold of a job on disk while the job runs: called as (fold, make),
    read back if there."""

    def __init__(self, job: dict, parameters: dict, folder: str | Path):
        name = records.RunRecord(**job).name.removesuffix(".json")
        self.folder = Path(folder) / "unfinished" / name
        # What is kept under this key may be taken; of another job or other parameters it may not.
        self.key = storage.sha256_text(json.dumps([job, parameters], sort_keys=True))

    def __call__(self, fold: int, make: Callable[[], Sequence[np.ndarray]]) -> np.ndarray:
        """The epochs [E, M, 5] of a fold."""
        path = self.folder / f"{fold}.json"
        if path.is_file():
            piece = storage.read_json(path)
            if piece["key"] == self.key:
                return np.array(piece["epochs"])
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
    ids = {}
    for part, members in parts.items():
        ids[part] = [str(member) for member in members]
    checksum = storage.sha256_text(_compact(ids))
    text = _compact({"name": name, "sha256": checksum, "parts": ids}) + "\n"
    with storage.replacing(Path(folder) / f"{name}.json.xz") as temporary:
        temporary.write_bytes(lzma.compress(text.encode()))
    return checksum


def load_split(name: str, folder: str | Path) -> dict[str, list[str]]:
    """The parts of a split file; ValueError where it does not hold what its checksum says."""
    path = Path(folder) / f"{name}.json.xz"
    if not path.is_file():
        raise FileNotFoundError(
            f"no split {name!r} in {folder}; make it with the lesson's parameter measure = True"
        )
    try:
        content = json.loads(lzma.decompress(path.read_bytes()))
        if storage.sha256_text(_compact(content["parts"])) != content["sha256"]:
            raise ValueError("its checksum differs")
    except (lzma.LZMAError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}); restore it from the repository") from error
    return content["parts"]


def _compact(value: object) -> str:
    """JSON without blanks: the one spelling that a checksum is taken of."""
    return json.dumps(value, separators=(",", ":"))
