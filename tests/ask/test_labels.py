"""A window is immature as long as labels usually still arrive for it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.ask.labels import Maturity, maturity_of
from analytics.scope import Scope
from tests.ask.projects import BINARY, START, times, write_project


def test_the_delay_is_by_when_most_labels_had_come(tmp_path):
    frame = pd.DataFrame({"ts": times(1000, 10), "score": 0.5, "id": np.arange(1000).astype(str)})
    hours = np.where(np.arange(1000) % 100 < 4, 500, np.where(np.arange(1000) % 2, 2, 30))
    feed = pd.DataFrame({"id": frame["id"], "label": 1, "ts": frame["ts"] + pd.to_timedelta(hours, unit="h")})
    bench = write_project(tmp_path, frame, 'task = "binary"\nscore = "score"\nid = "id"\n', feed=feed)
    maturity = maturity_of(bench.catalog, Scope())
    assert maturity.delay == timedelta(hours=30)
    assert maturity.reason(START + timedelta(days=10)) is None
    as_of = START + timedelta(days=11)
    known = maturity_of(bench.catalog, Scope(as_of=as_of))
    assert known.known_at == as_of
    assert known.delay == timedelta(hours=30)
    assert known.reason(as_of - timedelta(hours=30)) is None
    reason = known.reason(as_of - timedelta(hours=30) + timedelta(microseconds=1))
    assert "30 h" in reason
    assert "2024-01-12" in reason
    assert maturity_of(bench.catalog, Scope(as_of=as_of), "reference").delay is None
    bench.close()


def test_labels_known_at_once_are_mature_at_once(tmp_path):
    frame = pd.DataFrame({"ts": times(100), "score": 0.5, "label": 1})
    bench = write_project(tmp_path, frame, BINARY)
    as_of = START + timedelta(days=5)
    assert maturity_of(bench.catalog, Scope(as_of=as_of)).reason(as_of) is None
    bench.close()


@pytest.mark.parametrize("hours, words", [(0.2, "12 min"), (5, "5 h"), (24 * 7, "7 days")])
def test_delays_in_words(hours, words):
    maturity = Maturity(START, timedelta(hours=hours), "today")
    assert words in maturity.reason(START)
