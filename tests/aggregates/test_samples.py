"""Samples of rows: the same rows whatever else is asked, never more than asked for, and any row as likely."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates import samples
from analytics.aggregates.samples import read_sample
from analytics.telemetry.rows import scoped_rows
from tests.ask.projects import BINARY, times, write_project

N = 2_000


@pytest.fixture
def bench(tmp_path):
    place = np.arange(N)
    frame = pd.DataFrame({
        "ts": times(N), "score": place / N, "label": place % 2, "x": np.where(place % 10 == 0, np.nan, place),
        "text": np.where(place % 3 == 0, "", "a"), "group": np.where(place < N / 2, "a", "b"),
    })  # fmt: skip
    return write_project(tmp_path / "p", frame, BINARY + 'features = ["x", "text"]\nsegments = ["group"]\n')


@pytest.fixture
def fed(tmp_path):
    """Labels in a feed of their own, for half of the rows; two versions of unlike size."""
    place = np.arange(N)
    frame = pd.DataFrame({
        "id": [f"r{n}" for n in place], "ts": times(N), "score": place / N, "x": place * 1.0,
        "version": np.where(place % 10 == 0, "v2", "v1"), "group": np.where(place < N / 2, "a", "b"),
    })  # fmt: skip
    labels = pd.DataFrame({"id": frame["id"][::2], "label": place[::2] % 4 // 2, "ts": frame["ts"][::2]})
    section = 'features = ["x"]\nsegments = ["group"]\nid = "id"\nversion = "version"\n'
    return write_project(tmp_path / "p", frame, section + 'task = "binary"\nscore = "score"\n', feed=labels)


def drawn(bench, size, *, where="TRUE", seed="assay", **scope):
    catalog = bench.catalog
    rows = scoped_rows(catalog, bench.scope(**scope))
    return read_sample(catalog, rows, size, features=catalog.features, where=where, seed=seed)


def test_a_large_sample_is_every_row_and_a_small_one_is_part_of_a_larger_one(bench):
    assert drawn(bench, 10 * N).n == N
    small, large = (set(drawn(bench, size).column("score")) for size in (50, 500))
    assert len(small) == 50
    assert small < large


def test_each_window_and_segment_value_has_its_own_rows_and_says_how_many_there_were(bench):
    by_day, whole = (
        drawn(bench, 30, grain="day", by="group"),
        drawn(bench, 30, start="2024-01-01", end="2024-01-02"),
    )
    assert sum(by_day.totals.values()) == N
    assert by_day.n == 30 * len(by_day.totals) == 30 * 20
    # which other windows are read changes nothing
    assert set(whole.column("score")) <= set(by_day.column("score"))


def test_missing_numbers_and_texts_are_null_and_conditions_count(bench):
    every = drawn(bench, 10 * N, where="label = 1")
    assert every.totals[next(iter(every.totals))] == every.n == N / 2
    assert every.table.column("feature:text").null_count == int((np.arange(N)[1::2] % 3 == 0).sum())
    whole = drawn(bench, 10 * N)
    assert np.isnan(whole.column("feature:x")).sum() == N / 10


def test_every_row_is_as_likely_as_any_other(bench):
    hits = np.zeros(N)
    for seed in range(60):
        hits[np.round(drawn(bench, 200, seed=str(seed)).column("score") * N).astype(int)] += 1
    # binomial(60, 0.1): chi-squared over all rows against its normal limit
    statistic = ((hits - 6) ** 2 / (60 * 0.1 * 0.9)).sum()
    assert abs(statistic - N) < 5 * np.sqrt(2 * N)


@pytest.mark.parametrize("scope", [{}, {"grain": "week"}, {"by": "group"}, {"versions": ("v1",)}], ids=str)
def test_of_many_rows_those_that_can_be_drawn_are_found_first_and_are_the_same(fed, monkeypatch, scope):
    looked = []
    kept = type(fed.catalog.engine).kept
    monkeypatch.setattr(
        type(fed.catalog.engine), "kept", lambda self, sql: looked.append(sql) or kept(self, sql)
    )
    whole = drawn(fed, 5, **scope)
    assert not looked
    monkeypatch.setattr(type(fed.catalog), "is_large", property(lambda _: True))
    monkeypatch.setattr(samples, "MOST_AT_ONCE", N // 2)
    monkeypatch.setattr(samples, "LARGEST_SHARE", 0.99)
    few = drawn(fed, 5, **scope)
    assert len(looked) == 1
    assert few.table.equals(whole.table)
    assert few.table.column("label").null_count < few.n
    assert few.totals == whole.totals
    assert few.sql == whole.sql  # the definition, not the table held meanwhile


def test_all_rows_are_sorted_where_too_few_were_kept(fed, monkeypatch):
    whole = drawn(fed, 12)
    monkeypatch.setattr(type(fed.catalog), "is_large", property(lambda _: True))
    monkeypatch.setattr(samples, "MOST_AT_ONCE", N // 2)
    # md5 has no digest below this, so nothing is kept
    monkeypatch.setattr(samples, "_DIGEST", samples._DIGEST.replace("md5(", "concat('g', "))
    few = drawn(fed, 12)
    assert few.n == whole.n == 24
    assert few.totals == whole.totals
