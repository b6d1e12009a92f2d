"""Quality metrics on a page: which ones, against what, as tiles and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from analytics.directions import direction, worse_by
from analytics.quality.rows import MetricRow
from analytics.results import Results
from analytics.scope import MISSING, Scope
from app.headlines.quality import difference
from app.parts import trail, words
from app.parts.ask import ask
from app.parts.choose import choose
from app.parts.tiles import Tile
from app.parts.view import View
from app.text import STATUS_WORDS, count, explain, interval, points, show, signed, title, unit

MAIN = {
    "binary": ("log_loss", "roc_auc", "expected_calibration_error", "recall"),
    "multiclass": ("log_loss", "roc_auc_macro", "balanced_accuracy", "expected_calibration_error"),
    "regression": ("mean_absolute_error", "root_mean_squared_error", "mean_error", "r2"),
}
"""The tiles of a task; the first is the metric shown first everywhere."""


def main_metrics(view: View) -> tuple[str, ...]:
    """The metrics of the tiles: money where the project says what decisions earn."""
    chosen = MAIN[view.predictions.task]
    return (*chosen[:3], "cost") if view.project.costs is not None else chosen


def quality_for(view: View, metric: str, scope: Scope, **words: Any) -> Results[MetricRow]:
    """Quality for one metric: just that one where parts of it are added up, and all at once where rows are read.

    Args:
        view: of the page.
        metric: the one that is shown.
        scope: the question.
        words: of `Workbench.quality`.
    """
    added = view.bench.catalog.parts is not None and view.predictions.unit is None and not scope.filters
    if added and view.predictions.task == "binary":
        words["metrics"] = frozenset({metric})
    found: Results[MetricRow] = ask(view, "quality", scope, **words)
    return found


def reference_quality(view: View, metric: str | None = None) -> Results[MetricRow]:
    """Every metric in the reference, under the same filters; no rows where none is declared.

    A version that the reference does not hold is compared with the one that it holds, if it holds just one.

    Args:
        view: of the page.
        metric: the only one that is wanted.
    """
    if "reference" not in view.bench.catalog.sources:
        return Results((), view.zone)
    scope = replace(view.scope, start=None, end=None, as_of=None, versions=(), by=None)
    answer: Results[MetricRow] = (
        ask(view, "quality", scope, source="reference")
        if metric is None
        else quality_for(view, metric, scope, source="reference")
    )
    held = {row.version for row in answer}
    if len(held) != 1:
        return answer
    lacking = [version for version in view.versions if version not in held]
    lent = [replace(row, version=version) for version in lacking for row in answer]
    return replace(answer, rows=(*answer.rows, *lent))


def pick(
    rows: Sequence[MetricRow], metric: str, class_: str | None = None, version: str | object | None = ...
) -> list[MetricRow]:
    """The rows of one metric and class, and of one version where given."""
    return [
        row
        for row in rows
        if row.metric == metric and row.class_ == class_ and (version is ... or row.version == version)
    ]


def present(rows: Sequence[MetricRow]) -> list[MetricRow]:
    """The rows of versions that logged anything in these windows; one that was not there yet says nothing."""
    there = {row.version for row in rows if row.n}
    return [row for row in rows if row.version in there]


def reference_of(reference: Sequence[MetricRow], row: MetricRow) -> MetricRow | None:
    """The same metric of the same version in the reference; None where it has no value there."""
    found = pick(reference, row.metric, row.class_, row.version)
    return found[0] if found and found[0].value is not None else None


def choose_metric(view: View, rows: Sequence[MetricRow]) -> tuple[str, str | None]:
    """The bound selectors of metric and, with several classes, class; both checked."""
    classes = view.predictions.classes
    class_ = None
    if classes:
        picked = choose("class", words.CLASS, [words.ALL_CLASSES, *classes])
        class_ = picked if picked in classes else None
    metrics = list(dict.fromkeys(row.metric for row in rows if row.class_ == class_))
    first = next((name for name in main_metrics(view) if name in metrics), metrics[0])
    ordered = [first, *(name for name in metrics if name != first)]
    return choose("metric", words.METRIC, ordered, shown=title), class_


def tiles_of(view: View, whole: Sequence[MetricRow], reference: Sequence[MetricRow]) -> list[Tile]:
    """The main metrics of the one version against the reference."""
    return [
        metric_tile(row, reference_of(reference, row))
        for metric in main_metrics(view)
        for row in pick(whole, metric, None, view.version)[:1]
    ]


def metric_tile(row: MetricRow, against: MetricRow | None) -> Tile:
    """One metric as a tile: with its interval and n, and the difference to the reference."""
    share = unit(row.metric) == "share"
    detail = f"{interval(row.ci_low, row.ci_high, share=share)} · n = {count(row.n_labelled)}"
    if row.labels_needed and row.value is not None:
        detail += f" · {words.LABELS_NEEDED.format(n=count(row.labels_needed))}"
    delta = compared = None
    good = None
    if row.value is not None and against is not None and against.value is not None:
        difference = row.value - against.value
        delta = points(difference) if share else signed(difference)
        compared = words.REFERENCE.format(value=show(row.metric, against.value))
        good = _good_news(row, against)
    return Tile(
        title(row.metric), show(row.metric, row.value), detail, delta, compared, good, row.status, row.reason,
        explain(row.metric).definition,
    )  # fmt: skip


def _good_news(row: MetricRow, against: MetricRow) -> bool | None:
    """Whether the difference is for the better; None where neither way is, or where it may be chance."""
    gap = difference(row, against)
    if gap is None or gap.low <= 0 <= gap.high or row.value is None or against.value is None:
        return None
    worse = worse_by(row.metric, row.value, against.value)
    return None if not worse else worse < 0


def metric_grid(
    whole: Sequence[MetricRow], reference: Sequence[MetricRow], class_: str | None
) -> pd.DataFrame:
    """Every metric of the whole window: a row a metric, for each version value, interval and reference."""
    metrics = list(dict.fromkeys(row.metric for row in whole if row.class_ == class_))
    # one name is enough for one number
    metrics = [metric for metric in metrics if f"{metric}_macro" not in metrics]
    lines: list[dict[str, str | None]] = [_counts(whole, reference)]
    for metric in metrics:
        line: dict[str, str | None] = {words.METRIC: title(metric)}
        for row in pick(whole, metric, class_):
            name = str(row.version) if row.version is not None else words.VALUE
            line[name] = cell(row)
            against = reference_of(reference, row)
            line[f"{name}, {words.REFERENCE_COLUMN}"] = cell(against) if against else None
        line[words.BETTER] = words.DIRECTIONS[direction(metric)]
        lines.append(line)
    return pd.DataFrame(lines).dropna(axis=1, how="all")


def _counts(whole: Sequence[MetricRow], reference: Sequence[MetricRow]) -> dict[str, str | None]:
    line: dict[str, str | None] = {words.METRIC: words.LABELLED}
    for row in {row.version: row for row in whole}.values():
        name = str(row.version) if row.version is not None else words.VALUE
        line[name] = words.OF.format(some=count(row.n_labelled), all=count(row.n))
        against = next((other for other in reference if other.version == row.version), None)
        line[f"{name}, {words.REFERENCE_COLUMN}"] = count(against.n_labelled) if against else None
    return line


def segment_grid(view: View, rows: Sequence[MetricRow]) -> None:
    """One metric by segment value; the chosen row opens its examples."""
    frame = pd.DataFrame({
        str(view.by): [row.segment_value for row in rows],
        words.VALUE: [cell(row) for row in rows],
        words.LABELLED: [row.n_labelled for row in rows],
        words.ROWS: [row.n for row in rows],
    })  # fmt: skip

    def open_examples() -> None:
        chosen = st.session_state["by_segment_table"]["selection"]["rows"]
        if chosen:
            value = rows[chosen[0]].segment_value
            trail.leave("quality", "examples", where=[f"{view.by}={'' if value == MISSING else value}"])

    st.dataframe(
        frame, hide_index=True, key="by_segment_table", on_select=open_examples, selection_mode="single-row",
        alt=words.SEGMENT_HINT,
    )  # fmt: skip
    st.caption(words.SEGMENT_HINT)


def cell(row: MetricRow) -> str:
    """Value and interval, or why there is none."""
    if row.value is None:
        return STATUS_WORDS[row.status]
    limits = interval(row.ci_low, row.ci_high, share=unit(row.metric) == "share")
    said = f"{show(row.metric, row.value)} ({limits})"
    return said if row.status == "ok" else f"{said}, {STATUS_WORDS[row.status]}"
