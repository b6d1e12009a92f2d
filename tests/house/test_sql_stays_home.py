"""SQL stands where identifiers are quoted and values bound, and nowhere else."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house.source import modules, texts

HOMES = (
    "analytics/telemetry/",
    "analytics/aggregates/",
    "analytics/examples/",
    "analytics/engines/",
    "analytics/store/",
)
SQL = re.compile(
    r"\bSELECT\b.+\bFROM\b|\bCREATE\b.+\b(VIEW|TABLE)\b|\bINSERT INTO\b|\bATTACH\b.+'|\bCOPY\b.+\bTO\b"
    r"|\bGROUP BY\b|\bORDER BY\b|\bUNION ALL\b",
    re.DOTALL,
)
WORDS = r"\b(SELECT|CREATE|INSERT|ATTACH|COPY|GROUP|ORDER|UNION)\b"
"""One of these is in every text that is taken for SQL."""


def sql_in(tree: ast.Module) -> list[int]:
    return [line for line, text in texts(tree) if SQL.search(text)]


@pytest.mark.parametrize(
    "code,lines",
    [
        ('x = "SELECT a FROM t"', [1]),
        ('x = f"SELECT {a} FROM {t}"', [1]),
        ('def f():\n    """SELECT a FROM t, says the docstring."""', []),
        ('x = "select a value from the list"', []),
        ('x = (\n    "SELECT a "\n    "FROM t")', [2]),
    ],
)
def test_sql_is_recognised(code, lines):
    assert sql_in(ast.parse(code)) == lines


def test_no_sql_away_from_home():
    strays = {
        path: lines
        for path, tree in modules("analytics", "app", holding=WORDS)
        if not path.startswith(HOMES) and (lines := sql_in(tree))
    }
    assert strays == {}
