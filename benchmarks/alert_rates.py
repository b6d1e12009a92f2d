"""How often alert rules cry wolf: seasonal forecasts, and the state machine on windows that are never beyond.

Run: `.venv/bin/python benchmarks/alert_rates.py [RUNS]`. The figures stand in docs/methods/alerts.md.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import numpy as np

from analytics.alerts.rows import Reading, Target
from analytics.alerts.states import replay, transitions
from analytics.project import Alert
from analytics.stats.seasonal_forecast import forecast

WEEKS = 8
HOUR = timedelta(hours=1)


def days(rng: np.random.Generator, runs: int, rho: float, *, tails: bool) -> np.ndarray:
    """Nine weeks of days that differ by weekday, go together by ``rho``, and may have heavy tails (t, 4 df)."""
    n = 7 * WEEKS + 1
    draws = rng.standard_t(4, (runs, n)) / np.sqrt(2.0) if tails else rng.normal(size=(runs, n))
    for day in range(1, n):
        draws[:, day] = rho * draws[:, day - 1] + np.sqrt(1 - rho**2) * draws[:, day]
    return 3.0 * (np.arange(n) % 7) + draws


def outside(values: np.ndarray, confidence: float) -> float:
    """Share of runs whose last day lies outside of what the others make likely."""
    places = np.arange(values.shape[1]) % 7
    known = np.zeros(values.shape[1] - 1)
    out = 0
    for run in values:
        found = forecast(run[:-1], places[:-1], known, int(places[-1]), 0.0, confidence)
        out += found is not None and not found.low <= run[-1] <= found.high
    return out / len(values)


def forecasts(runs: int) -> None:
    """Promised and observed."""
    print("outside, of", runs, "runs; promised .05, .01, .001")
    for name, rho, tails in (
        ("independent", 0.0, False), ("rho .5", 0.5, False), ("rho .8", 0.8, False), ("heavy tails", 0.0, True),
    ):  # fmt: skip
        values = days(np.random.default_rng(11), runs, rho, tails=tails)
        print(f"  {name:12}", *(f"{outside(values, level):.4f}" for level in (0.95, 0.99, 0.999)))


def machine(runs: int, looks: int = 24 * 30) -> None:
    """Pages a month of hourly looks of which each is beyond by chance once in 40, and fine or unsure else."""
    rng = np.random.default_rng(12)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for for_, recover in ((1, 1), (2, 1), (3, 3)):
        rule = Alert(metric="accuracy", below=0.5, window="1 hour", **{"for": for_}, recover_for=recover)
        fired = 0
        for _ in range(runs):
            seen = rng.choice(["breach", "fine", "unsure"], looks, p=[0.025, 0.775, 0.2])
            readings = [
                Reading(
                    "a",
                    start + (k + 1) * HOUR,
                    start + k * HOUR,
                    start + (k + 1) * HOUR,
                    Target(),
                    "accuracy",
                    0.5,
                    0.4,
                    0.6,
                    100,
                    0.5,
                    None,
                    str(one),
                    None,
                    "",
                )
                for k, one in enumerate(seen)
            ]
            fired += sum(
                one.state == "firing" and one.before in {"ok", "pending"}
                for one in transitions(replay(rule, readings))
            )
        print(f"  for = {for_}, recover_for = {recover}: {fired / runs:.2f} pages a month")


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    forecasts(wanted)
    print("hourly looks, each beyond by chance once in 40:")
    machine(max(wanted // 500, 4))
