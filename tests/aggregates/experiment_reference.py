"""An experiment unit by unit, row by row in Python, from what the contract says and not from what the code does."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from tests.aggregates.experiment_logs import Logs, Row

Value = Callable[[Row], float | None]


@dataclass
class Unit:
    """One unit of a declared arm."""

    name: str
    variant: str
    day: date | None
    cluster: str | None
    ts: datetime | None
    values: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """metric -> column -> value before winsorisation; None where missing."""


@dataclass
class Truth:
    """What should be read."""

    units: list[Unit]
    n: dict[str, int]
    n_multiple: int
    unknown: Counter[str]
    n_outside: int
    n_rows_left_out: int
    left_out: dict[str, int] = field(default_factory=dict)
    caps: dict[str, dict[str, tuple[float | None, float | None]]] = field(default_factory=dict)
    n_imputed: dict[str, int] = field(default_factory=dict)

    def table(self, metric: str, columns: Iterable[str]) -> dict[str, tuple[list[Unit], np.ndarray]]:
        """Arm -> its units that have a value, and their values after winsorisation, shape (n, K)."""
        found = {}
        for arm in self.n:
            units = [unit for unit in self.units if unit.variant == arm and present(unit.values[metric])]
            caps = self.caps.get(metric, {})
            rows = [[clip(unit.values[metric][name], caps.get(name)) for name in columns] for unit in units]
            found[arm] = (units, np.array(rows, dtype=float).reshape(len(units), len(list(columns))))
        return found


def present(values: Mapping[str, float | None]) -> bool:
    """Whether a unit enters: its value is known."""
    return all(value is not None for name, value in values.items() if not name.startswith("covariate"))


def clip(value: float | None, caps: tuple[float | None, float | None] | None) -> float | None:
    """Cut at both sides."""
    low, high = caps or (None, None)
    if value is not None and high is not None:
        value = min(value, high)
    return max(value, low) if value is not None and low is not None else value


def order_statistic(values: list[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return next(value for place, value in enumerate(ordered, 1) if place / len(ordered) >= share)


def truth(
    logs: Logs, expressions: Mapping[str, Mapping[str, Value]], *, as_of: datetime | None = None
) -> Truth:
    """Everything that is to be read.

    Args:
        logs: as written; the labels of predictions must have been joined to their rows.
        expressions: metric -> column -> its value of one row.
        as_of: nothing later exists.
    """
    declared = list(logs.experiment["variants"])
    result = Truth([], dict.fromkeys(declared, 0), 0, Counter(), 0, 0)
    seen = _seen(result, logs, as_of)
    units_row = _rows_of_units(logs, seen)
    clustered = "cluster" in (logs.sections.get("units") or {})
    for name, found in seen.items():
        first = min(found)
        if first.variant not in declared:
            result.unknown[first.variant] += 1
            continue
        result.n[first.variant] += 1
        result.n_multiple += len({one.variant for one in found}) > 1
        cluster = units_row.get(name, {}).get("cluster") if clustered else None
        day = first.ts.astimezone(ZoneInfo(logs.time_zone)).date() if first.ts else None
        # a unit without a cluster is one by itself
        result.units.append(
            Unit(name, first.variant, day, f"c{cluster}" if cluster else f"u{name}", first.ts)
        )
    for metric, columns in expressions.items():
        _add_metric(result, logs, metric, columns, units_row, as_of)
    return result


@dataclass(order=True)
class Appearance:
    """A row that puts a unit into an arm; in the order of time, file and row."""

    key: tuple[float, int, int]
    variant: str = field(compare=False)
    ts: datetime | None = field(compare=False)
    row: Row = field(compare=False)


def _seen(result: Truth, logs: Logs, as_of: datetime | None) -> dict[str, list[Appearance]]:
    """Unit -> its appearances inside the experiment; the others are counted."""
    feed = "exposures" if "exposures" in logs.feeds else "units"
    section = logs.sections.get(feed) or {}
    timed = feed == "exposures" or "timestamp" in section
    start, end = logs.experiment.get("start"), logs.experiment.get("end")
    seen: dict[str, list[Appearance]] = {}
    rows = ((n, i, row) for n, rows in enumerate(logs.feeds[feed]) for i, row in enumerate(rows))
    for number, place, row in rows:
        ts = row.get("ts") if timed else None
        later = as_of is not None and ts is not None and ts > as_of
        if later or ("experiment" in section and row["experiment"] != logs.name):
            continue
        if not row["unit"] or (timed and ts is None):
            result.n_rows_left_out += 1
        elif ts is not None and ((start and ts < start) or (end and ts >= end)):
            result.n_outside += 1
        else:
            key = (ts.timestamp() if ts else 0.0, number, place)
            seen.setdefault(row["unit"], []).append(Appearance(key, row["variant"] or "(missing)", ts, row))
    if feed == "units":
        result.n_rows_left_out += sum(len(found) - 1 for found in seen.values())
    return seen


def _rows_of_units(logs: Logs, seen: Mapping[str, list[Appearance]]) -> dict[str, Row]:
    """Unit -> its one row in the table of units."""
    if "exposures" not in logs.feeds:
        return {name: min(found).row for name, found in seen.items()}
    section = logs.sections.get("units") or {}
    first: dict[str, Row] = {}
    for row in (row for rows in logs.feeds.get("units", ()) for row in rows):
        if row["unit"] and ("experiment" not in section or row["experiment"] == logs.name):
            first.setdefault(row["unit"], row)
    return first


def _add_metric(
    result: Truth,
    logs: Logs,
    metric: str,
    columns: Mapping[str, Value],
    units_row: Mapping[str, Row],
    as_of: datetime | None,
) -> None:
    keys = logs.metrics[metric]
    source = keys["source"]
    result.left_out[metric] = 0
    if source == "units":
        for unit in result.units:
            row = units_row.get(unit.name)
            own = {name: finite(value(row)) if row else None for name, value in columns.items()}
            if "covariate" in keys:
                own["covariate"] = finite(row.get(keys["covariate"])) if row else None
            unit.values[metric] = own
        _cut(result, keys, metric)
        _fill(result, metric, keys)
        return
    rows: dict[str, list[Row]] = {}
    for file in logs.feeds[source]:
        for row in file:
            known = row.get("received") or row.get("ts")
            if row["unit"] and row.get("ts") and (as_of is None or known <= as_of):
                rows.setdefault(row["unit"], []).append(row)
    for unit in result.units:
        unit.values[metric] = _sums(result, logs, metric, columns, unit, rows.get(unit.name, []))
        if "covariate" in keys:
            unit.values[metric]["covariate"] = finite(units_row.get(unit.name, {}).get(keys["covariate"]))
    _cut(result, keys, metric)
    _fill(result, metric, keys)


def _sums(
    result: Truth, logs: Logs, metric: str, columns: Mapping[str, Value], unit: Unit, rows: list[Row]
) -> dict[str, float | None]:
    keys, experiment = logs.metrics[metric], logs.experiment
    assert unit.ts is not None
    until = experiment.get("end")
    if "window" in keys:
        until = unit.ts + days(keys["window"])
    sums = dict.fromkeys(columns, 0.0)
    look_back = "covariate" in experiment and "covariate" not in keys
    if look_back:
        sums |= {covariate(name): 0.0 for name in columns}
    for row in rows:
        after = row["ts"] >= unit.ts and (until is None or row["ts"] < until)
        before = look_back and unit.ts - days(experiment["covariate"]) <= row["ts"] < unit.ts
        logged = {name: value({**row, "arm": unit.variant}) for name, value in columns.items()}
        whole = all(finite(value) is not None for value in logged.values())
        wrong = any(value is not None and not math.isfinite(value) for value in logged.values())
        if after and (wrong or (keys["kind"] == "ratio" and [*logged.values()].count(None) == 1)):
            result.left_out[metric] += 1
        if not whole or not (after or before):
            continue
        for name, value in logged.items():
            target = name if after else covariate(name)
            if keys["kind"] == "proportion":
                sums[target] = max(sums[target], float(value != 0))
            else:
                sums[target] += value * row.get("weight", 1.0)
    return sums


def covariate(name: str) -> str:
    """The column of a look-back."""
    return "covariate" if name == "value" else f"covariate_{name}"


def finite(value: float | None) -> float | None:
    """A finite number, or None."""
    return None if value is None or not math.isfinite(value) else float(value)


def days(text: str) -> timedelta:
    """A duration of whole days or hours."""
    number, word = text.split()
    return timedelta(**{word: float(number)})


def _cut(result: Truth, keys: Mapping[str, Any], metric: str) -> None:
    if "winsorize" not in keys:
        return
    low, high = keys["winsorize"] if isinstance(keys["winsorize"], list) else (0, keys["winsorize"])
    result.caps[metric] = {}
    for name in result.units[0].values[metric] if result.units else ():
        if name == "covariate" and "covariate" in keys:
            continue
        known = [value for unit in result.units if (value := unit.values[metric][name]) is not None]
        if known:
            result.caps[metric][name] = (
                order_statistic(known, low) if low > 0 else None,
                order_statistic(known, high) if high < 1 else None,
            )


def _fill(result: Truth, metric: str, keys: Mapping[str, Any]) -> None:
    """Gaps of a covariate get the mean of the others, and a covariate that says so."""
    if "covariate" not in keys:
        return
    entering = [unit.values[metric] for unit in result.units if present(unit.values[metric])]
    known = [values["covariate"] for values in entering if values["covariate"] is not None]
    result.n_imputed[metric] = len(entering) - len(known)
    for values in entering:
        if len(known) < len(entering):
            values["covariate_missing"] = float(values["covariate"] is None)
        if values["covariate"] is None:
            values["covariate"] = float(np.mean(known)) if known else 0.0
