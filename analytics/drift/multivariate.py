"""Drift of many columns at once: the rows of both sides brought together, judged by two methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analytics.drift.multivariate_rows import CarrierRow, MultivariateRow
from analytics.results import Status
from analytics.stats.blocks import Independence
from analytics.stats.domain_classifier import (
    DRAWS,
    Sides,
    area_of,
    classify,
    difference,
    fold_sides,
    out_of_fold,
    placements,
    quantile_of,
)
from analytics.stats.feature_maps import FeatureMap, Matrix, feature_map
from analytics.stats.multiplicity import benjamini_hochberg
from analytics.stats.reconstruction import reconstruction

ALPHA = 0.05
LEAST_ROWS = 30
LEAST_BLOCKS = 8
LEAST_TURNS = 20
"""Blocks there must be in all before one of them can stand out at 5 %."""
_SEED = 9176
Column = npt.NDArray[np.float64] | Sequence[str | None]


@dataclass(frozen=True)
class Rows:
    """Sampled rows of one side.

    Attributes:
        columns: name -> numbers (nan for missing) or texts (None for missing).
        block: the block of each row, in the order of time.
        unit: the unit of each row; None where none is declared.
        weight: of each row.
        place: the row's position in the sample.
    """

    columns: Mapping[str, Column]
    block: npt.NDArray[np.int64]
    unit: npt.NDArray[np.object_] | None
    weight: npt.NDArray[np.float64]
    place: npt.NDArray[np.int64]

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.block)

    @property
    def n_blocks(self) -> int:
        """Blocks of time."""
        return len(np.unique(self.block))

    def take(self, chosen: npt.NDArray[np.int64]) -> Rows:
        """Some of the rows."""
        columns = {
            name: values[chosen] if isinstance(values, np.ndarray) else [values[i] for i in chosen]
            for name, values in self.columns.items()
        }
        unit = None if self.unit is None else self.unit[chosen]
        return Rows(columns, self.block[chosen], unit, self.weight[chosen], self.place[chosen])


@dataclass(frozen=True)
class Both:
    """Rows of the reference, then of the window.

    Attributes:
        independence: what folds and permutations hold together: blocks, units or single rows.
        sides: which row is whose, and its fold.
        block: of each row; numbered apart on either side, in the order of time.
    """

    window: Rows
    reference: Rows
    independence: Independence
    sides: Sides
    block: npt.NDArray[np.int64]

    @property
    def stretch(self) -> npt.NDArray[np.int64]:
        """Of each row its block or, where there are too few of those, its unit."""
        return self.sides.cluster if self.independence == "units" else self.block

    def column(self, name: str) -> Column:
        """One column of both sides."""
        left, right = self.reference.columns[name], self.window.columns[name]
        if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
            return np.concatenate([left, right])
        return [*left, *right]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(self.window.columns)


def bring_together(reference: Rows, window: Rows, size: int) -> Both:
    """Cut both sides to as many rows a block, so that blocks of either side could change places.

    Args:
        reference: sampled rows.
        window: sampled rows.
        size: rows to keep in all.
    """
    by_block = reference.n_blocks >= LEAST_BLOCKS
    if by_block:
        most = _most_a_block(reference.block, window.block, size)
        reference, window = _at_most(reference, most), _at_most(window, most)
    else:
        reference, window = _first(reference, size // 2), _first(window, size // 2)
    side = np.repeat([False, True], [reference.n, window.n])
    weight = np.concatenate([reference.weight, window.weight])
    block = np.concatenate([_codes(reference.block), _codes(window.block) + reference.n_blocks])
    independence: Independence = "blocks" if by_block else "rows"
    cluster: npt.NDArray[np.int64] = block if by_block else np.arange(len(side))
    if not by_block and reference.unit is not None and window.unit is not None:
        independence = "units"
        units = np.concatenate([reference.unit, window.unit])
        cluster = np.unique([f"{s}{u}" for s, u in zip(side, units, strict=True)], return_inverse=True)[1]
    return Both(window, reference, independence, fold_sides(side, cluster, weight), block)


def _most_a_block(reference: npt.NDArray[np.int64], window: npt.NDArray[np.int64], size: int) -> int:
    counts = np.sort(np.concatenate([np.unique(side, return_counts=True)[1] for side in (reference, window)]))
    # the largest m with sum min(count, m) <= size
    for done, count in enumerate(counts):
        left = len(counts) - done
        if counts[:done].sum() + count * left > size:
            return max(int((size - counts[:done].sum()) // left), 1)
    return int(counts[-1])


def _at_most(rows: Rows, most: int) -> Rows:
    generator = np.random.default_rng(_SEED)
    shuffled = np.lexsort((generator.random(rows.n), rows.block))
    blocks = rows.block[shuffled]
    starts = np.flatnonzero(np.concatenate([[True], blocks[1:] != blocks[:-1]]))
    within = np.arange(rows.n) - np.repeat(starts, np.diff(np.append(starts, rows.n)))
    return rows.take(np.sort(shuffled[within < most]))


def _first(rows: Rows, most: int) -> Rows:
    if rows.n <= most:
        return rows
    return rows.take(np.sort(np.random.default_rng(_SEED).choice(rows.n, most, replace=False)))


def _codes(block: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.unique(block, return_inverse=True)[1]


def state(both: Both) -> tuple[Status, str | None]:
    """Whether a window can be judged at all."""
    if not both.window.n:
        return "no_data", "no rows in this window"
    for rows, name in ((both.window, "window"), (both.reference, "reference")):
        if rows.n < LEAST_ROWS:
            return "too_few", f"{rows.n} rows in the {name}; {LEAST_ROWS} are needed"
    lone = both.independence == "blocks" and both.window.n_blocks == 1
    if lone and both.reference.n_blocks + 1 < LEAST_TURNS:
        return "too_few", (
            f"the window is one block of time and the reference has {both.reference.n_blocks}: one of fewer than "
            f"{LEAST_TURNS} cannot stand out at 5 %; take a longer window"
        )
    return "ok", None


def by_classifier(
    blank: MultivariateRow, both: Both, design: Matrix, confidence: float, draws: int = DRAWS
) -> MultivariateRow:
    """Fill a row by the domain classifier on a given matrix."""
    if not design.shape[1]:
        return replace(blank, status="undefined", reason="every column has one value on both sides")
    found, _ = classify(design, both.sides, confidence=confidence, draws=draws)
    moved = [moved_at_least(area, found.null_mean) for area in (found.auc, found.ci_low, found.ci_high)]
    return replace(
        blank, value=found.auc, ci_low=found.ci_low, ci_high=found.ci_high, null_mean=found.null_mean,
        null_high=found.null_high, p_value=found.p_value, effect=moved[0], effect_ci_low=moved[1],
        effect_ci_high=moved[2], n_draws=found.draws, independence=both.independence,
    )  # fmt: skip


def moved_at_least(area: float, by_chance: float) -> float:
    """The share of rows that must have moved, at least: no rule separates more than the total variation does.

    An area of A under the curve needs a total variation of 2 A - 1 or more; what chance gives is taken off.

    >>> round(moved_at_least(0.8, 0.49), 6)
    0.6
    """
    return min(max(2 * (area - max(by_chance, 0.5)), 0.0), 1.0)


def by_reconstruction(blank: MultivariateRow, both: Both, confidence: float) -> MultivariateRow:
    """Fill a row by the reconstruction error of principal components."""
    columns = [both.column(name) for name in both.names]
    found = reconstruction(columns, both.sides.side, both.stretch, both.sides.weight, confidence)
    if found is None:
        return replace(blank, status="undefined", reason="fewer than two columns vary in the reference")
    low, high = found.ci_low - found.null_mean, found.ci_high - found.null_mean
    scale = found.null_mean if found.null_mean > 0 else None
    return replace(
        blank, value=found.value, ci_low=found.ci_low, ci_high=found.ci_high, null_mean=found.null_mean,
        null_low=found.null_low, null_high=found.null_high, p_value=found.p_value,
        effect=abs(found.value - found.null_mean) / scale if scale else None,
        effect_ci_low=(0.0 if low <= 0 <= high else min(abs(low), abs(high)) / scale) if scale else None,
        effect_ci_high=max(abs(low), abs(high)) / scale if scale else None,
        n_components=found.n_components, n_draws=found.n_yardstick,
        independence="rows" if found.yardstick == "rows" else both.independence,
    )  # fmt: skip


def judged(rows: Sequence[MultivariateRow]) -> tuple[MultivariateRow, ...]:
    """Correct the p-values of one window and version (Benjamini and Hochberg), and give the verdicts.

    Drift needs a corrected p-value under 5 % and an effect of the tolerance; the classifier's interval must also lie
    above what chance gives, so that the picture and the verdict agree.
    """
    adjusted = benjamini_hochberg([row.p_value for row in rows])
    return tuple(
        row if row.p_value is None else replace(row, p_adjusted=float(p), drifted=_drifted(row, float(p)))
        for row, p in zip(rows, adjusted, strict=True)
    )


def _drifted(row: MultivariateRow, p_adjusted: float) -> bool:
    if p_adjusted >= ALPHA or row.effect is None or row.effect < row.tolerance:
        return False
    above = row.ci_low is not None and row.null_mean is not None and row.ci_low > row.null_mean
    return row.method == "reconstruction_error" or above


def map_of(both: Both) -> FeatureMap:
    """The features of both sides, encoded together."""
    return feature_map([both.column(name) for name in both.names])


def carriers(blank: CarrierRow, both: Both, confidence: float) -> tuple[CarrierRow, ...]:
    """Which features carry the classifier: what it loses without each, and what each does alone."""
    encoded = map_of(both)
    design = encoded.design()
    if not design.shape[1]:
        return (replace(blank, status="undefined", reason="every column has one value on both sides"),)
    found, rules = classify(design, both.sides, draws=1)
    full = placements(found.scores, both.sides)
    order = _within_folds(both.sides)
    quantile = quantile_of(both.sides, confidence)
    rows = []
    for place, name in enumerate(both.names):
        shuffled = encoded.design(place, order)
        lost = difference(full, placements(out_of_fold(shuffled, both.sides, rules), both.sides), both.sides)
        reach = quantile * lost.standard_error
        own = encoded.alone(place)
        alone = (
            area_of(placements(out_of_fold(own, both.sides), both.sides), both.sides, confidence)
            if own.shape[1]
            else (0.5, 0.5, 0.5)
        )
        rows.append(
            replace(
                blank, feature=name, value=lost.value, ci_low=lost.value - reach, ci_high=lost.value + reach,
                auc_alone=alone[0], auc_alone_ci_low=alone[1], auc_alone_ci_high=alone[2], auc=found.auc,
                independence=both.independence,
            )
        )  # fmt: skip
    ranked = sorted(rows, key=lambda row: (-(row.value or 0.0), row.feature))
    return tuple(replace(row, rank=rank) for rank, row in enumerate(ranked, 1))


def newest(both: Both, k: int) -> list[tuple[int, float]]:
    """Positions in the window's rows of those that look least like the reference, with the share beyond them."""
    design = map_of(both).design()
    if not design.shape[1]:
        return []
    found, _ = classify(design, both.sides, draws=1)
    window = np.flatnonzero(both.sides.side)
    beyond, score = found.share_beyond[window], found.scores[window]
    order = np.lexsort((-score, beyond))[:k]
    return [(int(i), float(beyond[i])) for i in order]


def _within_folds(sides: Sides) -> npt.NDArray[np.int64]:
    """An order that exchanges rows of one fold."""
    generator = np.random.default_rng(_SEED)
    order = np.arange(len(sides.fold))
    for k in range(int(sides.fold.max()) + 1):
        rows = np.flatnonzero(sides.fold == k)
        order[rows] = generator.permutation(rows)
    return order
