"""One number a day for every watched field, from the histograms that drift counts.

A numeric field's day is the mean rank of its values in the reference (the share of the reference below them, half of
the own bin): .5 is a day like the reference, .6 a day whose values lie ten percentiles higher. A category's day is
its share. The share of missing values, and of values the reference never had, are looked at as well where they occur.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analytics.aggregates.features import CellHistogram, FeatureHistograms, FieldCounts, feature_histograms
from analytics.aggregates.reference_bins import ReferenceBins, reference_version_of
from analytics.ask.days import Grain, days_of, starts_of
from analytics.ask.drift import reference_of
from analytics.ask.labels import Maturity
from analytics.changes.describe import Subject
from analytics.changes.rows import Statistic
from analytics.scope import Scope, Window
from analytics.stats.arrays import FloatArray
from analytics.stats.daily import WEEK, Daily
from analytics.telemetry.catalog import Catalog

LEAST_ROWS = 30
MOST_CATEGORIES = 5
"""So many of the reference's most frequent categories have a series of their own."""
Candidate = tuple[Statistic, str | None, Daily]


def field_subjects(
    catalog: Catalog,
    scope: Scope,
    windows: tuple[Window, ...],
    versions: tuple[str | None, ...],
    maturity: Maturity,
) -> tuple[list[Subject], tuple[str, ...]]:
    """What each watched field of each version is day by day, and the texts that counted.

    Args:
        catalog: a project with a reference.
        scope: with both ends set and a grain of day or week.
        windows: its windows.
        versions: each counted on the bins of its own reference.
        maturity: labels of days that still wait for some are left out.
    """
    groups: dict[str | None, list[str | None]] = {}
    for version in versions:
        groups.setdefault(reference_version_of(catalog, version), []).append(version)
    subjects: dict[str | None, list[Subject]] = {}
    texts: list[str] = []
    for reference_version, members in groups.items():
        bins, reference, text = reference_of(catalog, reference_version, scope.filters)
        counted = feature_histograms(catalog, scope, bins, members)
        texts += [text, counted.sql]
        for version in members:
            cells = _cells(counted, version, windows)
            grain: Grain = "week" if scope.grain == "week" else "day"
            drift = catalog.project.drift
            subjects[version] = [
                _subject(
                    version,
                    item,
                    i,
                    reference,
                    cells,
                    maturity,
                    grain,
                    (drift.tolerance_of(item.field.name), drift.share_tolerance),
                )
                for i, item in enumerate(bins)
            ]
    return [subject for version in versions for subject in subjects[version]], tuple(texts)


def _cells(
    counted: FeatureHistograms, version: str | None, windows: tuple[Window, ...]
) -> list[tuple[Window, CellHistogram]]:
    found = ((window, counted.cells.get((window.key, version))) for window in windows)
    return [(window, cell) for window, cell in found if cell is not None]


def _subject(  # noqa: PLR0917  # one argument a thing it is made of
    version: str | None,
    item: ReferenceBins,
    index: int,
    reference: CellHistogram,
    cells: list[tuple[Window, CellHistogram]],
    maturity: Maturity,
    grain: Grain,
    tolerance: tuple[float, float],
) -> Subject:
    role = item.field.role
    own = reference.field(index).counts.sum(axis=0)
    about = Subject(
        version, role, item.field.name, (), starts_of([window for window, _ in cells]), tolerance=tolerance
    )
    if item.absent or not own.sum() > 0:
        return replace(about, reason="the reference has no value of it")
    dated = [
        (window, cell.field(index))
        for window, cell in cells
        if role != "label" or maturity.reason(window.end) is None
    ]
    kept = [(window, field) for window, field in dated if field.rows.sum() >= LEAST_ROWS]
    counts = np.stack([field.counts.sum(axis=0) for _, field in kept]) if kept else np.zeros((0, item.size))
    size = np.array([_effective(field) for _, field in kept])
    days = days_of([window for window, _ in kept])
    period = WEEK if grain == "week" else 1
    candidates = tuple(
        (statistic, category, Daily(days, values, variance, period))
        for statistic, category, values, variance in _summaries(item, own, counts, size)
    )
    return replace(about, candidates=candidates)


def _effective(field: FieldCounts) -> float:
    squares = float(field.squares.sum())
    return float(field.counts.sum()) ** 2 / squares if squares > 0 else 0.0


def _summaries(
    item: ReferenceBins, own: FloatArray, counts: FloatArray, size: FloatArray
) -> Iterator[tuple[Statistic, str | None, FloatArray, FloatArray]]:
    """Each number a day that tells of the field, and its variance."""
    total = np.maximum(counts.sum(axis=1), 1e-300)
    n = item.n_values
    if item.is_numeric:
        yield ("mean_rank", None, *_mean_rank(own, counts, n, size))
    else:
        # of two categories the shares tell the same
        listed = np.argsort(-own[:n], kind="stable")[: MOST_CATEGORIES if n > 2 else 1]
        for place in listed.tolist():
            yield ("share", item.names[place], *_share(counts[:, place] / total, size))
    missing = counts[:, n] / total
    if missing.any():
        yield ("missing_rate", None, *_share(missing, size))
    if not item.is_numeric and counts[:, n + 1].any():
        yield ("share", item.names[n + 1], *_share(counts[:, n + 1] / total, size))


def _mean_rank(
    own: FloatArray, counts: FloatArray, n: int, size: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Over present values; infinities lie beyond all bins."""
    order = [n + 2, *range(n), n + 1]
    reference = own[order]
    below = np.cumsum(reference) - reference / 2
    ranks = below / max(float(reference.sum()), 1e-300)
    present = counts[:, order]
    total = np.maximum(present.sum(axis=1), 1e-300)
    mean = present @ ranks / total
    spread = np.maximum(present @ ranks**2 / total - mean**2, 0.0)
    rows = np.maximum(size * total / np.maximum(counts.sum(axis=1), 1e-300), 1.0)
    return mean, float(spread.mean()) / rows if len(rows) else spread


def _share(share: FloatArray, size: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One constant for all days: a day must not count for more because its share is near 0."""
    pooled = float((share * size).sum() / max(float(size.sum()), 1e-300))
    return share, pooled * (1 - pooled) / np.maximum(size, 1.0)
