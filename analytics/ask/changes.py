"""Changes of a scope: every metric and every watched field of every version, since when."""

from __future__ import annotations

from dataclasses import replace

from analytics.ask.days import LEFT_OUT, Days, days_in, one_thread, starts_of
from analytics.ask.field_days import field_subjects
from analytics.changes.describe import ALPHA, Subject, change_rows
from analytics.changes.rows import ChangeRow
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog


def changes_of(catalog: Catalog, scope: Scope) -> Results[ChangeRow]:
    """One row per version and metric or field: whether its days changed, since when, and where it goes.

    Fields are looked at where a reference fixes their bins.

    Raises:
        ScopeError: the scope splits by a segment, or its grain is neither all, day nor week.
    """
    days = days_in(catalog, scope)
    if not days.windows:
        return Results((), catalog.project.zone, notes=("The logs hold no prediction.",))
    subjects = metric_subjects(days, catalog.project.quality.floor)
    texts: tuple[str, ...] = ()
    notes = [f"one value a {days.grain}; levels are of an average weekday"]
    if "reference" in catalog.sources:
        fields, texts = field_subjects(catalog, days.scope, days.windows, days.versions, days.maturity)
        subjects += fields
    else:
        notes.append("fields are not looked at: the project file declares no reference")
    window = (days.windows[0].start, days.windows[-1].end)
    with one_thread():
        rows = change_rows(subjects, window, days.grain, scope.confidence)
    tested = len({(row.version, row.role == "metric") for row in rows if row.p_value is not None})
    notes.append(
        f"p-values are corrected over the metrics, and over the fields, of each version: when nothing has changed, "
        f"{ALPHA * tested:.2g} false reports of a change are still expected"
    )
    return Results(rows, catalog.project.zone, (*days.found.sql, *texts), tuple(notes))


def metric_subjects(days: Days, floors: dict[str, float]) -> list[Subject]:
    """The metrics of every version."""
    subjects = []
    for version in days.versions:
        for metric in days.metrics():
            found = days.of(version, metric)
            reason = LEFT_OUT.get(metric)
            about = Subject(
                version, "metric", metric, (("value", None, found.series),), starts_of(found.windows),
                floors.get(metric), reason,
            )  # fmt: skip
            if reason is None and not found.series.n and found.left_out:
                why = max(found.left_out, key=lambda name: found.left_out[name])
                about = replace(about, reason=f"no {days.grain} counts: {why}")
            subjects.append(about)
    return subjects
