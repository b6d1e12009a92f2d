"""Metrics of the project over time, outside experiments: every metric of every window, with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from analytics.aggregates.keys import CellKey
from analytics.aggregates.metric_cells import read_metric_cells
from analytics.aggregates.metric_memory import Cells
from analytics.aggregates.metric_rows import RowSource, can_filter, extent_of, splits_by
from analytics.aggregates.model_rows import OF_LABELS
from analytics.aggregates.readings import Wanted
from analytics.aggregates.series_cells import SeriesMetric, read_series, series_extent, series_names
from analytics.ask.labels import Maturity, maturity_of
from analytics.ask.windows import in_order, resolve, versions_of
from analytics.errors import ProjectError, ScopeError
from analytics.outcomes.estimate import Asked, Outcome, nothing, outcome, reached, spread_of
from analytics.outcomes.rows import OutcomeRow
from analytics.outcomes.series import noise, series_outcome
from analytics.project import Metric, MetricSource
from analytics.results import Results
from analytics.scope import Grain, Scope, Window, cut
from analytics.telemetry.catalog import Catalog

LONG: tuple[Grain, ...] = ("month", "all")
"""Windows that can hold so many days that their spread is known."""
SHORTER = {"5min", "15min", "hour"}


def outcomes_of(catalog: Catalog, scope: Scope, names: Iterable[str] = ()) -> Results[OutcomeRow]:
    """One row per window, metric, version (of predictions) and segment value; empty windows too.

    Args:
        catalog: the project's views.
        scope: the question.
        names: only these metrics; all that are declared where left out.

    Raises:
        ProjectError: no metric is declared, or one cannot be computed.
        ScopeError: a metric of this name is not declared.
    """
    zone = catalog.project.zone
    metrics = _chosen(catalog, names)
    scope = filled(catalog, scope, metrics)
    if scope.start is None:
        return Results((), zone, notes=("The logs hold no row that a metric is made of.",))
    scope, windows = resolve(catalog, scope)
    rows: list[OutcomeRow] = []
    texts: list[str] = []
    notes: list[str] = []
    by_source: dict[MetricSource, list[Wanted]] = {}
    for name, metric in metrics.items():
        source = catalog.project.source_of(metric)
        by_source.setdefault(source, []).append(Wanted(name, metric, source))
    found: dict[str, list[OutcomeRow]] = {}
    for source, wanted in by_source.items():
        part = _Part(catalog, scope, windows, source)
        if source == "series":
            answers, text = part.of_series(wanted)
        elif source == "counts":
            answers, text = part.without(wanted, "counts of whole arms have no time"), ""
        else:
            answers, text, said = part.of_units(wanted)
            notes += said
        found |= answers
        texts += [text] if text else []
    for name in metrics:
        rows += found.get(name, [])
    return Results(tuple(rows), zone, tuple(texts), tuple(notes))


def series_of(catalog: Catalog, scope: Scope, names: Iterable[str] = ()) -> Results[OutcomeRow]:
    """Logged series as they are, by window: CPU, memory and the like, without a metric declared for them.

    Args:
        catalog: the project's views.
        scope: the question; versions, segments and filters mean nothing to a series.
        names: of the series; all that are logged where left out.
    """
    zone = catalog.project.zone
    wanted = [
        Wanted(name, Metric(kind="mean", source="series", series=name), "series")
        for name in names or series_names(catalog)
    ]
    scope = filled(catalog, scope, {each.name: each.metric for each in wanted})
    if scope.start is None or not wanted:
        return Results((), zone, notes=("The logs hold no reading of a series.",))
    scope, windows = resolve(catalog, scope)
    answers, text = _Part(catalog, scope, windows, "series").of_series(wanted)
    return Results(tuple(row for each in wanted for row in answers[each.name]), zone, (text,))


def _chosen(catalog: Catalog, names: Iterable[str]) -> dict[str, Metric]:
    project = catalog.project
    if not project.metrics:
        raise ProjectError(f"{project.file}: metrics: this needs a [metrics.NAME] section, and there is none")
    wanted = tuple(names)
    for name in wanted:
        if name not in project.metrics:
            raise ScopeError(f'metric "{name}" is not declared; known: {", ".join(project.metrics)}')
    return {name: metric for name, metric in project.metrics.items() if not wanted or name in wanted}


def filled(catalog: Catalog, scope: Scope, metrics: dict[str, Metric]) -> Scope:
    """The scope with open ends filled from all the logs that these metrics are made of."""
    if scope.start is not None and scope.end is not None:
        return scope
    extents = []
    for source in dict.fromkeys(catalog.project.source_of(metric) for metric in metrics.values()):
        if source == "series":
            extents.append(series_extent(catalog))
        elif source in {"events", "predictions", "units"}:
            extents.append(extent_of(catalog, source))
    known = [extent for extent in extents if extent is not None]
    if not known:
        return scope
    zone = catalog.project.zone
    first = min(first for first, _ in known).astimezone(zone).date()
    last = max(last for _, last in known).astimezone(zone).date()
    start = scope.start or datetime.combine(first, time(), zone).astimezone(UTC)
    end = scope.end or datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
    if start >= end:
        raise ScopeError(
            f"no data in the window: the logs run from {first.isoformat()} to {last.isoformat()} ({zone.key})"
        )
    return replace(scope, start=start, end=end)


@dataclass(frozen=True)
class _Part:
    """The metrics of one source."""

    catalog: Catalog
    scope: Scope
    windows: tuple[Window, ...]
    source: MetricSource

    def of_units(self, wanted: Sequence[Wanted]) -> tuple[dict[str, list[OutcomeRow]], str, list[str]]:
        source: RowSource = self.source  # type: ignore[assignment]
        refusal = self._refusal(source)
        if refusal is not None:
            return self.without(wanted, refusal), "", []
        cells, text = read_metric_cells(
            self.catalog, self.scope, source, wanted, blocks=self.scope.grain in LONG
        )
        maturity = maturity_of(self.catalog, self.scope) if source == "predictions" else None
        return (
            {each.name: self._rows(each, cells[each.name], maturity) for each in wanted},
            text,
            _left(wanted, cells),
        )

    def without(self, wanted: Sequence[Wanted], reason: str) -> dict[str, list[OutcomeRow]]:
        """No value in any window, and why."""
        found = nothing("undefined", reason)
        return {
            each.name: [self._row(each, window, (None, None), found) for window in self.windows]
            for each in wanted
        }

    def _refusal(self, source: RowSource) -> str | None:
        scope, section = self.scope, self.catalog.project.units
        if source == "units" and (section is None or section.timestamp is None):
            return "the table of units has no time: name [units].timestamp to draw its metrics over time"
        if scope.by is not None and scope.by not in splits_by(self.catalog, source):
            return f"{source} cannot be split by {scope.by}: name it under [units].segments"
        other = [
            condition.text for condition in scope.filters if not can_filter(self.catalog, source, condition)
        ]
        return f"{source} cannot be cut by {other[0]}: name it under [units].segments" if other else None

    def _rows(self, wanted: Wanted, cells: Cells, maturity: Maturity | None) -> list[OutcomeRow]:
        versions = versions_of(self.catalog, self.scope) if self.source == "predictions" else (None,)
        values = (
            in_order(key.segment for key in cells if key.segment is not None) if self.scope.by else (None,)
        )
        metric = wanted.metric
        asked = Asked(
            metric.kind, self.scope.confidence, self._clustered, metric.quantile, spread_of(cells.values())
        )
        rows = []
        for window in self.windows:
            early = self._immature(wanted, window, maturity)
            for version in versions:
                for value in values or (None,):
                    cell = cells.get(CellKey(window.key, version, value))
                    found = _undefined(metric) or outcome(cell, asked)
                    if early is not None and found.status == "ok":
                        found = replace(found, status="immature", reason=early)
                    sizes = (cell.n_units, cell.n_rows, cell.n_left) if cell is not None else (0, 0, 0)
                    rows.append(self._row(wanted, window, (version, value), found, sizes))
        return rows

    @property
    def _clustered(self) -> bool:
        section = self.catalog.project.units
        return section is not None and section.cluster is not None

    def _immature(self, wanted: Wanted, window: Window, maturity: Maturity | None) -> str | None:
        as_of = self.scope.as_of
        if as_of is not None and as_of < window.end:
            return "the window was not over yet"
        grows = wanted.metric.kind not in {"ratio", "quantile"} and self.source != "units"
        if grows and (short := self._shortened(window)):
            return short
        if wanted.metric.model in OF_LABELS and maturity is not None:
            return maturity.reason(window.end)
        return None

    def _shortened(self, window: Window) -> str | None:
        """Why a sum per unit cannot be compared with the other windows', where one was cut short."""
        grain, zone = self.scope.grain, self.catalog.project.zone
        if grain not in {"week", "month"}:
            return None
        around = timedelta(days=32)
        whole = next(
            other
            for other in cut(window.start - around, window.end + around, grain, zone)
            if other.key == window.key
        )
        if whole.start == window.start and whole.end == window.end:
            return None
        days, of = (
            round((end - start) / timedelta(days=1))
            for start, end in ((window.start, window.end), (whole.start, whole.end))
        )
        return f"{days} of the {of} days of this {grain} only: what a unit comes to grows with the days"

    def of_series(self, wanted: Sequence[Wanted]) -> tuple[dict[str, list[OutcomeRow]], str]:
        """The mean of every window's readings, with the scatter of days (or hours) like it."""
        scope = self.scope
        known = series_names(self.catalog)
        for metric, series in ((each.name, each.metric.series) for each in wanted):
            if series is not None and series not in known:
                raise ProjectError(
                    f'{self.catalog.project.file}: metrics.{metric}.series: no reading is called "{series}"; '
                    f"logged: {', '.join(known) or 'none'}"
                )
        step: Grain = "hour" if scope.grain in SHORTER else "day"
        apart = timedelta(days=1) if step == "hour" else timedelta(days=7)
        windows, steps, text = read_series(
            self.catalog,
            scope,
            [SeriesMetric(each.name, each.metric.series, each.metric.value) for each in wanted],
            step,
        )
        refusal = None
        if scope.by is not None or scope.filters:
            refusal = "a series belongs to nobody, so it can be neither split nor cut by a segment"
        answers: dict[str, list[OutcomeRow]] = {}
        for each in wanted:
            scatter = noise(steps[each.name], apart)
            rows = []
            for window in self.windows:
                cell = windows[each.name].get(window.key)
                found = (
                    nothing("undefined", refusal)
                    if refusal is not None
                    else series_outcome(cell, scatter, scope.confidence)
                )
                if scope.as_of is not None and scope.as_of < window.end and found.status == "ok":
                    found = replace(found, status="immature", reason="the window was not over yet")
                n = cell.n if cell is not None else 0
                rows.append(self._row(each, window, (None, None), found, (n, n, 0)))
            answers[each.name] = rows
        return answers, text

    def _row(
        self,
        wanted: Wanted,
        window: Window,
        place: tuple[str | None, str | None],
        found: Outcome,
        sizes: tuple[int, int, int] = (0, 0, 0),
    ) -> OutcomeRow:
        metric, scope = wanted.metric, self.scope
        return OutcomeRow(
            window.start, window.end, wanted.name, metric.kind, str(self.source), metric.direction, place[0], scope.by,
            place[1], found.value, found.ci_low, found.ci_high, *sizes, metric.target,
            reached(found, metric.target, metric.direction), found.independence, found.status, found.reason,
        )  # fmt: skip


def _undefined(metric: Metric) -> Outcome | None:
    if metric.kind != "retention":
        return None
    return nothing(
        "undefined",
        "a retention is counted from a unit's first exposure, and outside experiments there is none",
    )


def _left(wanted: Sequence[Wanted], cells: dict[str, Cells]) -> list[str]:
    """What was left out, in words."""
    notes = []
    for each in wanted:
        left = sum(cell.n_left for cell in cells[each.name].values())
        if left:
            notes.append(f"{each.name}: {left:,} rows without a usable value are left out")
    return notes
