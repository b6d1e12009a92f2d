"""What alerts, objectives and chaos windows must agree on with the rest of the file."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from analytics.errors import ProjectError
from analytics.project.alerts import Alert
from analytics.project.model import Project


def check_alerts(project: Project, file: Path) -> None:
    """Refuse rules that name what the file does not declare."""
    for name, alert in project.alerts.items():
        _check_alert(project, name, alert, file)
    for place, chaos in enumerate(project.chaos):
        if project.instant(chaos.start) >= project.instant(chaos.end):
            raise ProjectError(f"{file}: chaos[{place}].end: must be after its start")


def _check_alert(project: Project, name: str, alert: Alert, file: Path) -> None:
    at = f"{file}: alerts.{name}"
    if alert.burn is not None and alert.burn not in project.objectives:
        near = get_close_matches(alert.burn, project.objectives, n=1)
        hint = f'did you mean "{near[0]}"?' if near else "declare it as [objectives.…]"
        raise ProjectError(f'{at}.burn: there is no objective "{alert.burn}"; {hint}')
    known = project.predictions.segments if project.predictions is not None else ()
    for segment in alert.by:
        if segment not in known:
            near = get_close_matches(segment, known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"declared: {', '.join(known) or 'none'}"
            raise ProjectError(f'{at}.by: "{segment}" is not a segment; {hint}')
    if alert.labels_stopped and project.labels is None:
        raise ProjectError(f"{at}.labels_stopped: needs a feed of labels, a [labels] section")
    if alert.worse_than_reference_by is not None and project.reference is None:
        raise ProjectError(f"{at}.worse_than_reference_by: needs a [reference] section")
