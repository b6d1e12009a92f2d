"""The sample experiment: the logs have their shape, the split is the hash's, and the README tells what they hold."""

from __future__ import annotations

import hashlib
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, chisquare

import analytics
from analytics.experiments.rows import Scorecard
from sample_logs.builder import comparison
from sample_logs.builder.comparison import METRICS, SPLITS, Draw, Units
from sample_logs.builder.experiment import CONTROL, EXPERIMENT, VARIANT, assigned
from sample_logs.builder.source import sampled
from sample_logs.builder.stories import FLIGHTS, read_feed, read_labelled

START, END = (pd.Timestamp(day, tz="America/New_York") for day in ("2013-03-01", "2013-09-01"))


@pytest.fixture(scope="module")
def served() -> pd.DataFrame:
    rows = read_labelled("predictions")
    return rows[rows["timestamp"] < END]


@pytest.fixture(scope="module")
def exposures() -> pd.DataFrame:
    return read_feed("exposures")


@pytest.fixture(scope="module")
def outcomes() -> pd.DataFrame:
    return read_feed("outcomes")


@pytest.fixture(scope="module")
def units(served, outcomes) -> Units:
    return comparison.read_units(served, outcomes)


@pytest.fixture(scope="module")
def runs(units) -> tuple[list[Draw], list[Draw]]:
    return comparison.other_splits(units, SPLITS), comparison.other_aircraft(units, SPLITS)


@pytest.fixture(scope="module")
def readme() -> str:
    return (FLIGHTS.parent / "README.md").read_text(encoding="utf-8")


def as_assigned(units: Units, treated: np.ndarray) -> pd.DataFrame:
    return units.control.mask(pd.Series(treated, index=units.control.index), units.variant)


def test_every_flight_with_an_aircraft_was_exposed_when_it_was_scored(served, exposures):
    scored = served.drop_duplicates("request_id").dropna(subset="tailnum")
    keys = ["tailnum", "timestamp"]
    expected = scored.sort_values(keys)[keys].reset_index(drop=True)
    assert exposures.sort_values(keys)[keys].reset_index(drop=True).equals(expected)
    assert set(exposures["experiment"]) == {EXPERIMENT}
    assert exposures["timestamp"].between(START, END, inclusive="left").all()
    assert not exposures.isna().any().any()


def test_no_aircraft_is_in_two_arms_and_the_arm_is_the_hash_of_its_name(exposures):
    arms = exposures.drop_duplicates(["tailnum", "variant"]).set_index("tailnum")["variant"]
    assert arms.index.is_unique
    for tailnum, arm in arms.items():
        # Written out again: a change of the hash would be a change of the experiment.
        digest = hashlib.blake2b(f"gbm_against_logistic:{tailnum}".encode(), digest_size=8).digest()
        assert arm == ("logistic-2013.03" if digest[0] < 128 else "gbm-2013.03") == assigned(tailnum)


def test_the_split_is_even_and_independent_of_the_hash_that_chose_the_sample(exposures):
    arms = exposures.drop_duplicates("tailnum").reset_index(drop=True)
    counts = arms["variant"].value_counts()
    assert counts.to_dict() == {CONTROL: 661, VARIANT: 623}
    assert chisquare(counts).pvalue > 0.05
    # The sample is one bucket in three; a third of that third is kept as reference of the retrained version.
    arms = arms.assign(carrier="", flight=0)
    kept = sampled(arms, 9)
    assert 0.2 < kept.mean() < 0.45
    assert chi2_contingency(pd.crosstab(arms["variant"], kept), correction=False).pvalue > 0.01


def test_every_landed_flight_has_the_outcome_of_its_own_models_decision(served, outcomes):
    logged = outcomes[outcomes["prediction_id"].notna()].merge(served, on="prediction_id", validate="1:1")
    landed = served["label"].notna() & (
        served["model_version"] == served["tailnum"].map(assigned, na_action="ignore")
    )
    assert set(logged["prediction_id"]) == set(served.loc[landed, "prediction_id"])
    assert (logged["timestamp_x"] == logged["label_timestamp"]).all()
    assert (logged["tailnum_x"] == logged["tailnum_y"]).all()
    assert (logged["latency_ms_x"] == logged["latency_ms_y"]).all()
    assert (logged["late"] == logged["label"]).all()
    assert (logged["warned"] == logged["predicted_label"]).all()
    assert (logged["late"] == (logged["minutes_late"] > 15)).all()


def test_before_march_nobody_was_warned(outcomes):
    early = outcomes[outcomes["prediction_id"].isna()]
    assert early["timestamp"].min() < START - pd.Timedelta("58 days")
    assert (early["warned"] == 0).all()
    assert early["latency_ms"].isna().all()
    assert (early["earned"] == -5 * early["late"]).all()
    first = read_feed("exposures").groupby("tailnum")["timestamp"].min()
    # A flight of February that landed after its aircraft's first exposure would count as an outcome of the experiment.
    assert not (early["timestamp"] >= early["tailnum"].map(first)).any()


def test_dollars_and_correctness_follow_the_costs(outcomes):
    earned = outcomes.groupby(["late", "warned"])["earned"].agg(["min", "max"])
    assert earned["min"].equals(earned["max"])
    assert earned["min"].to_dict() == {(0, 0): 0, (0, 1): -10, (1, 0): -5, (1, 1): 20}
    assert ((outcomes["late"] == outcomes["warned"]) == (outcomes["correct"] == 1)).all()


def test_what_the_log_holds_is_the_potential_outcome_of_each_aircrafts_arm(units, exposures, outcomes):
    """So the true effect and the experiment speak of the same flights."""
    first = exposures.groupby("tailnum")["timestamp"].min()
    counted = (outcomes["timestamp"] >= outcomes["tailnum"].map(first)) & (outcomes["timestamp"] < END)
    logged = outcomes[counted].groupby("tailnum")[["earned", "correct", "latency_ms"]].sum()
    treated = comparison.split(units.control.index, EXPERIMENT)
    seen = as_assigned(units, treated)
    logged = logged.reindex(seen.index, fill_value=0)
    assert logged.to_numpy() == pytest.approx(seen[list(logged)].to_numpy())
    assert len(outcomes[~counted & (outcomes["timestamp"] >= END)]) == 18


def test_true_effects_and_estimates_are_those_of_the_readme(units, readme):
    for row in comparison.effect_rows(units):
        assert row in readme


def test_sizes_are_those_of_the_readme(exposures, outcomes, readme):
    told = f"{len(exposures):,} exposures of {exposures['tailnum'].nunique():,} aircraft and {len(outcomes):,} outcomes"
    assert told in readme


def test_the_experiment_comes_close(units):
    treated = comparison.split(units.control.index, EXPERIMENT)
    for metric in METRICS:
        control, variant = comparison.true_effect(units, metric)
        found = comparison.estimate(units, treated, metric)
        assert found.low <= variant - control <= found.high
        assert not found.low <= 0 <= found.high


@pytest.mark.statistical
def test_intervals_hold_the_true_effect_as_often_as_the_readme_says(units, runs, readme):
    for row in comparison.coverage_rows(*runs, units=units):
        assert row in readme


@pytest.mark.statistical
@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_intervals_cover_the_true_effect_on_real_aircraft(units, runs, metric):
    control, variant = comparison.true_effect(units, metric)
    splits, aircraft = (comparison.coverage(draws, metric, variant - control) for draws in runs)
    # Aircraft given: too wide rather than too narrow (Neyman). Aircraft drawn: 95 %, four standard errors of 1 point.
    assert 0.95 < splits["held"] < 0.998
    assert splits["spread"] < 1
    assert 0.91 < aircraft["held"] < 0.99
    assert aircraft["spread"] == pytest.approx(1, abs=0.1)


@pytest.mark.statistical
def test_flights_taken_as_independent_do_not_cover(units, runs):
    correct = METRICS[1]
    control, variant = comparison.true_effect(units, correct)
    held = [comparison.held_by_flights(draws, correct, variant - control) for draws in runs]
    assert [round(share, 2) for share in held] == [0.73, 0.71]


def test_estimates_are_the_textbooks(units):
    """Against statsmodels: Welch for a mean, and a cluster-robust regression for a ratio."""
    import statsmodels.api as sm
    from statsmodels.stats.weightstats import CompareMeans

    treated = comparison.split(units.control.index, EXPERIMENT)
    mean = comparison.Metric("", "mean", 1, "earned")
    found = comparison.estimate(units, treated, mean)
    values = units.variant["earned"][treated], units.control["earned"][~treated]
    low, high = CompareMeans.from_data(*values).tconfint_diff(usevar="unequal")
    assert (found.low, found.high) == pytest.approx((low, high))
    # One row per flight is a weighted row per aircraft here, since the score of a cluster is its sum.
    ratio = comparison.Metric("", "ratio", 1, "correct", "flights")
    sums = as_assigned(units, treated)
    flights = sums["flights"].to_numpy(dtype=int)
    correct = sums["correct"].to_numpy(dtype=int)
    aircraft = np.repeat(np.arange(len(sums)), flights)
    outcome = np.concatenate([np.arange(n) < k for n, k in zip(flights, correct, strict=True)]).astype(float)
    fit = sm.OLS(outcome, sm.add_constant(treated[aircraft].astype(float))).fit(
        cov_type="cluster", cov_kwds={"groups": aircraft}
    )
    found = comparison.estimate(units, treated, ratio)
    assert found.difference == pytest.approx(fit.params[1])
    assert found.standard_error == pytest.approx(fit.bse[1], rel=2e-3)


@pytest.fixture(scope="module")
def card() -> Scorecard:
    with closing(analytics.open(FLIGHTS)) as bench:
        return bench.scorecard(name=EXPERIMENT)


@pytest.mark.parametrize("look_back", [False, True], ids=["unadjusted", "cuped"])
@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_assay_says_the_same_as_plain_numpy(units, card, metric, look_back):
    method = "cuped" if look_back else "unadjusted"
    (row,) = [row for row in card.rows if (row.metric, row.method) == (metric.name, method)]
    if look_back and not metric.look_back:
        assert row.status == "undefined"
        return
    found = comparison.estimate(
        units, comparison.split(units.control.index, EXPERIMENT), metric, look_back=look_back
    )
    said = row.difference, row.standard_error, row.ci_low, row.ci_high
    assert said == pytest.approx(tuple(found), rel=1e-9)


def test_the_scorecard_is_clean_and_the_boosted_model_wins(card):
    assert card.decision.call == "won"
    assert [arm.n for arm in card.health.arms] == [661, 623]
    assert card.health.srm.p_value == pytest.approx(0.289, abs=5e-4)
    left_out = (
        card.health.n_multiple,
        card.health.n_unknown,
        card.health.n_outside,
        card.health.n_rows_left_out,
    )
    assert left_out == (0, 0, 0, 0)
    badges = {row.metric: row.badge for row in card.rows if row.method == "unadjusted"}
    assert badges == {
        "earned": "better", "correct_decisions": "worse", "earned_per_aircraft": "better",
        "missed_long_delay": "better", "latency": "safe",
    }  # fmt: skip
