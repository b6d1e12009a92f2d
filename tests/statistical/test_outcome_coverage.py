"""How often the intervals of metrics over time hold the truth, where rows of a unit, a household or a day go together.

The truth is the expected value of a fresh draw of units (and days). Beside it: the interval that takes rows as
independent, which holds it far too seldom.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from analytics.aggregates.metric_cells import MetricCell
from analytics.outcomes.estimate import Asked, outcome

RUNS = 600
Draw = Callable[[np.random.Generator], tuple[MetricCell, float, np.ndarray]]


def cell(
    tops: np.ndarray, bottoms: np.ndarray, groups: np.ndarray, blocks: np.ndarray | None = None
) -> MetricCell:
    _, place = np.unique(groups, return_inverse=True)
    a, b = np.bincount(place, tops), np.bincount(place, bottoms)
    value = a.sum() / b.sum()
    return MetricCell(
        len(tops), 0, len(a), a.sum(), b.sum(), float(((a - value * b) ** 2).sum()), blocks=blocks
    )


def clicks_of_users(random: np.random.Generator) -> tuple[MetricCell, float, np.ndarray]:
    """Shown items are many for some users, and each user has a taste: clicks per item."""
    shown = random.geometric(0.1, 300)
    taste = random.beta(1, 4, 300)
    clicked = random.binomial(shown, taste)
    rows = np.repeat([1.0, 0.0], [clicked.sum(), shown.sum() - clicked.sum()])
    return cell(clicked.astype(float), shown.astype(float), np.arange(300)), 0.2, rows


def orders_of_households(random: np.random.Generator) -> tuple[MetricCell, float, np.ndarray]:
    """Who lives together orders alike: orders per user."""
    sizes = random.integers(1, 6, 150)
    home = np.repeat(np.arange(150), sizes)
    orders = random.poisson(random.gamma(1.0, 0.5, 150)[home]).astype(float)
    return cell(orders, np.ones(len(home)), home), 0.5, orders


def buyers_of_a_day(random: np.random.Generator) -> tuple[MetricCell, float, np.ndarray]:
    """Few buy: a share of users."""
    home = np.arange(250) // 2
    buys = (random.random(250) < random.beta(0.5, 9.5, 125)[home]).astype(float)
    return cell(buys, np.ones(250), home), 0.05, buys


def minutes_of_days(random: np.random.Generator) -> tuple[MetricCell, float, np.ndarray]:
    """Days have a mood that everybody shares: minutes per visit of four weeks."""
    mood = random.normal(0, 1, 28)
    day = random.integers(0, 28, 2000)
    minutes = 10 + mood[day] + random.normal(0, 3, 2000)
    user = random.integers(0, 800, 2000)
    tops, bottoms = np.bincount(user, minutes), np.bincount(user).astype(float)
    present = bottoms > 0
    blocks = np.column_stack([np.bincount(day, minutes, 28), np.bincount(day, minlength=28)]).astype(float)
    return cell(tops[present], bottoms[present], np.flatnonzero(present), blocks), 10.0, minutes


@pytest.mark.statistical
@pytest.mark.parametrize(
    "draw, kind, plain_at_most",
    [
        (clicks_of_users, "ratio", 0.75),
        (orders_of_households, "count", 0.93),
        (buyers_of_a_day, "proportion", 0.99),
        (minutes_of_days, "ratio", 0.7),
    ],
)
def test_intervals_hold_what_they_promise(draw: Draw, kind: str, plain_at_most: float):
    random = np.random.default_rng(20260105)
    held = plain = 0
    for _ in range(RUNS):
        found, truth, rows = draw(random)
        answer = outcome(found, Asked(kind, 0.95))
        assert answer.ci_low is not None
        assert answer.ci_high is not None
        held += answer.ci_low <= truth <= answer.ci_high
        low, high = stats.t.interval(0.95, len(rows) - 1, rows.mean(), max(stats.sem(rows), 1e-12))
        plain += low <= truth <= high
    print(f"{draw.__name__}: {held / RUNS:.1%}, rows taken as independent {plain / RUNS:.1%}")
    assert 0.925 <= held / RUNS <= 0.975
    assert plain / RUNS <= plain_at_most
