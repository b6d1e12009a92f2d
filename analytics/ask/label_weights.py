"""Metrics of windows whose labels still arrive: as they are, weighted for those to come, and at worst and best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from analytics.aggregates.arrivals import UNSTRATIFIED, read_arrivals
from analytics.aggregates.keys import CellKey
from analytics.aggregates.label_weights import (
    BY_DECISION_AND_LABEL,
    Arrived,
    Missing,
    probability_table,
    read_missing,
    weighted_rows,
)
from analytics.ask.aggregates import CellEstimates, read_estimates
from analytics.ask.label_counts import NO_LABELS, followed_of
from analytics.ask.labels import known, maturity_of
from analytics.ask.quality import NEEDS_NO_LABEL
from analytics.ask.windows import resolve, versions_of
from analytics.engines.text import Sql
from analytics.labels.rows import LateMetricRow
from analytics.labels.weights import NOT_LEARNED, chances, probabilities, worst_and_best
from analytics.measures.estimate import Estimate
from analytics.results import Results
from analytics.scope import Scope, Window
from analytics.stats.blocks import Independence
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

POSITIVE_FIRST = "a missing label still may come to mean something: what came so far is one-sided"


@dataclass(frozen=True)
class _Weighted:
    """What weighting gave.

    Attributes:
        cells: of immature windows.
        left_out: labelled rows too unlikely to have come.
        reasons: why a window was not weighted.
        by_label: whether labels were told apart.
    """

    cells: Mapping[CellKey, CellEstimates]
    left_out: Mapping[CellKey, int]
    reasons: Mapping[CellKey, str]
    by_label: bool
    sql: tuple[str, ...] = ()


def late_metrics_of(catalog: Catalog, scope: Scope) -> Results[LateMetricRow]:
    """Every label-based metric of every window and version: naive, weighted, and its bounds."""
    zone = catalog.project.zone
    scope, windows = resolve(catalog, replace(scope, by=None))
    if not windows:
        return Results((), zone, notes=("The logs hold no prediction.",))
    if not catalog.has_labels:
        return Results((), zone, notes=(NO_LABELS,))
    known_at, maturity = known(scope), maturity_of(catalog, scope)
    rows = scoped_rows(catalog, scope, now=known_at)
    found = read_estimates(catalog, rows, scope.confidence)
    young = [window for window in windows if maturity.reason(window.end) is not None]
    weighted = _weighted(catalog, scope, rows, young)
    missing = read_missing(catalog, rows) if catalog.predictions.task == "binary" else {}
    answer: list[LateMetricRow] = []
    for window in windows:
        immature = maturity.reason(window.end)
        for version in versions_of(catalog, scope):
            key = CellKey(window.key, version, None)
            if key in found.cells:
                answer += _rows(
                    window, key, found.cells[key], weighted, missing.get(key), immature, scope.confidence
                )
    return Results(tuple(answer), zone, (*found.sql, *weighted.sql), _notes(weighted))


def _notes(weighted: _Weighted) -> tuple[str, ...]:
    if weighted.by_label:
        return ("Weights assume that labels of each decision and value come as they did before.",)
    return ("Weights assume that late labels are like early ones of predictions made at the same time.",)


def _weighted(catalog: Catalog, scope: Scope, rows: Sql, young: list[Window]) -> _Weighted:
    by_label = catalog.predictions.task != "regression"
    section = catalog.project.labels
    versions = versions_of(catalog, scope)
    keys = [(window, CellKey(window.key, version, None)) for window in young for version in versions]
    if section is not None and section.absent_after is not None:
        return _Weighted({}, {}, {key: POSITIVE_FIRST for _, key in keys}, by_label)
    if not young:
        return _Weighted({}, {}, {}, by_label)
    stratum = BY_DECISION_AND_LABEL if by_label else UNSTRATIFIED
    known_at, zone = known(scope), catalog.project.zone
    with catalog.engine.kept(followed_of(catalog, scope, known_at, stratum=stratum)) as kept:
        now, history = (read_arrivals(catalog, kept, learn=learn) for learn in (False, True))
    table: list[Arrived] = []
    left_out: dict[CellKey, int] = {}
    reasons: dict[CellKey, str] = {}
    for window, key in keys:
        local = window.start.astimezone(zone).replace(tzinfo=None)
        learned = chances(history, key.version, local, by_label=by_label)
        if learned is None:
            reasons[key] = NOT_LEARNED
            continue
        given, left_out[key] = probabilities(now, window.key, key.version, learned)
        table += given
    if not table:
        return _Weighted({}, left_out, reasons, by_label)
    with catalog.engine.kept(probability_table(table)) as given_table:
        weighted = weighted_rows(
            catalog, rows, known_at, stratum, given_table, [window.key for window in young]
        )
        found = read_estimates(catalog, weighted, scope.confidence)
    return _Weighted(found.cells, left_out, reasons, by_label, found.sql[:1])


def _rows(  # noqa: PLR0917  # one argument a reading
    window: Window,
    key: CellKey,
    cell: CellEstimates,
    weighted: _Weighted,
    missing: Missing | None,
    immature: str | None,
    confidence: float,
) -> list[LateMetricRow]:
    other = cell if immature is None else weighted.cells.get(key)
    unweighted = weighted.reasons.get(key)
    by_name = {(one.metric, one.class_): one for one in other.estimates} if other and not unweighted else {}
    rows = []
    for estimate in cell.estimates:
        if estimate.metric in NEEDS_NO_LABEL:
            continue
        plain = _limits(estimate, confidence)
        corrected = _limits(by_name.get((estimate.metric, estimate.class_)), confidence)
        worst, best = (missing and worst_and_best(estimate.metric, missing)) or (None, None)
        status, reason = estimate.status, estimate.reason
        if plain.value is not None and immature is not None:
            status, reason = "immature", "; ".join(filter(None, (immature, unweighted)))
        rows.append(
            LateMetricRow(
                window.start, window.end, key.version, estimate.class_, estimate.metric, plain.value, plain.low,
                plain.high, corrected.value, corrected.low, corrected.high, worst, best, weighted.by_label, cell.n,
                cell.n_labelled, weighted.left_out.get(key, 0), plain.independence, status, reason,
            )
        )  # fmt: skip
    return rows


class _Limits(NamedTuple):
    value: float | None = None
    low: float | None = None
    high: float | None = None
    independence: Independence | None = None


def _limits(estimate: Estimate | None, confidence: float) -> _Limits:
    if estimate is None or estimate.value is None:
        return _Limits()
    return _Limits(estimate.value, *estimate.interval(confidence))
