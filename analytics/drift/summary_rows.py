"""Result rows of the input distribution; the fields are the contract's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analytics.drift.rows import Kind, Role
from analytics.results import Status
from analytics.stats.blocks import Independence


@dataclass(frozen=True)
class FeatureRow:
    """One feature (or score, decision, label) of one window, version and group: what it is like.

    Attributes:
        group: what the rows are split by: ``label``, ``decision``, ``outcome`` or a segment; None where they are not.
        group_value: which part; ``(missing)`` where a row has none.
        n: rows; of the label, those that have one.
        missing_rate: share of rows without a value (null, NaN, the empty text); None for the label, which is late.
        infinite_rate: share of rows with an infinite one; numeric only.
        mean: of the finite values; numeric only, as standard_deviation and the quantiles.
        p05: order statistic: the smallest value not exceeded by 5 % of the finite ones.
        top_value: the most frequent finite value, the first of equals.
        top_share: its share of all rows.
        n_values: how many different finite values there are.
        independence: what the interval of the mean took as independent; where there is no mean, that of missing_rate.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    group: str | None
    group_value: str | None
    feature: str
    role: Role
    kind: Kind
    n: int
    missing_rate: float | None
    missing_rate_ci_low: float | None
    missing_rate_ci_high: float | None
    infinite_rate: float | None
    mean: float | None
    mean_ci_low: float | None
    mean_ci_high: float | None
    standard_deviation: float | None
    p05: float | None
    p50: float | None
    p95: float | None
    top_value: str | None
    top_share: float | None
    n_values: int | None
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class GroupBinRow:
    """One bin of a feature in one group, as a share of all rows of the group.

    Attributes:
        bin: name of the bin: an interval ``[a, b)``, a value, ``(other)``, ``(missing)``, ``inf`` or ``-inf``.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    group: str | None
    group_value: str | None
    feature: str
    bin: str
    bin_low: float | None
    bin_high: float | None
    n: int
    share: float | None
