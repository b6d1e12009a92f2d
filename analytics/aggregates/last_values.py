"""The simplest forecasts there are: the unit's latest label known at each prediction, and the mean of all labels."""

from __future__ import annotations

from analytics.engines.text import Sql
from analytics.project import Predictions
from analytics.telemetry.typed import score_column


def with_last_label(predictions: Predictions, rows: Sql, history: Sql) -> Sql:
    """Scoped rows with the columns quality reads and ``last_label``, NULL where nothing was known.

    Only labels whose timestamp lies before the prediction's count, whatever they are labels of; of labels with the same
    timestamp, that of the later prediction. Without a unit the feed's latest label is taken.

    Args:
        predictions: of the project file.
        rows: scoped rows.
        history: scoped rows whose labels may be known: the same project without start, filters and versions.
    """
    scores = [score_column(name) for name in predictions.classes] or ["score"]
    columns = (
        "window_key", "block_key", "version", "segment", "file", "row", "unit", "weight", "scored", "label", "decision",
        *scores,
    )  # fmt: skip
    who = "''" if predictions.unit is None else "unit"
    asked = ", ".join(columns)
    nothing = ", ".join(f"NULL AS {name}" for name in columns)
    text = (
        f"SELECT {asked}, CASE WHEN who IS NOT NULL THEN last_label END AS last_label FROM ("
        "SELECT *, last_value(known_label IGNORE NULLS) OVER (PARTITION BY who "
        "ORDER BY happened, kind, made, known_file, known_row "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS last_label "
        f"FROM (SELECT {asked}, {who} AS who, ts AS happened, 0 AS kind, NULL AS known_label, ts AS made, "
        f"file AS known_file, row AS known_row FROM ({rows.text}) "
        f"UNION ALL SELECT {nothing}, {who} AS who, label_ts AS happened, 1 AS kind, label AS known_label, ts AS made, "
        f"file AS known_file, row AS known_row FROM ({history.text}) "
        "WHERE label IS NOT NULL AND label_ts IS NOT NULL)) WHERE kind = 0"
    )
    return Sql(text, {**history.parameters, **rows.parameters})


def with_cell_mean(rows: Sql) -> Sql:
    """Scoped rows with ``cell_mean``, from the table ``cell_means`` of window_key, version, segment and cell_mean."""
    return Sql(
        f"SELECT r.*, m.cell_mean AS cell_mean FROM ({rows.text}) AS r LEFT JOIN cell_means AS m "
        "ON r.window_key = m.window_key AND coalesce(r.version, '') = m.version "
        "AND coalesce(r.segment, '') = m.segment",
        rows.parameters,
    )
