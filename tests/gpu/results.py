"""The file gpu.json: machine, versions, and for every part its rows, seconds and error.

A row may have "met", whether what it checks is as it should be, or "not_measured", the reason why
this machine cannot show it.
"""

from pathlib import Path

from satlib import runtime, storage

NAME = "gpu.json"
LOG = "log.txt"
NOT_MEASURED = "not_measured"


def begin(options) -> dict:
    """Write the file without any part; an older one is replaced."""
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    (output / LOG).write_text("", encoding="utf-8")
    found = {
        "machine": runtime.machine(),
        "versions": runtime.versions(),
        "tiny": options.tiny,
        "minutes": options.minutes,
        "parts": {},
    }
    storage.write_json(output / NAME, found)
    return found


def add(options, part: str, row: dict) -> None:
    """Add a row to a part."""
    path = Path(options.output) / NAME
    found = storage.read_json(path)
    _of_part(found, part)["rows"].append(row)
    storage.write_json(path, found)
    print(part, row, flush=True)


def end_part(options, part: str, seconds: float, error: str) -> dict:
    """Note how a part ended, error "" where it ended well; returns the whole file."""
    path = Path(options.output) / NAME
    found = storage.read_json(path)
    noted = _of_part(found, part)
    noted["seconds"] = round(seconds, 1)
    noted["error"] = error
    storage.write_json(path, found)
    return found


def _of_part(found: dict, part: str) -> dict:
    return found["parts"].setdefault(part, {"rows": [], "error": "not ended"})


def all_met(found: dict) -> bool:
    """Whether all parts ended well and all their checks were met; what was not measured was not
    missed."""
    for noted in found["parts"].values():
        if noted["error"]:
            return False
        for row in noted["rows"]:
            if not row.get("met", True):
                return False
    return True


def table(part: str, noted: dict) -> str:
    """A part as text: a line a row, what was not measured, and how it ended."""
    lines = [f"{part}, {noted['seconds']:.0f} s"]
    for row in noted["rows"]:
        lines.append("  " + line(row))
    if noted["error"]:
        lines.append(f"  FAILED  {noted['error']}")
    return "\n".join(lines)


def line(row: dict) -> str:
    """A row as text: whether it was met, then its names and values."""
    verdict = ""
    if "met" in row:
        verdict = "met     " if row["met"] else "MISSED  "
    if NOT_MEASURED in row:
        verdict = "not measured  "
    words = [f"{name} {value}" for name, value in row.items() if name not in ("met",)]
    return verdict + ", ".join(words)
