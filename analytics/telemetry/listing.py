"""Which files each declared feed has."""

from __future__ import annotations

from typing import Any

from analytics.errors import RemoteError, TelemetryError
from analytics.project import Project, ReleaseLog
from analytics.telemetry.files import LogFile, list_files

EXPERIMENT_FEEDS = ("exposures", "events", "units")
"""Feeds of experiments: they are checked when an experiment is asked for, so that their faults stop nothing else."""
LENIENT_FEEDS = (*EXPERIMENT_FEEDS, "counts", "series")
"""Feeds without which monitoring goes on."""


def list_feeds(project: Project) -> dict[str, tuple[LogFile, ...]]:
    """The files of every feed the project declares.

    A feed of experiments or series without a file is listed as empty: monitoring goes on without it.

    Raises:
        TelemetryError: another declared path names no log file.
        RemoteError: its bucket cannot be listed.
    """
    sections = {
        "predictions": project.predictions,
        "labels": project.labels,
        "reference": project.reference,
        "releases": project.releases if isinstance(project.releases, ReleaseLog) else None,
        **{name: getattr(project, name) for name in LENIENT_FEEDS},
    }
    listed = {}
    for name, section in sections.items():
        if section is not None and section.path is not None:
            try:
                listed[name] = list_feed(project, name, section)
            except (TelemetryError, RemoteError):
                if name not in LENIENT_FEEDS:
                    raise
                listed[name] = ()
    return listed


def list_feed(project: Project, name: str, section: Any) -> tuple[LogFile, ...]:
    """The files of one declared feed.

    Raises:
        TelemetryError: the path names no log file.
        RemoteError: its bucket cannot be listed.
    """
    try:
        return list_files(project.folder, section.path)
    except (TelemetryError, RemoteError) as error:
        raise type(error)(f"{project.file}: {name}.path: {error}") from error
