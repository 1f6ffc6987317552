"""The readers: one function per corpus that turns its raw files into Examples and counts the rows
it must refuse.

Every reader is called as ``reader(files, rate, **options)`` and returns ``(examples, bad)``: files
maps base names to paths, rate turns a raw rating into a number or raises ValueError, bad holds a
BadRow for each refused row.
"""

import re
from collections import defaultdict
from pathlib import Path

from satlib.data import table_files
from satlib.data.interactions import BadRow
from satlib.data.readers.common import Rate, Read, Step, histories, seconds, why

ARTICLE = re.compile(
    r"(^|\()([^()]+), (The|An?|L[ae]s?|L'|El|Los|Il|D[iea][ers]|Un[ae]?)(?=\)| \(|$)"
)


def movielens(files: dict[str, Path], rate: Rate, *, history: int = 8) -> Read:
    """MovieLens: an Example per rating, from the user's last ``history`` rated films before it in
    time."""
    films = {
        row["movieId"]: (natural(row["title"]), _genres(row["genres"]))
        for _, row in table_files.csv_rows(files["movies.csv"], [])
    }
    users, bad = defaultdict(list), []
    for line, row in table_files.csv_rows(files["ratings.csv"], bad):
        try:
            if row["movieId"] not in films:
                raise ValueError(f"film {row['movieId']} is not in movies.csv")
            title, genres = films[row["movieId"]]
            fields = {"text": title, "category": genres, "time": seconds(row["timestamp"])}
            users[f"movielens-{int(row['userId']):03d}"].append(
                Step(fields, rate(row["rating"]), "films")
            )
        except ValueError as error:
            bad.append(BadRow(line, why(error)))
    return [e for user, steps in users.items() for e in histories(user, steps, history)], bad


def natural(title: str) -> str:
    """A catalogue title with its article in front again: 'Matrix, The (1999)' becomes 'The Matrix
    (1999)'."""
    return ARTICLE.sub(
        lambda m: f"{m[1]}{m[3]}{'' if m[3].endswith(chr(39)) else ' '}{m[2]}", title.strip()
    )


def _genres(text: str) -> str:
    return "" if text.startswith("(no") else text.replace("|", " / ")
