"""Expressions of metrics: what may be written gives the right values on dirty rows, nothing else reaches SQL."""

from __future__ import annotations

import math
import re
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.engines.expressions import FUNCTIONS, Expression, parse_expression, value_of
from analytics.errors import ExpressionError

NAN, INF = math.nan, math.inf
COLUMNS = {
    "amount": Expression('"column:amount"', "number"),
    "rate": Expression('"column:rate"', "number"),
    "event": Expression('"column:event"', "text"),
    "paid": Expression('"column:paid"', "truth"),
    "sent": Expression('"column:sent"', "time"),
    "a.b": Expression('"column:a.b"', "number"),
    'odd "name"': Expression('"column:odd ""name"""', "number"),
    "Größe": Expression('"column:Größe"', "number"),
    "select": Expression('"column:select"', "number"),
}
OTHERS = ('"column:a.b"', '"column:odd ""name"""', '"column:Größe"', '"column:select"')
ROWS: list[dict[str, Any]] = [
    {"amount": None, "rate": None, "event": None, "paid": None, "sent": None},
    {"amount": NAN, "rate": 0.0, "event": "nan", "paid": True, "sent": "2024-03-10 12:00:00+00"},
    {"amount": INF, "rate": -INF, "event": "it's", "paid": False, "sent": "1900-01-01 00:00:00+00"},
    {"amount": -2.5, "rate": NAN, "event": "", "paid": True, "sent": "infinity"},
    {"amount": 0.0, "rate": 4.0, "event": " Buy ", "paid": None, "sent": "2024-03-10 00:00:00+00"},
    {"amount": 1.7e308, "rate": 5e-324, "event": "12.5", "paid": False, "sent": None},
]
AMOUNTS = [row["amount"] for row in ROWS]


@pytest.fixture(scope="module")
def run():
    """Evaluate SQL over the rows above, in their order."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        'CREATE TABLE logged ("column:amount" DOUBLE, "column:rate" DOUBLE, "column:event" VARCHAR, '
        '"column:paid" BOOLEAN, "column:sent" TIMESTAMPTZ, place INTEGER)'
    )
    for place, row in enumerate(ROWS):
        connection.execute("INSERT INTO logged VALUES (?, ?, ?, ?, ?, ?)", [*row.values(), place])

    # other columns stand for the amount
    others = ", ".join(f'"column:amount" AS {column}' for column in OTHERS)

    def values(sql: str) -> list[Any]:
        text = (
            f"SELECT v FROM (SELECT {sql} AS v, place FROM (SELECT *, {others} FROM logged)) ORDER BY place"
        )
        return [row[0] for row in connection.execute(text).fetchall()]

    yield values
    connection.close()


def same(found: list[Any], expected: list[Any]) -> bool:
    return len(found) == len(expected) and all(
        a is b is None or (a is not None and b is not None and (a == b or (a != a and b != b)))  # noqa: PLR0124
        for a, b in zip(found, expected, strict=True)
    )


ALLOWED = [
    ("amount", AMOUNTS),
    ("AMOUNT", AMOUNTS),
    ('"amount"', AMOUNTS),
    ("a.b", AMOUNTS),
    ('"a.b"', AMOUNTS),
    ('"odd ""name"""', AMOUNTS),
    ("größe", AMOUNTS),
    ('"select"', AMOUNTS),
    ("3", [3.0] * 6),
    ("1e3 + .5", [1000.5] * 6),
    ("true", [True] * 6),
    ("NULL", [None] * 6),
    ("9223372036854775807 * 9223372036854775807", [9223372036854775807.0**2] * 6),
    ("amount + 1", [None, NAN, INF, -1.5, 1.0, 1.7e308]),
    ("amount * 10", [None, NAN, INF, -25.0, 0.0, INF]),
    ("-amount - amount", [None, NAN, -INF, 5.0, 0.0, -INF]),
    ("7 / 2", [3.5] * 6),
    ("1 / amount", [None, NAN, 0.0, -0.4, None, 1 / 1.7e308]),
    ("1 / rate", [None, None, 0.0, NAN, 0.25, INF]),
    ("7 % amount", [None, NAN, 7.0, 2.0, None, 7.0]),
    ("2 + 3 * 4 - (5 - 6)", [15.0] * 6),
    ("amount > 0", [None, True, True, False, False, True]),  # NaN is larger than any number, as for ORDER BY
    ("amount = 0 OR amount < 0", [None, False, False, True, True, False]),
    ("NOT amount <> 0", [None, False, False, False, True, False]),
    ("amount BETWEEN -3 AND 0", [None, False, False, True, True, False]),
    ("amount NOT BETWEEN -3 AND 0", [None, True, True, False, False, True]),
    ("amount IN (0, -2.5)", [None, False, False, True, True, False]),
    ("amount NOT IN (0, NULL)", [None, None, None, None, False, None]),
    ("amount IS NULL", [True, False, False, False, False, False]),
    ("amount IS NOT NULL", [False, True, True, True, True, True]),
    ("paid", [None, True, False, True, None, False]),
    ("paid AND amount", [None, True, False, True, False, False]),
    ("paid = 1", [None, True, False, True, None, False]),
    ("paid + paid", [None, 2.0, 0.0, 2.0, None, 0.0]),
    ("coalesce(paid, 0)", [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]),
    ("CASE WHEN paid THEN amount ELSE 0 END", [0.0, NAN, 0.0, -2.5, 0.0, 0.0]),
    ("CASE WHEN paid THEN 1 END", [None, 1.0, None, 1.0, None, None]),
    ("CASE event WHEN '' THEN 1 WHEN 'nan' THEN 2 ELSE 3 END", [3.0, 2.0, 3.0, 1.0, 3.0, 3.0]),
    ("event = 'it''s'", [None, False, True, False, False, False]),
    ("event = $$it's$$", [None, False, True, False, False, False]),
    ("event IN ('', 'nan')", [None, True, False, True, False, False]),
    ("event LIKE '%u%'", [None, False, False, False, True, False]),
    ("event NOT LIKE '%u%'", [None, True, True, True, False, True]),
    ("lower(trim(event)) = 'buy'", [None, False, False, False, True, False]),
    ("upper(event) = ' BUY '", [None, False, False, False, True, False]),
    ("nullif(event, '') IS NULL", [True, False, False, True, False, False]),
    ("CAST(event AS DOUBLE)", [None, NAN, None, None, None, 12.5]),
    ("event::DOUBLE + 1", [None, NAN, None, None, None, 13.5]),
    ("TRY_CAST(event AS REAL)", [None, NAN, None, None, None, 12.5]),
    ("CAST('no' AS BOOLEAN)", [False] * 6),
    ("CAST('perhaps' AS BOOLEAN)", [None] * 6),
    ("nullif(amount, 0)", [None, NAN, INF, -2.5, None, 1.7e308]),
    ("abs(amount)", [None, NAN, INF, 2.5, 0.0, 1.7e308]),
    ("least(amount, 0)", [0.0, 0.0, 0.0, -2.5, 0.0, 0.0]),
    ("greatest(amount, 0, paid)", [0.0, NAN, INF, 1.0, 0.0, 1.7e308]),
    ("round(amount)", [None, NAN, INF, -3.0, 0.0, 1.7e308]),
    ("floor(amount)", [None, NAN, INF, -3.0, 0.0, 1.7e308]),
    ("ceil(amount)", [None, NAN, INF, -2.0, 0.0, 1.7e308]),
    ("ln(amount)", [None, NAN, INF, None, None, math.log(1.7e308)]),
    ("log10(rate)", [None, None, None, NAN, math.log10(4), math.log10(5e-324)]),
    ("sqrt(amount)", [None, NAN, INF, None, 0.0, math.sqrt(1.7e308)]),
    ("exp(amount)", [None, NAN, INF, math.exp(-2.5), 1.0, INF]),
    ("1 -- said aside ; DROP TABLE logged", [1.0] * 6),
    ("amount /* '; DROP TABLE logged */ + 0", AMOUNTS),
]


@pytest.mark.parametrize("text, expected", ALLOWED, ids=[text for text, _ in ALLOWED])
def test_allowed_forms_give_these_values(run, text, expected):
    found = run(parse_expression(text, COLUMNS).sql)
    close = [round(v, 9) if isinstance(v, float) and abs(v) < 1e6 else v for v in found]
    wanted = [round(v, 9) if isinstance(v, float) and abs(v) < 1e6 else v for v in expected]
    assert same(close, wanted), found


def test_times_are_compared_with_written_times(run):
    since = run(parse_expression("sent >= '2024-03-10 06:00:00+00'", COLUMNS).sql)
    assert since == [None, True, False, True, False, None]
    assert run(parse_expression("sent IN ('2024-03-10')", COLUMNS).sql)[4] is True
    with pytest.raises(ExpressionError, match="compares a time with 'never', which is no time"):
        parse_expression("sent > 'never'", COLUMNS)
    assert run(parse_expression("CAST(sent AS DOUBLE)", COLUMNS).sql) == [None] * 6
    assert run(parse_expression("coalesce(sent, NULL) IS NULL", COLUMNS).sql)[0] is True


def test_numbers_of_truths_and_of_nothing(run):
    assert run(value_of("event = ''", COLUMNS).number) == [None, 0.0, 0.0, 1.0, 0.0, 0.0]
    assert run(value_of("NULL", COLUMNS).number) == [None] * 6
    assert run(value_of("paid", COLUMNS).number) == [None, 1.0, 0.0, 1.0, None, 0.0]


@pytest.mark.parametrize("text", ["event", "'a'", "sent", "lower(event)", "CASE WHEN paid THEN 'a' END"])
def test_value_is_a_number_or_a_condition(text):
    with pytest.raises(ExpressionError, match="not a number or a condition"):
        value_of(text, COLUMNS)


FORBIDDEN = """
; | 1; DROP TABLE logged | 1; SELECT 2 | ; DELETE FROM logged | 1 UNION SELECT 2
1 UNION ALL SELECT amount | 1 EXCEPT SELECT 1 | 1 FROM logged | 1 FROM range(3)
1 FROM read_csv('/etc/passwd') | FROM logged | 1 WHERE true | 1 GROUP BY amount | 1 GROUP BY ALL
1 HAVING true | 1 QUALIFY true | 1 ORDER BY 1 | 1 LIMIT 1 | 1 OFFSET 1 | 1 USING SAMPLE 10%
DISTINCT amount | amount AS y | amount y | amount, rate | (SELECT 1) | EXISTS (SELECT 1)
amount IN (SELECT 1) | amount = ANY (SELECT 1) | 1 + (SELECT max(amount) FROM logged)
WITH t AS (SELECT 1) SELECT 1 | 1 INTO OUTFILE 'x' | PRAGMA version | ATTACH 'x' | COPY logged TO 'x'
SET x = 1 | INSTALL httpfs | read_csv('/etc/passwd') | read_text('/etc/passwd') | read_parquet('x')
glob('*') | getenv('HOME') | query('SELECT 1') | duckdb_settings() | pragma_version() | nextval('s')
current_setting('x') | now() | random() | uuid() | current_date | version() | error('x') | sleep_ms(1)
sum(amount) | count(*) | count(amount) | max(amount) | avg(amount) FILTER (WHERE paid)
string_agg(event, ',') | GROUPING(amount) | sum(amount) OVER () | row_number() OVER (ORDER BY amount)
lag(amount) OVER w | first_value(amount) OVER (PARTITION BY event) | x -> x | lambda x: x
list_transform([1], lambda x: x) | [x for x in [1]] | [1] | {'a': 1} | MAP {'a': 1} | (1, 2) | ROW(1)
UNNEST([1]) | ? | $1 | $name | :name | #1 | * | logged.* | * EXCLUDE (amount) | COLUMNS(*)
COLUMNS('a.*') | DEFAULT | main.abs(amount) | system.main.abs(amount) | amount.abs()
abs(DISTINCT amount) | abs(amount ORDER BY amount) | abs(x := amount) | abs() | abs(amount, 1)
round(amount, 2) | nullif(amount) | greatest() | trim(event, 'a') | substring(event, 1, 2)
regexp_matches(event, 'a') | event ILIKE 'a' | event SIMILAR TO 'a' | event GLOB 'a' | event ~ 'a'
event COLLATE NOCASE = 'a' | event LIKE 'a' ESCAPE 'b' | amount ** 2 | amount ^ 2 | amount // 2
amount & 1 | amount << 1 | ~amount | @amount | amount! | event[1] | event[1:2] | event ->> 'a'
amount::INTEGER | amount::DOUBLE[] | CAST(amount AS DECIMAL(9, 2)) | CAST(event AS JSON)
DATE '2024-01-01' | INTERVAL '1 day' | sent + INTERVAL 1 DAY | event = 1 | amount = '1' | event AND paid
event + 1 | -event | lower(amount) | sent + 1 | sent = 1 | coalesce(event, 1)
CASE WHEN paid THEN 1 ELSE '' END | CASE WHEN event THEN 1 END | 1e400 | -1e999 | x'ab' | 'ab'::BLOB
amount IS DISTINCT FROM 1 | 'open | "open | amount amount amount | SELECT amount | SELECT | -- | /* */
/* open | amount \\ 1 | \\ | amount;amount | 0x | 1 2 | , | () | amount = | = amount | (amount | amount)
/ amount | % amount | * amount | = amount | + | amount + | amount -
"""


@pytest.mark.parametrize(
    "text", ["", " ", "\n", *(part for line in FORBIDDEN.strip().splitlines() for part in line.split(" | "))]
)
def test_everything_else_is_refused(text):
    with pytest.raises(ExpressionError) as refused:
        parse_expression(text, COLUMNS)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["event || 'a'", "event = 'a' || 'b'"])
def test_joining_texts_is_refused(text):
    with pytest.raises(ExpressionError, match="not allowed"):
        parse_expression(text, COLUMNS)


@pytest.mark.parametrize(
    "text, near",
    [
        ("amout", "amount"),
        ("AMONT > 1", "amount"),
        ("größ", "Größe"),
        ("events = 'x'", "event"),
        ("x.b", "a.b"),
    ],
)
def test_unknown_column_names_the_nearest(text, near):
    with pytest.raises(ExpressionError, match=f'did you mean "{near}"'):
        parse_expression(text, COLUMNS)


def test_text_in_double_quotes_is_explained():
    with pytest.raises(ExpressionError, match="single quotes"):
        parse_expression('event = "purchase"', COLUMNS)


@pytest.mark.parametrize(
    "text",
    [
        "- " * 1900 + "amount",
        "NOT " * 900 + "paid",
        "(" * 1900 + "amount" + ")" * 1900,
        "+".join(["amount"] * 500),
        "abs(" * 200 + "amount" + ")" * 200,
        "ln(" * 30 + "amount" + ")" * 30,
        "sqrt(log10(" * 25 + "amount" + "))" * 25,
        "(" * 40 + "amount" + " BETWEEN 0 AND 1)" * 40,
        "CASE WHEN paid THEN " * 100 + "1" + " END" * 100,
        "(SELECT " * 400 + "1" + ")" * 400,
        "{'a':" * 500 + "1" + "}" * 500,
        "[" * 1900 + "]" * 1900,
        "amount" + "::DOUBLE" * 400,
        "1" * 5000,
        "'" + "a" * 5000 + "'",
    ],
    ids=lambda text: text[:24],
)
def test_what_no_person_writes_is_refused_at_once(text):
    with pytest.raises(ExpressionError):
        parse_expression(text, COLUMNS)


def test_long_but_flat_is_allowed(run):
    text = " OR ".join(f"event = 'k{i}'" for i in range(150))
    assert run(parse_expression(text, COLUMNS).sql)[1] is False
    text = "event IN (" + ", ".join(f"'k{i}'" for i in range(500)) + ")"
    assert run(parse_expression(text, COLUMNS).sql)[1] is False


@pytest.mark.parametrize("text", ["event = 'a\x00b'", "am\x00ount", "\x00"])
def test_nul_is_refused(text):
    with pytest.raises(ExpressionError):
        parse_expression(text, COLUMNS)


HARMLESS = re.compile(
    r'"column:[^"]*(?:""[^"]*)*"|\'(?:[^\']|\'\')*\'|[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)|\b(?:CASE|WHEN|THEN|ELSE|END|AND|OR|'
    r"NOT|IN|IS|NULL|LIKE|TRUE|FALSE|CAST|TRY_CAST|AS|DOUBLE|BOOLEAN|VARCHAR|TIMESTAMP|WITH|TIME|ZONE|"
    + "|".join(FUNCTIONS)
    + r")\b|<>|<=|>=|[-+*/%=<>(),]|\s+"
)


def check(run, text: str) -> None:
    """A text is refused, or its SQL holds our words only and runs."""
    try:
        found = parse_expression(text, COLUMNS)
    except ExpressionError:
        return
    assert not HARMLESS.sub("", found.sql), (text, found.sql)
    assert "--" not in re.sub(r"'(?:[^']|'')*'", "", found.sql)
    # Python reads a time with the help of a library that need not be there
    run(f"CAST({found.sql} AS VARCHAR)" if found.kind == "time" else found.sql)
    if found.kind not in {"text", "time"}:
        run(f"isfinite({value_of(text, COLUMNS).number})")


WORDS = st.sampled_from([
    "amount", "rate", "event", "paid", "sent", '"a.b"', "unknown", "1", "0", "-1", "2.5", "1e308", "'a'",
    "''", "'it''s'", "$$x$$", "NULL", "TRUE", "(", ")", ",", ";", "--", "/*", "*/", "+", "-", "*", "/",
    "%", "=", "<>", "<", ">=", "AND", "OR", "NOT", "IN", "IS", "LIKE", "BETWEEN", "CASE", "WHEN", "THEN",
    "ELSE", "END", "CAST", "AS", "DOUBLE", "::", "SELECT", "FROM", "logged", "abs", "ln", "sqrt",
    "coalesce", "nullif", "least", "lower", "sum", "OVER", "read_csv", "'/etc/passwd'", "[", "]", "{",
    "}", ":", "->", ".", "?", "$1", "UNION", "DROP", "\\", '"', "'", "\n", "\x00", "é", "😀", "E'\\n'",
    "U&'\\0041'", "x'00'", "INTERVAL", "DATE", "IGNORE", "ESCAPE", "COLLATE", "FILTER", "DISTINCT",
    "EXISTS", "lambda", "#1", "@", "0x1F", "1_0", "!",
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=30))
@example("'; DROP TABLE logged; --")
@example("' OR 1=1 --")
@example("amount'")
@example('amount"')
@example("event = '\\'")
@example("event = '\u2028'")
@example("1_0.5_0")
@example("0x1F")
@example("0b1")
@example("0o7")
@example("1.")
@example(".5e-400")
@example("E'\\''")
@example("'a' 'b'")
@example("'a'\n'b'")
@example("event = U&'\\0041'")
def test_any_text_is_refused_or_harmless(run, text):
    check(run, text)


@settings(max_examples=300, deadline=None)
@given(words=st.lists(WORDS, min_size=1, max_size=9))
def test_any_words_are_refused_or_harmless(run, words):
    check(run, " ".join(words))


SIGNS = st.sampled_from(["+", "-", "*", "/", "%", "=", "<>", "<", ">", "<=", ">=", "AND", "OR", "LIKE"])


def _deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(
            inner,
            SIGNS,
            inner,
        ).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from([name for name in FUNCTIONS if name != "nullif"]), inner).map(
            lambda parts: f"{parts[0]}({parts[1]})"
        ),
        pair.map(lambda parts: f"nullif({parts[0]}, {parts[1]})"),
        pair.map(lambda parts: f"coalesce({parts[0]}, {parts[1]})"),
        pair.map(lambda parts: f"greatest({parts[0]}, {parts[1]})"),
        pair.map(lambda parts: f"(CASE WHEN {parts[0]} THEN {parts[1]} END)"),
        pair.map(lambda parts: f"({parts[0]} IN ({parts[1]}, NULL))"),
        pair.map(lambda parts: f"({parts[0]} BETWEEN {parts[1]} AND 3)"),
        st.tuples(inner, st.sampled_from(["DOUBLE", "BOOLEAN", "VARCHAR"])).map(
            lambda p: f"CAST({p[0]} AS {p[1]})"
        ),
        inner.map(lambda part: f"(NOT {part})"),
        inner.map(lambda part: f"({part} IS NULL)"),
        inner.map(lambda part: f"(- {part})"),
    )


LEAVES = st.sampled_from(
    [
        "amount",
        "rate",
        "event",
        "paid",
        "sent",
        '"odd ""name"""',
        "Größe",
        "0",
        "-1.5",
        "1e308",
        "'a'",
        "'12'",
        "NULL",
        "TRUE",
    ]
)


@settings(max_examples=250, deadline=None)
@given(text=st.recursive(LEAVES, _deeper, max_leaves=8))
def test_whatever_is_allowed_runs_on_dirty_rows(run, text):
    check(run, text)
