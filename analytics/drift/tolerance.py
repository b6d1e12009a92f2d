"""How much change is tolerated, in plain units, and whether a change is surely more.

A tolerance of so many standard deviations or quantiles becomes the share of rows that moves when the reference itself
shifts by so much, on this field's own bins. The shifted reference is the gentlest one with that mean (of values, or of
ranks): exponential tilting, shares proportional to p exp(t s), which moves a normal feature as a whole and needs no
room between the values of one that has few. "Surely more" is judged by the non-central chi-squared distribution, whose
non-centrality is that of the tolerated shift (Potgieter, van Zyl, Schutte and Lombard, arXiv 2307.11878).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from analytics.aggregates.features import FieldCounts
from analytics.aggregates.reference_bins import ReferenceBins
from analytics.drift.sides import ReferenceSide
from analytics.drift.significance import Significance
from analytics.drift.windows import Windows
from analytics.project import STANDARD_TOLERANCE, Tolerance
from analytics.stats.arrays import divide
from analytics.stats.two_sample import chi_squared_statistic

Floats = NDArray[np.float64]


class Moments(NamedTuple):
    """Mean and standard deviation of the finite values of a numeric field; None where there are none."""

    mean: float
    deviation: float


def moments(bins: ReferenceBins, counts: FieldCounts) -> Moments | None:
    """Mean and standard deviation from sums around the middle of the bins."""
    n = float(counts.counts[:, : bins.n_values].sum())
    if not bins.is_numeric or n <= 0:
        return None
    gap, squares = float(counts.once.sum()) / n, float(counts.twice.sum()) / n
    found = Moments(bins.centre + gap, math.sqrt(max(squares - gap**2, 0.0)))
    # a spread that is rounding is none
    if not all(map(math.isfinite, found)):
        return None
    return found if found.deviation > 1e-9 * abs(gap) else Moments(found.mean, 0.0)


def shifts_in_deviations(
    bins: ReferenceBins, reference: Moments | None, windows: FieldCounts
) -> list[float | None]:
    """(mean of a window - mean of the reference) / standard deviation of the reference, of each window.

    Args:
        bins: the field's.
        reference: of the reference; without one, or without a spread, there are no shifts.
        windows: the field's sums, a row for each window.
    """
    n = windows.counts[:, : bins.n_values].sum(axis=1)
    if reference is None or reference.deviation <= 0:
        return [None] * len(n)
    held = np.where(n > 0, n, np.nan)
    gaps, squares = windows.once / held, windows.twice / held
    shifts = (bins.centre + gaps - reference.mean) / reference.deviation
    known = np.isfinite(shifts) & np.isfinite(squares - np.square(gaps))
    return [shift if one else None for one, shift in zip(known.tolist(), shifts.tolist(), strict=True)]


def shifts_in_quantiles(reference: ReferenceSide, totals: Floats) -> list[float | None]:
    """P(a window's value is the larger) + P(both are equal) / 2 - 1/2, values of one bin taken as equal; -1/2 to 1/2.

    So much higher in the reference, as a quantile, a value of the window stands on average.

    Args:
        reference: the field's.
        totals: rows per bin of each window, shape (W, B).
    """
    n = reference.bins.n_values
    order = [n + 2, *range(n), n + 1]
    left = reference.side.total[order] if reference.bins.is_numeric else np.zeros(1)
    if left.sum() <= 0:
        return [None] * len(totals)
    right, shares = totals[:, order], left / left.sum()
    ranks, held = np.cumsum(shares) - shares / 2, right.sum(axis=1)
    found = (right @ ranks) / np.where(held > 0, held, 1.0) - 0.5
    return [shift if one else None for one, shift in zip((held > 0).tolist(), found.tolist(), strict=True)]


@dataclass(frozen=True)
class Tolerated:
    """The shift of one field that is tolerated.

    Attributes:
        tolerance: as declared, in its own unit.
        share: the share of rows it moves (total variation).
        shares: the shares of the reference's bins after it, in the order of the bins.
    """

    tolerance: Tolerance
    share: float
    shares: Floats


def tolerated(reference: ReferenceSide, field: FieldCounts, declared: Tolerance) -> Tolerated:
    """What a declared tolerance means for one field; the reference needs rows.

    Fields that are no numbers take the standard tolerance where it is declared as a shift of numbers.
    """
    bins, shares = reference.bins, reference.honest.shares
    values = shares[: bins.n_values]
    if not bins.is_numeric or values.sum() <= 0 or declared.unit == "share":
        plain = declared if declared.unit == "share" else STANDARD_TOLERANCE
        return Tolerated(plain, plain.value, _moved_by_share(reference, plain.value))
    own = values / values.sum()
    scores = _ranks(own) if declared.unit == "quantile" else _deviations(reference, field)
    options = [_tilted(own, scores, sign * declared.value) for sign in (-1.0, 1.0)]
    gentlest = min(options, key=lambda option: _moved(own, option))
    after = shares.copy()
    after[: bins.n_values] = gentlest * values.sum()
    return Tolerated(declared, _moved(shares, after), after)


def _moved_by_share(reference: ReferenceSide, share: float) -> Floats:
    """Shares after the gentlest change that moves this share of rows: by normal scores, or between two halves."""
    shares, n = reference.honest.shares, reference.bins.n_values
    whole = float(shares[:n].sum())
    own = shares[:n] / whole if whole > 0 else shares
    if reference.bins.is_numeric and (own > 0).sum() > 2:
        scores = special.ndtri(_ranks(own))

        def short(shift: float) -> float:
            return _moved(own, _tilted(own, scores, shift)) * whole - share

        # no shift moves more than this one
        if short(2.0) > 0:
            after = shares.copy()
            after[:n] = _tilted(own, scores, float(optimize.brentq(short, 0.0, 2.0, xtol=1e-6))) * whole
            return after
    return _between_halves(shares, share)


def _between_halves(shares: Floats, share: float) -> Floats:
    """Move a share of rows from the larger categories to the others, each in proportion."""
    order = np.argsort(shares)[::-1]
    upto = np.cumsum(shares[order])
    giving = np.zeros(shares.size, dtype=bool)
    giving[order[: int(np.argmin(np.abs(upto - 0.5))) + 1]] = True
    inside = float(shares[giving].sum())
    moved = min(share, inside)
    rest = np.where(giving, 0.0, shares)
    taken = np.where(giving, shares, 0.0) * (1 - moved / inside)
    given = rest * (1 + moved / rest.sum()) if rest.sum() > 0 else rest
    after: Floats = taken + given
    return after


def _ranks(own: Floats) -> Floats:
    middle: Floats = np.cumsum(own) - own / 2
    return np.clip(middle, 1e-9, 1 - 1e-9)


def _deviations(reference: ReferenceSide, field: FieldCounts) -> Floats:
    """The mean of each bin in standard deviations: its middle, or at the ends the mean of the reference's rows."""
    edges, n = reference.bins.edges, reference.bins.n_values
    spread = moments(reference.bins, field)
    if spread is None or spread.deviation <= 0 or not edges:
        return np.zeros(n)
    counts, side = reference.side.total, reference.side
    low = edges[0] - (side.below / counts[0] if counts[0] > 0 else 0.0)
    high = edges[-1] + (side.above / counts[n - 1] if counts[n - 1] > 0 else 0.0)
    means = np.array([low, *(np.array(edges[:-1]) / 2 + np.array(edges[1:]) / 2), high])
    found: Floats = (means - spread.mean) / spread.deviation
    return found if np.isfinite(found).all() else np.zeros(n)


def _tilted(own: Floats, scores: Floats, shift: float) -> Floats:
    """Shares proportional to own x exp(t score) whose mean score is larger by the shift; as far as it goes."""
    used = own > 0
    start = float(own @ np.where(used, scores, 0.0))
    reach = (scores[used].max() if shift > 0 else scores[used].min()) - start
    if shift == 0 or scores[used].max() == scores[used].min():
        return own

    def at(t: float) -> Floats:
        power = np.where(used, t * (scores - start), -np.inf)
        raw = own * np.exp(power - power.max())
        return np.asarray(raw / raw.sum())

    def short(t: float) -> float:
        return float(at(t) @ np.where(used, scores, 0.0)) - start - shift

    far = math.copysign(1.0, shift) * 50 / float(np.ptp(scores[used]))
    while abs(shift) < 0.999 * abs(reach) and short(far) * shift < 0 and abs(far) < 1e12:
        far *= 4
    if short(far) * shift <= 0:
        return at(far)
    return at(float(optimize.brentq(short, 0.0, far, xtol=1e-9)))


def _moved(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).sum()) / 2


def p_beyond(
    reference: ReferenceSide,
    windows: Windows,
    limit: Tolerated,
    chances: Sequence[Significance],
    variations: Floats,
) -> list[float]:
    """The p-value of "the shift is at most the tolerated one", of each window: small where it is surely more.

    The larger of two: chi-squared over all bins against the non-central distribution of the tolerated shift; and the
    share moved itself, as chi-squared alone would call a small change of rare values more than a large one of common
    ones. Both are divided by how many times the shares vary as much as those of independent rows.

    Args:
        reference: needs rows.
        windows: each needs rows.
        limit: what is tolerated.
        chances: of the same field and windows.
        variations: the total variation found in each.
    """
    left, right = reference.honest.total, windows.totals
    m, n = reference.side.n, windows.n[:, None]
    spreads = np.array([chance.spread for chance in chances])
    worth = m * windows.n / (m + windows.n) / spreads
    own = left / m
    pooled = (m * own + n * limit.shares) / (m + n)
    noncentrality = worth * divide(np.square(limit.shares - own), pooled).sum(axis=1)
    freedom = np.maximum((left + right > 0).sum(axis=1) - 1, 1)
    statistics = chi_squared_statistic(np.broadcast_to(left, right.shape), right) / spreads
    by_bins = 1 - special.chndtr(statistics, freedom, noncentrality)
    risen = right / n > left / m
    parts = ((left + right) * risen).sum(axis=1) / (m + windows.n)
    errors = np.sqrt(np.maximum(parts * (1 - parts), 1e-12) / worth)
    expected = np.array([chance.total_variation for chance in chances]) + limit.share
    by_share = special.ndtr((expected - variations) / errors)
    found: list[float] = np.clip(np.maximum(by_bins, by_share), 0.0, 1.0).tolist()
    return found
