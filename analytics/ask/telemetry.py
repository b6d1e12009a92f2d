"""Telemetry: what every log file holds, and what of it was left out."""

from __future__ import annotations

from analytics.results import Results
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.report import FileRow, telemetry_report
from analytics.telemetry.summary import summarise


def telemetry_of(catalog: Catalog) -> Results[FileRow]:
    """One record a log file of every feed, damaged files included; the notes say what it adds up to."""
    rows = telemetry_report(catalog)
    return Results(rows, catalog.project.zone, notes=summarise(catalog, rows).sentences)
