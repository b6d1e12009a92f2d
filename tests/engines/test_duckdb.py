"""The engine reads the files it was given and nothing else, ends in time, and names what is wrong."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import Sql, all_of, any_of, identifier, literal
from analytics.errors import FileVanishedError, QueryTimeoutError, TelemetryError

ODD = ["plain", 'q"uote', "'", "; DROP TABLE x", "${x}", "$name", "--", "/*", "😀", "\n", "\\", ""]


@pytest.mark.parametrize("name", [name for name in ODD if name])
def test_a_name_is_only_a_name(name: str) -> None:
    engine = DuckDBEngine()
    assert engine.query(f"SELECT 1 AS {identifier(name)}").column_names == [name]


@pytest.mark.parametrize("value", [*ODD, 0.1, 1e300, -0.0, 3, True, False])
def test_a_constant_is_only_itself(value: str | float | bool) -> None:
    found = DuckDBEngine().query(f"SELECT {literal(value)} AS x").to_pylist()[0]["x"]
    assert found == value
    assert type(found) is type(value)


def test_what_has_no_literal_is_refused() -> None:
    for value in (float("nan"), float("inf"), "a\x00b"):
        with pytest.raises(ValueError, match=r"literal|NUL"):
            literal(value)
    with pytest.raises(ValueError, match="NUL"):
        identifier("a\x00b")


def test_values_are_bound() -> None:
    sql = Sql("SELECT $a AS a, $b + 1 AS b", {"a": "'; DROP TABLE x; --", "b": 2})
    assert DuckDBEngine().query(sql).to_pylist() == [{"a": "'; DROP TABLE x; --", "b": 3}]


def test_conditions_are_joined_with_their_values() -> None:
    one, two = Sql("x = $one", {"one": 1}), Sql("x = $two OR TRUE", {"two": 2})
    both = all_of([any_of([one, two]), one])
    assert both.text == "((x = $one) OR (x = $two OR TRUE)) AND (x = $one)"
    assert both.parameters == {"one": 1, "two": 2}
    assert (all_of([]).text, any_of([]).text) == ("TRUE", "FALSE")


@pytest.fixture
def engine(tmp_path: Path) -> DuckDBEngine:
    for name in ("open/a.csv", "open/b.csv", "closed/a.csv", "closed/b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x\n1\n")
    return DuckDBEngine([tmp_path / "open"], files=[tmp_path / "closed/a.csv"])


def test_only_what_was_given_can_be_read(engine: DuckDBEngine, tmp_path: Path) -> None:
    for name in ("open/a.csv", "open/b.csv", "closed/a.csv"):
        assert engine.query(f"SELECT * FROM read_csv('{tmp_path / name}')").num_rows == 1
    for name in (
        f"{tmp_path}/closed/b.csv",
        f"{tmp_path}/open/../closed/b.csv",
        "/etc/passwd",
        "/proc/self/environ",
    ):
        with pytest.raises(TelemetryError, match="disabled by configuration"):
            engine.query(f"SELECT * FROM read_csv('{name}')")


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO '{}/closed/new.csv'",
        "ATTACH '{}/closed/new.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "SET memory_limit = '1TB'",
        "SELECT * FROM read_csv('https://127.0.0.1:9/x.csv')",
    ],
)
def test_nothing_can_be_written_loaded_or_changed(
    engine: DuckDBEngine, tmp_path: Path, statement: str
) -> None:
    with pytest.raises((TelemetryError, duckdb.Error)):
        engine.query(statement.format(tmp_path))
    assert not (tmp_path / "closed/new.csv").exists()


def test_a_python_variable_is_no_table(engine: DuckDBEngine) -> None:
    hidden = pa.table({"x": [1]})
    with pytest.raises(duckdb.CatalogException):
        engine.query("SELECT * FROM hidden")
    assert engine.query("SELECT * FROM given", tables={"given": hidden}).num_rows == 1
    with pytest.raises(duckdb.CatalogException):
        engine.query("SELECT * FROM given")


def test_a_query_ends_in_time() -> None:
    engine = DuckDBEngine(query_seconds=0.2)
    with pytest.raises(QueryTimeoutError, match=r"stopped after 0\.2 s; ask for a smaller window"):
        engine.query("SELECT sum(a.range * b.range % 7) FROM range(1000000) a, range(1000000) b")
    assert engine.query("SELECT 1 AS x").num_rows == 1, "and the next one runs"


def test_too_much_memory_is_said_like_too_much_time() -> None:
    engine = DuckDBEngine(memory_limit="20MB")
    with pytest.raises(QueryTimeoutError, match="smaller window"):
        engine.query("SELECT list(a.range) FROM range(20000000) a")


def test_rows_come_in_batches_and_all_of_them() -> None:
    engine = DuckDBEngine()
    given = {"given": pa.table({"x": range(1_000_000)})}
    batches = list(engine.batches(Sql("SELECT x FROM given WHERE x >= $least", {"least": 10}), given))
    assert len(batches) > 1
    assert sum(sum(batch.column(0).to_numpy()) for batch in batches) == 999_999 * 500_000 - 45
    with pytest.raises(duckdb.CatalogException):
        next(engine.batches(Sql("SELECT * FROM given")))


def test_a_stream_ends_in_time_and_says_what_went_wrong() -> None:
    endless = Sql("SELECT a.range FROM range(1000000) a, range(1000000) b WHERE a.range % 7 = b.range % 7")
    with pytest.raises(QueryTimeoutError, match="ask for a smaller window"):
        list(DuckDBEngine(query_seconds=0.3).batches(endless))
    late = Sql("SELECT CASE WHEN range < 3000000 THEN 1 ELSE error('broken') END FROM range(4000000)")
    with pytest.raises(TelemetryError, match="broken"):
        list(DuckDBEngine().batches(late))


def test_our_own_mistakes_are_not_blamed_on_the_logs(engine: DuckDBEngine) -> None:
    for text in ("SELEC 1", "SELECT nothing", "SELECT * FROM nowhere"):
        with pytest.raises((duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)):
            engine.query(text)


def test_a_deleted_file_is_told_from_a_damaged_one(engine: DuckDBEngine, tmp_path: Path) -> None:
    with pytest.raises(TelemetryError) as caught:
        engine.query(f"SELECT * FROM read_parquet('{tmp_path}/closed/a.csv')")
    assert not isinstance(caught.value, FileVanishedError)
    (tmp_path / "closed/a.csv").unlink()
    with pytest.raises(FileVanishedError, match=r"closed/a\.csv: the file is gone"):
        engine.query(f"SELECT * FROM read_csv('{tmp_path}/closed/a.csv')")


def test_instants_are_utc() -> None:
    found = DuckDBEngine().query(
        "SELECT TIMESTAMPTZ '2024-01-01 00:00:00+05' AS t, current_setting('TimeZone') AS z"
    )
    assert found.to_pylist()[0]["t"].isoformat() == "2023-12-31T19:00:00+00:00"
    assert found.to_pylist()[0]["z"] in {"UTC", "Etc/UTC"}


def test_closing_removes_the_spill_folder() -> None:
    engine = DuckDBEngine()
    folder = Path(engine._spill.name)
    assert folder.is_dir()
    engine.close()
    assert not folder.exists()
