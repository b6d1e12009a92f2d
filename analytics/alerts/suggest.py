"""What to do about an alert that fires, where its rule says so: train anew, or go back to the version before."""

from __future__ import annotations

from datetime import datetime

from analytics.alerts.asked import Asked
from analytics.alerts.rows import Reading, Target
from analytics.alerts.words import metric_name
from analytics.project import Release


def suggestion(asked: Asked, target: Target, reading: Reading, since: datetime | None) -> str | None:
    """A sentence of advice; None where the rule suggests nothing.

    Args:
        asked: the rule.
        target: that fires.
        reading: the newest look that was beyond the limit.
        since: when it began.
    """
    match asked.rule.suggest:
        case "retrain":
            return _retrain(asked, target, reading, since)
        case "roll_back":
            return _roll_back(asked, target, since)
        case None:
            return None


def _day(asked: Asked, moment: datetime) -> str:
    local = moment.astimezone(asked.catalog.project.zone)
    return f"{local.day} {local:%b %Y}"


def _released(asked: Asked, version: str | None) -> Release | None:
    found = [one for one in asked.catalog.releases if one.version == version]
    return found[-1] if found else None


def _retrain(asked: Asked, target: Target, reading: Reading, since: datetime | None) -> str:
    name = metric_name(asked.rule.metric or asked.rule.conditions[0])
    began = f" since {_day(asked, since)}" if since is not None else ""
    release = _released(asked, target.version)
    until = release.trained_until if release is not None else None
    age = ""
    if until is not None:
        trained = asked.catalog.project.instant(until)
        days = (reading.window_end - trained).days
        age = f" It was trained on data until {_day(asked, trained)}, {days} days before."
    return f"{name[:1].upper()}{name[1:]} has been beyond its limit{began}: retrain.{age}"


def _roll_back(asked: Asked, target: Target, since: datetime | None) -> str:
    project, version = asked.catalog.project, target.version
    release = _released(asked, version)
    if release is None or version is None:
        return "Roll back to the version before, if it began with a release."
    at = project.instant(release.timestamp)
    before = release.parent or _version_before(asked, at)
    if since is not None and since + asked.rule.window <= at:
        return f"It began before {version} was released ({_day(asked, at)}): rolling back would not mend it."
    if before is None:
        return f"It began after {version} was released ({_day(asked, at)}), but no version before it is declared."
    return f"It began after {version} was released ({_day(asked, at)}): roll back to {before}."


def _version_before(asked: Asked, at: datetime) -> str | None:
    earlier = [one for one in asked.catalog.releases if asked.catalog.project.instant(one.timestamp) < at]
    return earlier[-1].version if earlier else None
