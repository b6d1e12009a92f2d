"""NaN in Parquet files whose statistics do not tell of it, as Arrow, Polars and Spark write them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.workbench import Workbench

SECTION = """
path = "p.parquet"
task = "binary"
id = "id"
timestamp = "ts"
score = "score"
label = "label"
unit = "id"
threshold = 0.5
"""
EXPERIMENT = """
[exposures]
path = "p.parquet"
unit = "id"
variant = "variant"
timestamp = "ts"
[metrics.small]
kind = "proportion"
value = "x <= 10"
source = "predictions"
[experiments.test]
control = "A"
variants = { A = 0.5, B = 0.5 }
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nan")
    rng = np.random.default_rng(0)
    n = 400
    score, x = rng.random(n), rng.normal(size=n)
    label = (rng.random(n) < score).astype(int)
    score[::4] = x[::2] = math.nan
    table = {
        "id": [str(i) for i in range(n)],
        "ts": [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=i) for i in range(n)],
        "score": score,
        "label": label,
        "x": x,
        "variant": ["AB"[i % 2] for i in range(n)],
    }
    pq.write_table(pa.table(table), folder / "p.parquet")
    reference = "[reference]\nstart = 2024-01-01\nend = 2024-01-08\n"
    (folder / "assay.toml").write_text(f'name = "nan"\n[predictions]{SECTION}{reference}{EXPERIMENT}')
    found = Workbench(folder)
    yield found, score
    found.close()


def test_scores_that_are_no_numbers_are_left_out(bench):
    found, score = bench
    rows = {row.metric: row for row in found.quality()}
    assert rows["mean_score"].value == pytest.approx(np.nanmean(score))
    assert rows["decision_rate"].value == pytest.approx(np.mean(score[~np.isnan(score)] >= 0.5))
    (report,) = [row for row in found.telemetry() if row.feed == "predictions"]
    assert report.invalid_by_role == "score 100"


def test_features_that_are_no_numbers_are_missing(bench):
    found, _ = bench
    rows = {row.feature: row for row in found.drift()}
    assert rows["x"].missing_rate == pytest.approx(0.5)


def test_expressions_do_not_take_nan_for_a_small_number(bench):
    found, _ = bench
    (row,) = [row for row in found.scorecard(name="test").rows if row.metric == "small"]
    assert (row.mean_control, row.mean) == (0, 1)  # every second value, so every value of A, is NaN
