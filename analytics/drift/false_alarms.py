"""How many false alarms to expect, what a small reference does to them, and a simulation on the reference itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analytics.aggregates.features import CellHistogram
from analytics.drift.compute import ALPHA, VersionHistograms, drift_rows
from analytics.drift.rows import DriftRow
from analytics.project import Drift
from analytics.results import Status
from analytics.scope import Window
from analytics.stats.intervals import normal_quantile

Method = Literal["expected", "shuffled", "stretches"]
LEAST_BLOCKS = 16
"""Blocks of the reference below which shuffling them says nothing."""
MOST_STRETCHES = 20
REFERENCES = 2_000
SEED = 20130101


@dataclass(frozen=True)
class FalseAlarmRow:
    """How often drift is called although there is none.

    Attributes:
        method: expected, from the promise alone; shuffled, on the reference with its blocks (days) in random order, so
            that nothing can have drifted; stretches, every real stretch of the reference against the rest of it, so
            that trends and seasons inside the reference show.
        n_fields: fields tested together in one window.
        windows_per_week: families of tests a week: windows, times the segments looked at.
        reference_blocks: blocks on the side of the reference; window_blocks in a window.
        runs: shuffles; n windows were tested in all.
        promised: share of windows with any corrected p below .05 that may be seen without drift.
        share: that share as seen, with its interval (for ``expected`` the promise itself).
        share_called: share of windows in which any field was called drifted, beyond tolerance too.
        per_week: false alarms a week at that share.
        repeat_chance: where one window alarms falsely, the chance that the next one does: both are compared with the
            same reference.
        unlucky_share: the share of windows that alarm falsely for the unluckiest 1 of 20 references; waiting does
            not help.
    """

    version: str | None
    grain: str
    method: Method
    n_fields: int
    windows_per_week: float
    reference_blocks: int
    window_blocks: int
    runs: int
    n: int
    promised: float
    share: float | None
    ci_low: float | None
    ci_high: float | None
    share_called: float | None
    per_week: float | None
    per_week_low: float | None
    per_week_high: float | None
    repeat_chance: float | None
    unlucky_share: float | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        version: of the reference rows.
        grain: of the windows.
        windows_per_week: windows, times the segments looked at.
        window_blocks: blocks in a window.
        windows: as many as one week has, at least one: what they are called does not matter.
    """

    version: str | None
    grain: str
    windows_per_week: float
    window_blocks: int
    windows: tuple[Window, ...]


def repeats(reference_blocks: float, window_blocks: float, n_fields: int, bins: int) -> tuple[float, float]:
    """What one reference does to all windows compared with it.

    Without drift the difference of a window from the reference has two parts of chance; that of the reference is the
    same in every window. Given it, the statistic of a field is non-central chi-squared.

    Returns:
        The chance that a window alarms where another one did, and the share of windows that alarm for the unluckiest
        1 of 20 references (family level .05, fields taken as independent).

    >>> [round(x, 2) for x in repeats(60, 1, 20, 10)]
    [0.05, 0.05]
    >>> [round(x, 2) for x in repeats(20, 20, 20, 10)]
    [0.08, 0.12]
    """
    rng = np.random.default_rng(SEED)
    own = window_blocks / (reference_blocks + window_blocks)
    freedom = max(bins - 1, 1)
    limit = stats.chi2.isf(1.0 - (1.0 - ALPHA) ** (1.0 / n_fields), freedom)
    lengths = rng.chisquare(freedom, size=(REFERENCES, n_fields))
    quiet = stats.ncx2.cdf(limit / (1.0 - own), freedom, lengths * own / (1.0 - own))
    alarms = 1.0 - np.prod(quiet, axis=1)
    return float((alarms**2).mean() / alarms.mean()), float(np.quantile(alarms, 0.95))


def expected(plan: Plan, cell: CellHistogram) -> FalseAlarmRow:
    """What is promised: in at most .05 of the windows without drift any field has a corrected p below .05."""
    sizes = [item.n_values for item in cell.bins]
    bins = int(np.median(sizes)) if sizes else 2
    blocks = len(cell.blocks)
    again, unlucky = repeats(max(blocks, 1), plan.window_blocks, max(len(sizes), 1), bins)
    weekly = ALPHA * plan.windows_per_week
    return FalseAlarmRow(
        plan.version, plan.grain, "expected", len(sizes), plan.windows_per_week, blocks, plan.window_blocks, 0, 0,
        ALPHA, ALPHA, 0.0, ALPHA, None, weekly, 0.0, weekly, again, unlucky, "ok", None,
    )  # fmt: skip


def shuffled(plan: Plan, cell: CellHistogram, settings: Drift, runs: int, confidence: float) -> FalseAlarmRow:
    """The reference against itself, its blocks in random order: windows of one week, against what is left."""
    taken = plan.window_blocks * len(plan.windows)
    if len(cell.blocks) - taken < LEAST_BLOCKS:
        return _too_few(plan, cell, "shuffled", taken)
    rng = np.random.default_rng(SEED)
    alarms, called = np.zeros((2, runs, len(plan.windows)))
    for run in range(runs):
        order = rng.permutation(len(cell.blocks))
        parts = [
            order[i * plan.window_blocks : (i + 1) * plan.window_blocks] for i in range(len(plan.windows))
        ]
        alarms[run], called[run] = _tested(plan, cell, parts, order[taken:], settings)
    return _seen(plan, cell, "shuffled", alarms, called, confidence)


def stretches(plan: Plan, cell: CellHistogram, settings: Drift, confidence: float) -> FalseAlarmRow:
    """Every real stretch of the reference, as long as a window, against the rest of it."""
    size, count = plan.window_blocks, len(cell.blocks)
    if count - size < LEAST_BLOCKS:
        return _too_few(plan, cell, "stretches", size)
    starts = np.arange(0, count - size + 1, size)
    if len(starts) > MOST_STRETCHES:
        starts = starts[np.linspace(0, len(starts) - 1, MOST_STRETCHES).astype(int)]
    alarms, called = np.zeros((2, len(starts), 1))
    for run, start in enumerate(starts.tolist()):
        inside = np.arange(start, start + size)
        rest = np.setdiff1d(np.arange(count), inside)
        alarms[run], called[run] = _tested(plan, cell, [inside], rest, settings)
    return _seen(plan, cell, "stretches", alarms, called, confidence)


def _part(cell: CellHistogram, chosen: NDArray[np.intp]) -> CellHistogram:
    order = np.sort(chosen)
    return CellHistogram(cell.bins, cell.blocks[order], cell.values[order])


def _tested(
    plan: Plan,
    cell: CellHistogram,
    parts: Sequence[NDArray[np.intp]],
    rest: NDArray[np.intp],
    settings: Drift,
) -> tuple[list[bool], list[bool]]:
    """Whether any corrected p is small, and whether anything is called drifted, in each window."""
    windows = plan.windows[: len(parts)]
    cells = {window.key: _part(cell, part) for window, part in zip(windows, parts, strict=True)}
    version = VersionHistograms(plan.version, plan.version, _part(cell, rest), cells)
    rows = drift_rows([version], windows, settings)
    return _any(rows, windows, called=False), _any(rows, windows, called=True)


def _any(rows: Sequence[DriftRow], windows: Sequence[Window], *, called: bool) -> list[bool]:
    hit: set[datetime] = {
        row.window_start
        for row in rows
        if (row.drifted if called else row.p_adjusted is not None and row.p_adjusted < ALPHA)
    }
    return [window.start in hit for window in windows]


def _seen(
    plan: Plan,
    cell: CellHistogram,
    method: Method,
    alarms: NDArray[np.float64],
    called: NDArray[np.float64],
    confidence: float,
) -> FalseAlarmRow:
    runs, per_run = alarms.shape
    share = float(alarms.mean())
    # runs are drawn independently; windows of one run share their reference
    variance = max(float(alarms.mean(axis=1).var(ddof=1)) / runs, 0.0) if runs > 1 else 0.0
    least = share * (1.0 - share) / alarms.size
    low, high = _agresti(share, max(variance, least), alarms.size, confidence)
    pairs = alarms.sum(axis=1)
    seen_twice = float((pairs * (pairs - 1)).sum())
    again = seen_twice / float(pairs.sum() * (per_run - 1)) if per_run > 1 and pairs.sum() else None
    weekly = plan.windows_per_week
    return FalseAlarmRow(
        plan.version, plan.grain, method, len(cell.bins), weekly, len(cell.blocks) - plan.window_blocks * per_run,
        plan.window_blocks, runs, alarms.size, ALPHA, share, low, high, float(called.mean()), share * weekly,
        low * weekly, high * weekly, again, None, "ok", None,
    )  # fmt: skip


def _agresti(share: float, variance: float, n: int, confidence: float) -> tuple[float, float]:
    """Agresti and Coull's interval of a share, at the sample size its variance is worth."""
    effective = min(share * (1.0 - share) / variance, float(n)) if variance > 0 else float(n)
    z = normal_quantile(confidence)
    size = effective + z**2
    middle = (share * effective + z**2 / 2.0) / size
    reach = z * math.sqrt(middle * (1.0 - middle) / size)
    return max(min(middle - reach, share), 0.0), min(max(middle + reach, share), 1.0)


def _too_few(plan: Plan, cell: CellHistogram, method: Method, taken: int) -> FalseAlarmRow:
    blocks = len(cell.blocks)
    needed = f"{taken + LEAST_BLOCKS} are needed to set {taken} aside and keep {LEAST_BLOCKS}"
    return FalseAlarmRow(
        plan.version, plan.grain, method, len(cell.bins), plan.windows_per_week, blocks, plan.window_blocks, 0, 0,
        ALPHA, None, None, None, None, None, None, None, None, None, "too_few",
        f"the reference has {blocks} blocks; {needed}",
    )  # fmt: skip
