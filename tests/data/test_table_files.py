"""Rows with line numbers, and downloads from a server of our own that breaks off, lies, or is not
there."""

import errno
import hashlib
import io
import os
import socket
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from satlib.data import downloads, table_files

CONTENT = bytes(range(256)) * 2000  # 512,000 bytes: several chunks
SHA = hashlib.sha256(CONTENT).hexdigest()


class Origin(ThreadingHTTPServer):
    """A file server with Range. cuts: bytes after which each of the next answers breaks off; sent:
    (first, bytes)."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.content, self.cuts, self.ranges, self.sent = {"/a.bin": CONTENT}, [], True, []

    def url(self, name):
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        content = self.server.content.get(self.path)
        if content is None:
            return self.send_error(404)
        asked = self.headers.get("Range") if self.server.ranges else None
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if first >= len(content):
            return self.send_error(416)
        body = content[first:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        body = body[: self.server.cuts.pop(0) if self.server.cuts else None]
        self.server.sent.append((first, len(body)))  # first: the client may be gone after the bytes
        self.wfile.write(body)
        return None

    def log_message(self, *_):
        pass


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


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_rows_find_the_separator_and_count_lines(tmp_path, separator):
    path, bad = tmp_path / "a.csv", []
    lines = ["user,text", 'u,"two\nlines"', "v,\u2028 odd 中文 🙂", "w", "x,y,z", "y,end"]
    path.write_text("\n".join(lines).replace(",", separator), encoding="utf-8-sig")
    rows = dict(table_files.rows(path, bad))
    assert rows == {
        3: {"user": "u", "text": "two\nlines"},
        4: {"user": "v", "text": "\u2028 odd 中文 🙂"},
        7: {"user": "y", "text": "end"},
    }
    assert [row.line for row in bad] == [5, 6]
    assert {row.reason for row in bad} == {"the row has more or fewer cells than the header's 2"}


def test_csv_rows_take_a_very_long_cell(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text\n" + "x" * 300_000 + "\n")
    ((_, row),) = table_files.rows(path, [])
    assert len(row["text"]) == 300_000


def test_rows_refuse_what_they_cannot_read(tmp_path):
    with pytest.raises(
        ValueError, match="unknown file ending '.xls'; choose one of .csv, .tsv, .jsonl, .parquet"
    ):
        list(table_files.rows(tmp_path / "a.xls", []))
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        with pytest.raises(FileNotFoundError, match=f"no file .*{name}; check the path"):
            list(table_files.rows(tmp_path / name, []))
    (tmp_path / "a.csv").write_bytes("user,text\nu,é\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"a.csv is not UTF-8 \(byte 12\); save it as UTF-8"):
        list(table_files.rows(tmp_path / "a.csv", []))


def test_json_rows_and_parquet_rows(tmp_path):
    import pyarrow
    import pyarrow.parquet

    path, bad = tmp_path / "a.jsonl", []
    path.write_text('{"a": 1}\n\n[2]\n{"a": "\u2028"}\n')
    assert dict(table_files.rows(path, bad)) == {1: {"a": 1}, 4: {"a": "\u2028"}} and [
        row.line for row in bad
    ] == [3]
    pyarrow.parquet.write_table(pyarrow.table({"a": [1, None]}), tmp_path / "a.parquet")
    assert list(table_files.rows(tmp_path / "a.parquet", [])) == [(1, {"a": 1}), (2, {"a": None})]
