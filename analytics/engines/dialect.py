"""One SQL text for every engine: DuckDB runs it as it is written; here it is checked, and printed for Spark.

`problems` holds a text to what is known to mean the same on DuckDB, Apache Spark and Sail: an allow-list, because
a function that an engine does not know fails, while one that it understands differently gives a wrong number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp

from analytics.engines.text import literal

MAX_DOUBLE = literal(1.7976931348623157e308)
_DIALECT = "duckdb"
_SCHEMA = "main"
"""DuckDB's own; tells a view from a WITH of the same name, which Spark does without."""
_INTEGERS = {"TINYINT", "SMALLINT", "INT", "BIGINT"}
_TYPES = _INTEGERS | {
    "DOUBLE",
    "TEXT",
    "VARCHAR",
    "BOOLEAN",
    "TIMESTAMP",
    "TIMESTAMPTZ",
    "TIMESTAMPNTZ",
    "DATE",
}

# What was run on DuckDB, Sail and Apache Spark with equal results (tests/contract). Everything else is refused.
_STRUCTURE = (
    exp.Select, exp.Subquery, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.With, exp.CTE, exp.Union,
    exp.TableAlias, exp.Alias, exp.Table, exp.Column, exp.Identifier, exp.Star, exp.Values, exp.Tuple, exp.Paren,
    exp.Placeholder, exp.Parameter, exp.Literal, exp.Null, exp.Boolean, exp.DataType, exp.Var, exp.Order,
    exp.Ordered, exp.Window, exp.WindowSpec, exp.Filter, exp.Qualify, exp.Interval, exp.Limit,
)  # fmt: skip
_OPERATORS = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.In, exp.Between,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.DPipe,
    exp.Case, exp.If, exp.Cast, exp.TryCast,
)  # fmt: skip
_FUNCTIONS = (
    exp.Sum, exp.Count, exp.CountIf, exp.Min, exp.Max, exp.RowNumber, exp.Coalesce, exp.Nullif, exp.Abs,
    exp.Floor, exp.Ceil,
    exp.Round, exp.Sqrt, exp.IsNan, exp.Least, exp.Greatest, exp.Lower, exp.Upper, exp.Distinct, exp.TimestampTrunc,
    exp.Extract, exp.AtTimeZone, exp.Chr, exp.Trim, exp.ArrayContains, exp.Concat,
    exp.Exists, exp.Replace, exp.UnixToTime, exp.TimeToUnix, exp.Ln, exp.Pow, exp.MD5,
    exp.Substring,
)  # fmt: skip
_ALLOWED = frozenset((*_STRUCTURE, *_OPERATORS, *_FUNCTIONS))
_NAMED = frozenset({"isfinite", "epoch_us"})
"""Functions SQLGlot has no node for."""
_DECIDES = (
    exp.Predicate,
    exp.Floor,
    exp.Ceil,
    exp.Round,
    exp.Group,
    exp.Order,
    exp.Where,
    exp.Having,
    exp.Join,
)
_UNITS = {"MINUTE", "HOUR", "DAY", "WEEK", "MONTH"}
_WHOLE = (
    exp.Floor, exp.Ceil, exp.Round, exp.Count, exp.CountIf, exp.Sum, exp.RowNumber, exp.Extract, exp.Boolean, exp.Null,
    exp.Predicate, exp.Connector, exp.Not,
)  # fmt: skip


def problems(text: str) -> tuple[str, ...]:
    """What keeps a text from meaning the same on every engine; empty where nothing does.

    >>> problems("SELECT version, sum(weight) AS w FROM rows GROUP BY version")
    ()
    >>> problems("SELECT quantile_cont(score, 0.5) FROM rows")
    ('PercentileCont: QUANTILE_CONT(score, 0.5)', '0.5 is a DECIMAL on some engines; write 0.5e0')
    """
    try:
        tree = sqlglot.parse_one(text, read=_DIALECT)
    except sqlglot.errors.ParseError as error:
        return (f"cannot be parsed: {str(error).splitlines()[0]}",)
    return tuple(dict.fromkeys(_found(tree)))


def _found(tree: Any) -> Iterator[str]:
    for node in tree.walk():
        kind = type(node)
        if kind is exp.Anonymous:
            if node.name.lower() not in _NAMED:
                yield f"unknown function {node.name}"
        elif kind not in _ALLOWED:
            yield f"{kind.__name__}: {_short(node)}"
        else:
            check = _CHECKS.get(kind)
            reason = check(node) if check is not None else None
            if reason is not None:
                yield reason


def _division(node: Any) -> str | None:
    below = node.expression.unnest()
    if isinstance(below, exp.Nullif | exp.Literal):
        return None
    return f"{_short(node)}: by zero, engines differ; divide by nullif(…, 0)"


def _number(node: Any) -> str | None:
    if node.is_string or "." not in node.this or "e" in node.this.lower():
        return None
    return f"{node.this} is a DECIMAL on some engines; write {node.this}e0"


def _cast(node: Any) -> str | None:
    kind = node.to.this.value
    if kind not in _TYPES:
        return f"type {kind} is not the same everywhere"
    if kind in _INTEGERS and not _is_whole(node.this.unnest()):
        return f"{_short(node)}: engines round differently; floor() or round() first"
    return None


def _is_whole(node: Any) -> bool:
    if isinstance(node, exp.Case):
        values = [one.args["true"] for one in node.args["ifs"]]
        default = node.args.get("default")
        return all(_is_whole(one.unnest()) for one in (*values, *([default] if default is not None else [])))
    if isinstance(node, exp.Literal):
        return bool(node.is_string) is False and str(node.this).isdigit()
    if isinstance(node, exp.Add | exp.Sub | exp.Mul):
        return _is_whole(node.this.unnest()) and _is_whole(node.expression.unnest())
    if isinstance(node, exp.Filter | exp.Window | exp.Coalesce):
        return _is_whole(node.this.unnest())
    return isinstance(node, _WHOLE)


def _join(node: Any) -> str | None:
    if node.args.get("method"):
        return f"{node.args['method']} join"
    return (
        None if node.args.get("on") or node.args.get("using") or node.kind == "CROSS" else "a join without ON"
    )


def _table(node: Any) -> str | None:
    return "ASOF is read as an alias elsewhere" if node.alias.upper() == "ASOF" else None


def _group(node: Any) -> str | None:
    return "GROUP BY ALL" if node.args.get("all") else None


def _seconds(node: Any) -> str | None:
    # SQLGlot reads epoch_ms(x) as the instant of so many milliseconds; of an instant it is the milliseconds
    return None if node.args.get("scale") is not None else f"{_short(node)}: fractions of a microsecond"


def _inexact(node: Any) -> str | None:
    # libm and the JVM differ in the last bit: nothing to a sum, but another bin, row or group to a comparison
    above = node.parent
    while above is not None and not isinstance(above, exp.Query):
        if isinstance(above, _DECIDES):
            return f"{_short(node)}: its last bit differs, and {type(above).__name__} decides by it"
        above = above.parent
    return None


def _star(node: Any) -> str | None:
    return f"{_short(node)}: columns left out or replaced" if any(node.args.values()) else None


def _unit(node: Any) -> str | None:
    unit = (node.args.get("unit") or node.this).name.upper()
    return None if unit in _UNITS else f"{_short(node)}: unit {unit}"


def _zone(node: Any) -> str | None:
    inner = node.this.unnest()
    return f"{_short(node)}: a local time back to an instant" if isinstance(inner, exp.AtTimeZone) else None


_CHECKS: dict[type, Callable[[Any], str | None]] = {
    exp.Div: _division,
    exp.IntDiv: _division,
    exp.Mod: _division,
    exp.UnixToTime: _seconds,
    exp.Ln: _inexact,
    exp.Pow: _inexact,
    exp.Literal: _number,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Join: _join,
    exp.Table: _table,
    exp.Group: _group,
    exp.TimestampTrunc: _unit,
    exp.Extract: _unit,
    exp.AtTimeZone: _zone,
    exp.Star: _star,
}


def _short(node: Any) -> str:
    text: str = node.sql(dialect=_DIALECT)
    return text if len(text) <= 80 else text[:79] + "…"


# ------------------------------------------------------------------ Spark


@lru_cache(maxsize=512)
def to_spark(text: str) -> str:
    """A text as Spark SQL, for a session whose time zone is UTC; ``$name`` becomes ``:name``.

    >>> to_spark('SELECT sum("column:a") AS s FROM rows WHERE ts >= CAST($start AS TIMESTAMP)')
    'SELECT SUM(`column:a`) AS s FROM rows WHERE ts >= CAST(:start AS TIMESTAMP)'
    """
    tree = sqlglot.parse_one(text, read=_DIALECT)
    for node in reversed(list(tree.walk())):  # children before what holds them
        printed = _for_spark(node)
        if printed is not node:
            node.replace(printed)
    return str(tree.sql(dialect="spark"))


def _for_spark(node: Any) -> Any:
    how = _OTHERWISE.get(type(node))
    return node if how is None else how(node)


def _function(node: Any) -> Any:
    how = _RENAMED.get(node.name.lower())
    return node if how is None else how(*node.expressions)


def _instant_of(node: Any) -> Any:
    scale = node.args.get("scale")
    if scale is None:  # to_timestamp
        return _from_seconds(node.this)
    if scale.name == "3":  # epoch_ms
        return _call("UNIX_MILLIS", _instant(node.this))
    return _call("TIMESTAMP_MICROS", node.this)  # make_timestamp


def _epoch(node: Any) -> Any:
    # with fractions, and not whole seconds as Spark's own
    micros = _call("UNIX_MICROS", _instant(node.this))
    return exp.paren(exp.Div(this=micros, expression=_number_of("1e6")))


def _relation(node: Any) -> Any:
    if node.db == _SCHEMA:
        node.set("db", None)
    return node


def _type(node: Any) -> Any:
    name = _SPARK_TYPES.get(node.this.value)
    return node if name is None else exp.DataType.build(name, dialect="spark")


_OTHERWISE: dict[type, Callable[[Any], Any]] = {
    exp.Anonymous: _function,
    exp.UnixToTime: _instant_of,
    exp.TimeToUnix: _epoch,
    exp.Table: _relation,
    exp.DataType: _type,
}


def _from_seconds(seconds: Any) -> Any:
    # DuckDB rounds to the nearest microsecond; Spark's own function of seconds cuts off
    micros = exp.cast(_call("RINT", exp.Mul(this=exp.paren(seconds), expression=_number_of("1e6"))), "BIGINT")
    return _call("TIMESTAMP_MICROS", micros)


def _call(name: str, *arguments: Any) -> Any:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _number_of(text: str) -> Any:
    return exp.Literal(this=text, is_string=False)


def _finite(value: Any) -> Any:
    # NaN is larger than every number on every engine used
    return exp.paren(exp.LTE(this=exp.Abs(this=value), expression=_number_of(MAX_DOUBLE)))


def _instant(moment: Any) -> Any:
    return exp.cast(moment, exp.DataType.build("TIMESTAMP", dialect="spark"))


_RENAMED: dict[str, Callable[..., Any]] = {
    "isfinite": _finite,
    # naive times are read as UTC (the session's zone), so that a naive column already is the instant
    "make_timestamptz": lambda micros: _call("TIMESTAMP_MICROS", micros),
    "epoch_us": lambda moment: _call("UNIX_MICROS", _instant(moment)),
    "timezone": lambda zone, naive: _call("TO_UTC_TIMESTAMP", naive, zone),
    "try_strptime": lambda written, _: _call("TRY_TO_TIMESTAMP", written, exp.Literal.string("yyyyMMdd")),
}
_SPARK_TYPES = {
    "TIMESTAMPNTZ": "TIMESTAMP",
    "TIMESTAMP_NS": "TIMESTAMP",
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INT",
    "UINT": "BIGINT",
    "UBIGINT": "DECIMAL(20, 0)",
    "INT128": "DECIMAL(38, 0)",
    "UINT128": "DECIMAL(38, 0)",
}
"""Types of DuckDB as those in which Spark reads the same Parquet columns."""
