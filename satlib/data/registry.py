"""The registry: every fact on every corpus, in one place.

A corpus is named, described and found by these entries alone; ``satlib.data.corpora`` loads it.
Checksums and sizes are those of the published files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from satlib import runtime
from satlib.data.readers import ab_redial, amazon, movielens, own_table, usda, uss

GITHUB = "https://raw.githubusercontent.com"
USS = f"{GITHUB}/sunnweiwei/user-satisfaction-simulation/8ba06bd9/dataset"
ASAP = f"{GITHUB}/smartyfh/ASAP/53ae6f17e2e4eef1fb53545ae989b66b632a48cd/dataset"
AB_REDIAL = f"{GITHUB}/Clemenciah/AB-ReDial/ad8912c0/Data"
MOVIELENS = "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip"


@dataclass(frozen=True)
class File:
    """A file of a corpus: its path in a data folder, where it comes from, its checksum and size in
    bytes.

    member: its name inside the zip archive at url. own: a file of the user's may take its place, by
    its base name.
    """

    path: str
    url: str = ""
    sha256: str = ""
    size: int = 0
    member: str = ""
    own: bool = False

    @property
    def name(self) -> str:
        """The file's base name."""
        return Path(self.path).name


@dataclass(frozen=True)
class Corpus:
    """What is known of a corpus.

    task: what is predicted from what. read: its reader (``satlib.data.readers.common``). scale:
    lowest and highest rating. step: between two ratings; 0 where any number is legal. rule: how it
    is cut into parts (``splits.RULES``). simulated: whether a program made it, not people.
    """

    name: str
    title: str
    origin: str
    files: tuple[File, ...]
    licence: str
    citation: str
    task: str
    read: Callable
    scale: tuple[float, float] = (1.0, 5.0)
    step: float = 0.0
    rule: str = "group"
    simulated: bool = False

    @property
    def notice(self) -> str:
        """What is shown before a download."""
        return f"Downloading {self.title}. Licence: {self.licence} Please cite: {self.citation}"


_REDIAL = File(
    "uss/ReDial.txt",
    f"{USS}/ReDial.txt",
    "b875bc656ed2e7ca12dfd966e026b2393f86e6915e8fdaf1e287ac2eb1c1b0f2",
    1123392,
)
_SGD = File(
    "uss/SGD.txt",
    f"{USS}/SGD.txt",
    "f417e17e39221a396a041bd10bee4f3e221a5834d2e32dcc7f813adb25d3bf39",
    1838324,
)
_USDA = {
    "origin": "github.com/smartyfh/ASAP, commit 53ae6f17 (validation, test); USS (training)",
    "licence": "MIT (validation, test); none stated by the authors of USS: for your own use, "
    "never redistribute it.",
    "citation": "Deng et al., WWW 2022; Ye et al., ACL 2023; Sun et al., SIGIR 2021, "
    "arXiv 2105.03748.",
    "task": "tell unsatisfied, neutral and satisfied (2, 3 and 4 stars) apart at each user turn "
    "from the fourth",
    "read": usda.read,
}
_USS = {
    "origin": "github.com/sunnweiwei/user-satisfaction-simulation, commit 8ba06bd9",
    "licence": "none stated by its authors: for your own use, never redistribute it.",
    "citation": "Sun et al., SIGIR 2021, arXiv 2105.03748.",
    "task": "rate the user's satisfaction at each of the user's turns, as 3 to 7 annotators did",
    "read": uss.read,
}

_CORPORA = (
    Corpus(
        name="satsim",
        title="satsim, simulated sessions of a shop, a news site and a video site",
        origin="embedded in this kit and made by it",
        files=(File("satsim/examples.jsonl.xz"),),
        licence="Apache-2.0, as this kit.",
        citation="this kit (see the README).",
        task="predict the rating that a user gives a whole session",
        read=own_table.read_ready,
        simulated=True,
    ),
    Corpus(
        name="movielens",
        title="MovieLens latest-small",
        origin="grouplens.org/datasets/movielens",
        files=(
            File(
                "movielens-latest-small/movies.csv",
                MOVIELENS,
                "5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07",
                494431,
                member="ml-latest-small/movies.csv",
            ),
            File(
                "movielens-latest-small/ratings.csv",
                MOVIELENS,
                "80da8b3393dae325bbba5a31f291a6ba55d8d4f4396de3c456f2c1635b1b70e8",
                2382886,
                member="ml-latest-small/ratings.csv",
            ),
        ),
        licence="GroupLens terms: research use, redistribution only under the same terms, "
        "no commercial use.",
        citation="Harper and Konstan, ACM TiiS 5(4), 2015, doi 10.1145/2827872.",
        task="predict the rating of each film from the user's ratings before it",
        read=movielens.read,
        scale=(0.5, 5.0),
        step=0.5,
        rule="user-time",
    ),
    Corpus(
        name="uss-redial",
        title="USS ReDial, 1,000 film recommendation dialogues",
        files=(_REDIAL,),
        **_USS,
    ),
    Corpus(
        name="uss-ccpe",
        title="USS CCPE, 500 dialogues on film preferences",
        files=(
            File(
                "uss/CCPE.txt",
                f"{USS}/CCPE.txt",
                "ee6e268f85a7fd25acfa97cf1c5bb9b8c8e86f20dff096535dd46296a036bba9",
                1182562,
            ),
        ),
        **_USS,
    ),
    Corpus(
        name="uss-sgd",
        title="USS SGD, 1,000 task dialogues",
        files=(_SGD,),
        **_USS,
    ),
    Corpus(
        name="usda-redial",
        title="USDA ReDial, USS in three classes, with the published test rows",
        files=(
            _REDIAL,
            File(
                "usda-split/test_redial.txt",
                f"{ASAP}/redial/test_redial.txt",
                "713c5c2bdaf0f639c28a095b0557c3da7cec6d08aa5b96abd32306a3d7d69c4f",
                444913,
            ),
            File(
                "usda-split/valid_redial.txt",
                f"{ASAP}/redial/valid_redial.txt",
                "968393d05d0ffcb8024d8ac11f739cff1e12aebaf71a9b76987fe62a94fbb713",
                530155,
            ),
        ),
        **_USDA,
    ),
    Corpus(
        name="usda-sgd",
        title="USDA SGD, USS in three classes, with the published test rows",
        files=(
            _SGD,
            File(
                "usda-split/test_sgd.txt",
                f"{ASAP}/sgd/test_sgd.txt",
                "fa643809bf50413afd70f1f75a3ed1c40d849fecfd07be44f977a4ee9d4e4907",
                1122722,
            ),
            File(
                "usda-split/valid_sgd.txt",
                f"{ASAP}/sgd/valid_sgd.txt",
                "780bf255a07ec34805cbd0daf202271e065bfe374ae67bd0471656d5312db258",
                1137254,
            ),
        ),
        **_USDA,
    ),
    Corpus(
        name="ab-redial",
        title="AB-ReDial, 200 film recommendation dialogues",
        origin="github.com/Clemenciah/AB-ReDial, commit ad8912c0",
        files=(
            File(
                "ab-redial/annotated_dialogues.csv",
                f"{AB_REDIAL}/annotated_dialogues.csv",
                "0b2e99c6279c3c5b48f435ae7cc88469261ed844d5e18eae6943a751199c2428",
                685647,
            ),
            File(
                "ab-redial/annotated_turns.csv",
                f"{AB_REDIAL}/annotated_turns.csv",
                "0dd3a8dd7400541d991dfb3caadd82dbda17727161b2de26d78b9da74611eef0",
                567728,
            ),
        ),
        licence="MIT.",
        citation="Siro et al., ACM TOIS, 2023, doi 10.1145/3624989.",
        task="rate a whole dialogue (or each of its first three exchanges), as 3 or 4 annotators "
        "did",
        read=ab_redial.read,
    ),
    Corpus(
        name="amazon-reviews-2023",
        title="Amazon Reviews 2023, by category",
        origin="huggingface.co/datasets/McAuley-Lab/Amazon-Reviews-2023",
        files=(
            File(
                "amazon-2023-sample/reviews.jsonl",
                amazon.HUB,
                "19c0fbcce0351a9ba2fa5f99770f5863ff33aad38af04ee41587eb960476099e",
                1305910,
                own=True,
            ),
            File(
                "amazon-2023-sample/meta.jsonl",
                amazon.HUB,
                "eebdf2499c32eb183b306d1d090a3b2603c79c5ffb8b4216f0fd3b0aaf3074b8",
                556047,
                own=True,
            ),
        ),
        licence="research use.",
        citation="Hou et al., 2024, arXiv 2403.03952.",
        task="predict the stars of a user's last review from the products and reviews before it",
        read=amazon.read,
    ),
    Corpus(
        name="csv",
        title="your own table (CSV, TSV, JSONL or Parquet)",
        origin="your own file",
        files=(),
        licence="yours.",
        citation="yours.",
        task="predict the rating of each row from the rows of its group before it",
        read=own_table.read,
    ),
)

REGISTRY = {corpus.name: corpus for corpus in _CORPORA}
# What is not fetched -> what to do instead.
NOT_FETCHED = {
    "satsim": "it is embedded in the kit",
    "csv": "it is your own file: load it with path=",
    "amazon-reviews-2023": "load it with category='All_Beauty' to stream that category from its "
    "hub, or put reviews.jsonl and meta.jsonl in its fields in a folder that data_dir or "
    "SATLIB_DATA names",
}


def known(name: str) -> Corpus:
    """The corpus of this name, or ValueError that lists the names."""
    runtime.one_of("dataset", name, REGISTRY)
    return REGISTRY[name]


def table() -> list[dict[str, str]]:
    """The registry as rows for a table: name, title, task, scale, size, licence and origin."""
    rows = []
    for corpus in REGISTRY.values():
        low, high = corpus.scale
        row = {
            "name": corpus.name,
            "title": corpus.title,
            "task": corpus.task,
            "scale": f"{low:g} to {high:g}",
            "size": _size(corpus),
            "licence": corpus.licence,
            "origin": corpus.origin,
        }
        rows.append(row)
    return rows


def _size(corpus: Corpus) -> str:
    """The size of a download in MB, or why there is none."""
    if not corpus.files:
        return "any"
    total = sum(file.size for file in corpus.files)
    if total == 0:
        return "embedded"
    return f"{total / 1e6:.1f} MB"
