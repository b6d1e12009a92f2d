"""A table with one row an arm gives the scorecard that the units behind it would have given."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.errors import AssayError, ProjectError, TelemetryError
from analytics.experiments.rows import ExperimentRow, Scorecard
from analytics.stats import poisson
from analytics.workbench import Workbench
from tests.aggregates.experiment_logs import Logs, Row, at, write

SECTION = {"variant": "arm", "units": "visitors", "experiment": "test"}
METRICS: dict[str, dict[str, Any]] = {
    "bought": {"kind": "proportion", "value": "buyers"},
    "revenue": {"kind": "mean", "value": "mean_revenue", "standard_deviation": "sd_revenue"},
    "orders": {"kind": "count", "value": "orders"},
    "visits": {"kind": "count", "value": "visits", "standard_deviation": "sd_visits"},
}
ROWS: list[Row] = [
    {"test": "test", "arm": "A", "visitors": 400, "buyers": 40, "mean_revenue": 10.0, "sd_revenue": 4.0,
     "orders": 60, "visits": 800, "sd_visits": 2.0},
    {"test": "test", "arm": "B", "visitors": 380, "buyers": 61, "mean_revenue": 11.5, "sd_revenue": 5.0,
     "orders": 90, "visits": 900, "sd_visits": 2.5},
    {"test": "other", "arm": "A", "visitors": 7, "buyers": 0, "mean_revenue": 0.0, "sd_revenue": 0.0, "orders": 0,
     "visits": 0, "sd_visits": 0.0},
]  # fmt: skip
USUAL = {
    "counts": {key: value for key, value in SECTION.items() if key != "experiment"} | {"experiment": "test"}
}


def card(
    folder: Path, rows: list[Row], metrics: dict[str, Any] | None = None, form: str = "csv", **more: Any
) -> Scorecard:
    given = Logs(
        {"counts": [rows]},
        METRICS if metrics is None else metrics,
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}, **more},
        sections=USUAL,
        others={"other": {"control": "A", "variants": {"A": 0.5, "B": 0.5}}},
    )
    with closing(Workbench(write(folder, given, form))) as bench:
        return bench.scorecard(name="test")


def of(found: Scorecard, metric: str) -> ExperimentRow:
    return next(row for row in found.rows if row.metric == metric)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_shares_and_means_are_those_of_the_units(tmp_path: Path, form: str) -> None:
    """The units behind the counts are written out, and every number of the scorecard compared."""
    units = []
    for row in ROWS[:2]:
        n, mean, spread = row["visitors"], row["mean_revenue"], row["sd_revenue"]
        values = np.resize([-1.0, 1.0], n)
        values = mean + values * spread / values.std(ddof=1)
        units += [
            {
                "unit": f"{row['arm']}{i}", "variant": row["arm"], "points": float(values[i]),
                "flag": float(i < row["buyers"]),
            }
            for i in range(n)
        ]  # fmt: skip
    logged = Logs(
        {"units": [units]},
        {"bought": {"kind": "proportion", "value": "flag"}, "revenue": {"kind": "mean", "value": "points"}},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}},
        sections={"units": {"unit": "unit", "variant": "variant"}},
    )
    with closing(Workbench(write(tmp_path / "units", logged))) as bench:
        expected = bench.scorecard(name="test")
    metrics = {name: METRICS[name] for name in ("bought", "revenue")}
    found = card(tmp_path / "counts", ROWS, metrics, form)
    for metric in metrics:
        one, other = of(found, metric), of(expected, metric)
        for name in ("n", "mean", "mean_control", "difference", "p_value", "ci_low", "ci_high", "lift", "lift_ci_low",
                     "lift_ci_high", "p_adjusted", "ci_adjusted_low", "chance_to_beat", "half_width"):  # fmt: skip
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9), (metric, name)
        assert (one.test, one.badge) == (other.test, other.badge)
    assert found.health.srm is not None
    assert expected.health.srm is not None
    assert found.health.srm.p_value == pytest.approx(expected.health.srm.p_value)


def test_totals_are_compared_as_rates_and_with_a_spread_by_welch(tmp_path: Path) -> None:
    found = card(tmp_path, ROWS)
    orders, visits = of(found, "orders"), of(found, "visits")
    rates = poisson.Rates(90, 380, 60, 400)
    assert orders.test == "score of rates"
    assert orders.p_value == pytest.approx(poisson.score_test(rates).p_value)
    assert (orders.ci_low, orders.ci_high) == pytest.approx(tuple(poisson.score_difference(rates, 0.95)))
    assert visits.test == "welch"
    assert visits.standard_error == pytest.approx(math.sqrt(2.5**2 / 380 + 2.0**2 / 400))
    assert (
        orders.definition
        == "events per unit: orders, of a table with one row an arm; taken as Poisson counts"
    )
    for row in (orders, visits):
        assert row.ci_low is not None
        assert row.p_value is not None
        assert (row.p_value < 0.05) == (row.ci_low > 0)


def test_an_arm_without_a_row_or_a_number(tmp_path: Path) -> None:
    alone = card(tmp_path / "one", ROWS[:1])
    assert {of(alone, name).status for name in METRICS} == {"no_data"}
    assert any("nobody was exposed to B" in note for note in alone.health.notes)
    gap = card(tmp_path / "gap", [ROWS[0], {**ROWS[1], "buyers": None}])
    bought = of(gap, "bought")
    assert (bought.status, bought.n_missing, bought.p_value) == ("no_data", 380, None)
    assert of(gap, "revenue").status == "ok"
    stranger = card(tmp_path / "three", [*ROWS, {**ROWS[0], "arm": "C"}])
    assert stranger.health.unknown == (("C", 400),)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"visitors": -1}, 'counts.units: the arm "B" has -1 units'),
        ({"visitors": 2.5}, "2.5 units; a whole number"),
        ({"visitors": None}, "no units"),
        ({"buyers": 381}, 'bought of the arm "B": 381 of 380 units cannot have it'),
        ({"buyers": 0.5}, "0.5 is no count"),
        ({"orders": -3}, "-3 is no count"),
        ({"sd_revenue": -1.0}, "a standard deviation is 0 or more"),
        ({"mean_revenue": 1e300}, "is no finite number"),
        ({"arm": "A"}, 'there are two rows of the arm "A"'),
    ],
)
def test_numbers_that_cannot_be_are_refused_in_words(tmp_path: Path, change: Row, message: str) -> None:
    with pytest.raises(TelemetryError) as told:
        card(tmp_path, [ROWS[0], {**ROWS[1], **change}])
    assert message in str(told.value)


@pytest.mark.parametrize(
    "keys, message",
    [
        (
            {"kind": "ratio", "numerator": "a", "denominator": "b", "source": "counts"},
            "kind: over a table with one row",
        ),
        ({"kind": "mean", "value": "mean_revenue"}, "standard_deviation: a mean needs it"),
        ({"kind": "proportion", "value": "buyers", "standard_deviation": "x"}, "follows from a share"),
        (
            {"kind": "proportion", "value": "buyers", "window": "7 days"},
            "window: a table with one row an arm",
        ),
        ({"kind": "count", "value": "orders", "winsorize": 0.9}, "winsorize: a table"),
    ],
)
def test_what_a_table_of_arms_cannot_tell_is_refused(
    tmp_path: Path, keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(ProjectError, match=message):
        card(tmp_path, ROWS, {"m": keys})


def test_columns_that_are_not_there_and_sources_that_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=r'metrics.m.value = "buyerz".*did you mean "buyers"'):
        card(tmp_path / "a", ROWS, {"m": {"kind": "proportion", "value": "buyerz"}})
    mixed = Logs(
        {"counts": [ROWS], "exposures": [[{"unit": "a", "variant": "A", "ts": at(0)}]],
         "events": [[{"unit": "a", "ts": at(1), "amount": 1.0}]]},
        {"bought": {**METRICS["bought"], "source": "counts"}, "spent": {"kind": "mean", "value": "amount"}},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}},
        sections=USUAL,
    )  # fmt: skip
    with pytest.raises(ProjectError, match="cannot be told from those of the other"):
        Workbench(write(tmp_path / "b", mixed)).close()


def test_history_and_telemetry_of_counts(tmp_path: Path) -> None:
    given = Logs(
        {"counts": [ROWS]}, METRICS, {"control": "A", "variants": {"A": 0.5, "B": 0.5}}, sections=USUAL
    )
    with closing(Workbench(write(tmp_path, given, "csv"))) as bench:
        history = bench.history(metric="revenue", name="test")
        assert (history.baseline, history.standard_deviation) == pytest.approx((10.0, 4.0))
        with pytest.raises(ProjectError, match="one row an arm"):
            bench.history(metric="revenue")
        assert [row.rows for row in bench.telemetry().rows] == [3]
