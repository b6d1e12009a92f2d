"""Windows, delays and open windows from logs to the scorecard: who is judged, who waits, and what is said."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.experiments.rows import ExperimentRow, Scorecard
from analytics.project import read_project
from analytics.workbench import Workbench
from tests.aggregates.experiment_logs import Logs, Row, at, write

METRICS: dict[str, dict[str, Any]] = {
    "spent": {"kind": "mean", "value": "amount", "window": "48 hours"},
    "kept": {"kind": "retention", "value": "event = 'visit'", "after": "24 hours", "window": "72 hours"},
    "ever": {"kind": "proportion", "value": "event = 'visit'"},
    "path": {"kind": "funnel", "steps": ["event = 'visit'", "event = 'buy'"], "window": "24 hours"},
}


def logs(metrics: Any = None, events: list[Row] | None = None, **experiment: Any) -> Logs:
    rng = np.random.default_rng(3)
    names = [f"u{i}" for i in range(300)]
    first = {name: float(rng.uniform(0, 200)) for name in names}
    exposures = [
        {"unit": name, "variant": "AB"[i % 2], "ts": at(first[name])} for i, name in enumerate(names)
    ]
    rows = [
        {
            "unit": name, "ts": at(first[name] + float(rng.uniform(0, 90))), "event": str(rng.choice(["visit", "buy"])),
            "amount": float(rng.gamma(2)),
        }
        for name in names for _ in range(3)
    ]  # fmt: skip
    return Logs(
        {"exposures": [exposures], "events": [rows if events is None else events]},
        {name: {"source": "events", **keys} for name, keys in (metrics or METRICS).items()},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}, **experiment},
    )


def card(folder: Path, given: Logs, as_of: float | None = None) -> Scorecard:
    with closing(Workbench(write(folder, given))) as bench:
        words = {} if as_of is None else {"as_of": at(as_of).isoformat()}
        return bench.scorecard(bench.scope(**words), name="test")


def of(found: Scorecard, metric: str) -> ExperimentRow:
    return next(row for row in found.rows if row.metric == metric and row.role != "health")


def exposed(given: Logs, until: float, as_of: float) -> int:
    """Units first exposed by an hour, known at another."""
    return sum(row["ts"] <= min(at(until), at(as_of)) for row in given.feeds["exposures"][0])


@pytest.mark.parametrize("declared", [None, "include", "leave_out"])
def test_each_metric_waits_for_its_own_window(tmp_path: Path, declared: str | None) -> None:
    given = logs(**({} if declared is None else {"open_windows": declared}))
    found = card(tmp_path, given, as_of=120)
    sizes = {name: of(found, name).n + of(found, name).n_control for name in METRICS}
    leaves = declared == "leave_out"
    everybody = exposed(given, 120, 120)
    assert sizes == {
        "spent": exposed(given, 72, 120) if leaves else everybody,
        "kept": exposed(given, 48, 120),
        "ever": everybody,
        "path": exposed(given, 96, 120) if leaves else everybody,
    }
    warned = "the window of" in (of(found, "spent").warnings or "")
    assert warned is not leaves
    told = [note for note in found.health.notes if "whose window is still open" in note]
    assert (
        next(note for note in told if "kept" in note)
        == f"kept: {everybody - sizes['kept']} units whose window is still open are left out"
    )
    assert len(told) == (3 if leaves else 1)
    assert of(found, "kept").definition == (
        "share of units that came back with event = 'visit', over events; from 1 day to 3 days after each unit's first "
        "exposure; units whose window is still open cannot be judged and are left out"
    )


@pytest.mark.parametrize("ends, until", [(False, "exposure on"), (True, "until the end of the experiment")])
def test_a_definition_says_until_when_rows_count_and_that_a_look_back_does_not_decay(
    tmp_path: Path, ends: bool, until: str
) -> None:
    metrics = {
        "ever": {"kind": "mean", "value": "amount"},
        "fades": {"kind": "mean", "value": "amount", "window": "3 days", "half_life": "1 day"},
    }
    keys = {"end": at(400)} if ends else {}
    found = card(tmp_path, logs(metrics, covariate="14 days", **keys))
    assert until in of(found, "ever").definition
    assert "adjusted by the same over the 14 days before it" in of(found, "ever").definition
    assert "adjusted by the same, without decay, over the 14 days before it" in of(found, "fades").definition


@pytest.mark.parametrize(
    "stopping, leaves",
    [("fixed", False), ("bayesian", False), ("always-valid", True), ("group-sequential", True)],
)
def test_looking_early_judges_complete_windows_by_default(
    tmp_path: Path, stopping: str, leaves: bool
) -> None:
    given = logs(stopping=stopping, planned_units=300)
    file = write(tmp_path, given)
    assert read_project(file).experiments["test"].leaves_open_windows_out is leaves
    found = card(tmp_path, given, as_of=120)
    spent = next(arm for arm in found.arms if arm.metric == "spent")
    assert ("ever: has no window" in " ".join(found.health.notes)) is leaves
    if stopping != "group-sequential":
        both = sum(arm.n for arm in found.arms if arm.metric == spent.metric)
        assert both == exposed(given, 72 if leaves else 120, 120)


def test_before_any_window_has_closed_nothing_is_judged(tmp_path: Path) -> None:
    found = card(tmp_path, logs(open_windows="leave_out"), as_of=40)
    for metric in ("spent", "kept"):
        row = of(found, metric)
        assert (row.status, row.p_value, row.mean) == ("immature", None, None)
        assert row.reason == "no unit of B and A has had its whole window yet"
        arms = [arm for arm in found.arms if arm.metric == metric]
        assert {(arm.status, arm.n) for arm in arms} == {("immature", 0)}
        assert arms[0].reason == "no unit of A has had its whole window yet"
    assert of(found, "ever").status == "ok"


def test_units_that_act_only_before_the_delay_are_no_lost_logs(tmp_path: Path) -> None:
    given = logs({"kept": METRICS["kept"]})
    early = [
        {"unit": row["unit"], "ts": row["ts"], "event": "visit", "amount": 1.0}
        for row in given.feeds["exposures"][0]
    ]
    late = {"unit": "nobody", "ts": at(500), "event": "visit", "amount": 1.0}
    found = card(tmp_path, logs({"kept": METRICS["kept"]}, [*early, late]))
    assert found.health.doubts == ()
    assert of(found, "kept").reason == "no unit of either arm has it: there is nothing to test"


def test_the_newest_row_of_the_log_ends_it_and_not_the_as_of(tmp_path: Path) -> None:
    given = logs(open_windows="leave_out")
    newest = max(row["ts"] for row in given.feeds["events"][0])
    hours = (newest - at(0)).total_seconds() / 3600
    far, none = card(tmp_path, given, as_of=9000), card(tmp_path, given)
    assert of(far, "spent").n + of(far, "spent").n_control == exposed(given, hours - 48, 9000)
    assert of(far, "spent") == of(none, "spent")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.randoms(use_true_random=False), cut=st.integers(0, 900), repeats=st.integers(0, 3))
def test_order_files_and_repeated_exposures_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, order: Any, cut: int, repeats: int
) -> None:
    plain = logs(open_windows="leave_out")
    exposures, events = list(plain.feeds["exposures"][0]), list(plain.feeds["events"][0])
    again = [{**row, "ts": at(210)} for row in exposures[: repeats * 50]]
    exposures += again
    order.shuffle(exposures)
    order.shuffle(events)
    mixed = Logs(
        {"exposures": [exposures], "events": [events[:cut], events[cut:]]}, plain.metrics, plain.experiment
    )
    folder = tmp_path_factory.mktemp("order")
    one, other = card(folder / "plain", plain, as_of=150), card(folder / "mixed", mixed, as_of=150)
    for metric in METRICS:
        first, second = of(one, metric), of(other, metric)
        for name in ("n", "n_control", "mean", "mean_control", "p_value", "ci_low", "ci_high"):
            assert getattr(first, name) == pytest.approx(getattr(second, name), rel=1e-9), (metric, name)
