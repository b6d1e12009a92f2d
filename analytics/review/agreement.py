"""How far people agree on what they label: Cohen's kappa, and over all pairs of people its pooled form."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa

from analytics.review.rows import AgreementRow
from analytics.stats.intervals import normal_quantile

LEAST = 10
Pair = tuple[str, str]


def agreements(
    queue: str, given: Iterable[tuple[str, str, str]], confidence: float
) -> tuple[AgreementRow, ...]:
    """Agreement of every pair of people, and first that over all pairs.

    Args:
        queue: its name.
        given: prediction, person and label of every answer; one a person and prediction.
        confidence: of the intervals.
    """
    by_row: dict[str, dict[str, str]] = {}
    for prediction, person, label in given:
        by_row.setdefault(prediction, {})[person] = label
    pairs: dict[Pair, list[Pair]] = {}
    for answers in by_row.values():
        for one, other in combinations(sorted(answers), 2):
            pairs.setdefault((one, other), []).append((answers[one], answers[other]))
    everything = [both for found in pairs.values() for both in found]
    rows = [_row(queue, None, None, everything, confidence)]
    if len(pairs) > 1 or (pairs and len(everything) > 0):
        rows += [_row(queue, *people, found, confidence) for people, found in sorted(pairs.items())]
    return tuple(rows)


def _row(
    queue: str, first: str | None, second: str | None, both: Sequence[Pair], confidence: float
) -> AgreementRow:
    n = len(both)
    if n == 0:
        reason = "no row has been labelled by two people yet"
        return AgreementRow(queue, first, second, None, None, None, None, 0, "no_data", reason)
    same = sum(one == other for one, other in both) / n
    if n < LEAST:
        reason = f"{n} rows labelled by both; {LEAST} are needed"
        return AgreementRow(queue, first, second, same, None, None, None, n, "too_few", reason)
    names = sorted({label for pair in both for label in pair})
    if len(names) < 2:
        reason = "everybody gave the same label every time, so chance alone would agree as well"
        return AgreementRow(queue, first, second, same, None, None, None, n, "undefined", reason)
    value, low, high = kappa(both, names, symmetric=first is None, confidence=confidence)
    return AgreementRow(queue, first, second, same, value, low, high, n, "ok", None)


def kappa(
    both: Sequence[Pair], names: Sequence[str], *, symmetric: bool, confidence: float
) -> tuple[float, float, float]:
    """Cohen's kappa with its interval (Fleiss, Cohen and Everitt's variance, by statsmodels).

    Args:
        both: the two labels of each row.
        names: of all labels.
        symmetric: whether who of the two is first means nothing: then both orders count, half each.
        confidence: of the interval.
    """
    place = {name: i for i, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    for one, other in both:
        table[place[one], place[other]] += 1
    if symmetric:
        table = (table + table.T) / 2
    with warnings.catch_warnings():
        # where everybody agrees the variance is 0, and statsmodels divides by it for a test we do not use
        warnings.simplefilter("ignore", RuntimeWarning)
        found = cohens_kappa(table)
    value = float(found.kappa)
    half = normal_quantile(confidence) * float(np.sqrt(max(found.var_kappa, 0.0)))
    if half == 0.0:
        # all alike: a share of 1 in n rows may well be less, by the rule of three
        half = (1 - value) + (1 - (1 - confidence) ** (1 / max(len(both), 1)))
    return value, max(value - half, -1.0), min(value + half, 1.0)
