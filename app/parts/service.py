"""Parts of the Service page: the first lines that look again by themselves, and its sections."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st

from analytics.durations import format_duration
from analytics.outcomes.rows import OutcomeRow
from analytics.quality.rows import MetricRow
from analytics.scope import Scope
from analytics.service.burn import ObjectiveRow
from analytics.service.rows import ServiceRow, TailRow
from app.charts import service as charts
from app.charts import service_tables as tables
from app.formats import NONE, count, interval, number, percent
from app.glossary import explain, title
from app.headlines.service import moved, period_words, rate_short, service_verdict
from app.parts import empty, metrics, trail
from app.parts import service_words as words
from app.parts.ask import ask
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.notes import show_notes
from app.parts.plain import literal
from app.parts.table import table
from app.parts.teach import teach
from app.parts.tiles import Tile, tiles
from app.parts.view import View, window_words
from app.text import points, signed

LIVE = timedelta(days=1)
"""Logs that are older than this are finished, and need not be looked at again."""


def pause(view: View) -> timedelta | None:
    """How long until the page looks again: only while its window moves with the clock."""
    said = st.session_state.get("range")
    extent = view.bench.catalog.extent
    if said in {"all", "custom"} or view.scope.as_of is not None or extent is None:
        return None
    if view.project.clock == "logs" or datetime.now(UTC) - extent[1] > LIVE:
        return None
    start, end = view.scope.start, view.scope.end
    length = end - start if start is not None and end is not None else timedelta(days=90)
    return timedelta(seconds=30) if length <= timedelta(hours=1) else timedelta(minutes=5)


def before(scope: Scope) -> Scope | None:
    """The window of equal length before; None where the scope has an open end."""
    if scope.start is None or scope.end is None:
        return None
    return replace(scope, start=scope.start - (scope.end - scope.start), end=scope.start)


def first_lines(view: View) -> bool:
    """The sentence and the tiles of the one version; gives whether there is anything to draw below."""
    scope = view.of_version(view.version)
    now = _one(view, scope)
    earlier = before(scope) if _was_there(view) else None
    was = _one(view, earlier) if earlier is not None else None
    objectives = _objectives(view)
    headline(service_verdict(now, was, objectives, zone=view.zone))
    if now is None or not now.n:
        return False
    tiles(_tiles(view, now, was, objectives))
    return True


def _was_there(view: View) -> bool:
    """Whether the version served all through the window before: else there is nothing to compare with."""
    earlier, extent = before(view.scope), view.bench.catalog.extent
    if earlier is None or earlier.start is None or extent is None or earlier.start < extent[0] - LIVE:
        return False
    releases = [release for release in view.bench.catalog.releases if release.version == view.version]
    return not releases or view.project.instant(releases[0].timestamp) <= earlier.start


def _one(view: View, scope: Scope) -> ServiceRow | None:
    found = [row for row in ask(view, "service", scope) if row.version == view.version]
    return found[0] if found else None


def _objectives(view: View) -> list[ObjectiveRow]:
    if not view.project.objectives:
        return []
    found = ask(view, "objectives", view.of_version(view.version))
    return [row for row in found if row.version == view.version]


def _tiles(view: View, now: ServiceRow, was: ServiceRow | None, objectives: list[ObjectiveRow]) -> list[Tile]:
    periods = [row for row in objectives if row.pair == "period" and row.budget_left is not None]
    low, high = now.request_rate_ci_low, now.request_rate_ci_high
    limits = f"{rate_short(low)} to {rate_short(high)}" if low is not None and high is not None else ""
    found = [
        _tile(view, now, was, "request_rate", words.REQUESTS, rate_short(now.request_rate or 0.0), limits=limits),
        _tile(
            view, now, was, "error_rate", words.ERRORS, percent(now.error_rate),
            limits=interval(now.error_rate_ci_low, now.error_rate_ci_high, share=True),
        ),
        _tile(
            view, now, was, "latency_p95", words.P95, number(now.latency_p95),
            limits=_limits(now.latency_p95_ci_low, now.latency_p95_ci_high),
        ),
    ]  # fmt: skip
    if not periods:
        ends = _limits(now.latency_p99_ci_low, now.latency_p99_ci_high)
        return [*found, _tile(view, now, was, "latency_p99", words.P99, number(now.latency_p99), limits=ends)]
    worst = min(periods, key=lambda row: row.budget_left or 0.0)
    period = view.project.objectives[worst.objective].period
    return [
        *found,
        Tile(
            literal(words.BUDGET.format(name=worst.objective)),
            percent(worst.budget_left),
            period_words(worst, period),
            reason=worst.reason,
        ),
    ]


def _undeclared(view: View, metric: str) -> str | None:
    """What the project would have to declare for this number to be known."""
    section = view.bench.catalog.predictions
    if metric.startswith("latency"):
        return words.NO_LATENCY if section.latency is None else None
    return words.NO_STATUS if metric == "error_rate" and not section.ok_status else None


def _tile(
    view: View, now: ServiceRow, was: ServiceRow | None, metric: str, label: str, value: str, *, limits: str
) -> Tile:
    known = getattr(now, metric) is not None
    base = getattr(was, metric) if was is not None else None
    change = moved(now, was, metric)
    compared = delta = None
    if base is not None:
        show = rate_short if metric == "request_rate" else percent if metric == "error_rate" else number
        compared = words.BEFORE.format(value=show(base))
        if change is not None and metric == "error_rate":
            delta = points(change.value)
        elif change is not None and base:
            delta = f"{signed(100 * change.value / base)}%"
    good = None if metric == "request_rate" or change is None or not change.sure else change.value < 0
    n = now.n_timed if metric.startswith("latency") else now.n
    return Tile(
        label, value, f"{limits} · n = {count(n)}", delta, compared, good,
        status="ok" if known else "undefined", reason=None if known else _undeclared(view, metric) or now.reason,
        help=title_of(metric),
    )  # fmt: skip


def title_of(metric: str) -> str:
    """What a number of the service is, in a sentence."""
    return explain(metric).definition


def _limits(low: float | None, high: float | None) -> str:
    if low is not None and high is None:
        return f"at least {number(low)}"
    return interval(low, high)


def over_time(view: View) -> None:
    """Requests, errors, latency, quality and series on one time axis."""
    version = view.version
    scope = view.over_time_of(version)
    found = ask(view, "service", scope)
    rows = [row for row in found if row.version == version]
    errors = [row for row in ask(view, "service_errors", scope) if row.version == version]
    shown = charts.Shown(rows, errors, _beside(view, scope), _series(view, scope))
    chart(
        "service_over_time",
        charts.service_over_time(shown, view.bench.catalog.releases, zone=view.zone),
        charts.service_alt(shown, zone=view.zone),
        key="service_over_time",
        behind=behind(view, found, "service", partial(tables.service_table, rows, zone=view.zone)),
        on_click=partial(_to_window, view),
    )
    show_notes(found.notes)


def _to_window(view: View, point: list[str | None]) -> None:
    """Open random rows of a window; a callback."""
    start, end, version = point
    if start is None or end is None:
        return
    moments = [datetime.fromisoformat(text) for text in (start, end)]
    chosen = {"version": [version]} if version is not None else {}
    trail.leave(
        "service", "examples", kind="random", **window_words(moments[0], moments[1], view.zone), **chosen
    )


def _beside(view: View, scope: Scope) -> list[MetricRow]:
    if not view.bench.catalog.has_labels:
        return []
    metric = choose("beside", words.BESIDE, metrics.main_metrics(view), shown=title)
    return [
        row
        for row in metrics.quality_for(view, metric, scope)
        if row.metric == metric and row.class_ is None and row.version == view.version
    ]


def _series(view: View, scope: Scope) -> list[OutcomeRow]:
    if view.project.series is None:
        return []
    names = ask(view, "series_names")
    if not names:
        return []
    chosen = st.multiselect(
        words.SERIES, names, default=names[:2], key="series", max_selections=words.MOST_SERIES
    )
    whole = replace(scope, versions=(), by=None, filters=())
    return list(ask(view, "series", whole, names=tuple(chosen))) if chosen else []


def objectives(view: View) -> None:
    """Budgets and burn rates of every objective."""
    if not view.project.objectives:
        teach("no_objectives", "no_objectives", example=words.OBJECTIVE_EXAMPLE)
        return
    found = ask(view, "objectives", view.of_version(view.version))
    rows = [row for row in found if row.version == view.version]
    frame = tables.objective_table(rows, zone=view.zone)
    header("objectives", "objectives", found.sql)
    table(frame, words.OBJECTIVES_ALT, key="objectives_table")
    csv_button(behind(view, found, "objectives", lambda: frame), "objectives")


def tail(view: View) -> None:
    """The units behind the slowest requests."""
    if view.predictions.latency is None or view.predictions.unit is None:
        st.info(words.TAIL_NEEDS)
        return
    found = ask(view, "tail", view.of_version(view.version))
    rows = [row for row in found if row.version == view.version]
    if not rows:
        st.info(words.TAIL_NONE)
        return
    st.markdown(literal(tail_sentence(rows[0])))
    frame = tables.tail_table(rows)
    header("tail", "tail", found.sql)
    table(frame, words.TAIL_ALT, key="tail_table")
    csv_button(behind(view, found, "tail", lambda: frame), "tail")
    first = rows[0]
    p = NONE if first.p_value is None else f"{first.p_value:.2g}"
    st.caption(
        words.TAIL_COUNTS.format(
            slow=count(first.n_all_slow), limit=number(first.slower_than), units_slow=count(first.n_units_slow),
            units=count(first.n_units), p=p,
        )
    )  # fmt: skip


def tail_sentence(row: TailRow) -> str:
    """Whether few units carry the tail."""
    words_of = {True: words.TAIL_FEW, False: words.TAIL_MANY, None: words.TAIL_UNKNOWN}
    return words_of[row.carried].format(share=percent(row.few_share), expected=percent(row.few_expected))


def assertions(view: View) -> None:
    """What is always expected, and the rows that break it."""
    if not view.project.assertions:
        teach("no_assertions", "no_assertions", example=words.ASSERTION_EXAMPLE)
        return
    found = ask(view, "assertions")
    rows = sorted(found, key=lambda row: -(row.value or 0.0))
    frame = tables.assertion_table(rows, zone=view.zone)
    header("assertions", "assertions", found.sql)
    table(frame, words.ASSERTIONS_ALT, key="assertions_table")
    csv_button(behind(view, found, "assertions", lambda: frame), "assertions")
    broken = list(dict.fromkeys(row.assertion for row in rows if row.n_broken))
    if not broken:
        st.caption(words.NONE_BROKEN)
        return
    name = choose("assertion", words.CHOOSE_ASSERTION, broken)
    examples = ask(view, "broken", names=(name,), k=20)
    table(tables.broken_table(examples, zone=view.zone), words.BROKEN_ALT, key="broken_table")


def nothing(view: View) -> None:
    """No request in the window."""
    empty.nothing(view, "service")


def again(view: View) -> str | None:
    """That the page looks again, in words."""
    length = pause(view)
    return None if length is None else words.REFRESHES.format(pause=format_duration(length))
