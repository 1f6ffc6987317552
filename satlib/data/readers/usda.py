"""The three-class task of Deng et al. (WWW 2022): published test and validation dialogues, training
set rebuilt.

The published files (as republished by Ye et al., ACL 2023) hold test and validation rows; the
training rows were never published. They are what is left of USS: dialogues that occur in neither
file, user turns from the fourth on, labelled by the sign of the annotators' mean minus 3. The
classes 0, 1, 2 are kept as 2, 3 and 4 stars.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from satlib.data import table_files
from satlib.data.interactions import BadRow, Event, Example
from satlib.data.readers import common, uss

SKIPPED = 3  # user turns at the start of every dialogue
STARS = (2.0, 3.0, 4.0)  # of the classes unsatisfied, neutral, satisfied
WHOLE = {"unit": "dialogue"}  # attributes of a row that rates a whole dialogue


def read(files: dict[str, Path], rate: common.Rate) -> common.Read:
    """Test and validation Examples from the published files, training Examples from USS; the
    dialogue is the group.

    A published row whose dialogue cannot be found in USS is refused, as it could stand in training
    unseen.
    """
    names = {
        next(
            part for part in ("test", "valid", "uss") if name.startswith(part) or part == "uss"
        ): path
        for name, path in sorted(files.items(), reverse=True)
    }
    turns, bad = uss.uss({names["uss"].name: names["uss"]}, rate, overall=True)
    dialogues = defaultdict(list)
    for turn in turns:
        dialogues[turn.group].append(turn)
    known = _index(dialogues)
    found = []
    for name, part in (("valid", "validation"), ("test", "test")):
        for line, text in enumerate(table_files.text(names[name]).split("\n"), start=1):
            if text.strip():
                try:
                    found.append(_published(text, line, part, known))
                except ValueError as error:
                    bad.append(BadRow(line, f"{names[name].name}: {common.why(error)}"))
    judged = {example.group for example in found}
    train = [
        _labelled(turn)
        for group, rows in dialogues.items()
        if group not in judged
        for turn in rows[SKIPPED:]
    ]
    return train + found, bad


def _published(text: str, line: int, part: str, known: dict[str, set[str]]) -> Example:
    """One row of a published file: exchanges "user|||system", act ids, class."""
    exchanges, label = _cells(text)
    group = dialogue_of([user for user, _ in exchanges], known)
    events = [
        Event(actor, "say", words.strip() or uss.NOTHING)
        for pair in exchanges
        for actor, words in zip(("user", "system"), pair, strict=True)
        if actor == "user" or words.strip()
    ]
    if events[-1].actor != "user":
        raise ValueError(
            f"the row ends with the system's {events[-1].text[:40]!r}; it must end with the user's turn"
        )
    return _example(f"{group}-{part}-{line:04d}", group, events, label, part)


def _cells(text: str) -> tuple[list[list[str]], int]:
    cells = text.split("\t")
    try:
        exchanges = [exchange.split("|||") for exchange in ast.literal_eval(cells[0])]
    except (ValueError, SyntaxError, TypeError, AttributeError):
        exchanges = []
    legal = len(cells) == 3 and cells[2].strip() in ("0", "1", "2")
    if not legal or not exchanges or any(len(pair) != 2 for pair in exchanges):
        raise ValueError(
            f"{text[:40]!r} is not a list of user|||system exchanges, acts, class 0, 1 or 2 between tabs"
        )
    return exchanges, int(cells[2])


def _labelled(turn: Example) -> Example:
    """A turn of USS as a training row: the sign of its mean minus 3, as a class."""
    events = [*turn.events, turn.target or Event("user", "say", "OVERALL")]
    return _example(turn.id, turn.group, events, label_of(turn.rating), "train")


def label_of(mean: float) -> int:
    """The class of the annotators' mean: 0 below 3, 1 at 3, 2 above."""
    return 1 + (mean > 3) - (mean < 3)


def _example(id: str, group: str, events: list[Event], label: int, part: str) -> Example:
    whole = events[-1].text == "OVERALL"
    return Example(
        id,
        group,
        uss.USS_DOMAINS.get(group[:-5], "dialogue"),
        tuple(events[:-1]),
        (STARS[label],),
        None if whole else events[-1],
        WHOLE if whole else {},
        part=part,
    )


def _index(dialogues: dict[str, list[Example]]) -> dict[str, set[str]]:
    """Normalised user text -> the dialogues in which it is said."""
    found = defaultdict(set)
    for group, rows in dialogues.items():
        for turn in rows:
            if turn.target is not None:
                found[plain(turn.target.text)].add(group)
    return found


def plain(text: str) -> str:
    """A text reduced to its lower-case letters and digits, for comparing."""
    return re.sub(r"\W+", "", text.lower())


def said(row: Example) -> list[str]:
    """The user's texts up to the judged one; of a row that rates a whole dialogue the last one is
    OVERALL."""
    last = row.target.text if row.target is not None else "OVERALL"
    return [event.text for event in row.events if event.actor == "user"] + [last]


def dialogue_of(users: Sequence[str], known: dict[str, set[str]]) -> str:
    """The dialogue in which most of these user texts are said; ValueError where none is, or several
    are as likely.

    Some published texts join lines of USS by "...", so each text counts whole and in its pieces.
    """
    pieces = {plain(piece) for text in users for piece in (text, *text.split("..."))} - {""}
    votes = Counter(
        group for piece in sorted(pieces) for group in sorted(known.get(piece, ()))
    ).most_common(2)
    if not votes:
        raise ValueError(
            f"no dialogue of USS holds {users[0][:40]!r}; take both files from the same source"
        )
    if len(votes) > 1 and votes[0][1] == votes[1][1]:
        raise ValueError(
            f"{votes[0][0]} and {votes[1][0]} of USS hold as much of {users[0][:40]!r}; "
            "leave the row out, as its dialogue could stand in training"
        )
    return votes[0][0]


def aligned(rows: Iterable[Example], turns: Iterable[Example]) -> dict[str, tuple[Example, int]]:
    """Id of a published row -> the turn of USS at which it ends, and how many lines of USS its last
    text joins.

    turns: the dialogues of USS with their OVERALL lines (``corpora.load("uss-...",
    overall=True)``). A row's window of user texts is laid along its dialogue, from its last text
    backwards; rows that fit nowhere, or at two places equally well, are left out.
    """
    dialogues = defaultdict(list)
    for turn in turns:
        dialogues[turn.group].append(turn)
    found = {}
    for row in rows:
        lines = [plain(said(turn)[-1]) for turn in dialogues[row.group]]
        texts = [plain(text) for text in reversed(said(row))]
        fits = sorted(
            (_fit(texts, lines[:end]) + (end,) for end in range(1, len(lines) + 1)), reverse=True
        )
        if fits and fits[0][0] and fits[0][:2] not in [fit[:2] for fit in fits[1:]]:
            found[row.id] = dialogues[row.group][fits[0][2] - 1], -fits[0][1]
    return found


def verified(rows: Sequence[Example], place: dict[str, tuple[Example, int]]) -> dict[str, int]:
    """How many of the published rows were found in USS, and bear the class that their ratings give;
    see aligned."""
    found = [
        (STARS[label_of(place[e.id][0].rating)] == e.rating, place[e.id][1] > 1)
        for e in rows
        if e.id in place
    ]
    return {
        "rows": len(rows),
        "found": len(found),
        "agree": sum(same for same, _ in found),
        "joined": sum(joined for _, joined in found),
        "joined_agree": sum(same for same, joined in found if joined),
    }


def _fit(texts: list[str], lines: list[str]) -> tuple[int, int]:
    """How many of the texts, last one first, the lines end with, each being one or more lines
    joined; and minus the number of lines that the first of them joins."""
    count = first = 0
    for text in texts:
        joins = [n for n in range(1, len(lines) + 1) if "".join(lines[-n:]) == text]
        if not joins:
            break
        count, first, lines = count + 1, first or joins[0], lines[: -joins[0]]
    return count, -first
