"""Effects by segment: Welch's F on them, pulled together, corrected for everything looked at, small values as one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.oneway import anova_generic

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.segment_effects import pulled, segment_effects
from analytics.experiments.segment_rows import SegmentEffectRow
from analytics.experiments.segment_words import finding, looked_at, segments_sentence


def moments(values: dict[str, dict[str, np.ndarray]]) -> ArmMoments:
    """Segment value -> arm -> values of units."""
    parts = [
        (name, arm, np.asarray(own, dtype=float))
        for name, arms in values.items()
        for arm, own in arms.items()
    ]
    return ArmMoments(
        ("value",),
        np.array([arm for _, arm, _ in parts]),
        np.full(len(parts), np.datetime64("NaT"), "datetime64[D]"),
        None,
        np.array([len(own) for *_, own in parts], dtype=float),
        np.array([[own.mean()] for *_, own in parts]),
        np.array([[[((own - own.mean()) ** 2).sum()]] for *_, own in parts]),
        strata=np.array([name for name, *_ in parts]),
    )


def effects(values: dict, *, kind: str = "mean", more: dict | None = None) -> tuple[SegmentEffectRow, ...]:
    metric = MetricDesign("m", kind)
    design = Design("x", "A", {"A": 0.5, "B": 0.5}, metrics=(metric,))
    by = {"country": moments(values)} | {name: moments(own) for name, own in (more or {}).items()}
    return segment_effects(
        design, metric, MetricAggregates("m", by["country"], segments=by), {"B": 0.1}, 0.95
    )


def drawn(rng: np.random.Generator, gaps: list[float], n: int = 200) -> dict:
    return {
        f"c{i}": {"A": rng.normal(5, 1 + i % 3, n + 10 * i), "B": rng.normal(5 + gap, 1, n)}
        for i, gap in enumerate(gaps)
    }


def test_each_value_is_welch_and_together_they_are_welchs_f() -> None:
    values = drawn(np.random.default_rng(1), [0.0, 0.3, 0.6, 0.1, 0.2])
    rows = effects(values)
    found = {row.segment_value: row for row in rows}
    gaps, variances, freedoms = [], [], []
    for name, arms in values.items():
        theirs = stats.ttest_ind(arms["B"], arms["A"], equal_var=False)
        mine = found[name]
        assert mine.p_value == pytest.approx(theirs.pvalue)
        assert (mine.ci_low, mine.ci_high) == pytest.approx(tuple(theirs.confidence_interval()))
        gaps.append(arms["B"].mean() - arms["A"].mean())
        variances.append(arms["B"].var(ddof=1) / len(arms["B"]) + arms["A"].var(ddof=1) / len(arms["A"]))
        freedoms.append(theirs.df)
    # the F of means of df + 1 values each, of which these are the variances of the mean
    n = np.array(freedoms) + 1
    theirs = anova_generic(
        np.array(gaps), np.array(variances) * n, n, use_var="unequal", welch_correction=True
    )
    assert rows[0].segment_p_value == pytest.approx(theirs.pvalue)
    assert {row.overall for row in rows} == {0.1}


def test_swapping_arms_negates_every_effect() -> None:
    values = drawn(np.random.default_rng(2), [0.0, 0.3, 0.6, 0.1])
    turned = {name: {"A": arms["B"], "B": arms["A"]} for name, arms in values.items()}
    one, other = ({row.segment_value: row for row in effects(given)} for given in (values, turned))
    for name, row in one.items():
        assert other[name].difference == pytest.approx(-row.difference)
        assert other[name].shrunken == pytest.approx(-row.shrunken)
        assert other[name].different_p_value == pytest.approx(row.different_p_value)
        assert other[name].segment_p_adjusted == pytest.approx(row.segment_p_adjusted)


def test_small_values_are_one_and_counted() -> None:
    rng = np.random.default_rng(3)
    values = drawn(rng, [0.0, 0.3])
    values |= {f"tiny{i}": {"A": rng.normal(5, 1, 12), "B": rng.normal(5, 1, 30)} for i in range(4)}
    rows = effects(values)
    assert [row.segment_value for row in rows] == ["c1", "c0", "(other)"]
    assert (rows[-1].n_values, rows[-1].n, rows[-1].n_control) == (4, 120, 48)


def test_an_arm_without_units_is_a_status() -> None:
    rng = np.random.default_rng(4)
    values = drawn(rng, [0.0, 0.3])
    values["gone"] = {"A": rng.normal(5, 1, 50)}
    rows = effects(values)
    assert rows[-1].status == "no_data"
    assert rows[-1].difference is rows[-1].p_value is rows[-1].shrunken is None
    assert rows[-1].reason


def test_a_quantile_is_not_compared_by_segment() -> None:
    rows = effects(drawn(np.random.default_rng(4), [0.0, 0.3]), kind="quantile")
    assert {row.status for row in rows} == {"undefined"}
    assert finding(rows) == "No effects by segment can be compared: quantiles are not compared by segment."


def test_two_values_count_as_one_comparison() -> None:
    rng = np.random.default_rng(5)
    rows = effects(drawn(rng, [0.0, 0.5]), more={"device": drawn(rng, [0.0, 0.1])})
    country = [row for row in rows if row.segment == "country"]
    assert country[0].different_p_value == pytest.approx(country[1].different_p_value)
    assert country[0].different_p_value == pytest.approx(country[0].segment_p_value)
    # two comparisons in all, the smaller counts twice
    assert country[0].different_p_adjusted == pytest.approx(2 * country[0].different_p_value)
    assert "0.1 would look different by chance" in looked_at(rows)


def test_the_sentence_names_segment_and_ends() -> None:
    rows = effects(drawn(np.random.default_rng(6), [0.0, 0.0, 1.5, 0.1, 0.0]))
    assert finding(rows).startswith("m: the effect differs by country (p < .0001 after correction): +1.")
    assert "in c2 to " in finding(rows)
    same = effects(drawn(np.random.default_rng(17), [0.0] * 5))
    assert finding(same) == "m: no segment shows an effect that differs from the others'."
    assert segments_sentence(same).endswith("after correction.")
    assert segments_sentence([]).startswith("No segment is declared")


def test_shares_are_compared_by_score() -> None:
    rng = np.random.default_rng(8)
    values = {f"c{i}": {"A": rng.random(300) < 0.2, "B": rng.random(300) < 0.2 + 0.02 * i} for i in range(5)}
    rows = effects(values, kind="proportion")
    assert {row.test for row in rows} == {"score"}
    assert all(row.ci_low <= row.difference <= row.ci_high for row in rows)
    assert all(row.shrunken_ci_low <= row.shrunken <= row.shrunken_ci_high for row in rows)


@pytest.mark.statistical
def test_no_false_segment_in_more_than_alpha_of_experiments() -> None:
    """40 values of four segments with one effect: after correction one or more differ in at most 5 % of experiments."""
    rng = np.random.default_rng(9)
    alarms = looks = whole = 0
    times = 300
    for _ in range(times):
        segments = {f"s{k}": drawn(rng, [0.2] * 10, 40) for k in range(4)}
        rows = effects(segments.pop("s0"), more=segments)
        alarms += any(row.differs for row in rows)
        looks += sum(row.different_p_value < 0.05 for row in rows)
        whole += any(row.segment_p_adjusted < 0.05 for row in rows)
    assert alarms / times < 0.075
    assert whole / times < 0.075
    # not corrected, about 2 of 40 look different in every experiment
    assert 1.5 < looks / times < 2.5


@pytest.mark.statistical
@pytest.mark.parametrize("spread", [0.0, 0.1, 0.3])
def test_pulled_effects_cover_and_err_less(spread: float) -> None:
    """Twelve values with standard errors from .1 to .3: the intervals hold, and the error falls."""
    rng = np.random.default_rng(10)
    error = np.linspace(0.1, 0.3, 12)
    truth = 0.2 + spread * rng.normal(size=(2000, 12))
    seen = truth + error * rng.normal(size=truth.shape)
    found = [pulled(one, error**2, 0.95) for one in seen]
    values, halves = np.array([one.value for one in found]), np.array([one.half for one in found])
    assert (np.abs(values - truth) <= halves).mean() > 0.94
    assert np.square(values - truth).mean() < np.square(seen - truth).mean()
