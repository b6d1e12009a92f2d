"""The link from an alert to its evidence: the What changed page with the whole scope in its words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from analytics.project import Project
from analytics.scope import format_instant

Before = Literal["reference", "previous", "last-week"]
PAGE = "/changed"


def evidence_path(  # noqa: PLR0913  # one argument a word of the address
    project: Project,
    *,
    start: datetime,
    end: datetime,
    metric: str | None = None,
    version: str | None = None,
    where: Iterable[str] = (),
    before: Before | None = None,
    before_start: datetime | None = None,
    before_end: datetime | None = None,
    as_of: datetime | None = None,
    alert: str | None = None,
    feature: str | None = None,
) -> str:
    """Path and words of the page that shows what changed in a window, relative to the app's address.

    Args:
        project: whose.
        start, end: the window, its end excluded.
        metric, version, where, feature, alert: what the alert looks at; ``where`` as on the command line.
        before, before_start, before_end: what it is compared with, where that is not the reference.
        as_of: what was known then.
    """
    said: dict[str, str | list[str] | None] = {
        "project": project.name,
        "range": "custom",
        "start": format_instant(start, project.zone),
        "end": format_instant(end, project.zone),
        "as_of": None if as_of is None else format_instant(as_of, project.zone),
        "metric": metric,
        "feature": feature,
        "version": None if version is None else [version],
        "where": list(where),
        "before": before,
        "before_start": None if before_start is None else format_instant(before_start, project.zone),
        "before_end": None if before_end is None else format_instant(before_end, project.zone),
        "alert": alert,
    }
    return f"{PAGE}?{urlencode({word: value for word, value in said.items() if value}, doseq=True)}"
