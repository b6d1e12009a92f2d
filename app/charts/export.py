"""Tables as files that are safe to open."""

from __future__ import annotations

import re

import pandas as pd

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def to_csv(frame: pd.DataFrame) -> bytes:
    """A table as CSV in UTF-8.

    Text that a spreadsheet would run as a formula gets an apostrophe before it: logs hold anything.
    The file begins with a byte order mark, because spreadsheets read it as something other than UTF-8 without
    one; pandas, DuckDB and csv readers for ``utf-8-sig`` skip the mark.

    >>> to_csv(pd.DataFrame({"name": ["=1+1", "-5", "plain"]})).decode("utf-8-sig").splitlines()
    ['name', "'=1+1", '-5', 'plain']
    """
    safe = frame.rename(columns=_guarded)
    for name in safe.columns:
        column = safe[name]
        if not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_datetime64_any_dtype(column):
            safe[name] = column.astype(object).map(_guarded, na_action="ignore")
    # both signs in the line's end make the writer quote a text that holds either; a lone \r would start a new row
    text = safe.to_csv(index=False, lineterminator="\r\n", date_format="%Y-%m-%dT%H:%M:%S%z")
    return text.encode("utf-8-sig")


def _guarded(value: object) -> object:
    if isinstance(value, str) and value.startswith(_STARTS_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
