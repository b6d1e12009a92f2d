"""Could the difference between two sides be chance? p-values, and the total variation that chance alone gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.unit_counts import UnitPairs
from analytics.drift.by_units import UnitField
from analytics.drift.draws import BlockDraws, Shuffled, least
from analytics.drift.few_blocks import BlockSums, FewBlocks
from analytics.drift.sides import ReferenceSide, Share, Side, join, part
from analytics.drift.windows import Windows
from analytics.stats.clustered import LEAST_BLOCKS
from analytics.stats.distances import mean_total_variation_under_null, total_variation
from analytics.stats.two_sample import (
    NO_TEST,
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


def significances(
    reference: ReferenceSide,
    windows: Windows,
    shuffles: Callable[[Side], BlockDraws],
    few_blocks: FewBlocks | None,
    units: Sequence[Units | None] = (),
) -> list[Significance]:
    """Test one field in some windows; all sides need rows.

    Args:
        reference: what they are compared with.
        windows: each is tested on its own.
        shuffles: a window -> shuffles of as many blocks as both sides have; asked where both have enough of them.
        few_blocks: the reference's values, from `values_by_block`.
        units: of each window, where the reference has units enough; the larger p-value is taken.
    """
    sides = windows.sides
    modes = [reference.mode(side) for side in sides]
    found: dict[int, Significance] = {
        i: _by_blocks(reference, side, shuffles(side), few_blocks)
        for i, side in enumerate(sides)
        if modes[i] == "blocks"
    }
    for mode in ("rows", "few blocks"):
        chosen = [i for i, one in enumerate(modes) if one == mode]
        if chosen:
            by_block = mode == "few blocks"
            one = few_blocks if by_block else None
            more = _by_rows(reference, windows.only(chosen), one, by_block=by_block)
            found.update(zip(chosen, more, strict=True))
    for i, unit in enumerate(units):
        if unit is not None:
            found[i] = _larger(found[i], _by_units(reference, sides[i], unit))
    return [found[i] for i in range(len(sides))]


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
    # one product for all statistics: shares and values are columns of it, or sums of them
    drawn = draws.windows(left, right)
    tests = [
        draws.test(part(left, share), part(right, share), chi_squared_statistic, carry, part(drawn, share))
        for share, _ in _varying(reference, window)
    ]
    values = _values_by_blocks(reference, window, draws, carry, drawn)
    effect = reference.share_effects[1]
    unseen = _unseen(reference, window, effect, reference.scaled(effect, window))
    null = draws.mean(left, right, drawn, total_variation) * carry**0.5
    n_effective = window.n / reference.scaled(reference.effect, window) / carry
    together = least([values, *tests] if values is not None else tests)
    spread = _spread(reference, window) * carry
    return Significance(combine(together, unseen), null + reference.lone_share, n_effective, spread)


def _values_by_blocks(
    reference: ReferenceSide, window: Side, draws: BlockDraws, carry: float, drawn: Floats
) -> Shuffled | None:
    current, groups = reference.window_values(window)
    left, right = join(reference.values, groups), join(current, groups)
    used = np.flatnonzero(left.any(axis=0) | right.any(axis=0))
    if used.size < 2 or not left.any() or not right.any():
        return None
    kind = anderson_darling_statistic if reference.bins.is_numeric else chi_squared_statistic
    # where rare categories are joined, values are not columns of what was drawn
    known = None if reference.joins else drawn[:, used]
    return draws.test(left[:, used], right[:, used], kind, carry, known)


def _by_rows(
    reference: ReferenceSide, windows: Windows, few_blocks: FewBlocks | None, *, by_block: bool
) -> list[Significance]:
    """Windows of few blocks, or of rows that are independent."""
    sides = windows.sides
    thin = reference.effect if by_block else 1.0
    thins = np.array([reference.scaled(thin, side) for side in sides])
    carries = np.array([few_blocks.carry(side.n_blocks) if few_blocks is not None else 1.0 for side in sides])
    pooled = reference.honest.total + windows.totals
    nulls = mean_total_variation_under_null(
        pooled / pooled.sum(axis=1, keepdims=True), reference.side.n / thin, (windows.n / thins)[:, None]
    )
    shares, others = _shares(reference, windows, carries, by_block=by_block)
    effect = reference.share_effects[1] if by_block else 1.0
    for side, tests in zip(sides, shares, strict=True):
        tests.extend(_unseen(reference, side, effect, reference.scaled(effect, side)))
    values = _value_p_values(reference, windows, few_blocks)
    spreads = [
        _spread(reference, side) * carry if by_block else 1.0
        for side, carry in zip(sides, carries, strict=True)
    ]
    chances = nulls * np.sqrt(carries) + reference.lone_share
    worth = windows.n / thins / carries
    return [
        Significance(
            combine(values[i], shares[i], others[i]), float(chances[i]), float(worth[i]), float(spreads[i])
        )
        for i in range(len(sides))
    ]


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
    return [
        (share, effect)
        for share, effect in _known_shares(reference)
        if _varies(reference, share, window.total[None])[0]
    ]


def _known_shares(reference: ReferenceSide) -> list[tuple[Share, float]]:
    known = reference.shares_apart[: 1 + reference.bins.is_numeric]
    return list(zip(known, reference.share_effects, strict=False))


def _varies(reference: ReferenceSide, share: Share, totals: Floats) -> NDArray[np.bool_]:
    """In which of some windows a share can differ from the reference's."""
    left, right = part(reference.honest.total, share), part(totals, share)
    if not left.any():
        return np.zeros(len(totals), dtype=np.bool_)
    return np.logical_and((left + right).all(axis=1), right.any(axis=1))


def _value_p_values(
    reference: ReferenceSide, windows: Windows, few_blocks: FewBlocks | None
) -> list[float | None]:
    """Of each window; None where no side has values, or all values are alike."""
    if few_blocks is None or reference.joins:
        return [_value_p_value(reference, side, few_blocks) for side in windows.sides]
    counts = windows.counts[:, : reference.bins.n_values]
    found: list[float | None] = [None] * len(windows)
    left, sums = reference.values.sum(axis=0), BlockSums.of(counts, windows.starts)
    several = np.count_nonzero(left + sums.totals, axis=1) > 1
    tested = np.flatnonzero(several & sums.totals.any(axis=1) & bool(left.any()))
    for i, p_value in zip(tested, few_blocks.p_values(sums.only(tested)).tolist(), strict=True):
        found[i] = p_value
    return found


def _value_p_value(reference: ReferenceSide, window: Side, few_blocks: FewBlocks | None) -> float | None:
    current, groups = reference.window_values(window)
    left, right = (join(counts, groups).sum(axis=0) for counts in (reference.values, current))
    if not left.any() or not right.any() or np.count_nonzero(left + right) < 2:
        return None
    if few_blocks is not None:
        return few_blocks.joined(groups).p_value(join(current, groups))
    plain = anderson_darling_binned if reference.bins.is_numeric else chi_squared
    return plain(left, right).p_value


def _shares(
    reference: ReferenceSide, windows: Windows, carries: Floats, *, by_block: bool
) -> tuple[list[list[ShareTest]], list[list[float]]]:
    """Tests of the shares that vary, of each window; and p-values of the same by block where these are larger.

    By the same test as values: what is missing comes in storms too.
    """
    shares: list[list[ShareTest]] = [[] for _ in windows.sides]
    others: list[list[float]] = [[] for _ in windows.sides]
    for share, effect in _known_shares(reference):
        varying = np.flatnonzero(_varies(reference, share, windows.totals))
        if not varying.size:
            continue
        careful = np.zeros(len(windows))
        if by_block and (test := reference.share_by_block(share)).groups >= LEAST_BLOCKS:
            sums = BlockSums.of(part(windows.counts, share), windows.starts)
            careful[varying] = test.p_values(sums.only(varying))
        inside = part(windows.totals, share)
        for i in varying.tolist():
            thin = effect * float(carries[i]) if by_block else 1.0
            found = _share(reference, share, thin, inside[i] / reference.scaled(thin, windows.sides[i]))
            if not by_block or found.p_value > careful[i]:
                shares[i].append(found)
            else:
                others[i].append(float(careful[i]))
    return shares, others


def _share(reference: ReferenceSide, share: Share, thin: float, current: Floats) -> ShareTest:
    a, b = part(reference.honest.total, share) / thin
    counts = [round(count) for count in (a, b, *current)]
    # thinning may leave less than one row
    if counts[0] + counts[1] == 0 or counts[2] + counts[3] == 0:
        return NO_TEST
    return share_test(*counts)


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
