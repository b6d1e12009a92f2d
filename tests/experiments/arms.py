"""Small experiments for tests: from the values of units to a scorecard."""

from __future__ import annotations

from dataclasses import fields
from zoneinfo import ZoneInfo

import numpy as np

from analytics.aggregates.arms import (
    COVARIATE,
    RATIO,
    RATIO_COVARIATE,
    VALUE,
    ArmMoments,
    ExperimentAggregates,
    MetricAggregates,
    Split,
)
from analytics.experiments.analyse import scorecard
from analytics.experiments.design import Design, MetricDesign

UTC = ZoneInfo("UTC")


def moments(kind, values, *, clusters=None, covariate=False, days=None):
    """Arm -> values of units, shape (n,) or (n, K), as moments; days: arm -> day number of each unit."""
    own, before = (RATIO, RATIO_COVARIATE) if kind == "ratio" else (VALUE, COVARIATE)
    columns = own + before if covariate else own
    if days is None:
        return ArmMoments.from_values(columns, values, clusters=clusters)
    whole = None
    for day in np.unique(np.concatenate(list(days.values()))):
        chosen = {arm: days[arm] == day for arm in values}
        part = ArmMoments.from_values(
            columns,
            {arm: np.asarray(values[arm])[chosen[arm]] for arm in values},
            clusters=None if clusters is None else {arm: clusters[arm][chosen[arm]] for arm in values},
        )
        part.days[:] = np.datetime64("2026-01-01") + int(day)
        whole = part if whole is None else whole + part
    return whole


def design(metrics, arms=("A", "B"), control="A", alpha=0.05, shares=None, name="test", **planned):
    return Design(name, control, shares or dict.fromkeys(arms, 1.0), alpha, tuple(metrics), **planned)


def card(metrics, found, *, arms=("A", "B"), control="A", alpha=0.05, split=None, **options):
    """The scorecard of metric designs and their aggregates."""
    own = {field.name for field in fields(Design)} - {"shares"}
    planned = {name: options.pop(name) for name in own & options.keys()}
    split = split or Split({arm: found[0].moments.count(arm) for arm in arms} if found else {})
    return scorecard(
        design(metrics, arms, control, alpha, options.pop("shares", None), **planned),
        ExperimentAggregates(split, tuple(found)),
        UTC,
        **options,
    )


def one(kind, values, *, clusters=None, direction="up", covariate=None, days=None, alpha=0.05, **options):
    """The rows of one metric: unadjusted, and with a covariate (arm -> values, same shape) also adjusted."""
    arms = tuple(values)
    plain = moments(kind, values, clusters=clusters, days=days)
    both = None
    if covariate is not None:
        joined = {arm: np.column_stack([values[arm], covariate[arm]]) for arm in arms}
        both = moments(kind, joined, clusters=clusters, covariate=True, days=days)
    metric = MetricDesign("m", kind, direction, has_covariate=covariate is not None)
    return card([metric], [MetricAggregates("m", plain, both)], arms=arms, alpha=alpha, **options)


def excludes_zero(low, high):
    return low > 0 or high < 0
