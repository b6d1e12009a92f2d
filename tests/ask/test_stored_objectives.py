"""Objectives from stored minutes: as from the rows, which are read only where days are not over."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates.event_cells import standard_objectives
from analytics.ask.objectives import objectives_of
from analytics.scope import Scope
from tests.aggregates.memory_parts import Known, counting
from tests.ask.projects import START, write_project
from tests.ask.test_objectives import OBJECTIVES, ROLES

NOW = (START + timedelta(days=40, hours=7)).to_pydatetime()


@pytest.fixture(scope="module")
def frame():
    """A request every five minutes, two items of each."""
    n = 41 * 24 * 12
    random = np.random.default_rng(3)
    at = START + pd.to_timedelta(np.arange(n) * 300 + random.integers(0, 50, n), unit="s")
    one = pd.DataFrame(
        {
            "ts": at, "version": np.where(np.arange(n) % 2, "b", "a"),
            "status": np.where(random.random(n) < 0.02, "failed", "ok"), "who": [f"u{i % 700}" for i in range(n)],
            "score": random.random(n), "ms": random.gamma(4, 12, n), "size": 1.0, "w": random.choice([1.0, 4.0], n),
        }
    )  # fmt: skip
    both = pd.concat([one, one], ignore_index=True)
    return both.assign(id=[f"r{i}" for i in range(len(both))])


@pytest.mark.parametrize("more", ["", 'weight = "w"\nblock = "hour"\n', 'block = "none"\n'])
def test_budgets_and_burn_rates_are_those_of_the_rows(frame, tmp_path, more):
    bench = write_project(tmp_path, frame, ROLES + more, OBJECTIVES)
    catalog = bench.catalog
    plain = objectives_of(catalog, Scope(), NOW)
    kept = standard_objectives(catalog)
    assert len(kept) == 3
    Known(catalog, kept)
    with counting(catalog) as read:
        stored = objectives_of(catalog, Scope(), NOW)
    assert len(read) == 3 * 2  # today, and the day on which the period begins
    assert len(stored) == len(plain) > 10
    for one, other in zip(plain, stored, strict=True):
        for name, value in vars(one).items():
            expected = pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value
            assert getattr(other, name) == expected, name
    bench.close()


def test_what_labels_decide_is_not_kept_and_what_cannot_be_asked_breaks_no_build(frame, tmp_path):
    more = '[objectives.right]\ngood = "score < 0.5 AND label = 1"\nshare = 0.9\n'
    frame = frame.head(200).assign(label=1)
    bench = write_project(tmp_path, frame, ROLES + 'label = "label"\n', OBJECTIVES + more)
    assert len(standard_objectives(bench.catalog)) == 3
    odd = {"odd": bench.project.objectives["kind"].model_copy(update={"good": "nothing > 1"})}
    catalog = bench.catalog
    catalog.project = catalog.project.model_copy(update={"objectives": {**catalog.project.objectives, **odd}})
    assert len(standard_objectives(catalog)) == 3
    bench.close()
