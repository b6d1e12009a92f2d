"""How rows of one unit are spread over the reference and the windows, and what a sample of units looks like there.

How alike rows of one unit are is learnt from the bins of at most `SAMPLED` units of the reference. What that means for
a window depends on how many pairs of rows share a unit, within and across the sides: one scan of the unit alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from analytics.aggregates.features import CellHistogram, feature_histograms
from analytics.aggregates.reference_bins import ReferenceBins, counted_rows, of_version
from analytics.engines.text import Sql
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

SAMPLED = 2000


class UnitPairs(NamedTuple):
    """How many rows of one window and version share units; weights count as many rows as they say.

    Attributes:
        units: number of units.
        alike: part of all pairs of its rows that are two rows of one unit.
        across: part of all pairs of one of its rows and one of the reference that belong to one unit.
    """

    units: int
    alike: float
    across: float


@dataclass(frozen=True)
class ReferenceUnits:
    """The reference of one version by unit.

    Attributes:
        units: number of units.
        alike: part of all pairs of its rows that are two rows of one unit.
        sample: the bins of at most `SAMPLED` units, drawn by the digest of their names; units stand for blocks.
        sql: the texts that counted.
    """

    units: int
    alike: float
    sample: CellHistogram
    sql: tuple[str, ...] = ()


def reference_units(
    catalog: Catalog, scope: Scope, bins: tuple[ReferenceBins, ...], version: str | None
) -> ReferenceUnits | None:
    """Count the reference of one version by unit; None where it has none.

    Args:
        catalog: the project's views.
        scope: its filters.
        bins: of the version.
        version: the version whose reference rows are counted.
    """
    by_unit = _by_unit(catalog, scopeless(scope), "reference", [version])
    text = f"SELECT {_ALIKE} FROM ({by_unit.text}) AS w"
    row = catalog.engine.query(Sql(text, by_unit.parameters)).to_pylist()[0]
    if not row["units"]:
        return None
    rows = scoped_rows(catalog, scopeless(scope), "reference")
    own = of_version(version, "unit_version")
    drawn = (
        "SELECT unit, row_number() OVER (ORDER BY md5(unit), unit) AS place FROM (SELECT DISTINCT unit FROM "
        f"(SELECT CAST(unit AS VARCHAR) AS unit FROM ({rows.text}) WHERE unit IS NOT NULL AND {own.text} "
        f"AND {counted_rows(catalog)}))"
    )
    sampled = (
        f"SELECT r.*, u.place FROM ({rows.text}) AS r JOIN (SELECT unit, place FROM ({drawn}) "
        f"WHERE place <= {SAMPLED}) AS u ON CAST(r.unit AS VARCHAR) = u.unit"
    )
    by = (Sql(sampled, rows.parameters | own.parameters), "place")
    counted = feature_histograms(catalog, scope, bins, [version], "reference", by)
    sample = next(iter(counted.cells.values()), CellHistogram.empty(bins))
    return ReferenceUnits(int(row["units"]), float(row["alike"] or 0.0), sample, (text, counted.sql))


def unit_pairs(
    catalog: Catalog, scope: Scope, versions: Sequence[str | None], reference_version: str | None
) -> tuple[Mapping[tuple[datetime, str | None], UnitPairs], str]:
    """Count which rows of every window and version share a unit, with one another and with the reference.

    Args:
        catalog: the project's views.
        scope: the windows.
        versions: the versions to count.
        reference_version: the version whose reference rows they are compared with.

    Returns:
        (window key, version) -> the pairs, and the text that counted them.
    """
    windows = _by_unit(catalog, scope, "predictions", versions)
    reference = _by_unit(catalog, scopeless(scope), "reference", [reference_version], "unit_reference")
    text = (
        f"SELECT w.window_key, w.version, {_ALIKE}, sum(w.n * r.n / r.total) / sum(w.n) AS across "
        f"FROM ({windows.text}) AS w LEFT JOIN (SELECT unit, n, sum(n) OVER () AS total FROM ({reference.text})) "
        "AS r ON r.unit = w.unit GROUP BY w.window_key, w.version"
    )
    table = catalog.engine.query(Sql(text, windows.parameters | reference.parameters))
    found = {
        (row["window_key"], row["version"]): UnitPairs(
            int(row["units"]), float(row["alike"] or 0.0), float(row["across"] or 0.0)
        )
        for row in table.to_pylist()
    }
    return found, text


_ALIKE = (
    "count(w.unit) AS units, sum(CASE WHEN w.unit IS NOT NULL THEN w.n * w.n - w.squares ELSE 0e0 END) "
    "/ (sum(w.n) * sum(w.n)) AS alike"
)


def scopeless(scope: Scope) -> Scope:
    """The filters of a scope and nothing else: what applies to the reference."""
    return Scope(filters=scope.filters)


def _by_unit(
    catalog: Catalog, scope: Scope, source: str, versions: Sequence[str | None], name: str = "unit_window"
) -> Sql:
    """Rows (or weights) and squared weights per window, version and unit."""
    rows = scoped_rows(catalog, scope, "reference" if source == "reference" else "predictions")
    wanted = [of_version(version, f"{name}_{i}") for i, version in enumerate(versions)]
    weight = "weight" if catalog.predictions.weight is not None else "1e0"
    text = (
        f"SELECT window_key, version, unit, sum({weight}) AS n, sum({weight} * {weight}) AS squares FROM "
        f"({rows.text}) WHERE ({' OR '.join(part.text for part in wanted) or 'FALSE'}) AND "
        f"{counted_rows(catalog)} GROUP BY window_key, version, unit"
    )
    parameters = dict(rows.parameters)
    for part in wanted:
        parameters |= part.parameters
    return Sql(text, parameters)
