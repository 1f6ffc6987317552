"""Downloads from a server of our own that breaks off, lies, or is not there."""

import errno
import hashlib
import io
import os
import socket
import threading
import zipfile

import pytest
from file_server import CONTENT, Origin

from satlib.data import downloads

SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def origin():
    server = Origin()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_download_takes_its_place_whole(origin, tmp_path):
    path = tmp_path / "deep" / "a.bin"
    assert downloads.download(origin.url("a.bin"), path, SHA) == path
    assert path.read_bytes() == CONTENT and os.listdir(path.parent) == ["a.bin"]
    downloads.download(origin.url("a.bin"), path, SHA)
    assert origin.sent == [(0, len(CONTENT))]  # what is there is not downloaded again


def test_a_broken_connection_is_resumed_where_it_broke_off(origin, tmp_path):
    origin.cuts = [2 * downloads.CHUNK, 3 * downloads.CHUNK]
    assert downloads.download(origin.url("a.bin"), tmp_path / "a.bin", SHA).read_bytes() == CONTENT
    assert [first for first, _ in origin.sent] == [0, 2 * downloads.CHUNK, 5 * downloads.CHUNK]
    assert sum(sent for _, sent in origin.sent) == len(CONTENT)


def test_at_most_a_chunk_is_sent_twice(origin, tmp_path):
    origin.cuts = [100_000]
    assert downloads.download(origin.url("a.bin"), tmp_path / "a.bin", SHA).read_bytes() == CONTENT
    assert 0 < sum(sent for _, sent in origin.sent) - len(CONTENT) < downloads.CHUNK


def test_a_truncated_download_is_never_left_in_place_and_goes_on_next_time(origin, tmp_path):
    path, origin.cuts, arrived = (
        tmp_path / "a.bin",
        [downloads.CHUNK] * downloads.TRIES,
        downloads.CHUNK * downloads.TRIES,
    )
    with pytest.raises(
        ConnectionError, match=f"broke off after {arrived} of 512000 bytes; run again to go on from"
    ):
        downloads.download(origin.url("a.bin"), path, SHA)
    assert not path.exists() and os.listdir(tmp_path) == ["a.bin.part"]
    assert downloads.download(origin.url("a.bin"), path, SHA).read_bytes() == CONTENT
    assert origin.sent[-1] == (arrived, len(CONTENT) - arrived) and os.listdir(tmp_path) == [
        "a.bin"
    ]


def test_a_server_without_range_sends_all_again(origin, tmp_path):
    origin.cuts, origin.ranges = [100_000], False
    assert downloads.download(origin.url("a.bin"), tmp_path / "a.bin", SHA).read_bytes() == CONTENT
    assert origin.sent == [(0, 100_000), (0, len(CONTENT))]


@pytest.mark.parametrize("old", [b"something else", CONTENT + b"more"], ids=["other", "longer"])
def test_an_old_part_of_another_file_is_replaced(origin, tmp_path, old):
    (tmp_path / "a.bin.part").write_bytes(old)
    assert downloads.download(origin.url("a.bin"), tmp_path / "a.bin", SHA).read_bytes() == CONTENT


def test_a_finished_part_needs_no_more_bytes(origin, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    assert (
        downloads.download(origin.url("a.bin"), tmp_path / "a.bin", SHA).read_bytes() == CONTENT
        and origin.sent == []
    )


def test_wrong_bytes_are_refused(origin, tmp_path):
    origin.content["/a.bin"] = CONTENT[:-1] + b"x"
    with pytest.raises(
        ValueError,
        match=rf"a.bin has the checksum \w{{12}}..., expected {SHA[:12]}...: it is damaged",
    ):
        downloads.download(origin.url("a.bin"), tmp_path / "a.bin", SHA)
    assert os.listdir(tmp_path) == []


def test_a_damaged_file_in_the_place_is_replaced(origin, tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT[:99])
    assert downloads.download(origin.url("a.bin"), tmp_path / "a.bin", SHA).read_bytes() == CONTENT


def test_missing_page_and_refused_connection(origin, tmp_path):
    with pytest.raises(ConnectionError, match=r"/b.bin: status 404$"):
        downloads.download(origin.url("b.bin"), tmp_path / "b.bin", SHA)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError, match=r"/b.bin: the server is not reachable$"):
        downloads.download(f"http://127.0.0.1:{port}/b.bin", tmp_path / "b.bin", SHA)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_one_sentence(origin, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads, "_append", full)
    with pytest.raises(
        OSError,
        match="cannot write .*a.bin: No space left on device; free some space or set SATLIB",
    ):
        downloads.download(origin.url("a.bin"), tmp_path / "a.bin", SHA)


def test_a_place_that_is_no_folder_is_one_sentence(origin, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        OSError, match="cannot write .*a.bin.*SATLIB_CACHE to a folder you may write to"
    ):
        downloads.download(origin.url("a.bin"), tmp_path / "file" / "a.bin", SHA)


def test_unpack(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inside/a.bin", CONTENT)
    packed, place = tmp_path / "a.zip", tmp_path / "out" / "a.bin"

    def unpack(content, member, sha256=SHA):
        packed.write_bytes(content)
        try:
            downloads.unpack(packed, {member: (place, sha256)})
        finally:
            assert not packed.exists()

    unpack(buffer.getvalue(), "inside/a.bin")
    assert place.read_bytes() == CONTENT
    place.unlink()
    with pytest.raises(ValueError, match="inside/a.bin in a.zip has the checksum"):
        unpack(buffer.getvalue(), "inside/a.bin", "0" * 64)
    with pytest.raises(ValueError, match="a.zip is not the expected archive .*other.bin"):
        unpack(buffer.getvalue(), "other.bin")
    with pytest.raises(ValueError, match="a.zip is not the expected archive"):
        unpack(buffer.getvalue()[:50], "inside/a.bin")
    assert os.listdir(place.parent) == []


def test_verify(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(CONTENT)
    assert downloads.verify(path, SHA) == path and downloads.verify(path, "") == path
    with pytest.raises(
        ValueError, match=f"a.bin has the checksum {SHA[:12]}..., expected 000000000000...: it is"
    ):
        downloads.verify(path, "0" * 64)
