"""Whether a window's labels have had time to arrive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from analytics.scope import Scope, format_instant
from analytics.telemetry.catalog import Catalog, Source

USUAL_SHARE = 0.95


@dataclass(frozen=True)
class Maturity:
    """How long labels usually take, and up to when they are known.

    Attributes:
        known_at: the instant whose knowledge is asked for.
        delay: by when 95 % of the labels that came had come; None where labels are known at once or never came.
        shown: the instant in the project's zone, for sentences.
    """

    known_at: datetime
    delay: timedelta | None
    shown: str
    notes: tuple[str, ...] = ()

    def reason(self, window_end: datetime) -> str | None:
        """Why a window ending then is immature, or None where it is mature."""
        if self.delay is None or window_end + self.delay <= self.known_at:
            return None
        return f"labels still arrive: 95 % take up to {_words(self.delay)}, and this is what was known at {self.shown}"


def maturity_of(catalog: Catalog, scope: Scope, source: Source = "predictions") -> Maturity:
    """Judge by the delays of the labels that had arrived by the scope's as-of (or by now)."""
    known_at = scope.as_of or datetime.now(UTC).replace(second=0, microsecond=0)
    shown = format_instant(known_at, catalog.project.zone)
    if source == "reference" or not catalog.has_labels:
        return Maturity(known_at, None, shown)
    delay = _usual_delay(catalog, known_at)
    section = catalog.project.labels
    if section is not None and section.absent_after is not None:
        # until then a missing label may still come; only after it does silence mean the absent label
        delay = max(delay or timedelta(), section.absent_after)
    return Maturity(known_at, delay, shown)


def _usual_delay(catalog: Catalog, known_at: datetime) -> timedelta | None:
    seconds = catalog.label_delay_seconds(USUAL_SHARE, known_at)
    return None if seconds is None else timedelta(seconds=max(seconds, 0.0))


def _words(delay: timedelta) -> str:
    hours = delay.total_seconds() / 3600
    if hours < 1:
        return f"{max(round(hours * 60), 1)} min"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
