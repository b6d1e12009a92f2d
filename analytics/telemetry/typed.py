"""The SELECT texts behind the views: raw columns of every group, cast to what the project file says they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from analytics.engines.text import identifier, literal
from analytics.project import LabelValue, Predictions, Project
from analytics.telemetry import casts
from analytics.telemetry.feeds import FILE, ROW, Feed, Group

_NOTHING = "CAST(NULL AS {})"


def column(name: str) -> str:
    """The quoted view column of a logged column."""
    return identifier(f"column:{name}")


def score_column(name: str) -> str:
    """The quoted view column of one class's score."""
    return identifier(f"score:{name}")


def predictions(project: Project, feed: Feed, types: dict[str, str], *, production_only: bool = True) -> str:
    """The view of predictions (or of reference files of the same shape)."""
    section = project.require_predictions()
    bodies = [f"SELECT {', '.join(_prediction_items(project, group, types))} FROM {group.relation}" for group in feed.groups]
    inner = " UNION ALL ".join(bodies)
    conditions = ["ts IS NOT NULL"]
    if production_only and section.split is not None:
        conditions.append("lower(split) = 'production'")
    return f"SELECT * FROM ({derived(section, inner)}) WHERE {' AND '.join(conditions)}"


def derived(section: Predictions, inner: str) -> str:
    """Add what follows from other columns: whether the score is usable, and a decision where none was logged."""
    return f"SELECT *, {_scored(section)} AS scored, {_decision(section)} AS decision FROM ({inner})"


def labels(project: Project, feed: Feed) -> str:
    """The view of the label feed; reports without an id, a time or a usable value are left out (and counted)."""
    section = project.labels
    if section is None:
        raise ValueError("the project has no label feed")
    predictions_section = project.require_predictions()
    bodies = []
    for group in feed.groups:
        items = [
            f"{identifier(FILE)} AS file",
            f"{identifier(ROW)} AS row",
            f"{_cast(group, section.id, casts.as_text, 'VARCHAR')} AS id",
            f"{label_expression(predictions_section, group, section.label)} AS label",
            f"{_instant(group, section.timestamp, project)} AS ts",
            f"{_cast(group, section.source, casts.as_text, 'VARCHAR')} AS source",
        ]
        bodies.append(f"SELECT {', '.join(items)} FROM {group.relation}")
    return f"SELECT * FROM ({' UNION ALL '.join(bodies)}) WHERE id IS NOT NULL AND label IS NOT NULL AND ts IS NOT NULL"


def label_expression(section: Predictions, group: Group, name: str | None) -> str:
    """A label as the task needs it: 0 or 1, a class, or a finite number."""
    if section.task == "binary":
        return _cast(group, name, lambda text, kind: casts.as_binary(text, kind, section.positive), "INTEGER")
    if section.task == "multiclass":
        classes = ", ".join(literal(name) for name in section.classes)
        text = _cast(group, name, casts.as_text, "VARCHAR")
        return f"CASE WHEN {text} IN ({classes}) THEN {text} END"
    number = _cast(group, name, casts.as_double, "DOUBLE")
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def absent_label(section: Predictions, value: LabelValue) -> str:
    """The label that a missing report stands for, as a literal of the label's type."""
    if section.task == "binary":
        return "1" if value == section.positive else "0"
    return literal(str(value)) if section.task == "multiclass" else literal(float(value))


def _prediction_items(project: Project, group: Group, types: dict[str, str]) -> list[str]:
    section = project.require_predictions()
    text = {
        role: _cast(group, getattr(section, role), casts.as_text, "VARCHAR")
        for role in ("id", "version", "split", "unit", "status", "request")
    }
    if section.version is not None:
        text["version"] = f"coalesce({text['version']}, '(missing)')"
    own_ts = section.label_timestamp if section.label_timestamp else section.timestamp
    items = [
        f"{identifier(FILE)} AS file",
        f"{identifier(ROW)} AS row",
        *(f"{expression} AS {role}" for role, expression in text.items()),
        f"{_instant(group, section.timestamp, project)} AS ts",
        f"{_instant(group, section.received, project)} AS received",
        f"{_weight(section, group)} AS weight",
        f"{_cast(group, section.latency, casts.as_double, 'DOUBLE')} AS latency",
        f"{label_expression(section, group, section.label)} AS own_label",
        f"{_instant(group, own_ts if section.label else None, project)} AS own_label_ts",
        f"{_logged_decision(section, group)} AS logged_decision",
        *_scores(section, group),
    ]
    for name, target in types.items():
        raw = _cast(group, name, lambda text, kind, target=target: casts.as_column(text, kind, target), target)  # type: ignore[misc]
        items.append(f"{raw} AS {column(name)}")
    return items


def _scores(section: Predictions, group: Group) -> list[str]:
    if isinstance(section.score, dict):
        return [
            f"{_cast(group, name, casts.as_double, 'DOUBLE')} AS {score_column(class_)}"
            for class_, name in section.score.items()
        ]
    return [f"{_cast(group, section.score, casts.as_double, 'DOUBLE')} AS score"]


def _weight(section: Predictions, group: Group) -> str:
    if section.weight is None:
        return "1e0"
    number = _cast(group, section.weight, casts.as_double, "DOUBLE")
    # a row whose weight is unknown cannot stand for anybody: it is left out of sums and counted as invalid
    return f"CASE WHEN {number} > 0e0 AND isfinite({number}) THEN {number} ELSE 0e0 END"


def _logged_decision(section: Predictions, group: Group) -> str:
    if section.decision is None:
        return _NOTHING.format("INTEGER" if section.task == "binary" else "VARCHAR")
    if section.task == "binary":
        return _cast(group, section.decision, lambda text, kind: casts.as_binary(text, kind, section.positive), "INTEGER")
    return _cast(group, section.decision, casts.as_text, "VARCHAR")


def _scored(section: Predictions) -> str:
    # NaN is larger than any number on every engine used, so the comparisons refuse it as well
    if isinstance(section.score, dict):
        checks = [f"{score_column(name)} >= 0e0 AND {score_column(name)} <= 1e0" for name in section.classes]
    elif section.task == "binary":
        checks = ["score >= 0e0 AND score <= 1e0"]
    else:
        checks = ["isfinite(score)"]
    return f"(weight > 0e0 AND coalesce({' AND '.join(checks)}, FALSE))"


def _decision(section: Predictions) -> str:
    if section.decision is not None or section.task == "regression":
        return "logged_decision"
    if section.task == "multiclass":
        return _largest(section.classes)
    if section.threshold is None:
        return "logged_decision"
    if isinstance(section.threshold, dict):
        cases = " ".join(
            f"WHEN version = {literal(version)} THEN CAST(score >= {literal(float(value))} AS INTEGER)"
            for version, value in section.threshold.items()
        )
        return f"CASE WHEN score IS NULL OR isnan(score) THEN NULL {cases} END"
    return f"CASE WHEN NOT isnan(score) THEN CAST(score >= {literal(float(section.threshold))} AS INTEGER) END"


def _largest(classes: Iterable[str]) -> str:
    names = tuple(classes)
    cases = []
    for index, name in enumerate(names):
        others = [score_column(other) for other in names[:index] + names[index + 1 :]]
        # the first of equal scores wins, as argmax does
        beats = " AND ".join(f"{score_column(name)} >= {other}" for other in others)
        cases.append(f"WHEN {beats} THEN {literal(name)}")
    return f"CASE {' '.join(cases)} END"


def _instant(group: Group, name: str | None, project: Project) -> str:
    return _cast(
        group, name, lambda text, kind: casts.as_instant(text, kind, project.time_zone), "TIMESTAMP WITH TIME ZONE"
    )


def _cast(group: Group, name: str | None, cast: Callable[[str, str], str], empty: str) -> str:
    kind = group.kind(name) if name is not None else None
    if name is None or kind is None:
        return _NOTHING.format(empty)
    return cast(identifier(name), kind)
