"""The tables of a project file that describe a monitored model and its logs."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from analytics.directions import DIRECTIONS
from analytics.project.base import (
    Block,
    Duration,
    LabelValue,
    Moment,
    Name,
    Names,
    Number,
    Paths,
    Section,
    Share,
    Task,
    as_list,
    table_or,
)


class Predictions(Section):
    """One row per prediction: where the rows are and which column plays which role."""

    path: Paths
    task: Task
    timestamp: Name
    score: Annotated[
        Annotated[Name, Tag("column")] | Annotated[dict[str, Name], Tag("table")],
        Discriminator(table_or("column")),
    ]
    id: Name | None = None
    received: Name | None = None
    decision: Name | None = None
    threshold: (
        Annotated[
            Annotated[Number, Tag("number")] | Annotated[dict[str, Number], Tag("table")],
            Discriminator(table_or("number")),
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
    ok_status: Annotated[tuple[str, ...], BeforeValidator(as_list)] = ()
    request: Name | None = None
    private: Names = ()
    texts: Names = ()
    embeddings: Names = ()
    attributions: dict[Name, Name] = Field(default_factory=dict)

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
        roles |= {f"texts[{i}]": column for i, column in enumerate(self.texts)}
        roles |= {f"embeddings[{i}]": column for i, column in enumerate(self.embeddings)}
        roles |= {f"attributions.{feature}": column for feature, column in self.attributions.items()}
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


class Outage(Section):
    """A stretch in which no label could arrive."""

    start: Moment
    end: Moment


class Labels(Section):
    """A feed of labels that arrive late, joined by prediction id."""

    path: Paths
    id: Name
    label: Name
    timestamp: Name
    source: Name | None = None
    sources: Names = ()
    absent_after: Duration | None = None
    absent_means: LabelValue | None = None
    outages: tuple[Outage, ...] = ()

    @model_validator(mode="after")
    def _sources_need_a_column(self) -> Self:
        if self.sources and self.source is None:
            raise ValueError("sources: needs source, the column that says who gave a label")
        return self

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


class Quality(Section):
    """What is asked of quality.

    Attributes:
        floor: metric -> the value that must not be passed, in whichever direction is worse.
        review_budget: how many rows a day people can look at.
        tolerance: metric -> how much worse a release may be, in the metric's unit.
    """

    floor: dict[Name, Number] = Field(default_factory=dict)
    tolerance: dict[Name, Annotated[Number, Field(gt=0)]] = Field(default_factory=dict)
    review_budget: Annotated[int, Field(strict=True, ge=1)] | None = None

    @model_validator(mode="after")
    def _floors_are_of_metrics(self) -> Self:
        for key, names in (("floor", self.floor), ("tolerance", self.tolerance)):
            for name in names:
                if name not in DIRECTIONS:
                    near = get_close_matches(name, DIRECTIONS, n=1)
                    hint = f' (did you mean "{near[0]}"?)' if near else ""
                    raise ValueError(f'{key}: "{name}" is no metric{hint}')
                if DIRECTIONS[name] == "none":
                    raise ValueError(f'{key}: neither direction of "{name}" is worse, so it has no {key}')
        return self


class Tolerance(NamedTuple):
    """How much change is tolerated.

    Attributes:
        value: how much.
        unit: of rows (the share that moved), of the reference's standard deviations, or of its quantiles.
    """

    value: float
    unit: Literal["share", "sd", "quantile"] = "share"


STANDARD_TOLERANCE = Tolerance(0.05)
_SHIFT = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(sd|quantiles?)\s*")


def _shift(text: str) -> str:
    found = _SHIFT.fullmatch(text)
    if found is None:
        raise ValueError(
            'should be a valid number (a share of rows), or a text such as "0.2 sd" or "0.1 quantile"'
        )
    if found[2] != "sd" and float(found[1]) > 0.5:
        raise ValueError(
            "no shift is larger than 0.5 quantile: then every value is beyond the reference's largest"
        )
    return text


def _kind_of_tolerance(value: object) -> str:
    return "table" if isinstance(value, dict) else "text" if isinstance(value, str) else "number"


_OneTolerance = Annotated[
    Annotated[Share, Tag("number")] | Annotated[str, AfterValidator(_shift), Tag("text")],
    Discriminator(_kind_of_tolerance),
]


class Drift(Section):
    """What may be called drift."""

    tolerance: Annotated[
        Annotated[Share, Tag("number")]
        | Annotated[str, AfterValidator(_shift), Tag("text")]
        | Annotated[dict[str, _OneTolerance], Tag("table")],
        Discriminator(_kind_of_tolerance),
    ] = STANDARD_TOLERANCE.value
    share_tolerance: Share = 0.02

    def declared(self, feature: str) -> Tolerance:
        """The tolerance of one feature in its own unit."""
        found = self.tolerance
        if isinstance(found, dict):
            found = found.get(feature, found.get("default", STANDARD_TOLERANCE.value))
        if not isinstance(found, str):
            return Tolerance(found)
        shift = _SHIFT.fullmatch(found)
        if shift is None:
            raise ValueError(f"{found} is no tolerance")
        return Tolerance(float(shift[1]), "sd" if shift[2] == "sd" else "quantile")

    def tolerance_of(self, feature: str) -> float:
        """The tolerance of one feature as total variation; the standard one where it is a shift of numbers."""
        declared = self.declared(feature)
        return declared.value if declared.unit == "share" else STANDARD_TOLERANCE.value
