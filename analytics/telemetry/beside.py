"""Files that only save time: written beside and renamed, and left out where nobody may write."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa


def written_beside(place: Path, write: Callable[[Path], None]) -> bool:
    """Write a file beside its place and rename it, so that a reader finds it whole or not at all.

    Args:
        place: where it belongs; its folder is made.
        write: puts the content where it is told to.

    Returns:
        Whether it is there; False where the folder cannot be written to, or the disk is full.
    """
    unfinished = place.with_name(f".unfinished-{secrets.token_hex(8)}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write(unfinished)
        unfinished.replace(place)
    except (OSError, pa.ArrowException):
        with suppress(OSError):  # where nothing may be written, nothing may be removed either
            unfinished.unlink(missing_ok=True)
        return False
    return True
