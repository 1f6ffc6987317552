"""MovieLens latest-small: films that users rated in half stars, one after the other.

Source: Harper and Konstan, The MovieLens datasets, ACM TiiS 5(4), 2015.
"""

import re
from collections import defaultdict
from pathlib import Path

from satlib.data import table_files
from satlib.data.interactions import BadRow
from satlib.data.readers.common import Rate, RatedStep, Read, histories, refusal, seconds

# A title, a comma and an article in one of six languages, at the end or before a bracket.
ARTICLE = re.compile(
    r"(^|\()([^()]+), (The|An?|L[ae]s?|L'|El|Los|Il|D[iea][ers]|Un[ae]?)(?=\)| \(|$)"
)


def read(files: dict[str, Path], rate: Rate, *, history: int = 8) -> Read:
    """An Example per rating, from the user's last ``history`` rated films before it in time."""
    films = _films(files["movies.csv"])
    users = defaultdict(list)
    bad = []
    for line, row in table_files.csv_rows(files["ratings.csv"], bad):
        try:
            if row["movieId"] not in films:
                raise ValueError(f"film {row['movieId']} is not in movies.csv")
            title, genres = films[row["movieId"]]
            fields = {"text": title, "category": genres, "time": seconds(row["timestamp"])}
            user = f"movielens-{int(row['userId']):03d}"
            users[user].append(RatedStep(fields, rate(row["rating"]), "films"))
        except ValueError as error:
            bad.append(BadRow(line, refusal(error)))
    examples = []
    for user, steps in users.items():
        examples += histories(user, steps, history)
    return examples, bad


def _films(path: Path) -> dict[str, tuple[str, str]]:
    """Number of a film -> its title and its genres, as a reader would write them."""
    films = {}
    for _, row in table_files.csv_rows(path, []):
        films[row["movieId"]] = natural(row["title"]), _genres(row["genres"])
    return films


def natural(title: str) -> str:
    """A catalogue title with its article in front again: 'Matrix, The (1999)' becomes 'The Matrix
    (1999)'."""
    return ARTICLE.sub(_article_first, title.strip())


def _article_first(match: re.Match) -> str:
    bracket, name, article = match.groups()
    space = "" if article.endswith("'") else " "  # L'Avventura
    return f"{bracket}{article}{space}{name}"


def _genres(text: str) -> str:
    if text.startswith("(no"):  # "(no genres listed)"
        return ""
    return text.replace("|", " / ")
