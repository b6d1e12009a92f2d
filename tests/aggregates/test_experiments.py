"""From logs to moments by arm: everything that is read equals a reference that reads row by row in Python."""

from __future__ import annotations

import math
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.aggregates.unit_histograms import BINS
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from tests.aggregates.experiment_logs import Logs, Row, at, open_logs, read, write
from tests.aggregates.experiment_reference import Truth, Value, covariate, present, truth

NAN, INF = math.nan, math.inf
METRICS: dict[str, tuple[dict[str, Any], dict[str, Value]]] = {
    "spent": ({"kind": "mean", "value": "amount", "source": "events"}, {"value": lambda row: row["amount"]}),
    "spent_soon": (
        {
            "kind": "mean",
            "value": "amount * 2",
            "source": "events",
            "window": "6 hours",
            "winsorize": [0.1, 0.9],
        },
        {"value": lambda row: None if row["amount"] is None else row["amount"] * 2},
    ),
    "spent_known": (
        {"kind": "mean", "value": "amount", "source": "events", "covariate": "before", "winsorize": 0.8},
        {"value": lambda row: row["amount"]},
    ),
    "bought": (
        {"kind": "proportion", "value": "event = 'buy'", "source": "events"},
        {"value": lambda row: None if row["event"] is None else float(row["event"] == "buy")},
    ),
    "arm_b": (
        {"kind": "proportion", "value": "variant = 'B'", "source": "events"},
        {"value": lambda row: float(row["arm"] == "B")},
    ),
    "price": (
        {"kind": "ratio", "numerator": "amount", "denominator": "items", "source": "events"},
        {"numerator": lambda row: row["amount"], "denominator": lambda row: row["items"]},
    ),
    "price_cut": (
        {"kind": "ratio", "numerator": "amount", "denominator": "1", "source": "events", "winsorize": 0.55},
        {"numerator": lambda row: row["amount"], "denominator": lambda _: 1.0},
    ),
    "points": (
        {"kind": "mean", "value": "points", "source": "units", "covariate": "before", "winsorize": 0.7},
        {"value": lambda row: row["points"]},
    ),
    "flagged": (
        {"kind": "proportion", "value": "flag", "source": "units", "covariate": "before"},
        {"value": lambda row: row["flag"]},
    ),
    "per_visit": (
        {"kind": "ratio", "numerator": "points", "denominator": "visits", "source": "units"},
        {"numerator": lambda row: row["points"], "denominator": lambda row: row["visits"]},
    ),
    "errors": (
        {"kind": "ratio", "numerator": "abs(label - decision)", "denominator": "1", "source": "predictions"},
        {
            # no decision follows from a score that is no number
            "numerator": lambda row: (
                None
                if row["label"] is None or math.isnan(row["score"])
                else abs(row["label"] - (row["score"] >= 0.5))
            ),
            "denominator": lambda _: 1.0,
        },
    ),
    "scored": (
        {"kind": "mean", "value": "score", "source": "predictions", "window": "12 hours"},
        {"value": lambda row: row["score"]},
    ),
    "missed": (
        {"kind": "proportion", "value": "label = 1 AND score < 0.5", "source": "predictions"},
        {"value": lambda row: both_true(truth_of(row["label"], 1), row["score"] < 0.5)},
    ),
}
VARIANTS = {"A": 0.5, "B": 0.3, "it's": 0.2}


def truth_of(value: Any, wanted: Any) -> bool | None:
    return None if value is None else value == wanted


def both_true(first: bool | None, second: bool) -> float | None:
    """AND of SQL."""
    if first is None:
        return 0.0 if not second else None
    return float(first and second)


def metrics_of(*sources: str) -> dict[str, dict[str, Any]]:
    found = {name: keys for name, (keys, _) in METRICS.items() if keys["source"] in sources}
    # a column of [units] beside events
    return {name: keys for name, keys in found.items() if "covariate" not in keys or "units" in sources}


def same(found: np.ndarray, expected: np.ndarray, scale: float = 1.0) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * scale)


def check(
    folder: Path, logs: Logs, form: str = "parquet", as_of: datetime | None = None, joined: Logs | None = None
):
    """Read logs and hold everything against the reference; ``joined`` has the labels in the rows of predictions."""
    expressions = {name: METRICS[name][1] for name in logs.metrics}
    expected = truth(joined or logs, expressions, as_of=as_of)
    with closing(open_logs(folder, logs, form)) as catalog:
        found = read(catalog, as_of=as_of)
    split = found.split
    assert dict(split.n) == expected.n
    assert list(split.n) == list(logs.experiment["variants"])
    assert split.n_multiple == expected.n_multiple
    assert split.n_unknown == expected.unknown.total()
    assert dict(split.unknown) == dict(
        sorted(expected.unknown.items(), key=lambda item: (-item[1], item[0]))[:10]
    )
    assert split.n_outside == expected.n_outside
    assert split.n_rows_left_out == expected.n_rows_left_out
    _check_clusters(logs, split, expected)
    for metric in found.metrics:
        _check_metric(logs, metric, expected)
    return found, expected


def _check_clusters(logs: Logs, split: Any, expected: Truth) -> None:
    if "cluster" not in (logs.sections.get("units") or {}):
        assert split.clusters is None
        assert split.n_clusters is None
        return
    arms: dict[str, set[str]] = {}
    for unit in expected.units:
        arms.setdefault(unit.cluster, set()).add(unit.variant)
    assert split.n_clusters == len(arms)
    if any(len(found) > 1 for found in arms.values()):
        assert split.clusters is None
    else:
        counts = Counter(next(iter(found)) for found in arms.values())
        assert dict(split.clusters) == {arm: counts.get(arm, 0) for arm in split.n}


def _check_metric(logs: Logs, metric: Any, expected: Truth) -> None:
    keys = logs.metrics[metric.name]
    columns = METRICS[metric.name][1]
    names = list(columns)
    before = ["covariate"] if "covariate" in keys else []
    if not before and keys["source"] != "units" and "covariate" in logs.experiment:
        before = [covariate(name) for name in names]
    elif expected.n_imputed.get(metric.name, 0):
        before = [*before, "covariate_missing"]
    assert (metric.with_covariate is not None) == bool(before)
    caps = {name: pair for name, pair in metric.caps.items() if pair != (None, None)}
    assert caps == expected.caps.get(metric.name, {})
    assert metric.n_rows_left_out == expected.left_out[metric.name]
    assert metric.n_imputed == expected.n_imputed.get(metric.name, 0)
    for moments, wanted in ((metric.moments, names), (metric.with_covariate, [*names, *before])):
        if moments is not None:
            assert moments.columns == tuple(wanted)
            _check_moments(moments, expected, metric.name, wanted, clustered=expected_clusters(logs))
    _check_values(metric, expected, names)
    _check_bins(metric, expected, keys)


def expected_clusters(logs: Logs) -> bool:
    return "cluster" in (logs.sections.get("units") or {})


def _check_moments(moments: Any, expected: Truth, name: str, columns: list[str], *, clustered: bool) -> None:
    assert moments.clustered == clustered
    missing = Counter(unit.variant for unit in expected.units if not present(unit.values[name]))
    assert dict(moments.missing) == dict(missing)
    for arm, (units, values) in expected.table(name, columns).items():
        merged = moments.arm(arm)
        assert merged.n == len(units)
        if not len(units):
            continue
        scale = float(np.abs(values).max()) or 1.0
        same(merged.means, values.mean(axis=0), scale)
        gaps = values - values.mean(axis=0)
        same(merged.comoments, gaps.T @ gaps, scale**2)
        cells = moments.variants == arm
        found = Counter(dict(zip(moments.days[cells].astype(object), [0] * cells.sum(), strict=True)))
        for day, n in zip(moments.days[cells].astype(object), moments.n[cells], strict=True):
            found[day] += int(n)
        assert found == Counter(unit.day for unit in units)
        if clustered:
            sizes = sorted(Counter(unit.cluster for unit in units).values())
            numbers = np.unique(moments.clusters)
            n, means = moments.by_cluster(arm, numbers)
            assert sorted(n[n > 0].astype(int)) == sizes
            own: dict[str, list[np.ndarray]] = {}
            for unit, row in zip(units, values, strict=True):
                own.setdefault(unit.cluster, []).append(row)
            totals = sorted(round(float(np.sum(rows, axis=0)[0] / scale), 6) + 0.0 for rows in own.values())
            assert np.allclose(sorted(means[n > 0, 0] * n[n > 0] / scale), totals, atol=1e-5)


def _check_values(metric: Any, expected: Truth, columns: list[str]) -> None:
    if metric.values is None:
        return
    assert metric.values.n_units == sum(expected.n.values())
    for arm, (_, values) in expected.table(metric.name, columns).items():
        found = metric.values.values[metric.values.variants == arm][:, : len(columns)]
        assert found.shape == values.shape
        scale = float(np.abs(values).max()) if values.size else 1.0
        order, own = (np.lexsort(np.round(table / (scale or 1.0), 9).T[::-1]) for table in (found, values))
        same(found[order], values[own], scale or 1.0)


def _check_bins(metric: Any, expected: Truth, keys: dict[str, Any]) -> None:
    edges = metric.edges
    assert (np.diff(edges) > 0).all()
    assert len(edges) <= BINS + 1
    for arm in expected.n:
        shown = []
        for unit in expected.units:
            values = unit.values[metric.name]
            if unit.variant == arm and present(values):
                ratio = keys["kind"] == "ratio"
                shown.append(ratio_of(values) if ratio else values["value"])
        known = [value for value in shown if value is not None]
        if not len(edges):
            assert not metric.bins
            continue
        counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
        # sums in another order may fall on the other side of an edge
        assert metric.bins[arm].sum() == len(known)
        assert np.abs(np.cumsum(metric.bins[arm]) - np.cumsum(counts)).max() <= 2


def ratio_of(values: dict[str, float | None]) -> float | None:
    return values["numerator"] / values["denominator"] if values["denominator"] else None


# random logs


class Dirt:
    """Rows of small dirty logs on a grid of hours, so that ties and edges of windows are hit."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.names = [f"u{i}" for i in range(int(self.rng.integers(1, 30)))]
        self.arms = {name: self.pick("A", "B", "B", "it's", "C", None) for name in self.names}

    def pick(self, *values: Any, p: Any = None) -> Any:
        return values[self.rng.choice(len(values), p=p)]

    def often(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def hours(self) -> datetime | None:
        return None if self.often(0.04) else at(float(self.rng.integers(0, 96)) + self.pick(0, 0, 0.5))

    def exposure(self) -> Row:
        name = self.pick(*self.names)
        return {
            "unit": None if self.often(0.03) else name,
            "variant": self.arms[name] if self.often(0.9) else self.pick("A", "B", "C", None),
            "experiment": self.pick("test", "test", "other"),
            "ts": self.hours(),
        }

    def event(self) -> Row:
        amounts = (None, NAN, INF, -INF, 0.0, 1.0, 2.5, -3.0, 1e6)
        return {
            "unit": self.pick(*self.names, "nobody", None),
            "ts": self.hours(),
            "event": self.pick("buy", "view", None),
            "amount": self.pick(*amounts, p=[0.08, 0.04, 0.04, 0.04, 0.2, 0.2, 0.2, 0.15, 0.05]),
            "items": self.pick(None, NAN, 0.0, 1.0, 2.0, p=[0.1, 0.05, 0.15, 0.4, 0.3]),
        }

    def unit(self, name: str | None) -> Row:
        return {
            "unit": name,
            "variant": self.arms.get(name or "", "A"),
            "experiment": self.pick("test", "test", "other"),
            "cluster": self.pick(None, "h1", "h2", f"own {name}"),
            "points": self.pick(None, NAN, INF, 0.0, 1.0, 4.0, -2.0),
            "visits": self.pick(None, 0.0, 1.0, 2.0),
            "flag": self.pick(None, 0.0, 1.0, 1.0, 0.5),
            "before": self.pick(None, NAN, 1.0, 2.0, 7.0),
        }

    def units(self) -> list[Row]:
        """Some have two rows, some none."""
        others = [self.pick(*self.names, "nobody", None) if self.often(0.2) else name for name in self.names]
        return [*(self.unit(name) for name in others), self.unit("u0")]


def draw(seed: int) -> tuple[Logs, datetime | None]:
    """Exposures and events, a table of units, or both."""
    dirt = Dirt(seed)
    kind = ("events", "units", "both", "clusters")[seed % 4]
    feeds: dict[str, Any] = {}
    sections: dict[str, dict[str, Any]] = {}
    if kind != "units":
        sections["exposures"] = {
            "unit": "unit",
            "variant": "variant",
            "timestamp": "ts",
            "experiment": "experiment",
        }
        feeds["exposures"] = [
            [dirt.exposure() for _ in range(int(dirt.rng.integers(0, 60)))] for _ in range(2)
        ]
        feeds["exposures"][0].append({"unit": "u0", "variant": "A", "experiment": "test", "ts": at(30)})
        feeds["exposures"][1].append({"unit": "u0", "variant": "B", "experiment": "test", "ts": at(30)})
        feeds["events"] = [[dirt.event() for _ in range(int(dirt.rng.integers(1, 150)))] for _ in range(2)]
    if kind != "events":
        feeds["units"] = [dirt.units()]
        sections["units"] = {"unit": "unit", "experiment": "experiment"}
        sections["units"] |= {"variant": "variant"} if kind == "units" else {}
        sections["units"] |= {"cluster": "cluster"} if kind == "clusters" or dirt.often(0.3) else {}
    experiment: dict[str, Any] = {"control": "A", "variants": VARIANTS}
    experiment |= {"start": at(20), "end": at(70)} if dirt.often(0.6) else {}
    experiment |= (
        {"covariate": dirt.pick("12 hours", "2 days")} if kind != "units" and dirt.often(0.7) else {}
    )
    logs = Logs(
        feeds,
        metrics_of(*feeds),
        experiment,
        time_zone=dirt.pick("UTC", "America/New_York", "Asia/Kolkata"),
        sections=sections,
        others={"other": {"control": "A", "variants": {"A": 0.5, "B": 0.5}}},
    )
    return logs, at(float(dirt.rng.integers(10, 90))) if dirt.often(0.3) else None


@pytest.mark.parametrize("seed", range(14))
def test_random_logs_equal_the_reference(tmp_path, seed):
    logs, as_of = draw(seed)
    check(tmp_path, logs, ("parquet", "csv", "jsonl")[seed % 3], as_of)


def draw_predictions(seed: int) -> tuple[Logs, Logs, datetime | None]:
    """Exposures, predictions and late labels; as written, and with the labels known then joined to their rows."""
    rng = np.random.default_rng(seed)
    names = [f"u{i}" for i in range(12)]
    as_of = at(60) if seed % 2 else None
    received = seed % 3 == 0
    weighted = seed % 4 == 1
    scores = [0.1, 0.5, 0.9, NAN]
    predictions, reports = [], []
    for number in range(120):
        ts = at(float(rng.integers(0, 96)))
        row: Row = {
            "id": f"p{number}",
            "unit": names[rng.integers(12)] if rng.random() < 0.95 else None,
            "ts": ts,
        }
        row["score"] = float(rng.choice(scores))
        if received:
            row["received"] = ts + timedelta(hours=float(rng.integers(0, 30)))
        if weighted:
            row["weight"] = float(rng.choice([1.0, 2.0, 10.0]))
        predictions.append(row)
        for _ in range(int(rng.choice([0, 1, 1, 2]))):
            late = timedelta(hours=float(rng.integers(0, 40)))
            reports.append({"id": row["id"], "label": int(rng.integers(2)), "ts": ts + late})
    exposures = [
        {
            "unit": names[rng.integers(12)],
            "variant": str(rng.choice(["A", "B"])),
            "ts": at(float(rng.integers(0, 80))),
        }
        for _ in range(30)
    ]
    section = {
        "task": "binary",
        "id": "id",
        "timestamp": "ts",
        "score": "score",
        "unit": "unit",
        "threshold": 0.5,
    }
    section |= {"received": "received"} if received else {}
    section |= {"weight": "weight"} if weighted else {}
    experiment = {
        "control": "A",
        "variants": {"A": 0.5, "B": 0.5},
        "start": at(10),
        "end": at(70),
        "covariate": "1 days",
    }
    feeds = {
        "exposures": [exposures],
        "predictions": [predictions[:50], predictions[50:]],
        "labels": [reports],
    }
    logs = Logs(feeds, metrics_of("predictions"), experiment, sections={"predictions": section})
    newest: dict[str, tuple[Any, int]] = {}
    for place, report in enumerate(reports):
        if as_of is None or report["ts"] <= as_of:
            key = ((report["ts"], place), report["label"])
            newest[report["id"]] = max(newest.get(report["id"], key), key)
    joined = [
        [{**row, "label": newest.get(row["id"], (None, None))[1]} for row in rows]
        for rows in feeds["predictions"]
    ]
    return (
        logs,
        Logs({**feeds, "predictions": joined}, logs.metrics, experiment, sections=logs.sections),
        as_of,
    )


@pytest.mark.parametrize("seed", range(6))
def test_predictions_as_outcomes(tmp_path, seed):
    logs, joined, as_of = draw_predictions(seed)
    found, _ = check(tmp_path, logs, ("csv", "parquet", "jsonl")[seed % 3], as_of, joined)
    assert sum(found.split.n.values()) > 5
    assert found.metrics[0].n_rows_left_out > 0


# single rules


def exposure(unit: str, variant: str | None, hours: float) -> Row:
    return {"unit": unit, "variant": variant, "ts": at(hours)}


def small(exposures: Any, metrics: Any = None, events: Any = (), **more: Any) -> Logs:
    feeds = {
        "exposures": exposures,
        "events": [list(events) or [{"unit": "nobody", "ts": at(1), "amount": 1.0}]],
    }
    experiment = {"control": "A", "variants": {"A": 0.5, "B": 0.5}, **more.pop("experiment", {})}
    spent = {"spent": {"kind": "mean", "value": "amount", "source": "events"}}
    return Logs(feeds, metrics or spent, experiment, **more)


def aggregates(folder: Path, logs: Logs, form: str = "parquet", **words: Any) -> Any:
    with closing(open_logs(folder, logs, form)) as catalog:
        return read(catalog, logs.name, **words)


def test_of_equal_times_the_first_file_and_row_decide(tmp_path):
    first = [exposure("u", "A", 2), exposure("v", "B", 3), exposure("v", "A", 3), exposure("w", "B", 9)]
    second = [exposure("u", "B", 2), exposure("v", "A", 3), exposure("w", "A", 8.999), exposure("w", "B", 9)]
    found = aggregates(tmp_path, small([first, second])).split
    assert dict(found.n) == {"A": 2, "B": 1}
    assert found.n_multiple == 3


def test_an_exposure_outside_does_not_decide(tmp_path):
    rows = [
        exposure("u", "B", 1),
        exposure("u", "A", 5),
        exposure("v", "A", 4),
        exposure("v", "B", 6),
        exposure("w", "B", 9),
    ]
    found = aggregates(tmp_path, small([rows], experiment={"start": at(4), "end": at(9)})).split
    assert dict(found.n) == {"A": 2, "B": 0}
    assert found.n_multiple == 1  # u saw B before the experiment only
    assert found.n_outside == 2


def test_unknown_and_missing_arms_are_named(tmp_path):
    rows = [
        exposure(f"u{i}", name, 1) for i, name in enumerate(["A", "a", "a", None, "", "B ", "C", "C", "C"])
    ]
    found = aggregates(tmp_path, small([rows])).split
    assert found.unknown == (("C", 3), ("(missing)", 2), ("a", 2), ("B ", 1))
    assert found.n_unknown == 8


def test_only_the_most_frequent_unknown_arms_are_listed(tmp_path):
    rows = [exposure(f"u{i}", f"arm {i % 30:02}", 1) for i in range(75)]
    found = aggregates(tmp_path, small([rows])).split
    assert [n for _, n in found.unknown] == [3] * 10
    assert found.n_unknown == 75


@pytest.mark.parametrize(
    "zone, hours, day",
    [
        ("America/New_York", 52.9, "2024-03-09"),  # 23:54 before the clocks change
        ("America/New_York", 53, "2024-03-10"),
        ("America/New_York", 75.9, "2024-03-10"),  # a day of 23 hours
        ("America/New_York", 76, "2024-03-11"),
        ("Asia/Kolkata", 18.4, "2024-03-08"),
        ("Asia/Kolkata", 18.6, "2024-03-09"),
        ("UTC", 24, "2024-03-09"),
    ],
)
def test_days_are_those_of_the_project(tmp_path, zone, hours, day):
    logs = small([[exposure("u", "A", hours)]], time_zone=zone)
    assert [str(found) for found in aggregates(tmp_path, logs).metrics[0].moments.known_days] == [day]


def test_a_window_counts_hours_over_a_change_of_clocks(tmp_path):
    events = [{"unit": "u", "ts": at(52 + hours), "amount": 1.0} for hours in (0, 23.9, 24, 24.1)]
    spent = {"spent": {"kind": "mean", "value": "amount", "source": "events", "window": "1 day"}}
    logs = small([[exposure("u", "A", 52)]], spent, events, time_zone="America/New_York")
    assert aggregates(tmp_path, logs).metrics[0].moments.arm("A").means[0] == 2


@pytest.mark.parametrize(
    "winsorize, caps",
    [
        (0.55, (None, 55)),
        (0.551, (None, 56)),
        ([0.07, 0.29], (7, 29)),
        ([0.0, 0.999], (None, 100)),
        ([0.57, 1.0], (57, None)),
    ],
)
def test_caps_are_order_statistics_without_rounding(tmp_path, winsorize, caps):
    exposures = [exposure(f"u{i}", "AB"[i % 2], 1) for i in range(100)]
    events = [{"unit": f"u{i}", "ts": at(2), "amount": i + 1.0} for i in range(100)]
    spent = {"spent": {"kind": "mean", "value": "amount", "source": "events", "winsorize": winsorize}}
    metric = aggregates(tmp_path, small([exposures], spent, events)).metrics[0]
    assert metric.caps["value"] == caps
    low, high = caps[0] or 1, caps[1] or 100
    expected = np.clip(np.arange(1, 101), low, high)
    assert metric.moments.arm("A").means[0] == pytest.approx(expected[0::2].mean())
    assert metric.moments.arm("B").comoments[0, 0] == pytest.approx(expected[1::2].var() * 50)


@pytest.mark.parametrize("value", ["1e300", "-1.7e308", "1e41"])
def test_a_value_too_large_to_square_is_left_out(tmp_path, value):
    exposures = [exposure(f"u{i}", "AB"[i % 2], 1) for i in range(6)]
    events = [
        {"unit": f"u{i}", "ts": at(2), "amount": float(value) if i == 0 else 1.0, "items": 1e-300}
        for i in range(6)
    ]
    ratio = {"kind": "ratio", "numerator": "amount", "denominator": "items", "source": "events"}
    metrics = {"spent": {"kind": "mean", "value": "amount", "source": "events"}, "price": ratio}
    found = aggregates(tmp_path, small([exposures], metrics, events)).metrics
    assert [metric.n_rows_left_out for metric in found] == [1, 1]
    assert found[0].moments.arm("A").means[0] == pytest.approx(2 / 3)
    assert np.isfinite(found[1].edges).all()


def test_a_large_offset_leaves_the_spread(tmp_path):
    rng = np.random.default_rng(3)
    exposures = [exposure(f"u{i}", "AB"[i % 2], i % 5 * 24) for i in range(400)]
    values = rng.normal(size=400)
    events = [{"unit": f"u{i}", "ts": at(200), "amount": 1e9 + values[i]} for i in range(400)]
    arm = aggregates(tmp_path, small([exposures], events=events)).metrics[0].moments.arm("A")
    assert arm.means[0] - 1e9 == pytest.approx(values[::2].mean(), abs=1e-6)
    assert arm.comoments[0, 0] == pytest.approx(values[::2].var() * 200, rel=1e-6)


def test_every_format_gives_the_same(tmp_path):
    logs, _ = draw(11)
    found = {form: aggregates(tmp_path / form, logs, form) for form in ("parquet", "csv", "jsonl")}
    first = found.pop("parquet")
    for other in found.values():
        assert first.split == other.split
        for one, same_one in zip(first.metrics, other.metrics, strict=True):
            assert one.n_rows_left_out == same_one.n_rows_left_out
            assert one.caps == same_one.caps
            for arm in first.split.n:
                same(one.moments.arm(arm).means, same_one.moments.arm(arm).means)
                same(one.moments.arm(arm).comoments, same_one.moments.arm(arm).comoments)


HOSTILE = [
    "'; DROP TABLE x; --",
    'say "hi"',
    "two\nlines",
    "😀 é 中",
    "$start",
    "$as_of",
    "%s {0} \\",
    "NULL",
    "a" * 500,
    "(missing) ",
]


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_hostile_names_of_arms_and_units(tmp_path, form):
    arms = dict.fromkeys(HOSTILE, 1 / len(HOSTILE))
    exposures = [exposure(f"{unit} {arm}", arm, 1) for unit in HOSTILE for arm in HOSTILE]
    events = [{"unit": row["unit"], "ts": at(2), "amount": 1.0, "event": row["variant"]} for row in exposures]
    quoted = HOSTILE[0].replace("'", "''")
    metrics = {
        "'; --\n\"": {"kind": "mean", "value": "amount", "source": "events", "window": "1 day"},
        "$end": {
            "kind": "proportion",
            "value": f"event = '{quoted}' OR event = '$start'",
            "source": "events",
        },
        "😀": {"kind": "proportion", "value": "variant = '$as_of'", "source": "events"},
    }
    experiment = {"control": HOSTILE[0], "variants": arms, "start": at(0), "end": at(9)}
    logs = Logs({"exposures": [exposures], "events": [events]}, metrics, experiment, name="x'\"\n$end; --")
    found = aggregates(tmp_path, logs, form, as_of=at(8))
    assert dict(found.split.n) == dict.fromkeys(HOSTILE, 10)
    sums, named, armed = (metric.moments for metric in found.metrics)
    assert {arm: sums.arm(arm).means[0] for arm in HOSTILE} == dict.fromkeys(HOSTILE, 1.0)
    assert {arm for arm in HOSTILE if named.arm(arm).means[0]} == {HOSTILE[0], "$start"}
    assert {arm for arm in HOSTILE if armed.arm(arm).means[0]} == {"$as_of"}


def test_a_hundred_thousand_units(tmp_path):
    n = 100_000
    rng = np.random.default_rng(9)
    names = np.array([f"{HOSTILE[i % 8]}'{i}" for i in range(n)], dtype=object)
    arm = rng.choice(["A", "it's"], n)
    amount = rng.lognormal(size=3 * n)
    owner = rng.integers(0, n, 3 * n)
    logs = Logs(
        {"exposures": [], "events": []},
        {"spent": {"kind": "mean", "value": "amount", "source": "events", "winsorize": 0.999}},
        {"control": "A", "variants": {"A": 0.5, "it's": 0.5}},
    )
    write(tmp_path, logs)
    for name, table in {
        "exposures": {"unit": names, "variant": arm, "ts": np.full(n, np.datetime64("2024-03-08T00:00:00"))},
        "events": {
            "unit": names[owner],
            "ts": np.full(3 * n, np.datetime64("2024-03-09T00:00:00")),
            "amount": amount,
        },
    }.items():
        (tmp_path / name).mkdir()
        pq.write_table(pa.table(table), tmp_path / name / "part.parquet")
    started = time.monotonic()
    with closing(Catalog(read_project(tmp_path))) as catalog:
        found = read(catalog)
    assert time.monotonic() - started < 15
    sums = np.bincount(owner, amount, n)
    cap = np.sort(sums)[int(np.ceil(0.999 * n)) - 1]
    moments = found.metrics[0].moments
    for name in ("A", "it's"):
        own = np.minimum(sums[arm == name], cap)
        assert moments.arm(name).n == len(own)
        assert moments.arm(name).means[0] == pytest.approx(own.mean())
        assert moments.arm(name).comoments[0, 0] == pytest.approx(own.var() * len(own))
    assert found.metrics[0].values is None
    assert found.metrics[0].bins["A"].sum() == (arm == "A").sum()


def test_units_without_times_have_no_days(tmp_path):
    units = [{"unit": f"u{i}", "variant": "AB"[i % 2], "points": float(i)} for i in range(10)]
    logs = Logs(
        {"units": [units]}, {"points": {"kind": "mean", "value": "points"}},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}},
        sections={"units": {"unit": "unit", "variant": "variant"}},
    )  # fmt: skip
    found = aggregates(tmp_path, logs)
    assert found.metrics[0].moments.known_days == ()
    assert found.metrics[0].moments.arm("B").means[0] == 5


def test_units_with_times_may_start_and_end(tmp_path):
    units = [
        {"unit": f"u{i // 2}", "variant": "AB"[i // 2 % 2], "points": float(i), "ts": at(50 - i)}
        for i in range(40)
    ]
    experiment = {"control": "A", "variants": {"A": 0.5, "B": 0.5}, "start": at(20), "end": at(40)}
    logs = Logs(
        {"units": [units]}, {"points": {"kind": "mean", "value": "points", "source": "units"}}, experiment,
        sections={"units": {"unit": "unit", "variant": "variant", "timestamp": "ts"}},
    )  # fmt: skip
    found = aggregates(tmp_path, logs, as_of=at(35))
    # rows 15 to 30 lie in the experiment and were known; of a unit's rows the earlier one counts
    known = [row for row in units if at(20) <= row["ts"] <= at(35)]
    first = {row["unit"]: row for row in sorted(known, key=lambda row: row["ts"], reverse=True)}
    for arm in "AB":
        own = [row["points"] for row in first.values() if row["variant"] == arm]
        assert found.metrics[0].moments.arm(arm).n == len(own)
        assert found.metrics[0].moments.arm(arm).means[0] == pytest.approx(np.mean(own))
    assert found.split.n_rows_left_out == len(known) - len(first)
    assert found.split.n_outside == sum(row["ts"] < at(20) for row in units)


def test_open_windows_are_counted(tmp_path):
    exposures = [exposure(f"u{i}", "A", i) for i in range(10)]
    spent = {"spent": {"kind": "mean", "value": "amount", "source": "events", "window": "6 hours"}}
    logs = small([exposures], spent, [{"unit": "u0", "ts": at(12), "amount": 1.0}])
    assert aggregates(tmp_path, logs).metrics[0].n_open_window == 3  # 7, 8 and 9 o'clock
    assert aggregates(tmp_path, logs, as_of=at(8)).metrics[0].n_open_window == 6


def test_exposures_from_the_future_do_not_count(tmp_path):
    exposures = [exposure(f"u{i}", "AB"[i % 2], 1) for i in range(6)]
    exposures[0]["ts"] = datetime(2999, 1, 1, tzinfo=UTC)
    found = aggregates(tmp_path, small([exposures]))
    assert found.split.n == {"A": 2, "B": 3}
    assert (found.split.n_future, found.split.n_outside) == (1, 0)


def test_units_with_any_row_are_counted(tmp_path):
    exposures = [exposure(f"u{i}", "AB"[i % 2], 1) for i in range(6)]
    events = [{"unit": name, "ts": at(2), "amount": None, "items": 1.0} for name in ("u0", "u1", "u3", "zz")]
    ratio = {"kind": "ratio", "numerator": "amount", "denominator": "amount", "source": "events"}
    found = aggregates(tmp_path, small([exposures], {"price": ratio}, events)).metrics[0]
    assert found.n_active == {"A": 1, "B": 2}
    # a row that has neither half is none of the ratio's, and nothing is wrong with it
    assert found.n_rows_left_out == 0
