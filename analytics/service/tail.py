"""Who waits longest: the units behind the slowest one percent, and whether few of them carry it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from analytics.aggregates.tail_units import TailCell
from analytics.service.rows import TailRow
from analytics.stats.carried import Carried, carried_by_few
from analytics.stats.rare import share_interval

PRIVATE = "(private)"
CARRIED_BY = 1.5
"""How much more than chance brings the ten units must carry to be called the tail's cause."""


def tail_rows(
    cell: TailCell,
    window: tuple[datetime, datetime],
    version: str | None,
    confidence: float,
    *,
    private: bool,
) -> Iterator[TailRow]:
    """The units of one version, those with most slow requests first."""
    all_slow = int(cell.n_slow.sum())
    if not all_slow:
        return
    found = carried_by_few(np.repeat(cell.asked, cell.n_units), np.repeat(cell.waited, cell.n_units))
    n_slow_units = int(cell.n_units[cell.waited > 0].sum())
    for place, unit in enumerate(cell.units, 1):
        share = unit.n_slow / unit.n
        low, high = share_interval(share, share * (1.0 - share) / unit.asked, unit.asked, confidence)
        yield TailRow(
            *window, version, cell.limit, place, PRIVATE if private else unit.unit, unit.n, unit.n_slow, share, low,
            high, unit.n_slow / all_slow, int(cell.n_units.sum()), n_slow_units, all_slow, found.share, found.expected,
            found.p_value, _carried(found), "ok", None,
        )  # fmt: skip


def _carried(found: Carried) -> bool | None:
    if found.p_value is None or found.expected is None:
        return None
    return found.p_value < 0.05 and found.share >= CARRIED_BY * found.expected
