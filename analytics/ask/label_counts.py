"""How many labels there are, how many to expect by now, and how late they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arrival_parts import coverage_parts, coverage_units, is_fine, read_followed
from analytics.aggregates.arrivals import (
    COVERAGE,
    COVERAGE_TOGETHER,
    UNSTRATIFIED,
    Arrivals,
    Delays,
    followed_sql,
    inside,
    read_arrivals,
    read_delays,
)
from analytics.aggregates.followed import arrivals_of, delays_of_groups
from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import RowMoments, read_row_moments
from analytics.aggregates.unit_groups import read_group_sums
from analytics.ask.labels import Maturity, known, maturity_of, outages_of
from analytics.ask.windows import resolve, versions_of
from analytics.engines.text import Sql
from analytics.labels.coverage import judged, quantile_limits, share_limits, shortfall
from analytics.labels.learn import LEAST_ROWS, History, ages_of, expected, history_of, learn
from analytics.labels.rows import LabelDelayRow, LabelRow
from analytics.measures.estimate import ratio
from analytics.results import Results
from analytics.scope import Scope, Window
from analytics.stats.arrivals import EDGES, ArrivalCurve, follow_up, kaplan_meier
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

NO_LABELS = "the project declares no labels"
NO_ROWS = "no rows in this window"
NOT_LEARNED = f"under {LEAST_ROWS} earlier predictions to learn from"


def labels_of(catalog: Catalog, scope: Scope) -> Results[LabelRow]:
    """Coverage, expected coverage and delay of every window and version; empty windows too."""
    zone = catalog.project.zone
    scope, windows = resolve(catalog, replace(scope, by=None))
    if not windows:
        return Results((), zone, notes=("The logs hold no prediction.",))
    versions = versions_of(catalog, scope)
    if not catalog.has_labels:
        return _without_labels(catalog, windows, versions)
    known_at = known(scope)
    reading = _from_parts(catalog, scope, known_at) or _from_rows(catalog, scope, known_at)
    found: list[LabelRow] = []
    for version in versions:
        found += judged([reading.row(window, version) for window in windows])
    order = {window.start: place for place, window in enumerate(windows)}
    found.sort(key=lambda row: (order[row.window_start], versions.index(row.version)))
    return Results(tuple(found), zone, (reading.sql, reading.arrivals.sql), notes_of(catalog))


def _from_rows(catalog: Catalog, scope: Scope, known_at: datetime) -> _Reading:
    source = followed_of(catalog, scope, known_at)
    with catalog.engine.kept(source) as kept:
        moments, sql = read_row_moments(catalog, inside(kept), COVERAGE, COVERAGE_TOGETHER)
        now, history = (read_arrivals(catalog, kept, learn=learn) for learn in (False, True))
        delays = read_delays(catalog, kept)
    sql, text = (one.replace(kept.text, source.text) for one in (sql, now.sql))
    return _Reading(
        scope, catalog.project.zone, moments, replace(now, sql=text), delays, history_of(history),
        maturity_of(catalog, scope), _always(catalog), sql,
    )  # fmt: skip


def _from_parts(catalog: Catalog, scope: Scope, known_at: datetime) -> _Reading | None:
    """The same from stored parts: ages to the day before the newest week, and delays inside bins of 3 to 6 %."""
    stored = read_followed(catalog, scope, known_at, earlier=True)
    if stored is None:
        return None
    followed, text = stored
    rows = scoped_rows(catalog, replace(scope, versions=()), now=known_at)
    kept = coverage_parts(catalog, "5min" if is_fine(scope) else "day")
    groups = None if is_fine(scope) else read_group_sums(catalog, rows, coverage_units())
    moments, sql = read_row_moments(catalog, rows, COVERAGE, COVERAGE_TOGETHER, stored=kept, groups=groups)
    section = catalog.project.labels
    after = section.absent_after if section is not None else None
    now = arrivals_of(followed, known_at, learn=False, absent_after=after, sql=text)
    history = arrivals_of(followed, known_at, learn=True, outages=outages_of(catalog))
    return _Reading(
        scope, catalog.project.zone, moments, now, delays_of_groups(followed, known_at), history_of(history),
        maturity_of(catalog, scope), _always(catalog), sql,
    )  # fmt: skip


def notes_of(catalog: Catalog) -> tuple[str, ...]:
    """What the reader must know of the labels as a whole."""
    predictions = catalog.predictions
    if not catalog.has_labels:
        return (NO_LABELS,)
    if not catalog.has_label_feed and predictions.label_timestamp is None:
        return ("Labels have no time of their own: they are taken as known at once.",)
    return ()


def _always(catalog: Catalog) -> bool:
    section = catalog.project.labels
    return section is not None and section.absent_after is not None


def _without_labels(
    catalog: Catalog, windows: Sequence[Window], versions: Sequence[str | None]
) -> Results[LabelRow]:
    rows = [
        replace(blank(window, version), status="undefined", reason=NO_LABELS)
        for window in windows
        for version in versions
    ]
    return Results(tuple(rows), catalog.project.zone, notes=notes_of(catalog))


def blank(window: Window, version: str | None) -> LabelRow:
    """A row of a window without predictions."""
    return LabelRow(
        window.start, window.end, version, 0, 0, None, None, None, None, None, None, None, None, 0, None,
        None, None, None, None, None, None, None, None, "no_data", NO_ROWS,
    )  # fmt: skip


def followed_of(
    catalog: Catalog, scope: Scope, known_at: datetime, *, earlier: bool = True, stratum: str = UNSTRATIFIED
) -> Sql:
    """The predictions of a scope, and all earlier ones that its filters admit, with how long they were followed."""
    wide = replace(scope, start=None, versions=()) if earlier else scope
    rows = scoped_rows(catalog, wide, now=known_at)
    return followed_sql(
        catalog, rows, known_at, start=scope.start, stratum=stratum, outages=outages_of(catalog)
    )


@dataclass(frozen=True)
class _Reading:
    """Everything read for the windows of a scope; ``always``: every prediction has a label in the end."""

    scope: Scope
    zone: ZoneInfo
    moments: dict[CellKey, RowMoments]
    arrivals: Arrivals
    delays: dict[CellKey, Delays]
    history: History
    maturity: Maturity
    always: bool
    sql: str

    def row(self, window: Window, version: str | None) -> LabelRow:
        """One window and version; the p-value is not corrected yet."""
        moments = self.moments.get(CellKey(window.key, version, None))
        if moments is None:
            return blank(window, version)
        row = replace(
            blank(window, version),
            n=moments.n,
            n_labelled=moments.count("labelled"),
            status="ok",
            reason=None,
        )
        if moments.total("rows") <= 0:
            return replace(row, status="undefined", reason="no row has a usable weight")
        estimate = ratio("label_coverage", moments, "labelled", "rows", family="share")
        low, high, independence = estimate.interval(self.scope.confidence)
        row = replace(row, coverage=estimate.value, ci_low=low, ci_high=high, independence=independence)
        row = self._delays(row, window, version)
        immature = self.maturity.reason(window.end)
        if immature is not None:
            row = replace(row, status="immature", reason=immature)
        learned = learn(self.history, version, window.start.astimezone(self.zone).replace(tzinfo=None))
        wanted = expected(learned.curve, *ages_of(self.arrivals, window.key, version)) if learned else None
        if learned is None or wanted is None or learned.n < LEAST_ROWS:
            return replace(row, reason=row.reason or NOT_LEARNED)
        limits = share_limits(wanted, learned.curve.n, self.scope.confidence)
        ever = 1.0 if self.always else learned.curve.plateau
        return replace(
            row,
            expected_coverage=limits.value,
            expected_ci_low=limits.low,
            expected_ci_high=limits.high,
            arrived_share=min(limits.value / ever, 1.0) if ever > 0 else None,
            n_learned=learned.n,
            learned_from=learned.source,
            p_adjusted=shortfall(estimate, wanted, learned),
        )

    def _delays(self, row: LabelRow, window: Window, version: str | None) -> LabelRow:
        delays = self.delays.get(CellKey(window.key, version, None))
        if delays is None:
            return row
        curve = self._came(window, version)
        middle = quantile_limits(curve, delays.p50, 0.5, self.scope.confidence)
        late = quantile_limits(curve, delays.p95, 0.95, self.scope.confidence)
        return replace(
            row,
            delay_p50_seconds=delays.p50,
            delay_p50_ci_low=middle[0] if middle else None,
            delay_p50_ci_high=middle[1] if middle else None,
            delay_p95_seconds=delays.p95,
            delay_p95_ci_low=late[0] if late else None,
            delay_p95_ci_high=late[1] if late else None,
        )

    def _came(self, window: Window, version: str | None) -> ArrivalCurve | None:
        """The distribution of the delays of the window's labels that came, by day."""
        found = self.arrivals
        mine = (
            (found.window == found.windows.index(window.key))
            & (found.version == found.versions.index(version))
            & (found.delay >= 0)
        )
        days, day = np.unique(found.day[mine], return_inverse=True)
        whole = np.full(int(mine.sum()), len(EDGES) - 1)
        return kaplan_meier(follow_up(day, len(days), whole, found.delay[mine], found.n[mine], found.n[mine]))


def label_delay_of(catalog: Catalog, scope: Scope) -> Results[LabelDelayRow]:
    """The curve of arrivals of each version, from the predictions of the scope."""
    zone = catalog.project.zone
    scope, windows = resolve(catalog, replace(scope, by=None, grain="all"))
    if not windows or not catalog.has_labels:
        return Results((), zone, notes=notes_of(catalog))
    known_at = known(scope)
    stored = read_followed(catalog, scope, known_at)
    if stored is not None:
        arrivals = arrivals_of(stored[0], known_at, learn=True, outages=outages_of(catalog), sql=stored[1])
    else:
        arrivals = read_arrivals(catalog, followed_of(catalog, scope, known_at, earlier=False), learn=True)
    history = history_of(arrivals)
    found: list[LabelDelayRow] = []
    notes = list(notes_of(catalog))
    for version in versions_of(catalog, scope):
        curve = kaplan_meier(history.by_version[version]) if version in history.by_version else None
        if curve is None:
            notes.append(f"{version or 'all rows'}: too few predictions were followed for a curve")
            continue
        n = int(history.rows[version].sum())
        found += _points(curve, history.by_version[version].at_risk.sum(axis=0), version, n, scope.confidence)
    return Results(tuple(found), zone, (arrivals.sql,), tuple(notes))


def _points(
    curve: ArrivalCurve, at_risk: NDArray[np.float64], version: str | None, n: int, confidence: float
) -> list[LabelDelayRow]:
    """The edges at which the curve moves, and its end."""
    moves = np.flatnonzero(np.diff(curve.share[: curve.last + 1]) > 0) + 1
    first = max(int(moves[0]) - 1, 0) if len(moves) else 0
    points = []
    for edge in sorted({first, *moves.tolist(), curve.last}):
        limits = share_limits(curve.at(edge), curve.n, confidence)
        of_ever = limits.value / curve.plateau if curve.plateau > 0 else None
        left = int(at_risk[max(edge - 1, 0)])
        rest = np.zeros(len(EDGES))
        rest[curve.last] += 1.0
        rest[edge] -= 1.0
        later = share_limits(curve.combine(rest), curve.n, confidence)
        points.append(
            LabelDelayRow(
                version, float(EDGES[edge]), limits.value, limits.low, limits.high, of_ever, later.value, later.low,
                later.high, n, left, limits.independence, "ok", None,
            )
        )  # fmt: skip
    return points
