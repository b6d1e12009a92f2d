"""What the corrected interval of a comparison says, in a word."""

from __future__ import annotations

from analytics.experiments.design import MetricDesign
from analytics.experiments.rows import Badge, ExperimentRow


def badge(row: ExperimentRow, metric: MetricDesign, *, one_sided: bool = False) -> Badge | None:
    """The word for a row; None where nothing was tested.

    A guardrail is safe where its interval lies inside the margin on the harmful side, even if it lies wholly on
    the worse side of 0: so much harm was accepted beforehand. It is harmed where the interval lies on the worse
    side of 0 and reaches beyond the margin.

    Any other metric with a smallest effect that matters is too small to matter where its interval leaves 0 out but no
    effect that matters in; where it holds 0 and no effect that matters, there is no difference that matters.

    Args:
        row: with its corrected interval.
        metric: with its margin, or the smallest effect that matters.
        one_sided: whether only a change for the better is tested; then nothing but a guardrail is called worse.
    """
    gain = gains(row)
    if gain is None:
        return None
    if metric.role == "guardrail":
        if _inside(row, metric, gain[0]):
            return "safe"
        return "harmed" if gain[1] < 0 else "not shown safe"
    if one_sided and gain[1] < 0:
        return "no improvement shown"
    small = too_small(row, metric)
    if gain[0] > 0 or gain[1] < 0:
        return "too small to matter" if small else "better" if gain[0] > 0 else "worse"
    return "no difference that matters" if small else "no difference shown"


def gains(row: ExperimentRow) -> tuple[float, float] | None:
    """The corrected interval of the difference, turned so that more is better."""
    return _turned(row, row.ci_adjusted_low, row.ci_adjusted_high)


def lift_gains(row: ExperimentRow) -> tuple[float, float] | None:
    """The corrected interval of the lift, turned so that more is better."""
    return _turned(row, row.lift_ci_adjusted_low, row.lift_ci_adjusted_high)


def too_small(row: ExperimentRow, metric: MetricDesign) -> bool:
    """Whether every effect that is not ruled out is smaller than what matters."""
    if metric.smallest_difference is not None:
        found, least = gains(row), metric.smallest_difference
    elif metric.smallest_lift is not None:
        found, least = lift_gains(row), metric.smallest_lift
    else:
        return False
    return found is not None and -least < found[0] and found[1] < least


def _turned(row: ExperimentRow, low: float | None, high: float | None) -> tuple[float, float] | None:
    if low is None or high is None:
        return None
    return (low, high) if row.direction == "up" else (-high, -low)


def _inside(row: ExperimentRow, metric: MetricDesign, worst: float) -> bool:
    """Whether the harm that cannot be ruled out is less than the margin."""
    if worst > 0:
        return True
    if metric.margin_absolute is not None:
        return worst > -metric.margin_absolute
    lift = lift_gains(row)
    return lift is not None and metric.margin is not None and lift[0] > -metric.margin
