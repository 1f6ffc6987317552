"""Files whole or not at all, and one sentence for what goes wrong with them."""

import errno
import hashlib
import os

import pytest

from satlib import storage


def one_sentence(error: BaseException) -> str:
    """The text of an error, which has one line."""
    assert "\n" not in str(error)
    return str(error)


# Atomic files


def test_a_file_appears_whole_with_readable_rights(tmp_path):
    path = tmp_path / "new" / "folder" / "note.txt"
    storage.write_text(path, "äöü 满意 😀\r\nend")
    assert path.read_bytes() == "äöü 满意 😀\r\nend".encode()
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == ["note.txt"]


def test_the_old_file_stays_until_the_block_ends(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("old")
    with storage.replacing(path) as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path and path.read_text() == "old"
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["note.txt"]


@pytest.mark.parametrize("failure", [ValueError("odd"), KeyboardInterrupt(), SystemExit(1)])
def test_a_failure_inside_leaves_the_old_file_and_no_rest(tmp_path, failure):
    path = tmp_path / "note.txt"
    path.write_text("old")
    with pytest.raises(type(failure)):
        with storage.replacing(path) as temporary:
            temporary.write_text("half")
            raise failure
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["note.txt"]


def _raise(number: int):
    def call(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("where", ["fsync", "write", "mkstemp", "replace"])
@pytest.mark.parametrize(
    "number, kind",
    [(errno.ENOSPC, OSError), (errno.EACCES, PermissionError), (errno.EROFS, OSError)],
)
def test_a_full_disk_or_no_permission_is_one_sentence(tmp_path, monkeypatch, where, number, kind):
    path = tmp_path / "note.json"
    path.write_text("old")
    target = {
        "fsync": "os.fsync",
        "write": "pathlib.Path.write_bytes",
        "mkstemp": "tempfile.mkstemp",
        "replace": "os.replace",
    }[where]
    with monkeypatch.context() as patch:
        patch.setattr(target, _raise(number))
        with pytest.raises(kind) as caught:
            storage.write_json(path, {"a": 1})
    sentence = one_sentence(caught.value)
    assert (
        caught.value.errno == number
        and f"cannot write {path}" in sentence
        and os.strerror(number) in sentence
    )
    assert "free some space or choose another folder" in sentence
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["note.json"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may write anywhere"
)
def test_a_folder_without_permission_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="cannot write"):
        storage.write_text(tmp_path / "note.txt", "x")
    tmp_path.chmod(0o700)


def test_a_file_where_a_folder_should_be_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write .*choose another folder"):
        storage.write_text(tmp_path / "file" / "note.txt", "x")


def test_a_failed_read_or_download_inside_keeps_its_own_words(tmp_path):
    for failure in (
        ConnectionError("the line broke"),
        FileNotFoundError(errno.ENOENT, "no file source.csv"),
    ):
        with pytest.raises(type(failure)) as caught:
            with storage.replacing(tmp_path / "note.txt"):
                raise failure
        assert caught.value is failure
    assert os.listdir(tmp_path) == []


# JSON and checksums


def test_json_comes_back_and_what_is_not_json_is_refused(tmp_path):
    path = tmp_path / "a.json"
    storage.write_json(path, {"满意": [1, 2.5, None, True]})
    assert storage.read_json(path) == {"满意": [1, 2.5, None, True]}
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            storage.write_json(path, {"value": bad})
    assert storage.read_json(path) == {"满意": [1, 2.5, None, True]}


def test_a_missing_or_broken_json_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file .*a.json; check the path"):
        storage.read_json(tmp_path / "a.json")
    for content in (b'{"a": ', b"\xff\xfe", b""):
        (tmp_path / "b.json").write_bytes(content)
        with pytest.raises(ValueError, match="b.json is not valid JSON") as caught:
            storage.read_json(tmp_path / "b.json")
        one_sentence(caught.value)


def test_checksums_are_those_of_hashlib(tmp_path):
    data = bytes(range(256)) * 10_000  # more than one chunk
    (tmp_path / "data").write_bytes(data)
    assert storage.sha256(tmp_path / "data") == hashlib.sha256(data).hexdigest()
    assert storage.sha256_text("满意") == hashlib.sha256("满意".encode()).hexdigest()
