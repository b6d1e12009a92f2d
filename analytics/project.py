"""The project file ``assay.toml``: what is logged where, and what is normal.

`read_project` turns the file into a frozen, validated `Project`. Everything wrong with the file is one
`ProjectError` line that names the file, the key, what was found and what would be accepted.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from analytics.durations import parse_duration
from analytics.errors import NotSupportedYetError, ProjectError

FILE_NAME = "assay.toml"
NOT_YET = (
    "feedback",
    "series",
    "exposures",
    "events",
    "units",
    "metrics",
    "experiments",
    "alerts",
    "assertions",
)
REMOTE = ("s3://", "gs://", "http://", "https://")

Task = Literal["binary", "multiclass", "regression"]
Block = Literal["hour", "day", "week", "none"]
LATER_TASKS = ("multilabel", "ranking")


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_duration(value: object) -> object:
    if not isinstance(value, str):
        # pydantic turns a ValueError into its own, and lets a TypeError through
        raise ValueError('write a duration as text, such as "7 days"')  # noqa: TRY004
    duration = parse_duration(value)
    if duration <= timedelta(0):
        raise ValueError("a duration must be longer than nothing")
    return duration


def _as_moment(value: object) -> object:
    if isinstance(value, str):
        try:
            return (
                datetime.fromisoformat(value) if len(value) > len("2013-03-01") else date.fromisoformat(value)
            )
        except ValueError:
            pass
    elif isinstance(value, date):
        return value
    raise ValueError("write a day (2013-03-01) or a time (2013-03-01T14:00:00)")


def _keep_truth(value: object) -> object:
    # TOML's true and 1 are different values, but true is a number to pydantic
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004
    return value


def _without_repeats(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'"{name}" is named twice')
    return names


def _table_or(word: str) -> Callable[[object], str]:
    # without this pydantic tells about every kind of value that was not meant
    return lambda value: "table" if isinstance(value, dict) else word


Number = Annotated[float, BeforeValidator(_keep_truth), Field(allow_inf_nan=False, strict=True)]
Share = Annotated[float, BeforeValidator(_keep_truth), Field(allow_inf_nan=False, strict=True, ge=0, le=1)]
LabelValue = bool | int | Annotated[float, Field(allow_inf_nan=False)] | str
Paths = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_as_list), Field(min_length=1)
]
Duration = Annotated[timedelta, BeforeValidator(_as_duration)]
Moment = Annotated[datetime | date, BeforeValidator(_as_moment)]
Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_as_list), AfterValidator(_without_repeats)]


class Section(BaseModel):
    """A table of the project file: frozen, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=False)


class Predictions(Section):
    """One row per prediction: where the rows are and which column plays which role."""

    path: Paths
    task: Task
    timestamp: Name
    score: Annotated[
        Annotated[Name, Tag("column")] | Annotated[dict[str, Name], Tag("table")],
        Discriminator(_table_or("column")),
    ]
    id: Name | None = None
    received: Name | None = None
    decision: Name | None = None
    threshold: (
        Annotated[
            Annotated[Number, Tag("number")] | Annotated[dict[str, Number], Tag("table")],
            Discriminator(_table_or("number")),
        ]
        | None
    ) = None
    positive: LabelValue = 1
    negative: LabelValue | None = None
    label: Name | None = None
    label_timestamp: Name | None = None
    version: Name | None = None
    data_version: Name | None = None
    split: Name | None = None
    unit: Name | None = None
    features: Names | None = None
    segments: Names = ()
    weight: Name | None = None
    block: Block = "day"
    latency: Name | None = None
    status: Name | None = None
    ok_status: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    request: Name | None = None
    private: Names = ()

    @model_validator(mode="after")
    def _score_fits_task(self) -> Self:
        if self.task == "multiclass" and not isinstance(self.score, dict):
            raise ValueError(
                'score: a multiclass task needs a table, one column a class: {A = "p_A", B = "p_B"}'
            )
        if self.task != "multiclass" and isinstance(self.score, dict):
            raise ValueError(f"score: a {self.task} task needs the name of one column, not a table")
        if isinstance(self.score, dict):
            _check_classes(tuple(self.score))
        _check_binary(self)
        if self.ok_status and self.status is None:
            raise ValueError("ok_status: needs status, the column it speaks of")
        if self.label_timestamp and self.label is None:
            raise ValueError("label_timestamp: needs label, the column it belongs to")
        return self

    @property
    def negative_class(self) -> LabelValue | None:
        """The label value of the negative class of a binary task; None where any other value is negative."""
        if self.negative is not None:
            return self.negative
        if isinstance(self.positive, str) or self.positive not in {0, 1}:
            return None
        return 1 - int(self.positive)

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
                "id", "timestamp", "received", "decision", "label", "label_timestamp", "version",
                "data_version", "split", "unit", "weight", "latency", "status", "request",
            )
        }  # fmt: skip
        roles = {role: column for role, column in single.items() if column is not None}
        if isinstance(self.score, dict):
            return roles | {f"score.{name}": column for name, column in self.score.items()}
        return roles | {"score": self.score}


def _check_classes(classes: tuple[str, ...]) -> None:
    if len(classes) < 2:
        raise ValueError("score: a multiclass task needs at least two classes")
    if len({name.lower() for name in classes}) < len(classes):
        raise ValueError(
            "score: two classes differ only in upper and lower case, which SQL does not tell apart"
        )


def _check_binary(section: Predictions) -> None:
    if section.negative is None:
        return
    if section.task != "binary":
        raise ValueError("negative: only a binary task has a negative class")
    if isinstance(section.negative, str) != isinstance(section.positive, str):
        raise ValueError(
            "negative: positive and negative must both be texts, or both numbers or truth values"
        )
    if section.negative == section.positive:
        raise ValueError("negative: is the same value as positive")


class Labels(Section):
    """A feed of labels that arrive late, joined by prediction id."""

    path: Paths
    id: Name
    label: Name
    timestamp: Name
    source: Name | None = None
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

    true_positive: Number = 0.0
    false_positive: Number = 0.0
    false_negative: Number = 0.0
    true_negative: Number = 0.0
    matrix: dict[str, dict[str, Number]] | None = None


class Release(Section):
    """A version going live."""

    timestamp: Moment
    version: Name
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

    tolerance: Annotated[
        Annotated[Share, Tag("number")] | Annotated[dict[str, Share], Tag("table")],
        Discriminator(_table_or("number")),
    ] = 0.05
    share_tolerance: Share = 0.02

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

    name: Name
    description: str = ""
    time_zone: str = "UTC"
    predictions: Predictions | None = None
    labels: Labels | None = None
    reference: Reference | None = None
    costs: Costs | None = None
    releases: Annotated[
        Annotated[tuple[Release, ...], Tag("list")] | Annotated[ReleaseLog, Tag("table")],
        Discriminator(_table_or("list")),
    ] = ()
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
            raise ProjectError(
                f"{self.file}: predictions: this needs a [predictions] section, and there is none"
            )
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
    sections: dict[str, Predictions | Labels | Reference | ReleaseLog | None] = {
        "predictions": project.predictions,
        "labels": project.labels,
        "reference": project.reference,
        "releases": project.releases if isinstance(project.releases, ReleaseLog) else None,
    }
    for name, section in sections.items():
        for pattern in (section.path if section is not None else None) or ():
            if pattern.startswith(REMOTE):
                raise NotSupportedYetError(
                    f'{file}: {name}.path: "{pattern}" is not supported yet; give a local path'
                )
            if "\x00" in pattern:
                raise ProjectError(f"{file}: {name}.path: a path cannot hold a NUL character")
    reference = project.reference
    if reference is None or reference.start is None or reference.end is None:
        return
    if project.instant(reference.start) >= project.instant(reference.end):
        raise ProjectError(f"{file}: reference.end: must be after reference.start")


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
    if key == "predictions.task" and first.get("input") in LATER_TASKS:
        return f'{key}: "{first["input"]}" is not supported yet; binary, multiclass and regression are'
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
        "releases": Release,
    }  # fmt: skip
    model: type[Section] = models.get(str(location[0]), Project) if location else Project
    if location == ["releases"]:
        model = ReleaseLog
    names = [name for name in model.model_fields if name not in {"file", "digest"}]
    return [*names, *NOT_YET] if model is Project else names


def _show(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
