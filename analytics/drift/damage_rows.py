"""Result rows of the view that sets drift against what quality depends on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.drift.rows import Kind
from analytics.results import Status
from analytics.stats.blocks import Independence

Method = Literal["attribution", "mutual_information"]
Quadrant = Literal["moved and matters", "moved, matters little", "steady, matters", "steady, matters little"]
MeasuredOn = Literal["window", "reference", "earlier predictions", "reference of another version"]


@dataclass(frozen=True)
class DamageRow:
    """How far one feature moved in one window, and how much depends on it.

    Attributes:
        total_variation: share of rows that would have to change to give the reference's distribution.
        beyond_chance: the same less its mean under no drift, never below 0.
        drifted: the verdict of drift feature by feature.
        method: logged attributions where the project names such columns, else mutual information with the row's loss.
        value: attribution: its share of the mean absolute attribution of all features; mutual information: bits.
        least: what value must reach to matter.
        p_value: mutual information against exchanged blocks; None for attributions.
        matters: whether the value reaches ``least`` and is beyond chance.
        measured_on: the rows the value is from; never rows of the window where labels come in.
        n: rows the value is from.
        quadrant: both verdicts in words; None where one is missing.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    reference_version: str | None
    feature: str
    kind: Kind
    total_variation: float | None
    beyond_chance: float | None
    drifted: bool | None
    method: Method
    value: float | None
    ci_low: float | None
    ci_high: float | None
    by_chance: float | None
    p_value: float | None
    p_adjusted: float | None
    least: float
    matters: bool | None
    measured_on: MeasuredOn | None
    n: int
    independence: Independence | None
    quadrant: Quadrant | None
    status: Status
    reason: str | None
