"""Rows of experiments to draw, with everything in them that figures must not stumble over."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from analytics.experiments.rows import (
    ArmCount,
    ArmRow,
    DayRow,
    Decision,
    ExperimentRow,
    Health,
    MetricFacts,
    PowerRow,
    Scorecard,
    ValueBin,
)

EVIL = "<b>evil</b>"
LONG = "checkout_conversion_within_7_days_of_first_exposure"
_TESTED = (
    "difference", "standard_error", "statistic", "df", "ci_low", "ci_high", "p_value", "p_adjusted",
    "ci_adjusted_low", "ci_adjusted_high", "lift", "lift_ci_low", "lift_ci_high", "lift_ci_adjusted_low",
    "lift_ci_adjusted_high", "chance_to_beat", "badge",
)  # fmt: skip


def row(
    metric="conversion",
    difference=0.026,
    half=0.016,
    *,
    control=0.103,
    badge="no difference shown",
    kind="proportion",
    role="primary",
    variant="B",
    n=5000,
    direction="up",
    method="unadjusted",
    **more,
):
    low, high, base = difference - half, difference + half, abs(control)
    fields = {
        "experiment": "new_ranker", "metric": metric, "kind": kind, "role": role, "direction": direction,
        "variant": variant, "control": "A", "n": n, "n_control": n + 10, "mean": control + difference,
        "mean_control": control, "difference": difference, "standard_error": half / 2, "statistic": 2.0,
        "df": None, "ci_low": low + half / 10, "ci_high": high - half / 10, "p_value": 0.00214,
        "p_adjusted": 0.0043, "ci_adjusted_low": low, "ci_adjusted_high": high, "lift": difference / base,
        "lift_ci_low": low / base, "lift_ci_high": high / base, "lift_ci_adjusted_low": low / base,
        "lift_ci_adjusted_high": high / base, "chance_to_beat": 0.999, "method": method, "test": "score",
        "n_missing": 0, "permutation_p_value": None, "badge": badge, "warnings": None, "confidence": 0.95,
        "status": "ok", "reason": None, "half_width": 0.009, "half_width_control": 0.009,
    }  # fmt: skip
    return ExperimentRow(**fields | more)


def without_lift(**more):
    """A control mean that cannot be told from 0."""
    nothing = {name: None for name in _TESTED if name.startswith("lift")}
    reason = "the control's mean cannot be told from 0"
    return dataclasses.replace(row(**{"kind": "mean"} | more), reason=reason, **nothing)


def untested(status="undefined", reason="no unit of either arm converted, so nothing varies", **more):
    return dataclasses.replace(row(**more), status=status, reason=reason, **dict.fromkeys(_TESTED))


def srm(p=0.4):
    fields = dict.fromkeys(_TESTED) | {
        "metric": "srm", "kind": None, "role": "health", "direction": None, "variant": None, "control": None,
        "mean": None, "mean_control": None, "method": "chi-squared", "test": "chi-squared", "p_value": p,
    }  # fmt: skip
    return dataclasses.replace(row(), **fields)


def comparisons():
    """Every badge, both directions, two arms, hostile and long names, no lift, and not tested."""
    cost = {"metric": "cost", "kind": "mean", "control": 12.4, "direction": "down"}
    latency = {"metric": "latency_ms", "kind": "mean", "control": 240.0, "direction": "down"}
    guard = {"role": "guardrail"}
    secondary = {"role": "secondary"}
    return [
        row(badge="better"),
        row(variant=f"{EVIL} and long", difference=-0.012, badge="no difference shown"),
        row(LONG, 0.001, 0.02),
        row(**cost, difference=1.9, half=0.8, badge="worse"),
        row(**latency, difference=1.0, half=2.0, badge="safe", **guard),
        row(**latency, variant=f"{EVIL} and long", difference=9.0, half=7.0, badge="not shown safe", **guard),
        row("errors", 0.006, 0.002, control=0.02, direction="down", badge="harmed", **guard),
        row("revenue per visit", 4.0, 9.0, control=1.0, kind="ratio", **secondary),
        without_lift(metric="margin", difference=0.2, half=0.5, control=-0.02, **secondary),
        untested(metric="refunds", **secondary),
    ]


FACTS = (
    MetricFacts("latency_ms", "mean", "down", "guardrail", "mean of ms", margin=0.02),
    MetricFacts("errors", "proportion", "down", "guardrail", "any error", margin_absolute=0.001),
)


def arm(variant="A", mean=0.103, half=0.009, *, metric="conversion", kind="proportion", n=5010):
    known = mean is not None
    return ArmRow(
        metric, kind, variant, variant == "A", n, 3, mean, mean - half if known else None,
        mean + half if known else None, 0.3 if known else None, "ok" if known else "no_data",
        None if known else "no units",
    )  # fmt: skip


def days(n=28, *, metric="conversion", variant="B", method="unadjusted", lift=True, known=True, base=0.103):
    rows = []
    for place in range(n):
        half = 0.08 / (place + 1) ** 0.5
        difference = 0.026 + 0.03 * (-1) ** place / (place + 1)
        ends = (difference, difference - half, difference + half)
        amounts = ends if known and place != 3 else (None, None, None)
        lifts = (
            tuple(None if end is None else end / base for end in amounts) if lift and place else (None,) * 3
        )
        rows.append(
            DayRow(
                metric, variant, "A", method, date(2013, 3, 1) + timedelta(days=place), 180 * (place + 1),
                179 * (place + 1), *amounts, *lifts, "ok" if amounts[0] is not None else "too_few",
                None if amounts[0] is not None else "1 unit; at least 2 are needed",
            )
        )  # fmt: skip
    return rows


def bins(*, metric="cost", arms=("A", "B"), edges=(0, 5, 10, 15, 20, 25, 30), opened=True):
    ends = [*itertools.pairwise(edges)]
    ends = [(None, edges[0]), *ends, (edges[-1], None)] if opened else ends
    rows = []
    for index, name in enumerate(arms):
        weights = [1 + (place + index) % 4 * (len(ends) - place) for place in range(len(ends))]
        total = sum(weights)
        rows += [
            ValueBin(metric, name, low, high, 10 * weight, weight / total)
            for (low, high), weight in zip(ends, weights, strict=True)
        ]
    return rows


def cost_arms(arms=("A", "B")):
    return [arm(name, 12.4 + 1.9 * place, 0.5, metric="cost", kind="mean") for place, name in enumerate(arms)]


def health(counts=(5010, 5000), names=("A", "B"), *, p=0.4, shares=None):
    shares = shares or [1 / len(counts)] * len(counts)
    total = sum(counts)
    arms = tuple(
        ArmCount(name, share, n, share * total) for name, share, n in zip(names, shares, counts, strict=True)
    )
    return Health(arms=arms, srm=None if p is None else srm(p), n_units=total)


def plan(n=1500, lift=0.1, power=0.8, *, kind="proportion", solved_for="n", baseline=0.1):
    known = power is not None
    return PowerRow(
        kind, baseline, None if kind == "proportion" else 3.0, 0.05, 0.05, power, False, 2, n, 2 * n,
        f"{n}, {n}", lift * abs(baseline) if baseline else lift, lift if baseline else None, 1000.0,
        -(-2 * n // 1000), "two equal arms, two-sided", "ok" if known else "undefined",
        None if known else "no number of units is enough", solved_for,
    )  # fmt: skip


def curve(**more):
    return [plan(n, power=min(0.999, 0.05 + 0.75 * (n / 1500) ** 0.7), **more) for n in range(100, 3100, 100)]


def effect_curve(**more):
    return [
        plan(1500, lift, power=min(0.999, 0.05 + 0.75 * (lift / 0.1) ** 1.5), **more)
        for lift in (0.01, 0.03, 0.05, 0.08, 0.1, 0.12, 0.15)
    ]


def scorecard(rows=None, **more):
    rows = comparisons() if rows is None else rows
    fields = {
        "name": "new_ranker", "control": "A", "variants": ("B", f"{EVIL} and long"), "confidence": 0.95,
        "metrics": FACTS, "rows": (*rows, srm()), "arms": (arm(), arm("B", 0.129), *cost_arms()),
        "days": tuple(days()), "bins": tuple(bins()), "health": health(),
        "decision": Decision("harmed", "B harms errors."), "correction": "Holm.",
        "zone": ZoneInfo("America/New_York"),
    }  # fmt: skip
    return Scorecard(**fields | more)


def cuped(plain_row):
    return dataclasses.replace(plain_row, method="cuped")
