"""Typed expressions: one raw column of any logged type becomes a double, a text, an instant, a 0 or 1.

A value that is not of the declared type becomes NULL here while the raw one is not NULL; that difference is what
`analytics.telemetry.report` counts as invalid.
"""

from __future__ import annotations

from analytics.engines.text import literal
from analytics.project import LabelValue

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
# a zone at the end of a written time: Z or +hh, +hhmm, +hh:mm after hours and minutes
_HAS_ZONE = r"':[0-9.]+ ?(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)$'"


def is_integer(kind: str) -> bool:
    """Whether a column type holds whole numbers."""
    return kind in INTEGERS


def is_numeric(kind: str) -> bool:
    """Whether a column type holds numbers."""
    return is_integer(kind) or kind in {"DOUBLE", "FLOAT"} or kind.startswith("DECIMAL")


def as_double(column: str, kind: str) -> str:
    """A double; text is parsed, anything else is invalid."""
    if kind == "DOUBLE":
        return column
    if is_numeric(kind) or kind == "BOOLEAN":
        return f"CAST({column} AS DOUBLE)"
    return f"TRY_CAST({column} AS DOUBLE)" if kind == "VARCHAR" else "CAST(NULL AS DOUBLE)"


def as_text(column: str, kind: str) -> str:
    """A text; whole doubles are written without a fraction so that 1.0 and 1 are one value."""
    if kind == "VARCHAR":
        return column
    if kind in {"DOUBLE", "FLOAT"} or kind.startswith("DECIMAL"):
        value = f"CAST({column} AS DOUBLE)"
        return (
            f"CASE WHEN abs({value}) < 1e15 AND {value} = floor({value}) THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) "
            f"ELSE CAST({value} AS VARCHAR) END"
        )
    return f"CAST({column} AS VARCHAR)"


def as_instant(column: str, kind: str, zone: str) -> str:
    """A TIMESTAMPTZ; what is written without a zone is read in the project's zone, a number as an epoch."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return column
    if kind.startswith("TIMESTAMP") and ("WITH TIME ZONE" in kind or "TZ" in kind):  # nanoseconds
        return f"CAST({column} AS TIMESTAMP WITH TIME ZONE)"
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return f"timezone({literal(zone)}, CAST({column} AS TIMESTAMP))"
    if is_numeric(kind):
        return _epoch(f"CAST({column} AS DOUBLE)")
    if kind != "VARCHAR":
        return "CAST(NULL AS TIMESTAMP WITH TIME ZONE)"
    number = f"TRY_CAST({column} AS DOUBLE)"
    return (
        f"CASE WHEN {number} IS NOT NULL THEN {_epoch(number)} "
        f"WHEN regexp_matches({column}, {_HAS_ZONE}) THEN TRY_CAST({column} AS TIMESTAMP WITH TIME ZONE) "
        f"ELSE timezone({literal(zone)}, TRY_CAST({column} AS TIMESTAMP)) END"
    )


def _epoch(number: str) -> str:
    # seconds until the year 5138, then milli-, micro- and nanoseconds: the magnitudes do not overlap
    scaled = (
        f"CASE WHEN abs({number}) < 1e11 THEN {number} WHEN abs({number}) < 1e14 THEN {number} / 1e3 "
        f"WHEN abs({number}) < 1e17 THEN {number} / 1e6 WHEN abs({number}) < 1e19 THEN {number} / 1e9 END"
    )
    return f"to_timestamp({scaled})"


def as_binary(column: str, kind: str, positive: LabelValue) -> str:
    """1 where the value is the positive class, 0 where it is another value of that type."""
    if isinstance(positive, str):
        text = as_text(column, kind)
        return f"CASE WHEN {text} IS NULL THEN NULL WHEN {text} = {literal(positive)} THEN 1 ELSE 0 END"
    target = literal(float(positive))
    if is_numeric(kind) or kind == "BOOLEAN":
        number = as_double(column, kind)
    elif kind == "VARCHAR":
        number = f"CASE lower({column}) WHEN 'true' THEN 1e0 WHEN 'false' THEN 0e0 ELSE TRY_CAST({column} AS DOUBLE) END"
    else:
        return "CAST(NULL AS INTEGER)"
    return f"CASE WHEN {number} IS NULL OR isnan({number}) THEN NULL WHEN {number} = {target} THEN 1 ELSE 0 END"


def as_column(column: str, kind: str, target: str) -> str:
    """A feature, segment or plain column in the one type its feed agreed on."""
    if kind == target:
        return column
    if target == "VARCHAR":
        return as_text(column, kind)
    if target == "BOOLEAN" and kind == "VARCHAR":
        return f"CASE lower({column}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"
    return f"TRY_CAST({column} AS {target})"
