"""False alarms, power and coverage of changes and trends: ``python -m benchmarks.changes_rates [RUNS]``.

Series of days of variance 1 with correlation rho between neighbours ("noisy": half of the variance is sampling error
that is known, the other half an effect of the day), at nominal 5 % and 95 %. The numbers of docs/methods/time.md.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from analytics.stats.change_point import find_change
from analytics.stats.daily import Daily
from analytics.stats.daily_trend import crossing, find_trend

DRAWS = 299
MONTH = 365.25 / 12
CELLS = ((0.0, 0.0), (0.3, 0.0), (0.6, 0.0), (0.8, 0.5))


def series(random: np.random.Generator, mean: NDArray[np.float64], rho: float, sampling: float) -> Daily:
    """Days around a mean."""
    n = len(mean)
    shocks = random.normal(size=n) * np.sqrt(1 - rho**2)
    effect = np.empty(n)
    effect[0] = random.normal()
    for place in range(1, n):
        effect[place] = rho * effect[place - 1] + shocks[place]
    value = mean + np.sqrt(1 - sampling) * effect + np.sqrt(sampling) * random.normal(size=n)
    return Daily(np.arange(n), value, np.full(n, sampling))


def changes(runs: int) -> None:
    """Size; power, coverage of the day and of the difference for a jump of 1.2 standard deviations."""
    print("| days | correlation | false alarms | found | day covered | difference covered |")
    print("| --- | --- | --- | --- | --- | --- |")
    for n in (42, 90):
        for rho, sampling in CELLS:
            random = np.random.default_rng(n)
            alarms = [
                find_change(series(random, np.zeros(n), rho, sampling), draws=DRAWS).p_value
                for _ in range(runs)
            ]
            at = round(n * 0.6)
            jumps = [
                find_change(series(random, 1.2 * (np.arange(n) >= at), rho, sampling), draws=DRAWS)
                for _ in range(runs // 2)
            ]
            shares = (
                np.mean(np.array(alarms) <= 0.05),
                np.mean([jump.p_value <= 0.05 for jump in jumps]),
                np.mean([jump.low <= at <= jump.high for jump in jumps]),
                np.mean([jump.difference_low <= 1.2 <= jump.difference_high for jump in jumps]),
            )
            print(
                f"| {n} | {_named(rho, sampling)} | {' | '.join(f'{share:.1%}' for share in shares)} |",
                flush=True,
            )


def trends(runs: int) -> None:
    """Coverage of the slope, and of the day on which a falling line meets its floor."""
    print("| days | correlation | slope covered | day of the floor covered |")
    print("| --- | --- | --- | --- |")
    for n in (42, 90):
        for rho, sampling in CELLS:
            random = np.random.default_rng(n + 1)
            slope, floor = [], []
            for _ in range(runs):
                one = series(random, -3.0 * np.arange(n) / n, rho, sampling)
                found = find_trend(one)
                slope.append(found.low <= -3.0 * MONTH / n <= found.high)
                met = crossing(found.fit, -4.5, float(one.months[-1]))
                true = (1.5 * n - float(one.day.mean())) / MONTH
                floor.append((met.low is None or met.low <= true) and (met.high is None or true <= met.high))
            print(
                f"| {n} | {_named(rho, sampling)} | {np.mean(slope):.1%} | {np.mean(floor):.1%} |", flush=True
            )


def _named(rho: float, sampling: float) -> str:
    return f"{rho:g}" + (" (noisy)" if sampling else "")


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with threadpool_limits(1):
        changes(asked)
        trends(asked)
