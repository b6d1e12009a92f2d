"""Strata, ramps, pairs and several covariates asked of a workbench: from rows on disk to the numbers by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from analytics.errors import ProjectError
from analytics.experiments.rows import ExperimentRow, Scorecard
from analytics.workbench import Workbench
from tests.aggregates.experiment_logs import Logs, at, toml, write

VALUE = {"kind": "mean", "value": "points", "source": "units"}
FLAG = {"kind": "proportion", "value": "flag = 1", "source": "units"}
RATIO = {"kind": "ratio", "numerator": "points", "denominator": "visits", "source": "units"}
SECTION = {"unit": "unit", "variant": "variant", "timestamp": "ts"}


def shop(seed: int = 1, n: int = 4000) -> pd.DataFrame:
    """Two countries: B is rare and spending high in DE, so that the pooled difference has the wrong sign."""
    rng = np.random.default_rng(seed)
    country = np.where(rng.random(n) < 0.5, "DE", "US")
    chance = np.where(country == "DE", 0.1, 0.5)
    variant = np.where(rng.random(n) < chance, "B", "A")
    base = np.where(country == "DE", 20.0, 10.0)
    points = base + (variant == "B") + rng.normal(0, 3, n)
    return pd.DataFrame(
        {
            "unit": [f"u{i}" for i in range(n)],
            "variant": variant,
            "country": country,
            "ts": [at(1 + 200 * i / n) for i in range(n)],
            "points": points,
            "visits": rng.poisson(3, n) + 1.0,
            "flag": (rng.random(n) < np.where(country == "DE", 0.6, 0.2) + 0.05 * (variant == "B")) * 1.0,
            "before": base + rng.normal(0, 1, n),
            "old": rng.normal(0, 1, n),
        }
    )


def card(folder: Path, table: pd.DataFrame, metrics: dict, section: dict, **experiment) -> Scorecard:
    keys = {"control": "A", "variants": {"A": 0.7, "B": 0.3}, **experiment}
    given = Logs({"units": [table.to_dict("records")]}, metrics, keys, sections={"units": SECTION | section})
    bench = Workbench(write(folder, given))
    try:
        return bench.scorecard(bench.scope(), name="test")
    finally:
        bench.close()


def row(found: Scorecard, metric: str, method: str) -> ExperimentRow:
    return next(one for one in found.rows if (one.metric, one.method) == (metric, method))


def by_hand(table: pd.DataFrame, stratum: str) -> tuple[float, float, float]:
    """Difference, standard error and Satterthwaite's degrees of freedom."""
    gap, parts = 0.0, []
    for _, own in table.groupby(stratum):
        weight = len(own) / len(table)
        sides = [own.points[own.variant == arm] for arm in "BA"]
        gap += weight * (sides[0].mean() - sides[1].mean())
        parts += [(weight**2 * side.var() / len(side), len(side) - 1) for side in sides]
    variance = sum(v for v, _ in parts)
    return gap, variance**0.5, variance**2 / sum(v**2 / f for v, f in parts)


STRATA = {"DE": {"A": 0.9, "B": 0.1}, "US": {"A": 0.5, "B": 0.5}}


def test_within_strata_is_the_closed_form_and_leads(tmp_path: Path) -> None:
    table = shop()
    found = card(tmp_path, table, {"m": VALUE, "f": FLAG, "r": RATIO}, {"stratum": "country"}, strata=STRATA)
    within, pooled = row(found, "m", "stratified"), row(found, "m", "unadjusted")
    gap, error, df = by_hand(table, "country")
    assert (within.difference, within.standard_error, within.df) == pytest.approx((gap, error, df))
    assert within.p_value == pytest.approx(2 * stats.t.sf(abs(gap / error), df))
    assert pooled.difference is not None
    assert pooled.difference < 0 < gap
    shown = {one.metric: one.method for one in found.headline_rows()}
    assert shown == {"m": "stratified", "f": "stratified", "r": "stratified"}
    assert (within.n, within.n_control) == tuple((table.variant == arm).sum() for arm in "BA")
    flags = row(found, "f", "stratified")
    assert flags.test == "stratified score"
    assert flags.ci_low is not None
    assert flags.ci_low < flags.difference < flags.ci_high
    # the split is as planned within countries, and far from 70 to 30 over all
    assert found.health.srm is not None
    assert found.health.srm.p_value > 0.001
    assert "mixes" in (pooled.warnings or "")


def test_without_times_the_split_is_tested_within_strata_too(tmp_path: Path) -> None:
    table = shop().drop(columns="ts")
    given = Logs(
        {"units": [table.to_dict("records")]},
        {"m": VALUE},
        {"control": "A", "variants": {"A": 0.7, "B": 0.3}, "strata": STRATA},
        sections={"units": {"unit": "unit", "variant": "variant", "stratum": "country"}},
    )
    bench = Workbench(write(tmp_path, given))
    try:
        found = bench.scorecard(bench.scope(), name="test")
    finally:
        bench.close()
    expected = 0.0
    for country, own in table.groupby("country"):
        counted = [(own.variant == arm).sum() for arm in "AB"]
        shares = np.array([STRATA[str(country)][arm] for arm in "AB"])
        expected += stats.chisquare(counted, shares * len(own)).statistic
    srm = found.health.srm
    assert srm is not None
    assert (srm.statistic, srm.df, srm.p_adjusted) == (pytest.approx(expected), 2, None)
    assert srm.p_value == pytest.approx(stats.chi2.sf(expected, 2))
    assert found.decision.call != "invalid"


def test_without_the_cut_a_winsorised_metric_is_compared_within_strata_too(tmp_path: Path) -> None:
    table = shop()
    found = card(tmp_path, table, {"m": VALUE | {"winsorize": 0.99}}, {"stratum": "country"}, strata=STRATA)
    uncapped = next(one for one in found.others if one.method == "uncapped")
    gap, error, df = by_hand(table, "country")
    assert (uncapped.difference, uncapped.standard_error, uncapped.df) == pytest.approx((gap, error, df))
    assert uncapped.test == "stratified welch"
    assert uncapped.p_value == pytest.approx(2 * stats.t.sf(abs(gap / error), df))


def test_what_takes_strata_together_says_so_or_is_not_told(tmp_path: Path) -> None:
    given = Logs(
        {"units": [shop().to_dict("records")]},
        {"m": VALUE},
        {"control": "A", "variants": {"A": 0.7, "B": 0.3}, "strata": STRATA},
        sections={"units": SECTION | {"stratum": "country"}},
    )
    bench = Workbench(write(tmp_path, given))
    try:
        pooled = bench.experiment("test", bench.scope(), methods=["mann-whitney"])
        found = bench.experiment_distribution("test", bench.scope())
    finally:
        bench.close()
    asked = next(one for one in pooled.rows if one.method == "mann-whitney")
    assert "takes all strata together" in (asked.warnings or "")
    # the pooled quantiles of B are lower, though B is higher in both countries
    assert {one.status for one in found.quantiles} == {"undefined"}
    assert {one.difference for one in found.quantiles} == {None}
    assert "cannot be compared by quantiles: arms compare only within strata" in found.sentence


def test_one_stratum_is_no_stratum(tmp_path: Path) -> None:
    table = shop().assign(country="DE")
    found = card(tmp_path, table, {"m": VALUE, "f": FLAG, "r": RATIO}, {"stratum": "country"})
    for metric in "mfr":
        one, other = row(found, metric, "stratified"), row(found, metric, "unadjusted")
        names = ("difference", "standard_error", "p_value", "ci_low", "ci_high", "lift_ci_low", "test", "df")
        for name in names:
            value = getattr(other, name)
            assert getattr(one, name) == (
                pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            )


def test_strata_with_one_arm_are_left_out_and_counted(tmp_path: Path) -> None:
    table = shop()
    lost = pd.DataFrame(
        [{**table.iloc[i], "unit": f"x{i}", "country": "CH", "variant": "A"} for i in range(7)]
    )
    found = card(tmp_path, pd.concat([table, lost]), {"m": VALUE}, {"stratum": "country"}, strata=STRATA)
    within = row(found, "m", "stratified")
    assert within.difference == pytest.approx(by_hand(table, "country")[0])
    assert within.n_control == (table.variant == "A").sum()
    assert "7 units in CH" in (within.warnings or "")


def test_swapping_arms_negates_and_a_large_mean_loses_nothing(tmp_path: Path) -> None:
    table = shop()
    plain = row(card(tmp_path / "a", table, {"m": VALUE}, {"stratum": "country"}), "m", "stratified")
    far = table.assign(points=table.points + 1e9)
    moved = row(card(tmp_path / "b", far, {"m": VALUE}, {"stratum": "country"}), "m", "stratified")
    assert moved.standard_error == pytest.approx(plain.standard_error, rel=1e-5)
    swapped = table.assign(variant=table.variant.map({"A": "B", "B": "A"}))
    turned = row(card(tmp_path / "c", swapped, {"m": VALUE}, {"stratum": "country"}), "m", "stratified")
    assert turned.difference == pytest.approx(-plain.difference)
    assert turned.p_value == pytest.approx(plain.p_value)


def ramp(seed: int = 2, n: int = 4000) -> pd.DataFrame:
    """10 % see B in the first week, half of all afterwards, when everybody spends more."""
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.uniform(1, 336, n))
    late = hours >= 168
    variant = np.where(rng.random(n) < np.where(late, 0.5, 0.1), "B", "A")
    points = np.where(late, 20.0, 10.0) + rng.normal(0, 3, n)
    return pd.DataFrame(
        {
            "unit": [f"u{i}" for i in range(n)], "variant": variant, "ts": [at(h) for h in hours],
            "points": points, "late": late,
        }
    )  # fmt: skip


PHASES = [
    {"start": at(0), "variants": {"A": 0.9, "B": 0.1}},
    {"start": at(168), "variants": {"A": 0.5, "B": 0.5}},
]


def test_phases_weigh_what_a_ramp_mixes(tmp_path: Path) -> None:
    table = ramp()
    found = card(tmp_path, table, {"m": VALUE}, {}, phases=PHASES)
    within, pooled = row(found, "m", "stratified"), row(found, "m", "unadjusted")
    gap, error, df = by_hand(table, "late")
    assert (within.difference, within.standard_error, within.df) == pytest.approx((gap, error, df))
    assert pooled.p_value < 1e-10
    assert within.p_value > 0.01
    assert found.health.srm is not None
    assert found.health.srm.p_value > 0.001
    days = [day for day in found.days if day.method == "stratified"]
    assert days[-1].difference == pytest.approx(gap)


def test_units_before_the_first_phase_are_a_stratum_of_their_own(tmp_path: Path) -> None:
    table = ramp()
    found = card(tmp_path, table, {"m": VALUE}, {}, phases=PHASES[1:])
    assert row(found, "m", "stratified").difference == pytest.approx(by_hand(table, "late")[0])


def pairs(seed: int = 3, n: int = 150) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    level, rare = rng.normal(10, 4, n), rng.random(n)
    parts = [
        pd.DataFrame(
            {
                "unit": [f"{arm}{i}" for i in range(n)],
                "variant": arm,
                "couple": [f"p{i}" for i in range(n)],
                "ts": [at(1.0 + i) for i in range(n)],
                "points": level + rng.normal(0, 1, n) + 0.2 * (arm == "B"),
                "flag": (rare + rng.normal(0, 0.2, n) < 0.4 + 0.1 * (arm == "B")) * 1.0,
                "visits": rng.poisson(3, n) + 1.0,
                "before": level + rng.normal(0, 1, n),
            }
        )
        for arm in "AB"
    ]
    return pd.concat(parts)


def test_pairs_are_paired_t_and_mcnemar(tmp_path: Path) -> None:
    table = pairs()
    lonely = table[(table.couple != "p3") | (table.variant == "A")]
    metrics = {"m": VALUE, "f": FLAG, "r": RATIO}
    found = card(tmp_path, lonely, metrics, {"pair": "couple"}, variants={"A": 0.5, "B": 0.5})
    wide = table[table.couple != "p3"].pivot_table(
        index="couple", columns="variant", values=["points", "flag"]
    )
    theirs = stats.ttest_rel(wide.points.B, wide.points.A)
    mine = row(found, "m", "paired")
    assert (mine.statistic, mine.p_value, mine.df) == pytest.approx((theirs.statistic, theirs.pvalue, 148))
    assert (mine.ci_low, mine.ci_high) == pytest.approx(tuple(theirs.confidence_interval()))
    assert (mine.n, mine.n_control, mine.test) == (149, 149, "paired t")
    assert "1 unit without a partner" in (mine.warnings or "")
    assert mine.p_value < row(found, "m", "unadjusted").p_value
    both = pd.crosstab(wide.flag.B, wide.flag.A)
    exact = mcnemar(both, exact=False, correction=False)
    shares = row(found, "f", "paired")
    assert shares.p_value == pytest.approx(exact.pvalue)
    assert shares.test == "mcnemar"
    assert {one.method for one in found.headline_rows()} == {"paired"}
    assert row(found, "r", "paired").test == "paired delta t"
    days = [day for day in found.days if (day.metric, day.method) == ("m", "paired")]
    assert days[-1].difference == pytest.approx(mine.difference)


def test_pairs_and_clusters_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"units.pair: a pair is a cluster of its own"):
        card(tmp_path, pairs(), {"m": VALUE}, {"pair": "couple", "cluster": "couple"})


def test_several_covariates_are_least_squares(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    table = shop(n=1000).assign(variant=rng.choice(["A", "B"], 1000))
    table["points"] = 2 * table.before - 3 * table.old + rng.normal(0, 1, 1000) + 0.3 * (table.variant == "B")
    metric = VALUE | {"covariate": ["before", "old"]}
    found = card(tmp_path, table, {"m": metric}, {})
    mine, plain = row(found, "m", "cuped"), row(found, "m", "unadjusted")
    design = sm.add_constant(
        pd.DataFrame({"b": (table.variant == "B") * 1.0, "x": table.before, "z": table.old})
    )
    fit = sm.OLS(table.points, design).fit(cov_type="HC1")
    # slopes are pooled over both arms, as everybody's CUPED is, so the numbers agree to the order of 1 / n
    assert mine.difference == pytest.approx(fit.params["b"], abs=0.1 * mine.standard_error)
    assert mine.standard_error == pytest.approx(fit.bse["b"], rel=0.02)
    assert mine.standard_error < 0.3 * plain.standard_error
    assert mine.worth_units == pytest.approx(
        1000 * ((plain.standard_error / mine.standard_error) ** 2 - 1), abs=1
    )
    assert "more units" in (mine.gain or "")


def test_units_without_a_covariate_stay_and_are_told_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    table = shop(n=1000).assign(country="DE")
    known = rng.random(1000) < 0.7
    table["points"] = np.where(known, 2 * table.before, 100.0) + rng.normal(0, 1, 1000)
    table["before"] = np.where(known, table.before, np.nan)
    found = card(tmp_path, table, {"m": VALUE | {"covariate": "before"}}, {})
    mine = row(found, "m", "cuped")
    assert mine.n + mine.n_control == 1000
    # without the indicator the gap of 60 between those known and the others would stay in the error
    assert mine.standard_error < 0.15
    assert "without a value from before" in (mine.warnings or "")


def test_post_stratification_narrows_and_leaves_nobody_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    table = shop(n=2000)
    table["variant"] = rng.choice(["A", "B"], 2000)
    table.loc[table.index[:5], "country"] = "LI"
    found = card(
        tmp_path,
        table,
        {"m": VALUE},
        {"segments": ["country"]},
        post_stratify=True,
        variants={"A": 0.5, "B": 0.5},
    )
    mine, plain = row(found, "m", "post-stratified"), row(found, "m", "unadjusted")
    assert mine.n + mine.n_control == 2000
    assert mine.standard_error < 0.7 * plain.standard_error
    assert mine.worth_units > 2000
    assert {one.method for one in found.headline_rows()} == {"post-stratified"}


def test_toml_of_phases_is_readable() -> None:
    assert toml(PHASES[0]).startswith('{"start" = ')
