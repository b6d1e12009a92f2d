"""Files of any format, with columns that come and go, are one table."""

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.errors import FileVanishedError, TelemetryError
from tests.telemetry.logs import csv, ids, open_catalog, put, rows

WHEN = datetime(2024, 1, 1, tzinfo=UTC)


def parquet(folder: Path, name: str, **columns: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def jsonl(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def record(id_: object, score: object = 0.5, **more: object) -> dict[str, Any]:
    return {"id": id_, "ts": "2024-01-01T00:00:00Z", "score": score, **more}


def test_one_feed_in_every_format_and_compression(tmp_path: Path) -> None:
    parquet(tmp_path, "p/a.parquet", id=["1"], ts=[WHEN], score=[0.25])
    put(tmp_path, "p/b.csv", csv("2,2024-01-01T00:00:00Z,0.25"))
    put(tmp_path, "p/c.csv.gz", gzip.compress(csv("3,2024-01-01T00:00:00Z,0.25").encode()))
    put(tmp_path, "p/d.jsonl", jsonl(record("4", 0.25)))
    put(tmp_path, "p/e.json.gz", gzip.compress(json.dumps([record(5, "0.25")], indent=1).encode()))
    put(tmp_path, "p/f.tsv", "id\tts\tscore\n6\t2024-01-01T00:00:00Z\t0.25\n")
    with pa.output_stream(str(tmp_path / "p/g.ndjson.zst"), compression="zstd") as stream:
        stream.write(jsonl(record(7, 0.25)).encode())
    with pa.output_stream(str(tmp_path / "p/h.csv.zst"), compression="zstd") as stream:
        stream.write(csv("8,2024-01-01T00:00:00Z,0.25").encode())
    catalog = open_catalog(tmp_path)
    assert ids(catalog) == list("12345678")
    assert {(row["ts"], row["score"], row["scored"]) for row in rows(catalog)} == {(WHEN, 0.25, True)}


def test_columns_that_come_and_go_are_missing_elsewhere(tmp_path: Path) -> None:
    parquet(tmp_path, "p/a.parquet", id=["1"], ts=[WHEN], score=[0.5], x=[1], y=["u"])
    parquet(tmp_path, "p/b.parquet", id=["2"], ts=[WHEN], score=[0.5], z=[True])
    put(tmp_path, "p/c.jsonl", jsonl(record("3"), record("4", x=2.5)))
    catalog = open_catalog(tmp_path)
    assert {(feature.name, feature.kind) for feature in catalog.features} == {
        ("x", "numeric"), ("y", "categorical"), ("z", "boolean"),
    }  # fmt: skip
    found = rows(catalog, 'id, ts, "column:x" AS x, "column:y" AS y, "column:z" AS z')
    assert [(row["x"], row["y"], row["z"]) for row in found] == [
        (1.0, "u", None), (None, None, True), (None, None, None), (2.5, None, None),
    ]  # fmt: skip


def test_types_that_differ_between_files_meet_in_one(tmp_path: Path) -> None:
    parquet(tmp_path, "p/a.parquet", id=[1], ts=[WHEN], score=[1], x=[1], y=[1.0], z=[True])
    parquet(tmp_path, "p/b.parquet", id=[2.0], ts=["2024-01-01"], score=["0.5"], x=[1.5], y=["a"], z=["true"])
    catalog = open_catalog(tmp_path)
    assert ids(catalog) == ["1", "2"], "1 and 2.0 are ids of one kind"
    found = rows(catalog, 'ts, id, score, "column:x" AS x, "column:y" AS y, "column:z" AS z')
    assert [(row["score"], row["x"], row["y"], row["z"]) for row in found] == [
        (1.0, 1.0, "1", "true"), (0.5, 1.5, "a", "true"),
    ]  # fmt: skip


def test_text_columns_are_typed_by_what_they_hold(tmp_path: Path) -> None:
    lines = (
        f"{i},2024-01-01,0.5,{i},{'NA' if i % 3 else i / 2},0{i:04},{'TRUE' if i % 2 else 'false'},"
        f"2024-01-0{1 + i % 9},w"
        for i in range(200)
    )
    put(tmp_path, "p/a.csv", csv(*lines, header="id,ts,score,whole,holes,zip,flag,day,word"))
    kinds = {feature.name: feature.kind for feature in open_catalog(tmp_path).features}
    assert kinds == {
        "whole": "numeric",
        "holes": "numeric",
        "zip": "categorical",
        "flag": "boolean",
        "word": "categorical",
    }


def test_a_column_that_starts_late_is_typed_too(tmp_path: Path) -> None:
    lines = [f"{i},2024-01-01,0.5,{i if i > 11_000 else ''}" for i in range(11_500)]
    put(tmp_path, "p/a.csv", csv(*lines, header="id,ts,score,late"))
    assert open_catalog(tmp_path).features[0].kind == "numeric"


def test_hive_folders_are_columns_but_no_features(tmp_path: Path) -> None:
    for version in ("v 1", "v2"):
        folder = f"p/version={version.replace(' ', '%20')}/day=2024-01-01"
        parquet(tmp_path, f"{folder}/a.parquet", id=[f"{version}-p"], ts=[WHEN], score=[0.5], x=[1.0])
        put(tmp_path, f"{folder}/b.jsonl", jsonl(record(f"{version}-j", x=1)))
        put(tmp_path, f"{folder}/c.csv", csv(f"{version}-c,2024-01-01,0.5,1", header="id,ts,score,x"))
        put(tmp_path, f"{folder}/d.csv", csv(f"{version}-d,2024-01-01,0.5,1", "bad", header="id,ts,score,x"))
    folder = "p/version=__HIVE_DEFAULT_PARTITION__/day=2024-01-01"
    put(tmp_path, f"{folder}/d.csv", csv("none,2024-01-01,0.5,1", "bad", header="id,ts,score,x"))
    catalog = open_catalog(tmp_path, predictions={"version": "version"})
    assert [feature.name for feature in catalog.features] == ["x"]
    assert set(catalog.versions) == {"v 1", "v2", "(missing)"}
    assert all(row["id"].startswith(row["version"]) for row in rows(catalog) if row["version"] != "(missing)")
    assert len(rows(catalog)) == 9


def test_names_that_differ_only_in_case_are_one_column(tmp_path: Path) -> None:
    parquet(tmp_path, "p/a.parquet", id=["1"], ts=[WHEN], score=[0.5], userId=["u"])
    parquet(tmp_path, "p/b.parquet", id=["2"], ts=[WHEN], score=[0.5], userid=["v"])
    put(tmp_path, "p/c.jsonl", jsonl(record("3", USERID="w")))
    put(tmp_path, "p/d.csv", csv("4,2024-01-01,0.5,x", header="id,ts,SCORE,UserID"))
    catalog = open_catalog(tmp_path, predictions={"unit": "userId"})
    assert [row["unit"] for row in rows(catalog)] == ["u", "v", "w", "x"]
    assert [row["score"] for row in rows(catalog)] == [0.5] * 4


def test_two_spellings_in_one_file_do_not_mix(tmp_path: Path) -> None:
    parquet(tmp_path, "p/a.parquet", id=["1"], ts=[WHEN], score=[0.5], A=[1.0], a=[2.0])
    put(tmp_path, "p/b.jsonl", jsonl(record("2", A=1, a=2)))
    catalog = open_catalog(tmp_path)
    assert [row["a"] for row in rows(catalog, 'ts, id, "column:A" AS a')] == [1.0, 1.0]
    assert "differ from another only in case" in catalog.feeds["predictions"].remarks[tmp_path / "p/b.jsonl"]


NAMES = ["with space", 'q"uote', "😀", '"; DROP TABLE x; --', "${x}", "filename", "file", "score:x",
         "column:x", "file_row_number", "select", "a=b", "%s", "ts2\\", "naïve", "null"]  # fmt: skip


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_any_name_is_only_a_name(tmp_path: Path, kind: str) -> None:
    if kind == "parquet":
        parquet(tmp_path, "p/a.parquet", id=["1"], ts=[WHEN], score=[0.5], **{name: ["v"] for name in NAMES})
    elif kind == "jsonl":
        put(tmp_path, "p/a.jsonl", jsonl(record("1", **dict.fromkeys(NAMES, "v"))))
    else:
        header = ",".join(["id", "ts", "score", *('"' + name.replace('"', '""') + '"' for name in NAMES)])
        put(tmp_path, "p/a.csv", csv("1,2024-01-01,0.5" + ",v" * len(NAMES), header=header))
    catalog = open_catalog(tmp_path, predictions={"segments": NAMES})
    assert [feature.name for feature in catalog.features] == NAMES
    (row,) = rows(catalog)
    assert [row[f"column:{name}"] for name in NAMES] == ["v"] * len(NAMES)
    assert row["file"] == str(tmp_path / "p" / f"a.{kind}")
    assert set(catalog.segments) == set(NAMES)


@pytest.mark.parametrize(
    "name", ["a b.csv", "q'uote.csv", "[x].csv", "w?ld*.csv", "${x}.csv", "😀.csv", "new\nline.csv"]
)
def test_any_file_name_is_only_a_name(tmp_path: Path, name: str) -> None:
    put(tmp_path, f"p/{name}", csv("1,2024-01-01,0.5"))
    put(tmp_path, "p/other.csv", csv("2,2024-01-01,0.5"))
    catalog = open_catalog(tmp_path)
    assert {row["file"] for row in rows(catalog)} == {
        str(tmp_path / "p" / name),
        str(tmp_path / "p/other.csv"),
    }


def test_a_file_name_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv("1,2024-01-01,0.5"))
    (tmp_path / "p" / os.fsdecode(b"\xff.csv")).write_text(csv("2,2024-01-01,0.5"))
    catalog = open_catalog(tmp_path)
    assert ids(catalog) == ["1"]
    assert list(catalog.feeds["predictions"].damaged.values()) == ["the file's name is not UTF-8; rename it"]


HOSTILE = ['=cmd|"/c calc"!A1', "<script>alert(1)</script>", "a\x00b", "'; DROP TABLE predictions; --",
           "\x1b[31m", "${jndi:ldap://x}", "\u202eabc", "$as_of", "{{7*7}}"]  # fmt: skip


def test_hostile_text_is_data(tmp_path: Path) -> None:
    put(tmp_path, "p/a.jsonl", jsonl(*(record(text, x=text, version=text) for text in HOSTILE)))
    catalog = open_catalog(tmp_path, predictions={"segments": ["x"], "version": "version", "unit": "x"})
    assert {row["id"] for row in rows(catalog)} == set(HOSTILE)
    assert set(catalog.versions) == set(HOSTILE)


def test_a_link_out_of_the_folder_is_followed_and_nothing_else_can_be_read(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/real.csv", csv("1,2024-01-01,0.5"))
    secret = put(tmp_path, "elsewhere/secret.csv", csv("2,2024-01-01,0.5"))
    (tmp_path / "p").mkdir()
    (tmp_path / "p/link.csv").symlink_to(tmp_path / "elsewhere/real.csv")
    undeclared = put(tmp_path, "p/notes.txt", csv("3,2024-01-01,0.5"))
    catalog = open_catalog(tmp_path)
    assert ids(catalog) == ["1"]
    for path in (secret, undeclared, Path("/etc/passwd")):
        with pytest.raises(TelemetryError, match="disabled by configuration"):
            catalog.engine.query(f"SELECT * FROM read_csv('{path}')")


def test_a_linked_project_file_has_its_paths_where_it_is_found(tmp_path: Path) -> None:
    # a configuration volume of Kubernetes links the file to another folder
    put(tmp_path, "p/a.csv", csv("1,2024-01-01,0.5"))
    catalog = open_catalog(tmp_path)
    catalog.close()
    (tmp_path / "data").mkdir()
    (tmp_path / "assay.toml").rename(tmp_path / "data/assay.toml")
    (tmp_path / "assay.toml").symlink_to("data/assay.toml")
    from analytics.project import read_project
    from analytics.telemetry.catalog import Catalog

    assert ids(Catalog(read_project(tmp_path))) == ["1"]


def test_a_file_deleted_while_it_is_read_says_so(tmp_path: Path) -> None:
    path = parquet(tmp_path, "p/a.parquet", id=["1"], ts=[WHEN], score=[0.5])
    put(tmp_path, "p/b.csv", csv("2,2024-01-01,0.5"))
    catalog = open_catalog(tmp_path)
    path.unlink()
    with pytest.raises(FileVanishedError, match=r"a\.parquet"):
        rows(catalog)


def test_an_unreadable_file_is_named_and_the_rest_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "p/a.csv", csv("1,2024-01-01,0.5"))
    closed = put(tmp_path, "p/closed.csv", csv("2,2024-01-01,0.5"))
    real = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == closed.name:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    catalog = open_catalog(tmp_path)
    assert ids(catalog) == ["1"]
    assert "Permission denied" in catalog.feeds["predictions"].damaged[closed]


def test_a_million_categories_are_cut_to_the_most_frequent(tmp_path: Path) -> None:
    n = 1_000_000
    parquet(
        tmp_path, "p/a.parquet", id=pa.array(range(n)), ts=pa.array([WHEN] * n), score=pa.array([0.5] * n),
        c=pa.array([f"c{i if i % 2 else 0}" for i in range(n)]),
    )  # fmt: skip
    catalog = open_catalog(tmp_path, predictions={"segments": ["c"], "id": None})
    kept = catalog.segments["c"].kept
    assert kept is not None
    assert len(kept) == 200
    assert kept[0] == "c0"
