"""The scorecard in the columns that matter most, each lift drawn beside its number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from analytics.experiments.health import broken
from analytics.experiments.rows import ExperimentRow, Scorecard
from app.charts.experiment_words import badge, chance, effect, half_width, p_value, value
from app.charts.interval_bar import Ink, data_url, lift_axis, lift_bar
from app.formats import NONE, count

SPLIT_BROKEN = "split is broken"
BAR, UNITS, LIFT, P = "Interval", "n", "Lift", "p"
"""Columns that a page draws in their own way."""


def overview_table(card: Scorecard, ink: Ink) -> pd.DataFrame:
    """One line a metric and arm: both values, lift with its interval as a picture, p, chance, verdict and n.

    Args:
        card: what is compared.
        ink: colours of the pictures, which are ``data:`` texts in the column `BAR`.
    """
    rows = card.headline_rows()
    axis = lift_axis(rows)
    columns: dict[str, Callable[[ExperimentRow], Any]] = {
        "Metric": lambda row: row.metric,
        "Variant": lambda row: row.variant,
        "Verdict": lambda row: verdict(card, row),
        UNITS: units,
        "Control": lambda row: level(row, row.mean_control, row.half_width_control),
        "Treated": lambda row: level(row, row.mean, row.half_width),
        LIFT: effect,
        BAR: lambda row: data_url(lift_bar(row, axis, ink)),
        P: lambda row: p_value(row.p_adjusted),
        "Chance": lambda row: chance(row.chance_to_beat),
    }
    alone = len(card.variants) == 1
    # where there is one arm only, its name heads its column; a name may be that of another column, too
    heads = {name: name for name in columns}
    if alone:
        columns.pop("Variant")
        heads |= {"Control": f"{card.control} (control)", "Treated": card.variants[0]}
        if len(set(heads.values())) < len(heads):
            heads |= {"Control": "Control", "Treated": "Treated"}
    return pd.DataFrame({heads[name]: [read(row) for row in rows] for name, read in columns.items()})


def verdict(card: Scorecard, row: ExperimentRow) -> str:
    """Sign of the badge and word of the verdict, or why there is none."""
    if broken(card.health.srm):
        return SPLIT_BROKEN
    if row.badge is None or row.verdict is None:
        return badge(row)
    sign = badge(row).split(" ", 1)[0]
    if row.verdict == "needs n" and row.needs_n is not None:
        return f"{sign} needs {count(row.needs_n)} more"
    # nobody ships because of a guardrail: it is safe or not
    return badge(row) if row.role == "guardrail" else f"{sign} {row.verdict}"


def level(row: ExperimentRow, amount: float | None, width: float | None) -> str:
    """A value with half the width of its own interval."""
    text = value(row.kind, amount)
    return text if amount is None or width is None else f"{text} ± {half_width(row.kind, -width, width)}"


def units(row: ExperimentRow) -> str:
    """Units of the control and of the arm, as their values stand beside them."""
    if row.n is None or row.n_control is None:
        return NONE
    return f"{count(row.n_control)} / {count(row.n)}"
