"""An experiment of which only one row an arm is known: successes, totals, or means with standard deviations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analytics.aggregates.arms import VALUE, ArmMoments, ExperimentAggregates, MetricAggregates, Split
from analytics.aggregates.readings import Reading, Wanted
from analytics.errors import TelemetryError
from analytics.project import Metric
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.count_rows import FEED, count_rows

Row = Mapping[str, Any]
UNKNOWN_ARMS = 10
MOST_UNITS = 1e12


def read_counts(catalog: Catalog, reading: Reading) -> ExperimentAggregates:
    """Read the one row of every arm.

    Raises:
        TelemetryError: there is no such table or column, an arm has two rows, or a number cannot be what it is said
            to be.
        ProjectError: an experiment with another source, or no such section.
    """
    names = list(dict.fromkeys(name for wanted in reading.metrics for name in _columns(wanted.metric)))
    feed = catalog.require_feed(FEED)
    for wanted in reading.metrics:
        for key, name in zip(("value", "standard_deviation"), _columns(wanted.metric), strict=False):
            feed.require(name, f"metrics.{wanted.name}.{key}", catalog.project.file)
    sql = count_rows(catalog, reading.name, names)
    rows = catalog.engine.query(sql).to_pylist()
    place = f"{catalog.project.file}: {FEED}"
    arms = {arm: row for arm, row in _by_arm(rows, place).items() if arm in reading.variants}
    units = {arm: _units(arm, arms[arm], place) if arm in arms else 0 for arm in reading.variants}
    known = {name: f"c{i}" for i, name in enumerate(names)}
    metrics = tuple(_metric(wanted, reading, arms, units, known, place) for wanted in reading.metrics)
    return ExperimentAggregates(_split(rows, units, place), metrics, (sql.text,))


def _columns(metric: Metric) -> list[str]:
    return [name for name in (metric.value, metric.standard_deviation) if name is not None]


def _by_arm(rows: Sequence[Row], place: str) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in rows:
        if row["variant"] in found:
            raise TelemetryError(
                f'{place}: there are two rows of the arm "{row["variant"]}"; give one row an arm, all days together'
            )
        found[row["variant"]] = row
    return found


def _units(arm: str, row: Row, place: str) -> int:
    n = row["units"]
    if n is None or not math.isfinite(n) or n < 0 or n != math.floor(n) or n > MOST_UNITS:
        raise TelemetryError(
            f'{place}.units: the arm "{arm}" has {_shown(n)} units; a whole number of 0 or more is meant'
        )
    return int(n)


def _split(rows: Sequence[Row], units: Mapping[str, int], place: str) -> Split:
    others = {
        row["variant"]: _units(row["variant"], row, place) for row in rows if row["variant"] not in units
    }
    unknown = sorted(others.items(), key=lambda pair: (-pair[1], pair[0]))
    return Split(dict(units), n_unknown=sum(others.values()), unknown=tuple(unknown[:UNKNOWN_ARMS]))


def _metric(
    wanted: Wanted,
    reading: Reading,
    arms: Mapping[str, Row],
    units: Mapping[str, int],
    known: Mapping[str, str],
    place: str,
) -> MetricAggregates:
    """Means and sums of squares as units would have given them; an arm whose number is missing has none."""
    cells: list[tuple[str, int, float, float]] = []
    missing: dict[str, int] = {}
    for arm in reading.variants:
        if not units[arm]:
            continue
        values = [arms[arm][known[name]] for name in _columns(wanted.metric)]
        if any(value is None or math.isnan(value) for value in values):
            missing[arm] = units[arm]
            continue
        mean, variance = _spread(wanted, arm, units[arm], values, place)
        cells.append((arm, units[arm], mean, variance * (units[arm] - 1)))
    moments = ArmMoments(
        VALUE,
        np.array([arm for arm, *_ in cells], dtype=np.str_),
        np.full(len(cells), np.datetime64("NaT"), dtype="datetime64[D]"),
        None,
        np.array([n for _, n, _, _ in cells], dtype=np.float64),
        np.array([[mean] for _, _, mean, _ in cells], dtype=np.float64).reshape(len(cells), 1),
        np.array([[[squares]] for *_, squares in cells], dtype=np.float64).reshape(len(cells), 1, 1),
        missing,
    )
    return MetricAggregates(wanted.name, moments)


def _spread(wanted: Wanted, arm: str, n: int, values: Sequence[float], place: str) -> tuple[float, float]:
    """Mean and variance of a unit's value in an arm."""
    value = values[0]
    problem = _problem(wanted.metric.kind, n, values)
    if problem is not None:
        raise TelemetryError(f'{place}: {wanted.name} of the arm "{arm}": {problem}')
    if wanted.metric.kind == "proportion":
        share = value / n
        return share, share * (1 - share) * n / max(n - 1, 1)
    if wanted.metric.kind == "count":
        rate = value / n
        # without a standard deviation events are taken as independent of each other: their variance is their mean
        return rate, values[1] ** 2 if len(values) > 1 else rate
    return value, values[1] ** 2


def _problem(kind: str, n: int, values: Sequence[float]) -> str | None:
    value = values[0]
    if not all(math.isfinite(one) and abs(one) <= 1e40 for one in values):
        return f"{_shown(value)} is no finite number"
    if len(values) > 1 and values[1] < 0:
        return f"a standard deviation is 0 or more, and this one is {_shown(values[1])}"
    if kind == "mean":
        return None
    if value < 0 or value != math.floor(value):
        return f"{_shown(value)} is no count; a whole number of 0 or more is meant"
    if kind == "proportion" and value > n:
        return f"{_shown(value)} of {n:,} units cannot have it"
    return None


def _shown(value: float | None) -> str:
    return "no" if value is None else f"{value:,.6g}"
