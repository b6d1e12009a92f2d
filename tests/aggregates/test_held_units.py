"""Sums by unit that numpy adds are those that the engine groups: any kind of metric, any dirt, any source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analytics.aggregates import held_units
from analytics.aggregates.first_arms import arms, seen
from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import Sql
from tests.aggregates.experiment_logs import Logs, open_logs, reading_of
from tests.aggregates.test_experiments import draw, draw_predictions

OF_EVENTS: dict[str, dict[str, Any]] = {
    "visits": {"kind": "count", "value": "items", "window": "48 hours"},
    "late": {"kind": "mean", "value": "amount", "after": "5 hours", "half_life": "6 hours"},
    "wait": {"kind": "quantile", "value": "amount", "quantile": 0.5, "source": "events"},
}


def cases() -> Iterator[tuple[Logs, datetime | None]]:
    for seed in (0, 2, 3):
        logs, as_of = draw(seed)
        yield replace(logs, metrics={**logs.metrics, **OF_EVENTS}), as_of
    logs, _, as_of = draw_predictions(1)
    yield logs, as_of


def units_of(folder: Path, logs: Logs, as_of: datetime | None) -> pa.Table:
    catalog = open_logs(folder, logs)
    reading, engine = reading_of(catalog, as_of=as_of), catalog.engine
    with engine.kept(seen(catalog, reading, ties=True)) as appearances:
        first = arms(catalog, reading, appearances, ties=True)
        with held_units.held_units(catalog, reading, first) as units:
            return engine.query(Sql(f"SELECT * FROM ({units.text}) ORDER BY unit"))


@pytest.mark.parametrize("case", range(4))
def test_what_is_added_in_numpy_is_what_the_engine_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: int
) -> None:
    logs, as_of = list(cases())[case]
    streams: list[Sql] = []
    batches = DuckDBEngine.batches

    def counted(self: DuckDBEngine, sql: Sql, *words: Any) -> Iterator[pa.RecordBatch]:
        streams.append(sql)
        return batches(self, sql, *words)

    monkeypatch.setattr(DuckDBEngine, "batches", counted)
    added = units_of(tmp_path, logs, as_of)
    assert len(streams) == 1
    monkeypatch.setattr(held_units, "MOST_BYTES", -1)
    grouped = units_of(tmp_path, logs, as_of)
    assert len(streams) == 1, "where arrays would be too large, the engine groups"
    assert added.schema == grouped.schema
    assert added.num_rows > 5
    for name in added.column_names:
        mine, theirs = added.column(name).to_pylist(), grouped.column(name).to_pylist()
        if pa.types.is_floating(added.schema.field(name).type):
            assert mine == [None if x is None else pytest.approx(x, rel=1e-12) for x in theirs], name
        else:
            assert mine == theirs, name
