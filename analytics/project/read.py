"""Reading the project file: what is wrong with it is one line with the key, what was found and what is accepted."""

from __future__ import annotations

import hashlib
import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import ValidationError

from analytics.errors import NotSupportedYetError, ProjectError, RemoteError
from analytics.places.remote import is_remote, remote_path
from analytics.project.alerts import Alert, Assertion, Chaos, Objective
from analytics.project.base import LATER_TASKS, Section
from analytics.project.experiments import (
    Counts,
    Events,
    Experiment,
    Exposures,
    Guardrail,
    Metric,
    Phase,
    Prior,
    Series,
    Units,
)
from analytics.project.logs import (
    Costs,
    Drift,
    Labels,
    Outage,
    Predictions,
    Quality,
    Reference,
    Release,
    ReleaseLog,
)
from analytics.project.model import Project
from analytics.project.read_alerts import check_alerts
from analytics.project.read_experiments import check_experiments

FILE_NAME = "assay.toml"
_LATER = {"task": LATER_TASKS}
NOT_YET = ("feedback",)
WEB = ("http://", "https://")


def read_project(path: Path) -> Project:
    """Read and validate one project file (or the one in a folder).

    Raises:
        ProjectError: one line naming the file, the key, what was found and what would be accepted.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ProjectError(
            f"{file}: cannot be read ({error.strerror}); name a file or a folder with {FILE_NAME}"
        ) from error
    try:
        data = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ProjectError(f"{file}: is not UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{file}: is not valid TOML: {error}") from error
    for section in NOT_YET:
        if section in data:
            raise NotSupportedYetError(
                f"{file}: {section}: this section is not supported yet; remove it for now"
            )
    reserved = {"file", "digest"} & data.keys()
    if reserved:
        raise ProjectError(f"{file}: {min(reserved)}: unknown key")
    # a link to the file stays one: its paths are relative to where it is found, not to where it leads
    placed = file.parent.resolve() / file.name
    try:
        project = Project(**data, file=placed, digest=hashlib.sha256(raw).hexdigest()[:16])
    except ValidationError as error:
        raise ProjectError(f"{file}: {_explain(error, data)}") from error
    _check_meaning(project, file)
    return project


def find_projects(path: Path) -> tuple[Path, ...]:
    """The project files of a file, a project folder or a workspace (a folder of project folders).

    Raises:
        ProjectError: there is none.
    """
    try:
        if path.is_file():
            return (path,)
        if not path.is_dir():
            raise ProjectError(f"{path}: there is no such file or folder")
        if (path / FILE_NAME).is_file():
            return (path / FILE_NAME,)
        found = tuple(sorted(path.glob(f"*/{FILE_NAME}")))
    except OSError as error:
        raise ProjectError(f"{path}: cannot be looked at ({error.strerror})") from error
    if not found:
        raise ProjectError(f"{path}: no {FILE_NAME} here or one folder below; `assay init LOGS` proposes one")
    return found


def _check_meaning(project: Project, file: Path) -> None:
    _check_zone(project, file)
    _check_labels(project, file)
    check_experiments(project, file)
    check_alerts(project, file)
    _check_pairs(project, file)
    sections: dict[str, Any] = {
        "exposures": project.exposures,
        "events": project.events,
        "units": project.units,
        "counts": project.counts,
        "series": project.series,
        "predictions": project.predictions,
        "labels": project.labels,
        "reference": project.reference,
        "releases": project.releases if isinstance(project.releases, ReleaseLog) else None,
    }
    for name, section in sections.items():
        for pattern in (section.path if section is not None else None) or ():
            _check_remote(pattern, f"{file}: {name}.path")
            if "\x00" in pattern:
                raise ProjectError(f"{file}: {name}.path: a path cannot hold a NUL character")
    if project.aggregates.path is not None:
        _check_remote(project.aggregates.path, f"{file}: aggregates.path")
    reference = project.reference
    if reference is None or reference.start is None or reference.end is None:
        return
    if project.instant(reference.start) >= project.instant(reference.end):
        raise ProjectError(f"{file}: reference.end: must be after reference.start")


def _check_pairs(project: Project, file: Path) -> None:
    known = project.predictions.segments if project.predictions is not None else ()
    for i, pair in enumerate(project.aggregates.pairs):
        for name in pair:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f'did you mean "{near[0]}"?' if near else f"declared: {', '.join(known) or 'none'}"
                raise ProjectError(
                    f'{file}: aggregates.pairs[{i}]: "{name}" is not one of predictions.segments; {hint}'
                )


def _check_remote(pattern: str, key: str) -> None:
    if pattern.startswith(WEB):
        raise NotSupportedYetError(
            f"{key}: http:// and https:// are not supported; give a local path, s3:// or gs://"
        )
    if is_remote(pattern):
        try:
            remote_path(pattern)
        except RemoteError as error:
            raise ProjectError(f"{key}: {error}") from error


def _check_zone(project: Project, file: Path) -> None:
    try:
        known = ZoneInfo(project.time_zone).key != "localtime"  # means another zone on every machine
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        near = get_close_matches(project.time_zone, available_timezones(), n=1)
        hint = f'did you mean "{near[0]}"?' if near else 'use a name such as "Europe/Berlin" or "UTC"'
        raise ProjectError(f'{file}: time_zone: "{project.time_zone}" is not a known zone; {hint}')


def _check_labels(project: Project, file: Path) -> None:
    labels, predictions = project.labels, project.predictions
    for place, outage in enumerate(labels.outages if labels is not None else ()):
        if project.instant(outage.start) >= project.instant(outage.end):
            raise ProjectError(f"{file}: labels.outages[{place}].end: must be after its start")
    if labels is None or predictions is None:
        return
    if predictions.id is None:
        raise ProjectError(f"{file}: predictions.id: a label feed is joined by id; name the id column")
    if predictions.label is not None:
        raise ProjectError(f"{file}: predictions.label: labels are columns or a feed, not both; remove one")
    means = labels.absent_means
    if means is None:
        return
    if predictions.task == "multiclass" and str(means) not in predictions.classes:
        accepted = ", ".join(predictions.classes)
        raise ProjectError(f'{file}: labels.absent_means: "{means}" is not one of the classes: {accepted}')
    if predictions.task == "regression" and isinstance(means, str):
        raise ProjectError(f'{file}: labels.absent_means: "{means}" is not a number')
    accepted_binary = (predictions.positive, predictions.negative_class)
    if predictions.task == "binary" and accepted_binary[1] is not None and means not in accepted_binary:
        raise ProjectError(
            f"{file}: labels.absent_means: {means!r} is neither positive ({accepted_binary[0]!r}) "
            f"nor negative ({accepted_binary[1]!r})"
        )


def _explain(error: ValidationError, data: dict[str, Any]) -> str:
    first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    location = _keys(first["loc"], data)
    key = _written(location)
    if first["type"] == "extra_forbidden":
        accepted = _accepted(location[:-1])
        near = get_close_matches(str(location[-1]), accepted, n=1)
        hint = f' (did you mean "{near[0]}"?)' if near else ""
        return f"{key}: unknown key{hint}; accepted: {', '.join(accepted)}"
    if first["type"] == "missing":
        return f"{key}: is required and missing"
    message = re.sub(r"^(Value error, |Input |String |Tuple |Dictionary )", "", first["msg"])
    if first["type"] == "value_error" and re.match(r"[a-z_]+: ", message):
        name, _, rest = message.partition(": ")
        return f"{key}.{name}: {rest}"
    if first["type"] == "dict_type":
        message = "should be a table, such as { name = … }"
    found = first.get("input")
    if isinstance(found, str) and found in _LATER.get(str(location[-1]) if location else "", ()):
        accepted = first.get("ctx", {}).get("expected", "another value")
        return f'{key}: "{found}" is not supported yet; {accepted} are'
    return f"{key}: {message}; found {_show(first.get('input'))}"


def _keys(location: tuple[int | str, ...], data: object) -> list[int | str]:
    """The part of pydantic's location that stands in the file: it also names kinds of values."""
    keys: list[int | str] = []
    for place, part in enumerate(location):
        if isinstance(data, dict) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        elif place < len(location) - 1 or not isinstance(data, dict):
            continue
        keys.append(part)
    return keys


def _written(keys: list[int | str]) -> str:
    return (
        "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
        or "the file"
    )


def _accepted(location: list[int | str]) -> list[str]:
    models: dict[str, type[Section]] = {
        "predictions": Predictions, "labels": Labels, "reference": Reference, "costs": Costs, "drift": Drift,
        "quality": Quality, "releases": Release, "exposures": Exposures, "events": Events, "units": Units,
        "counts": Counts,
        "series": Series,
        "metrics": Metric, "experiments": Experiment,
        "alerts": Alert, "objectives": Objective, "assertions": Assertion, "chaos": Chaos,
    }  # fmt: skip
    model: type[Section] = models.get(str(location[0]), Project) if location else Project
    if location == ["releases"]:
        model = ReleaseLog
    if "outages" in location[1:]:
        model = Outage
    if "phases" in location[2:]:
        model = Phase
    if "prior" in location[2:]:
        model = Prior
    if "guardrails" in location[2:]:
        model = Guardrail
    fields = model.model_fields.items()
    names = [field.alias or name for name, field in fields if name not in {"file", "digest"}]
    return list(dict.fromkeys([*names, *NOT_YET])) if model is Project else names


def _show(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
