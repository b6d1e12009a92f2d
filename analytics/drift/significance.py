"""Could the difference between two sides be chance? p-values, and the total variation that chance alone gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.unit_counts import UnitPairs
from analytics.drift.by_units import UnitField
from analytics.drift.draws import BlockDraws, Shuffled, least
from analytics.drift.few_blocks import FewBlocks
from analytics.drift.sides import ReferenceSide, Share, Side, join, part
from analytics.stats.clustered import LEAST_BLOCKS
from analytics.stats.distances import mean_total_variation_under_null, total_variation
from analytics.stats.two_sample import (
    ShareTest,
    anderson_darling_binned,
    anderson_darling_statistic,
    chi_squared,
    chi_squared_statistic,
    combine,
    share_test,
)

Floats = NDArray[np.float64]


class Significance(NamedTuple):
    """What is known of one field of one window under no drift.

    Attributes:
        p_value: of values, and of missing, infinite and unseen shares, together.
        total_variation: its mean under no drift.
        n_effective: how many independent rows the window's rows are worth.
        spread: how many times the difference of shares varies as much as with independent rows.
        by_units: whether units, not rows or blocks, decided.
    """

    p_value: float
    total_variation: float
    n_effective: float
    spread: float = 1.0
    by_units: bool = False


class Units(NamedTuple):
    """One field by unit: of the reference, and how a window's rows share units."""

    field: UnitField
    pairs: UnitPairs


def significance(
    reference: ReferenceSide,
    window: Side,
    draws: BlockDraws | None,
    few_blocks: FewBlocks | None,
    units: Units | None = None,
) -> Significance:
    """Test one field; both sides need rows.

    Args:
        draws: shuffles of as many blocks as both sides have, where both have enough of them.
        few_blocks: the reference's values, from `values_by_block`.
        units: where the reference has units enough; the larger p-value is taken.
    """
    found = (
        _by_rows(reference, window, few_blocks)
        if draws is None
        else _by_blocks(reference, window, draws, few_blocks)
    )
    return found if units is None else _larger(found, _by_units(reference, window, units))


def _larger(one: Significance, other: Significance) -> Significance:
    """The larger p-value, and of everything else what is more careful."""
    return Significance(
        max(one.p_value, other.p_value),
        max(one.total_variation, other.total_variation),
        min(one.n_effective, other.n_effective),
        max(one.spread, other.spread),
        other.p_value > one.p_value,
    )


def _by_units(reference: ReferenceSide, window: Side, units: Units) -> Significance:
    field, pairs = units
    thin = field.thinning(reference.side, field.units.alike), field.thinning(window, pairs.alike)
    shares = [field.share_p_value(window, share, pairs) for share, _ in _varying(reference, window)]
    values = field.values_p_value(window, pairs)
    p_value = combine(values, _unseen(reference, window, *thin), shares)
    pooled, spread = reference.honest.total + window.total, field.spread(window, pairs)
    null = mean_total_variation_under_null(pooled / pooled.sum(), reference.side.n, window.n)
    return Significance(p_value, float(null) * spread**0.5 + reference.lone_share, window.n / thin[1], spread)


def values_by_block(reference: ReferenceSide) -> FewBlocks | None:
    """What windows of few blocks are tested against; None where too few blocks of the reference hold values."""
    values = reference.values
    if (values.sum(axis=1) > 0).sum() < LEAST_BLOCKS:
        return None
    return FewBlocks.of(values, ordered=reference.bins.is_numeric)


def _by_blocks(
    reference: ReferenceSide, window: Side, draws: BlockDraws, few_blocks: FewBlocks | None
) -> Significance:
    carry = 1.0 if few_blocks is None else few_blocks.carry(window.n_blocks)
    left, right = reference.honest.counts, window.counts
    tests = [
        draws.test(part(left, share), part(right, share), chi_squared_statistic, carry)
        for share, _ in _varying(reference, window)
    ]
    values = _values_by_blocks(reference, window, draws, carry)
    effect = reference.share_effects[1]
    unseen = _unseen(reference, window, effect, reference.scaled(effect, window))
    null = draws.mean(left, right, draws.windows(left, right), total_variation) * carry**0.5
    n_effective = window.n / reference.scaled(reference.effect, window) / carry
    together = least([values, *tests] if values is not None else tests)
    spread = _spread(reference, window) * carry
    return Significance(combine(together, unseen), null + reference.lone_share, n_effective, spread)


def _values_by_blocks(
    reference: ReferenceSide, window: Side, draws: BlockDraws, carry: float
) -> Shuffled | None:
    current, groups = reference.window_values(window)
    left, right = join(reference.values, groups), join(current, groups)
    used = np.flatnonzero(left.any(axis=0) | right.any(axis=0))
    if used.size < 2 or not left.any() or not right.any():
        return None
    kind = anderson_darling_statistic if reference.bins.is_numeric else chi_squared_statistic
    return draws.test(left[:, used], right[:, used], kind, carry)


def _by_rows(reference: ReferenceSide, window: Side, few_blocks: FewBlocks | None) -> Significance:
    by_block = reference.mode(window) == "few blocks"
    thin = reference.effect if by_block else 1.0
    window_thin = reference.scaled(thin, window)
    carry = few_blocks.carry(window.n_blocks) if by_block and few_blocks is not None else 1.0
    pooled = reference.honest.total + window.total
    null = mean_total_variation_under_null(
        pooled / pooled.sum(), reference.side.n / thin, window.n / window_thin
    )
    shares = [
        _share(reference, window, share, effect * carry if by_block else 1.0)
        for share, effect in _varying(reference, window)
    ]
    others = _shares_by_block(reference, window) if by_block else []
    shares, others = _careful(shares, others)
    effect = reference.share_effects[1] if by_block else 1.0
    shares += _unseen(reference, window, effect, reference.scaled(effect, window))
    values = _value_p_value(reference, window, few_blocks if by_block else None)
    spread = _spread(reference, window) * carry if by_block else 1.0
    chance = float(null) * carry**0.5 + reference.lone_share
    return Significance(combine(values, shares, others), chance, window.n / window_thin / carry, spread)


def _spread(reference: ReferenceSide, window: Side) -> float:
    """How many times the difference of shares varies as much as with independent rows, over all bins."""
    own, others = reference.effect, reference.scaled(reference.effect, window)
    m, n = reference.side.n, window.n
    return max((own / m + others / n) / (1 / m + 1 / n), 1.0)


def _varying(reference: ReferenceSide, window: Side) -> list[tuple[Share, float]]:
    """The shares that can differ at all between the sides, of missing and of infinite rows; with the blocks' effects.

    A share that is 0 or 1 on both sides is the same however rows are dealt out: it is no test, and p does not pay
    for it. Rows are cut in turn (missing of all, infinite of the present), so that the tests are independent of one
    another and of the values.
    """
    known = reference.shares_apart[: 1 + reference.bins.is_numeric]
    left, right = reference.honest.total, window.total
    return [
        (share, effect)
        for share, effect in zip(known, reference.share_effects, strict=False)
        if part(left + right, share).all() and part(left, share).any() and part(right, share).any()
    ]


def _value_p_value(reference: ReferenceSide, window: Side, few_blocks: FewBlocks | None) -> float | None:
    """None where no side has values, or all values are alike."""
    current, groups = reference.window_values(window)
    left, right = (join(counts, groups).sum(axis=0) for counts in (reference.values, current))
    if not left.any() or not right.any() or np.count_nonzero(left + right) < 2:
        return None
    if few_blocks is not None:
        return few_blocks.joined(groups).p_value(join(current, groups))
    plain = anderson_darling_binned if reference.bins.is_numeric else chi_squared
    return plain(left, right).p_value


def _share(reference: ReferenceSide, window: Side, share: Share, effect: float) -> ShareTest:
    counts = []
    for side, thin in ((reference.honest, effect), (window, reference.scaled(effect, window))):
        inside, outside = part(side.total, share) / thin
        counts += [round(inside), round(outside)]
    # thinning may leave less than one row
    if counts[0] + counts[1] == 0 or counts[2] + counts[3] == 0:
        return ShareTest(1.0, np.ones(1), np.ones(1))
    return share_test(*counts)


def _shares_by_block(reference: ReferenceSide, window: Side) -> list[float]:
    """The shares that vary, by the same test as values: what is missing comes in storms too; 0 where it cannot tell."""
    found = []
    for share, _ in _varying(reference, window):
        test = reference.share_by_block(share)
        found.append(test.p_value(part(window.counts, share)) if test.groups >= LEAST_BLOCKS else 0.0)
    return found


def _careful(tests: list[ShareTest], by_block: list[float]) -> tuple[list[ShareTest], list[float]]:
    """Of two p-values of each share the larger."""
    if not by_block:
        return tests, []
    pairs = list(zip(tests, by_block, strict=True))
    return [test for test, p in pairs if test.p_value > p], [p for test, p in pairs if p >= test.p_value]


def _unseen(reference: ReferenceSide, window: Side, effect: float, window_effect: float) -> list[ShareTest]:
    """The exact test of more unseen rows than lone rows of the reference let expect; fewer are no drift.

    The variance of the share of lone rows is (lone + paired - lone^2 / n) / n^2, more than that of a count (Esty,
    Annals of Statistics 11, 1983), so the reference counts for correspondingly fewer rows.
    """
    lone, unseen = float(reference.lone.sum()), float(window.total[-1])
    if reference.bins.is_numeric or lone + unseen <= 0:
        return []
    missing = reference.bins.n_values
    present, window_present = (side.n - float(side.total[missing]) for side in (reference.side, window))
    lone = max(lone, min(reference.paired, 1.0))
    binomial = lone * (1 - lone / present) if present > 0 else 0.0
    thin = effect * (1 + reference.paired / binomial) if binomial > 0 else effect
    counts = [
        lone / thin,
        (present - lone) / thin,
        unseen / window_effect,
        (window_present - unseen) / window_effect,
    ]
    a, b, c, d = (max(round(count), 0) for count in counts)
    return [share_test(a, b, c, d, upwards=True)] if a + b > 0 and c + d > 0 else []
