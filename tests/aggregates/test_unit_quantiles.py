"""Order statistics over units: the engine's own where they are right, all values in order where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.aggregates import unit_table
from analytics.aggregates.unit_table import UnitTable, quantiles
from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import Sql


class _Catalog:
    def __init__(self) -> None:
        self.engine = DuckDBEngine()


CATALOG = _Catalog()


def _table(values: list[float | None]) -> UnitTable:
    rows = ", ".join(f"({'NULL' if value is None else repr(float(value))}::DOUBLE)" for value in values)
    return UnitTable(CATALOG, None, Sql(f"SELECT * FROM (VALUES {rows}) AS v(x)"))


def _expected(values: list[float | None], share: float) -> float | None:
    known = np.sort([value for value in values if value is not None])
    reached = np.arange(1, len(known) + 1) / max(len(known), 1) >= share
    return float(known[reached][0]) if len(known) else None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(-3, 3), st.floats(-1e6, 1e6)), min_size=1, max_size=40),
    st.lists(st.floats(0.001, 1.0), min_size=1, max_size=3),
)
def test_quantiles_are_the_first_values_that_reach_the_share(values, shares):
    found = quantiles(_table(values), "x", [*shares, None])
    assert found == [*(_expected(values, share) for share in shares), None]


def test_a_share_that_the_engine_rounds_away_is_read_in_order():
    # .55 x 100 is more than 55, and the engine takes the 56th value; 55 of 100 values are .55 of them
    values = [float(value) for value in range(1, 101)]
    table = _table(values)
    assert table.row(f"SELECT quantile_disc(x, 0.55e0) AS q FROM ({table.units.text})")["q"] == 56
    assert quantiles(table, "x", (0.55, 0.995)) == [55.0, 100.0]


def test_values_that_are_right_are_not_put_in_order(monkeypatch):
    monkeypatch.setattr(unit_table, "_in_order", lambda *_: pytest.fail("all values were put in order"))
    assert quantiles(_table([3.0, 1.0, 2.0, None]), "x", (0.5, None, 1.0)) == [2.0, None, 3.0]
