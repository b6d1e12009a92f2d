"""Is drift found at least as often as by the best peer, once all have the same false-alarm rate?

Every statistic gets the threshold that it passes in 5 % of runs without drift. ``python -m
tests.statistical.test_drift_power 500`` prints the table of docs/methods/drift.md anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from analytics.project import Drift
from analytics.stats.distances import js_distance, psi
from tests.drift.histograms import drift_of_arrays

Rows = Callable[[np.random.Generator, int, float], np.ndarray]
RUNS = 120
MEANS = "Wasserstein / sd"
"""It follows means and spreads: first for normal rows, nearly blind to a heavy tail."""


def lognormal(sigma: float) -> Rows:
    return lambda rng, n, move: rng.lognormal(0, sigma, n) * (1 + move)


def normal(rng: np.random.Generator, n: int, move: float) -> np.ndarray:
    return rng.normal(move, 1, n)


def spread(rng: np.random.Generator, n: int, move: float) -> np.ndarray:
    return rng.normal(0, 1 + move, n)


def categories(rng: np.random.Generator, n: int, move: float) -> np.ndarray:
    shares = np.array([0.4, 0.3, 0.2, 0.07, 0.03]) + move * np.array([-1, 0, 0.5, 0.25, 0.25])
    return np.array(list("abcde"))[rng.choice(5, n, p=shares)]


def missing(rng: np.random.Generator, n: int, move: float) -> np.ndarray:
    return np.where(rng.random(n) < 0.05 + move, np.nan, rng.normal(size=n))


SHIFTS: dict[str, tuple[Rows, float, int, int]] = {
    "lognormal (1) x 1.5, 20000 and 5000": (lognormal(1), 0.5, 20_000, 5000),
    "lognormal (2) x 1.5, 20000 and 5000": (lognormal(2), 0.5, 20_000, 5000),
    "lognormal (3) x 1.5, 20000 and 5000": (lognormal(3), 0.5, 20_000, 5000),
    "lognormal (2) x 1.5, 1000 and 300": (lognormal(2), 0.5, 1000, 300),
    "normal + .15 sd, 1000 and 300": (normal, 0.15, 1000, 300),
    "normal, spread x 1.15, 1000 and 300": (spread, 0.15, 1000, 300),
    "5 categories, 7 points move, 1000 and 300": (categories, 0.07, 1000, 300),
    "missing 5 % to 10 %, 1000 and 300": (missing, 0.05, 1000, 300),
}


def statistics(reference: np.ndarray, window: np.ndarray) -> dict[str, float]:
    """All of them large under drift; peers see values only where they drop what is missing."""
    found = {"assay": -float(drift_of_arrays(reference, window).p_value or 0.0)}
    if reference.dtype.kind == "f":
        left, right = reference[np.isfinite(reference)], window[np.isfinite(window)]
        edges = np.quantile(left, np.arange(1, 10) / 10)
        a, b = (np.bincount(np.searchsorted(edges, x), minlength=10) for x in (left, right))
        found["KS"] = float(stats.ks_2samp(left, right, method="asymp").statistic)
        found[MEANS] = float(stats.wasserstein_distance(left, right) / left.std())
    else:
        names = np.unique(np.concatenate([reference, window]))
        a, b = (np.array([(x == name).sum() for name in names]) for x in (reference, window))
    found["chi-squared"] = float(stats.chi2_contingency([a, b], correction=False).statistic)
    found["PSI"] = float(psi(a / a.sum(), b / b.sum()))
    found["Jensen-Shannon"] = float(js_distance(a / a.sum(), b / b.sum()))
    return found


def powers(name: str, runs: int) -> dict[str, float]:
    """Part of the runs with drift beyond what 5 % of the runs without it reach."""
    draw, move, n_reference, n = SHIFTS[name]
    rng = np.random.default_rng(23)
    tables = [
        [statistics(draw(rng, n_reference, 0.0), draw(rng, n, shift)) for _ in range(runs)]
        for shift in (0.0, move)
    ]
    null, drifted = ({key: np.array([row[key] for row in rows]) for key in rows[0]} for rows in tables)
    return {key: float((drifted[key] > np.quantile(null[key], 0.95)).mean()) for key in null}


@pytest.mark.statistical
@pytest.mark.parametrize("name", [name for name in SHIFTS if "20000" not in name])
def test_no_peer_finds_much_more(name: str) -> None:
    found = powers(name, RUNS)
    best = max(power for key, power in found.items() if key not in {"assay", MEANS})
    # the thresholds themselves are known to within some points
    assert found["assay"] >= best - 4 * np.sqrt(0.25 / RUNS)


@pytest.mark.statistical
@pytest.mark.parametrize("sigma", [1, 2, 3])
def test_a_heavy_tail_half_as_large_again_is_called_drift(sigma: float) -> None:
    rng = np.random.default_rng(sigma)
    # of sigma = 3 only 5.4 % of the rows move: found, and called drift with a tolerance that asks for it
    settings = Drift(tolerance=0.02 if sigma == 3 else 0.05)
    for _ in range(5):
        left, right = rng.lognormal(0, sigma, 20_000), 1.5 * rng.lognormal(0, sigma, 5000)
        row = drift_of_arrays(left, right, settings=settings)
        assert row.drifted is True
        assert row.p_value is not None
        assert row.p_value < 1e-4


if __name__ == "__main__":
    for shift in SHIFTS:
        row = powers(shift, int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
        print(
            f"| {shift} | " + " | ".join(f"{key} {power:.0%}" for key, power in row.items()) + " |",
            flush=True,
        )
