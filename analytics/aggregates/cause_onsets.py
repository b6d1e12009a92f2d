"""Since when: the hour from which a number of the window is nearer to what it became than to what it was."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from analytics.aggregates.cause_bins import FieldBins
from analytics.aggregates.cause_cells import Group
from analytics.aggregates.cause_rows import Stretch
from analytics.engines.text import Sql, identifier
from analytics.telemetry.catalog import Catalog

NEAR = timedelta(days=2)
"""So far from the day that was found the hour is looked for."""
LEAST_ROWS = 5.0


def read_hour(  # noqa: PLR0917  # what the hour is of
    catalog: Catalog,
    kept: Sql,
    group: Group,
    statistic: str,
    bins: FieldBins | None,
    levels: tuple[float, float],
    day: datetime,
    end: datetime,
) -> datetime | None:
    """The hour near a day from which a share or mean is nearer to its level after than to that before.

    Args:
        catalog: the project's views.
        kept: rows of `cause_rows.kept_rows`.
        group: whose rows.
        statistic: which number; None is returned for one that rows do not have.
        bins: of the field it is about.
        levels: before and after.
        day: the day found from daily sums.
        end: of the window.
    """
    parts = _terms(statistic, bins)
    if parts is None:
        return None
    top, bottom = parts
    conditions = ["version IS NOT DISTINCT FROM $onset_version"]
    parameters: dict[str, Any] = {
        "onset_version": group.version, "onset_from": day - NEAR, "onset_until": min(day + NEAR, end),
    }  # fmt: skip
    conditions += [
        "ts >= CAST($onset_from AS TIMESTAMP WITH TIME ZONE)", "ts < CAST($onset_until AS TIMESTAMP WITH TIME ZONE)"
    ]  # fmt: skip
    if group.segment is not None:
        conditions.append(f"{identifier(f's:{group.segment}')} = $onset_value")
        parameters["onset_value"] = group.value
    text = (
        f"SELECT date_trunc('hour', ts) AS hour, sum(w * ({top})) AS top, sum(w * ({bottom})) AS bottom "
        f"FROM ({kept.text}) WHERE {' AND '.join(conditions)} GROUP BY 1 ORDER BY 1"
    )
    rows = [row for row in catalog.engine.query(Sql(text, parameters)).to_pylist() if row["bottom"]]
    if not rows or sum(row["bottom"] for row in rows) < LEAST_ROWS:
        return None
    tops = np.array([row["top"] or 0.0 for row in rows], dtype=np.float64)
    bottoms = np.array([row["bottom"] for row in rows], dtype=np.float64)
    place = step(tops, bottoms, *levels)
    return None if place is None else rows[place]["hour"]


def step(top: Any, bottom: Any, before: float, after: float) -> int | None:
    """From where on sums are nearer to the level after: the largest likelihood of one step between known levels.

    >>> step(np.array([0.0, 1, 9, 10]), np.full(4, 10.0), 0.05, 0.95)
    2
    """
    middle = (before + after) / 2
    gain = np.sign(after - before) * (np.asarray(top) - middle * np.asarray(bottom))
    ahead = np.cumsum(gain[::-1])[::-1]
    if not len(ahead) or ahead.max() <= 0:
        return None
    return int(np.argmax(ahead))


def _terms(statistic: str, bins: FieldBins | None) -> tuple[str, str] | None:
    plain = {
        "copied": ("CASE WHEN copied THEN 1e0 ELSE 0e0 END", "1e0"),
        "again": ("CASE WHEN again THEN 1e0 ELSE 0e0 END", "1e0"),
        "echoed": ("CASE WHEN echoed THEN 1e0 ELSE 0e0 END", "1e0"),
        "failed": ("coalesce(failed, 0e0)", "CASE WHEN failed IS NOT NULL THEN 1e0 ELSE 0e0 END"),
        "latency": (
            "CASE WHEN latency IS NOT NULL THEN ln(latency + 1e-3) ELSE 0e0 END",
            "CASE WHEN latency IS NOT NULL THEN 1e0 ELSE 0e0 END",
        ),
    }
    if statistic in plain:
        return plain[statistic]
    if bins is None:
        return None
    column = identifier(f"f:{bins.field.name}")
    present = f"CASE WHEN {column} IS NOT NULL THEN 1e0 ELSE 0e0 END"
    first, last = bins.values, bins.size - 2
    of_field = {
        "missing": (f"CASE WHEN {column} IS NULL THEN 1e0 ELSE 0e0 END", "1e0"),
        "repeat": (f"CASE WHEN {identifier(f'r:{bins.field.name}')} THEN 1e0 ELSE 0e0 END", present),
        "new": (f"CASE WHEN {bins.code} BETWEEN {first} AND {last} THEN 1e0 ELSE 0e0 END", present),
        "level": (bins.standard if bins.is_numeric else "0e0", present),
    }
    return of_field.get(statistic)


def day_start(stretch: Stretch, day: int) -> datetime:
    """When a day of the cells begins, as a first guess where clocks change."""
    return stretch.end + timedelta(days=int(day))


def rows_per_day(catalog: Catalog) -> float:
    """Predictions a day, on average over all that is logged."""
    if catalog.extent is None:
        return 0.0
    first, last = catalog.extent
    row = catalog.engine.query("SELECT count(*) AS n FROM predictions").to_pylist()[0]
    return float(row["n"]) / max((last - first) / timedelta(days=1), 1.0)
