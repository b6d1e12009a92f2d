"""Units seen in several arms: kept or left out, counted, and what leaving them out of uneven arms does."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.aggregates.arms import ExperimentAggregates, MetricAggregates, Split
from analytics.experiments.crossed import crossed_problem, crossed_share, redrawn
from analytics.experiments.design import Design
from analytics.experiments.rows import ExperimentRow, Scorecard
from analytics.experiments.states import StateRow, empty_arms, exposed_late, state_rows
from analytics.workbench import Workbench
from tests.aggregates.experiment_logs import Logs, at, write

UNEVEN = {"A": 0.9, "B": 0.1}


def heavy_units(n: int, shares: dict[str, float], seed: int = 0) -> tuple[pa.Table, pa.Table]:
    """Exposures and events without any effect: 5 % of units are heavy (value 5, all others 1) and draw again."""
    rng = np.random.default_rng(seed)
    arms, chances = np.array(list(shares)), list(shares.values())
    names = np.array([f"u{i}" for i in range(n)])
    heavy = rng.random(n) < 0.05
    first, second = (rng.choice(arms, n, p=chances) for _ in range(2))
    start = np.datetime64("2024-03-08T00:00:00", "us")
    at_first = start + rng.integers(0, 86_400, n) * np.timedelta64(1, "s")
    exposures = pa.table({
        "unit": np.concatenate([names, names[heavy]]),
        "variant": np.concatenate([first, second[heavy]]),
        "ts": pa.array(np.concatenate([at_first, at_first[heavy] + np.timedelta64(1, "h")])).cast(
            pa.timestamp("us", "UTC")
        ),
    })  # fmt: skip
    events = pa.table({
        "unit": names,
        "ts": pa.array(at_first + np.timedelta64(2, "h")).cast(pa.timestamp("us", "UTC")),
        "amount": np.where(heavy, 5.0, 1.0),
    })  # fmt: skip
    return exposures, events


def card(
    folder: Path, crossed: str, shares: dict[str, float], n: int
) -> tuple[Scorecard, tuple[StateRow, ...]]:
    given = Logs(
        {"exposures": [[]], "events": [[]]},
        {"spent": {"kind": "mean", "value": "amount"}},
        {"control": "A", "variants": shares, "crossed": crossed},
    )
    file = write(folder, given)
    for name, rows in zip(("exposures", "events"), heavy_units(n, shares), strict=True):
        pq.write_table(rows, folder / name / "part-0.parquet")
    with closing(Workbench(file)) as bench:
        return bench.scorecard(name="test"), tuple(bench.exposure_states("test").rows)


def spent(found: Scorecard) -> ExperimentRow:
    return next(row for row in found.rows if row.metric == "spent" and row.method == "unadjusted")


def test_left_out_of_uneven_arms_they_are_an_effect_out_of_nothing(tmp_path: Path) -> None:
    """Fact 6 of the survey of peers: 200,000 users, 90/10, nothing done to anybody."""
    kept, _ = card(tmp_path / "first", "first", UNEVEN, 200_000)
    left, states = card(tmp_path / "out", "leave_out", UNEVEN, 200_000)
    assert spent(kept).p_value > 0.01
    assert kept.health.srm is not None
    assert kept.health.srm.p_value > 0.01
    row = spent(left)
    # of the heavy units of B 90 % are drawn into A and left out, of those of A 10 %
    assert row.difference == pytest.approx(1 + 4 * 0.005 / 0.955 - (1 + 4 * 0.045 / 0.995), abs=0.03)
    assert row.difference == pytest.approx(-0.16, abs=0.02)
    assert row.ci_high < -0.1
    assert left.health.srm is not None
    assert left.health.srm.p_value < 1e-4
    assert left.decision.call == "invalid"
    said = next(note for note in left.health.notes if "saw more than one arm" in note)
    assert "left out 9 times as often from B as from A" in said
    by_arm = {row.variant: row for row in states if row.state == "crossed"}
    assert by_arm["B"].share / by_arm["A"].share == pytest.approx(9, rel=0.1)
    assert not by_arm["A"].enters
    assert sum(row.n for row in states if row.state in {"judged", "crossed"}) == 200_000


def test_left_out_of_even_arms_they_change_neither_split_nor_difference(tmp_path: Path) -> None:
    even = {"A": 0.5, "B": 0.5}
    left, _ = card(tmp_path, "leave_out", even, 40_000)
    assert spent(left).p_value > 0.01
    assert left.health.srm is not None
    assert left.health.srm.p_value > 0.01
    assert "are left out of both" in left.health.notes[0]
    assert left.health.n_units == 40_000
    assert sum(arm.n for arm in left.health.arms) == 40_000 - left.health.n_multiple


def test_kept_units_are_in_their_first_arm_and_left_out_ones_nowhere(tmp_path: Path) -> None:
    exposures = [
        {"unit": "a", "variant": "A", "ts": at(1)}, {"unit": "a", "variant": "B", "ts": at(2)},
        {"unit": "b", "variant": "B", "ts": at(1)}, {"unit": "c", "variant": "A", "ts": at(1)},
        {"unit": "c", "variant": "A", "ts": at(3)}, {"unit": "d", "variant": "C", "ts": at(1)},
        {"unit": "d", "variant": "A", "ts": at(2)}, {"unit": "e", "variant": "B", "ts": at(-1)},
        {"unit": "f", "variant": "B", "ts": at(90)}, {"unit": None, "variant": "B", "ts": at(1)},
    ]  # fmt: skip
    events = [{"unit": "a", "ts": at(4), "amount": 7.0}]
    found: dict[str, Any] = {}
    for crossed in ("first", "leave_out"):
        given = Logs(
            {"exposures": [exposures], "events": [events]},
            {"spent": {"kind": "mean", "value": "amount"}},
            {"control": "A", "variants": {"A": 0.4, "B": 0.4, "E": 0.2}, "crossed": crossed, "start": at(0),
             "end": at(80)},
        )  # fmt: skip
        with closing(Workbench(write(tmp_path / crossed, given))) as bench:
            found[crossed] = (bench.scorecard(name="test"), bench.exposure_states("test").rows)
    kept, left = (
        {(row.state, row.variant): (row.n, row.enters) for row in found[crossed][1]}
        for crossed in ("first", "leave_out")
    )
    assert kept == {
        ("judged", "A"): (2, True), ("crossed", "A"): (1, True), ("judged", "B"): (1, True),
        ("no_units", "E"): (0, False), ("unknown_arm", "C"): (1, False), ("before_start", None): (1, False),
        ("after_end", None): (1, False), ("unusable", None): (1, False),
    }  # fmt: skip
    assert left == kept | {("judged", "A"): (1, True), ("crossed", "A"): (1, False)}
    means = {crossed: {arm.variant: arm.mean for arm in found[crossed][0].arms} for crossed in found}
    assert means == {"first": {"A": 3.5, "B": 0.0, "E": None}, "leave_out": {"A": 0.0, "B": 0.0, "E": None}}
    assert "nobody was exposed to E, which was to get 20%" in found["first"][0].health.notes


@pytest.mark.parametrize(
    "shares, expected",
    [
        ({"A": 0.5, "B": 0.5}, None),
        ({"A": 0.9, "B": 0.1}, ("B", "A", 9.0)),
        ({"A": 0.6, "B": 0.2, "C": 0.2}, ("B", "A", 2.0)),
        ({"A": 0.5, "B": 0.5, "old": 0.0}, None),
    ],
)
def test_how_many_times_as_often_a_unit_of_the_small_arm_is_left_out(
    shares: dict[str, float], expected: Any
) -> None:
    assert redrawn(Design(None, "A", shares)) == expected


def test_the_limit_is_the_experiments_own() -> None:
    split = Split({"A": 5000, "B": 5000}, n_multiple=80, crossed={"A": 40, "B": 40})
    plain = Design("z", "A", {"A": 0.5, "B": 0.5})
    assert crossed_problem(plain, split) is None
    strict = Design("z", "A", {"A": 0.5, "B": 0.5}, crossed_limit=0.005)
    assert (
        crossed_problem(strict, split)
        == "80 units (0.8%) saw more than one arm and are kept in the one they saw first"
    )
    assert crossed_share(Split({"A": 60, "B": 60}, n_multiple=80, leaves_crossed_out=True)) == pytest.approx(
        0.4
    )
    assert crossed_share(Split({"A": 0, "B": 0})) == 0.0


def test_an_exposure_that_one_arm_logs_late_is_told() -> None:
    split = Split({"A": 1000, "B": 1000})
    metric = MetricAggregates("buy", None, n_early={"A": 20, "B": 120})  # type: ignore[arg-type]
    (told,) = exposed_late([metric], split)
    assert told.startswith("buy: 12% of the units in B had it before their exposure, against 2% in A")
    alike = MetricAggregates("buy", None, n_early={"A": 100, "B": 104})  # type: ignore[arg-type]
    assert exposed_late([alike], split) == []


def test_states_of_an_experiment_that_nobody_was_in() -> None:
    design = Design("z", "A", {"A": 0.5, "B": 0.5})
    rows = state_rows(design, ExperimentAggregates(Split({"A": 0, "B": 0}), ()))
    assert [(row.state, row.variant, row.n, row.share) for row in rows] == [
        ("no_units", "A", 0, None),
        ("no_units", "B", 0, None),
    ]
    assert empty_arms(design, Split({"A": 0, "B": 0})) == []
