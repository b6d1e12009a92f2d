"""Reads what estimates need and runs the estimators over all windows of each version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analytics.aggregates.estimated import (
    windowed,
)
from analytics.ask.estimate_base import (
    Evidence,
    Reader,
)
from analytics.ask.estimate_binary import Binary
from analytics.ask.estimate_sampled import Multiclass, Regression
from analytics.ask.estimate_windows import Plan
from analytics.quality.estimated import Method
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows


@dataclass(frozen=True)
class Reading:
    """All versions, the metrics in order, and the SQL texts that scanned."""

    metrics: tuple[str, ...]
    versions: dict[str | None, Evidence]
    sql: tuple[str, ...]


def read_evidence(
    catalog: Catalog, plan: Plan, versions: Sequence[str | None], methods: Sequence[Method]
) -> Reading:
    """Read and estimate, by the model's task."""
    rows = windowed(scoped_rows(catalog, plan.reading), plan.span)
    reference = None
    if "reference" in catalog.sources:
        whole = replace(plan.scope, start=None, end=None, as_of=None, versions=())
        reference = scoped_rows(catalog, whole, "reference")
    reader: Reader = {"binary": Binary, "multiclass": Multiclass, "regression": Regression}[
        catalog.predictions.task
    ](catalog, plan, rows, reference, tuple(methods))
    return Reading(reader.metrics, {name: reader.evidence(name) for name in versions}, tuple(reader.sql))
