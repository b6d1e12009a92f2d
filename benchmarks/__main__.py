"""Run every measurement: ``python -m benchmarks``; or some: ``python -m benchmarks sections``."""

from __future__ import annotations

import sys

from benchmarks import (
    aggregates,
    drift_scan,
    experiment_scan,
    pages,
    peers_monitoring,
    sections,
    slice_search,
)

KNOWN = {
    "aggregates": aggregates.main,
    "drift": drift_scan.main,
    "experiments": experiment_scan.main,
    "pages": pages.main,
    "peers": peers_monitoring.beside,
    "sections": sections.main,
    "experiment-sections": sections.experiments,
    "slices": slice_search.main,
}

for name in sys.argv[1:] or KNOWN:
    KNOWN[name]()
