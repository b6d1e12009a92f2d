"""False alarms and coverage of counts, retention, funnels and decayed credit; young units that are left out or not.

``python -m tests.statistical.test_metric_kinds_size`` prints the figures of docs/methods/experiments/metric-kinds.md
from 20,000 runs each (about three minutes).
"""

from __future__ import annotations

import sys

import numpy as np
import pytest

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.compare import compare
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.funnels import funnel_rows
from analytics.experiments.methods import NotTested
from analytics.experiments.pairs import PairMoments
from analytics.stats.moments import Comoments
from analytics.stats.poisson import Rates, score_test

pytestmark = pytest.mark.statistical
RUNS = 2000
CHANCE = 3.3 * np.sqrt(0.05 * 0.95 / RUNS)
"""What a share of 5 % may be off by chance in 2,000 runs: 1.6 percentage points."""


def moments(values: np.ndarray) -> Comoments:
    """Of one column."""
    n = float(len(values))
    return Comoments(n, n, n, np.array([values.mean()]), np.array([[n * values.var()]]))


def p_value(kind, arm: np.ndarray, control: np.ndarray) -> float:
    found = compare(PairMoments(moments(arm), moments(control)), kind)
    return 1.0 if isinstance(found, NotTested) else found.p_value


def totals(rng: np.random.Generator, n: int, mean: float, ratio: float) -> np.ndarray:
    """Events per unit whose variance is so many times their mean."""
    if ratio == 1:
        return rng.poisson(mean, n)
    return rng.poisson(rng.gamma(mean / (ratio - 1), ratio - 1, n))


def count_sizes(runs: int, ratio: float, seed: int = 1) -> tuple[float, float]:
    """False alarms of Welch on the totals of units, and of rates taken as Poisson."""
    rng = np.random.default_rng(seed)
    welch, rates = 0, 0
    for _ in range(runs):
        arm, control = totals(rng, 300, 1.5, ratio), totals(rng, 400, 1.5, ratio)
        welch += p_value("count", arm.astype(float), control.astype(float)) < 0.05
        rates += score_test(Rates(arm.sum(), 300, control.sum(), 400)).p_value < 0.05
    return welch / runs, rates / runs


def ramped(rng: np.random.Generator, n: int, late: float) -> np.ndarray:
    """Day of first exposure of 14 days; a share of the units in the last four."""
    return np.where(rng.random(n) < late, rng.uniform(10, 14, n), rng.uniform(0, 10, n))


def retention_sizes(runs: int, seed: int = 2) -> tuple[float, float]:
    """False alarms of retention within 7 days where the arm was ramped up late: complete windows only, and all units.

    Units of both arms come back alike: 40 % of them, after an exponential time of 4 days.
    """
    rng = np.random.default_rng(seed)
    complete, everybody = 0, 0
    for _ in range(runs):
        sides = {}
        for name, n, late in (("B", 500, 0.5), ("A", 500, 0.2)):
            first = ramped(rng, n, late)
            back = first + rng.exponential(4, n)
            came = (rng.random(n) < 0.4) & (back < first + 7)
            sides[name] = (came[first + 7 <= 14], came & (back <= 14))
        complete += p_value("retention", *(sides[name][0].astype(float) for name in "BA")) < 0.05
        everybody += p_value("retention", *(sides[name][1].astype(float) for name in "BA")) < 0.05
    return complete / runs, everybody / runs


def credit_size(runs: int, seed: int = 3) -> float:
    """False alarms of purchases that count half as much for every three days since the exposure."""
    rng = np.random.default_rng(seed)
    alarms = 0
    for _ in range(runs):
        sides = []
        for n in (300, 400):
            events = totals(rng, n, 1.5, 2)
            weights = 0.5 ** (rng.uniform(0, 7, events.sum()) / 3)
            sides.append(np.bincount(np.repeat(np.arange(n), events), weights, n))
        alarms += p_value("mean", *sides) < 0.05
    return alarms / runs


def funnel_figures(runs: int, seed: int = 4, *, clustered: bool = False) -> dict[str, float]:
    """False alarms of the last step, and coverage of shares and rates; clusters of four units that are alike."""
    rng = np.random.default_rng(seed)
    metric = MetricDesign("path", "funnel", steps=("view", "cart", "buy"))
    design = Design("z", "A", {"A": 0.5, "B": 0.5}, metrics=(metric,))
    passes = np.array([0.7, 0.5, 0.4])
    counted = {"alarms": 0.0, "share": 0.0, "rate": 0.0}
    for _ in range(runs):
        arms, clusters = {}, {}
        for place, name in enumerate("AB"):
            size = 4 if clustered else 1
            groups = 100 if clustered else 400
            lean = (
                rng.beta(2 * passes, 2 * (1 - passes), (groups, 3))
                if clustered
                else np.tile(passes, (groups, 1))
            )
            took = rng.random((groups, size, 3)) < lean[:, None, :]
            arms[name] = np.cumprod(took.reshape(-1, 3), axis=1).astype(float)
            clusters[name] = np.repeat(np.arange(groups), size) + place * groups
        steps = cells(arms, clusters if clustered else None)
        found = MetricAggregates("path", steps, steps=steps)
        rows = [*funnel_rows(design, metric, found, 0.95)]
        last = rows[-1]
        counted["alarms"] += not last.difference_ci_low <= 0 <= last.difference_ci_high
        counted["share"] += rows[2].ci_low <= passes[:2].prod() <= rows[2].ci_high
        counted["rate"] += rows[4].rate_ci_low <= passes[2] <= rows[4].rate_ci_high
    return {name: n / runs for name, n in counted.items()}


def cells(arms: dict[str, np.ndarray], clusters: dict[str, np.ndarray] | None) -> ArmMoments:
    """Moments by arm, or by arm and cluster, all clusters at once."""
    if clusters is None:
        return ArmMoments.from_values(("step_1", "step_2", "step_3"), arms)
    variants, numbers, means, squares = [], [], [], []
    for name, values in arms.items():
        grouped = values.reshape(-1, 4, 3)
        mean = grouped.mean(axis=1)
        gaps = grouped - mean[:, None]
        variants += [name] * len(grouped)
        numbers.append(clusters[name][::4])
        means.append(mean)
        squares.append(np.einsum("gui,guj->gij", gaps, gaps))
    n = len(variants)
    return ArmMoments(
        ("step_1", "step_2", "step_3"), np.array(variants), np.full(n, np.datetime64("NaT"), dtype="datetime64[D]"),
        np.concatenate(numbers), np.full(n, 4.0), np.concatenate(means), np.concatenate(squares),
    )  # fmt: skip


@pytest.mark.parametrize("ratio", [1, 2, 4])
def test_counts_hold_their_size_however_events_hang_together(ratio: float) -> None:
    welch, rates = count_sizes(RUNS, ratio)
    assert abs(welch - 0.05) < CHANCE
    if ratio == 1:
        assert abs(rates - 0.05) < CHANCE
    else:
        assert rates > 0.12


def test_retention_judges_complete_windows_only() -> None:
    complete, everybody = retention_sizes(RUNS)
    assert abs(complete - 0.05) < CHANCE
    assert everybody > 0.15


def test_decayed_credit_holds_its_size() -> None:
    assert abs(credit_size(RUNS) - 0.05) < CHANCE


@pytest.mark.parametrize("clustered", [False, True])
def test_funnels_hold_size_and_coverage(clustered: bool) -> None:
    found = funnel_figures(250, clustered=clustered)
    chance = 3.3 * np.sqrt(0.05 * 0.95 / 250)
    assert abs(found["alarms"] - 0.05) < chance
    assert abs(found["share"] - 0.95) < chance
    assert abs(found["rate"] - 0.95) < chance


if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for ratio in (1, 2, 4):
        print(
            "count, variance / mean",
            ratio,
            "welch, poisson:",
            *(f"{100 * x:.1f}" for x in count_sizes(runs, ratio)),
        )
    print("retention, complete, everybody:", *(f"{100 * x:.1f}" for x in retention_sizes(runs)))
    print("credit:", f"{100 * credit_size(runs):.1f}")
    for clustered in (False, True):
        print(
            "funnel, clustered",
            clustered,
            {k: f"{100 * v:.1f}" for k, v in funnel_figures(runs // 5, clustered=clustered).items()},
        )
