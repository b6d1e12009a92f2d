"""What earlier predictions tell about when labels come: curves by version, and what to expect of a window."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arrivals import Arrivals
from analytics.stats.arrivals import EDGES, ArrivalCurve, Combined, FollowUp, follow_up, kaplan_meier

LEAST_DAYS = 5
LEAST_ROWS = 200
OWN, ALL = "version", "all versions"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """Follow-up of predictions by version and local day.

    Attributes:
        days: local midnights, ascending.
        by_version: version -> follow-up by day.
        rows: version -> rows by day, shape (G,).
    """

    days: tuple[datetime, ...]
    by_version: Mapping[str | None, FollowUp]
    rows: Mapping[str | None, Floats]


class Learned(NamedTuple):
    """A curve and where it is from."""

    curve: ArrivalCurve
    n: int
    source: str


def history_of(arrivals: Arrivals) -> History:
    """Sum counts into follow-up by version and day."""
    by_version, rows = {}, {}
    for place, version in enumerate(arrivals.versions):
        mine = arrivals.version == place
        by_version[version] = follow_up(
            arrivals.day[mine], len(arrivals.days), arrivals.age[mine], arrivals.delay[mine],
            arrivals.weight[mine], arrivals.squares[mine],
        )  # fmt: skip
        rows[version] = np.bincount(
            arrivals.day[mine], arrivals.n[mine], minlength=len(arrivals.days)
        ).astype(np.float64)
    return History(arrivals.days, by_version, rows)


def learn(history: History, version: str | None, before: datetime | None) -> Learned | None:
    """The curve of a version from whole days before a local instant; of all versions where its own are too few.

    Args:
        history: of all predictions.
        version: whose labels.
        before: wall-clock time in the project's zone; days that have ended by then count; None takes all.
    """
    stop = len(history.days) if before is None else bisect_left(history.days, before)
    if before is not None and stop and _ends_after(history.days[stop - 1], before):
        stop -= 1
    if stop == 0:
        return None
    own = history.by_version.get(version)
    n_own = int(history.rows[version][:stop].sum()) if own is not None else 0
    if (
        own is not None
        and n_own >= LEAST_ROWS
        and np.count_nonzero(history.rows[version][:stop]) >= LEAST_DAYS
    ):
        curve = kaplan_meier(own[:stop])
        if curve is not None:
            return Learned(curve, n_own, OWN)
    return _of_all(history, stop, version)


def _ends_after(day: datetime, before: datetime) -> bool:
    return (before - day).total_seconds() < 86_400


def _of_all(history: History, stop: int, version: str | None) -> Learned | None:
    versions = list(history.by_version)
    if not versions:
        return None
    total = history.by_version[versions[0]][:stop]
    for other in versions[1:]:
        total = total + history.by_version[other][:stop]
    curve = kaplan_meier(total)
    n = int(sum(rows[:stop].sum() for rows in history.rows.values()))
    if curve is None:
        return None
    return Learned(curve, n, OWN if versions == [version] else ALL)


def expected(curve: ArrivalCurve, ages: Floats, due: float) -> Combined | None:
    """The share of a window's predictions expected to have a label.

    Args:
        curve: how labels come.
        ages: weight of the window's rows by the bin of their age, without those that are due.
        due: weight of rows whose missing label has come to mean something.

    Returns:
        None for a window without rows. Rows older than the curve is known are expected where it ends.
    """
    total = float(ages.sum()) + due
    if total <= 0:
        return None
    parts = np.zeros(len(EDGES))
    # a row's age lies between its bin's edges: half of either
    parts += 0.5 * ages
    parts[1:] += 0.5 * ages[:-1]
    parts[-1] += 0.5 * ages[-1]
    beyond = parts[curve.last + 1 :].sum()
    parts[curve.last] += beyond
    parts[curve.last + 1 :] = 0.0
    found = curve.combine(parts / total)
    return Combined(found.value + due / total, found.chosen)


def ages_of(arrivals: Arrivals, window: datetime, version: str | None) -> tuple[Floats, float]:
    """Weight by age bin of one window and version, and the weight of its rows that are due."""
    if window not in arrivals.windows or version not in arrivals.versions:
        return np.zeros(len(EDGES)), 0.0
    mine = (arrivals.window == arrivals.windows.index(window)) & (
        arrivals.version == arrivals.versions.index(version)
    )
    young = mine & ~arrivals.due
    ages = np.bincount(arrivals.age[young], arrivals.weight[young], minlength=len(EDGES))
    return ages.astype(np.float64), float(arrivals.weight[mine & arrivals.due].sum())
