"""Sample ratio mismatch looked at every day: a test whose p-value holds whenever one looks.

Under the plan every unit falls on arm k with its planned share, whatever came before. Against it stands a Dirichlet
prior of concentration kappa around the planned shares; the ratio of the two probabilities of what was counted (the
Bayes factor) is a martingale under the plan, so that it ever exceeds 1 / alpha with probability alpha at most
(Ville, 1939; Lindon and Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022). Several
concentrations are averaged, which is a martingale too: a large one sees a small deviation among many units, a small one
a large deviation among few.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, logsumexp

from .arrays import FloatArray, as_floats

KAPPAS = (100.0, 1_000.0, 10_000.0, 100_000.0)
"""Concentrations that are averaged: Optimizely's 10,000 and others around it."""


class SequentialSplit(NamedTuple):
    """The test after every day.

    Attributes:
        p_values: running minimum of 1 / Bayes factor, at most 1, shape (T,).
        log_factors: log Bayes factor against the plan, shape (T,).
    """

    p_values: FloatArray
    log_factors: FloatArray


def sequential_split(
    counts: npt.ArrayLike, shares: npt.ArrayLike, kappas: tuple[float, ...] = KAPPAS
) -> SequentialSplit:
    """Test the split after every day.

    Args:
        counts: units that came to every arm on every day, shape (T, K); not cumulative. Days without units change
            nothing.
        shares: planned, normalised here, shape (K,), or one row a day, shape (T, K). Where they change the prior
            begins anew and the factors multiply. An arm planned to get nothing on a day is left out with its units.
        kappas: concentrations of the prior, averaged with equal weights.

    Raises:
        ValueError: shapes differ, or numbers are negative.

    >>> found = sequential_split([[60, 40], [70, 30], [70, 30]], [0.5, 0.5])
    >>> found.p_values.round(4).tolist()
    [0.7854, 0.0158, 0.0]
    """
    units, planned = daily_shares(counts, shares)
    if not len(units):
        return SequentialSplit(np.zeros(0), np.zeros(0))
    changed = np.r_[True, (planned[1:] != planned[:-1]).any(axis=1)]
    starts = np.flatnonzero(changed)
    log_factors, before = np.zeros(len(units)), 0.0
    for start, end in zip(starts, [*starts[1:], len(units)], strict=True):
        log_factors[start:end] = before + _log_factor(
            np.cumsum(units[start:end], axis=0), planned[start], kappas
        )
        before = float(log_factors[end - 1])
    highest = np.maximum.accumulate(log_factors)
    return SequentialSplit(np.exp(-np.maximum(highest, 0.0)), log_factors)


def daily_shares(counts: npt.ArrayLike, shares: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Counts and normalised shares, both of shape (T, K); units of arms planned to get nothing that day are 0.

    Raises:
        ValueError: as `sequential_split`.
    """
    units, planned = as_floats(counts), as_floats(shares)
    if units.ndim != 2 or planned.shape not in {units.shape[1:], units.shape}:
        raise ValueError("counts need the shape (days, arms), and shares (arms,) or (days, arms)")
    if not ((units >= 0).all() and (planned >= 0).all()):
        raise ValueError("counts and planned shares are not negative")
    planned = np.broadcast_to(planned, units.shape)
    total = planned.sum(axis=1, keepdims=True)
    if len(units) and not (total > 0).all():
        raise ValueError("some planned share is positive")
    return np.where(planned > 0, units, 0.0), planned / np.where(total > 0, total, 1.0)


def _log_factor(cumulated: FloatArray, planned: FloatArray, kappas: tuple[float, ...]) -> FloatArray:
    """Of a Dirichlet-multinomial against a multinomial, averaged over concentrations; shape (T,)."""
    used = planned > 0
    counted, theta = cumulated[:, used], planned[used]
    prior = np.asarray(kappas)[:, None, None] * theta
    total = counted.sum(axis=1)
    whole = prior.sum(axis=2)
    under_prior = (
        (gammaln(prior + counted) - gammaln(prior)).sum(axis=2) - gammaln(whole + total) + gammaln(whole)
    )
    under_plan = counted @ np.log(theta)
    return np.asarray(logsumexp(under_prior - under_plan, axis=0) - np.log(len(kappas)))
