"""The readers: one function per corpus that turns its raw files into Examples and counts the rows
it must refuse.

Every reader is called as ``reader(files, rate, **options)`` and returns ``(examples, bad)``: files
maps base names to paths, rate turns a raw rating into a number or raises ValueError, bad holds a
BadRow for each refused row.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from satlib import runtime
from satlib.data import table_files
from satlib.data.interactions import BadRow, Event, Example
from satlib.data.readers.common import Rate, Read, why


def ab_redial(files: dict[str, Path], rate: Rate, *, level: str = "dialogue") -> Read:
    """AB-ReDial: an Example per dialogue (or per rated turn), with the overall ratings of its
    annotators kept apart.

    Five ConvIds stand for two dialogues each: they become two Examples of one group. The whole
    history is judged, so there is no target. Rows without a rating are refused.
    """
    runtime.one_of("level", level, ("dialogue", "turn"))
    dialogues, bad = defaultdict(list), []
    for line, row in table_files.csv_rows(files[f"annotated_{level}s.csv"], bad):
        words = tuple(text for name, text in row.items() if name.startswith("utterance") and text)
        shown = (
            {"dialogue-overall": len(words)}
            if level == "dialogue"
            else {f"overall{k}": 4 * k for k in (1, 2, 3)}
        )
        for column, length in shown.items():
            try:
                value = rate(row[column])
                dialogues[row["ConvId"], words[:length], column].append(value)
            except ValueError as error:
                bad.append(BadRow(line, f"{column}: {why(error)}"))
    return list(_dialogues(dialogues)), bad


def _dialogues(dialogues: dict[tuple, list[float]]) -> Iterator[Example]:
    seen = defaultdict(int)
    for (conversation, words, column), ratings in dialogues.items():
        seen[conversation, column] += 1
        turn = f"-{column[-1]}" if column[-1].isdigit() else ""
        said = (re.split(r"\s+", text.strip(), maxsplit=1) for text in words)
        events = tuple(Event(actor.lower(), "say", text) for actor, text in said)
        group = f"ab-redial-{conversation}"
        yield Example(
            f"{group}-{seen[conversation, column]}{turn}", group, "films", events, tuple(ratings)
        )
