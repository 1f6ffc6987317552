"""The readers: one function per corpus that turns its raw files into Examples and counts the rows
it must refuse.

Every reader is called as ``reader(files, rate, **options)`` and returns ``(examples, bad)``: files
maps base names to paths, rate turns a raw rating into a number or raises ValueError, bad holds a
BadRow for each refused row.
"""

from pathlib import Path

from satlib import runtime
from satlib.data import table_files
from satlib.data.interactions import BadRow, Event, Example
from satlib.data.readers.common import Rate, Read, why

NOTHING = "[empty]"  # a line that annotators rated although it has no words
NOT_YET = Event(
    "user", "say", "[not yet spoken]"
)  # the target of the view "before": no word of the user's answer
USS_DOMAINS = {"redial": "films", "ccpe": "films", "sgd": "services"}


def uss(files: dict[str, Path], rate: Rate, *, view: str = "after", overall: bool = False) -> Read:
    """USS dialogues: an Example per user turn with the ratings of all its annotators; the dialogue
    is the group.

    view: "after" judges the user's utterance (the target) and what came before; "before" hides it
    behind a placeholder. overall: also take the pseudo-utterances OVERALL, the ratings of whole
    dialogues (attributes unit = dialogue).
    """
    runtime.one_of("view", view, ("after", "before"))
    runtime.one_of("overall", overall, (True, False))
    (path,) = files.values()
    examples, bad, events, dialogue = [], [], None, 0
    for line, text in enumerate(table_files.text(path).split("\n"), start=1):
        if not text.strip():
            events = None
            continue
        if events is None:
            events, dialogue = [], dialogue + 1
        try:
            event, ratings = _utterance(text, rate)
            if event.actor == "user" and (overall or event.text != "OVERALL"):
                group = f"{path.stem.lower()}-{dialogue:04d}"
                examples.append(_turn(group, tuple(events), event, ratings, view))
            events.append(event)
        except ValueError as error:
            bad.append(BadRow(line, why(error)))
    return examples, bad


def _utterance(text: str, rate: Rate) -> tuple[Event, tuple[float, ...]]:
    cells = text.split("\t")
    if len(cells) != 4 or cells[0] not in ("USER", "SYSTEM"):
        raise ValueError(f"{text[:40]!r} is not USER or SYSTEM, text, act, ratings between tabs")
    ratings = tuple(map(rate, cells[3].split(","))) if cells[0] == "USER" else ()
    return Event(cells[0].lower(), "say", cells[1].strip() or NOTHING), ratings


def _turn(
    group: str, events: tuple[Event, ...], event: Event, ratings: tuple[float, ...], view: str
) -> Example:
    whole = event.text == "OVERALL"
    return Example(
        id=f"{group}-{len(events) + 1:03d}",
        group=group,
        domain=USS_DOMAINS.get(group[:-5], "dialogue"),
        events=events,
        ratings=ratings,
        target=None if whole else event if view == "after" else NOT_YET,
        attributes={"unit": "dialogue"} if whole else {},
    )
