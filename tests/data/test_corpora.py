"""Loading any corpus: the search order, checksums, downloads, limits, and one sentence for whatever
is wrong."""

import hashlib
import io
import json
import shutil
import threading
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from amazon_reviews import PRODUCTS, REVIEWS, written
from corpus_files import put, register
from file_server import Origin

from satlib import runtime, storage
from satlib.data import corpora
from satlib.data.readers import amazon
from satlib.data.registry import REGISTRY

USS = "\n\nUSER\tGood day\t\t3,4,3\nSYSTEM\tHow can I help?\t\t\nUSER\tOVERALL\t\t4,4,4\n"
MOVIES = 'movieId,title,genres\n1,"Long Road, The (1990)",Drama\n2,Éclair (2001),Comedy|War\n'
RATINGS = "userId,movieId,rating,timestamp\n1,1,4.0,100\n1,2,0.5,200\n2,1,3.5,300\n"


@pytest.fixture
def origin():
    server = Origin()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def redial(monkeypatch, origin):
    """A small uss-redial on a server of our own."""
    register(monkeypatch, "uss-redial", {"ReDial.txt": USS.encode()}, url=origin.url("ReDial.txt"))
    origin.content["/ReDial.txt"] = USS.encode()
    monkeypatch.delenv("SATLIB_DATA", raising=False)
    return origin


def test_satsim_is_embedded():
    loaded = corpora.load("satsim")
    assert (
        len(loaded.examples) >= 6000 and loaded.bad == [] and all(e.part for e in loaded.examples)
    )
    assert loaded.sha256 == storage.sha256(runtime.data_folder() / "satsim" / "examples.jsonl.xz")


def test_search_order(redial, tmp_path, monkeypatch):
    named, general = tmp_path / "named", tmp_path / "general"
    for folder in (named, general):
        put(folder, "uss/ReDial.txt", USS)
    monkeypatch.setenv("SATLIB_DATA", str(general))
    assert corpora.find("uss-redial", named) == {"ReDial.txt": named / "uss" / "ReDial.txt"}
    assert corpora.find("uss-redial") == {"ReDial.txt": general / "uss" / "ReDial.txt"}
    shutil.rmtree(named / "uss")
    put(named, "ReDial.txt", USS)
    assert corpora.find("uss-redial", named) == {
        "ReDial.txt": named / "ReDial.txt"
    }  # by its base name
    (general / "uss" / "ReDial.txt").unlink()
    cached = runtime.cache_folder() / "data" / "uss" / "ReDial.txt"
    assert corpora.find("uss-redial") == {"ReDial.txt": cached} and redial.sent == [
        (0, len(USS.encode()))
    ]
    assert corpora.find("uss-redial") == {"ReDial.txt": cached} and len(redial.sent) == 1


def test_the_licence_is_shown_once_before_the_download(redial, capsys):
    loaded = corpora.load("uss-redial")
    shown = capsys.readouterr().out
    assert (
        shown.count("\n") == 1
        and REGISTRY["uss-redial"].licence in shown
        and "arXiv 2105.03748" in shown
    )
    assert corpora.load("uss-redial") == loaded and corpora.fetch("uss-redial").keys() == {
        "ReDial.txt"
    }
    assert capsys.readouterr().out == ""
    assert [e.id for e in loaded.examples] == ["redial-0001-001"]
    assert loaded.sha256 == hashlib.sha256(USS.encode()).hexdigest()


def test_what_is_here_is_told_without_a_download(redial, tmp_path, monkeypatch):
    assert (
        corpora.here("satsim")
        and not corpora.here("uss-redial")
        and not corpora.here("csv")
        and redial.sent == []
    )
    corpora.fetch("uss-redial")
    assert corpora.here("uss-redial") and not corpora.here("uss-sgd") and len(redial.sent) == 1
    put(runtime.cache_folder() / "data", "uss/ReDial.txt", USS[:-5])
    assert not corpora.here("uss-redial")  # a damaged file in the cache is none
    put(tmp_path, "mine/uss/ReDial.txt", USS)
    assert corpora.here("uss-redial", tmp_path / "mine")
    put(tmp_path, "mine/uss/ReDial.txt", USS[:-5])
    with pytest.raises(ValueError, match="ReDial.txt has the checksum"):
        corpora.here("uss-redial", tmp_path / "mine")
    with pytest.raises(ValueError, match="unknown dataset 'redial'"):
        corpora.here("redial")


def test_a_damaged_cached_file_is_downloaded_again(redial):
    path = put(runtime.cache_folder() / "data", "uss/ReDial.txt", USS[:-5])
    assert len(corpora.load("uss-redial").examples) == 1 and path.read_text() == USS


def test_a_damaged_file_of_the_users_is_refused(redial, tmp_path):
    path = put(tmp_path, "uss/ReDial.txt", USS.replace("3,4,3", "3,4,4"))
    expected = hashlib.sha256(USS.encode()).hexdigest()[:12]
    with pytest.raises(
        ValueError, match=f"{path} has the checksum .*expected {expected}...: it is damaged or"
    ):
        corpora.load("uss-redial", tmp_path)


@pytest.mark.parametrize(
    "fault, sentence",
    [
        ("404", "status 404"),
        ("down", "the server is not reachable"),
        ("cut", "it broke off after 0 of"),
    ],
)
def test_absent_and_not_to_be_had(redial, fault, sentence):
    if fault == "404":
        del redial.content["/ReDial.txt"]
    elif fault == "cut":
        redial.cuts = [20] * 3
    else:
        redial.shutdown()
        redial.server_close()
    with pytest.raises(FileNotFoundError) as caught:
        corpora.load("uss-redial")
    said = str(caught.value)
    assert said.startswith(
        "uss-redial is not here and could not be downloaded from http://127.0.0.1"
    )
    assert sentence in said
    assert said.endswith(
        "put ReDial.txt as uss/ReDial.txt in a folder that data_dir or SATLIB_DATA names"
    )
    assert not (runtime.cache_folder() / "data" / "uss" / "ReDial.txt").exists()


def test_wrong_bytes_from_the_server_are_refused(redial):
    redial.content["/ReDial.txt"] = b"<html>a page that says sorry</html>"
    with pytest.raises(ValueError, match="ReDial.txt has the checksum"):
        corpora.load("uss-redial")
    assert not list(runtime.cache_folder().rglob("ReDial*"))


def test_movielens_comes_out_of_its_archive_in_one_download(origin, monkeypatch):
    contents = {"movies.csv": MOVIES.encode(), "ratings.csv": RATINGS.encode()}
    register(monkeypatch, "movielens", contents, url=origin.url("ml.zip"))
    monkeypatch.delenv("SATLIB_DATA", raising=False)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in contents.items():
            archive.writestr(f"ml-latest-small/{name}", data)
    origin.content["/ml.zip"] = buffer.getvalue()
    loaded = corpora.load("movielens")
    assert len(loaded.examples) == 3 and len(origin.sent) == 1 and loaded.scale == (0.5, 5.0)
    folder = runtime.cache_folder() / "data" / "movielens-latest-small"
    assert sorted(path.name for path in folder.iterdir()) == ["movies.csv", "ratings.csv"]
    sums = "\n".join(
        f"{name} {hashlib.sha256(contents[name]).hexdigest()}" for name in sorted(contents)
    )
    assert loaded.sha256 == hashlib.sha256(sums.encode()).hexdigest()
    (folder / "ratings.csv").unlink()
    origin.content["/ml.zip"] = buffer.getvalue()[:200]
    with pytest.raises(ValueError, match="ml.zip is not the expected archive"):
        corpora.load("movielens")
    assert [path.name for path in folder.iterdir()] == ["movies.csv"]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (
            {"name": "redial"},
            "unknown dataset 'redial'; choose one of satsim, movielens, uss-redial",
        ),
        ({"name": "satsim", "view": "before"}, "unknown option of satsim 'view'"),
        (
            {"name": "movielens", "memory": 3},
            "unknown option of movielens 'memory'; choose one of history",
        ),
        (
            {"name": "satsim", "on_bad": "ignore"},
            "unknown on_bad 'ignore'; choose one of refuse, skip",
        ),
        ({"name": "satsim", "limit": 0}, "limit is 0; take at least 1 example, or None for all"),
        ({"name": "csv"}, "csv needs your file: give path='ratings.csv'"),
        (
            {"name": "csv", "data_dir": "no/such.csv"},
            "no file or folder no/such.csv; check the path",
        ),
        (
            {"name": "satsim", "data_dir": "no/such/folder"},
            "no folder no/such/folder; name an existing one as data_dir",
        ),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        corpora.load(**arguments)


@pytest.mark.parametrize("name", ["satsim", "csv", "amazon-reviews-2023"])
def test_what_is_not_fetched_says_what_to_do(name):
    with pytest.raises(ValueError, match=f"{name} is not fetched; "):
        corpora.fetch(name)


def test_limit_takes_whole_groups_in_a_seeded_order():
    every = corpora.load("satsim").examples
    some = corpora.load("satsim", limit=300).examples
    sizes, taken = Counter(e.group for e in every), Counter(e.group for e in some)
    assert 300 <= len(some) < 300 + max(sizes.values()) and all(taken[g] == sizes[g] for g in taken)
    assert (
        some == [e for e in every if e.group in taken] == corpora.load("satsim", limit=300).examples
    )
    assert {e.group for e in corpora.load("satsim", limit=300, seed=1).examples} != set(taken)
    assert corpora.load("satsim", limit=10**6).examples == every


OWN = "user,title,stars\nann,Kettle,4\nann,Lamp,seven\nbob,Cup,2\nbob,,3\n"
COLUMNS = {"group": "user", "text": "title", "rating": "stars"}


def test_own_table_is_found_by_path_folder_or_alone_in_it(tmp_path):
    path = put(tmp_path, "mine/own.csv", "group,text,rating\nann,Kettle,4\n")
    folder = path.parent
    inside = {"path": "own.csv", "data_dir": folder}
    for arguments in ({"path": path}, inside, {"data_dir": path}, {"data_dir": folder}):
        loaded = corpora.load("csv", **arguments)
        assert len(loaded.examples) == 1 and loaded.sha256 == storage.sha256(path)
    put(tmp_path, "mine/other.csv", "")
    with pytest.raises(
        ValueError, match=r"as data_dir the folder that holds it alone \(there are 2 tables in"
    ):
        corpora.load("csv", path.parent)
    with pytest.raises(FileNotFoundError, match="no file gone.csv; check the path"):
        corpora.load("csv", path="gone.csv")


def test_own_table_refuses_or_skips_bad_rows(tmp_path):
    path = put(tmp_path, "own.csv", OWN)
    with pytest.raises(ValueError) as caught:
        corpora.load("csv", path=path, columns=COLUMNS)
    assert str(caught.value) == (
        f"{path} has 2 bad rows (line 3: rating 'seven' is not allowed; write a number from 1 to "
        "5; line 5: the text is empty; every row needs one); mend them or read with on_bad='skip'"
    )
    loaded = corpora.load("csv", path=path, columns=COLUMNS, on_bad="skip")
    assert [e.target.text for e in loaded.examples] == ["Kettle", "Cup"] and [
        row.line for row in loaded.bad
    ] == [3, 5]


def test_a_table_without_a_good_row_is_refused(tmp_path):
    path = put(tmp_path, "own.csv", "group,text,rating\nann,Kettle,9\n")
    with pytest.raises(
        ValueError, match=r"csv has no example to learn from \(1 rows were refused\)"
    ):
        corpora.load("csv", path=path, on_bad="skip")


def test_ids_are_unique(tmp_path):
    rows = [
        {
            "id": "same",
            "group": g,
            "domain": "d",
            "events": [{"actor": "user", "action": "read", "text": "t"}],
            "ratings": [3],
        }
        for g in "ab"
    ]
    path = put(tmp_path, "own.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(ValueError, match="id 'same' occurs 2 times; ids are unique"):
        corpora.load("csv", path=path)


def test_amazon_from_local_files_else_streamed_by_category(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("SATLIB_DATA", raising=False)
    written(tmp_path / "mine", REVIEWS, PRODUCTS)
    local = corpora.load("amazon-reviews-2023", tmp_path / "mine")
    assert len(local.examples) == 1 and local.bad == []
    with pytest.raises(
        FileNotFoundError,
        match="amazon-reviews-2023 is not here; load it with category='All_Beauty'",
    ):
        corpora.load("amazon-reviews-2023")
    hub = tmp_path / "hub@main" / "raw"
    put(hub, "review_categories/Toys.jsonl", (tmp_path / "mine" / "reviews.jsonl").read_text())
    put(hub, "meta_categories/meta_Toys.jsonl", (tmp_path / "mine" / "meta.jsonl").read_text())
    monkeypatch.setattr(amazon, "HUB", str(tmp_path / "hub"))
    streamed = corpora.load("amazon-reviews-2023", category="Toys", own_review=False)
    assert capsys.readouterr().out.count("Licence: research use.") == 1
    assert (
        streamed.examples[0].events == local.examples[0].events
        and streamed.examples[0].target.comment == ""
    )
    shutil.rmtree(tmp_path / "hub@main")
    assert (
        corpora.load("amazon-reviews-2023", category="Toys", own_review=False) == streamed
    )  # now from the cache
    with pytest.raises(
        FileNotFoundError,
        match="Books.jsonl could not be read .*check the category and the network",
    ):
        corpora.load("amazon-reviews-2023", category="Books")


def test_a_cache_that_cannot_be_written_is_one_sentence(redial, tmp_path, monkeypatch):
    put(tmp_path, "file", "")
    monkeypatch.setenv("SATLIB_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        OSError, match="cannot write .*ReDial.txt.*set SATLIB_CACHE to a folder you may write to"
    ):
        corpora.load("uss-redial")


@pytest.mark.parametrize(
    "name, count, bad",
    [
        ("uss-redial", 10806, 0),
        ("uss-ccpe", 6360, 0),
        ("uss-sgd", 12833, 0),
        ("usda-redial", 8617, 0),
        ("usda-sgd", 10833, 0),
        ("ab-redial", 200, 4),
        ("amazon-reviews-2023", 691, 0),
    ],
)
def test_real_corpora(real_data, name, count, bad):
    loaded = corpora.load(name, real_data)
    assert len(loaded.examples) == count and len(loaded.bad) == bad
    low, high = loaded.scale
    assert all(low <= value <= high for e in loaded.examples for value in e.ratings)


def test_a_changed_sample_is_refused(real_data, tmp_path):
    for name in ("reviews.jsonl", "meta.jsonl"):
        text = (real_data / "amazon-2023-sample" / name).read_text(encoding="utf-8")
        put(tmp_path, f"amazon-2023-sample/{name}", text[:-20] + "\n")
    with pytest.raises(ValueError, match="reviews.jsonl has the checksum"):
        corpora.load("amazon-reviews-2023", Path(tmp_path))
