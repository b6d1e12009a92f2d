"""The tables of a project file that describe experiments: their logs, metrics as code, and what was planned."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from analytics.project.base import Duration, Moment, Name, Names, Number, Paths, Section, keep_truth

MetricKind = Literal["mean", "proportion", "ratio"]
LATER_KINDS = ("count", "quantile", "retention")
MetricSource = Literal["events", "predictions", "units"]
LATER_SOURCES = ("series",)
RESERVED_METRICS = ("srm",)
"""Names of records that are no metrics."""
SHARES_TOLERANCE = 0.01

_Open = Annotated[float, BeforeValidator(keep_truth), Field(allow_inf_nan=False, strict=True, gt=0, lt=1)]
_Shares = dict[Name, Annotated[float, BeforeValidator(keep_truth), Field(allow_inf_nan=False, ge=0)]]


class Exposures(Section):
    """A log of who saw which variant; the first exposure of a unit counts."""

    path: Paths
    unit: Name
    variant: Name
    timestamp: Name
    experiment: Name | None = None
    stratum: Name | None = None


class Events(Section):
    """A log of what units did."""

    path: Paths
    unit: Name
    timestamp: Name


class Units(Section):
    """A table with one row a unit; where exposures are logged too, it only adds columns to their units."""

    path: Paths
    unit: Name
    variant: Name | None = None
    experiment: Name | None = None
    timestamp: Name | None = None
    cluster: Name | None = None
    pair: Name | None = None


class Metric(Section):
    """A number of every unit, as code."""

    kind: MetricKind
    value: Name | None = None
    numerator: Name | None = None
    denominator: Name | None = None
    source: MetricSource | None = None
    covariate: Name | None = None
    direction: Literal["up", "down"] = "up"
    window: Duration | None = None
    winsorize: (
        _Open | tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(gt=0, le=1)]] | None
    ) = None
    means: str | None = None
    logged_as: str | None = None

    @model_validator(mode="after")
    def _expressions_fit_kind(self) -> Self:
        if self.kind == "ratio":
            for name in ("numerator", "denominator"):
                if getattr(self, name) is None:
                    raise ValueError(f"{name}: a ratio needs a numerator and a denominator")
            if self.value is not None:
                raise ValueError("value: a ratio has a numerator and a denominator instead")
        elif self.value is None:
            raise ValueError(f"value: a {self.kind} needs one")
        elif self.numerator is not None or self.denominator is not None:
            raise ValueError(
                f'{"numerator" if self.numerator else "denominator"}: belongs to kind = "ratio" only'
            )
        if self.kind == "proportion" and self.winsorize is not None:
            raise ValueError("winsorize: a proportion has no tails to cut")
        if isinstance(self.winsorize, tuple) and self.winsorize[0] >= self.winsorize[1]:
            raise ValueError("winsorize: the lower quantile must be below the upper one")
        return self

    @property
    def expressions(self) -> dict[str, str]:
        """Column of the unit's row -> expression, for all that are declared."""
        written = {"value": self.value, "numerator": self.numerator, "denominator": self.denominator}
        return {name: text for name, text in written.items() if text is not None}


class Guardrail(Section):
    """How much worse is still safe: relative to the control, or in the metric's units; 0 where nothing is said."""

    margin: Annotated[Number, Field(ge=0)] | None = None
    margin_absolute: Annotated[Number, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _one_margin(self) -> Self:
        if self.margin is not None and self.margin_absolute is not None:
            raise ValueError("margin: give either margin or margin_absolute")
        return self


class Experiment(Section):
    """One randomised comparison: its arms, what is looked at, and what was planned."""

    control: Name
    variants: _Shares
    start: Moment | None = None
    end: Moment | None = None
    primary: Names = ()
    secondary: Names = ()
    guardrails: dict[Name, Guardrail] = Field(default_factory=dict)
    covariate: Duration | None = None
    alpha: _Open = 0.05
    power: _Open = 0.8
    planned_units: Annotated[int, Field(ge=2)] | None = None
    stopping: Any = "fixed"
    phases: Any = None

    @model_validator(mode="after")
    def _arms_make_sense(self) -> Self:
        if len(self.variants) < 2:
            raise ValueError("variants: an experiment needs at least two arms")
        if self.control not in self.variants:
            raise ValueError(
                f'control: "{self.control}" is not one of the variants: {", ".join(self.variants)}'
            )
        total = sum(self.variants.values())
        if abs(total - 1) > SHARES_TOLERANCE:
            raise ValueError(f"variants: the planned shares sum to {total:g}, not to 1")
        named = (*self.primary, *self.secondary, *self.guardrails)
        for name in named:
            if named.count(name) > 1:
                raise ValueError(f'primary: the metric "{name}" has two roles; give it one')
        return self

    @property
    def shares(self) -> dict[str, float]:
        """Planned shares by arm, normalised to sum to 1."""
        total = sum(self.variants.values())
        return {name: share / total for name, share in self.variants.items()}
