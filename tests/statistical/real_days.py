"""False alarms of drift on real days: the reference of sample_logs/flights, its days in random order.

``python -m tests.statistical.real_days 60`` prints the table of docs/methods/drift.md: `assay selftest` with the rate
of single fields, and beside it the same tests with rows taken as independent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from analytics.aggregates.features import CellHistogram
from analytics.ask.drift import reference_of
from analytics.drift.compute import VersionHistograms, drift_rows
from analytics.drift.rows import DriftRow
from analytics.project import Drift
from analytics.scope import Window
from analytics.workbench import Workbench

FLIGHTS = Path(__file__).resolve().parents[2] / "sample_logs" / "flights"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def reference(version: str) -> CellHistogram:
    """The reference of one version, by day."""
    return reference_of(Workbench(FLIGHTS).catalog, version, ())[1]


def part(cell: CellHistogram, chosen: np.ndarray, *, by_day: bool) -> CellHistogram:
    """Some days; taken together, they cannot tell that rows of a day are alike."""
    order = np.sort(chosen)
    if by_day:
        return CellHistogram(cell.bins, cell.blocks[order], cell.values[order])
    return CellHistogram(cell.bins, cell.blocks[order][:1], cell.values[order].sum(axis=0, keepdims=True))


def families(
    version: str, days: int, runs: int, *, windows: int = 7, by_day: bool = True, seed: int = 5
) -> Iterator[list[DriftRow]]:
    """The fields of every window of so many days, against the days no window of the run has."""
    cell, rng = reference(version), np.random.default_rng(seed)
    starts = [EPOCH + timedelta(days=i) for i in range(windows)]
    scope = [Window(start, start + timedelta(days=1), start.replace(tzinfo=None)) for start in starts]
    for _ in range(runs):
        order = rng.permutation(len(cell.blocks))
        cells = {
            window.key: part(cell, order[i * days : (i + 1) * days], by_day=by_day)
            for i, window in enumerate(scope)
        }
        rest = part(cell, order[windows * days :], by_day=by_day)
        rows = drift_rows([VersionHistograms(version, version, rest, cells)], scope, Drift())
        for window in scope:
            yield [row for row in rows if row.window_start == window.start and row.p_value is not None]


@dataclass(frozen=True)
class Rates:
    """Part of the fields with p <= .05, of the windows with any adjusted p < .05, and of windows called drifted."""

    fields: float
    windows: float
    called: float


def rates(found: Iterator[list[DriftRow]]) -> Rates:
    """Count."""
    rows = list(found)
    small = [(row.p_value or 0.0) <= 0.05 for family in rows for row in family]
    alarms = [any((row.p_adjusted or 0.0) < 0.05 for row in family) for family in rows]
    called = [any(bool(row.drifted) for row in family) for family in rows]
    return Rates(float(np.mean(small)), float(np.mean(alarms)), float(np.mean(called)))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    for name, size, per_run in (
        ("gbm-2013.03", 1, 7), ("gbm-2013.03", 7, 2), ("gbm-2013.03", 20, 1),
        ("gbm-2013.09", 1, 7), ("gbm-2013.09", 7, 2),
    ):  # fmt: skip
        for by in (True, False):
            times = count if by else max(count // 10, 2)
            got = rates(families(name, size, times, windows=per_run, by_day=by))
            kept = len(reference(name).blocks) - size * per_run
            print(
                f"| {'days' if by else 'rows'} | {kept} and {size} | {times * per_run} | {got.fields:.1%} "
                f"| {got.windows:.1%} | {got.called:.1%} |",
                flush=True,
            )
