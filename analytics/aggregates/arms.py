"""Moments of an experiment's metrics by arm, day of first exposure and cluster: aggregates that add.

A cell is one (variant, day, cluster). It holds the count, the means and the co-moments of the metric's columns
over its units; cells are merged by the parallel formulas (Chan, Golub and LeVeque, 1983), all of an arm at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.daily_split import DailySplit
from analytics.aggregates.log_state import LogState
from analytics.aggregates.observations import Observations
from analytics.stats.moments import Comoments

Floats = NDArray[np.float64]
Key = TypeVar("Key", np.str_, np.int64)
VALUE = ("value",)
RATIO = ("numerator", "denominator")
COVARIATE = ("covariate",)
RATIO_COVARIATE = ("covariate_numerator", "covariate_denominator")


@dataclass(frozen=True, eq=False)
class ArmMoments:
    """Moments of one metric over units, cell by cell.

    Attributes:
        columns: of the metric, in the order of the moments: `VALUE` or `RATIO`, then, with a covariate, `COVARIATE` or
            (looked back for a ratio) `RATIO_COVARIATE`.
        variants: arm of each cell, shape (R,).
        days: local day of first exposure of each cell, shape (R,), dtype datetime64[D]; NaT where unknown.
        clusters: number of each cell's cluster, shape (R,); None without clusters.
        n: units, shape (R,).
        means: shape (R, K).
        comoments: sums of products of deviations from the cell's means, shape (R, K, K).
        missing: arm -> units left out because their value is null or no finite number.
        strata: stratum (or value of a segment) of each cell, shape (R,); None without strata.
        phases: number of each cell's phase of a ramp, shape (R,), -1 before the first; None without phases.
        invalid: units whose value is no share where a share is declared; None where nothing is declared.
    """

    columns: tuple[str, ...]
    variants: NDArray[np.str_]
    days: NDArray[np.datetime64]
    clusters: NDArray[np.int64] | None
    n: Floats
    means: Floats
    comoments: Floats
    missing: Mapping[str, int] = field(default_factory=dict)
    invalid: int = 0
    strata: NDArray[np.str_] | None = None
    phases: NDArray[np.int64] | None = None

    @property
    def clustered(self) -> bool:
        """Whether units come in clusters."""
        return self.clusters is not None

    @property
    def known_days(self) -> tuple[date, ...]:
        """The days of first exposure, ascending; empty where exposures carry no time."""
        return tuple(np.unique(self.days[~np.isnat(self.days)]).astype(object))

    def count(self, variant: str) -> int:
        """Units of an arm that enter."""
        return int(self.n[self.variants == variant].sum())

    def until(self, day: date) -> ArmMoments:
        """The units first exposed up to and including a day."""
        return self.only(self.days <= np.datetime64(day))

    def of(self, *variants: str) -> ArmMoments:
        """The cells of some arms."""
        return self.only(np.isin(self.variants, variants))

    def of_stratum(self, name: str) -> ArmMoments:
        """The cells of one stratum, or of one value of a segment."""
        if self.strata is None:
            raise ValueError("these units come in no strata")
        return self.only(self.strata == name)

    def of_phase(self, number: int) -> ArmMoments:
        """The cells of one phase."""
        if self.phases is None:
            raise ValueError("these units come in no phases")
        return self.only(self.phases == number)

    def arm(self, variant: str) -> Comoments:
        """The moments of one arm, its cells merged; all 0 for an arm without units."""
        return merged(self.n, self.means, self.comoments, self.variants == variant)

    def by_cluster(self, variant: str, numbers: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Units and means of one arm in each of some clusters.

        Args:
            variant: the arm.
            numbers: of clusters, ascending and unique, shape (G,).

        Returns:
            Units, shape (G,), and means, shape (G, K), 0 where the arm has no unit in the cluster.
        """
        if self.clusters is None:
            raise ValueError("these units come in no clusters")
        chosen = (self.variants == variant) & np.isin(self.clusters, numbers)
        place = np.searchsorted(numbers, self.clusters[chosen])
        n = np.bincount(place, self.n[chosen], len(numbers)).astype(np.float64)
        means = np.zeros((len(numbers), len(self.columns)))
        for k in range(len(self.columns)):
            # about the first cell's mean, so that a large mean loses no digits
            centre = self.means[chosen, k][0] if chosen.any() else 0.0
            total = np.bincount(place, self.n[chosen] * (self.means[chosen, k] - centre), len(numbers))
            means[:, k] = np.where(n > 0, centre + total / np.maximum(n, 1), 0.0)
        return n, means

    def __add__(self, other: ArmMoments) -> ArmMoments:
        """The cells of disjoint sets of units together."""
        if self.columns != other.columns or self.clustered != other.clustered:
            raise ValueError("only moments of the same columns add")
        both = _together(self.clusters, other.clusters)
        arms = dict.fromkeys((*self.missing, *other.missing))
        return ArmMoments(
            self.columns,
            np.concatenate([self.variants, other.variants]),
            np.concatenate([self.days, other.days]),
            both,
            np.concatenate([self.n, other.n]),
            np.concatenate([self.means, other.means]),
            np.concatenate([self.comoments, other.comoments]),
            {arm: self.missing.get(arm, 0) + other.missing.get(arm, 0) for arm in arms},
            self.invalid + other.invalid,
            _together(self.strata, other.strata),
            _together(self.phases, other.phases),
        )

    def only(self, chosen: NDArray[np.bool_]) -> ArmMoments:
        """Some of the cells."""
        return ArmMoments(
            self.columns,
            self.variants[chosen],
            self.days[chosen],
            None if self.clusters is None else self.clusters[chosen],
            self.n[chosen],
            self.means[chosen],
            self.comoments[chosen],
            self.missing,
            self.invalid,
            None if self.strata is None else self.strata[chosen],
            None if self.phases is None else self.phases[chosen],
        )

    @classmethod
    def from_values(
        cls,
        columns: tuple[str, ...],
        values: Mapping[str, Floats],
        *,
        clusters: Mapping[str, NDArray[np.int64]] | None = None,
    ) -> ArmMoments:
        """The moments of units given one by one: arm -> values of shape (n,) or (n, K)."""
        parts: list[tuple[str, int, Comoments]] = []
        for variant, given in values.items():
            table = np.asarray(given, dtype=np.float64).reshape(len(given), len(columns))
            numbers = np.zeros(len(table), np.int64) if clusters is None else clusters[variant]
            parts.extend(
                (variant, int(number), Comoments.from_values(table[numbers == number]))
                for number in np.unique(numbers)
            )
        return cls(
            columns,
            np.array([variant for variant, _, _ in parts], dtype=np.str_),
            np.full(len(parts), np.datetime64("NaT"), dtype="datetime64[D]"),
            None if clusters is None else np.array([number for _, number, _ in parts], dtype=np.int64),
            np.array([part.n for _, _, part in parts], dtype=np.float64),
            np.array([part.means for _, _, part in parts]).reshape(len(parts), len(columns)),
            np.array([part.comoments for _, _, part in parts]).reshape(
                len(parts), len(columns), len(columns)
            ),
        )


def _together(one: NDArray[Key] | None, other: NDArray[Key] | None) -> NDArray[Key] | None:
    return None if one is None or other is None else np.concatenate([one, other])


def merged(n: Floats, means: Floats, comoments: Floats, chosen: NDArray[np.bool_]) -> Comoments:
    """Many cells as one."""
    n, means, comoments = n[chosen], means[chosen], comoments[chosen]
    total = float(n.sum())
    k = means.shape[1]
    if not total:
        return Comoments(0.0, 0.0, 0.0, np.zeros(k), np.zeros((k, k)))
    mean = means[0] + (n[:, None] * (means - means[0])).sum(axis=0) / total
    gaps = means - mean
    return Comoments(total, total, total, mean, comoments.sum(axis=0) + (gaps * n[:, None]).T @ gaps)


@dataclass(frozen=True, eq=False)
class UnitValues:
    """Values of single units of two arms, for methods that need them; a seeded sample where there are many.

    Attributes:
        variants: of each unit, shape (n,).
        values: the metric's columns as in `ArmMoments`, shape (n, K).
        n_units: how many units there are in all.
    """

    variants: NDArray[np.str_]
    values: Floats
    n_units: int


@dataclass(frozen=True, eq=False)
class MetricAggregates:
    """Everything read about one metric.

    Attributes:
        name: of the metric.
        moments: unadjusted, winsorised where declared.
        with_covariate: the same units with the covariate's columns; None where none is declared.
        bins: arm -> units by bin of `edges`; the first and last bin are open.
        edges: inner edges of the bins, ascending, shape (B - 1,).
        values: of single units where an arm is small; None otherwise.
        n_imputed: units without a covariate, which got the mean of the others.
        n_active: arm -> units with any row of the metric's source after their first exposure; None where the source has
            one row a unit.
        skewness: arm -> skewness of its units' values (of a ratio, linearised at the ratio of all arms together); arms
            without variation have none.
        segments: segment -> moments whose strata are the segment's values (with the covariate, where there is one);
            empty unless the reading asked for them.
        caps: column -> (low, high) it was winsorised at; None on a side that was not.
        n_rows_left_out: rows of events or predictions whose value is no finite number.
        n_open_window: units whose window had not closed at the end of the logs.
        open_windows: the same by arm.
        leaves_open_out: whether these do not enter.
        n_early: arm -> units with a row that would have counted, had it not come between the start of the experiment
            and their first exposure.
        n_rows_waiting: rows that will count once their label is there.
        steps: of a funnel, whether units took each step (a column a step); None for any other kind.
        uncapped: the moments without winsorising; None where nothing is cut.
        before: the same units' values from before their first exposure, where these only tell whether the arms were
            alike; None where none are read, or `with_covariate` has them.
        pairs: where units come in pairs: moments over the pairs of each arm with the control that are complete, the
            columns of the arm's unit (with the covariate, where there is one) and then those of the control's; its
            ``missing`` are units of incomplete pairs.
        observations: values one by one, of kind ``quantile`` or where the reading asks for them; None otherwise.
    """

    name: str
    moments: ArmMoments
    with_covariate: ArmMoments | None = None
    bins: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    edges: Floats = field(default_factory=lambda: np.zeros(0))
    values: UnitValues | None = None
    n_imputed: int = 0
    caps: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    n_rows_left_out: int = 0
    n_open_window: int = 0
    skewness: Mapping[str, float] = field(default_factory=dict)
    n_active: Mapping[str, int] | None = None
    segments: Mapping[str, ArmMoments] = field(default_factory=dict)
    open_windows: Mapping[str, int] = field(default_factory=dict)
    leaves_open_out: bool = False
    n_early: Mapping[str, int] = field(default_factory=dict)
    n_rows_waiting: int = 0
    steps: ArmMoments | None = None
    uncapped: ArmMoments | None = None
    before: ArmMoments | None = None
    pairs: ArmMoments | None = None
    observations: Observations | None = None


@dataclass(frozen=True)
class Counts:
    """Units by arm in each of some groups.

    Attributes:
        groups: days (ISO, ascending) or values.
        n: arm -> units by group, one number a group.
    """

    groups: tuple[str, ...] = ()
    n: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """How units, or clusters, fell on the arms, and what was left out.

    Attributes:
        n: arm -> units whose first arm it is; declared arms only, in declared order.
        clusters: arm -> clusters, where every cluster lies in one arm (so clusters were randomised); None otherwise.
        n_clusters: of all arms; None without clusters.
        by_day: the same by local day of first exposure; empty where exposures carry no time.
        by_segment: segment -> the same by its value, the most frequent first.
        daily: units, or clusters where these were randomised, by arm, day, stratum and phase.
        n_multiple, n_unknown, unknown, n_outside, n_future, n_rows_left_out: as in `analytics.experiments.rows.Health`.
        crossed: arm -> units that saw it first and another one later.
        leaves_crossed_out: whether these are in none of the other numbers.
        n_before_start: of the exposures outside, those before the start.
        by_stratum: stratum -> arm -> the same, where exposures carry no time; `daily` tells it where they do.
    """

    n: Mapping[str, int]
    clusters: Mapping[str, int] | None = None
    n_clusters: int | None = None
    n_multiple: int = 0
    n_unknown: int = 0
    unknown: tuple[tuple[str, int], ...] = ()
    n_outside: int = 0
    n_rows_left_out: int = 0
    n_future: int = 0
    by_day: Counts = field(default_factory=Counts)
    by_segment: Mapping[str, Counts] = field(default_factory=dict)
    daily: DailySplit = field(default_factory=DailySplit)
    crossed: Mapping[str, int] = field(default_factory=dict)
    leaves_crossed_out: bool = False
    n_before_start: int = 0
    by_stratum: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ExperimentAggregates:
    """One reading of an experiment's logs.

    Attributes:
        split: of the units.
        metrics: in the order of the reading.
        sql: the texts that scanned.
        damage: what of the log files could not be read, a sentence each.
        logs: the state of the logs themselves.
    """

    split: Split
    metrics: tuple[MetricAggregates, ...]
    sql: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()
    logs: LogState = field(default_factory=LogState)
