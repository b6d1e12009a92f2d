"""Every aggregate is the same on DuckDB and on Sail, from the same text over the same files."""

from __future__ import annotations

import pytest

from tests.contract.conftest import TASKS
from tests.contract.questions import asked, differences, stored


@pytest.mark.parametrize("task", TASKS)
def test_stored_aggregates_are_equal(task, catalogs, sails) -> None:
    for name, sql in stored(catalogs[task]):
        mine, theirs = catalogs[task].engine.query(sql), sails[task].query(sql)
        assert differences(mine, theirs) == [], name


@pytest.mark.parametrize("task", TASKS)
def test_live_questions_are_equal(task, catalogs, sails) -> None:
    for name, sql in asked(catalogs[task]):
        mine, theirs = catalogs[task].engine.query(sql), sails[task].query(sql)
        assert mine.num_rows > 0, name
        assert differences(mine, theirs) == [], name
        assert sails[task].seconds > 0
