"""Score histograms are added up once for the questions of a page, and say the same as when each reads its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates import scores
from analytics.ask import curves, score_bins
from analytics.ask.quality import quality_of
from analytics.measures.standard_quality import standard_quality
from analytics.scope import Scope
from tests.aggregates.memory_parts import MemoryParts
from tests.ask.projects import times, write_project

N = 3_000
PREDICTIONS = 'task = "binary"\nscore = "score"\nlabel = "label"\nversion = "version"\nthreshold = 0.5\n'


def opened(folder, more=""):
    draw = np.random.default_rng(8)
    score = draw.random(N)
    frame = pd.DataFrame({
        "ts": times(N, 30), "score": score, "label": (draw.random(N) < score).astype(int),
        "version": np.where(np.arange(N) % 3 == 0, "b", "a"),
    })  # fmt: skip
    bench = write_project(folder, frame, PREDICTIONS, more)
    bench.catalog.parts = MemoryParts(bench.catalog, list(standard_quality(bench.catalog)))
    return bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "FEW_ROWS", -1)  # as if there were many
        found = opened(tmp_path_factory.mktemp("bins"))
        yield found
        found.close()


@pytest.fixture
def read(monkeypatch):
    """The names of parts that are read, one after another."""
    asked = []
    plain = MemoryParts.read

    def noted(parts, definition, *rest):
        asked.append(definition.name)
        return plain(parts, definition, *rest)

    monkeypatch.setattr(MemoryParts, "read", noted)
    return asked


QUESTIONS = (
    lambda catalog: quality_of(catalog, Scope()),
    lambda catalog: curves.roc_of(catalog, Scope()),
    lambda catalog: curves.roc_of(catalog, Scope(versions=("b",))),
    lambda catalog: curves.score_histogram_of(catalog, Scope(versions=("a",))),
    lambda catalog: quality_of(catalog, Scope(versions=("a",), confidence=0.9)),
)


def test_what_is_kept_says_the_same(bench, read):
    alone = []
    for ask in QUESTIONS:
        bench.catalog.answered.clear()
        alone.append(ask(bench.catalog))
    assert read.count("scores") == len(QUESTIONS)
    read.clear()
    bench.catalog.answered.clear()
    together = [ask(bench.catalog) for ask in QUESTIONS]
    assert read.count("scores") == 1
    for one, other in zip(together, alone, strict=True):
        assert list(one) == list(other)
        assert one.sql == other.sql


def test_other_windows_are_other_histograms(bench, read):
    bench.catalog.answered.clear()
    for scope in (Scope(grain="week"), Scope(grain="week", versions=("b",)), Scope(grain="month")):
        found = quality_of(bench.catalog, scope)
        bench_alone = list(found)
        kept = bench.catalog.answered.pop("score bins")
        assert list(quality_of(bench.catalog, scope)) == bench_alone
        bench.catalog.answered["score bins"] = kept
    assert read.count("scores") == 5


def test_only_the_last_few_are_kept(bench):
    bench.catalog.answered.clear()
    for versions in (("a",), ("b",), ()):
        for grain in ("all", "week", "month"):
            quality_of(bench.catalog, Scope(grain=grain, versions=versions))
    assert len(bench.catalog.answered["score bins"].found) == score_bins.LAST


def test_histograms_too_large_are_not_kept(bench, read, monkeypatch):
    bench.catalog.answered.clear()
    monkeypatch.setattr(score_bins, "LARGEST_BYTES", 1000)
    quality_of(bench.catalog, Scope())
    curves.roc_of(bench.catalog, Scope())
    assert read.count("scores") == 2


def test_nothing_is_kept_where_missing_labels_become_absent_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(scores, "FEW_ROWS", -1)
    draw = np.random.default_rng(2)
    frame = pd.DataFrame({"ts": times(N, 30), "score": draw.random(N), "id": np.arange(N)})
    text = 'task = "binary"\nid = "id"\nscore = "score"\nthreshold = 0.5\n'
    labels = frame[["id"]].assign(label=(draw.random(N) < frame["score"]).astype(int), at=frame["ts"])
    labels.to_parquet(tmp_path / "late.parquet")
    more = '[labels]\npath = "late.parquet"\nid = "id"\nlabel = "label"\ntimestamp = "at"\n'
    more += 'absent_after = "2 d"\nabsent_means = 0\n'
    found = write_project(tmp_path, frame, text, more)
    found.catalog.parts = MemoryParts(found.catalog, list(standard_quality(found.catalog)))
    assert any(
        row.metric == "roc_auc" and row.value is not None for row in quality_of(found.catalog, Scope())
    )
    assert "score bins" not in found.catalog.answered
    found.close()


def test_few_labels_among_many_rows_are_no_reason_to_read_them_all(tmp_path, read, monkeypatch):
    monkeypatch.setattr(scores, "FEW_ROWS", 250_000)
    found = opened(tmp_path)
    quality_of(found.catalog, Scope())
    assert "scores" not in read  # so few rows are read
    monkeypatch.setattr(scores, "MOST_READ", N - 1)
    quality_of(found.catalog, Scope())
    assert "scores" in read
    found.close()
