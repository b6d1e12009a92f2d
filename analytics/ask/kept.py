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
    remember(catalog, key, answer, KEPT)
    return answer


def remember(catalog: Catalog, key: object, answer: object, most: int) -> None:
    """Keep an answer with the open logs; the oldest ones go where there would be more than so many.

    Several threads may do so at once: one that walks through a dictionary fails when another adds to it, so it is
    copied first, which nothing can come between.
    """
    keys = list(catalog.answered.copy())
    for old in keys[: max(len(keys) - most + 1, 0)]:
        catalog.answered.pop(old, None)
    catalog.answered[key] = answer
