"""What is kept of estimates before labels: what the Quality page reads of a binary model by day."""

from __future__ import annotations

from collections.abc import Iterator

from analytics.aggregates.additive import Additive, Standard
from analytics.aggregates.day_facts import Facts
from analytics.aggregates.estimated import keep_reference
from analytics.aggregates.estimated_parts import estimated_parts
from analytics.measures.standard_quality import edges_of, kept_quality
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import ScopedRows


def kept_estimates(catalog: Catalog) -> Additive:
    """The sums of a binary model's estimates as they are kept."""
    rows = ScopedRows("", {}, Scope(), "predictions", ())
    return estimated_parts(kept_quality(catalog, rows), catalog.project.time_zone)


def standard_estimates(catalog: Catalog) -> Iterator[Standard]:
    """Estimates of all rows; those of several classes and of numbers look at rows one by one."""
    if catalog.predictions.task == "binary" and catalog.has_labels:
        yield Standard(kept_estimates(catalog))


def keep_estimates(catalog: Catalog, facts: Facts) -> None:
    """Read what estimates by day learn from, so that nobody waits for it."""
    if catalog.predictions.task == "binary" and catalog.has_labels:
        keep_reference(catalog, edges_of(catalog.predictions), facts)
