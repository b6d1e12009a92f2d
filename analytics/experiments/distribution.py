"""Where the values of two arms differ: quantiles from 5 to 95 % with their differences, and cumulative shares.

Sources: Deng, Knoblich and Lu, KDD 2018 (quantiles of values that hang together); Massart, Annals of Probability 18
(1990) (the band around a distribution of independent values); Holm (1979) over the quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.observations import Observations
from analytics.experiments.methods import NotTested, TComparison
from analytics.experiments.quantiles import between, shared_variance
from analytics.experiments.rows import Kind
from analytics.experiments.words import listed, number, percent
from analytics.results import Status
from analytics.stats.intervals import effective_n, wilson
from analytics.stats.multiplicity import holm, holm_levels
from analytics.stats.quantile_difference import Quantile, quantiles_of

PROBABILITIES = tuple(step / 20 for step in range(1, 20))
STEPS = 60
"""Places at which cumulative shares are told, where values are not fewer."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class QuantileRow:
    """One quantile of one metric in an arm and in the control.

    Attributes:
        metric, kind, variant, control: as in `ExperimentRow`.
        quantile: which one; .5 is the median.
        value, value_control: of the arm and of the control.
        difference: value - value_control.
        ci_low, ci_high: interval of the difference, for this quantile alone.
        ci_adjusted_low, ci_adjusted_high: corrected for all quantiles of the arm (Holm); p_adjusted goes with it.
        p_value, p_adjusted: two-sided.
        n, n_control: values.
        n_groups, n_groups_control: what of them is independent: units, or clusters.
        counted: ``units``, or ``rows`` of events or predictions.
        confidence: of the intervals.
        status, reason: ``too_few`` or ``undefined`` where the quantile has no interval to be trusted.
    """

    metric: str
    kind: Kind
    variant: str
    control: str
    quantile: float
    value: float | None
    value_control: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    ci_adjusted_low: float | None
    ci_adjusted_high: float | None
    p_value: float | None
    p_adjusted: float | None
    n: int
    n_control: int
    n_groups: int
    n_groups_control: int
    counted: Literal["units", "rows"]
    confidence: float
    status: Status
    reason: str | None


@dataclass(frozen=True)
class StepRow:
    """The share of an arm's values at or below one value.

    Attributes:
        metric, variant: whose.
        value: of the metric.
        share: of the values at or below it.
        ci_low, ci_high: around the share.
        band: ``simultaneous``: the whole curve lies inside with the confidence; ``pointwise``: each share by itself
            (where values hang together).
        n: values.
        confidence: of the band.
    """

    metric: str
    variant: str
    value: float
    share: float
    ci_low: float
    ci_high: float
    band: Literal["simultaneous", "pointwise"]
    n: int
    confidence: float


@dataclass(frozen=True)
class Distribution:
    """How the values of a metric are distributed in every arm.

    Attributes:
        metric: its name.
        sentence: where the arms differ.
        quantiles: arm by arm, ascending.
        steps: of every arm, the control first.
        sql: the texts that scanned.
    """

    metric: str
    sentence: str
    quantiles: tuple[QuantileRow, ...]
    steps: tuple[StepRow, ...]
    sql: tuple[str, ...] = ()


def distribution(
    metric: tuple[str, Kind],
    seen: Observations,
    arms: Sequence[str],
    confidence: float,
    refused: NotTested | None = None,
) -> Distribution:
    """Compare the distributions of a metric.

    Args:
        metric: its name and kind.
        seen: its values.
        arms: the control first.
        confidence: of the intervals and bands.
        refused: why quantiles of these arms do not compare.
    """
    control, variants = arms[0], arms[1:]
    rows = [
        row
        for variant in variants
        for row in _quantiles(metric, seen, (variant, control), confidence, refused)
    ]
    name = metric[0]
    steps = tuple(step for arm in arms for step in _steps(name, seen, arm, confidence))
    sentence = " ".join(_sentence([row for row in rows if row.variant == variant]) for variant in variants)
    return Distribution(name, sentence, tuple(rows), steps)


def _quantiles(
    metric: tuple[str, Kind],
    seen: Observations,
    arms: tuple[str, str],
    confidence: float,
    refused: NotTested | None,
) -> list[QuantileRow]:
    sides = [seen.arm(arm) for arm in arms]
    if not all(len(values) for values, _ in sides):
        return []
    rows, compared = [], []
    both = [quantiles_of(values, PROBABILITIES, groups) for values, groups in sides]
    for probability, *found in zip(PROBABILITIES, *both, strict=True):
        outcome = refused or between(found, shared_variance(found, sides))
        rows.append(_row(metric, (arms, seen.of_rows), (probability, found), outcome, confidence))
        compared.append(None if isinstance(outcome, NotTested) else outcome)
    return _corrected(rows, compared, 1.0 - confidence)


def _row(
    metric: tuple[str, Kind],
    whose: tuple[tuple[str, str], bool],
    of: tuple[float, list[Quantile]],
    outcome: TComparison | NotTested,
    confidence: float,
) -> QuantileRow:
    (arms, of_rows), (probability, (arm, control)) = whose, of
    tested = None if isinstance(outcome, NotTested) else outcome
    low, high = (None, None) if tested is None else tested.interval(confidence)
    return QuantileRow(
        metric=metric[0],
        kind=metric[1],
        variant=arms[0],
        control=arms[1],
        quantile=probability,
        value=arm.value,
        value_control=control.value,
        difference=None if tested is None else tested.difference,
        ci_low=low,
        ci_high=high,
        ci_adjusted_low=None,
        ci_adjusted_high=None,
        p_value=None if tested is None else tested.p_value,
        p_adjusted=None,
        n=arm.n,
        n_control=control.n,
        n_groups=arm.groups,
        n_groups_control=control.groups,
        counted="rows" if of_rows else "units",
        confidence=confidence,
        status=outcome.status if isinstance(outcome, NotTested) else "ok",
        reason=outcome.reason if isinstance(outcome, NotTested) else None,
    )


def _corrected(
    rows: list[QuantileRow], compared: Sequence[TComparison | None], alpha: float
) -> list[QuantileRow]:
    p_values = [row.p_value for row in rows]
    adjusted, levels = holm(p_values), holm_levels(p_values, alpha)
    answer = []
    for row, one, p, level in zip(rows, compared, adjusted, levels, strict=True):
        if one is None:
            answer.append(row)
            continue
        low, high = one.interval(1.0 - float(level))
        answer.append(replace(row, p_adjusted=float(p), ci_adjusted_low=low, ci_adjusted_high=high))
    return answer


def _steps(metric: str, seen: Observations, arm: str, confidence: float) -> list[StepRow]:
    """The cumulative shares of one arm, at places that all arms have in common."""
    values, groups = seen.arm(arm)
    if not len(values):
        return []
    ordered = np.sort(values)
    n = len(values)
    half = math.sqrt(math.log(2.0 / (1.0 - confidence)) / (2.0 * n))
    _, of = (None, None) if groups is None else np.unique(groups, return_inverse=True)
    answer = []
    for place in places(seen.values):
        share = float(np.searchsorted(ordered, place, side="right")) / n
        if of is None:
            low, high = max(share - half, 0.0), min(share + half, 1.0)
        else:
            low, high = _pointwise(values <= place, of, share, confidence)
        answer.append(
            StepRow(
                metric,
                arm,
                float(place),
                share,
                min(low, share),
                max(high, share),
                "simultaneous" if of is None else "pointwise",
                n,
                confidence,
            )
        )
    return answer


def places(values: Floats) -> Floats:
    """Where cumulative shares are told: at every value where these are few, else at even steps of the shares."""
    few = np.unique(values)
    if few.size <= STEPS:
        return few
    shares = np.linspace(0.005, 0.995, STEPS)
    return np.unique(np.quantile(values, shares, method="inverted_cdf"))


def _pointwise(
    below: NDArray[np.bool_], of: NDArray[np.int64], share: float, confidence: float
) -> tuple[float, float]:
    """Wilson's interval with as many values as the spread between groups says they are worth."""
    residuals = np.bincount(of, below - share)
    independent = residuals.size
    if independent < 2:
        return 0.0, 1.0
    variance = independent / (independent - 1) * float(residuals @ residuals) / len(below) ** 2
    return wilson(share, effective_n(share, variance, float(len(below))), confidence, independent - 1.0)


def _sentence(rows: Sequence[QuantileRow]) -> str:
    """Where one arm differs from the control, after correction for all its quantiles."""
    if not rows:
        return "An arm has no values."
    variant, control = rows[0].variant, rows[0].control
    tested = [row for row in rows if row.status == "ok"]
    if not tested:
        return f"{variant} and {control} cannot be compared by quantiles: {rows[0].reason}."
    parts = []
    for word, sign in (("higher", 1), ("lower", -1)):
        mine = [row for row in tested if _shown(row) == sign]
        if mine:
            gaps = [abs(row.difference or 0.0) for row in mine]
            by = number(min(gaps)) if len(mine) == 1 else f"{number(min(gaps))} to {number(max(gaps))}"
            parts.append(f"{word} than {control} at the {_stretches(mine)} (by {by})")
    untested = len(rows) - len(tested)
    more = f" {untested} of {len(rows)} quantiles cannot be compared: {_why(rows)}." if untested else ""
    if not parts:
        reach = f"{_name(tested[0])} to {_name(tested[-1])}"
        return f"No quantile of {variant} is shown to differ from {control}'s, from {reach}.{more}"
    rest = "" if all(_shown(row) for row in tested) else "; elsewhere no difference is shown"
    return f"{variant} is {' and '.join(parts)}{rest}.{more}"


def _shown(row: QuantileRow) -> int:
    if row.ci_adjusted_low is None or row.ci_adjusted_high is None:
        return 0
    return 1 if row.ci_adjusted_low > 0 else -1 if row.ci_adjusted_high < 0 else 0


def _stretches(rows: Sequence[QuantileRow]) -> str:
    """Neighbouring quantiles told as one stretch."""
    runs: list[list[QuantileRow]] = []
    for row in rows:
        if runs and row.quantile - runs[-1][-1].quantile < 0.051:
            runs[-1].append(row)
        else:
            runs.append([row])
    told = [_name(run[0]) if len(run) == 1 else f"{_name(run[0])} to {_name(run[-1])}" for run in runs]
    return f"{listed(told)} quantile{'s' if len(rows) > 1 else ''}"


def _name(row: QuantileRow) -> str:
    return percent(row.quantile)


def _why(rows: Sequence[QuantileRow]) -> str:
    return next((row.reason for row in rows if row.reason is not None), "")
