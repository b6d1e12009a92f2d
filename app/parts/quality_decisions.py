"""Decisions: the best threshold for a goal, by segment too; reviewing the top scores; answering only what is sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from analytics.quality.decision_rows import Certainty, CoverageRow, GainRow, ThresholdPointRow, ThresholdRow
from analytics.results import Results
from app.charts import decisions as charts
from app.formats import interval, number, signed
from app.glossary import show, title, unit
from app.headlines.decisions import coverage_sentence, decision_verdict, monthly, review_sentence
from app.parts import decision_words as own
from app.parts import words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, header
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.table import table
from app.parts.tiles import Tile, tiles
from app.parts.view import View
from app.text import points

SIGNIFICANT = 0.05
USUAL_BUDGET = 20
MOST_BUDGET = 10_000_000
HEIGHT = 380


def section(view: View) -> None:
    """Everything about where to decide."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        goal, budget, class_ = _chosen(view)
    best_of(view, goal, class_)
    if view.by is not None:
        by_segment(view, goal, class_)
    with st.grid(2, min_column_width=340):
        reviews(view, budget, class_)
        answers(view, goal)


def _chosen(view: View) -> tuple[str, int, str | None]:
    """The goal as the workbench takes it, the budget, and the class that is called, for several classes."""
    goals = list(own.GOALS)
    if view.project.costs is None:
        # without earnings the first question is what can be caught
        goals = [*(name for name in goals if name != "cost"), "cost"]
    goal = choose("goal", own.GOAL, goals, shown=own.GOALS.__getitem__)
    usual = view.project.quality.review_budget or USUAL_BUDGET
    budget = st.number_input(
        own.BUDGET, 1, MOST_BUDGET, usual, key="budget", bind="query-params", help=own.BUDGET_HELP, width=150
    )
    class_ = None
    if view.predictions.classes:
        class_ = choose("class", words.CLASS, list(view.predictions.classes))
    return (f"budget={budget}" if goal == "budget" else goal), int(budget), class_


def _of(
    rows: Results[ThresholdRow], class_: str | None, version: str | None, goal: str
) -> list[ThresholdRow]:
    """The rows of one version, and of one class but for earnings, which are of all classes together."""
    wanted = None if goal == "cost" else class_
    return [row for row in rows if row.version == version and row.class_ == wanted]


@st.fragment(parallel=True)
def best_of(view: View, goal: str, class_: str | None) -> None:
    """The sentence, the tiles and the curve of the one version."""
    with st.skeleton(height=HEIGHT), guarded(view, "best_of"):
        scope = view.of_version(view.version)
        found = ask(view, "thresholds", scope, goals=(goal,))
        mine = _of(found, class_, view.version, goal)
        if not mine:
            return
        row = mine[0]
        headline(decision_verdict(row))
        if row.value is None:
            return
        tiles(_tiles(row))
        if goal == "cost" and view.predictions.classes:
            st.caption(literal(own.NO_CURVE))
            return
        curve = ask(view, "threshold_curve", scope, goal=goal)
        _curve(view, curve, row, class_)


def _curve(view: View, curve: Results[ThresholdPointRow], row: ThresholdRow, class_: str | None) -> None:
    drawn = [point for point in curve if point.class_ == class_]
    name = own.EARNED_AXIS if row.metric == "cost" else None
    note = None
    if row.gain is not None and row.gain_in_sample is not None:
        difference = points if unit(row.metric) == "share" else signed
        note = own.HELD_OUT.format(sample=difference(row.gain_in_sample))
    chart(
        "best_threshold",
        charts.value_by_threshold(drawn, row, name),
        charts.value_by_threshold_alt(drawn, row),
        key="best_threshold",
        note=note,
        behind=behind(view, curve, "thresholds", partial(charts.point_table, drawn, zone=view.zone)),
    )


def _tiles(row: ThresholdRow) -> list[Tile]:
    share = unit(row.metric) == "share"
    status, reason = ("immature", row.reason) if row.status == "immature" else ("ok", None)
    found = [_threshold_tile(row)]
    found.append(
        Tile(
            own.VALUE.format(metric=title(row.metric)), show(row.metric, row.value),
            interval(row.ci_low, row.ci_high, share=share), status="ok" if status == "ok" else "immature",
            reason=reason,
        )
    )  # fmt: skip
    if row.present_value is None:
        return found
    found.append(
        Tile(
            own.AS_DECIDED,
            show(row.metric, row.present_value),
            interval(row.present_ci_low, row.present_ci_high, share=share),
        )
    )
    difference = points if share else signed
    ends = f"{difference(row.gain_ci_low)} to {difference(row.gain_ci_high)}"
    month = monthly(row) if row.goal == "cost" else None
    detail = own.MONTH.format(interval=ends, month=signed(month)) if month is not None else ends
    label = own.GAIN if row.goal == "cost" else own.TRADE
    return [*found, Tile(label, difference(row.gain), detail)]


def _threshold_tile(row: ThresholdRow) -> Tile:
    if row.precision is None and row.recall is None:
        return Tile(own.BEST, own.BY_ROW)
    until = own.NOBODY if row.threshold_high is None else number(row.threshold_high)
    ends = f"{number(row.threshold_low)} to {until}" if row.threshold_low is not None else own.NOBODY
    if row.present_threshold is not None:
        ends = own.IN_USE.format(interval=ends, present=number(row.present_threshold))
    return Tile(own.BEST, own.NOBODY if row.threshold is None else number(row.threshold), ends)


@st.fragment(parallel=True)
def by_segment(view: View, goal: str, class_: str | None) -> None:
    """Best thresholds and gains by value of the chosen segment, the largest sure gain first."""
    with st.skeleton(height=240), guarded(view, "decisions_by_segment"):
        scope = replace(view.of_version(view.version), by=view.by)
        found = ask(view, "thresholds", scope, goals=(goal,))
        rows = sorted(
            _of(found, class_, view.version, goal),
            key=lambda row: -(row.gain_ci_low if row.gain_ci_low is not None else float("-inf")),
        )
        heading = own.BY_SEGMENT.format(segment=literal(view.by))
        header("threshold_segments", "threshold_segments", found.sql, heading=heading)
        tested = [row for row in rows if row.p_adjusted is not None]
        gains = [row for row in tested if (row.p_adjusted or 0.0) < SIGNIFICANT and (row.gain or 0.0) > 0]
        if tested:
            st.caption(own.TESTED.format(gains=len(gains), tested=len(tested)))
        frame = charts.threshold_table(rows, zone=view.zone).dropna(axis=1, how="all")
        table(frame, heading, key="threshold_segments_table")


@st.fragment(parallel=True)
def reviews(view: View, budget: int, class_: str | None) -> None:
    """What reviewing the highest scores finds."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "reviews"):
        found = ask(view, "gain", view.of_version(view.version), budget=float(budget))
        rows: Sequence[GainRow] = [row for row in found if row.class_ == class_]
        chart(
            "gain_chart", charts.gain_chart(rows), charts.gain_alt(rows), key="gain_chart",
            note=review_sentence(rows),
            behind=behind(view, found, "gain", partial(charts.gain_table, rows, zone=view.zone)),
        )  # fmt: skip


@st.fragment(parallel=True)
def answers(view: View, goal: str) -> None:
    """Quality when only the surest share is answered."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "answers"):
        scope = view.of_version(view.version)
        found = ask(view, "coverage", scope, certain_by=_certain_by(view, goal))
        metrics = list(dict.fromkeys(row.metric for row in found))
        metric = "cost" if goal == "cost" and "cost" in metrics else next(iter(metrics), "log_loss")
        rows: Sequence[CoverageRow] = [row for row in found if row.metric == metric]
        said = [sentence] if (sentence := coverage_sentence(rows)) is not None else []
        said += [own.BY_DISTANCE] if any(row.certain_by == "distance" for row in rows) else []
        chart(
            "coverage_chart", charts.coverage_chart(rows), charts.coverage_alt(rows), key="coverage_chart",
            note=" ".join(said) or None,
            behind=behind(view, found, "coverage", partial(charts.coverage_table, list(found), zone=view.zone)),
        )  # fmt: skip


def _certain_by(view: View, goal: str) -> Certainty:
    """Where earnings count, a score at the threshold in use is as doubtful as can be, wherever that is."""
    if goal != "cost" or view.predictions.task != "binary":
        return "top"
    rows = ask(view, "thresholds", view.of_version(view.version), goals=(goal,))
    known = [row.present_threshold for row in rows if row.present_threshold is not None]
    return "distance" if known and 0 < known[0] < 1 else "top"
