"""Why a metric is not compared although its logs were read: its values are not what it declares, or too young."""

from __future__ import annotations

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.design import MetricDesign
from analytics.experiments.methods import NotTested
from analytics.project import SHARES
from analytics.results import Status


def refusal(metric: MetricDesign, moments: ArmMoments) -> NotTested | None:
    """What speaks against comparing at all, or None."""
    if not moments.invalid:
        return None
    units = f"{moments.invalid:,} unit{'s' if moments.invalid != 1 else ''}"
    if metric.kind in SHARES:
        return NotTested(
            "undefined",
            f"{units} have values other than 0 and 1, so this is no proportion: "
            f'declare kind = "mean", or a condition that is true or false',
        )
    return NotTested(
        "undefined",
        f"{units} have totals that are no counts (below 0, or not whole), so these are no events: "
        'declare kind = "mean"',
    )


def immature(found: MetricAggregates, arms: tuple[str, ...]) -> str | None:
    """Why an arm without units has none yet: the windows of all its units are open; None where that is not why."""
    if not found.leaves_open_out:
        return None
    young = [arm for arm in arms if not found.moments.count(arm) and found.open_windows.get(arm)]
    if not young:
        return None
    return f"no unit of {' and '.join(young)} has had its whole window yet"


def of_arm(found: MetricAggregates, arm: str) -> tuple[Status, str]:
    """Why an arm has no units: none were exposed, or none is old enough to be judged."""
    young = immature(found, (arm,))
    return ("immature", young) if young is not None else ("no_data", "the arm has no units")
