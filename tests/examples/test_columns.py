"""Logged columns: types kept, private ones masked, nothing hidden or invented in records."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.ask.examples import MASK, examples_of
from analytics.scope import Filter, Scope

HOSTILE = [
    '=HYPERLINK("x")',
    "<script>alert(1)</script>",
    "'; DROP TABLE predictions; --",
    "\x1b[31mred\nline",
    '"quoted", comma',
    "𝔘ñí – ✓",
    "$k",
    "",
    "null",
]


def rows_of(n: int) -> pd.DataFrame:
    return pd.DataFrame({
        "id": [f"r{i}" for i in range(n)], "score": [(i + 1) / (n + 1) for i in range(n)], "label": [0] * n
    })  # fmt: skip


def test_hostile_text_comes_back_as_it_was_logged(open_project):
    rows = rows_of(len(HOSTILE)).assign(note=HOSTILE, id=[f"{text}'" for text in HOSTILE])
    rows['odd "name"; --'] = HOSTILE
    keys = ('id = "id"', 'label = "label"', 'segments = ["note"]')
    catalog = open_project(rows, "binary", *keys)
    found = examples_of(catalog, Scope(), "random", 50)
    assert sorted(row.columns["note"] for row in found) == sorted(HOSTILE)
    assert all(row.columns['odd "name"; --'] == row.columns["note"] == row.id[:-1] for row in found)
    for text in HOSTILE[:-2]:
        alone = examples_of(catalog, Scope(filters=(Filter("segment", "note", text),)), "worst", 5)
        assert [row.id for row in alone] == [f"{text}'"]
    assert orjson.loads(orjson.dumps(found.to_records())) == found.to_records()


def test_private_columns_never_leave_in_clear(open_project):
    rows = rows_of(4).assign(email="secret-email", user="secret-user", city="Ulm")
    keys = ('id = "id"', 'label = "label"', 'unit = "user"', 'private = ["email", "user", "id"]')
    for kind in ("worst", "uncertain", "best", "random"):
        found = examples_of(open_project(rows, "binary", *keys), Scope(), kind, 4)
        assert [row.id for row in found] == [MASK] * 4
        assert all(row.columns["email"] == row.columns["user"] == row.columns["id"] == MASK for row in found)
        assert all(row.columns["city"] == "Ulm" for row in found)
        shown = orjson.dumps(found.to_records()).decode() + found.to_frame().to_csv() + repr(found)
        assert "secret" not in shown
        assert '"r0"' not in shown


@pytest.mark.parametrize("column", ["score", "label"])
def test_a_private_score_or_label_hides_what_gives_it_away(open_project, column):
    rows = rows_of(4)
    catalog = open_project(rows, "binary", 'id = "id"', 'label = "label"', f'private = ["{column}"]')
    for row in examples_of(catalog, Scope(), "worst", 4):
        assert (row.score, row.loss) == (None, None)
        assert row.reason == "not shown: the columns it stands on are private"
        assert row.columns[column] == MASK
        assert row.label == (MASK if column == "label" else "0")


def test_logged_types_are_kept_and_records_hold_json(open_project, tmp_path):
    catalog = open_project(rows_of(1), "binary", 'id = "id"')
    catalog.close()
    day = dt.date(2024, 2, 29)
    moment = dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)
    arrays = {
        "id": pa.array(["x"]), "score": pa.array([0.25]), "ts": pa.array([moment]),
        "day": pa.array([day]), "naive": pa.array([moment.replace(tzinfo=None)]),
        "money": pa.array([Decimal("12.50")]), "huge": pa.array([2**63 + 1], pa.uint64()),
        "blob": pa.array([b"\x00\xff"]), "flag": pa.array([True]), "nan": pa.array([float("nan")]),
        "inf": pa.array([float("-inf")]), "tags": pa.array([["a", None]]), "where": pa.array([{"lat": 1.5}]),
        "far": pa.array([2**62], pa.timestamp("us")), "endless": pa.array([2**63 - 1], pa.timestamp("us")),
        "clock": pa.array([dt.time(10, 5)]), "none": pa.array([None], pa.string()),
    }  # fmt: skip
    pq.write_table(pa.table(arrays), tmp_path / "rows.parquet")
    from analytics.project import read_project
    from analytics.telemetry.catalog import Catalog

    found = examples_of(Catalog(read_project(tmp_path)), Scope(), "random", 1)
    columns = found[0].columns
    assert columns["day"] == day
    assert columns["money"] == Decimal("12.50")
    assert columns["huge"] == 2**63 + 1
    assert columns["flag"] is True
    assert columns["where"] == {"lat": 1.5}
    assert columns["none"] is None
    assert columns["ts"] == moment
    record = orjson.loads(orjson.dumps(found.to_records()[0]))
    assert record["day"] == "2024-02-29"
    assert (record["naive"], record["clock"]) == ("2024-02-29T12:30:00", "10:05:00")
    assert (record["money"], record["huge"], record["flag"]) == (12.5, 2**63 + 1, True)
    assert (record["nan"], record["inf"], record["blob"]) == (None, "-inf", "<2 bytes>")
    assert (record["tags"], record["where"]) == ('["a", null]', '{"lat": 1.5}')
    assert record["endless"] == "infinity"
    assert isinstance(record["far"], str)


def test_a_logged_column_never_hides_a_field(open_project):
    rows = rows_of(2).assign(rank=["first", "second"], reason="logged", loss=-1.0, project="p")
    rows["column.rank"] = "odd"
    found = examples_of(open_project(rows, "binary", 'id = "id"', 'label = "label"'), Scope(), "worst", 2)
    record = found.to_records()[0]
    assert (record["rank"], record["column.rank"], record["column.column.rank"]) == (1, "second", "odd")
    assert record["reason"].startswith("gave its true class 0")
    assert record["column.reason"] == "logged"
    assert record["loss"] > 0
    assert record["column.loss"] == -1.0
    assert (record["column.project"], "project" in record) == ("p", False)
    assert "columns" not in record
    assert list(record)[:4] == ["rank", "reason", "id", "timestamp"]
    assert list(found.to_frame().columns) == list(record)


def test_the_sql_is_handed_on_and_holds_no_value(open_project):
    rows = rows_of(3).assign(place="Secret Place")
    catalog = open_project(rows, "binary", 'id = "id"', 'label = "label"', 'segments = ["place"]')
    found = examples_of(catalog, Scope(filters=(Filter("segment", "place", "Secret Place"),)), "worst", 2)
    assert len(found) == 2
    assert len(found.sql) == 3
    assert not any("Secret Place" in text or "r0" in text for text in found.sql)
