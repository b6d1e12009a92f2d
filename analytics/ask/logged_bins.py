"""Bins fixed by all rows of a version that were known, kept while the files stay the same."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from threading import Lock

from analytics.aggregates.reference_bins import ReferenceBins, feature_bins
from analytics.telemetry.catalog import Catalog

_KEPT = 16
_HELD: OrderedDict[tuple[str, str | None, datetime | None], tuple[ReferenceBins, ...]] = OrderedDict()
_LOCK = Lock()


def logged_bins(
    catalog: Catalog, version: str | None, as_of: datetime | None = None
) -> tuple[ReferenceBins, ...]:
    """The bins of every watched field; those of a reference in winter would not tell two weeks of summer apart."""
    key = (catalog.digest, version, as_of)
    with _LOCK:
        if key in _HELD:
            _HELD.move_to_end(key)
            return _HELD[key]
    found = feature_bins(catalog, version, "predictions", as_of)
    with _LOCK:
        _HELD[key] = found
        while len(_HELD) > _KEPT:
            _HELD.popitem(last=False)
    return found
