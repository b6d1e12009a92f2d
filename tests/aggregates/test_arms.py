"""Moments by arm, day and cluster: they add, and equal what numpy says of the units one by one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.aggregates.arms import ArmMoments, merged

ARMS = ("A", "B", 'O\'Brien "quoted" 😀')
COLUMNS = ("numerator", "denominator", "covariate_numerator")


def units(seed: int, n: int, *, offset: float = 0.0, clusters: int = 5, days: int = 4):
    """Units one by one: arm, day (some unknown), cluster, and values of shape (n, 3)."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, len(COLUMNS))) * (1, 2, 0.1) + offset
    values[:, 2] += 0.3 * (values[:, 0] - offset)
    day = np.datetime64("2024-03-09") + rng.integers(0, days, n)
    day[rng.random(n) < 0.1] = np.datetime64("NaT")
    return rng.choice(ARMS, n), day.astype("datetime64[D]"), rng.integers(0, clusters, n), values


def cells(arm, day, cluster, values, *, clustered: bool = True) -> ArmMoments:
    """One cell for every (arm, day, cluster), by numpy."""
    # NaT differs from itself, so the days are compared as numbers
    keys = sorted(set(zip(arm.tolist(), day.astype(int).tolist(), cluster.tolist(), strict=True)))
    parts = [values[(arm == a) & (day.astype(int) == d) & (cluster == c)] for a, d, c in keys]
    k = values.shape[1]
    return ArmMoments(
        COLUMNS[:k],
        np.array([a for a, _, _ in keys], dtype=np.str_),
        np.array([d for _, d, _ in keys], dtype=np.int64).astype("datetime64[D]"),
        np.array([c for _, _, c in keys], dtype=np.int64) if clustered else None,
        np.array([len(part) for part in parts], dtype=np.float64),
        np.array([part.mean(axis=0) for part in parts]).reshape(-1, k),
        np.array([(part - part.mean(axis=0)).T @ (part - part.mean(axis=0)) for part in parts]).reshape(
            -1, k, k
        ),
        {"A": 2},
        1,
    )


def assert_moments(found, values, *, relative: float = 1e-9):
    assert found.n == len(values)
    if not len(values):
        assert not found.means.any()
        assert not found.comoments.any()
        return
    np.testing.assert_allclose(found.means, values.mean(axis=0), rtol=1e-12, atol=1e-13)
    gaps = values - values.mean(axis=0)
    np.testing.assert_allclose(found.comoments, gaps.T @ gaps, rtol=relative, atol=relative * len(values))


@pytest.mark.parametrize("offset, relative", [(0.0, 1e-10), (1e9, 1e-6), (-1e9, 1e-6)])
def test_cells_of_an_arm_merge_to_its_units(offset, relative):
    arm, day, cluster, values = units(1, 3000, offset=offset)
    moments = cells(arm, day, cluster, values)
    for name in ARMS:
        assert_moments(moments.arm(name), values[arm == name], relative=relative)
        assert moments.count(name) == (arm == name).sum()
    assert_moments(moments.arm("nobody"), values[:0])
    assert moments.count("nobody") == 0


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6), n=st.integers(0, 60), cut=st.floats(0, 1), offset=st.sampled_from([0.0, 1e9])
)
def test_two_parts_add_to_the_whole(seed, n, cut, offset):
    arm, day, cluster, values = units(seed, n, offset=offset)
    place = int(cut * n)
    first, second = (
        cells(arm[part], day[part], cluster[part], values[part])
        for part in (slice(place), slice(place, None))
    )
    both = first + second
    for name in ARMS:
        assert_moments(both.arm(name), values[arm == name], relative=1e-6 if offset else 1e-9)
    assert both.missing == {"A": 4}
    assert both.invalid == 2
    assert both.clustered
    assert both.known_days == tuple(sorted({d.astype(object) for d in day if not np.isnat(d)}))


def test_only_the_same_columns_add():
    arm, day, cluster, values = units(2, 20)
    whole = cells(arm, day, cluster, values)
    with pytest.raises(ValueError, match="same columns"):
        whole + cells(arm, day, cluster, values[:, :2])
    with pytest.raises(ValueError, match="same columns"):
        whole + cells(arm, day, cluster, values, clustered=False)


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_until_a_day_and_some_arms(offset):
    arm, day, cluster, values = units(3, 800, offset=offset)
    moments = cells(arm, day, cluster, values)
    for last in ("2024-03-08", "2024-03-09", "2024-03-10", "2024-03-12"):
        early = moments.until(date.fromisoformat(last))
        for name in ARMS:
            assert_moments(
                early.arm(name),
                values[(arm == name) & (day <= np.datetime64(last))],
                relative=1e-6 if offset else 1e-9,
            )
        assert early.missing == moments.missing
    some = moments.of("A", "B")
    assert some.count("A") == moments.count("A")
    assert some.count(ARMS[2]) == 0
    assert set(some.variants) == {"A", "B"}


@pytest.mark.parametrize("offset, relative", [(0.0, 1e-9), (1e9, 1e-14)])
def test_by_cluster(offset, relative):
    arm, day, cluster, values = units(4, 400, offset=offset, clusters=30)
    moments = cells(arm, day, cluster, values)
    numbers = np.array([-3, 0, 2, 7, 29, 31])
    for name in (*ARMS, "nobody"):
        n, means = moments.by_cluster(name, numbers)
        assert n.shape == (6,)
        assert means.shape == (6, 3)
        for place, number in enumerate(numbers):
            own = values[(arm == name) & (cluster == number)]
            assert n[place] == len(own)
            expected = own.mean(axis=0) if len(own) else np.zeros(3)
            np.testing.assert_allclose(means[place], expected, rtol=relative, atol=1e-12 if not offset else 0)


def test_by_cluster_keeps_the_digits_of_a_large_mean():
    values = 1e9 + np.array([0.001, 0.002, 0.003, 0.004])
    moments = ArmMoments.from_values(("value",), {"A": values}, clusters={"A": np.array([1, 1, 2, 2])})
    _, means = moments.by_cluster("A", np.array([1, 2]))
    assert means[1, 0] - means[0, 0] == pytest.approx(0.002, abs=3e-7)


def test_no_clusters():
    moments = ArmMoments.from_values(("value",), {"A": np.arange(3.0)})
    assert not moments.clustered
    with pytest.raises(ValueError, match="no clusters"):
        moments.by_cluster("A", np.array([0]))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 40), offset=st.sampled_from([0.0, 1e9, 1e-9]))
def test_from_values_equals_numpy(seed, n, offset):
    arm, _, cluster, values = units(seed, n, offset=offset)
    given_values = {name: values[arm == name] for name in ARMS}
    plain = ArmMoments.from_values(COLUMNS, given_values)
    clustered = ArmMoments.from_values(
        COLUMNS, given_values, clusters={name: cluster[arm == name] for name in ARMS}
    )
    for name in ARMS:
        for moments in (plain, clustered):
            assert_moments(moments.arm(name), given_values[name], relative=1e-6 if offset == 1e9 else 1e-9)
    assert plain.known_days == ()
    assert not plain.until(date(2100, 1, 1)).n.size  # a day that is unknown comes before none


def test_one_column_may_be_given_flat():
    moments = ArmMoments.from_values(("value",), {"A": np.array([1.0, 2.0, 4.0]), "B": np.zeros(0)})
    assert moments.arm("A").means[0] == pytest.approx(7 / 3)
    assert moments.arm("A").comoments[0, 0] == pytest.approx(np.var([1, 2, 4]) * 3)
    assert moments.count("B") == 0


def test_merging_in_any_order_gives_the_same():
    arm, day, cluster, values = units(5, 500, offset=1e9)
    moments = cells(arm, day, cluster, values)
    order = np.random.default_rng(0).permutation(len(moments.n))
    chosen = moments.variants == "A"
    first = merged(moments.n, moments.means, moments.comoments, chosen)
    again = merged(moments.n[order], moments.means[order], moments.comoments[order], chosen[order])
    assert first.n == again.n
    np.testing.assert_allclose(first.means, again.means, rtol=1e-15)
    np.testing.assert_allclose(first.comoments, again.comoments, rtol=1e-7, atol=1e-6)


def test_many_small_cells_of_a_large_mean():
    rng = np.random.default_rng(6)
    values = 1e9 + rng.normal(size=20_000)
    clusters = np.repeat(np.arange(10_000), 2)
    moments = ArmMoments.from_values(("value",), {"A": values}, clusters={"A": clusters})
    assert moments.arm("A").comoments[0, 0] == pytest.approx(values.var() * len(values), rel=1e-6)
