"""Rows of tables with their line numbers, and one sentence for what cannot be read."""

import pytest

from satlib.data import table_files


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
