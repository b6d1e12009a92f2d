"""A regression by tenth of its predictions: mean label with interval, and the spread of the errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import RowMoments, Statistic, needed_columns, read_row_moments
from analytics.aggregates.tenths import ErrorSpread, by_tenth, read_error_spread, read_tenths
from analytics.ask.windows import resolve, versions_of
from analytics.errors import ScopeError
from analytics.measures.calibration import Settled, settled
from analytics.measures.estimate import LEAST_ROWS, ratio
from analytics.quality.calibration import DecileRow
from analytics.results import Results
from analytics.scope import Scope, Window
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

_LABELLED = "scored AND label IS NOT NULL"
_STATISTICS = tuple(
    Statistic(name, f"CASE WHEN {_LABELLED} THEN {then} ELSE 0e0 END")
    for name, then in (("labelled", "1e0"), ("prediction", "score"), ("label", "label"))
)


def deciles_of(catalog: Catalog, scope: Scope) -> Results[DecileRow]:
    """Tenths of the predictions of each version, cut over the whole scope, in every window.

    Raises:
        ScopeError: the task is not regression.
    """
    if catalog.predictions.task != "regression":
        raise ScopeError("tenths of predictions need a regression project; look at calibration instead")
    zone = catalog.project.zone
    scope, windows = resolve(catalog, replace(scope, by=None))
    rows = scoped_rows(catalog, scope)
    with catalog.engine.kept(needed_columns(catalog.predictions, rows)) as kept:
        edges = read_tenths(catalog, kept, "score")
        tenths = by_tenth(kept, "score", edges)
        moments, text = read_row_moments(
            catalog, tenths, _STATISTICS, (("labelled", "prediction"), ("labelled", "label"))
        )
        spreads = read_error_spread(catalog, tenths)
    labelled = {key: one for key, one in moments.items() if one.count("labelled")}
    means = settled(
        {key: ratio("label", one, "label", "labelled") for key, one in labelled.items()}, labelled
    )
    answers = [
        row
        for window in windows
        for version in versions_of(catalog, scope)
        for row in _rows(
            window, version, edges.get(version, ()), (labelled, means, spreads), scope.confidence
        )
    ]
    return Results(tuple(answers), zone, (text.replace(kept.text, rows.text),))


_Read = tuple[Mapping[CellKey, RowMoments], Mapping[CellKey, Settled], Mapping[CellKey, ErrorSpread]]


def _rows(
    window: Window, version: str | None, edges: tuple[float, ...], read: _Read, confidence: float
) -> Iterator[DecileRow]:
    moments, means, spreads = read
    bounds = [None, *edges, None]
    for tenth in range(len(edges) + 1):
        key = CellKey(window.key, version, str(tenth))
        one = moments.get(key)
        n = 0 if one is None else one.count("labelled")
        nothing: dict[str, Any] = dict.fromkeys(DecileRow.__dataclass_fields__)
        place = {"window_start": window.start, "window_end": window.end, "version": version}
        edge = {"bin_low": bounds[tenth], "bin_high": bounds[tenth + 1], "n": n, "status": "ok"}
        empty = DecileRow(**(nothing | place | edge))
        if one is None or n < LEAST_ROWS:
            yield replace(
                empty,
                status="too_few" if n else "no_data",
                reason=f"{n} labelled rows; at least {LEAST_ROWS} are needed" if n else "no labelled rows",
            )
            continue
        low, high = means[key].interval(confidence)
        quantiles = spreads[key].values
        yield replace(
            empty, mean_prediction=one.total("prediction") / one.total("labelled"),
            mean_label=means[key].estimate.value, ci_low=low, ci_high=high, residual_low=quantiles[0],
            residual_quarter=quantiles[1], residual_median=quantiles[2], residual_three_quarters=quantiles[3],
            residual_high=quantiles[4], independence=means[key].chosen.independence,
        )  # fmt: skip
