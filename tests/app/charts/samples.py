"""Rows to draw: small, seeded, with everything in them that figures must not stumble over."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from analytics.drift.rows import DriftRow, HistogramRow
from analytics.project import Release
from analytics.quality.rows import CalibrationRow, ConfusionRow, MetricRow, PairBinRow, RocRow, ScoreBinRow
from analytics.scope import cut
from analytics.segments.rows import SegmentRow

ZONE = ZoneInfo("America/New_York")
EVIL = "<b>evil</b>"
RELEASES = (
    Release(timestamp=datetime(2013, 3, 6, tzinfo=ZONE), version="gbm-2013.03"),
    Release(timestamp=date(2013, 3, 12), version="logistic-2013.03", note="a <i>note</i>"),
    Release(timestamp=datetime(2013, 5, 1, tzinfo=UTC), version="hotfix"),
    Release(timestamp=datetime(2012, 1, 1, tzinfo=UTC), version="long ago"),
)


def weeks(n):
    start = datetime(2013, 3, 4, tzinfo=ZONE)
    return cut(start.astimezone(UTC), (start + timedelta(days=7 * n)).astimezone(UTC), "week", ZONE)


def metric_row(
    window,
    value,
    half=0.05,
    *,
    metric="log_loss",
    version="a",
    status="ok",
    n=1000,
    labelled=None,
    reason=None,
):
    known = value is not None
    return MetricRow(
        window.start, window.end, version, None, None, None, metric, value, value - half if known else None,
        value + half if known else None, n, n if labelled is None else labelled, "rows", status, reason,
    )  # fmt: skip


def metric(values, *, status=None, **more):
    windows = weeks(len(values))
    status = status or ["ok" if value is not None else "too_few" for value in values]
    return [
        metric_row(window, value, status=one, **more)
        for window, value, one in zip(windows, values, status, strict=True)
    ]


def reference(value=0.5, half=0.01, **more):
    return metric_row(weeks(1)[0], value, half, **more)


def scores(seed=1):
    rng = np.random.default_rng(seed)
    edges = np.unique(
        np.concatenate([[0, 1], np.arange(1, 100) / 100, 1 / (1 + np.exp(-np.linspace(-14, 14, 199)))])
    )
    window = weeks(1)[0]
    rows = []
    for label, centre in (("0", 2), ("1", 5), (None, 3)):
        counts, _ = np.histogram(rng.beta(centre, 5, 2000), edges)
        rows += [
            ScoreBinRow(window.start, window.end, "a", None, label, float(low), float(high), int(n), float(n))
            for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
        ]
    return rows


def roc(version="a", shift=1.0):
    rng = np.random.default_rng(2)
    positive, negative = rng.normal(shift, 1, 300), rng.normal(0, 1, 700)
    window = weeks(1)[0]
    rows = []
    for place, threshold in enumerate([*np.linspace(4, -4, 41), 0.5]):
        tp, fp = int((positive >= threshold).sum()), int((negative >= threshold).sum())
        rows.append(
            RocRow(
                window.start, window.end, version, None, float(threshold) if place < 41 else None, tp / 300,
                fp / 700,
                tp / (tp + fp) if tp + fp else None, (tp + fp) / 1000, tp, fp, 300 - tp, 700 - fp, tp + fp,
                place == 41,
            )
        )  # fmt: skip
    return rows


def confusion(classes):
    window = weeks(1)[0]
    rows = []
    for true in range(classes):
        for decided in range(classes):
            n = 100 if true == decided else true + 2 * decided
            total = 100 + sum(true + 2 * d for d in range(classes) if d != true)
            rows.append(
                ConfusionRow(
                    window.start, window.end, "a", None, None, f"c{true:02d}", f"c{decided:02d}", n, float(n),
                    n / total,
                    max(0.0, n / total - 0.01), n / total + 0.01,
                )
            )  # fmt: skip
    return rows


def calibration(version="a", factor=1.0):
    window = weeks(1)[0]
    return [
        CalibrationRow(
            window.start, window.end, version, None, b / 10, (b + 1) / 10, 500 - 40 * b, b / 10 + 0.05,
            (b / 10 + 0.05) * factor, (b / 10 + 0.05) * factor - 0.02, (b / 10 + 0.05) * factor + 0.02,
        )
        for b in range(10)
    ]  # fmt: skip


def pairs():
    window = weeks(1)[0]
    edges = [-math.inf, 0.0, 10.0, 20.0, math.inf]
    return [
        PairBinRow(
            window.start,
            window.end,
            "a",
            edges[i],
            edges[i + 1],
            edges[j],
            edges[j + 1],
            10 ** (3 - abs(i - j)),
        )
        for i in range(4)
        for j in range(4)
    ]


def residuals():
    window = weeks(1)[0]
    edges = [-math.inf, *range(-20, 21, 2), math.inf]
    return [
        ScoreBinRow(window.start, window.end, "a", "residual", None, float(low), float(high), n, float(n))
        for low, high, n in zip(edges[:-1], edges[1:], [3, *range(1, 21), 5], strict=True)
    ] + [ScoreBinRow(window.start, window.end, "a", "label", None, 0.0, 1e6, 10**6, 1e6)]


def drift_row(window, feature, moved, *, drifted=False, role="feature", version="a", missing=0.0, n=1000):
    unknown = moved is None
    return DriftRow(
        window.start, window.end, version, version, feature, role, "numeric", 9000, n,
        None if unknown else moved**2,
        moved, moved, 0.1, moved, moved, 0.05, None if unknown else 0.02, None if unknown else "rows",
        None if unknown else 0.01, None if unknown else 0.02, missing, 0.0, 0.0, None if unknown else drifted,
        "too_few" if unknown else "ok", "12 rows; at least 30 are needed" if unknown else None,
    )  # fmt: skip


def drift(n=6):
    rows = []
    for place, window in enumerate(weeks(n)):
        rows += [
            drift_row(window, "temp", 0.1 * place, drifted=place > 2),
            drift_row(window, "quiet", 0.01),
            drift_row(
                window, f"{EVIL} and a very long name indeed", 0.3 if place == 1 else 0.02, drifted=place == 1
            ),
            drift_row(window, "label", None if place == n - 1 else 0.03, role="label"),
            drift_row(window, "score", 0.2 if place > 2 else 0.01, drifted=place > 2, role="score"),
        ]
    return rows


def histogram_row(name, low, high, share, then, feature="temp"):
    window = weeks(1)[0]
    return HistogramRow(
        window.start,
        window.end,
        "a",
        "a",
        feature,
        name,
        low,
        high,
        round(9000 * then),
        round(1000 * share),
        then,
        share,
    )


def numeric_histogram():
    # as `analytics` gives them: an open end is None, a frequent value begins and ends at itself
    bins = [
        ("(-inf, 10)", None, 10.0, 0.05, 0.2),
        ("[10, 18)", 10.0, 18.0, 0.05, 0.2),
        ("[18, 20)", 18.0, 20.0, 0.1, 0.3),
        ("[20, inf)", 20.0, None, 0.7, 0.2),
    ]
    return [
        *(histogram_row(*row) for row in bins),
        histogram_row("15", 15.0, 15.0, 0.05, 0.08),
        histogram_row("(missing)", None, None, 0.04, 0.01),
        histogram_row("inf", None, None, 0.01, 0.01),
        histogram_row("-inf", None, None, 0.0, 0.0),
    ]


def categorical_histogram(n=30):
    rows = [histogram_row(f"k{i:02d}", None, None, (i + 1) / 1000, 1 / n, "carrier") for i in range(n)]
    return [
        *rows,
        histogram_row(EVIL, None, None, 0.3, 0.3, "carrier"),
        histogram_row("(unseen)", None, None, 0.1, 0.0, "carrier"),
    ]


def segment_row(where, value, elsewhere, *, p=0.5, worse=False, metric="log_loss", impact=0.0, n=500):
    window = weeks(1)[0]
    segment, _, name = where.partition("=")
    if value is None:
        return SegmentRow(window.start, window.end, "a", segment, name, where, metric, 3, 2, 0.001,
        *[None] * 6,
                          None, None, None, None, None, "too_few", "2 labelled rows")  # fmt: skip
    return SegmentRow(
        window.start, window.end, "a", segment, name, where, metric, n + 10, n, 0.1, value, value - 0.05,
        value + 0.05,
        elsewhere, value - elsewhere, value - elsewhere - 0.06, value - elsewhere + 0.06, p, p, worse,
        impact, "ok", None,
    )  # fmt: skip


def segments():
    return [
        segment_row("carrier=UA", 0.5, 0.5),
        segment_row("carrier=EV", 0.7, 0.5, p=0.001, worse=True, impact=0.02),
        segment_row("hour=[9, 13)", 0.9, 0.5, p=0.001, worse=True, impact=0.04),
        segment_row(f"carrier={EVIL}", 0.3, 0.5, p=0.01, worse=False, impact=-0.02),
        segment_row("carrier=HA", None, None),
    ]
