"""The effect day by day, cumulated over the days of first exposure, with what looking once and looking daily say."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.choose import choose, cumulative_within, methods_of, moments_of
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.held import once, sided, two_sided
from analytics.experiments.looks import reached
from analytics.experiments.methods import Comparison, Limits, NotTested, limits
from analytics.experiments.pairs import PairMoments, cumulative
from analytics.experiments.rows import DayRow, ExperimentRow, Method
from analytics.experiments.stopping import LookComparison, always_valid
from analytics.experiments.structure import Strata

Key = tuple[str, str | None, Method]


@dataclass(frozen=True)
class _Day:
    """What is known of one arm at the end of one day.

    Attributes:
        outcome: by the declared stopping rule; on a day of a group-sequential design without a look the fixed one.
        fixed: the same as if it were looked at once.
        sequence: the same as a confidence sequence has it; None where the method has none.
        drawn: whether the stopping rule answers on this day.
    """

    variant: str
    method: Method
    day: date
    two: PairMoments
    outcome: Comparison | NotTested
    fixed: Comparison | None
    sequence: Comparison | None
    drawn: bool


def day_rows(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    levels: Mapping[Key, float],
    *,
    only: Container[date] | None = None,
) -> Iterator[DayRow]:
    """Every arm by every method on every day of first exposure; none where exposures carry no time.

    Args:
        design: of the experiment.
        metric: of the days.
        found: its aggregates, up to now.
        levels: (metric, arm, method) -> confidence of the record's corrected interval.
        only: of these days; of all where None.
    """
    if not found.moments.known_days:
        return
    for variant in design.variants:
        for method in methods_of(design, metric, found):
            arm, moments = (variant, method), moments_of(found, method)
            within = cumulative_within(design, metric, found, arm)
            days = [
                _of_day(design, metric, found, arm, (day, two, strata))
                for (day, two), strata in zip(
                    cumulative(moments, variant, design.control), within, strict=False
                )
                if only is None or day in only
            ]
            yield from _drawn(design, metric, days, levels[metric.name, variant, method])


def _of_day(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    arm: tuple[str, Method],
    until: tuple[date, PairMoments, Strata | None],
) -> _Day:
    day, two, within = until
    outcome = choose(design, metric, found, arm, day=day, two=two, within=within)
    fixed = None if isinstance(outcome, NotTested) else once(outcome)
    n = two.arm.n + two.control.n
    sequence = None
    if fixed is not None:
        sequence = None if metric.kind == "quantile" else always_valid(design, arm[0], fixed, n)
        fixed = sided(design, metric, fixed)
    drawn = fixed is not None and (
        design.stopping != "group-sequential"
        or (not isinstance(outcome, NotTested) and isinstance(two_sided(outcome), LookComparison))
    )
    followed = None if sequence is None else sided(design, metric, sequence)
    return _Day(*arm, day, two, outcome, fixed, followed, drawn)


def _drawn(design: Design, metric: MetricDesign, days: Sequence[_Day], confidence: float) -> Iterator[DayRow]:
    """The rows of one arm by one method; intervals of one kind are drawn together."""
    fixed = _limits([day.fixed for day in days], confidence)
    sequences = _limits([day.sequence for day in days], confidence)
    if design.stopping == "fixed":
        declared = fixed
    else:
        kept = [day.outcome if day.drawn and not isinstance(day.outcome, NotTested) else None for day in days]
        declared = sequences if design.stopping == "always-valid" else _limits(kept, confidence)
    for day, *drawn in zip(days, declared, fixed, sequences, strict=True):
        yield _row(design, metric.name, day, drawn, confidence)


def _limits(comparisons: Sequence[Comparison | None], confidence: float) -> list[Limits | None]:
    found = iter(limits([one for one in comparisons if one is not None], confidence))
    return [None if one is None else next(found) for one in comparisons]


def _row(design: Design, metric: str, day: _Day, drawn: Sequence[Limits | None], confidence: float) -> DayRow:
    outcome = day.outcome
    tested = None if isinstance(outcome, NotTested) else outcome
    lift = next((one.lift for one in drawn if one is not None and one.lift is not None), None)
    reason = outcome.reason if isinstance(outcome, NotTested) else None if lift else outcome.no_lift
    ends: dict[str, Any] = {}
    for prefix, one in zip(("", "fixed_", "always_valid_"), drawn, strict=True):
        ends |= _ends(prefix, one)
    crossed = None
    if drawn[2] is not None:
        crossed = drawn[2].interval.low > 0 or drawn[2].interval.high < 0
    return DayRow(
        metric=metric,
        variant=day.variant,
        control=design.control,
        method=day.method,
        day=day.day,
        n=round(day.two.arm.n),
        n_control=round(day.two.control.n),
        difference=None if tested is None else tested.difference,
        lift=None if lift is None else lift[0],
        p_value=outcome.p_value if day.drawn and not isinstance(outcome, NotTested) else None,
        fixed_p_value=None if day.fixed is None else day.fixed.p_value,
        always_valid_p_value=None if day.sequence is None else day.sequence.p_value,
        crossed=crossed,
        confidence=confidence,
        experiment=design.name,
        status=outcome.status if isinstance(outcome, NotTested) else "ok",
        reason=reason,
        **ends,
    )


def _ends(prefix: str, drawn: Limits | None) -> dict[str, float | None]:
    lift = None if drawn is None else drawn.lift
    return {
        f"{prefix}ci_low": None if drawn is None else drawn.interval.low,
        f"{prefix}ci_high": None if drawn is None else drawn.interval.high,
        f"{prefix}lift_ci_low": None if lift is None else lift[1].low,
        f"{prefix}lift_ci_high": None if lift is None else lift[1].high,
    }


def days_of_looks(design: Design, found: MetricAggregates) -> frozenset[date]:
    """The days on which a metric's units reached a look of a group-sequential design."""
    moments = found.moments
    return frozenset(day for day in moments.known_days if reached(design, moments, day).days[-1:] == (day,))


def first_crossings(rows: Sequence[ExperimentRow], days: Iterable[DayRow], stopping: str) -> dict[Key, date]:
    """(metric, arm, method) -> the first day on which the declared interval left 0 out, where looking is allowed for.

    Args:
        rows: of the scorecard.
        days: of all metrics.
        stopping: as declared; at a fixed horizon, and with a posterior, crossing early means nothing.
    """
    if stopping not in {"always-valid", "group-sequential"}:
        return {}
    wanted = {(row.metric, row.variant, row.method) for row in rows}
    found: dict[Key, date] = {}
    for day in days:
        key = (day.metric, day.variant, day.method)
        outside = day.ci_low is not None and day.ci_high is not None and (day.ci_low > 0 or day.ci_high < 0)
        if key in wanted and outside:
            found[key] = min(day.day, found.get(key, day.day))
    return found
