"""Whether a window's labels have had time to arrive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from analytics.aggregates.arrival_parts import read_followed
from analytics.aggregates.arrivals import Arrivals, followed_sql, read_arrivals
from analytics.aggregates.followed import arrivals_of
from analytics.ask.kept import remember
from analytics.scope import Scope, format_instant
from analytics.stats.arrivals import EDGES, follow_up, kaplan_meier
from analytics.telemetry.catalog import Catalog, Source
from analytics.telemetry.rows import scoped_rows

USUAL_SHARE = 0.95
KEPT = 200
_UNKNOWN = timedelta(-1)


@dataclass(frozen=True)
class Maturity:
    """How long labels usually take, and up to when they are known.

    Attributes:
        known_at: the instant whose knowledge is asked for.
        delay: by when 95 % of the labels that ever come have come; None where labels are known at once or never came.
        shown: the instant in the project's zone, for sentences.
        one_sided: what to add where a missing label comes to mean one class: until then only the others come.
    """

    known_at: datetime
    delay: timedelta | None
    shown: str
    notes: tuple[str, ...] = ()
    one_sided: str = ""

    def reason(self, window_end: datetime) -> str | None:
        """Why a window ending then is immature, or None where it is mature."""
        if self.delay is None or window_end + self.delay <= self.known_at:
            return None
        usual = f"labels still arrive: 95 % take up to {_words(self.delay)}, and this is what was known at {self.shown}"
        return usual + self.one_sided


def maturity_of(catalog: Catalog, scope: Scope, source: Source = "predictions") -> Maturity:
    """Judge by the delays of the labels that had arrived by the scope's as-of (or by now)."""
    known_at = known(scope)
    shown = format_instant(known_at, catalog.project.zone)
    if source == "reference" or not catalog.has_labels:
        return Maturity(known_at, None, shown)
    delay = _usual_delay(catalog, known_at, scope.as_of)
    section = catalog.project.labels
    if section is not None and section.absent_after is not None:
        # until then a missing label may still come; only after it does silence mean the absent label
        delay = max(delay or timedelta(), section.absent_after)
        one_sided = (
            f"; what came so far is one-sided: the label {section.absent_means} only comes by its absence"
        )
        return Maturity(known_at, delay, shown, one_sided=one_sided)
    return Maturity(known_at, delay, shown)


def known(scope: Scope) -> datetime:
    """The instant whose knowledge a scope asks for, to the minute."""
    return scope.as_of or datetime.now(UTC).replace(second=0, microsecond=0)


def outages_of(catalog: Catalog) -> tuple[tuple[datetime, datetime], ...]:
    """Declared stretches in which no label could come."""
    project = catalog.project
    declared = project.labels.outages if project.labels is not None else ()
    return tuple((project.instant(outage.start), project.instant(outage.end)) for outage in declared)


def _usual_delay(catalog: Catalog, known_at: datetime, as_of: datetime | None) -> timedelta | None:
    """By when 95 % of the labels that ever come have come; the same for every scope, so it is kept."""
    key = ("usual delay of labels", known_at)
    if catalog.share == 1.0 or key in catalog.whole.answered:
        catalog = catalog.whole  # a sample must not wait until all delays were read
    found: timedelta | None = catalog.answered.get(key, _UNKNOWN)  # in one go: another thread may make room
    if found is not _UNKNOWN:
        return found
    seconds = usual_seconds(_learned(catalog, known_at, as_of))
    delay = None if seconds is None else timedelta(seconds=seconds)
    remember(catalog, key, delay, KEPT)
    return delay


def _learned(catalog: Catalog, known_at: datetime, as_of: datetime | None) -> Arrivals:
    """How the labels of all predictions came."""
    outages = outages_of(catalog)
    stored = read_followed(catalog, Scope(as_of=as_of), known_at)
    if stored is not None:
        return arrivals_of(stored[0], known_at, learn=True, outages=outages)
    rows = scoped_rows(catalog, Scope(as_of=known_at), now=known_at)
    return read_arrivals(catalog, followed_sql(catalog, rows, known_at, outages=outages), learn=True)


def usual_seconds(arrivals: Arrivals, share: float = USUAL_SHARE) -> float | None:
    """By when this share of the labels that ever come have come; of those that came where too few were followed."""
    came = arrivals.delay >= 0
    if not came.any():
        return None
    one = np.zeros(len(arrivals.n), dtype=np.int64)
    curve = kaplan_meier(follow_up(one, 1, arrivals.age, arrivals.delay, arrivals.weight, arrivals.squares))
    edge = curve.edge_of(share) if curve is not None else None
    if edge is None:
        reached = np.cumsum(np.bincount(arrivals.delay[came], arrivals.n[came], minlength=len(EDGES)))
        edge = int(np.argmax(reached >= share * reached[-1])) + 1
    # the longest delay inside the bin is exact where the bin's edge is 3 to 6 % too late
    inside = came & (arrivals.delay == max(edge - 1, 0))
    return float(arrivals.longest[inside].max()) if inside.any() else float(EDGES[min(edge, len(EDGES) - 1)])


def _words(delay: timedelta) -> str:
    hours = delay.total_seconds() / 3600
    if hours < 1:
        return f"{max(round(hours * 60), 1)} min"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
