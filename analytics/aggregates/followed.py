"""Predictions by stretch of time and by the delay of their first label, and what is told from them at any instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arrivals import Arrivals, Delays
from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import RowMoments
from analytics.stats.arrivals import EDGES, delay_bins
from analytics.telemetry.parts import WHOLE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EARLY_LATE = ("early_rows", "early_labels", "late_rows", "late_labels")


@dataclass(frozen=True)
class Followed:
    """Groups of predictions of one stretch of time, version and delay, shape (C,) each.

    Attributes:
        window: key of the window of the scope that was asked for.
        day: local midnight.
        block: number of the stretch whose rows are not taken as independent.
        middle: middle of the stretch in which they were made, in seconds since 1970.
        inside: whether they belong to the scope, and not to what came before it.
        version: as logged.
        delay: bin of the delay of the first label; -1 where none has come.
        labelled: whether they have a label.
        n, weight, squares: rows, their weights, and squared weights.
        labels, labels_squares, squared_labels: sums of w y, w^2 y and w^2 y^2 over labels y.
        shortest, longest: delays in seconds; nan where no label has come.
    """

    window: NDArray[np.datetime64]
    day: NDArray[np.datetime64]
    block: Ints
    middle: Floats
    inside: NDArray[np.bool_]
    version: NDArray[np.object_]
    delay: Ints
    labelled: NDArray[np.bool_]
    n: Floats
    weight: Floats
    squares: Floats
    labels: Floats
    labels_squares: Floats
    squared_labels: Floats
    shortest: Floats
    longest: Floats

    def only(self, chosen: NDArray[np.bool_]) -> Followed:
        """Some of the groups."""
        return Followed(**{one.name: getattr(self, one.name)[chosen] for one in fields(self)})

    def of(self, version: str | None) -> Followed:
        """The groups of one version."""
        codes, known = _coded(self.version)
        return self.only(codes == known.index(version) if version in known else codes < 0)


def joined(parts: Sequence[Followed]) -> Followed:
    """Groups of disjoint rows, one after another."""
    return Followed(
        **{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Followed)}
    )


def arrivals_of(
    followed: Followed,
    known_at: datetime,
    *,
    learn: bool,
    outages: Sequence[tuple[datetime, datetime]] = (),
    absent_after: timedelta | None = None,
    sql: str = "",
) -> Arrivals:
    """The groups as `analytics.aggregates.arrivals.read_arrivals` would count the rows.

    Args:
        followed: from `read_followed`.
        known_at: what came later has not come.
        learn: all groups, up to declared outages, in one window; otherwise those inside the scope.
        outages: stretches in which no label could come.
        absent_after: when a missing label has come to mean the absent one.
        sql: the text that scanned.
    """
    cells = followed if learn else followed.only(followed.inside)
    plain = np.maximum(known_at.timestamp() - cells.middle, 0.0)
    until = np.full(len(cells.middle), known_at.timestamp())
    for start, end in outages if learn else ():
        early = cells.middle < end.timestamp()
        until[early] = np.minimum(until[early], np.maximum(start.timestamp(), cells.middle[early]))
    age = delay_bins(np.maximum(until - cells.middle, 0.0))
    came = (cells.delay >= 0) & (cells.delay <= age)
    windows, window = (
        np.unique(cells.window, return_inverse=True)
        if not learn
        else (np.array([WHOLE], dtype="datetime64[us]"), np.zeros(len(age), dtype=np.int64))
    )
    days, day = np.unique(cells.day, return_inverse=True)
    version, versions = _coded(cells.version)
    due = np.zeros(len(age), dtype=np.bool_)
    if absent_after is not None:
        due = plain >= absent_after.total_seconds()
    return Arrivals(
        tuple(windows.astype(object).tolist()), tuple(versions), tuple(days.astype(object).tolist()), ("",),
        window.astype(np.int64), version, day.astype(np.int64), np.zeros(len(age), dtype=np.int64), age,
        np.where(came, cells.delay, -1), due, cells.n, cells.weight, cells.squares,
        np.where(came, cells.longest, np.nan), sql,
    )  # fmt: skip


def delays_of_groups(followed: Followed, known_at: datetime) -> dict[CellKey, Delays]:
    """Median and 95 % point of the delays of every window's labels; inside a bin as if it were filled evenly."""
    came = followed.middle + followed.shortest <= known_at.timestamp()  # nan where none has
    chosen = np.flatnonzero(followed.inside & came)
    codes, versions = _coded(followed.version[chosen])
    windows, window = np.unique(followed.window[chosen], return_inverse=True)
    order = np.lexsort((followed.delay[chosen], codes, window))
    sizes = len(versions)
    cells, first = np.unique((window * sizes + codes)[order], return_index=True)
    found = {}
    for cell, mine in zip(cells.tolist(), np.split(chosen[order], first[1:]), strict=True):
        key = CellKey(windows[cell // sizes].astype(object), versions[cell % sizes], None)
        n, low, high = followed.n[mine], followed.shortest[mine], followed.longest[mine]
        points = [_quantile(share, n, followed.delay[mine], low, high) for share in (0.5, 0.95)]
        found[key] = Delays(int(n.sum()), points[0], points[1])
    return found


def _coded(names: NDArray[np.object_]) -> tuple[Ints, list[str | None]]:
    """Each version as its place among those that occur, None first."""
    known = sorted(set(names.tolist()), key=lambda name: (name is not None, name))
    place = {name: index for index, name in enumerate(known)}
    return np.array([place[name] for name in names.tolist()], dtype=np.int64), known


def _quantile(share: float, n: Floats, bins: Ints, low: Floats, high: Floats) -> float:
    """An order statistic of what lies in sorted bins."""
    known, first = np.unique(bins, return_index=True)
    rows = np.add.reduceat(n, first)
    least, most = np.minimum.reduceat(low, first), np.maximum.reduceat(high, first)
    upto = np.cumsum(rows)
    rank = np.ceil(share * upto[-1] - 1e-9)
    place = int(min(np.searchsorted(upto, rank), len(known) - 1))
    inside = (rank - (upto[place] - rows[place])) / rows[place]
    return float(least[place] + (most[place] - least[place]) * min(max(inside, 0.0), 1.0))


def early_late_moments(
    followed: Followed, known_at: datetime, middle: float, least_age: float
) -> RowMoments | None:
    """Rows and labels of labels that came sooner than ``middle`` seconds, and of the others; None without any.

    Args:
        followed: of one version.
        known_at: the present.
        middle: an edge of `analytics.stats.arrivals.EDGES`.
        least_age: younger predictions are left out.
    """
    age = known_at.timestamp() - followed.middle
    chosen = followed.inside & followed.labelled & (followed.delay >= 0) & (age >= least_age)
    cells = followed.only(chosen)
    if not len(cells.n):
        return None
    early = EDGES[cells.delay] < middle
    blocks, block = np.unique(cells.block, return_inverse=True)
    sums, counts, products = [], [], np.zeros((4, 4))
    for place, side in ((0, early), (2, ~early)):
        for values in (cells.weight, cells.labels):
            sums.append(np.bincount(block, np.where(side, values, 0.0), len(blocks)))
            counts.append(float(cells.n[side].sum()))
        products[place, place] = cells.squares[side].sum()
        products[place, place + 1] = products[place + 1, place] = cells.labels_squares[side].sum()
        products[place + 1, place + 1] = cells.squared_labels[side].sum()
    return RowMoments(
        EARLY_LATE, int(cells.n.sum()), np.array(counts), blocks, np.stack(sums, axis=1), products
    )
