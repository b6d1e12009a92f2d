"""Intervals of units from 64 random groups of them: the same values, and widths as from all units."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analytics.aggregates import error_bins, scores, unit_groups
from analytics.aggregates.arrival_parts import standard_labels
from analytics.aggregates.keys import CellKey
from analytics.aggregates.service_cells import standard_service
from analytics.aggregates.unit_groups import GROUPS, GroupSums, centred, read_group_sums, unit_group
from analytics.ask.calibration import calibration_tests_of
from analytics.ask.label_counts import labels_of
from analytics.ask.quality import quality_of
from analytics.ask.segments import segments_of
from analytics.ask.service import service_of
from analytics.engines.text import Sql
from analytics.measures.standard_quality import kept_units, standard_quality
from analytics.scope import Scope
from analytics.stats.blocks import largest_variance, unit_variance
from analytics.telemetry.rows import scoped_rows
from tests.aggregates.memory_parts import MemoryParts, counting
from tests.ask.projects import times, write_project

N = 20_000
UNITS = 600


def _frame() -> pd.DataFrame:
    """Every unit has a level of its own, for the score and for how wrong it is, and some have many more rows."""
    draw = np.random.default_rng(11)
    share = draw.gamma(1.5, 1.0, UNITS)
    unit = draw.choice(UNITS, N, p=share / share.sum())
    level, bias = draw.normal(0, 1.0, UNITS)[unit], draw.normal(0, 0.8, UNITS)[unit]
    logit = -0.7 + level + draw.normal(0, 0.7, N)
    score = 1 / (1 + np.exp(-logit))
    label = (draw.random(N) < 1 / (1 + np.exp(-logit - bias))).astype(float)
    label[draw.random(N) < np.random.default_rng(12).beta(1, 6, UNITS)[unit]] = np.nan
    names = np.array([f"u{place}" for place in range(UNITS)], dtype=object)[unit]
    names[:500] = None
    several = np.exp(draw.normal(size=(N, 3)) + draw.normal(0, 0.7, (UNITS, 3))[unit])
    several /= several.sum(axis=1, keepdims=True)
    true = (several.cumsum(axis=1)[:, :2] < draw.random((N, 1))).sum(axis=1)
    return pd.DataFrame({
        "p0": several[:, 0], "p1": several[:, 1], "p2": several[:, 2], "class": np.array(list("abc"))[true],
        "ts": times(N, 30), "score": score, "label": label, "decision": (score > 0.4).astype(float), "who": names,
        "size": 10 + 3 * level + draw.normal(size=N), "true_size": 10 + 3 * level + 2 * bias + draw.normal(size=N),
        "place": np.array(["north", "south", "west"])[unit % 3],
        "kind": draw.choice(["x", "y"], N), "latency": draw.gamma(3, 20, N) * np.exp(0.3 * level),
        "status": draw.choice(["ok", "broken", "late"], N, p=[0.9, 0.06, 0.04]), "w": draw.choice([0.0, 1.0, 2.5], N),
    })  # fmt: skip


_ROLES = 'unit = "who"\nsegments = ["place", "kind"]\nblock = "none"\n'
_BINARY = f'task = "binary"\nscore = "score"\ndecision = "decision"\nlabel = "label"\n{_ROLES}'
_SERVICE = 'latency = "latency"\nstatus = "status"\nok_status = ["ok"]\n'
_TASKS = {
    "binary": _BINARY + _SERVICE,
    "weighted": f'{_BINARY}{_SERVICE}weight = "w"\n',
    "multiclass": f'task = "multiclass"\nscore = {{a = "p0", b = "p1", c = "p2"}}\nlabel = "class"\n{_ROLES}',
    "regression": f'task = "regression"\nscore = "size"\nlabel = "true_size"\n{_ROLES}',
}


@pytest.fixture(scope="module", params=list(_TASKS))
def catalog(request, tmp_path_factory):
    bench = write_project(tmp_path_factory.mktemp(request.param), _frame(), _TASKS[request.param])
    families = (standard_quality, standard_service, standard_labels)
    kept = [one for family in families for one in family(bench.catalog)]
    parts = MemoryParts(bench.catalog, kept)
    bench.catalog.parts = None
    yield bench.catalog, parts
    bench.close()


@contextmanager
def _stored(catalog, parts):
    """Everything stored, and a few rows taken for many."""
    catalog.parts = parts
    try:
        with pytest.MonkeyPatch.context() as patch, counting(catalog) as read:
            patch.setattr(scores, "FEW_ROWS", -1)
            patch.setattr(unit_groups, "MANY_ROWS", 1000)
            patch.setattr(error_bins, "MANY_ROWS", 1000)
            yield read
    finally:
        catalog.parts = None


_BINNED = {
    **dict.fromkeys(("roc_auc", "average_precision", "roc_auc_macro", "average_precision_macro"), 2e-3),
    "median_absolute_error": 1e-2,
}


def _width(row, name="ci"):
    low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
    return None if low is None else high - low


def _ratios(rows, others, name="ci"):
    """Widths against those of the same rows elsewhere, all of which have the same values."""
    found = []
    for row, other in zip(rows, others, strict=True):
        assert (row.status, row.n) == (other.status, other.n)
        # of many rows an order is that of bins, with a unit or without
        near = _BINNED.get(row.metric, 1e-9)
        assert row.value == (None if other.value is None else pytest.approx(other.value, rel=near))
        assert (_width(row, name) is None) == (_width(other, name) is None)
        if _width(row, name):
            found.append(_width(row, name) / _width(other, name))
    return np.array(found)


def test_quality_has_the_same_values_and_widths_as_from_every_unit(catalog):
    found, parts = catalog
    asked = Scope(grain="week")
    exact = quality_of(found, asked)
    with _stored(found, parts) as read:
        rows = quality_of(found, asked)
    ratios = _ratios(rows, exact)
    # a width from 64 groups differs by 9 % or so, and is 2 % larger for its fewer degrees of freedom
    assert 0.9 < ratios.mean() < 1.1
    assert ratios.min() > 0.7
    assert ratios.max() < 1.5
    assert [text for text in read if "stddev_pop" not in text] == []
    # were units left out, an interval would be much narrower
    plain = [row.independence for row in exact if row.value is not None]
    assert plain.count("units") > len(plain) / 2
    assert [row.independence for row in rows if row.value is not None].count("units") > 0.85 * plain.count(
        "units"
    )


def test_segments_have_the_same_differences_and_widths(catalog):
    found, parts = catalog
    if found.predictions.task == "multiclass":
        pytest.skip("the same way as a binary model's")
    for metric in (None, "precision") if found.predictions.task == "binary" else (None,):
        exact = segments_of(found, Scope(), metric)
        with _stored(found, parts) as read:
            rows = segments_of(found, Scope(), metric)
        assert read == []
        for name in ("ci", "difference_ci"):
            ratios = _ratios(rows, exact, name)
            assert len(ratios) == 5
            assert 0.85 < ratios.mean() < 1.2
            assert ratios.min() > 0.7
            assert ratios.max() < 1.45


def test_a_service_has_the_same_values_and_widths(catalog):
    found, parts = catalog
    if found.predictions.latency is None:
        pytest.skip("no service is logged")
    for grain in ("all", "week"):
        asked = Scope(grain=grain, start=_day(0), end=_day(30))
        exact = service_of(found, asked, _day(31))
        with _stored(found, parts) as read:
            service = service_of(found, asked, _day(32))  # an answer is kept by its present
        assert read == []
        ratios = []
        for row, other in zip(service.rows, exact.rows, strict=True):
            assert row.latency_independence == other.latency_independence == "units"
            for name in ("latency_p50", "latency_p95", "latency_p99"):
                assert getattr(row, name) == pytest.approx(getattr(other, name))
                # the ends are those of bins 5 % wide
                for end in (f"{name}_ci_low", f"{name}_ci_high"):
                    assert getattr(row, end) == pytest.approx(getattr(other, end), rel=0.2)
            for name in ("request_rate", "error_rate"):
                assert getattr(row, name) == pytest.approx(getattr(other, name))
                ratios.append(_width(row, f"{name}_ci") / _width(other, f"{name}_ci"))
        for row, other in zip(service.errors, exact.errors, strict=True):
            assert row.value == pytest.approx(other.value)
            ratios.append(_width(row) / _width(other))
        assert 0.9 < np.mean(ratios) < 1.1
        assert min(ratios) > 0.7
        assert max(ratios) < 1.4


def test_label_coverage_has_the_same_widths(catalog):
    found, parts = catalog
    asked = Scope(grain="week", start=_day(0), end=_day(30))
    exact = labels_of(found, asked)
    with _stored(found, parts) as read:
        rows = labels_of(found, asked)
    assert [text for text in read if "s0 * s0" in text] == []
    ratios = np.array([_width(row) / _width(other) for row, other in zip(rows, exact, strict=True)])
    assert 0.8 < ratios.mean() < 1.2
    assert (ratios != 1.0).any()


def test_calibration_lines_are_known_as_well(catalog):
    found, parts = catalog
    if found.predictions.task != "binary":
        pytest.skip("others have no line of this kind")
    (exact,) = calibration_tests_of(found, Scope(grain="all"))
    with _stored(found, parts):
        (row,) = calibration_tests_of(found, Scope(grain="all"))
    for name in ("slope", "intercept"):
        assert getattr(row, name) == pytest.approx(getattr(exact, name))
        assert 0.7 < _width(row, f"{name}_ci") / _width(exact, f"{name}_ci") < 1.4


def test_sums_by_group_are_those_of_the_rows(catalog):
    found, parts = catalog
    rows = scoped_rows(found, Scope(grain="all", start=_day(1), end=_day(25)), segment="place")
    kept = kept_units(found, rows)
    with _stored(found, parts):
        groups = read_group_sums(found, rows, kept)
    frame = _frame()
    frame = frame[(frame["ts"] >= _day(1)) & (frame["ts"] < _day(25)) & frame["label"].notna()]
    frame["group"] = [_group(who, ts) for who, ts in zip(frame["who"], frame["ts"], strict=True)]
    weight = frame["w"] if found.predictions.weight else pd.Series(1.0, frame.index)
    for key in groups.cells:
        mine = frame["place"] == key.segment
        expected = weight[mine].groupby(frame["group"][mine]).sum()
        expected = expected.reindex(range(GROUPS), fill_value=0)
        if found.predictions.task == "binary":
            assert groups.of(key, ["labelled"])[:, 0] == pytest.approx(expected.to_numpy())
        whole = weight.groupby(frame["group"]).sum().reindex(range(GROUPS), fill_value=0)
        if found.predictions.task == "binary":
            assert groups.whole(key, ["labelled"])[:, 0] == pytest.approx(whole.to_numpy())
        assert (groups.cells[key] != 0).any(axis=1).sum() > 55


def test_few_rows_and_few_units_are_read_unit_by_unit(catalog, tmp_path):
    found, parts = catalog
    if found.predictions.task != "regression":
        pytest.skip("the same of every task")
    rows = scoped_rows(found, Scope(grain="all", start=_day(0), end=_day(30)))
    with _stored(found, parts), pytest.MonkeyPatch.context() as patch:
        assert read_group_sums(found, rows, kept_units(found, rows)) is not None
        patch.setattr(unit_groups, "MANY_ROWS", N)
        assert read_group_sums(found, rows, kept_units(found, rows)) is None
    frame = _frame().assign(who=np.arange(N) % 30)
    few = write_project(tmp_path, frame.astype({"who": str}), _TASKS["regression"]).catalog
    with _stored(few, MemoryParts(few, list(standard_quality(few)))):
        rows = scoped_rows(few, Scope(grain="all", start=_day(0), end=_day(30)))
        assert read_group_sums(few, rows, kept_units(few, rows)) is None
    few.close()


def test_every_group_is_as_likely(catalog):
    found, _ = catalog
    names = [f"someone {place}" for place in range(64_000)]
    text = f"SELECT {unit_group()} AS g FROM (SELECT unnest($names) AS unit, TIMESTAMP '2024-01-01' AS ts)"
    groups = found.engine.query(Sql(text, {"names": names})).column("g").to_pylist()
    counts = Counter(groups)
    assert len(counts) == GROUPS
    assert stats.chisquare(list(counts.values())).pvalue > 0.001
    code = {name: place for place, name in enumerate(sorted(counts))}
    assert [code[name] for name in groups[:300]] == [_group(name, None) for name in names[:300]]


def test_a_count_varies_as_its_units_do():
    draw = np.random.default_rng(3)
    size = draw.poisson(draw.gamma(1.0, 8.0, 20_000)).astype(float)
    found = []
    for _ in range(300):
        sums = np.bincount(draw.integers(0, GROUPS, len(size)), size, GROUPS)[:, None]
        found.append(float((centred(sums) ** 2).sum()) * GROUPS / (GROUPS - 1))
    assert np.mean(found) == pytest.approx((size**2).sum(), rel=0.05)


@pytest.mark.statistical
def test_intervals_hold_the_truth_as_often_as_they_promise():
    draw = np.random.default_rng(5)
    held, narrow, repeats, units = 0, 0, 1500, 700
    names, cell = ("right", "labelled"), CellKey(_day(0), None, None)
    for _ in range(repeats):
        # units of very different size, each with a share of its own
        size = draw.poisson(draw.gamma(1.0, 8.0, units))
        right = draw.binomial(size, draw.beta(4, 2, units)).astype(float)
        group = draw.integers(0, GROUPS, units)
        sums = np.stack([np.bincount(group, each, GROUPS) for each in (right, size)], axis=1)
        value = right.sum() / size.sum()
        influence = np.array([[1.0, -value]]) / size.sum()
        (squares,), (n,) = GroupSums(names, {cell: sums}, {}).squares(cell, names, influence)
        variance, df, _ = largest_variance(0.0, float(unit_variance(squares, n)), None, 0, int(n))
        held += abs(value - 4 / 6) <= stats.t.ppf(0.975, df) * np.sqrt(variance)
        narrow += abs(value - 4 / 6) <= 1.96 * np.sqrt(value * (1 - value) / size.sum())
    assert 0.935 < held / repeats < 0.965
    assert narrow / repeats < 0.85


def _day(n):
    return (pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(days=n)).to_pydatetime()


def _group(who, ts):
    name = who if who is not None else str(ts.value // 1000)
    digest = hashlib.md5(name.encode()).hexdigest()
    return int(digest[0], 16) * 4 + int(digest[1], 16) // 4
