"""Every aggregate is the same on DuckDB and on Sail, from the same text over the same files."""

from __future__ import annotations

import pytest

from analytics.building.standard import standard
from tests.contract.conftest import TASKS
from tests.contract.questions import UNTOLD_BY_TASK, asked, differences, once


@pytest.mark.parametrize("task", TASKS)
def test_stored_aggregates_are_equal(task, catalogs, sails) -> None:
    catalog, names = catalogs[task], set()
    for one, sql in once(catalog, everywhere=task == TASKS[0]):
        mine, theirs = catalog.engine.query(sql), sails[task].query(sql)
        assert differences(mine, theirs) == [], one
        names |= {one.additive.name, (one.source, *one.segments)}
    every = standard(catalog)
    assert names >= {(one.source, *one.segments) for one in every}
    told = {one.additive.name for one in every} - (set() if task == TASKS[0] else UNTOLD_BY_TASK)
    assert names >= told


@pytest.mark.parametrize("task", TASKS)
def test_live_questions_are_equal(task, catalogs, sails) -> None:
    for name, sql in asked(catalogs[task]):
        mine, theirs = catalogs[task].engine.query(sql), sails[task].query(sql)
        assert mine.num_rows > 0, name
        assert differences(mine, theirs) == [], name
        assert sails[task].seconds > 0
