"""Quality estimated before labels arrive, with bands that rest on how earlier estimates fared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from analytics.ask.estimate_base import Evidence
from analytics.ask.estimate_read import read_evidence
from analytics.ask.estimate_windows import Plan, Planned, plan_of
from analytics.ask.windows import versions_of
from analytics.errors import ScopeError
from analytics.quality.backtests import Judged, Series, judge
from analytics.quality.estimated import EstimateRow, EstimatorRow, Method
from analytics.quality.estimators import Realised, WindowEstimate
from analytics.results import Results, Status
from analytics.scope import Scope
from analytics.stats.prediction_bands import LEAST_ERRORS, least_held
from analytics.telemetry.catalog import Catalog

METHODS: dict[str, tuple[Method, ...]] = {
    "binary": ("cbpe", "pape"), "multiclass": ("cbpe", "pape"), "regression": ("dle",)
}  # fmt: skip
"""By task; the first is the quick one."""
Floats = NDArray[np.float64]


class Estimates(NamedTuple):
    """Estimates of a scope, and how their estimators have fared on the windows of the scope and before."""

    rows: Results[EstimateRow]
    scorecard: Results[EstimatorRow]


def estimates_of(catalog: Catalog, scope: Scope, methods: Sequence[str] | None = None) -> Estimates:
    """Every metric that can be estimated without labels, by window, version and method.

    Args:
        catalog: the project's views.
        scope: the question; not split by segment.
        methods: cbpe, pape, dle; all that the task knows where left out.

    Raises:
        ScopeError: a method does not belong to the task, or the scope asks for rows by their label.
    """
    chosen = _methods(catalog, methods)
    plan = plan_of(catalog, scope)
    zone = catalog.project.zone
    if not plan.windows:
        empty = "The logs hold no prediction."
        return Estimates(Results((), zone, notes=(empty,)), Results((), zone, notes=(empty,)))
    versions = versions_of(catalog, plan.scope)
    # thousands of small matrices: threads of the linear algebra would only wait for each other
    with threadpool_limits(1):
        reading = read_evidence(catalog, plan, versions, chosen)
    rows: list[EstimateRow] = []
    card: list[EstimatorRow] = []
    for version, evidence in reading.versions.items():
        for method in chosen:
            one = _Answer(plan, reading.metrics, version, method, evidence, plan.scope.confidence)
            rows += one.rows()
            card += one.scorecard()
    order = {planned.window.start: i for i, planned in enumerate(plan.windows)}
    rows.sort(key=lambda row: order[row.window_start])
    notes = _notes(plan)
    return Estimates(
        Results(tuple(rows), zone, reading.sql, notes), Results(tuple(card), zone, reading.sql, notes)
    )


def _methods(catalog: Catalog, methods: Sequence[str] | None) -> tuple[Method, ...]:
    known = METHODS[catalog.predictions.task]
    unknown = [name for name in methods or () if name not in known]
    if unknown:
        raise ScopeError(
            f'method "{unknown[0]}" is not one for a {catalog.predictions.task} model; known: {", ".join(known)}'
        )
    return tuple(name for name in known if not methods or name in methods)


def _notes(plan: Plan) -> tuple[str, ...]:
    earlier = sum(not planned.asked for planned in plan.windows)
    notes = [*plan.maturity.notes]
    if plan.scope.grain == "all" and earlier < LEAST_ERRORS:
        notes.append(
            f"{earlier} earlier windows are as long as this one, too few to test the estimate on; "
            "ask for shorter windows (--grain week or day)."
        )
    return tuple(notes)


@dataclass(frozen=True)
class _Answer:
    """One version and method, ready to be told."""

    plan: Plan
    metrics: tuple[str, ...]
    version: str | None
    method: Method
    evidence: Evidence
    confidence: float

    def rows(self) -> list[EstimateRow]:
        """A record for each metric of each window that was asked for."""
        judged = self.judged
        skip = len(self.evidence.in_reference[self.method])
        return [
            self._row(t, m, judged, skip)
            for t, planned in enumerate(self.plan.windows)
            if planned.asked
            for m in range(len(self.metrics))
        ]

    def scorecard(self) -> list[EstimatorRow]:
        """A record for each metric."""
        return [self._fared(m, self.judged) for m in range(len(self.metrics))]

    @cached_property
    def judged(self) -> Judged:
        """What the back-tests say."""
        return judge(self.series, self.confidence)

    @cached_property
    def series(self) -> Series:
        """All windows in the order of time, those of the reference first."""
        inside = self.evidence.in_reference[self.method]
        outside = self.evidence.estimates[self.method]
        planned = self.plan.windows
        reference = np.r_[np.ones(len(inside), np.bool_), np.zeros(len(outside), np.bool_)]
        # what lies in the reference was fitted on: it is no test
        barred = np.array([one.in_reference for one in planned])
        mature = np.array([one.mature for one in planned])
        first = self.evidence.reference_measured
        delay = self.plan.delay
        never = np.full(len(inside), -math.inf)
        early = np.array([one.values for one in self.evidence.early])
        now = np.array([one.values for one in self.evidence.now])
        early[barred | ~mature] = np.nan
        now[barred | ~mature] = np.nan
        both = [*inside, *outside]
        estimate = np.array([one.values for one in both])
        estimate[len(inside) :][barred] = np.nan
        measured = np.array([one.values for one in first]).reshape(len(first), len(self.metrics))
        coverage = [
            _share(found, labels) for found, labels in zip(both, [*first, *self.evidence.early], strict=True)
        ]
        covered = np.array(coverage)
        covered[len(inside) :][barred | ~mature] = np.nan
        return Series(
            self.metrics,
            reference,
            np.r_[never, [(one.window.end + delay).timestamp() for one in planned]],
            np.r_[never, [self.plan.origin(one).timestamp() for one in planned]],
            estimate,
            np.array([one.label_variance for one in both]),
            np.array([one.fit_variance for one in both]),
            covered,
            np.vstack([measured, early]),
            np.vstack([measured, now]),
        )

    def _row(self, t: int, m: int, judged: Judged, skip: int) -> EstimateRow:
        planned, found = self.plan.windows[t], self.evidence.estimates[self.method][t]
        metric, at = self.metrics[m], (skip + t, m)
        realised, realised_status, realised_reason = self._realised(t, m)
        status, reason = self._standing(planned, found, metric, judged, at)
        value = float(found.values[m]) if status == "ok" else None
        low, high = (float(judged.low[at]), float(judged.high[at])) if value is not None else (None, None)
        held = judged.held[at]
        return EstimateRow(
            planned.window.start, planned.window.end, self.version, metric, self.method, value, low, high,
            realised, realised_status, realised_reason, None if np.isnan(held) else bool(held), found.n,
            found.n_sample, self.evidence.now[t].n, self.evidence.n_reference, found.effective_n, found.calibration,
            int(judged.n_backtests[at]), int(judged.held_backtests[at]), status, reason,
        )  # fmt: skip

    def _realised(self, t: int, m: int) -> tuple[float | None, Status, str | None]:
        labels: Realised = self.evidence.now[t]
        problem = labels.problems.get(self.metrics[m])
        immature = self.plan.maturity.reason(self.plan.windows[t].window.end)
        if immature is not None and labels.n:
            return None, "immature", immature
        if problem is not None:
            return None, *problem
        return float(labels.values[m]), "ok", None

    def _standing(
        self, planned: Planned, found: WindowEstimate, metric: str, judged: Judged, at: tuple[int, int]
    ) -> tuple[Status, str | None]:
        if metric in found.problems:
            return found.problems[metric]
        if planned.in_reference:
            return "undefined", "this window overlaps the reference that the estimate was fitted on"
        n, held = int(judged.n_backtests[at]), int(judged.held_backtests[at])
        if self.evidence.n_reference == 0 and n < LEAST_ERRORS:
            return "undefined", (
                f"the reference has no labels of this version and {n} earlier windows have them: nothing says whether "
                "the scores can be taken at their word"
            )
        if not judged.believed[at]:
            return "undefined", withdrawn(n, held, self.confidence)
        return "ok", self._caution(found, n, int(judged.n_errors[at]))

    def _caution(self, found: WindowEstimate, n: int, errors: int) -> str | None:
        said = [found.note] if found.note else []
        if self.evidence.n_reference == 0:
            said.append("no labelled reference of this version: scores are taken at their word")
        if n < LEAST_ERRORS:
            learned = " and on windows of the reference" if errors >= LEAST_ERRORS else ""
            said.append(f"{n} back-tests, fewer than {LEAST_ERRORS}: the band rests on sampling{learned}")
        return "; ".join(said) or None

    def _fared(self, m: int, judged: Judged) -> EstimatorRow:
        skip = len(self.evidence.in_reference[self.method])
        series = self.series
        score, last, held = judged.score[skip:, m], judged.last_score[skip:, m], judged.held[skip:, m]
        error = series.realised[skip:, m] - series.estimate[skip:, m]
        tested, compared = np.isfinite(held), np.isfinite(score) & np.isfinite(last)
        n = int(tested.sum())
        standing: Literal["believed", "withdrawn", "unproven"] = (
            "unproven" if n < LEAST_ERRORS else "believed" if judged.believed[-1, m] else "withdrawn"
        )
        windows = self.plan.windows
        return EstimatorRow(
            windows[0].window.start, windows[-1].window.end, self.version, self.metrics[m], self.method, n,
            int(held[tested].sum()), _mean(held[tested]), _mean(score[compared]), _mean(last[compared]),
            int(compared.sum()), _mean((judged.high - judged.low)[skip:, m][tested]), _mean(error[tested]), standing,
        )  # fmt: skip


def withdrawn(n: int, held: int, confidence: float) -> str:
    """Why an estimate is not given any more.

    >>> withdrawn(20, 12, 0.95)
    'withdrawn: it held in 12 of its last 20 back-tests, and fewer than 16 would be chance less than one time in 20'
    """
    least = least_held(n, confidence)
    return (
        f"withdrawn: it held in {held} of its last {n} back-tests, and fewer than {least} would be chance less than "
        "one time in 20"
    )


def _share(found: WindowEstimate, labels: Realised) -> float:
    return labels.n / found.n if found.n else math.nan


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None
