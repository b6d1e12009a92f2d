"""The sentences of the section Calibration, for what may be the case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics.quality.calibration import BaselineRow, CalibrationTestRow, MixRow, RecalibrationRow
from app.headlines.calibration import (
    baseline_sentence,
    calibration_verdict,
    mix_sentence,
    recalibration_sentence,
)

ZONE = ZoneInfo("UTC")
PLACE = {"window_start": datetime(2024, 7, 1, tzinfo=UTC), "window_end": datetime(2024, 8, 1, tzinfo=UTC)}


def made(kind: type, **known: Any) -> Any:
    return kind(**(dict.fromkeys(kind.__dataclass_fields__) | {"status": "ok"} | known))


def tested(**known: Any) -> CalibrationTestRow:
    usual = {
        "n": 900, "n_labelled": 900, "mean_score": 0.15, "mean_label": 0.24, "gap": -0.09, "gap_ci_low": -0.1,
        "gap_ci_high": -0.08, "gap_p_adjusted": 1e-6, "p_adjusted": 1e-6, "slope": 1.0, "slope_ci_low": 0.9,
        "slope_ci_high": 1.1, "expected_calibration_error": 0.09, "calibration_error_debiased": 0.09,
        "miscalibrated": True,
    }  # fmt: skip
    return made(CalibrationTestRow, **(PLACE | usual | known))


def test_promises_too_little_and_when():
    june = tested(window_start=datetime(2024, 6, 1, tzinfo=UTC), window_end=PLACE["window_start"], gap=-0.02)
    july = tested(gap=-0.22)
    said = calibration_verdict(tested(), [june, july], zone=ZONE)
    assert said.state == "worse"
    assert said.sentence == (
        "Scores promise too little: 15% on average, and 24% came true; off in 2 of 2 windows, most in July 2024 "
        "(−22 pp)."
    )


@pytest.mark.parametrize(
    "known, words",
    [
        ({"gap": 0.09}, "promise too much"),
        ({"gap_p_adjusted": 0.4, "slope_ci_high": 0.8}, "are too sure of themselves"),
        ({"gap_p_adjusted": 0.4, "slope_ci_low": 1.2, "slope_ci_high": 1.4}, "are too cautious"),
        ({"gap_p_adjusted": 0.4}, "off in places"),
        ({"miscalibrated": False}, "Nothing shows that scores are wrong"),
        ({"miscalibrated": None, "reason": "few"}, "cannot be tested: few"),
        ({"gap": None, "reason": "no labels"}, "cannot be said: no labels"),
    ],
)
def test_how_scores_are_off(known, words):
    assert words in calibration_verdict(tested(**known), [], zone=ZONE).sentence


def test_a_regression_is_too_high_or_too_low():
    row = tested(
        expected_calibration_error=None, calibration_error_debiased=None, mean_score=8.0, mean_label=10.0
    )
    assert calibration_verdict(row, [], zone=ZONE).sentence == (
        "Predictions are too low: 8.00 on average, and labels are 10.0."
    )


def gain(
    method: str, difference: float | None, p: float | None, metric: str = "log_loss"
) -> RecalibrationRow:
    known = {
        "method": method, "metric": metric, "value": 0.5 + (difference or 0.0), "difference": difference,
        "difference_ci_low": None if difference is None else difference - 0.01,
        "difference_ci_high": None if difference is None else difference + 0.01, "p_adjusted": p,
    }  # fmt: skip
    return made(RecalibrationRow, **known)


def test_recalibrate_where_it_lasts():
    rows = [
        gain("none", None, None), gain("logistic", -0.03, 1e-4), gain("isotonic", -0.031, 1e-4),
        gain("logistic", -0.07, 1e-4, "expected_calibration_error"),
    ]  # fmt: skip
    assert recalibration_sentence(rows) == (
        "Recalibrate: a logistic map fitted to earlier days would have lowered log loss on later ones from 0.500 to "
        "0.470 and the calibration error by 0.0700."
    )
    better = [*rows[:2], gain("isotonic", -0.05, 1e-4)]
    assert "an isotonic map" in recalibration_sentence(better)


def test_do_not_recalibrate_where_it_does_not():
    assert "shows no gain" in recalibration_sentence(
        [gain("none", None, None), gain("logistic", -0.002, 0.6)]
    )
    assert "Leave the scores as they are" in recalibration_sentence(
        [gain("none", None, None), gain("logistic", 0.03, 0.01)]
    )
    lacking = made(RecalibrationRow, method="logistic", metric="log_loss", reason="3 rows", status="too_few")
    assert recalibration_sentence([lacking]) == "What recalibration would bring cannot be said: 3 rows."


def test_the_mix_in_words():
    late = made(MixRow, class_="late", predicted=0.12, came=0.23, decided_difference=-0.11, p_adjusted=1e-5)
    other = replace(late, class_="early", predicted=0.3, came=0.31, decided_difference=-0.01, p_adjusted=0.5)
    assert mix_sentence([late, other]) == (
        "The model predicts late in 12% of rows, and 23% were. 1 of 2 are off beyond chance."
    )
    assert "keep the mix" in mix_sentence([other])
    assert "a value of late" in mix_sentence([late], of_values=True)
    undecided = made(MixRow, class_="1", expected=0.1, came=0.2, expected_difference=-0.1)
    assert "No decisions are logged" in mix_sentence([undecided])
    assert (
        mix_sentence([made(MixRow, class_="1", reason="no rows")])
        == "Whether the mix is right cannot be said: no rows."
    )


def test_baselines_in_words():
    row = made(
        BaselineRow, metric="log_loss", value=0.565, baseline="constant", baseline_value=0.551, difference=0.014,
        better=False,
    )  # fmt: skip
    assert baseline_sentence([row]) == "Log loss of 0.565 is worse than one answer for all (0.551)."
    assert "not shown to be better" in baseline_sentence([replace(row, better=None)])
    assert baseline_sentence([replace(row, better=True)]) == "The model beats every rule that knows nothing."
    assert "nothing to compare" in baseline_sentence([])
