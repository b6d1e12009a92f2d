"""What an error model is worth: its area beside the score's, its calibration, what carries it, what it catches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from analytics.measures.estimate import Estimate
from analytics.measures.rows import (
    area_of_rows,
    difference_of_means,
    influence_on_area,
    mean_of_rows,
    of_influence,
)
from analytics.review.error_model import Fitted, LabelledRows
from analytics.review.rows import CarrierRow, ErrorBinRow, ErrorModelRow, FilterBy, FilterRow
from analytics.stats.calibration import calibration_error
from analytics.stats.recalibration import NoFit, fit_logistic

Floats = npt.NDArray[np.float64]
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
BINS = 10


def judge(
    row: ErrorModelRow, rows: LabelledRows, fitted: Fitted, confidence: float
) -> tuple[ErrorModelRow, tuple[ErrorBinRow, ...]]:
    """Fill in what the error model shows out of fold.

    Args:
        row: with the keys and counts.
        rows: what it was fitted to.
        fitted: the model.
        confidence: of the intervals.
    """
    wrong, together = rows.wrong, rows.together
    own = area_of_rows("auc", fitted.chance, wrong, together)
    score = area_of_rows("auc", rows.doubt, wrong, together)
    gain = _gain(fitted.chance, rows.doubt, rows)
    rate = mean_of_rows("wrong_rate", wrong.astype(np.float64), together)
    bins = tuple(_bins(row.version, rows, fitted, confidence))
    error, floor, slope = _calibration(rows, fitted, confidence)
    values = {
        "wrong_rate": _numbers(rate, confidence), "auc": _numbers(own, confidence),
        "score_auc": _numbers(score, confidence), "auc_gain": _numbers(gain, confidence),
    }  # fmt: skip
    value, low, high = values["wrong_rate"]
    return replace(
        row, wrong_rate=value, ci_low=low, ci_high=high,
        auc=values["auc"][0], auc_ci_low=values["auc"][1], auc_ci_high=values["auc"][2],
        score_auc=values["score_auc"][0], score_auc_ci_low=values["score_auc"][1],
        score_auc_ci_high=values["score_auc"][2],
        auc_gain=values["auc_gain"][0], auc_gain_ci_low=values["auc_gain"][1], auc_gain_ci_high=values["auc_gain"][2],
        calibration_error=error[0], calibration_ci_low=error[1], calibration_ci_high=error[2], noise_floor=floor,
        calibration_slope=slope, microseconds=fitted.microseconds,
    ), bins  # fmt: skip


def carriers(
    version: str | None, rows: LabelledRows, fitted: Fitted, confidence: float
) -> tuple[CarrierRow, ...]:
    """Every column by the area that is lost where its values are shuffled, the most first."""
    whole, before = influence_on_area(fitted.chance, rows.wrong, rows.together)
    found = []
    for name in fitted.encoder.places():
        area, after = influence_on_area(fitted.shuffled(name), rows.wrong, rows.together)
        lost = of_influence("importance", whole - area, before - after, rows.together, "mean")
        found.append((name, *_numbers(lost, confidence)))
    found.sort(key=lambda one: -one[1])
    return tuple(
        CarrierRow(version, place, name, value, low, high, rows.n)
        for place, (name, value, low, high) in enumerate(found, start=1)
    )


def filters(
    version: str | None,
    rows: LabelledRows,
    fitted: Fitted,
    *,
    per_day: float | None,
    confidence: float,
    rates: Sequence[float] = RATES,
) -> tuple[FilterRow, ...]:
    """What refusing the rows with the highest chances would catch, by the error model and by the score alone.

    Args:
        version: whose rows.
        rows: labelled rows.
        fitted: the error model.
        per_day: rows a day in all; None where it is not known.
        confidence: of the intervals.
        rates: shares to refuse.
    """
    both: tuple[tuple[FilterBy, Floats], ...] = (("error_model", fitted.chance), ("score", rows.doubt))
    found = []
    for by, order in both:
        for rate in rates:
            row = replace(_filter(rows, order, rate, confidence), version=version, by=by)
            found.append(row if per_day is None else replace(row, per_day=row.refused * per_day))
    return tuple(found)


def _filter(rows: LabelledRows, order: Floats, rate: float, confidence: float) -> FilterRow:
    wrong, together = rows.wrong.astype(np.float64), rows.together
    threshold = _threshold(order, together.weight, rate)
    refused = order >= threshold
    share = float(together.weight[refused].sum() / together.weight.sum())
    caught = mean_of_rows("caught", refused[rows.wrong].astype(np.float64), together.part(rows.wrong))
    everything = np.ones(rows.n, dtype=bool)
    all_ = mean_of_rows("wrong_rate", wrong, together)
    stays = ~refused
    if stays.any():
        rest = mean_of_rows("wrong_rate", wrong[stays], together.part(stays))
        gap = difference_of_means("difference", wrong, together, stays, everything)
    else:
        rest, gap = all_, difference_of_means("difference", wrong, together, everything, everything)
    rest_value, low, high = _numbers(rest, confidence)
    difference, gap_low, gap_high = _numbers(gap, confidence)
    share_caught, caught_low, caught_high = _numbers(caught, confidence)
    return FilterRow(
        None, "score", rate, share, threshold, share_caught, caught_low, caught_high, _value(all_), rest_value, low,
        high, difference, gap_low, gap_high, None, rows.n,
    )  # fmt: skip


def _threshold(order: Floats, weight: Floats, rate: float) -> float:
    """The value from which on a share of the weight is refused, as near to the rate as ties let it be."""
    values, place = np.unique(order, return_inverse=True)
    above = np.cumsum(np.bincount(place, weight)[::-1])[::-1] / weight.sum()
    # all of the rows are never refused
    candidates = np.arange(1, len(values)) if len(values) > 1 else np.arange(1)
    best = candidates[int(np.argmin(np.abs(above[candidates] - rate)))]
    return float(values[best])


def _gain(first: Floats, second: Floats, rows: LabelledRows) -> Estimate:
    one, theirs = influence_on_area(first, rows.wrong, rows.together)
    other, others = influence_on_area(second, rows.wrong, rows.together)
    return of_influence("auc_gain", one - other, theirs - others, rows.together, "mean")


def _bins(
    version: str | None, rows: LabelledRows, fitted: Fitted, confidence: float
) -> Iterator[ErrorBinRow]:
    tenth = _tenths(fitted.chance)
    wrong = rows.wrong.astype(np.float64)
    for place in range(BINS):
        mine = tenth == place
        if not mine.any():
            continue
        together = rows.together.part(mine)
        value, low, high = _numbers(mean_of_rows("wrong_rate", wrong[mine], together), confidence)
        chance = float(np.average(fitted.chance[mine], weights=together.weight))
        yield ErrorBinRow(version, place + 1, int(mine.sum()), chance, value, low, high)


def _tenths(chance: Floats) -> npt.NDArray[np.int64]:
    """Tenths of the rows by chance; ties stay together."""
    edges = np.quantile(chance, np.arange(1, BINS) / BINS)
    return np.searchsorted(edges, chance, side="right").astype(np.int64)


def _calibration(
    rows: LabelledRows, fitted: Fitted, confidence: float
) -> tuple[tuple[float, float, float], float, float | None]:
    """Error of the chances over tenths of the rows, its noise floor, and the slope of their logits."""
    tenth, weight = _tenths(fitted.chance), rows.together.weight
    w = np.bincount(tenth, weight, BINS)
    w2 = np.bincount(tenth, np.square(weight), BINS)
    there = w > 0
    effective = np.where(there, np.square(w) / np.where(there, w2, 1.0), 0.0) / _design_effect(rows)
    chance = np.bincount(tenth, weight * fitted.chance, BINS) / np.where(there, w, 1.0)
    label = np.bincount(tenth, weight * rows.wrong, BINS) / np.where(there, w, 1.0)
    found = calibration_error(effective, chance, label, confidence, share=w / w.sum())
    line = fit_logistic(fitted.chance, weight * ~rows.wrong, weight * rows.wrong)
    slope = None if isinstance(line, NoFit) else line.slope
    return (found.value, found.low, found.high), found.noise_floor, slope


def _design_effect(rows: LabelledRows) -> float:
    rate = mean_of_rows("wrong_rate", rows.wrong.astype(np.float64), rows.together)
    return max(rate.chosen().variance / rate.row_variance, 1.0) if rate.row_variance > 0 else 1.0


def _value(estimate: Estimate) -> float:
    if estimate.value is None:
        raise ValueError("a mean of rows has a value")
    return estimate.value


def _numbers(estimate: Estimate, confidence: float) -> tuple[float, float, float]:
    low, high, _ = estimate.interval(confidence)
    return _value(estimate), low, high
