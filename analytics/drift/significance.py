"""Could the difference between two sides be chance? p-values, and the total variation that chance alone gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.drift.draws import BlockDraws
from analytics.drift.few_blocks import FewBlocks
from analytics.drift.sides import ReferenceSide, Side, join, split
from analytics.stats.clustered import LEAST_BLOCKS
from analytics.stats.distances import mean_total_variation_under_null, total_variation
from analytics.stats.two_sample import (
    anderson_darling_binned,
    anderson_darling_statistic,
    chi_squared,
    chi_squared_statistic,
    combine,
    fisher_2x2,
)

Floats = NDArray[np.float64]


class Significance(NamedTuple):
    """What is known of one field of one window under no drift.

    Attributes:
        p_value: of values, and of missing, infinite and unseen shares, together.
        total_variation: its mean under no drift.
        n_effective: how many independent rows the window's rows are worth.
    """

    p_value: float
    total_variation: float
    n_effective: float


def significance(
    reference: ReferenceSide, window: Side, draws: BlockDraws | None, few_blocks: FewBlocks | None
) -> Significance:
    """Test one field; both sides need rows.

    Args:
        draws: shuffles of as many blocks as both sides have, where both have enough of them.
        few_blocks: the reference's values, from `values_by_block`.
    """
    if draws is not None:
        return _by_blocks(reference, window, draws)
    return _by_rows(reference, window, few_blocks)


def values_by_block(reference: ReferenceSide) -> FewBlocks | None:
    """What windows of few blocks are tested against; None where too few blocks of the reference hold values."""
    values = reference.values
    if (values.sum(axis=1) > 0).sum() < LEAST_BLOCKS:
        return None
    return FewBlocks.of(values, ordered=reference.bins.is_numeric)


def _by_blocks(reference: ReferenceSide, window: Side, draws: BlockDraws) -> Significance:
    left, right = reference.honest.counts, window.counts
    drawn = draws.windows(left, right)
    missing, other = reference.apart
    shares = [
        draws.p_value(split(left, bins), split(right, bins), split(drawn, bins), chi_squared_statistic)
        for bins in ((missing, other) if reference.bins.is_numeric else (missing,))
        if left[:, bins].any() or right[:, bins].any()
    ]
    if not reference.bins.is_numeric and window.total[-1] > 0:
        shares.append(_unseen_p_value(reference, window, reference.share_effects[1]))
    values = _values_by_blocks(reference, window, draws)
    null = draws.mean(left, right, drawn, total_variation) + reference.lone_share
    n_effective = window.n / reference.scaled(reference.effect, window)
    return Significance(combine(values, _least(shares)), null, n_effective)


def _values_by_blocks(reference: ReferenceSide, window: Side, draws: BlockDraws) -> float:
    current, groups = reference.window_values(window)
    left, right = join(reference.values, groups), join(current, groups)
    used = np.flatnonzero(left.any(axis=0) | right.any(axis=0))
    if used.size < 2 or not left.any() or not right.any():
        return 1.0
    left, right = left[:, used], right[:, used]
    kind = anderson_darling_statistic if reference.bins.is_numeric else chi_squared_statistic
    return draws.p_value(left, right, draws.windows(left, right), kind)


def _by_rows(reference: ReferenceSide, window: Side, few_blocks: FewBlocks | None) -> Significance:
    by_block = reference.mode(window) == "few blocks"
    thin = reference.effect if by_block else 1.0
    window_thin = reference.scaled(thin, window)
    pooled = reference.honest.total + window.total
    null = mean_total_variation_under_null(
        pooled / pooled.sum(), reference.side.n / thin, window.n / window_thin
    )
    effects = reference.share_effects if by_block else (1.0, 1.0)
    missing, other = reference.apart
    shares = [
        _share_p_value(reference, window, bins, effect)
        for bins, effect in zip((missing, other), effects, strict=True)
        if pooled[bins].any() and (bins == missing or reference.bins.is_numeric)
    ]
    if not reference.bins.is_numeric and window.total[-1] > 0:
        shares.append(_unseen_p_value(reference, window, effects[1]))
    values = _value_p_value(reference, window, few_blocks if by_block else None)
    return Significance(
        combine(values, _least(shares)), float(null) + reference.lone_share, window.n / window_thin
    )


def _value_p_value(reference: ReferenceSide, window: Side, few_blocks: FewBlocks | None) -> float:
    current, groups = reference.window_values(window)
    if not reference.values.any() or not current.any():
        return 1.0
    if few_blocks is not None:
        return few_blocks.joined(groups).p_value(join(current, groups))
    left, right = (join(counts, groups).sum(axis=0) for counts in (reference.values, current))
    plain = anderson_darling_binned if reference.bins.is_numeric else chi_squared
    return plain(left, right).p_value


def _share_p_value(reference: ReferenceSide, window: Side, bins: slice, effect: float) -> float:
    counts = []
    for side, thin in ((reference.honest, effect), (window, reference.scaled(effect, window))):
        inside = float(side.total[bins].sum())
        counts += [round(inside / thin), round((side.n - inside) / thin)]
    if counts[0] + counts[1] == 0 or counts[2] + counts[3] == 0:
        return 1.0
    return fisher_2x2(*counts).p_value


def _unseen_p_value(reference: ReferenceSide, window: Side, effect: float) -> float:
    """The exact test of more unseen rows than lone rows of the reference let expect; fewer are no drift.

    The variance of the share of lone rows is (lone + paired) / n^2, more than that of a count (Esty, Annals of
    Statistics 11, 1983), so the reference counts for correspondingly fewer rows.
    """
    lone = max(float(reference.lone.sum()), min(reference.paired, 1.0))
    unseen = float(window.total[-1])
    if unseen / window.n <= lone / reference.side.n:
        return 1.0
    thin = effect * (1 + reference.paired / lone) if lone > 0 else 1.0
    window_thin = reference.scaled(effect, window)
    return fisher_2x2(
        round(lone / thin),
        round((reference.side.n - lone) / thin),
        round(unseen / window_thin),
        round((window.n - unseen) / window_thin),
    ).p_value


def _least(p_values: list[float]) -> float:
    """One p-value of several tests looked at together; 1 where there is none."""
    return min(1.0, len(p_values) * min(p_values)) if p_values else 1.0
