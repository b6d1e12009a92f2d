"""What the label feed did: its reports, the gaps between them, contradictions, and sources side by side.

Everything here is read from label reports joined with the predictions of a scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, Standard, read_stored
from analytics.aggregates.keys import KEYS, column
from analytics.aggregates.moments import Statistic
from analytics.engines.text import Sql, literal
from analytics.scope import Grain, Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.remembered import remembered
from analytics.telemetry.rows import ScopedRows, block_key, window_key

Floats = NDArray[np.float64]
_INSTANT = "CAST(${} AS TIMESTAMP WITH TIME ZONE)"
NO_SOURCE = "(no source)"

CHANGES = (
    Statistic("reports", "1e0"),
    Statistic("repeats", "CASE WHEN place > 1 THEN 1e0 ELSE 0e0 END"),
    Statistic("contradictions", "CASE WHEN place > 1 AND label <> before THEN 1e0 ELSE 0e0 END"),
)
CHANGES_TOGETHER = (("reports", "repeats", "contradictions"),)
CHANGED_BY = Statistic(
    "changed_by",
    "CASE WHEN place > 1 AND label <> before THEN CAST(label AS DOUBLE) - CAST(before AS DOUBLE) ELSE 0e0 END",
)


@dataclass(frozen=True)
class Reports:
    """Counts of the reports about one version's predictions (all of the feed for ``n_orphans``)."""

    n: int
    n_early: int
    n_future: int
    n_contradictions: int
    first: datetime | None
    last: datetime | None
    longest_by_day: Floats
    """The longest silence that ended on each day with a label, in seconds."""


def reports_sql(catalog: Catalog, rows: Sql, known_at: datetime, source: str | None = None) -> Sql:
    """Every label report about scoped rows: keys of the row, then label, ts (of the report), source, place, before."""
    parameters = {**rows.parameters, "reports_until": known_at, "present": datetime.now(UTC)}
    mine = ""
    if source is not None:
        parameters["reports_source"] = source
        mine = f" WHERE coalesce(source, {literal(NO_SOURCE)}) = $reports_source"
    known = (
        f"l.ts <= {_INSTANT.format('reports_until')} AS known, l.ts > {_INSTANT.format('present')} AS future"
    )
    if not catalog.has_label_feed:
        text = (
            "SELECT version, segment, weight, unit, file, row, ts AS predicted, own_label AS label, "
            f"own_label_ts AS ts, own_label_ts <= {_INSTANT.format('reports_until')} AS known, "
            f"own_label_ts > {_INSTANT.format('present')} AS future, 1 AS place, "
            f"own_label AS before FROM ({rows.text}) WHERE own_label IS NOT NULL AND own_label_ts IS NOT NULL"
        )
        return Sql(text, parameters)
    order = "PARTITION BY l.id ORDER BY l.ts, l.file, l.row"
    text = (
        "SELECT r.version, r.segment, r.weight, r.unit, r.file, r.row, r.ts AS predicted, l.label, l.ts, "
        f"{known}, row_number() OVER ({order}) AS place, lag(l.label) OVER ({order}) AS before "
        f"FROM ({rows.text}) AS r JOIN (SELECT * FROM labels{mine}) AS l ON r.id = l.id"
    )
    return Sql(text, parameters)


def change_rows(catalog: Catalog, reports: Sql, scope: Scope) -> Sql:
    """Reports as rows of the windows in which they came, for `analytics.aggregates.moments.read_row_moments`."""
    zone, grain = catalog.project.time_zone, scope.grain
    parameters: dict[str, Any] = dict(reports.parameters)
    wanted = ["known"]
    for name, moment, sign in (("reports_from", scope.start, ">="), ("reports_to", scope.end, "<")):
        if moment is not None:
            parameters[name] = moment
            wanted.append(f"ts {sign} {_INSTANT.format(name)}")
    text = (
        f"SELECT {window_key(grain, zone)} AS window_key, "
        f"{block_key(catalog.predictions.block, grain, zone)} AS block_key, version, segment, weight, unit, file, "
        f"row, label, place, before FROM ({reports.text}) WHERE {' AND '.join(wanted)}"
    )
    return Sql(text, parameters)


def read_reports(catalog: Catalog, reports: Sql) -> dict[str | None, Reports]:
    """Count the reports of every version, and how long the feed was silent between them."""
    day: Grain = "day"
    by_day = (
        "SELECT version, day_key, count(*) FILTER (WHERE known) AS n, "
        "count(*) FILTER (WHERE known AND ts < predicted) AS early, count(*) FILTER (WHERE future) AS future, "
        "count(*) FILTER (WHERE known AND place > 1 AND label <> before) AS contradictions, "
        "min(ts) FILTER (WHERE known) AS first, max(ts) FILTER (WHERE known) AS last, "
        "max(gap) FILTER (WHERE known) AS gap FROM (SELECT *, "
        f"{window_key(day, catalog.project.time_zone)} AS day_key, "
        "CAST(epoch(ts) - epoch(lag(ts) OVER (PARTITION BY version ORDER BY ts)) AS DOUBLE) AS gap "
        f"FROM ({reports.text})) GROUP BY version, day_key ORDER BY version, day_key"
    )
    found: dict[str | None, list[dict[str, Any]]] = {}
    for row in catalog.engine.query(Sql(by_day, reports.parameters)).to_pylist():
        found.setdefault(row["version"], []).append(row)
    return {version: _reports(rows) for version, rows in found.items()}


def _reports(rows: Sequence[dict[str, Any]]) -> Reports:
    first = [row["first"].astimezone(UTC) for row in rows if row["first"] is not None]
    last = [row["last"].astimezone(UTC) for row in rows if row["last"] is not None]
    total = {name: sum(int(row[name]) for row in rows) for name in ("n", "early", "future", "contradictions")}
    return Reports(
        total["n"], total["early"], total["future"], total["contradictions"], min(first, default=None),
        max(last, default=None), np.array([row["gap"] for row in rows if row["gap"] is not None], dtype=float),
    )  # fmt: skip


QUARTER = 900
"""Seconds within which stored parts do not tell reports apart; a longer silence is known to the second."""


def report_parts() -> Additive:
    """The first reports about predictions by the quarter of an hour in which they came."""

    def query(rows: Sql) -> Sql:
        quarter = f"CAST(floor(epoch(first_label_ts) / {QUARTER}e0) AS BIGINT)"
        text = (
            f"SELECT {KEYS}, quarter, count(*) AS n, CAST(sum(early) AS BIGINT) AS n_early, "
            f"min(came) AS earliest, max(came) AS latest FROM (SELECT {KEYS}, {quarter} AS quarter, "
            "CASE WHEN first_label_ts < ts THEN 1 ELSE 0 END AS early, "
            f"CAST(epoch(first_label_ts) AS DOUBLE) AS came FROM ({rows.text}) WHERE first_label_ts IS NOT NULL) "
            f"GROUP BY {KEYS}, quarter"
        )
        return Sql(text, rows.parameters)

    return Additive("label reports", query, ("n", "n_early"), ("earliest",), ("latest",))


def standard_reports(catalog: Catalog) -> tuple[Standard, ...]:
    """What the Labels page asks of the feed."""
    return (Standard(report_parts()),) if catalog.has_labels else ()


def stored_reports(catalog: Catalog, rows: Sql, known_at: datetime) -> dict[str | None, Reports] | None:
    """`read_reports` from stored parts; None where there are none, or a report comes after the instant asked for.

    Args:
        catalog: the project's views.
        rows: scoped rows of one window.
        known_at: the instant.
    """
    stored = read_stored(catalog, rows, report_parts())
    if stored is None:
        return None
    tables = [stored[0]]
    if catalog.relabelled:
        scope = rows.scope if isinstance(rows, ScopedRows) else None
        if scope is None or scope.filters or scope.as_of is not None:
            return None
        tables.append(_later_reports(catalog))
    version, *numbers = _all_reports(tables)
    if len(version) and numbers[-1].max() > known_at.timestamp():
        return None
    found = {}
    for name in dict.fromkeys(version.tolist()):
        mine = np.array([one == name for one in version], dtype=np.bool_)
        quarter, n, early, changed, earliest, latest = (values[mine] for values in numbers)
        quarters, place = np.unique(quarter, return_inverse=True)
        first, last = np.full(len(quarters), np.inf), np.full(len(quarters), -np.inf)
        np.minimum.at(first, place, earliest)
        np.maximum.at(last, place, latest)
        found[name] = Reports(
            int(n.sum()), int(early.sum()), 0, int(changed.sum()), _instant(first[0]), _instant(last[-1]),
            _longest_by_day(catalog, first, last),
        )  # fmt: skip
    return found


def _all_reports(tables: Sequence[pa.Table]) -> tuple[NDArray[Any], ...]:
    """Version, quarter, reports, early ones, contradictions, first and last instant of every group."""
    version = np.array(
        [name for table in tables for name in table.column("version").to_pylist()], dtype=object
    )
    names = ("quarter", "n", "n_early", "n_changed", "earliest", "latest")
    none = {"n_changed": 0.0}  # of a first report, that nothing came before
    columns = (
        np.concatenate(
            [
                column(table, name) if name in table.column_names else np.full(table.num_rows, none[name])
                for table in tables
            ]
        )
        for name in names
    )
    return version, *columns


def _later_reports(catalog: Catalog) -> pa.Table:
    """Second and further reports about predictions, likewise; kept until a file of either feed changes."""
    text = (
        f"SELECT version, CAST(floor(came / {QUARTER}e0) AS BIGINT) AS quarter, count(*) AS n, "
        "CAST(sum(early) AS BIGINT) AS n_early, CAST(sum(changed) AS BIGINT) AS n_changed, min(came) AS earliest, "
        "max(came) AS latest FROM (SELECT r.version AS version, CAST(epoch(l.ts) AS DOUBLE) AS came, "
        "CASE WHEN l.ts < r.ts THEN 1 ELSE 0 END AS early, CASE WHEN l.label <> l.before THEN 1 ELSE 0 END AS changed "
        "FROM predictions AS r JOIN (SELECT id, ts, label, place, before FROM (SELECT id, ts, label, "
        "row_number() OVER (PARTITION BY id ORDER BY ts, file, row) AS place, "
        "lag(label) OVER (PARTITION BY id ORDER BY ts, file, row) AS before FROM labels) WHERE place > 1) AS l "
        "ON r.id = l.id) GROUP BY 1, 2"
    )
    return remembered(catalog, "later label reports", text, ("predictions", "labels"))


def _longest_by_day(catalog: Catalog, first: Floats, last: Floats) -> Floats:
    """The longest silence that ended on each local day; one within a quarter of an hour counts as such a quarter."""
    zone = catalog.project.zone
    gaps = np.maximum(first[1:] - last[:-1], float(QUARTER))
    if not len(gaps):
        return gaps
    days = [datetime.fromtimestamp(seconds, zone).toordinal() for seconds in first[1:].tolist()]
    found, place = np.unique(days, return_inverse=True)
    longest = np.zeros(len(found))
    np.maximum.at(longest, place, gaps)
    return longest


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def count_orphans(catalog: Catalog, known_at: datetime) -> int:
    """Reports whose prediction is not in the logs."""
    if not catalog.has_label_feed:
        return 0
    known_by_file = catalog.parts.orphans(known_at) if catalog.parts is not None else None
    if known_by_file is not None:
        return known_by_file
    # the reference's predictions have labels in the same feed
    known = " UNION ALL ".join(f"SELECT id FROM {view} WHERE id IS NOT NULL" for view in catalog.sources)
    text = (
        f"SELECT count(*) AS n FROM labels AS l LEFT JOIN (SELECT DISTINCT id FROM ({known})) AS p ON l.id = p.id "
        f"WHERE p.id IS NULL AND l.ts <= {_INSTANT.format('known_at')}"
    )
    return int(catalog.engine.query(text, {"known_at": known_at}).to_pylist()[0]["n"])


def read_sources(catalog: Catalog, known_at: datetime) -> list[str]:
    """The sources in the feed, the one with most labels first."""
    if not catalog.has_label_feed:
        return []
    text = (
        f"SELECT coalesce(source, {literal(NO_SOURCE)}) AS source, count(*) AS n FROM labels "
        f"WHERE ts <= {_INSTANT.format('known_at')} GROUP BY 1 ORDER BY n DESC, source"
    )
    return [row["source"] for row in catalog.engine.query(text, {"known_at": known_at}).to_pylist()]


def source_rows(catalog: Catalog, rows: Sql, known_at: datetime) -> Sql:
    """The newest label of every source about every scoped row, with the delay of its first one in seconds.

    Columns: keys, with the source as ``segment``, then id, label, delay.
    """
    del catalog
    name = f"coalesce(source, {literal(NO_SOURCE)})"
    newest = (
        f"SELECT id, {name} AS source, label, min(ts) OVER (PARTITION BY id, {name}) AS first, "
        f"row_number() OVER (PARTITION BY id, {name} ORDER BY ts DESC, file DESC, row DESC) AS place "
        f"FROM labels WHERE ts <= {_INSTANT.format('known_at')}"
    )
    text = (
        "SELECT r.window_key, r.block_key, r.version, l.source AS segment, r.weight, r.unit, r.file, r.row, r.id, "
        "l.label, greatest(CAST(epoch(l.first) - epoch(r.ts) AS DOUBLE), 0e0) AS delay "
        f"FROM ({rows.text}) AS r JOIN ({newest}) AS l ON r.id = l.id WHERE l.place = 1"
    )
    return Sql(text, {**rows.parameters, "known_at": known_at})


def paired_rows(sources: Sql, trusted: str) -> Sql:
    """Rows that a source and the trusted one both labelled: ``label`` is the source's, ``other`` the trusted one's."""
    text = (
        "SELECT a.window_key, a.block_key, a.version, a.segment, a.weight, a.unit, a.file, a.row, a.label, "
        f"b.label AS other FROM ({sources.text}) AS a JOIN ({sources.text}) AS b ON a.id = b.id "
        "AND a.file = b.file AND a.row = b.row WHERE b.segment = $trusted AND a.segment <> $trusted"
    )
    return Sql(text, {**sources.parameters, "trusted": trusted})


def agreement_statistics(classes: Sequence[str], *, numeric: bool) -> tuple[Statistic, ...]:
    """Sums for agreement and kappa (of classes, as SQL literals) and for the mean difference (of numbers)."""
    found = [Statistic("pairs", "1e0")]
    if classes:
        found.append(Statistic("agree", "CASE WHEN label = other THEN 1e0 ELSE 0e0 END"))
    if numeric:
        found.append(Statistic("gap", "CAST(label AS DOUBLE) - CAST(other AS DOUBLE)"))
    for (place, name), side in product(enumerate(classes), ("label", "other")):
        found.append(Statistic(f"{side}_{place}", f"CASE WHEN {side} = {name} THEN 1e0 ELSE 0e0 END"))
    return tuple(found)
