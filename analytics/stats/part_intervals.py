"""Intervals for the parts of a change: variances over rows, units and blocks of two sides, whichever is largest.

The influence of a row on a part's effect is linear in what it counts (d) and adds (u), with one gradient inside the
part and one for all rows. Sides of different days are independent; where they share days or units (two versions on the
same requests), those enter with both sides' sums added, so that what is common to both cancels.

A window of fewer than ten blocks cannot tell how much its blocks differ: its variance over rows is widened by how much
more the blocks of the other side vary than its rows, scaled to as many rows a block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from .arrays import FloatArray, IntArray, divide
from .blocks import MINIMUM_CLUSTERS, Independence
from .kitagawa import Gradients


@dataclass(frozen=True)
class TwoSides:
    """Sums of both sides by part; see `analytics.aggregates.change_parts.Parts`.

    Attributes:
        rows: shape (2, V).
        squares: d^2, d u, u^2, shape (3, 2, V).
        blocks: the blocks of each side.
        by_block: of each side d and u, shape (2, G, V).
        unit_own: products of units' sums in the part, shape (V, 4, 4); None without units.
        unit_across: with their sums in all.
        unit_whole: of their sums in all, shape (4, 4).
        n_units: on each side.
    """

    rows: FloatArray
    squares: FloatArray
    blocks: tuple[IntArray, IntArray]
    by_block: tuple[FloatArray, FloatArray]
    unit_own: FloatArray | None = None
    unit_across: FloatArray | None = None
    unit_whole: FloatArray | None = None
    n_units: tuple[int, int] = (0, 0)


class BlockEffect(NamedTuple):
    """How much more the mean of a longer stretch varies than its rows say: by ``excess``, at ``rows`` a block."""

    excess: float
    rows: float
    blocks: int

    def at(self, rows: float) -> float:
        """The factor by which variances of rows are to be widened where a block has that many."""
        return 1.0 + self.excess * rows / self.rows if self.rows > 0 else 1.0


def block_effect(rows: FloatArray, d: FloatArray, u: FloatArray, squares: FloatArray) -> BlockEffect | None:
    """Learn it from the blocks of a longer stretch; None where these are too few.

    Args:
        rows: of each block, shape (G,).
        d, u: sums of each block.
        squares: d^2, d u, u^2 of all rows, shape (3,).
    """
    if len(rows) < MINIMUM_CLUSTERS or not d.sum() > 0:
        return None
    value = u.sum() / d.sum()
    by_rows = float(squares[2] - 2.0 * value * squares[1] + value**2 * squares[0])
    by_blocks = float(_variance_of((u - value * d)[:, None])[0])
    excess = max(by_blocks / by_rows - 1.0, 0.0) if by_rows > 0 else 0.0
    # what a row meets: rows of full days count for more than those of empty ones
    return BlockEffect(excess, float((rows**2).sum() / rows.sum()), len(rows))


class Spread(NamedTuple):
    """Standard errors of the effects of all parts, degrees of freedom (infinite: normal), and what is independent."""

    error: FloatArray
    df: FloatArray
    independence: tuple[Independence, ...]

    def reach(self, confidence: float) -> FloatArray:
        """Half the width of the intervals."""
        quantile = np.where(
            np.isinf(self.df),
            stats.norm.ppf((1 + confidence) / 2),
            stats.t.ppf((1 + confidence) / 2, np.where(np.isinf(self.df), 1.0, self.df)),
        )
        return np.asarray(quantile * self.error)


def spread_of(
    sides: TwoSides, gradients: Gradients, times: float = 1.0, longer: BlockEffect | None = None
) -> Spread:
    """Standard errors of effects.

    Args:
        sides: the sums.
        gradients: of the effects by d and u of the part and of the whole.
        times: what each influence is multiplied by (2 for ranks: every pair counts in two rows).
        longer: how blocks of a longer stretch vary, for sides of which neither has ten.
    """
    rows = _row_variances(sides, gradients)
    by_side, counts = _block_totals(sides, gradients)
    shared = np.intersect1d(sides.blocks[0], sides.blocks[1]).size
    n_parts = rows.shape[1]
    if shared and 2 * shared >= min(len(sides.blocks[0]), len(sides.blocks[1])):
        variance, df, independent = _paired(sides, by_side, rows)
    else:
        variance, df, independent = _apart(sides, by_side, counts, rows, longer)
    if sides.unit_own is not None and min(sides.n_units) >= MINIMUM_CLUSTERS:
        units = _unit_variance(sides, gradients)
        larger = units > variance
        variance = np.where(larger, units, variance)
        df = np.where(larger, float(min(sides.n_units) - 1), df)
        independent = np.where(larger, "units", independent)
    names: tuple[Independence, ...] = tuple(str(name) for name in independent)  # type: ignore[misc]
    return Spread(times * np.sqrt(np.maximum(variance, 0.0)), np.broadcast_to(df, (n_parts,)).copy(), names)


def _row_variances(sides: TwoSides, g: Gradients) -> FloatArray:
    """Of both sides, shape (2, V)."""
    found = []
    for side in (0, 1):
        inside = sides.squares[:, side]
        outside = inside.sum(axis=1, keepdims=True) - inside
        a, b = g.part_d[:, side] + g.whole_d[:, side], g.part_u[:, side] + g.whole_u[:, side]
        c, e = g.whole_d[:, side], g.whole_u[:, side]
        found.append(_form(a, b, inside) + _form(c, e, outside))
    return np.maximum(np.stack(found), 0.0)


def _form(a: FloatArray, b: FloatArray, squares: FloatArray) -> FloatArray:
    return np.asarray(a**2 * squares[0] + 2.0 * a * b * squares[1] + b**2 * squares[2])


def _block_totals(sides: TwoSides, g: Gradients) -> tuple[list[FloatArray], list[float]]:
    """Influence by block and part of each side, and rows a block."""
    totals, rows = [], []
    for side in (0, 1):
        d, u = sides.by_block[side]
        whole_d, whole_u = d.sum(axis=1, keepdims=True), u.sum(axis=1, keepdims=True)
        totals.append(
            d * g.part_d[:, side]
            + u * g.part_u[:, side]
            + whole_d * g.whole_d[:, side]
            + whole_u * g.whole_u[:, side]
        )
        rows.append(float(sides.rows[side].sum()) / max(len(sides.blocks[side]), 1))
    return totals, rows


def _paired(
    sides: TwoSides, totals: list[FloatArray], rows: FloatArray
) -> tuple[FloatArray, FloatArray, np.ndarray[tuple[int], np.dtype[np.str_]]]:
    union = np.union1d(*sides.blocks)
    both = np.zeros((len(union), rows.shape[1]))
    for blocks, one in zip(sides.blocks, totals, strict=True):
        both[np.searchsorted(union, blocks)] += one
    by_rows = rows.sum(axis=0)
    independent = np.full(rows.shape[1], "rows", dtype="<U6")
    df = np.full(rows.shape[1], np.inf)
    if len(union) < MINIMUM_CLUSTERS:
        return by_rows, df, independent
    # the same requests on both sides: what is common cancels, so days speak even where rows would say more
    return _variance_of(both), np.full_like(df, len(union) - 1.0), np.full_like(independent, "blocks")


def _apart(
    sides: TwoSides,
    totals: list[FloatArray],
    per_block: list[float],
    rows: FloatArray,
    longer: BlockEffect | None,
) -> tuple[FloatArray, FloatArray, np.ndarray[tuple[int], np.dtype[np.str_]]]:
    effects = []
    for side in (0, 1):
        known = len(sides.blocks[side]) >= MINIMUM_CLUSTERS
        effects.append(divide(_variance_of(totals[side]), rows[side], 1.0) if known else None)
    variance = np.zeros(rows.shape[1])
    below = np.zeros(rows.shape[1])
    widened = np.zeros(rows.shape[1], dtype=bool)
    for side in (0, 1):
        effect, other = effects[side], effects[1 - side]
        n_blocks = len(sides.blocks[side]) if effect is not None else len(sides.blocks[1 - side])
        if effect is None and other is not None:
            scale = divide(per_block[side], per_block[1 - side], 1.0)
            effect = 1.0 + (np.maximum(_typical(other), other) - 1.0) * float(scale)
        elif effect is None and longer is not None:
            effect, n_blocks = np.full(rows.shape[1], longer.at(per_block[side])), longer.blocks
        own = rows[side] if effect is None else rows[side] * np.maximum(effect, 1.0)
        variance += own
        if effect is not None:
            wide = effect > 1.0
            widened |= wide
            below += np.where(wide, own**2 / max(n_blocks - 1, 1), 0.0)
    df = np.where(widened, divide(variance**2, below, np.inf), np.inf)
    return variance, df, np.where(widened, "blocks", "rows")


def _typical(effects: FloatArray) -> float:
    """Parts that were hardly there before tell little of how their days differ: the middle one stands in."""
    known = effects[np.isfinite(effects) & (effects > 0)]
    return float(np.median(known)) if known.size else 1.0


def _variance_of(totals: FloatArray) -> FloatArray:
    return np.asarray(len(totals) * totals.var(axis=0, ddof=1))


def _unit_variance(sides: TwoSides, g: Gradients) -> FloatArray:
    if sides.unit_own is None or sides.unit_across is None or sides.unit_whole is None:
        raise ValueError("the sums over units were not read")
    part = np.stack([g.part_d[:, 0], g.part_u[:, 0], g.part_d[:, 1], g.part_u[:, 1]], axis=1)
    whole = np.stack([g.whole_d[:, 0], g.whole_u[:, 0], g.whole_d[:, 1], g.whole_u[:, 1]], axis=1)
    n = min(sides.n_units)
    found = (
        np.einsum("vi,vij,vj->v", part, sides.unit_own, part)
        + 2.0 * np.einsum("vi,vij,vj->v", part, sides.unit_across, whole)
        + np.einsum("vi,ij,vj->v", whole, sides.unit_whole, whole)
    )
    return np.asarray(np.maximum(found, 0.0) * n / (n - 1.0))
