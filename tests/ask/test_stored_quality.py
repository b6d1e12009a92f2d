"""Quality, curves and segments from stored parts equal those from the rows, and no row is read."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates import error_bins, scores
from analytics.ask import curves
from analytics.ask.baselines import baselines_of
from analytics.ask.calibration import calibration_tests_of
from analytics.ask.quality import quality_of
from analytics.ask.recalibration import recalibration_of
from analytics.ask.segments import segments_of
from analytics.measures.standard_quality import standard_quality
from analytics.scope import Filter, Scope
from tests.aggregates.memory_parts import MemoryParts, counting
from tests.ask.projects import START, times, write_project

RANKED = {"roc_auc", "average_precision", "roc_auc_macro"}
N = 24_000


def _frame(**more):
    draw = np.random.default_rng(7)
    logit = draw.normal(-1.0, 1.4, N)
    score = 1 / (1 + np.exp(-logit))
    score[::97] = np.nan  # not scored
    label = (draw.random(N) < 1 / (1 + np.exp(-1.1 * logit))).astype(float)
    label[draw.random(N) < 0.1] = np.nan  # not labelled
    decision = np.where(np.nan_to_num(score) > 0.4, 1.0, 0.0)
    decision[::53] = np.nan
    return pd.DataFrame({
        "ts": times(N, 30), "score": score, "label": label, "decision": decision,
        "version": np.where(np.arange(N) % 3 == 0, "b", "a"),
        "place": draw.choice(["north", "south", "west"], N), "size": draw.normal(size=N), **more,
    })  # fmt: skip


PREDICTIONS = (
    'task = "binary"\nscore = "score"\nlabel = "label"\ndecision = "decision"\nversion = "version"\n'
    'segments = ["place", "size"]\n'
)
REFERENCE = '[reference]\nstart = "2024-01-01"\nend = "2024-01-11"\n'


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    bench = write_project(tmp_path_factory.mktemp("plain"), _frame(), PREDICTIONS, REFERENCE)
    yield bench.catalog
    bench.close()


@pytest.fixture(scope="module")
def weighted(tmp_path_factory):
    weight = np.random.default_rng(3).choice([0.0, 1.0, 2.5, 4.0], N)
    bench = write_project(
        tmp_path_factory.mktemp("weighted"), _frame(w=weight), PREDICTIONS + 'weight = "w"\n', REFERENCE
    )
    yield bench.catalog
    bench.close()


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    draw = np.random.default_rng(5)
    scores = draw.dirichlet([2.0, 1.0, 1.0], N)
    label = np.array(["x", "y", "z"])[[draw.choice(3, p=one) for one in scores]]
    frame = pd.DataFrame({
        "ts": times(N, 30), "sx": scores[:, 0], "sy": scores[:, 1], "sz": scores[:, 2], "label": label,
        "decision": np.array(["x", "y", "z"])[scores.argmax(axis=1)],
        "place": draw.choice(["north", "south"], N),
    })  # fmt: skip
    text = (
        'task = "multiclass"\nscore = {x = "sx", y = "sy", z = "sz"}\nlabel = "label"\ndecision = "decision"\n'
        'segments = ["place"]\n'
    )
    bench = write_project(tmp_path_factory.mktemp("several"), frame, text)
    yield bench.catalog
    bench.close()


@pytest.fixture(scope="module")
def minutes(tmp_path_factory):
    draw = np.random.default_rng(2)
    score = 1e9 + draw.normal(30, 12, N)
    frame = pd.DataFrame({
        "ts": times(N, 30), "score": score, "label": score + draw.standard_t(5, N) * 4 + 0.5,
        "place": draw.choice(["north", "south"], N),
    })  # fmt: skip
    text = 'task = "regression"\nscore = "score"\nlabel = "label"\nsegments = ["place"]\n'
    bench = write_project(tmp_path_factory.mktemp("minutes"), frame, text)
    yield bench.catalog
    bench.close()


@contextmanager
def _parts(catalog):
    """Every standard part; made once a catalog."""
    if "parts" not in catalog.answered:
        catalog.answered["parts"] = MemoryParts(catalog, list(standard_quality(catalog)))
    catalog.parts = catalog.answered["parts"]
    try:
        yield
    finally:
        catalog.parts = None


@contextmanager
def _stored(catalog):
    """Every standard part, and a promise that no row is read."""
    with _parts(catalog), counting(catalog, kept=True) as read, pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "FEW_ROWS", -1)  # as if there were many
        yield
    # how late labels come is not this family's; the centre of a regression is kept on disk where there is one
    others = ("learn_age", "DISTINCT id", "stddev_pop")
    assert [text for text in read if not any(other in text for other in others)] == []


def _known(catalog):
    """Facts of the logs that are not asked for anew."""
    return (
        catalog.extent,
        catalog.segments,
        catalog.versions,
        catalog.reference_extent,
        catalog.reference_versions,
    )


def _compared(catalog, ask, **close):
    _known(catalog)
    expected = list(ask())
    with _stored(catalog):
        found = list(ask())
    assert len(found) == len(expected) > 0
    for mine, theirs in zip(found, expected, strict=True):
        near = close.get("ranked", 1e-9) if getattr(mine, "metric", None) in RANKED else 1e-9
        for name, value in asdict(theirs).items():
            given = getattr(mine, name)
            if isinstance(value, float) and not math.isnan(value):
                assert given == pytest.approx(value, rel=1e-9, abs=near), (name, theirs)
            elif name in {"labels_needed", "reason", "independence"} and near > 1e-9:
                continue
            else:
                assert given == value, (name, theirs)


@pytest.mark.parametrize("grain, by", [("all", None), ("day", None), ("week", "place"), ("all", "size")])
def test_quality(plain, grain, by):
    _compared(plain, lambda: quality_of(plain, Scope(grain=grain, by=by)), ranked=0.02)


@pytest.mark.parametrize("by", [None, "place"])
def test_quality_of_weighted_rows(weighted, by):
    _compared(weighted, lambda: quality_of(weighted, Scope(grain="week", by=by)), ranked=0.02)


@pytest.mark.parametrize("by", [None, "place"])
def test_quality_of_several_classes(several, by):
    expected = list(quality_of(several, Scope(grain="month", by=by)))
    with _parts(several):
        found = list(quality_of(several, Scope(grain="month", by=by)))
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.metric, mine.class_, mine.n, mine.status) == (
            theirs.metric, theirs.class_, theirs.n, theirs.status
        )  # fmt: skip
        if theirs.value is not None:
            near = 0.01 if theirs.metric in {*RANKED, "average_precision"} else 1e-9
            assert mine.value == pytest.approx(theirs.value, rel=1e-9, abs=near), theirs
            # which variance is the largest may turn on a bin
            if near < 0.01 or mine.independence == theirs.independence:
                assert mine.ci_low == pytest.approx(theirs.ci_low, abs=2 * near), theirs


def test_quality_of_the_reference(plain):
    _compared(plain, lambda: quality_of(plain, Scope(), "reference"), ranked=0.02)


def test_quality_under_a_filter(plain):
    south = Filter("segment", "place", "south")
    _compared(plain, lambda: quality_of(plain, Scope(grain="week", filters=(south,))), ranked=0.02)


def test_quality_of_one_version(plain):
    _compared(plain, lambda: quality_of(plain, Scope(versions=("b",))), ranked=0.02)


CURVES = [curves.confusion_of, curves.roc_of, curves.calibration_of, curves.score_histogram_of]


@pytest.mark.parametrize("curve", CURVES, ids=lambda one: one.__name__)
def test_curves(plain, curve):
    _compared(plain, lambda: curve(plain, Scope()))


@pytest.mark.parametrize("curve", CURVES, ids=lambda one: one.__name__)
def test_curves_of_weighted_rows(weighted, curve):
    _compared(weighted, lambda: curve(weighted, Scope(grain="week")))


def test_curves_under_a_filter_keep_every_bin(plain):
    scope = Scope(filters=(Filter("segment", "place", "west"),))
    expected = list(curves.score_histogram_of(plain, scope))
    with _parts(plain):
        assert list(curves.score_histogram_of(plain, scope)) == expected


@pytest.mark.parametrize("metric", ["log_loss", "recall", "brier_score"])
def test_segments(plain, metric):
    _compared(plain, lambda: segments_of(plain, Scope(), metric))


@pytest.mark.parametrize("metric", ["log_loss", "roc_auc"])
def test_segments_of_weighted_rows(weighted, metric):
    _known(weighted)
    expected = list(segments_of(weighted, Scope(), metric))
    with _stored(weighted):
        found = list(segments_of(weighted, Scope(), metric))
    for mine, theirs in zip(found, expected, strict=True):
        near = 2e-3 if metric == "roc_auc" else 1e-9
        for name in ("value", "ci_low", "value_elsewhere", "difference"):
            assert getattr(mine, name) == pytest.approx(getattr(theirs, name), abs=near), (name, theirs)
        assert (mine.n, mine.n_labelled, mine.status) == (theirs.n, theirs.n_labelled, theirs.status)


@pytest.mark.parametrize("by", [None, "place"])
def test_calibration_tests(plain, by):
    scope = Scope(grain="week", by=by)
    expected = list(calibration_tests_of(plain, scope))
    with _parts(plain):
        found = list(calibration_tests_of(plain, scope))
    # the line is drawn through the bins' mean scores: a little else through half as many
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.gap == pytest.approx(theirs.gap, rel=1e-9, abs=1e-12)
        assert mine.p_value == pytest.approx(theirs.p_value, rel=1e-6)
        assert mine.expected_calibration_error == pytest.approx(theirs.expected_calibration_error, rel=1e-9)
        assert mine.slope == pytest.approx(theirs.slope, abs=1e-9 if by is None else 0.02)


def test_recalibration_reads_no_row(plain):
    expected = list(recalibration_of(plain, Scope())[0])
    with _stored(plain):
        found = list(recalibration_of(plain, Scope())[0])
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.method, mine.metric, mine.value) == (
            theirs.method, theirs.metric, pytest.approx(theirs.value, rel=1e-6),
        )  # fmt: skip


@pytest.mark.parametrize("metric", ["mean_absolute_error", "r2"])
def test_segments_of_numbers_far_from_zero(minutes, metric):
    """An offset of 1e9 costs no digits in parts either."""
    _known(minutes)
    minutes.answered["outside"] = list(segments_of(minutes, Scope(), metric))
    with _parts(minutes), counting(minutes) as read:
        found = list(segments_of(minutes, Scope(), metric))
    assert [text for text in read if "stddev_pop" not in text] == []
    for mine, theirs in zip(found, minutes.answered["outside"], strict=True):
        assert mine.value == pytest.approx(theirs.value, rel=1e-7)
        assert mine.ci_low == pytest.approx(theirs.ci_low, rel=1e-6)
        assert mine.difference == pytest.approx(theirs.difference, rel=1e-4)


@pytest.mark.parametrize("grain", ["all", "week"])
def test_medians_of_many_errors_are_those_of_bins(minutes, monkeypatch, grain):
    """Inside a bin of 5 % errors are taken to lie evenly, which moves a median by a part of its standard error."""
    _known(minutes)
    expected = list(quality_of(minutes, Scope(grain=grain)))
    monkeypatch.setattr(error_bins, "MANY_ROWS", N - 1)
    with _stored(minutes):
        found = list(quality_of(minutes, Scope(grain=grain)))
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.metric, mine.n, mine.independence) == (theirs.metric, theirs.n, theirs.independence)
        near = 0.1 * (theirs.ci_high - theirs.ci_low) if mine.metric == "median_absolute_error" else 1e-6
        for name in ("value", "ci_low", "ci_high"):
            assert getattr(mine, name) == pytest.approx(getattr(theirs, name), abs=near), theirs
        if theirs.metric == "median_absolute_error":
            assert mine.value != theirs.value
    monkeypatch.setattr(error_bins, "MANY_ROWS", N)
    with _parts(minutes):
        exact = [
            row for row in quality_of(minutes, Scope(grain=grain)) if row.metric == "median_absolute_error"
        ]
    assert [row.value for row in exact] == [
        row.value for row in expected if row.metric == "median_absolute_error"
    ]


def test_few_labels_among_many_rows_are_no_reason_to_read_them(minutes, monkeypatch):
    _known(minutes)
    monkeypatch.setattr(scores, "MOST_READ", N - 1)
    with _stored(minutes):
        found = {row.metric: row.value for row in quality_of(minutes, Scope())}
        pairs, errors = curves.pairs_of(minutes, Scope())
    assert found["median_absolute_error"] > 0
    assert sum(row.n for row in pairs) == sum(row.n for row in errors) == N


def test_a_median_that_many_errors_share_is_exact(tmp_path, monkeypatch):
    draw = np.random.default_rng(4)
    score = np.round(draw.normal(40, 9, 5000))
    frame = pd.DataFrame({"ts": times(5000), "score": score, "label": score + draw.integers(-3, 4, 5000)})
    bench = write_project(tmp_path, frame, 'task = "regression"\nscore = "score"\nlabel = "label"\n')
    monkeypatch.setattr(error_bins, "MANY_ROWS", 1)
    _compared(bench.catalog, lambda: quality_of(bench.catalog, Scope(grain="week")))
    bench.close()


@pytest.mark.parametrize("by", [None, "place"])
def test_calibration_of_several_classes(several, by):
    _compared(several, lambda: curves.calibration_of(several, Scope(grain="week", by=by)))


@pytest.mark.parametrize("grain", ["all", "week"])
def test_means_over_classes_of_many_rows_vary_as_the_rows_say(several, monkeypatch, grain):
    """Which class's score moves with which is told by coarse bins: intervals as wide within 3 %."""
    expected = list(quality_of(several, Scope(grain=grain)))
    monkeypatch.setattr(error_bins, "MANY_ROWS", N - 1)
    with _stored(several):
        found = list(quality_of(several, Scope(grain=grain)))
    compared = 0
    for mine, theirs in zip(found, expected, strict=True):
        if theirs.metric in RANKED and theirs.class_ is None:
            width = (mine.ci_high - mine.ci_low) / (theirs.ci_high - theirs.ci_low)
            if mine.independence == theirs.independence:
                compared += 1
                assert width == pytest.approx(1.0, abs=0.03), theirs
    assert compared >= 3


def test_predicted_against_true_of_many_rows(minutes, monkeypatch):
    """On a grid of its own: as many rows, the same middle 99 %, and what lies together lies together."""
    scope = Scope(grain="month")
    _known(minutes)
    plain, plain_errors = curves.pairs_of(minutes, scope)
    monkeypatch.setattr(error_bins, "MANY_ROWS", 1)
    with _stored(minutes):
        found, errors = curves.pairs_of(minutes, scope)
    assert sum(row.n for row in found) == sum(row.n for row in plain) == N
    assert 20 <= len({(row.prediction_low, row.prediction_high) for row in found}) <= 40
    for name in ("label", "prediction"):
        width = found[0].prediction_high - found[0].prediction_low
        for end, of in (("low", min), ("high", max)):
            ends = [of(getattr(row, f"{name}_{end}") for row in rows) for rows in (found, plain)]
            assert ends[0] == pytest.approx(ends[1], abs=2 * width)
    assert sum(row.n for row in errors) == N
    assert 15 <= len(errors) <= 40
    middle = [
        sum(row.n * (row.bin_low + row.bin_high) / 2 for row in rows) / N for rows in (errors, plain_errors)
    ]
    assert middle[0] == pytest.approx(middle[1], abs=0.1)


def test_values_beyond_the_grid_are_in_its_outer_bins(tmp_path, monkeypatch):
    draw = np.random.default_rng(4)
    score = draw.normal(0, 1, 2000)
    score[:4] = [40, -40, 15.99, -16.0]
    frame = pd.DataFrame({"ts": times(2000), "score": score, "label": score + draw.normal(0, 1, 2000)})
    frame.loc[:8, "label"] += 1e9
    bench = write_project(tmp_path, frame, 'task = "regression"\nscore = "score"\nlabel = "label"\n')
    monkeypatch.setattr(error_bins, "MANY_ROWS", 1)
    _known(bench.catalog)
    with _stored(bench.catalog):
        pairs, errors = curves.pairs_of(bench.catalog, Scope())
    assert sum(row.n for row in pairs) == sum(row.n for row in errors) == 2000
    assert min(row.label_low for row in pairs) < max(row.label_high for row in pairs)
    bench.close()


@pytest.mark.parametrize("what", ["weak", "constant", "corrupt", "centred apart"])
def test_where_the_grid_does_not_suit_rows_are_read(tmp_path, monkeypatch, what):
    """Else all would lie in the outer bins, and a median be three times too large."""
    draw = np.random.default_rng(4)
    score = draw.normal(0, 0.03 if what == "weak" else 1.0, 4000)
    label = score + draw.normal(0, 1, 4000)
    if what == "constant":
        score, label = np.full(4000, 5.0), 5 + 1000 * label
    elif what == "corrupt":
        score[7] = 1e9
    elif what == "centred apart":
        label = label + 1000.0
    frame = pd.DataFrame({"ts": times(4000), "score": score, "label": label})
    bench = write_project(tmp_path, frame, 'task = "regression"\nscore = "score"\nlabel = "label"\n')
    expected = [list(rows) for rows in curves.pairs_of(bench.catalog, Scope())]
    median = _median_error(bench.catalog)
    monkeypatch.setattr(error_bins, "MANY_ROWS", 1)
    with _parts(bench.catalog):
        assert [list(rows) for rows in curves.pairs_of(bench.catalog, Scope())] == expected
        assert _median_error(bench.catalog) == pytest.approx(median, rel=0.01)
    bench.close()


def _median_error(catalog):
    (found,) = (row.value for row in quality_of(catalog, Scope()) if row.metric == "median_absolute_error")
    return found


@pytest.mark.parametrize("grain, by", [("all", None), ("week", None), ("week", "place")])
def test_scores_of_few_rows_stay_exact(plain, several, grain, by):
    """Of up to a quarter of a million rows areas under curves are those of the rows, stored parts or not."""
    for catalog in (plain, several):
        _known(catalog)
        scope = Scope(grain=grain, by=by)
        expected = [row for row in quality_of(catalog, scope) if row.metric in RANKED]
        beside = [row for row in baselines_of(catalog, Scope(by=by)) if row.metric in RANKED]
        with _parts(catalog):
            found = [row for row in quality_of(catalog, scope) if row.metric in RANKED]
            beside_found = [row for row in baselines_of(catalog, Scope(by=by)) if row.metric in RANKED]
        assert len(found) == len(expected) > 0
        for one, other in zip((*found, *beside_found), (*expected, *beside), strict=True):
            for mine, theirs in zip(asdict(one).values(), asdict(other).values(), strict=True):
                assert mine == (pytest.approx(theirs, rel=1e-9) if isinstance(theirs, float) else theirs), one


def test_hours_at_the_edges_are_read_and_added(plain):
    start = (START + timedelta(days=2, hours=7)).to_pydatetime()
    scope = Scope(start=start, end=start + timedelta(days=9), grain="all")
    expected = list(quality_of(plain, scope))
    with _parts(plain), counting(plain) as read:
        found = list(quality_of(plain, scope))
    assert read, "a part of a day has no part"
    for mine, theirs in zip(found, expected, strict=True):
        near = 0.02 if theirs.metric in RANKED else 1e-9
        assert mine.n == theirs.n
        assert mine.value == pytest.approx(theirs.value, abs=near)
