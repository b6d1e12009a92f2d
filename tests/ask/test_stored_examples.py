"""Examples of a project whose scores are stored: the same rows, with labels joined to few."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates.decided import standard_examples
from analytics.ask.example_bounds import known_scores
from analytics.ask.examples import examples_of
from analytics.ask.windows import resolve
from analytics.measures.standard_quality import standard_quality
from analytics.scope import Filter, Scope
from tests.aggregates.memory_parts import MemoryParts
from tests.ask.projects import BINARY, START, times, write_project

N = 6000
FIRST = START.to_pydatetime()
KEYS = BINARY.replace('label = "label"\n', "") + (
    'id = "id"\nversion = "version"\ndecision = "decision"\nfeatures = ["x"]\nsegments = ["kind"]\n'
)
FEED = '[labels]\npath = "labels.parquet"\nid = "id"\nlabel = "label"\ntimestamp = "at"\n'


@pytest.fixture(scope="module", params=["feed", "own"])
def bench(request, tmp_path_factory):
    """Scores with ties at both ends, rows without a score or a decision, and labels that were corrected."""
    folder = tmp_path_factory.mktemp("stored")
    draw = np.random.default_rng(8)
    score = np.round(draw.uniform(size=N) ** 2, 3)
    rows = pd.DataFrame({
        "id": [f"r{place}" for place in range(N)], "ts": times(N), "x": draw.normal(size=N), "score": score,
        "kind": draw.choice(["a", "b"], N), "version": draw.choice(["v1", "v2"], N), "decision": (score >= 0.4) * 1.0,
        "label": (draw.uniform(size=N) < score) * 1.0,
    })  # fmt: skip
    rows.loc[:20, "score"] = np.nan
    rows.loc[21:40, "decision"] = np.nan
    rows.loc[41:400, "label"] = np.nan
    if request.param == "own":
        return write_project(folder, rows, KEYS + 'label = "label"\n')
    labels = rows.loc[rows["label"].notna(), ["id", "label"]].assign(at=rows["ts"] + pd.Timedelta(hours=3))
    wrong = labels.iloc[::7].assign(
        label=lambda old: 1 - old["label"], at=lambda old: old["at"] - pd.Timedelta(hours=1)
    )
    pd.concat([labels, wrong]).to_parquet(folder / "labels.parquet")
    return write_project(folder, rows.drop(columns="label"), KEYS, FEED)


@pytest.fixture(scope="module")
def parts(bench):
    found = MemoryParts(bench.catalog, [*standard_examples(bench.catalog), *standard_quality(bench.catalog)])
    bench.catalog.parts = None
    return found


def both(bench, parts, *words, **more):
    """The answer from the rows, that with parts, and the texts that this one asked."""
    catalog = bench.catalog
    plain = examples_of(catalog, *words, **more)
    texts: list[str] = []
    ask = catalog.engine.query
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "parts", parts)
        patch.setattr(
            catalog.engine,
            "query",
            lambda sql, *rest, **named: texts.append(str(sql)) or ask(sql, *rest, **named),
        )
        return plain, examples_of(catalog, *words, **more), texts


SCOPES = {
    "everything": Scope(),
    "one segment": Scope(filters=(Filter("segment", "kind", "a"),)),
    "one version": Scope(versions=("v2",)),
    "part of a day": Scope(start=FIRST + timedelta(hours=9), end=FIRST + timedelta(hours=70)),
    "as known early": Scope(as_of=FIRST + timedelta(hours=80)),
    "by label": Scope(filters=(Filter("label", "label", "1"),)),
}


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
@pytest.mark.parametrize("kind", ["worst", "best", "uncertain", "random"])
def test_the_same_rows_are_found(bench, parts, scope, kind):
    plain, stored, _ = both(bench, parts, scope, kind, 25)
    assert stored.rows == plain.rows
    assert stored.notes == plain.notes
    assert len(plain) == 25


@pytest.mark.parametrize("kind", ["worst", "best", "random"])
def test_the_same_rows_of_each_class_are_found(bench, parts, kind):
    plain, stored, _ = both(bench, parts, Scope(), kind, 25, per_class=True)
    assert stored.rows == plain.rows
    assert len(plain) == 50


@pytest.mark.parametrize("kind", ["worst", "best"])
def test_few_rows_are_labelled(bench, parts, kind):
    scope, _ = resolve(bench.catalog, Scope())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.catalog, "parts", parts)
        scores = known_scores(bench.catalog, scope)
    extremes = scores.extremes(kind, 25, per_class=False)
    assert scores._left(extremes) < N / 4
    assert scores.extremes(kind, N, per_class=False) is None
    _, _, texts = both(bench, parts, Scope(), kind, 25)
    assert any("kept_" in text for text in texts) == bench.catalog.has_label_feed


def test_more_rows_than_are_named_one_by_one(bench, parts):
    plain, stored, _ = both(bench, parts, Scope(), "uncertain", 700)
    assert len(plain) == 700
    assert stored.rows == plain.rows
