"""Weighted metrics cover what all labels will say, where the labels that came do not."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tests.ask.projects import START
from tests.labels.projects import late_project

pytestmark = pytest.mark.statistical
VERSIONS = 150


@pytest.mark.parametrize(
    "hours, naive_covers",
    [
        ({}, 1.0),  # at random
        ({(0, 0): 3, (0, 1): 3, (1, 0): 12, (1, 1): 12}, 1.0),  # what was decided 1 is looked at later
        ({(0, 0): 4, (0, 1): 10, (1, 0): 4, (1, 1): 10}, 0.8),  # positives come late, as late flights do
    ],
)
def test_the_newest_day(tmp_path, hours, naive_covers):
    bench, frame = late_project(
        tmp_path, versions=VERSIONS, days=9, per_day=120, hours=hours, never=0.05, seed=7
    )
    as_of = START + timedelta(days=9)
    scope = bench.scope(start="2024-01-09", end="2024-01-10", as_of=as_of.isoformat(), grain="day")
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
        assert 0.90 <= weighted <= 0.99
        off = [
            abs(np.mean([getattr(row, name) for row in rows]) - true) for name in ("value", "weighted_value")
        ]
        assert off[1] < 0.015
        if hours:
            assert off[1] < off[0] / 2
        if metric == "prevalence":
            assert naive <= naive_covers
