"""Result rows of the drift family; the fields are the contract's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.results import Status

Role = Literal["feature", "score", "decision", "label"]
Kind = Literal["numeric", "categorical", "boolean"]


@dataclass(frozen=True)
class DriftRow:
    """One feature (or score, decision, label) of one window and version against the reference.

    Attributes:
        independence: what the tests take as independent: rows, or blocks of time.
        n_expected_by_chance: false alarms to expect from this cell when nothing has drifted; add them up over cells.
        n_effective: how many independent rows the window's rows are worth.
        total_variation_by_chance: mean total variation under no drift at this n.
        tolerance: what is tolerated, in its own unit.
        tolerance_unit: ``share`` of rows that moved (total variation), ``sd`` (shift by so many standard deviations of
            the reference) or ``quantile`` (see `shift_quantiles`).
        tolerance_share: the share of rows that the tolerated shift of the reference moves on this field's bins.
        shift_sd: (mean of the window - mean of the reference) / standard deviation of the reference, finite values.
        shift_quantiles: P(a window's value is the larger) + P(equal) / 2 - 1/2 by bins, -.5 to .5: so much higher in
            the reference, as a quantile, a value of the window stands on average.
        p_beyond_tolerance: p-value of "the shift is at most the tolerated one"; small where it is surely more.
        unseen_rate_by_chance: share of rows expected to hold a value new to the reference under no drift.
        against: what the window is compared with: ``reference``, ``previous``, ``last-week``, ``version=NAME`` or
            ``segment=COLUMN=VALUE``; `n_reference` and `missing_rate_reference` are those of that side.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    reference_version: str | None
    feature: str
    role: Role
    kind: Kind
    n_reference: int
    n: int
    psi: float | None
    js_distance: float | None
    ks: float | None
    ks_bound: float | None
    wasserstein: float | None
    total_variation: float | None
    tolerance: float
    noise_floor: float | None
    independence: Literal["rows", "units", "blocks"] | None
    p_value: float | None
    p_adjusted: float | None
    missing_rate: float | None
    missing_rate_reference: float | None
    unseen_rate: float | None
    drifted: bool | None
    status: Status
    reason: str | None
    n_expected_by_chance: float | None = None
    n_effective: float | None = None
    total_variation_by_chance: float | None = None
    unseen_rate_by_chance: float | None = None
    tolerance_unit: Literal["share", "sd", "quantile"] = "share"
    tolerance_share: float | None = None
    shift_sd: float | None = None
    shift_quantiles: float | None = None
    p_beyond_tolerance: float | None = None
    against: str = "reference"


@dataclass(frozen=True)
class HistogramRow:
    """One bin of a feature, in the reference and in the window, as shares of all rows of each side.

    Attributes:
        bin: name of the bin: an interval ``[a, b)``, a category, ``(missing)``, ``(unseen)``, ``inf`` or ``-inf``.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    reference_version: str | None
    feature: str
    bin: str
    bin_low: float | None
    bin_high: float | None
    n_reference: int
    n: int
    share_reference: float | None
    share: float | None
