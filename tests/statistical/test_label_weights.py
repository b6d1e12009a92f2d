"""Weighted metrics cover what all labels will say, where the labels that came do not."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tests.ask.projects import START
from tests.labels.projects import late_project

pytestmark = pytest.mark.statistical
VERSIONS = 200


@pytest.mark.parametrize(
    "hours, naive_fails",
    [
        ({}, False),  # at random
        ({(0, 0): 3, (0, 1): 3, (1, 0): 12, (1, 1): 12}, True),  # what was decided 1 is looked at later
        ({(0, 0): 4, (0, 1): 10, (1, 0): 4, (1, 1): 10}, True),  # positives come late, as late flights do
    ],
)
def test_the_newest_day(tmp_path, hours, naive_fails):
    bench, frame = late_project(
        tmp_path, versions=VERSIONS, days=10, per_day=150, hours=hours, never=0.05, seed=7
    )
    as_of = START + timedelta(days=10)
    scope = bench.scope(start="2024-01-10", end="2024-01-11", as_of=as_of.isoformat(), grain="day")
    found = [row for row in bench.label_weighted(scope) if row.metric in {"accuracy", "prevalence"}]
    bench.close()
    # what the labels of the system say on average, of all rows that ever get one
    truth = {"accuracy": (frame["decision"] == frame["truth"]).mean(), "prevalence": frame["truth"].mean()}
    for metric, true in truth.items():
        rows = [row for row in found if row.metric == metric]
        assert len(rows) == VERSIONS
        assert {row.status for row in rows} == {"immature"}
        weighted = np.mean([row.weighted_ci_low <= true <= row.weighted_ci_high for row in rows])
        naive = np.mean([row.ci_low <= true <= row.ci_high for row in rows])
        assert 0.92 <= weighted <= 0.98
        if naive_fails and metric == "prevalence":
            assert naive < 0.9
