"""How much a field tells about which of two groups a row is in, from counts by block: bits, with an interval.

The plug-in estimate is biased upwards. The jackknife over blocks takes the bias off, also what comes from rows of one
block being alike, and gives the error. The test of no difference is Pearson's chi-squared over the mean design effect
of its cells (Rao and Scott), which the blocks give as well.

Sources: Efron and Stein, Annals of Statistics 9 (1981); Rao and Scott, Annals of Statistics 12 (1984).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .arrays import FloatArray
from .blocks import MINIMUM_CLUSTERS, Independence
from .mutual_information import plug_in


@dataclass(frozen=True)
class Gain:
    """What a field tells.

    Attributes:
        value: bits beyond chance, never below 0.
        ci_low, ci_high: of the value.
        by_chance: bits that were taken off.
        p_value: of shares that are the same in both groups.
        design_effect: how many times the blocks' shares vary as much as those of independent rows would.
        independence: rows where there are fewer than ten blocks.
    """

    value: float
    ci_low: float
    ci_high: float
    by_chance: float
    p_value: float
    design_effect: float
    independence: Independence


def information_gain(
    counts: FloatArray, confidence: float = 0.95, independence: Independence = "blocks"
) -> Gain | None:
    """Measure it from counts of shape (blocks, 2, bins); None where one group or all but one bin is empty.

    >>> same = np.full((20, 2, 2), 25.0)
    >>> gain = information_gain(same)
    >>> gain.value, gain.p_value
    (0.0, 1.0)
    >>> apart = np.array([[[50.0, 0.0], [0.0, 50.0]]] * 20)
    >>> round(float(information_gain(apart).value), 3)
    1.0
    """
    whole = counts.sum(axis=0)
    used = whole.sum(axis=0) > 0
    if used.sum() < 2 or not (whole.sum(axis=1) > 0).all():
        return None
    held = counts[:, :, used]
    whole = held.sum(axis=0)
    groups = len(held)
    kind: Independence = "rows"
    raw = float(plug_in(whole))
    n = float(whole.sum())
    bins = int(used.sum())
    of_rows = (bins - 1) / (2 * n * np.log(2))
    if groups < MINIMUM_CLUSTERS:
        chance, error, effect, df = of_rows, _row_error(whole, raw), 1.0, np.inf
    else:
        without = plug_in(whole - held)
        error = max(
            float(np.sqrt((groups - 1) / groups * np.square(without - without.mean()).sum())),
            _row_error(whole, raw),
        )
        effect = _design_effect(held)
        # the jackknife's own bias where it is known, and never less than that of independent rows
        chance = max((groups - 1) * (float(without.mean()) - raw), of_rows, of_rows * effect)
        df, kind = groups - 1.0, independence
    value = max(raw - chance, 0.0)
    half = float(stats.t.ppf((1 + confidence) / 2, df) * error)
    p_value = float(stats.chi2.sf(_pearson(whole) / effect, bins - 1))
    return Gain(
        value, max(raw - chance - half, 0.0), max(raw - chance + half, value), chance, p_value, effect, kind
    )


def _row_error(whole: FloatArray, raw: float) -> float:
    """Standard error of the plug-in over independent rows."""
    shares = whole / whole.sum()
    product = shares.sum(axis=0, keepdims=True) * shares.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(shares > 0, np.log2(shares / product), 0.0)
    return float(np.sqrt(max(float((shares * logs**2).sum()) - raw**2, 0.0) / whole.sum()))


def _pearson(whole: FloatArray) -> float:
    expected = whole.sum(axis=0, keepdims=True) * whole.sum(axis=1, keepdims=True) / whole.sum()
    return float(((whole - expected) ** 2 / expected).sum())


def _design_effect(held: FloatArray) -> float:
    """Mean over bins of the variance of the difference of shares by blocks over that by rows; at least 1."""
    whole = held.sum(axis=0)
    totals = whole.sum(axis=1)
    pooled = whole.sum(axis=0) / totals.sum()
    # influence of a block on the difference of the two groups' shares, were both at the pooled one
    sizes = held.sum(axis=2)
    influence = (held[:, 0] - sizes[:, :1] * pooled) / totals[0] - (
        held[:, 1] - sizes[:, 1:] * pooled
    ) / totals[1]
    groups = len(held)
    by_block = groups / (groups - 1) * np.square(influence - influence.mean(axis=0)).sum(axis=0)
    by_row = pooled * (1 - pooled) * (1 / totals[0] + 1 / totals[1])
    ratios = np.divide(by_block, by_row, out=np.ones_like(by_block), where=by_row > 0)
    return max(float((ratios * (1 - pooled)).sum() / max(float((1 - pooled).sum()), 1e-12)), 1.0)
