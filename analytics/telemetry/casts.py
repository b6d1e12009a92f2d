"""Typed expressions: one raw column of any logged type becomes a double, a text, an instant, a 0 or 1.

A value that is not of the declared type becomes NULL here while the raw one is not NULL; that difference is
what `analytics.telemetry.invalid` counts.
"""

from __future__ import annotations

from datetime import UTC, datetime

from analytics.engines.text import literal
from analytics.project import LabelValue

INTEGERS = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
    "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
)  # fmt: skip
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
"""Instants before this one are taken for damage."""
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Instants from this one on are taken for placeholders (9999-12-31, infinity)."""

# A day and perhaps a time, without a zone. Whatever else is written must carry its zone, and DuckDB's cast to
# TIMESTAMPTZ reads it; its cast to TIMESTAMP would drop the zone (and "PM") without a word.
_NAIVE = r"'^\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ]\s*\d{1,2}:\d{1,2}(:\d{1,2}([.]\d*)?)?)?\s*$'"
# what programs write into text logs for nothing
_NOTHING = "('', 'na', 'n/a', 'null', 'none')"


def is_integer(kind: str) -> bool:
    """Whether a column type holds whole numbers."""
    return kind in INTEGERS


def is_numeric(kind: str) -> bool:
    """Whether a column type holds numbers."""
    return is_integer(kind) or kind in {"DOUBLE", "FLOAT"} or kind.startswith("DECIMAL")


def present(column: str, kind: str) -> str:
    """Whether a value was logged that is meant to be a number or a time: not NULL, nor a word for nothing."""
    if kind != "VARCHAR":
        return f"{column} IS NOT NULL"
    return f"({column} IS NOT NULL AND lower(trim({column})) NOT IN {_NOTHING})"


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
            f"CASE WHEN abs({value}) < 9e15 AND {value} = floor({value}) "
            f"THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"
        )
    return f"CAST({column} AS VARCHAR)"


def as_key(column: str, kind: str) -> str:
    """A text that identifies (id, version, unit): the empty one is none."""
    return f"nullif({as_text(column, kind)}, '')"


def as_instant(column: str, kind: str, zone: str) -> str:
    """A TIMESTAMPTZ; what is written without a zone is read in the project's zone, a number as an epoch."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return column
    if kind.startswith("TIMESTAMP") and ("WITH TIME ZONE" in kind or "TZ" in kind):  # nanoseconds
        return f"CAST({column} AS TIMESTAMP WITH TIME ZONE)"
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        # without a calendar to ask, a tenth of the time; infinity has no epoch and becomes NULL
        plain = kind == "TIMESTAMP" and zone == "UTC"
        return (
            f"make_timestamptz(epoch_us({column}))"
            if plain
            else f"timezone({literal(zone)}, CAST({column} AS TIMESTAMP))"
        )
    if is_numeric(kind):
        return _epoch(f"CAST({column} AS DOUBLE)", zone)
    if kind != "VARCHAR":
        return "CAST(NULL AS TIMESTAMP WITH TIME ZONE)"
    number = f"TRY_CAST({column} AS DOUBLE)"
    written = f"replace({column}, ',', '.')"  # Python's logging writes 10:00:00,123
    return (
        f"CASE WHEN {number} IS NOT NULL THEN {_epoch(number, zone)} "
        f"WHEN regexp_matches({written}, {_NAIVE}) "
        f"THEN timezone({literal(zone)}, TRY_CAST({written} AS TIMESTAMP)) "
        f"ELSE TRY_CAST({written} AS TIMESTAMP WITH TIME ZONE) END"
    )


def usable_instant(instant: str) -> str:
    """Whether an instant is one: after 1900 and no placeholder for never."""
    low, high = (
        f"CAST({literal(moment.isoformat())} AS TIMESTAMP WITH TIME ZONE)" for moment in (EARLIEST, LATEST)
    )
    return f"{instant} >= {low} AND {instant} < {high}"


def _epoch(number: str, zone: str) -> str:
    # Eight digits are a day (20240131). Seconds count from March 1973, so that a 0 for "unknown" is no
    # instant; then milli-, micro- and nanoseconds: the magnitudes do not overlap.
    seconds = (
        f"CASE WHEN {number} < 1e8 THEN NULL WHEN {number} < 1e11 THEN {number} "
        f"WHEN {number} < 1e14 THEN {number} / 1e3 WHEN {number} < 1e17 THEN {number} / 1e6 "
        f"WHEN {number} < 1e19 THEN {number} / 1e9 END"
    )
    digits = f"CAST(TRY_CAST({number} AS BIGINT) AS VARCHAR)"
    day = f"timezone({literal(zone)}, CAST(try_strptime({digits}, '%Y%m%d') AS TIMESTAMP))"
    return f"CASE WHEN {number} >= 19000101e0 AND {number} < 1e8 THEN {day} ELSE to_timestamp({seconds}) END"


def as_binary(column: str, kind: str, positive: LabelValue, negative: LabelValue | None) -> str:
    """1 for the positive class, 0 for the negative one, or for any other value where none is named."""
    if isinstance(positive, str):
        value, one, nothing = as_text(column, kind), literal(positive), "''"
        zero = None if negative is None else literal(str(negative))
    else:
        value, one, nothing = (
            _number_or_truth(column, kind),
            literal(float(positive)),
            "CAST('nan' AS DOUBLE)",
        )
        zero = None if negative is None else literal(float(negative))
    other = f"WHEN {value} = {zero} THEN 0" if zero is not None else f"WHEN {value} <> {nothing} THEN 0"
    return f"CASE WHEN {value} = {one} THEN 1 {other} END"


def _number_or_truth(column: str, kind: str) -> str:
    if kind != "VARCHAR":
        return as_double(column, kind)
    words = "WHEN 'true' THEN 1e0 WHEN 'false' THEN 0e0"
    return f"CASE lower({column}) {words} ELSE TRY_CAST({column} AS DOUBLE) END"


def as_column(column: str, kind: str, target: str) -> str:
    """A feature, segment or plain column in the one type its feed agreed on."""
    if kind == target:
        return column
    if target == "VARCHAR":
        return as_text(column, kind)
    if target == "BOOLEAN" and kind == "VARCHAR":
        return f"CASE lower({column}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"
    return f"TRY_CAST({column} AS {target})"
