"""Is the label feed alive and consistent: silence, contradictions, sources, and who gets a label at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates import label_feed as feed
from analytics.aggregates.arrival_parts import read_followed, whole_logs
from analytics.aggregates.arrivals import (
    COVERAGE,
    COVERAGE_TOGETHER,
    Arrivals,
    Delays,
    delays_of,
    followed_sql,
    read_arrivals,
)
from analytics.aggregates.followed import Followed, arrivals_of, early_late_moments
from analytics.aggregates.keys import CellKey
from analytics.aggregates.label_groups import (
    By,
    early_late_rows,
    early_late_statistics,
    grouped_rows,
    score_of,
    stored_groups,
)
from analytics.aggregates.moments import RowMoments, read_row_moments
from analytics.ask.label_counts import NO_LABELS, notes_of
from analytics.ask.labels import known, maturity_of, outages_of
from analytics.ask.windows import in_order, resolve, versions_of
from analytics.engines.text import literal
from analytics.labels.coverage import LEAST_GROUP, against_the_rest
from analytics.labels.feed import ALPHA, CHANGED, delay_change, has_stopped, silence, usual_silence
from analytics.labels.learn import history_of
from analytics.labels.rows import LabelChangeRow, LabelCoverageRow, LabelFeedRow, LabelSourceRow
from analytics.measures.estimate import Estimate, of_moments, ratio
from analytics.results import Results
from analytics.scope import Scope, Window
from analytics.stats.arrivals import EDGES, kaplan_meier
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

NO_FEED = "labels are columns of the predictions: earlier values and sources are not logged"
NO_SOURCES = "the project names no column that says who gave a label"
MOST_SOURCES = 20


def label_coverage_of(catalog: Catalog, scope: Scope) -> Results[LabelCoverageRow]:
    """The share of predictions with a label by decision and by score, of those old enough to have one."""
    zone = catalog.project.zone
    scope, windows = resolve(catalog, replace(scope, by=None, grain="all"))
    if not windows or not catalog.has_labels:
        return Results((), zone, notes=notes_of(catalog))
    known_at, usual = known(scope), maturity_of(catalog, scope).delay
    until = known_at - usual if usual is not None else None
    rows = scoped_rows(catalog, scope, now=known_at)
    kinds: list[By] = ["score"] if catalog.predictions.task == "regression" else ["decision", "score"]
    stored = _stored_groups(catalog, scope, until, known_at, kinds)
    found: list[LabelCoverageRow] = []
    texts: list[str] = []
    for kind in kinds:
        if stored is not None:
            moments, sql = stored[0][kind], stored[1]
        else:
            grouped = grouped_rows(catalog, rows, kind, until, score_of(catalog))
            moments, sql = read_row_moments(catalog, grouped, COVERAGE, COVERAGE_TOGETHER)
        texts += [sql] if sql not in texts else []
        for version in versions_of(catalog, scope):
            found += _groups(moments, version, kind, scope.confidence)
    note = "Only predictions old enough for 95 % of their labels are counted." if usual else ""
    return Results(tuple(found), zone, tuple(texts), tuple(filter(None, (*notes_of(catalog), note))))


def _stored_groups(
    catalog: Catalog, scope: Scope, until: datetime | None, known_at: datetime, kinds: Sequence[By]
) -> tuple[dict[By, dict[CellKey, RowMoments]], str] | None:
    if until is not None and scope.end is not None and until < scope.end:
        if scope.start is not None and until <= scope.start:
            return None
        scope = replace(scope, end=until)
    return stored_groups(catalog, scoped_rows(catalog, scope, now=known_at), kinds)


def _groups(
    moments: dict[CellKey, RowMoments], version: str | None, kind: By, confidence: float
) -> list[LabelCoverageRow]:
    mine = {key.segment: one for key, one in moments.items() if key.version == version and key.segment}
    rows, variances = [], []
    for name in in_order(str(name) for name in mine):
        one = mine[name]
        row = LabelCoverageRow(
            version, kind, name, one.n, one.count("labelled"), None, None, None, None, None, None, None,
            "too_few", f"under {LEAST_GROUP} rows",
        )  # fmt: skip
        variance = None
        if one.total("rows") > 0 and one.n >= LEAST_GROUP:
            estimate = ratio("label_coverage", one, "labelled", "rows", family="share")
            low, high, independence = estimate.interval(confidence)
            variance = estimate.chosen().variance
            row = replace(
                row, coverage=estimate.value, ci_low=low, ci_high=high, independence=independence,
                status="ok", reason=None,
            )  # fmt: skip
        rows.append(row)
        variances.append(variance)
    return against_the_rest(rows, variances)


def label_changes_of(catalog: Catalog, scope: Scope) -> Results[LabelChangeRow]:
    """Reports that contradict an earlier one, by the window in which they came and by version."""
    zone = catalog.project.zone
    scope, windows = resolve(catalog, replace(scope, by=None))
    if not windows:
        return Results((), zone, notes=notes_of(catalog))
    versions = versions_of(catalog, scope)
    if not catalog.has_label_feed:
        reason = NO_FEED if catalog.has_labels else NO_LABELS
        rows = tuple(_no_change(window, version, reason) for window in windows for version in versions)
        return Results(rows, zone, notes=(reason,))
    known_at = known(scope)
    # whatever was predicted before may be relabelled now
    predictions = scoped_rows(catalog, replace(scope, start=None, end=None, grain="all"), now=known_at)
    reports = feed.change_rows(catalog, feed.reports_sql(catalog, predictions, known_at), scope)
    numeric = catalog.predictions.task != "multiclass"
    statistics = (*feed.CHANGES, feed.CHANGED_BY) if numeric else feed.CHANGES
    together = (
        (*feed.CHANGES_TOGETHER, ("contradictions", "changed_by")) if numeric else feed.CHANGES_TOGETHER
    )
    moments, sql = read_row_moments(catalog, reports, statistics, together)
    answer = tuple(
        _change(window, version, moments.get(CellKey(window.key, version, None)), scope.confidence)
        for window in windows
        for version in versions
    )
    return Results(answer, zone, (sql,))


def _no_change(window: Window, version: str | None, reason: str) -> LabelChangeRow:
    return LabelChangeRow(
        window.start, window.end, version, 0, 0, 0, None, None, None, None, None, "undefined", reason
    )


def _change(
    window: Window, version: str | None, moments: RowMoments | None, confidence: float
) -> LabelChangeRow:
    if moments is None or moments.total("reports") <= 0:
        blank = _no_change(window, version, "no label came in this window")
        return replace(blank, status="no_data")
    estimate = ratio("label_contradictions", moments, "contradictions", "reports", family="share")
    low, high, independence = estimate.interval(confidence)
    changed = moments.count("contradictions")
    mean = None
    if "changed_by" in moments.names and moments.total("contradictions") > 0:
        mean = moments.total("changed_by") / moments.total("contradictions")
    return LabelChangeRow(
        window.start, window.end, version, moments.n, moments.count("repeats"), changed, estimate.value, low, high,
        mean, independence, "ok", None,
    )  # fmt: skip


def label_sources_of(catalog: Catalog, scope: Scope) -> Results[LabelSourceRow]:
    """Every source of labels against the most trusted one, by version."""
    zone = catalog.project.zone
    scope, windows = resolve(catalog, replace(scope, by=None, grain="all"))
    section = catalog.project.labels
    if not windows or section is None or section.source is None:
        notes = notes_of(catalog) if not catalog.has_labels else (NO_SOURCES,)
        return Results((), zone, notes=notes)
    known_at = known(scope)
    there = feed.read_sources(catalog, known_at)
    trusted = next((name for name in section.sources if name in there), there[0] if there else None)
    if trusted is None:
        return Results((), zone, notes=("No label has come yet.",))
    order = [name for name in section.sources if name in there]
    names = [*order, *(name for name in there if name not in order)][:MOST_SOURCES]
    classes = _class_literals(catalog)
    numeric = catalog.predictions.task != "multiclass"
    statistics = feed.agreement_statistics(classes, numeric=numeric)
    everything = tuple(statistic.name for statistic in statistics)
    with catalog.engine.kept(
        feed.source_rows(catalog, scoped_rows(catalog, scope, now=known_at), known_at)
    ) as sources:
        delays = delays_of(catalog, sources)
        moments, sql = read_row_moments(
            catalog, feed.paired_rows(sources, trusted), statistics, (everything,)
        )
    window = windows[0].key
    rows = [
        _source(
            name, trusted, version, delays.get(CellKey(window, version, name)),
            moments.get(CellKey(window, version, name)), len(classes), scope.confidence,
        )
        for version in versions_of(catalog, scope)
        for name in names
    ]  # fmt: skip
    return Results(tuple(rows), zone, (sql,), _left_out(there, names))


def _left_out(there: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    more = len(there) - len(names)
    return (f"{more} more sources are not compared.",) if more > 0 else ()


def _class_literals(catalog: Catalog) -> tuple[str, ...]:
    match catalog.predictions.task:
        case "binary":
            return ("0", "1")
        case "multiclass":
            return tuple(literal(name) for name in catalog.predictions.classes)
        case "regression":
            return ()


def _source(  # noqa: PLR0917  # one argument a reading
    name: str,
    trusted: str,
    version: str | None,
    delays: Delays | None,
    pairs: RowMoments | None,
    classes: int,
    confidence: float,
) -> LabelSourceRow:
    row = LabelSourceRow(
        version, name, trusted if name != trusted else None, delays.n if delays else 0, pairs.n if pairs else 0,
        *(None,) * 9, delays.p50 if delays else None, delays.p95 if delays else None, None, "ok", None,
    )  # fmt: skip
    if name == trusted:
        return replace(row, reason="the most trusted source: the others are compared with it")
    if pairs is None or pairs.total("pairs") <= 0:
        return replace(row, status="no_data", reason="no prediction has a label of both sources")
    if pairs.n < LEAST_GROUP:
        return replace(row, status="too_few", reason=f"under {LEAST_GROUP} predictions have a label of both")
    estimates = {
        "agreement": ratio("agreement", pairs, "agree", "pairs", family="share") if classes else None,
        "kappa": _kappa(pairs, classes) if classes else None,
        "mean_difference": ratio("mean_difference", pairs, "gap", "pairs") if "gap" in pairs.names else None,
    }
    found = {name: one for name, one in estimates.items() if one is not None and one.value is not None}
    limits = {name: one.interval(confidence) for name, one in found.items()}
    values = {name: one.value for name, one in found.items()}
    values |= {f"{name}_ci_low": limit[0] for name, limit in limits.items()}
    values |= {f"{name}_ci_high": limit[1] for name, limit in limits.items()}
    first = next(iter(limits.values()))
    reason = (
        None if "kappa" in found or not classes else "kappa is not defined: both sources know one class only"
    )
    return replace(row, **values, independence=first[2], reason=reason)  # type: ignore[arg-type]


def _kappa(pairs: RowMoments, classes: int) -> Estimate | None:
    """Cohen's kappa, smooth in the sums; None where both sources say the same one class throughout."""
    n = pairs.total("pairs")
    agree = pairs.total("agree") / n
    mine = np.array([pairs.total(f"label_{k}") for k in range(classes)]) / n
    theirs = np.array([pairs.total(f"other_{k}") for k in range(classes)]) / n
    chance = float(mine @ theirs)
    if chance >= 1.0 - 1e-12:
        return None
    value = (agree - chance) / (1 - chance)
    by_chance = (agree - 1) / (1 - chance) ** 2
    gradient = {"agree": 1 / (n * (1 - chance))}
    gradient |= {f"label_{k}": by_chance * theirs[k] / n for k in range(classes)}
    gradient |= {f"other_{k}": by_chance * mine[k] / n for k in range(classes)}
    # the shares' denominator moves all of them
    gradient["pairs"] = -(agree / (1 - chance) + 2 * by_chance * chance) / n
    return of_moments("kappa", pairs, value, gradient, family="signed_share", size=n)


class _Heard(NamedTuple):
    """When a version's labels were last heard of, and how they came before that."""

    arrivals: Arrivals
    before: Arrivals


def label_feed_of(catalog: Catalog, scope: Scope) -> Results[LabelFeedRow]:
    """Whether each version's labels have stopped, contradict each other or take longer than they did."""
    zone = catalog.project.zone
    scope, windows = resolve(catalog, replace(scope, by=None, grain="all"))
    if not windows:
        return Results((), zone, notes=notes_of(catalog))
    versions = versions_of(catalog, scope)
    if not catalog.has_labels:
        return Results(tuple(_no_feed(version) for version in versions), zone, notes=notes_of(catalog))
    known_at = known(scope)
    # labels of all predictions count: the feed does not know which window is on screen
    wide = replace(scope, start=None, end=None)
    rows = scoped_rows(catalog, wide, now=known_at)
    every_day = scoped_rows(catalog, whole_logs(catalog, wide), now=known_at)
    reports = feed.stored_reports(catalog, every_day, known_at)
    if reports is None:
        reports = feed.read_reports(catalog, feed.reports_sql(catalog, rows, known_at))
    orphans = feed.count_orphans(catalog, known_at)
    stored = read_followed(catalog, wide, known_at)
    followed = stored[0] if stored is not None else None
    answer = [
        _feed_row(catalog, wide, version, reports.get(version), orphans, followed, known_at)
        for version in versions
    ]
    return Results(tuple(answer), zone, (rows.text,), notes_of(catalog))


def _no_feed(version: str | None) -> LabelFeedRow:
    return LabelFeedRow(version, 0, 0, 0, 0, 0, *(None,) * 18, "undefined", NO_LABELS)


def _feed_row(  # noqa: PLR0917  # one argument a reading
    catalog: Catalog,
    scope: Scope,
    version: str | None,
    reports: feed.Reports | None,
    orphans: int,
    followed: Followed | None,
    known_at: datetime,
) -> LabelFeedRow:
    row = replace(_no_feed(version), n_orphans=orphans, status="no_data", reason="no label has come")
    if reports is None or reports.last is None:
        return replace(row, n_future=reports.n_future if reports else 0)
    row = replace(
        row, n_reports=reports.n, n_early=reports.n_early, n_future=reports.n_future,
        n_contradictions=reports.n_contradictions, first=reports.first, last=reports.last, status="ok", reason=None,
        silent_seconds=max((known_at - reports.last) / timedelta(seconds=1), 0.0),
        usual_silence_seconds=usual_silence(reports.longest_by_day),
    )  # fmt: skip
    outages = (*outages_of(catalog), (reports.last, known_at + timedelta(seconds=1)))
    usual = maturity_of(catalog, scope).delay or timedelta()
    in_outage = any(start <= known_at < end for start, end in outages_of(catalog))
    if followed is not None and catalog.predictions.unit is None:
        own = followed.of(version)
        now, before = (arrivals_of(own, known_at, learn=learn, outages=outages) for learn in (False, True))
        row = _with_silence(row, _Heard(now, before), in_outage=in_outage)
        row = _with_change(row, _Heard(now, before), scope.confidence)
        if row.delay_p50_seconds is None or catalog.predictions.task == "multiclass":
            return row
        found = early_late_moments(own, known_at, row.delay_p50_seconds, usual / timedelta(seconds=1))
        return _with_late_labels(row, [found] if found is not None else [], scope.confidence)
    asked = replace(scope, versions=() if version is None else (version,))
    rows = scoped_rows(catalog, asked, now=known_at)
    with catalog.engine.kept(followed_sql(catalog, rows, known_at, outages=outages)) as kept:
        heard = _Heard(read_arrivals(catalog, kept, learn=False), read_arrivals(catalog, kept, learn=True))
        row = _with_silence(row, heard, in_outage=in_outage)
        row = _with_change(row, heard, scope.confidence)
        if row.delay_p50_seconds is not None and catalog.predictions.task != "multiclass":
            late = early_late_rows(kept, row.delay_p50_seconds, usual / timedelta(seconds=1))
            moments, _ = read_row_moments(
                catalog, late, early_late_statistics(numeric=True),
                (("early_rows", "early_labels", "late_rows", "late_labels"),),
            )  # fmt: skip
            row = _with_late_labels(row, list(moments.values()), scope.confidence)
    return row


def _with_silence(row: LabelFeedRow, heard: _Heard, *, in_outage: bool) -> LabelFeedRow:
    history = history_of(heard.before)
    counts = history.by_version.get(row.version)
    curve = kaplan_meier(counts) if counts is not None else None
    if curve is None or row.silent_seconds is None:
        return replace(row, reason="too few predictions to tell whether the feed is silent")
    waits = heard.arrivals.delay < 0
    waiting: NDArray[np.float64] = np.bincount(
        heard.arrivals.age[waits], heard.arrivals.n[waits], minlength=len(EDGES)
    ).astype(np.float64)
    found = silence(curve, waiting, row.silent_seconds)
    stopped = has_stopped(found, row.silent_seconds, row.usual_silence_seconds)
    reason = "the feed is in a declared outage" if in_outage else row.reason
    return replace(
        row, expected_since=found.expected, p_value=found.p_value, silent=stopped and not in_outage, reason=reason
    )  # fmt: skip


def _with_change(row: LabelFeedRow, heard: _Heard, confidence: float) -> LabelFeedRow:
    change = delay_change(history_of(heard.before), row.version, confidence)
    if change is None:
        return row
    return replace(
        row,
        delay_p50_seconds=change.middle,
        share_before=change.before,
        share_recent=change.recent,
        share_difference_ci_low=change.low,
        share_difference_ci_high=change.high,
        change_p_value=change.p_value,
        delay_changed=change.p_value < ALPHA and abs(change.recent - change.before) > CHANGED,
    )


def _with_late_labels(row: LabelFeedRow, cells: Sequence[RowMoments], confidence: float) -> LabelFeedRow:
    if not cells:
        return row
    one = cells[0]
    early, late = one.total("early_rows"), one.total("late_rows")
    if one.count("early_rows") < LEAST_GROUP or one.count("late_rows") < LEAST_GROUP:
        return row
    first, second = one.total("early_labels") / early, one.total("late_labels") / late
    gradient = {
        "early_rows": first / early, "early_labels": -1 / early, "late_rows": -second / late,
        "late_labels": 1 / late,
    }  # fmt: skip
    low, high, _ = of_moments("late_difference", one, second - first, gradient).interval(confidence)
    return replace(
        row, mean_label_early=first, mean_label_late=second, mean_label_difference_ci_low=low,
        mean_label_difference_ci_high=high,
    )  # fmt: skip
