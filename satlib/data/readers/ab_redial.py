"""AB-ReDial: film recommendation dialogues that several annotators rated as a whole, or at their
first three exchanges.

Source: Siro et al., Understanding and predicting user satisfaction with conversational recommender
systems, ACM TOIS, 2023.
"""

import re
from collections import Counter, defaultdict
from pathlib import Path

from satlib import runtime
from satlib.data import table_files
from satlib.data.interactions import BadRow, Event, Example
from satlib.data.readers.common import Rate, Read, refusal

EXCHANGE = 4  # utterances before each of the rated turns


def read(files: dict[str, Path], rate: Rate, *, level: str = "dialogue") -> Read:
    """An Example per dialogue (or per rated turn), with the overall ratings of its annotators kept
    apart.

    level: "dialogue" or "turn". Five ConvIds stand for two dialogues each: they become two Examples
    of one group. The whole history is judged, so there is no target. Rows without a rating are
    refused.
    """
    runtime.one_of("level", level, ("dialogue", "turn"))
    bad = []
    # The file has a row per annotator; their ratings of the same words belong together.
    ratings = defaultdict(list)
    for line, row in table_files.csv_rows(files[f"annotated_{level}s.csv"], bad):
        utterances = _utterances(row)
        for column, length in _rated(level, utterances).items():
            try:
                value = rate(row[column])
                ratings[row["ConvId"], utterances[:length], column].append(value)
            except ValueError as error:
                bad.append(BadRow(line, f"{column}: {refusal(error)}"))
    return _examples(ratings), bad


def _utterances(row: dict) -> tuple[str, ...]:
    texts = []
    for name, text in row.items():
        if name.startswith("utterance") and text:
            texts.append(text)
    return tuple(texts)


def _rated(level: str, utterances: tuple[str, ...]) -> dict[str, int]:
    """Column of a rating -> how many utterances it judges."""
    if level == "dialogue":
        return {"dialogue-overall": len(utterances)}
    return {f"overall{turn}": turn * EXCHANGE for turn in (1, 2, 3)}


def _examples(ratings: dict[tuple, list[float]]) -> list[Example]:
    examples = []
    dialogues = Counter()
    for (conversation, utterances, column), values in ratings.items():
        dialogues[conversation, column] += 1
        group = f"ab-redial-{conversation}"
        id = f"{group}-{dialogues[conversation, column]}"
        if column[-1].isdigit():  # of a turn
            id += f"-{column[-1]}"
        events = tuple(map(_event, utterances))
        examples.append(Example(id, group, "films", events, tuple(values)))
    return examples


def _event(utterance: str) -> Event:
    """An utterance is written as its speaker, blanks, its words."""
    actor, text = re.split(r"\s+", utterance.strip(), maxsplit=1)
    return Event(actor.lower(), "say", text)
