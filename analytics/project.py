"""The project file ``assay.toml``: what is logged where, and what is normal.

`read_project` turns the file into a frozen, validated `Project`. Everything wrong with the file is one
`ProjectError` line that names the file, the key, what was found and what would be accepted.
"""

from __future__ import annotations

import hashlib
import tomllib
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from analytics.durations import parse_duration
from analytics.errors import NotSupportedYetError, ProjectError

FILE_NAME = "assay.toml"
NOT_YET = ("feedback", "series", "exposures", "events", "units", "metrics", "experiments", "alerts", "assertions")
REMOTE = ("s3://", "gs://", "http://", "https://")

Task = Literal["binary", "multiclass", "regression"]
Block = Literal["hour", "day", "week", "none"]
LabelValue = bool | int | float | str


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Paths = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]
Duration = Annotated[timedelta, BeforeValidator(_as_duration)]
Moment = datetime | date


class Section(BaseModel):
    """A table of the project file: frozen, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=False)


class Predictions(Section):
    """One row per prediction: where the rows are and which column plays which role."""

    path: Paths
    task: Task
    timestamp: str
    score: str | dict[str, str]
    id: str | None = None
    received: str | None = None
    decision: str | None = None
    threshold: float | dict[str, float] | None = None
    positive: LabelValue = 1
    label: str | None = None
    label_timestamp: str | None = None
    version: str | None = None
    data_version: str | None = None
    split: str | None = None
    unit: str | None = None
    features: tuple[str, ...] | None = None
    segments: tuple[str, ...] = ()
    weight: str | None = None
    block: Block = "day"
    latency: str | None = None
    status: str | None = None
    ok_status: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    request: str | None = None
    private: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _score_fits_task(self) -> Self:
        if self.task == "multiclass" and not isinstance(self.score, dict):
            raise ValueError('score: a multiclass task needs a table, one column a class: {A = "p_A", B = "p_B"}')
        if self.task != "multiclass" and isinstance(self.score, dict):
            raise ValueError(f"score: a {self.task} task needs the name of one column, not a table")
        if isinstance(self.score, dict) and len(self.score) < 2:
            raise ValueError("score: a multiclass task needs at least two classes")
        if self.ok_status and self.status is None:
            raise ValueError("ok_status: needs status, the column it speaks of")
        if self.label_timestamp and self.label is None:
            raise ValueError("label_timestamp: needs label, the column it belongs to")
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of a multiclass task in declared order; empty otherwise."""
        return tuple(self.score) if isinstance(self.score, dict) else ()

    @property
    def score_columns(self) -> tuple[str, ...]:
        """The columns that hold scores, one per class for a multiclass task."""
        return tuple(self.score.values()) if isinstance(self.score, dict) else (self.score,)

    def roles(self) -> dict[str, str]:
        """Role -> column for every declared role that names a column."""
        single = {
            role: getattr(self, role)
            for role in (
                "id", "timestamp", "received", "decision", "label", "label_timestamp", "version", "data_version",
                "split", "unit", "weight", "latency", "status", "request",
            )
        }  # fmt: skip
        roles = {role: column for role, column in single.items() if column is not None}
        if isinstance(self.score, dict):
            return roles | {f"score.{name}": column for name, column in self.score.items()}
        return roles | {"score": self.score}


class Labels(Section):
    """A feed of labels that arrive late, joined by prediction id."""

    path: Paths
    id: str
    label: str
    timestamp: str
    source: str | None = None
    absent_after: Duration | None = None
    absent_means: LabelValue | None = None

    @model_validator(mode="after")
    def _absent_needs_both(self) -> Self:
        if (self.absent_after is None) != (self.absent_means is None):
            raise ValueError("absent_after: needs absent_means as well, and the other way round")
        return self


class Reference(Section):
    """What is normal: files of the predictions' shape, or a window of the predictions."""

    path: Paths | None = None
    start: Moment | None = None
    end: Moment | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        window = self.start is not None and self.end is not None
        if (self.path is None) == (not window) or (self.path and (self.start or self.end)):
            raise ValueError("path: give either path, or start and end")
        return self


class Costs(Section):
    """What a decision earns (positive) or costs (negative)."""

    true_positive: float = 0.0
    false_positive: float = 0.0
    false_negative: float = 0.0
    true_negative: float = 0.0
    matrix: dict[str, dict[str, float]] | None = None


class Release(Section):
    """A version going live."""

    timestamp: Moment
    version: str
    trained_from: Moment | None = None
    trained_until: Moment | None = None
    data_version: str | None = None
    parent: str | None = None
    note: str | None = None


class ReleaseLog(Section):
    """A log of releases: a file with the columns of `Release`."""

    path: Paths


class Drift(Section):
    """What may be called drift."""

    tolerance: float | dict[str, float] = 0.05
    share_tolerance: float = Field(default=0.02, ge=0, le=1)

    def tolerance_of(self, feature: str) -> float:
        """The tolerance of one feature, as total variation."""
        if isinstance(self.tolerance, dict):
            return self.tolerance.get(feature, self.tolerance.get("default", 0.05))
        return self.tolerance


class Project(Section):
    """One monitored model.

    Attributes:
        file: the project file.
        digest: of the file's bytes; part of every cache key.
    """

    name: str = Field(min_length=1)
    description: str = ""
    time_zone: str = "UTC"
    predictions: Predictions | None = None
    labels: Labels | None = None
    reference: Reference | None = None
    costs: Costs | None = None
    releases: tuple[Release, ...] | ReleaseLog = ()
    drift: Drift = Drift()
    file: Path
    digest: str

    @property
    def folder(self) -> Path:
        """The folder that paths in the file are relative to."""
        return self.file.parent

    @property
    def zone(self) -> ZoneInfo:
        """The project's time zone."""
        return ZoneInfo(self.time_zone)

    def instant(self, moment: Moment) -> datetime:
        """An instant in UTC; a day or a naive time is read in the project's zone."""
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        return moment.astimezone(UTC)

    def require_predictions(self) -> Predictions:
        """The predictions section, or an error that says it is missing."""
        if self.predictions is None:
            raise ProjectError(f"{self.file}: predictions: this needs a [predictions] section, and there is none")
        return self.predictions


def read_project(path: Path) -> Project:
    """Read and validate one project file (or the one in a folder).

    Raises:
        ProjectError: one line naming the file, the key, what was found and what would be accepted.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ProjectError(f"{file}: cannot be read ({error.strerror}); name a file or a folder with {FILE_NAME}") from error
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ProjectError(f"{file}: is not UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{file}: is not valid TOML: {error}") from error
    for section in NOT_YET:
        if section in data:
            raise NotSupportedYetError(f"{file}: {section}: this section is not supported yet; remove it for now")
    reserved = {"file", "digest"} & data.keys()
    if reserved:
        raise ProjectError(f"{file}: {min(reserved)}: unknown key")
    try:
        project = Project(**data, file=file.resolve(), digest=hashlib.sha256(raw).hexdigest()[:16])
    except ValidationError as error:
        raise ProjectError(f"{file}: {_explain(error, data)}") from error
    _check_meaning(project, file)
    return project


def find_projects(path: Path) -> tuple[Path, ...]:
    """The project files of a file, a project folder or a workspace (a folder of project folders)."""
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise ProjectError(f"{path}: there is no such file or folder")
    if (path / FILE_NAME).is_file():
        return (path / FILE_NAME,)
    found = tuple(sorted(path.glob(f"*/{FILE_NAME}")))
    if not found:
        raise ProjectError(f"{path}: no {FILE_NAME} here or one folder below; `assay init LOGS` proposes one")
    return found


def _check_meaning(project: Project, file: Path) -> None:
    try:
        ZoneInfo(project.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ProjectError(
            f'{file}: time_zone: "{project.time_zone}" is not a known zone; use a name such as "Europe/Berlin" or "UTC"'
        ) from error
    if project.labels is not None and project.predictions is not None:
        if project.predictions.id is None:
            raise ProjectError(f"{file}: predictions.id: a label feed is joined by id; name the id column")
        if project.predictions.label is not None:
            raise ProjectError(f"{file}: predictions.label: labels are columns or a feed, not both; remove one")
    sections = (project.predictions, project.labels, project.reference)
    for section, name in zip(sections, ("predictions", "labels", "reference"), strict=True):
        for pattern in (section.path if section is not None else None) or ():
            if pattern.startswith(REMOTE):
                raise NotSupportedYetError(f'{file}: {name}.path: "{pattern}" is not supported yet; give a local path')
    if project.reference is not None and project.reference.start and project.reference.end:
        if project.instant(project.reference.start) >= project.instant(project.reference.end):
            raise ProjectError(f"{file}: reference.end: must be after reference.start")


def _explain(error: ValidationError, data: dict[str, Any]) -> str:
    first = min(error.errors(), key=lambda item: (item["type"] != "extra_forbidden", len(item["loc"])))
    location = [part for part in first["loc"] if _is_key(part)]
    key = ".".join(str(part) for part in location) or "the file"
    if first["type"] == "extra_forbidden":
        accepted = _accepted(location[:-1])
        near = get_close_matches(str(location[-1]), accepted, n=1)
        hint = f' (did you mean "{near[0]}"?)' if near else ""
        return f"{key}: unknown key{hint}; accepted: {', '.join(accepted)}"
    if first["type"] == "missing":
        return f"{key}: is required and missing"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error" and ": " in message and location == location[:1]:
        name, _, rest = message.partition(": ")
        return f"{key}.{name}: {rest}"
    return f"{key}: {message}; found {_show(first.get('input'))}"


def _is_key(part: object) -> bool:
    # pydantic adds the names of union members to the location; those are not keys of the file
    return not (isinstance(part, str) and (part in {"tuple[Release, ...]", "ReleaseLog", "date", "datetime"} or "[" in part
                or part in {"str", "float", "int", "bool"}))  # fmt: skip


def _accepted(location: list[Any]) -> list[str]:
    models: dict[str, type[Section]] = {
        "predictions": Predictions, "labels": Labels, "reference": Reference, "costs": Costs, "drift": Drift,
        "releases": Release,
    }  # fmt: skip
    model = models.get(str(location[0])) if location else Project
    return [name for name in (model or Project).model_fields if name not in {"file", "digest"}]


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
