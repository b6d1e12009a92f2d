"""The tables of Scorecard and Plan: what the figures show, in words and units of each metric's kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from analytics.experiments.rows import DayRow, ExperimentRow, Health, PowerRow, Scorecard, ValueBin
from analytics.project import SHARES
from analytics.results import Results
from app.charts.experiment_words import (
    badge,
    chance,
    difference,
    difference_interval,
    half_width,
    lift,
    lift_interval,
    scaled,
    value,
    value_interval,
    values_between,
)
from app.formats import NONE, STATUS_WORDS, percent

_Columns = Mapping[str, Callable[[Any], Any]]
_OPTIONAL = (
    "Reason", "Warnings", "p by permutation", "Without a value", "Units a day", "Days", "Standard deviation",
)  # fmt: skip
"""Columns that are left out where they are empty throughout."""

_STATUS: _Columns = {"Status": lambda row: STATUS_WORDS[row.status], "Reason": lambda row: row.reason}
POWER: _Columns = {
    "Kind": lambda row: row.kind,
    "Baseline": lambda row: value(row.kind, row.baseline),
    "Standard deviation": lambda row: row.standard_deviation,
    "Units per variant": lambda row: row.n_per_variant,
    "Units in all": lambda row: row.n_total,
    "Units of each, control first": lambda row: row.n_by_variant,
    "Effect": lambda row: difference(row.kind, row.mde_absolute),
    "Lift": lambda row: lift(row.mde_relative),
    "Power": lambda row: percent(row.power),
    "Alpha": lambda row: row.alpha,
    "Alpha per comparison": lambda row: row.alpha_per_comparison,
    "Sides": lambda row: 1 if row.one_sided else 2,
    "Variants": lambda row: row.variants,
    "Units a day": lambda row: row.daily_units,
    "Days": lambda row: row.days,
    "Assumption": lambda row: row.assumption,
    **_STATUS,
}
ARMS: _Columns = {
    "Metric": lambda row: row.metric,
    "Variant": lambda row: row.variant,
    "Is the control": lambda row: "yes" if row.is_control else "no",
    "Value": lambda row: value(row.kind, row.mean),
    "Interval": lambda row: value_interval(row.kind, row.ci_low, row.ci_high),
    "Units": lambda row: row.n,
    "Without a value": lambda row: row.n_missing or None,
    "Standard deviation": lambda row: row.standard_deviation,
    **_STATUS,
}
BINS: _Columns = {
    "Metric": lambda row: row.metric,
    "Variant": lambda row: row.variant,
    "Values": lambda row: values_between(row.low, row.high),
    "From": lambda row: row.low,
    "Below": lambda row: row.high,
    "Units": lambda row: row.n,
    "Share of the arm's units (%)": lambda row: 100 * row.share,
}


def scorecard_table(scorecard: Scorecard, rows: Sequence[ExperimentRow] | None = None) -> pd.DataFrame:
    """Every comparison: values with the half-width of their interval, effects with the corrected interval.

    Args:
        scorecard: whose comparisons.
        rows: by default those the verdict stands on; the check of the split is left out.
    """

    def mean(row: ExperimentRow, amount: float | None, width: float | None) -> str:
        text = value(row.kind, amount)
        return text if amount is None or width is None else f"{text} ± {half_width(row.kind, -width, width)}"

    columns: _Columns = {
        "Metric": lambda row: row.metric,
        "Role": lambda row: row.role,
        "Variant": lambda row: row.variant,
        "Verdict": badge,
        "Control value": lambda row: mean(row, row.mean_control, row.half_width_control),
        "Variant value": lambda row: mean(row, row.mean, row.half_width),
        "Difference, corrected interval": _difference,
        "Lift, corrected interval": _lift,
        "p-value": lambda row: row.p_value,
        "Adjusted p-value": lambda row: row.p_adjusted,
        "p by permutation": lambda row: row.permutation_p_value,
        "Chance to beat": lambda row: chance(row.chance_to_beat),
        "Units": lambda row: row.n,
        "Control units": lambda row: row.n_control,
        "Better is": lambda row: "lower" if row.direction == "down" else "higher",
        "Method": lambda row: row.method,
        "Test": lambda row: row.test,
        "Warnings": lambda row: row.warnings,
        "Reason": lambda row: row.reason,
    }
    wanted = scorecard.headline_rows() if rows is None else rows
    return _frame([row for row in wanted if row.role != "health"], columns)


def records_table(scorecard: Scorecard) -> pd.DataFrame:
    """Every record as the command line gives it: numbers as numbers, for whoever calculates on."""
    frame = Results(scorecard.records, scorecard.zone).to_frame()
    # a count stays whole where another record has none
    whole = [name for name in frame.columns if _are_counts([getattr(row, name) for row in scorecard.records])]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _are_counts(values: Sequence[object]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int) and not isinstance(value, bool) for value in known)


def arms_table(scorecard: Scorecard) -> pd.DataFrame:
    """Every metric in every arm by itself."""
    return _frame(scorecard.arms, ARMS)


def days_table(days: Iterable[DayRow], *, kind: str | None = "mean") -> pd.DataFrame:
    """The cumulative effect day by day, of one kind of metric; numbers, so that they can be drawn again."""
    share = kind in SHARES
    factor, unit = (100, " (percentage points)") if share else (1, "")
    columns: _Columns = {
        "Day": lambda row: row.day,
        "Metric": lambda row: row.metric,
        "Variant": lambda row: row.variant,
        "Control": lambda row: row.control,
        "Method": lambda row: row.method,
        "Units so far": lambda row: row.n,
        "Control units so far": lambda row: row.n_control,
        f"Difference{unit}": lambda row: scaled(row.difference, factor),
        f"Difference low{unit}": lambda row: scaled(row.ci_low, factor),
        f"Difference high{unit}": lambda row: scaled(row.ci_high, factor),
        "Lift (%)": lambda row: scaled(row.lift, 100),
        "Lift low (%)": lambda row: scaled(row.lift_ci_low, 100),
        "Lift high (%)": lambda row: scaled(row.lift_ci_high, 100),
        **_STATUS,
    }
    return _frame(list(days), columns)


def bins_table(bins: Sequence[ValueBin]) -> pd.DataFrame:
    """The distribution of a metric in every arm."""
    return _frame(bins, BINS)


def split_table(health: Health) -> pd.DataFrame:
    """Planned and actual share of every arm."""
    total = sum(arm.n for arm in health.arms)

    def share(n: int) -> float | None:
        return n / total if total else None

    columns: _Columns = {
        "Variant": lambda arm: arm.variant,
        health.counted.capitalize(): lambda arm: arm.n,
        "Expected": lambda arm: arm.expected,
        "Share (%)": lambda arm: scaled(share(arm.n), 100),
        "Planned share (%)": lambda arm: 100 * arm.planned_share,
        "Off by (percentage points)": lambda arm: (
            None if not total else 100 * (arm.n / total - arm.planned_share)
        ),
    }
    return _frame(health.arms, columns)


def power_table(rows: Sequence[PowerRow]) -> pd.DataFrame:
    """Designs, one a line."""
    return _frame(rows, POWER)


def _difference(row: ExperimentRow) -> str:
    limits = difference_interval(row.kind, row.ci_adjusted_low, row.ci_adjusted_high)
    return _with(difference(row.kind, row.difference), limits)


def _lift(row: ExperimentRow) -> str:
    return _with(lift(row.lift), lift_interval(row.lift_ci_adjusted_low, row.lift_ci_adjusted_high))


def _with(amount: str, limits: str) -> str:
    return amount if limits == NONE else f"{amount} ({limits})"


def _frame(rows: Sequence[Any], columns: _Columns) -> pd.DataFrame:
    """One column a name; optional ones that are empty are left out, unless there are no rows at all."""
    frame = pd.DataFrame({name: [read(row) for row in rows] for name, read in columns.items()})
    empty = [name for name in _OPTIONAL if name in frame and len(frame) and frame[name].isna().all()]
    return frame.drop(columns=empty)
