"""Rates, error shares and latency percentiles of one cell, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analytics.aggregates.latency_bins import LatencyBins
from analytics.aggregates.moments import RowMoments
from analytics.aggregates.service_cells import PERCENTILES, ServiceCell, above
from analytics.measures.estimate import Estimate, ratio
from analytics.stats.blocks import Independence, block_variance, largest_variance
from analytics.stats.event_rate import rate_interval
from analytics.stats.intervals import effective_n, normal_quantile, quantile_ranks


class Measured(NamedTuple):
    """A value with its interval; a limit may be unknown, and all None where there is no value."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    independence: Independence | None = None


@dataclass(frozen=True)
class Load:
    """What is known of one cell.

    Attributes:
        n, n_failed, n_timed: requests, failed ones, and those with a latency.
        rate: requests a second.
        errors: share of failed ones.
        latencies: percentiles in the order of `PERCENTILES`.
        kinds: share of each kind of failure, with the number of its rows.
        open_ends: percentiles whose interval has an unknown end, as words.
    """

    n: int
    n_failed: int
    n_timed: int
    rate: Measured
    errors: Measured
    latencies: tuple[Measured, ...]
    kinds: tuple[tuple[int, Measured], ...]
    open_ends: tuple[str, ...]


NOTHING = Load(0, 0, 0, Measured(), Measured(), (Measured(),) * len(PERCENTILES), (), ())


def load_of(cell: ServiceCell, seconds: float, confidence: float, n_kinds: int = 0) -> Load:
    """Everything about one cell with requests.

    Args:
        cell: its sums.
        seconds: how long its window is, or has lasted.
        confidence: of all intervals.
        n_kinds: kinds of failure that were told apart.
    """
    moments = cell.moments
    known = "failed" in moments.names
    latencies = _latencies(cell, confidence)
    return Load(
        moments.count("requests"),
        moments.count("failed") if known else 0,
        moments.count("timed") if "timed" in moments.names else 0,
        _rate(moments, seconds, confidence),
        _share(moments, "failed", confidence) if known else Measured(),
        latencies,
        tuple(
            (moments.count(f"kind_{place}"), _share(moments, f"kind_{place}", confidence))
            for place in range(n_kinds)
        ),
        tuple(
            f"p{round(share * 100)}"
            for share, found in zip(PERCENTILES, latencies, strict=True)
            if found.independence is not None and (found.low is None or found.high is None)
        ),
    )


def _share(moments: RowMoments, name: str, confidence: float) -> Measured:
    estimate = ratio(name, moments, name, "requests", family="share")
    low, high, independence = estimate.interval(confidence)
    return Measured(estimate.value, low, high, independence)


def _rate(moments: RowMoments, seconds: float, confidence: float) -> Measured:
    place = moments.names.index("requests")
    totals = moments.sums[:, place]
    totals = totals[totals > 0]
    units = float(moments.unit_products[place, place]) if moments.unit_products is not None else None
    n_units = int(moments.n_units[place]) if moments.n_units is not None else 0
    block = float(block_variance(totals)) if len(totals) > 1 else None
    chosen = largest_variance(float(moments.products[place, place]), units, block, len(totals), n_units)
    total = float(totals.sum())
    low, high = rate_interval(total, chosen.variance, seconds, confidence, chosen.df)
    return Measured(total / seconds, low, high, chosen.independence)


def _latencies(cell: ServiceCell, confidence: float) -> tuple[Measured, ...]:
    if cell.latency is None:
        return (Measured(),) * len(PERCENTILES)
    return tuple(
        percentile(
            cell.latency,
            share,
            ratio(above(share), cell.moments, above(share), "timed", family="share"),
            confidence,
        )
        for share in PERCENTILES
    )


def percentile(bins: LatencyBins, share: float, slower: Estimate, confidence: float) -> Measured:
    """A percentile with the order statistics that enclose it.

    The ranks are binomial for as many independent rows as would make the share of slower requests as uncertain as it is
    (rows of a unit or a day go together). An end beyond the outermost row is unknown; with both unknown there is no
    value. Sources: Conover, Practical Nonparametric Statistics (1999), section 3.2; Woodruff, JASA 47 (1952).

    Args:
        bins: the latencies.
        share: of the percentile.
        slower: share of requests above it, with what its variance takes as independent.
        confidence: of the interval.
    """
    variance, df, independence = slower.chosen()
    n = float(effective_n(min(max(slower.value or 0.0, 0.0), 1.0), variance, slower.size))
    n = min(n, slower.size)
    if df is not None:
        n *= (normal_quantile(confidence) / normal_quantile(confidence, df)) ** 2
    n = float(np.floor(n + 1e-9))
    if n < 1:
        return Measured()
    ranks = quantile_ranks(n, share, confidence)
    low, high = bins.around(float(ranks.low) / n, float(ranks.high) / n)
    if low is None and high is None:
        return Measured()
    value = bins.quantile(share)
    return Measured(
        value,
        None if low is None else min(low, value),
        None if high is None else max(high, value),
        independence,
    )
