"""USS: dialogues of three corpora whose user turns were rated by 3 to 7 annotators.

The file has a line per utterance and an empty line between dialogues; the last line of a dialogue
is a pseudo-utterance that bears the ratings of the whole. Source: Sun et al., Simulating user
satisfaction for the evaluation of task-oriented dialogue systems, SIGIR 2021.
"""

from pathlib import Path

from satlib import runtime
from satlib.data import table_files
from satlib.data.interactions import BadRow, Event, Example
from satlib.data.readers.common import Rate, Read, refusal

OVERALL = "OVERALL"  # the text of the pseudo-utterance
WHOLE_DIALOGUE = {"unit": "dialogue"}  # attributes of an Example that rates a whole dialogue
NOTHING = "[empty]"  # a line that annotators rated although it has no words
# The target of the view "before": no word of the user's answer.
NOT_YET = Event("user", "say", "[not yet spoken]")
DOMAINS = {"redial": "films", "ccpe": "films", "sgd": "services"}


def read(files: dict[str, Path], rate: Rate, *, view: str = "after", overall: bool = False) -> Read:
    """An Example per user turn with the ratings of all its annotators; the dialogue is the group.

    view: "after" judges the user's utterance (the target) and what came before; "before" hides it
    behind a placeholder. overall: also take the pseudo-utterances OVERALL, the ratings of whole
    dialogues (attributes unit = dialogue).
    """
    runtime.one_of("view", view, ("after", "before"))
    runtime.one_of("overall", overall, (True, False))
    (path,) = files.values()
    examples = []
    bad = []
    dialogue = 0
    events = None  # of the dialogue so far; None between two dialogues
    for line, text in enumerate(table_files.text(path).split("\n"), start=1):
        if not text.strip():
            events = None
            continue
        if events is None:
            events = []
            dialogue += 1
        try:
            event, ratings = _utterance(text, rate)
            judged = event.actor == "user" and (overall or event.text != OVERALL)
            if judged:
                group = f"{path.stem.lower()}-{dialogue:04d}"
                examples.append(_turn(group, tuple(events), event, ratings, view))
            events.append(event)
        except ValueError as error:
            bad.append(BadRow(line, refusal(error)))
    return examples, bad


def domain_of(group: str) -> str:
    """The domain of a dialogue, by the name of its corpus: films for redial-0001."""
    corpus, _, _ = group.rpartition("-")
    return DOMAINS.get(corpus, "dialogue")


def _utterance(text: str, rate: Rate) -> tuple[Event, tuple[float, ...]]:
    """A line of the file as an Event, with its ratings; the system's lines have none."""
    cells = text.split("\t")
    if len(cells) != 4 or cells[0] not in ("USER", "SYSTEM"):
        raise ValueError(f"{text[:40]!r} is not USER or SYSTEM, text, act, ratings between tabs")
    speaker, words, _, rated = cells
    ratings = ()
    if speaker == "USER":
        ratings = tuple(map(rate, rated.split(",")))
    event = Event(speaker.lower(), "say", words.strip() or NOTHING)
    return event, ratings


def _turn(
    group: str, events: tuple[Event, ...], event: Event, ratings: tuple[float, ...], view: str
) -> Example:
    """The Example of one rated line, said after these events."""
    attributes = {}
    if event.text == OVERALL:
        target = None
        attributes = WHOLE_DIALOGUE
    elif view == "after":
        target = event
    else:
        target = NOT_YET
    return Example(
        id=f"{group}-{len(events) + 1:03d}",
        group=group,
        domain=domain_of(group),
        events=events,
        ratings=ratings,
        target=target,
        attributes=attributes,
    )
