"""What the stopping rule says about today: in sentences, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.design import Design
from analytics.experiments.looks import reached
from analytics.experiments.rows import DayRow, ExperimentRow, headline
from analytics.experiments.words import percent, plural
from analytics.stats.group_sequential import naive_false_alarm

MANY_LOOKS = 400
"""Days beyond which the chance of a false alarm is no longer counted day by day."""


@dataclass(frozen=True)
class Peeking:
    """What looking at a fixed-horizon interval every day would have cost.

    Attributes:
        looks: days so far on which there was something to look at.
        alpha: of every look.
        false_alarm: the chance, without any effect, of p < alpha on one of these days or more.
    """

    looks: int
    alpha: float
    false_alarm: float

    @property
    def sentence(self) -> str:
        """The same in words."""
        once = percent(self.alpha)
        if self.looks < 2:
            return f"Looked at once, a fixed-horizon interval is wrong in {once} of experiments without an effect."
        return (
            f"Whoever looked at a fixed-horizon interval on each of these {self.looks} days and stopped at the first "
            f"p < {_level(self.alpha)} would be wrong in {percent(round(self.false_alarm, 3))} of experiments without "
            f"an effect, not in {once}."
        )


def _level(alpha: float) -> str:
    return f"{alpha:g}".lstrip("0")


def peeking(days: Sequence[DayRow], alpha: float) -> Peeking | None:
    """The chance of a false alarm of a metric's days, as units really arrived; None without days.

    Args:
        days: of one metric and arm by one method, ascending.
        alpha: of every look.
    """
    sizes = [day.n + day.n_control for day in days if day.fixed_p_value is not None]
    growing = [n for before, n in zip([0, *sizes], sizes, strict=False) if n > before][-MANY_LOOKS:]
    if not growing:
        return None
    return Peeking(len(growing), alpha, naive_false_alarm(growing, alpha))


def standing(
    design: Design, found: Mapping[str, MetricAggregates], rows: Sequence[ExperimentRow]
) -> str | None:
    """What the verdict's sentence says of its stopping rule; None where there is nothing to say.

    Args:
        design: of the experiment.
        found: of every metric, up to now.
        rows: the scorecard's, with the dates of first crossing.
    """
    if design.early is not None:
        return design.early
    if design.stopping == "group-sequential":
        return _look(design, found)
    if design.stopping == "always-valid":
        return _crossed(rows)
    return None


def _look(design: Design, found: Mapping[str, MetricAggregates]) -> str | None:
    first = next((found[metric.name] for metric in design.ordered_metrics if metric.name in found), None)
    if first is None:
        return None
    state = reached(design, first.moments)
    if not state.fractions:
        return f"No look was taken yet: {_upper(state.next_words)}"
    at = design.looks.index(state.planned[-1]) + 1
    when = f" on {_day(state.days[-1])}" if state.days[-1] is not None else ""
    ended = at == len(design.looks) and state.next_planned is None
    more = "" if ended else f" {state.next_words}"
    return (
        f"This stands on look {at} of {len(design.looks)}{when}, at {percent(state.fractions[-1])} of the planned "
        f"units.{more}"
    )


def _upper(text: str) -> str:
    return f"{text[0].lower()}{text[1:]}"


def _crossed(rows: Sequence[ExperimentRow]) -> str | None:
    told = []
    for row in headline(rows):
        if row.role != "primary" or row.first_crossing is None:
            continue
        today = row.badge in {"better", "worse"} or _outside(row)
        what = "first left 0 out" if today else "left 0 out"
        since = "" if today else ", and holds it again today"
        told.append(f"{row.metric}: the always-valid interval {what} on {_day(row.first_crossing)}{since}")
    return f"{'; '.join(told)}." if told else None


def _outside(row: ExperimentRow) -> bool:
    low, high = row.ci_adjusted_low, row.ci_adjusted_high
    return low is not None and high is not None and (low > 0 or high < 0)


def _day(day: date | None) -> str:
    return "" if day is None else f"{day.day} {day:%b %Y}"


def corrected_words(design: Design, correction: str) -> str:
    """How the family was corrected, and what the stopping rule adds to that."""
    match design.stopping:
        case "always-valid":
            size = (
                "5,000 units of a pair of arms, since no planned_units says where"
                if design.planned_units is None
                else f"the planned {plural(design.planned_units, 'unit')}"
            )
            more = f"Intervals are always valid: this holds however often one looks. They are tightest near {size}."
        case "group-sequential":
            more = f"This holds over all {len(design.looks)} looks together, by repeated intervals."
        case "bayesian":
            more = (
                "Intervals are credible ones, and p is twice the smaller tail: this holds for one look, and "
                "a posterior allows for looking no more than a p-value does."
            )
        case _:
            return correction
    return f"{correction} {more}"
