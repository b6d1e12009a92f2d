"""Expected against observed false alarms of drift, on a project's own reference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from analytics.aggregates.features import CellHistogram
from analytics.aggregates.reference_bins import reference_version_of
from analytics.ask.drift import reference_of
from analytics.ask.windows import versions_of
from analytics.drift.false_alarms import FalseAlarmRow, Plan, expected, shuffled, stretches
from analytics.errors import ProjectError, ScopeError
from analytics.results import Results
from analytics.scope import Grain, Scope, Window
from analytics.telemetry.catalog import Catalog

RUNS = 40
MOST_RUNS = 10_000
_DAYS: dict[Grain, float] = {"day": 1.0, "week": 7.0, "month": 30.0}
_BLOCK_DAYS = {"hour": 1.0 / 24.0, "day": 1.0, "week": 7.0}
_A_DAY = datetime(1970, 1, 1, tzinfo=UTC)


def false_alarms_of(
    catalog: Catalog, scope: Scope, *, runs: int = 0, segments: int = 0
) -> Results[FalseAlarmRow]:
    """How many false alarms of drift to expect a week, and how many come when nothing can have drifted.

    Args:
        catalog: the project's views.
        scope: versions, filters and the grain of the windows (``all`` is taken as day); the window does not apply.
        runs: shuffles of the reference's blocks; with none only what is expected is told.
        segments: how many segment values are looked at one by one besides all rows together.

    Raises:
        ProjectError: the project has no reference, or its rows are taken as independent.
        ScopeError: the grain is shorter than a day, or runs are out of range.
    """
    if "reference" not in catalog.sources:
        raise ProjectError(f"{catalog.project.file}: reference: drift needs a reference, and there is none")
    if not 0 <= runs <= MOST_RUNS:
        raise ScopeError(f"runs {runs:,} must be from 0 to {MOST_RUNS:,}")
    grain: Grain = "day" if scope.grain == "all" else scope.grain
    if grain not in _DAYS:
        raise ScopeError(
            f"grain {grain}: windows shorter than a day are compared by hours; choose day, week or month"
        )
    settings = catalog.project.drift
    rows: list[FalseAlarmRow] = []
    texts: list[str] = []
    for version in dict.fromkeys(reference_version_of(catalog, one) for one in versions_of(catalog, scope)):
        _, cell, text = reference_of(catalog, version, scope.filters)
        plan = _plan(catalog, version, grain, segments)
        texts.append(text)
        rows.append(expected(plan, cell))
        if runs:
            rows += _simulated(catalog, plan, cell, runs, scope.confidence)
    note = (
        f"tolerances as declared (default {settings.tolerance_of('')}); units are not part of the simulation"
    )
    return Results(tuple(rows), catalog.project.zone, tuple(texts), (note,) if runs else ())


def _simulated(
    catalog: Catalog, plan: Plan, cell: CellHistogram, runs: int, confidence: float
) -> Iterable[FalseAlarmRow]:
    settings = catalog.project.drift
    if catalog.predictions.block == "none":
        reason = 'block = "none": rows are taken as independent, so there are no blocks to shuffle'
        blank = replace(
            expected(plan, cell), method="shuffled", share=None, ci_low=None, ci_high=None, per_week=None
        )
        return (replace(blank, per_week_low=None, per_week_high=None, status="undefined", reason=reason),)
    return shuffled(plan, cell, settings, runs, confidence), stretches(plan, cell, settings, confidence)


def _plan(catalog: Catalog, version: str | None, grain: Grain, segments: int) -> Plan:
    days = _DAYS[grain]
    length = max(round(days / _BLOCK_DAYS.get(catalog.predictions.block, 1.0)), 1)
    count = max(round(7.0 / days), 1)
    windows = tuple(
        Window(start, start + timedelta(days=1), start.replace(tzinfo=None))
        for start in (_A_DAY + timedelta(days=i) for i in range(count))
    )
    return Plan(version, grain, 7.0 / days * (1 + segments), length, windows)
