"""Are the scores right: mean gap, Spiegelhalter's test, calibration line, for classes and for a regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import Centre, RowMoments, Statistic
from analytics.aggregates.scores import ScoreHistogram
from analytics.engines.text import literal
from analytics.measures.estimate import LEAST_OF_A_CLASS, Estimate, missing, of_moments, ratio
from analytics.stats.blocks import MINIMUM_CLUSTERS, ChosenVariance
from analytics.stats.pooled_blocks import WindowBlocks, block_spread, spread_variance
from analytics.stats.recalibration import NoFit, fit_logistic, logistic_influence

Floats = NDArray[np.float64]
LEAST_EXPECTED = 5.0
"""Sum of score x (1 - score) from which on sums of rows are near enough to normal for a test."""
_LABELLED = "scored AND label IS NOT NULL"
SCORED = Statistic("scored", "CASE WHEN scored THEN 1e0 ELSE 0e0 END")


def score_statistics(score: str, positive: str, prefix: str = "") -> tuple[Statistic, ...]:
    """What is summed over labelled rows for one score against one event.

    ``gap`` is score - label; ``excess`` = (label - score)(1 - 2 score), Spiegelhalter's: the Brier loss beyond what the
    score itself expects; ``spread`` = score (1 - score) and ``excess_spread`` their variances under right scores.

    Args:
        score: SQL of the score.
        positive: SQL that says the event came.
        prefix: of the names, where several scores are summed at once.
    """
    y = f"CASE WHEN {positive} THEN 1e0 ELSE 0e0 END"
    s = f"({score})"
    expressions = {
        "labelled": "1e0",
        "score": s,
        "label": y,
        "gap": f"{s} - {y}",
        "excess": f"({y} - {s}) * (1e0 - 2e0 * {s})",
        "spread": f"{s} * (1e0 - {s})",
        "excess_spread": f"(1e0 - 2e0 * {s}) * (1e0 - 2e0 * {s}) * {s} * (1e0 - {s})",
    }
    return tuple(
        Statistic(prefix + name, f"CASE WHEN {_LABELLED} THEN {then} ELSE 0e0 END")
        for name, then in expressions.items()
    )


def score_together(prefix: str = "") -> tuple[tuple[str, ...], ...]:
    """Which of these one number depends on."""
    names = ("score", "label", "gap", "excess", "spread", "excess_spread")
    return tuple((f"{prefix}labelled", prefix + name) for name in names)


@dataclass(frozen=True)
class Settled:
    """An estimate with the variance to use.

    Attributes:
        estimate: with a value.
        chosen: the largest variance that is known, borrowed or not.
    """

    estimate: Estimate
    chosen: ChosenVariance

    @property
    def z(self) -> float | None:
        """Value over standard error; None where nothing varies."""
        if self.estimate.value is None or not self.chosen.variance > 0:
            return None
        return float(self.estimate.value / self.chosen.variance**0.5)

    @property
    def p_value(self) -> float | None:
        """Two-sided, of the value being 0; t where blocks or units were counted."""
        return None if self.z is None else two_sided(self.z, self.chosen.df)

    @property
    def design_effect(self) -> float:
        """How many times as much it varies as with independent rows."""
        row = self.estimate.row_variance
        return max(self.chosen.variance / row, 1.0) if row > 0 else 1.0

    def interval(self, confidence: float) -> tuple[float, float]:
        """Value plus and minus the quantile times the standard error."""
        value = self.estimate.value or 0.0
        level = (1.0 + confidence) / 2.0
        df = self.chosen.df
        quantile = stats.norm.ppf(level) if df is None else stats.t.ppf(level, df)
        reach = float(quantile * max(self.chosen.variance, 0.0) ** 0.5)
        return value - reach, value + reach


def two_sided(z: float, df: float | None) -> float:
    """The p-value of a standardised value.

    >>> round(two_sided(1.96, None), 3), round(two_sided(1.96, 9), 3)
    (0.05, 0.082)
    """
    return float(2.0 * (stats.norm.sf(abs(z)) if df is None else stats.t.sf(abs(z), df)))


def gap_of(moments: RowMoments, prefix: str = "") -> Estimate:
    """Mean score minus share that came, with at least the variance that right scores would have."""
    return _under_null(moments, prefix, "gap", "spread")


def excess_of(moments: RowMoments, prefix: str = "") -> Estimate:
    """Spiegelhalter's mean excess of the Brier loss; its row variance is that under right scores."""
    return _under_null(moments, prefix, "excess", "excess_spread", only=True)


def _under_null(moments: RowMoments, prefix: str, name: str, spread: str, *, only: bool = False) -> Estimate:
    found = ratio(name, moments, prefix + name, f"{prefix}labelled")
    at = moments.names.index(f"{prefix}labelled"), moments.names.index(prefix + spread)
    model = max(float(moments.products[at]), 0.0) / moments.total(f"{prefix}labelled") ** 2
    # where no row differs from the others, the rows know nothing of their own noise
    return replace(found, row_variance=model if only else max(found.row_variance, model))


def expected_events(moments: RowMoments, prefix: str = "") -> float:
    """The sum of score x (1 - score) over rows, weights scaled to Kish's rows."""
    labelled = moments.total(f"{prefix}labelled")
    at = moments.names.index(f"{prefix}labelled")
    return moments.total(f"{prefix}spread") * labelled / float(moments.products[at, at])


def settled(
    estimates: Mapping[CellKey, Estimate], moments: Mapping[CellKey, RowMoments], labelled: str = "labelled"
) -> dict[CellKey, Settled]:
    """Choose each cell's variance; windows of fewer than ten blocks borrow the blocks' spread from all windows.

    Only windows of the same version and segment value lend to each other (see `analytics.stats.pooled_blocks`).

    Args:
        estimates: of the cells that have one.
        moments: of the same cells.
        labelled: the statistic whose sums are the weight of a block.
    """
    answers: dict[CellKey, Settled] = {}
    for of in dict.fromkeys((key.version, key.segment) for key in estimates):
        keys = [key for key in estimates if (key.version, key.segment) == of]
        windows = {key: _blocks(estimates[key], moments[key], labelled) for key in keys}
        spread = block_spread(list(windows.values()))
        for key in keys:
            chosen = estimates[key].chosen()
            if spread is not None and len(windows[key].totals) < MINIMUM_CLUSTERS:
                borrowed = spread_variance(windows[key], spread)
                if borrowed > chosen.variance:
                    chosen = ChosenVariance(borrowed, spread.df, "blocks")
            answers[key] = Settled(estimates[key], chosen)
    return answers


def _blocks(estimate: Estimate, moments: RowMoments, labelled: str) -> WindowBlocks:
    weights = moments.sums[:, moments.names.index(labelled)]
    present = np.isin(moments.blocks, estimate.blocks) if estimate.blocks is not None else weights > 0
    shares = weights[present] / max(float(weights.sum()), 1e-300)
    totals = estimate.block_totals if estimate.block_totals is not None else np.zeros(0)
    return WindowBlocks(estimate.value or 0.0, estimate.row_variance, totals, shares)


def line_estimates(histogram: ScoreHistogram) -> tuple[Estimate, Estimate]:
    """Intercept and slope of the logistic calibration line; bins stand for their mean score."""
    rows = histogram.counts[:2].sum(axis=1)
    if rows.min() < LEAST_OF_A_CLASS:
        few = (
            f"{rows[1]:.0f} positive and {rows[0]:.0f} negative labels; {LEAST_OF_A_CLASS} of each are needed"
        )
        return missing("intercept", "too_few", few), missing("slope", "too_few", few)
    weights = histogram.weights[:2]
    scores = mean_scores(histogram)
    fit = fit_logistic(scores, weights[0], weights[1])
    if isinstance(fit, NoFit):
        return missing("intercept", "undefined", fit.reason), missing("slope", "undefined", fit.reason)
    influences = logistic_influence(fit, scores)
    return (
        _of_line("intercept", fit.intercept, histogram, influences[0]),
        _of_line("slope", fit.slope, histogram, influences[1]),
    )


def mean_scores(histogram: ScoreHistogram) -> Floats:
    """The mean score of each bin over all its rows, shape (B,)."""
    total = histogram.weights.sum(axis=0)
    return np.where(total > 0, histogram.scores.sum(axis=0) / np.where(total > 0, total, 1.0), histogram.low)


def _of_line(metric: str, value: float, histogram: ScoreHistogram, influence: Floats) -> Estimate:
    blocks, totals = histogram.block_totals(influence)
    return Estimate(
        metric,
        value,
        row_variance=float((histogram.squares[:2] * influence**2).sum()),
        blocks=blocks,
        block_totals=totals,
        place="scores",
        influence=influence,
    )


# regression: the line label = intercept + slope x prediction

PAIR = ("labelled", "prediction", "label", "squared_prediction", "product", "squared_label", "gap")


def pair_statistics(centre: Centre) -> tuple[Statistic, ...]:
    """What is summed over labelled rows of a regression; predictions and labels from a centre near their mean."""
    s, y = (f"(score - {literal(float(centre.prediction))})", f"(label - {literal(float(centre.label))})")
    expressions = ("1e0", s, y, f"{s} * {s}", f"{s} * {y}", f"{y} * {y}", "score - label")
    return tuple(
        Statistic(name, f"CASE WHEN {_LABELLED} THEN {then} ELSE 0e0 END")
        for name, then in zip(PAIR, expressions, strict=True)
    )


PAIR_TOGETHER = (PAIR[:5], ("labelled", "gap"), (*PAIR[:5], "gap"))


def mean_gap(moments: RowMoments) -> Estimate:
    """Mean prediction minus mean label of a regression."""
    return ratio("gap", moments, "gap", "labelled")


def regression_line(moments: RowMoments, centre: Centre) -> tuple[Estimate, Estimate] | NoFit:
    """Intercept and slope of the label on the prediction, by least squares (Mincer and Zarnowitz, 1969)."""
    w, s, y, ss, sy = (moments.total(name) for name in PAIR[:5])
    spread = ss / w - (s / w) ** 2
    if spread <= 1e-12 * max(ss / w, 1e-300):
        return NoFit("all predictions are equal")
    slope = (sy / w - s * y / w**2) / spread
    mean = s / w + centre.prediction
    intercept = y / w + centre.label - slope * mean
    of_slope = {
        "labelled": (-sy / w**2 + 2 * s * y / w**3 - slope * (-ss / w**2 + 2 * s**2 / w**3)) / spread,
        "prediction": (-y / w**2 + slope * 2 * s / w**2) / spread,
        "label": -s / w**2 / spread,
        "squared_prediction": -slope / w / spread,
        "product": 1.0 / w / spread,
    }
    of_intercept = {name: -mean * value for name, value in of_slope.items()}
    of_intercept["labelled"] += -y / w**2 + slope * s / w**2
    of_intercept["prediction"] -= slope / w
    of_intercept["label"] += 1.0 / w
    return (
        of_moments("intercept", moments, intercept, of_intercept),
        of_moments("slope", moments, slope, of_slope),
    )


def joint_p_value(moments: RowMoments, gap: Settled, slope: Estimate) -> float | None:
    """The p-value of gap = 0 and slope = 1 together: Wald's, at the variance (rows, units, blocks) that says least.

    Borrowed blocks widen it by the design effect of the gap.
    """
    if (
        gap.estimate.gradient is None
        or slope.gradient is None
        or gap.estimate.value is None
        or slope.value is None
    ):
        return None
    g = np.stack([gap.estimate.gradient, slope.gradient])
    off = np.array([gap.estimate.value, slope.value - 1.0])
    matrices: list[tuple[Floats, float]] = [(g @ moments.products @ g.T, np.inf)]
    if moments.unit_products is not None and moments.n_units is not None:
        units = float(moments.n_units.max())
        if units >= MINIMUM_CLUSTERS:
            matrices.append((g @ moments.unit_products @ g.T * units / (units - 1), units - 1))
    totals = moments.sums @ g.T
    totals = totals[(moments.sums != 0).any(axis=1)]
    if len(totals) >= MINIMUM_CLUSTERS:
        matrices.append((len(totals) * np.cov(totals.T, ddof=1), len(totals) - 1.0))
    elif gap.chosen.independence == "blocks" and gap.chosen.df is not None:
        matrices.append((matrices[0][0] * gap.design_effect, gap.chosen.df))
    found = [_wald(off, matrix, df) for matrix, df in matrices]
    return max((p for p in found if p is not None), default=None)


def _wald(off: Floats, covariance: Floats, df: float) -> float | None:
    if not np.linalg.cond(covariance) < 1e14:
        return None
    statistic = float(off @ np.linalg.solve(covariance, off))
    if not np.isfinite(df):
        return float(stats.chi2.sf(statistic, len(off)))
    # Hotelling: few clusters know their covariance badly
    scale = (df - len(off) + 1.0) / (df * len(off))
    return float(stats.f.sf(statistic * scale, len(off), df - len(off) + 1.0))


def widened(estimate: Estimate, gap: Settled) -> Settled:
    """An estimate of the line; where the gap had to borrow blocks, it varies as much more as the gap does."""
    chosen = estimate.chosen()
    totals = estimate.block_totals if estimate.block_totals is not None else np.zeros(0)
    if gap.chosen.independence == "blocks" and len(totals) < MINIMUM_CLUSTERS:
        borrowed = estimate.row_variance * gap.design_effect
        if borrowed > chosen.variance:
            chosen = ChosenVariance(borrowed, gap.chosen.df, "blocks")
    return Settled(estimate, chosen)
