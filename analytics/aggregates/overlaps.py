"""Units that are in another experiment too, or that live with units of another arm: moments by what else they saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.arms import RATIO, VALUE, ArmMoments
from analytics.aggregates.first_arms import arms, seen
from analytics.aggregates.keys import column
from analytics.aggregates.readings import Reading, Wanted
from analytics.aggregates.unit_ages import opened
from analytics.aggregates.unit_kinds import value_column
from analytics.aggregates.unit_table import UnitTable, capped, caps
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog

MOST_MATES = 6
"""Sizes of clusters are told apart up to this one; larger ones hold hardly anybody without a mate elsewhere."""


@dataclass(frozen=True, eq=False)
class Overlap:
    """Units of an experiment that are in another one too.

    Attributes:
        other: its name.
        arms, other_arms: declared.
        counts: units by arm and arm of the other, shape (arms, other arms).
        moments: metric -> moments whose strata are arms of the other.
    """

    other: str
    arms: tuple[str, ...]
    other_arms: tuple[str, ...]
    counts: NDArray[np.float64]
    moments: Mapping[str, ArmMoments] = field(default_factory=dict)


MIXED, ALONE = "mixed", "alone"


@dataclass(frozen=True, eq=False)
class Mates:
    """Units of the control by who shares their cluster.

    Attributes:
        n_mixed, n: clusters with units of several arms, and all clusters of two units or more.
        moments: metric -> moments of the control's units: arm ``mixed`` where a mate is in another arm, ``alone``
            otherwise; strata are the sizes of clusters.
    """

    n_mixed: int
    n: int
    moments: Mapping[str, ArmMoments]


def read_overlaps(
    catalog: Catalog, reading: Reading, others: Sequence[Reading], control: str
) -> tuple[tuple[Overlap, ...], Mates | None]:
    """Read who else saw what.

    Args:
        catalog: the project's logs.
        reading: of the experiment.
        others: readings of other experiments over the same exposures; their metrics do not matter.
        control: of the experiment.

    Returns:
        One overlap for every other experiment with common units, and the control's mates where units come in clusters
        that are not what was randomised.
    """
    with opened(catalog, reading) as table:
        columns = {one.name: _columns(table, i, one) for i, one in enumerate(reading.metrics)}
        found = [_overlap(table, other, columns) for other in others]
        mates = _mates(table, columns, control) if table.clustered else None
    return tuple(one for one in found if one.counts.sum()), mates


def read_means(
    catalog: Catalog, reading: Reading
) -> tuple[dict[str, int], dict[str, dict[str, tuple[float, ...]]]]:
    """Units of every arm, and metric -> arm -> means of its columns: what a lift needs, and nothing more."""
    with opened(catalog, reading) as table:
        columns = [
            (one.name, text)
            for i, one in enumerate(reading.metrics)
            for text in _columns(table, i, one).values()
        ]
        items = "".join(f", avg({text}) AS mean_{i}" for i, (_, text) in enumerate(columns))
        rows = table.query(
            f"SELECT variant, count(*) AS n{items} FROM ({table.units.text}) GROUP BY variant"
        ).to_pylist()
    means: dict[str, dict[str, tuple[float, ...]]] = {one.name: {} for one in reading.metrics}
    for row in rows:
        for i, (name, _) in enumerate(columns):
            value = row[f"mean_{i}"]
            if value is not None:
                means[name][row["variant"]] = (*means[name].get(row["variant"], ()), float(value))
    return {row["variant"]: int(row["n"]) for row in rows}, means


def _columns(table: UnitTable, index: int, wanted: Wanted) -> dict[str, str]:
    raw = {name: value_column(index, name) for name in wanted.columns}
    limits = caps(table, wanted, raw)
    return {name: capped(text, limits.get(name)) for name, text in raw.items()}


def _overlap(table: UnitTable, other: Reading, columns: Mapping[str, Mapping[str, str]]) -> Overlap:
    catalog, declared = table.catalog, tuple(table.reading.variants)
    bare = Reading(**{**other.__dict__, "metrics": ()})
    with catalog.engine.kept(seen(catalog, bare, ties=True)) as appearances:
        named = ", ".join(literal(name) for name in other.variants)
        first = arms(catalog, bare, appearances, ties=True)
        units = Sql(
            f"SELECT u.*, o.variant AS grouped FROM ({table.units.text}) AS u JOIN ({first.text}) AS o "
            f"ON u.unit = o.unit WHERE o.variant IN ({named})",
            table.units.parameters | first.parameters,
        )
        with catalog.engine.kept(units) as kept:
            both = UnitTable(catalog, table.reading, kept)
            rows = both.query(
                f"SELECT variant, grouped, count(*) AS n FROM ({kept.text}) GROUP BY variant, grouped"
            ).to_pylist()
            counts = np.zeros((len(declared), len(other.variants)))
            for row in rows:
                counts[declared.index(row["variant"]), other.variants.index(row["grouped"])] = row["n"]
            moments = {name: _moments(both, own, "variant") for name, own in columns.items()} if rows else {}
    return Overlap(other.name, declared, tuple(other.variants), counts, moments)


def _mates(table: UnitTable, columns: Mapping[str, Mapping[str, str]], control: str) -> Mates | None:
    catalog, is_control = table.catalog, f"variant = {literal(control)}"
    size = f"CAST(least(count(*) OVER (PARTITION BY cluster), {MOST_MATES}) AS VARCHAR)"
    # who lives with whom depends on the shares of the stratum and of the phase, too
    alike = f"{size} || ' ' || coalesce(stratum, '') || ' ' || CAST(phase AS VARCHAR)"
    lives_with = f"max(CASE WHEN {is_control} THEN 0 ELSE 1 END) OVER (PARTITION BY cluster)"
    units = Sql(
        f"SELECT *, {alike} AS grouped, {lives_with} AS treated FROM ({table.units.text})",
        table.units.parameters,
    )
    with catalog.engine.kept(units) as kept:
        whole = UnitTable(catalog, table.reading, kept)
        row = whole.row(
            "SELECT count(*) AS n, count(*) FILTER (arms > 1) AS mixed FROM ("
            f"SELECT count(DISTINCT variant) AS arms FROM ({kept.text}) GROUP BY cluster HAVING count(*) > 1)"
        )
        if not row["mixed"]:
            return None
        chosen = Sql(f"SELECT * FROM ({kept.text}) WHERE {is_control} AND grouped NOT LIKE '1 %'")
        own = UnitTable(catalog, table.reading, chosen)
        arm = f"CASE WHEN treated = 1 THEN {literal(MIXED)} ELSE {literal(ALONE)} END"
        moments = {name: _moments(own, texts, arm) for name, texts in columns.items()}
    return Mates(int(row["mixed"]), int(row["n"]), moments)


def _moments(table: UnitTable, columns: Mapping[str, str], arm: str) -> ArmMoments:
    """Moments by an arm, the group of `grouped` and the cluster."""
    names = tuple(columns)
    present = " AND ".join(f"{text} IS NOT NULL" for text in columns.values())
    inner = ", ".join(f"{text} AS c{i}" for i, text in enumerate(columns.values()))
    cluster = "cluster" if table.clustered else "CAST(NULL AS VARCHAR)"
    k = len(names)
    pairs = [(i, j) for i in range(k) for j in range(i, k)]
    items = [f"avg(c{i}) AS mean_{i}" for i in range(k)]
    items += [f"coalesce(covar_pop(c{i}, c{j}), 0e0) * count(*) AS co_{i}_{j}" for i, j in pairs]
    found = table.query(
        f"SELECT arm, grouped, cluster, count(*) AS n, {', '.join(items)} FROM (SELECT {arm} AS arm, grouped, "
        f"{cluster} AS cluster, {inner} FROM ({table.units.text}) WHERE {present}) GROUP BY arm, grouped, cluster"
    )
    comoments = np.zeros((found.num_rows, k, k))
    for i, j in pairs:
        comoments[:, i, j] = comoments[:, j, i] = column(found, f"co_{i}_{j}")
    return ArmMoments(
        RATIO if names == RATIO else VALUE,
        np.array(found.column("arm").to_pylist(), dtype=np.str_),
        np.full(found.num_rows, np.datetime64("NaT"), dtype="datetime64[D]"),
        _numbers(found) if table.clustered else None,
        column(found, "n"),
        np.column_stack([column(found, f"mean_{i}") for i in range(k)]),
        comoments,
        strata=np.array(found.column("grouped").to_pylist(), dtype=np.str_),
    )


def _numbers(found: pa.Table) -> NDArray[np.int64]:
    encoded = found.column("cluster").combine_chunks().dictionary_encode()
    numbers: NDArray[np.int64] = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers
