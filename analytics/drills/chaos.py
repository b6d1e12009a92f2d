"""Faults that were real and meant, analysed as experiments: what they reached, how long they lasted, what was expected.

A window is compared with the same hours before it: the windows of the same length that end a whole number of days (of a
window longer than a day: of weeks) earlier. Their spread, not the rows', says what is usual: windows are what is
independent. So the interval is that of one new value against k earlier ones: difference +- t (k - 1) s sqrt(1 + 1/k).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scipy import stats

from analytics.alerts.asked import Asked
from analytics.alerts.families import quality_metrics
from analytics.alerts.looks import DAY, HOUR, minus
from analytics.alerts.numbers import Number, better_way
from analytics.alerts.read_numbers import numbers_of
from analytics.alerts.readings import asked_of
from analytics.alerts.rows import Target
from analytics.drills.rows import ChaosOutcome, ChaosRow
from analytics.errors import ProjectError
from analytics.project import Alert, Chaos
from analytics.results import Results
from analytics.scope import parse_filter
from analytics.stats.multiplicity import benjamini_hochberg
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.looked_rows import Look

MOST_BEFORE = 10
LEAST_BEFORE = 4
MOST_AFTER = 48
MOST_SEGMENTS = 3
ALPHA = 0.05
CONFIDENCE = 0.95
_WATCHED = (
    "log_loss", "accuracy", "mean_score", "decision_rate", "mean_latency", "mean_absolute_error", "mean_prediction",
)  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """One value against those of the same hours before, of which there are `windows`."""

    value: float
    usual: float
    difference: float
    low: float
    high: float
    p_value: float
    windows: int


def compared_with_usual(
    value: float, before: Sequence[float], confidence: float = CONFIDENCE
) -> Compared | None:
    """A new value against earlier ones; None where they are too few, or all alike.

    >>> found = compared_with_usual(3.0, [1.0, 2.0, 1.0, 2.0])
    >>> round(found.difference, 3), round(found.low, 3), round(found.high, 3)
    (1.5, -0.554, 3.554)
    """
    k = len(before)
    if k < LEAST_BEFORE:
        return None
    usual = math.fsum(before) / k
    spread = math.sqrt(math.fsum((one - usual) ** 2 for one in before) / (k - 1))
    error = spread * math.sqrt(1 + 1 / k)
    if error <= 1e-12 * max(abs(usual), 1.0):
        return None
    half = float(stats.t.isf((1 - confidence) / 2, k - 1)) * error
    difference = value - usual
    p_value = float(2 * stats.t.sf(abs(difference) / error, k - 1))
    return Compared(value, usual, difference, difference - half, difference + half, p_value, k)


def chaos_of(catalog: Catalog, at: datetime, names: Sequence[str] = ()) -> Results[ChaosRow]:
    """Every declared chaos window that has begun, or those named: hypothesis, blast radius, recovery.

    Raises:
        ProjectError: none is declared, or one that is named is not.
    """
    project = catalog.project
    if not project.chaos:
        raise ProjectError(f"{project.file}: chaos: this needs a [[chaos]] section, and there is none")
    known = [one.name for one in project.chaos]
    for name in names:
        if name not in known:
            raise ProjectError(
                f'{project.file}: chaos: there is no window "{name}"; declared: {", ".join(known)}'
            )
    rows: list[ChaosRow] = []
    notes = []
    for one in project.chaos:
        if names and one.name not in names:
            continue
        if project.instant(one.start) >= at:
            notes.append(f"{one.name}: has not begun")
            continue
        rows += _Experiment(catalog, one, at).rows()
    return Results(tuple(rows), project.zone, notes=tuple(notes))


@dataclass
class _Experiment:
    catalog: Catalog
    chaos: Chaos
    at: datetime

    def __post_init__(self) -> None:
        project = self.catalog.project
        self.start, self.end = (
            project.instant(self.chaos.start),
            min(project.instant(self.chaos.end), self.at),
        )
        names = [feature.name for feature in self.catalog.features]
        self.place = tuple(parse_filter(text, project, names) for text in self.chaos.where)

    def rows(self) -> list[ChaosRow]:
        """The hypothesis, what moved (the surest first), and the recovery."""
        radius = _corrected([row for metric in self._metrics() for row in self._radius(metric)])
        radius.sort(key=lambda row: (not row.moved, row.p_adjusted if row.p_adjusted is not None else 2.0))
        main = self.chaos.metric or self._metrics()[0]
        expected = self._hypothesis(main)
        return [expected, *radius, self._recovery(main, expected)]

    def _metrics(self) -> list[str]:
        known = quality_metrics(self.catalog.project)
        watched = [name for name in (self.chaos.metric, *_WATCHED) if name in known]
        return list(dict.fromkeys(watched))

    def _radius(self, metric: str) -> Iterator[ChaosRow]:
        yield from self._against(metric, ())
        for segment in self.catalog.predictions.segments[:MOST_SEGMENTS]:
            yield from self._against(metric, (), segment)

    def _against(self, metric: str, where: tuple[str, ...], segment: str | None = None) -> Iterator[ChaosRow]:
        asked = self._asked(metric, where, segment)
        looks = [self._look(self.start, self.end), *self._before(self.start, self.end)]
        numbers = numbers_of(asked, looks)
        targets = sorted({target for end, target in numbers if end == self.end}, key=repr)
        for target in targets:
            values = [numbers.get((look.end, target)) for look in looks]
            yield self._row("radius", metric, target, values)

    def _row(self, part: str, metric: str, target: Target, values: Sequence[Number | None]) -> ChaosRow:
        first = values[0]
        known = [one.value for one in values[1:] if one is not None and one.value is not None]
        found = None if first is None or first.value is None else compared_with_usual(first.value, known)
        row = ChaosRow(
            self.chaos.name, "hypothesis" if part == "hypothesis" else "radius", self.start, self.end, metric,
            target.version, target.segment, target.segment_value, self._inside(target),
            first.value if first is not None else None, None, None, None, None, None, None, None, None, len(known),
            first.n if first is not None else 0, None, None, None, None, "undefined", None, "",
        )  # fmt: skip
        if found is None:
            if first is None or first.value is None:
                reason = (first.reason if first is not None else None) or "no rows in the window"
                return replace(row, status="no_data" if first is None else first.status, reason=reason)
            reason = (
                f"{len(known)} earlier windows with a value: at least {LEAST_BEFORE} that differ are needed"
            )
            return replace(row, status="too_few", reason=reason)
        return replace(
            row, usual=found.usual, difference=found.difference, ci_low=found.low, ci_high=found.high,
            harm=_is_harm(found.difference, metric), p_value=found.p_value, status="ok",
        )  # fmt: skip

    def _hypothesis(self, metric: str) -> ChaosRow:
        """The declared expectation, of the live version, within the window's place."""
        chaos = self.chaos
        version = self._version()
        asked = self._asked(metric, chaos.where, None)
        looks = [self._look(self.start, self.end), *self._before(self.start, self.end)]
        numbers = numbers_of(asked, looks)
        target = Target(version)
        row = self._row("hypothesis", metric, target, [numbers.get((look.end, target)) for look in looks])
        row = replace(
            row, expect=chaos.expect, tolerance=chaos.tolerance, inside=True if chaos.where else None
        )
        outcome = _outcome(row, chaos)
        return replace(row, outcome=outcome, sentence=hypothesis_sentence(row, chaos, outcome))

    def _recovery(self, metric: str, within: ChaosRow) -> ChaosRow:
        """From when on the metric was what it usually is: the first of two windows in a row that are."""
        if within.ci_low is None or _harm_limits(within, metric)[0] <= self.chaos.tolerance:
            reason = within.reason or "it was not surely worse within the window, so nothing had to recover"
            blank = replace(
                self._row("radius", metric, Target(self._version()), [None]), part="recovery", n=0
            )
            return replace(blank, status="undefined", reason=reason)
        length = min(max(self.end - self.start, HOUR), DAY)
        asked = self._asked(metric, self.chaos.where, None)
        target = Target(self._version())
        after = [(self.end + k * length, self.end + (k + 1) * length) for k in range(MOST_AFTER)]
        after = [(start, end) for start, end in after if end <= min(self.at, self._last())]
        states = []
        for start, end in after:
            looks = [self._look(start, end), *self._before(start, end)]
            numbers = numbers_of(asked, looks)
            states.append(self._state(metric, [numbers.get((look.end, target)) for look in looks]))
            if states[-2:] == ["usual", "usual"]:
                break
        return self._recovered(metric, target, states, length)

    def _recovered(
        self,
        metric: str,
        target: Target,
        states: Sequence[str],
        length: timedelta,
    ) -> ChaosRow:
        blank = self._row("radius", metric, target, [None])
        row = replace(blank, part="recovery", windows=len(states), n=0, tolerance=self.chaos.tolerance)
        if not states:
            return replace(
                row, status="no_data", reason="the logs end with the window, so no recovery can be seen"
            )
        harmed = [k for k, state in enumerate(states) if state == "harmed"]
        low = (harmed[-1] + 1) * length / HOUR if harmed else 0.0
        over = states[-2:] == ["usual", "usual"]
        # known only by windows: it may have come at any time within the first usual one
        high = (len(states) - 1) * length / HOUR if over else None
        value = None if high is None else (low + high) / 2
        row = replace(
            row,
            value=value,
            difference=value,
            ci_low=low,
            ci_high=high,
            censored=not over,
            status="ok",
            reason=None,
        )
        return replace(row, sentence=recovery_sentence(row))

    def _state(self, metric: str, values: Sequence[Number | None]) -> str:
        row = self._row("radius", metric, Target(), values)
        if row.ci_low is None or row.ci_high is None:
            return "unknown"
        low, _ = _harm_limits(row, metric)
        return "harmed" if low > self.chaos.tolerance else "usual"

    def _asked(self, metric: str, where: tuple[str, ...], segment: str | None) -> Asked:
        rule = Alert(metric=metric, above=0.0, where=where, by=() if segment is None else (segment,))
        return asked_of(self.catalog, rule)

    def _look(self, start: datetime, end: datetime) -> Look:
        return Look(start, end, self.at)

    def _before(self, start: datetime, end: datetime) -> list[Look]:
        """The same hours before the chaos began, other chaos windows left out."""
        project, zone = self.catalog.project, self.catalog.project.zone
        step = DAY if end - start <= DAY else timedelta(days=7 * math.ceil((end - start) / timedelta(days=7)))
        others = [(project.instant(one.start), project.instant(one.end)) for one in project.chaos]
        first = self.catalog.extent[0] if self.catalog.extent is not None else start
        found: list[Look] = []
        k = 1
        while len(found) < MOST_BEFORE:
            one = minus(start, k * step, zone), minus(end, k * step, zone)
            k += 1
            if one[0] < first:
                break
            if one[1] > self.start or any(low < one[1] and one[0] < high for low, high in others):
                continue
            found.append(self._look(*one))
        return found

    def _inside(self, target: Target) -> bool | None:
        if not self.place or target.segment is None:
            return None
        mine = [one.value for one in self.place if one.name == target.segment]
        return target.segment_value in mine if mine else None

    def _version(self) -> str | None:
        catalog = self.catalog
        if catalog.predictions.version is None:
            return None
        released = [
            (catalog.project.instant(one.timestamp), one.version)
            for one in catalog.releases
            if catalog.project.instant(one.timestamp) <= self.start and one.version in catalog.versions
        ]
        newest = max((moment for moment, _ in released), default=None)
        return next((name for moment, name in released if moment == newest), catalog.versions[-1])

    def _last(self) -> datetime:
        return self.catalog.extent[1] if self.catalog.extent is not None else self.at


def _corrected(rows: Sequence[ChaosRow]) -> list[ChaosRow]:
    tested = [row for row in rows if row.p_value is not None]
    values = [row.p_value for row in tested if row.p_value is not None]
    adjusted: list[float] = benjamini_hochberg(values).tolist() if values else []
    by_row = dict(zip(map(id, tested), adjusted, strict=True))
    return [
        replace(
            row, p_adjusted=by_row.get(id(row)), moved=by_row[id(row)] < ALPHA if id(row) in by_row else None
        )
        for row in rows
    ]


def _is_harm(difference: float, metric: str) -> bool | None:
    match better_way(metric):
        case "higher":
            return difference < 0
        case "lower":
            return difference > 0
        case _:
            return None


def _harm_limits(row: ChaosRow, metric: str) -> tuple[float, float]:
    """The interval of how much worse it was; of a metric without a direction how far from usual."""
    if row.ci_low is None or row.ci_high is None:
        raise ValueError("only a difference with an interval can be judged")
    match better_way(metric):
        case "higher":
            return -row.ci_high, -row.ci_low
        case "lower":
            return row.ci_low, row.ci_high
        case _:
            nearest = max(row.ci_low, -row.ci_high, 0.0)
            return nearest, max(abs(row.ci_low), abs(row.ci_high))


def _outcome(row: ChaosRow, chaos: Chaos) -> ChaosOutcome | None:
    if row.ci_low is None:
        return None
    low, high = _harm_limits(row, row.metric)
    harmed = True if low > chaos.tolerance else False if high <= chaos.tolerance else None
    if harmed is None:
        return "unclear"
    return "confirmed" if harmed == (chaos.expect == "harmed") else "refuted"


def hypothesis_sentence(row: ChaosRow, chaos: Chaos, outcome: ChaosOutcome | None) -> str:
    """What was expected and what came."""
    expected = f"expected to be {chaos.expect}"
    if outcome is None or row.difference is None:
        return f"{chaos.name}: {row.metric} was {expected}; it cannot be told: {row.reason}."
    limits = f"{row.ci_low:+.3g} to {row.ci_high:+.3g}"
    moved = (
        f"{row.value:.3g} against {row.usual:.3g} in the same hours before ({row.difference:+.3g}, {limits})"
    )
    verdict = {"confirmed": "so it was", "refuted": "it was not", "unclear": "that stays unclear"}[outcome]
    return f"{chaos.name}: {row.metric} was {expected}, and {verdict}: {moved}."


def recovery_sentence(row: ChaosRow) -> str:
    """How long after the end it took."""
    if row.censored:
        seen = f"in the {row.windows} windows after the end that were watched"
        return f"{row.chaos}: {row.metric} was not back to usual {seen}."
    if not row.ci_low and row.windows <= 2:
        return f"{row.chaos}: {row.metric} was as usual right after the end."
    between = f"between {row.ci_low:.3g} and {row.ci_high:.3g} h"
    return f"{row.chaos}: {row.metric} was back to usual {between} after the end."
