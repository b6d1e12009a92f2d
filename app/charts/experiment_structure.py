"""One metric by every method that always stands beside the plain one, as a table and in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analytics.experiments.rows import ExperimentRow, headline
from app.charts.experiment_words import difference, difference_interval, lift, lift_interval, p_value
from app.formats import NONE, STATUS_WORDS, count

METHODS = {
    "unadjusted": "plain, all units pooled",
    "stratified": "within strata",
    "post-stratified": "within strata, for precision",
    "paired": "in pairs",
    "cuped": "adjusted by what was known before",
}
"""Method -> words; others that were asked for stand elsewhere."""


def beside_rows(rows: Sequence[ExperimentRow], metric: str) -> list[ExperimentRow]:
    """The comparisons of one metric by these methods; empty where there is the plain one only."""
    mine = [row for row in rows if row.metric == metric and row.method in METHODS]
    return mine if len({row.method for row in mine}) > 1 else []


def beside_table(rows: Sequence[ExperimentRow]) -> pd.DataFrame:
    """Plain and adjusted side by side, and which of them counts."""
    shown = {id(row) for row in headline(rows)}
    return pd.DataFrame([
        {
            "Variant": row.variant or NONE,
            "Method": METHODS[row.method],
            "Difference": difference(row.kind, row.difference),
            "Interval": difference_interval(row.kind, row.ci_low, row.ci_high),
            "Lift": lift(row.lift),
            "Interval of the lift": lift_interval(row.lift_ci_low, row.lift_ci_high),
            "p": p_value(row.p_value),
            "Worth in units": count(row.worth_units) if row.worth_units is not None and row.worth_units > 0 else NONE,
            "Decides": "yes" if id(row) in shown else "no",
            "Test": row.test,
            "Status": STATUS_WORDS[row.status],
            "Remark": "; ".join(part for part in (row.reason, row.warnings) if part),
        }
        for row in rows
    ])  # fmt: skip


def beside_sentence(rows: Sequence[ExperimentRow]) -> str:
    """What adjusting is worth, and whether pooling misleads."""
    several = len({row.variant for row in rows}) > 1
    said = []
    for row in rows:
        arm = f"{row.variant}: " if several else ""
        if row.gain is not None:
            said.append(f"{arm}{row.gain}")
        pooled = next(
            (part for part in (row.warnings or "").split("; ") if part.startswith("pooled over")), None
        )
        if row.method == "unadjusted" and pooled is not None:
            said.append(f"{arm}{pooled[:1].upper()}{pooled[1:]}.")
    return " ".join(dict.fromkeys(said))
