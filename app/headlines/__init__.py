"""First lines of pages: one plain sentence each, which claims only what the intervals bear out."""

from app.headlines.drift import drift_headline, drift_verdict
from app.headlines.overview import overview_line
from app.headlines.quality import Difference, difference, quality_headline, quality_verdict
from app.headlines.rows import (
    FileRow,
    examples_headline,
    segments_headline,
    segments_verdict,
    telemetry_headline,
)
from app.headlines.verdict import State, Verdict

__all__ = [
    "Difference",
    "FileRow",
    "State",
    "Verdict",
    "difference",
    "drift_headline",
    "drift_verdict",
    "examples_headline",
    "overview_line",
    "quality_headline",
    "quality_verdict",
    "segments_headline",
    "segments_verdict",
    "telemetry_headline",
]
