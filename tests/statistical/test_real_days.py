"""Real days, one of them a blizzard: alarms without drift stay rare, where rows taken as independent alarm always."""

from __future__ import annotations

import pytest

from tests.statistical.real_days import families, rates

VERSION = "gbm-2013.03"


@pytest.mark.statistical
@pytest.mark.parametrize("days, runs, windows", [(1, 6, 7), (7, 9, 2)])
def test_few_windows_of_real_days_alarm(days: int, runs: int, windows: int) -> None:
    found = rates(families(VERSION, days, runs, windows=windows, seed=12))
    assert found.fields <= 0.065
    assert found.windows <= 0.13
    assert found.called <= found.windows


@pytest.mark.statistical
def test_rows_taken_as_independent_alarm_nearly_always() -> None:
    found = rates(families(VERSION, 7, 2, windows=2, by_day=False))
    assert found.windows == 1.0
    assert found.fields > 0.4
