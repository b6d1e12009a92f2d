"""Numbers of quality and of label coverage: all windows of a rule in one scan, each as it was known when looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analytics.aggregates.arrivals import COVERAGE, COVERAGE_TOGETHER
from analytics.aggregates.missing_cells import read_missing
from analytics.aggregates.moments import needed_columns, read_row_moments
from analytics.aggregates.reference_bins import watched_fields
from analytics.alerts.asked import Asked, Found, parts
from analytics.alerts.numbers import Number
from analytics.alerts.rows import Target
from analytics.ask.aggregates import CellEstimates, read_estimates
from analytics.errors import ProjectError
from analytics.measures.estimate import Estimate, ratio
from analytics.telemetry.looked_rows import Look, looked_rows
from analytics.telemetry.rows import scoped_rows


def quality_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    """The rule's metric in every window; a cell without rows is not there."""
    found: Found = {}
    for part in parts(looks):
        rows = looked_rows(asked.catalog, asked.scope, part)
        estimates = read_estimates(asked.catalog, rows, asked.rule.confidence, _only(asked))
        ends = {look.key: look.end for look in part}
        for key, cell in estimates.cells.items():
            found[ends[key.window], asked.target(key.version, key.segment)] = _number(asked, cell)
    return found


def coverage_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    """The share of rows with a label in every window."""
    found: Found = {}
    catalog = asked.catalog
    for part in parts(looks):
        rows = needed_columns(catalog.predictions, looked_rows(catalog, asked.scope, part))
        moments, _ = read_row_moments(catalog, rows, COVERAGE, COVERAGE_TOGETHER)
        ends = {look.key: look.end for look in part}
        for key, one in moments.items():
            estimate = ratio("label_coverage", one, "labelled", "rows", family="share")
            number = _of(estimate, asked.rule.confidence, one.n, one.n)
            found[ends[key.window], asked.target(key.version, key.segment)] = number
    return found


def missing_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    """The share of rows in which the rule's feature is missing, in every window."""
    found: Found = {}
    catalog, name = asked.catalog, asked.rule.feature
    field = next((one for one in watched_fields(catalog) if one.name == name), None)
    if field is None:
        raise ProjectError(
            f'{catalog.project.file}: alerts.{asked.name}.feature: "{name}" is not watched; known: '
            f"{', '.join(one.name for one in watched_fields(catalog))}"
        )
    for part in parts(looks):
        ends = {look.key: look.end for look in part}
        for key, one in read_missing(catalog, looked_rows(catalog, asked.scope, part), field).items():
            if one.total("rows") > 0:
                estimate = ratio("missing_rate", one, "missing", "rows", family="share")
                number = _of(estimate, asked.rule.confidence, one.n, one.n)
                found[ends[key.window], asked.target(key.version, key.segment)] = number
    return found


def reference_numbers(asked: Asked) -> Mapping[Target, Number]:
    """The same metric in the reference, of each version it has rows of (the first stands for those it has none of)."""
    catalog = asked.catalog
    rows = scoped_rows(catalog, replace(asked.scope, versions=()), "reference")
    estimates = read_estimates(catalog, rows, asked.rule.confidence, _only(asked))
    own = {
        asked.target(key.version, key.segment): _number(asked, cell) for key, cell in estimates.cells.items()
    }
    first = catalog.reference_versions[0] if catalog.reference_versions else None
    for version in catalog.versions:
        if version not in catalog.reference_versions:
            own |= {
                replace(target, version=version): number
                for target, number in own.items()
                if target.version == first
            }
    return own


def _only(asked: Asked) -> frozenset[str]:
    return frozenset({asked.rule.metric or ""})


def _number(asked: Asked, cell: CellEstimates) -> Number:
    wanted = asked.rule.class_
    estimate = next((one for one in cell.estimates if one.class_ == wanted), None)
    if estimate is None:
        reason = (
            f'there is no class "{wanted}"'
            if wanted is not None
            else "is known by class only: name one (class)"
        )
        return Number(None, None, None, cell.n, cell.n_labelled, "undefined", reason)
    return _of(estimate, asked.rule.confidence, cell.n, cell.n_labelled)


def _of(estimate: Estimate, confidence: float, n: int, used: int) -> Number:
    if estimate.value is None:
        return Number(None, None, None, n, used, estimate.status, estimate.reason)
    low, high, _ = estimate.interval(confidence)
    return Number(estimate.value, low, high, n, used)
