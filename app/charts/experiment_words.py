"""Numbers and badges of experiments as people read them: shares in percent, their differences in points."""

from __future__ import annotations

import math

from analytics.experiments import words
from analytics.experiments.rows import Badge, ExperimentRow
from analytics.project import SHARES
from app.charts.bins import bin_name
from app.formats import MINUS, NONE, STATUS_WORDS, interval, number, percent, points, signed

BADGE_SIGNS: dict[Badge, str] = {
    "better": "▲ better",
    "worse": "▼ worse",
    "no difference shown": "● no difference shown",
    "too small to matter": "◇ too small to matter",
    "no difference that matters": "◆ no difference that matters",
    "no improvement shown": "▽ no improvement shown",
    "safe": "■ safe",
    "harmed": "✕ harmed",
    "not shown safe": "□ not shown safe",
}
"""Sign and word of each badge; charts draw the same shapes."""


def known(value: float | None) -> float | None:
    """A number that can be drawn; None for anything else.

    >>> known(0.5), known(math.inf), known(None)
    (0.5, None, None)
    """
    return value if value is not None and math.isfinite(value) else None


def scaled(value: float | None, factor: float) -> float | None:
    """A number on its axis; None for what cannot be drawn.

    >>> scaled(0.5, 100), scaled(None, 100)
    (50.0, None)
    """
    there = known(value)
    return None if there is None else factor * there


def value(kind: str | None, mean: float | None) -> str:
    """A mean, ratio or share.

    >>> value("proportion", 0.1286), value("mean", 3.14159), value("ratio", None)
    ('12.9%', '3.14', '–')
    """
    return percent(mean) if kind in SHARES else number(mean)


def values_between(low: float | None, high: float | None) -> str:
    """A bin of values; None and infinite ends are open.

    >>> values_between(-2.5, 0.0), values_between(None, -3.0), values_between(5.0, math.inf)
    ('−2.5 to 0', 'below −3', '5 or more')
    """
    ends = -math.inf if low is None else low, math.inf if high is None else high
    return bin_name(*ends).replace("-", MINUS)


def difference(kind: str | None, amount: float | None) -> str:
    """A difference, in percentage points for shares.

    >>> difference("proportion", 0.026), difference("mean", -1.5)
    ('+2.6 pp', '−1.50')
    """
    return points(amount) if kind in SHARES else signed(amount)


def lift(amount: float | None) -> str:
    """A difference relative to the control.

    >>> lift(0.2547), lift(-0.02), lift(0.0), lift(None)
    ('+25.5%', '−2%', '0%', '–')
    """
    text = percent(amount)
    return f"+{text}" if amount is not None and amount > 0 and text != NONE else text


def value_interval(kind: str | None, low: float | None, high: float | None) -> str:
    """Both ends of an interval of a mean.

    >>> value_interval("proportion", 0.1, 0.125)
    '10% to 12.5%'
    """
    return interval(low, high, share=kind in SHARES)


def difference_interval(kind: str | None, low: float | None, high: float | None) -> str:
    """Both ends of an interval of a difference.

    >>> difference_interval("proportion", 0.01, 0.043), difference_interval("mean", None, 1.0)
    ('+1 pp to +4.3 pp', '–')
    """
    return NONE if low is None or high is None else f"{difference(kind, low)} to {difference(kind, high)}"


def lift_interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval of a lift.

    >>> lift_interval(0.089, 0.447), lift_interval(-0.01, 0.02)
    ('+8.9% to +44.7%', '−1% to +2%')
    """
    return NONE if low is None or high is None else f"{lift(low)} to {lift(high)}"


def p_value(p: float | None) -> str:
    """A p-value as the verdict writes it.

    >>> p_value(0.00214), p_value(0.5), p_value(3e-9), p_value(None)
    ('.0021', '.50', '< .0001', '–')
    """
    return (
        NONE if p is None or not math.isfinite(p) else words.p_value(p).removeprefix("p ").removeprefix("= ")
    )


def chance(p: float | None) -> str:
    """A probability that is never certain.

    >>> chance(0.9912), chance(1.0), chance(1e-9), chance(None)
    ('99.1%', '> 99.9%', '< 0.1%', '–')
    """
    if p is not None and not 0.001 <= p <= 0.999:
        return "> 99.9%" if p > 0.5 else "< 0.1%"
    return percent(p)


NO_VERDICT = "no verdict"
"""Of a comparison that was tested although the split is broken."""


def badge(row: ExperimentRow) -> str:
    """Sign and word of a comparison, or why there is none."""
    if row.badge is not None:
        return BADGE_SIGNS[row.badge]
    return NO_VERDICT if row.status == "ok" else STATUS_WORDS[row.status]


def has_lift(row: ExperimentRow) -> bool:
    """Whether there is a lift to draw: the control may be too uncertain at the corrected level only."""
    return None not in {known(row.lift), known(row.lift_ci_adjusted_low), known(row.lift_ci_adjusted_high)}


def effect(row: ExperimentRow) -> str:
    """The lift with its corrected interval where there is one, else the difference."""
    if has_lift(row):
        limits = lift_interval(row.lift_ci_adjusted_low, row.lift_ci_adjusted_high)
        return f"{lift(row.lift)} ({limits})"
    limits = difference_interval(row.kind, row.ci_adjusted_low, row.ci_adjusted_high)
    return f"{difference(row.kind, row.difference)} ({limits})"


def half_width(kind: str | None, low: float | None, high: float | None) -> str:
    """Half of an interval's width, in points for shares; two digits, as nobody knows an error better.

    >>> half_width("proportion", 0.12, 0.14), half_width("mean", 3.0, 3.5), half_width("mean", None, None)
    ('1 pp', '0.25', '–')
    """
    if low is None or high is None:
        return NONE
    half = (high - low) / 2
    if kind in SHARES or half >= 99.5:
        return difference(kind, half).removeprefix("+").removeprefix(MINUS)
    return f"{half:#.2g}".removesuffix(".")
