"""Writing log files that are the same bytes every time."""

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sample_logs.builder.source import TIME_ZONE

WHOLE_NUMBERS = ["hour", "distance", "plane_age", "seats", "engines"]


def whole_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Counts and ages as nullable integers: pandas reads them as floats where one is missing."""
    return rows.astype({name: "Int32" for name in WHOLE_NUMBERS if name in rows})


def write_parquet(rows: pd.DataFrame, path: Path, identifiers: list[str]) -> None:
    """Zstandard Parquet without pandas' private metadata; identifiers as differences to the row before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
    fields = [_without_nanoseconds(field) for field in table.schema]
    table = table.cast(pa.schema(fields))
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=[name for name in table.column_names if name not in identifiers],
        column_encoding={name: "DELTA_BYTE_ARRAY" for name in identifiers if name in table.column_names},
    )


def _without_nanoseconds(field: pa.Field) -> pa.Field:
    if pa.types.is_timestamp(field.type):
        return field.with_type(pa.timestamp("ms", tz="UTC"))
    if pa.types.is_large_string(field.type):
        return field.with_type(pa.string())
    return field


def write_csv(rows: pd.DataFrame, path: Path) -> None:
    """Gzip CSV with ISO 8601 instants; no time of writing in the header."""
    text = _with_text_instants(rows).to_csv(index=False, lineterminator="\n")
    _write_gzip(text, path)


def write_json_lines(rows: pd.DataFrame, path: Path) -> None:
    """Gzip JSON lines with ISO 8601 instants; a missing value is null."""
    text = _with_text_instants(rows).to_json(orient="records", lines=True, double_precision=10)
    _write_gzip(text, path)


def _with_text_instants(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.copy()
    for name in rows.columns:
        if isinstance(rows[name].dtype, pd.DatetimeTZDtype):
            rows[name] = rows[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return rows


def _write_gzip(text: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.encode())


def months(instants: "pd.Series[pd.Timestamp]") -> "pd.Series[str]":
    """The local month of each instant, as `2013-03`."""
    return instants.dt.tz_convert(TIME_ZONE).dt.strftime("%Y-%m")
