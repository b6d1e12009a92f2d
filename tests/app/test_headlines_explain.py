"""The sentence of What changed claims what intervals bear out, and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from analytics.ask.explain_onset import Mark, When
from analytics.explain.account import Subject
from analytics.explain.rows import ExplainRow
from app.headlines.explain import explain_verdict

ZONE = ZoneInfo("America/New_York")
BLANK = Subject("log_loss", "gbm", "the reference", 0.95).blank("whole", "ok", None)
WHOLE = replace(
    BLANK, mix_effect=0.0, rate_effect=0.21, total_effect=0.21, ci_low=0.18, ci_high=0.24, value_before=0.51,
    value_after=0.72, share_of_change=1.0, n_before=9000, n_after=900,
)  # fmt: skip
AT = datetime(2013, 7, 5, 18, tzinfo=UTC)


def _shift(name: str, value: float, half: float = 0.02) -> ExplainRow:
    return replace(
        WHOLE, part="shift", segment=name, total_effect=value, ci_low=value - half, ci_high=value + half,
        share_of_change=value / 0.21,
    )  # fmt: skip


def _slice(share: float, segment: str = "temp", value: str = "[27, inf)") -> ExplainRow:
    effect = share * 0.21
    return replace(
        WHOLE, part="slice", segment=segment, segment_value=value, rank=1, total_effect=effect, ci_low=effect - 0.01,
        ci_high=effect + 0.01, share_of_change=share,
    )  # fmt: skip


ONSET = replace(WHOLE, part="onset", since=AT, since_low=AT, since_high=AT)
ACCOUNT = replace(WHOLE, part="segment", segment="carrier", segment_value="UA")


def test_all_four_sentences() -> None:
    near = Mark("release", "gbm-2013.09", datetime(2013, 7, 5, 15, tzinfo=UTC))
    rows = [WHOLE, _shift("covariate", 0.042), _shift("concept", 0.168), ONSET, _slice(2 / 3), ACCOUNT]
    said = explain_verdict(rows, When(ONSET, (), (), near), zone=ZONE)
    assert said.state == "worse"
    assert said.sentence == (
        "Log loss rose by 0.210 (0.180 to 0.240) since 5 Jul 2013 14:00, from 0.510 to 0.720 against the reference. "
        "80% is the model getting worse at the same inputs, 20% a different mix of inputs. "
        "Two thirds come from temp 27 or more. It began 3 h after release gbm-2013.09."
    )


def test_nothing_is_claimed_where_nothing_changed() -> None:
    still = replace(WHOLE, ci_low=-0.02)
    said = explain_verdict([still, _shift("concept", 0.2), ACCOUNT], None, zone=ZONE)
    assert said.state == "same"
    assert "did not change beyond chance" in said.sentence
    assert "model" not in said.sentence


def test_parts_that_are_not_beyond_chance_are_not_claimed() -> None:
    rows = [WHOLE, _shift("covariate", 0.1, 0.3), _shift("concept", 0.11, 0.3), ACCOUNT]
    assert "cannot be told apart" in explain_verdict(rows, None, zone=ZONE).sentence
    assert "No segment stands out" in explain_verdict(rows, None, zone=ZONE).sentence
    wide = replace(_slice(0.5), ci_low=-0.1)
    assert "temp" not in explain_verdict([WHOLE, wide, ACCOUNT], None, zone=ZONE).sentence


def test_a_moment_that_goes_the_other_way_is_not_its_beginning() -> None:
    other = replace(ONSET, value_before=0.8, value_after=0.6)
    assert "since" not in explain_verdict([WHOLE, other, ACCOUNT], None, zone=ZONE).sentence


def test_the_moment_of_a_slice_is_told_as_such() -> None:
    inside = replace(ONSET, segment="temp", segment_value="[27, inf)")
    told = explain_verdict([WHOLE, inside, _slice(0.6), ACCOUNT], None, zone=ZONE).sentence
    assert told.endswith("60% comes from temp 27 or more. There it began about 5 Jul 2013 14:00.")
    still = replace(WHOLE, ci_low=-0.02)
    told = explain_verdict([still, inside, _slice(0.6), ACCOUNT], None, zone=ZONE).sentence
    assert (
        "But not everywhere alike: temp 27 or more had 0.510 before, 0.720 now, since about 5 Jul 2013 14:00."
        in told
    )


def test_pairs_and_missing_values_read_as_words() -> None:
    rows = [WHOLE, _slice(0.98, "carrier × origin", "UA × (missing)"), ACCOUNT]
    assert (
        "Nearly all of it comes from carrier UA with origin (missing)."
        in explain_verdict(rows, None, zone=ZONE).sentence
    )


def test_immature_and_unknown() -> None:
    late = explain_verdict([replace(WHOLE, status="immature")], None, zone=ZONE).sentence
    assert late.endswith("Labels still arrive, so this may change.")
    nothing = explain_verdict([replace(BLANK, status="no_data", reason="no rows before")], None, zone=ZONE)
    assert (nothing.state, "no rows before" in nothing.sentence) == ("unknown", True)
