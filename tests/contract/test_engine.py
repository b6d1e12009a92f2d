"""What a user is told when a cluster cannot be used, and what an answer looks like when it can."""

from __future__ import annotations

import sys
from contextlib import closing

import pyarrow as pa
import pytest

from analytics.engines.spark import SparkEngine, shown_address
from analytics.engines.text import Sql
from analytics.errors import EngineError, ProjectError
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.cluster import define_views, engine_of, reading
from tests.contract.logs import write
from tests.contract.spark_cluster import free_port


@pytest.fixture
def engine(sail_address):
    opened = SparkEngine(sail_address)
    yield opened
    opened.close()


def test_nobody_listens() -> None:
    with pytest.raises(
        EngineError, match=r"nothing answers at sc://127\.0\.0\.1:\d+ .*start a Spark Connect"
    ):
        SparkEngine(f"sc://127.0.0.1:{free_port()}/;token=secret")


@pytest.mark.parametrize("address", ["sc://", "sc://host:port", "http://host:1"])
def test_no_address(address) -> None:
    with pytest.raises(EngineError, match="sc://host:port"):
        SparkEngine(address)


def test_a_token_is_shown_nowhere() -> None:
    assert shown_address("sc://host:443/;token=secret;user_id=me") == "sc://host:443"
    with pytest.raises(EngineError) as told:
        SparkEngine(f"sc://127.0.0.1:{free_port()}/;token=secret")
    assert "secret" not in str(told.value)


def test_the_extra_is_missing(sail_address, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(EngineError, match=r"pip install 'assay-ml\[spark\]'"):
        SparkEngine(sail_address)


def test_what_engines_understand_differently_is_not_asked(engine) -> None:
    with pytest.raises(EngineError, match="cannot be put to a cluster: PercentileCont"):
        engine.query("SELECT quantile_cont(x, 5e-1) FROM (SELECT 1e0 AS x)")


def test_an_error_of_the_cluster_is_one_line(engine) -> None:
    with pytest.raises(EngineError) as told:
        engine.query("SELECT nothing FROM nowhere")
    assert "\n" not in str(told.value)


def test_values_are_bound_and_tables_read(engine) -> None:
    given = pa.table({"name": ["it's", "b"], "n": [1, 2]})
    found = engine.query(
        Sql("SELECT sum(n) AS n FROM given WHERE name = $name", {"name": "it's"}), tables={"given": given}
    )
    assert found.to_pylist() == [{"n": 1}]


def test_types_are_those_of_duckdb(engine) -> None:
    found = engine.query(
        "SELECT TIMESTAMP '2026-01-02 03:04:05' AS moment, count(*) AS n, sum(1e0) AS w, CAST(NULL AS VARCHAR) AS t"
    )
    assert found.schema.types == [pa.timestamp("us"), pa.int64(), pa.float64(), pa.string()]
    described = engine.query("DESCRIBE SELECT 1 AS a, 2 AS b").column("column_name").to_pylist()
    assert described == ["a", "b"]


def test_held_rows_are_read_again(engine) -> None:
    with engine.kept(Sql("SELECT n FROM (VALUES (1), (2), ($third)) AS v(n)", {"third": 3})) as kept:
        assert engine.query(f"SELECT sum(n) AS s FROM ({kept.text})").to_pylist() == [{"s": 6}]


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch) -> None:
    project = read_project(write(tmp_path))
    assert engine_of(project) == "duckdb"
    monkeypatch.setenv("ASSAY_ENGINE", "sc://elsewhere:15002")
    assert engine_of(project) == "sc://elsewhere:15002"
    monkeypatch.setenv("ASSAY_ENGINE", "spark://elsewhere:7077")
    with pytest.raises(ProjectError, match="ASSAY_ENGINE"):
        engine_of(project)
    monkeypatch.delenv("ASSAY_ENGINE")
    with closing(Catalog(project)) as catalog, reading(catalog) as same:
        assert same is catalog


def test_text_logs_are_refused(tmp_path, engine) -> None:
    file = write(tmp_path)
    (tmp_path / "labels" / "more.csv").write_text("id,label,reported\n10-1,1,2026-10-25T10:00:00Z\n")
    file.write_text(file.read_text().replace("labels/*.parquet", "labels/*"))
    with (
        closing(Catalog(read_project(file))) as catalog,
        pytest.raises(EngineError, match=r"reads Parquet only, and .*csv"),
    ):
        define_views(catalog, engine)


def test_folder_names_are_columns(tmp_path, engine) -> None:
    file = write(tmp_path)
    for i, path in enumerate(sorted((tmp_path / "predictions").glob("*.parquet"))):
        folder = tmp_path / "predictions" / f"region={'north' if i % 2 else 'so uth'}"
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    text = file.read_text().replace("predictions/*.parquet", "predictions/**/*.parquet")
    file.write_text(
        text.replace('segments = ["country", "amount"]', 'segments = ["region"]').split("[aggregates]")[0]
    )
    with closing(Catalog(read_project(file))) as catalog:
        define_views(catalog, engine)
        asked = 'SELECT "column:region" AS region, count(*) AS n FROM predictions GROUP BY "column:region"'
        mine, theirs = catalog.engine.query(asked), engine.query(asked)
    assert mine.sort_by("region").to_pylist() == theirs.sort_by("region").to_pylist()
    assert mine.num_rows == 2
