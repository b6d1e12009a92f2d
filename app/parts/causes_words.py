"""The sentences of Cause, What is different, and Who was first that do not depend on results."""

from __future__ import annotations

EVERY_CAUSE = "What changed beyond chance and follows from nothing else, the likeliest first"
EVERY_FIELD = "Every field with how much it tells of the selection"
FIRST_ROWS = "The first rows"
FIRST_UNITS = "The first units"
CLICK_CAUSE = "Choose a line to see its rows."
OPEN_ROWS = "Ten rows of this"
DIFFERENT = "What is different about these?"
REST = "Compare with"
REST_WORDS = {"window": "the other rows of the window", "before": "the four weeks before"}
NO_FILTER = "Without a filter the window is compared with the four weeks before it."
CLICK_FIELD = "Click a bar to see the field's distribution."
THESE = "these rows"
THIS_WINDOW = "this window"
"""How a selection is called in a sentence."""
