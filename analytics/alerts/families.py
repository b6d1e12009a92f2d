"""Which family a rule's metric belongs to, and whether its number needs labels."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal

from analytics.ask.quality import NEEDS_NO_LABEL
from analytics.errors import ProjectError
from analytics.measures import binary, multiclass, regression
from analytics.project import Alert, Project

Family = Literal[
    "quality", "drift", "labels", "service", "outcome", "assertion", "silence", "label_feed", "burn"
]

DRIFT = ("drifted", "psi", "js_distance", "ks", "total_variation", "missing_rate", "unseen_rate")
"""Numbers of drift whose noise is known; a distance in a feature's own unit has no interval and is not among them."""
LABELS = ("label_coverage", "label_delay_p50")
SERVICE = ("request_rate", "error_rate", "latency_p50", "latency_p95", "latency_p99")
_ALONE: dict[str, Family] = {"no_data": "silence", "labels_stopped": "label_feed", "burn": "burn"}


def family_of(project: Project, name: str, rule: Alert) -> Family:
    """Where the rule's number comes from.

    Raises:
        ProjectError: no number of this name is known, or it needs a section that is not there.
    """
    alone = _ALONE.get(rule.conditions[0])
    if alone is not None:
        return alone
    metric = rule.metric or ""
    if metric in project.metrics:
        return "outcome"
    if metric in project.assertions:
        return "assertion"
    families: dict[Family, tuple[str, ...]] = {
        "quality": quality_metrics(project), "drift": DRIFT, "labels": LABELS, "service": SERVICE,
    }  # fmt: skip
    for family, names in families.items():
        if metric in names:
            _check(project, name, rule, family)
            return family
    known = [*(each for names in families.values() for each in names), *project.metrics, *project.assertions]
    near = get_close_matches(metric, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}"
    raise ProjectError(f'{project.file}: alerts.{name}.metric: there is no number "{metric}"; {hint}')


def quality_metrics(project: Project) -> tuple[str, ...]:
    """The metrics of quality that the project's task has."""
    if project.predictions is None:
        return ()
    match project.predictions.task:
        case "binary":
            return binary.METRICS
        case "multiclass":
            return multiclass.METRICS + tuple(m for m in multiclass.PER_CLASS if m not in multiclass.METRICS)
        case "regression":
            return regression.METRICS


def _check(project: Project, name: str, rule: Alert, family: Family) -> None:
    at = f"{project.file}: alerts.{name}"
    project.require_predictions()
    if family == "drift":
        if project.reference is None:
            raise ProjectError(
                f"{at}.metric: drift is measured against a [reference] section, and there is none"
            )
        if rule.by:
            raise ProjectError(
                f"{at}.by: drift is not split by segment; write a rule with where for each value"
            )
        if rule.worse_than_reference_by is not None:
            raise ProjectError(
                f"{at}.worse_than_reference_by: {rule.metric} is the distance from it; write above"
            )
    elif rule.feature is not None:
        raise ProjectError(f"{at}.feature: {rule.metric} is not about a feature")
    if family == "labels" and rule.by:
        raise ProjectError(
            f"{at}.by: {rule.metric} is not split by segment; write a rule with where for each value"
        )
    if family in {"labels", "service"} and rule.worse_than_reference_by is not None:
        raise ProjectError(
            f"{at}.worse_than_reference_by: {rule.metric} is not known of a reference; write above, or changed_from_…"
        )


def waits_for_labels(project: Project, rule: Alert, family: Family) -> bool:
    """Whether a window has to wait until its labels have had time to come."""
    predictions = project.predictions
    timed = project.labels is not None or (
        predictions is not None and predictions.label_timestamp is not None
    )
    if not timed:
        return False
    match family:
        case "quality":
            return rule.metric not in NEEDS_NO_LABEL
        case "labels":
            return True
        case "drift":
            return rule.feature == "label"
        case "outcome":
            metric = project.metrics[rule.metric or ""]
            return project.source_of(metric) == "predictions"
        case _:
            return False
