"""Quality for some metrics only: the same numbers as among all, and less is read for them."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates import scores
from analytics.ask.quality import quality_of
from analytics.measures import binary
from analytics.measures.standard_quality import standard_quality
from analytics.scope import Scope
from tests.aggregates.memory_parts import MemoryParts
from tests.ask.projects import times, write_project

N = 2_000


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    draw = np.random.default_rng(1)
    score = draw.random(N)
    frame = pd.DataFrame({
        "ts": times(N, 30), "score": score, "label": (draw.random(N) < score).astype(int),
        "decision": (score > 0.5).astype(int), "version": np.where(np.arange(N) % 3 == 0, "b", "a"),
    })  # fmt: skip
    text = 'task = "binary"\nscore = "score"\nlabel = "label"\ndecision = "decision"\nversion = "version"\n'
    bench = write_project(tmp_path_factory.mktemp("only"), frame, text)
    yield bench.catalog
    bench.close()


@pytest.mark.parametrize("metric", binary.METRICS[:-1])
def test_one_metric_is_the_one_among_all(catalog, metric):
    # a version that logged nothing in some windows, and windows without any row
    scope = Scope(grain="week")
    every = [row for row in quality_of(catalog, scope) if row.metric == metric]
    alone = quality_of(catalog, scope, metrics=frozenset({metric}))
    for one, other in zip(alone, every, strict=True):
        for field in fields(one):
            found, expected = getattr(one, field.name), getattr(other, field.name)
            # sums of the same rows in another order
            exact = not isinstance(expected, float)
            assert found == (expected if exact else pytest.approx(expected, rel=1e-9)), field.name


def test_a_loss_reads_neither_scores_nor_decisions(catalog, monkeypatch):
    monkeypatch.setattr(scores, "FEW_ROWS", -1)  # as if there were many
    catalog.parts = MemoryParts(catalog, list(standard_quality(catalog)))
    asked = []
    read = MemoryParts.read
    monkeypatch.setattr(
        MemoryParts,
        "read",
        lambda parts, definition, *rest: (asked.append(definition.name), read(parts, definition, *rest))[1],
    )
    try:
        (row,) = quality_of(catalog, Scope(versions=("a",)), metrics=frozenset({"log_loss"}))
        assert "moments" in asked
        assert not {"scores", "decisions", "reliability"} & set(asked)
        quality_of(catalog, Scope(versions=("a",)))
        assert {"scores", "decisions", "reliability"} <= set(asked)
    finally:
        catalog.parts = None
    assert row.value is not None
