"""Nothing is left out without being counted and named."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.ask.telemetry import telemetry_of
from analytics.errors import TelemetryError
from analytics.project import read_project
from analytics.telemetry.broken import broken_files
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.report import DayCount, rows_per_day, telemetry_report
from analytics.telemetry.summary import summarise
from tests.telemetry.logs import csv, ids, open_catalog, put, report, rows, write_project

DAY = "2024-01-01T12:00:00Z"
LABELS = {"path": "l", "id": "id", "label": "y", "timestamp": "at"}


def lines(*records: Any) -> str:
    return "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)


def good(id_: int, **more: Any) -> dict[str, Any]:
    return {"id": id_, "ts": DAY, "score": 0.5} | more


def problem(folder: Path, name: str, content: str | bytes) -> str:
    put(folder, "p/good.csv", csv(f"0,{DAY},0.5"))
    put(folder, f"p/{name}", content)
    catalog = open_catalog(folder)
    assert ids(catalog) == ["0"], "the rest works"
    row = report(catalog)[f"p/{name}"]
    assert (row.rows, row.rejected, row.invalid, row.first, row.last) == (None,) * 5
    assert row.problem is not None
    return row.problem


@pytest.mark.parametrize(
    "name, content, expected",
    [
        ("a.parquet", b"PAR1 is how it begins", "the Parquet footer cannot be read"),
        ("a.parquet", b"", "the file is empty"),
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"name,age\nx,1\n", "has none of the declared columns"),
        ("a.jsonl", b"", "the file is empty"),
        ("a.jsonl", b"no json\nat all\n", "holds no JSON object"),
        ("a.jsonl", b'{"name": "x"}\n', "has none of the declared columns"),
        ("a.json", b'[{"id": 1, "ts": "2024-01-01", "score": 0.5}, {"id": 2', "Malformed JSON"),
        ("a.jsonl.gz", b"not compressed", "cannot be decompressed"),
        ("a.csv.zst", b"not compressed", "cannot be read"),
    ],
)
def test_a_damaged_file_is_left_out_and_named(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    assert expected in problem(tmp_path, name, content)


def test_a_parquet_file_cut_short_is_left_out_and_named(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"id": range(1000), "ts": [DAY] * 1000, "score": [0.5] * 1000}), tmp_path / "x.parquet"
    )
    whole = (tmp_path / "x.parquet").read_bytes()
    assert "footer" in problem(tmp_path, "a.parquet", whole[: len(whole) // 2])


def test_without_one_readable_file_there_is_no_catalog(tmp_path: Path) -> None:
    put(tmp_path, "p/a.parquet", b"nothing")
    with pytest.raises(
        TelemetryError, match=r"predictions\.path: not one of 1 files can be read \(a\.parquet: "
    ):
        open_catalog(tmp_path)


def test_rows_that_cannot_be_read_behind_a_whole_footer(tmp_path: Path) -> None:
    n = 50_000
    noise = np.random.default_rng(0).uniform(size=n)
    for name in ("a", "b"):
        table = pa.table({"id": [f"{name}{i}" for i in range(n)], "ts": [DAY] * n, "score": noise})
        (tmp_path / "p").mkdir(exist_ok=True)
        pq.write_table(table, tmp_path / f"p/{name}.parquet")
    content = bytearray((tmp_path / "p/b.parquet").read_bytes())
    content[4:400] = b"\xff" * 396
    (tmp_path / "p/b.parquet").write_bytes(content)
    file = write_project(tmp_path, predictions={"id": None})
    catalog = Catalog(read_project(file))
    with pytest.raises(TelemetryError):
        catalog.engine.query('SELECT max("column:id"), sum(score) FROM predictions')
    broken = broken_files(catalog.engine, catalog.feeds)
    assert list(broken) == [tmp_path / "p/b.parquet"]
    found = report(catalog)
    assert found["p/a.parquet"].rows == n
    assert found["p/b.parquet"].rows is None
    assert "the rows cannot be read" in (found["p/b.parquet"].problem or "")
    again = Catalog(read_project(file), left_out=broken)
    assert len(rows(again, "id, ts")) == n, "the rest works once the file is left out"


def test_json_lines_that_do_not_parse_are_counted_and_named_by_number(tmp_path: Path) -> None:
    content = lines(
        good(1),
        '{"id": 2, "sc',
        "",
        "   ",
        good(3),
        "null",
        "[1, 2]",
        '"text"',
        '{"id": 4} {"id": 5}',
        {},
        good(6),
    )
    put(tmp_path, "p/a.jsonl", content.encode() + b'{"id": "\xff"}\n' + b'{"id": 7, "ts": "20')
    catalog = open_catalog(tmp_path)
    assert ids(catalog) == ["1", "3", "6"]
    row = report(catalog)["p/a.jsonl"]
    assert row.rejected_lines == "2, 6, 7, 8, 9, 12, 13", "the unfinished last line too"
    assert (row.rejected, row.rows, row.left_out) == (7, 4, 1)
    assert row.problem == "7 lines are no JSON object (lines 2, 6, 7, 8, 9, 12, 13)"


def test_only_ten_lines_are_named(tmp_path: Path) -> None:
    put(tmp_path, "p/a.jsonl", lines(good(1), *["bad"] * 30))
    row = report(open_catalog(tmp_path))["p/a.jsonl"]
    assert row.rejected == 30
    assert row.rejected_lines == "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …"


def test_elements_of_an_array_that_are_no_objects_are_counted(tmp_path: Path) -> None:
    put(tmp_path, "p/a.json", json.dumps([good(1), 5, None, good(2)]))
    row = report(open_catalog(tmp_path))["p/a.json"]
    assert (row.rows, row.rejected, row.rejected_lines) == (2, 2, None)
    assert row.problem == "2 elements are no JSON object"


def test_csv_lines_are_rejected_by_number(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(f"1,{DAY},0.5", "2", f"3,{DAY},0.5,x", f"4,{DAY},0.5"))
    catalog = open_catalog(tmp_path)
    row = report(catalog)["p/a.csv"]
    assert (row.rows, row.rejected, row.rejected_lines) == (2, 2, "3, 4")
    assert row.problem == "2 lines cannot be read as a record as wide as the header (lines 3, 4)"
    assert [found["row"] for found in rows(catalog)] == [2, 5], "rows of a damaged file carry their line"


def test_numbers_do_not_depend_on_the_columns_asked_for(tmp_path: Path) -> None:
    # DuckDB itself checks only the columns a query needs
    text = csv(f"1,{DAY},0.5,Zürich", f"2,{DAY},0.5,X", f"3,{DAY},0.5,Y", header="id,ts,score,city").encode()
    put(tmp_path, "p/a.csv", text.replace(b"X", b"\xff"))
    catalog = open_catalog(tmp_path)
    asked = ["count(*)", "count(id)", 'count("column:city")', "count(score)"]
    counts = catalog.engine.query(f"SELECT {', '.join(asked)} FROM predictions").to_pylist()[0]
    single = [
        next(iter(catalog.engine.query(f"SELECT {item} FROM predictions").to_pylist()[0].values()))
        for item in asked
    ]
    assert set(counts.values()) == {2}
    assert single == [2, 2, 2, 2]


BINARY = {
    "received": "got", "decision": "d", "label": "y", "label_timestamp": "at", "weight": "w", "latency": "ms",
}  # fmt: skip


@pytest.mark.parametrize(
    "column, value, role",
    [
        ("score", "abc", "score"),
        ("score", 1.01, "score"),
        ("score", -0.1, "score"),
        ("score", "NaN", "score"),
        ("score", "inf", "score"),
        ("score", {"p": 0.5}, "score"),
        ("y", 2, "label"),
        ("y", "yes", "label"),
        ("y", -1, "label"),
        ("d", 0.5, "decision"),
        ("w", 0, "weight"),
        ("w", -1, "weight"),
        ("w", "inf", "weight"),
        ("w", None, "weight"),
        ("ms", -3, "latency"),
        ("ms", "slow", "latency"),
        ("at", "soon", "label_timestamp"),
        ("got", "soon", "received"),
        ("x", "abc", "feature x"),
    ],
)
def test_a_value_not_of_the_declared_kind_is_invalid(
    tmp_path: Path, column: str, value: Any, role: str
) -> None:
    whole = {"d": 1, "y": 1, "at": DAY, "got": DAY, "w": 1, "ms": 2.5, "x": 1}
    put(
        tmp_path,
        "p/a.jsonl",
        lines(*(good(i, **whole) for i in range(200)), good(999, **(whole | {column: value}))),
    )
    row = report(open_catalog(tmp_path, predictions=BINARY))["p/a.jsonl"]
    assert row.invalid_by_role == f"{role} 1"
    assert row.invalid == 1


@pytest.mark.parametrize(
    "column, value",
    [("score", 0), ("score", 1), ("score", "1e-3"), ("y", 0), ("y", True), ("y", "false"), ("y", "1.0"),
     ("y", None), ("d", False), ("ms", 0), ("ms", "NA"), ("x", ""), ("x", "NaN"), ("w", 0.01)],
)  # fmt: skip
def test_what_is_usable_or_missing_is_not_invalid(tmp_path: Path, column: str, value: Any) -> None:
    whole = {"d": 1, "y": 1, "at": DAY, "got": DAY, "w": 1, "ms": 2.5, "x": 1}
    put(
        tmp_path,
        "p/a.jsonl",
        lines(*(good(i, **whole) for i in range(200)), good(999, **(whole | {column: value}))),
    )
    assert report(open_catalog(tmp_path, predictions=BINARY))["p/a.jsonl"].invalid == 0


def test_a_score_out_of_range_is_no_score(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(f"1,{DAY},0.5", f"2,{DAY},7", f"3,{DAY},nan", f"4,{DAY},"))
    assert [row["scored"] for row in rows(open_catalog(tmp_path))] == [True, False, False, False]


def test_multiclass_scores_labels_and_decisions(tmp_path: Path) -> None:
    section = {"task": "multiclass", "score": {"A": "a", "B": "b"}, "label": "y", "decision": "d"}
    put(tmp_path, "p/a.csv", csv(
        f"1,{DAY},0.5,0.5,A,B", f"2,{DAY},1.5,0.5,A,B",
        f"3,{DAY},0.5,0.5,C,B", f"4,{DAY},0.5,0.5,A,none of them",
        header="id,ts,a,b,y,d",
    ))  # fmt: skip
    catalog = open_catalog(tmp_path, predictions=section)
    assert report(catalog)["p/a.csv"].invalid_by_role == "score.A 1, label 1, decision 1"
    assert [row["own_label"] for row in rows(catalog)] == ["A", "A", None, "A"]


def test_regression_takes_any_finite_number(tmp_path: Path) -> None:
    section = {"task": "regression", "label": "y"}
    put(
        tmp_path,
        "p/a.csv",
        csv(f"1,{DAY},-7e9,3", f"2,{DAY},inf,3", f"3,{DAY},1,nan", header="id,ts,score,y"),
    )
    assert (
        report(open_catalog(tmp_path, predictions=section))["p/a.csv"].invalid_by_role == "score 1, label 1"
    )


def test_words_as_classes(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(
        f"1,{DAY},0.5,late", f"2,{DAY},0.5,on time", f"3,{DAY},0.5,lost",
        f"4,{DAY},0.5,", header="id,ts,score,y"
    ))  # fmt: skip
    section = {"label": "y", "positive": "late"}
    labels = [row["own_label"] for row in rows(open_catalog(tmp_path, predictions=section))]
    assert labels == [1, 0, 0, None], "without a negative class every other value is negative"
    catalog = open_catalog(tmp_path, predictions=section | {"negative": "on time"})
    assert [row["own_label"] for row in rows(catalog)] == [1, 0, None, None]
    assert report(catalog)["p/a.csv"].invalid_by_role == "label 1"


def test_a_label_that_is_nan_in_a_data_frame_is_missing(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    table = pa.table({"id": [1, 2], "ts": [DAY] * 2, "score": [0.5] * 2, "y": [1.0, float("nan")]})
    pq.write_table(table, tmp_path / "p/a.parquet")
    catalog = open_catalog(tmp_path, predictions={"label": "y"})
    assert [row["own_label"] for row in rows(catalog)] == [1, None]
    assert report(catalog)["p/a.parquet"].invalid == 0


def test_duplicates_the_first_by_time_then_file_then_row_is_kept(tmp_path: Path) -> None:
    put(
        tmp_path,
        "p/a.csv",
        csv("1,2024-01-02,0.1", "2,2024-01-01,0.2", "2,2024-01-01,0.3", "5,2024-01-01,0.9"),
    )
    put(
        tmp_path, "p/b.csv", csv("1,2024-01-01,0.4", "2,2024-01-01,0.5", ",2024-01-01,0.6", ",2024-01-01,0.7")
    )
    catalog = open_catalog(tmp_path)
    kept = sorted((row["id"] or "", row["score"]) for row in rows(catalog))
    assert kept == [("", 0.6), ("", 0.7), ("1", 0.4), ("2", 0.2), ("5", 0.9)], (
        "rows without an id are all kept"
    )
    found = report(catalog)
    assert (found["p/a.csv"].duplicates, found["p/b.csv"].duplicates) == (2, 1)


def test_duplicates_in_the_reference_are_left_out_as_well(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(f"1,{DAY},0.1"))
    put(tmp_path, "r/a.csv", csv(f"1,{DAY},0.1", f"2,{DAY},0.1", f"2,{DAY},0.2"))
    catalog = open_catalog(tmp_path, reference={"path": "r"})
    assert len(rows(catalog, view="reference")) == 2
    assert report(catalog)["r/a.csv"].duplicates == 1


def test_labels_copies_orphans_and_reports_that_cannot_be_used(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(f"1,{DAY},0.1", f"2,{DAY},0.1"))
    put(tmp_path, "l/a.csv", csv(
        "1,1,2024-01-02", "1,1,2024-01-02", "1,0,2024-01-03",
        "9,1,2024-01-02", ",1,2024-01-02", "2,,2024-01-02",
        "2,maybe,2024-01-02", "2,1,", header="id,y,at",
    ))  # fmt: skip
    row = report(open_catalog(tmp_path, labels=LABELS))["l/a.csv"]
    assert (row.rows, row.left_out, row.duplicates, row.orphans) == (8, 4, 1, 1)
    assert row.invalid_by_role == "label 1"
    assert row.last == datetime(2024, 1, 3, tzinfo=UTC)


def test_labels_of_which_no_file_can_be_read_do_not_stop_the_rest(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(f"1,{DAY},0.1"))
    put(tmp_path, "l/a.parquet", b"nothing")
    put(tmp_path, "r/a.parquet", b"nothing")
    catalog = open_catalog(tmp_path, labels=LABELS, reference={"path": "r"})
    assert ids(catalog) == ["1"]
    assert rows(catalog, view="labels") == rows(catalog, view="reference") == []
    assert {name for name, row in report(catalog).items() if row.rows is None} == {
        "l/a.parquet",
        "r/a.parquet",
    }
    assert catalog.extent is not None


def test_only_production_is_read_and_the_rest_counted(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(
        f"1,{DAY},0.1,production", f"2,{DAY},0.1,train", f"3,{DAY},0.1,", f"4,{DAY},0.1,Production",
        header="id,ts,score,split",
    ))  # fmt: skip
    catalog = open_catalog(tmp_path, predictions={"split": "split"})
    assert ids(catalog) == ["1", "4"]
    assert report(catalog)["p/a.csv"].left_out == 2


def test_a_header_alone_is_a_file_without_rows(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(f"1,{DAY},0.1"))
    put(tmp_path, "p/b.csv", csv())
    (tmp_path / "p").mkdir(exist_ok=True)
    pq.write_table(
        pa.table({"id": pa.array([], pa.string()), "ts": pa.array([], pa.string())}), tmp_path / "p/c.parquet"
    )
    found = report(open_catalog(tmp_path))
    for name in ("p/b.csv", "p/c.parquet"):
        assert (found[name].rows, found[name].first, found[name].problem) == (0, None, "holds no row")


def test_private_columns_are_nowhere_in_the_report(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(
        *(f"{i},{DAY},0.5,{i},s{i}@example.org" for i in range(150)), f"x,{DAY},bad,oops,t@example.org",
        header="id,ts,score,salary,email",
    ))  # fmt: skip
    catalog = open_catalog(tmp_path, predictions={"private": ["email", "salary"]})
    assert catalog.features == ()
    text = json.dumps(telemetry_of(catalog).to_records()) + " ".join(telemetry_of(catalog).notes)
    assert "example.org" not in text
    assert "salary" not in text


def test_the_records_have_every_field_of_the_contract_and_are_json(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(f"1,{DAY},0.1"))
    put(tmp_path, "p/b.parquet", b"nothing")
    for record in json.loads(
        json.dumps(telemetry_of(open_catalog(tmp_path, time_zone="Asia/Tokyo")).to_records())
    ):
        assert {"path", "rows", "rejected", "invalid", "duplicates", "first", "last", "problem"} <= set(
            record
        )
        assert record["first"] in {None, "2024-01-01T21:00:00+09:00"}


def test_the_summary_adds_up_and_says_the_worst_first(tmp_path: Path) -> None:
    put(
        tmp_path,
        "p/a.csv",
        csv("1,2024-01-02,0.1", "1,2024-01-03,0.1", "bad", "3,never,0.2", "4,2024-01-02,9"),
    )
    put(tmp_path, "p/b.parquet", b"nothing")
    put(tmp_path, "l/a.csv", csv("1,1,2024-01-04", "7,1,2024-01-04", header="id,y,at"))
    catalog = open_catalog(tmp_path, labels=LABELS)
    now = datetime(2024, 1, 10, tzinfo=UTC)
    summary = summarise(catalog, telemetry_report(catalog, now), now)
    predictions, labels = summary.feeds
    assert (predictions.files, predictions.unread, predictions.rows, predictions.rejected) == (2, 1, 4, 1)
    assert predictions.age_seconds == 8 * 86400
    assert labels.orphans == 1
    assert summary.sentences == (
        "predictions: p/b.parquet was left out: " + str(report(catalog)["p/b.parquet"].problem),
        "predictions: p/a.csv: 1 line cannot be read as a record as wide as the header (line 4)",
        "predictions: 2 values are not of the declared kind (timestamp 1, score 1)",
        "predictions: 1 of 4 rows is left out because it has no usable timestamp or is not production",
        "predictions: 1 of 4 rows is left out as duplicates; the first of each id is kept",
        "labels: 1 of 2 labels is without a prediction of that id",
    )


def test_clean_logs_need_no_sentence(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(f"1,{DAY},0.1"))
    assert telemetry_of(open_catalog(tmp_path)).notes == ()


def test_rows_per_day_are_local_and_without_duplicates(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv(
        "1,2024-01-02T02:00:00Z,0.1,a", "1,2024-01-02T02:00:00Z,0.1,a", "2,2024-01-02T12:00:00Z,0.1,a",
        "3,2024-01-02T12:00:00Z,0.1,b", header="id,ts,score,v",
    ))  # fmt: skip
    put(tmp_path, "l/a.csv", csv("1,1,2024-01-04", "1,0,2024-01-05", "3,1,2024-01-04", header="id,y,at"))
    catalog = open_catalog(
        tmp_path, time_zone="America/New_York", predictions={"version": "v"}, labels=LABELS
    )
    assert rows_per_day(catalog) == (
        DayCount(date(2024, 1, 1), "a", 1, 1),
        DayCount(date(2024, 1, 2), "a", 1, 0),
        DayCount(date(2024, 1, 2), "b", 1, 1),
    )
