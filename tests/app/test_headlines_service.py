"""The first line of the Service page, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.service.burn import ObjectiveRow
from analytics.service.rows import ServiceRow
from app.headlines.service import moved, service_verdict

ZONE = ZoneInfo("UTC")
START = datetime(2026, 1, 2, tzinfo=UTC)


def row(errors=(0.01, 0.005, 0.02), p95=(50.0, 45.0, 55.0), rate=(1.0, 0.9, 1.1), n=3_600):
    return ServiceRow(
        START, START + timedelta(hours=1), None, None, None, n, *rate, 36, *errors, n, 20.0, 19.0, 21.0, *p95, 90.0,
        80.0, None, "rows", "rows", "ok", None,
    )  # fmt: skip


def burning(name, severity="page"):
    return ObjectiveRow(
        name, START, None, None, None, "fast", severity, START - timedelta(hours=1), START, 1_000, 300, 0.7, 0.6, 0.8,
        0.99, 30.0, 27.0, 33.0, 14.4, START, 90, 31.0, 20.0, 40.0, None, None, None, None, "breach", "rows", "ok", None,
    )  # fmt: skip


NOTHING = replace(row(), n=0, request_rate=None, error_rate=None, status="no_data")


@pytest.mark.parametrize(
    "now, before, objectives, state, said",
    [
        (row(), row(), (), "same", "Nothing moved against the window before"),
        (
            row(errors=(0.2, 0.15, 0.25)),
            row(),
            (),
            "worse",
            "More requests fail: 20% (15% to 25%), against 1%",
        ),
        (row(), row(errors=(0.2, 0.15, 0.25)), (), "better", "Fewer requests fail"),
        (row(p95=(90.0, 80.0, 99.0)), row(), (), "worse", "Slower: 95% of the answers took up to 90.0"),
        (row(rate=(0.5, 0.45, 0.55)), row(), (), "changed", "50% fewer requests than in the window before"),
        (
            row(),
            row(),
            (burning("quick", "ticket"), burning("answered")),
            "worse",
            "“answered” burns: 30% of 1,000",
        ),
        (row(), row(), (burning("a"), burning("b")), "worse", "So does “b”."),
        (NOTHING, row(), (), "worse", "No request came"),
        (NOTHING, NOTHING, (), "unknown", "nor in the window before"),
        (row(), None, (), "unknown", "no window before it"),
        (None, None, (), "unknown", "no windows"),
        (
            row(errors=(0.0102, 0.0101, 0.0103)),
            row(errors=(0.01, 0.0099, 0.01005)),
            (),
            "same",
            "Nothing moved",
        ),
    ],
)
def test_the_sentence(now, before, objectives, state, said):
    found = service_verdict(now, before, objectives, zone=ZONE)
    assert found.state == state
    assert said in found.sentence


def test_without_both_ends_nothing_is_said_to_have_moved():
    assert moved(row(p95=(90.0, 80.0, None)), row(), "latency_p95") is None
    assert moved(row(), None, "error_rate") is None
    alone = moved(row(), row(), "error_rate")
    assert alone.low < 0 < alone.high
