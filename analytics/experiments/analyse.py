"""From moments by arm to a scorecard; everything on it comes from the one reading it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from analytics.aggregates.arms import ExperimentAggregates, MetricAggregates
from analytics.experiments.badges import badge
from analytics.experiments.checks import blocking, checks_of
from analytics.experiments.days import Key, day_rows, days_of_looks, first_crossings
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.drafts import drafts
from analytics.experiments.family import corrected, correction
from analytics.experiments.health import broken, health, row_warnings
from analytics.experiments.later import Later
from analytics.experiments.looks import at_last_look
from analytics.experiments.next_step import decided, with_verdict
from analytics.experiments.rows import DayRow, ExperimentRow, Health, Scorecard
from analytics.experiments.single_arms import arm_rows, value_bins
from analytics.experiments.standing import corrected_words, standing
from analytics.experiments.structure_words import beside, with_structure
from analytics.experiments.uncapped import uncapped_rows
from analytics.experiments.verdict import decide
from analytics.results import changed


def scorecard(
    design: Design,
    aggregates: ExperimentAggregates,
    zone: ZoneInfo,
    confidence: float | None = None,
    *,
    test_split: bool = True,
) -> Scorecard:
    """Analyse one experiment.

    Args:
        design: what was planned.
        aggregates: what was read; every metric of the design is among its metrics.
        zone: of the days.
        confidence: of the intervals; 1 - alpha of the design where left out.
        test_split: whether the arms' sizes are compared with the planned shares.
    """
    level = 1.0 - design.alpha if confidence is None else confidence
    state = health(design, aggregates, level, test_split=test_split)
    found = {metric.name: metric for metric in aggregates.metrics}
    ordered = [(metric, found[metric.name]) for metric in design.ordered_metrics]
    # what is tested is what a group-sequential look saw; the days after it are drawn all the same
    at_look = replace(
        aggregates, metrics=tuple(at_last_look(design, metric) for metric in aggregates.metrics)
    )
    seen = {metric.name: metric for metric in at_look.metrics}
    arms = tuple(row for metric, _ in ordered for row in arm_rows(design, metric, seen[metric.name], level))
    widths = {
        (arm.metric, arm.variant): (arm.ci_high - arm.ci_low) / 2
        for arm in arms
        if arm.ci_low is not None and arm.ci_high is not None
    }
    checks = checks_of(design, aggregates, state.doubts, test_split=test_split)
    rows = tuple(_with_widths(row, widths) for row in _rows(design, at_look, state, level))
    levels = {(row.metric, row.variant, row.method): row.confidence_adjusted or level for row in rows}
    crossings = first_crossings(rows, _crossing_days(design, ordered, levels), design.stopping)
    rows = tuple(
        changed(row, first_crossing=crossings.get((row.metric, row.variant, row.method))) for row in rows
    )
    if blocking(checks):  # nothing ships on a comparison that cannot be trusted
        rows = tuple(changed(row, verdict="hold") if row.verdict == "ship" else row for row in rows)
    return Scorecard(
        name=design.name,
        control=design.control,
        variants=design.variants,
        confidence=level,
        metrics=tuple(metric.facts for metric in design.ordered_metrics),
        rows=rows if state.srm is None else (*rows, state.srm),
        arms=arms,
        days=Later(
            {metric.name: partial(day_rows, design, metric, given, levels) for metric, given in ordered}
        ),
        bins=tuple(row for metric, given in ordered for row in value_bins(design, metric, given)),
        health=state,
        decision=decided(
            decide(replace(design, early=standing(design, found, rows)), rows, state, checks),
            rows,
            checks,
            early=_is_early(design),
        ),
        correction=corrected_words(design, correction(rows, 1.0 - level, design.correction)),
        stopping=design.stopping,
        ended=design.ended,
        checks=checks,
        zone=zone,
        sql=aggregates.sql,
        others=uncapped_rows(design, at_look, level),
    )


def _rows(
    design: Design, aggregates: ExperimentAggregates, state: Health, confidence: float
) -> tuple[ExperimentRow, ...]:
    found = {metric.name: metric for metric in aggregates.metrics}
    drafted = [
        draft
        for metric in design.ordered_metrics
        for draft in drafts(design, metric, found[metric.name], confidence)
    ]
    designs = {metric.name: metric for metric in design.metrics}
    split_broken = broken(state.srm)
    judged = (
        changed(
            row,
            badge=None if split_broken else badge(row, designs[row.metric], one_sided=design.one_sided),
            warnings=with_structure(
                row_warnings(row, found[row.metric], state.doubts, split_broken=split_broken),
                row,
                design,
                found[row.metric],
            ),
        )
        for row in corrected(drafted, 1.0 - confidence, design.correction)
    )
    return tuple(
        with_verdict(row, designs[row.metric], design, state.n_units) for row in beside([*judged], design)
    )


def _crossing_days(
    design: Design, ordered: Sequence[tuple[MetricDesign, MetricAggregates]], levels: Mapping[Key, float]
) -> Iterator[DayRow]:
    """The days on which the stopping rule answers; at a fixed horizon, and with a posterior, none."""
    for metric, found in ordered:
        if design.stopping == "always-valid":
            yield from day_rows(design, metric, found, levels)
        if design.stopping == "group-sequential":
            yield from day_rows(design, metric, found, levels, only=days_of_looks(design, found))


def _is_early(design: Design) -> bool:
    """Whether this is a look that the design does not allow for."""
    return design.early is not None and design.stopping in {"fixed", "bayesian"}


def _with_widths(row: ExperimentRow, widths: Mapping[tuple[str, str], float]) -> ExperimentRow:
    """An unadjusted mean has the interval that its arm has by itself."""
    if row.method != "unadjusted":
        return row
    own, control = (widths.get((row.metric, arm or "")) for arm in (row.variant, row.control))
    return changed(row, half_width=own, half_width_control=control)
