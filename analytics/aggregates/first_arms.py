"""Which arm each unit saw first, and when: exposures, or rows of units, grouped by unit."""

from __future__ import annotations

from datetime import UTC, datetime

from analytics.aggregates.readings import Reading, segment_columns
from analytics.engines.text import Sql, all_of
from analytics.errors import ProjectError, ScopeError
from analytics.telemetry.catalog import CLOCK_TOLERANCE, Catalog
from analytics.telemetry.experiment_rows import exposure_rows, unit_rows


def seen(catalog: Catalog, reading: Reading, *, ties: bool = False) -> Sql:
    """One row a unit and arm: its first appearance inside the experiment, and how many rows lie there or not.

    Rows from the future are counted by themselves. Rows without a unit or a time are grouped under a unit that is NULL.

    Args:
        catalog: the project's logs.
        reading: what is read.
        ties: whether file and row stand beside the time, so that a unit's arms can be put in order where times are
            equal; this takes several times as long.
    """
    name = _assigning(catalog, reading)
    rows = exposure_rows(catalog) if name == "exposures" else unit_rows(catalog)
    chosen = all_of([of_experiment(catalog, reading, name), known(catalog, reading, name)])
    here, later, before = (
        inside(catalog, reading, name),
        _future(catalog, name),
        _too_early(catalog, reading, name),
    )
    logged = tuple(
        own.column for own in segment_columns(catalog.project) if own.source == name == "exposures"
    )
    columns = "".join(f", {column}" for column in logged)
    parts = ", ".join(f"{column} := {column}" for column in ("ts", "file", "row", *logged))
    # what cannot be is a constant, and is not held of every unit
    early = "0" if before.text == "FALSE" else "count(*) FILTER (too_early)"
    place = f"min(struct_pack({parts})) FILTER (inside) AS place, " if ties or logged else ""
    text = (
        f"SELECT unit, variant, min(ts) FILTER (inside) AS ts, {place}count(*) FILTER (inside) AS n, "
        f"count(*) FILTER (NOT inside AND NOT future) AS outside, {early} AS too_early, "
        "count(*) FILTER (future) AS future FROM ("
        "SELECT CASE WHEN usable THEN unit END AS unit, variant, ts, file, row, future, "
        f"(usable AND {before.text}) AS too_early{columns}, "
        f"(usable AND NOT future AND {here.text}) AS inside FROM ("
        f"SELECT *, (usable AND {later.text}) AS future FROM ({rows}) WHERE {chosen.text})) GROUP BY unit, variant"
    )
    return Sql(text, here.parameters | chosen.parameters | later.parameters | before.parameters)


def arms(catalog: Catalog, reading: Reading, seen_rows: Sql, *, ties: bool = False) -> Sql:
    """One row a unit: the arm it saw first, when, and whether it saw another.

    Without ``ties`` no unit may have more than one arm. A narrower window chooses among the units by when they were
    first exposed; it never makes a later exposure the first.
    """
    asked = reading.asked
    if asked.parameters and getattr(catalog.project, _assigning(catalog, reading)).timestamp is None:
        raise ScopeError("these units carry no time, so no part of the experiment can be asked for")
    found = f"FROM ({seen_rows.text}) WHERE unit IS NOT NULL AND n > 0"
    name = _assigning(catalog, reading)
    logged = [own.column for own in segment_columns(catalog.project) if own.source == name == "exposures"]
    columns = "".join(f", place.{column} AS {column}" for column in logged)
    if not ties:
        return Sql(
            f"SELECT unit, variant, ts, FALSE AS multiple{columns} {found} AND {asked.text}", asked.parameters
        )
    return Sql(
        f"SELECT unit, variant, ts, arms > 1 AS multiple{columns} FROM ("
        "SELECT unit, variant, ts, place, row_number() OVER (PARTITION BY unit ORDER BY place) AS first, "
        f"count(*) OVER (PARTITION BY unit) AS arms {found}) WHERE first = 1 AND {asked.text}",
        asked.parameters,
    )


def _assigning(catalog: Catalog, reading: Reading) -> str:
    """The section that tells which arm a unit belongs to."""
    project = catalog.project
    name = "exposures" if project.exposures is not None else "units"
    section = project.exposures or project.units
    if section is None:
        raise ProjectError(
            f"{project.file}: experiments.{reading.name}: needs [exposures], or [units] with a variant, "
            "and there is neither"
        )
    if section.variant is None:
        raise ProjectError(f"{project.file}: units.variant: without [exposures] this key is required")
    if section.experiment is None and len(project.experiments) > 1:
        raise ProjectError(
            f"{project.file}: {name}.experiment: several experiments are declared; name the column that "
            "tells their rows apart"
        )
    return name


def _future(catalog: Catalog, name: str) -> Sql:
    """Whether a row is dated so far ahead that its clock was wrong: nobody was exposed yet."""
    if getattr(catalog.project, name).timestamp is None:
        return Sql("FALSE")
    latest = {"latest": datetime.now(UTC) + CLOCK_TOLERANCE}
    return Sql("coalesce(ts > CAST($latest AS TIMESTAMP WITH TIME ZONE), FALSE)", latest)


def _too_early(catalog: Catalog, reading: Reading, name: str) -> Sql:
    """Whether a row comes before the start."""
    if reading.start is None or getattr(catalog.project, name).timestamp is None:
        return Sql("FALSE")
    return Sql("coalesce(ts < CAST($start AS TIMESTAMP WITH TIME ZONE), FALSE)", {"start": reading.start})


def of_experiment(catalog: Catalog, reading: Reading, name: str) -> Sql:
    """Whether a row of a section belongs to the experiment."""
    if getattr(catalog.project, name).experiment is None or not reading.name:
        return Sql("TRUE")
    return Sql("experiment = $experiment", {"experiment": reading.name})


def inside(catalog: Catalog, reading: Reading, name: str) -> Sql:
    """Whether a row of a section lies inside the experiment; rows without times always do."""
    return Sql("TRUE") if getattr(catalog.project, name).timestamp is None else reading.stretch


def known(catalog: Catalog, reading: Reading, name: str) -> Sql:
    """Whether a row of a section was there by then; rows without times always were."""
    return Sql("TRUE") if getattr(catalog.project, name).timestamp is None else reading.known
