"""The portable subset: what is refused, and how what is accepted is printed for Spark."""

from __future__ import annotations

import pytest

from analytics.engines.dialect import problems, to_spark

TRAPS = {
    "a join that Spark reads as an alias": "SELECT * FROM p ASOF JOIN d ON p.ts >= d.ts",
    "the same, once printed": "SELECT * FROM p AS asof JOIN d ON p.ts >= d.ts",
    "an approximate percentile": "SELECT quantile_cont(x, 5e-1) FROM rows",
    "a percentile that Spark approximates": "SELECT percentile_cont(5e-1) WITHIN GROUP (ORDER BY x) FROM rows",
    "days counted from Sunday as 0 or as 1": "SELECT dayofweek(ts) FROM rows",
    "days of the week, turned by two": "SELECT isodow(ts) FROM rows",
    "a week day by its part": "SELECT extract(dow FROM ts) FROM rows",
    "a double rounded or cut off": "SELECT CAST(score * 10e0 AS INTEGER) FROM rows",
    "a hash of the engine's own": "SELECT hash(id) FROM rows",
    "a bin by logarithm, whose last bit differs": "SELECT floor(ln(x)) AS place FROM rows",
    "a comparison of powers": "SELECT sum(CASE WHEN pow(x, 2) < 1e0 THEN 1 END) FROM rows",
    "a logarithm of base ten": "SELECT log10(x) FROM rows",
    "a division by zero": "SELECT a / b FROM rows",
    "a remainder by zero": "SELECT a % b FROM rows",
    "a fraction that is a DECIMAL": "SELECT x * 0.5 FROM rows",
    "a function SQLGlot does not know": "SELECT list_sum(x) FROM rows",
    "an approximate count": "SELECT approx_count_distinct(x) FROM rows",
    "any value, which may be another": "SELECT any_value(x) FROM rows",
    "an unsigned type": "SELECT CAST(x AS UBIGINT) FROM rows",
    "a list": "SELECT [1, 2] AS x FROM rows",
    "groups by everything else": "SELECT a, sum(b) FROM rows GROUP BY ALL",
    "rows by place": "SELECT * FROM a POSITIONAL JOIN b",
    "a join on nothing": "SELECT * FROM a JOIN b",
    "columns left out": "SELECT * EXCLUDE (a) FROM rows",
    "a row picked at random": "SELECT * FROM rows USING SAMPLE 10",
    "a local time taken back": "SELECT (ts AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin' FROM rows",
    "two statements": "SELECT 1; SELECT 2",
}
GOOD = (
    "SELECT sum(weight * ln(x)) AS l, sum(pow(x - y, 2)) AS s FROM rows",
    "SELECT window_key, count(*) AS n, sum(weight) AS w FROM rows GROUP BY window_key",
    "SELECT count(*) FILTER (WHERE x > 5e-1) AS n, min(x) AS low FROM rows",
    "SELECT CAST(floor(10e0 * x) AS INTEGER) AS tenth, a / nullif(b, 0) AS r FROM rows",
    "SELECT CAST(CASE WHEN x < 1e0 THEN 0 ELSE 1 END AS DOUBLE) AS place FROM rows",
    "SELECT r.* FROM rows AS r LEFT JOIN (VALUES ('a', 0), ('b', 1)) AS m(value, code) ON m.value = r.f",
    "SELECT row_number() OVER (PARTITION BY id ORDER BY ts DESC, file, row) AS place FROM rows",
    "SELECT date_trunc('day', ts AT TIME ZONE 'Europe/Berlin') AS d FROM rows",
)


@pytest.mark.parametrize("text", TRAPS.values(), ids=TRAPS)
def test_traps_are_refused(text) -> None:
    assert problems(text) != ()


@pytest.mark.parametrize("text", GOOD)
def test_the_portable_subset_is_accepted(text) -> None:
    assert problems(text) == ()


def test_names_and_texts_keep_what_they_hold() -> None:
    printed = to_spark(
        'SELECT "column:an ""odd"" `name`" AS a FROM rows WHERE c = \'it\'\'s \\n\' AND v = $v'
    )
    assert printed == "SELECT `column:an \"odd\" ``name``` AS a FROM rows WHERE c = 'it\\'s \\\\n' AND v = :v"


def test_what_spark_calls_otherwise_is_renamed_wherever_it_stands() -> None:
    printed = to_spark(
        "SELECT CASE WHEN isfinite(CAST(a AS DOUBLE)) THEN timezone('Europe/Berlin', CAST(b AS TIMESTAMP)) END AS t, "
        "make_timestamptz(epoch_us(c)) AS u, TRY_CAST(d AS UBIGINT) AS v, epoch_ms(e) // 900000 AS w, "
        "to_timestamp(f) AS x, epoch(g) AS y FROM rows"
    )
    assert "ABS(CAST(a AS DOUBLE)) <= 1.7976931348623157e+308" in printed
    assert "TO_UTC_TIMESTAMP(CAST(b AS TIMESTAMP), 'Europe/Berlin')" in printed
    assert "TIMESTAMP_MICROS(UNIX_MICROS(CAST(c AS TIMESTAMP))) AS u" in printed
    assert "UNIX_MILLIS(CAST(e AS TIMESTAMP)) DIV 900000 AS w" in printed
    assert "(UNIX_MICROS(CAST(g AS TIMESTAMP)) / 1e6) AS y" in printed
    assert "TIMESTAMP_MICROS(CAST(RINT((f) * 1e6) AS BIGINT)) AS x" in printed
    assert "TRY_CAST(d AS DECIMAL(20, 0))" in printed
