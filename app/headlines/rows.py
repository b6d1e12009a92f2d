"""The first lines of Segments, Examples and Telemetry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from analytics.examples.rows import ExampleKind, ExampleRow
from analytics.segments.rows import SegmentRow
from app.formats import interval, listed, number, percent, plural
from app.glossary import inside, show, title, unit
from app.headlines.verdict import Verdict

_KINDS: dict[ExampleKind, str] = {
    "worst": "worst prediction",
    "uncertain": "least certain prediction",
    "best": "best prediction",
    "random": "prediction drawn at random",
    "disagreeing": "prediction that versions disagree on most",
    "suspected-labels": "prediction whose label is likely wrong",
    "unlike": "prediction most unlike the reference",
}


def segments_verdict(rows: Sequence[SegmentRow]) -> Verdict:
    """How many slices are worse than the rest, and which costs most."""
    known = [row for row in rows if row.p_adjusted is not None and row.value is not None]
    if not known:
        text = (
            "No slice has enough rows to be compared with the rest."
            if rows
            else "There are no slices to compare."
        )
        return Verdict("unknown", text)
    worse = sorted((row for row in known if row.worse), key=lambda row: -(row.impact or 0.0))
    if not worse:
        return Verdict("same", f"None of {plural(len(known), 'slice')} is worse than the rest beyond chance.")
    first = worse[0]
    name = first.where.replace("=", " ", 1)
    limits = interval(first.ci_low, first.ci_high, share=unit(first.metric) == "share")
    share = f", {percent(first.share)} of the rows" if first.share is not None else ""
    verb = "is" if len(worse) == 1 else "are"
    return Verdict(
        "worse",
        f"{len(worse)} of {plural(len(known), 'slice')} {verb} worse than the rest; {name} costs most: "
        f"{inside(title(first.metric))} {show(first.metric, first.value)} ({limits}) against "
        f"{show(first.metric, first.value_elsewhere)} elsewhere{share}.",
    )


def segments_headline(rows: Sequence[SegmentRow]) -> str:
    """The sentence of `segments_verdict`."""
    return segments_verdict(rows).sentence


def examples_headline(rows: Sequence[ExampleRow], *, kind: ExampleKind) -> str:
    """How many examples, their losses, and the confusion most of them share."""
    if not rows:
        return "No prediction fits; with labels still to come or narrow filters there may be none."
    noun = _KINDS[kind]
    many = noun.replace("prediction", "predictions")
    text = f"{plural(len(rows), noun, many)}"
    losses = [row.loss for row in rows if row.loss is not None]
    if losses and kind in {"worst", "uncertain", "best"}:
        ends = number(losses[0]) if len(losses) == 1 else f"{number(max(losses))} to {number(min(losses))}"
        text += f", loss {ends}"
    problems = sum(row.problem is not None for row in rows)
    if problems:
        text += f", for {plural(problems, 'problem')}"
    pairs = Counter((row.label, row.decision) for row in rows if row.label and row.decision)
    if pairs:
        (label, decision), times = pairs.most_common(1)[0]
        text += f"; {times} of them decided {decision} where {label} was true"
    elif not any(row.label for row in rows):
        text += ", none with a label yet"
    return f"{text[0].upper()}{text[1:]}."


class FileRow(Protocol):
    """What is known of one log file; the fields of ``assay telemetry``."""

    @property
    def rows(self) -> int | None:
        """Rows read."""

    @property
    def rejected(self) -> int | None:
        """Lines that could not be parsed."""

    @property
    def invalid(self) -> int | None:
        """Values that are not of the declared type."""

    @property
    def duplicates(self) -> int | None:
        """Rows left out because their id came before."""

    @property
    def first(self) -> datetime | None:
        """The first instant."""

    @property
    def last(self) -> datetime | None:
        """The last instant."""

    @property
    def problem(self) -> str | None:
        """What is wrong with the file, or None."""


def telemetry_headline(files: Sequence[FileRow], *, zone: ZoneInfo) -> str:
    """How much arrived until when, and what is damaged."""
    if not files:
        return "No log files yet."
    total = sum(file.rows or 0 for file in files)
    last = max((file.last for file in files if file.last is not None), default=None)
    until = f", the newest from {last.astimezone(zone):%-d %b %Y, %H:%M} ({zone.key})" if last else ""
    bad = [
        plural(number_of, one, many)
        for number_of, one, many in (
            (
                sum(bool(file.problem) for file in files),
                "file cannot be read whole",
                "files cannot be read whole",
            ),
            (sum(file.rejected or 0 for file in files), "row rejected", "rows rejected"),
            (sum(file.invalid or 0 for file in files), "value of the wrong type", "values of the wrong type"),
            (sum(file.duplicates or 0 for file in files), "duplicate left out", "duplicates left out"),
        )
        if number_of
    ]
    state = f"; {listed(bad)}" if bad else "; nothing is damaged"
    return f"{plural(total, 'row')} in {plural(len(files), 'file')}{until}{state}."
