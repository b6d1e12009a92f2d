"""Score histograms that several questions of a page read: added up from stored parts once, and kept with the logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, HeldRows, read_stored
from analytics.aggregates.keys import CellKey
from analytics.aggregates.scores import (
    ScoreHistogram,
    binned_histograms,
    bins_together,
    read_score_histograms,
)
from analytics.ask.kept import KEPT, LARGEST_BYTES, remember
from analytics.ask.sizes import bytes_of
from analytics.engines.text import Sql
from analytics.scope import CONFIDENCE, Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import ScopedRows

LAST = 4
"""Questions of which histograms are kept: a page asks about its window, cut and whole, and the reference."""
_KEY = "score bins"
Histograms = dict[CellKey, ScoreHistogram]


@dataclass(frozen=True)
class _Bins:
    """Histograms of the last questions, the newest first."""

    found: tuple[tuple[object, Histograms], ...] = ()


def score_histograms(
    catalog: Catalog,
    rows: Sql,
    keeps: Mapping[CellKey, bool],
    edges: Sequence[float] | NDArray[np.float64],
    stored: Additive,
    *,
    fine: bool = False,
) -> tuple[Histograms, str]:
    """What `analytics.aggregates.scores.read_score_histograms` reads of a binary model; from parts added up but once.

    The metrics of a page, its curves and its histogram of scores are about the same bins, and adding these up takes
    most of the time of each.
    """
    if not isinstance(rows, ScopedRows) or (fine and bins_together(rows) > 1):
        return read_score_histograms(catalog, rows, keeps, edges, stored=stored, fine=fine)
    asked = rows.asked if isinstance(rows, HeldRows) else rows
    found = _kept(catalog, asked)
    if found is not None:
        return found, stored.query(asked).text
    read = read_stored(catalog, rows, stored)
    if read is None:
        return read_score_histograms(catalog, rows, keeps, edges, stored=stored, fine=fine)
    histograms = binned_histograms(read[0], bins_together(rows))
    _keep(catalog, asked, histograms)
    return histograms, read[1]


def _kept(catalog: Catalog, rows: ScopedRows) -> Histograms | None:
    """Histograms of these rows, or of all their versions."""
    known = dict(_bins(catalog).found)
    found = known.get(_question(rows, rows.scope))
    if found is not None or not rows.scope.versions:
        return found
    every = known.get(_question(rows, replace(rows.scope, versions=())))
    if every is None:
        return None
    return {key: one for key, one in every.items() if key.version in rows.scope.versions}


def _keep(catalog: Catalog, rows: ScopedRows, histograms: Histograms) -> None:
    labels = catalog.project.labels
    if labels is not None and labels.absent_after is not None:
        return  # a missing label may become an absent one any minute
    if bytes_of(histograms) <= LARGEST_BYTES:
        kept = ((_question(rows, rows.scope), histograms), *_bins(catalog).found)[:LAST]
        remember(catalog, _KEY, _Bins(kept), KEPT)


def _question(rows: ScopedRows, scope: Scope) -> object:
    return rows.source, rows.segments, replace(scope, confidence=CONFIDENCE)


def _bins(catalog: Catalog) -> _Bins:
    found = catalog.answered.get(_KEY)
    return found if isinstance(found, _Bins) else _Bins()
