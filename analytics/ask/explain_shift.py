"""Covariate against concept shift, from seeded samples of both sides."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.change_steps import read_measured_sample
from analytics.aggregates.keys import block_codes
from analytics.aggregates.row_measures import RowMeasure
from analytics.aggregates.samples import Sample
from analytics.ask.days import one_thread
from analytics.ask.explain_sides import Comparison
from analytics.ask.samples import Column, feature_columns, numbers, weights_of
from analytics.explain.account import Subject
from analytics.explain.rows import ExplainRow
from analytics.stats.blocks import MINIMUM_CLUSTERS
from analytics.stats.encoding import fit_encoder
from analytics.stats.shift_split import (
    LEAST_ROWS,
    MOST_BETWEEN,
    MOST_OUTSIDE,
    Part,
    Rows,
    ShiftSplit,
    between_blocks,
    split_shift,
)
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
SAMPLE = 8_000
LEAST_COUNTING = 20
"""Fewer rows of the class or decision that a metric is about say nothing, however many others there are."""
MOST_FEATURES = 60
_COMPUTED_ANEW = {"roc_auc", "expected_calibration_error", "balanced_accuracy"}
"""Neither means nor ratios of two sums."""


@dataclass(frozen=True)
class _Drawn:
    rows: Rows
    label: Floats
    score: Floats


def shift_rows(
    catalog: Catalog, comparison: Comparison, measure: RowMeasure, subject: Subject, whole: ExplainRow
) -> tuple[tuple[ExplainRow, ...], tuple[str, ...], tuple[str, ...]]:
    """The rows of the covariate and the concept part, notes, and SQL texts."""
    blank = tuple(
        replace(subject.blank("shift", "undefined", None), segment=name) for name in ("covariate", "concept")
    )
    features = tuple(one for one in catalog.features if one.name not in comparison.apart)[:MOST_FEATURES]
    if not features:
        return _said(blank, "there are no features to reweight by"), (), ()
    if whole.total_effect is None:
        return _said(blank, whole.reason or "there is no change to split", whole.status), (), ()
    measure = measure.over_inputs()
    before, after = (
        read_measured_sample(catalog, measure, side, SAMPLE, features)
        for side in (comparison.before, comparison.after)
    )
    sql = (before.sql, after.sql)
    if few := _few(measure, before, after):
        return _said(blank, few, "too_few"), (), sql
    columns, left_out = _columns(catalog, before, after)
    if not columns[0]:
        return (
            _said(blank, "no feature varies within a day, and there are too few days to tell them apart"),
            (),
            sql,
        )
    found = _split((before, after), columns, measure, subject)
    if found.covariate is None or found.concept is None:
        reason = f"rows like those now come from too few days of {comparison.words}"
        if found.outside > MOST_OUTSIDE:
            lie = f"{found.outside:.0%} of the rows lie where {comparison.words} has hardly any"
            reason = f"{lie}: nothing stands in for them"
        return _said(blank, reason), (), sql
    return (
        _rows(blank, (found.covariate, found.concept), subject, whole),
        (*_notes(before, after), *_unused(left_out)),
        sql,
    )


def _few(measure: RowMeasure, *sides: Sample) -> str | None:
    """Why there is nothing to reweight: too few rows, or too few that the metric is about."""
    least = min(side.n for side in sides)
    if least < LEAST_ROWS:
        return f"{least} rows on one side; at least {LEAST_ROWS} are needed to reweight"
    least = min(_counting(measure, side) for side in sides)
    if least < LEAST_COUNTING:
        return (
            f"{least} rows on one side decide this metric; at least {LEAST_COUNTING} are needed to reweight"
        )
    return None


def _counting(measure: RowMeasure, side: Sample) -> int:
    """The sampled rows that count; where classes count the same, those of the rarer one."""
    if measure.metric in {"roc_auc", "balanced_accuracy"}:
        positive = int(np.count_nonzero(numbers(side.table, "label") == 1))
        return min(positive, side.n - positive)
    return int(np.count_nonzero(numbers(side.table, "measured_d")))


def _columns(
    catalog: Catalog, before: Sample, after: Sample
) -> tuple[tuple[dict[str, Column], dict[str, Column]], tuple[str, ...]]:
    """The features of both sides; with few days without those that hardly vary within one, which are named."""
    sides = feature_columns(catalog, before.table), feature_columns(catalog, after.table)
    blocks = block_codes(before.table), block_codes(after.table)
    if (
        min(len(np.unique(one)) for one in blocks) >= MINIMUM_CLUSTERS
        or len(np.unique(np.concatenate(blocks))) < 2
    ):
        return sides, ()
    block = np.concatenate(blocks)
    left_out = tuple(
        name
        for name in sides[0]
        if isinstance(sides[0][name], np.ndarray)
        and between_blocks(
            np.concatenate([np.asarray(side[name], dtype=np.float64) for side in sides]), block
        )
        > MOST_BETWEEN
    )
    kept = tuple({name: one for name, one in side.items() if name not in left_out} for side in sides)
    return (kept[0], kept[1]), left_out


def _unused(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return ()
    shown = ", ".join(names[:6]) + (" and others" if len(names) > 6 else "")
    said = f"Few days: features that hardly vary within a day are not reweighted by ({shown})"
    return (f"{said}, so what they did counts as the model's part",)


def _said(rows: tuple[ExplainRow, ...], reason: str, status: str = "undefined") -> tuple[ExplainRow, ...]:
    return tuple(replace(row, status=status, reason=reason) for row in rows)  # type: ignore[arg-type]


def _notes(before: Sample, after: Sample) -> tuple[str, ...]:
    drawn = before.n, after.n
    every = sum(before.totals.values()), sum(after.totals.values())
    if drawn == every:
        return ()
    sizes = f"{drawn[0]:,} and {drawn[1]:,} of {every[0]:,} and {every[1]:,}"
    return (f"The split into covariate and concept shift is from samples of {sizes} rows.",)


def _split(
    samples: tuple[Sample, Sample],
    columns: tuple[dict[str, Column], dict[str, Column]],
    measure: RowMeasure,
    subject: Subject,
) -> ShiftSplit:
    # spreads are those before: one value that is far out now must not shrink the scale
    both = {
        name: np.concatenate([columns[0][name], columns[1][name]])
        if isinstance(columns[0][name], np.ndarray)
        else [*columns[0][name], *columns[1][name]]
        for name in columns[0]
    }
    encoder = fit_encoder(both)
    drawn = [
        _drawn(one, encoder(part, squares=True), measure) for one, part in zip(samples, columns, strict=True)
    ]
    functionals = None
    if measure.metric in _COMPUTED_ANEW:
        functionals = _Functional(measure, drawn[0]), _Functional(measure, drawn[1])
    with one_thread():
        return split_shift(drawn[0].rows, drawn[1].rows, subject.confidence, functionals, subject.longer)


def _drawn(sample: Sample, x: Floats, measure: RowMeasure) -> _Drawn:
    table = sample.table
    d, u = numbers(table, "measured_d"), numbers(table, "measured_u")
    label = numbers(table, "label") if _is_number(table, "label") else np.zeros(len(d))
    score = numbers(table, "score") if "score" in table.column_names else np.zeros(len(d))
    if measure.metric in _COMPUTED_ANEW or measure.unit_d:
        rows = Rows(x, u / np.where(d > 0, d, 1.0), weights_of(table), block_codes(table))
    else:
        rows = Rows(x, u, weights_of(table), block_codes(table), d)
    return _Drawn(rows, label, score)


def _is_number(table: pa.Table, name: str) -> bool:
    kind = table.column(name).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


@dataclass(frozen=True)
class _Functional:
    """A metric that is no mean of one weight, from weights of sampled rows."""

    measure: RowMeasure
    drawn: _Drawn

    def __call__(self, weight: Floats) -> tuple[float, Floats]:
        one = self.drawn
        match self.measure.metric:
            case "roc_auc":
                value, placement = _auc(one.score, one.label, weight)
                return value, _of_classes(placement - value, one.label, weight)
            case "expected_calibration_error":
                bins = np.minimum(np.floor(one.score * 10.0), 9.0).astype(np.int64)
                gaps = np.bincount(bins, weight * (one.score - one.label), minlength=10)
                value = float(np.abs(gaps).sum() / weight.sum())
                return value, np.sign(gaps)[bins] * (one.score - one.label) - value
        right = one.rows.value  # balanced accuracy
        sides = [one.label == 1, one.label == 0]
        means = [float(weight[s] @ right[s] / weight[s].sum()) for s in sides]
        own = np.where(sides[0], means[0], means[1])
        return (means[0] + means[1]) / 2.0, _of_classes((right - own) / 2.0, one.label, weight)


def _of_classes(influence: Floats, label: Floats, weight: Floats) -> Floats:
    """A class of which there are few moves the mean of both classes the more."""
    share = float(weight @ (label == 1) / weight.sum())
    return np.asarray(influence / np.where(label == 1, share, 1.0 - share))


def _auc(score: Floats, label: Floats, weight: Floats) -> tuple[float, Floats]:
    """The area, and of each row the share of the other class's weight that it is ranked rightly against."""
    values, place = np.unique(score, return_inverse=True)
    positive = np.bincount(place, np.where(label == 1, weight, 0.0), minlength=len(values))
    negative = np.bincount(place, np.where(label == 1, 0.0, weight), minlength=len(values))
    below = (np.cumsum(negative) - negative / 2.0) / negative.sum()
    above = 1.0 - (np.cumsum(positive) - positive / 2.0) / positive.sum()
    return float(positive @ below / positive.sum()), np.where(label == 1, below[place], above[place])


def _rows(
    blank: tuple[ExplainRow, ...], found: tuple[Part, Part], subject: Subject, whole: ExplainRow
) -> tuple[ExplainRow, ...]:
    """The covariate part as the samples say it, the concept part as what is left of the whole change."""
    change = whole.total_effect or 0.0
    scale = 1.0
    if subject.root and whole.value_before is not None and whole.value_after is not None:
        both = whole.value_before + whole.value_after
        scale = 1.0 / both if both > 0 else 0.0
    covariate = found[0].value * scale
    halves = [(part.high - part.low) / 2.0 * scale for part in found]
    rows = []
    for row, value, half in zip(blank, (covariate, change - covariate), halves, strict=True):
        mix = value if row.segment == "covariate" else 0.0
        rows.append(
            replace(
                row, mix_effect=mix, rate_effect=value - mix, total_effect=value, ci_low=value - half,
                ci_high=value + half, n_before=whole.n_before, n_after=whole.n_after, status=subject.state,
                reason=subject.reason, share_of_change=value / change if change != 0 else None,
            )
        )  # fmt: skip
    return tuple(rows)
