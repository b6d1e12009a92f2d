"""How much quality depends on each feature: what it tells of the row's loss, or what share of attributions it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from analytics.drift.damage_rows import DamageRow, MeasuredOn, Method, Quadrant
from analytics.drift.rows import DriftRow
from analytics.results import Status
from analytics.stats.blocks import Independence, block_variance, largest_variance, unit_variance
from analytics.stats.multiplicity import benjamini_hochberg
from analytics.stats.mutual_information import dependence

LEAST_BITS = 0.01
"""What a correlation of .12 between two normal variables gives: below it a feature matters little, however sure."""
LEAST_ROWS = 200
ALPHA = 0.05
N_BINS = 10
_LOSS_BINS = 4
_MOST_VALUES = 10
_TINY = 2.220446049250313e-16
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Column = Floats | Sequence[str | None]


@dataclass(frozen=True)
class Weight:
    """What one feature counts for.

    Attributes:
        least: what the value must reach to matter.
    """

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
    status: Status = "ok"
    reason: str | None = None


def nothing(method: Method, status: Status, reason: str, *, n: int = 0, least: float = LEAST_BITS) -> Weight:
    """Why nothing can be said of a feature."""
    return Weight(method, None, None, None, None, None, None, least, None, None, n, None, status, reason)


def by_information(
    columns: Sequence[Column],
    loss: Floats,
    block: Ints,
    weight: Floats,
    measured_on: MeasuredOn,
    confidence: float,
) -> list[Weight]:
    """Mutual information of each feature with the loss of its row, in bits beyond chance.

    Args:
        columns: numbers (nan for missing) or texts (None for missing), n of each.
        loss: of each row.
        block: of each row.
        weight: of each row.
        measured_on: whose rows these are.
        confidence: of the intervals.
    """
    n = len(loss)
    if n < LEAST_ROWS:
        reason = f"{n} labelled rows outside the window; {LEAST_ROWS} are needed"
        return [nothing("mutual_information", "too_few", reason, n=n)] * len(columns)
    bins = quantile_codes(loss, _LOSS_BINS)
    if bins.max() == 0:
        return [nothing("mutual_information", "undefined", "every row has the same loss", n=n)] * len(columns)
    codes = np.column_stack([codes_of(column) for column in columns])
    found = dependence(codes, bins, block, weight, confidence=confidence)
    adjusted = benjamini_hochberg(found.p_value)
    sure = [
        bool(p < ALPHA and value >= LEAST_BITS and low > 0)
        for p, value, low in zip(adjusted, found.value, found.ci_low, strict=True)
    ]
    return [
        Weight(
            "mutual_information", float(found.value[i]), float(found.ci_low[i]), float(found.ci_high[i]),
            float(found.by_chance[i]), float(found.p_value[i]), float(adjusted[i]), LEAST_BITS,
            sure[i], measured_on, n, found.independence,
        )
        for i in range(len(columns))
    ]  # fmt: skip


def by_attribution(
    amounts: Floats, block: Ints, unit: Ints | None, weight: Floats, confidence: float
) -> list[Weight]:
    """Share of the mean absolute attribution that each feature has.

    Args:
        amounts: absolute attributions, shape (n, d); nan where none is logged.
        block: of each row.
        unit: of each row; None where none is declared.
        weight: of each row.
        confidence: of the intervals.
    """
    known = ~np.isnan(amounts).all(axis=1)
    amounts, weight, block = np.nan_to_num(amounts[known]), weight[known], block[known]
    n, d = amounts.shape
    least = 1 / max(d, 1)
    total = float((weight[:, None] * amounts).sum())
    if n < LEAST_ROWS or total <= 0:
        status, reason = (
            ("too_few", f"{n} rows with attributions; {LEAST_ROWS} are needed")
            if n < LEAST_ROWS
            else ("undefined", "every logged attribution is 0")
        )
        return [nothing("attribution", status, reason, n=n, least=least)] * d  # type: ignore[arg-type]
    shares = (weight[:, None] * amounts).sum(axis=0) / total
    influence = weight[:, None] * (amounts - shares * amounts.sum(axis=1)[:, None]) / total
    by_block = _sums(influence, block)
    units = None if unit is None else _sums(influence, unit[known])
    found = []
    for i in range(d):
        chosen = largest_variance(
            float(np.square(influence[:, i]).sum()) * n / (n - 1),
            None if units is None else float(unit_variance(np.square(units[:, i]).sum(), len(units))),
            float(block_variance(by_block[:, i])),
            len(by_block),
            0 if units is None else len(units),
        )
        quantile = stats.norm if chosen.df is None else stats.t(chosen.df)
        reach = float(quantile.ppf((1 + confidence) / 2)) * float(np.sqrt(chosen.variance))
        value = float(shares[i])
        low, high = max(value - reach, 0.0), min(value + reach, 1.0)
        found.append(
            Weight("attribution", value, low, high, None, None, None, least, value >= least, "window", n,
                   chosen.independence)
        )  # fmt: skip
    return found


def _sums(influence: Floats, group: Ints) -> Floats:
    places = np.unique(group, return_inverse=True)[1]
    sums = np.zeros((int(places.max(initial=-1)) + 1, influence.shape[1]))
    np.add.at(sums, places, influence)
    return sums


def damage_row(drift: DriftRow, weight: Weight) -> DamageRow:
    """Set what drift says of a feature beside what depends on it."""
    beyond = None
    if drift.total_variation is not None:
        beyond = max(drift.total_variation - (drift.total_variation_by_chance or 0.0), 0.0)
    status, reason = (drift.status, drift.reason) if drift.status != "ok" else (weight.status, weight.reason)
    if status != "ok":
        weight = replace(weight, value=None, ci_low=None, ci_high=None, by_chance=None, matters=None)
    return DamageRow(
        drift.window_start, drift.window_end, drift.version, drift.reference_version, drift.feature, drift.kind,
        drift.total_variation, beyond, drift.drifted, weight.method, weight.value, weight.ci_low, weight.ci_high,
        weight.by_chance, weight.p_value, weight.p_adjusted, weight.least, weight.matters, weight.measured_on,
        weight.n, weight.independence, quadrant(moved=drift.drifted, matters=weight.matters), status, reason,
    )  # fmt: skip


def quadrant(*, moved: bool | None, matters: bool | None) -> Quadrant | None:
    """Both verdicts in words.

    >>> quadrant(moved=True, matters=False)
    'moved, matters little'
    """
    if moved is None or matters is None:
        return None
    if moved:
        return "moved and matters" if matters else "moved, matters little"
    return "steady, matters" if matters else "steady, matters little"


def codes_of(column: Column) -> Ints:
    """Bins of a feature: tenths of its numbers or its most frequent values, the others together; missing apart."""
    if isinstance(column, np.ndarray):
        missing = np.isnan(column)
        codes = np.full(len(column), N_BINS, dtype=np.int64)
        if not missing.all():
            codes[~missing] = quantile_codes(column[~missing], N_BINS)
        return codes
    texts = ["" if value is None else f"={value}" for value in column]
    names, places, counts = np.unique(texts, return_inverse=True, return_counts=True)
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(names))
    return np.asarray(np.minimum(rank, _MOST_VALUES)[places], dtype=np.int64)


def quantile_codes(values: Floats, bins: int) -> Ints:
    """Number of the quantile bin of each value; equal values share one.

    >>> quantile_codes(np.array([1.0, 2.0, 3.0, 4.0]), 2).tolist()
    [0, 0, 1, 1]
    """
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"))
    return np.asarray(np.searchsorted(edges, values, side="left"), dtype=np.int64)


def log_loss(score_of_label: Floats) -> Floats:
    """-ln of the probability given to what came, clipped as in `quality`."""
    return np.asarray(-np.log(np.clip(score_of_label, _TINY, 1.0)), dtype=np.float64)
