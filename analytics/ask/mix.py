"""The mix of a scope: how often each class was predicted, expected and came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from analytics.aggregates.additive import held_rows, shown
from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import RowMoments, needed_columns, read_row_moments
from analytics.aggregates.tenths import read_tenths
from analytics.ask.aggregates import decides
from analytics.ask.calibration import Place, places_of
from analytics.ask.labels import Maturity, maturity_of
from analytics.ask.windows import resolve
from analytics.measures import mix
from analytics.measures.binary import NO_DECISIONS, few_rows
from analytics.measures.calibration import Settled, settled
from analytics.measures.estimate import ratio
from analytics.quality.calibration import MixRow, adjusted_mix
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Cells = dict[CellKey, Settled]


def mix_of(catalog: Catalog, scope: Scope) -> Results[MixRow]:
    """Shares of each class predicted, expected and come, of every window, version and segment value.

    A regression has no classes: the tenths of the labels that came in the whole scope take their place.
    """
    zone = catalog.project.zone
    scope, windows = resolve(catalog, scope)
    if not windows:
        return Results((), zone, notes=("The logs hold no prediction.",))
    rows = scoped_rows(catalog, scope)
    with held_rows(catalog, rows, partial(needed_columns, catalog.predictions)) as kept:
        if catalog.predictions.task == "regression":
            edges = read_tenths(catalog, kept, "label", by_version=False).get(None, ())
            classes = mix.mix_tenths(edges)
        else:
            classes = mix.mix_classes(catalog.predictions, decides=decides(catalog.predictions))
        statistics = mix.mix_statistics(classes)
        moments, text = read_row_moments(catalog, kept, statistics, mix.mix_together(statistics))
        text = shown(rows, kept, text)
    enough = {key: one for key, one in moments.items() if few_rows(*_counts(one)) is None}
    answers = []
    maturity = maturity_of(catalog, scope)
    places = list(places_of(catalog, scope, windows, moments))
    for i, one in enumerate(classes):
        decided = _settled(enough, f"decided_gap_{i}")
        expected = _settled(enough, f"expected_gap_{i}")
        for position, (place, key) in enumerate(places):
            row = _row(
                one.name, i, place, moments.get(key), (decided.get(key), expected.get(key)), scope.confidence
            )
            answers.append((position, _aged(row, maturity)))
    ordered = [row for _, row in sorted(answers, key=lambda pair: pair[0])]
    return Results(adjusted_mix(ordered), zone, (text,), maturity.notes)


def _counts(moments: RowMoments) -> tuple[int, int, int]:
    return moments.n, moments.count("scored"), moments.count("labelled")


def _settled(moments: Mapping[CellKey, RowMoments], name: str) -> Cells:
    if not moments or name not in next(iter(moments.values())).names:
        return {}
    return settled({key: ratio(name, one, name, "labelled") for key, one in moments.items()}, moments)


def _row(
    name: str,
    i: int,
    place: Place,
    moments: RowMoments | None,
    gaps: tuple[Settled | None, Settled | None],
    confidence: float,
) -> MixRow:
    counts = (0, 0, 0) if moments is None else _counts(moments)
    nothing: dict[str, Any] = dict.fromkeys(MixRow.__dataclass_fields__)
    known: dict[str, Any] = {
        "window_start": place.window.start,
        "window_end": place.window.end,
        "version": place.version,
        "segment": place.segment,
        "segment_value": place.value,
        "class_": name,
        "n": counts[0],
        "n_labelled": counts[2],
    }
    few = few_rows(*counts)
    if moments is None or few is not None:
        status, reason = few or ("no_data", "no rows in this window")
        return MixRow(**(nothing | known | {"status": status, "reason": reason}))
    total = moments.total("labelled")
    known |= {"came": moments.total(f"came_{i}") / total, "status": "ok"}
    decided, expected = gaps
    if decided is not None:
        low, high = decided.interval(confidence)
        known |= {
            "predicted": moments.total(f"decided_{i}") / total,
            "decided_difference": decided.estimate.value,
            "decided_ci_low": low,
            "decided_ci_high": high,
            "p_value": decided.p_value,
            "independence": decided.chosen.independence,
        }
    else:
        known["reason"] = NO_DECISIONS
    if expected is not None:
        low, high = expected.interval(confidence)
        known |= {
            "expected": moments.total(f"expected_{i}") / total,
            "expected_difference": expected.estimate.value,
            "expected_ci_low": low,
            "expected_ci_high": high,
            "expected_p_value": expected.p_value,
        }
        known.setdefault("independence", expected.chosen.independence)
    return MixRow(**(nothing | known))


def _aged(row: MixRow, maturity: Maturity) -> MixRow:
    late = maturity.reason(row.window_end) if row.status == "ok" else None
    return row if late is None else replace(row, status="immature", reason=late)
