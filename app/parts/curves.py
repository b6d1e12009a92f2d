"""Curves of a binary or multiclass model, and predicted against true of a regression."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from analytics.quality.rows import RocRow
from app.charts import quality as charts
from app.charts.tables import calibration_table, pair_table, roc_table, score_table
from app.formats import number, percent
from app.parts import words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, header
from app.parts.view import View

FALSE_ALARMS = (0.01, 0.05, 0.1)
RECALLS = (0.8, 0.9, 0.95)
HEIGHT = 400
ONE_PIXEL = 0.004
"""Of a curve as wide as a card."""


@st.fragment(parallel=True)
def scores(view: View, class_: str | None) -> None:
    """Score histogram by label of the one version."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "scores"):
        found = ask(view, "score_histogram", view.of_version(view.version))
        class_ = class_ or next(iter(view.predictions.classes), None)
        rows = [row for row in found if row.class_ == class_]
        table = partial(score_table, rows, zone=view.zone)
        chart(
            "score_histogram", charts.score_histogram(rows, of=class_), charts.score_alt(rows), key="scores",
            behind=behind(view, found, "scores", table), note=_of(view.version, class_),
        )  # fmt: skip


@st.fragment(parallel=True)
def roc(view: View, class_: str | None) -> None:
    """ROC curve, a line a version."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "roc"):
        found = ask(view, "roc")
        every = _drawn(view, found, class_)
        rows = thinned(every)
        chart(
            "roc_curve", charts.roc_curve(rows), charts.roc_alt(rows), key="roc",
            behind=behind(view, found, "roc", partial(roc_table, every, zone=view.zone)),
            note=_lines(view, class_),
        )  # fmt: skip


@st.fragment(parallel=True)
def precision_recall(view: View, class_: str | None) -> None:
    """Precision against recall, a line a version."""
    with (
        st.container(border=True, gap="xsmall"),
        st.skeleton(height=HEIGHT),
        guarded(view, "precision_recall"),
    ):
        found = ask(view, "roc")
        every = _drawn(view, found, class_)
        rows = thinned(every)
        chart(
            "precision_recall_curve", charts.precision_recall_curve(rows), charts.precision_recall_alt(rows),
            key="precision_recall", note=_lines(view, class_),
            behind=behind(view, found, "precision-recall", partial(roc_table, every, zone=view.zone)),
        )  # fmt: skip


@st.fragment(parallel=True)
def reliability(view: View, class_: str | None) -> None:
    """Reliability diagram, a line a version."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "reliability"):
        found = ask(view, "calibration")
        rows = _drawn(view, found, class_)
        chart(
            "reliability_diagram", charts.reliability_diagram(rows), charts.reliability_alt(rows),
            key="reliability", note=_lines(view, class_),
            behind=behind(view, found, "calibration", partial(calibration_table, rows, zone=view.zone)),
        )  # fmt: skip


@st.fragment(parallel=True)
def rates(view: View, class_: str | None) -> None:
    """What thresholds give that keep false alarms below a rate, or catch enough of the positives."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "rates"):
        found = ask(view, "roc")
        class_ = class_ or next(iter(view.predictions.classes), None)
        rows = [row for row in found if row.class_ == class_ and row.version == view.version]
        header("roc_curve", "rates", found.sql, heading=words.RATES)
        if said := _of(view.version, class_):
            st.caption(said)
        frame = required_rates(rows)
        st.dataframe(frame, hide_index=True, placeholder="–", alt=words.RATES)


@st.fragment(parallel=True)
def regression(view: View) -> None:
    """Predicted against true values, and the errors, of the one version."""
    with st.skeleton(height=HEIGHT), guarded(view, "pairs"):
        pairs, errors = ask(view, "pairs", view.of_version(view.version))
        with st.grid(2, min_column_width=320):
            with st.container(border=True):
                chart(
                    "predicted_against_true", charts.predicted_against_true(pairs),
                    charts.predicted_against_true_alt(pairs), key="pairs", note=_of(view.version, None),
                    behind=behind(view, pairs, "pairs", partial(pair_table, pairs, zone=view.zone)),
                )  # fmt: skip
            with st.container(border=True):
                chart(
                    "residuals", charts.residuals(errors), charts.residuals_alt(errors), key="residuals",
                    note=_of(view.version, None),
                    behind=behind(view, errors, "errors", partial(score_table, errors, zone=view.zone)),
                )  # fmt: skip


def thinned(rows: Sequence[RocRow]) -> list[RocRow]:
    """Thresholds whose point lies apart from the one before; hundreds of points on one pixel only weigh."""
    kept: list[RocRow] = []
    last: dict[tuple[str | None, str | None], tuple[float, float, float]] = {}
    for row in rows:
        point = (row.true_positive_rate or 0.0, row.false_positive_rate or 0.0, row.precision or 0.0)
        before = last.get((row.version, row.class_))
        near = before is not None and max(abs(a - b) for a, b in zip(point, before, strict=True)) < ONE_PIXEL
        if row.operating_point or not near:
            kept.append(row)
        if not row.operating_point and not near:
            last[row.version, row.class_] = point
    return kept


def required_rates(rows: Sequence[RocRow]) -> pd.DataFrame:
    """A line for each rate asked for: the threshold that gives it, and what else it gives."""
    thresholds = [row for row in rows if not row.operating_point]
    lines = [
        _line(words.AT_MOST_FALSE_ALARMS.format(rate=percent(rate)), at_most_false_alarms(thresholds, rate))
        for rate in FALSE_ALARMS
    ]
    lines += [
        _line(words.AT_LEAST_RECALL.format(rate=percent(rate)), at_least_recall(thresholds, rate))
        for rate in RECALLS
    ]
    logged = next((row for row in rows if row.operating_point), None)
    return pd.DataFrame([*lines, *([_line(words.LOGGED_DECISIONS, logged)] if logged else [])])


def at_most_false_alarms(rows: Sequence[RocRow], rate: float) -> RocRow | None:
    """The threshold that catches most with at most this share of false alarms."""
    allowed = [row for row in rows if row.false_positive_rate is not None and row.false_positive_rate <= rate]
    return max(allowed, key=lambda row: (row.true_positive_rate or 0.0, row.threshold or 0.0), default=None)


def at_least_recall(rows: Sequence[RocRow], rate: float) -> RocRow | None:
    """The strictest threshold that catches at least this share of the positives."""
    enough = [row for row in rows if row.true_positive_rate is not None and row.true_positive_rate >= rate]
    return max(enough, key=lambda row: row.threshold or 0.0, default=None)


def _drawn(view: View, rows: Sequence[Any], class_: str | None) -> list[Any]:
    """A line a version for a binary model or one class, a line a class of the one version otherwise."""
    if class_ is None and view.predictions.classes:
        return [row for row in rows if row.version == view.version]
    return [row for row in rows if row.class_ == class_]


def _lines(view: View, class_: str | None) -> str | None:
    return _of(view.version, None) if class_ is None and view.predictions.classes else _of(None, class_)


def _line(asked: str, row: RocRow | None) -> dict[str, str | None]:
    if row is None:
        return {words.REQUIRED: asked, words.THRESHOLD: words.UNREACHABLE}
    return {
        words.REQUIRED: asked,
        words.THRESHOLD: number(row.threshold),
        words.CAUGHT: percent(row.true_positive_rate),
        words.FALSE_ALARMS: percent(row.false_positive_rate),
        words.RIGHT: percent(row.precision),
        words.DECIDED: percent(row.decision_rate),
    }


def _of(version: str | None, class_: str | None) -> str | None:
    said = [words.ONE_VERSION.format(version=version)] if version is not None else []
    said += [f"{words.CLASS} {class_}"] if class_ is not None else []
    return " · ".join(said) or None
