"""First lines about changes, releases and age claim what the rows bear out, in words."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from analytics.changes.rows import AgeingRow, ChangeRow, ReleaseRow
from app.headlines.changes import ageing_sentence, changes_verdict, release_verdict

ZONE = ZoneInfo("UTC")


def at(month, day):
    return datetime(2024, month, day, tzinfo=UTC)


def made(row, /, **known):
    names = {field.name for field in fields(row)}
    base = {"window_start": at(1, 1), "window_end": at(4, 1), "status": "ok", "n": 90}
    return row(
        **(dict.fromkeys(names) | {name: value for name, value in base.items() if name in names} | known)
    )


def change(**known):
    base = {"role": "metric", "field": "roc_auc", "statistic": "value", "kind": "none", "grain": "day"}
    return made(ChangeRow, **(base | known))


FALL = {
    "kind": "sudden", "change_at": at(2, 10), "change_low": at(2, 8), "change_high": at(2, 13), "before": 0.7,
    "after": 0.62, "worse": True, "p_adjusted": 0.001, "trend_per_month": -0.03, "trend_low": -0.04,
    "trend_high": -0.02,
}  # fmt: skip


def test_a_fall_has_its_day_interval_and_levels():
    said = changes_verdict([change(**FALL), change(role="feature", field="temp")], zone=ZONE)
    assert said.state == "worse"
    assert said.sentence == (
        "ROC AUC changed about 10 Feb 2024 (8 Feb 2024 to 13 Feb 2024): 0.700 before, 0.620 since. "
        "None of 1 field changed."
    )


def test_slow_decay_and_its_floor_read_as_a_person_would_say():
    slow = FALL | {
        "kind": "gradual", "change_at": None, "trend_per_month": -0.004, "trend_low": -0.006, "trend_high": -0.002,
        "floor": 0.65, "reaches_floor_at": at(5, 3), "reaches_floor_low": at(4, 20), "reaches_floor_high": at(6, 1),
    }  # fmt: skip
    said = changes_verdict([change(**slow)], zone=ZONE).sentence
    assert said == (
        "ROC AUC loses 0.00400 a month (0.00200 to 0.00600). It reaches 0.650 about 3 May 2024 "
        "(not before 20 Apr 2024, not after 1 Jun 2024)."
    )


def test_an_open_interval_of_the_floor_says_so():
    row = change(floor=0.65, reaches_floor_at=at(9, 3), reaches_floor_low=at(4, 20), trend_per_month=-0.004,
                 trend_low=-0.01, trend_high=0.002)  # fmt: skip
    said = changes_verdict([row], zone=ZONE).sentence
    assert said.startswith(
        "None of 1 metric changed beyond chance. ROC AUC loses 0.00400 a month and reaches 0.650"
    )
    assert said.endswith("(not before 20 Apr 2024, perhaps never).")


def test_fields_alone_are_neither_good_nor_bad():
    moved = change(role="feature", field="temp", **{**FALL, "worse": None})
    said = changes_verdict([change(), moved], zone=ZONE)
    assert said.state == "changed"
    assert "1 of 1 field changed: first temp about 10 Feb 2024." in said.sentence


def test_nothing_to_judge_says_why():
    row = change(kind=None, status="too_few", reason="a change needs 28 days with a value, and there are 3")
    assert changes_verdict([row], zone=ZONE).sentence.endswith("there are 3.")
    assert changes_verdict([], zone=ZONE).state == "unknown"


def release(**known):
    base = {
        "released_at": at(2, 1), "version": "b", "version_before": "a", "metric": "log_loss", "evidence": "paired",
        "paired_difference": -0.02, "evidence_low": -0.03, "evidence_high": -0.01, "recommendation": "keep",
        "reason": "better on the same days",
    }  # fmt: skip
    return made(ReleaseRow, **(base | known))


def test_a_release_is_kept_watched_or_rolled_back_in_words():
    kept = release_verdict([release()], "log_loss", zone=ZONE)
    assert kept.state == "better"
    assert kept.sentence == (
        "Keep b, live since 1 Feb 2024: log loss is 0.0200 less on the same days as a in shadow (−0.0300 to −0.0100)."
    )
    watched = release(recommendation="watch", days_needed=60)
    assert (
        "about 60 days after the release would tell."
        in release_verdict([watched], "log_loss", zone=ZONE).sentence
    )
    back = release(recommendation="roll back")
    assert release_verdict([back], "log_loss", zone=ZONE).state == "worse"
    both = release_verdict(
        [release(), release(metric="recall", recommendation="roll back")], "log_loss", zone=ZONE
    )
    assert both.state == "worse"
    assert both.sentence.endswith("But Recall say roll back.")


def test_no_release_and_too_early_are_said():
    assert release_verdict([], "log_loss", zone=ZONE).state == "unknown"
    early = release(recommendation="too early", reason="3 days after it have a value, and 7 are needed")
    said = release_verdict([early], "log_loss", zone=ZONE).sentence
    assert (
        said == "Too early to judge b, live since 1 Feb 2024: 3 days after it have a value, and 7 are needed."
    )


def test_a_young_version_learns_from_an_older_one():
    base = {"metric": "roc_auc", "part": "retrain", "counted_from": "trained_until", "born_at": at(1, 1)}
    old = made(AgeingRow, version="a", value=184.0, ci_low=184.0, ci_high=306.0, compared_with="b", **base)
    new = made(AgeingRow, version="b", reason="not seen within 121 days", **base)
    assert ageing_sentence([old, new], "b") == (
        "How often to retrain: not seen within 121 days. a was beaten by b on the same days, beyond chance, at an age "
        "of 184 to 306 days."
    )


def test_age_and_retraining_in_words():
    base = {"version": "a", "metric": "roc_auc", "counted_from": "trained_until", "born_at": at(1, 1)}
    slope = made(AgeingRow, part="slope", value=-0.004, ci_low=-0.006, ci_high=-0.002, **base)
    retrain = made(
        AgeingRow, part="retrain", value=120.0, ci_low=100.0, ci_high=None, reason="the floor", **base
    )
    said = ageing_sentence([slope, retrain], "a")
    assert said.startswith("ROC AUC loses 0.00400 a month of age (0.00200 to 0.00600); the season is in it.")
    assert said.endswith("Retrain by an age of about 120 days (not before 100, perhaps never): the floor.")


def test_an_error_that_falls_with_age_is_not_said_to_lose():
    slope = made(
        AgeingRow, part="slope", version="a", metric="mean_absolute_error", counted_from="trained_until",
        born_at=at(1, 1), value=-0.6, ci_low=-1.2, ci_high=-0.1,
    )  # fmt: skip
    said = ageing_sentence([slope], "a")
    assert said.startswith("Mean absolute error falls by 0.600 a month of age")
