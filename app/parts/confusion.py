"""True class against decision: as logged, and at a threshold that can be moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from analytics.project import Costs
from analytics.quality.rows import ConfusionRow, RocRow
from app.charts import quality as charts
from app.charts.tables import confusion_table
from app.formats import number, percent
from app.parts import trail, words
from app.parts.ask import ask, guarded
from app.parts.chart import Behind, behind, chart, header
from app.parts.view import View

OUTCOME = {("1", "1"): "tp", ("0", "1"): "fp", ("1", "0"): "fn", ("0", "0"): "tn"}
HEIGHT = 420


@st.fragment(parallel=True)
def as_logged(view: View) -> None:
    """The confusion table of the one version at the logged decisions; a cell leads to its rows."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "confusion"):
        found = ask(view, "confusion", view.of_version(view.version))
        classes = len({row.true_class for row in found})
        word = "confusion_matrix" if classes <= charts.MOST_CLASSES else "top_confused_pairs"
        table = partial(confusion_table, found, zone=view.zone)
        chart(
            word,
            charts.confusion_matrix(found),
            charts.confusion_alt(found),
            key="confusion",
            behind=behind(view, found, "confusion", table),
            on_click=partial(to_cell, view),
            note=" · ".join(_of(view, words.AS_LOGGED)),
        )


def to_cell(view: View, cell: list[Any]) -> None:
    """Open the examples of one cell; a callback."""
    true, decided = (str(part) for part in cell[:2])
    version = [view.version] if view.version is not None else []
    if view.predictions.task == "binary":
        trail.leave("quality", "examples", where=[f"outcome={OUTCOME[true, decided]}"], version=version)
    else:
        trail.leave("quality", "examples", where=[f"label={true}", f"decision={decided}"], version=version)


@st.fragment(parallel=True)
def movable(view: View) -> None:
    """The confusion table, rates and cost at any threshold, beside those of the logged decisions."""
    with st.container(border=True, gap="xsmall"), st.skeleton(height=HEIGHT), guarded(view, "movable"):
        rows = [row for row in ask(view, "roc") if row.version == view.version]
        thresholds = [row for row in rows if not row.operating_point]
        if not thresholds:
            st.markdown(f"**{words.MOVE}**")
            st.caption(words.NO_LABELS)
            return
        header("confusion_matrix", "movable", heading=words.MOVE)
        at = _threshold(thresholds)
        logged = next((row for row in rows if row.operating_point), None)
        cells = cells_at(at)
        table = Behind(partial(confusion_table, cells, zone=view.zone), (), "threshold")
        chart(
            "confusion_matrix",
            charts.confusion_matrix(cells),
            charts.confusion_alt(cells),
            key="movable",
            behind=table,
            heading="",
            note=" · ".join(_of(view, words.AT_THRESHOLD.format(threshold=number(at.threshold)))),
        )
        st.dataframe(
            compared(at, logged, view.project.costs), hide_index=True, placeholder="–", alt=words.MOVE
        )


def _threshold(rows: Sequence[RocRow]) -> RocRow:
    """The bound slider, on hundredths; the row of the nearest threshold."""
    start = round(_usual(rows), 2)
    wanted = st.slider(
        words.THRESHOLD, 0.0, 1.0, start, 0.01, key="threshold", bind="query-params", help=words.MOVE_HELP
    )
    return nearest(rows, wanted)


def _usual(rows: Sequence[RocRow]) -> float:
    """One half, or, where hardly any score reaches it, the threshold with as many alarms as positives."""
    middle = nearest(rows, 0.5)
    if middle.decision_rate is not None and middle.decision_rate >= 0.01:
        return 0.5
    positives = middle.true_positives + middle.false_negatives
    best = min(rows, key=lambda row: abs(row.true_positives + row.false_positives - positives))
    return min(max(best.threshold or 0.0, 0.0), 1.0)


def nearest(rows: Sequence[RocRow], threshold: float) -> RocRow:
    """The row whose threshold is nearest."""
    return min(rows, key=lambda row: abs((row.threshold or 0.0) - threshold))


def cells_at(row: RocRow) -> list[ConfusionRow]:
    """The confusion table that a threshold would have given; without intervals, as the rates beside it."""
    counts = {
        ("0", "0"): row.true_negatives, ("0", "1"): row.false_positives,
        ("1", "0"): row.false_negatives, ("1", "1"): row.true_positives,
    }  # fmt: skip
    of_true = {true: counts[true, "0"] + counts[true, "1"] for true in ("0", "1")}
    return [
        ConfusionRow(
            row.window_start, row.window_end, row.version, None, None, true, decided, round(weight), weight,
            weight / of_true[true] if of_true[true] else None, None, None,
        )
        for (true, decided), weight in counts.items()
    ]  # fmt: skip


def compared(at: RocRow, logged: RocRow | None, costs: Costs | None) -> pd.DataFrame:
    """Rates and earnings at a threshold and of the logged decisions, side by side."""
    columns = {words.AT_THRESHOLD.format(threshold=number(at.threshold)): at}
    if logged is not None:
        columns[words.AS_LOGGED] = logged
    rates: dict[str, Callable[[RocRow], str]] = {
        words.CAUGHT: lambda row: percent(row.true_positive_rate),
        words.FALSE_ALARMS: lambda row: percent(row.false_positive_rate),
        words.RIGHT: lambda row: percent(row.precision),
        words.DECIDED: lambda row: percent(row.decision_rate),
    }
    if costs is not None:
        rates[words.EARNED] = lambda row: number(earned(row, costs))
    lines = []
    for name, rate in rates.items():
        lines.append({words.RATE: name} | {column: rate(row) for column, row in columns.items()})
    return pd.DataFrame(lines)


def earned(row: RocRow, costs: Costs) -> float | None:
    """The mean a decision earns under the declared amounts; None without rows."""
    cells = (row.true_positives, row.false_positives, row.false_negatives, row.true_negatives)
    amounts = (costs.true_positive, costs.false_positive, costs.false_negative, costs.true_negative)
    rows = sum(cells)
    return sum(n * amount for n, amount in zip(cells, amounts, strict=True)) / rows if rows else None


def _of(view: View, what: str) -> list[str]:
    return [words.ONE_VERSION.format(version=view.version), what] if view.version is not None else [what]
