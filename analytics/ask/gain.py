"""Reviewing the highest scores first: gain, lift and precision at shares of the rows and at a budget a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from analytics.aggregates.decisions import (
    CellCounts,
    DecisionScores,
    Grouping,
    ScoreColumn,
    prepared,
    read_counts,
    read_decision_scores,
)
from analytics.aggregates.keys import CellKey
from analytics.ask import decision_cells as shared
from analytics.ask.aggregates import edges_of
from analytics.ask.labels import maturity_of
from analytics.ask.quality import CellPlace
from analytics.ask.windows import resolve
from analytics.engines.text import Sql
from analytics.errors import ScopeError
from analytics.quality.decision_rows import GainRow
from analytics.quality.gain import Review, found_among_few, review_budget, review_share
from analytics.results import Results, Status
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

SHARES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
EXACT_ROWS = 50_000
"""Scored rows up to which a cell keeps every distinct score: the order at the very top then is that of the rows."""


def gain_of(catalog: Catalog, scope: Scope, budget: float | None = None) -> Results[GainRow]:
    """What reviewing the top shares finds, and the top of each day.

    Args:
        catalog: the project's views.
        scope: the question.
        budget: rows a day; that of [quality] review_budget where left out.

    Raises:
        ScopeError: the task is regression, or the budget is not above 0.
    """
    columns = tuple(shared.score_columns(catalog, shared.NOT_REVIEWED))
    if budget is None and catalog.project.quality.review_budget is not None:
        budget = float(catalog.project.quality.review_budget)
    if budget is not None and not 0 < budget < float("inf"):
        raise ScopeError("a budget is a number of rows a day, above 0")
    scope, windows = resolve(catalog, scope)
    if not windows:
        return Results((), catalog.project.zone, notes=("The logs hold no prediction.",))
    source = scoped_rows(catalog, scope)
    maturity = maturity_of(catalog, scope)
    rows: list[GainRow] = []
    texts: list[str] = []
    with catalog.engine.kept(prepared(catalog, source)) as kept:
        counts, _ = read_counts(catalog, kept)
        places = list(shared.places_of(catalog, scope, windows, counts))
        for column in columns:
            read, text = _read(catalog, kept, column, counts, budget=budget)
            texts.append(text.replace(kept.text, source.text))
            for place in places:
                key = CellKey(place.window.key, place.version, place.value)
                immature = maturity.reason(place.window.end)
                cell = _Cell(scope, place, column.class_, counts.get(key), immature, budget)
                rows += _rows(cell, read.get(key))
    return Results(tuple(rows), catalog.project.zone, tuple(texts))


@dataclass(frozen=True)
class _Scores:
    blocks: DecisionScores
    units: DecisionScores | None
    days: DecisionScores | None


@dataclass(frozen=True)
class _Cell:
    scope: Scope
    place: CellPlace
    class_: str | None
    counts: CellCounts | None
    immature: str | None
    budget: float | None

    @property
    def per_day(self) -> float:
        """Scored rows a day, by weight."""
        return self.counts.weight / self.counts.days if self.counts is not None and self.counts.days else 0.0


def _read(
    catalog: Catalog,
    kept: Sql,
    column: ScoreColumn,
    counts: Mapping[CellKey, CellCounts],
    *,
    budget: float | None,
) -> tuple[dict[CellKey, _Scores], str]:
    blocks, text = _both(catalog, kept, column, counts, "block_key")
    units: dict[CellKey, DecisionScores] = {}
    days: dict[CellKey, DecisionScores] = {}
    if catalog.predictions.unit is not None:
        units, _ = _both(catalog, kept, column, counts, "unit_group")
    if budget is not None:
        days, _ = _both(catalog, kept, column, counts, "day_key")
    return {key: _Scores(one, units.get(key), days.get(key)) for key, one in blocks.items()}, text


def _both(
    catalog: Catalog, kept: Sql, column: ScoreColumn, counts: Mapping[CellKey, CellCounts], by: Grouping
) -> tuple[dict[CellKey, DecisionScores], str]:
    """Every distinct score in small cells, bins in the others."""
    edges = edges_of(catalog.predictions)
    small = [key for key, one in counts.items() if 0 < one.n_scored <= EXACT_ROWS]
    found: dict[CellKey, DecisionScores] = {}
    text = ""
    if any(one.n_scored > EXACT_ROWS for one in counts.values()):
        found, text = read_decision_scores(catalog, kept, column, edges, by=by)
    if small:
        exact, text = read_decision_scores(catalog, kept, column, edges, by=by, exact=small)
        found |= exact
    return found, text


def _rows(cell: _Cell, read: _Scores | None) -> Iterator[GainRow]:
    problem = shared.problem_of(cell.counts, None, decided=False)
    n_positive = int(read.blocks.n[read.blocks.label == 1].sum()) if read is not None else 0
    if problem is None and n_positive == 0:
        problem = "undefined", "no label is positive, so there is nothing to find"
    budgets = [cell.budget] if cell.budget is not None else []
    for asked, share in [*((None, share) for share in SHARES), *((budget, None) for budget in budgets)]:
        row = _empty(cell, asked, share, *(problem or ("no_data", "no rows in this window")))
        if problem is not None or read is None:
            yield row
        elif share is not None:
            yield _row(cell, row, review_share(read.blocks, read.units, share), n_positive)
        elif read.days is not None and asked is not None:
            yield _row(cell, row, review_budget(read.days, asked), n_positive)


def _empty(cell: _Cell, budget: float | None, share: float | None, status: Status, reason: str) -> GainRow:
    place, counts = cell.place, cell.counts
    return GainRow(
        place.window.start, place.window.end, place.version, cell.scope.by, place.value, cell.class_,
        "share" if budget is None else "budget",
        share_reviewed=share,
        budget=budget,
        n=counts.n_scored if counts else 0,
        n_labelled=counts.n_labelled if counts else 0,
        status=status,
        reason=reason,
    )  # fmt: skip


def _row(cell: _Cell, row: GainRow, review: Review, n_positive: int) -> GainRow:
    confidence = cell.scope.confidence
    low, high, independence = review.recall.interval(confidence)
    recall = review.recall.value or 0.0
    row = replace(
        row,
        share_reviewed=review.share,
        reviewed_per_day=review.share * cell.per_day,
        recall=recall,
        recall_ci_low=low,
        recall_ci_high=high,
        recall_at_random=review.at_random,
        n_positive=n_positive,
        n_reviewed=round(review.n_reviewed),
        independence=independence,
        status="immature" if cell.immature else "ok",
        reason=cell.immature,
    )
    if review.precision is None or review.precision.value is None or review.lift_factor is None:
        return replace(row, reason=row.reason or "none of the reviewed rows has a label: no precision")
    precision_low, precision_high, _ = review.precision.interval(confidence)
    low, high = found_among_few(review, (low, high), (precision_low, precision_high))
    return replace(
        row,
        recall_ci_low=low,
        recall_ci_high=high,
        precision=review.precision.value,
        precision_ci_low=precision_low,
        precision_ci_high=precision_high,
        lift=recall * review.lift_factor,
        lift_ci_low=low * review.lift_factor,
        lift_ci_high=high * review.lift_factor,
    )
