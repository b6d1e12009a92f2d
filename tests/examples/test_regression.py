from __future__ import annotations

import pytest
from statsmodels.stats.proportion import proportion_confint

from analytics.examples.regression import Answered, judged, rates


def test_rates_are_wilsons():
    answers = [Answered("v1", place < 7) for place in range(10)] + [
        Answered("v1", None),
        Answered("v2", None),
    ]
    found = rates("storms", 12, answers, ["v1", "v2", "v3"], 0.95)
    low, high = proportion_confint(7, 10, method="wilson")
    assert (found[0].n_pinned, found[0].n, found[0].n_passed) == (12, 10, 7)
    assert (found[0].ci_low, found[0].ci_high) == pytest.approx((low, high))
    assert [row.status for row in found] == ["ok", "no_data", "no_data"]
    assert "judged" in found[1].reason
    assert "none of these rows" in found[2].reason
    assert found[1].value is None


@pytest.mark.parametrize(
    "given,passed",
    [(("binary", "1", "1", 0.9, None), True), (("multiclass", "a", "b", 0.4, None), False),
     (("binary", None, "1", 0.9, None), None), (("binary", "1", None, 0.9, None), None),
     (("regression", 10.0, None, 14.0, 5.0), True), (("regression", 10.0, None, 16.0, 5.0), False),
     (("regression", 10.0, None, None, 5.0), None), (("regression", 10.0, None, 1.0, None), None)],
)  # fmt: skip
def test_judged(given, passed):
    assert judged(*given)[0] is passed
