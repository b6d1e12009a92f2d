"""Segments: where it is worse, by declared slices, slices that are found, a map, a tree, and one against the rest."""

from __future__ import annotations

from app.parts.ask import guarded
from app.parts.scope_bar import current
from app.parts.sections import SEGMENTS, sections

view = current()
with guarded(view, "segments"):
    sections(view, SEGMENTS)
