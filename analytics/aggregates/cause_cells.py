"""What may have changed, counted by day, whole and by segment: traffic, errors, latency, labels, scores, every field.

A day is 24 hours that end where the window ends, so that a window from 14:00 to 14:00 is one whole day; of a window
shorter than a day the same stretch of every earlier day is taken. Bins are fixed by the days before the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.edges import bin_expression
from analytics.aggregates.reference_bins import Field, counted_rows, watched_fields
from analytics.engines.text import Sql, identifier, literal
from analytics.project import Predictions
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows, segment_expression
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]
DAY_SECONDS = 86_400
TENTHS = 10
CATEGORIES = 12
KNOWN = 500
"""More distinct categories than these, and a new one is not told from a rare one."""
SEGMENT_VALUES = 12
LEAST_SHARE = 0.03
"""Values of a segment with fewer rows than this share are not looked at by themselves."""
SAMPLED = 50_000
"""Rows that fix the edges of bins, about."""
FAR = 4
"""Standard deviations at which values are cut where days are compared, so that one row is never the whole."""
OUTLIER = 1000
"""The same in the means that a sentence tells."""
MARGIN = 0.5
"""A number is new from this share of the range before beyond it."""
EXACT = 400
"""A number that takes at most so many values is new where it has none of them: another unit shows in each row."""
MANY = 8
"""Rows of one day whose features are all alike, from which they are a burst."""
MODELLED = 8_000
"""Rows that relations between fields are learned from, about."""
WAITS = (6 * 3600, 86_400, 3 * 86_400, 10 * 86_400)
"""Seconds after which labels are counted."""


@dataclass(frozen=True)
class Stretch:
    """The window and the days before it, as the SQL cuts them.

    Attributes:
        start: first instant that is read; ``end``: of the window.
        days: blocks of the window, at least 1; ``history``: of what is read before it.
        seconds: length of the window where it is shorter than a day, else None.
        wait: seconds that every label of the window has had to come; None where nothing is known to be missing.
    """

    start: datetime
    end: datetime
    days: int
    history: int
    seconds: float | None
    wait: float | None


@dataclass(frozen=True)
class FieldBins:
    """The bins of one field: values, then the new ones (two for a number: below and above), then missing.

    Attributes:
        edges: of a number; ``low`` and ``high`` are the limits of what was seen before, ``centre`` and ``spread`` its
            mean and standard deviation.
        categories: the most frequent ones; further known ones are one bin.
        exact: of a number that takes few values, those it had on two days or more; None of any other.
    """

    field: Field
    edges: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0
    centre: float = 0.0
    spread: float = 1.0
    categories: tuple[str, ...] = ()
    known: tuple[str, ...] | None = ()
    exact: tuple[float, ...] | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether bins are intervals."""
        return self.field.kind == "numeric"

    @property
    def values(self) -> int:
        """Bins of values that were seen before."""
        return len(self.edges) + 1 if self.is_numeric else len(self.categories) + 1

    @property
    def size(self) -> int:
        """All bins, new and missing ones too."""
        return self.values + (3 if self.is_numeric else 2)

    @property
    def standard(self) -> str:
        """SQL over kept rows: standard deviations from the mean before, 0 where missing, cut at `FAR`."""
        return self._within(FAR)

    @property
    def told(self) -> str:
        """The same, cut at `OUTLIER`."""
        return self._within(OUTLIER)

    def _within(self, far: int) -> str:
        column = _name(self.field)
        gap = f"({column} - {_number(self.centre)}) / {_number(self.spread)}"
        return f"CASE WHEN {column} IS NULL THEN 0e0 ELSE greatest(least({gap}, {far}e0), -{far}e0) END"

    @property
    def code(self) -> str:
        """SQL over kept rows."""
        column = _name(self.field)
        if self.is_numeric:
            inner = bin_expression(column, self.edges)
            return (
                f"CASE WHEN {column} IS NULL THEN {self.size - 1} "
                f"WHEN {column} < {_number(self.low)} THEN {self.values} "
                f"WHEN {column} > {_number(self.high)} THEN {self.values + 1} ELSE {inner} END"
            )
        listed = " ".join(
            f"WHEN {column} = {literal(name)} THEN {i}" for i, name in enumerate(self.categories)
        )
        rest = self.values - 1
        if self.known is not None:
            others = ", ".join(literal(name) for name in self.known[len(self.categories) :])
            seen = f"WHEN {column} IN ({others}) THEN {rest} " if others else ""
            return f"CASE WHEN {column} IS NULL THEN {self.size - 1} {listed} {seen}ELSE {self.values} END"
        return f"CASE WHEN {column} IS NULL THEN {self.size - 1} {listed} ELSE {rest} END"


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


def _number(value: float) -> str:
    return literal(float(value))


def _name(field: Field) -> str:
    return identifier(f"f:{field.name}")


def looked_at(catalog: Catalog) -> tuple[Field, ...]:
    """Features, scores and decisions; labels are counted apart, for they come late."""
    return tuple(field for field in watched_fields(catalog) if field.role != "label")


@contextmanager
def kept_rows(
    catalog: Catalog, scope: Scope, stretch: Stretch, *, reference: bool
) -> Iterator[tuple[Sql, str]]:
    """Hold the rows of a stretch with their day, segments, fields and outcomes while several queries read them.

    Args:
        catalog: the project's views.
        scope: versions, filters and as-of.
        stretch: what is cut.
        reference: take the reference's rows in as earlier days.
    """
    # where versions share requests the others are read as well, to tell whose answers stand under a name
    versions = () if shares_requests(catalog) else scope.versions
    read = replace(scope, start=stretch.start, end=stretch.end, grain="all", by=None, versions=versions)
    sources = [scoped_rows(catalog, read)]
    if reference:
        sources.append(scoped_rows(catalog, read, "reference"))
    columns = _columns(catalog, stretch)
    named = ", ".join(f"{expression} AS {identifier(name)}" for name, expression in columns.items())
    parameters: dict[str, Any] = {"cause_end": stretch.end}
    parts = []
    for place, rows in enumerate(sources):
        # of the reference only days before anything was logged: later ones are another version's training
        earlier = " AND ts < CAST($cause_first AS TIMESTAMP WITH TIME ZONE)" if place else ""
        parts.append(f"SELECT {named} FROM ({rows.text}) WHERE {counted_rows(catalog)}{earlier}")
        parameters |= rows.parameters
    if reference and catalog.extent is not None:
        parameters["cause_first"] = catalog.extent[0]
    slot = f" AND off <= {_number(stretch.seconds)}" if stretch.seconds is not None else ""
    inner = f"SELECT * FROM ({' UNION ALL '.join(parts)}) WHERE b < 0 AND b >= {-stretch.days - stretch.history}{slot}"
    of = "version, unit" if catalog.predictions.unit is not None else "version"
    beside = ", ".join(_neighbours(catalog))
    text = f"SELECT *, {beside} FROM ({inner}) WINDOW in_time AS (PARTITION BY {of} ORDER BY ts)"
    with catalog.engine.kept(Sql(text, parameters)) as kept:
        yield kept, text


def _neighbours(catalog: Catalog) -> list[str]:
    """What a row says beside others: a value again as in the row before it (of its unit), copies, another's answer."""
    fields = looked_at(catalog)
    known = "unit IS NOT NULL AND " if catalog.predictions.unit is not None else ""
    parts = [f"({known}{_name(f)} = lag({_name(f)}) OVER in_time) IS TRUE AS {_again(f)}" for f in fields]
    features = [_name(f) for f in fields if f.role == "feature"]
    scores = [_name(f) for f in fields if f.role == "score"]
    if features:
        alike = f"count(*) OVER (PARTITION BY version, b, hash({', '.join([*features, *scores])}))"
        # rows of which hardly anything is known are alike without being copies
        there = " + ".join(f"CAST({name} IS NOT NULL AS INTEGER)" for name in features)
        known = f"({there}) * 2 >= {len(features)}"
        parts += [f"{alike} >= {MANY} AND {known} AS copied", f"{alike} >= 2 AND {known} AS again"]
    if catalog.has_labels and catalog.predictions.task == "binary" and catalog.predictions.unit is not None:
        # one day of one unit: late in the morning, late in the evening
        parts.append(
            "lag(CASE WHEN unit IS NOT NULL THEN y END) OVER (PARTITION BY version, unit, b ORDER BY ts) AS y_last"
        )
    if shares_requests(catalog):
        parts.append(
            f"request IS NOT NULL AND count(*) OVER (PARTITION BY request, hash({', '.join(scores)})) > 1 AS echoed"
        )
    return parts


def shares_requests(catalog: Catalog) -> bool:
    """Whether several versions may answer one request, so that their answers can be laid side by side."""
    return catalog.predictions.request is not None and len(catalog.versions) > 1


def _again(field: Field) -> str:
    return identifier(f"r:{field.name}")


def _columns(catalog: Catalog, stretch: Stretch) -> dict[str, str]:
    section, zone = catalog.predictions, literal(catalog.project.time_zone)
    local, end = (
        f"ts AT TIME ZONE {zone}",
        f"CAST($cause_end AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE {zone}",
    )
    # seconds before the end, in local time, so that an hour of a day is the same hour on every day
    gap = f"(epoch_us({end}) - epoch_us({local})) / 1e6"
    columns = {
        "version": "version",
        "ts": "ts",
        "b": f"CAST(-ceil({gap} / {DAY_SECONDS}e0) AS INTEGER)",
        "off": f"{gap} - floor({gap} / {DAY_SECONDS}e0) * {DAY_SECONDS}e0",
        "w": "weight" if section.weight is not None else "1e0",
        "unit": "unit",
        "request": "request",
    }
    columns |= {f"s:{name}": segment_expression(catalog.segments[name]) for name in catalog.segments}
    columns |= {f"f:{field.name}": _clean(field) for field in looked_at(catalog)}
    if section.latency is not None:
        columns["latency"] = "CASE WHEN latency >= 0e0 AND isfinite(latency) THEN latency END"
    if section.status is not None and section.ok_status:
        fine = ", ".join(literal(status) for status in section.ok_status)
        columns["failed"] = (
            f"CASE WHEN status IS NULL THEN NULL WHEN status IN ({fine}) THEN 0e0 ELSE 1e0 END"
        )
    if catalog.has_labels:
        columns |= _outcomes(catalog, stretch)
    return columns


def _clean(field: Field) -> str:
    if field.kind != "numeric":
        return field.expression
    return f"CASE WHEN NOT isnan({field.expression}) THEN {field.expression} END"


def _outcomes(catalog: Catalog, stretch: Stretch) -> dict[str, str]:
    section = catalog.predictions
    late = "(epoch_us(label_ts) - epoch_us(ts)) / 1e6"
    came = "label IS NOT NULL"
    if stretch.wait is not None:
        # of every day only the labels that came as soon as those of the window had to
        came += f" AND (label_ts IS NULL OR {late} <= {_number(stretch.wait)})"
    columns = {
        "delay": f"CASE WHEN label IS NOT NULL THEN greatest({late}, 0e0) END",
        "came": f"CASE WHEN {came} THEN 1e0 ELSE 0e0 END",
    }
    if section.task == "multiclass":
        given = " ".join(
            f"WHEN label = {literal(name)} THEN {score_column(name)}" for name in section.classes
        )
        columns["loss"] = f"CASE WHEN scored AND {came} THEN -ln(greatest(CASE {given} END, 2.22e-16)) END"
        columns["y"] = "CAST(NULL AS DOUBLE)"
        columns["wrong"] = f"CASE WHEN {came} THEN CAST(label <> decision AS DOUBLE) END"
        return columns
    columns["y"] = f"CASE WHEN scored AND {came} THEN CAST(label AS DOUBLE) END"
    if section.task == "regression":
        columns["loss"] = f"CASE WHEN scored AND {came} THEN abs(label - score) END"
        columns["wrong"] = "CAST(NULL AS DOUBLE)"
    else:
        right = "CASE WHEN label = 1 THEN score ELSE 1e0 - score END"
        columns["loss"] = f"CASE WHEN scored AND {came} THEN -ln(greatest({right}, 2.22e-16)) END"
        columns["wrong"] = f"CASE WHEN {came} THEN CAST(label <> decision AS DOUBLE) END"
    columns["p"] = "CASE WHEN scored THEN CAST(score AS DOUBLE) END"
    return columns


def field_bins(catalog: Catalog, kept: Sql, stretch: Stretch) -> tuple[FieldBins, ...]:
    """Bins from the days before the window, of about `SAMPLED` rows where there are more."""
    fields = looked_at(catalog)
    before = f"b < {-stretch.days}"
    n = catalog.engine.query(f"SELECT count(*) AS n FROM ({kept.text}) WHERE {before}").to_pylist()[0]["n"]
    every = max(int(n) // SAMPLED, 1)
    thin = before if every == 1 else f"{before} AND hash(ts, unit) % {every} = 0"
    numbers = [field for field in fields if field.kind == "numeric"]
    texts = [field for field in fields if field.kind != "numeric"]
    found: dict[str, FieldBins] = {}
    if numbers:
        tenths = ", ".join(_number(k / TENTHS) for k in range(1, TENTHS))
        picks = ", ".join(
            f"quantile_disc({_name(f)}, [{tenths}]) FILTER (isfinite({_name(f)})) AS q{i}, "
            f"min({_name(f)}) AS l{i}, max({_name(f)}) AS h{i}, avg({_name(f)}) FILTER ({_finite(f)}) AS m{i}, "
            f"stddev_pop({_name(f)} / 1e9) FILTER ({_finite(f)}) AS d{i}"
            for i, f in enumerate(numbers)
        )
        row = catalog.engine.query(f"SELECT {picks} FROM ({kept.text}) WHERE {thin}").to_pylist()[0]
        for i, field in enumerate(numbers):
            found[field.name] = numeric_bins(field, *(row[f"{part}{i}"] for part in "qlhmd"))
            found[field.name] = replace(found[field.name], exact=_exact(catalog, kept, field, before))
    for field in texts:
        listed = catalog.engine.query(
            f"SELECT {_name(field)} AS v, count(*) AS n FROM ({kept.text}) "
            f"WHERE {before} AND {_name(field)} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {KNOWN + 1}"
        ).to_pylist()
        names = tuple(row["v"] for row in listed if "\x00" not in row["v"])
        found[field.name] = FieldBins(
            field, categories=names[:CATEGORIES], known=names if len(listed) <= KNOWN else None
        )
    return tuple(found[field.name] for field in fields)


def _exact(catalog: Catalog, kept: Sql, field: Field, before: str) -> tuple[float, ...] | None:
    """Values of two days or more: a value of one day only is as new to the others as one of the window is."""
    if field.role != "feature":
        return None
    rows = catalog.engine.query(
        f"SELECT {_name(field)} AS v, count(DISTINCT b) AS d FROM ({kept.text}) WHERE {before} AND {_finite(field)} "
        f"GROUP BY 1 ORDER BY d DESC, v LIMIT {EXACT + 1}"
    ).to_pylist()
    if len(rows) > EXACT:
        return None
    return tuple(float(row["v"]) for row in rows if row["d"] > 1)


def _finite(field: Field) -> str:
    # the square of a larger one is infinite
    return f"abs({_name(field)}) < 1e150"


def numeric_bins(  # what one query gave
    field: Field,
    tenths: Sequence[float] | None,
    low: float | None,
    high: float | None,
    mean: float | None,
    deviation: float | None,
) -> FieldBins:
    """Bins of a number from its tenths, smallest and largest value, mean and deviation (in billionths)."""
    limit = float(np.finfo(np.float64).max)
    edges: list[float] = []
    for value in tenths or ():
        # a value that many rows have is a bin of its own
        for edge in (float(value), float(np.nextafter(value, np.inf))):
            if abs(edge) < limit and (not edges or edge > edges[-1]):
                edges.append(edge)
    distinct = sorted(set(edges))
    # a record by a little is no new kind of value
    margin = (
        MARGIN * (high - low)
        if low is not None and high is not None and abs(low) + abs(high) < limit
        else 0.0
    )
    first = max(-limit, low - margin) if low is not None else -limit
    last = min(limit, high + margin) if high is not None else limit
    spread = float(deviation or 0.0) * 1e9
    return FieldBins(
        field, tuple(_merged(distinct)), first, last, float(mean or 0.0), spread if spread > 0 else 1.0
    )


def _merged(edges: list[float]) -> list[float]:
    """An edge and the next double above it stay only where the value holds a tenth or more by itself."""
    kept: list[float] = []
    for place, edge in enumerate(edges):
        is_next = place > 0 and edge == float(np.nextafter(edges[place - 1], np.inf))
        if not is_next:
            kept.append(edge)
    return kept


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
        sums_of = {f"repeat:{item.field.name}": rows_where(catalog, _again(item.field))}
        if item.is_numeric:
            sums_of[f"z:{item.field.name}"] = f"sum(w * z{j})"
            if item.exact:
                listed = ", ".join(_number(value) for value in item.exact)
                name = _name(item.field)
                # a record of a season lies outside of what was seen; another unit lies between
                inside = f"{name} > {_number(min(item.exact))} AND {name} < {_number(max(item.exact))}"
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


def rows_where(catalog: Catalog, condition: str) -> str:
    """How many kept rows (the sum of their weights) meet a condition."""
    if catalog.predictions.weight is None:
        # a third of what a sum of cases takes
        return f"count_if({condition})"
    return f"sum(CASE WHEN {condition} THEN w ELSE 0e0 END)"


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
            found[f"within:{seconds}"] = f"sum(CASE WHEN delay <= {_number(seconds)} THEN w ELSE 0e0 END)"
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
