"""Telemetry: what every log file holds, what of it was left out, and how much came a day."""

from __future__ import annotations

from datetime import datetime

from analytics.aggregates.additive import read_stored
from analytics.aggregates.arrival_parts import coverage_parts, whole_logs
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.report import DayCount, FileRow, rows_per_day, telemetry_report
from analytics.telemetry.rows import scoped_rows
from analytics.telemetry.summary import summarise


def telemetry_of(catalog: Catalog) -> Results[FileRow]:
    """One record a log file of every feed, damaged files included; the notes say what it adds up to."""
    rows = telemetry_report(catalog)
    return Results(rows, catalog.project.zone, notes=summarise(catalog, rows).sentences)


def day_counts(catalog: Catalog) -> tuple[DayCount, ...]:
    """Predictions a local day and version, duplicates left out, from stored parts where these hold all of them."""
    stored = _stored_counts(catalog)
    return rows_per_day(catalog) if stored is None else stored


def _stored_counts(catalog: Catalog) -> tuple[DayCount, ...] | None:
    labels, known = catalog.project.labels, catalog.known("predictions")
    absent = (
        labels is not None and labels.absent_after is not None
    )  # a label without a report is none that came
    if catalog.parts is None or known is None or absent or not catalog.has_labels:
        return None
    if known.repeated is None or known.repeated:
        return None  # what is known of files counts every row
    rows = scoped_rows(catalog, whole_logs(catalog, Scope(grain="day")))
    found = read_stored(catalog, rows, coverage_parts(catalog))
    if found is None:
        return None
    counts: dict[tuple[datetime, str | None], list[int]] = {}
    for row in found[0].to_pylist():
        both = counts.setdefault((row["window_key"], row["version"]), [0, 0])
        both[0] += row["n"]
        both[1] += round(row.get("c1", row["s1"]))  # where rows have weights, the sum is one of weights
    if sum(n for n, _ in counts.values()) != known.n:
        return None  # rows of the future, which no window covers, are rows that arrived
    order = sorted(counts, key=lambda key: (key[0], key[1] or ""))
    return tuple(DayCount(key[0].date(), key[1], *counts[key]) for key in order)
