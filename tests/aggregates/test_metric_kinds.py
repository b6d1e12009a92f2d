"""Kinds of metrics from logs: delays, decay, retention, funnels and open windows equal what Python finds row by row."""

from __future__ import annotations

import math
import random
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.aggregates.arms import ExperimentAggregates
from analytics.aggregates.experiments import read_experiment
from analytics.aggregates.readings import Reading, Wanted
from analytics.telemetry.catalog import Catalog
from tests.aggregates.experiment_logs import Logs, Row, at, open_logs

HOUR = timedelta(hours=1)
ARMS = ("A", "B")
METRICS: dict[str, dict[str, Any]] = {
    "visits": {"kind": "count", "value": "event = 'visit'", "window": "48 hours"},
    "items": {"kind": "count", "value": "items"},
    "late": {"kind": "mean", "value": "amount", "after": "24 hours", "window": "72 hours"},
    "later": {"kind": "mean", "value": "amount", "after": "24 hours"},
    "kept": {"kind": "retention", "value": "event = 'visit'", "after": "24 hours", "window": "72 hours"},
    "came": {"kind": "retention", "value": "event = 'visit'", "window": "30 hours"},
    "credit": {"kind": "mean", "value": "event = 'buy'", "half_life": "12 hours", "window": "48 hours"},
    "price": {
        "kind": "ratio", "numerator": "amount", "denominator": "items", "half_life": "6 hours", "after": "3 hours",
    },
    "path": {"kind": "funnel", "steps": ["event = 'view'", "event = 'cart'", "event = 'buy'"], "window": "40 hours"},
    "way": {
        "kind": "funnel",
        "steps": ["event = 'view'", "amount > 1", "event = 'cart'", "event = 'buy'"],
        "after": "5 hours",
    },
    "tall": {"kind": "mean", "value": "amount", "window": "60 hours", "winsorize": 0.9},
}  # fmt: skip


@dataclass(frozen=True)
class Exposed:
    """One unit's first exposure and its rows."""

    arm: str
    ts: datetime
    rows: tuple[Row, ...]


def logs(seed: int, units: int = 150) -> Logs:
    """Units with a handful of events each, many of them at the same hour, in no order."""
    rng = random.Random(seed)
    exposures, events = [], []
    for number in range(units):
        ts = at(rng.randrange(0, 200))
        exposures.append({"unit": f"u{number}", "variant": rng.choice("AB"), "ts": ts})
        for _ in range(rng.randrange(0, 9)):
            amount = rng.choice([rng.expovariate(1), rng.expovariate(0.2), None, math.nan])
            events.append({
                "unit": f"u{number}",
                "ts": ts + rng.randrange(-20, 90) * HOUR,
                "event": rng.choice(["view", "view", "cart", "buy", "visit"]),
                "amount": amount,
                "items": rng.choice([0.0, 1.0, 3.0, None]),
            })  # fmt: skip
    rng.shuffle(events)
    rng.shuffle(exposures)
    half = len(events) // 2
    return Logs(
        {"exposures": [exposures], "events": [events[:half], events[half:]]},
        {name: {"source": "events", **keys} for name, keys in METRICS.items()},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}, "start": at(0), "end": at(260)},
    )


def exposed(given: Logs, as_of: datetime | None) -> dict[str, Exposed]:
    rows: dict[str, list[Row]] = {}
    for row in (row for file in given.feeds["events"] for row in file):
        if as_of is None or row["ts"] <= as_of:
            rows.setdefault(row["unit"], []).append(row)
    return {
        row["unit"]: Exposed(row["variant"], row["ts"], tuple(rows.get(row["unit"], ())))
        for row in given.feeds["exposures"][0]
        if as_of is None or row["ts"] <= as_of
    }


def hours(text: str | None) -> timedelta:
    return int(text.split()[0]) * HOUR if text else timedelta()


def stretch(unit: Exposed, keys: dict[str, Any], end: datetime) -> list[Row]:
    """The rows that count."""
    until = unit.ts + hours(keys["window"]) if "window" in keys else end
    return [row for row in unit.rows if unit.ts + hours(keys.get("after")) <= row["ts"] < until]


def holds(row: Row, condition: str) -> bool:
    if condition == "amount > 1":
        # the engine calls NaN the largest of numbers
        return row["amount"] is not None and (math.isnan(row["amount"]) or row["amount"] > 1)
    return condition == f"event = '{row['event']}'"


def number(row: Row, text: str) -> float | None:
    value = row.get(text) if text in row else float(holds(row, text))
    return None if value is None or math.isnan(value) else value


def furthest(rows: list[Row], steps: list[str]) -> int:
    """The most steps that any choice of rows takes in the order of time: tried one after the other, all of them."""
    best, frontier = 0, [datetime.min.replace(tzinfo=UTC)]
    for step in steps:
        frontier = [
            row["ts"] for row in rows for since in frontier if row["ts"] >= since and holds(row, step)
        ]
        frontier = sorted(set(frontier))
        if not frontier:
            break
        best += 1
    return best


def value(unit: Exposed, keys: dict[str, Any], end: datetime) -> list[float]:
    """The columns of one unit; of a funnel those of its steps."""
    rows = stretch(unit, keys, end)
    if keys["kind"] == "funnel":
        came = furthest(rows, keys["steps"])
        return [float(place < came) for place in range(len(keys["steps"]))]
    names = ("numerator", "denominator") if keys["kind"] == "ratio" else ("value",)
    sums = [0.0] * len(names)
    for row in rows:
        found = [number(row, keys[name]) for name in names]
        if any(one is None for one in found):
            continue
        weight = 1.0
        if "half_life" in keys:
            weight = 0.5 ** ((row["ts"] - unit.ts) / hours(keys["half_life"]))
        sums = [total + weight * one for total, one in zip(sums, found, strict=True)]
    return [float(sums[0] > 0)] if keys["kind"] == "retention" else sums


def read(
    catalog: Catalog, names: tuple[str, ...] = (), *, as_of: datetime | None = None, **reading: bool
) -> ExperimentAggregates:
    project = catalog.project
    wanted = tuple(Wanted(name, project.metrics[name], "events") for name in names or project.metrics)
    experiment = project.experiments["test"]
    start, end = (None if one is None else project.instant(one) for one in (experiment.start, experiment.end))
    return read_experiment(
        catalog, Reading("test", tuple(experiment.variants), wanted, start, end, as_of=as_of, **reading)
    )


@pytest.mark.parametrize(
    "seed, as_of, leaves_open_out",
    [
        (0, None, False),
        (1, None, True),
        (2, at(150), False),
        (3, at(120.5), True),
        (4, at(900), True),
        (5, at(90), True),
    ],
)
def test_every_kind_equals_a_reference_that_reads_row_by_row(
    tmp_path: Path, seed: int, as_of: datetime | None, leaves_open_out: bool
) -> None:
    given = logs(seed)
    units = exposed(given, as_of)
    newest = max(row["ts"] for unit in exposed(given, None).values() for row in unit.rows)
    known = min(filter(None, (as_of, newest)))
    with closing(open_logs(tmp_path, given)) as catalog:
        found = read(catalog, as_of=as_of, leaves_open_out=leaves_open_out)
    for metric in found.metrics:
        keys = METRICS[metric.name]
        window = hours(keys["window"]) if "window" in keys else None
        is_open = {name for name, unit in units.items() if window is not None and unit.ts + window > known}
        leaves = leaves_open_out or keys["kind"] == "retention"
        assert metric.open_windows == {
            arm: n for arm in ARMS if (n := sum(units[name].arm == arm for name in is_open))
        }
        assert metric.leaves_open_out == (leaves and window is not None)
        judged = [unit for name, unit in units.items() if not (leaves and name in is_open)]
        for arm in ARMS:
            mine = np.array([value(unit, keys, at(260)) for unit in judged if unit.arm == arm])
            own = metric.moments if metric.name != "tall" else metric.uncapped
            assert own is not None
            if metric.steps is not None:
                np.testing.assert_allclose(metric.steps.arm(arm).means, mine.mean(axis=0), atol=1e-12)
                mine = mine[:, -1:]
            moments = own.arm(arm)
            assert moments.n == len(mine)
            np.testing.assert_allclose(moments.means, mine.mean(axis=0), rtol=1e-9, atol=1e-12)
            spread = (mine - mine.mean(axis=0)).T @ (mine - mine.mean(axis=0))
            np.testing.assert_allclose(moments.comoments, spread, rtol=1e-8, atol=1e-9)


def test_caps_stand_on_the_units_that_enter(tmp_path: Path) -> None:
    given = logs(7)
    with closing(open_logs(tmp_path, given)) as catalog:
        metric = read(catalog, ("tall",), as_of=at(120), leaves_open_out=True).metrics[0]
    units = [unit for unit in exposed(given, at(120)).values() if unit.ts + 60 * HOUR <= at(120)]
    values = sorted(value(unit, METRICS["tall"], at(260))[0] for unit in units)
    cap = values[math.ceil(0.9 * len(values)) - 1]
    assert metric.caps["value"] == (None, pytest.approx(cap))
    assert metric.moments.count("A") + metric.moments.count("B") == len(values)
    assert sum(metric.moments.arm(arm).n * metric.moments.arm(arm).means[0] for arm in ARMS) == pytest.approx(
        sum(min(one, cap) for one in values)
    )


def test_a_funnel_takes_steps_in_the_order_of_time(tmp_path: Path) -> None:
    def unit(name: str, *steps: tuple[float, str]) -> list[Row]:
        return [
            {"unit": name, "ts": at(hour), "event": event, "amount": 0.0, "items": 0.0}
            for hour, event in steps
        ]

    rows = [
        *unit("whole", (1, "view"), (2, "cart"), (3, "buy")),
        *unit("at once", (1, "buy"), (1, "cart"), (1, "view")),
        *unit("backwards", (1, "buy"), (2, "cart"), (3, "view")),
        *unit("again", (1, "buy"), (2, "view"), (3, "cart"), (4, "view"), (5, "buy")),
        *unit("too late", (1, "view"), (2, "cart"), (41, "buy")),
        *unit("too early", (-1, "view"), (2, "cart"), (3, "buy")),
        *unit("without the second", (1, "view"), (3, "buy")),
    ]
    names = list(dict.fromkeys(row["unit"] for row in rows))
    given = Logs(
        {"exposures": [[{"unit": name, "variant": "A", "ts": at(0)} for name in names]], "events": [rows]},
        {"path": {"source": "events", **METRICS["path"]}},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}},
    )
    with closing(open_logs(tmp_path, given)) as catalog:
        metric = read(catalog).metrics[0]
    assert metric.steps is not None
    reached = metric.steps.arm("A").means * metric.steps.arm("A").n
    np.testing.assert_allclose(reached, [6, 4, 3])
    assert metric.moments.arm("A").means[0] * 7 == pytest.approx(3)


def test_conversions_before_the_exposure_are_counted_by_arm(tmp_path: Path) -> None:
    rows = [
        {"unit": "a", "ts": at(4), "event": "visit", "amount": 1.0, "items": 1.0},
        {"unit": "b", "ts": at(4), "event": "buy", "amount": 1.0, "items": 1.0},
        {"unit": "c", "ts": at(-4), "event": "visit", "amount": 1.0, "items": 1.0},
        {"unit": "d", "ts": at(5), "event": "visit", "amount": 1.0, "items": 1.0},
    ]
    exposures = [{"unit": name, "variant": "B" if name == "b" else "A", "ts": at(5)} for name in "abcd"]
    given = Logs(
        {"exposures": [exposures], "events": [rows]},
        {name: {"source": "events", **METRICS[name]} for name in ("visits", "items")},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}, "start": at(0)},
    )
    with closing(open_logs(tmp_path, given)) as catalog:
        visits, items = read(catalog).metrics
    # before the start is another matter, and at the exposure itself is after it
    assert visits.n_early == {"A": 1}
    assert items.n_early == {"A": 1, "B": 1}


@pytest.mark.parametrize("wrong", [-1.0, 0.5])
def test_totals_that_are_no_counts_are_told(tmp_path: Path, wrong: float) -> None:
    rows = [{"unit": "a", "ts": at(4), "event": "visit", "amount": 1.0, "items": wrong}]
    given = Logs(
        {"exposures": [[{"unit": "a", "variant": "A", "ts": at(0)}]], "events": [rows]},
        {name: {"source": "events", **METRICS[name]} for name in ("visits", "items")},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}},
    )
    with closing(open_logs(tmp_path, given)) as catalog:
        visits, items = read(catalog).metrics
    assert (visits.moments.invalid, items.moments.invalid) == (0, 1)
