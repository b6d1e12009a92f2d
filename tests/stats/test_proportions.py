"""Score test of two proportions and its two intervals: published numbers, exact arithmetic, no contradiction.

statsmodels is no yardstick for the interval of the difference: up to 0.15.0 `score_test_proportions_2indep` has a
wrong coefficient in the likeliest pair of proportions (statsmodels issue 10269), so the limits it gives are not where
the test gives way. Its ratio, and its test of no difference, are right.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

from analytics.stats import proportions
from analytics.stats.intervals import normal_quantile

test_proportions_2indep.__test__ = False
BILLION = 10**9


@st.composite
def tables(draw, largest=BILLION):
    """Successes and units of two arms; zero cells come often."""
    table = []
    for _ in range(2):
        n = draw(st.one_of(st.integers(1, 40), st.integers(1, largest)))
        table += [draw(st.one_of(st.sampled_from([0, 1, n - 1, n]), st.integers(0, n))), n]
    return tuple(float(x) for x in table)


# a busy machine must not fail a property
unhurried = settings(deadline=None)
CONFIDENCE = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.9999])

# Newcombe, Statistics in Medicine 17 (1998), table II, method 6, to four places
NEWCOMBE = [
    ((56, 70, 48, 80), (0.0528, 0.3382)),
    ((9, 10, 3, 10), (0.1700, 0.8406)),
    ((6, 7, 2, 7), (0.0342, 0.8534)),
    ((5, 56, 0, 29), (-0.0326, 0.1933)),
    ((0, 10, 0, 20), (-0.1658, 0.2844)),
    ((0, 10, 0, 10), (-0.2879, 0.2879)),
    ((10, 10, 0, 20), (0.7156, 1.0)),
]


@pytest.mark.parametrize("table,expected", NEWCOMBE)
def test_miettinen_nurminen_as_published(table, expected):
    assert proportions.miettinen_nurminen(*table, 0.95) == pytest.approx(expected, abs=5.1e-5)


def test_miettinen_nurminen_as_r_has_it():
    """R, package PropCIs, `diffscoreci(7, 34, 1, 34, 0.95)`."""
    found = proportions.miettinen_nurminen(7, 34, 1, 34, 0.95)
    assert found == pytest.approx((0.0270416, 0.3452912), abs=1e-7)


def test_koopman_as_published():
    """Koopman, Biometrics 40 (1984): 36 of 40 against 16 of 80 gives 2.94 to 7.15, without the factor N / (N - 1)."""
    without = 2 * stats.norm.cdf(stats.norm.ppf(0.975) / np.sqrt(120 / 119)) - 1
    assert proportions.koopman(36, 40, 16, 80, without) == pytest.approx((2.94, 7.15), abs=5e-3)


INNER = [(56, 70, 48, 80), (7, 34, 1, 34), (3, 10, 3, 10), (123_456, 10**6, 123_000, 10**6), (1, 900, 5, 40)]


@pytest.mark.parametrize("table", [*INNER, (5, 56, 0, 29), (10, 10, 0, 20)])
def test_koopman_matches_statsmodels(table):
    expected = confint_proportions_2indep(*table, method="score", compare="ratio", correction=True)
    assert proportions.koopman(*table, 0.95) == pytest.approx(tuple(map(float, expected)), rel=1e-9)


@pytest.mark.parametrize("table", [*INNER, (5, 56, 0, 29), (10, 10, 0, 20), (0, 1, 1, 1)])
def test_score_test_matches_statsmodels(table):
    expected = test_proportions_2indep(*table, method="score", compare="diff", correction=True)
    found = proportions.score_test(*table)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert found.difference == pytest.approx(table[0] / table[1] - table[2] / table[3])
    assert found.standard_error * found.statistic == pytest.approx(found.difference)


def test_without_the_factor_the_score_test_is_pearsons():
    found = proportions.score_test(56, 70, 48, 80)
    expected = stats.chi2_contingency([[56, 14], [48, 32]], correction=False).statistic
    assert found.statistic**2 * 150 / 149 == pytest.approx(expected)


def likeliest(table, moved, slope, low, high):
    """The control's share of the likeliest pair (moved(p), p), by bisection of the score in fifty digits."""
    x, n, x_control, n_control = table
    for _ in range(140):
        p = (low + high) / 2
        other = moved(p)
        if p in {0, 1} or other in {0, 1}:
            break
        score = (
            slope * (x / other - (n - x) / (1 - other)) + x_control / p - (n_control - x_control) / (1 - p)
        )
        low, high = (p, high) if score > 0 else (low, p)
    return low


def statistic(table, value, *, of_ratio):
    """The score statistic of difference or ratio = value, from the textbook's formula in exact arithmetic."""
    x, n, x_control, n_control = table = [Decimal(int(count)) for count in table]
    zero, one = Decimal(0), Decimal(1)
    if of_ratio:
        p_control = likeliest(table, lambda p: p * value, value, zero, min(one, 1 / value))
        p, weight = p_control * value, value
        gap = x / n - value * x_control / n_control
    else:
        p_control = likeliest(table, lambda p: p + value, one, max(zero, -value), min(one, 1 - value))
        p, weight = p_control + value, one
        gap = x / n - x_control / n_control - value
    variance = p * (1 - p) / n + weight**2 * p_control * (1 - p_control) / n_control
    return gap / (variance * (n + n_control) / (n + n_control - 1)).sqrt()


EDGES = [
    (0, 10, 0, 20),
    (10, 10, 20, 20),
    (10, 10, 0, 20),
    (1, 1, 0, 1),
    (1, 1, 1, 1),
    (0, 1, 0, 1),
    (29, 30, 30, 30),
    (1, BILLION, 2, BILLION),
    (BILLION // 2, BILLION, 3, 5),
    (0, BILLION, 3, BILLION),
    (BILLION - 1, BILLION, BILLION, BILLION),
    (BILLION, BILLION, 0, 1),
    (1, BILLION, 1, 1),
]


def check_limits(table, confidence):
    """Just inside a limit the exact statistic is under the quantile, just outside over it."""
    z = Decimal(normal_quantile(confidence))
    interval = proportions.miettinen_nurminen(*table, confidence)
    ratio = proportions.koopman(*table, confidence)
    assert interval.low <= interval.high
    assert ratio.low <= ratio.high
    # 1e-8 of the width, or the last digit of the limit itself
    step = max(1e-8 * (interval.high - interval.low), 3e-16 * max(map(abs, interval)))
    for limit, side in zip(interval, (1, -1), strict=True):
        outside, inside = (Decimal(limit) - sign * side * Decimal(step) for sign in (1, -1))
        assert abs(outside) >= 1 or statistic(table, outside, of_ratio=False) * side > z
        assert abs(limit) == 1 or statistic(table, inside, of_ratio=False) * side < z
    for limit, side in zip(ratio, (1, -1), strict=True):
        if 0 < limit < np.inf:
            width = ratio.high / ratio.low - 1 if ratio.low > 0 else 1.0
            step = min(max(1e-8 * width, 5e-16), 1e-8)
            outside, inside = (Decimal(limit) * (1 - sign * side * Decimal(step)) for sign in (1, -1))
            assert statistic(table, outside, of_ratio=True) * side > z
            assert statistic(table, inside, of_ratio=True) * side < z


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999999])
@pytest.mark.parametrize("table", [*INNER, *EDGES])
def test_limits_in_exact_arithmetic(table, confidence):
    with localcontext(prec=50):
        check_limits(table, confidence)


@settings(max_examples=60, deadline=None)
@given(tables(), CONFIDENCE)
def test_limits_of_any_table_in_exact_arithmetic(table, confidence):
    with localcontext(prec=50):
        check_limits(table, confidence)


@unhurried
@given(tables(), CONFIDENCE)
def test_p_value_and_both_intervals_never_contradict(table, confidence):
    test = proportions.score_test(*table)
    low, high = proportions.miettinen_nurminen(*table, confidence)
    ratio = proportions.koopman(*table, confidence)
    assert -1 <= low <= test.difference <= high <= 1
    if np.isnan(test.p_value):
        # nobody or everybody: nothing is shown
        assert low < 0 < high
        assert ratio.low < 1 < ratio.high
        return
    alpha = 1 - confidence
    assume(abs(test.p_value - alpha) > 1e-7)
    assert (test.p_value < alpha) == (low > 0 or high < 0) == (ratio.low > 1 or ratio.high < 1)
    assert (low > 0, high < 0) == (ratio.low > 1, ratio.high < 1)


@unhurried
@given(tables(), CONFIDENCE)
def test_swapping_the_arms_negates_and_inverts(table, confidence):
    swapped = (*table[2:], *table[:2])
    one, other = proportions.score_test(*table), proportions.score_test(*swapped)
    assert (one.difference, one.standard_error) == pytest.approx(
        (-other.difference, other.standard_error), rel=1e-12
    )
    low, high = proportions.miettinen_nurminen(*swapped, confidence)
    assert proportions.miettinen_nurminen(*table, confidence) == pytest.approx((-high, -low), rel=1e-12)
    ratio, back = proportions.koopman(*table, confidence), proportions.koopman(*swapped, confidence)
    inverted = [1 / limit if limit else np.inf for limit in reversed(back)]
    assert list(ratio) == pytest.approx(inverted, rel=1e-12)


@unhurried
@given(tables(), CONFIDENCE)
def test_failures_mirror_successes(table, confidence):
    x, n, x_control, n_control = table
    low, high = proportions.miettinen_nurminen(n - x, n, n_control - x_control, n_control, confidence)
    assert proportions.miettinen_nurminen(*table, confidence) == pytest.approx(
        (-high, -low), rel=1e-6, abs=1e-15
    )


@unhurried
@given(tables())
def test_more_confidence_is_wider(table):
    found = [proportions.miettinen_nurminen(*table, confidence) for confidence in (0.8, 0.95, 0.999)]
    assert found[0].low >= found[1].low >= found[2].low
    assert found[0].high <= found[1].high <= found[2].high
    ratios = [proportions.koopman(*table, confidence) for confidence in (0.8, 0.95, 0.999)]
    assert ratios[0].low >= ratios[1].low >= ratios[2].low
    assert ratios[0].high <= ratios[1].high <= ratios[2].high


@pytest.mark.filterwarnings("error")
def test_zero_cells():
    assert proportions.koopman(0, 10, 3, 20, 0.95).low == 0
    assert proportions.koopman(3, 10, 0, 20, 0.95).high == np.inf
    assert proportions.koopman(0, 10, 0, 20, 0.95) == (0, np.inf)
    assert proportions.miettinen_nurminen(0, 10, 20, 20, 0.95).low == -1
    for table in [(0, 10, 0, 20), (10, 10, 20, 20)]:
        test = proportions.score_test(*table)
        assert (test.difference, test.standard_error) == (0, 0)
        assert np.isnan([test.statistic, test.p_value]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("table", [(0, 0, 3, 10), (3, 10, 0, 0), (0, 0, 0, 0), (np.nan, 10, 3, 10)])
def test_an_empty_arm_gives_nan(table):
    assert np.isnan(proportions.score_test(*table)).all()
    assert np.isnan(proportions.miettinen_nurminen(*table, 0.95)).all()
    assert np.isnan(proportions.koopman(*table, 0.95)).all()


@pytest.mark.parametrize("table", [(11, 10, 3, 10), (3, 10, -1, 10)])
def test_impossible_counts_are_refused(table):
    for call in (proportions.miettinen_nurminen, proportions.koopman):
        with pytest.raises(ValueError, match="between 0 and n"):
            call(*table, 0.95)
    with pytest.raises(ValueError, match="between 0 and n"):
        proportions.score_test(*table)


def test_arrays_agree_with_single_numbers():
    columns = np.array([*INNER, *EDGES, (0, 0, 1, 2)], dtype=float).T
    test = proportions.score_test(*columns)
    difference = proportions.miettinen_nurminen(*columns, 0.9)
    ratio = proportions.koopman(*columns, 0.9)
    for i, table in enumerate(columns.T.tolist()):
        assert [x[i] for x in test] == pytest.approx(list(proportions.score_test(*table)), nan_ok=True)
        found = proportions.miettinen_nurminen(*table, 0.9)
        assert [x[i] for x in difference] == pytest.approx(list(found), nan_ok=True, rel=1e-12)
        found = proportions.koopman(*table, 0.9)
        assert [x[i] for x in ratio] == pytest.approx(list(found), nan_ok=True, rel=1e-12)
        assert isinstance(found.low, float)
