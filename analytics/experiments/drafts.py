"""Rows without intervals: one metric of one arm by one method, with the comparison the intervals will come from."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from analytics.aggregates.arms import MetricAggregates, UnitValues
from analytics.experiments.choose import choose, methods_of, moments_of, sizes_of
from analytics.experiments.compare import own_estimate
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.held import once
from analytics.experiments.margins import with_margins
from analytics.experiments.methods import Comparison, NotTested, TComparison
from analytics.experiments.pairs import pair
from analytics.experiments.rows import ExperimentRow, Method
from analytics.experiments.skew import SKEWED, skewness_of_difference
from analytics.project import SHARES
from analytics.results import changed
from analytics.stats.intervals import normal_quantile
from analytics.stats.permutation import studentised_permutation

SMALL_ARM = 100
"""Units of an arm under which a t interval is called rough, whatever is known of its values."""


@dataclass(frozen=True)
class Draft:
    """A row without intervals, and its comparison (None where nothing was tested)."""

    row: ExperimentRow
    comparison: Comparison | None


def drafts(design: Design, metric: MetricDesign, found: MetricAggregates, confidence: float) -> list[Draft]:
    """The comparisons of one metric: every arm, then every method."""
    answer = []
    for variant in design.variants:
        for method in methods_of(design, metric, found):
            draft = _draft(design, metric, found, (variant, method), confidence)
            answer.append(_with_permutation(draft, found) if method == "unadjusted" else draft)
    return answer


def _draft(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    arm: tuple[str, Method],
    confidence: float,
) -> Draft:
    variant, method = arm
    moments = moments_of(found, method)
    two = pair(moments, variant, design.control)
    outcome = choose(design, metric, found, arm, two=two)
    n, n_control = sizes_of(design, found, arm, two)
    row = changed(
        untested(design.name, metric.name, method, _test_name(metric, method, clustered=moments.clustered)),
        kind=metric.kind,
        role=metric.role,
        direction=metric.direction,
        variant=variant,
        control=design.control,
        n=n,
        n_control=n_control,
        mean=outcome.mean,
        mean_control=outcome.mean_control,
        n_missing=sum(moments.missing.get(arm, 0) for arm in (variant, design.control)),
        confidence=confidence,
        definition=metric.definition or None,
    )
    if isinstance(outcome, NotTested):
        return Draft(changed(row, status=outcome.status, reason=outcome.reason), None)
    above = outcome.chance_above
    tested = changed(
        row,
        difference=outcome.difference,
        standard_error=outcome.standard_error,
        statistic=outcome.statistic,
        df=outcome.df,
        p_value=outcome.p_value,
        chance_to_beat=above if row.direction == "up" else 1.0 - above,
        test=outcome.test,
    )
    tested = with_margins(tested, metric, outcome)
    fixed = once(outcome)
    if isinstance(fixed, TComparison):
        freedom = [fixed.df if moments.clustered else side.n - 1.0 for side in (two.arm, two.control)]
        spread = math.sqrt(fixed.variance), math.sqrt(fixed.variance_control)
        widths = [normal_quantile(confidence, df) * sd for df, sd in zip(freedom, spread, strict=True)]
        tested = changed(tested, half_width=float(widths[0]), half_width_control=float(widths[1]))
    return Draft(tested, outcome)


def untested(experiment: str | None, metric: str, method: Method, test: str) -> ExperimentRow:
    """A row that says nothing yet."""
    given = {"experiment": experiment, "metric": metric, "role": "health", "method": method, "test": test}
    blank: dict[str, Any] = {name.name: None for name in fields(ExperimentRow)}
    return ExperimentRow(**(blank | given | {"confidence": 0.0, "status": "ok"}))


def _test_name(metric: MetricDesign, method: Method, *, clustered: bool) -> str:
    """What would be tested: also the name where nothing can be."""
    if metric.kind == "quantile":
        return "quantile"
    if clustered:
        return "cluster-robust t"
    if metric.kind in SHARES and method == "unadjusted":
        return "score"
    return "delta welch" if metric.kind == "ratio" else "welch"


def _with_permutation(draft: Draft, found: MetricAggregates) -> Draft:
    """Add a p-value that does without the t distribution, where so few units have so skewed values."""
    row, values = draft.row, found.values
    if draft.comparison is None or values is None or row.variant is None or row.control is None:
        return draft
    if row.kind == "quantile":
        return draft
    if abs(skewness_of_difference(row, found) or 0.0) < SKEWED:
        return draft
    arm, control = _unit_values(values, row)
    if min(len(arm), len(control)) < 2:
        return draft
    p = float(studentised_permutation(arm, control))
    return draft if np.isnan(p) else Draft(changed(row, permutation_p_value=p), draft.comparison)


def _unit_values(values: UnitValues, row: ExperimentRow) -> tuple[np.ndarray, np.ndarray]:
    """Values of the two arms' units; of a ratio, linearised at the ratio of both arms together."""
    chosen = np.isin(values.variants, [row.variant or "", row.control or ""])
    table, arms = values.values[chosen], values.variants[chosen]
    estimate = own_estimate(row.kind or "mean", table.mean(axis=0)) if len(table) else None
    flat = table[:, 0] if estimate is None else table @ estimate[1]
    return flat[arms == row.variant], flat[arms == row.control]
