"""Would this rule have fired? Replayed over the past: its firings, the false ones, how late, and better limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analytics.drills.limits import Ladder, ladder_of
from analytics.drills.replayed import Replay, Told, hours, replay_of
from analytics.drills.rows import BacktestRow
from analytics.errors import ScopeError
from analytics.project import Alert
from analytics.results import Results
from analytics.stats.event_counts import likely_counts, poisson_interval
from analytics.telemetry.catalog import Catalog

MONTH = timedelta(days=365.25 / 12)
CONFIDENCE = 0.95
MOST_BURNING = 1 / 3
"""A limit that is passed for more of the time than this does not tell what is unusual."""
LEAST_SPAN = timedelta(days=14)
"""Shorter parts say nothing about pages a month."""


@dataclass(frozen=True)
class Incident:
    """A stretch in which something was known to be wrong."""

    name: str
    start: datetime
    end: datetime


def backtest_of(
    catalog: Catalog,
    rule: str | Alert,
    end: datetime,
    start: datetime | None = None,
    *,
    pages_per_month: float | None = None,
    incidents: Sequence[Incident] | None = None,
) -> Results[BacktestRow]:
    """What a rule would have done from one instant to another, at its real cadence, as things were known then.

    Args:
        catalog: the logs.
        rule: its name, or any rule.
        end: nothing later is known.
        start: from the first logged prediction where None.
        pages_per_month: also suggest the limit that sends so many, chosen on the first half of the stretch.
        incidents: what was known to be wrong; the chaos windows of the project file where None.

    Raises:
        ScopeError: the stretch is empty.
        ProjectError: there is no such rule.
    """
    begun = start or (catalog.extent[0] if catalog.has_predictions and catalog.extent else None)
    if begun is None:
        return Results((), catalog.project.zone, notes=("The logs hold nothing to look back at.",))
    if begun >= end:
        raise ScopeError("the stretch to look back at must end after it begins")
    if pages_per_month is not None and pages_per_month < 0:
        raise ScopeError(f"{pages_per_month:g} pages a month: must be 0 or more")
    known = declared_incidents(catalog) if incidents is None else tuple(incidents)
    known = tuple(one for one in known if one.start < end and one.end > begun)
    found = replay_of(catalog, rule, begun, end)
    whole = whole_row(found, known)
    rows = [
        replace(whole, sentence=whole_sentence(whole)),
        *incident_rows(found, known),
        *firing_rows(found, known),
    ]
    if pages_per_month is not None:
        limit = limit_row(catalog, found, pages_per_month)
        rows.insert(1, replace(limit, sentence=limit_sentence(limit)))
    return Results(tuple(rows), catalog.project.zone, notes=_notes(found, known))


def declared_incidents(catalog: Catalog) -> tuple[Incident, ...]:
    """The chaos windows of the project file."""
    project = catalog.project
    return tuple(
        Incident(one.name, project.instant(one.start), project.instant(one.end)) for one in project.chaos
    )


def whole_row(found: Replay, known: Sequence[Incident]) -> BacktestRow:
    """Pages a month, false ones, and how much of the time it fired."""
    pages = found.pages
    months = (found.end - found.start) / MONTH
    rate = poisson_interval(len(pages), months, CONFIDENCE)
    looks = [one for one in found.readings if one.seen != "waiting"]
    blind = sum(one.seen in {"unsure", "no_data"} for one in looks)
    false = sum(not any(belongs(told, known) for told in page) for page in pages) if known else None
    row = BacktestRow(
        found.alert, "whole", found.rule.severity, found.start, found.end, value=len(pages) / months,
        ci_low=rate.low, ci_high=rate.high, n=len(pages), n_false=false, n_looks=len(looks), n_undecided=blind,
        share_of_time=_share_of_time(found), threshold=_limit_of(found.rule),
    )  # fmt: skip
    if not looks:
        return replace(
            row, value=None, ci_low=None, ci_high=None, share_of_time=None, status="no_data",
            reason="no window of this stretch could be looked at",
        )  # fmt: skip
    return row


def incident_rows(found: Replay, known: Sequence[Incident]) -> list[BacktestRow]:
    """Every declared incident: whether and how late it was told."""
    rows = []
    for one in known:
        mine = [told for page in found.pages for told in page if belongs(told, [one])]
        first = min((told.at for told in mine), default=None)
        rows.append(
            BacktestRow(
                found.alert,
                "incident",
                found.rule.severity,
                one.start,
                one.end,
                incident=one.name,
                fired_at=first,
                delay_hours=None if first is None else hours(first - one.start),
                n=len({told.at for told in mine}),
            )
        )
    return rows


def firing_rows(found: Replay, known: Sequence[Incident]) -> list[BacktestRow]:
    """Every firing of every target, the newest first."""
    rows = []
    for told in reversed([one for one in found.told if one.state == "firing"]):
        incident = belongs(told, known)
        reading = told.reading
        rows.append(
            BacktestRow(
                found.alert,
                "firing",
                found.rule.severity,
                told.began,
                told.ended,
                told.target.version,
                told.target.segment,
                told.target.segment_value,
                told.at,
                hours(told.at - incident.start) if incident is not None else None,
                (incident is None) if known else None,
                incident.name if incident is not None else None,
                reading.value,
                reading.ci_low,
                reading.ci_high,
                reading.n,
                threshold=reading.threshold,
                sentence=reading.sentence,
            )
        )
    return rows


def belongs(told: Told, known: Sequence[Incident]) -> Incident | None:
    """The incident whose time a firing's windows share, begun no earlier than it."""
    for one in known:
        if told.at >= one.start and told.began < one.end and told.reading.window_end > one.start:
            return one
    return None


def limit_row(catalog: Catalog, found: Replay, wanted: float) -> BacktestRow:
    """The limit that sends about so many pages a month: chosen on the first half, shown on the second."""
    middle = found.start + (found.end - found.start) / 2
    row = BacktestRow(found.alert, "limit", found.rule.severity, middle, found.end, wanted=wanted)
    if middle - found.start < LEAST_SPAN:
        return replace(
            row, status="too_few", reason="needs four weeks of logs: two to choose on and two to show"
        )
    ladder = ladder_of(found.rule, [one for one in found.readings if one.looked_at < middle])
    if isinstance(ladder, str):
        return replace(row, status="undefined", reason=ladder)
    months = (middle - found.start) / MONTH
    tried = _Tried(catalog, found, ladder, middle)
    fewest, most = likely_counts(wanted * months, CONFIDENCE)
    place = tried.most_sensitive(wanted * months)
    limits = sorted(
        {ladder.limits[tried.most_sensitive(count)] for count in (fewest, most)} | {ladder.limits[place]}
    )
    chosen, shown, _ = tried.pages(place)
    rate = poisson_interval(shown, (found.end - middle) / MONTH, CONFIDENCE)
    row = replace(
        row, limit_key=ladder.key, threshold=ladder.limits[place], limit_low=limits[0], limit_high=limits[-1], n=shown,
        value=shown / ((found.end - middle) / MONTH), ci_low=rate.low, ci_high=rate.high, n_chosen=chosen,
        value_chosen=chosen / months,
    )  # fmt: skip
    if chosen > wanted * months:
        return replace(
            row, reason="no limit sends as few: it would fire at every one that the logs have seen"
        )
    return row


def whole_sentence(row: BacktestRow) -> str:
    """What a person would say of a rule's past."""
    if row.value is None:
        return f"Whether {row.alert} would have fired cannot be told: {row.reason}."
    weeks = ((row.end or row.start) - row.start).days / 7
    if not row.n:
        said = f"{row.alert} would never have fired in {weeks:.0f} weeks: at most {row.ci_high:.2g} pages a month"
    else:
        times = "once" if row.n == 1 else f"{row.n:,} times"
        limits = f"{row.ci_low:.2g} to {row.ci_high:.2g}"
        said = f"{row.alert} would have fired {times} in {weeks:.0f} weeks: {row.value:.2g} pages a month ({limits})"
    if row.n_false is not None and row.n:
        said += f", {row.n_false:,} of them outside every declared incident"
    if row.share_of_time:
        said += f"; it fired for {row.share_of_time:.0%} of the time"
    return f"{said}."


def limit_sentence(row: BacktestRow) -> str:
    """What a person would say of a suggested limit."""
    if row.threshold is None:
        return f"No limit can be suggested for {row.wanted:g} pages a month: {row.reason}."
    between = "" if row.limit_low == row.limit_high else f" ({row.limit_low:.3g} to {row.limit_high:.3g})"
    came = f"{row.value:.2g} ({row.ci_low:.2g} to {row.ci_high:.2g})"
    warning = f" {row.reason[:1].upper()}{row.reason[1:]}." if row.reason else ""
    return (
        f"For {row.wanted:g} pages a month, chosen on the first half: {row.limit_key} = {row.threshold:.3g}{between}; "
        f"on the second half it would have sent {came}.{warning}"
    )


@dataclass
class _Tried:
    """Pages of both halves by limit, each limit replayed once."""

    catalog: Catalog
    found: Replay
    ladder: Ladder
    middle: datetime

    def __post_init__(self) -> None:
        self._counts: dict[int, tuple[int, int, float]] = {}

    def pages(self, place: int) -> tuple[int, int, float]:
        """Pages of the first half and of the second, and the share of the first in which it fired."""
        if place not in self._counts:
            one = replay_of(
                self.catalog, self.ladder.rules[place], self.found.start, self.found.end, self.found.alert
            )
            early = sum(page[0].at < self.middle for page in one.pages)
            self._counts[place] = early, len(one.pages) - early, _share_of_time(one, self.middle)
        return self._counts[place]

    def most_sensitive(self, allowed: float) -> int:
        """The most sensitive limit with no more pages on the first half; the least sensitive where all have more.

        A limit that is nearly always passed sends few pages, too: it fires and never ends. That is not what is meant.
        """
        low, high = 0, len(self.ladder.rules) - 1
        while low < high:
            middle = (low + high) // 2
            early, _, burning = self.pages(middle)
            if early <= allowed and burning <= MOST_BURNING:
                high = middle
            else:
                low = middle + 1
        return low


def _share_of_time(found: Replay, until: datetime | None = None) -> float:
    """The share of the stretch (up to an instant) in which any target fired."""
    last = until or found.end
    spans = sorted(
        (max(one.at, found.start), min(one.ended or last, last))
        for one in (*found.before, *found.told)
        if one.state == "firing"
    )
    total, reached = timedelta(0), found.start
    for start, end in spans:
        total += max(end - max(start, reached), timedelta(0))
        reached = max(reached, end)
    return total / (last - found.start)


def _limit_of(rule: Alert) -> float | None:
    return rule.below if rule.above is None else rule.above


def _notes(found: Replay, known: Sequence[Incident]) -> tuple[str, ...]:
    notes = []
    if not known:
        notes.append(
            "no incident is declared in this stretch ([[chaos]] in the project file), so nobody can say which pages "
            "were false"
        )
    still = len(found.before)
    if still:
        notes.append(f"{still} of its targets fired already when the stretch began; these are no pages of it")
    return tuple(notes)
