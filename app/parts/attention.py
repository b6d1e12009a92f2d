"""What needs attention in one model: quality, drift, labels, freshness and damage in a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.quality.rows import MetricRow
from app.parts import metrics
from app.parts.ask import ask
from app.parts.view import View
from app.text import State, Verdict, count, drift_verdict, plural, quality_verdict

ORDER: tuple[State, ...] = ("worse", "changed", "unknown", "better", "same")
"""Red first; what cannot be judged before what is well."""


@dataclass(frozen=True)
class Model:
    """The live version of one project as the overview shows it.

    Attributes:
        view: its window and version.
        said: quality in a line.
        now: the main metric over the whole window; None where the logs hold nothing.
        before: the same in the reference.
        trend: the same by window.
        newest: the last row.
    """

    view: View
    said: Verdict
    now: MetricRow | None
    before: MetricRow | None
    trend: Sequence[MetricRow]
    newest: datetime | None


def look_at(view: View) -> Model:
    """Quality of the live version, which is quick; `drift_of` and `damage_of` take longer.

    Raises:
        AssayError: quality cannot be asked.
    """
    version, metric = view.version, metrics.main_metrics(view)[0]
    whole, trend = (
        metrics.pick(metrics.quality_for(view, metric, scope), metric, None, version)
        for scope in (view.of_version(version), view.over_time_of(version))
    )
    reference = metrics.reference_quality(view, metric)
    now = whole[0] if whole else None
    extent = view.bench.catalog.extent
    return Model(
        view,
        quality_verdict(trend, reference, metric=metric, zone=view.zone),
        now,
        metrics.reference_of(reference, now) if now else None,
        trend,
        extent[1] if extent else None,
    )


def drift_of(view: View) -> tuple[Verdict, int, int] | None:
    """Drift in a line, and how many of how many drifted; None without a reference."""
    if "reference" not in view.bench.catalog.sources:
        return None
    rows = ask(view, "drift", view.of_version(view.version))
    judged = [row for row in rows if row.drifted is not None]
    return drift_verdict(rows, zone=view.zone), sum(bool(row.drifted) for row in judged), len(judged)


def damage_of(view: View) -> str | None:
    """The worst of what was left out of the logs, in words; None where nothing was."""
    files = ask(view, "telemetry")
    named = [row for row in files if row.problem]
    if named:
        more = f" (and {plural(len(named) - 1, 'more file')})" if len(named) > 1 else ""
        return f"{named[0].path}: {named[0].problem}{more}"
    lost = {
        "rejected": sum(row.rejected or 0 for row in files),
        "invalid": sum(row.invalid or 0 for row in files),
        "duplicate": sum(row.duplicates or 0 for row in files),
    }
    worst = max(lost, key=lambda name: lost[name])
    return f"{count(lost[worst])} {worst}" if lost[worst] else None
