"""Arms of which the logs of outcomes know hardly anything: ids that are written in two ways look like a loss."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import chi2_contingency

from analytics.aggregates.arms import MetricAggregates, Split
from analytics.experiments.words import percent

ALARM = 0.001
LEAST_EXPECTED = 5.0
SILENT = 0.1
"""An arm whose units occur in the logs less than a tenth as often as those of another has lost them on the way."""


def silent_arms(metrics: Sequence[MetricAggregates], split: Split) -> list[str]:
    """What is wrong with the outcomes of an arm, a sentence each."""
    told = (sentence for metric in metrics for sentence in _silent(metric, split))
    return list(dict.fromkeys(told))


def _silent(metric: MetricAggregates, split: Split) -> Iterator[str]:
    exposed = {arm: n for arm, n in split.n.items() if n}
    if metric.n_active is None or not exposed:
        return
    active = {arm: metric.n_active.get(arm, 0) for arm in exposed}
    if not any(active.values()):
        yield "no exposed unit has a row after its first exposure: are units written alike in both logs?"
        return
    shares = {arm: n / exposed[arm] for arm, n in active.items()}
    best = max(shares, key=lambda arm: shares[arm])
    for arm in exposed:
        pair = np.array(
            [[active[one], exposed[one] - active[one]] for one in (arm, best)], dtype=np.float64
        ).T
        if shares[arm] < SILENT * shares[best] and shares_differ(pair):
            yield (
                f"only {percent(shares[arm])} of the units in {arm} have a row after their first exposure, against "
                f"{percent(shares[best])} in {best}: are units written alike in both logs?"
            )


def shares_differ(table: np.ndarray) -> bool:
    """Whether the first of two rows of counts differs between columns, beyond the alarm level of the split."""
    if (table.sum(axis=1) == 0).any() or (table.sum(axis=0) == 0).any():
        return False
    tested = chi2_contingency(table, correction=False)
    p = float(tested.pvalue)
    return bool(tested.expected_freq.min() >= LEAST_EXPECTED and math.isfinite(p) and p < ALARM)
