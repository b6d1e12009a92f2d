"""What a rule saw, look by look: numbers of its windows, each as it was known when it was looked at, and the verdicts.

The looks follow from the logs and the rule, not from who asks: see `analytics.alerts.looks`. So a check that runs once
a day, a watch that never sleeps, the page and a backtest over a year read the same numbers of the same windows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from analytics.alerts.asked import Asked
from analytics.alerts.conditions import Judged, Likely, moved, outside_limits, unknown, unlikely
from analytics.alerts.families import family_of, waits_for_labels
from analytics.alerts.live import Live, live_versions, quiet_hours
from analytics.alerts.looks import DAY, HOUR, Usual, Window, learned_at, looked_at, minus, windows_until
from analytics.alerts.numbers import NOTHING, Better, Number, better_way, least_of
from analytics.alerts.read_numbers import numbers_of, references_of
from analytics.alerts.readings_feeds import Seen, burns, label_silences, silences
from analytics.alerts.rows import Reading, Target
from analytics.alerts.words import sentence
from analytics.ask.labels import maturity_of
from analytics.project import Alert
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.looked_rows import Look

SEASON = 7 * DAY
MOST_WEEKS = 8
MOST_EARLIER = 2_000
"""Earlier windows that a seasonal forecast stands on, at most."""
LONG_WINDOWS = 26
_FEEDS = {"silence": silences, "label_feed": label_silences, "burn": burns}


def asked_of(catalog: Catalog, rule: str | Alert) -> Asked:
    """A rule of the project by its name, or any rule (which is then called ``rule``).

    Raises:
        ProjectError: there is no such rule, or its metric does not exist.
    """
    project = catalog.project
    if isinstance(rule, Alert):
        names = [name for name, one in project.alerts.items() if one == rule]
        name = names[0] if names else "rule"
        return Asked(catalog, name, rule, family_of(project, name, rule))
    project.declared("alerts", [rule])
    found = project.alerts[rule]
    return Asked(catalog, rule, found, family_of(project, rule, found))


def readings_of(catalog: Catalog, rule: str | Alert, instants: Sequence[datetime]) -> tuple[Reading, ...]:
    """Every look of a rule from the first of some instants to the last, by target and window.

    The look that was in force at the first instant is among them, and at the last instant a waiting one where a window
    is over and its labels still arrive. The instants between do not matter: a rule is looked at at instants of its own.

    Args:
        catalog: the project's views.
        rule: its name, or a rule that is not in the project file.
        instants: at least one.

    Raises:
        ProjectError: there is no such rule, or it asks for what the logs do not hold.
    """
    asked = asked_of(catalog, rule)
    return read_between(asked, min(instants), max(instants))


def read_between(asked: Asked, first: datetime, last: datetime) -> tuple[Reading, ...]:
    """The looks from one instant to another."""
    if asked.catalog.has_predictions and asked.catalog.extent is None:
        return ()
    looks, waiting = looks_between(asked, first, last)
    if asked.family in _FEEDS:
        seen: Iterator[Seen] = iter(()) if not looks else _FEEDS[asked.family](asked, looks)
    else:
        seen = _judged(asked, looks, waiting)
    return tuple(_reading(asked, one) for one in seen)


def last_looks(asked: Asked, until: datetime, count: int) -> datetime:
    """From when to read, so that about so many looks fall before an instant."""
    ends = windows_until(asked.rule.window, _cadence(asked), asked.catalog.project.zone, until)
    for place, window in enumerate(ends):
        if place >= count:
            return window.end
    raise AssertionError("windows have no end")


def looks_between(asked: Asked, first: datetime, last: datetime) -> tuple[list[Look], list[Window]]:
    """The looks from one instant to another, ascending, and the windows that are over and wait at the last one."""
    catalog = asked.catalog
    begun = _begun(asked)
    if begun is None or begun >= last:
        return [], []
    cadence = _cadence(asked)
    usual = _usual(asked, begun, last)
    every = windows_until(asked.rule.window, cadence, catalog.project.zone, last)
    looks: list[Look] = []
    waiting: list[Window] = []
    for window in takewhile(lambda one: one.end > begun, every):
        at = window.end if usual is None else looked_at(window, usual, cadence, last)
        if at is None:
            waiting.append(window)
            continue
        looks.append(Look(window.start, window.end, at))
        if at <= first:
            break
    return looks[::-1], waiting[:1]


def _cadence(asked: Asked) -> timedelta:
    """How often: silence and burning budgets are looked at much more often than their windows are long."""
    rule = asked.rule
    if rule.every is not None:
        return rule.every
    match asked.family:
        case "silence":
            limit = rule.no_data or DAY
            return (
                HOUR
                if limit >= 6 * HOUR
                else timedelta(minutes=15)
                if limit >= HOUR
                else timedelta(minutes=5)
            )
        case "label_feed":
            return HOUR
        case "burn":
            return timedelta(minutes=15) if rule.severity == "page" else HOUR
        case _:
            return rule.cadence


def _begun(asked: Asked) -> datetime | None:
    """When the logs begin that the rule is about."""
    catalog = asked.catalog
    if asked.family == "outcome":
        from analytics.ask.outcomes import filled  # noqa: PLC0415  # only here

        metric = catalog.project.metrics[asked.rule.metric or ""]
        return filled(catalog, Scope(), {asked.rule.metric or "": metric}).start
    return catalog.extent[0] if catalog.extent is not None else None


def _usual(asked: Asked, begun: datetime, until: datetime) -> tuple[Usual, ...] | None:
    """How long labels usually took, as that was known from instant to instant; None where they do not matter."""
    catalog = asked.catalog
    if not waits_for_labels(catalog.project, asked.rule, asked.family):
        return None

    def learn(at: datetime) -> timedelta | None:
        return maturity_of(catalog, Scope(as_of=at)).delay

    return tuple(Usual(at, learn) for at in learned_at(begun, catalog.project.zone, until))


def _judged(asked: Asked, looks: Sequence[Look], waiting: Sequence[Window]) -> Iterator[Seen]:
    if not looks and not waiting:
        return
    earlier = {look: _compared_with(asked, look) for look in looks}
    wanted = list(dict.fromkeys([*looks, *(one for several in earlier.values() for one in several)]))
    numbers = numbers_of(asked, wanted)
    reference = references_of(asked) if asked.rule.worse_than_reference_by is not None else {}
    live = live_versions(asked, looks, numbers)
    better, quiet = _better(asked), quiet_hours(asked)
    values, began = _values(numbers), _began(numbers)
    for look in looks:
        for version in live.at(look):
            for value in values:
                target = asked.target(version, value)
                number = numbers.get((look.end, target), _nothing(asked, look))
                if number.status == "no_data" and (quiet(look) or (value and live.has_rows(look, version))):
                    number = Number(None, None, None, 0, 0, "too_few", "no such rows in this window")
                if (
                    number.n == 0
                    and value is not None
                    and not (target in began and began[target] <= look.end)
                ):
                    continue
                against = [
                    (one, numbers.get((one.end, target), _nothing(asked, one))) for one in earlier[look]
                ]
                yield Seen(
                    look,
                    target,
                    number,
                    _verdict(asked, look, number, (against, reference.get(target)), better),
                )
    yield from _waiting(asked, waiting, live, values, last=looks[-1] if looks else None)


def _nothing(asked: Asked, look: Look) -> Number:
    """A window without rows: of the rate of requests that is a number, too."""
    if asked.rule.metric != "request_rate":
        return NOTHING
    # with nothing seen, a Poisson mean is below -ln(1 - confidence)
    most = -math.log(1.0 - asked.rule.confidence) / (look.end - look.start).total_seconds()
    return Number(0.0, 0.0, most, 0, asked.rule.minimum)


def _values(numbers: Mapping[tuple[datetime, Target], Number]) -> tuple[str | None, ...]:
    values = {target.segment_value for _, target in numbers if target.segment_value is not None}
    return tuple(sorted(values)) or (None,)


def _began(numbers: Mapping[tuple[datetime, Target], Number]) -> dict[Target, datetime]:
    """The end of the first window in which each target was there."""
    first: dict[Target, datetime] = {}
    for end, target in numbers:
        first[target] = min(first.get(target, end), end)
    return first


def _waiting(
    asked: Asked, waiting: Sequence[Window], live: Live, values: Sequence[str | None], last: Look | None
) -> Iterator[Seen]:
    """The newest window that is over, of which labels still arrive."""
    reason = "labels still arrive"
    for window in waiting:
        look = Look(window.start, window.end, window.end)
        for version in live.at(last) if last is not None else ():
            for value in values:
                number = Number(None, None, None, 0, 0, "immature", reason)
                yield Seen(look, asked.target(version, value), number, Judged("waiting", reason=reason))


def _better(asked: Asked) -> Better:
    if asked.family == "outcome":
        metric = asked.catalog.project.metrics[asked.rule.metric or ""]
        return "higher" if metric.direction == "up" else "lower"
    return "lower" if asked.family == "assertion" else better_way(asked.rule.metric or "")


def _verdict(
    asked: Asked,
    look: Look,
    number: Number,
    others: tuple[Sequence[tuple[Look, Number]], Number | None],
    better: Better,
) -> Judged:
    rule = asked.rule
    missing = unknown(number, rule.minimum)
    if missing is not None:
        return missing
    against, reference = others
    if rule.worse_than_reference_by is not None:
        nothing = Number(None, None, None, 0, 0, "no_data", "the reference has no such rows")
        return moved(number, reference or nothing, better, rule.worse_than_reference_by)
    if rule.changed_from_previous or rule.changed_from_last_week:
        return moved(number, against[0][1] if against else NOTHING, better, rule.tolerance)
    if rule.anomaly:
        told = [(_place(asked, one), each) for one, each in against]
        how = Likely(better, rule.confidence, rule.tolerance, least_of(rule.metric or ""))
        return unlikely(number, told, _place(asked, look), how)
    return outside_limits(number, rule.below, rule.above)


def _place(asked: Asked, look: Look) -> int:
    """Where a window stands in the season: the hour of the week, the weekday, or nowhere."""
    local = look.start.astimezone(asked.catalog.project.zone)
    if asked.rule.window >= SEASON:
        return 0
    return local.weekday() if asked.rule.window >= DAY else local.weekday() * 24 + local.hour


def _compared_with(asked: Asked, look: Look) -> list[Look]:
    """The earlier windows that a look is compared with, each with the instant at which it was looked at itself."""
    rule, zone = asked.rule, asked.catalog.project.zone
    begun = _begun(asked)
    lag = look.known_at - look.end

    def at(end: datetime) -> Look:
        # known by then: its labels have had at least as long to come
        return Look(minus(end, rule.window, zone), end, end + lag)

    if rule.changed_from_previous:
        found = [at(look.start)]
    elif rule.changed_from_last_week:
        found = [at(minus(look.end, SEASON, zone))]
    elif rule.anomaly:
        weeks = max(1, min(MOST_WEEKS, int(MOST_EARLIER * (rule.window / SEASON))))
        count = LONG_WINDOWS if rule.window >= SEASON else int(weeks * SEASON / rule.window)
        found, end = [], look.end
        for _ in range(count):
            end = minus(end, rule.window, zone)
            found.append(at(end))
    else:
        found = []
    return [one for one in found if begun is not None and one.end > begun]


def _reading(asked: Asked, seen: Seen) -> Reading:
    number, judged = seen.number, seen.judged
    return Reading(
        alert=asked.name,
        looked_at=seen.look.known_at,
        window_start=seen.look.start,
        window_end=seen.look.end,
        target=seen.target,
        metric=asked.rule.metric or asked.rule.conditions[0],
        value=number.value,
        ci_low=_finite(number.ci_low),
        ci_high=_finite(number.ci_high),
        n=number.n,
        threshold=judged.threshold,
        baseline=judged.baseline,
        seen=judged.seen,
        reason=judged.reason or number.reason,
        sentence=sentence(asked, seen),
        **_differing(judged),
    )


def _differing(judged: Judged) -> dict[str, float | None]:
    found = judged.difference
    if found is None:
        return {}
    return {
        "difference": found.value,
        "difference_ci_low": _finite(found.low),
        "difference_ci_high": _finite(found.high),
    }


def _finite(limit: float | None) -> float | None:
    """A limit that can be told; one that so few rows cannot know is none."""
    return limit if limit is not None and math.isfinite(limit) else None
