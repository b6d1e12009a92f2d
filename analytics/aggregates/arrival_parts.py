"""When labels came, by day: parts from which any instant's knowledge of all logs is told without reading a row.

A part counts predictions by the bin of the delay of their first label, whatever the present is. How long they were
followed is told afterwards, from the middle of the stretch in which they were made: five minutes in the newest week, a
day before. So the age of what is older than a week is known to within a fourteenth; a bin of ages is 3 to 6 % wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, Standard, local_midnight, read_added, read_stored
from analytics.aggregates.arrivals import COVERAGE, COVERAGE_TOGETHER, bin_sql
from analytics.aggregates.followed import Followed, joined
from analytics.aggregates.keys import KEYS, column
from analytics.aggregates.moments import moment_sums
from analytics.aggregates.unit_groups import UnitSums, unit_sums
from analytics.engines.text import Sql
from analytics.project import Block, Predictions
from analytics.scope import FINER, Grain, Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.parts import WHOLE, PartGrain
from analytics.telemetry.rows import block_grain, scoped_rows

NEWEST = timedelta(days=7)
"""Of predictions younger than this the age matters to minutes."""
SHORT = timedelta(days=2)


def arrival_parts(catalog: Catalog, grain: PartGrain = "day") -> Additive:
    """Predictions by the delay of their first label, with what their labels come to."""
    sums = _sums(catalog.predictions)

    def query(rows: Sql) -> Sql:
        keys = f"{KEYS}, block_key"
        delay = (
            "CASE WHEN first_label_ts IS NOT NULL "
            "THEN greatest(CAST(epoch(first_label_ts) - epoch(ts) AS DOUBLE), 0e0) END"
        )
        label = ", coalesce(CAST(label AS DOUBLE), 0e0) AS y" if "wy" in sums else ""
        place = bin_sql("delay")
        added = ", ".join(f"{text} AS {name}" for name, text in sums.items())
        text = (
            f"SELECT {keys}, delay_bin, labelled, {added}, min(delay) AS shortest, max(delay) AS longest "
            f"FROM (SELECT *, CASE WHEN delay IS NULL THEN -1 ELSE {place} END AS delay_bin FROM (SELECT {keys}, "
            f"weight, CASE WHEN label IS NULL THEN 0 ELSE 1 END AS labelled, {delay} AS delay{label} "
            f"FROM ({rows.text}))) GROUP BY {keys}, delay_bin, labelled"
        )
        return Sql(text, rows.parameters)

    return Additive("label delays", query, tuple(sums), ("shortest",), ("longest",), grain=grain)


def _sums(section: Predictions) -> dict[str, str]:
    """What is summed over rows of weight w and label y; where every row weighs 1 and y is 0 or 1, most is the same."""
    weighted = section.weight is not None
    sums = {"n": "count(*)"}
    if weighted:
        sums |= {"w": "sum(weight)", "w2": "sum(weight * weight)"}
    if section.task != "multiclass":
        sums["wy"] = "sum(weight * y)" if weighted else "sum(y)"
        if weighted:
            sums["w2y"] = "sum(weight * weight * y)"
        if weighted or section.task == "regression":
            sums["w2yy"] = "sum(weight * weight * y * y)" if weighted else "sum(y * y)"
    return sums


def standard_labels(catalog: Catalog) -> tuple[Standard, ...]:
    """What every page asks of the labels as a whole, and the Labels page besides."""
    if not catalog.has_labels:
        return ()
    grains: tuple[PartGrain, ...] = ("day", "5min")
    delays = (Standard(arrival_parts(catalog, grain)) for grain in grains)
    units = () if catalog.predictions.unit is None else (Standard(coverage_units().additive),)
    return *delays, *(Standard(coverage_parts(catalog, grain)) for grain in grains), *units


def coverage_parts(catalog: Catalog, grain: PartGrain = "day") -> Additive:
    """Predictions and those of them that have a label."""
    sums = moment_sums(catalog, scoped_rows(catalog, Scope()), COVERAGE, COVERAGE_TOGETHER)
    return replace(sums.additive(), grain=grain)


def coverage_units() -> UnitSums:
    """The same by random groups of units, of days."""
    return unit_sums({one.name: one.expression for one in COVERAGE})


def whole_logs(catalog: Catalog, scope: Scope) -> Scope:
    """The scope with open ends filled from all days of the logs; as it is where nothing of it is left then."""
    if catalog.extent is None:
        return scope
    zone = catalog.project.zone
    first, last = (moment.astimezone(zone).date() for moment in catalog.extent)
    start, end = (
        datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + timedelta(days=1))
    )
    start, end = scope.start or start, scope.end or end
    return replace(scope, start=start, end=end) if start < end else scope


def read_followed(
    catalog: Catalog, scope: Scope, known_at: datetime, *, earlier: bool = False
) -> tuple[Followed, str] | None:
    """Predictions of a scope from stored parts; None where there are none, as the rows say it more exactly.

    Args:
        catalog: the project's views.
        scope: the question; open ends are those of the logs.
        known_at: the present, or the instant whose knowledge is asked for.
        earlier: whether to read as well all that was predicted before, which is not ``inside``, by any version.

    Returns:
        The groups, and the SQL text that says what they are.
    """
    scope = whole_logs(catalog, replace(scope, versions=()) if earlier else scope)
    if catalog.parts is None or scope.start is None or scope.end is None:
        return None
    boundary = _midnight(known_at - NEWEST, catalog.project.zone)
    if _of_whole_days(catalog, scope):
        return _cut_from_all(catalog, scope, known_at, boundary, earlier=earlier)
    pieces = [(piece, True) for piece in _pieces(scope, boundary, fine=is_fine(scope))]
    morning = _midnight(scope.start, catalog.project.zone)
    before = whole_logs(catalog, replace(scope, start=None, end=morning))
    if earlier and before.start is not None:
        pieces += [(piece, False) for piece in _pieces(before, boundary, fine=False)]
    if earlier and morning < scope.start:
        pieces.append((replace(scope, start=morning, end=scope.start, grain="5min"), False))
    return _read(catalog, pieces, known_at, scope.grain)


def is_fine(scope: Scope) -> bool:
    """Whether a question is of minutes or hours, or of a day or two that hardly begin at midnight."""
    short = scope.start is not None and scope.end is not None and scope.end - scope.start <= SHORT
    return short or scope.grain in FINER


def _cut_from_all(
    catalog: Catalog, scope: Scope, known_at: datetime, boundary: datetime, *, earlier: bool
) -> tuple[Followed, str] | None:
    """The groups of whole days, from those of all the logs, which several questions of one page are about."""
    labels = catalog.project.labels
    # until a missing label is called absent, a day's labels change with the clock
    instant = known_at if labels is not None and labels.absent_after is not None else None
    key = ("followed predictions", boundary, scope.as_of, instant)
    found: tuple[Followed, str] | None = catalog.answered.get(key)
    if found is None:
        everything = whole_logs(catalog, Scope(as_of=scope.as_of))
        pieces = [(piece, True) for piece in _pieces(everything, boundary, fine=False)]
        found = _read(catalog, pieces, known_at, "all")
        if found is None:
            return None
        for old in [one for one in list(catalog.answered) if isinstance(one, tuple) and one[0] == key[0]]:
            catalog.answered.pop(old, None)
        catalog.answered[key] = found
    return _cut(found[0], scope, catalog.project.zone, earlier=earlier), found[1]


def _cut(followed: Followed, scope: Scope, zone: ZoneInfo, *, earlier: bool) -> Followed:
    start, end = (moment.timestamp() if moment is not None else 0.0 for moment in (scope.start, scope.end))
    inside = (followed.middle >= start) & (followed.middle < end)
    wanted = followed.middle < end if earlier else inside
    if scope.versions:
        wanted &= np.isin(followed.version, scope.versions)
    days, place = np.unique(followed.day[wanted], return_inverse=True)
    windows = [_coarser(day, "day", scope.grain, zone) for day in days.astype(object).tolist()]
    return replace(followed.only(wanted), inside=inside[wanted], window=_named(windows, place))


def _of_whole_days(catalog: Catalog, scope: Scope) -> bool:
    ends = (scope.start, scope.end)
    return (
        not scope.filters
        and scope.by is None
        and scope.grain not in FINER
        and all(one is not None and one == _midnight(one, catalog.project.zone) for one in ends)
    )


def _midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    return local_midnight(moment.astimezone(zone).date(), zone)


def _read(
    catalog: Catalog, pieces: Sequence[tuple[Scope, bool]], known_at: datetime, grain: Grain
) -> tuple[Followed, str] | None:
    """Pieces of time, inside the scope or before it, from parts; None where none of them is stored."""
    asked = [scoped_rows(catalog, piece, now=known_at) for piece, _ in pieces]
    parts = [arrival_parts(catalog, _part_grain(piece)) for piece, _ in pieces]
    stored = [read_stored(catalog, rows, additive) for rows, additive in zip(asked, parts, strict=True)]
    if not any(stored):
        return None
    # what is not stored of a question that mostly is (hours of long ago) is counted in the same way
    found = [
        one or read_added(catalog, rows, additive)
        for one, rows, additive in zip(stored, asked, parts, strict=True)
    ]
    groups = [
        _groups(catalog, table, piece, grain, inside=inside)
        for (table, _), (piece, inside) in zip(found, pieces, strict=True)
    ]
    return joined(groups), found[0][1]


def _part_grain(scope: Scope) -> PartGrain:
    return "5min" if scope.grain == "5min" else "day"


def _pieces(scope: Scope, boundary: datetime, *, fine: bool) -> list[Scope]:
    """What is cut by days, and what by five minutes."""
    start, end = scope.start, scope.end
    if start is None or end is None:
        return []
    if fine or start >= boundary:
        return [replace(scope, grain="5min")]
    if end <= boundary:
        return [replace(scope, grain="day")]
    return [replace(scope, end=boundary, grain="day"), replace(scope, start=boundary, grain="5min")]


def _groups(catalog: Catalog, table: pa.Table, piece: Scope, grain: Grain, *, inside: bool) -> Followed:
    zone, block = catalog.project.zone, catalog.predictions.block
    keys, place = np.unique(_stamps(table, "window_key"), return_inverse=True)
    places = [_Stretch.of(key, piece, zone) for key in keys.astype(object).tolist()]
    sums = {name: column(table, name) for name in _sums(catalog.predictions)}
    weight, squares = sums.get("w", sums["n"]), sums.get("w2", sums["n"])
    labels = sums.get("wy", np.zeros(len(place)))
    return Followed(
        window=_named(
            [_coarser(key, piece.grain, grain, zone) for key in keys.astype(object).tolist()], place
        ),
        day=_named([one.day for one in places], place),
        block=_blocks(_stamps(table, "block_key"), piece, block_grain(block, grain), block, zone),
        middle=np.array([one.middle for one in places], dtype=np.float64)[place],
        inside=np.full(len(place), inside),
        version=_texts(table, "version"),
        delay=column(table, "delay_bin").astype(np.int64),
        labelled=column(table, "labelled") > 0,
        n=sums["n"],
        weight=weight,
        squares=squares,
        labels=labels,
        labels_squares=sums.get("w2y", labels),
        squared_labels=sums.get("w2yy", labels),
        shortest=column(table, "shortest"),
        longest=column(table, "longest"),
    )


def _texts(table: pa.Table, name: str) -> NDArray[np.object_]:
    """A column of few different texts."""
    encoded = table.column(name).combine_chunks().dictionary_encode()
    known = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    place = encoded.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)
    texts: NDArray[np.object_] = known[place]
    return texts


def _named(keys: list[datetime], place: NDArray[np.intp]) -> NDArray[np.datetime64]:
    return np.array(keys, dtype="datetime64[us]")[place]


def _blocks(
    keys: NDArray[np.datetime64], piece: Scope, wanted: Grain, block: Block, zone: ZoneInfo
) -> NDArray[np.int64]:
    """Numbers of the blocks of the windows asked for, from those of the finer windows that were read."""
    if block == "none" or block_grain(block, piece.grain) != piece.grain:
        return keys.astype(np.int64)  # blocks are finer than what was read, or all one: they stay
    known, place = np.unique(keys, return_inverse=True)
    names = [_coarser(key, piece.grain, wanted, zone) for key in known.astype(object).tolist()]
    return _named(names, place).astype(np.int64)


@dataclass(frozen=True)
class _Stretch:
    """Five minutes or a day: its local day, and its middle in seconds since 1970."""

    day: datetime
    middle: float

    @classmethod
    def of(cls, key: datetime, piece: Scope, zone: ZoneInfo) -> _Stretch:
        """The stretch of a window key, cut to what was read."""
        if piece.grain == "5min":
            start = key.replace(tzinfo=UTC)
            end = start + timedelta(minutes=5)
            local = start.astimezone(zone)
        else:
            local = key.replace(tzinfo=zone)
            start = local.astimezone(UTC)
            end = (local + timedelta(days=1)).astimezone(UTC)
        start, end = max(start, piece.start or start), min(end, piece.end or end)
        middle = (start.timestamp() + end.timestamp()) / 2
        return cls(local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None), middle)


def _coarser(key: datetime, fine: Grain, grain: Grain, zone: ZoneInfo) -> datetime:
    """The key of the window of a grain in which five minutes (in UTC) or a local day lie."""
    if grain == "all":
        return WHOLE
    if grain == fine:
        return key
    if grain in FINER:
        minutes = {"15min": 15, "hour": 60}[grain]
        return key.replace(minute=key.minute // minutes * minutes)
    if fine == "5min":
        key = key.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    day = key.replace(hour=0, minute=0)
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def _stamps(table: pa.Table, name: str) -> NDArray[np.datetime64]:
    found: NDArray[np.datetime64] = table.column(name).to_numpy(zero_copy_only=False).astype("datetime64[us]")
    return found
