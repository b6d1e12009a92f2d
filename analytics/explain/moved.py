"""What is different about a selection of rows: fields ranked by how much they tell of being in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.aggregates.cause_bins import FieldBins
from analytics.aggregates.moved_cells import MovedCells
from analytics.aggregates.reference_bins import ReferenceBins
from analytics.results import Status
from analytics.scope import Filter
from analytics.stats.information_gain import Gain, information_gain
from analytics.stats.multiplicity import benjamini_hochberg

LEAST_ROWS = 20
SHOWN_BINS = 3


@dataclass(frozen=True)
class MovedRow:
    """One field, in a selection of rows against the rest.

    Attributes:
        rank: 1 tells most; None where the field cannot be ranked.
        role: feature, score, decision, label, segment, version, latency, status, unit or time.
        gain: bits that the field tells of being in the selection, chance taken off; with its interval.
        by_chance: bits that were taken off.
        share_of_possible: gain over the bits there are to tell, from 0 to 1.
        p_value: of shares of all bins that are the same on both sides.
        p_adjusted: Benjamini-Hochberg over the fields.
        independence: what was taken as independent: rows, units or blocks.
        bin: the value or interval that carries most of it.
        share, share_rest: of rows with that value, on both sides; ``difference`` between them.
        carried_by: the values that carry most, in words.
        missing, missing_rest: shares without a value.
        n, n_rest: rows.
    """

    rank: int | None
    field: str
    role: str
    gain: float | None
    ci_low: float | None
    ci_high: float | None
    by_chance: float | None
    share_of_possible: float | None
    p_value: float | None
    p_adjusted: float | None
    independence: str | None
    bin: str | None
    share: float | None
    share_rest: float | None
    difference: float | None
    carried_by: str | None
    missing: float | None
    missing_rest: float | None
    n: int
    n_rest: int
    status: Status
    reason: str | None


def moved_rows(
    cells: Sequence[MovedCells], apart: Iterable[Filter], confidence: float
) -> tuple[MovedRow, ...]:
    """One row a field, those that tell most first; fields that the selection is made of last."""
    made_of = _made_of(apart)
    found = [_row(item, made_of, confidence) for item in cells]
    adjusted = benjamini_hochberg([row.p_value for row in found])
    corrected = [
        replace(row, p_adjusted=None if np.isnan(p) else float(p))
        for row, p in zip(found, adjusted.tolist(), strict=True)
    ]
    ordered = sorted(corrected, key=lambda row: (row.gain is None, -(row.gain or 0.0), row.p_value or 0.0))
    return tuple(
        replace(row, rank=place if row.gain is not None else None) for place, row in enumerate(ordered, 1)
    )


def _made_of(apart: Iterable[Filter]) -> frozenset[str]:
    names: set[str] = set()
    for condition in apart:
        names |= {"label", "decision"} if condition.kind == "outcome" else {condition.name}
    return frozenset(names)


def _row(item: MovedCells, made_of: frozenset[str], confidence: float) -> MovedRow:
    name = item.bins.field.name
    whole = item.by_block.sum(axis=0) if len(item.by_block) else np.zeros((2, item.bins.size))
    # labels that did not come say nothing here
    counts = whole[:, :-1] if item.role == "label" else whole
    n, n_rest = (round(float(total)) for total in counts.sum(axis=1))
    nothing = MovedRow(
        None, name, item.role, *(None,) * 15, n, n_rest, "no_data", None,
    )  # fmt: skip
    if name in made_of:
        return replace(nothing, status="undefined", reason="the selection is made of it")
    if n == 0 or n_rest == 0:
        return replace(nothing, reason="no rows in the selection" if n == 0 else "no rows in the rest")
    if min(n, n_rest) < LEAST_ROWS:
        return replace(nothing, status="too_few", reason=f"fewer than {LEAST_ROWS} rows on one side")
    gain = _gain(item, confidence)
    if gain is None:
        return replace(nothing, status="undefined", reason="is the same in all rows")
    shares = counts / counts.sum(axis=1, keepdims=True)
    names = bin_names(item.bins)
    order = _carriers(shares)
    best = order[0]
    missing = whole[:, -1] / np.maximum(whole.sum(axis=1), 1e-300)
    inside = n / (n + n_rest)
    possible = -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside))
    return replace(
        nothing,
        gain=gain.value, ci_low=gain.ci_low, ci_high=gain.ci_high, by_chance=gain.by_chance,
        share_of_possible=float(min(gain.value / possible, 1.0)), p_value=gain.p_value,
        independence=gain.independence, bin=names[best], share=float(shares[0, best]),
        share_rest=float(shares[1, best]), difference=float(shares[0, best] - shares[1, best]),
        carried_by="; ".join(f"{names[k]}: {_percent(shares[0, k])} against {_percent(shares[1, k])}" for k in order),
        missing=None if item.role == "label" else float(missing[0]),
        missing_rest=None if item.role == "label" else float(missing[1]),
        status="ok",
    )  # fmt: skip


def _gain(item: MovedCells, confidence: float) -> Gain | None:
    """By blocks and by units; the one that is less sure counts."""
    last = -1 if item.role == "label" else item.bins.size
    found = [information_gain(item.by_block[..., :last], confidence)]
    if item.by_units is not None and item.role != "unit":
        found.append(information_gain(item.by_units[..., :last], confidence, "units"))
    known = [gain for gain in found if gain is not None]
    return max(known, key=lambda gain: (gain.p_value, gain.ci_high - gain.ci_low)) if known else None


def _carriers(shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[int]:
    """Bins by how much they add to the divergence of both sides from their middle, the most first."""
    middle = shares.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(shares > 0, shares * np.log2(shares / middle), 0.0).sum(axis=0)
    order = np.argsort(-parts, kind="stable")
    return [int(k) for k in order[:SHOWN_BINS] if parts[k] > 0] or [int(order[0])]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.2g} %"


def bin_names(item: FieldBins) -> tuple[str, ...]:
    """A name for each bin, as on other pages."""
    if not item.is_numeric:
        return (*item.categories, "(other)", "(new)", "(missing)")
    named = ReferenceBins(item.field, None, edges=item.edges, coarse=(True,) * len(item.edges)).names
    return (*named[: item.values], "(below)", "(above)", "(missing)")
