"""What strata, phases, pairs and covariates change about a comparison, in fields and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.choose import moments_of
from analytics.experiments.design import Design
from analytics.experiments.rows import ExperimentRow
from analytics.experiments.structure import left_out, structure_of
from analytics.experiments.words import count, listed, number, percent, plural, signed
from analytics.project import SHARES
from analytics.stats.several_covariates import worth_units

_NAMED = 3
"""Strata that are named; of more only how many there are."""
_SAME = 0.01
"""A gain or loss of a smaller share of the units is none."""
ADJUSTED = ("cuped", "post-stratified")
"""Methods that only serve precision, compared with the same without them."""


def with_structure(
    warnings: str | None, row: ExperimentRow, design: Design, found: MetricAggregates
) -> str | None:
    """A row's warnings, with what its strata or pairs leave out."""
    structure = structure_of(design, found)
    if structure is None or row.variant is None or row.method == "unadjusted":
        return warnings
    said = _without_partner(found, row.variant) if structure == "paired" else _left_out(design, found, row)
    return "; ".join(part for part in (warnings, said) if part) or None


def _left_out(design: Design, found: MetricAggregates, row: ExperimentRow) -> str | None:
    gone = left_out(design, moments_of(found, row.method), row.variant or "")
    if not gone.strata:
        return None
    names = listed(gone.strata) if len(gone.strata) <= _NAMED else f"{count(len(gone.strata))} strata"
    which = "clusters" if found.moments.clustered else "units"
    return f"{plural(gone.n, 'unit')} in {names} are left out, where an arm has fewer than two {which}"


def _without_partner(found: MetricAggregates, variant: str) -> str | None:
    n = 0 if found.pairs is None else found.pairs.missing.get(variant, 0)
    return f"{plural(n, 'unit')} without a partner {'does' if n == 1 else 'do'} not enter" if n else None


def beside(rows: Sequence[ExperimentRow], design: Design) -> tuple[ExperimentRow, ...]:
    """Rows of one experiment with what each says beside the others: pooled against within strata, and the gain."""
    by_key: dict[tuple[str, str | None], dict[str, ExperimentRow]] = {}
    for row in rows:
        by_key.setdefault((row.metric, row.variant), {})[row.method] = row
    return tuple(_beside(row, by_key[row.metric, row.variant], design) for row in rows)


def _beside(row: ExperimentRow, mine: dict[str, ExperimentRow], design: Design) -> ExperimentRow:
    if row.status != "ok":
        return row
    if row.method in ADJUSTED:
        base = mine.get("paired") or mine.get("stratified") or mine.get("unadjusted")
        return _with_gain(row, base)
    within = mine.get("stratified")
    if within is None or row.method not in {"unadjusted", "stratified"}:
        return row
    said = simpson(mine["unadjusted"], within, design) if "unadjusted" in mine else None
    if said is None:
        return row
    return replace(row, warnings=f"{row.warnings}; {said}" if row.warnings else said)


def simpson(pooled: ExperimentRow, within: ExperimentRow, design: Design) -> str | None:
    """Why the pooled difference misleads, where it does: its estimate lies outside the interval within strata."""
    numbers = (pooled.difference, within.difference, within.ci_low, within.ci_high)
    if any(value is None for value in numbers):
        return None
    plain, gap, low, high = (float(value or 0.0) for value in numbers)
    if low <= plain <= high:
        return None
    what = _what(design)
    opposite = plain * gap < 0
    return (
        f"pooled over {what} the difference is {_shown(pooled, plain)}, within them it is {_shown(pooled, gap)}: "
        f"the pooled one mixes {what} of which the arms have unequal parts"
        + (" and even has the other sign (Simpson's paradox)" if opposite else "")
    )


def _what(design: Design) -> str:
    names = [name for name, used in (("phases", design.phases), ("strata", design.strata)) if used]
    return " and ".join(names) or "strata"


def _shown(row: ExperimentRow, value: float) -> str:
    if row.kind in SHARES:
        return f"{signed(percent(value)).removesuffix('%')} pp"
    return signed(number(value))


def _with_gain(row: ExperimentRow, base: ExperimentRow | None) -> ExperimentRow:
    """By how much a comparison is more exact than the one without the adjustment, told in units."""
    if base is None or base.standard_error is None or row.standard_error is None or base.status != "ok":
        return row
    n = (base.n or 0) + (base.n_control or 0)
    worth = worth_units(base.standard_error**2, row.standard_error**2, n)
    return row if np.isnan(worth) else replace(row, worth_units=round(worth), gain=gain_sentence(worth, n))


def gain_sentence(worth: float, n: int) -> str:
    """A gain in a sentence.

    >>> gain_sentence(500, 1000)
    'Adjusting is worth 500 more units: without it 1,500 instead of 1,000 would be needed to be as exact.'
    >>> gain_sentence(-100, 1000)
    'Adjusting makes the comparison less exact, as if 100 of 1,000 units were missing.'
    """
    if abs(worth) < _SAME * n:
        return "Adjusting changes next to nothing: what is known from before says little about the outcome."
    if worth < 0:
        return f"Adjusting makes the comparison less exact, as if {count(-worth)} of {count(n)} units were missing."
    return (
        f"Adjusting is worth {count(worth)} more units: without it {count(n + worth)} instead of {count(n)} would be "
        "needed to be as exact."
    )
