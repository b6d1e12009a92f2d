"""Rows a day that arrived, from stored parts: counts, whatever rows weigh."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.ask.telemetry import _stored_counts, day_counts
from analytics.telemetry import facts
from analytics.telemetry.report import rows_per_day
from tests.ask.projects import BINARY, times, write_project


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_and_labels_a_day_are_counted_and_not_weighed(weighted, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(facts, "LARGE_BYTES", -1)
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "kept"))
    n, rng = 500, np.random.default_rng(3)
    label = pd.Series(rng.integers(0, 2, n)).astype("Int64")
    label[rng.random(n) < 0.3] = pd.NA
    frame = pd.DataFrame({"ts": times(n, 5), "score": rng.random(n), "label": label, "w": rng.random(n) * 9})
    with_weight = 'weight = "w"\n' if weighted else ""
    bench = write_project(tmp_path / "project", frame, BINARY + with_weight)
    bench.aggregate()
    bench.telemetry()
    assert _stored_counts(bench.catalog) is not None
    assert day_counts(bench.catalog) == rows_per_day(bench.catalog)
    assert sum(day.n_labelled for day in day_counts(bench.catalog)) == label.notna().sum()
    bench.close()
