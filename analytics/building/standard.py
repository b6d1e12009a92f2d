"""Every aggregate that is kept up to date: what the Monitor pages read at their defaults.

Each family says which its readers ask for; nothing here knows how one is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from analytics.aggregates.additive import Standard
from analytics.aggregates.arrival_parts import standard_labels
from analytics.aggregates.day_facts import Facts
from analytics.aggregates.decided import standard_examples
from analytics.aggregates.event_cells import standard_objectives
from analytics.aggregates.features import standard_drift
from analytics.aggregates.label_feed import standard_reports
from analytics.aggregates.label_groups import standard_groups
from analytics.aggregates.service_cells import standard_service
from analytics.measures.standard_estimates import keep_estimates, standard_estimates
from analytics.measures.standard_quality import standard_quality
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.report import count_read_files

FAMILIES: list[Callable[[Catalog], Iterable[Standard]]] = [
    standard_quality,
    standard_estimates,
    standard_drift,
    standard_service,
    standard_objectives,
    standard_labels,
    standard_reports,
    standard_groups,
    standard_examples,
]
"""``standard_*(catalog)`` of each family, in the order they are built."""


def keep_counts(catalog: Catalog, _: Facts) -> None:
    """Count what the Telemetry page tells of files: the first page of an app that is started after a build asks."""
    count_read_files(catalog)


KEPT: list[Callable[[Catalog, Facts], None]] = [keep_estimates, keep_counts]
"""What a build reads besides: answers that do not add over days, and stay on disk until a file of theirs changes."""


def standard(catalog: Catalog) -> tuple[Standard, ...]:
    """The aggregates of a project; none where it has no predictions."""
    if not catalog.has_predictions:
        return ()
    return tuple(one for family in FAMILIES for one in family(catalog))
