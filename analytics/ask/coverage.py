"""Answering only what is sure: quality on the answered rows at shares from all to a tenth, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from analytics.aggregates.decisions import (
    CellCounts,
    ConfidenceBins,
    ScoreColumn,
    certainty_by_distance,
    earned_by_decision,
    prepared,
    read_confidence,
    read_counts,
    read_decision_scores,
)
from analytics.aggregates.edges import score_edges
from analytics.aggregates.keys import CellKey
from analytics.ask import decision_cells as shared
from analytics.ask.aggregates import decides, edges_of
from analytics.ask.labels import maturity_of
from analytics.ask.quality import CellPlace
from analytics.ask.thresholds import present_threshold
from analytics.ask.windows import resolve, versions_of
from analytics.engines.text import Sql
from analytics.errors import ScopeError
from analytics.measures import binary, multiclass
from analytics.measures.estimate import LEAST_ROWS
from analytics.project import Costs
from analytics.quality.coverage import SHARES, Answered, answered
from analytics.quality.decision_rows import Certainty, CoverageRow
from analytics.results import Results, Status
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = NDArray[np.float64]
NO_ONE_THRESHOLD = (
    "distance needs one threshold in use a version: the logged decisions follow none; take the largest probability "
    "instead"
)


def coverage_of(catalog: Catalog, scope: Scope, certain_by: Certainty = "top") -> Results[CoverageRow]:
    """Quality when only the surest share is answered.

    Args:
        catalog: the project's views.
        scope: the question.
        certain_by: top: the largest probability. distance (binary): how far the score lies from the threshold in use,
            in log-odds.

    Raises:
        ScopeError: the task is regression, or there is no threshold to be far from.
    """
    tuple(shared.score_columns(catalog, shared.NOT_SURE))
    scope, windows = resolve(catalog, scope)
    if not windows:
        return Results((), catalog.project.zone, notes=("The logs hold no prediction.",))
    source = scoped_rows(catalog, scope)
    maturity = maturity_of(catalog, scope)
    statistics = _statistics(catalog)
    rows: list[CoverageRow] = []
    with catalog.engine.kept(prepared(catalog, source)) as kept:
        counts, _ = read_counts(catalog, kept)
        confidence, edges = _confidence(catalog, kept, scope, certain_by)
        decided = decides(catalog.predictions)
        bins, text = read_confidence(catalog, kept, confidence, statistics, edges, decided=decided)
        units: dict[CellKey, ConfidenceBins] = {}
        if catalog.predictions.unit is not None:
            units, _ = read_confidence(
                catalog, kept, confidence, statistics, edges, by="unit_group", decided=decided
            )
        for place in shared.places_of(catalog, scope, windows, counts):
            key = CellKey(place.window.key, place.version, place.value)
            cell = _Cell(scope, place, counts.get(key), maturity.reason(place.window.end), certain_by)
            rows += _rows(cell, bins.get(key), units.get(key), statistics, decided=decided)
    return Results(tuple(rows), catalog.project.zone, (text.replace(kept.text, source.text),))


@dataclass(frozen=True)
class _Cell:
    scope: Scope
    place: CellPlace
    counts: CellCounts | None
    immature: str | None
    certain_by: Certainty


def _statistics(catalog: Catalog) -> dict[str, str]:
    """What a labelled row is worth, by metric."""
    predictions, costs = catalog.predictions, catalog.project.costs
    classes = predictions.classes
    known = multiclass.statistics(classes) if classes else binary.STATISTICS
    found = {"log_loss": next(one.expression for one in known if one.name == "log_loss")}
    if not decides(predictions):
        return found
    found = {"accuracy": "CASE WHEN label = decision THEN 1e0 ELSE 0e0 END", **found}
    earned = shared.matrix_of(costs, classes) if classes else _table(costs)
    if earned is not None:
        found["cost"] = earned_by_decision(classes or binary.CLASSES, earned)
    return found


def _table(costs: Costs | None) -> Floats | None:
    amounts = shared.amounts_of(costs)
    if amounts is None:
        return None
    return np.array(
        [
            [amounts.true_negative, amounts.false_positive],
            [amounts.false_negative, amounts.true_positive],
        ]
    )


def _confidence(catalog: Catalog, kept: Sql, scope: Scope, certain_by: Certainty) -> tuple[str, Floats]:
    """SQL of how sure an answer is, and the edges of its bins."""
    if certain_by == "top":
        edges = score_edges()
        if catalog.predictions.classes:
            return multiclass.top_score(catalog.predictions.classes), edges
        return "greatest(score, 1e0 - score)", edges[edges > 0.5]
    if catalog.predictions.task != "binary":
        raise ScopeError("distance from the threshold is for binary models; several classes have none")
    column = ScoreColumn(None, "score", "label = 1", "decision = 1")
    found, _ = read_decision_scores(catalog, kept, column, edges_of(catalog.predictions))
    in_use: dict[str | None, float] = {}
    for version in versions_of(catalog, scope):
        thresholds = [present_threshold(one) for key, one in found.items() if key.version == version]
        if None in thresholds or len(set(thresholds)) > 1:
            raise ScopeError(NO_ONE_THRESHOLD)
        one = thresholds[0] if thresholds else None
        if one is not None and 0 < one < 1:
            in_use[version] = one
    if not in_use:
        raise ScopeError(NO_ONE_THRESHOLD)
    # the distance d in log-odds as 1 - exp(-d), which lies in [0, 1)
    edges = np.asarray(1.0 - np.exp(-np.linspace(0.02, 14.0, 300)))
    return certainty_by_distance({version: float(logit(one)) for version, one in in_use.items()}), edges


def _rows(
    cell: _Cell,
    bins: ConfidenceBins | None,
    units: ConfidenceBins | None,
    statistics: Mapping[str, str],
    *,
    decided: bool,
) -> Iterator[CoverageRow]:
    problem = shared.problem_of(cell.counts, None, decided=decided)
    if problem is None and bins is None:
        problem = "no_data", "no row has a decision"
    for metric in statistics:
        for share in SHARES:
            row = _empty(cell, metric, share, *(problem or ("no_data", "no rows in this window")))
            if problem is not None or bins is None:
                yield row
            else:
                yield _row(cell, row, answered(bins, units, metric, share))


def _empty(cell: _Cell, metric: str, share: float, status: Status, reason: str) -> CoverageRow:
    place, counts = cell.place, cell.counts
    return CoverageRow(
        place.window.start, place.window.end, place.version, cell.scope.by, place.value, cell.certain_by, share,
        metric,
        n=counts.n_scored if counts else 0,
        status=status,
        reason=reason,
    )  # fmt: skip


def _row(cell: _Cell, row: CoverageRow, found: Answered) -> CoverageRow:
    counts = cell.counts
    per_day = counts.weight / counts.days if counts is not None and counts.days else 0.0
    row = replace(
        row,
        share_answered=found.share,
        answered_from=found.least if cell.certain_by == "top" else float(-np.log1p(-found.least)),
        answered_per_day=per_day * found.share,
        refused_per_day=per_day * (1.0 - found.share),
        n_labelled=found.n_labelled,
    )
    if found.value is None or found.value.value is None or found.n_labelled < LEAST_ROWS:
        reason = f"{found.n_labelled} answered rows have a label; at least {LEAST_ROWS} are needed"
        return replace(row, status="too_few", reason=reason)
    low, high, independence = found.value.interval(cell.scope.confidence)
    row = replace(
        row, value=found.value.value, ci_low=low, ci_high=high, independence=independence,
        status="immature" if cell.immature else "ok", reason=cell.immature,
    )  # fmt: skip
    if found.change is None or found.change.value is None:
        return row
    change_low, change_high, _ = found.change.interval(cell.scope.confidence)
    return replace(row, change=found.change.value, change_ci_low=change_low, change_ci_high=change_high)
