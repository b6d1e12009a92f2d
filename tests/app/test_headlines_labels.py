"""The first line of the Labels page says what is the case."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from analytics.labels.rows import LabelFeedRow, LabelRow
from app.headlines.labels import delay_change, labels_verdict, late_labels

ZONE = ZoneInfo("UTC")
DAY = datetime(2024, 3, 1, tzinfo=UTC)


def row(**values) -> LabelRow:
    plain = dict.fromkeys((field.name for field in fields(LabelRow)), None)
    return LabelRow(**plain | {
        "window_start": DAY, "window_end": DAY + timedelta(days=1), "n": 200, "n_labelled": 190, "coverage": 0.95,
        "expected_coverage": 0.96, "delay_p50_seconds": 10_000.0, "status": "ok", "short": False, "n_learned": 900,
    } | values)  # fmt: skip


def feed(**values) -> LabelFeedRow:
    plain = dict.fromkeys((field.name for field in fields(LabelFeedRow)), None)
    counts = {"n_reports": 900, "n_orphans": 0, "n_early": 0, "n_future": 0, "n_contradictions": 0}
    return LabelFeedRow(**plain | counts | {"status": "ok", "silent": False} | values)


def test_all_is_well():
    said = labels_verdict(row(), [row(), row(status="immature")], feed(), zone=ZONE)
    assert said.state == "same"
    assert said.sentence == (
        "95% of 200 predictions on 1 Mar 2024 have a label; the newest window still waits for some; "
        "half of these came within 2.8 h."
    )


def test_silence_comes_first():
    silent = feed(silent=True, silent_seconds=50_000.0, expected_since=312.4)
    said = labels_verdict(row(short=True), [row(short=True)], silent, zone=ZONE, as_of=DAY)
    assert said.state == "worse"
    assert said.sentence == (
        "As known on 1 Mar 2024, 00:00: the label feed has been silent for 14 h; about 312 labels were expected "
        "meanwhile."
    )


def test_missing_and_contradicting_labels():
    short = row(short=True, coverage=0.5)
    said = labels_verdict(row(), [row(), short, row(short=True)], feed(n_contradictions=3), zone=ZONE)
    assert said.state == "changed"
    assert (
        "fewer than expected on 1 Mar 2024 (50% against 96% expected) and in 1 other window" in said.sentence
    )
    assert "3 labels contradict an earlier one" in said.sentence


def test_nothing_and_at_once():
    assert labels_verdict(row(coverage=None), [], None, zone=ZONE).state == "unknown"
    assert (
        "labels are known at once" in labels_verdict(row(delay_p50_seconds=0.0), [], None, zone=ZONE).sentence
    )


def test_late_labels_and_changed_delays():
    apart = feed(
        mean_label_early=0.14, mean_label_late=0.41, mean_label_difference_ci_low=0.2,
        mean_label_difference_ci_high=0.3, delay_p50_seconds=10_000.0,
    )  # fmt: skip
    assert "14% of labels that come within 2.8 h are positive, 41% of those that come later" in late_labels(
        apart, "binary"
    )
    assert "mislead until they are mature" in late_labels(apart, "binary")
    alike = replace(apart, mean_label_difference_ci_low=-0.1)
    assert "no difference beyond chance" in late_labels(alike, "regression")
    assert late_labels(feed(), "binary") is None
    assert delay_change(feed()) is None
    slower = feed(delay_changed=True, share_before=0.8, share_recent=0.3, delay_p50_seconds=10_000.0)
    assert delay_change(slower).startswith(
        "Labels take longer than they did: 30% of predictions have one within 2.8 h"
    )
