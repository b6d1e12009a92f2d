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
        unseen_rate_by_chance: share of rows expected to hold a value new to the reference under no drift.
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
