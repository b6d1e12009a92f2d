"""Numbers of windows from memory where they were read before, else from the logs, all that are missing at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import Lock

from analytics.alerts.asked import Asked, Found
from analytics.alerts.families import Family
from analytics.alerts.numbers import Number
from analytics.alerts.readings_drift import drift_numbers
from analytics.alerts.readings_other import (
    assertion_numbers,
    delay_numbers,
    outcome_numbers,
    service_numbers,
)
from analytics.alerts.readings_quality import (
    coverage_numbers,
    missing_numbers,
    quality_numbers,
    reference_numbers,
)
from analytics.alerts.rows import Target
from analytics.errors import ProjectError
from analytics.telemetry.looked_rows import Look

Read = Callable[[Asked, Sequence[Look]], Found]
_KEPT = 64


def _label_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    if asked.rule.metric == "label_coverage":
        return coverage_numbers(asked, looks)
    return delay_numbers(asked, looks)


def _drift_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    # a share of rows needs no bins, and is known of each window as it was then
    plain = asked.rule.metric == "missing_rate" and asked.rule.feature not in {None, "label"}
    return missing_numbers(asked, looks) if plain else drift_numbers(asked, looks)


READ: dict[Family, Read] = {
    "quality": quality_numbers,
    "drift": _drift_numbers,
    "labels": _label_numbers,
    "outcome": outcome_numbers,
    "service": service_numbers,
    "assertion": assertion_numbers,
}


class _Kept:
    """The numbers of late by what they depend on: an answer for a look never changes while the files do not."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[object, ...], dict[Look, dict[Target, Number]]] = OrderedDict()
        self._references: OrderedDict[tuple[object, ...], Mapping[Target, Number]] = OrderedDict()
        self._lock = Lock()

    def of(self, asked: Asked, looks: Sequence[Look]) -> Found:
        with self._lock:
            known = self._held.setdefault(asked.key, {})
            self._held.move_to_end(asked.key)
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
            missing = [look for look in looks if look not in known]
        if missing:
            read = READ[asked.family](asked, missing)
            by_end: dict[datetime, dict[Target, Number]] = {}
            for (end, target), number in read.items():
                by_end.setdefault(end, {})[target] = number
            with self._lock:
                for look in missing:
                    known[look] = by_end.get(look.end, {})
        return {(look.end, target): number for look in looks for target, number in known[look].items()}

    def reference(self, asked: Asked) -> Mapping[Target, Number]:
        with self._lock:
            if asked.key in self._references:
                return self._references[asked.key]
        found = reference_numbers(asked)
        with self._lock:
            self._references[asked.key] = found
            while len(self._references) > _KEPT:
                self._references.popitem(last=False)
        return found


_KEEP = _Kept()


def numbers_of(asked: Asked, looks: Sequence[Look]) -> Found:
    """The numbers of some looks; a cell without rows is not there."""
    return _KEEP.of(asked, looks)


def references_of(asked: Asked) -> Mapping[Target, Number]:
    """The same number in the reference, by target."""
    if asked.family != "quality":
        raise ProjectError(
            f"{asked.catalog.project.file}: alerts.{asked.name}.worse_than_reference_by: {asked.rule.metric} is not "
            "known of a reference; write above or below, or changed_from_previous"
        )
    return _KEEP.reference(asked)
