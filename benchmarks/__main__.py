"""Run every measurement: ``python -m benchmarks``; or some: ``python -m benchmarks sections``."""

from __future__ import annotations

import sys

from benchmarks import drift_scan, experiment_scan, pages, sections, slice_search

KNOWN = {
    "drift": drift_scan.main,
    "experiments": experiment_scan.main,
    "pages": pages.main,
    "sections": sections.main,
    "experiment-sections": sections.experiments,
    "slices": slice_search.main,
}

for name in sys.argv[1:] or KNOWN:
    KNOWN[name]()
