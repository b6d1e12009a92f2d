"""Seeded simulations of decisions: intervals of gains, thresholds and reviews cover what they should.

``python -m tests.statistical.test_decisions_coverage 400`` prints the table of docs/methods/decisions.md.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pytest
from scipy.special import expit

from analytics.aggregates.decisions import DecisionScores
from analytics.aggregates.edges import score_edges
from analytics.quality.gain import review_budget, review_share
from analytics.quality.thresholds import Wish, answer, cell_of
from analytics.stats.thresholds import Above, Amounts, above, best, earnings

pytestmark = pytest.mark.statistical
EDGES = score_edges()
PLACES = np.concatenate([[0.0], EDGES, [1.0]])
AMOUNTS = Amounts(20, -10, -5, 0)
BUDGET = 10.0


class Design(NamedTuple):
    """Days x rows a day; the effect a day's rows share; the threshold in use; base and slope on the logit."""

    days: int
    per_day: int
    effect: float
    in_use: float
    base: float = -1.5


DESIGNS = {
    "1 day x 500, in use .50": Design(1, 500, 0.0, 0.5),
    "1 day x 2,000, in use .30": Design(1, 2_000, 0.0, 0.3),
    "30 days x 100, in use .40": Design(30, 100, 0.6, 0.4),
    "30 days x 100, in use .28": Design(30, 100, 0.6, 0.28),
    "60 days x 200, in use .40": Design(60, 200, 0.6, 0.4),
    "100 days x 300, in use .30": Design(100, 300, 0.6, 0.3),
    "60 days x 200, 4 % positive, in use .10": Design(60, 200, 0.6, 0.1, -4.0),
}


def drawn(rng, design):
    shape = (design.days, design.per_day)
    logit = design.base + 1.2 * rng.normal(size=shape)
    effect = design.effect * rng.normal(size=(design.days, 1))
    label = (rng.random(shape) < expit(logit + effect)).astype(int)
    return expit(logit).ravel(), label.ravel(), np.repeat(np.arange(design.days), design.per_day)


def scores_of(score, label, decision, group):
    """What the SQL gives, from rows."""
    bins = len(EDGES) + 1
    place = np.searchsorted(EDGES, score, side="right")
    code, n = np.unique(((group * 3 + label) * 3 + decision) * bins + place, return_counts=True)
    place, rest = code % bins, code // bins
    n = n.astype(float)
    return DecisionScores(
        np.arange(bins, dtype=float),
        int(group.max()) + 1,
        rest // 9,
        rest // 3 % 3,
        rest % 3,
        place,
        n,
        n,
        n,
        n,
        n,
    )


@lru_cache
def truth(design):
    """The best threshold, what it earns, what is earned in use, and what reviews find, from a million rows."""
    days = max(1_000_000 // design.per_day, 500)
    score, label, _ = drawn(np.random.default_rng(99), design._replace(days=days))
    place = np.searchsorted(EDGES, score, side="right")
    counted = [np.bincount(place[label == k], minlength=len(EDGES) + 1).astype(float) for k in (1, 0)]
    sums = Above(above(counted[0]), above(counted[1]), above(counted[0] + counted[1]))
    earned = earnings(sums, AMOUNTS) / len(score)
    at = int(best(sums, "cost", None, AMOUNTS))
    in_use = earned[np.argmin(np.abs(PLACES - design.in_use))]
    cut = np.quantile(score, 0.9)
    order = np.argsort(-score.reshape(days, -1), axis=1)[:, : int(BUDGET)]
    top = np.take_along_axis(label.reshape(days, -1), order, axis=1)
    return {
        "threshold": PLACES[at], "value": earned[at], "present": in_use, "gain": earned[at] - in_use,
        "recall of the top tenth": label[score >= cut].sum() / label.sum(),
        "precision of the top tenth": label[score >= cut].mean(),
        "precision of 10 a day": top.mean(), "recall of 10 a day": top.sum() / label.sum(),
    }  # fmt: skip


def intervals(rng, design):
    score, label, group = drawn(rng, design)
    scores = scores_of(score, label, (score >= design.in_use).astype(int), group)
    found = answer(cell_of(scores, None, decided=True), Wish("cost"), design.per_day, AMOUNTS, 0.95)
    tenth, budget = review_share(scores, None, 0.1), review_budget(scores, BUDGET)
    limits = {
        "threshold": (PLACES[found.low], PLACES[found.high]), "value": found.value_limits,
        "present": found.present.interval(0.95)[:2], "gain": found.gain_limits,
        "recall of the top tenth": tenth.recall.interval(0.95)[:2],
        "precision of the top tenth": tenth.precision.interval(0.95)[:2],
        "precision of 10 a day": budget.precision.interval(0.95)[:2],
        "recall of 10 a day": budget.recall.interval(0.95)[:2],
    }  # fmt: skip
    return limits, (found.gain.value, found.gain_in_sample, found.p_value)


def simulated(design, replicates, seed=1):
    """Share of replicates whose intervals hold the truth; means of both gains; share of gains called."""
    rng = np.random.default_rng(seed)
    true = truth(design)
    held = dict.fromkeys(true, 0)
    gains = []
    for _ in range(replicates):
        limits, gain = intervals(rng, design)
        gains.append(gain)
        for name, (low, high) in limits.items():
            held[name] += low <= true[name] <= high
    held_out, in_sample, p = np.array(gains).T
    called = float(np.mean((p < 0.05) & (held_out > 0)))
    return (
        {name: n / replicates for name, n in held.items()},
        float(held_out.mean()),
        float(in_sample.mean()),
        called,
    )


@pytest.mark.parametrize("name", ["1 day x 500, in use .50", "30 days x 100, in use .28"])
def test_intervals_of_decisions_cover(name):
    covered, held_out, in_sample, _ = simulated(DESIGNS[name], 80)
    # four standard errors below 95 % for the lowest of eight
    assert min(covered.values()) >= 0.85, covered
    assert np.mean(list(covered.values())) >= 0.93, covered
    gain = truth(DESIGNS[name])["gain"]
    # the truth lies between what held-out and what choosing rows say
    assert held_out < gain + 0.02
    assert in_sample > gain - 0.02


def test_no_gain_is_seldom_called_one():
    _, _, _, called = simulated(DESIGNS["30 days x 100, in use .28"]._replace(in_use=0.2699), 100, seed=5)
    assert called <= 0.08


if __name__ == "__main__":
    runs = int(sys.argv[1])
    for name, design in DESIGNS.items():
        covered, held_out, in_sample, called = simulated(design, runs)
        shown = " | ".join(f"{100 * covered[key]:.1f}" for key in covered)
        gains = f"{truth(design)['gain']:.3f} | {held_out:.3f} | {in_sample:.3f} | {100 * called:.0f}"
        print(f"| {name} | {gains} | {shown} |", flush=True)
