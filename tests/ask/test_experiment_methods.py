"""Quantiles, distributions and other methods asked of a workbench: from rows on disk to the numbers by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analytics.errors import ExperimentError, ProjectError
from analytics.stats.quantile_difference import quantile_of
from analytics.workbench import Workbench, open_workbench
from app import locations
from tests.aggregates.experiment_logs import Logs, at, write

N = 600
P90 = {"kind": "quantile", "quantile": 0.9, "value": "amount", "direction": "down"}


def tables(seed=3):
    """Units with several rows each; a unit is slow or fast, and B's slow rows are slower."""
    rng = np.random.default_rng(seed)
    names = [f"u{i}" for i in range(N)]
    variant = np.where(rng.random(N) < 0.5, "B", "A")
    exposures = [
        {"unit": unit, "variant": arm, "ts": at(1 + i / 100)}
        for i, (unit, arm) in enumerate(zip(names, variant, strict=True))
    ]
    slow = rng.lognormal(0, 0.5, N)
    rows = []
    for i, unit in enumerate(names[: N - 20]):  # the last twenty have none
        times = rng.poisson(4) + 1
        amounts = 100 * slow[i] * rng.lognormal(0, 0.3, times) * (1.3 if variant[i] == "B" else 1.0)
        rows += [{"unit": unit, "ts": at(20 + j), "amount": float(a)} for j, a in enumerate(amounts)]
        rows.append({"unit": unit, "ts": at(0.5), "amount": 1e6})  # before the exposure
        rows.append({"unit": unit, "ts": at(30), "amount": None})
    units = [
        {"unit": unit, "points": float(points), "cluster": f"c{i // 3}"}
        for i, (unit, points) in enumerate(zip(names, slow, strict=True))
    ]
    return exposures, rows, units


def bench(folder: Path, metrics, *, clustered=False, **experiment) -> Workbench:
    exposures, rows, units = tables()
    feeds = {"exposures": [exposures], "events": [rows], "units": [units]}
    keys = {"control": "A", "variants": {"A": 0.5, "B": 0.5}, **experiment}
    sections = {"units": {"unit": "unit", **({"cluster": "cluster"} if clustered else {})}}
    given = Logs(feeds, metrics, keys, sections=sections)
    return open_workbench(write(folder, given))


def frame():
    exposures, rows, units = tables()
    found = (
        pd.DataFrame(rows)
        .dropna()
        .query("amount < 1e6")
        .merge(pd.DataFrame(exposures)[["unit", "variant"]], on="unit")
    )
    return found.merge(pd.DataFrame(units)[["unit", "cluster"]], on="unit")


def by_hand(found, probability=0.9, group="unit"):
    sides = []
    for arm in ("B", "A"):
        own = found[found.variant == arm]
        sides.append(quantile_of(own.amount, probability, pd.factorize(own[group])[0]))
    return sides


def test_a_quantile_of_rows_allows_for_rows_of_a_unit(tmp_path):
    with_rows = bench(tmp_path, {"m": P90})
    row = with_rows.experiment("test")[0]
    arm, control = by_hand(frame())
    assert (row.mean, row.mean_control) == (arm.value, control.value)
    assert row.difference == pytest.approx(arm.value - control.value)
    assert row.standard_error == pytest.approx(np.hypot(arm.standard_error, control.standard_error))
    assert (row.test, row.badge) == ("quantile", "worse")
    assert (row.n + row.n_control, row.n_missing) == (N - 20, 20)
    # as if rows were independent the error would be far smaller
    naive = [quantile_of(frame().query(f"variant == '{v}'").amount, 0.9).standard_error for v in "BA"]
    assert row.standard_error > 1.3 * np.hypot(*naive)
    assert (row.ci_low > 0) == (row.p_value < 0.05)
    card = with_rows.scorecard(name="test")
    arms = {one.variant: one for one in card.arms}
    assert arms["A"].mean == control.value
    assert arms["A"].ci_low < control.value < arms["A"].ci_high
    last = [day for day in card.days if day.metric == "m"][-1]
    assert last.difference == pytest.approx(row.difference)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_method_of_a_quantile_is_that_of_its_verdict(tmp_path, clustered):
    with_rows = bench(tmp_path, {"m": P90}, clustered=clustered)
    said = with_rows.experiment("test")[0]
    named = next(row for row in with_rows.experiment_methods("test") if row.method == "quantile")
    for name in ("status", "difference", "p_value", "ci_low", "ci_high", "lift", "lift_ci_low"):
        assert getattr(named, name) == getattr(said, name)


def test_clusters_over_both_arms_are_one_group(tmp_path):
    row = bench(tmp_path, {"m": P90}, clustered=True).experiment("test")[0]
    arm, control = by_hand(frame(), group="cluster")
    plain = np.hypot(arm.standard_error, control.standard_error)
    assert row.difference == pytest.approx(arm.value - control.value)
    assert row.standard_error != pytest.approx(plain)
    assert row.standard_error == pytest.approx(plain, rel=0.3)


def test_a_quantile_of_units(tmp_path):
    metric = {"kind": "quantile", "quantile": 0.5, "value": "points", "source": "units"}
    row = bench(tmp_path, {"m": metric}).experiment("test")[0]
    exposures, _, units = tables()
    found = pd.DataFrame(units).merge(pd.DataFrame(exposures)[["unit", "variant"]], on="unit")
    values = [quantile_of(found[found.variant == v].points, 0.5) for v in "BA"]
    assert row.difference == pytest.approx(values[0].value - values[1].value)
    assert row.standard_error == pytest.approx(np.hypot(*(one.standard_error for one in values)))


@pytest.mark.parametrize(
    "keys,message",
    [
        ({"winsorize": 0.99}, "no tails to cut"),
        ({"covariate": "points"}, "a quantile is not adjusted"),
        ({"quantile": 1.0}, "quantile"),
    ],
)
def test_what_a_quantile_cannot_be_is_refused(tmp_path, keys, message):
    with pytest.raises(ProjectError, match=message):
        bench(tmp_path, {"m": P90 | keys})


def test_few_values_are_a_reason(tmp_path):
    row = bench(tmp_path, {"m": P90 | {"quantile": 0.999}}).experiment("test")[0]
    assert (row.status, row.p_value, row.ci_low) == ("too_few", None, None)
    assert "too few values" in row.reason


def test_a_distribution_says_where_arms_differ(tmp_path):
    found = bench(tmp_path, {"m": P90}).experiment_distribution("test", metric="m")
    assert found.sentence.startswith("B is higher than A at the")
    assert [row.quantile for row in found.quantiles] == [pytest.approx(i / 20) for i in range(1, 20)]
    rows = frame()
    for row in found.quantiles:
        arm, control = by_hand(rows, row.quantile)
        assert (row.value, row.value_control) == (arm.value, control.value)
        if row.status == "ok":
            assert row.ci_adjusted_low <= row.ci_low <= row.difference <= row.ci_high <= row.ci_adjusted_high
            shown = row.ci_adjusted_low > 0 or row.ci_adjusted_high < 0
            assert shown == (row.p_adjusted < 0.05)
    for arm in "AB":
        steps = [step for step in found.steps if step.variant == arm]
        values = rows[rows.variant == arm].amount
        for step in steps[::10]:
            assert step.share == pytest.approx((values <= step.value).mean())
            assert step.ci_low <= step.share <= step.ci_high
        assert {step.band for step in steps} == {"pointwise"}


def test_the_band_of_independent_units_is_massarts(tmp_path):
    metric = {"kind": "mean", "value": "points", "source": "units"}
    found = bench(tmp_path, {"m": metric}).experiment_distribution("test")
    step = next(one for one in found.steps if 0.4 < one.share < 0.6)
    half = np.sqrt(np.log(2 / 0.05) / (2 * step.n))
    assert (step.ci_low, step.ci_high) == pytest.approx((step.share - half, step.share + half))
    assert step.band == "simultaneous"


def test_shares_have_no_distribution_and_unknown_metrics_the_nearest(tmp_path):
    metrics = {
        "buys": {"kind": "proportion", "value": "amount > 100"},
        "spend": {"kind": "mean", "value": "amount"},
    }
    asked = bench(tmp_path, metrics)
    with pytest.raises(ExperimentError, match="yes or no"):
        asked.experiment_distribution("test", metric="buys")
    with pytest.raises(ExperimentError, match='did you mean "spend"'):
        asked.experiment_distribution("test", metric="spent")


def test_ranks_and_reassignment_read_single_units(tmp_path):
    asked = bench(tmp_path, {"m": {"kind": "mean", "value": "points", "source": "units"}})
    rows = {row.method: row for row in asked.experiment("test", methods=("mann-whitney", "student"))}
    exposures, _, units = tables()
    found = pd.DataFrame(units).merge(pd.DataFrame(exposures)[["unit", "variant"]], on="unit")
    arm, control = (found[found.variant == v].points for v in "BA")
    expected = stats.mannwhitneyu(arm, control, method="asymptotic").pvalue
    assert rows["mann-whitney"].p_value == pytest.approx(expected)
    assert rows["student"].p_value == pytest.approx(stats.ttest_ind(arm, control).pvalue)
    assert rows["unadjusted"].p_adjusted is not None
    assert rows["student"].p_adjusted is None
    with pytest.raises(ExperimentError, match='did you mean "mann-whitney"'):
        asked.experiment("test", methods=("mann-whitny",))


def test_methods_of_the_sample_experiment_default_first():
    asked = open_workbench(locations.sample_logs() / "flights")
    rows = asked.experiment_methods("gbm_against_logistic")
    assert {row.status for row in rows} <= {"ok", "undefined"}
    for metric in {row.metric for row in rows}:
        mine = [row for row in rows if row.metric == metric]
        assert [row.is_default for row in mine] == [True, *[False] * (len(mine) - 1)]
        usual = next(
            r
            for r in asked.experiment("gbm_against_logistic")
            if (r.metric, r.method) == (metric, "unadjusted")
        )
        assert mine[0].p_value == pytest.approx(usual.p_value, rel=1e-6)
    asked.close()
