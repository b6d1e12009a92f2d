"""SQL for columns that are neither numbers nor categories: texts, embeddings and attributions, over scoped rows."""

from __future__ import annotations

from analytics.telemetry import typed
from analytics.telemetry.catalog import Catalog


def text_column(name: str) -> str:
    """A text; NULL where missing."""
    return f"CAST({typed.column(name)} AS VARCHAR)"


def embedding_column(catalog: Catalog, name: str) -> str:
    """A list of doubles; NULL where there is none, or where it cannot be read as one."""
    kind = catalog.types[name]
    if kind.endswith("]") or kind == "VARCHAR":
        return f"TRY_CAST({typed.column(name)} AS DOUBLE[])"
    return "CAST(NULL AS DOUBLE[])"


def number_column(name: str) -> str:
    """A double; NULL where it is no finite number."""
    number = f"TRY_CAST({typed.column(name)} AS DOUBLE)"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


IDENTITY = {"id": "id", "file": "file", "row": "row"}
"""What leads from a sampled row back to the log."""
WEIGHED = "weight > 0e0"
"""Rows that stand for somebody."""
LABELLED = "label IS NOT NULL AND scored"
"""Rows that have a loss."""


def watched(catalog: Catalog) -> str:
    """Rows that take part in drift: a failed request only where it has a score."""
    return f"{WEIGHED} AND scored" if catalog.predictions.status is not None else WEIGHED
