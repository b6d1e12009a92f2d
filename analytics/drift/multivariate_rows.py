"""Result rows of drift over many columns at once, and of texts and embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from analytics.results import Status
from analytics.stats.blocks import Independence

Method = Literal["domain_classifier", "reconstruction_error"]
What = Literal["features", "text", "embedding"]


@dataclass(frozen=True)
class MultivariateRow:
    """One window and version against the reference, many columns at once, by one method.

    Attributes:
        feature: the text or embedding column; None for all features together.
        kind: what was looked at.
        value: area under the curve of the classifier, or mean reconstruction error.
        null_mean: what a window without drift gives on average.
        null_low: where 95 % of windows without drift lie; None for the classifier, which looks upwards only.
        null_high: the other end.
        effect: classifier: the least share of rows that must have moved; reconstruction error: its relative change.
        tolerance: the smallest effect that may be called drift.
        n: rows of the window.
        n_reference: rows of the reference.
        n_sampled: rows of the window that were looked at.
        n_sampled_reference: rows of the reference that were looked at.
        n_missing: sampled rows of the window without a text, or without an embedding of the usual length.
        n_missing_reference: the same of the reference.
        n_features: columns looked at together.
        n_components: principal components kept.
        n_draws: permutations, or stretches of the reference, that the null comes from.
        blocks: blocks of time in the window.
        blocks_reference: blocks of time in the reference.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    reference_version: str | None
    feature: str | None
    kind: What
    method: Method
    value: float | None
    ci_low: float | None
    ci_high: float | None
    null_mean: float | None
    null_low: float | None
    null_high: float | None
    p_value: float | None
    p_adjusted: float | None
    effect: float | None
    effect_ci_low: float | None
    effect_ci_high: float | None
    tolerance: float
    drifted: bool | None
    n: int
    n_reference: int
    n_sampled: int
    n_sampled_reference: int
    n_missing: int
    n_missing_reference: int
    n_features: int
    n_components: int | None
    n_draws: int | None
    blocks: int
    blocks_reference: int
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class CarrierRow:
    """How much of the classifier's area one feature carries.

    Attributes:
        value: area lost when the feature's values are shuffled over the rows.
        auc_alone: area of a classifier that sees this feature only.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    reference_version: str | None
    feature: str
    rank: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    auc_alone: float | None
    auc_alone_ci_low: float | None
    auc_alone_ci_high: float | None
    auc: float | None
    n_sampled: int
    n_sampled_reference: int
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class NewRow:
    """A row of the window that looks least like the reference.

    Attributes:
        reference_beyond: share of the reference's sampled rows that look newer still.
        columns: its logged columns, private ones masked.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    rank: int
    id: str | None
    timestamp: datetime
    reference_beyond: float
    file: str
    row: int
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProfileRow:
    """One plain measure of a text or embedding column, in the window and in the reference.

    Attributes:
        measure: characters, tokens, share of digits, …; of an embedding its norm; ``missing`` for both.
        value: mean over the window.
        value_reference: mean over the reference.
        difference: window minus reference, with its interval.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    reference_version: str | None
    feature: str
    kind: What
    measure: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    value_reference: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    n: int
    n_reference: int
    n_sampled: int
    n_sampled_reference: int
    independence: Independence | None
    status: Status
    reason: str | None
