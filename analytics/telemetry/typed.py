"""The SELECT texts behind the views: raw columns of every group, cast to what the project file says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from analytics.engines.text import identifier, literal
from analytics.project import LabelValue, Predictions, Project
from analytics.telemetry import casts
from analytics.telemetry.feeds import FILE, ROW, Feed, Group

_NOTHING = "CAST(NULL AS {})"
_INSTANT = "TIMESTAMP WITH TIME ZONE"
NO_GROUP = Group(
    (), {FILE: "VARCHAR", ROW: "BIGINT"}, f"(SELECT '' AS {identifier(FILE)}, 0 AS {identifier(ROW)} LIMIT 0)"
)
"""Stands for a feed of which no file can be read: the same view without a row."""


def column(name: str) -> str:
    """The quoted view column of a logged column."""
    return identifier(f"column:{name}")


def score_column(name: str) -> str:
    """The quoted view column of one class's score."""
    return identifier(f"score:{name}")


def predictions(project: Project, feed: Feed, types: dict[str, str], *, production_only: bool = True) -> str:
    """The view of predictions (or of reference files of the same shape)."""
    section = project.require_predictions()
    bodies = [
        f"SELECT {', '.join(prediction_items(project, group, types))} FROM {group.relation}"
        for group in feed.groups or (NO_GROUP,)
    ]
    inner = " UNION ALL ".join(bodies)
    # a comparison with constants, so that files and row groups outside a window are never opened
    conditions = [casts.usable_instant("ts")]
    if production_only and section.split is not None:
        conditions.append("lower(split) = 'production'")
    return f"SELECT * FROM ({derived(section, inner)}) WHERE {' AND '.join(conditions)}"


def derived(section: Predictions, inner: str) -> str:
    """Add what follows from other columns: whether the score is usable, a decision where none was logged."""
    return f"SELECT *, {_scored(section)} AS scored, {_decision(section)} AS decision FROM ({inner})"


def labels(project: Project, feed: Feed) -> str:
    """The view of the label feed; reports without id, time or usable value are left out, and counted."""
    section = project.labels
    if section is None:
        raise ValueError("the project has no label feed")
    bodies = []
    for group in feed.groups or (NO_GROUP,):
        items = [
            f"{identifier(FILE)} AS file",
            f"{identifier(ROW)} AS row",
            f"{cast(group, section.id, casts.as_key, 'VARCHAR')} AS id",
            f"{label_expression(project.require_predictions(), group, section.label)} AS label",
            f"{instant(group, section.timestamp, project)} AS ts",
            f"{cast(group, section.source, casts.as_key, 'VARCHAR')} AS source",
        ]
        bodies.append(f"SELECT {', '.join(items)} FROM {group.relation}")
    usable = f"id IS NOT NULL AND label IS NOT NULL AND {casts.usable_instant('ts')}"
    return f"SELECT * FROM ({' UNION ALL '.join(bodies)}) WHERE {usable}"


def label_expression(section: Predictions, group: Group, name: str | None) -> str:
    """A label as the task needs it: 0 or 1, a class, or a finite number."""
    if section.task == "binary":
        return _binary(section, group, name)
    if section.task == "multiclass":
        return _class(section, group, name)
    number = cast(group, name, casts.as_double, "DOUBLE")
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _binary(section: Predictions, group: Group, name: str | None) -> str:
    positive, negative = section.positive, section.negative_class
    return cast(group, name, lambda text, kind: casts.as_binary(text, kind, positive, negative), "INTEGER")


def _class(section: Predictions, group: Group, name: str | None) -> str:
    classes = ", ".join(literal(class_) for class_ in section.classes)
    text = cast(group, name, casts.as_text, "VARCHAR")
    return f"CASE WHEN {text} IN ({classes}) THEN {text} END"


def absent_label(section: Predictions, value: LabelValue) -> str:
    """The label that a missing report stands for, as a literal of the label's type."""
    if section.task == "binary":
        return "1" if value == section.positive else "0"
    return literal(str(value)) if section.task == "multiclass" else literal(float(value))


def prediction_items(project: Project, group: Group, types: dict[str, str]) -> list[str]:
    """Every column of the view of predictions but those that `derived` adds, over the raw rows of one group."""
    section = project.require_predictions()
    text = {
        role: cast(group, getattr(section, role), casts.as_key, "VARCHAR")
        for role in ("id", "version", "split", "unit", "status", "request")
    }
    if section.version is not None:
        text["version"] = f"coalesce({text['version']}, '(missing)')"
    own_ts = instant(group, section.label_timestamp or section.timestamp, project) if section.label else None
    items = [
        f"{identifier(FILE)} AS file",
        f"{identifier(ROW)} AS row",
        *(f"{expression} AS {role}" for role, expression in text.items()),
        f"{instant(group, section.timestamp, project)} AS ts",
        f"{_usable(instant(group, section.received, project))} AS received",
        f"{weight(section, group)} AS weight",
        f"{latency(section, group)} AS latency",
        f"{label_expression(section, group, section.label)} AS own_label",
        f"{_usable(own_ts) if own_ts else _NOTHING.format(_INSTANT)} AS own_label_ts",
        f"{logged_decision(section, group)} AS logged_decision",
        *_scores(section, group),
    ]
    return items + columns(group, types)


def columns(group: Group, types: dict[str, str]) -> list[str]:
    """Every logged column under its quoted view name, in the one type its feed agreed on."""
    return [
        f"{cast(group, name, partial(_as_column, target), target)} AS {column(name)}"
        for name, target in types.items()
    ]


def _as_column(target: str, text: str, kind: str) -> str:
    return casts.as_column(text, kind, target)


def _usable(moment: str) -> str:
    return f"CASE WHEN {casts.usable_instant(moment)} THEN {moment} END"


def _scores(section: Predictions, group: Group) -> list[str]:
    if isinstance(section.score, dict):
        return [
            f"{cast(group, name, casts.as_double, 'DOUBLE')} AS {score_column(class_)}"
            for class_, name in section.score.items()
        ]
    return [f"{cast(group, section.score, casts.as_double, 'DOUBLE')} AS score"]


def weight(section: Predictions, group: Group) -> str:
    """The sampling weight; 0 where it cannot be used, since such a row cannot stand for anybody."""
    if section.weight is None:
        return "1e0"
    number = cast(group, section.weight, casts.as_double, "DOUBLE")
    return f"CASE WHEN {number} > 0e0 AND isfinite({number}) THEN {number} ELSE 0e0 END"


def latency(section: Predictions, group: Group) -> str:
    """The latency; NULL where it is negative or no number."""
    number = cast(group, section.latency, casts.as_double, "DOUBLE")
    return f"CASE WHEN {number} >= 0e0 AND isfinite({number}) THEN {number} END"


def logged_decision(section: Predictions, group: Group) -> str:
    """The decision that was taken: 0 or 1, one of the classes, or a text for a regression."""
    if section.decision is None:
        return _NOTHING.format("INTEGER" if section.task == "binary" else "VARCHAR")
    if section.task == "binary":
        return _binary(section, group, section.decision)
    if section.task == "multiclass":
        return _class(section, group, section.decision)
    return cast(group, section.decision, casts.as_text, "VARCHAR")


def _scored(section: Predictions) -> str:
    scores = [score_column(name) for name in section.classes] or ["score"]
    checks = " AND ".join(score_is_usable(section, score) for score in scores)
    return f"(weight > 0e0 AND coalesce({checks}, FALSE))"


def score_is_usable(section: Predictions, score: str) -> str:
    """Whether a score is a probability, or for a regression a finite number."""
    # NaN is larger than any number on every engine used, so the comparisons refuse it as well
    return f"isfinite({score})" if section.task == "regression" else f"({score} >= 0e0 AND {score} <= 1e0)"


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
    return (
        f"CASE WHEN NOT isnan(score) THEN CAST(score >= {literal(float(section.threshold))} AS INTEGER) END"
    )


def _largest(classes: Iterable[str]) -> str:
    names = tuple(classes)
    cases = []
    for index, name in enumerate(names):
        others = [score_column(other) for other in names[:index] + names[index + 1 :]]
        # the first of equal scores wins, as argmax does
        beats = " AND ".join(f"{score_column(name)} >= {other}" for other in others)
        cases.append(f"WHEN {beats} THEN {literal(name)}")
    return f"CASE {' '.join(cases)} END"


def instant(group: Group, name: str | None, project: Project) -> str:
    """A logged time as an instant, usable or not."""
    return cast(group, name, lambda text, kind: casts.as_instant(text, kind, project.time_zone), _INSTANT)


def cast(group: Group, name: str | None, how: Callable[[str, str], str], empty: str) -> str:
    """A column of a group by one of the casts; NULL of the type ``empty`` where the files lack it."""
    kind = group.kind(name) if name is not None else None
    if name is None or kind is None:
        return _NOTHING.format(empty)
    return how(identifier(name), kind)
