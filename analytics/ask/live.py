"""Which version is live: the one released last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from analytics.telemetry.catalog import Catalog


def live_version(
    catalog: Catalog, among: Sequence[str | None] | None = None, before: datetime | None = None
) -> str | None:
    """The version released last; of several released together the first named.

    Args:
        catalog: the project's views.
        among: only these; every version that has logged anything where None.
        before: releases from here on do not count.
    """
    candidates = catalog.versions if among is None else among
    released = [
        (catalog.project.instant(release.timestamp), release.version)
        for release in catalog.releases
        if release.version in candidates
    ]
    live = [pair for pair in released if before is None or pair[0] < before]
    if live:
        newest = max(moment for moment, _ in live)
        return next(version for moment, version in live if moment == newest)
    return candidates[-1] if candidates else None
