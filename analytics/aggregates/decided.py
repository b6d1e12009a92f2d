"""Rows without a score or a decision, and where the decisions of each version turn: what examples ask first."""

from __future__ import annotations

from collections.abc import Iterator

from analytics.aggregates.additive import Additive, Standard
from analytics.aggregates.keys import KEYS
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog

COUNTS = ("n", "unscored", "undecided", "scored_undecided")


def decided_parts(catalog: Catalog) -> Additive:
    """By window, version and segment: `COUNTS`; of a binary model the highest score decided 0 and the lowest decided 1.

    No label is read.
    """
    binary = catalog.predictions.task == "binary"
    ends = (
        ", max(CASE WHEN scored AND decision = 0 THEN score END) AS highest_negative, "
        "min(CASE WHEN scored AND decision = 1 THEN score END) AS lowest_positive"
    )

    def query(rows: Sql) -> Sql:
        text = (
            f"SELECT {KEYS}, count(*) AS n, count(CASE WHEN NOT scored THEN 1 END) AS unscored, "
            "count(CASE WHEN decision IS NULL THEN 1 END) AS undecided, "
            f"count(CASE WHEN scored AND decision IS NULL THEN 1 END) AS scored_undecided{ends if binary else ''} "
            f"FROM ({rows.text}) GROUP BY {KEYS}"
        )
        return Sql(text, rows.parameters)

    lows, highs = (("lowest_positive",), ("highest_negative",)) if binary else ((), ())
    return Additive("decided", query, COUNTS, lows, highs, labelled=False)


def standard_examples(catalog: Catalog) -> Iterator[Standard]:
    """What the Examples page reads at its default."""
    yield Standard(decided_parts(catalog))
