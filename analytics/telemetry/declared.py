"""Columns and fields that a project file names: whether the logs have them, and whether they suit."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal

from analytics.errors import ProjectError, TelemetryError
from analytics.project import Predictions, Project
from analytics.telemetry.casts import is_numeric
from analytics.telemetry.feeds import Feed

FeatureKind = Literal["numeric", "categorical", "boolean"]


def feature_kind(type_: str) -> FeatureKind | None:
    """What a feature of a column's type is; None of times and nested values, which are none.

    >>> feature_kind("DOUBLE"), feature_kind("ENUM('a', 'b')"), feature_kind("TIMESTAMP")
    ('numeric', 'categorical', None)
    """
    if is_numeric(type_):
        return "numeric"
    if type_ == "BOOLEAN":
        return "boolean"
    return "categorical" if type_ == "VARCHAR" or type_.startswith("ENUM") else None


def require_columns(project: Project, feeds: Mapping[str, Feed]) -> None:
    """See that every named column is there, and that none is both shown and private.

    Args:
        project: with a predictions section.
        feeds: by name.

    Raises:
        TelemetryError: a feed lacks a column.
        ProjectError: a private column is shown.
    """
    file, predictions = project.file, project.require_predictions()
    named = {f"predictions.{role}": column for role, column in predictions.roles().items()}
    named |= {f"predictions.features[{i}]": name for i, name in enumerate(predictions.features or ())}
    named |= {f"predictions.segments[{i}]": name for i, name in enumerate(predictions.segments)}
    named |= {f"predictions.private[{i}]": name for i, name in enumerate(predictions.private)}
    for key, column in named.items():
        feeds["predictions"].require(column, key, file)
    _keep_private(project, predictions)
    if project.labels is not None:
        for key in ("id", "label", "timestamp", "source"):
            if (column := getattr(project.labels, key)) is not None:
                feeds["labels"].require(column, f"labels.{key}", file)
    if "reference" in feeds:
        for column in (predictions.timestamp, *predictions.score_columns):
            feeds["reference"].require(column, "reference.path", file)


def check_features(project: Project, types: Mapping[str, str]) -> None:
    """See that features, and fields with a tolerance of their own, are what can be compared.

    Args:
        project: with a predictions section.
        types: column -> type.

    Raises:
        TelemetryError: one is not.
    """
    predictions, tolerance = project.require_predictions(), project.drift.tolerance
    for name in predictions.features or ():
        if feature_kind(types[name]) is None:
            raise TelemetryError(
                f'{project.file}: predictions.features: "{name}" holds {types[name]}; '
                "a feature is a number, a text or a truth value"
            )
    known = {"default", "score", "decision", "label", *types, *predictions.classes}
    for name in tolerance if isinstance(tolerance, dict) else ():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f' (did you mean "{near[0]}"?)' if near else ""
            raise TelemetryError(f'{project.file}: drift.tolerance: "{name}" is no column of the logs{hint}')
        _check_shift(project, predictions, types, name)


def _keep_private(project: Project, predictions: Predictions) -> None:
    for name in {*predictions.segments, *(predictions.features or ())} & set(predictions.private):
        raise ProjectError(
            f'{project.file}: predictions.private: "{name}" is shown as a segment or feature; remove it there'
        )
    if predictions.version is not None and predictions.version in predictions.private:
        raise ProjectError(
            f'{project.file}: predictions.private: "{predictions.version}" is shown as the version in every answer; '
            "remove it there, or predictions.version"
        )


def _check_shift(project: Project, predictions: Predictions, types: Mapping[str, str], name: str) -> None:
    """A shift by standard deviations or quantiles needs numbers."""
    declared = project.drift.declared(name)
    texts = {"decision"} if predictions.task == "regression" else {"decision", "label"}
    logged = feature_kind(types[name]) if name in types else None
    kind = "categorical" if name in texts else logged
    if declared.unit != "share" and kind not in {None, "numeric"} and name != "default":
        raise TelemetryError(
            f'{project.file}: drift.tolerance.{name}: a shift in "{declared.unit}" needs numbers, and {name} '
            f"is {kind}; give a share of rows, such as 0.05"
        )
