"""Sums of both sides -> rows of the accounting: what each part adds to the change, with its interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.change_parts import Parts
from analytics.explain.rows import ExplainRow, Part
from analytics.results import Status
from analytics.stats.kitagawa import Accounting, account, total_gradients
from analytics.stats.part_intervals import BlockEffect, Spread, TwoSides, block_effect, spread_of

Floats = NDArray[np.float64]
LEAST_ROWS = 20


@dataclass(frozen=True)
class Subject:
    """What a change is of.

    Attributes:
        metric: the contract's word.
        version: of the rows after.
        compared_with: the other side in words.
        confidence: of the intervals.
        times: what influences are multiplied by; 2 for ranks.
        root: whether the metric is the root of the mean.
        state: of the whole window: ok, or immature.
        reason: why.
        longer: how much more blocks of a longer stretch vary than rows; needed where neither side has ten.
    """

    metric: str
    version: str | None
    compared_with: str
    confidence: float
    times: float = 1.0
    root: bool = False
    state: Status = "ok"
    reason: str | None = None
    longer: BlockEffect | None = None

    def blank(self, part: Part, status: Status, reason: str | None) -> ExplainRow:
        """A row without numbers."""
        return ExplainRow(
            self.metric, self.version, part, None, None, None, None, None, None, None, None, None, None, None, 0, 0,
            None, status, reason, self.compared_with,
        )  # fmt: skip


@dataclass(frozen=True)
class Named:
    """How the values of a part read: the segment, each value, and the filters that show its rows."""

    part: Part
    segment: str | None
    values: tuple[str | None, ...]
    where: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Effects:
    """An accounting with its errors, before it becomes rows; `scale` turns squares into roots."""

    found: Accounting
    spread: Spread
    scale: float
    change: float


def enough(parts: Parts) -> tuple[Status, str] | None:
    """Why nothing can be said about a change, or None."""
    rows = parts.n.sum(axis=1) if parts.n.size else np.zeros(2)
    sides = ("before", "after")
    for side, n in zip(sides, rows.tolist(), strict=True):
        if n == 0:
            return "no_data", f"no rows {side} that this metric can be computed from"
    for side, n in zip(sides, rows.tolist(), strict=True):
        if n < LEAST_ROWS:
            return "too_few", f"{n:.0f} rows {side}; at least {LEAST_ROWS} are needed"
    if not np.isfinite(parts.d).all() or not np.isfinite(parts.u).all():
        return "undefined", "a side holds rows of one class only, or values that are no numbers"
    if not (parts.d.sum(axis=1) > 0).all():
        return "undefined", "a side holds nothing that counts"
    return None


def effects_of(parts: Parts, subject: Subject) -> Effects:
    """The accounting of one split."""
    found = account(parts.d, parts.u)
    units = parts.units
    sides = TwoSides(
        parts.n, parts.squares, parts.blocks, parts.by_block,
        None if units is None else units.own, None if units is None else units.across,
        None if units is None else units.whole, (0, 0) if units is None else units.n,
    )  # fmt: skip
    spread = spread_of(sides, total_gradients(found, parts.d), subject.times, subject.longer)
    scale, change = 1.0, found.change
    if subject.root:
        # R1 - R0 of roots is the change of the squares by the sum of the roots
        both = float(np.sqrt(np.maximum(found.whole, 0.0)).sum())
        scale = 1.0 / both if both > 0 else 0.0
        change = change * scale
    return Effects(found, spread, scale, change)


def account_rows(parts: Parts, named: Named, subject: Subject) -> tuple[ExplainRow, ...]:
    """One row a value; their totals add up to the whole change."""
    effects = effects_of(parts, subject)
    found, scale = effects.found, effects.scale
    reach = effects.spread.reach(subject.confidence) * scale
    total = found.total * scale
    blank = replace(subject.blank(named.part, subject.state, subject.reason), segment=named.segment)
    rows = []
    for i, value in enumerate(named.values):
        there = parts.n[:, i] > 0
        if not there.any():
            continue
        was, now = (_shown(float(found.value[side, i]), subject) if there[side] else None for side in (0, 1))
        rows.append(
            replace(
                blank,
                segment_value=value,
                mix_effect=float(found.mix[i] * scale),
                rate_effect=float(found.rate[i] * scale),
                total_effect=float(total[i]),
                ci_low=float(total[i] - reach[i]),
                ci_high=float(total[i] + reach[i]),
                share_before=float(found.share[0, i]),
                share_after=float(found.share[1, i]),
                value_before=was,
                value_after=now,
                n_before=int(parts.n[0, i]),
                n_after=int(parts.n[1, i]),
                where=named.where[i],
                independence=effects.spread.independence[i],
                share_of_change=float(total[i] / effects.change) if effects.change != 0 else None,
                reason=_reason(there, subject),
            )
        )
    return tuple(rows)


def _reason(there: NDArray[np.bool_], subject: Subject) -> str | None:
    if not there[0]:
        return "no such rows before: the value after stands in, and all of its effect is mix"
    if not there[1]:
        return "no such rows after: the value before stands in, and all of its effect is mix"
    return subject.reason


def _shown(value: float, subject: Subject) -> float:
    return float(np.sqrt(max(value, 0.0))) if subject.root else value


def longer_of(whole: Parts) -> BlockEffect | None:
    """How the blocks of a longer stretch vary, from the sums of everything; None where none is held."""
    longer = whole.longer
    if longer is None or longer.by_block.shape[1] == 0:
        return None
    d, u = longer.by_block.sum(axis=2)
    # what counts stands in for rows, which are not kept by block
    rows = d * (float(longer.n.sum()) / float(d.sum())) if d.sum() > 0 else d
    return block_effect(rows, d, u, longer.squares.sum(axis=1))


def effect_a_row(effects: Effects, parts: Parts, longer: BlockEffect | None) -> float:
    """By how much each further row of the same block widens variances: what makes slices of few days unsure."""
    if longer is not None:
        return longer.excess / longer.rows if longer.rows > 0 else 0.0
    by_rows = 0.0
    for side in (0, 1):
        d, u = parts.d[side].sum(), parts.u[side].sum()
        dd, du, uu = parts.squares[:, side].sum(axis=1)
        value = u / d
        by_rows += max(float(uu - 2 * value * du + value**2 * dd), 0.0) / float(d) ** 2
    error = float(effects.spread.error[0])
    excess = max(error**2 / by_rows - 1.0, 0.0) if by_rows > 0 else 0.0
    rows = [float(parts.n[side].sum()) / max(len(parts.blocks[side]), 1) for side in (0, 1)]
    return excess / max(min(rows), 1.0)
