"""Why a split is broken: every usual cause with what the logs say about it, those that fit first.

The list follows Fabijan, Gupchup, Gupta, Omhover, Qin, Vermeer and Dmitriev, KDD 2019.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from scipy import special, stats

from analytics.aggregates.arms import ExperimentAggregates, Split
from analytics.aggregates.overlaps import Overlap
from analytics.aggregates.split_causes import Found, SplitCauses
from analytics.experiments.checks.split import SRM_ALARM, SegmentPart, by_day, onset_of, plain_test
from analytics.experiments.design import Design
from analytics.experiments.rows import Check
from analytics.experiments.words import count, listed, number, p_value, percent, plural
from analytics.stats.association import association
from analytics.stats.sample_ratio import sample_ratio_test
from analytics.stats.stratified import split_within

LIKELY = 0.001
"""p-value under which a finding fits a cause."""
GONE = 0.01
"""p-value from which a split without some units counts as sound."""
LATE_DAYS = 2


@dataclass(frozen=True)
class Evidence:
    """All that is asked for causes.

    Attributes:
        design, found: of the experiment.
        parts: of the segments.
        causes: counted for this.
        overlaps: with other experiments.
        releases: local day -> what was released on it.
    """

    design: Design
    found: ExperimentAggregates
    parts: Sequence[SegmentPart]
    causes: SplitCauses
    overlaps: Sequence[Overlap] = ()
    releases: Mapping[date, str] = field(default_factory=dict)

    @property
    def split(self) -> Split:
        """How units fell on the arms."""
        return self.found.split


def cause_checks(given: Evidence) -> tuple[Check, ...]:
    """Every cause, the likeliest first: those that fit, those that cannot be told, those that do not fit."""
    causes = (
        _segment, _telemetry, _release, _late_logs, _crossed, _heavy, _start, _hash, _latency, _carry_over, _ramp,
    )  # fmt: skip
    rows = [row for cause in causes for row in cause(given)]
    order = {"warns": 0, "unknown": 1, "fine": 2}
    ranked = sorted(rows, key=lambda row: (order[row.level], -(row.value or 0.0)))
    command = f"assay experiment-health {given.design.name} --json"
    return tuple(
        replace(row, query=row.query or command, value=float(place), unit="rank")
        for place, row in enumerate(ranked, start=1)
    )


def _row(cause: str, sentence: str, *, fits: bool | None, strength: float = 0.0, **more: object) -> Check:
    level = "unknown" if fits is None else "warns" if fits else "fine"
    return Check("srm_cause", level, sentence, value=strength, cause=cause, **more)  # type: ignore[arg-type]


def _without(given: Evidence, removed: Mapping[str, float]) -> float:
    """p-value of the split without some units of every arm."""
    tested = plain_test(given.design, given.split)
    arms = [arm for arm, expected in tested.expected.items() if expected > 0]
    left = [max(tested.counts[arm] - removed.get(arm, 0.0), 0.0) for arm in arms]
    return float(sample_ratio_test(left, [tested.expected[arm] for arm in arms]).p_value)


def _segment(given: Evidence) -> Iterator[Check]:
    cause = "one app version, browser or country"
    if not given.parts:
        hint = "declare [units].segments or [exposures].segments, such as browser, country and app_version"
        yield _row(cause, f"Cannot be told: no segments are declared ({hint}).", fits=None)
        return
    guilty = [part for part in given.parts if part.p_adjusted is not None and part.p_adjusted < SRM_ALARM]
    alone = [part for part in guilty if part.p_without >= GONE]
    if alone:
        part = max(alone, key=lambda one: (one.p_without, one.contribution))
        text = (
            f"Fits: without {part.segment} = {part.value} the split is as planned ({p_value(part.p_without)}); look at "
            f"what differs for {part.segment} = {part.value}."
        )
        yield _row(
            cause, text, fits=True, strength=1.0, p_value=part.p_adjusted,
            segment=part.segment, segment_value=part.value, n=sum(part.n.values()),
        )  # fmt: skip
    elif guilty:
        text = (
            f"Does not fit one alone: {count(len(guilty))} of {count(len(given.parts))} segments are broken."
        )
        yield _row(cause, text, fits=False)
    else:
        yield _row(
            cause,
            f"Does not fit: none of {count(len(given.parts))} segments is broken by itself.",
            fits=False,
        )


def _telemetry(given: Evidence) -> Iterator[Check]:
    cause = "exposures or events are lost, or logged for one arm only"
    sql = given.causes.unexposed_sql or None
    days, onset = onset_of(given.design, given.split) or ((), None)
    if onset is not None and onset.at > 0 and given.causes.unexposed:
        start, end = days[onset.at], None if onset.until is None else days[onset.until]
        spans = [[d for d in days if d < start], [d for d in days if d >= start and (end is None or d < end)]]
        missed = [sum(given.causes.unexposed.get(day, 0) for day in span) for span in spans]
        p = (
            float(stats.binomtest(missed[1], sum(missed), len(spans[1]) / len(days)).pvalue)
            if sum(missed)
            else 1.0
        )
        rates = [n / len(span) for n, span in zip(missed, spans, strict=True)]
        if p < LIKELY and rates[1] > rates[0]:
            lost = _lost(given)
            text = (
                f"Fits: {number(rates[1])} units a day do something without ever being exposed from "
                f"{start:%-d %b} on, {number(rates[0])} before ({p_value(p)}); about {count(lost)} exposures "
                "are missing."
            )
            yield _row(cause, text, fits=True, strength=0.95, p_value=p, n=sum(missed), day=start, query=sql)
            return
    active = next((one.n_active for one in given.found.metrics if one.n_active is not None), None)
    arms = [arm for arm, n in given.split.n.items() if n]
    if active is None or len(arms) < 2:
        yield _row(cause, "Cannot be told: no metric counts rows of units.", fits=None)
        return
    table = np.array(
        [[active.get(arm, 0), given.split.n[arm] - active.get(arm, 0)] for arm in arms], dtype=np.float64
    )
    tested = association(table)
    shares = listed([f"{percent(active.get(arm, 0) / given.split.n[arm])} in {arm}" for arm in arms])
    if math.isfinite(tested.p_value) and tested.p_value < LIKELY:
        text = f"Fits: units with any row after their exposure are {shares} ({p_value(tested.p_value)})."
        yield _row(cause, text, fits=True, strength=0.7, p_value=tested.p_value, n=int(tested.n))
    else:
        text = (
            f"Does not fit: as many units act without an exposure as before, and units that act are {shares}."
        )
        yield _row(cause, text, fits=False, query=sql)


def _lost(given: Evidence) -> float:
    tested = plain_test(given.design, given.split)
    short = {arm: tested.expected[arm] - n for arm, n in tested.counts.items() if tested.expected[arm] > 0}
    arm = max(short, key=lambda one: short[one])
    # the others got what they should have, so the whole was larger by what this one lacks
    share = tested.expected[arm] / sum(tested.expected.values())
    return short[arm] / max(1.0 - share, 1e-9)


def _release(given: Evidence) -> Iterator[Check]:
    cause = "a release or a change of configuration"
    found = onset_of(given.design, given.split)
    if found is None:
        yield _row(cause, "Cannot be told: exposures carry no days.", fits=None)
        return
    days, onset = found
    if onset.at == 0:
        yield _row(cause, "Does not fit: the split is off from the first day on.", fits=False)
        return
    near = {day: what for day, what in given.releases.items() if days[onset.low] <= day <= days[onset.high]}
    since = f"{days[onset.at]:%-d %b}"
    if near:
        told = listed([f"{what} on {day:%-d %b}" for day, what in near.items()])
        yield _row(
            cause,
            f"Fits: {told}, and the split is off since {since}.",
            fits=True,
            strength=0.9,
            day=min(near),
        )
    else:
        text = f"Cannot be told: something changed about {since}, and no release is logged between "
        text += f"{days[onset.low]:%-d %b} and {days[onset.high]:%-d %b}."
        yield _row(cause, text, fits=None, strength=0.5, query="assay releases --json")


def _late_logs(given: Evidence) -> Iterator[Check]:
    cause = "logs that have not arrived yet"
    daily = given.split.daily
    if len(np.unique(daily.days)) <= LATE_DAYS:
        yield _row(cause, f"Cannot be told: there are no more than {LATE_DAYS} days.", fits=None)
        return
    _, counted, expected = by_day(given.design, daily)
    kept = slice(0, -LATE_DAYS)
    p = split_within(counted[kept].sum(axis=0)[None], expected[kept].sum(axis=0)[None]).p_value
    yield _gone(cause, f"the last {LATE_DAYS} days", p)


def _gone(cause: str, what: str, p: float) -> Check:
    if not math.isfinite(p):
        return _row(cause, f"Cannot be told: too few units are left without {what}.", fits=None)
    if p >= GONE:
        return _row(
            cause,
            f"Fits: without {what} the split is as planned ({p_value(p)}).",
            fits=True,
            strength=0.8,
            p_value=p,
        )
    return _row(
        cause, f"Does not fit: without {what} the split is still off ({p_value(p)}).", fits=False, p_value=p
    )


def _crossed(given: Evidence) -> Iterator[Check]:
    cause = "units that cross from one arm to another"
    if not given.split.n_multiple:
        yield _row(cause, "Does not fit: no unit saw more than one arm.", fits=False)
        return
    removed = (
        {} if given.split.leaves_crossed_out else {arm: float(n) for arm, n in given.split.crossed.items()}
    )
    if given.split.leaves_crossed_out:
        text = (
            f"Fits: {plural(given.split.n_multiple, 'unit')} in several arms are left out, more of one arm."
        )
        uneven = max(given.design.planned.values()) - min(given.design.planned.values()) > 0.01
        text = text if uneven else "Does not fit: arms are planned alike, so each loses as many."
        yield _row(cause, text, fits=uneven, strength=0.6)
        return
    yield _gone(
        cause, f"the {plural(given.split.n_multiple, 'unit')} in several arms", _without(given, removed)
    )


def _heavy(given: Evidence) -> Iterator[Check]:
    cause = "bots or very heavy users"
    heavy = given.causes.heavy.groups.get("heavy")
    if not heavy:
        yield _row(cause, "Cannot be told: no unit has many more rows than the others.", fits=None)
        return
    row = _gone(
        cause, f"the {count(sum(heavy.values()))} units with the most rows", _without(given, _floats(heavy))
    )
    yield replace(row, query=given.causes.heavy.sql)


def _floats(counts: Mapping[str, int]) -> dict[str, float]:
    return {arm: float(n) for arm, n in counts.items()}


def _start(given: Evidence) -> Iterator[Check]:
    cause = "arms that did not start together"
    firsts, n = given.causes.first_exposures, given.split.n
    daily = given.split.daily
    if len(firsts) < 2 or len(np.unique(daily.days)) < 2:
        yield _row(cause, "Cannot be told: exposures carry no time.", fits=None)
        return
    earliest, latest = (pick(firsts, key=lambda arm: firsts[arm]) for pick in (min, max))
    gap = (firsts[latest] - firsts[earliest]).total_seconds()
    days = len(np.unique(daily.days))
    # exposures the late arm would have had by then, at its usual pace
    missed = n.get(latest, 0) / (days * 86_400) * gap
    _, counted, expected = by_day(given.design, daily)
    rest = float(split_within(counted[1:].sum(axis=0)[None], expected[1:].sum(axis=0)[None]).p_value)
    told = f"{latest} began {_time(gap)} after {earliest}"
    if missed >= 10 and rest >= GONE:
        text = f"Fits: {told}; without the first day the split is as planned ({p_value(rest)})."
        yield _row(cause, text, fits=True, strength=0.85, p_value=rest)
    else:
        text = f"Does not fit: {told}, when about {number(missed)} of its units would have come."
        yield _row(cause, text, fits=False)


def _time(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return plural(round(seconds / size), name)
    return plural(round(seconds), "second")


def _hash(given: Evidence) -> Iterator[Check]:
    cause = "bucketing: the hash depends on the unit's id"
    table = _table(given.causes.by_digit, list(given.split.n))
    tested = association(table)
    if not math.isfinite(tested.p_value):
        yield _row(
            cause, "Cannot be told: ids end in too many characters for the units there are.", fits=None
        )
        return
    fits = tested.p_value < LIKELY
    word = "Fits" if fits else "Does not fit"
    end = "depend on" if fits else "do not depend on"
    text = f"{word}: arms {end} the last character of the unit's id ({p_value(tested.p_value)})."
    yield _row(cause, text, fits=fits, strength=0.75 if fits else 0.0, p_value=tested.p_value,
               n=int(tested.n), query=given.causes.by_digit.sql)  # fmt: skip


def _table(found: Found, arms: Sequence[str]) -> np.ndarray:
    rows = [[counts.get(arm, 0) for arm in arms] for counts in found.groups.values()]
    return np.array(rows, dtype=np.float64).reshape(-1, len(arms))


def _latency(given: Evidence) -> Iterator[Check]:
    cause = "redirects or slower pages in one arm"
    delays = given.causes.delays
    arms = [arm for arm in given.split.n if delays.n.get(arm, 0) > 1 and delays.variances.get(arm, 0.0) >= 0]
    if len(arms) < 2:
        yield _row(cause, "Cannot be told: too few units have a row after their exposure.", fits=None)
        return
    first, last = (pick(arms, key=lambda arm: delays.means[arm]) for pick in (min, max))
    error = math.sqrt(sum(delays.variances[arm] / delays.n[arm] for arm in (first, last)))
    z = (delays.means[last] - delays.means[first]) / error if error > 0 else 0.0
    p = float(min(1.0, len(arms) * (len(arms) - 1) / 2 * 2 * special.ndtr(-abs(z))))
    typical = {arm: math.expm1(delays.means[arm]) for arm in (first, last)}
    told = f"the first row comes {number(typical[last])} s after the exposure in {last}, "
    told += f"{number(typical[first])} s in {first}"
    fits = p < LIKELY
    text = f"{'Fits' if fits else 'Does not fit'}: {told} ({p_value(p)})."
    yield _row(cause, text, fits=fits, strength=0.65 if fits else 0.0, p_value=p, query=delays.sql)


def _carry_over(given: Evidence) -> Iterator[Check]:
    cause = "carry-over from another experiment"
    tested = [(one.other, association(one.counts)) for one in given.overlaps]
    known = [(name, found) for name, found in tested if math.isfinite(found.p_value)]
    if not known:
        yield _row(cause, "Cannot be told: no other experiment shares enough units.", fits=None)
        return
    name, found = min(known, key=lambda one: one[1].p_value)
    p = min(1.0, found.p_value * len(known))
    fits = p < LIKELY
    word = (
        "Fits: the arm depends on the arm in"
        if fits
        else "Does not fit: the arm does not depend on the arm in"
    )
    text = (
        f"{word} {name} ({p_value(p)} of {plural(len(known), 'experiment')}, w {number(found.effect_size)})."
    )
    yield _row(cause, text, fits=fits, strength=0.7 if fits else 0.0, p_value=p, n=int(found.n))


def _ramp(given: Evidence) -> Iterator[Check]:
    cause = "a ramp that was not planned, or not at once"
    found = onset_of(given.design, given.split)
    if found is None:
        yield _row(cause, "Cannot be told: exposures carry no days.", fits=None)
        return
    days, onset = found
    if given.design.phases:
        starts = [phase.start.date() for phase in given.design.phases]
        near = [day for day in starts if days[onset.low] <= day <= days[onset.high]]
        text = (
            f"Fits: the split goes wrong with the phase that begins on {near[0]:%-d %b}."
            if near
            else "Does not fit: the split does not go wrong where a phase begins."
        )
        yield _row(cause, text, fits=bool(near), strength=0.8 if near else 0.0)
        return
    round_shares = bool((np.abs(onset.shares * 20 - np.round(onset.shares * 20)) < 0.05).all())
    shares = " / ".join(percent(share) for share in onset.shares.tolist())
    moved = float(np.abs(onset.shares - onset.planned).max())
    if round_shares and moved >= 0.05 and onset.at > 0:
        text = f"Fits: from {days[onset.at]:%-d %b} on the split is {shares}, as if it had been set so; declare phases."
        yield _row(cause, text, fits=True, strength=0.6)
    else:
        yield _row(cause, f"Does not fit: {shares} is no split that anybody sets.", fits=False)
