"""Sentences: they say what the intervals bear out, in plain words, and say so when nothing can be said."""

from __future__ import annotations

import inspect
import math
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.examples.rows import ExampleRow
from analytics.stats.intervals import newcombe_difference, wilson
from app import formats, text
from app.charts import drift, overview, quality, segments
from app.headlines import difference
from tests.app.charts import samples as s

REFERENCE = s.reference()


def headline(rows, reference=REFERENCE, metric="log_loss", **more):
    references = reference if isinstance(reference, list) else [reference] if reference else []
    return text.quality_headline(rows, references, metric=metric, zone=s.ZONE, **more)


def verdict(rows, reference=REFERENCE, metric="log_loss"):
    return text.quality_verdict(rows, [reference], metric=metric, zone=s.ZONE).state


# Quality


def test_a_fall_in_the_newest_window():
    assert headline(s.metric([0.5, 0.83], half=0.03), s.reference(0.51)) == (
        "Quality fell in the week of 11 Mar 2013: log loss 0.830 (0.800 to 0.860) against 0.510 in the "
        "reference."
    )


def test_a_fall_that_lasts_tells_since_when():
    assert headline(s.metric([0.5, 0.8, 0.9])) == (
        "Quality has been worse since the week of 11 Mar 2013: log loss 0.900 (0.850 to 0.950) in the "
        "week of 18 Mar 2013 against 0.500 in the reference."
    )


def test_an_unsure_window_does_not_interrupt_a_fall_but_a_good_one_does():
    unsure = s.metric([0.5, 0.8, 0.52, 0.9])
    assert "since the week of 11 Mar 2013" in headline(unsure)
    good = s.metric([0.5, 0.8, 0.45, 0.9])
    assert "fell in the week of 25 Mar 2013" in headline(good)


def test_a_fall_that_is_over_is_told_as_such():
    rows = s.metric([0.5, 0.8, 0.9, 0.5])
    assert headline(rows) == (
        "Quality was worse than the reference in 2 of 4 windows, most in the week of 18 Mar 2013: log loss "
        "0.900 (0.850 to 0.950) against 0.500 in the reference; in the week of 25 Mar 2013 no difference "
        "shows."
    )
    assert verdict(rows) == "same"


def test_no_difference_beyond_chance():
    assert headline(s.metric([0.5, 0.53])) == (
        "Quality shows no difference from the reference beyond chance: log loss 0.530 (0.480 to 0.580) in "
        "the week of 11 Mar 2013 against 0.500 in the reference."
    )


def test_one_window():
    assert headline(s.metric([0.83])) == (
        "Quality is worse: log loss 0.830 (0.780 to 0.880) against 0.500 in the reference."
    )


@pytest.mark.parametrize(
    "metric,value,base,state",
    [
        ("log_loss", 0.8, 0.5, "worse"),
        ("log_loss", 0.3, 0.5, "better"),
        ("roc_auc", 0.8, 0.5, "better"),
        ("roc_auc", 0.3, 0.5, "worse"),
        ("mean_error", -3.0, 0.5, "worse"),
        ("mean_error", 0.2, -3.0, "better"),
        ("prevalence", 0.8, 0.5, "changed"),
        ("log_loss", 0.52, 0.5, "same"),
    ],
)
def test_the_direction_of_the_metric_counts(metric, value, base, state):
    rows = s.metric([value], metric=metric)
    assert verdict(rows, s.reference(base, metric=metric), metric) == state


def test_overlapping_intervals_may_still_differ_and_are_judged_by_their_difference():
    """Two intervals of half-width h exclude each other at 2 h, their difference excludes 0 at 1.41 h."""
    reference = s.reference(0.5, 0.05)
    assert verdict(s.metric([0.5 + 0.05 * 1.5]), reference) == "worse"
    assert verdict(s.metric([0.5 + 0.05 * 1.3]), reference) == "same"


def test_the_interval_of_the_reference_counts_too():
    row = s.metric([0.56])
    assert verdict(row, s.reference(0.5, 0.001)) == "worse"
    assert verdict(row, s.reference(0.5, 0.2)) == "same"


@given(st.integers(1, 200), st.integers(0, 200), st.integers(1, 200), st.integers(0, 200))
def test_the_difference_is_newcombes_where_the_intervals_are_wilsons(n1, k1, n2, k2):
    share1, share2 = min(k1, n1) / n1, min(k2, n2) / n2
    rows = []
    for share, n in ((share1, n1), (share2, n2)):
        low, high = wilson(share, n, 0.95)
        rows.append(s.MetricRow(*[datetime(2013, 1, 1, tzinfo=UTC)] * 2, "a", None, None, None, "recall",
        share, low, high,
                                n, n, "rows", "ok", None))  # fmt: skip
    ours = difference(*rows)
    low, high = newcombe_difference(share1, n1, share2, n2, 0.95)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize("windows", [1, 10, 50])
def test_nothing_is_claimed_without_a_change(windows):
    """Of 1,000 quiet projects, some 5% of headlines claim anything, whatever the number of windows."""
    rng = np.random.default_rng(windows)
    half = 1.96 * 0.02
    claims = 0
    for _ in range(1000):
        reference = s.reference(0.5 + rng.normal() * 0.02, half)
        rows = s.metric(list(0.5 + rng.normal(size=windows) * 0.02), half=half)
        sentence = headline(rows, reference)
        claims += "no difference from the reference beyond chance" not in sentence
    assert claims <= 70


def test_more_windows_ask_for_more():
    assert "worse" in headline(s.metric([0.56]))
    assert "no difference" in headline(s.metric([0.5] * 30 + [0.56]))


def test_a_tiny_change_seen_in_many_rows_is_called_slight():
    assert "Quality is slightly worse" in headline(s.metric([0.505], half=0.001), s.reference(0.5, 0.001))
    assert "Quality fell slightly" in headline(s.metric([0.5, 0.505], half=0.001), s.reference(0.5, 0.001))


def test_windows_whose_labels_still_arrive_claim_nothing():
    rows = s.metric([0.5, 0.9], status=["ok", "immature"])
    assert verdict(rows) == "same"
    assert headline(rows).endswith("Labels of 1 window are still arriving.")


def test_only_early_labels():
    rows = s.metric([0.9], status=["immature"], labelled=120)
    assert headline(rows) == (
        "Too early to judge quality in the week of 4 Mar 2013: labels are still arriving (120 of 1,000), log "
        "loss 0.900 so far."
    )


@pytest.mark.parametrize(
    "rows,sentence",
    [
        ([], "There is nothing to judge in this window."),
        (s.metric([None], status=["no_data"], n=0, labelled=0), "No predictions in this window."),
        (
            s.metric([None, None], status=["no_data", "too_few"], n=100, labelled=0),
            "No labels yet for the 200 predictions of this window: quality cannot be judged.",
        ),
        (
            s.metric([None], n=1000, labelled=7),
            "Too few labelled rows to judge quality: 7 of 1,000 predictions.",
        ),
        (
            s.metric([None], status=["undefined"], reason="no positives"),
            "Log loss is not defined here: no positives.",
        ),
    ],
)
def test_when_nothing_can_be_said(rows, sentence):
    assert headline(rows) == sentence
    assert verdict(rows) == "unknown"


def test_without_a_reference_only_the_number():
    assert headline(s.metric([0.5]), None) == (
        "Log loss 0.500 (0.450 to 0.550), from 1,000 labelled rows; there is no reference to compare with."
    )


def test_a_version_is_compared_with_its_own_reference():
    assert "no reference" in headline(s.metric([0.9], version="b"), s.reference(0.5, version="a"))


def test_of_several_versions_the_worst_off_is_named():
    rows = [*s.metric([0.5]), *s.metric([0.9], version="b"), *s.metric([0.8], version="c")]
    sentence = headline(rows, [s.reference(version=name) for name in "abc"])
    assert sentence.startswith("b: quality is worse: log loss 0.900")
    assert sentence.endswith("2 of 3 versions are worse.")


def test_metrics_without_a_good_side_only_move():
    rows = s.metric([0.2, 0.4], metric="prevalence", half=0.02)
    assert headline(rows, s.reference(0.2, metric="prevalence"), "prevalence") == (
        "Share of positives rose in the week of 11 Mar 2013: 40% (38% to 42%) against 20% in the reference."
    )


# Drift


def newest(*rows):
    return text.drift_headline([*s.drift(2), *rows], zone=s.ZONE)


def test_drift_names_how_many_and_the_most():
    rows = s.drift(6)
    assert text.drift_headline(rows, zone=s.ZONE) == (
        "1 of 3 features drifted in the week of 8 Apr 2013, and so did the score: temp most (50% of its rows "
        "moved)."
    )
    assert text.drift_verdict(rows, zone=s.ZONE).state == "changed"


def test_a_dead_feed_is_called_missing():
    window = s.weeks(7)[-1]
    rows = [
        s.drift_row(window, name, 0.99, drifted=True, missing=1.0)
        for name in ("temp", "dewp", "wind", "visib")
    ]
    rows.append(s.drift_row(window, "hour", 0.01))
    assert text.drift_headline(rows, zone=s.ZONE) == (
        "temp, dewp and 2 more are missing from most rows in the week of 15 Apr 2013; 4 of 5 features "
        "drifted."
    )


def test_quiet_now_but_not_before():
    rows = [*s.drift(4), *[s.drift_row(s.weeks(5)[-1], "temp", 0.01)]]
    assert text.drift_headline(rows, zone=s.ZONE) == (
        "Nothing drifted in the week of 1 Apr 2013, of 1 feature looked at one by one; something did in 2 earlier "
        "windows."
    )


def test_drift_of_the_score_alone():
    window = s.weeks(1)[0]
    rows = [s.drift_row(window, "temp", 0.01), s.drift_row(window, "score", 0.3, drifted=True, role="score")]
    assert (
        text.drift_headline(rows, zone=s.ZONE)
        == "The score drifted in the week of 4 Mar 2013, none of 1 feature did."
    )


def test_drift_that_cannot_be_judged():
    rows = [s.drift_row(s.weeks(1)[0], "temp", None)]
    assert text.drift_verdict(rows, zone=s.ZONE) == text.Verdict(
        "unknown", "Too few rows to compare with the reference."
    )
    assert text.drift_verdict([], zone=s.ZONE).state == "unknown"


# Segments, examples, telemetry, overview


def test_segments_name_the_most_costly():
    assert text.segments_headline(s.segments()) == (
        "2 of 4 slices are worse than the rest; hour [9, 13) costs most: log loss 0.900 (0.850 to 0.950) "
        "against 0.500 elsewhere, 10% of the rows."
    )
    assert text.segments_headline([s.segment_row("a=b", 0.5, 0.5)]) == (
        "None of 1 slice is worse than the rest beyond chance."
    )
    assert text.segments_verdict([s.segment_row("a=b", None, None)]).state == "unknown"


def example(rank, loss, label="1", decision="0"):
    return ExampleRow(
        rank, "", None, datetime(2013, 1, 1, tzinfo=UTC), "a", label, decision, 0.1, loss, "f", 1, {}
    )


def test_examples_tell_their_losses_and_the_commonest_confusion():
    rows = [example(1, 6.2), example(2, 5.0), example(3, 4.0, "0", "1")]
    assert text.examples_headline(rows, kind="worst") == (
        "3 worst predictions, loss 6.20 to 4.00; 2 of them decided 0 where 1 was true."
    )
    unlabelled = [example(1, None, None, "0")]
    assert text.examples_headline(unlabelled, kind="uncertain") == (
        "1 least certain prediction, none with a label yet."
    )
    assert text.examples_headline([], kind="random").startswith("No prediction fits")


def log_file(**more):
    fields = {"rows": 1000, "rejected": 0, "invalid": 0, "duplicates": 0, "first": None, "problem": None}
    return SimpleNamespace(**fields | {"last": datetime(2013, 12, 31, 23, 5, tzinfo=UTC)} | more)


def test_telemetry_tells_how_much_until_when_and_what_is_damaged():
    assert text.telemetry_headline([log_file(), log_file(rows=None)], zone=s.ZONE) == (
        "1,000 rows in 2 files, the newest from 31 Dec 2013, 18:05 (America/New_York); nothing is damaged."
    )
    damaged = [log_file(rejected=2), log_file(problem="footer", last=None, duplicates=1)]
    assert text.telemetry_headline(damaged, zone=s.ZONE).endswith(
        "; 1 file cannot be read whole, 2 rows rejected and 1 duplicate left out."
    )
    assert text.telemetry_headline([], zone=s.ZONE) == "No log files yet."


def test_the_overview_adds_drift_only_where_there_is_some():
    worse, quiet = text.Verdict("worse", "Quality fell."), text.Verdict("same", "Nothing drifted.")
    moved = text.Verdict("changed", "2 features drifted.")
    assert text.overview_line(worse, quiet) == worse
    assert text.overview_line(worse, moved) == text.Verdict("worse", "Quality fell. 2 features drifted.")
    assert text.overview_line(text.Verdict("same", "Quiet."), moved).state == "changed"


# Words


def test_every_metric_statistic_and_chart_is_explained():
    from analytics.directions import DIRECTIONS

    assert set(text.METRICS) == set(DIRECTIONS)
    drawn = {
        name
        for module in (quality, drift, segments, overview)
        for name in dir(module)
        if inspect.isfunction(getattr(module, name))
        and getattr(module, name).__annotations__.get("return") == "Figure"
        and name not in {"drift_bars", "empty", "layout"}
    }
    assert drawn == set(text.CHARTS)
    shown = {
        "psi",
        "js_distance",
        "ks",
        "ks_bound",
        "wasserstein",
        "total_variation",
        "noise_floor",
        "p_adjusted",
        "shift_sd",
        "shift_quantiles",
        "p_beyond_tolerance",
    }
    assert shown | {"tolerance", "missing_rate", "unseen_rate", "drifted"} == set(text.DRIFT)


@pytest.mark.parametrize("word", [*text.METRICS, *text.DRIFT, *text.CHARTS])
def test_explanations_are_whole_sentences(word):
    explained = text.explain(word)
    assert explained.title[0].isupper()
    for part in (explained.definition, explained.reading, explained.caveat):
        assert part
        assert part.rstrip(")")[-1] in ".!?"
    if explained.formula:
        assert explained.formula.count("{") == explained.formula.count("}")
        assert explained.formula.count(r"\left") == explained.formula.count(r"\right")


def test_an_unknown_word_is_a_mistake():
    with pytest.raises(KeyError):
        text.explain("acuracy")


@pytest.mark.parametrize("name", list(text.EMPTY))
def test_empty_states_teach(name):
    empty = text.EMPTY[name]
    assert empty.body.endswith(".")
    assert not empty.title.endswith(".")


@pytest.mark.parametrize("name", list(text.PAGES))
def test_each_page_answers_a_question(name):
    assert text.PAGES[name].question.endswith("?")


def test_each_state_has_a_word_and_a_sign():
    assert len({*text.STATE_WORDS.values()}) == 5
    assert all(sign.startswith(":material/") for _, sign in text.STATE_WORDS.values())


# Numbers


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_never_read_nan(value):
    for show in (text.number, text.percent, text.points, text.signed, text.count):
        shown = show(value)
        assert "nan" not in shown
        assert "inf" not in shown
        assert shown == "–" or math.isfinite(value)


@given(st.floats(1e-4, 999))
def test_three_significant_digits(value):
    shown = float(text.number(value).replace(",", ""))
    assert shown == pytest.approx(value, rel=0.005)
    assert len(text.number(value).replace(".", "").lstrip("0")) == 3


@given(st.floats(0, 1))
def test_only_nothing_reads_0_and_only_all_reads_100_percent(share):
    shown = text.percent(share)
    assert (shown == "0%") <= (share < 1e-5)
    assert (shown == "100%") <= (share > 1 - 1e-5)
    assert float(shown[:-1]) / 100 == pytest.approx(share, abs=5e-4)


@pytest.mark.parametrize(
    "start,end,name",
    [
        ("2013-07-01", "2013-07-08", "in the week of 1 Jul 2013"),
        ("2013-07-02", "2013-07-09", "from 2 Jul to 8 Jul 2013"),
        ("2013-07-01", "2013-07-02", "on 1 Jul 2013"),
        ("2013-02-01", "2013-03-01", "in February 2013"),
        ("2013-03-01", "2014-01-01", "from 1 Mar to 31 Dec 2013"),
        ("2012-12-24", "2013-01-02", "from 24 Dec 2012 to 1 Jan 2013"),
        ("2013-07-01T14:00", "2013-07-01T15:00", "from 1 Jul 2013, 14:00 to 15:00"),
        ("2013-07-01T23:00", "2013-07-02T00:00", "from 1 Jul 2013, 23:00 to 2 Jul 2013, 00:00"),
        ("2013-03-04", "2013-03-11", "in the week of 4 Mar 2013"),  # 167 hours
    ],
)
def test_windows_read_like_a_calendar(start, end, name):
    ends = [datetime.fromisoformat(moment).replace(tzinfo=s.ZONE).astimezone(UTC) for moment in (start, end)]
    assert text.in_window(*ends, s.ZONE) == name


def test_a_day_of_a_release_is_that_day_everywhere():
    instant = datetime(2013, 9, 1, 4, tzinfo=UTC)
    assert formats.local(date(2013, 9, 1), s.ZONE).isoformat() == "2013-09-01T00:00:00"
    assert formats.local(instant, s.ZONE).isoformat() == "2013-09-01T00:00:00"
