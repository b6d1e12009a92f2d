"""Run every measurement: ``python -m benchmarks``."""

from __future__ import annotations

from benchmarks import drift_scan, experiment_scan, pages

drift_scan.main()
experiment_scan.main()
pages.main()
