"""The accounting of a change: exact sums, the contract's formulas, derivatives."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from analytics.stats.kitagawa import account, mix_gradients, peculiar, total_gradients

Floats = NDArray[np.float64]
K = 6
_counts = hnp.arrays(np.float64, (2, K), elements=st.one_of(st.just(0.0), st.floats(0.5, 1e6)))
_values = hnp.arrays(np.float64, (2, K), elements=st.floats(-1e3, 1e3))


@settings(max_examples=100, deadline=None)
@given(_counts, _values)
def test_parts_add_up_to_the_whole_change(d: Floats, r: Floats) -> None:
    d[:, 0] += 1.0
    found = account(d, d * r)
    scale = max(float(np.abs(found.total).sum()), float(np.abs(found.whole).max()), 1e-300)
    assert abs(found.total.sum() - found.change) <= 1e-12 * scale


def test_parts_are_the_contract_s() -> None:
    d = np.array([[50.0, 30.0, 20.0, 0.0], [20.0, 60.0, 0.0, 20.0]])
    r = np.array([[0.1, 0.4, 0.7, 0.0], [0.3, 0.5, 0.0, 0.9]])
    found = account(d, d * r)
    whole = (d * r).sum(axis=1) / 100.0
    for k in range(4):
        s0, s1 = d[0, k] / 100.0, d[1, k] / 100.0
        r0 = r[0, k] if d[0, k] else r[1, k]
        r1 = r[1, k] if d[1, k] else r[0, k]
        assert np.isclose(found.mix[k], (s1 - s0) * ((r0 + r1) / 2 - whole.mean()))
        assert np.isclose(found.rate[k], (r1 - r0) * (s0 + s1) / 2)
    assert found.rate[2] == found.rate[3] == 0.0  # a value absent on one side takes the other side's


def test_swapping_the_sides_turns_every_part_around() -> None:
    rng = np.random.default_rng(1)
    d, u = rng.uniform(1, 9, (2, 5)), rng.normal(0, 1, (2, 5))
    there, back = account(d, u), account(d[::-1], u[::-1])
    np.testing.assert_allclose(there.mix, -back.mix)
    np.testing.assert_allclose(there.rate, -back.rate)


def _both(d: Floats, u: Floats, whole_d: Floats, whole_u: Floats) -> tuple[Floats, Floats]:
    share, value = d / whole_d[:, None], np.where(d > 0, u / np.where(d > 0, d, 1.0), 0.0)
    value = np.where(d > 0, value, value[::-1])
    mix = (share[1] - share[0]) * (value.mean(axis=0) - (whole_u / whole_d).mean())
    return mix + (value[1] - value[0]) * share.mean(axis=0), mix


def test_gradients_are_the_derivatives() -> None:
    rng = np.random.default_rng(0)
    d, u = rng.uniform(1, 50, (2, K)), rng.uniform(0, 30, (2, K))
    d[0, 1] = u[0, 1] = 0.0
    found = account(d, u)
    sums = d, u, d.sum(axis=1), u.sum(axis=1)
    step = 1e-6
    for which, gradients in enumerate((total_gradients(found, d), mix_gradients(found, d))):
        for argument, analytic in enumerate(gradients):
            for side in (0, 1):
                for k in range(K):
                    if d[side, k] == 0:
                        continue
                    at = (side, k) if argument < 2 else (side,)
                    ends = []
                    for sign in (1.0, -1.0):
                        moved = [one.copy() for one in sums]
                        moved[argument][at] += sign * step
                        ends.append(_both(*moved)[which][k])
                    assert np.isclose((ends[0] - ends[1]) / (2 * step), analytic[k, side], atol=1e-6)


def test_what_is_peculiar() -> None:
    d = np.array([[100.0, 100.0], [100.0, 100.0]])
    u = np.array([[10.0, 10.0], [30.0, 10.0]])
    squares = np.stack([d, u, u])
    whole = d.sum(axis=1), u.sum(axis=1), squares.sum(axis=2)
    found = peculiar(d, u, squares, *whole)
    # all of the change of .1 is the first slice's; the second would have to fall as the first rose
    np.testing.assert_allclose(found.effect, [0.1, -0.1])
    alike = np.array([[10.0, 20.0], [20.0, 30.0]])
    np.testing.assert_allclose(
        peculiar(d, alike, np.stack([d, alike, alike]), d.sum(axis=1), alike.sum(axis=1), whole[2]).effect,
        0.0,
        atol=1e-15,
    )
