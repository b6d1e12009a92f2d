"""An open project: found, asked, reopened when its files change, shared between threads."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from analytics.errors import ProjectError
from analytics.workbench import open_logs, open_workbench, open_workspace
from tests.ask.projects import BINARY, SAMPLES, dumps, times, write_project


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"ts": times(n), "score": 0.5, "label": np.arange(n) % 2, "site": "a"})


def rows_of(bench) -> int:
    return bench.quality(bench.scope())[0].n


def test_one_of_several_must_be_named():
    with pytest.raises(ProjectError, match="flights_delay_class"):
        open_workbench(SAMPLES)
    opened = open_workspace(SAMPLES)
    assert [bench.project.predictions.task for bench in opened] == [
        "binary",
        "multiclass",
        "regression",
        "binary",
    ]


def test_changed_files_are_read_anew(tmp_path, monkeypatch):
    bench = write_project(tmp_path, frame(100), BINARY)
    assert rows_of(bench) == 100
    before = bench.digest
    frame(150).to_parquet(tmp_path / "predictions.parquet")
    monkeypatch.setattr(open_logs, "LOOK_EVERY_SECONDS", -1.0)
    assert rows_of(bench) == 150
    assert bench.digest != before
    catalog = bench.catalog
    assert bench.catalog is catalog  # nothing changed, nothing reopened
    bench.close()


def test_a_file_rotated_away_is_looked_for_once_more(tmp_path):
    bench = write_project(tmp_path, frame(100), BINARY.replace("label =", "label ="))
    toml = (tmp_path / "assay.toml").read_text()
    (tmp_path / "assay.toml").write_text(toml.replace("predictions.parquet", "predictions*.parquet"))
    (tmp_path / "predictions-2.parquet").write_bytes((tmp_path / "predictions.parquet").read_bytes())
    bench.close()
    bench = open_workbench(tmp_path)
    assert rows_of(bench) == 200
    (tmp_path / "predictions-2.parquet").unlink()
    assert rows_of(bench) == 100
    bench.close()


def test_threads_share_one_workbench(tmp_path):
    rng = np.random.default_rng(0)
    data = frame(3000).assign(score=rng.random(3000), site=np.resize(list("abc"), 3000))
    bench = write_project(tmp_path, data, BINARY + 'segments = ["site"]\n')
    scope = bench.scope(by="site")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: dumps(bench.quality(scope)), range(8)))
    first = bench.quality(scope)
    assert len(answers[0]) > 1000
    for answer in answers:
        for record, row in zip(json.loads(answer), first, strict=True):
            assert record["value"] == (row.value and pytest.approx(row.value, rel=1e-9))
    bench.close()


def test_a_closed_workbench_opens_again(tmp_path):
    bench = write_project(tmp_path, frame(60), BINARY)
    assert rows_of(bench) == 60
    bench.close()
    bench.close()
    assert rows_of(bench) == 60
    bench.close()
