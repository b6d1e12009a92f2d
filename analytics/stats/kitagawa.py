"""How much of a change of a mean comes from each part: its share of the rows, and its own value.

A mean R = sum u / sum d over rows falls into parts k with shares s = d_k / d and values r = u_k / d_k, on two sides
(0 before, 1 after). Kitagawa's accounting without an interaction (Journal of the American Statistical Association 50,
1955), the mix taken from the mean of both wholes:

    mix_k  = (s1 - s0) ((r0 + r1) / 2 - (R0 + R1) / 2)
    rate_k = (r1 - r0) (s0 + s1) / 2

Both summed over all parts give R1 - R0 exactly. A part that one side lacks takes the other side's value, so it has a
mix and no rate. Besides, what is peculiar to a part: what of the change would be gone had its value changed as that of
all other rows did, and had it kept its share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .arrays import FloatArray, divide


class Gradients(NamedTuple):
    """Derivatives by the sums of both sides, each of shape (parts, 2): by d and u of the part, and of the whole."""

    part_d: FloatArray
    part_u: FloatArray
    whole_d: FloatArray
    whole_u: FloatArray


@dataclass(frozen=True)
class Accounting:
    """The parts of one change.

    Attributes:
        share: of each part, shape (2, parts); 0 before, 1 after.
        value: of each part; of a part without rows on a side the other side's.
        whole: the mean of all rows, shape (2,).
        mix: what the shares did, shape (parts,).
        rate: what the values did.
    """

    share: FloatArray
    value: FloatArray
    whole: FloatArray
    mix: FloatArray
    rate: FloatArray

    @property
    def total(self) -> FloatArray:
        """Both together; their sum over the parts is the whole change."""
        return np.asarray(self.mix + self.rate)

    @property
    def change(self) -> float:
        """The mean after less the mean before."""
        return float(self.whole[1] - self.whole[0])


def account(d: FloatArray, u: FloatArray) -> Accounting:
    """Split the change of a mean over parts.

    Args:
        d: sums of what is counted, shape (2, parts), each side with some.
        u: sums of the values, same shape.

    >>> parts = account(np.array([[50.0, 50.0], [20.0, 80.0]]), np.array([[5.0, 25.0], [2.0, 48.0]]))
    >>> parts.mix.round(3).tolist(), parts.rate.round(3).tolist(), round(parts.change, 3)
    ([0.09, 0.045], [0.0, 0.065], 0.2)
    """
    total = d.sum(axis=1, keepdims=True)
    share = d / total
    whole = u.sum(axis=1) / total[:, 0]
    own = divide(u, d)
    value = np.where(d > 0, own, own[::-1])
    mix = (share[1] - share[0]) * (value.mean(axis=0) - whole.mean())
    rate = (value[1] - value[0]) * share.mean(axis=0)
    return Accounting(share, value, whole, mix, rate)


def total_gradients(found: Accounting, d: FloatArray) -> Gradients:
    """Derivatives of mix plus rate of every part by its sums and those of the whole, for the delta method."""
    total = d.sum(axis=1)
    middle = found.value.mean(axis=0) - found.whole.mean()
    grown = found.share[1] - found.share[0]
    by_share = np.stack([-middle, middle]) + (found.value[1] - found.value[0]) / 2.0
    mean_share = found.share.mean(axis=0)
    by_value = np.stack([grown / 2.0 - mean_share, grown / 2.0 + mean_share])
    present = d > 0
    # a part that a side lacks has the other side's value there: that side's value counts twice, this one's not at all
    by_value = np.where(present, by_value + np.where(present[::-1], 0.0, by_value[::-1]), 0.0)
    by_whole = -grown[None, :] / 2.0 * np.ones((2, 1))
    return _by_sums(found, d, total, by_share, by_value, by_whole)


def _by_sums(
    found: Accounting,
    d: FloatArray,
    total: FloatArray,
    by_share: FloatArray,
    by_value: FloatArray,
    by_whole: FloatArray,
) -> Gradients:
    whole = found.whole[:, None]
    sums = total[:, None]
    inverse = divide(1.0, d)
    return Gradients(
        part_d=(by_share / sums - by_value * found.value * inverse).T,
        part_u=(by_value * inverse).T,
        whole_d=(-by_share * found.share / sums - by_whole * whole / sums).T,
        whole_u=(by_whole / sums * np.ones_like(d)).T,
    )


def mix_gradients(found: Accounting, d: FloatArray) -> Gradients:
    """Derivatives of the mix of every part alone."""
    total = d.sum(axis=1)
    middle = found.value.mean(axis=0) - found.whole.mean()
    grown = found.share[1] - found.share[0]
    present = d > 0
    by_value = np.broadcast_to(grown / 2.0, d.shape)
    by_value = np.where(present, by_value + np.where(present[::-1], 0.0, by_value), 0.0)
    by_whole = -grown[None, :] / 2.0 * np.ones((2, 1))
    return _by_sums(found, d, total, np.stack([-middle, middle]), by_value, by_whole)


class Peculiar(NamedTuple):
    """What of a change is peculiar to each slice, and its variance taking rows as independent: by values, by shares."""

    effect: FloatArray
    by_values: FloatArray
    by_shares: FloatArray


def peculiar(
    d: FloatArray,
    u: FloatArray,
    squares: FloatArray,
    whole_d: FloatArray,
    whole_u: FloatArray,
    whole_squares: FloatArray,
) -> Peculiar:
    """What of the change would be gone had a slice changed as the rows outside of it did, and kept its share.

    With s the mean of its shares before and after and r its value, n that of all other rows:
    ``s ((r1 - r0) - (n1 - n0)) + (s1 - s0) ((r0 + r1) / 2 - (n0 + n1) / 2)``.
    Uniform worsening is peculiar to no slice.

    Args:
        d, u: sums of the slices, shape (2, slices).
        squares: sums of d^2, d u and u^2 over rows, shape (3, 2, slices).
        whole_d, whole_u: of everything the slices are cut from, shape (2,).
        whole_squares: shape (3, 2).
    """
    rest_d, rest_u = whole_d[:, None] - d, whole_u[:, None] - u
    share = d / whole_d[:, None]
    inside, outside = divide(u, d), divide(rest_u, rest_d)
    inside = np.where(d > 0, inside, inside[::-1])
    outside = np.where(rest_d > 0, outside, outside[::-1])
    mean_share = share.mean(axis=0)
    gap = inside.mean(axis=0) - outside.mean(axis=0)
    grown = share[1] - share[0]
    effect = mean_share * ((inside[1] - inside[0]) - (outside[1] - outside[0])) + grown * gap
    by_values, by_shares = np.zeros_like(effect), np.zeros_like(effect)
    for side, sign in ((0, -1.0), (1, 1.0)):
        within = _mean_variance(inside[side], d[side], squares[:, side])
        beyond = _mean_variance(
            outside[side], rest_d[side], whole_squares[:, side][:, None] - squares[:, side]
        )
        half = grown / 2.0
        by_values += (sign * mean_share + half) ** 2 * (within + beyond)
        # the share varies, too
        own = share[side]
        by_share = sign * gap + ((inside[1] - inside[0]) - (outside[1] - outside[0])) / 2.0
        dd = squares[0, side]
        rest_dd = whole_squares[0, side] - dd
        by_shares += by_share**2 * ((1 - own) ** 2 * dd + own**2 * rest_dd) / whole_d[side] ** 2
    return Peculiar(np.asarray(effect), by_values, by_shares)


def _mean_variance(value: FloatArray, d: FloatArray, squares: FloatArray) -> FloatArray:
    """Of sum u / sum d over independent rows."""
    dd, du, uu = squares
    spread = np.maximum(uu - 2.0 * value * du + value**2 * dd, 0.0)
    return divide(spread, d**2)
