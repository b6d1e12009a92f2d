"""Drills: faults planted in a copy of the logs and replayed, and faults that were real."""

from __future__ import annotations

from app.parts.ask import guarded
from app.parts.scope_bar import current
from app.parts.sections import DRILLS, sections

view = current()
with guarded(view, "drills"):
    sections(view, DRILLS)
