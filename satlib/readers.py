"""The readers: one function per corpus that turns its raw files into Examples and counts the rows it must refuse.

Every reader is called as ``reader(files, rate, **options)`` and returns ``(examples, bad)``: files maps base names to
paths, rate turns a raw rating into a number or raises ValueError, bad holds a BadRow for each refused row.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from satlib import files as raw
from satlib import interactions, runtime
from satlib.interactions import BadRow, Event, Example

Read = tuple[list[Example], list[BadRow]]
Rate = Callable[[object], float]

NOTHING = "[empty]"  # a line that annotators rated although it has no words
NOT_YET = Event("user", "say", "[not yet spoken]")  # the target of the view "before": no word of the user's answer
USS_DOMAINS = {"redial": "films", "ccpe": "films", "sgd": "services"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ARTICLE = re.compile(r"(^|\()([^()]+), (The|An?|L[ae]s?|L'|El|Los|Il|D[iea][ers]|Un[ae]?)(?=\)| \(|$)")


class Step(NamedTuple):
    """A rated step of a user: the fields of its Event, its rating, domain, and id where the corpus gives one."""

    fields: dict
    rating: float
    domain: str
    id: str = ""


def rating(value: object, low: float, high: float, step: float = 0.0) -> float:
    """A raw rating as a number between low and high (in steps where given), or ValueError with one sentence."""
    legal = f"write a number from {low:g} to {high:g}" + f" in steps of {step:g}" * bool(step)
    if value is None or value != value or isinstance(value, str) and not value.strip():
        raise ValueError(f"the rating is missing; {legal}")
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        number = float("nan")
    if not low <= number <= high or step and number % step:
        raise ValueError(f"rating {value!r} is not allowed; {legal}")
    return number


def uss(files: dict[str, Path], rate: Rate, *, view: str = "after", overall: bool = False) -> Read:
    """USS dialogues: an Example per user turn with the ratings of all its annotators; the dialogue is the group.

    view: "after" judges the user's utterance (the target) and what came before; "before" hides it behind a placeholder.
    overall: also take the pseudo-utterances OVERALL, the ratings of whole dialogues (attributes unit = dialogue).
    """
    runtime.one_of("view", view, ("after", "before"))
    runtime.one_of("overall", overall, (True, False))
    (path,) = files.values()
    examples, bad, events, dialogue = [], [], None, 0
    for line, text in enumerate(raw.text(path).split("\n"), start=1):
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


def _turn(group: str, events: tuple[Event, ...], event: Event, ratings: tuple[float, ...], view: str) -> Example:
    whole = event.text == "OVERALL"
    return Example(
        id=f"{group}-{len(events) + 1:03d}", group=group, domain=USS_DOMAINS.get(group[:-5], "dialogue"),
        events=events, ratings=ratings, target=None if whole else event if view == "after" else NOT_YET,
        attributes={"unit": "dialogue"} if whole else {})


def movielens(files: dict[str, Path], rate: Rate, *, history: int = 8) -> Read:
    """MovieLens: an Example per rating, from the user's last ``history`` rated films before it in time."""
    films = {row["movieId"]: (natural(row["title"]), _genres(row["genres"]))
             for _, row in raw.csv_rows(files["movies.csv"], [])}
    users, bad = defaultdict(list), []
    for line, row in raw.csv_rows(files["ratings.csv"], bad):
        try:
            if row["movieId"] not in films:
                raise ValueError(f"film {row['movieId']} is not in movies.csv")
            title, genres = films[row["movieId"]]
            fields = {"text": title, "category": genres, "time": seconds(row["timestamp"])}
            users[f"movielens-{int(row['userId']):03d}"].append(Step(fields, rate(row["rating"]), "films"))
        except ValueError as error:
            bad.append(BadRow(line, why(error)))
    return [e for user, steps in users.items() for e in histories(user, steps, history)], bad


def natural(title: str) -> str:
    """A catalogue title with its article in front again: 'Matrix, The (1999)' becomes 'The Matrix (1999)'."""
    return ARTICLE.sub(lambda m: f"{m[1]}{m[3]}{'' if m[3].endswith(chr(39)) else ' '}{m[2]}", title.strip())


def _genres(text: str) -> str:
    return "" if text.startswith("(no") else text.replace("|", " / ")


def histories(group: str, steps: list[Step], history: int) -> Iterator[Example]:
    """An Example per step, from the steps before it; ties in time keep their order in the file. Events are shared."""
    steps = sorted(steps, key=lambda step: step.fields["time"] or 0.0)
    past = [Event("user", "rate", value=step.rating, **step.fields) for step in steps]
    for i, step in enumerate(steps):
        yield Example(step.id or f"{group}-{i + 1:04d}", group, step.domain, tuple(past[max(0, i - history) : i]),
                      (step.rating,), Event("user", "rate", **step.fields), date=day(step.fields["time"]))


def ab_redial(files: dict[str, Path], rate: Rate, *, level: str = "dialogue") -> Read:
    """AB-ReDial: an Example per dialogue (or per rated turn), with the overall ratings of its annotators kept apart.

    Five ConvIds stand for two dialogues each: they become two Examples of one group. The whole history is judged, so
    there is no target. Rows without a rating are refused.
    """
    runtime.one_of("level", level, ("dialogue", "turn"))
    dialogues, bad = defaultdict(list), []
    for line, row in raw.csv_rows(files[f"annotated_{level}s.csv"], bad):
        words = tuple(text for name, text in row.items() if name.startswith("utterance") and text)
        shown = {"dialogue-overall": len(words)} if level == "dialogue" else {f"overall{k}": 4 * k for k in (1, 2, 3)}
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
        yield Example(f"{group}-{seen[conversation, column]}{turn}", group, "films", events, tuple(ratings))


def seconds(value: object) -> float | None:
    """Unix seconds from seconds, milliseconds (above 1e11, year 5138 in seconds) or an ISO date; None where absent."""
    if value in (None, ""):
        return None
    try:
        number = float(value)
        number = number / 1000 if abs(number) > 1e11 else number
        EPOCH + timedelta(seconds=number)  # refuses what no calendar holds
        return number
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"time {value!r} is neither Unix seconds nor an ISO date such as 2024-05-31") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def day(time: float | None) -> str | None:
    """The ISO day (UTC) of Unix seconds."""
    return None if time is None else (EPOCH + timedelta(seconds=time)).date().isoformat()


def why(error: Exception) -> str:
    """What was wrong with a row, as one sentence."""
    if isinstance(error, ValidationError):
        return interactions.reason(error)
    return f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
