"""What was planned: arms with their shares, and the metrics with what each is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from analytics.experiments.rows import Direction, Kind, MetricFacts, Role
from analytics.project import Boundary, Correction, Crossed, Prior, Stopping

_ORDER: tuple[Role, ...] = ("primary", "guardrail", "secondary")


@dataclass(frozen=True)
class RampPhase:
    """A stretch of a ramp: from an instant on, with planned shares (normalised)."""

    start: datetime
    shares: Mapping[str, float]


@dataclass(frozen=True)
class MetricDesign:
    """One metric of an experiment.

    Attributes:
        name: in the project file.
        kind, direction, role: as declared.
        definition: the expression and window in words.
        means, logged_as: as declared; None where not.
        margin: of a guardrail, harm that is still accepted, relative to the control mean.
        margin_absolute: the same in the metric's own units; at most one of the two is given, and without both
            the margin is 0.
        has_covariate: whether it is adjusted by a value from before the experiment (CUPED) as well.
        quantile: which one, of kind ``quantile``.
        smallest_lift, smallest_difference: the smallest effect that matters, relative or in the metric's units; at
            most one of the two.
        keeps_growing: whether the values of units grow as long as the experiment runs (rows over time, no window).
        steps: of a funnel, as declared.
        of_totals: whether only totals of events are known, and nothing of single units.
    """

    name: str
    kind: Kind
    direction: Direction = "up"
    role: Role = "primary"
    definition: str = ""
    means: str | None = None
    logged_as: str | None = None
    margin: float | None = None
    margin_absolute: float | None = None
    has_covariate: bool = False
    quantile: float | None = None
    smallest_lift: float | None = None
    smallest_difference: float | None = None
    keeps_growing: bool = False
    steps: tuple[str, ...] = ()
    of_totals: bool = False

    @property
    def facts(self) -> MetricFacts:
        """What is shown wherever its number is."""
        return MetricFacts(
            self.name,
            self.kind,
            self.direction,
            self.role,
            self.definition,
            self.means,
            self.logged_as,
            self.margin,
            self.margin_absolute,
            self.quantile,
            self.smallest_lift,
            self.smallest_difference,
        )


@dataclass(frozen=True)
class Design:
    """One experiment.

    Attributes:
        name: None for numbers typed by hand.
        control: the arm the others are compared with.
        shares: arm -> planned share, in declared order; they need not add up to 1.
        alpha: the chance of a false alarm that is accepted, for the whole family.
        metrics: what is measured.
        early: why this is a look before the planned end, in a sentence; None where it is not one.
        stopping: when one may stop.
        planned_units: of all arms; None where not declared.
        looks: of a group-sequential design, as shares of the planned units.
        boundary, boundary_power: of a group-sequential design.
        ended: whether the declared end has passed; None where none is declared.
        one_sided: whether only a change for the better can win.
        correction: over primary and secondary metrics of all arms.
        crossed, crossed_limit: what becomes of units seen in several arms, and how many there may be.
        phases: of a ramp, ascending; none without one.
        strata: stratum -> planned shares (normalised), where they differ by it.
        post_stratify: whether strata adjust the estimate as covariates do.
        prior: what is believed of effects beforehand.
        methods: other methods that were asked for by name.
        power: wanted, to show an effect that matters.
    """

    name: str | None
    control: str
    shares: Mapping[str, float]
    alpha: float = 0.05
    metrics: tuple[MetricDesign, ...] = ()
    early: str | None = None
    stopping: Stopping = "fixed"
    planned_units: int | None = None
    looks: tuple[float, ...] = ()
    boundary: Boundary = "lan-demets-obrien-fleming"
    boundary_power: float = 3.0
    ended: bool | None = None
    one_sided: bool = False
    correction: Correction = "holm"
    crossed: Crossed = "first"
    crossed_limit: float = 0.01
    phases: tuple[RampPhase, ...] = ()
    strata: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    post_stratify: bool = False
    prior: Prior = field(default_factory=Prior)
    methods: tuple[str, ...] = ()
    power: float = 0.8

    @property
    def variants(self) -> tuple[str, ...]:
        """The arms but the control, in declared order."""
        return tuple(arm for arm in self.shares if arm != self.control)

    @property
    def ordered_metrics(self) -> tuple[MetricDesign, ...]:
        """The metrics in the order in which they are read: primary, guardrails, secondary."""
        return tuple(sorted(self.metrics, key=lambda metric: _ORDER.index(metric.role)))

    @property
    def planned(self) -> dict[str, float]:
        """Arm -> planned share, normalised."""
        total = sum(self.shares.values())
        return {arm: share / total for arm, share in self.shares.items()}
