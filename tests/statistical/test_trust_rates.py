"""False alarms of the checks of trust, looked at daily, and their power: see methods/experiments/trust.md."""

from __future__ import annotations

import pytest
from scipy import stats

from tests.statistical.trust_table import blocked, clashing, fading, lifted, losing, ramped, rates, sound

pytestmark = pytest.mark.statistical


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.4, 0.3, 0.3)])
def test_at_most_one_sound_experiment_in_a_hundred_is_blocked(shares):
    """28 daily looks, three heavy-tailed metrics; the p-values of one look would block more than that."""
    runs = 400
    told = blocked(runs, 100, shares)
    assert told["either"] * runs <= stats.binom.ppf(0.999, runs, 0.01)


def test_sound_experiments_hardly_warn():
    told = rates(40, sound)
    assert told.get("any", 0.0) <= 0.2
    assert max((share for name, share in told.items() if name != "any"), default=0.0) <= 0.1


def test_a_true_lift_is_no_reason_to_warn():
    assert rates(20, lifted).get("any", 0.0) <= 0.25


@pytest.mark.parametrize(
    "make,name", [(fading, "novelty"), (losing, "srm"), (clashing, "interaction"), (ramped, "split_change")]
)
def test_planted_faults_are_seen(make, name):
    """A ramp that nobody declared is a broken split from the first day, so it blocks rather than warns."""
    told = rates(8, make)
    assert max(told.get(name, 0.0), told.get("srm", 0.0) if make is ramped else 0.0) >= 0.75
