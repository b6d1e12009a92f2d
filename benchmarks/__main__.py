"""Run every measurement: ``python -m benchmarks``; or some: ``python -m benchmarks sections``."""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks import (
    aggregates,
    drift_scan,
    examples,
    experiment_scan,
    filtered,
    open_pages,
    pages,
    peers_monitoring,
    sections,
    slice_search,
    users,
)

KNOWN: dict[str, Callable[[], object]] = {
    "aggregates": aggregates.main,
    "drift": drift_scan.main,
    "examples": examples.main,
    "experiments": experiment_scan.main,
    "filtered": filtered.main,
    "open-pages": open_pages.main,
    "pages": pages.main,
    "peers": peers_monitoring.beside,
    "sections": sections.main,
    "experiment-sections": sections.experiments,
    "slices": slice_search.main,
    "users": users.main,
}

for name in sys.argv[1:] or KNOWN:
    KNOWN[name]()
