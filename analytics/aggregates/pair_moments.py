"""Moments over pairs of units: one unit of an arm, one of the control, in one grouped scan of the table of units."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement

import numpy as np

from analytics.aggregates.arms import ArmMoments
from analytics.aggregates.keys import column
from analytics.aggregates.unit_table import UnitTable
from analytics.engines.text import literal

CONTROL = "control "
"""Stands before the names of the columns of the control's unit."""


def read_pairs(table: UnitTable, columns: Mapping[str, str], present: str) -> ArmMoments | None:
    """Pairs of each arm with the control by day of the later first exposure; None where units come in no pairs.

    Several units of one arm in a pair count as their mean. A pair without a unit of both arms is incomplete, and so is
    a unit without a pair; such units are counted as missing.
    """
    section = table.catalog.project.units
    control = table.reading.control
    if section is None or section.pair is None or control is None:
        return None
    names = list(columns)
    own = ", ".join(f"avg({text}) AS c{i}" for i, text in enumerate(columns.values()))
    unit = (
        f"SELECT pair, variant, max(day) AS day, count(*) AS n, {own} FROM ({table.units.text}) "
        f"WHERE {present} AND pair IS NOT NULL GROUP BY pair, variant"
    )
    sides = [f"{side}.c{i}" for side in ("a", "b") for i in range(len(names))]
    both = ", ".join(f"{text} AS d{i}" for i, text in enumerate(sides))
    # the later of the two days is when the pair is complete
    later = "CASE WHEN b.day IS NULL OR a.day >= b.day THEN a.day ELSE b.day END"
    joined = (
        f"SELECT a.variant AS variant, {later} AS day, a.n + b.n AS units, {both} "
        f"FROM ({unit}) AS a JOIN ({unit}) AS b ON a.pair = b.pair AND b.variant = {literal(control)} "
        f"WHERE a.variant <> {literal(control)}"
    )
    places = list(combinations_with_replacement(range(len(sides)), 2))
    items = [
        "variant",
        "day",
        "count(*) AS n",
        "sum(units) AS units",
        *(f"avg(d{i}) AS mean_{i}" for i in range(len(sides))),
        *(f"coalesce(covar_pop(d{i}, d{j}), 0e0) * count(*) AS co_{i}_{j}" for i, j in places),
    ]
    found = table.query(
        f"SELECT {', '.join(items)} FROM ({joined}) GROUP BY variant, day ORDER BY variant, day"
    )
    k, n = len(sides), found.num_rows
    comoments = np.zeros((n, k, k))
    for i, j in places:
        comoments[:, i, j] = comoments[:, j, i] = column(found, f"co_{i}_{j}")
    variants = np.array(found.column("variant").to_pylist(), dtype=np.str_)
    units = column(found, "units")
    complete = {arm: int(units[variants == arm].sum()) for arm in np.unique(variants).tolist()}
    return ArmMoments(
        (*names, *(CONTROL + name for name in names)),
        variants,
        found.column("day").to_numpy(zero_copy_only=False).astype("datetime64[D]"),
        None,
        column(found, "n"),
        np.column_stack([column(found, f"mean_{i}") for i in range(k)]),
        comoments,
        _incomplete(table, control, present, complete),
    )


def _incomplete(table: UnitTable, control: str, present: str, complete: Mapping[str, int]) -> dict[str, int]:
    """Arm -> units of it and of the control that have a value but no partner."""
    rows = table.query(
        f"SELECT variant, count(*) AS n FROM ({table.units.text}) WHERE {present} GROUP BY variant"
    ).to_pylist()
    units = {row["variant"]: int(row["n"]) for row in rows}
    return {
        arm: units.get(arm, 0) + units.get(control, 0) - complete.get(arm, 0)
        for arm in table.reading.variants
        if arm != control
    }
