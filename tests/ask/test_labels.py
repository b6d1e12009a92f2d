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


def test_labels_that_come_positive_first_are_not_called_drift_while_they_arrive(tmp_path):
    n = 3000
    rng = np.random.default_rng(1)
    truth = rng.random(n) < 0.1
    frame = pd.DataFrame({"ts": times(n, days=60), "id": [str(i) for i in range(n)], "score": rng.random(n)})
    known = truth & (rng.random(n) < 0.9)
    feed = pd.DataFrame({
        "id": frame.id[known], "label": 1,
        "ts": frame.ts[known] + pd.to_timedelta(rng.uniform(0, 3, known.sum()), unit="D"),
    })  # fmt: skip
    bench = write_project(
        tmp_path / "p", frame, 'task = "binary"\nid = "id"\nscore = "score"\nfeatures = []\n',
        "[reference]\nstart = 2024-01-01\nend = 2024-01-31\n", feed,
    )  # fmt: skip
    file = tmp_path / "p" / "assay.toml"
    file.write_text(file.read_text().replace(
        'timestamp = "ts"\n[reference]', 'timestamp = "ts"\nabsent_after = "14 days"\nabsent_means = 0\n[reference]'
    ))  # fmt: skip
    bench = type(bench)(tmp_path / "p")
    rows = bench.drift(bench.scope(as_of="2024-02-29", start="2024-01-31", grain="week"))
    labels = [row for row in rows if row.role == "label"]
    young = [row for row in labels if row.status == "immature"]
    assert young
    assert all(row.drifted is None and row.p_value is None and "one-sided" in row.reason for row in young)
    assert all(
        row.status in {"immature", "too_few"}
        for row in labels
        if row.window_end > pd.Timestamp("2024-02-15", tz="UTC")
    )
    assert any("hold days of the reference" in note for note in bench.drift(bench.scope()).notes)
