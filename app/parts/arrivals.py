"""Pieces of the Telemetry page: what arrived, which column plays which part, and what the project file says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from analytics.ask.telemetry import day_counts
from analytics.telemetry.report import DayCount, FileRow
from analytics.telemetry.summary import TelemetrySummary
from analytics.workbench import Workbench
from app.formats import NONE, count, percent, plural
from app.parts import page_words, trail
from app.parts.rows import parts_of
from app.parts.tiles import Tile
from app.parts.view import View, window_words


def per_day(bench: Workbench) -> tuple[DayCount, ...]:
    """Rows by day and version, kept while the files do not change."""
    return _per_day(bench, str(bench.project.file), bench.digest)


@st.cache_resource(max_entries=50, show_spinner=False)
def _per_day(_bench: Workbench, file: str, digest: str) -> tuple[DayCount, ...]:
    del file, digest  # part of the key
    return day_counts(_bench.catalog)


def tiles_of(
    view: View, files: Sequence[FileRow], days: Sequence[DayCount], summary: TelemetrySummary
) -> list[Tile]:
    """Rows, labels, freshness, and what no number counts."""
    if view.bench.catalog.has_predictions:
        shown = _predictions(view, files, days)
        newest = [feed for feed in summary.feeds if feed.feed == "predictions"]
    else:
        shown = [
            Tile(feed.feed.capitalize(), count(feed.rows), f"rows in {plural(feed.files, 'file')}")
            for feed in summary.feeds[:2]
        ]
        newest = sorted((f for f in summary.feeds if f.last), key=lambda f: f.age_seconds or 0.0)
    if newest and newest[0].last is not None:
        moment = newest[0].last.astimezone(view.zone)
        age = age_words(newest[0].age_seconds)
        label = page_words.NEWEST if view.bench.catalog.has_predictions else page_words.NEWEST_ROW
        shown.append(Tile(label, age, f"{moment:%Y-%m-%d %H:%M} ({view.zone.key})"))
    return [*shown, _lost(summary)]


def _predictions(view: View, files: Sequence[FileRow], days: Sequence[DayCount]) -> list[Tile]:
    catalog = view.bench.catalog
    mine = [row for row in files if row.feed == "predictions"]
    n, labelled = sum(item.n for item in days), sum(item.n_labelled for item in days)
    size = size_words(sum(row.size for row in mine))
    coverage = labelled / n if n and catalog.has_labels else None
    detail = page_words.COVERAGE_DETAIL.format(labelled=count(labelled), n=count(n))
    return [
        Tile(
            page_words.PREDICTIONS,
            count(n),
            page_words.FILES_DETAIL.format(files=plural(len(mine), "file"), size=size),
        ),
        Tile(page_words.COVERAGE, percent(coverage), detail if catalog.has_labels else page_words.NO_LABELS),
    ]


def _lost(summary: TelemetrySummary) -> Tile:
    left_out = sum(f.rejected + f.invalid + f.left_out + f.duplicates for f in summary.feeds)
    unread = sum(f.unread for f in summary.feeds)
    detail = page_words.LEFT_OUT_DETAIL if left_out or unread else page_words.NOTHING_LEFT_OUT
    value = plural(unread, "file") if unread else count(left_out)
    if unread and left_out:
        value, detail = f"{plural(unread, 'file')}", f"and {count(left_out)} {page_words.LEFT_OUT_DETAIL}"
    return Tile(page_words.LEFT_OUT, value, detail, help=page_words.LEFT_OUT_HELP)


def files_frame(files: Sequence[FileRow], view: View) -> pd.DataFrame:
    """A line a file; columns that say nothing here are left out."""
    frame = pd.DataFrame({
        "Feed": [row.feed for row in files],
        "File": [row.path for row in files],
        "Problem": [row.problem for row in files],
        "Rows": _whole(row.rows for row in files),
        "Rejected": _whole(row.rejected for row in files),
        "Rejected lines": [row.rejected_lines for row in files],
        "Invalid": _whole(row.invalid for row in files),
        "Invalid by role": [row.invalid_by_role for row in files],
        "Left out": _whole(row.left_out for row in files),
        "Duplicates": _whole(row.duplicates for row in files),
        "In the future": _whole(row.future for row in files),
        "Without a prediction": _whole(row.orphans for row in files),
        "First": _moments([row.first for row in files], view),
        "Last": _moments([row.last for row in files], view),
        "Format": [row.format for row in files],
        "Bytes": _whole(row.size for row in files),
    })  # fmt: skip
    silent = ("Problem", "Rejected lines", "Invalid by role", "In the future", "Without a prediction")
    return frame.drop(columns=[name for name in silent if not any(value for value in frame[name].dropna())])


def days_frame(days: Sequence[DayCount]) -> pd.DataFrame:
    """A line a day and version."""
    return pd.DataFrame({
        "Day": [item.day for item in days], "Version": [item.version for item in days],
        "Rows": [item.n for item in days], "Labelled rows": [item.n_labelled for item in days],
    })  # fmt: skip


def columns_frame(view: View) -> pd.DataFrame:
    """A line a logged column: its type, and the part it plays."""
    catalog = view.bench.catalog
    parts, kinds = parts_of(view), {feature.name: feature.kind for feature in catalog.features}
    partitions = catalog.feeds["predictions"].partitions
    lines = []
    for name, kind in catalog.types.items():
        words = [parts.get(name), page_words.PARTITION if name in partitions else None]
        lines.append((name, kind, ", ".join(filter(None, words)) or None, kinds.get(name)))
    return pd.DataFrame(lines, columns=["Column", "Type", "Part", "Watched as"])


def project_frame(view: View) -> pd.DataFrame:
    """What the project file says, as names and values."""
    project = view.project
    facts: list[tuple[str, Any]] = [
        ("name", project.name), ("description", project.description), ("file", project.file),
        ("time zone", project.time_zone), *_monitoring(view), *_experiments(view),
    ]  # fmt: skip
    lines = [(name, str(value)) for name, value in facts if value not in (None, "", ())]
    return pd.DataFrame(lines, columns=["Word", page_words.VALUE])


def _monitoring(view: View) -> list[tuple[str, Any]]:
    project, section = view.project, view.project.predictions
    if section is None:
        return []
    return [
        ("task", section.task), ("predictions", _paths(section.path)),
        ("positive", section.positive if section.task == "binary" else None),
        ("classes", ", ".join(section.classes)), ("threshold", section.threshold),
        ("labels", _labels(view)), ("reference", _reference(view)),
        ("rows that belong together", f"unit {section.unit or NONE}, block {section.block}"),
        ("segments", ", ".join(section.segments)), ("private", ", ".join(section.private)),
        ("drift tolerance", project.drift.tolerance), ("costs", _costs(view)),
    ]  # fmt: skip


def _experiments(view: View) -> list[tuple[str, Any]]:
    project = view.project
    feeds = {"exposures": project.exposures, "events": project.events, "units": project.units}
    return [
        *((name, _paths(feed.path)) for name, feed in feeds.items() if feed is not None),
        ("metrics", ", ".join(project.metrics)),
        ("experiments", ", ".join(project.experiments)),
    ]


def releases_frame(view: View) -> pd.DataFrame:
    """A line a release, the newest first."""
    project = view.project
    lines = [
        {
            "When": project.instant(release.timestamp), "Version": release.version, "Note": release.note,
            "Trained from": _day(release.trained_from), "Trained until": _day(release.trained_until),
            "Parent": release.parent, "Data version": release.data_version,
        }
        for release in reversed(view.bench.catalog.releases)
    ]  # fmt: skip
    frame = pd.DataFrame(lines)
    if frame.empty:
        return frame
    frame["When"] = _moments(list(frame["When"]), view)
    return frame.dropna(axis=1, how="all")


def open_day(view: View, point: list[Any]) -> None:
    """Random rows of a clicked day and version; a callback."""
    start, end = (datetime.fromisoformat(moment) for moment in point[:2])
    version = {"version": [point[2]] if point[2] is not None else []}
    trail.leave("telemetry", "examples", kind="random", **window_words(start, end, view.zone), **version)


def age_words(seconds: float | None) -> str:
    """A stretch of time in its largest unit.

    >>> age_words(30), age_words(7200), age_words(86_400 * 400)
    ('30 seconds', '2 hours', '13 months')
    """
    if seconds is None:
        return NONE
    for length, name in (
        (31_557_600, "year"),
        (2_629_800, "month"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
    ):
        if seconds >= 2 * length:
            return plural(int(seconds // length), name)
    return plural(max(0, int(seconds)), "second")


def size_words(size: float) -> str:
    """Bytes in a unit that reads.

    >>> size_words(1536), size_words(12_345_678)
    ('2 kB', '12 MB')
    """
    for name in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {name}"
        size /= 1000
    return f"{size:.1f} TB"


def _whole(values: Any) -> pd.Series[Any]:
    return pd.Series(list(values), dtype="Int64")


def _moments(values: Sequence[datetime | None], view: View) -> pd.Series[Any]:
    return pd.to_datetime(pd.Series(list(values), dtype=object), utc=True).dt.tz_convert(view.zone)


def _day(moment: datetime | date | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d}"


def _paths(path: str | tuple[str, ...] | None) -> str:
    return "" if path is None else path if isinstance(path, str) else ", ".join(path)


def _labels(view: View) -> str:
    labels = view.project.labels
    if labels is None:
        return f"column {view.predictions.label}" if view.predictions.label else page_words.NONE_DECLARED
    late = f", absent after {labels.absent_after} means {labels.absent_means}" if labels.absent_after else ""
    return f"{_paths(labels.path)}, column {labels.label}, joined by {labels.id}{late}"


def _reference(view: View) -> str:
    reference = view.project.reference
    if reference is None:
        return page_words.NONE_DECLARED
    return (
        _paths(reference.path) if reference.path else f"{reference.start} to {reference.end}, in these logs"
    )


def _costs(view: View) -> str | None:
    costs = view.project.costs
    if costs is None:
        return None
    if costs.matrix is not None:
        return "by class, in the project file"
    names = ("true_positive", "false_positive", "false_negative", "true_negative")
    return ", ".join(f"{name.replace('_', ' ')} {getattr(costs, name):g}" for name in names)
