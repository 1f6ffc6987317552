"""A made-up usda-redial, for the tests of protocol B and of averages of its models."""

import numpy as np
from corpus_files import register

from satlib.data.readers import usda as usda_reader

WORDS = {2: "this is bad and dull", 3: "it is a film", 4: "this is good and fun"}
JUDGED = {"valid": range(10, 13), "test": range(13, 17)}


def dialogue(k):
    """User lines (text, ratings) of the k-th made-up dialogue; the words follow the mean, and the
    number is its own."""
    stars = [2 + (k + turn) % 3 for turn in range(6)]
    turns = [(f"{WORDS[star]} d{k} t{turn}", (star, 3, star)) for turn, star in enumerate(stars)]
    return [*turns, ("OVERALL", (3, 4, 3))]


def uss():
    blocks = []
    for k in range(17):
        lines = [
            f"USER\t{text}\t\t{','.join(map(str, ratings))}\nSYSTEM\tand what of number {k}?\t\t"
            for text, ratings in dialogue(k)
        ]
        blocks.append("\n".join(lines).rsplit("\n", 1)[0])
    return "\n\n".join(blocks) + "\n"


def published(part):
    rows = []
    for k in JUDGED[part]:
        said = dialogue(k)
        for end in range(usda_reader.SKIPPED, len(said)):
            exchanges = [f"{text}|||and what of number {k}?" for text, _ in said[:end]] + [
                f"{said[end][0]}|||"
            ]
            rows.append(f"{exchanges!r}\t[0]\t{usda_reader.label_of(np.mean(said[end][1]))}")
    return "\n".join(rows) + "\n"


def registered(monkeypatch, tmp_path):
    """Folder with a small usda-redial, registered as if it were the published one."""
    contents = {
        "uss/ReDial.txt": uss(),
        "usda-split/test_redial.txt": published("test"),
        "usda-split/valid_redial.txt": published("valid"),
    }
    for path, text in contents.items():
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / path).write_text(text, encoding="utf-8")
    named = {path.rsplit("/")[-1]: text.encode() for path, text in contents.items()}
    register(monkeypatch, "usda-redial", named)
    register(monkeypatch, "uss-redial", named)
    return str(tmp_path / "data")
