"""Calibration: do scores mean what they say, when and where not, what a map would bring; mix and baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from analytics.quality.calibration import ALARM, BaselineRow, CalibrationTestRow, RecalibrationRow
from analytics.results import Results
from analytics.scope import MISSING
from app.charts import calibration_gaps as gaps
from app.charts import calibration_tables as tables
from app.charts import recalibration as maps
from app.charts.calibration import reliability_alt, reliability_diagram
from app.charts.tables import calibration_table
from app.formats import count, interval, number, points, signed
from app.glossary import explain, show, title, unit
from app.headlines.calibration import (
    RULES,
    baseline_sentence,
    best_map,
    calibration_verdict,
    difference_words,
    mix_sentence,
    recalibration_sentence,
)
from app.parts import calibration_words as own
from app.parts import trail, words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, header, table_behind
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.quality_now import to_window
from app.parts.table import table
from app.parts.tiles import Tile, tiles
from app.parts.view import View

HEIGHT = 380
OVER_TIME = "calibration_over_time"
MOST_OTHERS = 4
"""Versions beside the one the sentence is about that get a line of their own."""


def section(view: View) -> None:
    """Everything about calibration."""
    class_ = None
    if view.predictions.classes:
        picked = choose("class", words.CLASS, [own.TOP, *view.predictions.classes])
        class_ = picked if picked in view.predictions.classes else None
    first(view, class_)
    over_time(view, class_)
    with st.grid(2, min_column_width=340):
        if view.predictions.task == "regression":
            deciles(view)
        else:
            reliability(view, class_)
        by_segment(view, class_)
    recalibration(view, class_)
    mix(view)
    baselines(view)


def _of(
    rows: Sequence[CalibrationTestRow], class_: str | None, version: str | None
) -> list[CalibrationTestRow]:
    return [row for row in rows if row.class_ == class_ and row.version == version]


def _is_regression(view: View) -> bool:
    return view.predictions.task == "regression"


@st.fragment(parallel=True)
def first(view: View, class_: str | None) -> None:
    """The sentence and the tiles of the one version; a line for every other version that is off."""
    with st.skeleton(height=180), guarded(view, "calibration_first"):
        whole = ask(view, "calibration_tests")
        windows = ask(view, "calibration_tests", view.over_time)
        mine = _of(whole, class_, view.version)
        if not mine:
            return
        of = class_ or ""
        headline(calibration_verdict(mine[0], _of(windows, class_, view.version), zone=view.zone, of=of))
        others = [
            (version, _of(whole, class_, version)) for version in view.versions if version != view.version
        ]
        off = [(version, other) for version, other in others if other and other[0].miscalibrated]
        for version, other in off[:MOST_OTHERS]:
            said = calibration_verdict(other[0], _of(windows, class_, version), zone=view.zone, of=of)
            st.caption(literal(own.OTHERS.format(version=version, sentence=said.sentence)))
        gains, _ = ask(view, "recalibration")
        tiles(_tiles(mine[0], _gains(gains, class_, view)))


def _gains(rows: Sequence[RecalibrationRow], class_: str | None, view: View) -> list[RecalibrationRow]:
    return [row for row in rows if row.class_ == class_ and row.version == view.version]


def _tiles(row: CalibrationTestRow, gains: Sequence[RecalibrationRow]) -> list[Tile]:
    found = [_error_tile(row), _test_tile(row), _slope_tile(row)]
    best = [r for r in gains if r.metric in {"log_loss", "mean_squared_error"} and r.difference is not None]
    if best:
        chosen = best_map(best)
        detail = own.BRINGS_DETAIL.format(
            metric=title(chosen.metric),
            interval=interval(chosen.difference_ci_low, chosen.difference_ci_high),
        )
        found.append(Tile(own.BRINGS, signed(chosen.difference), detail, help=_help("recalibration")))
    return found


def _error_tile(row: CalibrationTestRow) -> Tile:
    if row.expected_calibration_error is None:
        ends = f"{interval(row.gap_ci_low, row.gap_ci_high)} · n = {count(row.n_labelled)}"
        return Tile(
            own.GAP, signed(row.gap), ends, status=row.status, reason=row.reason, help=_help(OVER_TIME)
        )
    detail = own.ERROR_DETAIL.format(
        interval=interval(row.error_ci_low, row.error_ci_high),
        debiased=number(row.calibration_error_debiased),
        n=count(row.n_labelled),
    )
    return Tile(
        own.ERROR, number(row.expected_calibration_error), detail, status=row.status, reason=row.reason,
        help=_help("expected_calibration_error"),
    )  # fmt: skip


def _test_tile(row: CalibrationTestRow) -> Tile:
    if row.expected_calibration_error is None and row.p_adjusted is not None:
        verdict = "fails" if row.p_adjusted < ALARM else "passes"
        return Tile(own.JOINT, verdict, own.JOINT_DETAIL.format(p=_p(row.p_adjusted)))
    if row.spiegelhalter_z is None:
        return Tile(own.SPIEGELHALTER, "–", row.reason or "", help=_help("spiegelhalter"))
    detail = own.P_DETAIL.format(p=_p(row.p_adjusted), z=number(row.spiegelhalter_z))
    verdict = "fails" if row.p_adjusted is not None and row.p_adjusted < ALARM else "passes"
    return Tile(own.SPIEGELHALTER, verdict, detail, help=_help("spiegelhalter"))


def _help(word: str) -> str:
    return explain(word).definition


def _p(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else number(value)


def _slope_tile(row: CalibrationTestRow) -> Tile:
    return Tile(
        own.SLOPE,
        number(row.slope),
        interval(row.slope_ci_low, row.slope_ci_high) if row.slope is not None else row.reason or "",
        help=_help("calibration_slope"),
    )


@st.fragment(parallel=True)
def over_time(view: View, class_: str | None) -> None:
    """The gap by window, a line a version; a point leads to its examples."""
    with st.skeleton(height=HEIGHT), guarded(view, "calibration_over_time"):
        found = ask(view, "calibration_tests", view.over_time)
        there = {row.version for row in found if row.n}
        rows = [row for row in found if row.class_ == class_ and row.version in there]
        heading = own.OVER_TIME_VALUES if _is_regression(view) else own.OVER_TIME
        catalog = view.bench.catalog
        chart(
            "calibration_over_time",
            gaps.gap_over_time(rows, catalog.releases, zone=view.zone, versions=catalog.versions),
            gaps.gap_over_time_alt(rows, zone=view.zone),
            key="calibration_over_time",
            heading=heading.format(grain=words.GRAINS[view.grain]),
            note=_tested(rows),
            behind=behind(view, found, "calibration", partial(tables.tests_table, rows, zone=view.zone)),
            on_click=partial(to_window, view),
        )


def _tested(rows: Sequence[CalibrationTestRow]) -> str:
    tested = [row for row in rows if row.miscalibrated is not None]
    return own.TESTED.format(off=sum(bool(row.miscalibrated) for row in tested), tested=len(tested))


@st.fragment(parallel=True)
def reliability(view: View, class_: str | None) -> None:
    """Reliability diagram with intervals, a line a version; of the top class a line for each class."""
    with (
        st.container(border=True, gap="xsmall"),
        st.skeleton(height=HEIGHT),
        guarded(view, "reliability"),
    ):
        found = ask(view, "calibration")
        if view.predictions.classes and class_ is None:
            rows = [row for row in found if row.version == view.version]
        else:
            rows = [row for row in found if row.class_ == class_]
        chart(
            "reliability_diagram",
            reliability_diagram(rows),
            reliability_alt(rows),
            key="reliability",
            behind=behind(view, found, "calibration-curve", partial(calibration_table, rows, zone=view.zone)),
        )


@st.fragment(parallel=True)
def deciles(view: View) -> None:
    """Mean label and errors by tenth of the prediction of the one version."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "deciles"):
        found = ask(view, "deciles", view.of_version(view.version))
        rows = [row for row in found if row.version == view.version]
        shown = behind(view, found, "tenths", partial(tables.decile_table, rows, zone=view.zone))
        chart("decile_chart", maps.decile_chart(rows), maps.decile_alt(rows), key="deciles", behind=shown)
    with st.container(border=True, gap="xsmall"), guarded(view, "residuals"):
        chart(
            "residual_deciles", maps.residual_boxes(rows), maps.residual_alt(rows), key="residual_boxes",
            behind=shown,
        )  # fmt: skip


@st.fragment(parallel=True)
def by_segment(view: View, class_: str | None) -> None:
    """The gap by value of the chosen segment, or of the first one declared."""
    by = view.by or next(iter(view.bench.catalog.segments), None)
    if by is None:
        return
    with (
        st.container(border=True, gap="xsmall"),
        st.skeleton(height=HEIGHT),
        guarded(view, "calibration_segment"),
    ):
        found = ask(view, "calibration_tests", replace(view.of_version(view.version), by=by))
        rows = _of(found, class_, view.version)
        known = gaps.by_gap(rows)
        note = _tested(rows)
        if len(known) > gaps.MOST_ROWS:
            note += " " + own.MOST_SEGMENTS.format(shown=gaps.MOST_ROWS, all=count(len(known)))
        chart(
            "calibration_by_segment",
            gaps.gap_by_segment(rows),
            gaps.gap_by_segment_alt(rows),
            key="calibration_by_segment",
            heading=own.BY_SEGMENT.format(segment=by),
            note=note,
            behind=behind(view, found, "calibration-by", partial(tables.tests_table, known, zone=view.zone)),
            on_click=_open_segment,
        )


def _open_segment(point: list[str | None]) -> None:
    """Open the examples of one value; a callback."""
    segment, value, version = point
    shown = {"version": [version]} if version is not None else {}
    trail.leave("quality", "examples", where=[f"{segment}={'' if value == MISSING else value}"], **shown)


@st.fragment(parallel=True)
def recalibration(view: View, class_: str | None) -> None:
    """What maps would have brought, and the maps."""
    if view.predictions.classes and class_ is None:
        class_ = view.predictions.classes[0]
    with (
        st.container(border=True, gap="xsmall"),
        st.skeleton(height=HEIGHT),
        guarded(view, "recalibration"),
    ):
        gains, curves = ask(view, "recalibration")
        mine = _gains(gains, class_, view)
        said = recalibration_sentence(mine)
        header("recalibration", "recalibration", gains.sql)
        st.markdown(literal(f"{class_}: {said}" if class_ is not None else said))
        for note in gains.notes:
            st.caption(literal(note))
        known = [row for row in mine if row.value is not None]
        drawn = [row for row in curves if row.class_ == class_ and row.version == view.version]
        if not known:
            return
        left, right = st.columns([1, 2])
        share = not _is_regression(view)
        with left:
            chart(
                "recalibration", maps.map_curves(drawn, share=share), maps.map_curves_alt(drawn, share=share),
                key="maps", heading="",
            )  # fmt: skip
        with right:
            table(_gain_frame(known), said, key="gains")
            shown = behind(
                view, gains, "recalibration", partial(tables.recalibration_table, gains.rows, zone=view.zone)
            )
            table_behind(shown, "recalibration")


def _gain_frame(rows: Sequence[RecalibrationRow]) -> pd.DataFrame:
    lines = []
    for row in rows:
        share = unit(row.metric) == "share"
        form = points if share else signed
        difference = None
        if row.difference is not None:
            ends = f"{form(row.difference_ci_low)} to {form(row.difference_ci_high)}"
            difference = f"{form(row.difference)} ({ends})"
        lines.append({
            own.METRIC: title(row.metric),
            own.METHOD: own.METHODS[row.method],
            own.VALUE: f"{show(row.metric, row.value)} ({interval(row.ci_low, row.ci_high, share=share)})",
            own.DIFFERENCE: difference,
        })  # fmt: skip
    return pd.DataFrame(lines).sort_values(
        own.METRIC, kind="stable", key=lambda names: -names.map(_order(rows))
    )


def _order(rows: Sequence[RecalibrationRow]) -> dict[str, int]:
    names = list(dict.fromkeys(title(row.metric) for row in rows))
    return {name: len(names) - place for place, name in enumerate(names)}


@st.fragment(parallel=True)
def mix(view: View) -> None:
    """Predicted against came, of the one version."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "mix"):
        found = ask(view, "mix", view.of_version(view.version))
        rows = [row for row in found if row.version == view.version]
        chart(
            "mix",
            maps.mix_chart(rows),
            maps.mix_alt(rows),
            key="mix",
            note=mix_sentence(rows, of_values=_is_regression(view)),
            behind=behind(view, found, "mix", partial(tables.mix_table, rows, zone=view.zone)),
        )


@st.fragment(parallel=True)
def baselines(view: View) -> None:
    """The metrics of the one version beside rules that know nothing."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "baselines"):
        found: Results[BaselineRow] = ask(view, "baselines", view.of_version(view.version))
        rows = [row for row in found if row.version == view.version]
        header("baselines", "baselines", found.sql)
        said = baseline_sentence(rows)
        st.caption(literal(said))
        known = [row for row in rows if row.value is not None]
        if known:
            table(_baseline_frame(known), said, key="baselines_table")
        table_behind(
            behind(view, found, "baselines", partial(tables.baseline_table, rows, zone=view.zone)),
            "baselines",
        )


def _baseline_frame(rows: Sequence[BaselineRow]) -> pd.DataFrame:
    return pd.DataFrame([
        {
            own.METRIC: title(row.metric) if row.class_ is None else f"{title(row.metric)}, {row.class_}",
            own.MODEL: show(row.metric, row.value),
            own.RULE: RULES[row.baseline],
            own.RULE_VALUE: show(row.metric, row.baseline_value),
            own.GAP_TO_RULE: difference_words(row),
            own.BETTER: own.WORDS[row.better],
            own.N: row.n,
        }
        for row in rows
    ])  # fmt: skip
