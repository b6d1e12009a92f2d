"""Estimated quality of one window: calibrated chances (CBPE), weighted to the window (PAPE), error models (DLE).

All take what was learned on the reference and the rows of a window without their labels, and give the same: values,
the variance that the labels to come will add, and the variance that comes from calibration and sampling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from analytics.quality.estimated import Calibration
from analytics.results import Status
from analytics.stats import expected_quality as expected
from analytics.stats.calibrators import Chosen, choose, leave_out_variance
from analytics.stats.density_ratio import density_ratio
from analytics.stats.expected_quality import Expected, ScoredRows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
LEAST_ROWS = 20
LEAST_OF_A_CLASS = 10
LEAST_OVERLAP = 100.0
"""Reference rows that must be left in effect after weighting; with fewer a window is unlike the reference."""
LEAST_OVERLAP_SHARE = 0.02
MOST_OUTSIDE = 0.2
"""Share of a window that may lie where the reference has next to nothing."""
Problem = tuple[Status, str]


@dataclass(frozen=True)
class WindowEstimate:
    """M metrics of one window.

    Attributes:
        values: NaN where a problem stands in the way, shape (M,).
        label_variance: were every row to get a label, shape (M,).
        fit_variance: of calibration and sampling, shape (M,).
        problems: metric -> status and reason.
        n: rows with a usable score.
        n_sample: rows looked at one by one; None where all were used.
        calibration: what was fitted.
        effective_n: reference rows in effect, where they were weighted.
        note: what the reader must know although there is a value.
    """

    values: Floats
    label_variance: Floats
    fit_variance: Floats
    problems: Mapping[str, Problem]
    n: int
    n_sample: int | None = None
    calibration: Calibration | None = None
    effective_n: float | None = None
    note: str | None = None


def nothing(metrics: tuple[str, ...], status: Status, reason: str, n: int = 0) -> WindowEstimate:
    """No estimate of any metric, and why."""
    empty = np.full(len(metrics), np.nan)
    return WindowEstimate(empty, empty, empty, dict.fromkeys(metrics, (status, reason)), n)


def few(n: int, metrics: tuple[str, ...]) -> WindowEstimate | None:
    """Why so few rows allow no estimate, or None."""
    if n == 0:
        return nothing(metrics, "no_data", "no rows with a usable score in this window")
    if n < LEAST_ROWS:
        return nothing(metrics, "too_few", f"{n} rows with a score; at least {LEAST_ROWS} are needed", n)
    return None


def of_binary(
    rows: ScoredRows,
    chance: Floats,
    others: Sequence[Floats],
    metrics: tuple[str, ...],
    earned: Floats | None,
) -> WindowEstimate:
    """Confidence-based estimation of a binary model.

    Args:
        rows: of the window.
        chance: of the positive class, shape (R,).
        others: the same by the calibrations that lack a fold of the reference each.
        metrics: names, in the order of the answer.
        earned: by true and decided class, where costs are declared.
    """
    n = int(rows.n.sum())
    problem = few(n, metrics)
    if problem is not None:
        return problem
    found = expected.binary(rows, chance, earned)
    fits = [expected.moved(found, rows.w, other - chance) for other in others]
    answer = _estimate(found, metrics, expected.label_variance(found, chance, rows.w2), fits, n)
    likely = float(rows.n @ chance)
    rarer = min(likely, n - likely)
    if rarer >= LEAST_OF_A_CLASS or "roc_auc" in answer.problems:
        return answer
    reason = f"about {rarer:.1f} rows of one class are expected; at least {LEAST_OF_A_CLASS} are needed"
    values = np.where(np.array(metrics) == "roc_auc", np.nan, answer.values)
    return replace(answer, values=values, problems={**answer.problems, "roc_auc": ("too_few", reason)})


@dataclass(frozen=True)
class ClassRows:
    """Rows of a multiclass model, one by one.

    Attributes:
        score: shape (R, K).
        decision: number of the decided class, -1 where there is none, shape (R,).
        weight: shape (R,).
        label: number of the true class, -1 where there is none yet.
        total: rows of the window, drawn or not.
    """

    score: Floats
    decision: Integers
    weight: Floats
    label: Integers
    total: int


def of_classes(
    rows: ClassRows,
    chance: Floats,
    others: Sequence[Floats],
    metrics: tuple[str, ...],
    earned: Floats | None,
) -> WindowEstimate:
    """The same of a multiclass model; ``chance`` and ``others`` have a column a class."""
    problem = few(rows.total, metrics)
    if problem is not None:
        return problem
    found = expected.multiclass(rows.score, rows.decision, rows.weight, chance, earned)
    fits = [expected.moved(found, rows.weight, other - chance) for other in others]
    drawn = len(rows.weight) / max(rows.total, 1)
    labels = expected.label_variance(found, chance, rows.weight**2) * drawn
    answer = _estimate(found, metrics, labels, fits, rows.total)
    sampling = expected.sampling_variance(found, chance, rows.weight, drawn)
    return replace(
        answer,
        fit_variance=answer.fit_variance + sampling,
        n_sample=len(rows.weight) if drawn < 1 else None,
    )


def as_chances(score: Floats) -> Floats:
    """Scores as they are, made to sum to 1."""
    total = score.sum(axis=1, keepdims=True)
    return np.where(total > 0, score / np.where(total > 0, total, 1.0), 1.0 / score.shape[1])


def _estimate(
    found: Expected, metrics: tuple[str, ...], labels: Floats, fits: Sequence[Floats], n: int
) -> WindowEstimate:
    problems: dict[str, Problem] = {name: ("undefined", reason) for name, reason in found.reasons.items()}
    spread = leave_out_variance(np.array(fits)) if len(fits) else np.zeros(len(metrics))
    return WindowEstimate(found.values, labels, spread, problems, n)


@dataclass(frozen=True)
class Realised:
    """M metrics measured on labels; NaN where a problem stands in the way."""

    values: Floats
    problems: Mapping[str, Problem]
    n: int


def too_few_labels(n: int, metrics: tuple[str, ...]) -> Realised | None:
    """Why so few labels allow no measurement, or None."""
    if n >= LEAST_ROWS:
        return None
    found: Problem = ("too_few", f"{n} labelled rows; at least {LEAST_ROWS} are needed") if n else (
        "no_data", "no row has a label"
    )  # fmt: skip
    return Realised(np.full(len(metrics), np.nan), dict.fromkeys(metrics, found), n)


def measured(values: Floats, reasons: Mapping[str, str], n: int) -> Realised:
    """Measured values; undefined where a reason says why."""
    return Realised(values, {name: ("undefined", reason) for name, reason in reasons.items()}, n)


def measured_binary(
    rows: ScoredRows, label: Integers, metrics: tuple[str, ...], earned: Floats | None
) -> Realised:
    """The metrics of labelled rows: what is expected when every chance is 0 or 1."""
    n = int(rows.n.sum())
    problem = too_few_labels(n, metrics)
    if problem is not None:
        return problem
    found = expected.binary(rows, label.astype(np.float64), earned, gradients=False)
    answer = measured(found.values, found.reasons, n)
    rarer = int(min(rows.n[label == 1].sum(), rows.n[label == 0].sum()))
    if rarer >= LEAST_OF_A_CLASS or "roc_auc" in answer.problems:
        return answer
    reason = f"{rarer} labels of one class; at least {LEAST_OF_A_CLASS} are needed"
    values = np.where(np.array(metrics) == "roc_auc", np.nan, answer.values)
    return Realised(values, {**answer.problems, "roc_auc": ("too_few", reason)}, n)


@dataclass(frozen=True)
class Weighted:
    """Labelled reference rows with the inputs that tell rows apart.

    Attributes:
        features: shape (N, d).
        score: (N,) or (N, K).
        label: 0 or 1, or the number of the true class.
        weight: sampling weights.
        fold: by blocks, 0 … G - 1.
    """

    features: Floats
    score: Floats
    label: Integers
    weight: Floats
    fold: Integers

    def without(self, rows: NDArray[np.bool_]) -> Weighted:
        """All but some rows; folds are numbered anew, so that none is empty."""
        kept = ~rows
        _, fold = np.unique(self.fold[kept], return_inverse=True)
        return Weighted(
            self.features[kept], self.score[kept], self.label[kept], self.weight[kept], fold.astype(np.int64)
        )


@dataclass(frozen=True)
class Refit:
    """A calibration refitted with weights that make the reference look like the window; None where it cannot be."""

    chosen: Chosen | None
    effective_n: float
    reason: str | None = field(default=None)


def refit(reference: Weighted, window: Floats) -> Refit:
    """Importance-weighted calibration (PAPE, arXiv 2401.08348): density ratio by a classifier, then the usual choice.

    Args:
        reference: labelled rows.
        window: features of the window's rows, shape (m, d).
    """
    n = len(reference.weight)
    if min(n, len(window)) < LEAST_ROWS:
        return Refit(None, 0.0, "too few rows to tell the window from the reference")
    ratio = density_ratio(reference.features, window, reference.fold % 2, np.arange(len(window)) % 2)
    least = max(LEAST_OVERLAP, LEAST_OVERLAP_SHARE * n)
    if ratio.effective_n < least:
        return Refit(
            None,
            ratio.effective_n,
            f"the reference holds too few rows like this window's ({ratio.effective_n:.0f} in effect of {n:,}), "
            "so nothing was weighted",
        )
    if ratio.outside > MOST_OUTSIDE:
        return Refit(
            None,
            ratio.effective_n,
            f"{ratio.outside:.0%} of the rows are like next to none of the reference, so nothing was weighted",
        )
    weight = reference.weight * ratio.weights
    return Refit(choose(reference.score, reference.label, weight, reference.fold), ratio.effective_n)


@dataclass(frozen=True)
class ErrorRows:
    """Expected errors of a regression's rows, by the model of all the reference (first) and those without each fold.

    Attributes:
        absolute: shape (1 + G, R).
        square: shape (1 + G, R).
        weight: shape (R,).
        total: rows of the window, drawn or not.
        excess: variance of the squared error as a multiple of its expectation's square.
        calibration: "boosting", or "constant" where no model did better than the mean.
    """

    absolute: Floats
    square: Floats
    weight: Floats
    total: int
    excess: float
    calibration: Calibration


def of_errors(rows: ErrorRows, metrics: tuple[str, ...]) -> WindowEstimate:
    """Direct loss estimation of a regression."""
    problem = few(rows.total, metrics)
    if problem is not None:
        return problem
    w, absolute, square = rows.weight, rows.absolute[0], rows.square[0]
    found = expected.regression(w, absolute, square)
    drawn = len(w) / max(rows.total, 1)
    # a mean absolute error cannot exceed the root of the mean square
    spread = np.maximum(square - np.square(absolute), 0.05 * square)
    slopes = found.gradients[:, :1]
    labels = np.array([np.square(w) @ spread, rows.excess * (np.square(w) @ np.square(square))]) * drawn
    fits = [
        slopes[:, 0] * np.array([w @ (a - absolute), w @ (s - square)])
        for a, s in zip(rows.absolute[1:], rows.square[1:], strict=True)
    ]
    sampling = np.array([_drawn(w * absolute, drawn), _drawn(w * square, drawn)])
    squared = np.square(slopes[:, 0])
    return WindowEstimate(
        found.values,
        squared * labels,
        leave_out_variance(np.array(fits)) + squared * sampling,
        {},
        rows.total,
        len(w) if drawn < 1 else None,
        rows.calibration,
    )


def _drawn(parts: Floats, drawn: float) -> float:
    n = len(parts)
    return float((1 - drawn) * n * np.var(parts, ddof=1)) if drawn < 1 and n > 1 else 0.0
