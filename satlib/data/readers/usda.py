"""The three-class task of Deng et al. (WWW 2022): published test and validation dialogues, training
set rebuilt.

The published files (as republished by Ye et al., ACL 2023) hold test and validation rows; the
training rows were never published. They are what is left of USS: dialogues that occur in neither
file, user turns from the fourth on, labelled by the sign of the annotators' mean minus 3. The
classes 0, 1, 2 are kept as 2, 3 and 4 stars. So "satisfied" is here, by their rule, any mean above
3; the kit's own definition is ``labels.satisfied``.
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
CLASS_STARS = (2.0, 3.0, 4.0)  # of the classes unsatisfied, neutral, satisfied
SPEAKERS = ("user", "system")  # of an exchange


def read(files: dict[str, Path], rate: common.Rate) -> common.Read:
    """Test and validation Examples from the published files, training Examples from USS; the
    dialogue is the group.

    A published row whose dialogue cannot be found in USS is refused, as it could stand in training
    unseen.
    """
    paths = _by_role(files)
    turns, bad = uss.read({paths["uss"].name: paths["uss"]}, rate, overall=True)
    dialogues = _by_dialogue(turns)
    known = _index(turns)
    published = []
    for role, part in (("valid", "validation"), ("test", "test")):
        rows, refused = _published_rows(paths[role], part, known)
        published += rows
        bad += refused
    judged = {example.group for example in published}
    train = []
    for group, rows in dialogues.items():
        if group not in judged:
            train += map(_training_row, rows[SKIPPED:])
    return train + published, bad


def _by_role(files: dict[str, Path]) -> dict[str, Path]:
    """The paths by what they hold: "test" and "valid" rows, and the dialogues of "uss"."""
    paths = {}
    for name, path in files.items():
        role = "uss"
        if name.startswith("test"):
            role = "test"
        elif name.startswith("valid"):
            role = "valid"
        paths[role] = path
    return paths


def _by_dialogue(turns: Iterable[Example]) -> dict[str, list[Example]]:
    dialogues = defaultdict(list)
    for turn in turns:
        dialogues[turn.group].append(turn)
    return dialogues


def _index(turns: Iterable[Example]) -> dict[str, set[str]]:
    """Normalised user text -> the dialogues in which it is said."""
    known = defaultdict(set)
    for turn in turns:
        if turn.target is not None:
            known[plain(turn.target.text)].add(turn.group)
    return known


def _published_rows(path: Path, part: str, known: dict[str, set[str]]) -> common.Read:
    """The rows of a published file, and those that had to be refused."""
    rows = []
    bad = []
    for line, text in enumerate(table_files.text(path).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            rows.append(_published(text, line, part, known))
        except ValueError as error:
            bad.append(BadRow(line, f"{path.name}: {common.refusal(error)}"))
    return rows, bad


def _published(text: str, line: int, part: str, known: dict[str, set[str]]) -> Example:
    """One row of a published file: exchanges "user|||system", act ids, class."""
    exchanges, label = _cells(text)
    group = dialogue_of([user for user, _ in exchanges], known)
    events = []
    for exchange in exchanges:
        for actor, words in zip(SPEAKERS, exchange, strict=True):
            # A row ends with the user's turn, so the last answer is empty; a user's line may be.
            if actor == "user" or words.strip():
                events.append(Event(actor, "say", words.strip() or uss.NOTHING))
    if events[-1].actor != "user":
        raise ValueError(
            f"the row ends with the system's {events[-1].text[:40]!r}; "
            "it must end with the user's turn"
        )
    return labelled(f"{group}-{part}-{line:04d}", group, events, label, part)


def _cells(text: str) -> tuple[list[list[str]], int]:
    """The exchanges of a row and its class; ValueError where it is written otherwise."""
    cells = text.split("\t")
    legal_class = len(cells) == 3 and cells[2].strip() in ("0", "1", "2")
    exchanges = _exchanges(cells[0])
    if not legal_class or not exchanges:
        raise ValueError(
            f"{text[:40]!r} is not a list of user|||system exchanges, acts, class 0, 1 or 2 "
            "between tabs"
        )
    return exchanges, int(cells[2])


def _exchanges(cell: str) -> list[list[str]]:
    """The pairs of texts that a cell holds; none where it is written otherwise."""
    try:
        exchanges = [exchange.split("|||") for exchange in ast.literal_eval(cell)]
    except (ValueError, SyntaxError, TypeError, AttributeError):
        return []
    if all(len(exchange) == 2 for exchange in exchanges):
        return exchanges
    return []


def _training_row(turn: Example) -> Example:
    """A turn of USS as a training row: the sign of its mean minus 3, as a class."""
    last = turn.target
    if last is None:
        last = Event("user", "say", uss.OVERALL)
    return labelled(turn.id, turn.group, [*turn.events, last], label_of(turn.rating), "train")


def label_of(mean: float) -> int:
    """The class of the annotators' mean: 0 below 3, 1 at 3, 2 above."""
    if mean < 3:
        return 0
    if mean == 3:
        return 1
    return 2


def labelled(id: str, group: str, events: list[Event], label: int, part: str) -> Example:
    """An Example whose last event is judged, or the whole dialogue where that is OVERALL."""
    *before, last = events
    target = last
    attributes = {}
    if last.text == uss.OVERALL:
        target = None
        attributes = uss.WHOLE_DIALOGUE
    return Example(
        id=id,
        group=group,
        domain=uss.domain_of(group),
        events=tuple(before),
        ratings=(CLASS_STARS[label],),
        target=target,
        attributes=attributes,
        part=part,
    )


def plain(text: str) -> str:
    """A text reduced to its lower-case letters and digits, for comparing."""
    return re.sub(r"\W+", "", text.lower())


def user_texts(row: Example) -> list[str]:
    """The user's texts up to the judged one; of a row that rates a whole dialogue the last one is
    OVERALL."""
    last = uss.OVERALL
    if row.target is not None:
        last = row.target.text
    before = [event.text for event in row.events if event.actor == "user"]
    return [*before, last]


def dialogue_of(users: Sequence[str], known: dict[str, set[str]]) -> str:
    """The dialogue in which most of these user texts are said; ValueError where none is, or several
    are as likely.

    Some published texts join lines of USS by "...", so each text counts whole and in its pieces.
    """
    pieces = set()
    for text in users:
        pieces.add(plain(text))
        pieces.update(map(plain, text.split("...")))
    pieces.discard("")
    votes = Counter()
    for piece in sorted(pieces):
        votes.update(sorted(known.get(piece, ())))
    if not votes:
        raise ValueError(
            f"no dialogue of USS holds {users[0][:40]!r}; take both files from the same source"
        )
    (best, most), *others = votes.most_common(2)
    if others and others[0][1] == most:
        raise ValueError(
            f"{best} and {others[0][0]} of USS hold as much of {users[0][:40]!r}; "
            "leave the row out, as its dialogue could stand in training"
        )
    return best


def aligned(rows: Iterable[Example], turns: Iterable[Example]) -> dict[str, tuple[Example, int]]:
    """Id of a published row -> the turn of USS at which it ends, and how many lines of USS its last
    text joins.

    turns: the dialogues of USS with their OVERALL lines (``corpora.load("uss-...",
    overall=True)``). A row's window of user texts is laid along its dialogue, from its last text
    backwards; rows that fit nowhere, or at two places equally well, are left out.
    """
    dialogues = _by_dialogue(turns)
    place = {}
    for row in rows:
        dialogue = dialogues[row.group]
        lines = [plain(user_texts(turn)[-1]) for turn in dialogue]
        texts = [plain(text) for text in reversed(user_texts(row))]
        end, joined = _best_end(texts, lines)
        if end:
            place[row.id] = dialogue[end - 1], joined
    return place


def verified(rows: Sequence[Example], place: dict[str, tuple[Example, int]]) -> dict[str, int]:
    """How many of the published rows were found in USS, and bear the class that their ratings give.

    place: as ``aligned`` gives it. "joined" counts the rows whose last text joins several lines of
    USS, "joined_agree" those of them that bear their class.
    """
    count = {"rows": len(rows), "found": 0, "agree": 0, "joined": 0, "joined_agree": 0}
    for row in rows:
        if row.id not in place:
            continue
        turn, lines = place[row.id]
        agrees = CLASS_STARS[label_of(turn.rating)] == row.rating
        count["found"] += 1
        if agrees:
            count["agree"] += 1
        if lines > 1:
            count["joined"] += 1
        if agrees and lines > 1:
            count["joined_agree"] += 1
    return count


def _best_end(texts: list[str], lines: list[str]) -> tuple[int, int]:
    """The number of lines after which the texts end best, and how many lines the last text joins;
    0 and 0 where they fit nowhere, or at two places equally well."""
    fits = []
    for end in range(1, len(lines) + 1):
        count, joined = _fit(texts, lines[:end])
        fits.append((count, -joined, end))  # of equally many texts, fewer joined lines fit better
    fits.sort(reverse=True)
    if not fits or fits[0][0] == 0:
        return 0, 0
    if len(fits) > 1 and fits[0][:2] == fits[1][:2]:
        return 0, 0
    _, negative, end = fits[0]
    return end, -negative


def _fit(texts: list[str], lines: list[str]) -> tuple[int, int]:
    """How many of the texts, last one first, the lines end with, each being one or more lines
    joined; and the number of lines that the first of them joins."""
    count = 0
    joined_by_first = 0
    for text in texts:
        joined = _joined(text, lines)
        if not joined:
            break
        if count == 0:
            joined_by_first = joined
        count += 1
        lines = lines[:-joined]
    return count, joined_by_first


def _joined(text: str, lines: list[str]) -> int:
    """How many of the last lines, joined, are the text; 0 where none are."""
    for number in range(1, len(lines) + 1):
        if "".join(lines[-number:]) == text:
            return number
    return 0
