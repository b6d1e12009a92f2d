"""Answers kept with the open logs, so many and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from analytics.ask.sizes import bytes_of
from analytics.telemetry.catalog import Catalog

KEPT = 60
"""A scorecard and what was read for it are two, and the Overview asks for those of every experiment."""
LARGEST_BYTES = 32 * 2**20
"""A larger answer is not kept: with so many of them memory would be full."""
Answer = TypeVar("Answer")


def kept(catalog: Catalog, key: object, kind: type[Answer], ask: Callable[[], Answer]) -> Answer:
    """An answer from memory where the same was asked of the same logs."""
    found = catalog.answered.get(key)
    if isinstance(found, kind):
        return found
    answer = ask()
    if bytes_of(answer) > LARGEST_BYTES:
        return answer
    while len(catalog.answered) >= KEPT:
        catalog.answered.pop(next(iter(catalog.answered)), None)
    catalog.answered[key] = answer
    return answer
