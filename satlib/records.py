"""Run records: the only thing that one lesson leaves for another.

A record is a small JSON file with everything needed to judge one training or one baseline:
parameters, seed, versions, machine, checksums of data and split, loss curves, metric rows with
intervals, and the prediction for each example. A large one is compressed (``.json.xz``); a folder
may hold both kinds.
"""

import json
import lzma
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from satlib import runtime, storage

LARGE = 300_000  # bytes of JSON; a longer record is compressed, to about a seventh
SAVED = "SATLIB_SAVED"  # the variable that names the list of what was saved
ROW_KEYS = ("profile", "dataset", "part", "model", "metric", "value", "low", "high", "n", "seed")


@dataclass
class RunRecord:
    """One fitted model, judged.

    curves: one dict per evaluation, e.g. ``{"step", "epoch", "train_loss", "validation_rmse"}``.
    rows: dicts with the keys ``ROW_KEYS``; ``low`` and ``high`` bound the 95 % interval, ``n``
    counts examples. predictions: part -> columns of equal length: ``id``, ``group``, ``domain``,
    ``rating``, ``predicted`` (on the rating scale), and ``distribution`` (probabilities of 1..5)
    where the model has one. seconds: how long the model took to be fitted and to predict, without
    the judging; None where nobody measured it.
    """

    model: str
    dataset: str
    profile: str
    seed: int
    data_sha256: str
    split_sha256: str
    parameters: dict = field(default_factory=dict)
    curves: list[dict] = field(default_factory=list)
    rows: list[dict] = field(default_factory=list)
    predictions: dict[str, dict[str, list]] = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    machine: dict = field(default_factory=dict)
    seconds: float | None = None

    @property
    def name(self) -> str:
        """File name of the record, without folder; ``.xz`` is added where it is compressed."""
        return f"{self.dataset}-{self.profile}-{self.model}-seed{self.seed}.json"


def save(record: RunRecord, folder: str | Path) -> Path:
    """Write a record atomically into ``folder``, with the versions and machine of this process;
    return its path.

    Where the environment variable SATLIB_SAVED names a file, the path is noted there too: so the
    runner knows which lesson wrote which record, though lessons run side by side.
    """
    _check(record)
    record.versions = record.versions or runtime.versions()
    record.machine = record.machine or runtime.machine()
    text = json.dumps(asdict(record), ensure_ascii=False, allow_nan=False) + "\n"
    content = text.encode()
    plain = Path(folder) / record.name
    packed = plain.with_name(f"{record.name}.xz")
    if len(content) > LARGE:
        path, other = packed, plain
        content = lzma.compress(content)
    else:
        path, other = plain, packed
    with storage.replacing(path) as temporary:
        temporary.write_bytes(content)
    # An earlier run's record may have been longer or shorter; only one of the two may stay.
    other.unlink(missing_ok=True)
    if SAVED in os.environ:
        with open(os.environ[SAVED], "a", encoding="utf-8") as notes:
            notes.write(f"{path.resolve()}\n")
    return path


def _check(record: RunRecord) -> None:
    """ValueError where rows or predictions are not of the form that ``RunRecord`` describes."""
    for row in record.rows:
        if set(row) != set(ROW_KEYS):
            raise ValueError(
                f"a row has the keys {sorted(row)}; a record needs exactly {sorted(ROW_KEYS)}"
            )
    for part, columns in record.predictions.items():
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the columns of the {part} predictions differ in length: {lengths}")


def load(path: str | Path) -> RunRecord:
    """Read one record; a file that is not a record is refused with its name."""
    path = Path(path)
    content = _unpacked(path) if path.suffix == ".xz" else storage.read_json(path)
    try:
        return RunRecord(**content)
    except TypeError as error:
        raise ValueError(
            f"{path} is not a run record ({error}); delete it and run its lesson again"
        ) from error


def _unpacked(path: Path) -> object:
    try:
        return json.loads(lzma.decompress(path.read_bytes()))
    except (lzma.LZMAError, EOFError, ValueError) as error:
        raise ValueError(
            f"{path} is not a compressed JSON file ({error}); delete it and make it anew"
        ) from error


def paths(folder: str | Path) -> list[Path]:
    """The files of the records in ``folder``, plain and compressed, sorted by name."""
    folder = Path(folder)
    return sorted([*folder.glob("*.json"), *folder.glob("*.json.xz")])


def find(folder: str | Path, name: str) -> Path | None:
    """The file of the record called ``name`` in ``folder``, plain or compressed; None where there
    is none."""
    for path in (Path(folder) / name, Path(folder) / f"{name}.xz"):
        if path.is_file():
            return path
    return None


def load_all(
    folder: str | Path, dataset: str | None = None, profile: str | None = None
) -> list[RunRecord]:
    """All records in ``folder``, of one dataset and profile where given, sorted by file name."""
    chosen = []
    for path in paths(folder):
        record = load(path)
        if dataset in (None, record.dataset) and profile in (None, record.profile):
            chosen.append(record)
    return chosen
