"""Train, validation, test and production of a project side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from analytics.aggregates.keys import CellKey
from analytics.ask.aggregates import CellEstimates, read_estimates
from analytics.ask.segments import DEFAULT
from analytics.ask.windows import resolve
from analytics.errors import ProjectError
from analytics.measures.estimate import Estimate
from analytics.quality.splits import EARLY, LATE, ORDER, SplitRow, before, judged
from analytics.results import Results
from analytics.scope import Scope
from analytics.segments.compare import Difference, Pair, difference
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import split_rows

FIRST_TIME = timedelta(days=28)
"""How long a model counts as new in production; a quarter of the window where that is shorter."""


def splits_of(catalog: Catalog, scope: Scope, metric: str | None = None) -> Results[SplitRow]:
    """Every metric in every split, with the gap to the split before it and what the gap means.

    The window applies to production; training, validation and test rows count whenever they were. Production is shown
    whole and cut in two, its first 28 days (at most a quarter) and the rest.

    Args:
        catalog: the project's views.
        scope: the question; grain and ``by`` do not apply.
        metric: the one whose gaps are put into words; the loss of the task where left out.

    Raises:
        ProjectError: the project declares no split column.
    """
    section = catalog.predictions
    if section.split is None:
        raise ProjectError(
            f"{catalog.project.file}: predictions.split: this needs the column that says train, validation, test "
            "or production, and none is declared"
        )
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    if not windows:
        return Results((), catalog.project.zone, notes=("The logs hold no prediction of production.",))
    window = windows[0]
    until = window.start + min(FIRST_TIME, (window.end - window.start) / 4)
    whole = read_estimates(catalog, split_rows(catalog, scope), scope.confidence)
    halves = read_estimates(catalog, split_rows(catalog, scope, until), scope.confidence)
    cells = dict(whole.cells) | {
        key: cell for key, cell in halves.cells.items() if key.segment in {EARLY, LATE}
    }
    notes = (*_strangers(cells), _cut(until, catalog))
    rows: list[SplitRow] = []
    for version in dict.fromkeys(key.version for key in cells):
        mine = {key.segment: cell for key, cell in cells.items() if key.version == version}
        there = [name for name in (*ORDER, EARLY, LATE) if name in mine]
        of_split = [_rows(version, split, mine, scope.confidence) for split in there]
        # metric by metric, so that the splits of one stand under each other
        rows += [row for metric_rows in zip(*of_split, strict=True) for row in metric_rows]
    answers = judged(rows, metric or DEFAULT[section.task])
    return Results(answers, catalog.project.zone, (*whole.sql, *halves.sql), notes)


def _strangers(cells: Mapping[CellKey, CellEstimates]) -> tuple[str, ...]:
    found: dict[str, int] = {}
    for key, cell in cells.items():
        if key.segment not in {*ORDER, EARLY, LATE}:
            found[str(key.segment)] = found.get(str(key.segment), 0) + cell.n
    return tuple(
        f'{n:,} rows have the split "{name}", which is none of {", ".join(ORDER)}, and are left out'
        for name, n in sorted(found.items())
    )


def _cut(until: datetime, catalog: Catalog) -> str:
    day = until.astimezone(catalog.project.zone).date().isoformat()
    return f"production is cut on {day}: early is before, late from then on"


def _rows(
    version: str | None, split: str, cells: Mapping[str | None, CellEstimates], confidence: float
) -> list[SplitRow]:
    cell, name = cells[split], before(split, [str(other) for other in cells])
    others: Sequence[Estimate] = cells[name].estimates if name is not None else ()
    by_metric = {(other.metric, other.class_): other for other in others}
    rows = []
    for estimate in cell.estimates:
        low = high = independence = None
        if estimate.value is not None:
            low, high, independence = estimate.interval(confidence)
        other = by_metric.get((estimate.metric, estimate.class_))
        gap = _gap(estimate, other, confidence)
        row = SplitRow(
            version, split, estimate.class_, estimate.metric, estimate.value, low, high, cell.n, cell.n_labelled, name,
            None, None, None, None, None, None, independence, estimate.status, estimate.reason,
        )  # fmt: skip
        if gap is not None:
            row = replace(row, gap=gap.value, gap_ci_low=gap.low, gap_ci_high=gap.high, p_value=gap.p_value)
        rows.append(row)
    return rows


def _gap(estimate: Estimate, other: Estimate | None, confidence: float) -> Difference | None:
    """The difference of two splits; rows are disjoint, and what units on both sides share is not used.

    Splits that share units differ less than the sum of their variances says, so the interval is rather too wide.
    """
    if other is None or estimate.family == "given":
        return None
    units = None
    if estimate.unit_variance is not None and other.unit_variance is not None:
        units = estimate.unit_variance + other.unit_variance
    return difference(Pair(estimate, other, units, min(estimate.n_units, other.n_units)), confidence)
