"""Adding stored parts by numpy: what a key is called in the answer is told once for each of its values.

A SELECT that groups and sums 110,000 rows of stored score histograms took 39 ms of processor time, and 6 ms over 180
rows, all of it planning; this takes 9 and under 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.scope import Grain
from analytics.telemetry.parts import WHOLE, PartGrain

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
_FLAGGED = 1 << 22
"""So many possible groups are counted off; of more, those that there are get sorted."""
_EXACT = 2.0**53
"""Up to here doubles hold every whole number."""


@dataclass(frozen=True)
class Key:
    """What becomes of a key of parts.

    Attributes:
        name: of its column.
        becomes: its value in the answer, from that in a part (None for a missing one); None to leave all as they are.
        counts: whether rows with a value count; None where all do.
    """

    name: str
    becomes: Callable[[Any], Any] | None = None
    counts: Callable[[Any], bool] | None = None


def coarser(parts: PartGrain, grain: Grain, zone: ZoneInfo) -> Callable[[datetime], datetime] | None:
    """What a moment that parts are cut by becomes where they are added up to longer stretches.

    Args:
        parts: by day moments are local midnights, below instants in UTC; both without a zone.
        grain: of the answer, no finer than the parts.
        zone: of local days.

    >>> coarser("day", "week", ZoneInfo("UTC"))(datetime(2026, 11, 22))
    datetime.datetime(2026, 11, 16, 0, 0)
    """
    if grain == parts:
        return None
    if grain == "all":
        return lambda _: WHOLE
    if grain in {"15min", "hour"}:
        minutes = 15 if grain == "15min" else 60
        return lambda moment: moment.replace(minute=moment.minute // minutes * minutes)
    if parts == "day":
        return lambda midnight: _first_day(midnight, grain)
    return lambda moment: _first_day(moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None), grain)


def _first_day(local: datetime, grain: Grain) -> datetime:
    """The midnight at which the local day, week or month of a moment begins."""
    midnight = datetime.combine(local.date(), time())
    if grain == "week":
        return midnight - timedelta(days=midnight.weekday())
    return midnight.replace(day=1) if grain == "month" else midnight


@dataclass(frozen=True)
class _Coded:
    """A column as places in a list of its values."""

    index: Integers
    values: pa.Array


def sums_of_parts(
    parts: pa.Table, keys: Sequence[Key], *, lows: Sequence[str] = (), highs: Sequence[str] = ()
) -> pa.Table:
    """The rows of parts added up by what becomes of their keys.

    Args:
        parts: rows to add.
        keys: the columns that are keys; the others are summed.
        lows, highs: columns of which the least, the greatest counts instead.

    Returns:
        One row a group, in no order; columns in the order of the parts.

    >>> parts = pa.table({"day": [1, 2, 2], "n": [3, 4, 5], "low": [.1, .3, .2]})
    >>> sums_of_parts(parts, [Key("day", lambda _: 0)], lows=["low"]).to_pylist()
    [{'day': 0, 'n': 12, 'low': 0.1}]
    """
    coded = [_coded(parts.column(key.name)) for key in keys]
    kept = np.ones(parts.num_rows, dtype=np.bool_)
    for key, each in zip(keys, coded, strict=True):
        if key.counts is not None:
            kept &= np.array([key.counts(value) for value in each.values.to_pylist()], np.bool_)[each.index]
    if not kept.all():
        parts = parts.filter(pa.array(kept))
        coded = [_Coded(each.index[kept], each.values) for each in coded]
    coded = [_become(key, each) for key, each in zip(keys, coded, strict=True)]
    groups, n_groups = _groups(coded, parts.num_rows)
    columns = {key.name: each for key, each in zip(keys, coded, strict=True)}
    if n_groups == parts.num_rows:  # nothing to add: one row a group
        return _with_keys(parts, columns, np.arange(n_groups))
    firsts = np.empty(n_groups, dtype=np.int64)
    firsts[groups[::-1]] = np.arange(parts.num_rows - 1, -1, -1)
    added = {}
    for name in parts.column_names:
        if name not in columns:
            added[name] = _added(parts.column(name), groups, n_groups, low=name in lows, high=name in highs)
    return _with_keys(parts, columns, firsts, added)


def _with_keys(
    parts: pa.Table,
    keys: dict[str, _Coded],
    rows: Integers,
    added: dict[str, pa.Array] | None = None,
) -> pa.Table:
    columns = []
    for name in parts.column_names:
        if name in keys:
            columns.append(keys[name].values.take(pa.array(keys[name].index[rows])))
        elif added is not None:
            columns.append(added[name])
        else:
            column = parts.column(name)
            kind = _kind(column.type)
            columns.append(column if column.type == kind else column.cast(kind))
    return pa.table(columns, names=parts.column_names)


def _coded(column: pa.ChunkedArray) -> _Coded:
    encoded = column.combine_chunks().dictionary_encode("encode")
    return _Coded(encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary)


def _become(key: Key, coded: _Coded) -> _Coded:
    if key.becomes is None:
        return coded
    places: dict[Any, int] = {}
    told = [places.setdefault(key.becomes(value), len(places)) for value in coded.values.to_pylist()]
    return _Coded(np.array(told, dtype=np.int64)[coded.index], pa.array(list(places), coded.values.type))


def _groups(coded: Sequence[_Coded], n_rows: int) -> tuple[Integers, int]:
    """Each row's group, counted from 0, and how many there are."""
    groups, size = np.zeros(n_rows, dtype=np.int64), 1
    for each in coded:
        if len(each.values) > 1:
            groups, size = groups * len(each.values) + each.index, size * len(each.values)
            if size > n_rows:
                groups, size = _told_apart(groups, size)
    return _told_apart(groups, size)


def _told_apart(groups: Integers, size: int) -> tuple[Integers, int]:
    """Numbers without those that no row has."""
    if size > _FLAGGED:
        found, inverse = np.unique(groups, return_inverse=True)
        return inverse.astype(np.int64), len(found)
    there = np.zeros(size, dtype=np.bool_)
    there[groups] = True
    found = np.flatnonzero(there)
    numbers = np.empty(size, dtype=np.int64)
    numbers[found] = np.arange(len(found))
    return numbers[groups], len(found)


def _kind(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return kind
    return pa.int64() if pa.types.is_integer(kind) else pa.float64()


def _added(column: pa.ChunkedArray, groups: Integers, n_groups: int, *, low: bool, high: bool) -> pa.Array:
    """Sums (or the least, the greatest) by group; missing values are left out, and where all are there is none."""
    kind = _kind(column.type)
    missing: Flags | None = None
    if column.null_count:
        valid = column.is_valid().to_numpy()
        missing = np.bincount(groups[valid], minlength=n_groups) == 0
        column, groups = column.drop_null(), groups[valid]
    of_moments = pa.types.is_timestamp(kind)
    if of_moments:
        column = column.cast(pa.int64())
    whole = of_moments or pa.types.is_integer(kind)
    values = column.to_numpy().astype(np.int64 if whole else np.float64, copy=False)
    total = _ends(values, groups, n_groups, high=high) if low or high else _sums(values, groups, n_groups)
    return pa.array(total, mask=missing).cast(kind)


def _sums(values: NDArray[Any], groups: Integers, n_groups: int) -> NDArray[Any]:
    if values.dtype == np.float64:
        return np.bincount(groups, values, n_groups)
    if len(values) and max(float(values.max()), -float(values.min())) * len(values) >= _EXACT:
        total = np.zeros(n_groups, dtype=np.int64)
        np.add.at(total, groups, values)
        return total
    return np.bincount(groups, values, n_groups).astype(np.int64)


def _ends(values: NDArray[Any], groups: Integers, n_groups: int, *, high: bool) -> NDArray[Any]:
    """The least or the greatest by group; not a number is above all numbers, as in SQL."""
    if values.dtype == np.int64:
        bounds = np.iinfo(np.int64)
        ends = np.full(n_groups, bounds.min if high else bounds.max, dtype=np.int64)
        (np.maximum if high else np.minimum).at(ends, groups, values)
        return ends
    found = np.full(n_groups, -np.inf if high else np.nan)
    with np.errstate(invalid="ignore"):
        (np.maximum if high else np.fmin).at(found, groups, values)
    return found
