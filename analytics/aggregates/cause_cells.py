"""What may have changed, counted by day, whole and by segment: traffic, errors, latency, labels, scores, every field.

`analytics.aggregates.cause_rows` says what a day is, `analytics.aggregates.cause_bins` what a bin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.cause_bins import FieldBins, field_bins
from analytics.aggregates.cause_rows import (
    Stretch,
    again_of,
    column_of,
    looked_at,
    number,
    rows_where,
    shares_requests,
)
from analytics.engines.text import Sql, identifier, literal
from analytics.project import Predictions
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
SEGMENT_VALUES = 12
LEAST_SHARE = 0.03
"""Values of a segment with fewer rows than this share are not looked at by themselves."""
MODELLED = 8_000
"""Rows that relations between fields are learned from, about."""
WAITS = (6 * 3600, 86_400, 3 * 86_400, 10 * 86_400)
"""Seconds after which labels are counted."""


@dataclass(frozen=True)
class Group:
    """Whose rows: of a version, whole or of one value of a segment."""

    version: str | None
    segment: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class CauseCells:
    """Sums by group and day.

    Attributes:
        groups: of the first axis.
        days: numbers of the days, ascending; the window's are the last ``window``, and the last is -1.
        names: of the sums.
        sums: shape (groups, days, names).
        bins: per field, first column of its counts in ``sums``.
    """

    groups: tuple[Group, ...]
    days: NDArray[np.int64]
    window: int
    names: tuple[str, ...]
    sums: Floats
    bins: tuple[tuple[FieldBins, int], ...]
    sql: tuple[str, ...]

    def of(self, name: str) -> Floats:
        """One sum, shape (groups, days)."""
        return np.asarray(self.sums[:, :, self.names.index(name)])

    def has(self, name: str) -> bool:
        """Whether that sum was counted."""
        return name in self.names

    def counts(self, place: int) -> Floats:
        """The bins of one field, shape (groups, days, bins)."""
        item, first = self.bins[place]
        return np.asarray(self.sums[:, :, first : first + item.size])


def segment_values(catalog: Catalog, kept: Sql) -> dict[str, tuple[str, ...]]:
    """Of every segment the values with rows enough to be looked at by themselves."""
    found: dict[str, tuple[str, ...]] = {}
    for name in catalog.segments:
        column = identifier(f"s:{name}")
        rows = catalog.engine.query(
            f"SELECT {column} AS v, sum(w) / sum(sum(w)) OVER () AS share FROM ({kept.text}) GROUP BY 1 "
            f"ORDER BY 2 DESC, 1 LIMIT {SEGMENT_VALUES}"
        ).to_pylist()
        values = tuple(row["v"] for row in rows if row["share"] >= LEAST_SHARE and "\x00" not in row["v"])
        if len(values) > 1:
            found[name] = values
    return found


def read_cause_cells(catalog: Catalog, kept: Sql, stretch: Stretch) -> CauseCells:
    """Count everything, in one scan of the kept rows for the sums and one for the most frequent values."""
    bins = field_bins(catalog, kept, stretch)
    segments = segment_values(catalog, kept)
    sums = _sums(catalog, stretch)
    parts = list(sums.values())
    firsts, names = [], list(sums)
    for j, item in enumerate(bins):
        firsts.append((item, len(names)))
        for k in range(item.size):
            names.append(f"{item.field.name}:{k}")
            parts.append(rows_where(catalog, f"c{j} = {k}"))
    for j, item in enumerate(bins):
        sums_of = {f"repeat:{item.field.name}": rows_where(catalog, again_of(item.field))}
        if item.is_numeric:
            sums_of[f"z:{item.field.name}"] = f"sum(w * z{j})"
            if item.exact:
                listed = ", ".join(number(value) for value in item.exact)
                name = column_of(item.field)
                # a record of a season lies outside of what was seen; another unit lies between
                inside = f"{name} > {number(min(item.exact))} AND {name} < {number(max(item.exact))}"
                sums_of[f"odd:{item.field.name}"] = rows_where(
                    catalog, f"coalesce({inside}, FALSE) AND {name} NOT IN ({listed})"
                )
            sums_of[f"m:{item.field.name}"] = f"sum(w * {item.told})"
        names += sums_of
        parts += sums_of.values()
    codes = _coded(bins)
    shown = _shown(segments)
    inner = f"SELECT *, {', '.join(filter(None, (codes, shown)))} FROM ({kept.text})"
    sets = _sets(segments)
    chosen = ", ".join(f"{part} AS x{i}" for i, part in enumerate(parts))
    keys = ", ".join(("version", "b", *(f"g{i}" for i in range(len(segments)))))
    text = f"SELECT {keys}, {_grouping(segments)} AS which, {chosen} FROM ({inner}) GROUP BY GROUPING SETS ({sets})"
    table = catalog.engine.query(text)
    return _assembled(table, segments, names, firsts, stretch, (text,))


def _coded(bins: Sequence[FieldBins]) -> str:
    parts = [f"{item.code} AS c{j}" for j, item in enumerate(bins)]
    return ", ".join(
        [*parts, *(f"{item.standard} AS z{j}" for j, item in enumerate(bins) if item.is_numeric)]
    )


def read_modelled(catalog: Catalog, kept: Sql, stretch: Stretch, bins: Sequence[FieldBins]) -> pa.Table:
    """About `MODELLED` rows from before the window, drawn by a digest: version, code and standard value by field."""
    before = f"b < {-stretch.days}"
    n = catalog.engine.query(f"SELECT count(*) AS n FROM ({kept.text}) WHERE {before}").to_pylist()[0]["n"]
    every = max(-(-int(n) // MODELLED), 1)
    columns = [f"CAST(c{j} AS SMALLINT) AS c{j}" for j in range(len(bins))]
    columns += [f"z{j}" for j, item in enumerate(bins) if item.is_numeric]
    text = (
        f"SELECT version, {', '.join(columns)} FROM (SELECT *, {_coded(bins)} FROM ({kept.text}) "
        f"WHERE {before} AND hash(ts, unit, version) % {every} = 0) ORDER BY ts, unit, version"
    )
    return catalog.engine.query(text)


def _shown(segments: dict[str, tuple[str, ...]]) -> str:
    shown = []
    for i, (name, values) in enumerate(segments.items()):
        column = identifier(f"s:{name}")
        listed = ", ".join(literal(value) for value in values)
        shown.append(f"CASE WHEN {column} IN ({listed}) THEN {column} END AS g{i}")
    return ", ".join(shown)


def _sets(segments: dict[str, tuple[str, ...]], more: str = "") -> str:
    return ", ".join([f"(version, b{more})", *(f"(version, b, g{i}{more})" for i in range(len(segments)))])


def _grouping(segments: dict[str, tuple[str, ...]]) -> str:
    return f"GROUPING({', '.join(f'g{i}' for i in range(len(segments)))})" if segments else "0"


def _sums(catalog: Catalog, stretch: Stretch) -> dict[str, str]:
    section = catalog.predictions
    found = {"n": "sum(w)", "rows": "CAST(count(*) AS DOUBLE)"}
    if section.status is not None and section.ok_status:
        found |= {
            "failed": "sum(w * failed)",
            "with_status": "sum(CASE WHEN failed IS NOT NULL THEN w ELSE 0e0 END)",
        }
    if section.latency is not None:
        there = "CASE WHEN latency IS NOT NULL THEN w ELSE 0e0 END"
        found |= {"log_latency": "sum(w * ln(latency + 1e-3))", "timed": f"sum({there})"}
    if any(field.role == "feature" for field in looked_at(catalog)):
        found |= {f"{name}": f"sum(CASE WHEN {name} THEN w ELSE 0e0 END)" for name in ("copied", "again")}
    if shares_requests(catalog):
        found["echoed"] = "sum(CASE WHEN echoed THEN w ELSE 0e0 END)"
    if not catalog.has_labels:
        return found
    for seconds in WAITS:
        if stretch.wait is None or seconds <= stretch.wait:
            found[f"within:{seconds}"] = f"sum(CASE WHEN delay <= {number(seconds)} THEN w ELSE 0e0 END)"
    found["came"] = "sum(w * came)"
    found["loss"] = "sum(CASE WHEN loss IS NOT NULL THEN w * loss END)"
    found["with_loss"] = "sum(CASE WHEN loss IS NOT NULL THEN w ELSE 0e0 END)"
    return found | _label_sums(section)


def _label_sums(section: Predictions) -> dict[str, str]:
    """Of labels beside scores, by task."""
    found: dict[str, str] = {}
    if section.task == "regression":
        found |= {"y": "sum(w * y)", "p": "sum(CASE WHEN y IS NOT NULL THEN w * p END)"}
        return found
    found["wrong"] = "sum(w * wrong)"
    found["decided"] = "sum(CASE WHEN wrong IS NOT NULL THEN w ELSE 0e0 END)"
    if section.task == "binary":
        logit = "ln(greatest(p, 1e-4) / greatest(1e0 - p, 1e-4))"
        there = "CASE WHEN y IS NOT NULL AND p IS NOT NULL THEN w"
        found |= {
            "y": "sum(w * y)",
            "p": "sum(CASE WHEN y IS NOT NULL THEN w * p END)",
            "with_logit": f"sum({there} ELSE 0e0 END)",
            "y_there": f"sum({there} * y END)",
            "logit": f"sum({there} * {logit} END)",
            "logit_squared": f"sum({there} * {logit} * {logit} END)",
            "y_logit": f"sum({there} * y * {logit} END)",
        }
        if section.unit is not None:
            pair = "CASE WHEN y IS NOT NULL AND y_last IS NOT NULL THEN w"
            found |= {
                "pairs": f"sum({pair} ELSE 0e0 END)", "pair_y": f"sum({pair} * y END)",
                "pair_last": f"sum({pair} * y_last END)", "pair_both": f"sum({pair} * y * y_last END)",
            }  # fmt: skip
    return found


def _assembled(  # what the two scans gave
    table: pa.Table,
    segments: dict[str, tuple[str, ...]],
    names: list[str],
    bins: list[tuple[FieldBins, int]],
    stretch: Stretch,
    sql: tuple[str, ...],
) -> CauseCells:
    listed = tuple(segments)
    keys = _keys(table, listed)
    groups = tuple(dict.fromkeys(group for group in keys if group is not None))
    place = {group: i for i, group in enumerate(groups)}
    numbers = table.column("b").to_numpy(zero_copy_only=False).astype(np.int64)
    first = int(numbers.min()) if len(numbers) else -stretch.days
    days = np.arange(min(first, -stretch.days), 0, dtype=np.int64)
    sums = np.zeros((len(groups), len(days), len(names)))
    start = table.num_columns - len(names)
    values = np.column_stack(
        [
            table.column(start + i).cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
            for i in range(len(names))
        ]
    ) if table.num_rows else np.zeros((0, len(names)))  # fmt: skip
    chosen = [(row, place[group]) for row, group in enumerate(keys) if group is not None]
    if chosen:
        rows, of = (np.array(part) for part in zip(*chosen, strict=True))
        sums[of, numbers[rows] - days[0]] = np.where(np.isfinite(values[rows]), values[rows], 0.0)
    return CauseCells(groups, days, stretch.days, tuple(names), sums, tuple(bins), sql)


def _keys(table: pa.Table, segments: tuple[str, ...]) -> list[Group | None]:
    """Whose rows each line counts; None for the rest of a segment's values."""
    versions = table.column("version").to_pylist()
    which = table.column("which").to_pylist()
    values = [table.column(f"g{i}").to_pylist() for i in range(len(segments))]
    whole = (1 << len(segments)) - 1
    found: list[Group | None] = []
    for row, mask in enumerate(which):
        if mask == whole:
            found.append(Group(versions[row]))
            continue
        # the first column of GROUPING() is its highest bit; a bit of 0 is a column that groups
        i = next(j for j in range(len(segments)) if not mask >> (len(segments) - 1 - j) & 1)
        value = values[i][row]
        found.append(None if value is None else Group(versions[row], segments[i], value))
    return found
