"""The tables of a project file that describe experiments: their logs, metrics as code, and what was planned."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from analytics.project.base import Duration, Moment, Name, Names, Number, Paths, Section, keep_truth

MetricKind = Literal["mean", "proportion", "ratio", "count", "quantile", "retention", "funnel"]
MetricSource = Literal["events", "predictions", "units", "series", "counts"]
ModelMetric = Literal[
    "log_loss", "brier_score", "accuracy", "absolute_error", "squared_error", "error_rate", "latency"
]
"""What a model's own rows can be measured by, without an expression."""
SHARES: frozenset[str] = frozenset({"proportion", "retention", "funnel"})
"""Kinds of metric whose value is yes or no for every unit."""
Stopping = Literal["fixed", "group-sequential", "always-valid", "bayesian"]
Boundary = Literal["obrien-fleming", "pocock", "lan-demets-obrien-fleming", "lan-demets-pocock", "power"]
Correction = Literal["holm", "bh", "fixed-sequence", "none"]
Crossed = Literal["first", "leave_out"]
OpenWindows = Literal["include", "leave_out"]
RESERVED_METRICS = ("srm",)
"""Names of records that are no metrics."""
SHARES_TOLERANCE = 0.01
MOST_UNITS = 10**12
"""More are nowhere, and records hold whole numbers of 64 bits."""
LEAST_ALPHA = 1e-9
"""Below it the quantiles of corrected intervals are infinite."""
LEAST_BELIEVED, MOST_BELIEVED = 1e-6, 1e9
"""Beyond, a prior's numbers cannot be told from 0 or infinity beside those of the logs."""

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
    segments: Names = ()


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
    stratum: Name | None = None
    segments: Names = ()


class Counts(Section):
    """A table with one row an arm, where nothing else is known of an experiment."""

    path: Paths
    variant: Name
    units: Name
    experiment: Name | None = None


class Series(Section):
    """A log of other numbers over time: one row a name and instant."""

    path: Paths
    timestamp: Name
    name: Name
    value: Name


class Metric(Section):
    """A number of every unit, as code.

    Attributes:
        kind: what is made of the rows of a unit, and how arms are compared.
        value: the expression over one row; a ratio has ``numerator`` and ``denominator``, a funnel ``steps``.
        model: a measure of the model itself over rows of predictions, instead of an expression.
        series: the name of a series, where ``source`` is ``series``.
        quantile: which one, of kind ``quantile``.
        after: rows count only from so long after the unit's first exposure on.
        window: until so long after the unit's first exposure; until the end where left out.
        half_life: a row counts half as much for every such stretch of time between exposure and row.
        standard_deviation: column with that of the units' values, where ``source`` is ``counts``.
        covariate: columns of the units with values from before the experiment.
        smallest_lift, smallest_difference: the smallest effect that matters, relative or in the metric's units.
        target: where the metric should be, drawn on the Metrics page.
    """

    kind: MetricKind
    value: Name | None = None
    numerator: Name | None = None
    denominator: Name | None = None
    steps: Names = ()
    model: ModelMetric | None = None
    series: Name | None = None
    quantile: _Open | None = None
    source: MetricSource | None = None
    standard_deviation: Name | None = None
    covariate: Names = ()
    direction: Literal["up", "down"] = "up"
    after: Duration | None = None
    window: Duration | None = None
    half_life: Duration | None = None
    smallest_lift: Annotated[Number, Field(gt=0)] | None = None
    smallest_difference: Annotated[Number, Field(gt=0)] | None = None
    target: Number | None = None
    winsorize: (
        _Open | tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(gt=0, le=1)]] | None
    ) = None
    means: str | None = None
    logged_as: str | None = None

    @model_validator(mode="after")
    def _expressions_fit_kind(self) -> Self:
        written: tuple[str, ...] = ("steps",) if self.kind == "funnel" else ("value",)
        if self.kind == "ratio":
            written = ("numerator", "denominator")
        if self.source == "series":
            written = () if self.series is not None and self.value is None else ("value",)
            if self.kind != "mean":
                raise ValueError('kind: a series is averaged over its readings; write kind = "mean"')
        if self.model is not None:
            written = ()
            if self.kind != "ratio" or self.source not in {None, "predictions"}:
                raise ValueError(
                    'model: is measured over predictions; write kind = "ratio" and no other source'
                )
        for name in ("value", "numerator", "denominator", "steps"):
            given = bool(getattr(self, name))
            if given and name not in written:
                raise ValueError(f"{name}: {self._instead(name)}")
            if not given and name in written:
                raise ValueError(f"{name}: {self._needed(name)}")
        return self

    def _instead(self, name: str) -> str:
        if self.model is not None:
            return "a metric of the model has no expression"
        if self.kind == "ratio":
            return "a ratio has a numerator and a denominator instead"
        if self.kind == "funnel":
            return "a funnel has steps instead"
        return f'belongs to kind = "{"funnel" if name == "steps" else "ratio"}" only'

    def _needed(self, name: str) -> str:
        if self.kind == "ratio":
            return "a ratio needs a numerator and a denominator"
        return "a funnel needs two steps or more" if name == "steps" else f"a {self.kind} needs one"

    @model_validator(mode="after")
    def _keys_fit_kind(self) -> Self:
        if self.kind == "funnel" and len(self.steps) < 2:
            raise ValueError("steps: a funnel needs two steps or more")
        if (self.quantile is None) == (self.kind == "quantile"):
            raise ValueError(
                "quantile: says which one, such as 0.9"
                if self.quantile is None
                else 'quantile: belongs to kind = "quantile" only'
            )
        if self.kind in {*SHARES, "quantile"} and self.winsorize is not None:
            raise ValueError(f"winsorize: a {self.kind} has no tails to cut")
        if self.kind in {*SHARES, "quantile"} and self.half_life is not None:
            raise ValueError(f"half_life: a {self.kind} is no sum of which later rows could count less")
        if isinstance(self.winsorize, tuple) and self.winsorize[0] >= self.winsorize[1]:
            raise ValueError("winsorize: the lower quantile must be below the upper one")
        if self.after is not None and self.window is not None and self.after >= self.window:
            raise ValueError(
                "after: must be shorter than the window; both are counted from the first exposure"
            )
        if self.kind == "retention" and self.window is None:
            raise ValueError(
                'window: a retention needs to know until when a unit may come back, such as "14 days"'
            )
        if self.smallest_lift is not None and self.smallest_difference is not None:
            raise ValueError("smallest_lift: give either smallest_lift or smallest_difference")
        if self.series is not None and self.source != "series":
            raise ValueError('series: belongs to source = "series" only')
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


class Phase(Section):
    """A stretch of a ramp: the planned shares from its start until the next phase's."""

    start: Moment
    variants: _Shares

    @property
    def shares(self) -> dict[str, float]:
        """Planned shares by arm, normalised to sum to 1."""
        total = sum(self.variants.values())
        return {name: share / total for name, share in self.variants.items()}


class Prior(Section):
    """What is believed of an effect before the experiment: normal about 0 for a lift, a beta for every share.

    Attributes:
        lift: standard deviation of the lift; None for no belief at all.
        successes, failures: pseudo-counts of a share.
    """

    lift: Annotated[Number, Field(ge=LEAST_BELIEVED, le=MOST_BELIEVED)] | None = None
    successes: Annotated[Number, Field(ge=LEAST_BELIEVED, le=MOST_BELIEVED)] | None = None
    failures: Annotated[Number, Field(ge=LEAST_BELIEVED, le=MOST_BELIEVED)] | None = None


class Experiment(Section):
    """One randomised comparison: its arms, what is looked at, and what was planned.

    Attributes:
        looks: of a group-sequential design: how many equally spaced ones, or the shares of ``planned_units``.
        boundary: of a group-sequential design; ``boundary_power`` is the exponent of ``power``.
        one_sided: whether only a change for the better can win; guardrails stay as they are.
        correction: over primary and secondary metrics of all arms.
        crossed: units seen in several arms stay in the first one, or are left out.
        crossed_limit: the share of crossed units above which nothing is concluded.
        open_windows: whether units whose metric window has not closed yet enter.
        post_stratify: whether strata adjust the estimate as covariates do.
        strata: stratum -> planned shares, where they differ by it.
    """

    control: Name
    variants: _Shares
    start: Moment | None = None
    end: Moment | None = None
    primary: Names = ()
    secondary: Names = ()
    guardrails: dict[Name, Guardrail] = Field(default_factory=dict)
    covariate: Duration | None = None
    alpha: Annotated[_Open, Field(ge=LEAST_ALPHA)] = 0.05
    power: _Open = 0.8
    planned_units: Annotated[int, Field(ge=2, le=MOST_UNITS)] | None = None
    stopping: Stopping = "fixed"
    looks: (
        Annotated[int, Field(ge=2, le=50, strict=True)] | tuple[Annotated[float, Field(gt=0, le=1)], ...]
    ) = 5
    boundary: Boundary = "lan-demets-obrien-fleming"
    boundary_power: Annotated[Number, Field(gt=0)] = 3.0
    one_sided: Annotated[bool, Field(strict=True)] = False
    correction: Correction = "holm"
    crossed: Crossed = "first"
    crossed_limit: _Open = 0.01
    open_windows: OpenWindows | None = None
    phases: tuple[Phase, ...] = ()
    strata: dict[Name, _Shares] = Field(default_factory=dict)
    post_stratify: Annotated[bool, Field(strict=True)] = False
    prior: Prior = Prior()

    @model_validator(mode="after")
    def _arms_make_sense(self) -> Self:
        if len(self.variants) < 2:
            raise ValueError("variants: an experiment needs at least two arms")
        if self.control not in self.variants:
            raise ValueError(
                f'control: "{self.control}" is not one of the variants: {", ".join(self.variants)}'
            )
        plans = [("variants", self.variants)]
        plans += [(f"phases[{i}].variants", phase.variants) for i, phase in enumerate(self.phases)]
        plans += [(f"strata.{name}", shares) for name, shares in self.strata.items()]
        for key, shares in plans:
            total = sum(shares.values())
            if abs(total - 1) > SHARES_TOLERANCE:
                raise ValueError(f"{key}: the planned shares sum to {total:g}, not to 1")
            if strangers := set(shares) - set(self.variants):
                raise ValueError(f'{key}: "{min(strangers)}" is not one of the variants')
        named = (*self.primary, *self.secondary, *self.guardrails)
        for name in named:
            if named.count(name) > 1:
                raise ValueError(f'primary: the metric "{name}" has two roles; give it one')
        return self

    @model_validator(mode="after")
    def _looks_make_sense(self) -> Self:
        if isinstance(self.looks, tuple):
            ascending = all(a < b for a, b in zip(self.looks, self.looks[1:], strict=False))
            if len(self.looks) < 2 or not ascending or self.looks[-1] != 1:
                raise ValueError("looks: shares of the planned units, ascending, the last one 1")
        if self.one_sided and self.stopping != "fixed":
            raise ValueError('one_sided: is computed for stopping = "fixed" only; remove one of the two')
        if self.stopping == "group-sequential" and self.planned_units is None:
            raise ValueError("planned_units: a group-sequential design needs to know how many are planned")
        return self

    @property
    def fractions(self) -> tuple[float, ...]:
        """Shares of the planned units at which a group-sequential design is looked at."""
        if isinstance(self.looks, tuple):
            return self.looks
        return tuple(k / self.looks for k in range(1, self.looks + 1))

    @property
    def leaves_open_windows_out(self) -> bool:
        """Whether only units whose metric window is complete enter."""
        if self.open_windows is not None:
            return self.open_windows == "leave_out"
        return self.stopping in {"group-sequential", "always-valid"}

    @property
    def shares(self) -> dict[str, float]:
        """Planned shares by arm, normalised to sum to 1."""
        total = sum(self.variants.values())
        return {name: share / total for name, share in self.variants.items()}
