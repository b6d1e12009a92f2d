"""A small part of the table of sizes: the tests of drift reject 5 % of the time where nothing differs."""

from __future__ import annotations

import pytest

from tests.statistical.drift_table import CELLS, measure

FAST = (
    "any continuous, 1000 and 300",
    "any continuous, 100000 and 500",
    "continuous, 5 % missing, 1000 and 300",
    "half zeros, 200 and 200",
    "2 categories (10 %), 200 and 200",
    "3 categories, 1000 and 1000",
    "10 categories, 1000 and 1000",
    "50 categories (Zipf), 100000 and 100000",
)


@pytest.mark.statistical
@pytest.mark.parametrize("name", FAST)
def test_one_in_twenty_is_rejected_where_nothing_differs(name: str) -> None:
    assert 0.035 <= measure(CELLS[name], 2000).size <= 0.065


@pytest.mark.statistical
def test_two_cells_of_few_rows_reject_less_but_not_more() -> None:
    found = measure(CELLS["2 categories (10 %), 50 and 50"], 4000)
    assert found.attainable is not None
    assert found.attainable - 0.015 <= found.size <= 0.06


@pytest.mark.statistical
def test_sparse_tables_go_by_permutation() -> None:
    found = measure(CELLS["10 categories (Zipf), 1000 and 50"], 400)
    assert found.asymptotic < 0.05
    assert 0.02 <= found.size <= 0.08
