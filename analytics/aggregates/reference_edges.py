"""Edges of numeric bins from the order statistics of a reference, and whether several versions can share them.

Every version of a reference that has edges of its own costs a scan of all rows; versions that are trained on much the
same data need not.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ranks = list[dict[str, Any]]
"""Order statistics of one version: ``value``, ``n`` rows that have it, ``upto`` rows up to it, ``total`` rows."""
QUANTILES = 20
ALIKE = 0.05
"""Versions of a reference share the edges of a field where their distribution functions differ by no more there."""


def edges_of(rows: Ranks) -> dict[float, bool]:
    """The edges that order statistics of one version make, and whether they also separate the wider bins of PSI."""
    coarse: dict[float, bool] = {}
    for row in rows:
        value, n, upto, total = (float(row[name]) for name in ("value", "n", "upto", "total"))
        first = int((upto - n) * QUANTILES // total) + 1
        last = int(upto * QUANTILES // total)
        inner = range(first, min(last, QUANTILES - 1) + 1)
        second = any(k % 2 == 0 for k in inner)
        heavy = n * QUANTILES >= total
        if heavy or inner:
            coarse[value] = coarse.get(value, False) or second or heavy
        if heavy and value < sys.float_info.max:
            coarse[math.nextafter(value, math.inf)] = True
    return coarse


def alike(edges: Mapping[float, bool], first: Ranks, other: Ranks) -> bool:
    """Whether edges of one version's order statistics serve another: its shares below them are nearly the same.

    What is known of the other are its own order statistics, between which its share below an edge lies.
    """
    heavy = {float(row["value"]) for row in other if row["n"] * QUANTILES >= row["total"]}
    if not heavy <= edges.keys():
        return False
    at = np.array(sorted(edges))
    least, most = _shares_below(first, at)
    # exact at a version's own order statistics and right behind them
    own = np.where(np.isin(at, [float(row["value"]) for row in first]), most, least)
    least, most = _shares_below(other, at)
    return bool(np.all((own >= least - ALIKE) & (own <= most + ALIKE)))


def _shares_below(rows: Ranks, at: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of a version's values below some numbers, at least and at most."""
    ordered = sorted(rows, key=lambda row: float(row["value"]))
    values = np.array([row["value"] for row in ordered], dtype=np.float64)
    upto = np.array([row["upto"] / row["total"] for row in ordered])
    before = np.array([(row["upto"] - row["n"]) / row["total"] for row in ordered])
    place = np.searchsorted(values, at, side="left")
    return np.append(0.0, upto)[place], np.append(before, 1.0)[place]
