"""One expression over one row, from the project file: parsed by DuckDB, checked node by node, and printed anew by us.

Nothing of the text itself reaches SQL: names become columns that the caller knows, constants become literals, and
operators and functions come from short lists. What dirty values could make fail (casts, logarithms, division by zero,
integers that overflow) gives NULL instead.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal

import duckdb

from analytics.engines.text import literal
from analytics.errors import ExpressionError

Kind = Literal["number", "text", "truth", "time", "nothing"]
MOST_CHARACTERS = 4000
MOST_LEVELS = 60
MOST_PRINTED = 200_000
"""Characters of SQL: a logarithm of a logarithm of … names its value twice at every level."""
SHOWN_NAME = 60

_COMPARISONS = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
}
_ARITHMETIC = ("+", "-", "*", "/", "%")
_SIGNS = ("+", "-")
_PATTERNS = {"~~": "LIKE", "!~~": "NOT LIKE"}
_OF_NUMBERS = {
    "abs": "abs({0})", "least": "least({all})", "greatest": "greatest({all})", "round": "round({0})",
    "floor": "floor({0})", "ceil": "ceil({0})", "exp": "exp({0})",
    "ln": "CASE WHEN {0} > 0e0 THEN ln({0}) END", "log10": "CASE WHEN {0} > 0e0 THEN log10({0}) END",
    "sqrt": "CASE WHEN {0} >= 0e0 THEN sqrt({0}) END",
}  # fmt: skip
_OF_TEXTS = {"lower": "lower({0})", "upper": "upper({0})", "trim": "trim({0})"}
_TYPES: dict[str, Kind] = {
    "DOUBLE": "number", "FLOAT": "number", "REAL": "number", "BOOLEAN": "truth", "BOOL": "truth",
    "VARCHAR": "text", "TEXT": "text", "STRING": "text",
}  # fmt: skip
_PRINTED = {"number": "DOUBLE", "truth": "BOOLEAN", "text": "VARCHAR"}
_KIND_WORDS = {
    "number": "a number", "text": "a text", "truth": "true or false", "time": "a time", "nothing": "NULL",
}  # fmt: skip
_AGGREGATES = ("sum", "count", "count_star", "avg", "mean", "median", "min", "max")
FUNCTIONS = (*_OF_NUMBERS, *_OF_TEXTS, "coalesce", "nullif")
"""The functions an expression may use."""


@dataclass(frozen=True)
class Expression:
    """Checked SQL and the kind of value it gives."""

    sql: str
    kind: Kind

    @property
    def number(self) -> str:
        """As a double; a truth value is 1 or 0."""
        if self.kind == "number":
            return self.sql
        return (
            f"CAST({self.sql} AS DOUBLE)"
            if self.kind in {"truth", "nothing"}
            else f"TRY_CAST({self.sql} AS DOUBLE)"
        )


Columns = Mapping[str, Expression]
Reader = Callable[[str], str]
"""SQL of a text -> SQL of the instant that is written there, or NULL."""


def _as_utc(text: str) -> str:
    return f"TRY_CAST({text} AS TIMESTAMP WITH TIME ZONE)"


def parse_expression(text: str, columns: Columns, instant: Reader = _as_utc) -> Expression:
    """Check an expression and print it anew.

    Args:
        text: as the user wrote it.
        columns: what names may stand for; SQL does not tell upper from lower case, and neither do we.
        instant: how a text is read that a time is compared with.

    Raises:
        ExpressionError: it is no expression, names an unknown column, or uses what is not allowed.
    """
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"is longer than {MOST_CHARACTERS:,} characters")
    if "\x00" in text:
        raise ExpressionError("holds a NUL character")
    return Printer(columns, instant).printed(tree(text))


def value_of(text: str, columns: Columns, instant: Reader = _as_utc) -> Expression:
    """An expression that gives a number, or a truth value.

    Raises:
        ExpressionError: it does not.
    """
    found = parse_expression(text, columns, instant)
    if found.kind in {"text", "time"}:
        raise ExpressionError(f"gives {_KIND_WORDS[found.kind]}, not a number or a condition")
    return found


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """An empty database that only ever parses; to open one takes longer than to parse."""
    return duckdb.connect()


def tree(text: str) -> dict[str, Any]:
    """One expression as DuckDB's parser gives it.

    Raises:
        ExpressionError: it is none, or more than one.
    """
    with _parser().cursor() as cursor:
        row = cursor.execute("SELECT json_serialize_sql($text)", {"text": f"SELECT {text}"}).fetchone()
    try:
        tree = json.loads(row[0]) if row else {}
    except RecursionError:
        raise ExpressionError(f"is nested more than {MOST_LEVELS} deep") from None
    if tree.get("error"):
        message = " ".join(str(tree.get("error_message")).split())
        if message.startswith("Only SELECT"):
            message = "write one, without ;"
        raise ExpressionError(f"is not one SQL expression ({message})")
    statements = tree["statements"]
    node = statements[0]["node"]
    plain = (
        len(statements) == 1
        and node["type"] == "SELECT_NODE"
        and node["from_table"]["type"] == "EMPTY"
        and len(node["select_list"]) == 1
        and not node["modifiers"]
        and not node["cte_map"]["map"]
        and node["aggregate_handling"] == "STANDARD_HANDLING"
        and not any(
            node.get(part) for part in ("where_clause", "group_expressions", "having", "qualify", "sample")
        )
        and not node["select_list"][0]["alias"]
    )
    if not plain:
        raise ExpressionError(
            "is not one expression over one row; no statements, FROM, WHERE or names for it"
        )
    expression: dict[str, Any] = node["select_list"][0]
    return expression


class Printer:
    """Prints checked nodes; ``level`` guards against nesting no person writes."""

    def __init__(self, columns: Columns, instant: Reader) -> None:
        self.instant = instant
        self.columns = {name.lower(): column for name, column in columns.items()}
        self.names = tuple(columns)
        self.level = 0
        self.kinds: dict[str, Callable[[dict[str, Any]], Expression]] = {
            "COLUMN_REF": self._column,
            "CONSTANT": self._constant,
            "COMPARISON": self._comparison,
            "CONJUNCTION": self._conjunction,
            "OPERATOR": self._operator,
            "BETWEEN": self._between,
            "CASE": self._case,
            "CAST": self._cast,
            "FUNCTION": self._function,
        }

    def printed(self, node: dict[str, Any]) -> Expression:
        """One node and all below it."""
        kind = self.kinds.get(node["class"])
        if kind is None:
            raise ExpressionError(
                f"uses {str(node['class']).lower().replace('_', ' ')}, which is not allowed; an expression has "
                "columns, constants, comparisons, AND, OR, NOT, CASE, + - * / % and these functions: "
                + ", ".join(FUNCTIONS)
            )
        self.level += 1
        if self.level > MOST_LEVELS:
            raise ExpressionError(f"is nested more than {MOST_LEVELS} deep")
        found = kind(node)
        self.level -= 1
        if len(found.sql) > MOST_PRINTED:
            raise ExpressionError("is too deeply nested")
        return found

    def _all(self, nodes: Iterable[dict[str, Any]]) -> list[Expression]:
        return [self.printed(node) for node in nodes]

    def _column(self, node: dict[str, Any]) -> Expression:
        name = ".".join(node["column_names"])
        column = self.columns.get(name.lower())
        if column is None:
            spelled = {known.lower(): known for known in self.names}
            near = get_close_matches(name.lower(), spelled, n=1)
            hint = (
                f'did you mean "{spelled[near[0]]}"?' if near else f"there are: {', '.join(self.names[:40])}"
            )
            text = " (a text is written in single quotes)" if not near else ""
            shown = name if len(name) <= SHOWN_NAME else name[:SHOWN_NAME] + "…"
            raise ExpressionError(f'uses "{shown}", which is no column; {hint}{text}')
        return column

    def _constant(self, node: dict[str, Any]) -> Expression:
        constant = node["literal"]
        kind, text = constant["kind"], constant["text"]
        if kind == "STRING":
            return Expression(literal(str(text)), "text")
        if kind == "BOOLEAN":
            return Expression("TRUE" if text == "true" else "FALSE", "truth")
        if kind == "NULL_LITERAL":
            return Expression("NULL", "nothing")
        if kind in {"INTEGER", "NUMERIC"} and math.isfinite(float(text)):
            return Expression(literal(float(text)), "number")
        raise ExpressionError(f"holds a constant that is not allowed: {text}")

    def _comparison(self, node: dict[str, Any]) -> Expression:
        sign = _COMPARISONS.get(node["type"])
        if sign is None:
            raise ExpressionError("uses a comparison that is not allowed; = <> < <= > >= are")
        left, right = self._alike(self.printed(node["left"]), self.printed(node["right"]))
        return Expression(f"({left} {sign} {right})", "truth")

    def _conjunction(self, node: dict[str, Any]) -> Expression:
        word = " AND " if node["type"] == "CONJUNCTION_AND" else " OR "
        return Expression(f"({word.join(_condition(part) for part in self._all(node['children']))})", "truth")

    def _operator(self, node: dict[str, Any]) -> Expression:
        children = self._all(node["children"])
        match node["type"]:
            case "OPERATOR_NOT":
                return Expression(f"(NOT {_condition(children[0])})", "truth")
            case "OPERATOR_IS_NULL":
                return Expression(f"({children[0].sql} IS NULL)", "truth")
            case "OPERATOR_IS_NOT_NULL":
                return Expression(f"({children[0].sql} IS NOT NULL)", "truth")
            case "COMPARE_IN" | "COMPARE_NOT_IN":
                word = "IN" if node["type"] == "COMPARE_IN" else "NOT IN"
                first, *others = self._alike(*children)
                return Expression(f"({first} {word} ({', '.join(others)}))", "truth")
            case "OPERATOR_COALESCE":
                kind, parts = _together(children)
                return Expression(f"coalesce({', '.join(parts)})", kind)
        raise ExpressionError(f"uses {str(node['type']).lower()}, which is not allowed")

    def _between(self, node: dict[str, Any]) -> Expression:
        value, low, high = self._alike(*self._all((node["input"], node["lower"], node["upper"])))
        return Expression(f"({value} >= {low} AND {value} <= {high})", "truth")

    def _case(self, node: dict[str, Any]) -> Expression:
        whens = [_condition(self.printed(check["when_expr"])) for check in node["case_checks"]]
        results = self._all(check["then_expr"] for check in node["case_checks"])
        otherwise = (
            self.printed(node["else_expr"]) if node.get("else_expr") else Expression("NULL", "nothing")
        )
        kind, parts = _together([*results, otherwise])
        cases = " ".join(f"WHEN {when} THEN {then}" for when, then in zip(whens, parts, strict=False))
        return Expression(f"(CASE {cases} ELSE {parts[-1]} END)", kind)

    def _cast(self, node: dict[str, Any]) -> Expression:
        name = str(node["type_expr"].get("type_name", "")).upper()
        kind = _TYPES.get(name)
        if kind is None:
            raise ExpressionError(
                f"casts to {name or 'a type'}, which is not allowed; DOUBLE, BOOLEAN and VARCHAR are"
            )
        return Expression(f"TRY_CAST({self.printed(node['child']).sql} AS {_PRINTED[kind]})", kind)

    def _function(self, node: dict[str, Any]) -> Expression:
        name = str(node["function_name"]).lower()
        if (
            node["schema"]
            or node["catalog"]
            or node["filter"]
            or node["distinct"]
            or node["order_bys"]["orders"]
            or any(argument["name"] for argument in node["arguments"])
        ):
            raise ExpressionError(f"uses {name} in a way that is not allowed")
        parts = self._all(argument["expression"] for argument in node["arguments"])
        if node["is_operator"] and name in (_ARITHMETIC if len(parts) == 2 else _SIGNS):
            return _arithmetic(name, [_number(part) for part in parts])
        if name in _PATTERNS and len(parts) == 2:
            return Expression(f"({_text(parts[0])} {_PATTERNS[name]} {_text(parts[1])})", "truth")
        if name == "nullif" and len(parts) == 2:
            kind, (value, other) = _together(parts)
            return Expression(f"nullif({value}, {other})", kind)
        several = name in {"least", "greatest"}
        if name in _OF_NUMBERS and (len(parts) == 1 or (several and parts)):
            numbers = [_number(part) for part in parts]
            return Expression(f"({_OF_NUMBERS[name].format(numbers[0], all=', '.join(numbers))})", "number")
        if name in _OF_TEXTS and len(parts) == 1:
            return Expression(_OF_TEXTS[name].format(_text(parts[0])), "text")
        if name in _AGGREGATES:
            raise ExpressionError(
                f"uses {name.removesuffix('_star')}, but an expression is over one row: the kind of the metric says "
                "how rows are summed"
            )
        raise ExpressionError(
            f"uses {name} with {len(parts)} value{'s' * (len(parts) != 1)}, which is not allowed; "
            f"the functions are {', '.join(FUNCTIONS)}"
        )

    def _instant(self, text: str) -> str:
        """A text that a time is compared with; one that is written in the expression must be a time."""
        instant = self.instant(text)
        if text.startswith("'"):
            with _parser().cursor() as cursor:
                row = cursor.execute(f"SELECT ({instant}) IS NULL").fetchone()
            if row is None or row[0]:
                raise ExpressionError(
                    f"compares a time with {text}, which is no time; write '2026-01-31 14:00'"
                )
        return instant

    def _alike(self, *parts: Expression) -> list[str]:
        """Values to be compared, in one type."""
        kinds = {part.kind for part in parts} - {"nothing"}
        if kinds == {"time", "text"}:
            return [self._instant(part.sql) if part.kind == "text" else part.sql for part in parts]
        if len(kinds) > 1 and kinds != {"number", "truth"}:
            raise ExpressionError(f"compares {' with '.join(sorted(_KIND_WORDS[kind] for kind in kinds))}")
        return [part.number if len(kinds) > 1 else part.sql for part in parts]


def _arithmetic(sign: str, numbers: list[str]) -> Expression:
    if len(numbers) == 1:
        return Expression(f"({sign} {numbers[0]})", "number")
    left, right = numbers
    # as doubles: a product of whole numbers cannot overflow, and nothing is divided by zero
    return Expression(f"({left} {sign} {f'nullif({right}, 0e0)' if sign in {'/', '%'} else right})", "number")


def _condition(part: Expression) -> str:
    if part.kind in {"truth", "nothing"}:
        return part.sql
    if part.kind == "number":
        return f"({part.sql} <> 0e0)"
    raise ExpressionError(f"uses {_KIND_WORDS[part.kind]} as a condition")


def _number(part: Expression) -> str:
    if part.kind == "text":
        raise ExpressionError("calculates with a text; CAST(… AS DOUBLE) makes a number of it")
    if part.kind == "time":
        raise ExpressionError("calculates with a time; times can only be compared")
    return part.number


def _text(part: Expression) -> str:
    if part.kind not in {"text", "nothing"}:
        raise ExpressionError(f"uses {_KIND_WORDS[part.kind]} as a text")
    return part.sql


def _together(parts: list[Expression]) -> tuple[Kind, list[str]]:
    kinds = {part.kind for part in parts} - {"nothing"}
    if kinds <= {"number", "truth"} and len(kinds) == 2:
        return "number", [part.number for part in parts]
    if len(kinds) > 1:
        raise ExpressionError(f"mixes {' and '.join(sorted(_KIND_WORDS[kind] for kind in kinds))}")
    return next(iter(kinds), "nothing"), [part.sql for part in parts]
