"""How often a family of comparisons raises a false alarm, by procedure; arms share the control.

`python -m tests.statistical.test_correction_rates` prints the table of docs/methods/experiments/multiplicity-holm.md.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.stats.multiplicity import benjamini_hochberg, fixed_sequence, holm

pytestmark = pytest.mark.statistical
METRICS, ARMS = 4, 3
PROCEDURES = {"holm": holm, "bh": benjamini_hochberg, "fixed-sequence": fixed_sequence, "none": np.asarray}


def p_values(runs, effects, seed):
    """Two-sided p-values of METRICS x (ARMS - 1) comparisons; metrics correlated at .5, arms share the control."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(runs, 1, ARMS))
    noise = np.sqrt(0.5) * common + np.sqrt(0.5) * rng.normal(size=(runs, METRICS, ARMS))
    z = (noise[:, :, 1:] - noise[:, :, :1]) / np.sqrt(2) + effects
    return 2 * stats.norm.sf(np.abs(z))


def alarms(procedure, p):
    """Whether each comparison is called different; of a fixed sequence every arm is one, at its share of the level."""
    runs = len(p)
    if procedure == "fixed-sequence":
        adjusted = np.minimum(np.maximum.accumulate(p, axis=1) * (ARMS - 1), 1)
        return adjusted < 0.05
    flat = p.reshape(runs, -1)
    return np.array([PROCEDURES[procedure](row) for row in flat]).reshape(p.shape) < 0.05


def rates(procedure, runs=4000, seed=3):
    """Any false alarm without effects; with half of them true: any, their share among those called, and power."""
    null = alarms(procedure, p_values(runs, 0.0, seed))
    true = np.zeros((METRICS, 1), dtype=bool)
    true[: METRICS // 2] = True
    found = alarms(procedure, p_values(runs, np.where(true, 3.0, 0.0), seed + 1))
    false, called = (found & ~true).sum(axis=(1, 2)), found.sum(axis=(1, 2))
    return (
        null.any(axis=(1, 2)).mean(),
        (false > 0).mean(),
        (false / np.maximum(called, 1)).mean(),
        found[:, : METRICS // 2].mean(),
    )


@pytest.mark.parametrize("procedure", ["holm", "bh", "fixed-sequence"])
def test_one_or_more_false_alarms_without_any_effect(procedure):
    assert rates(procedure)[0] < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)


@pytest.mark.parametrize("procedure", ["holm", "fixed-sequence"])
def test_one_or_more_false_alarms_beside_true_effects(procedure):
    assert rates(procedure)[1] < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)


def test_the_share_of_false_discoveries():
    _, _, share, power = rates("bh")
    assert share < 0.05
    assert power > rates("holm")[3]


def test_without_correction_false_alarms_pile_up():
    assert rates("none")[0] > 0.15


if __name__ == "__main__":
    for name in PROCEDURES:
        print(name, *(f"{100 * rate:.1f}" for rate in rates(name, 20_000)))
