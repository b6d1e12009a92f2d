"""Examples: the rows behind the numbers, a map of errors, and rows pinned for every version to come."""

from __future__ import annotations

from app.parts import trail
from app.parts.scope_bar import current
from app.parts.sections import EXAMPLES, sections

view = current()
trail.back_button()
sections(view, EXAMPLES)
