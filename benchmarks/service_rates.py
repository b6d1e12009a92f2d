"""How often objectives page for nothing and how soon they notice; how often latency intervals hold the truth.

`python -m benchmarks.service_rates`: docs/methods/service.md tells what it prints.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.latency_bins import LatencyBins, latency_edges
from analytics.measures.estimate import Estimate
from analytics.service.load import percentile
from analytics.stats.burn_rate import PAIRS, Interval, Outcomes, bad_share, burn_rate, verdict

Floats = NDArray[np.float64]
DAY = 24 * 60
LEAST_BAD = 10


def looks(n: Floats, bad: Floats, objective: float, at: Floats) -> dict[str, NDArray[np.bool_]]:
    """Whether each pair burns at each minute, for requests and bad ones a minute."""
    upto = np.stack([np.r_[0, np.cumsum(n)], np.r_[0, np.cumsum(bad)]], axis=1)
    found = {}
    for pair in PAIRS:
        long, short = (int(length.total_seconds() // 60) for length in (pair.long, pair.short))
        held = [upto[at] - upto[np.maximum(at - length, 0)] for length in (long, short)]
        hot = (held[0][:, 1] / np.maximum(held[0][:, 0], 1) / (1 - objective) > pair.factor) & (
            held[0][:, 1] >= LEAST_BAD
        )
        burns = np.zeros(len(at), dtype=bool)
        # only where the value lies above the factor can its whole interval
        for place in np.flatnonzero(hot):
            rates = [_rate(part[place], objective) for part in held]
            burns[place] = None not in rates and verdict(*rates, pair.factor) == "breach"
        found[pair.name] = burns
    return found


def _rate(held: Floats, objective: float):
    n, bad = float(held[0]), float(held[1])
    if n <= 0:
        return None
    share, limits, _ = bad_share(Outcomes(n, bad, n, bad, bad, int(n)), 0.95)
    return burn_rate(share, Interval(*limits), objective)


def began(burns: NDArray[np.bool_]) -> int:
    """How many times it began to burn."""
    return int((burns & ~np.r_[False, burns[:-1]]).sum())


def burning() -> None:
    """False pages in 30 days at a burn of 1, and minutes until an outage is noticed."""
    random = np.random.default_rng(1)
    print(
        "objective | requests a minute | false: fast, slow, creeping in 30 days | minutes to notice: all bad, 20 x, 8 x"
    )
    for objective in (0.99, 0.999):
        for rate in (1, 10, 100):
            minutes = 33 * DAY
            at = np.arange(3 * DAY, minutes, 5)
            false = np.zeros(3)
            for _ in range(8):
                n = random.poisson(rate, minutes).astype(float)
                bad = random.binomial(n.astype(int), 1 - objective).astype(float)
                found = looks(n, bad, objective, at)
                false += [began(found[pair.name]) for pair in PAIRS]
            noticed = [_noticed(random, rate, objective, burn) for burn in (1 / (1 - objective), 20.0, 8.0)]
            shown = ", ".join("-" if math.isnan(minutes) else f"{minutes:.0f}" for minutes in noticed)
            print(f"{objective} | {rate} | {', '.join(f'{count / 8:.1f}' for count in false)} | {shown}")


def _noticed(random: np.random.Generator, rate: int, objective: float, burn: float) -> float:
    """Median minutes until the fast or the slow pair burns, of 20 incidents after three days at half a burn of 1."""
    delays = []
    for _ in range(20):
        quiet, length = 3 * DAY, 8 * 60
        n = random.poisson(rate, quiet + length).astype(float)
        share = np.r_[
            np.full(quiet, 0.5 * (1 - objective)), np.full(length, min(burn * (1 - objective), 1.0))
        ]
        bad = random.binomial(n.astype(int), share).astype(float)
        at = np.arange(quiet + 1, quiet + length)
        found = looks(n, bad, objective, at)
        first = np.flatnonzero(found["fast"] | found["slow"])
        delays.append(at[first[0]] - quiet if len(first) else math.inf)
    middle = float(np.median(delays))
    return middle if math.isfinite(middle) else math.nan


def latency() -> None:
    """Coverage of the intervals of percentiles, with requests that come in threes from one unit."""
    random = np.random.default_rng(2)
    edges = latency_edges()
    print("percentile | units of three requests | by rows | by units")
    for share, truth in ((0.5, 1.0), (0.95, math.exp(0.8 * 1.6448536269514722))):
        for units in (60, 400):
            inside = np.zeros(2)
            for _ in range(600):
                own = random.normal(0, 0.7, units)
                values = 20 * np.exp(np.repeat(own, 3) + random.normal(0, math.sqrt(0.64 - 0.49), 3 * units))
                bins = _bins(values, edges)
                above = values > bins.quantile(share)
                sums = above.reshape(units, 3).sum(axis=1)
                p, n = float(above.mean()), len(values)
                row = float(((above - p) ** 2).sum()) / n**2
                unit = float(((sums - 3 * p) ** 2).sum()) / n**2 * units / (units - 1)
                for place, one in enumerate((None, unit)):
                    slower = Estimate(
                        "above",
                        p,
                        family="share",
                        row_variance=row,
                        unit_variance=one,
                        n_units=units,
                        size=float(n),
                    )
                    found = percentile(bins, share, slower, 0.95)
                    inside[place] += (found.low or 0.0) <= 20 * truth <= (found.high or math.inf)
            print(f"{share} | {units} | {inside[0] / 6:.1f} % | {inside[1] / 6:.1f} %")


def _bins(values: Floats, edges: Floats) -> LatencyBins:
    ordered = np.sort(values)
    place, start, n = np.unique(
        np.searchsorted(edges, ordered, side="right"), return_index=True, return_counts=True
    )
    return LatencyBins(
        place, n.astype(float), n.astype(float), n.astype(float), ordered[start], ordered[start + n - 1]
    )


if __name__ == "__main__":
    burning()
    latency()
