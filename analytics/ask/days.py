"""Daily (or weekly) series of metrics and of fields: what changes, ageing and releases are computed from.

A day's value is that of its rows alone. Its sampling variance is taken from its rows by one constant for all days, so
that a day does not count for more because its value, and with it the variance, happens to be low. Days whose labels
still arrive are left out, and so are those with too few rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from analytics.aggregates.keys import CellKey
from analytics.ask.aggregates import Estimates, read_estimates
from analytics.ask.labels import Maturity, maturity_of
from analytics.ask.quality import NEEDS_NO_LABEL
from analytics.ask.windows import resolve, versions_of
from analytics.errors import ScopeError
from analytics.measures.estimate import Estimate
from analytics.project import Task
from analytics.scope import Scope, Window
from analytics.stats.daily import WEEK, Daily
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Grain = Literal["day", "week"]
MAIN_METRIC: dict[Task, str] = {
    "binary": "log_loss",
    "multiclass": "log_loss",
    "regression": "mean_absolute_error",
}
"""What decides whether days have rows enough, and what ageing and releases speak of where nothing is asked for."""
LEFT_OUT = {
    "expected_calibration_error": "a day's value depends on how many rows it has",
    "median_absolute_error": "its sampling error on a day is not known",
}
_USABLE_SHARE = 0.6
_KEPT = 8


class MetricDays(NamedTuple):
    """One metric of one version.

    Attributes:
        series: the days that count.
        windows: of those days.
        n_rows: labelled rows of each.
        left_out: days with rows that do not count, by why.
    """

    series: Daily
    windows: tuple[Window, ...]
    n_rows: NDArray[np.float64]
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class Days:
    """Everything estimated day by day (or week by week) in a scope.

    Attributes:
        scope: with both ends set, its grain day or week.
        windows: all of the stretch, empty ones too.
        versions: those asked for.
        found: the estimates by window and version.
        maturity: which of the days' labels have had time to come.
    """

    scope: Scope
    windows: tuple[Window, ...]
    versions: tuple[str | None, ...]
    found: Estimates
    maturity: Maturity

    @property
    def grain(self) -> Grain:
        """What one value stands for."""
        return "week" if self.scope.grain == "week" else "day"

    def metrics(self) -> tuple[str, ...]:
        """Every metric of the whole that has a value on some day, in the contract's order."""
        names = [e.metric for cell in self.found.cells.values() for e in cell.estimates if e.class_ is None]
        return tuple(dict.fromkeys(names))

    def of(self, version: str | None, metric: str) -> MetricDays:
        """The days of one metric that count."""
        kept: list[tuple[Window, Estimate, int]] = []
        left_out: dict[str, int] = {}
        for window in self.windows:
            cell = self.found.cells.get(CellKey(window.key, version, None))
            if cell is None:
                continue
            estimate = next((e for e in cell.estimates if e.metric == metric and e.class_ is None), None)
            why = self._why_not(estimate, window)
            if why is None and estimate is not None:
                kept.append((window, estimate, cell.n_labelled))
            elif why is not None:
                left_out[why] = left_out.get(why, 0) + 1
        series = Daily(
            days_of([window for window, _, _ in kept]),
            np.array([estimate.value for _, estimate, _ in kept], dtype=np.float64),
            smoothed_variance([estimate for _, estimate, _ in kept], [n for _, _, n in kept]),
            WEEK if self.grain == "week" else 1,
        )
        n_rows = np.array([n for _, _, n in kept], dtype=np.float64)
        return MetricDays(series, tuple(window for window, _, _ in kept), n_rows, left_out)

    def _why_not(self, estimate: Estimate | None, window: Window) -> str | None:
        needs_labels = estimate is None or estimate.metric not in NEEDS_NO_LABEL
        if needs_labels and self.maturity.reason(window.end) is not None:
            return "labels still arrive"
        if estimate is None or estimate.value is None:
            return "no value" if estimate is None or estimate.reason is None else estimate.reason
        return None


class _Kept:
    """The days of late, by content: three questions read the same ones."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], Days] = OrderedDict()
        self._lock = Lock()

    def of(self, catalog: Catalog, scope: Scope) -> Days:
        # what is mature depends on the clock, the estimates do not
        key = (catalog.digest, repr(scope))
        maturity = maturity_of(catalog, scope)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return replace(self._held[key], maturity=maturity)
        resolved, windows = resolve(catalog, scope)
        versions = versions_of(catalog, scope)
        found = read_estimates(catalog, scoped_rows(catalog, resolved), scope.confidence)
        days = Days(resolved, windows, versions, found, maturity)
        with self._lock:
            self._held[key] = days
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        return days


_KEPT_DAYS = _Kept()


def days_in(catalog: Catalog, scope: Scope) -> Days:
    """Read the days of a scope; weeks where most days have too few labelled rows for a value.

    Raises:
        ScopeError: the scope splits by a segment, or its grain is neither all, day nor week.
    """
    check(scope)
    if scope.grain == "week":
        return _KEPT_DAYS.of(catalog, scope)
    days = _KEPT_DAYS.of(catalog, replace(scope, grain="day"))
    if scope.grain == "day" or _enough(days, MAIN_METRIC[catalog.predictions.task]):
        return days
    return _KEPT_DAYS.of(catalog, replace(scope, grain="week"))


@contextmanager
def one_thread() -> Iterator[None]:
    """Many small matrices: handing each to several threads costs more than it saves, most of all on a busy machine."""
    with threadpool_limits(1, user_api="blas"):
        yield


def check(scope: Scope) -> None:
    """Refuse what has no meaning here."""
    if scope.by is not None:
        raise ScopeError(
            f'by: days are not split by segment; ask for one value at a time, with where "{scope.by}=VALUE"'
        )
    if scope.grain not in {"all", "day", "week"}:
        raise ScopeError(f'grain "{scope.grain}": only day and week mean something here')


def _enough(days: Days, metric: str) -> bool:
    """Whether the main metric has a value on most days with rows; where there are no labels weeks would not help."""
    for version in days.versions:
        found = days.of(version, metric)
        lost = sum(n for why, n in found.left_out.items() if why != "labels still arrive")
        if found.n_rows.size and found.series.n < _USABLE_SHARE * (found.series.n + lost):
            return False
    return any(days.of(version, metric).series.n for version in days.versions) or not _any_labels(days)


def _any_labels(days: Days) -> bool:
    return any(cell.n_labelled for cell in days.found.cells.values())


def days_of(windows: Sequence[Window]) -> NDArray[np.int64]:
    """Whole numbers of local days; Monday is 1 more than a multiple of 7."""
    return np.array([window.key.toordinal() for window in windows], dtype=np.int64)


def starts_of(windows: Sequence[Window]) -> dict[int, datetime]:
    """Day number -> the instant it begins."""
    return {window.key.toordinal(): window.start for window in windows}


def smoothed_variance(estimates: Sequence[Estimate], rows: Sequence[int]) -> NDArray[np.float64]:
    """One constant over the rows that carry the information; 0 where no variance is known."""
    if not estimates:
        return np.zeros(0)
    size = np.array([_information(e, n) for e, n in zip(estimates, rows, strict=True)], dtype=np.float64)
    variance = np.array([e.chosen().variance for e in estimates], dtype=np.float64)
    known = np.isfinite(variance) & (size > 0)
    if not known.any():
        return np.zeros(len(estimates))
    constant = float((variance[known] * size[known]).mean())
    return constant / np.where(size > 0, size, float(size[known].mean()))


def _information(estimate: Estimate, rows: int) -> float:
    if estimate.n_positive > 0 and estimate.n_negative > 0:
        return estimate.n_positive * estimate.n_negative / (estimate.n_positive + estimate.n_negative)
    return estimate.size if estimate.size > 0 else float(rows)
