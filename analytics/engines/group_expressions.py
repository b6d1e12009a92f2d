"""One expression over the rows of a group: the checked expressions of one row, and aggregates of them.

Outside an aggregate only the columns that make the group may be named; inside, every column of a row.
"""

from __future__ import annotations

from typing import Any

from analytics.engines.expressions import MOST_CHARACTERS, Columns, Expression, Printer, Reader, tree
from analytics.errors import ExpressionError

AGGREGATES = ("count", "sum", "avg", "min", "max")
_ALIASES = {"mean": "avg"}


def parse_group_expression(
    text: str, columns: Columns, within: tuple[str, ...], instant: Reader
) -> Expression:
    """Check an expression over a group's rows and print it anew.

    Args:
        text: as the user wrote it.
        columns: what names may stand for.
        within: the names that make a group.
        instant: how a text is read that a time is compared with.

    Raises:
        ExpressionError: it is no expression, names an unknown column, or uses what is not allowed.
    """
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"is longer than {MOST_CHARACTERS:,} characters")
    if "\x00" in text:
        raise ExpressionError("holds a NUL character")
    return _GroupPrinter(columns, within, instant).printed(tree(text))


class _GroupPrinter(Printer):
    """Prints aggregates by a printer of rows, and the rest by itself."""

    def __init__(self, columns: Columns, within: tuple[str, ...], instant: Reader) -> None:
        super().__init__(columns, instant)
        self._rows = Printer(columns, instant)
        self._within = {name.lower() for name in within}

    def _column(self, node: dict[str, Any]) -> Expression:
        found = super()._column(node)
        name = ".".join(node["column_names"])
        if name.lower() not in self._within:
            raise ExpressionError(
                f'names "{name}", of which a group has many: write min({name}), sum({name}) …, or add it to within'
            )
        return found

    def _function(self, node: dict[str, Any]) -> Expression:
        written = str(node["function_name"]).lower()
        name = _ALIASES.get(written, written)
        if name == "count_star" and not node["filter"]:
            return Expression("CAST(count(*) AS DOUBLE)", "number")
        if name not in AGGREGATES:
            return super()._function(node)
        arguments = node["arguments"]
        unplain = node["schema"] or node["catalog"] or node["filter"] or node["order_bys"]["orders"]
        if unplain or len(arguments) != 1 or arguments[0]["name"] or (node["distinct"] and name != "count"):
            raise ExpressionError(f"uses {written} in a way that is not allowed; {written}(column) is")
        value = self._rows.printed(arguments[0]["expression"])
        return _aggregated(name, value, distinct=bool(node["distinct"]))


def _aggregated(name: str, value: Expression, *, distinct: bool) -> Expression:
    if name == "count":
        return Expression(f"CAST(count({'DISTINCT ' if distinct else ''}{value.sql}) AS DOUBLE)", "number")
    if name in {"min", "max"} and value.kind in {"text", "time"}:
        return Expression(f"{name}({value.sql})", value.kind)
    if value.kind in {"text", "time"}:
        raise ExpressionError(f"uses {name} of something that is no number")
    return Expression(f"{name}({value.number})", "number")
