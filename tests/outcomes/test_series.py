"""The level of a series: its noise is what days a week apart differ by."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics.aggregates.series_cells import SeriesCell
from analytics.outcomes.series import noise, series_outcome

WEEK = timedelta(days=7)
START = datetime(2026, 1, 1)  # noqa: DTZ001  # keys are local wall-clock times


def days(values) -> dict[datetime, float]:
    return {START + timedelta(days=place): float(value) for place, value in enumerate(values)}


def test_weekdays_and_a_slow_trend_are_no_noise():
    random = np.random.default_rng(5)
    place = np.arange(700)
    values = 100 * (place % 7) + 0.05 * place + random.normal(0, 3, 700)
    variance, pairs = noise(days(values), WEEK)
    assert pairs == 693
    assert variance == pytest.approx(9, rel=0.15)


def test_one_jump_and_an_outage_do_not_widen_every_day():
    random = np.random.default_rng(6)
    values = random.normal(0, 1, 140)
    values[70:] += 50
    values[100:103] = -1000
    assert 0.5 < noise(days(values), WEEK)[0] < 3


def test_too_few_days_have_no_interval():
    assert noise(days(range(14)), WEEK) is None
    found = series_outcome(SeriesCell(1, 5.0, 1), None, 0.95)
    assert (found.status, found.value) == ("too_few", None)
    assert series_outcome(None, (1.0, 50), 0.95).status == "no_data"
    assert series_outcome(SeriesCell(1, 5.0, 1), (0.0, 50), 0.95).status == "undefined"


@pytest.mark.statistical
@pytest.mark.parametrize("window", [1, 7, 28])
def test_intervals_of_levels_hold(window):
    random = np.random.default_rng(7)
    runs, held = 400, 0
    level = 100 + 20 * np.sin(2 * np.pi * np.arange(112) / 7)
    for _ in range(runs):
        values = level + random.normal(0, 5, 112)
        scatter = noise(days(values), WEEK)
        part = values[-window:]
        found = series_outcome(SeriesCell(window, part.mean(), window), scatter, 0.95)
        held += found.ci_low <= level[-window:].mean() <= found.ci_high
    assert 0.92 <= held / runs <= 0.985
