"""A table with one row an arm, of which only counts, means and standard deviations are known."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.engines.text import Sql, identifier
from analytics.telemetry import casts, typed
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import NO_VARIANT
from analytics.telemetry.feeds import FILE, ROW

FEED = "counts"


def count_rows(catalog: Catalog, experiment: str, columns: Sequence[str]) -> Sql:
    """The rows of one experiment in the order they are logged: variant, units, and ``c0``, ``c1`` … as numbers.

    Args:
        catalog: the project's logs.
        experiment: whose rows; all of them where the section names no column for it.
        columns: of the table.

    Raises:
        ProjectError: there is no such section.
        TelemetryError: there is no file, or it lacks a column.
    """
    feed, project = catalog.require_feed(FEED), catalog.project
    section = project.counts
    declared = section.model_dump(exclude={"path"}, exclude_none=True) if section is not None else {}
    for role, name in declared.items():
        feed.require(name, f"{FEED}.{role}", project.file)
    bodies = []
    for group in feed.groups:
        items = [f"{identifier(FILE)} AS file", f"{identifier(ROW)} AS row"]
        texts = {
            role: typed.cast(group, declared.get(role), casts.as_key, "VARCHAR")
            for role in ("variant", "experiment")
        }
        items += [f"{text} AS {role}" for role, text in texts.items()]
        numbers = [declared["units"], *columns]
        items += [
            f"{typed.cast(group, name, casts.as_double, 'DOUBLE')} AS {'units' if not i else f'c{i - 1}'}"
            for i, name in enumerate(numbers)
        ]
        bodies.append(f"SELECT {', '.join(items)} FROM {group.relation}")
    own = "experiment = $experiment" if "experiment" in declared else "TRUE"
    text = (
        f"SELECT * REPLACE (coalesce(variant, '{NO_VARIANT}') AS variant) FROM ({' UNION ALL '.join(bodies)}) "
        f"WHERE {own} ORDER BY file, row"
    )
    return Sql(text, {"experiment": experiment} if "experiment" in declared else {})
