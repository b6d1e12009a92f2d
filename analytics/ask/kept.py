"""Answers kept with the open logs, so many and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from analytics.telemetry.catalog import Catalog

KEPT = 60
"""A scorecard and what was read for it are two, and the Overview asks for those of every experiment."""
Answer = TypeVar("Answer")


def kept(catalog: Catalog, key: object, kind: type[Answer], ask: Callable[[], Answer]) -> Answer:
    """An answer from memory where the same was asked of the same logs."""
    found = catalog.answered.get(key)
    if isinstance(found, kind):
        return found
    answer = ask()
    while len(catalog.answered) >= KEPT:
        catalog.answered.pop(next(iter(catalog.answered)), None)
    catalog.answered[key] = answer
    return answer
