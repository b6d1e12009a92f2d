"""A damaged CSV file is read by stated rules, and by the same ones whatever a query asks for."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.engines.duckdb import DuckDBEngine
from analytics.errors import TelemetryError
from analytics.telemetry.csv_files import CsvFile, csv_relation, look_at_csv, repaired_folder
from analytics.telemetry.files import list_files
from tests.telemetry.logs import put


def look(folder: Path, content: str | bytes, name: str = "a.csv") -> tuple[CsvFile, list[tuple[str, ...]]]:
    put(folder, name, content)
    (file,) = list_files(folder, [name])
    engine = DuckDBEngine([folder, repaired_folder()])
    found = look_at_csv(engine, file)
    relation = (
        csv_relation([found], found.columns, "assay:file")
        if found.repaired is None
        else f"read_parquet('{found.repaired}')"
    )
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in found.columns)
    table = engine.query(f"SELECT {columns} FROM {relation}")
    engine.close()
    return found, [tuple(row.values()) for row in table.to_pylist()]


HEADER = "id,ts,score\n"
GOOD = ("1", "a", "0.5")


@pytest.mark.parametrize(
    "line, why",
    [
        ("2,b", "too few"),
        ("2,b,0.1,more", "too many"),
        ('"2,b,0.1', "a quote that is never closed"),
        ('2,"b"c,0.1', "text after a closing quote"),
        ("   ", "blanks only"),
    ],
)
def test_a_bad_line_is_rejected_by_number_and_the_next_is_read(tmp_path: Path, line: str, why: str) -> None:
    found, rows = look(tmp_path, f"{HEADER}1,a,0.5\n{line}\n1,a,0.5\n")
    assert (found.rejected, found.rejected_lines) == (1, (3,)), why
    assert rows == [GOOD, GOOD]


def test_line_numbers_count_the_lines_inside_quotes_and_blank_ones(tmp_path: Path) -> None:
    found, rows = look(tmp_path, f'{HEADER}1,"two\nlines",0.5\n\nbad\n1,a,0.5\nworse\n')
    assert found.rejected_lines == (5, 7)
    assert rows == [("1", "two\nlines", "0.5"), GOOD]


def test_only_the_first_ten_lines_are_named_and_all_are_counted(tmp_path: Path) -> None:
    found, rows = look(tmp_path, HEADER + "bad\n" * 25 + "1,a,0.5\n")
    assert found.rejected == 25
    assert found.rejected_lines == tuple(range(2, 12))
    assert rows == [GOOD]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_ending_is_plain(tmp_path: Path, ending: str, last: bool) -> None:
    text = ending.join(["id,ts,score", '1,"x,y",0.5', '2,"a ""q""",', "3,,"]) + (ending if last else "")
    found, rows = look(tmp_path, text)
    assert found.repaired is None
    assert rows == [("1", "x,y", "0.5"), ("2", 'a "q"', None), ("3", None, None)]


def test_mixed_line_endings_lose_nothing(tmp_path: Path) -> None:
    # DuckDB refuses such a file in strict mode, and reads nothing at all of some in the other
    found, rows = look(tmp_path, "id,ts,score\r\n1,a,0.5\r\n2,b,0.1\n3,c,0.2\r\n")
    assert found.rejected == 0
    assert [row[0] for row in rows] == ["1", "2", "3"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    found, rows = look(tmp_path, b"\xef\xbb\xbfid,ts,score\n1,a,0.5\n")
    assert found.columns[0] == "id"
    assert rows == [GOOD]


def test_latin_1_is_read_as_such_and_said(tmp_path: Path) -> None:
    found, rows = look(tmp_path, f"{HEADER}1,Zürich,0.5\n2,b,0.1\n".encode("latin-1"))
    assert rows == [("1", "Zürich", "0.5"), ("2", "b", "0.1")]
    assert found.rejected == 0
    assert found.remark == "not UTF-8: read as Latin-1"


def test_one_broken_line_does_not_change_the_others(tmp_path: Path) -> None:
    text = f"{HEADER}1,Zürich,0.5\n".encode() + b"2,Z\xfcrich,0.1\n3,c,0.2\n"
    found, rows = look(tmp_path, text)
    assert rows == [("1", "Zürich", "0.5"), ("3", "c", "0.2")]
    assert found.rejected_lines == (3,)


def test_utf_16_is_read(tmp_path: Path) -> None:
    found, rows = look(tmp_path, f"{HEADER}1,Zürich,0.5\n".encode("utf-16"))
    assert rows == [("1", "Zürich", "0.5")]
    assert found.remark is not None


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_that_splits_the_header(tmp_path: Path, delimiter: str) -> None:
    found, rows = look(tmp_path, delimiter.join(["id", "ts", "score"]) + "\n" + delimiter.join(GOOD) + "\n")
    assert found.delimiter == delimiter
    assert rows == [GOOD]


def test_odd_names_are_kept_and_made_different(tmp_path: Path) -> None:
    header = '"a ""b""",A,a,,"; DROP TABLE x","${x}",😀,"with, comma","assay:file"'
    found, rows = look(tmp_path, header + "\n" + ",".join("123456789") + "\n")
    assert found.columns == (
        'a "b"', "A", "a_1", "column4", "; DROP TABLE x", "${x}", "😀", "with, comma", "file_1",
    )  # fmt: skip
    assert rows == [tuple("123456789")]


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"\n\n", "holds no header line"),
        (b'"id,ts\n1,2\n', "header line cannot be read"),
        ("id,Größe\n1,2\n".encode("latin-1") + "é".encode(), "header is not UTF-8"),
    ],
)
def test_a_file_without_a_header_is_damaged(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(TelemetryError, match=reason):
        look(tmp_path, content)


def test_a_compressed_file_cut_short_is_damaged(tmp_path: Path) -> None:
    whole = gzip.compress((HEADER + "1,a,0.5\n" * 5000).encode(), mtime=0)
    with pytest.raises(TelemetryError, match="cannot be read"):
        look(tmp_path, whole[: len(whole) // 2], "a.csv.gz")
    with pytest.raises(TelemetryError, match="cannot be read"):
        look(tmp_path, b"id,ts,score\n", "b.csv.gz")


def test_what_is_remembered_is_forgotten_when_the_file_changes(tmp_path: Path) -> None:
    assert look(tmp_path, HEADER + "1,a,0.5\nbad\n")[0].rejected == 1
    assert look(tmp_path, HEADER + "1,a,0.5\nbad\nbad\n")[0].rejected == 2


LINES = ["1,a,0.5", "2,b", "3,b,0.1,more", '"4,b,0.1', '5,"b"c,0.1', '6,"q ""x"" y",1', '7,"two\nlines",2',
         '"8",b,"1"', '9, "b",2', "10,é,3", '11,"","b"', '12,x"y,1', "", '13,\\"x,2']  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_damage_elsewhere_never_changes_how_a_good_line_is_read(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ending: str
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    text = "id,ts,score" + ending + "".join(line + ending for line in lines)
    found, rows = look(folder, text)
    # the same lines after one that is damaged are read by the other reader: both must agree
    damaged, after = look(folder, text.replace(ending, ending + "bad" + ending, 1), "b.csv")
    assert damaged.repaired is not None
    assert after == rows
    assert damaged.rejected == found.rejected + 1
