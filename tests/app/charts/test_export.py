"""CSV that a spreadsheet cannot be made to run, and that everything reads back."""

from __future__ import annotations

import io

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.export import to_csv
from app.charts.tables import drift_table, metric_table
from tests.app.charts import samples as s


def back(frame):
    return pd.read_csv(io.BytesIO(to_csv(frame)), dtype=str, keep_default_na=False)


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-", "=", "-1-1"]
)
def test_formulas_become_text(text):
    assert back(pd.DataFrame({"a": [text]}))["a"].iloc[0].startswith("'")


@pytest.mark.parametrize("text", ["-5", "+3.2", "-1e-05", "plain", "", "a=b", "(missing)", "−5", ".5"])
def test_numbers_and_plain_text_stay(text):
    assert back(pd.DataFrame({"a": [text], "b": ["x"]}))["a"].iloc[0] == text


def test_names_of_columns_and_categories_are_guarded_too():
    frame = pd.DataFrame({"=cmd": pd.Categorical(["@x"])})
    assert back(frame).columns.tolist() == ["'=cmd"]
    assert back(frame).iloc[0, 0] == "'@x"


@given(st.lists(st.text(), min_size=1))
def test_no_cell_ever_starts_a_formula(texts):
    for line in back(pd.DataFrame({"a": texts, "b": "x"}))["a"]:
        assert not line.startswith(("=", "@", "\t"))


def test_numbers_keep_their_digits_and_missing_stays_empty():
    frame = pd.DataFrame({"a": [0.1 + 0.2, None, -1e-300]})
    read = pd.read_csv(io.BytesIO(to_csv(frame)))
    assert read["a"].iloc[0] == 0.1 + 0.2
    assert read["a"].isna().tolist() == [False, True, False]


def test_umlauts_survive_in_spreadsheets_pandas_and_duckdb(tmp_path):
    file = tmp_path / "table.csv"
    file.write_bytes(to_csv(pd.DataFrame({"größe": ["–"]})))
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")  # spreadsheets take it for Latin-1 otherwise
    assert pd.read_csv(file).columns.tolist() == ["größe"]
    with duckdb.connect() as connection:
        assert connection.execute("SELECT * FROM read_csv(?)", [str(file)]).description[0][0] == "größe"


def test_instants_carry_their_offset():
    text = to_csv(metric_table(s.metric([0.5]), zone=s.ZONE)).decode("utf-8-sig")
    assert text.splitlines()[1].startswith("2013-03-04T00:00:00-0500,2013-03-11T00:00:00-0400,a,")


def test_a_whole_table_goes_through():
    assert len(back(drift_table(s.drift(), zone=s.ZONE))) == len(s.drift())
